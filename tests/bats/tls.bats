#!/usr/bin/env bats
# Goal: broker and name server speak TLS and take PROXY headers on the ports of plain connections, as configured.
# Method: requests of a few lines of Python inside of its ssl module, with certificates of openssl.
bats_require_minimum_version 1.5.0
load helpers

# ask ADDRESS tls|plain [HEADER]: asks for the cluster (R 106); prints the answer's code and what the peer's certificate is
# called, or why there is none. HEADER goes ahead of everything.
ask() {
  python3 - "$@" <<'PY'
import json, socket, ssl, struct, sys
host, port = sys.argv[1].rsplit(':', 1)
s = socket.create_connection((host, int(port)), timeout=60)
if len(sys.argv) > 3:
    s.sendall(sys.argv[3].encode() + b'\r\n')
name = '-'
try:
    if sys.argv[2] == 'tls':
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s)
        name = 'encrypted'
        if b'names.example' in s.getpeercert(binary_form=True):
            name = 'names.example'
    header = json.dumps({'code': 106, 'flag': 0, 'language': 'JAVA', 'version': 479, 'opaque': 5}).encode()
    s.sendall(struct.pack('>II', 4 + len(header), len(header)) + header)
    got = b''
    while len(got) < 4 or len(got) < 4 + struct.unpack('>I', got[:4])[0]:
        more = s.recv(65536)
        if not more:
            raise EOFError
        got += more
    print(json.loads(got[8:8 + (struct.unpack('>I', got[4:8])[0] & 0xFFFFFF)])['code'], name)
except (OSError, EOFError):
    print('closed')
PY
}

# make_certificate: $work/key.pem and $work/certificate.pem, of names.example.
make_certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=names.example -keyout "$work/key.pem" \
    -out "$work/certificate.pem" 2>/dev/null
}

# start_names [ARGS...]: sets names_tcp and names_pid.
start_names() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  names_tcp=127.0.0.1:$port
  mkfifo "$work/names_ready"
  mqnamesrv --state "$work/names" --listen "$names_tcp" --ready-fd 7 "$@" 7>"$work/names_ready" 3>&- >>"$work/names.log" 2>&1 &
  names_pid=$!
  [ -n "$(head -c 1 <"$work/names_ready" | tr '\0' x)" ] || { cat "$work/names.log" >&2; return 1; }
}
teardown() {
  if [ -n "${names_pid:-}" ]; then
    kill "$names_pid"
    wait "$names_pid" || true
  fi
  common_teardown
}

@test "as it comes, a broker takes both, with a certificate that it makes" {
  start_mqd
  [ "$(ask "$(mqd_tcp)" plain)" = "0 -" ]
  [ "$(ask "$(mqd_tcp)" tls)" = "0 encrypted" ]
}

@test "a PROXY header goes ahead of both" {
  start_mqd
  [ "$(ask "$(mqd_tcp)" plain 'PROXY TCP4 10.0.0.1 10.0.0.2 1000 10911')" = "0 -" ]
  [ "$(ask "$(mqd_tcp)" tls 'PROXY TCP4 10.0.0.1 10.0.0.2 1000 10911')" = "0 encrypted" ]
  [ "$(ask "$(mqd_tcp)" plain 'PROXY TCP4 nobody')" = closed ]
}

@test "disabled, a handshake closes its connection" {
  start_mqd -o tls.server.mode=disabled
  [ "$(ask "$(mqd_tcp)" tls)" = closed ]
  [ "$(ask "$(mqd_tcp)" plain)" = "0 -" ]
}

@test "a name server shows the certificate that it is given" {
  make_certificate
  start_names -o "tls.server.keyPath=$work/key.pem" -o "tls.server.certPath=$work/certificate.pem"
  [ "$(ask "$names_tcp" tls)" = "0 names.example" ]
  [ "$(ask "$names_tcp" plain)" = "0 -" ]
}

@test "enforced, a name server closes what is not encrypted" {
  start_names -o tls.server.mode=enforcing
  [ "$(ask "$names_tcp" plain)" = closed ]
  [ "$(ask "$names_tcp" tls)" = "0 encrypted" ]
}

@test "a key or a certificate that is none keeps both from starting, and is named" {
  make_certificate
  run ! mqd --store "$work/none" --listen "unix:$work/none.sock" -o "tls.server.keyPath=$work/no.pem" \
    -o "tls.server.certPath=$work/certificate.pem"
  assert_output --partial "$work/no.pem"
  run ! mqnamesrv --state "$work/none2" --listen 127.0.0.1:0 -o "tls.server.keyPath=$work/key.pem" -o "tls.server.certPath=$work/key.pem"
  assert_output --partial "$work/key.pem"
}
