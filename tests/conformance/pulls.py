#!/usr/bin/env python3
"""Pulls: the conformance cases of 25.2."""
import time

from common import G, T, client, create_group, create_topic, equal, pull, pulled, put_dispatched, record_sizes, run


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
    equal((len(record_sizes(answer.body)), pulled(answer)), (32, (0, 32)), '64 of 100 small ones')


def case_19():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 3, body='x' * 200 * 1024)
    equal(len(record_sizes(pull(c, G, T).body)), 1, 'of three of 200 KiB')


def case_20():
    c = client()
    create_topic(c, T)
    put_dispatched(c, T, 1, body='x' * 3 * 1024 * 1024)
    answer = pull(c, G, T)
    equal((answer.code, len(record_sizes(answer.body))), (0, 1), 'one of 3 MiB')


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
    equal(len(record_sizes(pull(c, G, T, subscription='Aa').body)), 2, 'tags of one hash')


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
    equal((answer.code, len(record_sizes(answer.body))), (0, 1), 'woken by the message that matches')


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


run(globals())
