#!/usr/bin/env python3
"""Request and reply through the broker: case 77 and remoting.md 5.5, 9.6."""
import time

from common import G, T, client, equal, max_offset, run, wait_until
from remoting import properties_text

REPLY_TOPIC = 'DefaultCluster_REPLY_TOPIC'


def reply(c, body=b'answer', code=325, **properties):
    text = properties_text({'MSG_TYPE': 'reply', 'CORRELATION_ID': 'c-1', 'TTL': 3000, **properties})
    values = {'producerGroup': G, 'topic': REPLY_TOPIC, 'defaultTopic': 'TBW102', 'defaultTopicQueueNums': 4, 'queueId': 0,
              'sysFlag': 0, 'bornTimestamp': int(time.time() * 1000), 'flag': 0, 'properties': text, 'reconsumeTimes': 0,
              'unitMode': False, 'batch': False}
    if code == 325:  # one letter for each, in that order
        letters = dict(zip(values, 'abcdefghijkm'))
        values = {letters[name]: value for name, value in values.items()}
    return c.ask(code, body, **values)


def asker(client_id):
    c = client()
    c.answer = lambda request: (0, b'')
    c.heartbeat(client_id, producers=[G])
    return c


def stored(c):
    return max_offset(c, REPLY_TOPIC)


def case_reply():
    responder, waiting = client(), asker(f'id-{T}')
    before = stored(responder)
    for code in (324, 325):
        answer = reply(responder, code=code, REPLY_TO_CLIENT=f'id-{T}')
        equal((answer.code, answer.ext['queueId']), (0, '0'), f'R({code})')
        pushed = waiting.wait_for(326)
        equal((pushed.flag, pushed.body), (0, b'answer'), 'pushed')
        equal((pushed.ext['topic'], pushed.ext['producerGroup']), (REPLY_TOPIC, G), 'as it was sent')
        assert 'CORRELATION_ID\x01c-1\x02' in pushed.ext['properties'], pushed.ext
        assert 'PUSH_REPLY_TIME\x01' in pushed.ext['properties'], pushed.ext
        assert ':' in pushed.ext['bornHost'] and ':' in pushed.ext['storeHost'], pushed.ext
    wait_until(lambda: stored(responder) == before + 2, 'both stored')


def case_77():
    responder = client()
    before = stored(responder)
    equal(reply(responder, REPLY_TO_CLIENT='nobody').code, 1, 'nobody there')
    wait_until(lambda: stored(responder) == before + 1, 'stored all the same')
    equal(reply(responder).code, 1, 'no REPLY_TO_CLIENT')


def case_not_stored():  # the broker runs with storeReplyMessageEnable=false
    responder, waiting = client(), asker(f'id-{T}')
    before = stored(responder)
    answer = reply(responder, REPLY_TO_CLIENT=f'id-{T}')
    equal((answer.code, answer.ext['msgId']), (0, '0'), 'pushed')
    waiting.wait_for(326)
    time.sleep(0.2)
    equal(stored(responder), before, 'and no more')


def case_refused():
    responder, waiting = client(), asker(f'id-{T}')
    waiting.answer = lambda request: (1, b'')
    equal(reply(responder, REPLY_TO_CLIENT=f'id-{T}').code, 1, 'the asker has given up')


def case_empty():
    responder, waiting = client(), asker(f'id-{T}')
    equal(reply(responder, body=b'', REPLY_TO_CLIENT=f'id-{T}').code, 0, 'a reply without a body')
    equal(waiting.wait_for(326).body, b'', 'pushed')


run(globals())
