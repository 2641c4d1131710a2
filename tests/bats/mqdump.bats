#!/usr/bin/env bats
# Goal: mqdump shows what is in a store's files, changes none of them, and is honest about damage.
# Method: stores that Apache's broker wrote against their manifests, the same ones damaged, and a store in use.
bats_require_minimum_version 1.5.0
load helpers

log_equals_manifest() {
  unpack "$1"
  before=$(checksums "$store")
  mqdump log -J --all-properties "$store" >"$work/out.jsonl"
  python3 "$check" messages "$manifest" <"$work/out.jsonl"
  for command in info index checkpoint config; do mqdump "$command" "$store" >/dev/null; done
  [ "$(checksums "$store")" = "$before" ]
}

@test "log of basic equals its manifest" { log_equals_manifest basic; }
@test "log of rolled equals its manifest" { log_equals_manifest rolled; }
@test "log of crash equals its manifest" { log_equals_manifest crash; }
@test "log of defaults equals its manifest" { log_equals_manifest defaults; }
@test "log of features equals its manifest" { log_equals_manifest features; }

@test "get finds one message by each of its names" {
  unpack crash
  # One that is in its queue, and the last, which no queue has.
  for pick in 100 -1; do
    m=$(jq -c ".messages[$pick]" "$manifest")
    want=$(jq .physicalOffset <<<"$m")
    for name in "@$want" "$(jq -r .msgId <<<"$m")" "$(jq -r .offsetMsgId <<<"$m")" \
      "$(jq -r '"\(.topic)/\(.queueId)/\(.queueOffset)"' <<<"$m")"; do
      echo "$name"
      [ "$(mqdump get -J "$store" "$name" | jq .physicalOffset)" = "$want" ]
    done
  done
}

@test "get --hex names every byte of the record" {
  unpack features
  for at in $(jq '.messages[].physicalOffset' "$manifest" | awk 'NR % 40 == 1'); do
    size=$(mqdump get -J "$store" "@$at" | jq .size)
    mqdump get --hex "$store" "@$at" >"$work/hex"
    # Positions go on without a gap to the end; a long body is said to have more.
    python3 - "$size" "$work/hex" <<'PY'
import re, sys
end = 0
for line in open(sys.argv[2], encoding='utf-8', errors='replace'):
    if re.match('[0-9a-f]{6}  ', line):
        assert int(line[:6], 16) == end, line
        end += len(bytes.fromhex(line[8:56]))
    elif line.endswith('bytes more\n'):
        end += int(line.split()[1])
assert end == int(sys.argv[1]), end
PY
  done
}

@test "log takes positions, times, a count, and one copied file" {
  unpack rolled
  mapfile -t at < <(jq '.messages[].physicalOffset' "$manifest")
  run -0 bash -c "mqdump log -F '%P\n' '$store' ${at[5]}:${at[8]}"
  assert_output "$(printf '%s\n' "${at[@]:5:3}")"
  run -0 mqdump log -F '%P\n' -c 2 "$store" "${at[7]}"
  assert_output "$(printf '%s\n' "${at[@]:7:2}")"
  time=$(jq '.messages[700].storeTimestamp' "$manifest")
  [ "$(mqdump log -F '%P\n' "$store" "@$time" | wc -l)" = "$(jq "[.messages[] | select(.storeTimestamp >= $time)] | length" "$manifest")" ]
  file=$(find "$store/commitlog" -type f | sort | head -1)
  cp "$file" "$work/copy"
  [ "$(mqdump log -F '%P\n' "$work/copy" 2>/dev/null | head -1)" = "${at[0]}" ]
}

@test "index -k shows the entries of a key and of no other hash" {
  unpack basic
  look=$(jq -c '[.byKey[] | select(.begin == 0 and (.physicalOffsets | length) > 0)][0]' "$manifest")
  want=$(jq -c '.physicalOffsets | sort' <<<"$look")
  got=$(mqdump index -J -k "$(jq -r '"\(.topic)#\(.key)"' <<<"$look")" "$store" | jq -sc 'map(.physicalOffset) | unique')
  [ "$got" = "$want" ]
}

@test "damage is named with file and position, what is good is shown, the end is 65" {
  torn mid-body
  run -65 --separate-stderr mqdump log -F '%P\n' "$store"
  [ "${#lines[@]}" = 1825 ]
  [[ "$stderr" == *"commitlog/00000000000000786432 at 106888: body CRC"*"the next good record is at 893692"* ]]
  run -65 mqdump info "$store"
  rm -rf "$work/torn"
  torn index-garbage
  run -65 --separate-stderr mqdump index "$store"
  [ "${#lines[@]}" -gt 1000 ]
  [[ "$stderr" == *"/index/"*" at 0: index header"* ]]
  rm -rf "$work/torn"
  torn cq-garbage
  run -65 --separate-stderr mqdump cq "$store" GoldenCrash2/0
  [[ "$stderr" == *"consumequeue/GoldenCrash2/0/00000000000000000000 at 3080: queue entry"* ]]
}

@test "exit codes tell no such message, no such store, damage and wrong usage apart" {
  unpack crash
  run -1 mqdump get "$store" GoldenCrash0/0/99999
  run -1 mqdump get "$store" FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF
  run -1 mqdump get "$store" @5
  run -66 mqdump cq "$store" nobody
  run -64 mqdump get "$store" @99999999999999999999
  run -64 mqdump get "$store" GoldenCrash0/0/99999999999999999999
  run -64 mqdump log "$store" abc
  run -64 mqdump nothing "$store"
  run -66 mqdump log "$work/nowhere"
  run -66 mqdump info "$work"
  head -c 100 "$store/commitlog/00000000000000000000" >"$work/00000000000000000000"
  run -65 mqdump get "$work/00000000000000000000" @0
  run -74 bash -c "mqdump log '$store' >/dev/full"
}

@test "a store in use is read, and its daemon does not notice" {
  start_mqd
  seq 1 5000 | mqsend live
  run -0 bash -c "mqdump log -F '%s\n' '$store' | sort -n | cmp - <(seq 1 5000)"
  seq 5001 6000 | mqsend live
  [ "$(mqdump log -F '%s\n' "$store" | wc -l)" = 6000 ]
  [ "$(mqrecv live | wc -l)" = 6000 ]
  stop_mqd
}

@test "a head closes the pipe and nobody complains" {
  unpack basic
  run --separate-stderr bash -c "mqdump log -J '$store' | head -1 | wc -l; exit 0"
  assert_output 1
  [ -z "$stderr" ]
}
