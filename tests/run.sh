#!/usr/bin/env bash
# Runs parts of the test suite and ends in one line "N passed, N failed"; exit 1 if anything failed or nothing ran.
#   tests/run.sh --build DIR [layers] [unit] [bats] [crash] [budget] [interop]
# Every part is a list of independent scripts that speak TAP (ctest is translated), so that they run side by side.
# A bats or interop script that failed runs once more, alone: with JVMs and clients of others on two cores there are time
# limits that only load exceeds. Both outcomes are told; unit, crash and budget tests get no second try.
set -u
cd "$(dirname "$0")/.." || exit 70
build=build
parts=()
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$2; shift 2 ;;
    *) parts+=("$1"); shift ;;
  esac
done
build=$(cd "$build" && pwd) || exit 70
jobs=$(nproc)
out=$(mktemp -d "${TMPDIR:-/tmp}/mq-tests.XXXXXX") || exit 73
trap 'rm -rf "$out"' EXIT
export MQ_BUILD=$build PATH="$build/bin:$PATH"

run_layers() { tests/layers_test.sh >"$out/layers.tap" 2>&1; }

run_unit() {
  ctest --test-dir "$build" -j "$jobs" --no-tests=error --output-on-failure --output-junit "$out/unit.xml" >"$out/unit.log" 2>&1
  python3 - "$out/unit.xml" >"$out/unit.tap" <<'PY' || echo "not ok unit tests did not run" >"$out/unit.tap"
import sys, xml.etree.ElementTree as tree
for case in tree.parse(sys.argv[1]).getroot().iter('testcase'):
    failed = case.get('status') != 'run'
    print('not ok' if failed else 'ok', case.get('name'))
    if failed:
        out = case.find('system-out')
        for line in ((out.text or '') if out is not None else '').splitlines()[-60:]:
            print('#', line)
PY
}

# $1: a bats file or an executable script; its TAP goes to $out.
run_script() {
  local name
  name=$(basename "$1")
  case $1 in
    *.bats) bats --formatter tap "$1" >"$out/$name.tap" 2>&1 ;;
    *) "$1" >"$out/$name.tap" 2>"$out/$name.err"; local rc=$?
       if [ $rc -ne 0 ] && ! grep -q '^not ok' "$out/$name.tap"; then
         echo "not ok $name ended with $rc"; sed 's/^/# /' "$out/$name.err" | tail -40
       fi >>"$out/$name.tap" ;;
  esac
}
export -f run_script
export out

scripts=()
for part in "${parts[@]}"; do
  case $part in
    layers) run_layers ;;
    unit) run_unit ;;
    bats) for f in tests/bats/*.bats; do [ -e "$f" ] && scripts+=("$f"); done ;;
    crash) for f in tests/crash/*_test.sh; do [ -e "$f" ] && scripts+=("$f"); done ;;
    budget) for f in tests/budget/*_test.py; do [ -e "$f" ] && scripts+=("$f"); done ;;
    interop) for f in tests/interop/*_test.sh; do [ -e "$f" ] && scripts+=("$f"); done ;;
    *) echo "run.sh: no part '$part'" >&2; exit 64 ;;
  esac
done
# The slow ones first, so that the end is not one script alone.
[ ${#scripts[@]} -eq 0 ] || printf '%s\n' "${scripts[@]}" | sort -r | xargs -P "$jobs" -I{} bash -c 'run_script {}'

# show_failed TAP: what did not pass, with its diagnostics.
show_failed() {
  echo "== $(basename "$1" .tap)"
  awk '/^ok/ { show = 0 } /^not ok/ { show = 1 } show' "$1"
}

for script in "${scripts[@]}"; do
  tap=$out/$(basename "$script").tap
  case $script in tests/bats/* | tests/interop/*) ;; *) continue ;; esac
  grep -q '^not ok' "$tap" || continue
  show_failed "$tap"
  echo "-- $(basename "$script"): failed beside others, runs once more alone"
  run_script "$script"
done

passed=$(cat "$out"/*.tap | grep -c '^ok')
failed=$(cat "$out"/*.tap | grep -c '^not ok')
if [ "$failed" -gt 0 ]; then
  for f in "$out"/*.tap; do
    grep -q '^not ok' "$f" && show_failed "$f"
  done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
