#!/usr/bin/env bash
# Goal: a program written for Apache RocketMQ points at mqd and does not notice.
# Method: the official clients, unmodified, as the registries have them (Java 5.3.3, Go 2.1.2, the C++ client's library in
# Python's rocketmq 0.4.4, Node's ali-ons 3.12.0) go through the same programs at Apache's broker and at mqd, all at the
# same time, and what they print has to be the same. Booleans in it are promises and have to be true; lines marked "ours"
# are asked of mqd alone.
#   CLIENTS="java go" SCENARIOS="send members" runs some of it.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers && bring_clients || { fail "the clients come from the package registries"; exit 1; }

# Delay levels short enough to wait for; a busy machine must not make the stock broker refuse.
settings=("messageDelayLevel=1s 1s 1s 2s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s" enablePropertyFilter=true recallMessageEnable=true
  transactionTimeOut=2000 transactionCheckInterval=3000 transactionCheckMax=4 transactionOpBatchInterval=100)
topics=(GoPush:4 GoTags:2 GoOrderly:4 GoDelay:2 GoRetry:2 GoPull:2 PyPush:4 PyTags:2 PyOrderly:4 PyDelay:2 PyPull:2 NodePush:2 NodeTags:2)
read -ra clients <<<"${CLIENTS:-java go python node}"
read -ra scenarios <<<"${SCENARIOS:-}"

start_namesrv && start_apache "$tmp/store" mappedFileSizeCommitLog=67108864 mappedFileSizeConsumeQueue=60000 maxHashSlotNum=10000 \
  maxIndexNum=40000 waitTimeMillsInSendQueue=30000 waitTimeMillsInPullQueue=30000 waitTimeMillsInHeartbeatQueue=60000 waitTimeMillsInTransactionQueue=30000 \
  "${settings[@]}" ||
  { fail "Apache's broker starts"; exit 1; }
ours=()
for setting in "${settings[@]}"; do ours+=(-o "$setting"); done
start_mqd "$tmp/mqd-store" -o brokerName=broker-a "${ours[@]}" || { fail "mqd starts"; exit 1; }

java_clients() { "${java[@]}" -Xmx400m "-Dattempts=$1" clients.Run "${@:2}"; }
# run_clients NAME NAMESRV ATTEMPTS: every client against it; what each says goes to $tmp/NAME.CLIENT.
run_clients() {
  local name=$1 at=$2 attempts=$3 one running=()
  java_clients 1 topics "$at" "${topics[@]}" >"$tmp/$name.topics" 2>&1
  for one in "${clients[@]}"; do
    case $one in
      java) java_clients "$attempts" "$at" "${scenarios[@]}" ;;
      go) HOME=$tmp "$peers/go/peer" "$at" "${scenarios[@]}" ;;
      # Unbuffered: the client's library sometimes aborts in its own clean-up, when all has been said.
      python) PYTHONUNBUFFERED=1 HOME=$tmp "$peers/python/bin/python" "$here/clients/python/peer.py" "$at" "${scenarios[@]}" ;;
      node) HOME=$tmp NODE_PATH=$peers/node/node_modules node "$here/clients/node/peer.js" "$at" "${scenarios[@]}" ;;
    esac >"$tmp/$name.$one.raw" 2>"$tmp/$name.$one.err" &
    running+=($!)
  done
  wait "${running[@]}"
  for one in "${clients[@]}"; do grep '^{' "$tmp/$name.$one.raw" >"$tmp/$name.$one"; done
}
run_clients apache "$namesrv" 1 &
at_apache=$!
run_clients mqd "$mqd_tcp" 3 &
wait $at_apache $!

# One line a scenario, with what is wrong below it.
for one in "${clients[@]}"; do
  [ -s "$tmp/apache.$one" ] && [ -s "$tmp/mqd.$one" ] || { fail "$one ran" "$tmp/mqd.$one.err"; continue; }
  for scenario in $(jq -r .scenario "$tmp/apache.$one" | awk '!seen[$0]++'); do
    for side in apache mqd; do
      jq -cS --arg s "$scenario" 'select(.scenario == $s and (has("ours") | not))' "$tmp/$side.$one" >"$tmp/$side.lines"
    done
    jq -c --arg s "$scenario" 'select(.scenario == $s and (.value == false or .what == "failed"))' "$tmp/mqd.$one" >"$tmp/broken"
    jq -c --arg s "$scenario" 'select(.scenario == $s and (has("ours") | not) and (.value == false or .what == "failed"))' "$tmp/apache.$one" |
      sed 's/^/at Apache: /' >>"$tmp/broken"
    diff "$tmp/apache.lines" "$tmp/mqd.lines" >>"$tmp/broken"
    if [ -s "$tmp/broken" ]; then fail "$one: $scenario" "$tmp/broken"; else pass "$one: $scenario"; fi
  done
done
