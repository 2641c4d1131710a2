#!/usr/bin/env bash
# tests/fuzz/run.sh BUILD_DIR SECONDS [NAME...]: every libFuzzer target (or those named) so long, two at a time. What it
# finds stays in BUILD_DIR/fuzz/corpus; an input that kills a target is left there as NAME-crash-..., and the exit is 1.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=${1:?usage: run.sh BUILD_DIR SECONDS [NAME...]}
seconds=${2:?usage: run.sh BUILD_DIR SECONDS [NAME...]}
shift 2
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for program in "$build"/fuzz/fuzz_*; do
    [ -x "$program" ] && names+=("$(basename "$program" | sed 's/^fuzz_//')")
  done
fi
[ ${#names[@]} -gt 0 ] || { echo "run.sh: no targets in $build/fuzz" >&2; exit 66; }

run_one() {
  local grown=$build/fuzz/corpus/$1
  mkdir -p "$grown"
  if "$build/fuzz/fuzz_$1" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
       -artifact_prefix="$build/fuzz/corpus/$1-" "$grown" "tests/fuzz/corpus/$1" >"$build/fuzz/$1.log" 2>&1; then
    echo "ok $1, $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz/$1.log") runs"
  else
    echo "not ok $1, see $build/fuzz/$1.log"
    tail -20 "$build/fuzz/$1.log" | sed 's/^/# /'
    return 1
  fi
}
export -f run_one
export build seconds
printf '%s\n' "${names[@]}" | xargs -P 2 -I{} bash -c 'run_one {}' || exit 1
