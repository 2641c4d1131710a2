#!/usr/bin/env bash
# Goal: a store with messages that are still to come, by delay level and by time, goes from Apache's broker to mqd and
# back, and every message arrives once and not before its time.
# Method: the official client sends to Apache's broker, some to come while each of the brokers has the store; mqd takes
# the store over, delivers its part, gets more; Apache's broker takes it back and delivers the rest.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }

levels=(1 18 40 55)
conf=(mappedFileSizeCommitLog=1048576 mappedFileSizeConsumeQueue=6000 maxHashSlotNum=500 maxIndexNum=2000
  mappedFileSizeTimerLog=1048576 timerRollWindowSlot=30 "messageDelayLevel=${levels[*]/%/s}")
printf '%s\n' brokerName=broker-a brokerClusterName=DefaultCluster fileReservedTime=1000000 "${conf[@]}" >"$tmp/mqd.conf"
store=$tmp/store
now_ms() { echo $(($(date +%s%N) / 1000000)); }
later() { "${java[@]}" -Xmx256m peer.Later "$namesrv" orders "$@"; }
delivered() { mqrecv -b "$mq_socket" -J orders 2>/dev/null | wc -l; }
# wait_delivered N: until mqd has delivered so many.
wait_delivered() {
  local i
  for ((i = 0; i < 1200; i++)); do
    [ "$(delivered)" -ge "$1" ] && return 0
    sleep 0.1
  done
  return 1
}
checked() { mqdump log "$store" -J 2>/dev/null | jq -c 'select(.topic == "orders")' | "$root/tests/support/later_check.py" "$1" "${levels[@]}"; }

start_apache "$store" "${conf[@]}" || { fail "Apache's broker starts" "$tmp/broker.log"; exit 1; }
sent=$(now_ms)
# Three to come at once or soon, four while mqd has it, four after that; the farthest go round the wheel.
check "the official client sends what is to come" later apache level:1 in:1500 "at:$((sent - 1000))" \
  level:2 "at:$((sent + 17000))" "at:$((sent + 19500))" in:18000 \
  level:3 level:4 "at:$((sent + 42000))" "at:$((sent + 56000))"
stop_apache

start_mqd "$store" -c "$tmp/mqd.conf" || { fail "mqd takes the store over" "$tmp/mqd.log"; exit 1; }
for when in "--delay 3s" "--delay-level 1"; do
  # shellcheck disable=SC2086
  mqsend -b "$mq_socket" $when orders -m "mqd-${when//[^a-z0-9]/} in:1000"
done
at=$((sent + 45000))
mqsend -b "$mq_socket" --at "@$at" orders -m "mqd-at at:$at"
mqsend -b "$mq_socket" --delay-level 3 orders -m "mqd-level level:3"
check "mqd delivers its part" wait_delivered 9
stop_mqd
check "once each, and not early" checked 9

check "Apache's broker takes the store back" start_apache "$store" "${conf[@]}"
for _ in $(seq 120); do
  [ "$(peer dump "$namesrv" orders | wc -l)" -ge 15 ] && break
  sleep 1
done
stop_apache
check "everything has arrived once, and not early" checked 15
start_mqd "$store" -c "$tmp/mqd.conf" || fail "mqd takes it again" "$tmp/mqd.log"
check "and mqd finds nothing left to deliver" test "$(mqstat -b "$mq_socket" -J timer | jq -s '.[0].pending')" -eq 0
stop_mqd
checked 15 >/dev/null && pass "nothing came twice" || fail "nothing came twice"
