#!/usr/bin/env bash
# Goal: our tools work with Apache's broker and name server as with mqd: members of groups that share, take over and
# leave, retries and dead letters, positions, who is on line, topics and groups.
# Method: one stock broker with delay levels of a second; the tools are given its name server and compared with what is
# known of what was sent.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }
start_apache "$tmp/store" mappedFileSizeCommitLog=33554432 flushCommitLogThoroughInterval=500 \
  'messageDelayLevel=1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s' || { fail "Apache's broker starts"; exit 1; }
export NAMESRV_ADDR=$namesrv

# wait_until COMMAND...: until it succeeds, at most 60 s.
wait_until() {
  local i
  for ((i = 0; i < 300; i++)); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done
  "$@"
}
# have EXPECTED FILES...: exactly these lines, each once, in any order.
have() { diff <(sort -n <<<"$1") <(cat "${@:2}" | sort -n); }
# member OUT ARGS...: in the background; its pid in $member.
member() {
  mqrecv "${@:2}" >"$tmp/$1" 2>"$tmp/$1.err" &
  member=$!
  pids+=("$member")
}
members_are() { [ "$(mqstat -J groups | jq -r --arg g "$1" 'select(.group == $g) | .members')" = "$2" ]; }

reads_once() {
  mqctl topic create t --queues 4 && seq 1 100 | mqsend --batch 100 t &&
    timeout 60 mqrecv -g once -c 60 t >"$tmp/once1" && timeout 60 mqrecv -g once -c 40 t >"$tmp/once2" &&
    have "$(seq 1 100)" "$tmp/once1" "$tmp/once2"
}
check "a group reads everything once, and goes on where it left" reads_once

# Once the second gets something, both have their shares; what was sent meanwhile may have come to both.
share() {
  local first i
  member a -g shared t && first=$member && wait_until have "$(seq 1 100)" "$tmp/a" && member b -g shared t || return
  for ((i = 0; i < 300; i++)); do
    echo "probe $i" | mqsend -p $((i % 4)) t || return
    [ -s "$tmp/b" ] && break
    sleep 0.2
  done
  seq 101 140 | mqsend --batch 1 t && wait_until numbers_are "$(seq 1 140)" -nu || return
  kill -TERM "$first"
  wait "$first"
  seq 141 180 | mqsend --batch 1 t && wait_until numbers_are "$(seq 1 180)" -nu && numbers_are "$(seq 101 180)" -n 101
}
# numbers_are EXPECTED SORT [FROM]: what members printed, but for probes and numbers before FROM.
numbers_are() { diff <(sort -n <<<"$1") <(cat "$tmp/a" "$tmp/b" | awk -v from="${3:-0}" '!/probe/ && $1 >= from' | sort "$2"); }
check "members share, and a clean leave repeats nothing" share
b=$member
clients() { mqstat -J clients | jq -e --arg p "@$b#" 'select(.group == "shared" and (.client | contains($p)))'; }
check "mqstat clients shows who is on line" clients

take_over() {
  member c -g shared t && wait_until members_are shared 2 || return
  kill -KILL "$b"
  seq 181 220 | mqsend --batch 1 t && wait_until eval 'diff <(seq 1 220) <(grep -hv probe "$tmp"/[abc] | sort -nu)'
  kill -TERM "$member"
  wait "$member"
  mqstat --wait lag=0 -g shared --timeout 30s
}
check "a killed member's queues are taken over" take_over

orderly() {
  mqctl topic create o --queues 2 || return
  local q
  for q in 0 1; do seq 1 20 | mqsend -p "$q" o || return; done
  timeout 60 mqrecv -g ord --orderly --drain 30s -F '%p %s\n' -c 15 o >"$tmp/o1" && timeout 60 mqrecv -g ord --orderly -F '%p %s\n' -c 25 o >"$tmp/o2" || return
  for q in 0 1; do diff <(seq 1 20) <(cat "$tmp/o1" "$tmp/o2" | sed -n "s/^$q //p") || return; done
}
check "orderly members keep the order of a queue" orderly

broadcast() {
  mqctl topic create s1 --queues 2 && seq 1 100 | mqsend --batch 10 s1 && timeout 60 mqrecv -g cast --broadcast --cursor-file "$tmp/cursor" -c 100 s1 >"$tmp/cast1" && have "$(seq 1 100)" "$tmp/cast1" &&
    seq 101 105 | mqsend s1 && timeout 60 mqrecv -g cast --broadcast --cursor-file "$tmp/cursor" -c 5 s1 >"$tmp/cast2" &&
    have "$(seq 101 105)" "$tmp/cast2"
}
check "broadcasting goes on from a cursor file" broadcast

sharded() {
  mqctl topic create s --queues 4 && printf 'a 1\nb 2\na 3\nb 4\n' | mqsend -K ' ' --shard-by key s &&
    [ "$(mqrecv -J s | jq -s '[group_by(.keys[0])[] | map(.queue) | unique | length] == [1, 1]')" = true ]
}
check "messages of a key share a queue" sharded
delayed() {
  mqctl topic create d --queues 1 && echo late | mqsend --delay-level 3 d &&
    [ "$(timeout 60 mqrecv -g late -c 1 -J d | jq '.body == "late" and .storeTime - .bornTime >= 900')" = true ]
}
check "a delay level delays" delayed

cat >"$tmp/handle" <<SH
read -r body
echo "\$body \$MQ_MSG_TOPIC \$MQ_MSG_RECONSUME_TIMES" >>"$tmp/log"
case \$body in
  flaky) [ "\$MQ_MSG_RECONSUME_TIMES" -ge 1 ] || exit 3 ;;
  hopeless*) exit 100 ;;
esac
SH
dead_are() { [ "$(mqctl dlq list -J work | jq "$1")" = "$2" ]; }
retries() {
  mqctl topic create w --queues 2 && printf 'good\nflaky\nhopeless1\nhopeless2\n' | mqsend w || return
  member w -g work --jobs 2 --exec "sh $tmp/handle" w
  wait_until grep -q 'flaky w 1' "$tmp/log" && wait_until dead_are .open 2 || return
  kill -TERM "$member"
  wait "$member"
  diff <(printf '%s\n' 'flaky w 0' 'flaky w 1' 'good w 0' 'hopeless1 w 0' 'hopeless2 w 0') <(sort "$tmp/log")
}
check "a command's failure comes again, or is a dead letter" retries
dead_letters() {
  local id
  [ "$(mqctl dlq show work -F '%s %H{RETRY_TOPIC}\n' | sort)" = $'hopeless1 w\nhopeless2 w' ] &&
    id=$(mqctl dlq show work -J | jq -r 'select(.body == "hopeless1") | .msgId') &&
    mqctl dlq resend work -c 1 && dead_are .open 1 &&
    timeout 60 mqrecv -g work -c 1 -F '%s %t %r\n' w >"$tmp/again" && grep -q '^hopeless. w 0$' "$tmp/again" &&
    mqctl dlq resend work --id "$id" && [ "$(timeout 60 mqrecv -g work -c 1 -F '%s %i\n' w)" = "hopeless1 $id" ] &&
    [ "$(mqctl dlq drain work -F '%s\n' | wc -l)" -eq 1 ] && ! mqctl dlq show work && mqctl dlq list --all work | grep -q 'open=0 kept=2'
}
check "dead letters are shown, resent to their group, drained" dead_letters

position() { mqstat -J group "$1" -t x | jq -s -c 'map(.committed)'; }
positions() {
  mqctl topic create x --queues 1 && seq 1 10 | mqsend x && timeout 60 mqrecv -g pos -c 10 x >/dev/null &&
    [ "$(position pos)" = '[10]' ] && mqctl group reset pos x --to 4 && [ "$(timeout 60 mqrecv -g pos -c 6 x | head -1)" = 5 ] &&
    mqctl group create copy && mqctl group reset pos x --to first && mqctl group clone pos copy && mqctl group skip pos x --yes &&
    [ "$(timeout 60 mqrecv -g copy -c 10 x | wc -l)" -eq 10 ] && [ -z "$(timeout 60 mqrecv -g pos --idle 5s x)" ]
}
check "positions are reset, skipped, cloned" positions
groups() {
  mqctl group create made --retry-max 3 --consume off && mqctl group alter made --consume on &&
    [ "$(mqctl group show made -J | jq -c '[.consume,.retryMax]')" = '[true,3]' ] && mqctl group list | grep -qx made &&
    mqctl group delete made --yes && ! mqctl group list | grep -qx made
}
check "groups are made, altered, deleted" groups
cluster() {
  [ "$(mqstat -J cluster | jq -r '[.broker,.state] | join(" ")')" = 'broker-a ok' ] &&
    mqstat --check lag -g shared --warn 0 --crit 5 | grep -q '^\(OK\|WARNING\|CRITICAL\) - lag=' &&
    mqstat --check disk --warn 101 --crit 101
}
check "mqstat cluster and --check" cluster

settings() {
  [ "$(mqctl broker config fileReservedTime)" = fileReservedTime=1000000 ] && mqctl broker config fileReservedTime=1000001 &&
    [ "$(mqctl broker config fileReservedTime)" = fileReservedTime=1000001 ] &&
    mqctl broker show | grep -q '^brokerVersionDesc=V5_3_3$' && mqctl store sync && mqctl store expire
}
check "settings are shown and changed" settings
name_server() {
  [ "$(mqctl ns list)" = "$namesrv ok brokers=broker-a" ] && mqctl ns config listenPort | grep -qx "listenPort=$namesrv_port"
}
check "the name server is asked" name_server
no_writes() {
  local rc=0
  mqctl broker wipe-write broker-a || return
  mqsend t -m no || rc=$?
  mqctl broker wipe-write broker-a --undo && [ "$rc" -eq 77 ] && mqsend t -m yes
}
check "writes are taken away and given back" no_writes
moved() {
  mqctl export >"$tmp/theirs" && mqctl apply -f "$tmp/theirs" 2>&1 | grep -q ' 0 created, 0 altered, ' &&
    start_mqd "$tmp/own" && mqctl -b "$mq_socket" apply -f "$tmp/theirs" && mqctl -b "$mq_socket" export >"$tmp/ours" &&
    diff "$tmp/theirs" "$tmp/ours"
}
check "topics and groups move from Apache's broker to mqd" moved
