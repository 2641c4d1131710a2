#!/usr/bin/env bash
# Everything a machine can say about the source: format, layers, clang warnings with -Wthread-safety, clang-tidy, man
# pages, shell. Ends 0 only if all are silent.
set -u
cd "$(dirname "$0")/.." || exit 70
failed=0
step() { echo "lint: $1"; shift; "$@" || { echo "lint: FAILED: $*"; failed=1; }; }

format() { git ls-files '*.h' '*.cc' | xargs clang-format-14 --dry-run -Werror; }
man_pages() { mandoc -T lint -W warning man/*.[1-8]; }
# SC2034: what a bats file and helpers.bash set for each other.
shell() { git ls-files '*.sh' '.ci/*' | xargs shellcheck -x -S warning -e SC1091,SC2154 && git ls-files '*.bats' '*.bash' | xargs -r shellcheck -S warning -s bash -e SC2154,SC2030,SC2031,SC2034; }
clang_build() {
  CXX=clang++-14 cmake -S . -B build-lint -G Ninja -DMQ_PCH=OFF >/dev/null && ninja -C build-lint -j"$(nproc)"
}
tidy() {
  git ls-files 'lib/*.cc' 'cmd/*.cc' | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build-lint --quiet 2>/dev/null
}
step "format" format
step "layers" tests/layers.sh
step "shell" shell
step "man pages" man_pages
step "clang, -Wthread-safety" clang_build
step "clang-tidy" tidy
[ $failed -eq 0 ] && echo "lint: clean"
exit $failed
