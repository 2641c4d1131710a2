#!/usr/bin/env bats
# Goal: diff sees what two stores mean, and copy makes a store that goes on, also of one in use.
# The real broker opens such copies in tests/interop.
bats_require_minimum_version 1.5.0
load helpers

@test "a copy at rest is the same store, holes and times included" {
  unpack defaults
  mqdump copy -q "$store" "$work/copy"
  [ "$(cd "$store" && find . -type f ! -name lock -printf '%p %s %T@\n' | sort)" = \
    "$(cd "$work/copy" && find . -type f -printf '%p %s %T@\n' | sort)" ]
  [ "$(du -s "$work/copy" | cut -f1)" -lt 20000 ]
  run -0 mqdump diff --strict "$store" "$work/copy"
  assert_output ""
  run -73 mqdump copy "$store" "$work/copy"
  run -66 mqdump copy "$work/nowhere" "$work/copy2"
}

@test "a store that a daemon took over means the same" {
  unpack rolled
  cp -a "$store" "$work/before"
  start_mqd
  stop_mqd
  run -0 mqdump diff "$work/before" "$store"
  assert_output ""
}

@test "diff names the messages and the state that differ" {
  start_mqd
  seq 1 50 | mqsend -p 0 orders
  stop_mqd
  cp -a "$store" "$work/other"
  mv "$store" "$work/one"
  store=$work/other
  start_mqd
  seq 51 53 | mqsend -p 0 orders
  mqctl topic create extra
  stop_mqd
  run -1 mqdump diff "$work/one" "$work/other"
  assert_line "orders/0/50 to 52: only in $work/other"
  [[ "$output" == *"config/topics.json topicConfigTable.extra."* ]]
  run -1 mqdump diff -J --messages "$work/other" "$work/one"
  [ "$(jq -c '[.kind, .topic, .queue, .from, .to]' <<<"$output")" = '["onlyFirst","orders",0,50,52]' ]
  run -0 mqdump diff "$work/one" "$work/other" nobody
  run -1 mqdump diff -q "$work/one" "$work/other"
  assert_output ""
}

@test "stores that were sent the same are the same but for ids and times" {
  for i in 1 2; do
    store=$work/s$i
    start_mqd
    seq 1 100 | mqsend -p 0 -k key -T tag sent
    stop_mqd
  done
  run -1 mqdump diff -j 2 "$work/s1" "$work/s2"
  [[ "$output" == *"sent/0/0: differs in "*"id"* ]]
  run -0 mqdump diff --messages --ignore id,born "$work/s1" "$work/s2"
}

@test "a copy of a store in use holds all that was acknowledged before, and a daemon goes on with it" {
  start_mqd -o mappedFileSizeCommitLog=1048576 -o maxHashSlotNum=500 -o maxIndexNum=2000
  seq 1 3000 | mqsend -k k busy
  (while seq 1 500 | mqsend -q -k k busy; do :; done) 2>/dev/null 3>&- &
  sender=$!
  seq 1 200 | mqsend -k last marks
  run -0 --separate-stderr mqdump copy -J "$store" "$work/copy"
  jq -e .live <<<"$output"
  kill "$sender"
  wait "$sender" 2>/dev/null || true
  stop_mqd
  [ ! -e "$work/copy/abort" ]
  [ "$(mqdump log -F '%P\n' "$work/copy" | wc -l)" -ge 3200 ]
  # Nothing but messages that came later is missing, and no entry leads behind the end.
  run mqdump diff -J --messages "$work/copy" "$store"
  [ -z "$output" ] || [ "$(jq -r .kind <<<"$output" | sort -u)" = onlySecond ]
  mqdump info "$work/copy" >/dev/null
  copied=$(mqdump grep -F '%P\n' "$work/copy" "topic = busy" | wc -l)
  store=$work/copy
  start_mqd -o mappedFileSizeCommitLog=1048576 -o maxHashSlotNum=500 -o maxIndexNum=2000
  [ "$(mqrecv marks | sort -n | cmp - <(seq 1 200) && echo same)" = same ]
  [ "$(mqrecv busy | wc -l)" = "$copied" ]
  [ "$(mqrecv --key last marks | wc -l)" -ge 1 ]
  echo more | mqsend busy
  [ "$(mqrecv busy | wc -l)" = "$((copied + 1))" ]
  stop_mqd
  run -0 mqdump info "$work/copy"
  [[ "$output" == *"closed properly"* ]]
}
