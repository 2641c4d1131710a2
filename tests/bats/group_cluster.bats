#!/usr/bin/env bats
# The tools with two brokers and a name server: a topic spread over both, and one of them killed.
bats_require_minimum_version 1.5.0
load helpers

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# The second broker, registered at the first, which is the name server; always at the same port.
start_second() {
  rm -f "$work/ready2"
  mkfifo "$work/ready2"
  mqd --store "$work/second" --listen "127.0.0.1:$port" -n "$NAMESRV_ADDR" -o brokerName=second --ready-fd 7 \
    7>"$work/ready2" 3>&- >>"$work/second.log" 2>&1 &
  second_pid=$!
  [ -n "$(head -c 1 <"$work/ready2" | tr '\0' x)" ] || { cat "$work/second.log" >&2; return 1; }
  wait_until eval '[ "$(mqstat -J cluster | jq -r .broker | sort | tr "\n" " ")" = "first second " ]'
}

setup() {
  start_mqd -o brokerName=first
  NAMESRV_ADDR=$(mqd_tcp)
  export NAMESRV_ADDR
  unset MQ_BROKER
  port=$(free_port)
  start_second
  mqctl topic create t --queues 2
  members=()
}
teardown() {
  kill -KILL "$second_pid" "${members[@]}" 2>/dev/null || true
  common_teardown
}
member() {
  mqrecv -g g -F '%b %s\n' t >"$work/$1" 2>"$work/$1.err" 3>&- &
  members+=("$!")
}
have() { diff <(seq 1 "$1") <(cat "$work"/[ab] | cut -d' ' -f2 | sort -nu); }

@test "members share the queues of two brokers, and go on when one of these is killed and comes back" {
  member a
  member b
  wait_until eval '[ "$(mqstat -J groups | jq .members)" = 2 ]'
  seq 1 40 | mqsend --batch 1 t
  wait_until have 40
  [ "$(cut -d' ' -f1 "$work"/[ab] | sort -u | tr '\n' ' ')" = 'first second ' ]
  [ "$(mqstat -J group g -t t | jq -r .broker | sort | uniq -c | tr -s ' \n' ' ')" = ' 2 first 2 second ' ]

  kill -KILL "$second_pid"
  wait_until eval '[ "$(mqstat -J cluster | wc -l)" -eq 1 ]'
  seq 41 60 | mqsend --batch 1 t
  wait_until have 60
  start_second
  seq 61 100 | mqsend --batch 1 t
  wait_until have 100
  # Nobody else had its queues meanwhile: nothing came twice.
  [ "$(cat "$work"/[ab] | wc -l)" -eq 100 ]
  run -0 mqstat --wait lag=0 -g g --timeout 60s
}

@test "what is changed and exported is what all brokers have" {
  mqctl group create w --retry-max 2
  [ "$(mqctl group show w | wc -l)" -eq 2 ]
  mqctl topic create -q other --queues 3
  mqctl broker config --only second fileReservedTime=48
  [ "$(mqctl broker config fileReservedTime)" = $'first fileReservedTime=72\nsecond fileReservedTime=48' ]
  [ "$(mqctl export | jq -r 'select(.topic == "other") | .readQueues')" = 3 ]
  echo '{"topic":"other","broker":"second","readQueues":5}' | mqctl apply -q -f -
  [ "$(mqctl export | jq -r 'select(.topic == "other") | "\(.broker) \(.readQueues)"')" = $'first 3\nsecond 5' ]
  [ "$(mqctl ns list)" = "$NAMESRV_ADDR ok brokers=first,second" ]
}
