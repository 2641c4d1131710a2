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
# Clang's own warnings, -Wthread-safety among them, come with clang-tidy: nothing is compiled for them. Tests and benchmarks
# get those alone, and a check beside them as clang-tidy will not run with none.
tidy() {
  CXX=clang++-14 cmake -S . -B build-lint -G Ninja -DMQ_PCH=OFF >/dev/null || return 1
  git ls-files 'lib/*.cc' 'cmd/*.cc' | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build-lint --quiet 2>/dev/null
}
tidy_tests() {
  git ls-files 'tests/*.cc' 'bench/*.cc' | grep -v '^tests/fuzz/driver' |
    xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build-lint --quiet --checks='-*,clang-diagnostic-*,modernize-use-override' 2>/dev/null
}
step "format" format
step "layers" tests/layers.sh
step "shell" shell
step "man pages" man_pages
step "clang-tidy, -Wthread-safety" tidy
step "clang, tests and benchmarks" tidy_tests
[ $failed -eq 0 ] && echo "lint: clean"
exit $failed
