#!/usr/bin/env bats
# mqrecv -g: members that share, take over, run commands, and commit only what they wrote.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd -o 'messageDelayLevel=1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s'
  mqctl topic create t --queues 6
  members=()
}
teardown() {
  local pid
  for pid in "${members[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  common_teardown
}

# member OUT ARGS...: a member of group g in the background; its pid in $member.
member() {
  local out=$1
  shift
  mqrecv -g g "$@" >"$work/$out" 2>"$work/$out.err" 3>&- &
  member=$!
  members+=("$member")
}
lines_are() { [ "$(cat "$work"/$1 2>/dev/null | wc -l)" -eq "$2" ]; }
# have EXPECTED FILES: exactly these lines, each once, in any order.
have() { diff <(sort -n <<<"$1") <(cat ${2:+"$work"/$2} | sort -n); }

# R(15) commits a position.
@test "a member that leaves asks a busy broker again to take its positions" {
  seq 1 20 | mqsend -p 0 t
  relay 3 15
  run -0 timeout 30 mqrecv -b "unix:$sock_dir/relay" -g g -c 15 t
  run -0 timeout 30 mqrecv -g g -c 5 t
  diff <(seq 16 20) <(echo "$output")
}

@test "a member whose positions are not taken says so, exit 75" {
  seq 1 20 | mqsend -p 0 t
  relay 1000000 15
  run --separate-stderr -75 timeout 30 mqrecv -b "unix:$sock_dir/relay" -g g --drain 300ms -c 15 t
  diff <(seq 1 15) <(echo "$output")
  [[ $stderr == *'positions of '*' were not taken within 300 ms'*'comes again'* ]]
}

@test "a group reads everything once, and goes on where it left" {
  seq 1 100 | mqsend --batch 100 t
  run -0 timeout 30 mqrecv -g g -c 60 t
  first=$output
  run -0 timeout 30 mqrecv -g g -c 40 t
  diff <(seq 1 100) <(printf '%s\n' "$first" "$output" | sort -n)
  run -0 timeout 30 mqrecv -g g --idle 1s t
  assert_output ''
  seq 101 110 | mqsend t
  run -0 timeout 30 mqrecv -g g -c 10 t
  diff <(seq 101 110) <(sort -n <<<"$output")
}

@test "a new group begins where -o says, and says so for good" {
  seq 1 5 | mqsend t
  mqrecv -g late -o last t >"$work/late" 3>&- &
  members+=("$!")
  wait_until eval '[ "$(mqstat -J group late -t t | jq -s "map(select(.committed == .max)) | length")" -eq 6 ]'
  kill -TERM "${members[0]}"
  wait "${members[0]}" || true
  [ ! -s "$work/late" ]
  seq 6 7 | mqsend t
  run -0 timeout 30 mqrecv -g late -c 2 t
  diff <(seq 6 7) <(sort -n <<<"$output")
  run -0 timeout 30 mqrecv -g timed -o @-1h -c 7 t
  [ "${#lines[@]}" -eq 7 ]
}

@test "members share the queues, and a clean leave gives them back without repeating anything" {
  member a t
  wait_until eval '[ "$(mqstat -J | jq .heldPulls)" -ge 6 ]'
  member b t
  b=$member
  # Once the second gets something, both have their shares; what was sent meanwhile may have come to both.
  for i in $(seq 600); do echo "probe $i" | mqsend -p $((i % 6)) t; [ -s "$work/b" ] && break; sleep 0.1; done
  seq 1 60 | mqsend --batch 1 t
  wait_until eval 'diff <(seq 1 60) <(grep -hv probe "$work"/[ab] | sort -nu)'
  kill -TERM "$b"
  rc=0; wait "$b" || rc=$?
  [ "$rc" -eq 143 ]
  seq 61 120 | mqsend --batch 1 t
  wait_until eval 'diff <(seq 1 120) <(grep -hv probe "$work"/[ab] | sort -nu)'
  diff <(seq 1 120) <(grep -hv probe "$work"/[ab] | sort -n)
}

@test "what a killed member had is taken over at once, and nothing is lost" {
  member a t
  a=$member
  wait_until eval '[ "$(mqstat -J | jq .heldPulls)" -ge 6 ]'
  seq 1 50 | mqsend --batch 1 t
  wait_until lines_are a 50
  member b t
  kill -KILL "$a"
  seq 51 100 | mqsend --batch 1 t
  begin=$(date +%s)
  wait_until eval 'diff <(seq 1 100) <(cat "$work"/[ab] | sort -nu)'
  diff <(seq 1 100) <(cat "$work"/[ab] | sort -nu)
  [ $(($(date +%s) - begin)) -lt 10 ]  # without a notice it takes 20 s
}

@test "nothing that could not be written is committed" {
  seq 1 20 | mqsend t
  run -74 bash -c 'timeout 30 mqrecv -g g -c 20 t >/dev/full'
  run -0 timeout 30 mqrecv -g g -c 20 t
  diff <(seq 1 20) <(sort -n <<<"$output")
}

@test "a reader that closes the pipe ends it quietly, and what the pipe did not take comes again" {
  # 2 MB, of which a pipe and its reader take 128 KiB at most.
  awk 'BEGIN { for (i = 1; i <= 2000; i++) printf "%d %01000d\n", i, 0 }' | mqsend t
  run --separate-stderr bash -c 'timeout 30 mqrecv -g g t | head -1 | wc -l'
  assert_output 1
  [ -z "$stderr" ]
  mqrecv -g g --idle 5s t | cut -d' ' -f1 | sort -n >"$work/rest"
  [ "$(wc -l <"$work/rest")" -ge 1800 ]
  [ -z "$(uniq -d "$work/rest")" ]
}

@test "tags choose, and what they leave out is behind the group" {
  seq 1 10 | mqsend -T A t
  seq 11 20 | mqsend -T B t
  run -0 timeout 30 mqrecv -g g -T B -c 10 t
  diff <(seq 11 20) <(sort -n <<<"$output")
}

@test "--broadcast gives everybody everything and remembers in a cursor file" {
  seq 1 10 | mqsend t
  for who in x y; do
    run -0 timeout 30 mqrecv -g g --broadcast --cursor-file "$work/$who" -c 10 t
    diff <(seq 1 10) <(sort -n <<<"$output")
  done
  seq 11 12 | mqsend t
  run -0 timeout 30 mqrecv -g g --broadcast --cursor-file "$work/x" -c 2 t
  diff <(seq 11 12) <(sort -n <<<"$output")
}

@test "--orderly keeps the order of each queue, also over a change of members" {
  for q in 0 1 2; do seq 1 200 | mqsend -p $q t; done
  member a --orderly -F '%p %s\n' t
  a=$member
  wait_until eval '[ "$(wc -l <"$work/a")" -ge 100 ]'
  kill -TERM "$a"
  wait "$a" || true
  member b --orderly -F '%p %s\n' t
  wait_until lines_are '[ab]' 600
  for q in 0 1 2; do
    diff <(seq 1 200) <(cat "$work/a" "$work/b" | sed -n "s/^$q //p")
  done
}

@test "an orderly member that leaves while it locks queues leaves none locked" {
  for q in 0 1 2 3 4 5; do seq 1 4 | mqsend -p $q t; done
  # The first message often comes before the other queues are locked.
  for i in $(seq 24); do timeout 30 mqrecv -g g --orderly -c 1 -F '%p %s\n' t >>"$work/all"; done
  for q in 0 1 2 3 4 5; do diff <(seq 1 4) <(sed -n "s/^$q //p" "$work/all"); done
}

@test "--dir keeps what it has on disk before it commits" {
  mkdir "$work/d"
  seq 1 100 | mqsend t
  run -0 timeout 30 mqrecv -g g --dir "$work/d" -c 100 t
  diff <(seq 1 100) <(cat "$work"/d/* | sort -n)
  run -0 timeout 30 mqrecv -g g --idle 1s t
  assert_output ''
}

@test "--exec gets the body on stdin and the fields as MQ_MSG_ variables" {
  printf 'body one\nsecond line\0' | mqsend -0 -k 'k1 k2' -T tag -H region=eu -p 3 t
  run -0 timeout 30 mqrecv -g g -c 1 --exec 'cat; echo "[$MQ_MSG_GROUP $MQ_MSG_TOPIC $MQ_MSG_QUEUE $MQ_MSG_OFFSET $MQ_MSG_TAG $MQ_MSG_KEYS $MQ_MSG_PROPERTY_region $MQ_MSG_RECONSUME_TIMES ${#MQ_MSG_ID}]"' t
  assert_output $'body one\nsecond line[g t 3 0 tag k1 k2 eu 0 32]'
}

@test "--exec: 0 acknowledges, another status comes again, 75 at once, 100 is a dead letter" {
  printf 'good\nflaky\nbusy\nhopeless\n' | mqsend t
  cat >"$work/handle" <<SH
read -r body
echo "\$body \$MQ_MSG_TOPIC \$MQ_MSG_RECONSUME_TIMES" >>"$work/log"
case \$body in
  good) exit 0 ;;
  flaky) [ "\$MQ_MSG_RECONSUME_TIMES" -ge 1 ] || exit 3 ;;
  busy) mkdir "$work/once" 2>/dev/null && exit 75; exit 0 ;;
  hopeless) exit 100 ;;
esac
SH
  member out --jobs 2 --exec "sh $work/handle" t
  wait_until grep -q 'flaky t 1' "$work/log"
  wait_until eval '[ "$(grep -c busy "$work/log")" -eq 2 ]'
  wait_until eval '[ "$(mqrecv "%DLQ%g")" = hopeless ]'
  kill -TERM "$member"
  wait "$member" || true
  grep -qx 'mqrecv: 3 acknowledged, 1 sent back, 1 dead-lettered' "$work/out.err"
  grep -qE 'mqrecv: t/[0-9]+/[0-9]+: the command ended with 3: sent back' "$work/out.err"
  [ "$(sort "$work/log")" = $'busy t 0\nbusy t 0\nflaky t 0\nflaky t 1\ngood t 0\nhopeless t 0' ]
  run -0 timeout 30 mqrecv -g g --idle 2s t
  assert_output ''
}

@test "--jobs runs that many at once" {
  seq 1 8 | mqsend t
  member out --jobs 4 -c 8 --exec "echo b >>'$work/log'; sleep 2; echo e >>'$work/log'" t
  wait "$member"
  [ "$(wc -l <"$work/log")" -eq 16 ]
  # At some moment several were under way: begins in a row before an end.
  [ "$(head -3 "$work/log" | tr -d '\n')" = bbb ]
}

@test "an interrupt lets running commands finish" {
  echo 1 | mqsend t
  member out --exec "echo begun >'$work/begun'; sleep 1; echo done >'$work/done'" t
  wait_until test -s "$work/begun"
  kill -TERM "$member"
  rc=0; wait "$member" || rc=$?
  [ "$rc" -eq 143 ]
  [ "$(cat "$work/done")" = 'done' ]
  run -0 timeout 30 mqrecv -g g --idle 1s t
  assert_output ''
}

@test "--orderly with --exec: a queue changes hands between two commands, never during one" {
  mqctl topic create two --queues 2
  for q in 0 1; do seq 1 5 | mqsend -p $q two; done
  cat >"$work/handle" <<SH
read -r n
echo "\$MQ_MSG_QUEUE begin \$n" >>"$work/log"
sleep 0.7
echo "\$MQ_MSG_QUEUE end \$n" >>"$work/log"
SH
  member a --orderly --jobs 2 --exec "sh $work/handle" two
  wait_until grep -q '0 begin 1' "$work/log"
  member b --orderly --jobs 2 --exec "sh $work/handle" two
  wait_until eval '[ "$(wc -l <"$work/log")" -eq 20 ]'
  for q in 0 1; do
    diff <(for n in 1 2 3 4 5; do printf 'begin %d\nend %d\n' $n $n; done) \
         <(sed -n "s/^$q //p" "$work/log")
  done
}

@test "what waits for its time when --timeout is over is left undone: exit 75" {
  echo 1 | mqsend t
  run -75 timeout 30 mqrecv -g g --timeout 5s --exec 'exit 75' t
  assert_line --partial '1 left undone'
  run -0 timeout 30 mqrecv -g g -c 1 t
  assert_output 1
}

@test "a member whose broker comes back goes on, repeating nothing that it wrote" {
  member out t
  seq 1 30 | mqsend t
  wait_until lines_are out 30
  stop_mqd KILL || true
  start_mqd
  seq 31 60 | mqsend t
  wait_until lines_are out 60
  have "$(seq 1 60)" out
}

@test "what does not go together is refused, and a topic that is not there is exit 66" {
  run -64 mqrecv --exec true t
  run -64 mqrecv --broadcast t
  run -64 mqrecv -g g -o 5 t
  run -64 mqrecv -g g --store "$store" t
  run -64 mqrecv -g g --cursor-file "$work/c" t
  run -64 mqrecv -g g --broadcast --orderly t
  run -66 mqrecv -g g nowhere
}
