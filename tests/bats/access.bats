#!/usr/bin/env bats
# Goal: with authentication on, the broker says clearly whom it does not let in, lets in whom it should, and keeps secrets.
# Method: our tools over TCP and over the Unix socket; requests signed by a few lines of Python, as clients sign theirs.
bats_require_minimum_version 1.5.0
load helpers

init='{"username":"root","password":"root-secret"}'
start_checked() { start_mqd -o authenticationEnabled=true -o authorizationEnabled=true -o initAuthenticationUser="$init" "$@"; }

# ask ADDRESS USER SECRET CODE [BODY [NAME=VALUE...]]: prints code and remark of the answer, and its body. No USER: unsigned.
ask() {
  python3 - "$BATS_TEST_DIRNAME/../support" "$@" <<'PY'
import base64, hashlib, hmac, sys
sys.path.insert(0, sys.argv[1])
from remoting import Client
address, user, secret, code = sys.argv[2:6]
body = sys.argv[6].encode() if len(sys.argv) > 6 else b''
ext = dict(pair.split('=', 1) for pair in sys.argv[7:])
if user:
    ext['AccessKey'] = user
    data = ''.join(ext[name] for name in sorted(ext)).encode() + body
    ext['Signature'] = base64.b64encode(hmac.new(secret.encode(), data, hashlib.sha1).digest()).decode()
r = Client(address).ask(int(code), body, **ext)
print(r.code, r.remark or '', (r.body or b'').decode(errors='replace'))
PY
}

@test "over TCP nobody comes in without a signature, and is told so" {
  start_checked
  run ! mqsend -b "$(mqd_tcp)" orders <<<"hello"
  [ "$status" -eq 77 ]
  assert_output --partial 'username cannot be null'
  run -0 ask "$(mqd_tcp)" root root-secret 28
  assert_output --regexp '^0 '
  run -0 ask "$(mqd_tcp)" root wrong 28
  assert_output --partial '16 check signature failed.'
}

@test "over the Unix socket the daemon's own user needs no signature" {
  start_checked
  mqsend orders <<<"hello"
  [ "$(mqrecv -c 1 orders)" = hello ]
}

@test "another user of the Unix socket signs like everybody" {
  [ "$(id -u)" -eq 0 ] || skip "only root can be somebody else"
  start_checked
  chmod 755 "$sock_dir" && chmod 666 "$sock_dir/s"
  run setpriv --reuid=65534 --regid=65534 --clear-groups "$MQ_BUILD/bin/mqsend" -b "$MQ_BROKER" orders <<<"hello"
  [ "$status" -eq 77 ]
  assert_output --partial 'username cannot be null'
}

@test "white lists open single requests" {
  start_checked -o authenticationWhitelist=28,34 -o authorizationWhitelist=200
  run -0 ask "$(mqd_tcp)" '' '' 28
  assert_output --regexp '^0 '
  run -0 ask "$(mqd_tcp)" '' '' 21
  assert_output --regexp '^16 '
  ask "$MQ_BROKER" '' '' 3001 '{"password":"b"}' username=bob
  run -0 ask "$(mqd_tcp)" bob b 200 '{"groupName":"made"}'
  assert_output --regexp '^0 '
  run -0 ask "$(mqd_tcp)" bob b 225 '{"groupConfigList":[{"groupName":"made2"}]}'
  assert_output --partial 'User:bob has no permission to access Group:made2'
}

@test "users and policies are there after SIGKILL, for their owner alone" {
  start_checked
  ask "$MQ_BROKER" '' '' 3001 '{"password":"b"}' username=bob
  ask "$MQ_BROKER" '' '' 3006 '{"policies":[{"entries":[{"resource":"Topic:or*","actions":["Pub"],"decision":"Allow"}]}]}' subject=User:bob
  stop_mqd KILL || true
  [ "$(stat -c %a "$store/config/users.json")" = 600 ]
  [ "$(stat -c %a "$store/config/acls.json")" = 600 ]
  mqdump copy "$store" "$work/copy"
  [ "$(stat -c %a "$work/copy/config/users.json")" = 600 ]
  start_checked
  run -0 ask "$(mqd_tcp)" bob b 310 hello a=p b=orders c=TBW102 d=4 e=0 f=0 g=1 h=0 i= j=0
  assert_output --regexp '^0 '
  run -0 ask "$(mqd_tcp)" bob b 310 hello a=p b=other c=TBW102 d=4 e=0 f=0 g=1 h=0 i= j=0
  assert_output --partial '16 User:bob has no permission to access Topic:other from 127.0.0.1, no matched policies.'
}

@test "what is no resource deletes nothing" {
  start_checked
  ask "$MQ_BROKER" '' '' 3001 '{"password":"b"}' username=bob
  ask "$MQ_BROKER" '' '' 3006 '{"policies":[{"entries":[{"resource":"*","actions":["All"],"decision":"Allow"}]}]}' subject=User:bob
  run -0 ask "$MQ_BROKER" '' '' 3008 '' subject=User:bob resource=Topi:x
  assert_output --partial '16 The resource is null.'
  run -0 ask "$MQ_BROKER" '' '' 3009 '' subject=User:bob
  assert_output --partial '"resource":"*"'
}

@test "secrets are not shown" {
  run -0 mqd -o initAuthenticationUser="$init" --store "$store" --print-config=changed
  assert_output --partial 'initAuthenticationUser=(set)'
  refute_output --partial root-secret
  start_checked
  run -0 ask "$(mqd_tcp)" root root-secret 26
  assert_output --partial 'initAuthenticationUser=(set)'
  refute_output --partial root-secret
  run ! grep -r root-secret "$work/mqd.log"
}

@test "without users every request about them says so" {
  start_mqd
  for code in 3003 3004; do
    run -0 ask "$MQ_BROKER" '' '' $code '' username=bob
    assert_output --partial '1 The authenticationMetadataProvider is not configured'
  done
  run -0 ask "$MQ_BROKER" '' '' 3004 '' username=
  assert_output --partial '29 The username is blank'
}

@test "a listener beyond loopback is one more reason for it" {
  run ! mqd --store "$store" --listen 0.0.0.0:0 --check
  assert_output --partial 'set authenticationEnabled=true, or say --insecure'
  run -0 mqd --store "$store" --listen 0.0.0.0:0 -o authenticationEnabled=true --check
}

@test "configuration that would protect nothing is refused" {
  run -78 mqd --store "$store" -o authorizationEnabled=true --check
  assert_output --partial 'needs authenticationEnabled=true'
  run -78 mqd --store "$store" -o authenticationMetadataProvider=org.example.Mine --check
  assert_output --partial 'LocalAuthenticationMetadataProvider is built in'
  run -78 mqd --store "$store" -o initAuthenticationUser='{"username":"root"}' --check
  run -78 mqd --store "$store" -o authenticationWhitelist=28,x --check
}

@test "our tools sign, with a secret from a file, the environment or beside a profile" {
  start_checked
  printf 'root-secret\n' >"$work/secret"
  tcp=$(mqd_tcp)
  mqsend -b "$tcp" --access-key root --secret-file "$work/secret" orders <<<"one"
  seq 2000 | MQ_ACCESS_KEY=root MQ_SECRET_KEY=root-secret mqsend -b "$tcp" orders
  run -0 mqrecv -b "$tcp" --access-key root --secret-file "$work/secret" orders
  [ "$(wc -l <<<"$output")" -eq 2001 ]
  mkdir -p "$work/.config/mq"
  printf '%s\n' "access-key=root" "secret-file=$work/secret" "broker=$tcp" >"$work/.config/mq/signed.conf"
  unset MQ_BROKER
  run -0 mqctl --profile signed topic list
  assert_line orders
  run -0 mqstat --profile signed topic orders
}

@test "a secret that is missing or wrong is said" {
  start_checked
  tcp=$(mqd_tcp)
  run -64 mqsend -b "$tcp" --access-key root orders <<<"x"
  assert_output --partial 'needs a secret'
  run -64 mqsend -b "$tcp" --secret-file "$work/none" orders <<<"x"
  run -78 mqsend -b "$tcp" --access-key root --secret-file "$work/none" orders <<<"x"
  run -77 env MQ_SECRET_KEY=wrong mqsend -b "$tcp" --access-key root orders <<<"x"
  assert_output --partial 'check signature failed'
}

@test "a group's members sign, too" {
  start_checked
  export MQ_ACCESS_KEY=root MQ_SECRET_KEY=root-secret
  seq 20 | mqsend -b "$(mqd_tcp)" orders
  run -0 mqrecv -b "$(mqd_tcp)" -g workers -c 20 orders
  [ "$(sort -n <<<"$output" | tail -1)" = 20 ]
}

@test "mqctl makes users and says what they may do" {
  start_checked
  echo bob-secret >"$work/bob"
  run ! mqctl user create bob
  mqctl user create bob --password-file "$work/bob"
  run ! mqctl user create bob --password-file "$work/bob"
  mqctl user create bob --password-file "$work/bob" --if-not-exists
  [ "$(mqctl user list | tr '\n' ' ')" = 'bob root ' ]
  [ "$(mqctl user show bob)" = 'bob type=Normal status=enable' ]
  run -0 mqctl user show bob -J
  refute_output --partial bob-secret
  run -0 mqctl acl set bob 'Topic:or*' --action Pub --dry-run
  assert_output --partial '(none) -> Allow Topic:or* Pub'
  mqctl acl set bob 'Topic:or*' --action Pub,Get
  mqctl acl set bob Topic:orders2 --action Pub,Sub --from 127.0.0.0/8 --deny
  [ "$(mqctl acl list)" = $'bob Allow Topic:or* Pub,Get\nbob Deny Topic:orders2 Pub,Sub from 127.0.0.0/8' ]
  [ "$(mqctl acl list bob -J | head -1 | jq -r .resource)" = 'Topic:or*' ]
  mqctl topic create orders
  mqctl topic create orders2
  export MQ_ACCESS_KEY=bob MQ_SECRET_FILE=$work/bob
  mqsend -b "$(mqd_tcp)" orders <<<"x"
  run -77 mqsend -b "$(mqd_tcp)" orders2 <<<"x"
  assert_output --partial 'the decision is deny'
  unset MQ_ACCESS_KEY MQ_SECRET_FILE
  mqctl acl delete bob Topic:orders2
  run ! mqctl acl delete bob Topic:orders2
  mqctl acl delete bob Topic:orders2 --if-exists
  mqctl user alter bob --status disable
  run -77 env MQ_ACCESS_KEY=bob MQ_SECRET_FILE="$work/bob" mqsend -b "$(mqd_tcp)" orders <<<"x"
  assert_output --partial 'User:bob is disabled'
  run ! mqctl user delete bob </dev/null
  mqctl user delete bob --yes
  run -0 mqctl acl list
  [ -z "$output" ]
  run ! mqctl user show bob
  run -64 mqctl user alter root --type strange
}
