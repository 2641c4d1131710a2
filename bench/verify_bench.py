#!/usr/bin/env python3
"""mqdump on a large store: verify against reading its files, rebuild, and what a broker feels of it; all from a warm cache.

  verify_bench.py BIN_DIR [GIB [RUNS]]     4 GiB of 1 KiB messages, 5 runs
"""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(sys.argv[1])
GIB = float(sys.argv[2]) if len(sys.argv) > 2 else 4
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
RECORD_BYTES = 1100  # with its head and properties
DIR = tempfile.mkdtemp(prefix='mq-bench.')
STORE = f'{DIR}/store'
SOCKET = f'unix:{DIR}/s'
BATCH = (os.urandom(511).hex().encode() + b'x\n') * 1000
COUNT = int(GIB * (1 << 30) / RECORD_BYTES / 1000) * 1000


def row(name, values, unit, aim=''):
    print(f'{name:52} {statistics.median(values):12,.2f} {unit:10} ({min(values):,.2f} .. {max(values):,.2f}) {aim}', flush=True)


def start_daemon():
    read, write = os.pipe()
    daemon = subprocess.Popen(
        [f'{BIN}/mqd', '--store', STORE, '--listen', SOCKET, '--ready-fd', str(write)],
        pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    if not os.read(read, 1):
        raise SystemExit('mqd does not start')
    os.close(read)
    return daemon


def stop_daemon(daemon):
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()


def send(topic, count):
    """Messages a second."""
    begin = time.monotonic()
    sender = subprocess.Popen([f'{BIN}/mqsend', '-b', SOCKET, '-q', '-T', 'tag', topic], stdin=subprocess.PIPE)
    for _ in range(count // 1000):
        sender.stdin.write(BATCH)
    sender.stdin.close()
    if sender.wait() != 0:
        raise SystemExit('mqsend failed')
    return count / (time.monotonic() - begin)


def receive(topic):
    """Messages a second."""
    begin = time.monotonic()
    done = subprocess.run([f'{BIN}/mqrecv', '-b', SOCKET, '-q', '-F', 'x', topic], stdout=subprocess.PIPE, check=True)
    return len(done.stdout) / (time.monotonic() - begin)


def timed(command):
    begin = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def bench_reading():
    files = [os.path.join(folder, name) for folder, _, names in os.walk(STORE) for name in names]
    total = sum(os.stat(path).st_blocks * 512 for path in files) / (1 << 30)
    read, verify, two = [], [], []
    timed(['cat', *files])
    for _ in range(RUNS):
        read.append(timed(['cat', *files]))
        verify.append(timed([f'{BIN}/mqdump', 'verify', STORE]))
        two.append(timed([f'{BIN}/mqdump', 'verify', '-j', '2', STORE]))
    row(f'cat of {total:.1f} GiB > /dev/null, warm', [total / t for t in read], 'GiB/s')
    row('mqdump verify', [total / t for t in verify], 'GiB/s')
    row('mqdump verify -j 2', [total / t for t in two], 'GiB/s')
    row('verify against cat', [100 * r / v for r, v in zip(read, verify)], '%', 'aim: 70 or more')


def bench_rebuild():
    rates = []
    for _ in range(RUNS):
        rates.append(COUNT / timed([f'{BIN}/mqdump', 'rebuild', 'all', '-q', '--out', f'{DIR}/rebuilt', STORE]))
        shutil.rmtree(f'{DIR}/rebuilt')
    row('mqdump rebuild all --out', rates, 'records/s', 'aim: 1,000,000 or more')


def beside(command, work):
    """What `work` returns while `command` runs again and again."""
    loop = subprocess.Popen(['sh', '-c', 'while :; do "$@" >/dev/null 2>&1; done', 'sh', *command], process_group=0)
    try:
        return work()
    finally:
        os.killpg(loop.pid, signal.SIGKILL)
        loop.wait()


def bench_serving():
    """A daemon on the store alone, and with mqdump going through it: pairs, so that a change of the machine hits both."""
    daemon = start_daemon()
    count = min(COUNT, 300_000)
    kept = {}
    for i in range(RUNS):
        for name, work in (('sending', lambda: send('beside', count)), ('receiving', lambda: receive('bench'))):
            alone = work()
            for tool in ('verify', 'info'):
                kept.setdefault((name, tool), []).append(100 * beside([f'{BIN}/mqdump', tool, STORE], work) / alone)
    stop_daemon(daemon)
    for (name, tool), values in kept.items():
        row(f'{name} beside mqdump {tool}, of alone', values, '%', 'aim: 90 or more')


def main():
    daemon = start_daemon()
    send('bench', COUNT)
    stop_daemon(daemon)
    bench_reading()
    bench_rebuild()
    bench_serving()


try:
    main()
finally:
    shutil.rmtree(DIR)
