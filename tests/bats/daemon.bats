#!/usr/bin/env bats
# What a person who runs mqd relies on: start, stop, configuration, restart after a crash, one daemon a store.
bats_require_minimum_version 1.5.0
load helpers

@test "without a configuration it serves a send and a receive on its Unix socket" {
  start_mqd
  printf 'first\nsecond\n' | mqsend orders
  run -0 mqrecv orders
  assert_output $'first\nsecond'
}

@test "a message acknowledged before SIGKILL is there after restart" {
  start_mqd -o flushDiskType=SYNC_FLUSH
  run -0 mqsend orders <<<"first"
  stop_mqd KILL || true
  start_mqd -o flushDiskType=SYNC_FLUSH
  run -0 mqrecv -c 1 orders
  assert_output first
}

@test "TERM ends it cleanly within two seconds, under load too, and takes the abort file away" {
  start_mqd
  seq 1 200000 | mqsend load
  [ -e "$store/abort" ]
  begin=$(date +%s%N)
  stop_mqd
  [ $(($(date +%s%N) - begin)) -lt 2000000000 ]
  [ ! -e "$store/abort" ]
  start_mqd
  [ "$(mqrecv load | wc -l)" -eq 200000 ]
}

@test "a second daemon on the same store is refused and told who has it" {
  start_mqd
  run ! mqd --store "$store" --listen "unix:$sock_dir/other"
  assert_output --partial "$mqd_pid"
  kill -0 "$mqd_pid"
}

@test "an unknown key is an error that names the nearest one" {
  echo 'flushDiskTyp=SYNC_FLUSH' >"$work/broker.conf"
  run -78 mqd -c "$work/broker.conf" --store "$store" --check
  assert_output --partial 'flushDiskTyp'
  assert_output --partial 'flushDiskType'
}

@test "a value that does not fit is refused, not bent" {
  run -78 mqd --store "$store" -o diskMaxUsedSpaceRatio=200 --check
  assert_output --partial 'diskMaxUsedSpaceRatio'
}

@test "a stray argument is a usage error" { run -64 mqd autoCreateTopicEnable=true; }

@test "a configuration file of Apache's broker is taken as it is" {
  cat >"$work/broker.conf" <<'CONF'
# as shipped
brokerClusterName = DefaultCluster
brokerName = broker-a
brokerId = 0
deleteWhen = 04
fileReservedTime = 48
brokerRole = ASYNC_MASTER
flushDiskType = ASYNC_FLUSH
CONF
  run -0 mqd -c "$work/broker.conf" --store "$store" --check
  run -0 mqd -c "$work/broker.conf" --store "$store" --print-config=changed
  assert_output --partial 'fileReservedTime'
  assert_output --partial '48'
}

@test "a listener beyond loopback needs --insecure" {
  run ! mqd --store "$store" --listen 0.0.0.0:0
  assert_output --partial insecure
}

@test "--ephemeral prints where it is, serves, and leaves nothing behind" {
  mkdir "$work/tmp"
  mkfifo "$work/eph"
  TMPDIR=$work/tmp mqd --ephemeral >"$work/eph" 2>"$work/eph.log" 3>&- &
  mqd_pid=$!
  exec 8<"$work/eph"
  read -r one <&8
  read -r two <&8
  eval "export $(printf '%s\n' "$one" | grep -o 'NAMESRV_ADDR=.*\|MQ_BROKER=.*')"
  eval "export $(printf '%s\n' "$two" | grep -o 'NAMESRV_ADDR=.*\|MQ_BROKER=.*')"
  [ -n "$NAMESRV_ADDR" ]
  [ -n "$MQ_BROKER" ]
  echo hello | mqsend t
  [ "$(mqrecv t)" = hello ]
  exec 8<&-
  stop_mqd
  [ -z "$(ls -A "$work/tmp")" ]
}

@test "no daemon: exit 69, and the line names what was tried and how to start one" {
  export MQ_BROKER=unix:$sock_dir/nobody
  run -69 mqsend t <<<x
  assert_output --partial "$sock_dir/nobody"
  unset MQ_BROKER
  run -69 mqrecv t
  assert_output --partial mqd.sock
}

@test "one store, many topics: list, show, create, alter, delete" {
  start_mqd
  run -0 mqctl topic create orders --queues 4
  run -0 mqctl topic list
  assert_output --partial orders
  seq 1 10 | mqsend orders
  run -0 mqctl topic show orders
  run -0 mqctl topic delete --yes orders
  run -66 mqrecv orders
  run -0 mqctl topic delete --yes --if-exists orders
}

@test "mqstat shows broker, topics, store; -J is one object a line" {
  start_mqd
  seq 1 10 | mqsend orders
  run -0 mqstat
  run -0 mqstat topics
  assert_output --partial orders
  run -0 mqstat store
  mqstat -J store | jq -e . >/dev/null
  mqstat -J topics | jq -es 'map(select(.topic == "orders")) | length == 1' >/dev/null
}
