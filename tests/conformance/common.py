"""What the conformance cases share: each is a function case_NAME of a script that is called

  SCRIPT NAME ADDRESS [ARGUMENT]

and ends with 0 when the broker at ADDRESS behaves as the case says. The same scripts ask mqd
(tests/bats/conformance_*.bats) and Apache's broker (tests/interop/conformance_groups_test.sh).
"""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'support'))
from remoting import Client  # noqa: E402

CASE = sys.argv[1]
ADDRESS = sys.argv[2]
ARGUMENT = sys.argv[3] if len(sys.argv) > 3 else ''
# Names of the case's own, so that one broker can be asked all of them.
NAME = CASE.removesuffix('_commit').removesuffix('_ask')
T, G = f'T-{NAME}', f'G-{NAME}'


def client(**options):
    return Client(ADDRESS, **options)


def equal(found, expected, what=''):
    assert found == expected, f'{what}: expected {expected!r}, found {found!r}'


def create_topic(c, topic, read=4, write=4, perm=6):
    equal(c.ask(17, topic=topic, defaultTopic='TBW102', readQueueNums=read, writeQueueNums=write, perm=perm,
                topicFilterType='SINGLE_TAG', topicSysFlag=0, order=False).code, 0, 'create topic')


def create_group(c, group, **config):
    equal(c.ask(200, json.dumps({'groupName': group, **config}).encode()).code, 0, 'create group')


def put(c, topic, count=1, body='x', queue=0, **properties):
    for _ in range(count):
        equal(c.put(topic, body, queue, **properties).code, 0, 'send')


def wait_until(condition, what, timeout=10):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f'timed out waiting for: {what}'
        time.sleep(0.01)


def max_offset(c, topic, queue=0):
    return int(c.ask(30, topic=topic, queueId=queue).ext['offset'])


def put_dispatched(c, topic, count=1, queue=0, **options):
    before = max_offset(c, topic, queue)
    put(c, topic, count, queue=queue, **options)
    wait_until(lambda: max_offset(c, topic, queue) == before + count, 'dispatch')


def commit(c, group, topic, queue, offset):
    equal(c.ask(15, consumerGroup=group, topic=topic, queueId=queue, commitOffset=offset).code, 0, 'commit')


def committed(c, group, topic, queue):
    answer = c.ask(14, consumerGroup=group, topic=topic, queueId=queue, setZeroIfNotFound=False)
    return int(answer.ext['offset']) if answer.code == 0 else None


def pull(c, *args, **options):
    return c.result(c.pull(*args, **options))


def pulled(answer):
    return answer.code, int(answer.ext['nextBeginOffset'])


def record_sizes(body):
    """Of the records back to back."""
    sizes = []
    while body:
        sizes.append(int.from_bytes(body[:4], 'big'))
        body = body[sizes[-1]:]
    return sizes


def loads(body):
    """JSON as the reference writes it, too: member names that are objects or bare numbers."""
    text = body.decode()
    text = re.sub(r'(\{"brokerName":"[^"]*","queueId":\d+,"topic":"[^"]*"\}):', lambda m: json.dumps(m.group(1)) + ':', text)
    return json.loads(re.sub(r'([{,])(\d+):', r'\1"\2":', text))


def by_queue(table):
    """{queue id: value} of a map by message queue."""
    return {json.loads(key)['queueId']: value for key, value in table.items()}


def run(cases):
    cases['case_' + CASE]()
