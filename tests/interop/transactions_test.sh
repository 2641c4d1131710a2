#!/usr/bin/env bash
# Goal: transactions end at mqd as they do at Apache's broker, and a store with open ones goes from Apache's broker to mqd
# and back: everything arrives once.
# Method: the questions of tests/conformance/transactions.py, asked to a stock broker (tests/bats/transactions.bats asks
# mqd); then one store is handed on with halves that are committed, rolled back, ended late and left open on the way.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }

sizes=(mappedFileSizeCommitLog=16777216 mappedFileSizeConsumeQueue=60000 maxHashSlotNum=10000 maxIndexNum=40000)
# A busy machine must not make the stock broker refuse.
patience=(waitTimeMillsInSendQueue=30000 waitTimeMillsInPullQueue=30000 waitTimeMillsInHeartbeatQueue=60000
  waitTimeMillsInTransactionQueue=30000)
short=(transactionTimeOut=1000 transactionCheckInterval=1000 transactionOpBatchInterval=100)
store=$tmp/store
ask() { check "$1: transactions $3" python3 "$root/tests/conformance/transactions.py" "$3" "$2" "${4:-}"; }

start_apache "$store" "${sizes[@]}" "${patience[@]}" "${short[@]}" transactionCheckMax=3 || { fail "Apache's broker starts"; exit 1; }
for case in 61 62 answers another 63 64 waiting_counts 65_on_apache 80; do
  ask "Apache's broker" "127.0.0.1:$broker_port" "$case"
done
ask "Apache's broker" "127.0.0.1:$broker_port" hand_over_first "$tmp/late"
stop_apache

conf=$tmp/mqd.conf
printf '%s\n' brokerName=broker-a fileReservedTime=1000000 "${sizes[@]}" "${short[@]}" transactionCheckMax=1000 >"$conf"
start_mqd "$store" -c "$conf" || { fail "mqd takes the store" "$tmp/mqd.log"; exit 1; }
ask mqd "$mqd_tcp" hand_over_second "$tmp/late"
stop_mqd
check "the store is in order" mqdump verify "$store"

start_apache "$store" "${sizes[@]}" "${patience[@]}" "${short[@]}" transactionCheckMax=1000 || { fail "Apache's broker takes it back"; exit 1; }
ask "Apache's broker" "127.0.0.1:$broker_port" hand_over_third
stop_apache
