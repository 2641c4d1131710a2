#!/usr/bin/env bats
# Messages that are delivered later: never before their time, once, also over a restart and a kill.
load helpers

now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Each message's body is the time it was sent at; prints "lateness body" of those delivered, lateness = store time - body.
lateness() { mqrecv -F '%T %s\n' "$1" | while read -r stored sent; do echo "$((stored - sent)) $sent"; done; }

@test "a message of a delay level comes after its delay and not before (case 55)" {
  start_mqd -o 'messageDelayLevel=1s 2s'
  mqctl topic create orders --queues 1
  for _ in 1 2 3; do now_ms | mqsend --delay-level 2 orders; done
  now_ms | mqsend --delay-level 1 orders
  run mqrecv -c 4 -f --tail 4 --timeout 20s orders
  assert_success
  run lateness orders
  [ "${#lines[@]}" -eq 4 ]
  for i in 0 1 2 3; do
    read -r late _ <<<"${lines[$i]}"
    [ "$late" -ge $((i == 0 ? 1000 : 2000)) ]
    [ "$late" -lt 10000 ]
  done
}

@test "delayed messages survive a restart and a kill, and come once (case 57)" {
  start_mqd -o 'messageDelayLevel=1s 3s'
  mqctl topic create orders --queues 1
  seq 1 50 | mqsend --delay-level 2 orders
  stop_mqd
  start_mqd -o 'messageDelayLevel=1s 3s'
  seq 51 100 | mqsend --delay-level 2 orders
  stop_mqd KILL || true
  start_mqd -o 'messageDelayLevel=1s 3s'
  # On a slow machine some were delivered before the kill, and come again after it.
  for _ in $(seq 300); do
    [ "$(mqrecv orders | sort -n | uniq | wc -l)" -eq 100 ] && break
    sleep 0.1
  done
  run bash -c 'mqrecv orders | sort -n | uniq | cmp - <(seq 100)'
  assert_success
  run mqdump log "$store" -F '%t\n'
  [ "$(grep -c SCHEDULE_TOPIC_XXXX <<<"$output")" -eq 100 ]
}

@test "a copy of a delayed message is not delayed again" {
  start_mqd -o 'messageDelayLevel=1s'
  mqctl topic create from --queues 1
  mqsend --delay-level 1 from -m late
  run mqrecv -c 1 -f --tail 1 --timeout 20s from
  assert_output late
  mqrecv -J --all-properties from | mqsend -J to
  run mqrecv to
  assert_output late
}

@test "a level that is no level is a usage error, and levels that are none are refused" {
  run mqsend --delay-level 0 orders -m x
  assert_failure 64
  run mqd --store "$store" --check -o 'messageDelayLevel=1s fast'
  assert_failure 78
  assert_output --partial "level 'fast'"
}

@test "a timed message comes at the second after its time and not before (case 58)" {
  start_mqd
  mqctl topic create orders --queues 1
  for _ in 1 2 3; do now_ms | mqsend --delay 2s orders; done
  at=$(($(now_ms) + 3500))
  mqsend --at "@$at" orders -m "$((at - 2000))"
  mqsend --at '@1000000000' orders -m "$(($(now_ms) - 2000))" # long past: at once
  for _ in $(seq 200); do
    [ "$(mqrecv orders | wc -l)" -eq 5 ] && break
    sleep 0.1
  done
  run lateness orders
  [ "${#lines[@]}" -eq 5 ]
  for line in "${lines[@]}"; do
    read -r late _ <<<"$line"
    [ "$late" -ge 2000 ]
  done
}

# How many wait in the wheel, once the timer has taken in all that has been sent.
pending() {
  local seen
  for _ in $(seq 600); do
    seen=$(mqstat -J timer | jq -s '.[0] | if .behind == 0 then .pending else "behind" end')
    [ "$seen" = '"behind"' ] || break
    sleep 0.1
  done
  echo "$seen"
}

@test "timed messages survive a restart and a kill, early none, and are shown while they wait (case 57)" {
  start_mqd
  mqctl topic create orders --queues 2
  seq 1 40 | mqsend --delay 10s orders
  mqsend --delay 2h orders -m later
  run pending
  assert_output 41
  stop_mqd
  run bash -c 'mqdump timer -J "$1" | jq -s "map(select(.waits)) | length"' - "$store"
  assert_output 41
  run mqdump verify "$store"
  assert_success
  start_mqd
  seq 41 80 | mqsend --delay 10s orders
  stop_mqd KILL || true
  run mqdump verify "$store"
  assert_success
  start_mqd
  for _ in $(seq 600); do
    [ "$(mqrecv orders | sort -n | uniq | wc -l)" -eq 80 ] && break
    sleep 0.1
  done
  run bash -c 'mqrecv orders | sort -n | uniq | cmp - <(seq 80)'
  assert_success
  run bash -c 'mqrecv -F "%T %B %s\n" orders | awk "\$1 - \$2 < 10000"'
  assert_output ''
  run pending
  assert_output 1
  run bash -c 'mqstat -J timer | jq -s "map(select(.topic == \"orders\"))[0].pending"'
  assert_output 1
}

@test "the ways to delay exclude each other, and too far away is refused" {
  run mqsend --delay 1s --delay-level 2 orders -m x
  assert_failure 64
  start_mqd
  mqctl topic create orders --queues 1
  run mqsend --delay 4d orders -m x
  assert_failure
  assert_output --partial MESSAGE_ILLEGAL
}
