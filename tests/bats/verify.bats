#!/usr/bin/env bats
# Goal: mqdump verify as a script meets it: lines, JSON, exit codes, and that it leaves no trace. What it finds is the
# business of the unit tests.
bats_require_minimum_version 1.5.0
load helpers

@test "a sound store is one line and exit 0" {
  unpack rolled
  run -0 --separate-stderr mqdump verify "$store"
  assert_output "1556 records of 4.5M in 5 files, 1800 entries of 4 queues, 4090 of 3 index files; closed: 0 damage, 0 normal, 0 notes"
  [ -z "$stderr" ]
  run -0 mqdump verify --deep -j 2 "$store"
}

@test "damage is named with file, position, values and the command, and exit 65" {
  torn mid-body
  run -65 --separate-stderr mqdump verify "$store"
  [[ "$output" == *"damage $store/commitlog/00000000000000786432 at 106888: body CRC: expected 45537292, found 5BF0DF5B; mend: mqdump repair $store"* ]]
  [[ "${lines[-1]}" == *"crashed: 1 damage, 15 normal, 0 notes" ]]
  [ "$(grep -c '^damage' <<<"$output")" = 1 ]
  [ "$(grep -c '^normal' <<<"$output")" = 15 ]
}

@test "-J is an object a line that says the same" {
  torn cq-ahead
  run -65 --separate-stderr mqdump verify -J "$store"
  jq -es --arg store "$store" '
    map(select(.severity == "damage")) as $d
    | ($d | length) == 1 and $d[0].file == $store + "/consumequeue/GoldenCrash2/0/00000000000000000000"
      and $d[0].offset == 3060 and ($d[0].mend | startswith("mqdump rebuild cq "))
      and (.[-1].summary | .damage == 1 and .state == "crashed" and .records == 1826)' <<<"$output"
}

@test "what a crash leaves is no damage" {
  unpack crash
  run -0 mqdump verify "$store"
  [ "$(grep -c '^normal' <<<"$output")" = 15 ]
}

@test "a store that cannot be had is told from a damaged one" {
  run -66 mqdump verify "$work/nowhere"
  run -66 mqdump verify "$work"
  run -64 mqdump verify
  run -64 mqdump verify -j 0 "$work"
  unpack basic
  run -74 bash -c "mqdump verify '$store' >/dev/full"
}

@test "one copied commit log file is enough" {
  unpack crash
  file=$work/00000000000000262144
  cp "$store/commitlog/00000000000000262144" "$file"
  cp "$file" "$work/copy"
  run -0 mqdump verify "$work/copy"
  printf 'x' | dd of="$file" bs=1 seek=3 conv=notrunc status=none  # the first record's size
  run -65 mqdump verify "$file"
  [[ "$output" == "damage $file at 0: "* ]]
}

@test "no byte and no time stamp changes, and nothing is written where nothing can be" {
  unpack crash
  sums=$(find "$store" -type f -exec sha256sum {} + | sort)
  # Long ago, so that looking at a file would count as its first use since then.
  find "$store" -type f -exec touch -a -d 2020-01-01 {} +
  before=$(find "$store" -type f -printf '%p %s %T@ %A@\n' | sort)
  mqdump verify --deep "$store" >/dev/null
  [ "$(find "$store" -type f -printf '%p %s %T@ %A@\n' | sort)" = "$before" ]
  [ "$(find "$store" -type f -exec sha256sum {} + | sort)" = "$sums" ]
  chmod -R a-w "$store"
  run -0 mqdump verify "$store"
  chmod -R u+w "$store"
}

@test "a store in use is verified while its daemon goes on" {
  start_mqd
  seq 1 3000 | mqsend -k key live
  (seq 1 200000 | mqsend -k key live) &
  sender=$!
  for _ in 1 2 3; do
    run -0 mqdump verify -J "$store"
    jq -es '.[-1].summary | .state == "open" and .damage == 0' <<<"$output"
  done
  wait "$sender"
  stop_mqd
  run -0 mqdump verify "$store"
  [[ "${lines[-1]}" == "203000 records "*"closed: 0 damage, 0 normal, 0 notes" ]]
}

@test "after kill -9 nothing is damaged, and after the next start nothing is left" {
  # At different moments: what a kill tears, a queue's last entry or the index's header, is a matter of luck.
  for _ in 1 2 3 4; do
    start_mqd
    (seq 1 1000000 | mqsend -k key live 2>/dev/null) &
    sender=$!
    until [ "$(mqdump info -J "$store" 2>/dev/null | jq .records)" -gt 1000 ] 2>/dev/null; do :; done
    stop_mqd KILL || true
    kill "$sender" 2>/dev/null || true
    wait "$sender" || true
    run -0 mqdump verify -J "$store"
    jq -es '.[-1].summary | .state == "crashed" and .damage == 0' <<<"$output"
    start_mqd
    stop_mqd
    run -0 mqdump verify -J "$store"
    jq -es '.[-1].summary | .state == "closed" and .damage == 0 and .normal == 0' <<<"$output"
    rm -rf "$store"
  done
}

@test "what is left in the log of topics deleted and made again is no damage" {
  start_mqd
  for round in 1 2 3; do
    mqctl topic create -q again --queues 2
    mqctl topic create -q gone --queues 1
    seq 4 | mqsend -q again --queue 0
    # The last time this queue stays unused.
    ((round == 3)) || seq "$round" 4 | mqsend -q again --queue 1
    seq "$round" 4 | mqsend -q gone
    mqctl topic delete gone --yes
    ((round == 3)) || mqctl topic delete again --yes
  done
  stop_mqd
  run -0 mqdump verify "$store"
  [[ "$output" == *"consumequeue/again/0/"*": 8 messages in the log, of an earlier again/0 that was deleted"* ]]
  [[ "$output" == *"consumequeue/again/1: 7 messages in the log, of an earlier again/1 that was deleted"* ]]
  [[ "$output" == *"consumequeue/gone/0: 9 messages in the log, of a topic that was deleted"* ]]
  [[ "${lines[-1]}" == *"closed: 0 damage, 0 normal, 3 notes" ]]
}
