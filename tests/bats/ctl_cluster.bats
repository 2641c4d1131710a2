#!/usr/bin/env bats
# mqctl broker, store, ns, export and apply.
bats_require_minimum_version 1.5.0
load helpers

setup() { start_mqd; }

@test "broker show and config look, config changes what may be changed" {
  run -0 mqctl broker show
  assert_line --regexp '^commitLogMaxOffset=[0-9]+$'
  [ "$(mqctl broker show -J | jq -r .of)" = DEFAULT_BROKER ]
  run -0 mqctl broker config fileReservedTime
  assert_output 'fileReservedTime=72'
  run -0 mqctl broker config fileReservedTime=48 --dry-run
  assert_output 'fileReservedTime of DEFAULT_BROKER: 72 -> 48'
  [ "$(mqctl broker config fileReservedTime)" = 'fileReservedTime=72' ]
  run -0 mqctl broker config fileReservedTime=48
  assert_output ''
  [ "$(mqctl broker config fileReservedTime)" = 'fileReservedTime=48' ]
  [ "$(mqctl broker config -J brokerName)" = '{"of":"DEFAULT_BROKER","brokerName":"DEFAULT_BROKER"}' ]
  run -66 mqctl broker config noSuchKey=1
  run -66 mqctl broker config noSuchKey
  run mqctl broker config storePathRootDir=/elsewhere
  [ "$status" -ne 0 ]
  assert_output --partial storePathRootDir
  run -64 mqctl broker config fileReservedTime brokerName=x
  run -64 mqctl broker config =x
  run -0 mqctl broker show --only DEFAULT_BROKER
  run -66 mqctl broker show --only nobody
}

@test "store sync waits for the disk, store expire asks for what has expired" {
  stop_mqd
  start_mqd -o flushCommitLogThoroughInterval=500
  seq 1 100 | mqsend t
  run -0 mqctl store sync
  [ "$(mqctl broker show -J | jq -r '.flushedOffset == .commitLogMaxOffset')" = true ]
  run -0 mqctl store expire --dry-run
  assert_output 'expired files at DEFAULT_BROKER: kept -> deleted'
  run -0 mqctl store expire
  [ "$(mqrecv t | wc -l)" -eq 100 ]
}

@test "writes are taken away and given back, and a drained broker is one whose groups are through" {
  tcp=$(mqd_tcp)
  mqctl topic create t --queues 1
  seq 1 5 | mqsend t
  run -0 mqctl broker wipe-write DEFAULT_BROKER --dry-run
  assert_output 'topics at DEFAULT_BROKER: as they are -> not written'
  run -0 mqctl -n "$tcp" broker wipe-write DEFAULT_BROKER
  run -77 mqsend -n "$tcp" t -m x
  run -0 mqctl -n "$tcp" broker wipe-write DEFAULT_BROKER --undo
  run -0 mqsend -n "$tcp" t -m 6
  timeout 30 mqrecv -g g -c 2 t >/dev/null
  run -75 mqctl -n "$tcp" broker drain DEFAULT_BROKER --within 1s
  assert_output --partial "group 'g' has 4 messages to consume at DEFAULT_BROKER"
  timeout 30 mqrecv -g g -c 4 t >/dev/null
  run -0 mqctl -n "$tcp" broker drain DEFAULT_BROKER --within 60s
  run -66 mqctl broker drain nobody
}

@test "ns list says who answers and knows whom, ns config looks" {
  tcp=$(mqd_tcp)
  run -0 mqctl -n "$tcp" ns list
  assert_output "$tcp ok brokers=DEFAULT_BROKER"
  run -1 mqctl -n "$tcp;127.0.0.1:1" ns list -J
  [ "$(jq -r .state <<<"${lines[0]}")" = ok ]
  [ "$(jq -r .server <<<"${lines[1]}")" = 127.0.0.1:1 ]
  run -0 mqctl -n "$tcp" ns config
  [ "${#lines[@]}" -ge 1 ]
}

@test "what is exported is applied elsewhere, and a second time changes nothing" {
  mqctl topic create a --queues 3 --attribute +message.type=FIFO
  mqctl topic create b --perm R
  mqctl group create g --retry-max 5
  echo x | mqsend a
  timeout 30 mqrecv -g g -c 1 a >/dev/null
  mqctl export >"$work/all"
  [ "$(jq -r '.topic // .group' "$work/all" | tr '\n' ' ')" = 'a b g ' ]
  stop_mqd
  # shellcheck disable=SC2034  # start_mqd reads it
  store=$work/other
  start_mqd
  run -0 --separate-stderr mqctl apply -f "$work/all" --dry-run
  [ "$stderr" = 'mqctl: 3 created, 0 altered, 0 as they were (dry run)' ]
  assert_line --partial 'topic b at DEFAULT_BROKER: (none) -> readQueues=8 writeQueues=8 perm=R--'
  [ -z "$(mqctl export)" ]
  run -0 mqctl apply -f "$work/all"
  assert_output 'mqctl: 3 created, 0 altered, 0 as they were'
  diff "$work/all" <(mqctl export)
  run -0 mqctl apply -f - <"$work/all"
  assert_output 'mqctl: 0 created, 0 altered, 3 as they were'
  # A line says what it says, and no more.
  echo '{"topic":"b","readQueues":9}' | mqctl apply -q -f -
  [ "$(mqctl topic show b -J | jq -c '[.readQueues,.writeQueues,.perm]')" = '[9,8,4]' ]
  echo '{"group":"g","consume":false}' | mqctl apply -q -f -
  [ "$(mqctl group show g -J | jq -c '[.consume,.retryMax]')" = '[false,5]' ]
}

@test "a line that is wrong is told before anything is changed" {
  for line in '{"topic":"x"' '[]' '{"topic":"x","group":"y"}' '{"name":"x"}' '{"topic":"x","qeues":1}' \
    '{"topic":"x","readQueues":"4"}' '{"topic":"x","broker":"nobody"}' '{"group":"g","retryMax":-1}'; do
    run -65 mqctl apply -f - <<<'{"topic":"good"}'$'\n'"$line"
    assert_output --partial 'line 2: '
  done
  run -0 mqctl topic list
  assert_output ''
  run -66 mqctl apply -f "$work/nowhere"
}
