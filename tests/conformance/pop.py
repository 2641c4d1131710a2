#!/usr/bin/env python3
"""Pop consumption: the conformance cases of 25.8, and those about it of 25.9."""
import json
import time

from common import ARGUMENT, G, T, client, create_group, create_topic, equal, put, put_dispatched, record_sizes, run, wait_until
from remoting import decode_record

BROKER = ARGUMENT or 'DEFAULT_BROKER'
# Apache's broker on a machine that does other things has no upper bound.
PATIENCE_S = 100 if ARGUMENT else 25


def check_took(began, least, most):
    took = time.monotonic() - began
    print(f'came again after {took:.1f} s')
    assert least <= took and (ARGUMENT or took <= most), f'came again after {took} s'


def pop(c, topic=T, group=G, queue=-1, count=32, invisible=10000, poll=0, timeout=120, **more):
    return c.ask(200050, timeout=timeout, consumerGroup=group, topic=topic, queueId=queue, maxMsgNums=count,
                 invisibleTime=invisible, pollTime=poll, bornTime=int(time.time() * 1000), initMode=0, **more)


def pop_patiently(c, how=pop, **more):
    """Until there is something. Apache's broker does not wake a pop that waits when something comes again."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = how(c, poll=2000, **more)
        if answer.code != 210 or time.monotonic() > end:
            return answer


def handle(answer, offset, queue=0, retry=0, start=None):
    """What a client puts together of the answer for one message."""
    if start is None:
        start = next(item.split()[2] for item in answer.ext['startOffsetInfo'].split(';') if item.split()[0] == str(retry))
    e = answer.ext
    return f"{start} {e['popTime']} {e['invisibleTime']} {e['reviveQid']} {retry} {BROKER} {queue} {offset}"


def ack(c, topic, offset, extra, queue=0, group=G):
    return c.ask(200051, consumerGroup=group, topic=topic, queueId=queue, extraInfo=extra, offset=offset)


def change(c, topic, offset, extra, invisible, queue=0, group=G):
    return c.ask(200053, consumerGroup=group, topic=topic, queueId=queue, extraInfo=extra, offset=offset, invisibleTime=invisible)


def records(body):
    """(topic, reconsume times, body, properties) of each record."""
    out = []
    for size in record_sizes(body):
        r, body = decode_record(body[:size]), body[size:]
        out.append((r.topic, r.times, r.body, r.properties))
    return out


def prepared(c, count=1, queues=1, **properties):
    create_topic(c, T, read=queues, write=queues)
    create_group(c, G)
    put_dispatched(c, T, count, **properties)


def case_66():
    c = client()
    prepared(c)
    began = time.monotonic()
    first = pop(c)
    equal((first.code, first.remark, first.ext['startOffsetInfo'], first.ext['msgOffsetInfo'], first.ext['restNum']),
          (0, 'FOUND', '0 0 0', '0 0 0', '0'), 'the first pop')
    equal(pop(c).code, 210, 'popped again at once')
    again = pop_patiently(c)
    equal(again.code, 0, 'revived')
    check_took(began, 10, 20)
    equal(again.ext['startOffsetInfo'].split()[0], '1', 'the form of retry topic')
    (topic, times, _, properties), = records(again.body)
    equal((topic, times, properties['1ST_POP_TIME']), (T, 1, first.ext['popTime']), 'the revived message')
    e = again.ext
    equal(properties['POP_CK'], f"0 {e['popTime']} 10000 {e['reviveQid']} 1 {BROKER} 0 0", 'its handle')
    equal(ack(c, f'%RETRY%{G}_{T}', 0, properties['POP_CK']).code, 0, 'ack of the retry')


def case_67():
    c = client()
    prepared(c, 4)
    first = pop(c, invisible=3000)
    equal(ack(c, T, 0, handle(first, 0)).code, 0, 'ack')
    body = {'acks': [{'b': 'BA==', 'c': G, 'it': 3000, 'pt': int(first.ext['popTime']), 'q': 0, 'r': '0',
                      'rq': int(first.ext['reviveQid']), 'so': 0, 't': T}], 'brokerName': BROKER}
    equal(c.ask(200151, json.dumps(body).encode()).code, 0, 'batch ack')
    found, offsets = [], []
    while len(found) < 2:  # they need not come at once
        again = pop_patiently(c)
        equal(again.code, 0, 'what was not acknowledged comes')
        found += records(again.body)
        offsets += again.ext['msgOffsetInfo'].removeprefix('1 0 ').split(',')
    equal([r[2] for r in found], ['x', 'x'], 'what was not acknowledged')
    equal(offsets, ['0', '1'], 'in the retry topic')
    equal([r[1] for r in found], [1, 1], 'attempts')


def case_68():
    c = client()
    prepared(c, 2)
    began = time.monotonic()
    first = pop(c, invisible=4000)
    time.sleep(1)
    changed = change(c, T, 0, handle(first, 0), 9000)
    equal((changed.code, changed.ext['invisibleTime'], changed.ext['reviveQid']), (0, '9000', first.ext['reviveQid']), 'change')
    changed_other = change(c, T, 1, handle(first, 1), 9000)
    # The old handle is of no use any more; the new one is.
    equal(ack(c, T, 0, handle(first, 0)).code, 0, 'ack by the old handle')
    equal(ack(c, T, 1, handle(changed_other, 1, start=1)).code, 0, 'ack by the new handle')
    again = pop_patiently(c)
    equal(again.ext['msgOffsetInfo'], '1 0 0', 'the one that was acknowledged by the old handle')
    check_took(began, 10, 19)


def case_69():
    c, other = client(), client()
    prepared(c, 0)
    began = time.monotonic()
    equal(pop(c, poll=5000).code, 210, 'nothing')
    took = time.monotonic() - began
    assert 4.8 <= took and (ARGUMENT or took <= 6), f'answered after {took} s'
    held = c.send(200050, consumerGroup=G, topic=T, queueId=-1, maxMsgNums=32, invisibleTime=10000, pollTime=15000,
                  bornTime=int(time.time() * 1000), initMode=0)
    wait_until(lambda: polling(other) == 1, 'the held pop')
    put(other, T)
    answer = c.result(held, timeout=10)
    equal((answer.code, len(record_sizes(answer.body))), (0, 1), 'woken by a message')
    equal(polling(other), 0, 'nobody waits')


def polling(c, queue=-1):
    return int(c.ask(200055, consumerGroup=G, topic=T, queueId=queue).ext['pollingNum'])


def case_70():
    c = client()
    prepared(c)
    equal(pop(c, count=33).code, 29, '33 messages')
    equal(pop(c, queue=1).code, 29, 'a queue that the topic lacks')
    equal(pop(c, topic=f'{T}-none').code, 17, 'an unknown topic')


def case_70_off():  # the daemon runs with timerWheelEnable=false
    c = client()
    create_topic(c, T)
    equal(pop(c).code, 1, 'without timers')


def ordered(c, **more):
    return pop(c, order=True, count=2, invisible=3000, **more)


def case_71():
    c = client()
    prepared(c, 3)
    first = ordered(c, attemptId='a1')
    equal((first.ext['msgOffsetInfo'], first.ext['reviveQid'], first.ext['orderCountInfo'], first.ext['restNum']),
          ('0 0 0,1', '999', '0 0 0', '1'), 'the first pop')
    blocked = ordered(c, attemptId='a2')
    equal((blocked.code, blocked.ext['restNum']), (210, '0'), 'another attempt')
    same = ordered(c, attemptId='a1')
    equal((same.code, same.ext['msgOffsetInfo'], same.ext['orderCountInfo']), (0, '0 0 0,1', '0 0 0'), 'the same attempt')
    # 81: when it is over they come again, counted.
    again = pop_patiently(c, ordered, attemptId='a3')
    equal((again.code, again.ext['msgOffsetInfo'], again.ext['orderCountInfo']), (0, '0 0 0,1', '0 qo0%0 1;0 qo0%1 1;0 0 1'), 'again')
    # One is acknowledged: the other blocks, and is given more time by its handle.
    equal(ack(c, T, 0, handle(again, 0)).code, 0, 'ack of the first')
    equal(ordered(c).code, 210, 'the second blocks')
    changed = change(c, T, 1, handle(again, 1), 6000)
    equal((changed.code, changed.ext['popTime'], changed.ext['reviveQid']), (0, again.ext['popTime'], '999'), 'change')
    equal(ack(c, T, 1, handle(again, 1)).code, 0, 'ack of the second')
    last = ordered(c)
    equal((last.code, last.ext['msgOffsetInfo'], last.ext['orderCountInfo']), (0, '0 0 2', '0 0 0'), 'what is behind them')


def case_71_wake():
    c, other = client(), client()
    prepared(c, 2)
    first = pop(c, order=True, count=1, invisible=30000)
    held = c.send(200050, consumerGroup=G, topic=T, queueId=0, maxMsgNums=1, invisibleTime=30000, pollTime=15000,
                  bornTime=int(time.time() * 1000), initMode=0, order=True)
    wait_until(lambda: polling(other, 0) == 1, 'the held pop')
    equal(ack(other, T, 0, handle(first, 0)).code, 0, 'ack')
    equal(c.result(held, timeout=5).ext['msgOffsetInfo'], '0 0 1', 'woken by the acknowledgement')


def case_72():
    c = client()
    prepared(c, 3)
    first = pop(c, invisible=60000)
    equal(ack(c, T, 99, handle(first, 99)).code, 208, 'beyond the queue')
    equal(ack(c, T, 3, handle(first, 3)).code, 0, 'at its end')
    equal(ack(c, T, 0, handle(first, 0), queue=7).code, 13, 'another queue')
    equal(ack(c, f'{T}-none', 0, handle(first, 0)).code, 17, 'another topic')
    equal(change(c, T, 3, handle(first, 3), 1000).code, 208, 'change at the end')


def case_79():
    c = client()
    prepared(c, 0)
    equal(c.put(T, 'late', DELAY='2').code, 0, 'a delayed message')
    first = pop_patiently(c, invisible=5000)
    equal(first.code, 0, 'its first pop')
    began = time.monotonic()
    again = pop_patiently(c)
    equal((again.code, records(again.body)[0][2]), (0, 'late'), 'revived')
    check_took(began, 4.9, 11)


def case_notification():
    c, other = client(), client()
    prepared(c, 0)

    def ask(who, poll):
        return who.send(200054, consumerGroup=G, topic=T, queueId=-1, pollTime=poll, bornTime=int(time.time() * 1000))
    equal(c.result(ask(c, 300)).ext, {'hasMsg': 'false', 'pollingFull': 'false'}, 'nothing')
    held = ask(c, 20000)
    time.sleep(0.3)  # nothing shows that it is held
    put(other, T)
    equal(c.result(held, timeout=5).ext['hasMsg'], 'true', 'woken')
    equal(c.result(ask(c, 20000), timeout=5).ext['hasMsg'], 'true', 'still there')
    equal(pop(c).code, 0, 'and not popped by that')
    equal(c.result(ask(c, 300)).ext['hasMsg'], 'false', 'popped')


def case_assignment():
    c = client()
    create_topic(c, T, read=3, write=3)
    create_group(c, G)

    def mode(topic, value='POP', share=0):
        return c.ask(401, json.dumps({'consumerGroup': G, 'mode': value, 'popShareQueueNum': share, 'topic': topic}).encode()).code

    def assigned(who, **more):
        answer = c.ask(400, json.dumps({'clientId': who, 'consumerGroup': G, 'messageModel': 'CLUSTERING', 'strategyName': 'AVG',
                                        'topic': T, **more}).encode())
        equal(answer.code, 0, 'query assignment')
        found = json.loads(answer.body)
        if 'messageQueueAssignments' not in found:
            return found
        return sorted((a['mode'], a['messageQueue']['queueId']) for a in found['messageQueueAssignments'])
    equal(assigned('c1'), {}, 'nobody is on line')
    others = [client() for _ in range(3)]
    for i, other in enumerate(others):
        other.heartbeat(f'c{i + 1}', G, {T: '*'})
    equal(assigned('c1'), [('PULL', 0)], 'pull by default')
    equal(assigned('c1', messageModel='BROADCASTING'), [('PULL', 0), ('PULL', 1), ('PULL', 2)], 'broadcasting')
    equal(assigned('c1', strategyName='none'), {}, 'no such strategy')
    equal(assigned('c1', topic=f'{T}-none'), {}, 'no such topic')
    equal(mode(f'%RETRY%{G}'), 16, 'a retry topic')
    equal(mode(f'{T}-none'), 17, 'no such topic')
    equal(mode(T), 0, 'pop')
    equal(assigned('c1'), [('POP', -1)], 'pop everything')
    equal(mode(T, share=1), 0, 'share with one')
    equal(assigned('c3'), [('POP', 0), ('POP', 2)], 'own, and the next one of the ring')
    table = json.loads(c.ask(402).body)['messageRequestModeMap']
    equal(table[T][G], {'consumerGroup': G, 'mode': 'POP', 'popShareQueueNum': 1, 'topic': T}, 'all modes')
    equal(mode(T, 'PULL'), 0, 'pull again')
    equal(assigned('c2'), [('PULL', 1)], 'pull')


def case_filter():
    c = client()
    create_topic(c, T, read=1, write=1)
    create_group(c, G)
    put_dispatched(c, T, 2, TAGS='A')
    put_dispatched(c, T, 1, TAGS='B')
    put_dispatched(c, T, 1, TAGS='A')
    found = pop(c, exp='B', expType='TAG')
    equal((found.code, found.ext['startOffsetInfo'], found.ext['msgOffsetInfo']), (0, '0 0 0', '0 0 2'), 'by tag')
    equal(pop(c).code, 210, 'the others are passed over')


def case_reset():
    c = client()
    prepared(c, 3)
    equal(pop(c, invisible=60000).code, 0, 'pop')
    equal(c.ask(222, topic=T, group=G, timestamp=0, isForce=True).code, 0, 'reset to the first')
    equal(pop(c, invisible=60000).ext['msgOffsetInfo'], '0 0 0,1,2', 'from the beginning again')


run(globals())
