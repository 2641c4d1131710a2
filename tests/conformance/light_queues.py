#!/usr/bin/env python3
"""Light queues (LMQ): what a broker with enableLmq and enableMultiDispatch does with messages that list some."""
import os
import sys

from common import ARGUMENT, G, T, client, commit, committed, create_group, create_topic, equal, max_offset, pull, put, record_sizes, run, wait_until
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'support'))
from remoting import decode_record  # noqa: E402

A, B = '%LMQ%a', '%LMQ%b'


def records(answer):
    at, out = 0, []
    for size in record_sizes(answer.body):
        out.append(decode_record(answer.body[at:at + size]))
        at += size
    return out


def numbers(record):
    return [int(n) for n in record.properties['INNER_MULTI_QUEUE_OFFSET'].split(',')]


def case_numbers():
    """A number of its own in each queue that is listed, in the order of the log, whatever queue the message is in."""
    c = client()
    create_topic(c, T)
    a, b = max_offset(c, A), max_offset(c, B)
    for i in range(4):
        put(c, T, body=f'both {i}', queue=i, INNER_MULTI_DISPATCH=f'{A},{B}')
    put(c, T, body='a alone', TAGS='tag', INNER_MULTI_DISPATCH=A)
    put(c, T, body='neither')
    wait_until(lambda: (max_offset(c, A), max_offset(c, B)) == (a + 5, b + 4), 'dispatch')
    create_group(c, G)
    found = records(pull(c, G, A, offset=a))
    equal([r.body for r in found], ['both 0', 'both 1', 'both 2', 'both 3', 'a alone'], 'in the first')
    equal([numbers(r) for r in found], [[a, b], [a + 1, b + 1], [a + 2, b + 2], [a + 3, b + 3], [a + 4]], 'numbers')
    equal({r.topic for r in found}, {T}, 'topic')
    equal([r.body for r in records(pull(c, G, B, offset=b + 2))], ['both 2', 'both 3'], 'in the second')
    equal(pull(c, G, A, offset=a + 5).code, 19, 'at the end')
    equal(pull(c, G, A, queue=1).code, 29, 'a light queue has one queue')


def case_wakes():
    c = client()
    create_topic(c, T)
    create_group(c, G)
    at = max_offset(c, A)
    waiting = c.pull(G, A, offset=at, sys_flag=6, suspend=60_000)
    client_two = client()
    put(client_two, T, body='news', INNER_MULTI_DISPATCH=A)
    equal([r.body for r in records(c.result(waiting))], ['news'], 'a pull that waited')


def case_commit():
    """Groups named as light queues need not be made."""
    c = client()
    commit(c, A, A, 0, int(ARGUMENT))
    commit(c, A, B, 0, 2)
    equal((committed(c, A, A, 0), committed(c, A, B, 0)), (int(ARGUMENT), 2), 'what was committed')


def case_committed():
    c = client()
    equal((committed(c, A, A, 0), committed(c, A, B, 0)), (int(ARGUMENT), 2), 'what was committed')


run(globals())
