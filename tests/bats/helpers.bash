# Loaded by every bats file. A daemon of its own for each test that asks for one: its store, its Unix socket, free ports.
# Waits for readiness through --ready-fd, never for a time.

bats_load_library bats-support 2>/dev/null || load /usr/lib/bats/bats-support/load
bats_load_library bats-assert 2>/dev/null || load /usr/lib/bats/bats-assert/load

: "${MQ_BUILD:=$BATS_TEST_DIRNAME/../../build}"
PATH="$MQ_BUILD/bin:$PATH"
work=$BATS_TEST_TMPDIR
store=$work/store
# Socket paths are limited to 107 bytes, so not under the (long) test directory.
sock_dir=$(mktemp -d /tmp/mqt.XXXXXX)
export MQ_BROKER="unix:$sock_dir/s"
# Small files so that tests roll them; nothing of the user's environment leaks in.
unset NAMESRV_ADDR MQ_PROFILE
export HOME=$work XDG_RUNTIME_DIR=$work

# start_mqd [ARGS...]: starts mqd on $store and returns once it is ready; sets mqd_pid.
start_mqd() {
  rm -f "$work/ready"
  mkfifo "$work/ready"
  mqd --store "$store" --listen "$MQ_BROKER" --listen 127.0.0.1:0 --ready-fd 7 "$@" \
    7>"$work/ready" 3>&- >>"$work/mqd.log" 2>&1 &
  mqd_pid=$!
  # The pipe closes without a byte when mqd dies first.
  if [ -z "$(head -c 1 <"$work/ready" | tr '\0' x)" ]; then
    cat "$work/mqd.log" >&2
    return 1
  fi
}

# stop_mqd [SIGNAL]: TERM by default; waits for the end.
stop_mqd() {
  [ -n "${mqd_pid:-}" ] || return 0
  kill -s "${1:-TERM}" "$mqd_pid" 2>/dev/null
  wait "$mqd_pid" 2>/dev/null
  local rc=$?
  mqd_pid=
  return $rc
}

# wait_until COMMAND...: until it succeeds, at most $tries tenths of a second and more on a busy machine.
tries=900
wait_until() {
  local _
  for _ in $(seq "$tries"); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}

golden=$BATS_TEST_DIRNAME/../golden
check=$BATS_TEST_DIRNAME/../support/manifest_check.py

# unpack NAME: a golden store, from here on $store, and its manifest.
# As written now: by the times in the archive retention would delete files, at the hour of deleteWhen.
unpack() {
  tar -S --zstd -xf "$golden/$1.tar.zst" -C "$work"
  find "$work/$1" -type f -exec touch -d "@$(date +%s)" {} +
  store=$work/$1
  manifest=$golden/$1.json
}
# torn NAME: the store of a crash, damaged in that way.
torn() {
  python3 "$golden/make_torn.py" "$golden/crash.tar.zst" "$work/torn" "$1" >/dev/null
  store=$work/torn/$1
  manifest=$golden/crash.json
}

common_teardown() {
  [ -z "${relay_pid:-}" ] || kill "$relay_pid" || true
  stop_mqd KILL || true
  rm -rf "$sock_dir"
}
teardown() { common_teardown; }

# The TCP address that mqd printed at start.
mqd_tcp() { grep -oE '127\.0\.0\.1:[0-9]+' "$work/mqd.log" | tail -1; }

checksums() { (cd "$1" && find . -type f -printf '%p %s %T@\n' | sort; find . -type f -exec sha256sum {} + | sort); }

# relay N [CODE]: refuses N sends, or requests of that code, as a busy broker does, at $sock_dir/relay; sets relay_pid.
relay() {
  python3 "$BATS_TEST_DIRNAME/../support/busy_relay.py" "$sock_dir/relay" "$sock_dir/s" "$@" 3>&- &
  relay_pid=$!
  wait_until [ -S "$sock_dir/relay" ]
}
