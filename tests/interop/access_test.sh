#!/usr/bin/env bash
# Goal: users and policies mean at mqd what they mean at Apache's broker, and the official tools make them.
# Method: both brokers with authentication and authorisation on; the official mqadmin, signing as the first user, makes the
# same users and policies in both, and both say the same; then one program with the official client tries, as each user,
# what it may and may not do: what it is told has to be the same, line by line.
set -u
. "$(dirname "$0")/lib.sh"
bring_peers || { fail "the peers come from the package registry"; exit 1; }

auth=org.apache.rocketmq.auth
settings=(authenticationEnabled=true authorizationEnabled=true
  "authenticationMetadataProvider=$auth.authentication.provider.LocalAuthenticationMetadataProvider"
  "authorizationMetadataProvider=$auth.authorization.provider.LocalAuthorizationMetadataProvider"
  'initAuthenticationUser={"username":"root","password":"root-secret"}')
start_namesrv && start_apache "$tmp/apache" mappedFileSizeCommitLog=16777216 waitTimeMillsInSendQueue=30000 \
  waitTimeMillsInPullQueue=30000 waitTimeMillsInHeartbeatQueue=60000 "${settings[@]}" || { fail "Apache's broker starts"; exit 1; }
printf '%s\n' brokerName=broker-a mappedFileSizeCommitLog=16777216 "${settings[@]}" >"$tmp/mqd.conf"
start_mqd "$tmp/mqd" -c "$tmp/mqd.conf" || { fail "mqd starts"; exit 1; }
mkdir -p "$tmp/conf"
printf 'accessKey: root\nsecretKey: root-secret\n' >"$tmp/conf/tools.yml"

# {bk} is the broker; words are split at blanks.
cat >"$tmp/commands" <<'COMMANDS'
updateTopic -b {bk} -t AccOpen -r 1 -w 1
updateTopic -b {bk} -t AccPreOne -r 1 -w 1
updateTopic -b {bk} -t AccPreNot -r 1 -w 1
updateTopic -b {bk} -t AccFar -r 1 -w 1
updateTopic -b {bk} -t AccOther -r 1 -w 1
createUser -b {bk} -u writer -p writer-secret -t Normal
createUser -b {bk} -u writer -p again
createUser -b {bk} -u reader -p other
updateUser -b {bk} -u reader -p reader-secret
createUser -b {bk} -u boss -p boss-secret -t Super
createUser -b {bk} -u off -p off-secret -t Super
updateUser -b {bk} -u off -s disable
updateUser -b {bk} -u stranger -s disable
createUser -b {bk} -u gone -p gone-secret
createAcl -b {bk} -s User:gone -r * -a All -d Allow
deleteUser -b {bk} -u gone
createAcl -b {bk} -s User:writer -r Topic:AccOpen,Topic:AccPre* -a Pub -d Allow
createAcl -b {bk} -s User:writer -r Topic:AccPreNot -a Pub,Sub -d Deny
createAcl -b {bk} -s User:writer -r Topic:AccFar -a Pub -d Allow -i 10.0.0.0/8,192.0.2.1
createAcl -b {bk} -s User:reader -r Topic:AccOpen -a Sub,Get -d Allow -i 127.0.0.0/8
createAcl -b {bk} -s User:reader -r Group:AccGroup* -a Sub -d Allow
createAcl -b {bk} -s User:reader -r Cluster:* -a Get -d Allow
createAcl -b {bk} -s User:stranger -r Topic:AccOpen -a Sub -d Allow
createAcl -b {bk} -s User:reader -r Topic:AccOpen -a Fly -d Allow
createAcl -b {bk} -s User:reader -r Topic:AccOpen -a Pub -d Perhaps
createAcl -b {bk} -s User:reader -r Topic:AccOpen -a Pub -d Allow -i 10.0.0
updateAcl -b {bk} -s User:reader -r Group:AccGroup* -a Sub,Get -d Allow
deleteAcl -b {bk} -s User:reader -r Cluster:*
copyUser -f {bk} -t {bk} -u writer,reader
copyAcl -f {bk} -t {bk} -s User:writer
listUser -b {bk}
listUser -b {bk} -f er
getUser -b {bk} -u boss
getUser -b {bk} -u stranger
getAcl -b {bk} -s User:writer
getAcl -b {bk} -s User:boss
getAcl -b {bk} -s User:stranger
listAcl -b {bk}
listAcl -b {bk} -s read
listAcl -b {bk} -r AccPre
COMMANDS
# administer NAME BROKER: what mqadmin says goes to $tmp/NAME.admin, addresses and stacks left out.
administer() {
  sed "s/{bk}/$2/g; s/ /\t/g" "$tmp/commands" | "${java[@]}" -Djava.security.manager=allow -Xmx256m peer.Admin >"$tmp/$1.said" 2>"$tmp/$1.err"
  grep '^{' "$tmp/$1.said" | jq -r '"== \(.args)", (.out + .err)' |
    grep -vE '^[[:space:]]+(at |\.\.\. )|^$| \|-(INFO|WARN|ERROR) in |RocketMQLog|Caused by: java' | sed "s/$2/BROKER/g; s/[[:space:]]*$//" >"$tmp/$1.admin"
}
administer apache "127.0.0.1:$broker_port" &
first=$!
administer mqd "$mqd_tcp" &
wait $first $!
same() { # SUFFIX LINES
  [ "$(wc -l <"$tmp/apache.$1")" -ge "$2" ] && diff "$tmp/apache.$1" "$tmp/mqd.$1"
}
check "mqadmin makes and shows users and policies" same admin 60

try() { "${java[@]}" -Xmx256m peer.Access "$2" 2>"$tmp/$1.err" | grep '^> ' | sed "s/$3/BROKER/g" >"$tmp/$1.tried"; }
try apache "$namesrv" "127.0.0.1:$broker_port" &
first=$!
try mqd "$mqd_tcp" "$mqd_tcp" &
wait $first $!
[ -z "${KEEP:-}" ] || cp "$tmp"/*.admin "$tmp"/*.tried "$KEEP"
check "each user may do the same" same tried 100
for expected in 'nobody sends to AccOpen: 16 username cannot be null' 'writer/writer-secret sends to AccOpen: did' 'writer/wrong sends to AccOpen: 16 check signature failed' \
  'off/off-secret sends to AccOpen: 16 User:off is disabled' 'writer/writer-secret sends to AccPreNot: 16 .* the decision is deny' 'writer/writer-secret sends to AccFar: 16 .* no matched policies' \
  'reader/reader-secret pulls AccOpen as AccGroup1: did' 'reader/reader-secret pulls AccOther as AccGroup1: 16' 'boss/boss-secret makes AccMade: did'; do
  check "mqd: $expected" grep -q "^> $expected" "$tmp/mqd.tried"
done
