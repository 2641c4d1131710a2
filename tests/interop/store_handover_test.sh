#!/usr/bin/env bash
# Goal: a store goes from mqd to Apache's broker and back, after a clean exit and after kill -9, and every message is
# served the same by both.
# Method: mqd fills a store of small files (every way mqsend takes input, batches, tags, keys, Chinese text, sizes from one
# byte to the maximum, rolled files, the oldest deleted again); the stock broker opens it and is read through the
# official client; it adds messages of its own; mqd takes the store back, and so on.
set -u
. "$(dirname "$0")/lib.sh"
same=$root/tests/support/same_messages.py
bring_peers || { fail "the peers come from the package registry"; exit 1; }
start_namesrv || { fail "the name server starts"; exit 1; }

sizes=(mappedFileSizeCommitLog=5242880 mappedFileSizeConsumeQueue=4000 maxHashSlotNum=1000 maxIndexNum=4000)
conf=$tmp/mqd.conf
printf '%s\n' brokerName=broker-a brokerClusterName=DefaultCluster fileReservedTime=1000000 "${sizes[@]}" >"$conf"
store=$tmp/store
topics=(lines chinese keyed files json sizes)

seq -f 'line %g of a file that is one message' 1 400 >"$tmp/whole.file"
fill() {  # as many ways in as mqsend has
  local to=("-b" "$mq_socket")
  seq -f 'line %g of the first topic' 1 3000 | mqsend "${to[@]}" lines &&
    printf '%s\n' 你好 世界 "消息队列 $1" | mqsend "${to[@]}" -T 标签 -k 键 chinese &&
    seq 1 200 | sed 's/.*/key-&\tvalue &/' | mqsend "${to[@]}" -K '\t' -T paid -H region=eu keyed &&
    printf 'a\0b\n\0c' | mqsend "${to[@]}" -0 files && mqsend "${to[@]}" files -m 'one literal body' &&
    head -c 20000 /dev/urandom | mqsend "${to[@]}" -B files && mqsend "${to[@]}" files "$tmp/whole.file" &&
    mqrecv "${to[@]}" -J keyed | mqsend "${to[@]}" -J json &&
    for bytes in 1 2 100 4095 4096 65535 65536 1000000 4194304; do
      head -c $bytes /dev/zero | tr '\0' x | mqsend "${to[@]}" -B sizes || return 1
    done
}
ours() { mqrecv -b "$mq_socket" -J --all-properties "${topics[@]}" >"$1"; }
theirs() { peer dump "$namesrv" "${topics[@]}" >"$1"; }
keys() { for k in key-1 key-77 key-200; do mqrecv -b "$mq_socket" -J --key $k keyed | jq .physicalOffset | sort -n | tr '\n' ' '; echo; done; }
their_keys() { peer query "$namesrv" keyed key-1 key-77 key-200 | jq -r '.physicalOffsets | map("\(.) ") | join("")'; }

start_mqd "$store" -c "$conf" || { fail "mqd starts" "$tmp/mqd.log"; exit 1; }
check "mqd is filled in every way of input" fill first
ours "$tmp/ours1"
keys >"$tmp/keys1"
stop_mqd
[ "$(find "$store/commitlog" -type f | wc -l)" -ge 2 ] && pass "the log has rolled" || fail "the log has rolled"

check "Apache's broker opens the store after a clean exit" start_apache "$store" "${sizes[@]}"
check "its client reads it" theirs "$tmp/theirs1"
check "every message is the same" "$same" "$tmp/ours1" "$tmp/theirs1"
their_keys >"$tmp/their_keys1"
check "look-ups by key are the same" diff "$tmp/keys1" "$tmp/their_keys1"
check "Apache's broker goes on with it" peer send "$namesrv" lines 40 fromApache
theirs "$tmp/theirs2"
stop_apache

start_mqd "$store" -c "$conf" || fail "mqd takes it back" "$tmp/mqd.log"
ours "$tmp/ours2"
check "mqd takes it back and serves what Apache added" "$same" "$tmp/ours2" "$tmp/theirs2"
check "mqd goes on with it" fill second
ours "$tmp/ours3"
stop_mqd KILL

check "Apache's broker opens the store after kill -9 of mqd" start_apache "$store" "${sizes[@]}"
theirs "$tmp/theirs3"
check "every message is the same after kill -9" "$same" "$tmp/ours3" "$tmp/theirs3"
peer send "$namesrv" chinese 20 again >/dev/null
theirs "$tmp/theirs4"
stop_apache KILL

start_mqd "$store" -c "$conf" || fail "mqd opens the store after kill -9 of Apache's broker" "$tmp/mqd.log"
ours "$tmp/ours4"
check "mqd serves everything after kill -9 of Apache's broker" "$same" "$tmp/ours4" "$tmp/theirs4"
stop_mqd

# Retention: everything but the newest file is older than zero hours.
hour=$(date +%H)
next=$(date -d '+1 hour' +%H)
start_mqd "$store" -c "$conf" -o fileReservedTime=0 -o "deleteWhen=$hour;$next" -o cleanResourceInterval=500 || fail "mqd starts" "$tmp/mqd.log"
for _ in $(seq 100); do
  [ "$(find "$store/commitlog" -type f ! -size 0 | wc -l)" -le 2 ] && break
  sleep 0.1
done
seq -f 'after deletion %g' 1 100 | mqsend -b "$mq_socket" lines
ours "$tmp/ours5"
stop_mqd
check "old files are gone" test "$(find "$store/commitlog" -type f -name '00000000000000000000' | wc -l)" -eq 0
check "Apache's broker opens the store after deletion of old files" start_apache "$store" "${sizes[@]}"
theirs "$tmp/theirs5"
check "every message left is the same" "$same" "$tmp/ours5" "$tmp/theirs5"
stop_apache
start_mqd "$store" -c "$conf" || fail "mqd starts" "$tmp/mqd.log"
ours "$tmp/ours6"
check "and mqd takes it back" "$same" "$tmp/ours6" "$tmp/theirs5"
stop_mqd
