#!/usr/bin/env bash
# Goal: the conformance cases that mqd is held to are what Apache's broker does.
# Method: the same questions of tests/conformance/groups.py, asked to a stock broker; those of them that need another
# configuration or a kill are left to tests/bats/conformance_groups.bats.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }
start_apache "$tmp/store" mappedFileSizeCommitLog=33554432 || { fail "Apache's broker starts"; exit 1; }

for case in ${CASES:-15 16 18 19 20 21 22 23 24 25 26 27 28 41 42 45 46 49 clean_leave closed_connection comes_back no_notices_wanted \
  heartbeat_v2 retry_topic views}; do
  check "Apache's broker: case $case" python3 "$root/tests/conformance/groups.py" "$case" "127.0.0.1:$broker_port" broker-a
done
