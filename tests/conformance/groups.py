#!/usr/bin/env python3
"""Consumer groups, offsets, locks: the conformance cases of 25.4 and 49."""
import json
import os
import time

from common import ARGUMENT, G, T, client, create_group, create_topic, equal, pull, put_dispatched, run, wait_until

CODE_NOTIFY = 40


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


def case_82():
    answer = client().ask(9999)
    equal(answer.code, 3, 'unknown')
    assert '9999' in answer.remark, answer.remark


run(globals())
