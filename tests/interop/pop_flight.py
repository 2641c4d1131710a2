#!/usr/bin/env python3
"""Messages that are out while their store goes from one broker to another.

  pop_flight.py out ADDRESS COUNT LEFT    sends COUNT messages, pops them all, acknowledges all but LEFT
  pop_flight.py back ADDRESS COUNT LEFT   COUNT messages come again, and no others; acknowledges all but LEFT

What is left is printed, a body a line; `back` is given on standard input what it is to find.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'support'))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
sys.argv, arguments = [sys.argv[0], 'flight', sys.argv[2], 'broker-a'], sys.argv[1:]
import common  # noqa: E402
from remoting import decode_record  # noqa: E402

T, G, INVISIBLE = 'InFlight', 'InFlightGroup', 15000
COUNT, LEFT = int(arguments[2]), int(arguments[3])


def pop(c, poll):
    """[(body, stored topic, queue, offset, handle)]"""
    r = c.ask(200050, timeout=60, consumerGroup=G, topic=T, queueId=-1, maxMsgNums=32, invisibleTime=INVISIBLE, pollTime=poll,
              bornTime=int(time.time() * 1000), initMode=0)
    assert r.code in (0, 210), r.remark
    e, out, rest = r.ext, [], r.body
    if r.code != 0:
        return out
    starts = {tuple(i.split()[:2]): i.split()[2] for i in e['startOffsetInfo'].split(';')}
    for item in e['msgOffsetInfo'].split(';'):
        retry, queue, offsets = item.split()
        for offset in offsets.split(','):
            size = int.from_bytes(rest[:4], 'big')
            record = decode_record(rest[:size])
            rest = rest[size:]
            handle = record.properties.get('POP_CK') or f"{starts[retry, queue]} {e['popTime']} {INVISIBLE} {e['reviveQid']} {retry} broker-a {queue} {offset}"
            out.append((record.body, f'%RETRY%{G}_{T}' if retry == '1' else T, queue, offset, handle))
    return out


def acknowledge(c, popped):
    for _, topic, queue, offset, handle in popped:
        answer = c.ask(200051, consumerGroup=G, topic=topic, queueId=queue, extraInfo=handle, offset=offset)
        assert answer.code == 0, answer.remark


def main():
    c = common.client()
    if arguments[0] == 'out':
        common.create_topic(c, T, read=2, write=2)
        common.create_group(c, G)
        for n in range(COUNT):
            common.put(c, T, body=f'message {n}', queue=n % 2)
        popped, end = [], time.monotonic() + 30
        while len(popped) < COUNT and time.monotonic() < end:
            popped += pop(c, 1000)
    else:
        expected = sorted(sys.stdin.read().splitlines())
        popped, end = [], time.monotonic() + 120
        while len(popped) < COUNT and time.monotonic() < end:
            popped += pop(c, 5000)
        common.equal(sorted(p[0] for p in popped), expected, 'what came again')
    assert len(popped) == COUNT, f'{len(popped)} of {COUNT} were popped'
    acknowledge(c, popped[LEFT:])
    if LEFT == 0:  # and nothing else does
        common.equal(pop(c, INVISIBLE + 5000), [], 'afterwards')
    for body, *_ in popped[:LEFT]:
        print(body)


main()
