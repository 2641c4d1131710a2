#!/usr/bin/env bash
# Goal: light queues (LMQ) hold the same messages under the same numbers at Apache's broker and at mqd, whoever wrote them,
# and their store, with the positions of the groups in them, moves between the two, after a clean exit and after kill -9.
# Method: the questions of tests/conformance/light_queues.py, asked of both; each reads what the other wrote through the
# official client; mqdump verifies it and builds the queues again. mqd is told nothing: it sees that the store has them.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }

store=$tmp/store
sizes=(mappedFileSizeCommitLog=1048576 mappedFileSizeConsumeQueue=400 maxHashSlotNum=1000 maxIndexNum=4000)
conf=$tmp/mqd.conf
printf '%s\n' brokerName=broker-a brokerClusterName=DefaultCluster fileReservedTime=1000000 "namesrvAddr=$namesrv" >"$conf"
apache() { start_apache "$store" "${sizes[@]}" enableLmq=true enableMultiDispatch=true || { fail "Apache's broker opens the store" "$tmp/broker.log"; exit 1; }; }
mqd_takes() { start_mqd "$store" -c "$conf" || { fail "mqd opens the store" "$tmp/mqd.log"; exit 1; }; }
ask() { check "$1: $3" python3 "$root/tests/conformance/light_queues.py" "$3" "$2" "${4:-}"; }
# Everything of both queues, as the client reads it.
dump() { peer dump "$namesrv" T-numbers %LMQ%a %LMQ%b >"$1"; }
fill() { # ADDRESS PREFIX: enough for several files
  seq -f "$2 %g" 60 | mqsend -b "$1" --batch 1 -H 'INNER_MULTI_DISPATCH=%LMQ%a,%LMQ%b' T-numbers
}

apache
for case in numbers wakes; do ask "Apache's broker" "127.0.0.1:$broker_port" "$case"; done
fill "127.0.0.1:$broker_port" apache
ask "Apache's broker" "127.0.0.1:$broker_port" commit 3
dump "$tmp/1"
stop_apache
check "there is something to compare" test "$(wc -l <"$tmp/1")" -gt 130

mqd_takes
dump "$tmp/2"
check "mqd serves the same" diff "$tmp/1" "$tmp/2"
ask mqd "$mqd_tcp" committed 3
for case in numbers wakes; do ask mqd "$mqd_tcp" "$case"; done
fill "$mqd_tcp" mqd
ask mqd "$mqd_tcp" commit 9
dump "$tmp/3"
stop_mqd
check "mqdump finds nothing wrong" mqdump verify "$store"
mqdump rebuild all "$store" --out "$tmp/rebuilt" >"$tmp/rebuild.out" 2>&1
check "mqdump builds the same queues from the log" diff -r "$store/consumequeue" "$tmp/rebuilt/consumequeue"

apache
dump "$tmp/4"
check "Apache's broker serves what mqd wrote" diff "$tmp/3" "$tmp/4"
ask "Apache's broker" "127.0.0.1:$broker_port" committed 9
fill "127.0.0.1:$broker_port" again
dump "$tmp/5"
stop_apache KILL

mqd_takes
dump "$tmp/6"
check "nothing is lost by kill -9 of Apache's broker" diff "$tmp/5" "$tmp/6"
fill "$mqd_tcp" last
dump "$tmp/7"
stop_mqd KILL
mqd_takes
dump "$tmp/8"
check "nor by kill -9 of mqd" diff "$tmp/7" "$tmp/8"
stop_mqd
check "mqdump finds nothing wrong in the end" mqdump verify "$store"
