#!/usr/bin/env bats
# Pop consumption with our own tools, and through kills. The protocol's cases are in conformance_pop.bats.
load helpers
export MQ_SUPPORT=$BATS_TEST_DIRNAME/../support

@test "mqrecv --pop prints every message once, and the group is done with them" {
  start_mqd
  mqctl topic create t --queues 3
  seq 100 | mqsend t
  run mqrecv -q -g G --pop --idle 1s t
  [ "$status" -eq 0 ]
  [ "$(sort -n <<<"$output")" = "$(seq 100)" ]
  run mqrecv -q -g G --pop --idle 500ms --exit-empty t
  [ "$status" -eq 1 ]
}

@test "mqrecv --pop: several members share the messages, and wait for new ones" {
  start_mqd
  mqctl topic create t --queues 1
  mqrecv -q -g G --pop --timeout 60s t >"$work/a" 3>&- & a=$!
  mqrecv -q -g G --pop --timeout 60s t >"$work/b" 3>&- & b=$!
  seq 200 | mqsend --batch 1 t
  for _ in $(seq 300); do
    [ "$(cat "$work/a" "$work/b" | wc -l)" -ge 200 ] && break
    sleep 0.1
  done
  kill "$a" "$b"
  wait "$a" "$b" || true
  [ "$(sort -n "$work/a" "$work/b")" = "$(seq 200)" ]
}

@test "mqrecv --pop -c: what was not printed is there for others at once" {
  start_mqd
  mqctl topic create t --queues 2
  seq 10 | mqsend t
  run mqrecv -q -g G --pop --invisible 5m -c 4 --timeout 60s t
  [ "$status" -eq 0 ]
  first=$output
  [ "$(wc -l <<<"$first")" -eq 4 ]
  run mqrecv -q -g G --pop -c 6 --timeout 60s t
  [ "$status" -eq 0 ]
  [ "$(sort -n <<<"$first"$'\n'"$output")" = "$(seq 10)" ]
}

@test "mqrecv --pop -T takes what its tags want" {
  start_mqd
  mqctl topic create t --queues 1
  printf 'a\n' | mqsend -T A t
  printf 'b\n' | mqsend -T B t
  run mqrecv -q -g G --pop -T B --idle 1s t
  [ "$output" = b ]
}

@test "options that go together, and those that do not" {
  for args in "--pop t" "-g G --pop --orderly t" "-g G --pop --exec true t" "-g G --invisible 5s t" "-g G --pop -o 5 t"; do
    # shellcheck disable=SC2086
    run mqrecv $args
    [ "$status" -eq 64 ]
  done
}

# Goal: SIGKILL of the daemon with messages out loses nothing, and only what was not acknowledged comes again.
@test "kill -9 with messages out: nothing is lost, nothing acknowledged comes again" {
  start_mqd
  mqctl topic create t --queues 2
  seq 40 | mqsend t
  python3 - "$MQ_BROKER" <<'PY' >"$work/acked"
import os, sys, time
sys.path.insert(0, os.environ['MQ_SUPPORT'])
from remoting import Client
c = Client(sys.argv[1])
out = []
for _ in range(10):
    r = c.ask(200050, consumerGroup='G', topic='t', queueId=-1, maxMsgNums=3, invisibleTime=4000, pollTime=0,
              bornTime=int(time.time() * 1000), initMode=0)
    starts = {i.split()[1]: i.split()[2] for i in r.ext['startOffsetInfo'].split(';')}
    for item in r.ext['msgOffsetInfo'].split(';'):
        _, queue, offsets = item.split()
        out += [(r.ext, queue, starts[queue], o) for o in offsets.split(',')]
assert len(out) == 30, len(out)
for n, (e, queue, start, offset) in enumerate(out):
    if n % 3:
        continue
    handle = f"{start} {e['popTime']} {e['invisibleTime']} {e['reviveQid']} 0 DEFAULT_BROKER {queue} {offset}"
    a = c.ask(200051, consumerGroup='G', topic='t', queueId=queue, extraInfo=handle, offset=offset)
    assert a.code == 0, a.remark
    print(queue, offset)
PY
  stop_mqd KILL || true
  [ "$(wc -l <"$work/acked")" -eq 10 ]
  start_mqd
  run mqrecv -q -J t
  jq -r '"\(.queue) \(.offset) \(.body)"' <<<"$output" | sort >"$work/all"
  sort "$work/acked" >"$work/acked.sorted"
  # Everything else, once each.
  join -v 1 <(awk '{print $1"/"$2, $3}' "$work/all" | sort) <(awk '{print $1"/"$2}' "$work/acked.sorted" | sort) | awk '{print $2}' | sort -n >"$work/expected"
  run mqrecv -q -g G --pop -c 30 --timeout 90s t
  [ "$status" -eq 0 ]
  [ "$(sort -n <<<"$output")" = "$(cat "$work/expected")" ]
  run mqrecv -q -g G --pop --idle 7s --exit-empty t
  [ "$status" -eq 1 ]
}
