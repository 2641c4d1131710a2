#!/usr/bin/env bats
# A shell user's day: a log is piped in, three workers share it, one is killed, some lines cannot be dealt with, what is
# left over is looked at, given to the workers again, and the rest written away.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd -o 'messageDelayLevel=1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s'
  workers=()
}
teardown() {
  local pid
  for pid in "${workers[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  common_teardown
}

# Lines as `journalctl -o short-iso` prints them; each 50th is of a unit whose lines are broken, each 60th of one that is
# down until later.
journal() {
  awk -v from="$1" -v to="$2" 'BEGIN {
    for (i = from; i <= to; i++) {
      unit = i % 50 == 0 ? "broken" : i % 60 == 0 ? "down" : "web" i % 4
      printf "2026-02-14T10:%02d:%02d+0000 host %s[%d]: request %d done\n", i / 60 % 60, i % 60, unit, 100 + i % 7, i
    }
  }'
}
requests() { sed -E 's/.*request ([0-9]+) done/\1/' "$@"; }
# have EXPECTED FILES...: exactly these numbers, each at least once.
have() { diff <(sort -n <<<"$1") <(requests "${@:2}" | sort -nu); }
members_are() { [ "$(mqstat -J groups | jq -r 'select(.group == "workers") | .members')" = "$1" ]; }

dead_are() { have "$1" <(mqctl dlq show workers -F '%s\n'); }

# worker N: deals with lines by a command that does them one by one.
worker() {
  mqrecv -g workers --jobs 2 --exec "$work/handle" journal >"$work/worker$1" 2>"$work/worker$1.err" 3>&- &
  workers+=("$!")
}

@test "a day with the tools" {
  mqctl topic create journal --queues 6
  mqctl group create workers --retry-max 2
  cat >"$work/handle" <<SH
#!/bin/sh
IFS= read -r line || [ -n "\$line" ]
case \$line in
  *' broken['*) exit 100 ;;                             # will never be right
  *' down['*) [ -e "$work/up" ] || exit 1 ;;            # not now
esac
printf '%s\n' "\$line" >>"$work/done.\$PPID"
SH
  chmod +x "$work/handle"

  # Lines come in while workers come and go.
  journal 1 100 | mqsend --batch 1 journal
  worker 1
  worker 2
  worker 3
  wait_until members_are 3
  journal 101 200 | mqsend --batch 1 journal
  kill -KILL "${workers[1]}"
  journal 201 300 | mqsend --batch 1 journal

  # The others have taken over, and after two attempts what is down is given up.
  dead=$(seq 1 300 | awk '$1 % 50 == 0 || $1 % 60 == 0')
  wait_until dead_are "$dead"
  run -0 mqstat --wait lag=0 -g workers --timeout 60s
  members_are 2
  good=$(seq 1 300 | awk '$1 % 50 && $1 % 60')
  have "$good" "$work"/done.*

  # What is left over.
  mqctl dlq show workers -F '%s\n' >"$work/dead"
  have "$dead" "$work/dead"
  id=$(mqctl dlq show workers -J | jq -r 'select(.body | test(" down")) | .msgId' | head -1)
  [ "$(mqrecv --id "$id" -F '%s\n' journal | grep -c ' down\[')" -eq 1 ]
  grep -q 'the command ended with 100: a dead letter' "$work"/worker*.err

  # It is up again: all get another chance, and what is broken comes back.
  touch "$work/up"
  run -0 mqctl dlq resend workers
  wait_until dead_are "$(seq 50 50 300)"
  run -0 mqstat --wait lag=0 -g workers --timeout 60s
  have "$(seq 1 300 | awk '$1 % 50')" "$work"/done.*
  run -0 mqctl dlq drain workers -J
  diff <(seq 50 50 300) <(jq -r .body <<<"$output" | requests | sort -nu)
  run -1 mqctl dlq show workers
  run -0 mqctl dlq list
  assert_output ''

  # The evening: workers go, and nothing is left.
  kill -TERM "${workers[0]}" "${workers[2]}"
  wait "${workers[0]}" "${workers[2]}" || true
  run -0 mqstat --check lag -g workers --warn 0 --crit 0
  assert_output --partial 'OK - lag=0'
}
