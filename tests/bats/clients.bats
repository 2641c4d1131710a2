#!/usr/bin/env bats
# What the official clients stumbled over; tests/interop/clients_test.sh runs them.
bats_require_minimum_version 1.5.0
load helpers

@test "a batch without properties of its own, as Go sends it, is stored with those of the broker" {
  start_mqd
  PYTHONPATH="$BATS_TEST_DIRNAME/../support" python3 - <<'PY'
import os
import struct
import time
from remoting import Client

properties = b'TAGS\x01T\x02'
body = struct.pack('>IIIII', 23 + len(properties), 0, 0, 0, 1) + b'x' + struct.pack('>H', len(properties)) + properties
c = Client(os.environ['MQ_BROKER'])
assert c.ask(17, topic='T', defaultTopic='TBW102', readQueueNums=1, writeQueueNums=1, perm=6, topicFilterType='SINGLE_TAG',
             topicSysFlag=0, order=False).code == 0
r = c.ask(320, body + body, a='PG', b='T', c='TBW102', d=4, e=0, f=0, g=int(time.time() * 1000), h=0, i='', j=0, k=False, m=True)
assert r.code == 0, r
PY
  run -0 mqrecv -J --all-properties T
  assert_equal "$(jq -c '[.properties.MSG_REGION,.properties.CLUSTER,.properties.TRACE_ON]' <<<"$output" | sort -u)" '["DefaultRegion","DefaultCluster","true"]'
}
