#!/usr/bin/env bash
# Goal: a store that was damaged in many ways and repaired is served the same by mqd and by Apache's broker, nothing that
# was whole is lost, and Apache's broker goes on with it.
# Method: golden stores, damaged all over (bodies, sizes, numbers, pages, a log file gone, queues, index, state files), one
# start of the stock broker each: right after the repair, with the queues rebuilt once more, and after it has killed itself.
set -u
. "$(dirname "$0")/lib.sh"
same=$root/tests/support/same_messages.py
damage=$root/tests/support/damage_store.py
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }

plan() {
  mqdump repair "$1" >"$tmp/plan" 2>&1
  [ $? -eq 65 ] && grep -q '^loss ' "$tmp/plan" && grep -q 'one bit of byte' "$tmp/plan" && grep -q 'and is ' "$tmp/plan"
}

# dump FILE TOPIC...: what Apache's broker serves; a busy machine may need a second try.
dump() {
  local to=$1 try
  shift
  for try in 1 2 3; do
    peer dump "$namesrv" "$@" >"$to" && [ -s "$to" ] && return 0
    sleep "$try"
  done
  return 1
}

# repair_and_serve NAME TOPIC...
repair_and_serve() {
  local name=$1 store=$tmp/$1 manifest=$root/tests/golden/$1.json
  shift
  local topics=("$@")
  tar -S --zstd -xf "$root/tests/golden/$name.tar.zst" -C "$tmp"
  python3 "$root/tests/support/manifest_check.py" conf "$manifest" | grep -E '^(mapped|max)' >"$tmp/sizes"
  mapfile -t sizes <"$tmp/sizes"
  "$damage" "$name" "$store"
  "$damage" intact "$store" "$manifest" >"$tmp/intact"
  check "$name: the plan names damage and loss" plan "$store"
  check "$name: repair" mqdump repair --write "$store"
  check "$name: it needs no second repair" mqdump repair "$store"
  check "$name: queues and index are what the log says" mqdump rebuild all "$store"

  start_mqd "$store" -o fileReservedTime=1000000 || fail "$name: mqd starts" "$tmp/mqd.log"
  mqrecv -b "$mq_socket" -J --all-properties "${topics[@]}" >"$tmp/ours"
  stop_mqd
  check "$name: mqd serves all that was whole" "$damage" served "$tmp/intact" "$tmp/ours"

  check "$name: Apache's broker starts" start_apache "$store" "${sizes[@]}"
  check "$name: its client reads it" dump "$tmp/theirs" "${topics[@]}"
  check "$name: Apache's broker serves all that was whole" "$damage" served "$tmp/intact" "$tmp/theirs"
  check "$name: both serve the same" "$same" "$tmp/ours" "$tmp/theirs"
  check "$name: Apache's broker goes on with it" peer send "$namesrv" "${topics[0]}" 20 more
  check "$name: its client reads that, too" dump "$tmp/theirs" "${topics[@]}"
}

repair_and_serve crash GoldenCrash0 GoldenCrash1 GoldenCrash2
stop_apache KILL
# What the log holds in the place of lost records is enough for anybody who builds the queues from it.
rm -rf "$tmp/crash/consumequeue" "$tmp/crash/index" "$tmp/crash/checkpoint" "$tmp/crash/abort"
check "crash: Apache's broker builds its queues from the repaired log" start_apache "$tmp/crash" "${sizes[@]}"
check "crash: its client reads it again" dump "$tmp/again" GoldenCrash0 GoldenCrash1 GoldenCrash2
check "crash: and serves the same again" "$same" "$tmp/again" "$tmp/theirs"
stop_apache KILL

repair_and_serve rolled GoldenRolled0 GoldenRolled1
stop_apache
start_mqd "$tmp/rolled" -o fileReservedTime=1000000 || fail "rolled: mqd takes it back" "$tmp/mqd.log"
mqrecv -b "$mq_socket" -J --all-properties GoldenRolled0 GoldenRolled1 >"$tmp/ours"
check "rolled: mqd takes it back with what Apache added" "$same" "$tmp/ours" "$tmp/theirs"
stop_mqd
