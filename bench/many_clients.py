#!/usr/bin/env python3
"""What many clients cost: memory and latency of mqd with a few and with thousands of connections, groups and topics.

  many_clients.py BIN_DIR [--connections 10000] [--groups 1000] [--topics 10000]
  many_clients.py --broker HOST:PORT --pid PID ...     another broker that runs already

Each connection is a member of a group, subscribes to a topic, and holds a pull on it that waits for messages, as a push
consumer does. Latency is measured from outside, with everybody there: of acknowledged sends, and from a send to the
answer of a pull that waited for it. One client process on the same machine, so its own work is in the figures.
"""
import argparse
import json
import os
import resource
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PULL_HELD_MS = 100_000


def frame(code, opaque, ext=None, body=b''):
    header = json.dumps({'code': code, 'language': 'JAVA', 'version': 479, 'opaque': opaque, 'flag': 0,
                         'extFields': {k: str(v) for k, v in (ext or {}).items()}}).encode()
    return struct.pack('>II', 4 + len(header) + len(body), len(header)) + header + body


class Connection:
    """A socket and what has arrived of its frames."""

    def __init__(self, address):
        host, port = address.rsplit(':', 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.arrived = b''

    def send(self, *what, **more):
        self.socket.sendall(frame(*what, **more))

    def frames(self):
        """Header and body of each frame that is whole after one more read."""
        more = self.socket.recv(1 << 16)
        if not more:
            raise SystemExit('the broker closed a connection')
        self.arrived += more
        while len(self.arrived) >= 4:
            length = 4 + struct.unpack('>I', self.arrived[:4])[0]
            if len(self.arrived) < length:
                return
            header_bytes = struct.unpack('>I', self.arrived[4:8])[0] & 0xFFFFFF
            header = json.loads(self.arrived[8:8 + header_bytes])
            body = self.arrived[8 + header_bytes:length]
            self.arrived = self.arrived[length:]
            yield header, body

    def answer(self, opaque):
        """Waits for that answer; what the broker asks meanwhile is read and dropped."""
        while True:
            for header, _ in self.frames():
                if header['flag'] & 1 and header['opaque'] == opaque:
                    return header

    def ask(self, code, ext=None, body=b''):
        self.send(code, 1, ext, body)
        header = self.answer(1)
        if header['code'] != 0:
            raise SystemExit(f'request {code}: {header["code"]} {header.get("remark")}')
        return header


class Broker:
    def __init__(self, options):
        self.directory = self.process = None
        if options.broker:
            self.address, self.pid = options.broker, options.pid
            return
        self.directory = tempfile.mkdtemp(prefix='mq-bench.')
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.address = f'127.0.0.1:{free.getsockname()[1]}'
        read, write = os.pipe()
        os.set_inheritable(write, True)
        self.process = subprocess.Popen(
            [f'{options.bin}/mqd', '--store', f'{self.directory}/store', '--listen', self.address, '--ready-fd', str(write)],
            pass_fds=[write], stderr=open(f'{self.directory}/log', 'ab'))
        os.close(write)
        if not os.read(read, 1):
            raise SystemExit(open(f'{self.directory}/log').read())
        self.pid = self.process.pid

    def memory_kb(self):
        with open(f'/proc/{self.pid}/status') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('RssAnon:'))

    def cpu_s(self):
        fields = open(f'/proc/{self.pid}/stat').read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
            shutil.rmtree(self.directory)


def row(name, value, unit):
    print(f'{name:66} {value:12,.1f} {unit}', flush=True)


def times(name, us):
    us.sort()
    row(f'{name}, median', statistics.median(us), 'us')
    row(f'{name}, 99 of 100', us[len(us) * 99 // 100], 'us')


def topic(number):
    return f'many-{number:05}'


def send_to(connection, name):
    connection.ask(310, {'a': 'MANY', 'b': name, 'c': 'TBW102', 'd': 4, 'e': 0, 'f': 0, 'g': int(time.time() * 1000), 'h': 0,
                         'i': '', 'j': 0, 'k': 'false', 'm': 'false'}, b'x' * 100)


def pull(connection, group, name, offset, held_ms=PULL_HELD_MS):
    connection.send(11, 2, {'consumerGroup': group, 'topic': name, 'queueId': 0, 'queueOffset': offset, 'maxMsgNums': 32,
                            'sysFlag': 6, 'commitOffset': 0, 'suspendTimeoutMillis': held_ms, 'subVersion': 1,
                            'subscription': '*', 'expressionType': 'TAG'})


def heartbeat(connection, number, group, name):
    body = {'clientID': f'many@{number}', 'producerDataSet': [], 'consumerDataSet': [{
        'groupName': group, 'consumeType': 'CONSUME_PASSIVELY', 'messageModel': 'CLUSTERING',
        'consumeFromWhere': 'CONSUME_FROM_LAST_OFFSET', 'subscriptionDataSet': [
            {'topic': name, 'subString': '*', 'subVersion': 1, 'expressionType': 'TAG', 'tagsSet': [], 'codeSet': []}]}]}
    connection.send(34, 1, body=json.dumps(body).encode())


def latency(broker, who, count):
    """Two more clients beside those that are there."""
    sender, waiter = Connection(broker.address), Connection(broker.address)
    us = []
    for _ in range(count):
        begin = time.perf_counter()
        send_to(sender, 'asked')
        us.append((time.perf_counter() - begin) * 1e6)
    times(f'acknowledged send, {who}', us)
    us = []
    pull(waiter, 'asking', 'asked', 0, 0)
    offset = int(waiter.answer(2)['extFields']['maxOffset'])
    for _ in range(count // 4):
        pull(waiter, 'asking', 'asked', offset)
        time.sleep(0.001)  # it waits there
        begin = time.perf_counter()
        send_to(sender, 'asked')
        if waiter.answer(2)['code'] != 0:
            raise SystemExit('a pull that waited got nothing')
        us.append((time.perf_counter() - begin) * 1e6)
        offset += 1
    times(f'send to the end of a waiting pull, {who}', us)
    sender.socket.close()
    waiter.socket.close()


def make_topics(connection, names):
    for i in range(0, len(names), 500):
        configs = [{'topicName': name, 'readQueueNums': 1, 'writeQueueNums': 1, 'perm': 6, 'topicFilterType': 'SINGLE_TAG',
                    'topicSysFlag': 0, 'order': False, 'attributes': {}} for name in names[i:i + 500]]
        connection.ask(18, {'force': 'false'}, json.dumps({'topicConfigList': configs}).encode())


def everybody(broker, options):
    """All connections, registered; returns them once each is answered. Notifications of their groups are read."""
    poller = select.epoll()
    there, waited = {}, 0

    def read(timeout):
        nonlocal waited
        for fd, _ in poller.poll(timeout):
            waited -= sum(header['flag'] & 1 for header, _ in there[fd].frames())

    for i in range(options.connections):
        connection = Connection(broker.address)
        there[connection.socket.fileno()] = connection
        poller.register(connection.socket, select.EPOLLIN)
        heartbeat(connection, i, f'many-group-{i % options.groups}', topic(i % options.topics))
        waited += 1
        read(0)
    while waited > 0:
        read(1)
    for i, connection in enumerate(there.values()):
        pull(connection, f'many-group-{i % options.groups}', topic(i % options.topics), 0)
        read(0)
    return there, poller


def heartbeats(there, poller, options):
    begin = time.perf_counter()
    left = len(there)
    for i, connection in enumerate(there.values()):
        heartbeat(connection, i, f'many-group-{i % options.groups}', topic(i % options.topics))
    while left > 0:
        for fd, _ in poller.poll(1):
            for header, _ in there[fd].frames():
                left -= header['flag'] & 1 and header['opaque'] == 1
    return time.perf_counter() - begin


def measure(broker, options):
    admin = Connection(broker.address)
    make_topics(admin, ['asked'])
    row('memory (anonymous, resident) at the start', broker.memory_kb(), 'kB')
    latency(broker, 'alone', options.count)
    begin = time.perf_counter()
    make_topics(admin, [topic(i) for i in range(options.topics)])
    row(f'{options.topics} topics created', time.perf_counter() - begin, 's')
    with_topics = broker.memory_kb()
    row(f'memory with {options.topics} topics', with_topics, 'kB')
    begin = time.perf_counter()
    there, poller = everybody(broker, options)
    row(f'{options.connections} connections, registered in {options.groups} groups', time.perf_counter() - begin, 's')
    latency(broker, 'with all', options.count)
    with_all = broker.memory_kb()
    row('memory with all, each with a pull that waits', with_all, 'kB')
    row('of it a connection', (with_all - with_topics) / options.connections, 'kB')
    cpu = broker.cpu_s()
    row('a heartbeat of each', heartbeats(there, poller, options), 's')
    row('of it the broker\'s CPU, a heartbeat', (broker.cpu_s() - cpu) / options.connections * 1e6, 'us')
    cpu = broker.cpu_s()
    time.sleep(5)
    row('CPU while nobody says anything', (broker.cpu_s() - cpu) / 5 * 100, '%')
    for come in ('once', 'twice'):
        for connection in there.values():
            connection.socket.close()
        latency(broker, f'after they came {come}', options.count)
        row(f'memory after they came {come} and left', broker.memory_kb(), 'kB')
        if come == 'once':
            there, poller = everybody(broker, options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('bin', nargs='?')
    parser.add_argument('--broker')
    parser.add_argument('--pid', type=int)
    parser.add_argument('--connections', type=int, default=10_000)
    parser.add_argument('--groups', type=int, default=1_000)
    parser.add_argument('--topics', type=int, default=10_000)
    parser.add_argument('--count', type=int, default=2_000, help='sends measured')
    options = parser.parse_args()
    if not options.bin and not (options.broker and options.pid):
        parser.error('BIN_DIR, or --broker and --pid')
    wanted = options.connections + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(f'{wanted} open files are needed, {hard} allowed')
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    broker = Broker(options)
    try:
        measure(broker, options)
    finally:
        broker.stop()


main()
