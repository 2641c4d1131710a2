#!/usr/bin/env bats
# Goal: noise on a socket costs that connection and nothing else.
# Method: raw bytes on TCP from a few lines of Python while an honest client goes on.
bats_require_minimum_version 1.5.0
load helpers

# The address sanitizer keeps what was freed, 256 MB of it, unless told otherwise.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1

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

@test "a client that asks and asks and never reads, in the clear or encrypted, costs bounded memory, and only its own answers" {
  python3 - "$tcp" "$mqd_pid" "$BATS_TEST_DIRNAME/../support" <<'PY'
import json, os, socket, ssl, struct, sys, time
sys.path.insert(0, sys.argv[3])
from remoting import Client
host, port = sys.argv[1].rsplit(':', 1)
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
def memory_kb():
    return next(int(l.split()[1]) for l in open(f'/proc/{sys.argv[2]}/status') if l.startswith('RssAnon:'))
honest = Client(sys.argv[1])
topics = [{'topicName': f'{"t" * 100}{i}', 'readQueueNums': 1, 'writeQueueNums': 1, 'perm': 6} for i in range(1000)]
assert honest.ask(18, json.dumps({'topicConfigList': topics}).encode(), force=False).code == 0
large = len(honest.ask(21).body)
assert large > 200_000, large
header = json.dumps({'code': 21, 'flag': 0, 'language': 'JAVA', 'version': 479, 'opaque': 1}).encode()
question = struct.pack('>II', 4 + len(header), len(header)) + header
before = memory_kb()
deaf = []
for i in range(4):
    s = socket.create_connection((host, int(port)))
    if i % 2:
        s = trusting.wrap_socket(s)
    s.setblocking(False)
    deaf.append(s)
# Ten thousand questions each: gigabytes, if all were answered at once.
left = {s: question * 10_000 for s in deaf}
stuck = time.monotonic()
while time.monotonic() - stuck < 1.5 and any(left.values()):
    for s in deaf:
        try:
            sent = s.send(left[s][:65536])
            left[s] = left[s][sent:]
            if sent:
                stuck = time.monotonic()
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
    assert honest.ask(105, topic='honest').code == 0
    time.sleep(0.01)
grown = memory_kb() - before
print(f'{grown} kB for {len(deaf)} clients, an answer has {large >> 10} kB')
# At most 8 MiB and one answer each, and what the allocator keeps beside it; the thread sanitizer keeps four bytes a byte.
shadow = 5 if os.environ.get('MQ_BUILD', '').endswith('-tsan') else 1
assert grown < shadow * len(deaf) * (2 * (8 << 10) + 2 * (large >> 10)) + 16384, grown
assert honest.put('honest', 'more').code == 0
# Those that read again get all that they are owed.
for s in deaf[:2]:
    s.settimeout(60)
    want = 20 * large
    while want > 0:
        got = s.recv(1 << 20)
        assert got, 'closed'
        want -= len(got)
PY
}

@test "a flood of malformed frames, handshakes and headers costs only its own connections" {
  python3 - "$tcp" "$mqd_pid" "$BATS_TEST_DIRNAME/../support" <<'PY'
import json, random, socket, struct, sys, threading
sys.path.insert(0, sys.argv[3])
from remoting import Client
host, port = sys.argv[1].rsplit(':', 1)
def memory_kb():
    return next(int(l.split()[1]) for l in open(f'/proc/{sys.argv[2]}/status') if l.startswith('RssAnon:'))
header = json.dumps({'code': 310, 'flag': 0, 'language': 'JAVA', 'version': 479, 'opaque': 1, 'extFields': {
    'a': 'P', 'b': 'flood', 'c': 'TBW102', 'd': '4', 'e': '0', 'f': '0', 'g': '1', 'h': '0', 'i': '', 'j': '0', 'k': 'false', 'm': 'false'}}).encode()
starts = [struct.pack('>II', 4 + len(header) + 5, len(header)) + header + b'hello',
          bytes.fromhex('160301020001000001fc0303') + bytes(range(256)) * 2,
          b'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n', b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + bytes(12)]
def flood(seed):
    rng = random.Random(seed)
    for _ in range(300):
        noise = bytearray(rng.choice(starts) + rng.choice(starts))
        for _ in range(rng.randrange(1, 6)):
            noise[rng.randrange(len(noise))] = rng.randrange(256)
        s = socket.create_connection((host, int(port)))
        try:
            s.sendall(noise[:rng.randrange(1, len(noise) + 1)])
            if rng.random() < 0.5:
                s.shutdown(socket.SHUT_WR)
                s.settimeout(0.01)
                s.recv(4096)
        except OSError:
            pass
        s.close()
threads = [threading.Thread(target=flood, args=(seed,)) for seed in range(4)]
for t in threads:
    t.start()
honest = Client(sys.argv[1])
sent = 0
while sent < 200 or any(t.is_alive() for t in threads):
    put = honest.put('honest', 'more')
    assert put.code == 0, put.remark
    sent += 1
for t in threads:
    t.join()
print(f'{sent} messages meanwhile, {memory_kb()} kB')
assert memory_kb() < 65536
PY
  [ "$(mqrecv honest | wc -l)" -ge 300 ]
}

@test "pulls that would wait for ever do not outlive their connection for long" {
  stop_mqd
  start_mqd -o serverChannelMaxIdleTimeSeconds=10
  tcp=$(mqd_tcp)
  echo first | mqsend -p 0 waits
  run -0 mqrecv waits  # from here on it can be read, and the next offset is one to wait for
  assert_output first
  python3 - "$tcp" "$BATS_TEST_DIRNAME/../support" <<'PY'
import json, sys, time
sys.path.insert(0, sys.argv[2])
from remoting import Client
def held(client):
    return int(json.loads(client.ask(28).body)['table']['heldPulls'])
peer = Client(sys.argv[1])
for wait in (1 << 62, (1 << 63) - 1, 1 << 40):
    peer.pull('hostile', 'waits', offset=1, sys_flag=6, suspend=wait)
deadline = time.time() + 60
most = 0
while most < 3:
    most = max(most, held(peer))
    assert time.time() < deadline, most
peer.close()
other = Client(sys.argv[1])
while held(other) != 0:
    assert time.time() < deadline, held(other)
    time.sleep(0.05)
PY
}
