#!/usr/bin/env bash
# Goal: a store with popped messages out goes from Apache's broker to mqd and back, and every message that was not
# acknowledged comes again, once, at the next broker; none that was.
# Method: pops and acknowledgements over the wire; the brokers are stopped while checkpoints and acknowledgements wait in
# the timer, mqd the second time by kill -9.
set -u
. "$(dirname "$0")/lib.sh"
flight=$here/pop_flight.py
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }
sizes=(mappedFileSizeCommitLog=16777216 mappedFileSizeConsumeQueue=60000 maxHashSlotNum=1000 maxIndexNum=4000)
conf=$tmp/mqd.conf
printf '%s\n' brokerName=broker-a brokerClusterName=DefaultCluster fileReservedTime=1000000 "${sizes[@]}" >"$conf"
store=$tmp/store

# step NAME OUT [STDIN]: what the flight says is left goes to OUT.
step() {
  local name=$1 out=$2 in=$3
  shift 3
  if python3 "$flight" "$@" <"$in" >"$out" 2>"$tmp/flight.err"; then pass "$name"; else fail "$name" "$tmp/flight.err"; fi
}

check "Apache's broker starts" start_apache "$store" "${sizes[@]}"
step "twelve are popped at Apache's broker, six acknowledged" "$tmp/left1" /dev/null out "127.0.0.1:$broker_port" 12 6
stop_apache
start_mqd "$store" -c "$conf" || fail "mqd takes the store" "$tmp/mqd.log"
step "mqd hands out again what was not acknowledged, and nothing else" "$tmp/left2" "$tmp/left1" back "$mqd_tcp" 6 4
stop_mqd
check "Apache's broker takes it back" start_apache "$store" "${sizes[@]}"
step "Apache's broker hands out again what was not acknowledged at mqd" "$tmp/left3" "$tmp/left2" back "127.0.0.1:$broker_port" 4 3
stop_apache
start_mqd "$store" -c "$conf" || fail "mqd takes the store again" "$tmp/mqd.log"
step "and mqd again" "$tmp/left4" "$tmp/left3" back "$mqd_tcp" 3 2
# A stock broker knows no more of a killed one's groups than their file says, which is written every five seconds.
touch "$tmp/mark"
for _ in $(seq 200); do
  [ "$store/config/consumerOffset.json" -nt "$tmp/mark" ] && break
  sleep 0.1
done
stop_mqd KILL
check "Apache's broker takes the store of a killed mqd" start_apache "$store" "${sizes[@]}"
step "and hands out what was not acknowledged" "$tmp/left5" "$tmp/left4" back "127.0.0.1:$broker_port" 2 0
stop_apache
