#!/usr/bin/env bash
# Goal: clients of the 5.x line, which speak gRPC, work with mqd behind Apache's own proxy, as they do with Apache's broker.
# Method: the stock proxy in front of each, one program with the official Java client through either, and what it prints has
# to be the same. The proxy listens on every address: all of it runs in a network of its own that has only loopback.
set -u
. "$(dirname "$0")/lib.sh"
if [ -z "${MQ_OWN_NETWORK:-}" ]; then
  bring_peers && bring_proxy || { fail "the peers come from the package registry"; exit 1; }
  unshare -rn true 2>/dev/null || { pass "clients through the proxy # skip no network namespace here"; exit 0; }
  MQ_OWN_NETWORK=1 unshare -rn "$0"
  exit
fi
ip link set lo up

# The retries of a group come as fast as the levels say.
settings=("messageDelayLevel=1s 1s 1s 2s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s" enablePropertyFilter=true recallMessageEnable=true
  transactionTimeOut=2000 transactionCheckInterval=3000 transactionOpBatchInterval=100)
ours=()
for setting in "${settings[@]}"; do ours+=(-o "$setting"); done

start_proxy() { # NAME NAMESRV
  local home=$tmp/$1
  mkdir -p "$home/conf"
  printf '{"rocketMQClusterName":"DefaultCluster","grpcServerPort":%s,"remotingListenPort":%s,"enableAclRpcHookForClusterMode":false}' \
    "$(free_port)" "$(free_port)" >"$home/proxy.json"
  RMQ_PROXY_HOME=$home java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms128m -Xmx512m "-Duser.home=$home" "-Drocketmq.home.dir=$home" -cp "$peers/proxy/*" \
    org.apache.rocketmq.proxy.ProxyStartup -n "$2" -pm cluster -pc "$home/proxy.json" >"$home/log" 2>&1 &
  pids+=($!)
  wait_for "$home/log" 'startup successfully' $! || { fail "the proxy in front of $1 starts" "$home/log"; return 1; }
}

# through_proxy NAME NAMESRV: topics and groups, and the program; what it prints goes to $tmp/NAME.out.
through_proxy() {
  local name=$1 namesrv=$2 topic
  for topic in GrpcPush:NORMAL GrpcSql:NORMAL GrpcFifo:FIFO GrpcDelay:DELAY GrpcTrans:TRANSACTION GrpcSimple:NORMAL GrpcDead:NORMAL; do
    mqctl -n "$namesrv" topic create "${topic%:*}" --queues 4 --type "${topic#*:}" || return
  done
  for topic in GrpcPush GrpcSql GrpcDelay GrpcTrans GrpcSimple; do mqctl -n "$namesrv" group create "${topic}_group" || return; done
  mqctl -n "$namesrv" group create GrpcFifo_group --orderly on && mqctl -n "$namesrv" group create GrpcDead_group --retry-max 1 || return
  java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m "-Duser.home=$tmp" -cp "$peers/grpc:$peers/grpc/*" grpc.Run "127.0.0.1:$(jq .grpcServerPort "$tmp/$name/proxy.json")" \
    >"$tmp/$name.raw" 2>"$tmp/$name.err"
  grep -E '^(push|sql|fifo|delay|transactions|simple|dead) ' "$tmp/$name.raw" >"$tmp/$name.out"
  mqrecv -n "$namesrv" '%DLQ%GrpcDead_group' -F 'a dead letter: %s\n' >>"$tmp/$name.out"
}

start_namesrv && start_apache "$tmp/store" mappedFileSizeCommitLog=67108864 mappedFileSizeConsumeQueue=60000 maxHashSlotNum=10000 maxIndexNum=40000 \
  waitTimeMillsInSendQueue=30000 waitTimeMillsInPullQueue=30000 waitTimeMillsInHeartbeatQueue=60000 waitTimeMillsInTransactionQueue=30000 "${settings[@]}" ||
  { fail "Apache's broker starts"; exit 1; }
start_mqd "$tmp/mqd-store" -o brokerName=broker-a -o brokerClusterName=DefaultCluster "${ours[@]}" || { fail "mqd starts"; exit 1; }
start_proxy apache "$namesrv" && start_proxy mqd "$mqd_tcp" || exit 1
through_proxy apache "$namesrv" &
at_apache=$!
through_proxy mqd "$mqd_tcp" &
wait $at_apache $!

for scenario in push sql fifo delay transactions simple dead 'a dead letter:'; do
  if grep -q "^$scenario " "$tmp/apache.out" && diff <(grep "^$scenario " "$tmp/apache.out") <(grep "^$scenario " "$tmp/mqd.out") >"$tmp/differs"; then
    pass "through the proxy: $scenario"
  else
    cat "$tmp/mqd.err" >>"$tmp/differs" 2>&1
    fail "through the proxy: $scenario" "$tmp/differs"
  fi
done
