#!/usr/bin/env bash
# Goal: mqd joins a stock cluster, and a stock broker joins ours.
# Method: one stock broker that registers with a stock name server and with mqnamesrv; one mqd that does the same under
# another broker name; a topic on both, produced and consumed by the official client through each of the two name servers;
# the official mqadmin asks both what they see, and the answers are compared.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "peers are brought in"; exit 1; }

# admin FILE: runs the commands of stdin (words separated by blanks) in one process; the answers, a JSON object a line.
admin() { tr ' ' '\t' | "${java[@]}" -Djava.security.manager=allow -Xmx256m peer.Admin 2>"$tmp/admin.err" | grep '^{' >"$1"; }
# out_of FILE N: what command N (from 0) printed. json_of: the same, with ids as JSON wants them.
out_of() { jq -rs ".[$2].out" "$1"; }
json_of() { out_of "$@" | sed -n '/^{/,$p' | sed -E 's/([{,[:space:]])([0-9]+)(L?):/\1"\2":/g'; }

start_mqnamesrv() {
  ours=127.0.0.1:$(free_port)
  rm -f "$tmp/ready"
  mkfifo "$tmp/ready"
  mqnamesrv --state "$tmp/names" --listen "$ours" --ready-fd 7 7>"$tmp/ready" >>"$tmp/mqnamesrv.log" 2>&1 &
  mqnamesrv_pid=$!
  pids+=("$mqnamesrv_pid")
  [ -n "$(head -c 1 <"$tmp/ready" | tr '\0' x)" ] || { cat "$tmp/mqnamesrv.log" >&2; return 1; }
}

start_namesrv || { fail "the stock name server starts" "$tmp/namesrv.log"; exit 1; }
start_mqnamesrv || { fail "mqnamesrv starts" "$tmp/mqnamesrv.log"; exit 1; }
check "a stock broker registers with both" start_apache "$tmp/apache" "namesrvAddr=$namesrv;$ours" mappedFileSizeCommitLog=1048576
check "mqd registers with both" start_mqd "$tmp/mqd" -o brokerName=broker-m -n "$namesrv;$ours" -o mappedFileSizeCommitLog=1048576

# Both brokers in both clusters before anything is created.
both_there() {
  local i
  for ((i = 0; i < 150; i++)); do
    [ "$(grep -c 'registered as' "$tmp/mqd.log")" -ge 2 ] && return 0
    sleep 0.2
  done
  return 1
}
check "mqd says so" both_there

admin "$tmp/made" <<CMDS
updateTopic -n $namesrv -c DefaultCluster -t spread -r 4 -w 4
updateTopic -n $ours -c DefaultCluster -t spread2 -r 4 -w 4
topicRoute -n $namesrv -t spread
topicRoute -n $ours -t spread
topicRoute -n $namesrv -t spread2
topicRoute -n $ours -t spread2
clusterList -n $namesrv
clusterList -n $ours
topicList -n $namesrv
topicList -n $ours
topicClusterList -n $ours -t spread
CMDS
check "topics are created on both brokers through either name server" \
  test "$(out_of "$tmp/made" 0 | grep -c success)$(out_of "$tmp/made" 1 | grep -c success)" = 22
# The same route, but for the order of brokers.
route() { json_of "$tmp/made" "$1" | jq -cS '{b: (.brokerDatas | sort_by(.brokerName)), q: (.queueDatas | sort_by(.brokerName))}'; }
check "both name servers have the same route of a topic that the one's client made" test "$(route 2)" = "$(route 3)"
check "and of one that the other's client made" test "$(route 4)" = "$(route 5)"
check "a route names both brokers" test "$(route 3 | jq -r '[.q[].brokerName] | join(" ")')" = "broker-a broker-m"
brokers() { out_of "$tmp/made" "$1" | awk '$1 == "DefaultCluster" { print $2, $3, $4, $5 }' | sort; }
check "both name servers list the same brokers, with versions" test "$(brokers 6)" = "$(brokers 7)"
check "mqd among them" grep -q "broker-m 0 $mqd_tcp V5_3_3" <(brokers 7)
check "both name servers list the same topics" diff <(out_of "$tmp/made" 8 | sort) <(out_of "$tmp/made" 9 | sort)
check "the cluster of a topic" test "$(out_of "$tmp/made" 10 | tr -d '[:space:]')" = DefaultCluster

# The official producer and consumer on both brokers, through each name server.
"${java[@]}" -Xmx256m peer.Cluster 200 plain "$namesrv" spread "$ours" spread2 >"$tmp/spread.out" 2>&1
on_both() {
  jq -es "map(select(.topic == \"$1\")) | .[0] | .missing == 0 and .twice == 0 and .sent == .received
    and .sent[\"broker-a\"] == 100 and .sent[\"broker-m\"] == 100" < <(grep '^{' "$tmp/spread.out")
}
check "a stock client produces and consumes on both through the stock name server" on_both spread
check "and through mqnamesrv" on_both spread2

# The same client encrypted, on the port that serves plain connections.
"${java[@]}" -Xmx256m peer.Cluster 20 tls "$mqd_tcp" secured >"$tmp/secured.out" 2>&1
encrypted() { grep '^{' "$tmp/secured.out" | jq -e '.missing == 0 and .twice == 0 and .received["broker-m"] == 20'; }
check "a stock client produces and consumes through TLS" encrypted

# Our tools see the cluster through either.
send_through() { seq 1 3 | mqsend -n "$1" ours; }
check "mqsend finds a broker through the stock name server" send_through "$namesrv"

# A broker that goes is out of the routes at once; a name server that comes back hears everything again.
stop_mqd TERM
admin "$tmp/gone" <<CMDS
topicRoute -n $namesrv -t spread
topicRoute -n $ours -t spread
wipeWritePerm -n $ours -b broker-a
topicRoute -n $ours -t spread
addWritePerm -n $ours -b broker-a
topicRoute -n $ours -t spread
CMDS
names_in() { json_of "$tmp/gone" "$1" | jq -r '[.queueDatas[].brokerName] | join(" ")'; }
check "a broker that stops leaves the stock name server" test "$(names_in 0)" = broker-a
check "and ours" test "$(names_in 1)" = broker-a
perm_in() { json_of "$tmp/gone" "$1" | jq -r '.queueDatas[0].perm'; }
check "write permission is wiped and added" test "$(perm_in 3) $(perm_in 5)" = "4 6"
