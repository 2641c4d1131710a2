#!/usr/bin/env bats
# mqctl group and mqctl dlq.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd -o 'messageDelayLevel=1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s'
  mqctl topic create t --queues 1
  member=
}
teardown() {
  [ -z "$member" ] || kill -KILL "$member" 2>/dev/null || true
  common_teardown
}
members_are() { [ "$(mqstat -J groups | jq -r --arg g "$1" 'select(.group == $g) | .members')" = "$2" ]; }
positions() { mqstat -J group "$1" -t "${2:-t}" | jq -s -c 'map(.committed)'; }

@test "groups are created, shown, altered, listed, deleted" {
  run -0 mqctl group create g --dry-run
  assert_output 'group g at DEFAULT_BROKER: (none) -> consume=on broadcast=on orderly=off retryMax=16 retryQueues=1'
  run -66 mqctl group show g
  mqctl group create g --retry-max 3
  run -73 mqctl group create g
  run -0 mqctl group create g --if-not-exists
  run -0 mqctl group show g
  assert_output 'g consume=on broadcast=on orderly=off retryMax=3 retryQueues=1'
  mqctl group alter g --consume off
  [ "$(mqctl group show g -J | jq -c '[.group,.consume,.retryMax,.broker]')" = '["g",false,3,"DEFAULT_BROKER"]' ]
  run -0 mqctl group list
  assert_output g
  [ "$(mqctl group list --all | wc -l)" -gt 1 ]
  run -66 mqctl group alter nobody --consume on
  run -0 mqctl group alter nobody --consume on --if-exists
  run -64 mqctl group alter g --consume maybe
  run -64 mqctl group delete g </dev/null
  run -0 mqctl group delete g --yes
  run -66 mqctl group delete g --yes
  run -0 mqctl group delete g --if-exists --yes
  run -0 mqctl group list
  assert_output ''
}

@test "a group whose members may not consume gets nothing" {
  seq 1 3 | mqsend t
  mqctl group create g --consume off
  run timeout 30 mqrecv -g g --idle 1s t
  [ "$status" -ne 0 ]
  refute_line 1
  mqctl group alter g --consume on
  run -0 timeout 30 mqrecv -g g -c 3 t
  assert_output $'1\n2\n3'
}

@test "reset moves a group, members on line or not; passing over messages needs --yes" {
  seq 1 10 | mqsend t
  run -0 timeout 30 mqrecv -g g -c 10 t
  run -0 mqctl group reset g t --to 4 --dry-run
  assert_output 'group g at t/0 of DEFAULT_BROKER: 10 -> 4'
  [ "$(positions g)" = '[10]' ]
  mqctl group reset g t --to 4
  run -0 timeout 30 mqrecv -g g -c 6 t
  assert_line --index 0 5
  mqctl group reset g t --to first
  [ "$(positions g)" = '[0]' ]
  run -64 mqctl group reset g t --to last </dev/null
  mqctl group reset g t --to last --yes
  [ "$(positions g)" = '[10]' ]
  run -64 mqctl group reset g t --to 99
  run -66 mqctl group reset g t --to first -p 7
  mqctl group reset g t --to -1h
  [ "$(positions g)" = '[0]' ]
  mqrecv -g g t >"$work/out" 3>&- &
  member=$!
  wait_until eval '[ "$(wc -l <"$work/out")" -eq 10 ]'
  mqctl group reset g t --to 7
  wait_until eval '[ "$(wc -l <"$work/out")" -eq 13 ]'
  [ "$(tail -3 "$work/out" | tr '\n' ' ')" = '8 9 10 ' ]
}

@test "skip goes to the end, clone copies where another group is" {
  seq 1 10 | mqsend t
  timeout 30 mqrecv -g a -c 4 t >/dev/null
  mqctl group create b
  run -0 mqctl group clone a b --dry-run
  assert_output 'group b at t/0 of DEFAULT_BROKER: (none) -> 4'
  mqctl group clone a b
  run -0 timeout 30 mqrecv -g b -c 6 t
  assert_line --index 0 5
  run -64 mqctl group skip a </dev/null
  run -0 mqctl group skip a --yes
  [ "$(positions a)" = '[10]' ]
  run -66 mqctl group clone nobody b
  mqrecv -g b t >/dev/null 3>&- &
  member=$!
  wait_until members_are b 1
  run -75 mqctl group clone a b
  assert_output --partial 'members on line'
  run -75 mqctl group delete b --yes
}

# Three messages that no command could do, dead at once.
make_dead() {
  printf 'one\ntwo\nthree\n' | mqsend --batch 1 -T tag -k key t
  timeout 60 mqrecv -q -g g -c 3 --exec 'exit 100' t
}

@test "dead letters are listed, shown, resent to their group, drained" {
  make_dead
  run -0 mqctl dlq list
  assert_output 'g open=3 kept=3'
  [ "$(mqctl dlq list -J)" = '{"group":"g","open":3,"kept":3}' ]
  run -0 mqctl dlq show g
  [ "${#lines[@]}" -eq 3 ]
  [[ ${lines[0]} =~ ^DEFAULT_BROKER/0/0\ .*\ t\ id=[0-9A-F]+\ keys=key\ tag=tag\ one$ ]]
  run -0 mqctl dlq show g -c 2 -F '%s\n'
  assert_output $'one\ntwo'
  id=$(mqctl dlq show g -J | jq -r 'select(.body == "two") | .msgId')

  run -0 mqctl dlq resend g --dry-run
  assert_line 'DEFAULT_BROKER/0/0: dead letter -> group g (topic t)'
  run -0 --separate-stderr mqctl dlq resend g -c 1
  [ "$stderr" = 'mqctl: 1 sent again' ]
  run -0 mqctl dlq list
  assert_output 'g open=2 kept=3'
  run -0 timeout 30 mqrecv -g g -c 1 -F '%s %t %g %k %r\n' t
  assert_output 'one t tag key 0'
  # By id it is sent again, and the others stay open.
  run -0 mqctl dlq resend g --id "$id"
  run -0 timeout 30 mqrecv -g g -c 1 -F '%s %i\n' t
  assert_output "two $id"
  run -1 mqctl dlq resend g --id "${id}0"
  assert_line --partial "has no dead letter ${id}0"

  run -0 mqctl dlq drain g -F '%s\n' --dry-run
  assert_output $'two\nthree'
  run -0 mqctl dlq drain g -F '%s\n'
  assert_output $'two\nthree'
  run -1 mqctl dlq show g
  run -0 mqctl dlq list
  assert_output ''
  run -0 mqctl dlq list --all
  assert_output 'g open=0 kept=3'
  [ "$(mqctl dlq show g --all -F '%s\n' | wc -l)" -eq 3 ]
  run -66 mqctl dlq show nobody
}

@test "dead letters go to another topic when that is asked for" {
  make_dead
  mqctl topic create again --queues 1
  mqctl dlq resend -q g --to again
  run -0 mqrecv -F '%s %g %k\n' again
  assert_output $'one tag key\ntwo tag key\nthree tag key'
  run -0 mqrecv --all-properties -J again
  refute_output --partial RETRY_TOPIC
}

@test "drained is what was written, no more" {
  make_dead
  run -74 bash -c 'mqctl dlq drain g >/dev/full'
  run -0 mqctl dlq list
  assert_output 'g open=3 kept=3'
}
