#!/usr/bin/env python3
"""mqdump verify of a large store against reading its files, both from a warm cache, in one run.

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


def row(name, values, unit, aim=''):
    print(f'{name:52} {statistics.median(values):12,.2f} {unit:10} ({min(values):,.2f} .. {max(values):,.2f}) {aim}', flush=True)


def build():
    read, write = os.pipe()
    daemon = subprocess.Popen(
        [f'{BIN}/mqd', '--store', STORE, '--listen', f'unix:{DIR}/s', '--ready-fd', str(write)],
        pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    if not os.read(read, 1):
        raise SystemExit('mqd does not start')
    sender = subprocess.Popen([f'{BIN}/mqsend', '-b', f'unix:{DIR}/s', '-q', '-T', 'tag', 'bench'], stdin=subprocess.PIPE)
    line = os.urandom(511).hex().encode() + b'x\n'
    for _ in range(int(GIB * (1 << 30) / RECORD_BYTES / 1000)):
        sender.stdin.write(line * 1000)
    sender.stdin.close()
    if sender.wait() != 0:
        raise SystemExit('mqsend failed')
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()


def timed(command):
    begin = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def main():
    build()
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


try:
    main()
finally:
    shutil.rmtree(DIR)
