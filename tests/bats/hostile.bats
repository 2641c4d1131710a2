#!/usr/bin/env bats
# Goal: noise on a socket costs that connection and nothing else.
# Method: raw bytes on TCP from a few lines of Python while an honest client goes on.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd
  tcp=$(mqd_tcp)
  seq 1 100 | mqsend honest
}
teardown() {
  [ "$(mqrecv honest | wc -l)" -ge 100 ]
  common_teardown
}

# raw HEX [close|hold]: sends the bytes; prints what happened within 2 s: closed, or what came back.
raw() {
  python3 - "$tcp" "$1" <<'PY'
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
s = socket.create_connection((host, int(port)))
s.settimeout(2)
s.sendall(bytes.fromhex(sys.argv[2]))
try:
    got = s.recv(65536)
    print('closed' if not got else got.hex())
except ConnectionResetError:
    print('closed')
except socket.timeout:
    print('silent')
PY
}

@test "a length of 0xFFFFFFFF closes the connection" { [ "$(raw ffffffff00000010)" = closed ]; }
@test "a length beyond the limit closes the connection" { [ "$(raw 00fffffd00000010)" = closed ]; }
@test "a header longer than its frame closes the connection" { [ "$(raw 00000010000000ff0000000000000000)" = closed ]; }
@test "a header of unknown type closes the connection" { [ "$(raw 000000100700000400000000)" = closed ]; }
@test "a header that is not JSON closes the connection" { [ "$(raw 00000008000000047b7b7b7b)" = closed ]; }
@test "noise in place of a protocol closes the connection" { [ "$(raw 474554202f20485454502f312e310d0a0d0a)" = closed ]; }

@test "half a frame is waited for, without harm to others" {
  [ "$(raw 00000100000000f07b22)" = silent ]
  [ "$(mqrecv honest | wc -l)" -eq 100 ]
}

@test "an unknown request code is answered, not punished" {
  header='{"code":9999,"flag":0,"language":"JAVA","opaque":5,"version":479}'
  hex=$(printf '%08x%08x' $((4 + ${#header})) ${#header})$(printf '%s' "$header" | od -An -tx1 | tr -d ' \n')
  raw "$hex" | grep -q "$(printf '"code":3' | od -An -tx1 | tr -d ' \n')"
}

@test "two hundred peers that say nothing and a flood of noise leave the daemon small and working" {
  python3 - "$tcp" <<'PY'
import os, socket, sys
host, port = sys.argv[1].rsplit(':', 1)
silent = [socket.create_connection((host, int(port))) for _ in range(200)]
for i in range(500):
    s = socket.create_connection((host, int(port)))
    try:
        s.sendall(os.urandom(2000))
    except OSError:
        pass
    s.close()
PY
  [ "$(mqrecv honest | wc -l)" -eq 100 ]
  anon=$(awk '/^RssAnon/ { print $2 }' "/proc/$mqd_pid/status")
  echo "RssAnon $anon kB"
  [ "$anon" -lt 65536 ]
}
