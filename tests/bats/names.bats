#!/usr/bin/env bats
# Goal: brokers and any number of name servers find each other again whatever goes away.
# Method: mqd with mqnamesrv beside it; numbers are those of the conformance cases of the name server.
bats_require_minimum_version 1.5.0
load helpers

names="$BATS_TEST_DIRNAME/../support/ask_names.py"
teardown() {
  local pid
  for pid in ${names_pids:-}; do kill -KILL "$pid" 2>/dev/null || true; done
  common_teardown
}

# free_port: one that nobody listens on just now.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start_names PORT [ARGS...]: a name server there, its state in $work/PORT; sets names_pid.
start_names() {
  local port=$1
  shift
  rm -f "$work/names_ready"
  mkfifo "$work/names_ready"
  mqnamesrv --state "$work/$port" --listen "127.0.0.1:$port" --ready-fd 7 "$@" 7>"$work/names_ready" 3>&- >>"$work/names.log" 2>&1 &
  names_pid=$!
  names_pids="${names_pids:-} $names_pid"
  [ -n "$(head -c 1 <"$work/names_ready" | tr '\0' x)" ] || { cat "$work/names.log" >&2; return 1; }
}
stop_names() {
  kill -s "${1:-TERM}" "$names_pid"
  wait "$names_pid" || true
}

@test "1, 2: a broker's topics have routes, and none once it is killed" {
  one=$(free_port)
  start_names "$one"
  start_mqd -n "127.0.0.1:$one"
  seq 1 3 | mqsend made
  "$names" await "127.0.0.1:$one" made DEFAULT_BROKER
  run -17 "$names" route "127.0.0.1:$one" never_made
  run -0 mqrecv -n "127.0.0.1:$one" made
  assert_line --index 2 3
  stop_mqd KILL || true
  timeout 5 "$names" await "127.0.0.1:$one" made none
}

@test "a broker that stops says so" {
  one=$(free_port)
  start_names "$one"
  start_mqd -n "127.0.0.1:$one"
  "$names" await "127.0.0.1:$one" TBW102 DEFAULT_BROKER
  stop_mqd
  run -17 "$names" route "127.0.0.1:$one" TBW102
}

@test "8: a name server that was restarted knows all routes again" {
  one=$(free_port)
  start_names "$one"
  start_mqd -n "127.0.0.1:$one"
  seq 1 3 | mqsend made
  "$names" await "127.0.0.1:$one" made DEFAULT_BROKER
  stop_names KILL
  seq 4 6 | mqsend made
  start_names "$one"
  "$names" await "127.0.0.1:$one" made DEFAULT_BROKER
  run -0 mqrecv -n "127.0.0.1:$one" made
  assert_equal "$(sort -n <<<"$output")" "$(seq 1 6)"  # by queue, and each run has a queue of its own
}

@test "9: with one of two name servers gone, the other serves" {
  one=$(free_port)
  two=$(free_port)
  start_names "$two"
  start_mqd -n "127.0.0.1:$one;127.0.0.1:$two"
  "$names" await "127.0.0.1:$two" TBW102 DEFAULT_BROKER
  echo hello | mqsend -n "127.0.0.1:$one;127.0.0.1:$two" made
  run -0 mqrecv -n "127.0.0.1:$one;127.0.0.1:$two" made
  assert_output hello
  # And the other comes late.
  start_names "$one"
  "$names" await "127.0.0.1:$one" made DEFAULT_BROKER
}

@test "other brokers register with mqd as with any name server" {
  start_mqd
  first=$(mqd_tcp)
  mqd --store "$work/second" --listen 127.0.0.1:0 -o brokerName=second -n "$first" 3>&- >"$work/second.log" 2>&1 &
  names_pids="${names_pids:-} $!"
  for ((i = 0; i < 600; i++)); do
    "$names" ask "$first" 106 | grep -q second && break
    sleep 0.1
  done
  run -0 "$names" route "$first" TBW102
  assert_line "DEFAULT_BROKER 7"
  assert_line "second 7"
  kill ${names_pids} && wait ${names_pids}
  "$names" await "$first" TBW102 DEFAULT_BROKER
}

# assigned ADDRESS CLIENT [POP]: queues of topic t that the broker there gives that member, and how.
assigned() {
  python3 - "$@" <<'PY'
import json, os, sys
sys.path.insert(0, os.environ['MQ_SUPPORT'])
from remoting import Client
c = Client(sys.argv[1])
c.heartbeat(sys.argv[2], 'G', {'t': '*'})
Client(sys.argv[1]).heartbeat('c1' if sys.argv[2] == 'c2' else 'c2', 'G', {'t': '*'})
if len(sys.argv) > 3:
    answer = c.ask(401, json.dumps({'consumerGroup': 'G', 'mode': sys.argv[3], 'popShareQueueNum': 0, 'topic': 't'}).encode())
    assert answer.code == 0, answer.remark
answer = c.ask(400, json.dumps({'clientId': sys.argv[2], 'consumerGroup': 'G', 'messageModel': 'CLUSTERING',
                                'strategyName': 'AVG', 'topic': 't'}).encode())
assert answer.code == 0, answer.remark
queues = [(a['mode'], a['messageQueue']['brokerName'], a['messageQueue']['queueId'])
          for a in json.loads(answer.body).get('messageQueueAssignments', [])]
print(*sorted(f'{mode}:{broker}:{queue}' for mode, broker, queue in queues))
PY
}

@test "members are given the queues of all brokers behind the name servers, whichever broker they ask" {
  export MQ_SUPPORT=$BATS_TEST_DIRNAME/../support
  one=$(free_port)
  start_names "$one"
  start_mqd -o brokerName=first -n "127.0.0.1:$one"
  mkfifo "$work/ready2"
  mqd --store "$work/second" --listen "unix:$sock_dir/second" --listen 127.0.0.1:0 -n "127.0.0.1:$one" -o brokerName=second \
    --ready-fd 7 7>"$work/ready2" 3>&- >>"$work/second.log" 2>&1 &
  names_pids="$names_pids $!"
  [ -n "$(head -c 1 <"$work/ready2" | tr '\0' x)" ]
  # Nobody has it yet, and that is not remembered.
  run -0 assigned "$MQ_BROKER" c1
  assert_output ''
  mqctl -b "$MQ_BROKER" topic create t --queues 2
  mqctl -b "unix:$sock_dir/second" topic create t --queues 2
  "$names" await "127.0.0.1:$one" t first,second
  for broker in "$MQ_BROKER" "unix:$sock_dir/second"; do
    run -0 assigned "$broker" c1
    assert_output 'PULL:first:0 PULL:first:1'
    run -0 assigned "$broker" c2
    assert_output 'PULL:second:0 PULL:second:1'
  done
  run -0 assigned "$MQ_BROKER" c1 POP
  assert_output 'POP:first:-1 POP:second:-1'
  # What is known stays known while no name server answers.
  kill -KILL "$names_pid"
  wait "$names_pid" || true
  run -0 assigned "$MQ_BROKER" c2
  assert_output 'POP:first:-1 POP:second:-1'
}

@test "10: what is put into a name server is there after a restart, order configuration shows in routes" {
  one=$(free_port)
  start_names "$one"
  start_mqd -n "127.0.0.1:$one"
  run -0 "$names" ask "127.0.0.1:$one" 100 namespace=ORDER_TOPIC_CONFIG key=TBW102 value=DEFAULT_BROKER:8
  run -0 "$names" ask "127.0.0.1:$one" 318 @orderMessageEnable=true
  stop_names
  start_names "$one"
  run -0 "$names" ask "127.0.0.1:$one" 101 namespace=ORDER_TOPIC_CONFIG key=TBW102
  assert_output --partial DEFAULT_BROKER:8
  "$names" await "127.0.0.1:$one" TBW102 DEFAULT_BROKER
  run -0 "$names" ask "127.0.0.1:$one" 105 topic=TBW102
  assert_output --partial '"orderTopicConf":"DEFAULT_BROKER:8"'
}

@test "mqnamesrv says what is wrong with its configuration, and how it ends" {
  run -78 mqnamesrv --state "$work/n" -o orderMessageEnable=maybe
  assert_output --partial orderMessageEnable
  run -78 mqnamesrv --state "$work/n" -o noSuchKey=1
  run -78 mqnamesrv --state "$work/n" --listen 0.0.0.0:1
  assert_output --partial insecure
  run -64 mqnamesrv --state "$work/n" stray
  run -64 mqnamesrv --state "$work/n" --listen nowhere
  printf 'listenPort=12345\norderMessageEnable=true\nclusterTest=false\n' >"$work/namesrv.conf"
  run -0 mqnamesrv --state "$work/n" -c "$work/namesrv.conf" --print-config
  assert_line listenPort=12345
  assert_line orderMessageEnable=true
  one=$(free_port)
  start_names "$one"
  run -75 mqnamesrv --state "$work/n" --listen "127.0.0.1:$one"
  kill "$names_pid"
  wait "$names_pid" # not by run: a subshell only knows of the end once this shell has heard of it
}

@test "configuration that is changed while running acts at once and after a restart" {
  start_mqd
  run -0 "$names" ask "$MQ_BROKER" 25 "@autoCreateTopicEnable=false"
  assert_output --regexp '^0 '
  run -66 mqsend nowhere <<<hello
  run -0 "$names" ask "$MQ_BROKER" 25 "@listenPort=1"
  assert_output --regexp '^16 '
  run -0 "$names" ask "$MQ_BROKER" 26
  assert_output --partial autoCreateTopicEnable=false
  assert_output --partial '\"counter\":1'
  stop_mqd
  start_mqd
  run -66 mqsend nowhere <<<hello
  stop_mqd
  start_mqd -o autoCreateTopicEnable=true
  run -0 mqsend nowhere <<<hello
}

@test "a broker that may no longer be written says so of all its topics" {
  one=$(free_port)
  start_names "$one"
  start_mqd -n "127.0.0.1:$one"
  "$names" await "127.0.0.1:$one" BenchmarkTest DEFAULT_BROKER
  run -0 "$names" route "127.0.0.1:$one" BenchmarkTest
  assert_output "DEFAULT_BROKER 6"
  "$names" ask "$MQ_BROKER" 25 @brokerPermission=4
  for ((i = 0; i < 300; i++)); do
    [ "$("$names" route "127.0.0.1:$one" BenchmarkTest)" = "DEFAULT_BROKER 4" ] && break
    sleep 0.1
  done
  run -0 "$names" route "127.0.0.1:$one" BenchmarkTest
  assert_output "DEFAULT_BROKER 4"
}
