#!/usr/bin/env python3
"""Transactions: cases 61 to 65 and 80 of semantics.md, and a store with open ones that goes from broker to broker.

The broker runs with transactionTimeOut=1000 transactionCheckInterval=1000 transactionCheckMax=3
transactionOpBatchInterval=100; for the rest of the hand-over with a transactionCheckMax that does not matter.
"""
import struct
import time
from types import SimpleNamespace

from common import ARGUMENT, G, T, client, create_topic, equal, max_offset, pull, run, wait_until
from remoting import properties_text

HALF = 'RMQ_SYS_TRANS_HALF_TOPIC'
GIVEN_UP = 'TRANS_CHECK_MAX_TIME_TOPIC'
COMMIT, ROLLBACK, UNKNOWN = 8, 12, 0


def prepare(c, body, topic=T, group=G, queue=1, **properties):
    """The answer, with .half and .at: where the half message lies."""
    values = {'TRAN_MSG': 'true', 'PGROUP': group, 'UNIQ_KEY': f'{topic}-{body}', **properties}
    text = properties_text(values)
    answer = c.ask(310, body.encode(), a=group, b=topic, c='TBW102', d=4, e=queue, f=4, g=int(time.time() * 1000), h=0, i=text,
                   j=0, k=False, m=False)
    if answer.code == 0:
        answer.half, answer.at = int(answer.ext['queueOffset']), int(answer.ext['msgId'][16:], 16)
    return answer


def end(c, half, how, group=G, check=False):
    return c.ask(37, producerGroup=group, tranStateTableOffset=half.half, commitLogOffset=half.at, commitOrRollback=how,
                 fromTransactionCheck=check, msgId='id', transactionId='id').code


def record(raw):
    """The fields of one record that matter here."""
    queue, flag, at, where, sys_flag = struct.unpack_from('>iiqqi', raw, 12)
    prepared, = struct.unpack_from('>q', raw, 76)
    size, = struct.unpack_from('>i', raw, 84)
    body = raw[88:88 + size]
    topic_at = 88 + size
    length = raw[topic_at]
    text = raw[topic_at + 3 + length:].decode()
    properties = dict(p.split('\x01', 1) for p in text.split('\x02') if '\x01' in p)
    return SimpleNamespace(queue=queue, offset=at, at=where, sys_flag=sys_flag, prepared=prepared, body=body.decode(),
                           topic=raw[topic_at + 1:topic_at + 1 + length].decode(), properties=properties)


def read(c, topic, queue=1, begin=0):
    out = []
    while begin < max_offset(c, topic, queue):
        answer = pull(c, 'readers', topic, queue=queue, offset=begin)
        begin = int(answer.ext['nextBeginOffset'])
        body = answer.body if answer.code == 0 else b''
        while body:
            size = int.from_bytes(body[:4], 'big')
            out.append(record(body[:size]))
            body = body[size:]
    return out


def bodies(c, topic=T, queue=1):
    return [r.body for r in read(c, topic, queue)]


def producer(name, group=G):
    c = client()
    c.heartbeat(name, producers=[group])
    return c


def asked(c, timeout=15):
    """The next question, as (half, record); half is what end() takes."""
    question = c.wait_for(39, timeout)
    equal(question.flag & 2, 2, 'oneway')
    half = SimpleNamespace(half=int(question.ext['tranStateTableOffset']), at=int(question.ext['commitLogOffset']))
    got = record(question.body)
    equal((got.offset, got.at), (half.half, half.at), 'the offsets in the record and beside it')
    equal((question.ext['topic'], question.ext['msgId'], question.ext['transactionId']),
          (HALF, got.properties['UNIQ_KEY'], got.properties['UNIQ_KEY']), 'fields')
    equal(int(question.ext['offsetMsgId'][16:], 16), half.at, 'offsetMsgId')
    assert question.ext['bname'], question.ext
    return half, got


def case_61():
    c = client()
    create_topic(c, T)
    before = max_offset(c, HALF)
    kept, dropped = prepare(c, 'kept', TAGS='t'), prepare(c, 'dropped')
    equal((kept.code, kept.ext['queueId'], kept.ext['transactionId']), (0, '1', f'{T}-kept'), 'the answer')
    equal((kept.half, dropped.half), (before, before + 1), 'offsets of the half queue')
    equal(max_offset(c, T, 1), 0, 'before')
    equal(end(c, kept, COMMIT), 0, 'commit')
    equal(end(c, dropped, ROLLBACK), 0, 'rollback')
    wait_until(lambda: max_offset(c, T, 1) == 1, 'the committed one')
    got, = read(c, T)
    equal((got.body, got.sys_flag & 12, got.prepared), ('kept', 8, kept.at), 'as stored')
    for name in ('CLUSTER', 'MSG_REGION', 'TRACE_ON'):
        assert got.properties.pop(name)
    equal(got.properties, {'TRAN_MSG': 'true', 'PGROUP': G, 'UNIQ_KEY': f'{T}-kept', 'TAGS': 't', 'REAL_TOPIC': T, 'REAL_QID': '1',
                           '__transactionId__': f'{T}-kept'}, 'properties')
    time.sleep(0.5)
    equal(max_offset(c, T, 1), 1, 'after both')


def case_62():
    c, p = client(), producer(f'id-{T}')
    create_topic(c, T)
    half = prepare(c, 'open')
    seen = []
    for times in (1, 2, 3):
        where, got = asked(p)
        equal((got.topic, got.queue, got.body, got.sys_flag & 12), (T, 1, 'open', 0), 'the question')
        equal(got.properties['TRANSACTION_CHECK_TIMES'], str(times), 'how often')
        seen.append(where.half)
    assert half.half < seen[0] < seen[1] < seen[2], (half.half, seen)

    def given_up():
        try:
            return [r for r in read(c, GIVEN_UP, 0) if r.properties['REAL_TOPIC'] == T]
        except KeyError:
            return []  # no such topic yet
    wait_until(given_up, 'given up', 15)
    equal([(r.body, r.properties['TRANSACTION_CHECK_TIMES']) for r in given_up()], [('open', '3')], 'given up')
    time.sleep(2.5)
    equal(p.count(39), 0, 'and nobody is asked any more')
    equal(max_offset(c, T, 1), 0, 'nothing was delivered')


def case_answers():
    c, p = client(), producer(f'id-{T}')
    create_topic(c, T)
    for body in ('commit', 'rollback', 'later'):
        prepare(c, body)
    left = {'commit': COMMIT, 'rollback': ROLLBACK, 'later': UNKNOWN}
    while left:
        half, got = asked(p)
        how = left.pop(got.body) if got.body != 'later' or left['later'] == COMMIT else UNKNOWN
        if how == UNKNOWN:
            left['later'] = COMMIT
            p.send(37, oneway=True, producerGroup=G, tranStateTableOffset=half.half, commitLogOffset=half.at,
                   commitOrRollback=UNKNOWN, fromTransactionCheck=True, msgId='id', transactionId='id')
        else:
            equal(end(p, half, how, check=True), 0, got.body)
    wait_until(lambda: max_offset(c, T, 1) == 2, 'both committed')
    time.sleep(2.5)
    equal(sorted(bodies(c)), ['commit', 'later'], 'each once')
    if ARGUMENT == 'strict':  # a busy stock broker writes a completion too late for its next round
        equal(p.count(39), 0, 'nobody is asked any more')


def case_another():
    """The producer is gone: another of its group is asked."""
    c, first = client(), producer(f'id-1-{T}')
    other, second = producer(f'id-3-{T}', 'G-others'), producer(f'id-2-{T}')
    create_topic(c, T)
    prepare(first, 'orphan')
    first.close()
    half, got = asked(second)
    equal(end(second, half, COMMIT, check=True), 0, 'commit')
    wait_until(lambda: max_offset(c, T, 1) == 1, 'committed')
    equal((bodies(c), other.count(39)), (['orphan'], 0), 'once, and no other group is asked')


def case_63():
    c = client()
    create_topic(c, T)
    half = prepare(c, 'x')
    equal(end(c, half, COMMIT, group='another'), 1, 'group')
    equal(end(c, SimpleNamespace(half=half.half + 1, at=half.at), COMMIT), 1, 'offset')
    equal(end(c, SimpleNamespace(half=half.half, at=half.at + 1), COMMIT), 1, 'commit log offset')
    time.sleep(0.3)
    equal(max_offset(c, T, 1), 0, 'nothing is committed')
    equal(end(c, half, ROLLBACK), 0, 'rollback')


def case_64():
    """With CHECK_IMMUNITY_TIME_IN_SECONDS=2 and rounds of a second."""
    c, p = client(), producer(f'id-{T}')
    create_topic(c, T)
    half = prepare(c, 'x', CHECK_IMMUNITY_TIME_IN_SECONDS=2)
    sent = time.time()
    again, got = asked(p)
    assert time.time() - sent > 2, time.time() - sent
    equal(int(got.properties['TRAN_PREPARED_QUEUE_OFFSET']), half.half, 'the first offset')
    equal(end(c, half, COMMIT), 604, 'the producer itself, too late')
    equal(end(c, half, ROLLBACK), 604, 'the same')
    equal(max_offset(c, T, 1), 0, 'nothing is committed')
    equal(end(p, again, COMMIT, check=True), 0, 'the answer to a check')
    wait_until(lambda: max_offset(c, T, 1) == 1, 'committed')


def case_waiting_counts():
    """With CHECK_IMMUNITY_TIME_IN_SECONDS=60 it is given up before anybody is asked: each round counts."""
    c, p = client(), producer(f'id-{T}')
    create_topic(c, T)
    prepare(c, 'x', CHECK_IMMUNITY_TIME_IN_SECONDS=60)

    def given_up():
        try:
            return [r for r in read(c, GIVEN_UP, 0) if r.properties['REAL_TOPIC'] == T]
        except KeyError:
            return []
    wait_until(given_up, 'given up', 15)
    equal(p.count(39), 0, 'nobody was asked')


def case_65():
    c = client()
    create_topic(c, T)
    before = max_offset(c, HALF)
    equal(prepare(c, 'x').code, 16, 'forbidden')
    equal(max_offset(c, HALF), before, 'nothing is stored')


def case_65_on_apache():
    c = client()
    equal(c.ask(25, b'rejectTransactionMessage=true\n').code, 0, 'configuration')
    try:
        case_65()
    finally:
        equal(c.ask(25, b'rejectTransactionMessage=false\n').code, 0, 'configuration')


def case_80():
    c = client()
    create_topic(c, T)
    half = prepare(c, 'x')
    equal((end(c, half, COMMIT), end(c, half, COMMIT)), (0, 0), 'twice')
    wait_until(lambda: max_offset(c, T, 1) == 2, 'two copies')
    equal(bodies(c), ['x', 'x'], 'two copies')


# --- a store that goes from one broker to another: each step with its broker, ARGUMENT a file for what is to be remembered
def remember(half):
    with open(ARGUMENT, 'w') as f:
        f.write(f'{half.half} {half.at}')


def case_hand_over_first():
    c = client()
    equal(c.ask(25, b'transactionCheckMax=1000\n').code, 0, 'configuration')
    create_topic(c, 'T-moving')
    halves = {body: prepare(c, body, 'T-moving', 'G-moving') for body in ('first', 'second', 'back', 'late', 'given back')}
    equal(end(c, halves['first'], COMMIT, 'G-moving'), 0, 'commit')
    equal(end(c, halves['given back'], ROLLBACK, 'G-moving'), 0, 'rollback')
    remember(halves['late'])
    # Rounds without a producer: the others have been written anew by now.
    wait_until(lambda: max_offset(c, HALF) >= halves['given back'].half + 7, 'rounds', 20)
    equal(bodies(c, 'T-moving'), ['first'], 'so far')


def case_hand_over_second():
    c = client()
    equal(bodies(c, 'T-moving'), ['first'], 'as it was left')
    with open(ARGUMENT) as f:
        half, at = (int(word) for word in f.read().split())
    # Its producer has kept the offsets of the first copy.
    equal(end(c, SimpleNamespace(half=half, at=at), COMMIT, 'G-moving'), 0, 'commit')
    p = producer('id-moving', 'G-moving')
    seen = set()
    for _ in range(40):
        where, got = asked(p)
        seen.add(got.body)
        if got.body == 'second':
            equal(end(p, where, COMMIT, 'G-moving', check=True), 0, 'commit')
            break
    wait_until(lambda: len(bodies(c, 'T-moving')) == 3, 'both')
    equal(bodies(c, 'T-moving'), ['first', 'late', 'second'], 'so far')
    assert seen <= {'second', 'back'}, f'asked about what is decided: {seen}'


def case_hand_over_third():
    c = client()
    equal(bodies(c, 'T-moving'), ['first', 'late', 'second'], 'as it was left')
    p = producer('id-moving', 'G-moving')
    where, got = asked(p)
    equal(got.body, 'back', 'the one that is left')
    equal(end(p, where, COMMIT, 'G-moving', check=True), 0, 'commit')
    wait_until(lambda: len(bodies(c, 'T-moving')) == 4, 'the last')
    time.sleep(3)
    equal(bodies(c, 'T-moving'), ['first', 'late', 'second', 'back'], 'each once')


run(globals())
