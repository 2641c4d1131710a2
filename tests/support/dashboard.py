#!/usr/bin/env python3
"""The requests of rocketmq-dashboard, page by page, as its pages make them, and what of the answers the pages read.

    dashboard.py BROKER PAGE [NAMESRV]   one of the functions below; the page gets what it needs, or an error is raised.
                                         Prints a line a request: its code and all names in its answer. Without NAMESRV
                                         the broker is one, too.
"""
import json
import re
import sys
import time

from remoting import Client

c = Client(sys.argv[1])
names = Client(sys.argv[3]) if len(sys.argv) > 3 else c
PAGE = sys.argv[2]
# Of each page its own, as they are opened one after the other at the same broker.
TOPIC, GROUP, PRODUCER, CLIENT = f'Dash-{PAGE}', f'Group-{PAGE}', f'Producer-{PAGE}', f'client-{PAGE}'
OF_NAME_SERVERS = (105, 106, 206, 216, 304)
PATIENCE_S = 30


def ask(code, body=b'', **ext):
    answer = (names if code in OF_NAME_SERVERS else c).ask(code, body, timeout=PATIENCE_S, **ext)
    assert answer.code == 0, f'R({code}) {ext}: {answer.code} {answer.remark}'
    # Those of topics, groups and brokers have a hyphen. Keys that are objects may be texts, with backslashes.
    text = answer.body.decode(errors='replace').replace('\\', '')
    named = set(answer.ext) | set(re.findall(r'"([a-z][A-Za-z]*)":', text))
    print(code, *sorted(named))
    return answer


def until(code, wanted=0, **ext):
    """What takes a moment: an index, what brokers tell name servers."""
    deadline = time.time() + PATIENCE_S
    while (names if code in OF_NAME_SERVERS else c).ask(code, timeout=PATIENCE_S, **ext).code != wanted:
        assert time.time() < deadline, f'R({code}) {ext} does not become {wanted}'
        time.sleep(0.05)


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
        assert [float(x) for x in table[rate].split()], rate
    return table


def route(topic):
    found = has(json_of(ask(105, topic=topic)), 'brokerDatas', 'queueDatas', 'filterServerTable')
    return found['queueDatas']


# Topic, messages, a producer and a consumer on line.
def prepare():
    ask(17, topic=TOPIC, defaultTopic='TBW102', readQueueNums=2, writeQueueNums=2, perm=6, topicFilterType='SINGLE_TAG',
        topicSysFlag=0, order=False, attributes='')
    ask(200, json.dumps({'groupName': GROUP, 'consumeEnable': True, 'retryQueueNums': 1, 'retryMaxTimes': 3}).encode())
    until(105, topic=TOPIC)
    for i in range(4):
        put = c.put(TOPIC, f'body {i}', queue=i % 2, KEYS=f'key{i}', UNIQ_KEY=f'{i:032X}', TAGS='TagA')
        assert put.code == 0, put.remark
    c.heartbeat(CLIENT, GROUP, {TOPIC: '*'}, producers=[PRODUCER])
    ask(15, consumerGroup=GROUP, topic=TOPIC, queueId=0, commitOffset=1)


def front():
    cluster()
    runtime()
    topics = json_of(ask(206))['topicList']
    assert TOPIC in topics
    route(TOPIC)
    assert GROUP in json_of(ask(300, topic=TOPIC))['groupList']
    put = json_of(ask(315, statsName='TOPIC_PUT_NUMS', statsKey=TOPIC))
    for span in ('statsMinute', 'statsHour', 'statsDay'):
        has(put[span], 'sum', 'tps', 'avgpt')
    never = c.ask(315, statsName='GROUP_GET_NUMS', statsKey=f'{TOPIC}@{GROUP}')
    assert never.code in (0, 1)  # the collector takes "does not exist" for nothing consumed yet


def clusters():
    cluster()
    runtime()
    config = ask(26)
    has(config.ext, 'version')
    assert 'brokerName=' in config.body.decode()


def topics():
    prepare()
    assert TOPIC in json_of(ask(206))['topicList']
    system = json_of(ask(304))
    assert system['brokerAddr'] and system['topicList']
    assert 'TBW102' in json_of(ask(305))['topicList']
    table = json_of(ask(21))
    has(table['topicConfigTable'][TOPIC], 'attributes', 'perm', 'order')
    stats = ask(202, topic=TOPIC).body.decode()
    assert stats.count('"maxOffset"') == 2 and stats.count('"lastUpdateTimestamp"') == 2, stats
    route(TOPIC)
    assert GROUP in json_of(ask(300, topic=TOPIC))['groupList']
    ask(208, consumerGroup=GROUP, topic=TOPIC)
    has(json_of(ask(351, topic=TOPIC, lo=True)), 'topicName', 'readQueueNums', 'writeQueueNums', 'perm', 'order')
    assert c.put(TOPIC, 'from the page').code == 0
    ask(215, topic=TOPIC)
    ask(216, topic=TOPIC, clusterName=cluster()['cluster'])
    until(105, 17, topic=TOPIC)


def consumers():
    prepare()
    groups = json_of(ask(201))['subscriptionGroupTable']
    has(groups[GROUP], 'consumeEnable', 'retryQueueNums', 'retryMaxTimes', 'brokerId')
    progress = ask(208, consumerGroup=GROUP).body.decode()
    assert '"consumerOffset"' in progress and '"brokerOffset"' in progress and '"lastTimestamp"' in progress, progress
    connections = json_of(ask(203, consumerGroup=GROUP))
    has(connections, 'connectionSet', 'consumeFromWhere', 'consumeType', 'messageModel', 'subscriptionTable')
    has(connections['connectionSet'][0], 'clientAddr', 'clientId', 'language', 'version')
    c.answer = lambda request: (0, b'{"properties":{"from":"the client"}}')
    assert b'from' in ask(307, consumerGroup=GROUP, clientId=CLIENT, jstackEnable=False).body
    reset = ask(222, topic=TOPIC, group=GROUP, timestamp=0, isForce=True)
    assert b'offsetTable' in reset.body
    assert c.ask(203, consumerGroup='Nobody').code == 206
    ask(207, groupName=GROUP, cleanOffset=True)
    for topic in (f'%RETRY%{GROUP}', f'%DLQ%{GROUP}'):
        ask(215, topic=topic)
        ask(216, topic=topic, clusterName=cluster()['cluster'])


def producers():
    prepare()
    route(TOPIC)
    connections = json_of(ask(204, producerGroup=PRODUCER))['connectionSet']
    assert [x['clientId'] for x in connections] == [CLIENT], connections
    assert c.ask(204, producerGroup='Nobody').code == 1


def messages():
    prepare()
    until(12, topic=TOPIC, key='key1', maxNum=64, beginTimestamp=0, endTimestamp=1 << 62)
    found = ask(12, topic=TOPIC, key=f'{2:032X}', maxNum=32, beginTimestamp=0, endTimestamp=1 << 62, _UNIQUE_KEY_QUERY=True)
    has(found.ext, 'indexLastUpdateTimestamp', 'indexLastUpdatePhyoffset')
    assert b'body 2' in found.body
    # Where it went: the track of a message.
    assert GROUP in json_of(ask(300, topic=TOPIC))['groupList']
    ask(203, consumerGroup=GROUP)
    ask(208, consumerGroup=GROUP, topic=TOPIC)
    # By topic and time.
    for queue in range(2):
        first = int(ask(29, topic=TOPIC, queueId=queue, timestamp=0).ext['offset'])
        low = int(ask(31, topic=TOPIC, queueId=queue).ext['offset'])
        high = int(ask(30, topic=TOPIC, queueId=queue).ext['offset'])
        assert (first, low, high) == (0, 0, 2), (first, low, high)
        pulled = c.result(c.pull('TOOLS_CONSUMER', TOPIC, queue=queue))
        assert pulled.code == 0 and has(pulled.ext, 'nextBeginOffset', 'minOffset', 'maxOffset'), pulled.code
    # Once more to one consumer: the client is sent the record and says what became of it.
    c.answer = lambda request: (0, b'{"consumeResult":"CR_SUCCESS"}' if request.body else b'{}')
    offset_id = c.put(TOPIC, 'again').ext['msgId']
    again = ask(309, consumerGroup=GROUP, clientId=CLIENT, msgId=offset_id, brokerName='')
    assert b'CR_SUCCESS' in again.body


def trace():
    assert c.put('RMQ_SYS_TRACE_TOPIC', 'Pub\x01...\x02', KEYS='traced').code == 0
    asked = {'topic': 'RMQ_SYS_TRACE_TOPIC', 'key': 'traced', 'maxNum': 64, 'beginTimestamp': 0, 'endTimestamp': 1 << 62}
    until(12, **asked)
    assert b'Pub' in ask(12, **asked).body


if __name__ == '__main__':
    if PAGE == 'front':
        prepare()
    globals()[PAGE]()
