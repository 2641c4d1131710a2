# shellcheck shell=bash
# Sourced by the interoperation tests: brings Apache RocketMQ 5.3.3 from Maven Central, starts its name server and broker
# on loopback with free ports, asks them through the official Java client, and stops everything by pid.
#
# TAP helpers: pass NAME, fail NAME [FILE], check NAME COMMAND...

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${MQ_BUILD:=$root/build}"
PATH="$MQ_BUILD/bin:$PATH"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/mq-interop.XXXXXX")
# Kept from run to run beside the build, so that the registry is asked once.
peers=$MQ_BUILD/peers
pids=()
unset NAMESRV_ADDR MQ_BROKER MQ_PROFILE
export HOME=${HOME:-/root} XDG_RUNTIME_DIR=$tmp

cleanup() {
  local pid
  for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

pass() { echo "ok $1"; }
fail() {
  echo "not ok $1"
  [ -z "${2:-}" ] || tail -40 "$2" | sed 's/^/# /'
}
check() {
  local name=$1
  shift
  if "$@" >"$tmp/check.out" 2>&1; then pass "$name"; else fail "$name" "$tmp/check.out"; fi
}

# The jars and our compiled helper, once; safe to call from several tests at a time.
bring_peers() {
  mkdir -p "$peers"
  (
    flock 9
    if [ ! -e "$peers/jars.done" ]; then
      for try in 1 2 3; do
        (cd "$here/java" && mvn -q -B dependency:copy-dependencies -DoutputDirectory="$peers/jars") >"$peers/mvn.log" 2>&1 && break
        [ "$try" -lt 3 ] || { cat "$peers/mvn.log" >&2; exit 1; }
        sleep 3
      done
      touch "$peers/jars.done"
    fi
    if [ ! -e "$peers/classes.done" ] || [ -n "$(find "$here/java" -newer "$peers/classes.done" -type f)" ]; then
      rm -rf "$peers/classes" && mkdir -p "$peers/classes" && cp -r "$here/java/resources/." "$peers/classes/" &&
        javac -nowarn -d "$peers/classes" -cp "$peers/jars/*" "$here"/java/src/*/*.java >"$peers/javac.log" 2>&1 ||
        { cat "$peers/javac.log" >&2; exit 1; }
      touch "$peers/classes.done"
    fi
  ) 9>"$peers/lock"
}

# Apache's proxy and the client that needs it, once.
bring_proxy() {
  (
    flock 9
    [ -e "$peers/proxy.done" ] && [ -z "$(find "$here/grpc" -newer "$peers/proxy.done" -type f)" ] && exit 0
    # Apart: the client carries other versions of what the proxy stands on.
    (cd "$here/grpc" && mvn -q -B dependency:copy-dependencies -DexcludeArtifactIds=rocketmq-client-java -DoutputDirectory="$peers/proxy" &&
      mvn -q -B dependency:copy-dependencies -DincludeArtifactIds=rocketmq-client-java,annotations-api -DoutputDirectory="$peers/grpc") >"$peers/proxy.log" 2>&1 &&
      javac -nowarn -d "$peers/grpc" -cp "$peers/grpc/*" "$here"/grpc/src/grpc/*.java >>"$peers/proxy.log" 2>&1 || { cat "$peers/proxy.log" >&2; exit 1; }
    touch "$peers/proxy.done"
  ) 9>"$peers/lock"
}

# The clients of other languages, as pinned in clients/, once.
bring_clients() {
  (
    flock 9
    cd "$here/clients" || exit 1
    newer() { [ ! -e "$peers/$1.done" ] || [ -n "$(find "$1" -newer "$peers/$1.done" -type f)" ]; }
    if newer go; then
      (cd go && go build -o "$peers/go/peer" .) >"$peers/go.log" 2>&1 || { cat "$peers/go.log" >&2; exit 1; }
      touch "$peers/go.done"
    fi
    if newer python; then
      { python3 -m venv "$peers/python" && "$peers/python/bin/pip" install -q -r python/requirements.txt; } >"$peers/python.log" 2>&1 ||
        { cat "$peers/python.log" >&2; exit 1; }
      touch "$peers/python.done"
    fi
    if newer node; then
      mkdir -p "$peers/node" && cp node/package.json "$peers/node/" &&
        (cd "$peers/node" && npm install --no-audit --no-fund --silent) >"$peers/node.log" 2>&1 || { cat "$peers/node.log" >&2; exit 1; }
      touch "$peers/node.done"
    fi
  ) 9>"$peers/lock"
}

free_port() {
  python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for FILE TEXT PID: until the text is in the file; fails when the process ends first or after 90 s.
wait_for() {
  local i
  for ((i = 0; i < 900; i++)); do
    grep -q "$2" "$1" 2>/dev/null && return 0
    kill -0 "$3" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# -Duser.home keeps the logs of client and broker inside our directory. An array, not a function: in the background its
# pid must be java's own.
java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Duser.home=$tmp" "-Drocketmq.home.dir=$tmp"
  -Drocketmq.client.logUseSlf4j=false -cp "$peers/classes:$peers/jars/*")

start_namesrv() {
  namesrv_port=$(free_port)
  namesrv=127.0.0.1:$namesrv_port
  cat >"$tmp/namesrv.conf" <<CONF
listenPort=$namesrv_port
bindAddress=127.0.0.1
scanAvailableNameSrv=false
CONF
  "${java[@]}" -Xms64m -Xmx256m org.apache.rocketmq.namesrv.NamesrvStartup -c "$tmp/namesrv.conf" >"$tmp/namesrv.log" 2>&1 &
  namesrv_pid=$!
  pids+=("$namesrv_pid")
  wait_for "$tmp/namesrv.log" 'boot success' "$namesrv_pid" || { cat "$tmp/namesrv.log" >&2; return 1; }
}

# start_apache STORE [key=value...]: a stock broker on that store directory. The file sizes must be those of the store.
start_apache() {
  local store=$1
  shift
  broker_port=$(free_port)
  {
    cat <<CONF
brokerClusterName=DefaultCluster
brokerName=broker-a
brokerId=0
namesrvAddr=$namesrv
listenPort=$broker_port
haListenPort=$(free_port)
fastListenPort=0
bindAddress=127.0.0.1
brokerIP1=127.0.0.1
brokerIP2=127.0.0.1
storePathRootDir=$store
storePathCommitLog=$store/commitlog
fileReservedTime=1000000
diskMaxUsedSpaceRatio=95
cleanFileForciblyEnable=false
CONF
    [ $# -eq 0 ] || printf '%s\n' "$@"
  } >"$tmp/broker.conf"
  "${java[@]}" -Xms256m -Xmx768m -Drocketmq.broker.diskSpaceWarningLevelRatio=0.99 org.apache.rocketmq.broker.BrokerStartup -c "$tmp/broker.conf" >"$tmp/broker.log" 2>&1 &
  broker_pid=$!
  pids+=("$broker_pid")
  wait_for "$tmp/broker.log" 'boot success' "$broker_pid" || { cat "$tmp/broker.log" >&2; return 1; }
  # Registered: its own topic has a route.
  local i
  for ((i = 0; i < 300; i++)); do
    "${java[@]}" org.apache.rocketmq.tools.command.MQAdminStartup clusterList -n "$namesrv" 2>/dev/null | grep -q broker-a && return 0
    sleep 0.2
  done
  return 1
}

# stop_apache [SIGNAL]
stop_apache() {
  kill -s "${1:-TERM}" "$broker_pid" 2>/dev/null
  wait "$broker_pid" 2>/dev/null
  return 0
}

# The client's logger talks on stdout at start; our lines are JSON objects.
peer() {
  "${java[@]}" -Xmx512m peer.Peer "$@" >"$tmp/peer.out" 2>"$tmp/peer.err" || { tail -30 "$tmp/peer.err" >&2; return 1; }
  grep '^{' "$tmp/peer.out" || true
}

# start_mqd STORE [ARGS...]: our daemon on that store, Unix socket $mq_socket, a free TCP port in $mqd_tcp.
start_mqd() {
  local store=$1
  shift
  mq_socket=unix:$tmp/mqd.sock
  rm -f "$tmp/ready"
  mkfifo "$tmp/ready"
  mqd_tcp=127.0.0.1:$(free_port)
  mqd --store "$store" --listen "$mq_socket" --listen "$mqd_tcp" --ready-fd 7 "$@" 7>"$tmp/ready" >>"$tmp/mqd.log" 2>&1 &
  mqd_pid=$!
  pids+=("$mqd_pid")
  [ -n "$(head -c 1 <"$tmp/ready" | tr '\0' x)" ] || { cat "$tmp/mqd.log" >&2; return 1; }
}
stop_mqd() {
  kill -s "${1:-TERM}" "$mqd_pid" 2>/dev/null
  wait "$mqd_pid" 2>/dev/null
  return 0
}
