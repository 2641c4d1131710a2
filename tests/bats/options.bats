#!/usr/bin/env bats
# What all tools share: where a value comes from, where the broker is, and how a wrong word ends.
bats_require_minimum_version 1.5.0
load helpers

setup() { mkdir -p "$work/.config/mq"; }

@test "an unknown flag is refused by every program" {
  for tool in "mqsend --nonsense t" "mqrecv --nonsense t" "mqstat --nonsense" "mqctl topic list --nonsense" "mqd --nonsense" \
    "mqnamesrv --nonsense"; do
    run -64 --separate-stderr $tool </dev/null
    [[ $stderr == *--nonsense* ]]
  done
}

@test "a flag wins over the environment, that over the profile, that over the built-in" {
  printf '# mine\nlinger = 7ms\nbatch=1K\ninflight=3\nother-tool=1\n' >"$work/.config/mq/default.conf"
  export MQ_BATCH=2K MQ_INFLIGHT=4
  run -0 mqsend --print-config --inflight 5 t
  assert_line "inflight=5  # flag"
  assert_line "batch=2K  # environment MQ_BATCH"
  assert_line "linger=7ms  # $work/.config/mq/default.conf"
  assert_line "empty=skip  # built-in"
}

@test "flags of subcommands come from the environment, too" {
  start_mqd
  MQ_QUEUES=3 mqctl topic create x
  run -0 mqctl topic show x
  assert_output --partial 'readQueues=3'
  MQ_QUEUES=3 run -0 mqctl --print-config topic create y --order
  assert_line "queues=3  # environment MQ_QUEUES"
  assert_line "order=true  # flag"
  MQ_QUEUES=3 mqctl topic create z --queues 5
  run -0 mqctl topic show z
  assert_output --partial 'readQueues=5'
}

@test "a wrong value is blamed on where it stands" {
  MQ_COUNT=many run -64 mqrecv t
  assert_output --partial 'MQ_COUNT in the environment'
  echo count=few >"$work/.config/mq/p.conf"
  run -64 mqrecv --profile p t
  assert_output --partial "p.conf"
  run -64 mqrecv -c 0 t
  assert_output --partial "'0' is not a whole number from 1 on"
}

@test "a profile that is not there, or cannot be read as one, is exit 78" {
  run -78 mqsend --profile nowhere t -m x
  assert_output --partial "nowhere.conf"
  echo 'just words' >"$work/.config/mq/bad.conf"
  run -78 mqsend --profile bad t -m x
  assert_output --partial 'bad.conf:1'
}

@test "no daemon: exit 69, the addresses that were tried, and how to start one" {
  unset MQ_BROKER
  run -69 mqsend t -m x
  assert_output --partial "unix:$work/mqd/mqd.sock"
  assert_output --partial "unix:/run/mqd/mqd.sock"
  assert_output --partial "start one with 'mqd'"
  run -69 mqrecv -b "unix:$work/nobody" t
  assert_output --partial "unix:$work/nobody"
}

@test "name servers on the line win over a broker in the environment" {
  start_mqd
  tcp=$(mqd_tcp)
  MQ_BROKER=unix:$work/nobody mqsend -n "$tcp" t -m x
  [ "$(MQ_BROKER=unix:$work/nobody mqrecv -n "$tcp" t)" = x ]
  # The first of the list is down.
  [ "$(MQ_BROKER=unix:$work/nobody mqrecv -n "127.0.0.1:1;$tcp" t)" = x ]
  [ "$(env -u MQ_BROKER NAMESRV_ADDR="$tcp" mqrecv t)" = x ]
  run -64 mqrecv -n "$tcp" -b "$MQ_BROKER" t
}

@test "each long flag of --help stands in the man page, and no other" {
  for tool in mqsend.1 mqrecv.1 mqstat.1 mqd.8 mqnamesrv.8; do
    name=${tool%.*}
    diff <("$name" --help | grep -oE -- '^ +(-[A-Za-z0-9],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u) \
         <(grep -oE 'Fl (. , Fl )?\\-[a-z][a-z-]+' "$BATS_TEST_DIRNAME/../../man/$tool" | grep -oE '\\-[a-z-]+$' | sed 's/^\\-/--/' | sort -u)
  done
}

@test "each long flag of a command of mqctl stands in its man page, and no other" {
  commands=$(for noun in $(mqctl --complete '' | cut -f1); do
    verbs=$(mqctl --complete "$noun" '' | cut -f2 -s | wc -l)
    [ "$verbs" -eq 0 ] && echo "$noun"
    mqctl --complete "$noun" '' | awk -F'\t' -v n="$noun" '$2 != "" { print n, $1 }'
  done)
  [ "$(wc -l <<<"$commands")" -ge 15 ]
  diff <({ mqctl --help; while read -r command; do mqctl $command --help; done <<<"$commands"; } |
           grep -oE -- '^ +(-[A-Za-z0-9],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u) \
       <(grep -oE 'Fl (. , Fl )?\\-[a-z][a-z-]+' "$BATS_TEST_DIRNAME/../../man/mqctl.8" |
           grep -oE '\\-[a-z-]+$' | sed 's/^\\-/--/' | sort -u)
}

@test "the daemons refuse a wrong number and an option given twice" {
  for name in mqd mqnamesrv; do
    for wrong in "--ready-fd x" "--ready-fd -1" "--config a --config b"; do
      run -64 $name $wrong
      assert_output --partial "($name --help)"
    done
  done
}
