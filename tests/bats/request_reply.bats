#!/usr/bin/env bats
# Replies to requests that were sent as messages: handed to the client that asked, and stored.
bats_require_minimum_version 1.5.0
load helpers

story() {
  PYTHONPATH="$BATS_TEST_DIRNAME/../support" python3 - <<PY
import os
import time
from remoting import Client

asker = Client(os.environ['MQ_BROKER'])
assert asker.heartbeat('asker-1', producers=['PG']).code == 0
replier = Client(os.environ['MQ_BROKER'])

def reply(to, body=b'answer', code=325, **more):
    text = ''.join(f'{k}\x01{v}\x02' for k, v in {'MSG_TYPE': 'reply', 'CORRELATION_ID': 'c-1', 'REPLY_TO_CLIENT': to}.items())
    return replier.ask(code, body, a='RG', b='DefaultCluster_REPLY_TOPIC', c='TBW102', d=4, e=0, f=0, g=int(time.time() * 1000),
                       h=0, i=text, j=0, k=False, m=False, **more)
$1
PY
}

@test "a reply reaches the client that asked, and its sender is told where it is stored" {
  start_mqd
  story "
asker.answer = lambda request: (0, b'')
r = reply('asker-1')
assert (r.code, r.ext['queueId'], r.ext['queueOffset']) == (0, '0', '0'), r
pushed = asker.wait_for(326)
assert pushed.body == b'answer', pushed
properties = dict(p.split('\x01') for p in pushed.ext['properties'].split('\x02') if p)
assert properties['CORRELATION_ID'] == 'c-1' and int(properties['PUSH_REPLY_TIME']) > 0, properties
assert pushed.ext['topic'] == 'DefaultCluster_REPLY_TOPIC' and ':' in pushed.ext['bornHost'], pushed.ext
"
  run -0 mqrecv DefaultCluster_REPLY_TOPIC
  assert_output answer
}

@test "a reply to nobody is an error, and so is one that the client does not take" {
  start_mqd
  story "
r = reply('asker-2')
assert r.code == 1 and 'asker-2' in r.remark, r
asker.answer = lambda request: (1, b'')
r = reply('asker-1')
assert r.code == 1 and 'asker-1' in r.remark, r
asker.answer = None
import threading
threading.Timer(0.3, asker.close).start()
r = reply('asker-1')
assert r.code == 1, r
"
}
