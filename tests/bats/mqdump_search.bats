#!/usr/bin/env bats
# Goal: grep, top, export, info and its map tell what the manifests say, in one thread and in several; every part of a
# store can be printed.
bats_require_minimum_version 1.5.0
load helpers

# The physical offsets of the manifest's messages that a jq condition holds for.
expected() { jq -r ".messages[] | select($1) | .physicalOffset" "$manifest"; }
found() { mqdump grep -F '%P\n' "$@"; }

@test "grep finds what the manifest has, by topic, key, tag, offset, time and property" {
  unpack rolled
  topic=$(jq -r '.messages[500].topic' "$manifest")
  time=$(jq '.messages[800].storeTimestamp' "$manifest")
  [ "$(found "$store" "topic = $topic and queue = 1 and offset < 400")" = \
    "$(expected ".topic == \"$topic\" and .queueId == 1 and .queueOffset < 400")" ]
  [ "$(found -j 3 "$store" "topic = $topic and queue = 1 and offset < 400")" = \
    "$(expected ".topic == \"$topic\" and .queueId == 1 and .queueOffset < 400")" ]
  [ "$(found "$store" "stored >= @$time and not tag = TagA")" = \
    "$(expected ".storeTimestamp >= $time and .tags != \"TagA\"")" ]
  key=$(jq -r '[.messages[].keys // "" | select(. != "")][300] | split(" ")[0]' "$manifest")
  [ "$(found "$store" "key = '$key'")" = \
    "$(expected "(.keys // \"\") | split(\" \") | index(\"$key\") != null")" ]
  id=$(jq -r '.messages[77].msgId' "$manifest")
  [ "$(found "$store" "id = $id")" = "$(expected ".msgId == \"$id\"")" ]
  [ "$(found -c 3 "$store" "topic = $topic")" = "$(expected ".topic == \"$topic\"" | head -3)" ]
  run -1 mqdump grep "$store" "topic = nobody"
  assert_output ""
  run -64 mqdump grep "$store" "colour = red"
}

@test "grep looks into compressed bodies" {
  unpack basic
  at=$(jq '[.messages[] | select(.sysFlag % 2 == 1)][0].physicalOffset' "$manifest")
  word=$(mqdump get -F '%s' "$store" "@$at" | head -c 40 | LC_ALL=C grep -oE '[a-z]{4,}' | head -1)
  found "$store" "body contains $word and physical = $at" | grep -qx "$at"
}

@test "top names the biggest topics, keys and messages" {
  unpack basic
  mqdump top -J -c 5 "$store" >"$work/top"
  [ "$(jq -r 'select(.kind == "message") | .physicalOffset' "$work/top" | sort -n)" = \
    "$(jq '[.messages[] | {s: .storeSize, p: .physicalOffset}] | sort_by(-.s)[:5][].p' "$manifest" | sort -n)" ]
  for jobs in 1 4; do
    mqdump top -J --by messages -j "$jobs" "$store" >"$work/top"
    key=$(jq -sr 'map(select(.kind == "key"))[0].key' "$work/top")
    topic=$(jq -sr 'map(select(.kind == "key"))[0].topic' "$work/top")
    [ "$(jq -s 'map(select(.kind == "key"))[0].messages' "$work/top")" = \
      "$(expected ".topic == \"$topic\" and ((.keys // \"\") | split(\" \") | index(\"$key\") != null)" | wc -l)" ]
    [ "$(jq -sc 'map(select(.kind == "topic" and (.topic | startswith("Golden"))) | {(.topic): .messages}) | add' "$work/top" | jq -S .)" = \
      "$(jq -S '[.messages[].topic] | group_by(.) | map({(.[0]): length}) | add | with_entries(select(.key | startswith("Golden")))' "$manifest")" ]
    [ "$(jq -s 'map(.error // 0) | max' "$work/top")" = 0 ]
  done
  run -0 mqdump top "$store"
  [[ "$output" == *"topics by bytes"*"GoldenBasic_"*"messages by bytes"* ]]
}

@test "export gives what mqsend takes, and a broker then has the same messages" {
  unpack basic
  topic=$(jq -r '.messages[0].topic' "$manifest")
  mqdump export "$store" "$topic" >"$work/all.jsonl"
  [ "$(jq -s length "$work/all.jsonl")" = "$(expected ".topic == \"$topic\"" | wc -l)" ]
  jq -c 'select(.body != "")' "$work/all.jsonl" >"$work/out.jsonl"  # a broker refuses empty ones
  source=$store
  store=$work/other
  start_mqd
  mqsend -J -q copied <"$work/out.jsonl"
  fields='[.tag, .keys, (.properties | del(.WAIT, .MSG_REGION, .TRACE_ON, .CLUSTER)), .body, .body64] | tostring'
  cmp <(jq -c "$fields" "$work/out.jsonl" | sort) <(mqrecv -J copied | jq -c "$fields" | sort)
  stop_mqd
  # Raw: the bodies alone.
  [ "$(mqdump export --raw -D '<>' "$source" "$topic" | sha256sum)" = \
    "$(mqdump export -F '%s<>' "$source" "$topic" | sha256sum)" ]
  [ "$(mqdump export --raw -L "$source" "$topic" | head -c 4 | od -An -tu1 | awk '{print $3 * 256 + $4}')" = \
    "$(jq "[.messages[] | select(.topic == \"$topic\")][0].bodyLength" "$manifest")" ]
  run -66 mqdump export "$source" nobody
  run -64 mqdump export "$source"
}

@test "info tells files, state and topics, with and without reading the log" {
  unpack rolled
  mqdump info -J "$store" >"$work/info"
  [ "$(jq -r .state "$work/info")" = clean ]
  [ "$(jq .commitLogBegin "$work/info")" = 3145728 ]
  [ "$(jq .damage "$work/info")" = 0 ]
  [ "$(jq -c '[.topics[].messages] | add' "$work/info")" -ge "$(jq '.messages | length' "$manifest")" ]
  mqdump info -J -j 4 "$store" | cmp - "$work/info"
  [ "$(mqdump info -J --quick "$store" | jq -S '.topics | map_values(.queues)')" = \
    "$(jq -S '[.queues[] | select(.maxOffset > 0)] | group_by(.topic) | map({(.[0].topic): (map({(.queueId|tostring): [.minOffset, .maxOffset]}) | add)}) | add' "$manifest")" ]
  run -0 mqdump info "$store"
  [[ "$output" == *"closed properly"*"files           commitlog:"*"checkpoint"*"topics.json"* ]]
  rm -rf "$store"
  unpack crash
  [ "$(mqdump info -J "$store" | jq -r .state)" = crashed ]
  run -0 mqdump info "$store"
  [[ "$output" == *"not in the queue yet"* ]]
}

@test "the map's lines add up to the log, and show what is dead and what is not in a queue" {
  unpack crash
  mqdump info --map -J --width 60 "$store" >"$work/map"
  # Kinds cover everything; topics are what is live or waiting.
  jq -e '[.rows[] | select(.kind != "topic") | .bytes] | add == ($m.end - $m.begin)' --argjson m "$(cat "$work/map")" "$work/map"
  jq -e '([.rows[] | select(.kind == "topic") | .bytes] | add) == ([.rows[] | select(.kind == "live" or .kind == "waiting") | .bytes] | add)' "$work/map"
  jq -e '.rows[] | select(.kind == "waiting") | .bytes > 0' "$work/map"
  jq -e '.rows | all(.bytes == (.columns | add))' "$work/map"
  # A deleted topic's records are dead.
  rm -rf "$store/consumequeue/GoldenCrash0"
  mqdump info --map -J --width 60 "$store" >"$work/map2"
  jq -e '.rows[] | select(.kind == "dead") | .bytes > 0' "$work/map2"
  run -0 mqdump info --map --width 80 "$store"
  [[ "$output" == *"commit log"*"dead"*"free"* ]]
  [[ "$output" != *$'\x1b'* ]]
  # No line is wider than asked for.
  [ "$(awk '{ if (length > m) m = length } END { print m }' <<<"$output")" -le 80 ]
}

@test "get --hex shows what leads to a record, and where a damaged one breaks" {
  unpack crash
  m=$(jq -c '.messages[50]' "$manifest")
  at=$(jq .physicalOffset <<<"$m")
  mqdump get --hex -J "$store" "@$at" >"$work/hex"
  [ "$(jq -sr 'map(select(.of == "queue entry" and .name == "offset"))[0].value' "$work/hex")" = "$at" ]
  [ "$(jq -s 'map(select(.of == "index entry" and .name == "offset" and .value == "'"$at"'")) | length' "$work/hex")" -ge 1 ]
  jq -se 'all((.wrong // "") == "")' "$work/hex"
  # The last record is in no queue yet.
  run -0 mqdump get --hex "$store" "@$(jq '.messages[-1].physicalOffset' "$manifest")"
  [[ "$output" == *"queue entry "*"NOT: no entry yet"* ]]
  python3 - "$store" "$at" <<'PY'
import os, sys
path = os.path.join(sys.argv[1], 'commitlog', '0' * 20)
with open(path, 'r+b') as f:
    f.seek(int(sys.argv[2]) + 28)
    f.write(b'\x7f')
PY
  run -65 --separate-stderr mqdump get --hex "$store" "@$at"
  [[ "$output" == *"physicalOffset = "*"WRONG: it stands at $at"* ]]
}

@test "log counts from either end, and follows a broker until it is told to end" {
  start_mqd
  seq 1 20 | mqsend live
  run -0 mqdump log -F '%s\n' -o -3 "$store"
  assert_output "$(seq 18 20)"
  run -0 mqdump log -F '%s\n' "$store" +5:+7
  assert_output "$(seq 6 7)"
  mqdump log -f -F '%s\n' -c 3020 "$store" >"$work/followed" &
  follower=$!
  for i in 1 2 3; do seq "$((i * 1000))" "$((i * 1000 + 999))" | mqsend live; done
  wait "$follower"
  cmp <(sort -n "$work/followed") <(seq 1 20; seq 1000 3999)
  # A signal ends it as signals do, after all that was there has been written.
  mqdump log -f -F '%s\n' "$store" >"$work/until-told" &
  follower=$!
  until [ -f "$work/until-told" ] && [ "$(wc -l <"$work/until-told")" -ge 3020 ]; do sleep 0.05; done
  kill -INT "$follower"
  status=0
  wait "$follower" || status=$?
  [ "$status" -eq 130 ]
  [ "$(wc -l <"$work/until-told")" = 3020 ]
  stop_mqd
}

@test "cq, index, config and checkpoint print what their formats ask for" {
  unpack rolled
  run -0 mqdump cq -c 2 -F '%t %p %o %P %S %g|' "$store" GoldenRolled0/1
  [[ "$output" =~ ^GoldenRolled0\ 1\ [0-9]+\ [0-9]+\ [0-9]+\ -?[0-9]+\|GoldenRolled0\ 1 ]]
  run -64 mqdump cq -F '%z' "$store" GoldenRolled0
  [ "$(mqdump index -F '%P\n' "$store" | wc -l)" = "$(mqdump index -J "$store" | wc -l)" ]
  run -1 mqdump index -k 'GoldenRolled0#never' "$store"
  [ "$(mqdump config -F '%k=%v\n' "$store" topics.json | grep -c 'GoldenRolled0.*readQueueNums=2')" = 1 ]
  run -66 mqdump config "$store" nothing.json
  [ "$(mqdump checkpoint -F '%k %v\n' "$store" | wc -l)" = 5 ]
  truncate -s 10 "$store/checkpoint"
  run -65 mqdump checkpoint "$store"
  head -c 100 "$store/config/topics.json" >"$work/half" && cp "$work/half" "$store/config/topics.json"
  run -65 --separate-stderr mqdump config "$store"
  [[ "$stderr" == *"topics.json"*"takes the .bak"* ]]
}

@test "timer shows what waits, the wheel and the checkpoint" {
  unpack features
  # Every message of the timer's topic has a unit, in the order of the log.
  [ "$(mqdump timer -F '%P\n' "$store" | sort -n)" = "$(expected '.topic == "rmq_sys_wheel_timer"')" ]
  mqdump timer -J "$store" >"$work/units"
  jq -se 'all(.due > .writeTime and .size > 0)' "$work/units"
  # What is not due before the timer's read time waits.
  read=$(mqdump timer --checkpoint -J "$store" | jq .lastReadTimeMs)
  jq -se --argjson read "$read" 'all(.waits == (.due >= $read)) and any(.waits) and any(.waits | not)' "$work/units"
  # The slot of the read time itself is the next that the timer takes.
  due=$(jq -s '.[0].due' "$work/units")
  cp "$store/config/timercheck" "$work/timercheck"
  set_read_time() { python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack(">q", int(sys.argv[1])))' "$1" |
    dd of="$store/config/timercheck" conv=notrunc 2>/dev/null; }
  set_read_time "$due"
  [ "$(mqdump timer -c 1 -F '%w' "$store")" = 1 ]
  set_read_time "$((due + 1000))"
  [ "$(mqdump timer -c 1 -F '%w' "$store")" = 0 ]
  cp "$work/timercheck" "$store/config/timercheck"
  mqdump timer --wheel -J "$store" >"$work/wheel"
  jq -se --slurpfile u "$work/units" '[.[].last] - [$u[].position] == []' "$work/wheel"
  run -0 mqdump timer -c 1 "$store"
  [[ "$output" =~ ^0\ due\ .*\ at\ [0-9]+\ size\ [0-9]+ ]]
  run -0 mqdump timer --checkpoint "$store"
  [[ "$output" == *"lastTimerQueueOffset     12"* ]]
  run -64 mqdump timer --checkpoint --wheel "$store"
  printf 'x' | dd of="$store/timerlog/00000000000000000000" bs=1 seek=52 conv=notrunc 2>/dev/null
  run -65 --separate-stderr mqdump timer "$store"
  [ "${#lines[@]}" = 11 ]
  [[ "$stderr" == *"/timerlog/00000000000000000000 at 52: "* ]]
  truncate -s 7 "$store/config/timercheck"
  run -65 mqdump timer --checkpoint "$store"
}

@test "long runs tell how far they are when asked to" {
  unpack basic
  run -0 --separate-stderr mqdump top --progress "$store"
  [[ "$stderr" == *" msgs "*"/s"* ]]
  for command in verify "rebuild all" repair; do
    run -0 --separate-stderr mqdump $command --progress "$store"
    [[ "$stderr" == *" B/s"* || "$stderr" == *[KMG]"/s"* ]]
  done
}
