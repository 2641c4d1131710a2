#!/usr/bin/env bats
# mqrecv: each flag that pipes.bats does not show, group flags aside.
bats_require_minimum_version 1.5.0
load helpers

setup() { start_mqd; }

tries=200  # of wait_until
joined() { tr '\n' ' '; }

@test "a cursor file goes on where the last run ended, however it ended" {
  mqctl topic create t --queues 2
  seq 1 6 | mqsend -p 0 t
  run -0 mqrecv --cursor-file "$work/c" -c 4 t
  [ "$(joined <<<"$output")" = '1 2 3 4 ' ]
  jq -e '.v == 1 and (.queues | map(select(.topic == "t" and .queue == 0 and .next == 4)) | length == 1)' "$work/c"
  seq 7 8 | mqsend -p 1 t
  [ "$(mqrecv --cursor-file "$work/c" t | joined)" = '5 6 7 8 ' ]
  [ -z "$(mqrecv --cursor-file "$work/c" t)" ]
  # Nothing is remembered of what could not be written.
  echo 9 | mqsend -p 1 t
  run -74 bash -c "mqrecv --cursor-file '$work/c' t >/dev/full"
  [ "$(mqrecv --sort --cursor-file "$work/c" t)" = 9 ]
}

@test "a cursor file with -f begins behind it and is kept up to date" {
  echo 1 | mqsend -p 0 t
  mqrecv --cursor-file "$work/c" t >/dev/null
  echo 2 | mqsend -p 0 t
  mqrecv -f --cursor-file "$work/c" t >"$work/out" 3>&- &
  reader=$!
  wait_until grep -q 2 "$work/out"
  echo 3 | mqsend -p 0 t
  wait_until grep -q 3 "$work/out"
  kill -TERM "$reader"
  rc=0; wait "$reader" || rc=$?
  [ "$rc" -eq 143 ]
  [ "$(joined <"$work/out")" = '2 3 ' ]
  [ -z "$(mqrecv --cursor-file "$work/c" t)" ]
}

@test "a damaged cursor file is exit 65 and stays as it is; one ahead of the queue counts as its end" {
  echo 1 | mqsend -p 0 t
  echo '{"v":1,"queues":[{"topic' >"$work/c"
  run -65 mqrecv --cursor-file "$work/c" t
  assert_output --partial "$work/c"
  [ "$(cat "$work/c")" = '{"v":1,"queues":[{"topic' ]
  broker=$(mqrecv -J t | jq -r .broker)
  printf '{"v":1,"queues":[{"topic":"t","broker":"%s","queue":0,"next":99}]}' "$broker" >"$work/c"
  [ -z "$(mqrecv --cursor-file "$work/c" t)" ]
  echo 2 | mqsend -p 0 t
  [ "$(mqrecv --cursor-file "$work/c" t)" = 2 ]
}

@test "--dir writes files that rotate, compressed or not, and never over old ones" {
  seq 1 5000 | mqsend -p 0 t
  seq 1 100 | mqsend -p 0 u
  mkdir "$work/d" "$work/z"
  mqrecv --dir "$work/d" --rotate 4K t u
  files=("$work"/d/t.*)
  [ ${#files[@]} -ge 3 ]
  cat "${files[@]}" | cmp - <(seq 1 5000)  # their names sort in the order of writing
  cat "$work"/d/u.* | cmp - <(seq 1 100)
  before=$(checksums "$work/d")
  mqrecv --dir "$work/d" u
  files=("$work"/d/u.*)
  [ ${#files[@]} -eq 2 ]
  [ "$(grep -v '/u\.' <<<"$before" | wc -l)" -eq "$(checksums "$work/d" | grep -cv '/u\.')" ]
  mqrecv --dir "$work/z" --gzip t
  zcat "$work"/z/t.*.gz | cmp - <(seq 1 5000)
  run -66 mqrecv --dir "$work/none" t
  run -64 mqrecv --gzip t
}

@test "compressed files can be read while they grow" {
  mkdir "$work/z"
  echo 0 | mqsend -p 0 t
  mqrecv -f --dir "$work/z" --gzip t 3>&- &
  reader=$!
  for i in 1 2 3; do
    wait_until eval '[ $i -eq 1 ] || [ "$(zcat "$work"/z/*.gz | tail -1)" = $((i - 1)) ]'
    [ "$i" -gt 1 ] || wait_until eval '[ "$(mqstat -J | jq .heldPulls)" -ge 1 ]'
    echo $i | mqsend -p 0 t
  done
  wait_until eval '[ "$(zcat "$work"/z/*.gz | tail -1)" = 3 ]'
  kill "$reader"
}

@test "--sync is refused where there is no disk" {
  echo 1 | mqsend t
  run -64 mqrecv --sync t
  assert_output --partial 'not a file on a disk'
  mqrecv --sync t >"$work/out"
  [ "$(cat "$work/out")" = 1 ]
}

@test "ranges pick positions per queue" {
  seq 0 9 | mqsend -p 0 t
  while read -r range expected; do
    [ "$(mqrecv -p 0 -o "$range" t | tr -d '\n')" = "$expected" ] || { echo "$range"; false; }
  done <<'RANGES'
first 0123456789
7 789
+8 89
-3 789
2:5 234
:3 012
-4:-1 678
RANGES
  [ -z "$(mqrecv -o last t)" ]
  [ "$(mqrecv -o @-1h t | wc -l)" -eq 10 ]
  [ "$(mqrecv -o @-2h:@-1h t | wc -l)" -eq 0 ]
  run -64 mqrecv -o nonsense t
}

@test "since and until are exact to the millisecond, by store or born time" {
  for i in 1 2 3; do echo "$i" | mqsend -p 0 t; sleep 0.02; done
  mapfile -t at < <(mqrecv -F '%T\n' t)
  [ "$(mqrecv -S "@${at[1]}" t | joined)" = '2 3 ' ]
  [ "$(mqrecv -S "@$((at[1] + 1))" t | joined)" = '3 ' ]
  [ "$(mqrecv -U "@${at[1]}" t | joined)" = '1 2 ' ]
  [ "$(mqrecv -U "@$((at[1] - 1))" t | joined)" = '1 ' ]
  mapfile -t born < <(mqrecv -F '%B\n' t)
  [ "$(mqrecv --by born -S "@${born[1]}" -U "@${born[1]}" t | joined)" = '2 ' ]
}

@test "--sort merges queues by time, --tail takes the last over all" {
  mqctl topic create t --queues 3
  for i in 1 2 3 4 5 6; do echo $i | mqsend -p $((i % 3)) t; sleep 0.005; done
  [ "$(mqrecv --sort t | joined)" = '1 2 3 4 5 6 ' ]
  [ "$(mqrecv --tail 2 t | joined)" = '5 6 ' ]
  [ "$(mqrecv --sort -c 3 t | joined)" = '1 2 3 ' ]
}

@test "it ends after a count, a quiet time, a time, and says when nothing came" {
  seq 1 10 | mqsend t
  [ "$(mqrecv -c 3 t | wc -l)" -eq 3 ]
  run -0 timeout 20 mqrecv -f --idle 100ms t
  run -0 timeout 20 mqrecv -f --timeout 100ms t
  run -1 mqrecv --exit-empty -o last t
  run -0 mqrecv --exit-empty t
}

@test "bodies are matched by a regular expression, ids and keys are looked up" {
  printf 'apple\nbanana\n' | mqsend -k fruit t
  [ "$(mqrecv -G '^b.*a$' t)" = banana ]
  run -64 mqrecv -G '(' t
  id=$(mqrecv -J t | jq -r 'select(.body == "apple") | .msgId')
  offset_id=$(mqrecv -J t | jq -r 'select(.body == "apple") | .offsetMsgId')
  [ "$(mqrecv --id "$id" t)" = apple ]
  [ "$(mqrecv --id "$offset_id")" = apple ]
  [ "$(mqrecv --key fruit t | wc -l)" -eq 2 ]
  run -1 mqrecv --id 00000000000000000000000000000000 t
}

@test "more messages of one key than a look-up gives at a time are all found" {
  # A broker gives 64 at a time; pages are cut by store time.
  for from in 1 51 101; do seq $from $((from + 49)) | mqsend -k many t; done
  [ "$(mqrecv --key many t | sort -n | cksum)" = "$(seq 1 150 | cksum)" ]
}

@test "styles, headers only, and control bytes only on a terminal" {
  printf 'a\033[31mred\n' | mqsend -k k -T g t
  [ "$(mqrecv t)" = $'a\033[31mred' ]
  [[ $(mqrecv --style short t) == *" t/"*$'\033[31mred' ]]
  [[ $(mqrecv --style verbose t) == *'keys=k tag=g'* ]]
  [ "$(mqrecv --style json --headers-only t | jq 'has("body")')" = false ]
  [ "$(script -qec 'mqrecv t' /dev/null | tr -d '\r')" = 'a\x1b[31mred' ]
  [ "$(script -qec 'mqrecv -a t' /dev/null | tr -d '\r')" = $'a\033[31mred' ]
  run -64 mqrecv --style nonsense t
}

@test "--progress knows how much is left" {
  seq 1 100000 | mqsend t
  run -0 --separate-stderr mqrecv --progress t
  [[ $stderr == *'100000 msgs'* ]]
}

@test "it dies of the signal that ends it" {
  echo 1 | mqsend t
  mqrecv -f --tail 1 t >"$work/out" 3>&- &
  reader=$!
  wait_until grep -q 1 "$work/out"
  kill -INT "$reader" # ignored in background jobs of scripts unless it was caught
  rc=0; wait "$reader" || rc=$?
  [ "$rc" -eq 130 ]
}
