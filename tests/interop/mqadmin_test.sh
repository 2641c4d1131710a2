#!/usr/bin/env bash
# Goal: mqadmin and the dashboard do not notice which broker they administer.
# Method: the official mqadmin, all commands in one process, runs each command of mqadmin/commands.txt against Apache's broker
# and against mqd, which hold the same topics, messages and clients; the two answers are compared. docs/compat.md lists
# every command of mqadmin with its state, and has to say the same as what is compared here.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "peers are brought in"; exit 1; }
compare=$here/mqadmin/compare.py
commands=$here/mqadmin/commands.txt

start_namesrv || { fail "Apache's name server starts"; exit 1; }
start_apache "$tmp/apache" mappedFileSizeCommitLog=16777216 traceTopicEnable=true waitTimeMillsInSendQueue=30000 \
  waitTimeMillsInPullQueue=30000 waitTimeMillsInHeartbeatQueue=60000 || { fail "Apache's broker starts"; exit 1; }
start_mqd "$tmp/mqd" -o brokerName=broker-a -o mappedFileSizeCommitLog=16777216 -o traceTopicEnable=true || { fail "mqd starts"; exit 1; }

mkfifo "$tmp/stay"
"${java[@]}" -Xmx256m peer.Resident "$namesrv" "$mqd_tcp" <"$tmp/stay" >"$tmp/resident.out" 2>&1 &
resident=$!
pids+=("$resident")
exec 8>"$tmp/stay"
there() { [ "$(grep -c '^{' "$tmp/resident.out")" -eq 2 ]; }
for ((i = 0; i < 3000; i++)); do
  there && break
  kill -0 "$resident" 2>/dev/null || break
  sleep 0.1
done
there || { fail "producer and consumers are on line on both sides" "$tmp/resident.out"; exit 1; }

mkdir -p "$tmp/dir1" "$tmp/dir2"
grep '^{' "$tmp/resident.out" | jq -s --arg bk1 "127.0.0.1:$broker_port" --arg bk2 "$mqd_tcp" --arg tmp "$tmp" --arg files "$here/mqadmin" '
  [.[0] + {bk: $bk1, dir: ($tmp + "/dir1")}, .[1] + {bk: $bk2, dir: ($tmp + "/dir2")}]
  | map({ns: .namesrv, bk, id: .offset, unique, client, dir, files: $files})' >"$tmp/sides.json"
# Side by side, as much of it is waiting.
admins=()
for i in 0 1; do
  "$compare" lines "$commands" "$tmp/sides.json" "$i" >"$tmp/lines$i"
  # Some commands write files where they are.
  (cd "$tmp/dir$((i + 1))" && exec "${java[@]}" -Djava.security.manager=allow -Xmx384m peer.Admin) \
    <"$tmp/lines$i" >"$tmp/said$i" 2>"$tmp/admin$i.err" &
  admins+=("$!")
  pids+=("$!")
done
wait "${admins[@]}"
for i in 0 1; do grep '^{' "$tmp/said$i" >"$tmp/answers$i"; done
# mqadmin leaves the bodies that it shows in a place of its own.
jq -r .out "$tmp"/answers? | sed -n 's/^Message Body Path: *//p' | sort -u | xargs -r rm -f
[ -z "${KEEP:-}" ] || cp "$tmp"/answers? "$tmp/sides.json" "$KEEP"
"$compare" check "$commands" "$tmp/sides.json" "$tmp/answers0" "$tmp/answers1"
"$compare" table "$commands" "$here/mqadmin/others.txt" "$tmp/answers0" "$tmp/answers1" "$tmp/sides.json" "$root/docs/compat.md"

# The requests of the dashboard's pages: each page gets what it needs from both, and all that Apache's answers name is in ours.
dashboard() { # NAME BROKER PAGE [NAMESRV]
  "$root/tests/support/dashboard.py" "${@:2}" >"$tmp/$1.names" 2>"$tmp/$1.err" || { cat "$tmp/$1.err"; return 1; }
}
both_dashboards() {
  dashboard apache "127.0.0.1:$broker_port" "$1" "$namesrv" && dashboard mqd "$mqd_tcp" "$1" &&
    "$compare" names "$tmp/apache.names" "$tmp/mqd.names"
}
for page in front clusters topics consumers producers messages trace; do
  check "dashboard: $page" both_dashboards "$page"
done
exec 8>&-
