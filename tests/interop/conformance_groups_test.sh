#!/usr/bin/env bash
# Goal: the conformance cases that mqd is held to are what Apache's broker does.
# Method: the same questions of tests/conformance, asked to a stock broker; those that need another configuration or a
# kill, and those where mqd does better on purpose, are left to tests/bats/conformance_*.bats.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }
start_apache "$tmp/store" mappedFileSizeCommitLog=33554432 || { fail "Apache's broker starts"; exit 1; }

ask() {
  local script=$1
  shift
  for case; do
    check "Apache's broker: $script $case" python3 "$root/tests/conformance/$script.py" "$case" "127.0.0.1:$broker_port" broker-a
  done
}
# Cases that wait for something to come again wait for it together.
ask_at_once() {
  local script=$1 running=()
  shift
  for case; do
    python3 "$root/tests/conformance/$script.py" "$case" "127.0.0.1:$broker_port" broker-a >"$tmp/$script.$case" 2>&1 &
    running+=("$!:$case")
  done
  for one in "${running[@]}"; do
    if wait "${one%:*}"; then pass "Apache's broker: $script ${one#*:}"; else fail "Apache's broker: $script ${one#*:}" "$tmp/$script.${one#*:}"; fi
  done
}
if [ $# -gt 0 ]; then
  if [ "$1" = pop ]; then ask_at_once "$@"; else ask "$@"; fi
  exit
fi
ask pulls 15 16 18 19 20 21 22 23 24 25 26 27 28
ask groups 41 42 45 46 49 82 clean_leave closed_connection comes_back no_notices_wanted heartbeat_v2 retry_topic
ask replies 77 reply refused
ask topics 11 mixed types 78
ask group_admin 47 group_configs delete_group forbidden broadcast_forbidden views stats time_span all_offsets reset_by_time \
  reset_one_queue clone correction running_info consume_directly consumer_status
ask_at_once pop 66 67 68 69 70 71 71_wake 72 79 notification assignment filter reset
