#!/usr/bin/env python3
"""The requests of rocketmq-dashboard, page by page, as its pages make them, and what of the answers the pages read.

    dashboard.py ADDRESS PAGE      one of the functions below; nothing printed means that the page gets what it needs
"""
import json
import re
import sys
import time

from remoting import Client

at = sys.argv[1]
c = Client(at)
c.language = 'JAVA'


def ask(code, body=b'', **ext):
    answer = c.ask(code, body, **ext)
    assert answer.code == 0, f'R({code}) {ext}: {answer.code} {answer.remark}'
    return answer


def json_of(answer):
    # fastjson's keys: bare numbers, and objects.
    text = re.sub(r'([{,])(\d+):', r'\1"\2":', answer.body.decode())
    return json.loads(text)


def has(table, *keys):
    for key in keys:
        assert key in table, f'no {key} in {sorted(table)[:60]}'
    return table


def cluster():
    found = has(json_of(ask(106)), 'brokerAddrTable', 'clusterAddrTable')
    (name, broker), = found['brokerAddrTable'].items()
    has(broker, 'brokerAddrs', 'brokerName', 'cluster')
    assert found['clusterAddrTable'][broker['cluster']] == [name]
    return broker


def runtime():
    table = json_of(ask(28))['table']
    has(table, 'brokerVersionDesc', 'putTps', 'getTransferredTps', 'msgPutTotalTodayMorning', 'msgPutTotalTodayNow',
        'msgPutTotalYesterdayMorning', 'msgGetTotalTodayNow', 'msgGetTotalTodayMorning', 'msgGetTotalYesterdayMorning',
        'bootTimestamp', 'commitLogDiskRatio')
    for rate in ('putTps', 'getTotalTps', 'getTransferredTps', 'getMissTps', 'getFoundTps'):
        assert len([float(x) for x in table[rate].split()]) == 3, table[rate]
    return table


def route(topic):
    found = has(json_of(ask(105, topic=topic)), 'brokerDatas', 'queueDatas', 'filterServerTable')
    return found['queueDatas']


# Topic, messages, a producer and a consumer on line.
def prepare():
    ask(17, topic='Dash', defaultTopic='TBW102', readQueueNums=2, writeQueueNums=2, perm=6, topicFilterType='SINGLE_TAG',
        topicSysFlag=0, order=False, attributes='')
    ask(200, json.dumps({'groupName': 'DashGroup', 'consumeEnable': True, 'retryQueueNums': 1, 'retryMaxTimes': 3}).encode())
    for i in range(4):
        put = c.put('Dash', f'body {i}', queue=i % 2, KEYS=f'key{i}', UNIQ_KEY=f'{i:032X}', TAGS='TagA')
        assert put.code == 0, put.remark
    c.heartbeat('dash-client', 'DashGroup', {'Dash': '*'}, producers=['DashProducer'])
    ask(15, consumerGroup='DashGroup', topic='Dash', queueId=0, commitOffset=1)


def front():
    cluster()
    runtime()
    topics = json_of(ask(206))['topicList']
    assert 'Dash' in topics
    route('Dash')
    assert 'DashGroup' in json_of(ask(300, topic='Dash'))['groupList']
    put = json_of(ask(315, statsName='TOPIC_PUT_NUMS', statsKey='Dash'))
    for span in ('statsMinute', 'statsHour', 'statsDay'):
        has(put[span], 'sum', 'tps', 'avgpt')
    never = c.ask(315, statsName='GROUP_GET_NUMS', statsKey='Dash@DashGroup')
    assert never.code in (0, 1)  # the collector takes "does not exist" for nothing consumed yet


def clusters():
    cluster()
    runtime()
    config = ask(26)
    has(config.ext, 'version')
    assert 'brokerName=' in config.body.decode()


def topics():
    prepare()
    assert 'Dash' in json_of(ask(206))['topicList']
    system = json_of(ask(304))
    assert system['brokerAddr'] and system['topicList']
    assert 'TBW102' in json_of(ask(305))['topicList']
    table = json_of(ask(21))
    has(table['topicConfigTable']['Dash'], 'attributes', 'perm', 'order')
    stats = ask(202, topic='Dash').body.decode()
    assert stats.count('"maxOffset"') == 2 and stats.count('"lastUpdateTimestamp"') == 2, stats
    route('Dash')
    assert json_of(ask(300, topic='Dash'))['groupList'] == ['DashGroup']
    ask(208, consumerGroup='DashGroup', topic='Dash')
    has(json_of(ask(351, topic='Dash', lo=True)), 'topicName', 'readQueueNums', 'writeQueueNums', 'perm', 'order')
    assert c.put('Dash', 'from the page').code == 0
    ask(215, topic='Dash')
    ask(216, topic='Dash', clusterName=cluster()['cluster'])
    assert c.ask(105, topic='Dash').code == 17


def consumers():
    prepare()
    groups = json_of(ask(201))['subscriptionGroupTable']
    has(groups['DashGroup'], 'consumeEnable', 'retryQueueNums', 'retryMaxTimes', 'brokerId')
    progress = ask(208, consumerGroup='DashGroup').body.decode()
    assert '"consumerOffset"' in progress and '"brokerOffset"' in progress and '"lastTimestamp"' in progress, progress
    connections = json_of(ask(203, consumerGroup='DashGroup'))
    has(connections, 'connectionSet', 'consumeFromWhere', 'consumeType', 'messageModel', 'subscriptionTable')
    has(connections['connectionSet'][0], 'clientAddr', 'clientId', 'language', 'version')
    c.answer = lambda request: (0, b'{"properties":{"from":"the client"}}')
    assert b'from' in ask(307, consumerGroup='DashGroup', clientId='dash-client', jstackEnable=False).body
    reset = ask(222, topic='Dash', group='DashGroup', timestamp=0, isForce=True)
    assert b'offsetTable' in reset.body
    assert c.ask(203, consumerGroup='Nobody').code == 206
    ask(207, groupName='DashGroup', cleanOffset=True)
    for topic in ('%RETRY%DashGroup', '%DLQ%DashGroup'):
        ask(215, topic=topic)
        ask(216, topic=topic, clusterName=cluster()['cluster'])


def producers():
    prepare()
    route('Dash')
    connections = json_of(ask(204, producerGroup='DashProducer'))['connectionSet']
    assert [x['clientId'] for x in connections] == ['dash-client'], connections
    assert c.ask(204, producerGroup='Nobody').code == 1


def messages():
    prepare()
    deadline = time.time() + 20
    while c.ask(12, topic='Dash', key='key1', maxNum=64, beginTimestamp=0, endTimestamp=1 << 62).code != 0:
        assert time.time() < deadline, 'the key is not found'
        time.sleep(0.05)
    found = ask(12, topic='Dash', key=f'{2:032X}', maxNum=32, beginTimestamp=0, endTimestamp=1 << 62, _UNIQUE_KEY_QUERY=True)
    has(found.ext, 'indexLastUpdateTimestamp', 'indexLastUpdatePhyoffset')
    assert b'body 2' in found.body
    # Where it went: the track of a message.
    for group in json_of(ask(300, topic='Dash'))['groupList']:
        ask(203, consumerGroup=group)
        ask(208, consumerGroup=group, topic='Dash')
    # By topic and time.
    for queue in range(2):
        first = int(ask(29, topic='Dash', queueId=queue, timestamp=0).ext['offset'])
        low = int(ask(31, topic='Dash', queueId=queue).ext['offset'])
        high = int(ask(30, topic='Dash', queueId=queue).ext['offset'])
        assert (first, low, high) == (0, 0, 2), (first, low, high)
        pulled = c.result(c.pull('TOOLS_CONSUMER', 'Dash', queue=queue))
        assert pulled.code == 0 and has(pulled.ext, 'nextBeginOffset', 'minOffset', 'maxOffset'), pulled.code
    # Once more to one consumer: the client is sent the record and says what became of it.
    c.answer = lambda request: (0, b'{"consumeResult":"CR_SUCCESS"}' if request.body else b'{}')
    offset_id = c.put('Dash', 'again').ext['msgId']
    again = ask(309, consumerGroup='DashGroup', clientId='dash-client', msgId=offset_id, brokerName='')
    assert b'CR_SUCCESS' in again.body


def trace():
    assert c.put('RMQ_SYS_TRACE_TOPIC', 'Pub\x01...\x02', KEYS='traced').code == 0
    deadline = time.time() + 20
    while c.ask(12, topic='RMQ_SYS_TRACE_TOPIC', key='traced', maxNum=64, beginTimestamp=0, endTimestamp=1 << 62).code != 0:
        assert time.time() < deadline, 'the trace is not found'
        time.sleep(0.05)


if __name__ == '__main__':
    if sys.argv[2] == 'front':
        prepare()
    globals()[sys.argv[2]]()
