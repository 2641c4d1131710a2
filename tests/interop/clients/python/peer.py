#!/usr/bin/env python3
"""The Python package `rocketmq`, which carries the official C++ client's library, put through what producers and
consumers do; run against two brokers, and what it prints is compared. The topics exist before.

    peer.py NAMESRV [SCENARIO...]

As clients.Run of the Java peer: a line of JSON says nothing that may differ from run to run, and a boolean in it is a
promise.
"""
import json
import os
import sys
import threading
import time
from collections import Counter

from rocketmq.client import Message, Producer, PullConsumer, PushConsumer

PATIENCE = 150
namesrv = sys.argv[1]
lines = {}


def say(scenario, what, value):
    lines.setdefault(scenario, []).append(
        json.dumps({'scenario': scenario, 'what': what, 'value': value}, ensure_ascii=False, sort_keys=True))


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def message(topic, body, tag=None, key=None):
    out = Message(topic)
    out.set_body(body)
    if tag:
        out.set_tags(tag)
    if key:
        out.set_keys(key)
    return out


def producer(group):
    out = Producer(group, timeout=20000)
    out.set_namesrv_addr(namesrv)
    out.start()
    return out


# Kept to the end and never shut down: the library's own shutdown of a consumer that is at work may end the process with
# an uncaught boost::thread_interrupted, whatever the broker.
consumers = []


def consumer(group, topic, see, tags='*', orderly=False):
    out = PushConsumer(group, orderly=orderly)
    out.set_namesrv_addr(namesrv)
    out.set_instance_name(group)
    out.subscribe(topic, see, tags)
    out.start()
    consumers.append(out)


def push():
    topic = 'PyPush'
    seen = Counter()
    one = []

    def see(m):
        body = m.body.decode()
        if body == 'sync 3':
            one.append([m.topic, (m.tags or b'').decode(), (m.keys or b'').decode(), m.reconsume_times,
                        (m.get_property('user') or b'').decode()])
        seen[body if len(body) < 100 else f'{len(body)} of {body[0]}'] += 1
    consumer('py_push_group', topic, see)
    sender = producer('py_push')
    status = []
    for i in range(8):
        m = message(topic, f'sync {i}', 'sync', f'key{i}')
        m.set_property('user', 'property')
        status.append(int(sender.send_sync(m).status))
    say('push', 'sync', status)
    for i in range(8):
        sender.send_oneway(message(topic, f'oneway {i}', 'oneway'))
    sender.send_sync(message(topic, '长' * 5000))
    say('push', 'everything came', until(lambda: len(seen) == 17))
    say('push', 'how often', dict(seen))
    say('push', 'as received', one)
    sender.shutdown()


def tags():
    topic = 'PyTags'
    some = Counter()
    all_of_them = Counter()

    def see_some(m):
        some[m.body.decode()] += 1

    def see_all(m):
        all_of_them[m.body.decode()] += 1
    consumer('py_tags_some', topic, see_some, 'TagA || Aa')
    consumer('py_tags_all', topic, see_all)
    sender = producer('py_tags')
    for i in range(3):
        for tag in ('TagA', 'TagB', 'Aa', 'BB'):
            sender.send_sync(message(topic, f'{tag} {i}', tag))
    say('tags', 'everything came', until(lambda: len(all_of_them) == 12 and len(some) >= 6))
    time.sleep(1)
    say('tags', 'some', dict(some))
    sender.shutdown()


def orderly():
    topic = 'PyOrderly'
    order = {}
    lock = threading.Lock()

    def see(m):
        key, number = m.body.decode().split()
        with lock:
            order.setdefault(key, []).append(int(number))
    consumer('py_orderly_group', topic, see, orderly=True)
    sender = producer('py_orderly')
    for i in range(10):
        for key in range(4):
            sender.send_orderly(message(topic, f'k{key} {i}'), key)
    say('orderly', 'everything came', until(lambda: sum(len(set(n)) for n in order.values()) == 40))
    say('orderly', 'in order', all(n == sorted(n) for n in order.values()))
    sender.shutdown()


def delay():
    topic = 'PyDelay'
    seen = {}
    lock = threading.Lock()

    def see(m):
        body = m.body.decode()
        with lock:
            seen.setdefault(body, []).append((time.monotonic(), m.reconsume_times))
            times = len(seen[body])
        if body == 'second time' and times == 1:
            raise Exception('again, later')
    consumer('py_delay_group', topic, see)
    sender = producer('py_delay')
    sent = {}
    for level, wait in ((1, 1), (4, 2)):
        m = message(topic, f'level {level}')
        m.set_delay_time_level(level)
        sent[f'level {level}'] = time.monotonic() + wait
        sender.send_sync(m)
    sender.send_sync(message(topic, 'second time'))
    say('delay', 'everything came', until(lambda: len(seen.get('second time', [])) == 2 and len(seen) == 3))
    say('delay', 'nothing early', all(seen[body][0][0] > at - 0.01 for body, at in sent.items()))
    say('delay', 'reconsume times', {body: [times for _, times in all_of_it] for body, all_of_it in seen.items()})
    sender.shutdown()


def pull():
    topic = 'PyPull'
    sender = producer('py_pull')
    for i in range(20):
        sender.send_sync(message(topic, f'pulled {i}', 'T'))
    reader = PullConsumer('py_pull_group')
    reader.set_namesrv_addr(namesrv)
    reader.start()
    # An acknowledged message can be pulled a moment later.
    pulled = Counter()

    def all_there():
        pulled.update(m.body.decode() for m in reader.pull(topic))
        return len(pulled) == 20
    say('pull', 'everything came', until(all_there))
    say('pull', 'pulled', dict(pulled))
    reader.shutdown()
    sender.shutdown()


def run(scenario):
    begin = time.monotonic()
    try:
        scenario()
    except BaseException as error:  # pylint: disable=broad-except
        say(scenario.__name__, 'failed', repr(error))
    sys.stderr.write(f'{scenario.__name__} took {(time.monotonic() - begin) * 1000:.0f} ms\n')


scenarios = [one for one in (push, tags, orderly, delay, pull) if len(sys.argv) < 3 or one.__name__ in sys.argv[2:]]
threads = [threading.Thread(target=run, args=(one,)) for one in scenarios]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for name in (one.__name__ for one in scenarios):
    for line in lines.get(name, []):
        print(line)
sys.stdout.flush()
# The library's threads and destructors are not waited for.
os._exit(0)
