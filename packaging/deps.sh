#!/bin/sh
# Installs the Debian packages that are listed in the given files and not installed yet; does nothing when all are there.
set -eu
missing=
for package in $(sed 's/#.*//' "$@"); do
  status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  case $status in ii*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "deps: need root or sudo to install:$missing" >&2; exit 77; }
  as_root=sudo
fi
echo "deps: installing$missing" >&2
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086  # words on purpose
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
