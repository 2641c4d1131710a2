#!/usr/bin/env python3
"""Conformance cases of consumer groups, offsets and pulls, each against a daemon of its own.

  groups.py CASE ADDRESS [ARGUMENT]

Exit 0 when the daemon behaves as the case says; tests/bats/conformance_groups.bats says which there are.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'support'))
from remoting import Client  # noqa: E402

CASE = sys.argv[1]
ADDRESS = sys.argv[2]
T, G = f'T-{CASE.split("_")[0]}', f'G-{CASE.split("_")[0]}'  # so that one daemon can be asked all cases
ARGUMENT = sys.argv[3] if len(sys.argv) > 3 else ''
CODE_NOTIFY = 40


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


def put_dispatched(c, topic, count=1, **options):
    before = max_offset(c, topic)
    put(c, topic, count, **options)
    wait_until(lambda: max_offset(c, topic) == before + count, 'dispatch')


def pull(c, *args, **options):
    return c.result(c.pull(*args, **options))


def pulled(answer):
    return answer.code, int(answer.ext['nextBeginOffset'])


def records(body):
    """(topic, tag code is not stored) sizes of the records back to back."""
    sizes = []
    while body:
        size = int.from_bytes(body[:4], 'big')
        sizes.append(size)
        body = body[size:]
    return sizes


# --- 25.2 pull

def case_15():
    c = client()
    create_topic(c, T)
    equal(pulled(pull(c, G, T, offset=0)), (19, 0), 'empty queue at 0')
    equal(pulled(pull(c, G, T, offset=5)), (21, 0), 'empty queue at 5')


def case_16():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 10)
    equal(pulled(pull(c, G, T, offset=10)), (19, 10), 'at the end')
    equal(pulled(pull(c, G, T, offset=11)), (21, 10), 'one past the end')


def case_18():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 100)
    answer = pull(c, G, T, count=64)
    equal((len(records(answer.body)), pulled(answer)), (32, (0, 32)), '64 of 100 small ones')


def case_19():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 3, body='x' * 200 * 1024)
    equal(len(records(pull(c, G, T).body)), 1, 'of three of 200 KiB')


def case_20():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 1, body='x' * 3 * 1024 * 1024)
    answer = pull(c, G, T)
    equal((answer.code, len(records(answer.body))), (0, 1), 'one of 3 MiB')


def case_21():
    c = client()
    create_topic(c, T)
    create_topic(c, f'{T}-write', perm=2)
    create_group(c, f'{G}-stopped', consumeEnable=False)
    equal(pull(c, G, T, queue=4).code, 29, 'queueId = readQueueNums')
    answer = pull(c, G, f'{T}-write')
    equal((answer.code, answer.ext['forbiddenType']), (16, '3'), 'topic without R')
    answer = pull(c, f'{G}-stopped', T)
    equal((answer.code, answer.ext['forbiddenType']), (16, '2'), 'consumeEnable=false')


def case_22():
    c = client()
    create_topic(c, T)
    equal(pull(c, G, T, sys_flag=0).code, 24, 'no registration')
    c.heartbeat('id', G, {f'{T}-other': '*'})
    equal(pull(c, G, T, sys_flag=0).code, 24, 'registered without the topic')


def case_23():
    c = client()
    create_topic(c, T)
    c.heartbeat('id', G, {T: '*'}, version=10)
    equal(pull(c, G, T, sys_flag=0, version=11).code, 25, 'a newer subVersion')
    equal(pull(c, G, T, sys_flag=0, version=10).code, 19, 'the same subVersion')


def case_24():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 1, TAGS='Aa')
    put_dispatched(c, T, 1, TAGS='BB')
    equal(len(records(pull(c, G, T, subscription='Aa').body)), 2, 'tags of one hash')


def case_25():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 1000, TAGS='X')
    equal(pulled(pull(c, G, T, subscription='Y')), (20, 800), 'nothing matches')


def case_26():
    c = client()
    create_topic(c, T)
    began = time.monotonic()
    equal(pull(c, G, T, sys_flag=6, suspend=2000).code, 19, 'held for nothing')
    took = time.monotonic() - began
    assert 2 <= took <= 9, f'answered after {took} s'


def case_27():
    c, other = client(), client()
    create_topic(c, T)
    held = c.pull(G, T, sys_flag=6, suspend=15000, subscription='A')
    time.sleep(0.3)  # nothing shows that it is held; a message that comes before would not be the case
    put_dispatched(other, T, 1, TAGS='B')
    put_dispatched(other, T, 1, TAGS='A')
    answer = c.result(held, timeout=3)
    equal((answer.code, len(records(answer.body))), (0, 1), 'woken by the message that matches')


def case_28():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 1)
    equal(pull(c, G, T, sys_flag=5, commit=7).code, 0, 'pull')
    equal(c.ask(14, consumerGroup=G, topic=T, queueId=0).ext['offset'], '7', 'committed on the way')


def case_29():  # the daemon runs with longPollingEnable=false
    c = client()
    create_topic(c, T)
    began = time.monotonic()
    equal(pull(c, G, T, sys_flag=6, suspend=15000).code, 19, 'held for a short time only')
    assert time.monotonic() - began < 5


# --- 25.4 groups, offsets, rebalance

def case_41():
    a, b = client(), client()
    a.heartbeat('id-a', G, {T: '*'})
    equal(a.wait_for(CODE_NOTIFY).ext, {'consumerGroup': G}, 'its own arrival')
    b.heartbeat('id-b', G, {T: '*'})
    notice = a.wait_for(CODE_NOTIFY)
    equal((notice.ext, notice.flag), ({'consumerGroup': G}, 2), 'notice')
    listed = json.loads(b.ask(38, consumerGroup=G).body)
    equal(sorted(listed['consumerIdList']), ['id-a', 'id-b'], 'members')
    equal(b.ask(38, consumerGroup='NoSuch').code, 1, 'a group without members')


def case_42():
    a, b = client(), client()
    a.heartbeat('id-a', G, {T: 'A'}, version=1)
    b.heartbeat('id-b', G, {T: 'A'}, version=1)
    a.wait_for(CODE_NOTIFY)
    a.wait_for(CODE_NOTIFY)
    b.wait_for(CODE_NOTIFY)
    a.heartbeat('id-a', G, {T: 'B'}, version=2)
    b.ask(38, consumerGroup=G)  # whatever was to come has come before this answer
    equal((a.count(CODE_NOTIFY), b.count(CODE_NOTIFY)), (0, 0), 'notices')
    shown = json.loads(b.ask(345, group=G, topic=T).body)
    equal(shown['subscriptionData']['subString'], 'B', 'the newer expression')


def members_are_told_when(leave):
    a, b = client(), client()
    a.heartbeat('id-a', G, {T: '*'})
    b.heartbeat('id-b', G, {T: '*'})
    a.wait_for(CODE_NOTIFY)
    a.wait_for(CODE_NOTIFY)
    began = time.monotonic()
    leave(b)
    a.wait_for(CODE_NOTIFY, timeout=2)
    assert time.monotonic() - began < 2
    equal(json.loads(a.ask(38, consumerGroup=G).body)['consumerIdList'], ['id-a'], 'members')


def case_clean_leave():
    members_are_told_when(lambda c: equal(c.ask(35, clientID='id-b', consumerGroup=G).code, 0, 'leave'))


def case_closed_connection():
    members_are_told_when(lambda c: c.close())


def case_comes_back():
    old, new, other = client(), client(), client()
    old.heartbeat('id-a', G, {T: '*'})
    new.heartbeat('id-a', G, {T: '*'})
    other.heartbeat('id-b', G, {T: '*'})
    old.close()
    other.wait_for(CODE_NOTIFY)
    other.wait_for(CODE_NOTIFY)
    equal(sorted(json.loads(other.ask(38, consumerGroup=G).body)['consumerIdList']), ['id-a', 'id-b'], 'members')


def case_no_notices_wanted():
    a, b = client(), client()
    create_group(a, f'{G}-quiet', notifyConsumerIdsChangedEnable=False)
    a.heartbeat('id-a', f'{G}-quiet', {T: '*'})
    b.heartbeat('id-b', f'{G}-quiet', {T: '*'})
    a.ask(38, consumerGroup=f'{G}-quiet')
    equal(a.count(CODE_NOTIFY), 0, 'notices')


def case_heartbeat_v2():
    c = client()
    known = c.heartbeat('id-a', G, {T: '*'}, heartbeatFingerprint=77)
    equal((known.ext['IS_SUPPORT_HEART_BEAT_V2'], known.ext['IS_SUB_CHANGE']), ('true', 'false'), 'whole')
    short = c.heartbeat('id-a', G, {}, heartbeatFingerprint=77, withoutSub=True)
    equal(short.ext['IS_SUB_CHANGE'], 'false', 'without subscriptions')
    equal(pull(c, G, T, sys_flag=0).code, 17, 'the subscription still counts: only the topic is missing')
    equal(c.heartbeat('id-a', G, {}, heartbeatFingerprint=78, withoutSub=True).ext['IS_SUB_CHANGE'], 'true', 'another')
    equal(c.heartbeat('id-a', G, {T: '*'}).ext['IS_SUB_CHANGE'], 'true', 'without a fingerprint')


def case_retry_topic():
    c = client()
    create_group(c, f'{G}-3', retryQueueNums=3)
    c.heartbeat('id', f'{G}-3', {T: '*'})
    config = json.loads(c.ask(351, topic=f'%RETRY%{G}-3').body)
    equal((config['readQueueNums'], config['writeQueueNums'], config['perm']), (3, 3, 6), f'%RETRY%{G}-3')


def case_45():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 1)
    ask = {'consumerGroup': G, 'topic': T, 'queueId': 0}
    answer = c.ask(14, **ask)
    equal((answer.code, answer.ext['offset']), (0, '0'), 'message 0 is in memory')
    equal(c.ask(14, setZeroIfNotFound=False, **ask).code, 22, 'setZeroIfNotFound=false')
    equal(c.ask(14, consumerGroup=G, topic=T, queueId=3).code, 22, 'an empty queue')


def case_46():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    for offset in (10, 4):
        equal(c.ask(15, consumerGroup=G, topic=T, queueId=0, commitOffset=offset).code, 0, 'commit')
    equal(c.ask(14, consumerGroup=G, topic=T, queueId=0).ext['offset'], '4', 'the smaller one counts')
    equal(c.ask(15, consumerGroup='NoSuch', topic=T, queueId=0, commitOffset=1).code, 26, 'unknown group')
    equal(c.ask(15, consumerGroup=G, topic='NoSuch', queueId=0, commitOffset=1).code, 17, 'unknown topic')
    equal(c.ask(352, group=f'{G}-made').code, 0, 'asking for its configuration makes a group')


def case_48_commit():  # ARGUMENT: the store
    c = client()
    create_topic(c, T)
    create_group(c, G)
    c.send(15, oneway=True, consumerGroup=G, topic=T, queueId=2, commitOffset=41)
    path = f'{ARGUMENT}/config/consumerOffset.json'
    wait_until(lambda: os.path.exists(path) and '41' in open(path).read(), 'consumerOffset.json')


def case_48_ask():
    equal(client().ask(14, consumerGroup=G, topic=T, queueId=2).ext['offset'], '41', 'after the kill')


# --- what administrators see

def case_views():
    c = client(language='GO', version=317)
    create_topic(c, T)
    equal(c.ask(203, consumerGroup=G).code, 206, 'nobody on line')
    equal(c.ask(204, producerGroup=G).code, 1, 'no producer')
    c.heartbeat('id-a', G, {T: 'A || B'}, producers=[G])
    shown = json.loads(c.ask(203, consumerGroup=G).body)
    equal([(e['clientId'], e['language'], e['version']) for e in shown['connectionSet']], [('id-a', 'GO', 317)], 'members')
    equal((shown['consumeType'], shown['messageModel'], shown['consumeFromWhere']),
          ('CONSUME_PASSIVELY', 'CLUSTERING', 'CONSUME_FROM_LAST_OFFSET'), 'mode')
    equal(shown['subscriptionTable'][T]['subString'], 'A || B', 'subscription')
    equal(json.loads(c.ask(204, producerGroup=G).body)['connectionSet'][0]['clientId'], 'id-a', 'producers')
    equal(json.loads(c.ask(328).body)['data'][G][0]['clientId'], 'id-a', 'all producers')
    create_group(c, f'{G}-2')
    equal(c.ask(15, consumerGroup=f'{G}-2', topic=T, queueId=0, commitOffset=0).code, 0, 'commit')
    equal(json.loads(c.ask(343, group=f'{G}-2').body)['topicList'], [T], 'topics of a group')
    assert f'{G}-2' in json.loads(c.ask(300, topic=T).body)['groupList'], 'groups of a topic'
    equal(json.loads(c.ask(345, group=G, topic=T).body)['subscriptionData']['subString'], 'A || B', 'subscription')
    c.ask(35, clientID='id-a', consumerGroup=G, producerGroup=G)
    equal((c.ask(203, consumerGroup=G).code, c.ask(204, producerGroup=G).code), (206, 1), 'after leaving')


# --- 25.5 ordered

def queue(topic, number):
    return {'brokerName': ARGUMENT or 'DEFAULT_BROKER', 'queueId': number, 'topic': topic}


def lock(c, client_id, *queues, code=41):
    answer = c.ask(code, json.dumps({'clientId': client_id, 'consumerGroup': G, 'mqSet': queues}).encode())
    equal(answer.code, 0, 'lock')
    return sorted(json.loads(answer.body)['lockOKMQSet'], key=str) if answer.body else None


def case_49():
    c = client()
    q0, q1 = queue(T, 0), queue(T, 1)
    equal(lock(c, 'c1', q0), [q0], 'free')
    equal(lock(c, 'c2', q0, q1), [q1], 'held by c1')
    equal(lock(c, 'c1', q0, q1), [q0], 'each its own')
    lock(c, 'c1', q0, code=42)
    equal(lock(c, 'c2', q0, q1), [q0, q1], 'unlocked')


globals()['case_' + CASE]()
