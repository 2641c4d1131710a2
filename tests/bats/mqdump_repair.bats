#!/usr/bin/env bats
# Goal: mqdump repair and rebuild say what they would do, do it only with --write, never under a broker, and end with the
# exit code that tells.
# Method: golden stores, damaged; a daemon that holds the lock; the daemon on the result.
bats_require_minimum_version 1.5.0
load helpers

serves() { # all that the manifest has, through the daemon
  mapfile -t topics < <(python3 "$check" topics "$manifest")
  start_mqd -o fileReservedTime=1000000
  mqrecv -J --all-properties "${topics[@]}" | python3 "$check" messages "$manifest"
  stop_mqd
}

@test "a sound store needs nothing, and nothing is written to it" {
  unpack basic
  before=$(checksums "$store")
  run -0 --separate-stderr mqdump repair "$store"
  [ -z "$output" ]
  [[ "$stderr" == *"nothing to repair"* ]]
  run -0 mqdump rebuild all "$store"
  run -0 mqdump repair --write "$store"
  [ "$(checksums "$store" | grep -v '/lock')" = "$(grep -v '/lock' <<<"$before")" ]
}

@test "a crashed store is no damaged one; repair closes it properly" {
  unpack crash
  run -0 --separate-stderr mqdump repair "$store"
  [[ "$output" == *"normal consumequeue: 12 queues lack the last 180 entries"* ]]
  [[ "$output" == *"normal abort"* ]]
  [[ "$stderr" == *"--write does it"* ]]
  run -0 mqdump repair --write "$store"
  [ ! -e "$store/abort" ]
  compgen -G "$store/abort.bak-[0-9]*"
  run -0 mqdump repair "$store"
  serves
}

@test "the plan names what is lost before anything is written, and repair does what it says" {
  torn mid-body
  before=$(checksums "$store")
  run -65 --separate-stderr mqdump repair "$store"
  [[ "$output" == *"loss   commitlog/00000000000000786432 at 106888: 372 bytes cannot be read: body CRC"* ]]
  [[ "$output" == *"lost: GoldenCrash1/1/150"* ]]
  [ "$(checksums "$store")" = "$before" ]
  run -65 mqdump repair -J "$store"
  [ "$(grep '^{' <<<"$output" | jq -r .kind | sort | uniq -c | tr -s ' \n' ' ')" = " 1 hint 1 loss 4 normal " ]
  run -0 mqdump repair --write "$store"
  run -0 mqdump log "$store"
  run -0 mqdump repair "$store"
  # 1825 of 1826; the number that is lost holds no message, and the queue ends where it did.
  start_mqd -o fileReservedTime=1000000
  [ "$(mqrecv GoldenCrash0 GoldenCrash1 GoldenCrash2 -F x | tr -d '\n' | wc -c)" = 1825 ]
  [ "$(mqrecv -J -p 1 GoldenCrash1 | jq -s 'map(.offset) | max')" = "$(jq '[.messages[] | select(.topic == "GoldenCrash1" and .queueId == 1) | .queueOffset] | max' "$manifest")" ]
  stop_mqd
}

@test "--truncate-to ends the log at a position or a time" {
  unpack crash
  cp -a --sparse=always "$store" "$work/second"
  mapfile -t at < <(jq '.messages[].physicalOffset' "$manifest")
  run -65 mqdump repair --truncate-to "${at[1000]}" "$store"
  [[ "$output" == *"loss   commitlog: 826 records lie behind ${at[1000]}; cut, as asked"* ]]
  run -0 mqdump repair --truncate-to "${at[1000]}" --write "$store"
  [ "$(mqdump log -F '%P\n' "$store" | wc -l)" = 1000 ]
  run -0 mqdump rebuild all "$store"
  time=$(jq '.messages[500].storeTimestamp' "$manifest")
  run -0 mqdump repair --truncate-to "@$time" --write "$work/second"
  [ "$(mqdump log -F '%P\n' "$work/second" | wc -l)" = "$(jq "[.messages[] | select(.storeTimestamp <= $time)] | length" "$manifest")" ]
  run -64 mqdump repair --truncate-to soon "$store"
  run -65 mqdump repair --truncate-to 5 --write "$store"
  [ "$(mqdump log -F '%P\n' "$store" | wc -l)" = 1000 ]
}

@test "rebuild builds elsewhere, compares, and builds in place" {
  unpack basic
  before=$(checksums "$store")
  run -0 mqdump rebuild all --out "$work/built" "$store"
  diff -r "$store/consumequeue" "$work/built/consumequeue"
  [ "$(checksums "$store")" = "$before" ]
  run -73 mqdump rebuild all --out "$work/built" "$store"
  rm -rf "$store/consumequeue/GoldenBasic-a" "$store/index"
  run -65 --separate-stderr mqdump rebuild cq "$store"
  [ "${#lines[@]}" = 4 ]
  [[ "$output" == *"consumequeue/GoldenBasic-a/0: is missing"* ]]
  run -0 mqdump rebuild cq --topic GoldenBasic-a --write "$store"
  run -0 mqdump rebuild cq "$store"
  diff -r "$store/consumequeue" "$work/built/consumequeue"
  run -65 mqdump rebuild index -o maxHashSlotNum=1000 -o maxIndexNum=4000 "$store"
  python3 "$check" conf "$manifest" >"$work/broker.conf"
  run -0 mqdump rebuild index -c "$work/broker.conf" --write "$store"
  run -0 mqdump rebuild all "$store"
  serves
}

@test "what is replaced is kept where no broker looks" {
  torn cq-garbage
  queue=consumequeue/GoldenCrash2/0/00000000000000000000
  old=$(sha256sum <"$store/$queue")
  run -0 mqdump repair --write "$store"
  bak=$(ls -d "$store"/consumequeue.bak-*)
  [ "$(sha256sum <"$bak/GoldenCrash2/0/00000000000000000000")" = "$old" ]
  [ -z "$(find "$store/commitlog" "$store/consumequeue" "$store/index" -name '*[^0-9]*' -type f)" ]
}

@test "neither touches a store that a broker runs on" {
  start_mqd
  seq 1 100 | mqsend busy
  before=$(mqdump log -F '%P\n' "$store" | wc -l)
  for command in "repair" "repair --write" "rebuild all" "rebuild all --write" "rebuild cq --out $work/o"; do
    run -75 --separate-stderr mqdump $command "$store"
    [[ "$stderr" == *"a broker runs on this store"*"process $mqd_pid"* ]]
  done
  [ ! -e "$work/o" ]
  seq 1 100 | mqsend busy
  [ "$(mqrecv busy | wc -l)" = 200 ]
  stop_mqd
  run -0 mqdump repair --write "$store"
}

@test "mqd does not start on half a change, and repair completes it" {
  torn cq-garbage
  stamp=20260101000000
  mkdir -p "$store/mqdump.new-$stamp/config"
  echo '{}' >"$store/mqdump.new-$stamp/config/some.json"
  echo '{"version":1,"stamp":"'$stamp'","steps":[{"do":"replace","path":"config/some.json"}]}' >"$store/commitlog/mqdump.journal"
  run mqd --store "$store" --recover-only
  [ "$status" -ne 0 ]
  [[ "$output" == *"repair of this store was interrupted"* ]]
  run -65 mqdump repair "$store"
  [[ "$output" == *"was interrupted"* ]]
  run -0 mqdump repair --write "$store"
  [ "$(cat "$store/config/some.json")" = '{}' ]
  [ ! -e "$store/commitlog/mqdump.journal" ]
  serves
}

@test "wrong usage and no store end with their own codes" {
  unpack crash
  run -64 mqdump repair
  run -64 mqdump rebuild "$store"
  run -64 mqdump rebuild everything "$store"
  run -64 mqdump rebuild cq --write --out "$work/o" "$store"
  run -64 mqdump rebuild cq -o listenPort=1 "$store"
  run -64 mqdump rebuild cq -o mappedFileSizeConsumeQueue=many "$store"
  run -66 mqdump repair "$work/nowhere"
  run -66 mqdump repair --write "$work"
  [ ! -e "$work/lock" ]
  run -66 mqdump rebuild cq -c "$work/no.conf" "$store"
}
