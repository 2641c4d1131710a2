#!/usr/bin/env python3
"""What administrators ask about consumer groups, and what brokers ask clients for them: case 47 and the requests of
remoting.md 9, 13.3 and 13.4."""
import json
import time

from common import (ARGUMENT, G, T, by_queue, client, commit, committed, create_group, create_topic, equal, loads, pull,
                    pulled, put_dispatched, run, wait_until)

BROKER = ARGUMENT or 'DEFAULT_BROKER'


def reset(c, group=G, topic=T, timestamp=-1, **more):
    return c.ask(222, topic=topic, group=group, timestamp=timestamp, isForce=True, **more)


# --- resets

def case_47():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    put_dispatched(c, T, 5)
    commit(c, G, T, 0, 2)
    answer = reset(c)
    equal((answer.code, by_queue(loads(answer.body)['offsetTable'])), (0, {0: 5, 1: 0, 2: 0, 3: 0}), 'reset')
    equal(committed(c, G, T, 0), 5, 'the new offset')
    late = c.ask(15, consumerGroup=G, topic=T, queueId=0, commitOffset=3)
    equal((late.code, late.remark), (0, 'Offset has been previously reset'), 'a commit from before')
    equal(pulled(pull(c, G, T, offset=2)), (21, 5), 'the next pull is sent there')
    equal(pulled(pull(c, G, T, offset=2)), (0, 5), 'once: this pull finds what it asks for')
    commit(c, G, T, 0, 3)
    equal(committed(c, G, T, 0), 3, 'commits count again')


def case_reset_wakes():
    c, other = client(), client()
    create_topic(c, T)
    put_dispatched(c, T, 5)
    held = c.pull(G, T, offset=5, sys_flag=6, suspend=15000)
    time.sleep(0.3)
    equal(reset(other, queueId=0, offset=1).code, 0, 'reset')
    equal(pulled(c.result(held, timeout=3)), (21, 1), 'the pull that waited')


def case_reset_one_queue():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    put_dispatched(c, T, 3)
    equal(reset(c, queueId=0, offset=1).code, 0, 'within the queue')
    equal((committed(c, G, T, 0), committed(c, G, T, 1)), (1, None), 'one queue alone')
    equal(reset(c, queueId=0, offset=9).code, 1, 'outside of the queue')
    equal(reset(c, topic='NoSuch').code, 17, 'unknown topic')
    equal(reset(c, group='NoSuch').code, 26, 'unknown group')


def case_reset_by_time():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    put_dispatched(c, T, 2)
    time.sleep(0.05)
    now = int(time.time() * 1000)
    put_dispatched(c, T, 2)
    equal(by_queue(loads(reset(c, timestamp=now).body)['offsetTable'])[0], 2, 'the first one stored at that time or later')


def case_reset_at_clients():  # the broker runs with useServerSideResetOffset=false
    c, java, old = client(), client(), client(version=20)
    create_topic(c, T, read=1, write=1)
    put_dispatched(c, T, 5)
    java.heartbeat('id-java', G, {T: '*'})
    equal(reset(c).code, 1, 'a group without offsets')
    commit(c, G, T, 0, 2)
    answer = reset(c)
    equal((answer.code, by_queue(loads(answer.body)['offsetTable'])), (0, {0: 5}), 'answer')
    notice = java.wait_for(220)
    equal((notice.flag, notice.ext['topic'], notice.ext['group'], notice.ext['isForce']), (2, T, G, 'true'), 'notice')
    equal(notice.body.decode(), '{"offsetTable":{{"brokerName":"%s","queueId":0,"topic":"%s"}:5}}' % (BROKER, T), 'for Java')
    equal(committed(c, G, T, 0), 2, 'the members do it themselves')
    equal(pulled(pull(c, G, T, offset=2)), (0, 5), 'no pull is sent elsewhere')
    equal(reset(client(language='CPP')).code, 0, 'asked by C++')
    equal(json.loads(java.wait_for(220).body)['offsetTable'],
          [{'brokerName': BROKER, 'offset': 5, 'queueId': 0, 'topic': T}], 'for C++')
    old.heartbeat('id-old', G, {T: '*'})
    equal(reset(c).code, 1, 'a member that cannot')
    java.close()
    old.close()
    wait_until(lambda: reset(c).code == 206, 'nobody on line')


def case_clone():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    create_group(c, f'{G}-2')
    for queue in (0, 3):
        commit(c, G, T, queue, 10 + queue)
    equal(c.ask(314, srcGroup=G, destGroup=f'{G}-2', topic=T, offline=True).code, 0, 'clone')
    equal([committed(c, f'{G}-2', T, q) for q in range(4)], [10, None, None, 13], 'copied')


def case_correction():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 9)
    for group, offset in ((G, 5), (f'{G}-2', 7), (f'{G}-3', 2)):
        create_group(c, group)
        commit(c, group, T, 0, offset)

    def correction(**ext):
        return loads(c.ask(308, topic=T, **ext).body)['correctionOffsets']
    equal(correction(compareGroup=G), {'0': 2}, 'the smallest of all')
    equal(correction(compareGroup=f'{G}-3'), {'0': 2}, 'itself the smallest')


def case_correction_keeps():
    case_correction()
    c = client()
    answer = c.ask(308, topic=T, filterGroups=f'{G}-3', compareGroup=f'{G}-3')
    equal(loads(answer.body)['correctionOffsets'], {'0': 2 ** 63 - 1}, 'behind all others already')
    equal(committed(c, f'{G}-3', T, 0), 2, 'left out, not deleted')


def case_delete_group():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    commit(c, G, T, 0, 3)
    equal(c.ask(207, groupName=G, cleanOffset=True).code, 0, 'delete')
    equal(c.ask(15, consumerGroup=G, topic=T, queueId=0, commitOffset=1).code, 26, 'gone')
    equal(committed(c, G, T, 0), None, 'with its offsets')


# --- progress

def case_stats():
    c = client()
    create_topic(c, T, read=2, write=2)
    create_group(c, G)
    put_dispatched(c, T, 5)
    commit(c, G, T, 0, 2)
    equal(pull(c, G, T, offset=2).code, 0, 'pull')
    stats = loads(c.ask(208, consumerGroup=G).body)
    queues = by_queue(stats['offsetTable'])
    equal((queues[0]['brokerOffset'], queues[0]['consumerOffset'], queues[0]['pullOffset']), (5, 2, 5), 'queue 0')
    assert queues[0]['lastTimestamp'] > 1_600_000_000_000, 'store time of the last consumed one'
    equal((queues[1]['brokerOffset'], queues[1]['consumerOffset']), (0, 0), 'queue 1')
    equal(len(by_queue(loads(c.ask(208, consumerGroup=G, topic='NoSuch').body)['offsetTable'])), 0, 'unknown topic')
    everything = loads(c.ask(317, isOrder=False).body)
    mine = [g[G] for g in everything['consumeStatsList'] if G in g]
    equal(by_queue(mine[0][0]['offsetTable'])[0]['brokerOffset'], 5, 'of the whole broker')
    # A sum over every group of the broker, in which others can weigh negative.
    assert isinstance(everything['totalDiff'], int)
    create_group(c, f'{G}-2')
    commit(c, f'{G}-2', T, 0, 1)
    c.heartbeat('id', f'{G}-2', {'Other-' + T: '*'})
    equal(loads(c.ask(208, consumerGroup=f'{G}-2').body)['offsetTable'], {}, 'a topic that is not subscribed any more')


def case_time_span():
    c = client()
    create_topic(c, T, read=1, write=1)
    create_group(c, G)
    put_dispatched(c, T, 3)
    commit(c, G, T, 0, 1)
    span = loads(c.ask(303, topic=T, group=G).body)['consumeTimeSpanSet'][0]
    equal(span['messageQueue'], {'brokerName': BROKER, 'queueId': 0, 'topic': T}, 'queue')
    assert span['minTimeStamp'] <= span['consumeTimeStamp'] <= span['maxTimeStamp'], span
    assert 0 <= span['delayTime'] < 60_000, span
    assert len(span['minTimeStampStr']) == len('2025-06-01#13:45:10:123'), span


def case_all_offsets():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    commit(c, G, T, 1, 6)
    equal(loads(c.ask(43).body)['offsetTable'][f'{T}@{G}'], {'1': 6}, 'offset table')


# --- configuration

def case_group_configs():
    c = client()
    create_group(c, G, retryMaxTimes=3, consumeBroadcastEnable=False)
    shown = json.loads(c.ask(352, group=G).body)
    equal((shown['retryMaxTimes'], shown['consumeBroadcastEnable'], shown['groupRetryPolicy']['type']), (3, False, 'CUSTOMIZED'), G)
    two = [{'groupName': f'{G}-{n}'} for n in 'ab']
    equal(c.ask(225, json.dumps({'groupConfigList': two}).encode()).code, 0, 'list')
    table = json.loads(c.ask(201).body)
    assert {G, f'{G}-a', f'{G}-b', 'TOOLS_CONSUMER'} <= table['subscriptionGroupTable'].keys()
    assert table['dataVersion']['counter'] > 0


def case_forbidden():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    c.heartbeat('id', G, {T: '*'})
    equal(pull(c, G, T, sys_flag=0).code, 19, 'allowed')
    shown = json.loads(c.ask(353, group=G, topic=T, readable=False).body)
    equal(shown['readable'], False, 'forbidden')
    answer = pull(c, G, T, sys_flag=0)
    equal((answer.code, answer.ext['forbiddenType']), (16, '5'), 'pull')
    equal(json.loads(c.ask(353, group=G, topic=T, readable=True).body)['readable'], True, 'allowed again')
    equal(pull(c, G, T, sys_flag=0).code, 19, 'allowed again')


def case_broadcast_forbidden():
    c = client()
    create_topic(c, T)
    create_group(c, G, consumeBroadcastEnable=False)
    c.heartbeat('id', G, {T: '*'}, model='BROADCASTING')
    answer = pull(c, G, T, sys_flag=0)
    equal((answer.code, answer.ext['forbiddenType']), (16, '4'), 'pull')


# --- questions to clients

def case_running_info():
    c, asked = client(), client()
    body = b'{"properties":{},"mqTable":{{"brokerName":"b","queueId":0,"topic":"T"}:{"locked":false}}}'
    asked.answer = lambda request: (0, body)
    asked.heartbeat('id-a', G, {T: '*'})
    answer = c.ask(307, consumerGroup=G, clientId='id-a', jstackEnable=True)
    equal((answer.code, answer.body), (0, body), 'the bytes of the client')
    request = asked.wait_for(307)
    equal((request.flag, request.ext), (0, {'consumerGroup': G, 'clientId': 'id-a', 'jstackEnable': 'true'}), 'the question')
    answer = c.ask(307, consumerGroup=G, clientId='id-b', jstackEnable=False)
    equal(answer.code, 1, 'nobody of that name')
    assert 'not online' in answer.remark, answer.remark
    old = client(version=40)
    old.heartbeat('id-old', G, {T: '*'})
    equal(c.ask(307, consumerGroup=G, clientId='id-old', jstackEnable=False).code, 1, 'too old')


def case_relay_closed():
    c, asked = client(), client()
    asked.heartbeat('id-a', G, {T: '*'})
    waiting = c.send(307, consumerGroup=G, clientId='id-a', jstackEnable=False)
    asked.wait_for(307)
    asked.close()
    equal(c.result(waiting, timeout=5).code, 1, 'the client has gone')


def case_consume_directly():
    c, asked = client(), client()
    create_topic(c, T)
    sent = c.put(T, 'hello')
    asked.answer = lambda request: (0, b'{"consumeResult":"CR_SUCCESS"}')
    asked.heartbeat('id-a', G, {T: '*'})
    ask = {'consumerGroup': G, 'clientId': 'id-a', 'brokerName': BROKER, 'topic': T}
    answer = c.ask(309, msgId=sent.ext['msgId'], **ask)
    equal(json.loads(answer.body)['consumeResult'], 'CR_SUCCESS', 'result')
    request = asked.wait_for(309)
    assert b'hello' in request.body and request.body[4:8] == bytes.fromhex('daa320a7'), 'the stored record'
    equal(request.ext['brokerName'], BROKER, 'broker')
    assert c.ask(309, msgId='nonsense', **ask).code != 0


def case_consumer_status():
    c, one, two = client(), client(), client()
    table = '{"consumerTable":{},"messageQueueTable":{{"brokerName":"b","queueId":%d,"topic":"T"}:7}}'
    one.answer = lambda request: (0, (table % 1).encode())
    two.answer = lambda request: (0, (table % 2).encode())
    one.heartbeat('id-1', G, {T: '*'})
    two.heartbeat('id-2', G, {T: '*'})
    shown = loads(c.ask(223, topic=T, group=G).body)['consumerTable']
    equal({name: by_queue(offsets) for name, offsets in shown.items()}, {'id-1': {1: 7}, 'id-2': {2: 7}}, 'both')
    equal(one.wait_for(221).ext, {'topic': T, 'group': G}, 'the question')
    shown = loads(c.ask(223, topic=T, group=G, clientAddr='id-2').body)['consumerTable']
    equal(list(shown), ['id-2'], 'one of them')
    equal(c.ask(223, topic=T, group='NoSuch').code, 1, 'nobody')

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


run(globals())
