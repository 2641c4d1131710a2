#!/usr/bin/env bats
# mqstat groups, group, clients, cluster, --check and --wait.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd
  mqctl topic create t --queues 2
  member=
}
teardown() {
  [ -z "$member" ] || kill -KILL "$member" 2>/dev/null || true
  common_teardown
}

# One that consumes 6 of 10 messages and goes.
consume_six() {
  seq 1 10 | mqsend --batch 1 t
  timeout 30 mqrecv -g g -c 6 t >/dev/null
}

@test "groups and group show how far a group is, in each form" {
  consume_six
  [ "$(mqstat -J groups | jq -c '[.group,.members,.topics,.lag,.enabled]')" = '["g",0,1,4,"yes"]' ]
  [ "$(mqstat -J group g | jq -s -c 'map(select(.topic == "t")) | [length, (map(.max) | add), (map(.committed) | add), (map(.lag) | add)]')" = '[2,10,6,4]' ]
  [ "$(mqstat -J group g -t t | jq -s length)" -eq 2 ]
  for view in groups "group g"; do
    run -0 mqstat $view
    [ "${#lines[@]}" -ge 2 ]
    columns=$(mqstat --csv $view | head -1 | tr ',' '\n' | wc -l)
    [ "$(mqstat -J $view | head -1 | jq 'length')" -eq "$columns" ]
  done
  run -66 mqstat group nobody
  run -64 mqstat group
}

@test "clients and groups show who is on line" {
  mqrecv -g g t >/dev/null 3>&- &
  member=$!
  run -0 mqstat --wait lag=0 -g g --timeout 30s
  wait_until eval '[ "$(mqstat -J groups | jq .members)" = 1 ]'
  [ "$(mqstat -J groups | jq -c '[.members,.model]')" = '[1,"clustering"]' ]
  [ "$(mqstat -J clients | jq -r '[.group,.role] | join(" ")')" = 'g consumer' ]
  [[ "$(mqstat -J clients | jq -r .client)" == *"@$member#"* ]]
}

@test "cluster shows every broker" {
  [ "$(mqstat -J cluster | jq -r '[.broker,.id,.state] | join(" ")')" = 'DEFAULT_BROKER 0 ok' ]
  run -0 mqstat -n "$(mqd_tcp)" -J cluster
  [ "$(jq -r .state <<<"$output")" = ok ]
}

@test "--wait ends when the condition is true, and says no after --timeout" {
  consume_six
  run -1 --separate-stderr mqstat --wait lag=0 -g g --timeout 300ms
  [ "$stderr" = 'mqstat: lag is 4 after 300ms' ]
  run -1 mqstat --wait lag=0 -g nobody --timeout 300ms
  assert_output --partial 'group nobody is unknown'
  mqrecv -g g t >/dev/null 3>&- &
  member=$!
  run -0 mqstat --wait lag=0 -g g --timeout 30s
  run -0 mqstat --wait 'disk<=100' --timeout 5s
  run -64 mqstat --wait lag=0
  run -64 mqstat --wait 'lag~0' -g g
  run -64 mqstat --wait 'nonsense=0'
}

@test "--check answers as Nagios plugins do" {
  consume_six
  run -0 mqstat --check lag -g g --warn 4 --crit 10
  assert_output 'OK - lag=4 | lag=4;4;10'
  run -1 mqstat --check lag -g g --warn 3 --crit 10
  assert_output --partial 'WARNING'
  run -2 mqstat --check lag -g g --warn 1 --crit 3
  assert_output --partial 'CRITICAL'
  run -3 mqstat --check lag -g nobody --warn 1 --crit 3
  assert_output --partial 'UNKNOWN'
  run -64 mqstat --check lag -g g --warn 1
  stop_mqd
  run -2 mqstat --check lag -g g --warn 1 --crit 3
  assert_output --partial 'CRITICAL'
}

@test "groups are completed" {
  consume_six
  mqctl topic create other
  [ "$(mqrecv --complete -g '' | cut -f1)" = g ]
}
