#!/usr/bin/env bash
# Goal: a SQL filter means the same here and in the reference.
# Method: random expressions, good and broken, on random properties go through both in one JVM; MQ_SEED=n runs one seed.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }

for seed in ${MQ_SEED:-1 2}; do
  "$MQ_BUILD/tests/sql_cases" "$seed" 20000 >"$tmp/cases"
  "${java[@]}" -Xmx512m peer.SqlCases <"$tmp/cases" >"$tmp/sql.out" 2>&1
  status=$?
  tail -1 "$tmp/sql.out" | sed 's/^/# /'
  if [ $status -eq 0 ]; then pass "120,000 random cases, seed $seed"; else fail "120,000 random cases, seed $seed" "$tmp/sql.out"; fi
done
