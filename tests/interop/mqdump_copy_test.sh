#!/usr/bin/env bash
# Goal: mqdump copy of a store in use, Apache's or ours, is a store that either broker opens as one that was closed, and
# that serves every message the same.
# Method: the stock broker's store is copied while it runs and mqd opens the copy; mqd's store is copied while it is sent to,
# and the stock broker opens that copy.
set -u
. "$(dirname "$0")/lib.sh"
same=$root/tests/support/same_messages.py
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }
sizes=(mappedFileSizeCommitLog=1048576 mappedFileSizeConsumeQueue=4000 maxHashSlotNum=1000 maxIndexNum=4000)
conf=$tmp/mqd.conf
printf '%s\n' brokerName=broker-a brokerClusterName=DefaultCluster fileReservedTime=1000000 "${sizes[@]}" >"$conf"

start_apache "$tmp/theirs" "${sizes[@]}" || { fail "Apache's broker starts" "$tmp/broker.log"; exit 1; }
check "Apache's broker is sent to" peer send "$namesrv" first 300 fromApache
peer dump "$namesrv" first >"$tmp/theirs1"
check "its store is copied while it runs" mqdump copy -J "$tmp/theirs" "$tmp/copy1"
check "the copy knows that it was in use" jq -e .live "$tmp/check.out"
stop_apache
check "the copy has no sign of a crash" test ! -e "$tmp/copy1/abort"
check "mqdump finds the same messages in it" mqdump diff --strict --messages "$tmp/theirs" "$tmp/copy1" first

start_mqd "$tmp/copy1" -c "$conf" || { fail "mqd opens the copy" "$tmp/mqd.log"; exit 1; }
mqrecv -b "$mq_socket" -J --all-properties first >"$tmp/ours1"
check "mqd serves the copy of Apache's store" "$same" "$tmp/ours1" "$tmp/theirs1"
seq 1 2000 | mqsend -b "$mq_socket" -k old second
(while seq 1 200 | mqsend -q -b "$mq_socket" -k new second; do :; done) 2>/dev/null &
sender=$!
check "mqd's store is copied while it is sent to" mqdump copy -J "$tmp/copy1" "$tmp/copy2"
kill "$sender"
wait "$sender" 2>/dev/null
stop_mqd
mqrecv --store "$tmp/copy2" -J --all-properties first second >"$tmp/ours2"
check "what was acknowledged before is in the copy" test "$(jq -c 'select(.topic == "second" and .keys == ["old"])' "$tmp/ours2" | wc -l)" -eq 2000

check "Apache's broker opens the copy of mqd's store" start_apache "$tmp/copy2" "${sizes[@]}"
peer dump "$namesrv" first second >"$tmp/theirs2"
check "and serves every message the same" "$same" "$tmp/ours2" "$tmp/theirs2"
check "keys are found in the copied index" test "$(peer query "$namesrv" second old | jq '.physicalOffsets | length')" -ge 32
check "and it goes on" peer send "$namesrv" second 20 after
stop_apache
