#!/usr/bin/env bash
# Goal: a topic with queue.type=BatchCQ, whose batches stay closed in the log, is served the same by Apache's broker and
# by mqd, whoever wrote it, and its store moves between the two, after a clean exit and after kill -9.
# Method: the topic is made by mqadmin and filled by the official client on one and by mqsend on the other; each reads all
# of it through the official client, mqd also through mqrecv, and mqdump verifies what both have written.
set -u
. "$(dirname "$0")/lib.sh"
same=$root/tests/support/same_messages.py
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }

store=$tmp/store
sizes=(mappedFileSizeCommitLog=1048576 mapperFileSizeBatchConsumeQueue=4600 maxHashSlotNum=1000 maxIndexNum=4000)
conf=$tmp/mqd.conf
printf '%s\n' brokerName=broker-a brokerClusterName=DefaultCluster fileReservedTime=1000000 "namesrvAddr=$namesrv" "${sizes[@]}" >"$conf"
# What a message of a closed batch has of its own; where its record lies is the batch's.
fields=bodySha256,bornTime,storeTime,flag,offset
mqadmin() { "${java[@]}" org.apache.rocketmq.tools.command.MQAdminStartup "$@" -n "$namesrv"; }
theirs() { peer dump "$namesrv" batches >"$1"; }
ours() { mqrecv -b "$mq_socket" -J --all-properties batches >"$1"; }
count() { wc -l <"$1"; }

start_apache "$store" "${sizes[@]}" || { fail "Apache's broker starts" "$tmp/broker.log"; exit 1; }
check "mqadmin makes a topic with queues of batches" mqadmin updateTopic -c DefaultCluster -t batches -r 2 -w 2 -a +queue.type=BatchCQ
check "the client fills it on Apache's broker" peer send "$namesrv" batches 60 first
theirs "$tmp/theirs1"
check "and reads it" test "$(count "$tmp/theirs1")" -eq 60
stop_apache
[ -d "$store/batchconsumequeue/batches" ] && pass "its queues are queues of batches" || fail "its queues are queues of batches"

start_mqd "$store" -c "$conf" || { fail "mqd opens the store" "$tmp/mqd.log"; exit 1; }
ours "$tmp/ours1"
check "mqd serves the same" "$same" "$tmp/ours1" "$tmp/theirs1" "$fields"
theirs "$tmp/theirs2"
check "to the client, too" diff "$tmp/theirs1" "$tmp/theirs2"
check "the client goes on on mqd" peer send "$namesrv" batches 60 second
check "mqsend goes on with batches of its own" sh -c "seq -f 'line %g' 1 5000 | mqsend -b $mq_socket -k key batches && mqsend -b $mq_socket -m alone batches"
ours "$tmp/ours2"
check "all of it is there" test "$(count "$tmp/ours2")" -eq 5121
theirs "$tmp/theirs3"
check "the client reads the same" "$same" "$tmp/ours2" "$tmp/theirs3" "$fields"
[ "$(mqdump grep -F '%o\n' "$store" 'topic = batches' | tee "$tmp/records" | wc -l)" -lt 500 ] && [ -s "$tmp/records" ] && pass "batches are one record each" || fail "batches are one record each"
stop_mqd
check "mqdump finds nothing wrong" mqdump verify "$store"

start_apache "$store" "${sizes[@]}" || fail "Apache's broker takes it back" "$tmp/broker.log"
theirs "$tmp/theirs4"
check "Apache's broker serves what mqd wrote" diff "$tmp/theirs3" "$tmp/theirs4"
check "and goes on" peer send "$namesrv" batches 20 third
theirs "$tmp/theirs5"
stop_apache KILL

start_mqd "$store" -c "$conf" || fail "mqd opens it after kill -9 of Apache's broker" "$tmp/mqd.log"
ours "$tmp/ours3"
check "and serves everything" "$same" "$tmp/ours3" "$tmp/theirs5" "$fields"
seq -f 'more %g' 1 3000 | mqsend -b "$mq_socket" batches
ours "$tmp/ours4"
stop_mqd KILL
start_mqd "$store" -c "$conf" || fail "mqd opens it after its own kill -9" "$tmp/mqd.log"
ours "$tmp/ours5"
check "nothing is lost by kill -9" diff "$tmp/ours4" "$tmp/ours5"
stop_mqd KILL
start_apache "$store" "${sizes[@]}" || fail "Apache's broker opens it after kill -9 of mqd" "$tmp/broker.log"
theirs "$tmp/theirs6"
check "and serves everything" "$same" "$tmp/ours5" "$tmp/theirs6" "$fields"
stop_apache
check "mqdump finds nothing wrong in the end" mqdump verify "$store"
