#!/usr/bin/env bash
# make demo: a broker on a throw-away store, data in, data out, and a look at the files. Prints each command it runs.
set -eu
PATH="$1:$PATH"
dir=$(mktemp -d "${TMPDIR:-/tmp}/mq-demo.XXXXXX")
export MQ_BROKER="unix:$dir/mqd.sock"
pid=
stop() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" || true; }
  rm -rf "$dir"
}
trap stop EXIT
run() { printf '\n$ %s\n' "${1//$dir/\$DIR}"; (eval "$1"); }

echo "DIR=$dir"
printf '\n$ %s\n' 'mqd --store $DIR/store --listen unix:$DIR/mqd.sock &'
mkfifo "$dir/ready"
mqd --store "$dir/store" --listen "$MQ_BROKER" --ready-fd 7 7>"$dir/ready" 2>"$dir/log" &
pid=$!
[ -n "$(head -c 1 <"$dir/ready" | tr '\0' x)" ] || { cat "$dir/log" >&2; exit 1; }
sed "s|$dir|\$DIR|g" "$dir/log"

# Real data that every Debian machine has.
run "dpkg-query -W | head -3 | mqsend --receipts $dir/receipts packages; cat $dir/receipts"
run "dpkg-query -W | mqsend packages"
run "mqrecv -c 3 packages"
run "seq 1 5 | sed 's/.*/order-&;paid order &/' | mqsend -K ';' -T paid orders"
run "mqrecv -F '%p/%o %k [%g] %s\n' orders"
run "mqrecv --key order-3 -J orders | jq -c '{topic,queue,offset,keys,tag,body}'"
run "seq 1 1000000 | mqsend numbers && mqrecv numbers | sort -n | tail -1"
run "mqstat topics"
run "mqstat store"
run "mqdump info $dir/store"
run "mqdump log $dir/store | head -3"
run "mqdump get --hex $dir/store @0"
printf '\n$ kill %%1; wait\n'
kill "$pid"
wait "$pid"
pid=
sed "s|$dir|\$DIR|g" "$dir/log" | tail -1
