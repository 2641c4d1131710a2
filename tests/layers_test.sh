#!/usr/bin/env bash
# The layer check passes on the tree, and refuses an upward include, a sideways one, Asio outside net/, CLI11 outside cli/
# and one name for two types.
set -u
cd "$(dirname "$0")/.." || exit 70
tmp=$(mktemp -d) || exit 73
trap 'rm -rf "$tmp"' EXIT

check() {  # NAME EXPECTED_STATUS ROOT
  tests/layers.sh "$3" >"$tmp/out" 2>&1
  local status=$?
  [ $status -ne 0 ] && status=1
  if [ $status -eq "$2" ]; then echo "ok $1"; else echo "not ok $1"; sed 's/^/# /' "$tmp/out"; fi
}
refused() {  # NAME FILE INCLUDE
  rm -rf "$tmp/tree"
  mkdir -p "$tmp/tree/cmd" "$tmp/tree/$(dirname "$2")"
  echo "#include $3" >"$tmp/tree/$2"
  check "$1" 1 "$tmp/tree"
}
check "every include of the tree goes downwards" 0 .
refused "an upward include is refused" lib/fs/a.cc '"store/types.h"'
refused "a sideways include is refused" lib/store/a.cc '"net/server.h"'
refused "Asio outside net/ is refused" lib/server/a.cc '<boost/asio.hpp>'
refused "tests/ in product code is refused" cmd/mqd/a.cc '"support/manual_clock.h"'
refused "CLI11 outside cli/ is refused" cmd/mqsend/a.cc '<CLI/CLI.hpp>'
rm -rf "$tmp/tree"
mkdir -p "$tmp/tree/cmd" "$tmp/tree/lib/inspect"
echo 'struct Stretch { int a; };' | tee "$tmp/tree/lib/inspect/a.h" >"$tmp/tree/lib/inspect/b.h"
check "two types of one name in a room are refused" 1 "$tmp/tree"
