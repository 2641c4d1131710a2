#!/usr/bin/env bats
# mqsend: each flag that pipes.bats does not show.
bats_require_minimum_version 1.5.0
load helpers

setup() { start_mqd; }

# wait_until COMMAND...: until it succeeds, at most 20 s.
tries=200  # of wait_until

@test "a resumed run repeats nothing, whatever was passed over before" {
  printf 'a\n\nb\n' >"$work/in"
  mqsend --resume "$work/j" t <"$work/in"
  [ "$(cat "$work/j")" = "mqsend-resume 1 5 3" ]
  printf 'c\n\n\nd\n' >>"$work/in"
  mqsend --resume "$work/j" t <"$work/in"
  [ "$(cat "$work/j")" = "mqsend-resume 1 11 7" ]
  [ "$(mqrecv t | sort | tr -d '\n')" = abcd ]
}

@test "acknowledgements out of order leave no gap in the journal" {
  seq 1 20000 >"$work/in"
  mqsend --resume "$work/j" --batch 1K --inflight 16 t <"$work/in"
  [ "$(cat "$work/j")" = "mqsend-resume 1 $(stat -c %s "$work/in") 20000" ]
  mqsend --resume "$work/j" t <"$work/in"
  [ "$(mqrecv t | wc -l)" -eq 20000 ]
}

@test "--resume refuses a file that is no journal" {
  echo hello >"$work/j"
  run -64 mqsend --resume "$work/j" t </dev/null
  assert_output --partial 'no journal'
  [ "$(cat "$work/j")" = hello ]
}

@test "receipts name record, byte, id, queue, offset and status" {
  printf 'one\ntwo\n' | mqsend -p 2 --receipts "$work/r" -R '%n|%x|%i|%b|%p|%o|%e|%%\n' t
  mapfile -t lines <"$work/r"
  [[ ${lines[0]} =~ ^1\|0\|[0-9A-F]{32}\|[^|]+\|2\|0\|SEND_OK\|%$ ]]
  [[ ${lines[1]} =~ ^2\|4\|[0-9A-F]{32}\|[^|]+\|2\|1\|SEND_OK\|%$ ]]
  [ "$(cut -d'|' -f3 "$work/r" | sort)" = "$(mqrecv -F '%i\n' t | sort)" ]
  run -64 mqsend --receipts "$work/r" -R '%q' t -m x
  echo before >"$work/both"
  mqsend --receipts /dev/stderr -R 'at %o\n' t -m three 2>>"$work/both"
  grep -qx before "$work/both"
  grep -q '^at ' "$work/both"
}

@test "a format reads back what mqrecv printed with it" {
  printf 'k1\tg1\thello there\nk2\t\t{"a":1}\n' | mqsend -F '%k\t%g\t%s\n' -H region=eu a
  for f in '%t|%p|%o|%k|%g|%H{region}|%s\n' '%k %s{json} %g %H{region}\n' '%S{be32}%s%k{hex}/%g{base64}/%H{region}\n' '%i %k,%g,%H{region},%s{hex}\n'; do
    mqctl topic delete --yes --if-exists b
    mqrecv -F "$f" a | mqsend -F "$f" b
    diff <(mqrecv -F '%k|%g|%H{region}|%s\n' a | sort) <(mqrecv -F '%k|%g|%H{region}|%s\n' b | sort)
  done
  run -65 mqsend -F '%k\t%s\n' a <<<'no tab in it'
  run -64 mqsend -F '%k%s' a </dev/null
  run -64 mqsend -F '%Q' a </dev/null
}

@test "--use sends each record to the topic and the queue that it names" {
  mqctl topic create x --queues 3
  mqctl topic create y --queues 3
  printf '%s\n' '{"topic":"x","queue":2,"body":"1"}' '{"topic":"y","queue":0,"body":"2"}' |
    mqsend -J --use topic,queue x
  [ "$(mqrecv -F '%t/%p %s\n' x y)" = $'x/2 1\ny/0 2' ]
  printf 'y\t1\tthree\n' | mqsend -F '%t\t%p\t%s\n' --use topic --use queue x
  [ "$(mqrecv -p 1 y)" = three ]
  run -65 mqsend -J --use queue x <<<'{"body":"nowhere"}'
  run -64 mqsend --use queue x </dev/null
}

@test "--shard-by puts a key where Java's SelectMessageQueueByHash puts it" {
  mqctl topic create s --queues 5
  for i in $(seq 1 40); do printf 'order-%s\tbody %s\n' "$i" "$i"; done >"$work/in"
  mqsend -K '\t' --shard-by key s <"$work/in"
  mqsend -K '\t' --shard-by key s <"$work/in"
  mqrecv -F '%k %p\n' s | sort -u >"$work/where"
  [ "$(wc -l <"$work/where")" -eq 40 ]  # one queue a key
  python3 - "$work/where" <<'PY'
import sys
for line in open(sys.argv[1]):
    key, queue = line.split()
    h = 0
    for c in key:
        h = (31 * h + ord(c)) & 0xFFFFFFFF
    h -= (h & 0x80000000) << 1
    assert abs(int(abs(h) % 5)) == int(queue), (key, queue)
PY
  printf 'x\n' | mqsend -H region=eu --shard-by region s
  run -65 mqsend --shard-by region s -m x
}

@test "--dry-run counts and sends nothing" {
  run -0 mqsend --dry-run t <<<$'a\n\nb'
  assert_output --partial '2 messages, 2 bytes; nothing was sent'
  run -66 mqrecv t
}

@test "--empty and --oversize do as they are told, and say how many" {
  run -65 mqsend --empty fail t <<<''
  printf 'a\n\n' | mqsend --empty fill=- t
  [ "$(mqrecv t | sort | tr -d '\n')" = '-a' ]
  printf 'small\nlarger than ten\n' >"$work/in"
  run -0 mqsend --max-size 10 --oversize skip u <"$work/in"
  assert_output --partial '1 records skipped as too large'
  [ "$(mqrecv u)" = small ]
}

@test "-m leaves standard input alone" {
  { mqsend t -m body; cat; } <<<'left' >"$work/out"
  [ "$(cat "$work/out")" = left ]
  [ "$(mqrecv t)" = body ]
}

@test "a file that is missing is exit 66, the others are sent" {
  echo content >"$work/a"
  run -66 mqsend t "$work/missing" "$work/a"
  assert_output --partial missing
  [ "$(mqrecv t)" = content ]
}

@test "-l splits files, without it each is one message" {
  printf '1\n2\n' >"$work/a"
  mqsend t "$work/a" && mqsend -l u "$work/a"
  [ "$(mqrecv -0 t | tr '\n\0' '|.')" = '1|2|.' ]
  [ "$(mqrecv u | wc -l)" -eq 2 ]
}

@test "--rate holds back, -c stops" {
  begin=$(date +%s%N)
  yes | mqsend --rate 50 -c 11 t
  [ $(($(date +%s%N) - begin)) -ge 190000000 ]
  [ "$(mqrecv t | wc -l)" -eq 11 ]
}

@test "--oneway and --sync deliver" {
  seq 1 100 | mqsend --oneway t
  wait_until eval '[ "$(mqrecv t | wc -l)" -eq 100 ]'
  seq 1 100 | mqsend --sync u
  [ "$(mqrecv u | wc -l)" -eq 100 ]
}

@test "--create makes the topic, and only if it is not there" {
  mqsend --create 3 t -m x
  [ "$(mqctl topic show -J t | jq .writeQueues)" -eq 3 ]
  mqsend --create 7 t -m x
  [ "$(mqctl topic show -J t | jq .writeQueues)" -eq 3 ]
}

@test "--stats and --progress tell on stderr, SIGUSR1 prints a line" {
  run -0 --separate-stderr mqsend --stats --progress t < <(seq 1 1000)
  [ -z "$output" ]
  [[ $stderr == *'1000 messages'*'latency p50'* ]]
  [[ $stderr == *'1000 msgs'* ]]
  mkfifo "$work/slow"
  mqsend t <"$work/slow" 2>"$work/err" 3>&- &
  sender=$!
  exec 9>"$work/slow"
  echo one >&9
  wait_until eval '[ "$(mqrecv t | wc -l)" -eq 1001 ]'
  kill -USR1 "$sender"
  wait_until grep -q '1 msgs' "$work/err"
  exec 9>&-
  wait "$sender"
}

@test "a signal ends it after --drain when the broker is silent, else by that signal" {
  mkfifo "$work/slow"
  mqsend t <"$work/slow" 3>&- &
  sender=$!
  exec 9>"$work/slow"
  echo one >&9
  wait_until eval '[ "$(mqrecv t | wc -l)" -eq 1 ]'
  kill -TERM "$sender"
  rc=0; wait "$sender" || rc=$?
  [ "$rc" -eq 143 ]
  kill -STOP "$mqd_pid"
  mqsend --drain 300ms t <"$work/slow" 2>"$work/err" 3>&- &
  sender=$!
  sleep 0.2  # it is connecting to a stopped daemon: nothing to wait for
  kill -TERM "$sender"
  kill -CONT "$mqd_pid"
  rc=0; wait "$sender" || rc=$?
  [ "$rc" -eq 143 ]
  exec 9>&-
}

@test "a pipe waits for a busy broker, more often than it tries other refusals again" {
  mqctl topic create t
  relay 4
  run -0 mqsend -b "unix:$sock_dir/relay" --retries 1 t < <(seq 1 3)
  [ "$(mqrecv t | sort | tr -d '\n')" = 123 ]
}

@test "with --retries 0 a busy broker is not asked again, exit 75" {
  mqctl topic create t
  relay 1
  run -75 mqsend -b "unix:$sock_dir/relay" --retries 0 t <<<one
  assert_output --partial 'SYSTEM_BUSY (2): [TIMEOUT_CLEAN_QUEUE]broker busy'
  [ -z "$(mqrecv t)" ]
}

@test "a disk slower than the pipe holds the pipe back, for as long as it is slow" {
  stop_mqd
  store=$work/other
  printf 'mappedFileSizeCommitLog=1048576\nwaitTimeMillsInSendQueue=1\n' >"$work/conf"
  start_mqd -c "$work/conf"
  seq 1 200000 | timeout 50 mqsend t
  [ "$(mqrecv t | sort -n | sha256sum)" = "$(seq 1 200000 | sha256sum)" ]
}

@test "an error that nobody reads does not change the exit code" {
  exec 7> >(exit)
  wait "$!"
  run -69 bash -c "mqsend -b unix:$sock_dir/none t <<<one 2>&7"
}

@test "what is under way when the broker falls silent is told as not delivered, exit 75" {
  mqctl topic create t
  mkfifo "$work/slow"
  mqsend --drain 300ms --linger 1ms t <"$work/slow" 2>"$work/err" 3>&- &
  sender=$!
  exec 9>"$work/slow"
  echo one >&9
  wait_until eval '[ "$(mqrecv t | wc -l)" -eq 1 ]'
  kill -STOP "$mqd_pid"
  taken() { awk '/^rchar/ { print $2 }' "/proc/$sender/io"; }
  before=$(taken)
  echo two >&9
  wait_until eval '[ "$(taken)" -gt "$before" ]'
  sleep 1  # far past the linger: the second is under way
  kill -TERM "$sender"
  rc=0; wait "$sender" || rc=$?
  kill -CONT "$mqd_pid"
  exec 9>&-
  [ "$rc" -eq 75 ]
  grep -q 'records 2 to 2 .*not delivered' "$work/err"
}

@test "--bench makes its load and measures it, as rows with --csv" {
  run -0 mqsend --bench --size 100 --clients 3 -c 1000 t
  assert_output --partial '1000 messages of 100B by 3 clients'
  assert_output --partial 'p99.9'
  [ "$(mqrecv -F '%S\n' t | sort | uniq -c | tr -s ' ')" = ' 1000 100' ]
  run -0 mqsend --bench --csv -c 10 --rate 1000 u
  assert_line --index 0 'seconds,messages,bytes,per_second,p50_us,p99_us,max_us'
  assert_line --regexp '^[0-9.]+,10,10240,'
  run -64 mqsend --bench t file
}

@test "reserved names and separators are refused as properties" {
  run -64 mqsend -H KEYS=x t -m x
  run -64 mqsend -H $'a=b\x02c' t -m x
  run -64 mqsend -H TRAN_MSG=true t -m x
}

@test "a batch that the broker refuses goes in halves: in order, and one bad message costs itself alone" {
  stop_mqd
  rm -rf "$store"
  start_mqd -o mappedFileSizeCommitLog=131072 -o maxMessageSize=4096
  seq 30000 | mqsend --queue 0 --tee --receipts "$work/receipts" small >"$work/tee"
  cmp "$work/tee" <(seq 30000)
  cmp <(mqrecv small) <(seq 30000)
  cmp <(mqrecv -F '%o %i\n' small) <(awk '{ print $5, $3 }' "$work/receipts")
  { seq 500; printf '%06000d\n' 0; seq 501 1000; } >"$work/lines"
  run -65 mqsend one <"$work/lines"
  [ "${lines[-2]}" = "mqsend: records 501 to 501 (bytes 1892 to 7893) not delivered: DEFAULT_BROKER: MESSAGE_ILLEGAL (13): body of 6000 bytes, maxMessageSize is 4096; see mq-errors(7)" ]
  [ "${lines[-1]}" = "mqsend: 1000 records acknowledged, 1 not delivered" ]
  cmp <(mqrecv one | sort -n) <(seq 1000)
}
