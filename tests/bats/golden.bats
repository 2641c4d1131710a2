#!/usr/bin/env bats
# Goal: a store that Apache's broker wrote is read by ours, message by message, field by field.
# Method: each golden store, its manifest the expected value: through mqd on a copy, and through mqrecv --store alone.
bats_require_minimum_version 1.5.0
load helpers

unpack_to_serve() {
  unpack "$1"
  python3 "$check" conf "$manifest" >"$work/broker.conf"
  mapfile -t topics < <(python3 "$check" topics "$manifest")
}

through_mqd() {
  unpack_to_serve "$1"
  start_mqd -c "$work/broker.conf" -o fileReservedTime=1000000
  mqrecv -J --all-properties "${topics[@]}" >"$work/out.jsonl"
  python3 "$check" messages "$manifest" <"$work/out.jsonl"
  cat >"$work/by_key" <<'SH'
#!/bin/sh
exec mqrecv -J --key "$2" "$1"
SH
  cat >"$work/by_time" <<'SH'
#!/bin/sh
exec mqrecv -J -p "$2" -S "@$3" -c 1 "$1"
SH
  chmod +x "$work/by_key" "$work/by_time"
  python3 "$check" keys "$manifest" "$work/by_key"
  python3 "$check" times "$manifest" "$work/by_time"
  stop_mqd
}

from_files() {
  unpack_to_serve "$1"
  before=$(checksums "$store")
  mqrecv --store "$store" -J --all-properties "${topics[@]}" >"$work/out.jsonl"
  python3 "$check" messages "$manifest" <"$work/out.jsonl"
  cat >"$work/by_key" <<SH
#!/bin/sh
exec mqrecv --store "$store" -J --key "\$2" "\$1"
SH
  cat >"$work/by_time" <<SH
#!/bin/sh
exec mqrecv --store "$store" -J -p "\$2" -S "@\$3" -c 1 "\$1"
SH
  chmod +x "$work/by_key" "$work/by_time"
  python3 "$check" keys "$manifest" "$work/by_key"
  python3 "$check" times "$manifest" "$work/by_time"
  [ "$(checksums "$store")" = "$before" ]
}

@test "basic through mqd equals its manifest" { through_mqd basic; }
@test "rolled through mqd equals its manifest" { through_mqd rolled; }
@test "crash through mqd equals its manifest" { through_mqd crash; }
@test "defaults through mqd equals its manifest" { through_mqd defaults; }
@test "features through mqd equals its manifest" { through_mqd features; }
@test "basic from its files equals its manifest, and the files stay as they were" { from_files basic; }
@test "rolled from its files equals its manifest, and the files stay as they were" { from_files rolled; }
@test "crash from its files equals its manifest, and the files stay as they were" { from_files crash; }
@test "defaults from its files equals its manifest, and the files stay as they were" { from_files defaults; }
@test "features from its files equals its manifest, and the files stay as they were" { from_files features; }

@test "mqd without a configuration adopts the file sizes of the store it finds" {
  unpack_to_serve rolled
  start_mqd -o fileReservedTime=1000000
  mqrecv -J --all-properties "${topics[@]}" | python3 "$check" messages "$manifest"
  stop_mqd
}

@test "each damaged store opens and serves at least what Apache's broker served" {
  python3 "$golden/make_torn.py" "$golden/crash.tar.zst" "$work/torn"
  python3 "$check" conf "$golden/crash.json" >"$work/broker.conf"
  for dir in "$work"/torn/*/; do
    name=$(basename "$dir")
    store=${dir%/}
    [ -d "$store/commitlog" ] || store=$(dirname "$(find "$store" -type d -name commitlog | head -1)")
    start_mqd -c "$work/broker.conf" -o fileReservedTime=1000000
    mqrecv -J GoldenCrash0 GoldenCrash1 GoldenCrash2 | jq -c '[.physicalOffset,.body,.body64]' >"$work/$name.out"
    stop_mqd
    want=$(jq -r --arg n "$name" '.variations[] | select(.name == $n) | if .starts then .messages else 1800 end' "$golden/torn.json")
    have=$(jq -r '.[0]' "$work/$name.out" | sort -u | wc -l)
    echo "$name: served $have, Apache $want"
    [ "$have" -ge "$want" ]
  done
}
