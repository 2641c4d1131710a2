#!/usr/bin/env bats
# The tools in pipes, as shell users use them: bytes in are bytes out, a closed pipe is quiet, a full one is exit 74.
bats_require_minimum_version 1.5.0
load helpers

setup() { start_mqd; }

@test "JSON round-trips bodies, keys, tags and properties exactly" {
  printf 'plain\nwith\ttab\n中文 🚀\n' | mqsend -T tag -k 'k1' -H 'region=eu' a
  printf '\377\376\000binary' | mqsend -B a
  mqrecv -J a | mqsend -J b
  diff <(mqrecv -J a | jq -cS '[.body,.body64,.keys,.tag,.properties.region]' | sort) \
       <(mqrecv -J b | jq -cS '[.body,.body64,.keys,.tag,.properties.region]' | sort)
}

@test "NUL, length-prefixed and multi-byte delimiters keep new lines inside bodies" {
  printf 'a\nb\0c\nd' | mqsend -0 nul
  run -0 bash -c 'mqrecv -0 nul | od -An -c | tr -d " \n"'
  assert_output 'a\nb\0c\nd\0'
  mqrecv -L nul | mqsend -L len
  [ "$(mqrecv -0 len | md5sum)" = "$(mqrecv -0 nul | md5sum)" ]
  printf 'oneENDtwo\nlinesENDthree' | mqsend -D END multi
  [ "$(mqrecv -J multi | jq -s 'map(.body) | sort == ["one","three","two\nlines"]')" = true ]
}

@test "head closes the pipe and nobody complains" {
  seq 1 300000 | mqsend many
  run --separate-stderr bash -c 'mqrecv many | head -1 | wc -l; exit 0'
  assert_output 1
  [ -z "$stderr" ]
}

@test "a full disk behind stdout is exit 74" {
  seq 1 1000 | mqsend some
  run -74 bash -c 'mqrecv some >/dev/full'
  run -74 bash -c 'seq 1 1000 | mqsend --tee some >/dev/full'
}

@test "a slow pipe is sent line by line" {
  mkfifo "$work/slow"
  mqsend slow <"$work/slow" 3>&- &
  sender=$!
  exec 9>"$work/slow"
  echo one >&9
  for _ in $(seq 50); do [ "$(mqrecv slow 2>/dev/null | wc -l)" -eq 1 ] && break; sleep 0.1; done
  [ "$(mqrecv slow)" = one ]
  exec 9>&-
  wait "$sender"
}

@test "following prints what arrives, at once" {
  echo first | mqsend tail
  mqrecv -f --tail 1 tail >"$work/out" 3>&- &
  reader=$!
  for _ in $(seq 50); do [ -s "$work/out" ] && break; sleep 0.1; done
  echo second | mqsend tail
  for _ in $(seq 50); do [ "$(wc -l <"$work/out")" -eq 2 ] && break; sleep 0.1; done
  kill "$reader"
  [ "$(cat "$work/out")" = $'first\nsecond' ]
}

@test "a record that is too large is named, the others arrive, exit 65" {
  { echo small; head -c 5000000 /dev/zero | tr '\0' x; echo; echo last; } >"$work/in"
  run -65 mqsend big <"$work/in"
  assert_output --partial '2'
  [ "$(mqrecv big | sort | tr '\n' ' ')" = 'last small ' ]
}

@test "tags, keys and times select messages" {
  printf '1\n2\n' | mqsend -T A sel
  printf '3\n' | mqsend -T B -k needle sel
  [ "$(mqrecv -T A sel | sort | tr '\n' ' ')" = '1 2 ' ]
  [ "$(mqrecv -T 'A||B' sel | wc -l)" -eq 3 ]
  [ "$(mqrecv --key needle sel)" = 3 ]
  run -1 mqrecv --key nothing sel
  [ "$(mqrecv -S -1h sel | wc -l)" -eq 3 ]
  [ "$(mqrecv -U -1h sel | wc -l)" -eq 0 ]
}

@test "a rerun with --resume sends only what was not acknowledged" {
  seq 1 1000 >"$work/in"
  mqsend -c 400 --resume "$work/journal" res <"$work/in"
  mqsend --resume "$work/journal" res <"$work/in"
  [ "$(mqrecv res | sort -n | md5sum)" = "$(md5sum <"$work/in")" ]
}

@test "mqdump shows what is on disk, and get finds a message in three ways" {
  echo look | mqsend -k k -T t dumped
  id=$(mqrecv -J dumped | jq -r .msgId)
  stop_mqd
  run -0 mqdump info "$store"
  assert_output --partial dumped
  [ "$(mqdump log -J "$store" | jq -r .body)" = look ]
  [ "$(mqdump get -J "$store" @0 | jq -r .body)" = look ]
  [ "$(mqdump get -J "$store" "$id" | jq -r .body)" = look ]
  queue=$(mqdump log -J "$store" | jq -r .queue)
  [ "$(mqdump get -J "$store" "dumped/$queue/0" | jq -r .body)" = look ]
  run -0 mqdump get --hex "$store" @0
  assert_output --partial storeTimestamp
}

@test "a reader that starts right behind a writer sees every line that was acknowledged" {
  local i
  for i in 1 2 3; do
    seq 1 300000 | mqsend "behind$i"
    run -0 bash -c "mqrecv behind$i | wc -l"
    assert_output 300000
  done
}

@test "a key can be looked up as soon as its message was acknowledged" {
  seq 1 200000 | mqsend behind
  seq 1 5 | sed 's/.*/last-&;value &/' | mqsend -K ';' behind
  run -0 mqrecv --key last-5 behind
  assert_output 'value 5'
}
