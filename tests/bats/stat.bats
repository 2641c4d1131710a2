#!/usr/bin/env bats
# mqstat and mqctl topic: each view and form that daemon.bats does not show.
bats_require_minimum_version 1.5.0
load helpers

setup() { start_mqd; }

@test "an interval prints a line each time, rates between looks" {
  seq 1 10 | mqsend t
  run -0 mqstat 0.1 3
  [ "${#lines[@]}" -eq 4 ]
  run -0 mqstat -J broker 50ms 2
  [ "$(jq -s 'length' <<<"$output")" -eq 2 ]
  run -64 mqstat 0 3
  run -64 mqstat 1 0
  run -64 mqstat 1 2 3
}

@test "every view has its columns, its CSV and its JSON" {
  seq 1 10 | mqsend -k k -T g t
  for view in broker topics "topic t" store; do
    run -0 mqstat $view
    [ "${#lines[@]}" -ge 2 ]
    columns=$(mqstat --csv $view | head -1 | tr ',' '\n' | wc -l)
    [ "$(mqstat -J $view | head -1 | jq 'length')" -eq "$columns" ]
    [ "$(mqstat --csv $view | awk -F, '{print NF}' | sort -u)" = "$columns" ]
  done
  [ "$(mqstat -J topic t | jq -s 'map(.messages) | add')" -eq 10 ]
  [ "$(mqstat -J topics | jq -r 'select(.topic == "t") | .messages')" -eq 10 ]
  [ "$(mqstat -v -J topics | jq -s length)" -gt "$(mqstat -J topics | jq -s length)" ]
  run -66 mqstat topic nowhere
  run -64 mqstat topic
  run -64 mqstat nonsense
}

@test "a message is found by key, unique id and offset id" {
  echo body | mqsend -k k t
  [ "$(mqstat message -k k -t t | jq -r .body)" = body ]
  id=$(mqrecv -J t | jq -r .msgId)
  offset_id=$(mqrecv -J t | jq -r .offsetMsgId)
  [ "$(mqstat message "$id" -t t | jq -r .body)" = body ]
  [ "$(mqstat message "$offset_id" | jq -r .body)" = body ]
  run -1 mqstat message "$id"
  assert_output --partial 'needs -t TOPIC'
  run -1 mqstat message -k nothing -t t
  run -64 mqstat message -k k
}

@test "--top draws a screen and leaves it again" {
  run -0 script -qec 'mqstat --top topics 0.1 2' /dev/null
  [[ $output == *$'\033[?1049h'*topic*$'\033[?1049l'* ]]
  run -0 bash -c "{ sleep 0.3; printf q; sleep 1; } | script -qec 'mqstat --top' /dev/null"
  run -64 mqstat --top
  assert_output --partial 'needs a terminal'
}

@test "topics are created, altered and deleted, and --dry-run says what would be" {
  run -0 mqctl topic create t --queues 2 --dry-run
  assert_output --partial '(none) -> readQueues=2 writeQueues=2'
  run -66 mqctl topic show t
  mqctl topic create t --queues 2
  run -73 mqctl topic create t
  run -0 mqctl topic create t --if-not-exists
  run -0 mqctl topic alter t --perm R --write-queues 3 --dry-run
  assert_output --partial 'readQueues=2 writeQueues=2 perm=RW- order=false -> readQueues=2 writeQueues=3 perm=R--'
  mqctl topic alter t --perm R --write-queues 3
  [ "$(mqctl topic show -J t | jq -c '[.perm, .readQueues, .writeQueues]')" = '[4,2,3]' ]
  run -77 mqsend t -m x
  run -66 mqctl topic alter nowhere --queues 1
  run -0 mqctl topic alter nowhere --queues 1 --if-exists
  run -64 mqctl topic delete t </dev/null
  assert_output --partial 'needs --yes'
  run -0 mqctl topic delete t --dry-run
  assert_output --partial '-> (none)'
  mqctl topic delete t --yes
  run -66 mqctl topic delete t --yes
  run -0 mqctl topic delete t --yes --if-exists
  run -1 bash -c "echo n | script -qec 'mqctl topic create u && mqctl topic delete u' /dev/null"
  mqctl topic show u
}
