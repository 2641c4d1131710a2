#!/usr/bin/env python3
"""What a shell user sees, in one run: a million lines in and out over the Unix socket, memory, start and stop.

  tools_bench.py BIN_DIR [RUNS]
Each figure is the median of RUNS (5) with the smallest and largest; CPU is that of tool and daemon together.
"""
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(sys.argv[1])
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
LINES = 1_000_000
TIMERS = 1_000_000
# A tmpfs would hide the disk, but page faults of a real file system are part of the work: TMPDIR decides.
DIR = tempfile.mkdtemp(prefix='mq-bench.')
SOCKET = f'unix:{DIR}/s'


def row(name, values, unit, aim=''):
    middle = statistics.median(values)
    print(f'{name:52} {middle:12,.2f} {unit:10} ({min(values):,.2f} .. {max(values):,.2f}) {aim}', flush=True)


class Daemon:
    def __init__(self, *args, store='store'):
        read, write = os.pipe()
        os.set_inheritable(write, True)
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [f'{BIN}/mqd', '--store', f'{DIR}/{store}', '--listen', SOCKET, '--ready-fd', str(write), *args],
            pass_fds=[write], stderr=open(f'{DIR}/mqd.log', 'ab'))
        os.close(write)
        if not os.read(read, 1):
            raise SystemExit(open(f'{DIR}/mqd.log').read())
        os.close(read)
        self.ready_ms = (time.monotonic() - begin) * 1000

    def status(self, name):
        with open(f'/proc/{self.process.pid}/status') as f:
            return next(int(line.split()[1]) for line in f if line.startswith(name + ':'))

    def cpu_s(self):
        fields = open(f'/proc/{self.process.pid}/stat').read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def stop(self):
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        return (time.monotonic() - begin) * 1000


def timed(daemon, command, stdin=None, stdout=subprocess.DEVNULL):
    cpu = daemon.cpu_s() if daemon else 0
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    source = open(stdin, 'rb') if stdin else subprocess.DEVNULL
    done = subprocess.run(command, stdin=source, stdout=stdout, stderr=subprocess.PIPE, check=False)
    took = time.monotonic() - begin
    if done.returncode != 0:
        raise SystemExit(f'{command}: exit {done.returncode}: {done.stderr.decode()}')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return took, used + (daemon.cpu_s() - cpu if daemon else 0)


def wait_dispatched(daemon):
    """Until the daemon is idle, so that one run's work is not charged to the next."""
    last = -1
    while (now := daemon.cpu_s()) - last > 0.01:
        last = now
        time.sleep(0.1)


def pipe_rates():
    lines = f'{DIR}/lines'
    with open(lines, 'wb') as f:
        f.write(b''.join(b'%099d\n' % i for i in range(LINES)))
    send, recv, send_cpu, recv_cpu, copy = [], [], [], [], []
    for run in range(RUNS):
        shutil.rmtree(f'{DIR}/store', ignore_errors=True)
        daemon = Daemon()
        took, cpu = timed(daemon, [f'{BIN}/mqsend', '-b', SOCKET, 'bench'], stdin=lines)
        send.append(LINES / took / 1e6)
        send_cpu.append(cpu)
        wait_dispatched(daemon)
        took, cpu = timed(daemon, [f'{BIN}/mqrecv', '-b', SOCKET, 'bench'])
        recv.append(LINES / took / 1e6)
        recv_cpu.append(cpu)
        if run == 0:
            out = f'{DIR}/out'
            with open(out, 'wb') as f:
                timed(daemon, [f'{BIN}/mqrecv', '-b', SOCKET, 'bench'], stdout=f)
            if sorted(open(out, 'rb')) != sorted(open(lines, 'rb')):
                raise SystemExit('what came out is not what went in')
        daemon.stop()
        took, _ = timed(None, ['sh', '-c', f'cat {lines} | cat >/dev/null'])
        copy.append(LINES / took / 1e6)
    row('mqsend, a million lines of 100 B', send, 'M lines/s', 'aim 1.0')
    row('  CPU seconds, tool and daemon', send_cpu, 's')
    row('mqrecv >/dev/null of the same', recv, 'M lines/s', 'aim 2.0')
    row('  CPU seconds, tool and daemon', recv_cpu, 's')
    row('cat | cat of the same, for scale', copy, 'M lines/s')


def start_and_memory():
    ready, stop, idle = [], [], []
    for _ in range(RUNS):
        shutil.rmtree(f'{DIR}/store', ignore_errors=True)
        daemon = Daemon()
        ready.append(daemon.ready_ms)
        time.sleep(1)
        idle.append(daemon.status('RssAnon') / 1024)
        stop.append(daemon.stop())
    row('start to ready, empty store', ready, 'ms', 'aim 50')
    row('TERM to exit', stop, 'ms', 'aim 2000')
    row('resident anonymous memory, idle', idle, 'MiB', 'aim 16')

    kib = f'{DIR}/kib'
    with open(kib, 'wb') as f:
        f.write(b''.join(b'%01023d\n' % i for i in range(LINES)))
    shutil.rmtree(f'{DIR}/store', ignore_errors=True)
    daemon = Daemon()
    took, _ = timed(daemon, [f'{BIN}/mqsend', '-b', SOCKET, 'bench'], stdin=kib)
    row('mqsend, a million lines of 1 KiB', [LINES / took / 1e6], 'M lines/s')
    wait_dispatched(daemon)
    row('  resident anonymous memory after it', [daemon.status('RssAnon') / 1024], 'MiB', 'aim 32')
    took, _ = timed(daemon, [f'{BIN}/mqrecv', '-b', SOCKET, 'bench'])
    row('mqrecv >/dev/null of the same', [LINES / took / 1e6], 'M lines/s')
    row('  resident anonymous memory after it', [daemon.status('RssAnon') / 1024], 'MiB', 'aim 32')
    daemon.stop()


def many_topics():
    """The same sends, one a request, to one topic and to ten thousand, in turn."""
    one, many, ratio = [], [], []
    for _ in range(RUNS):
        rates = []
        for topics in (1, 10_000):
            shutil.rmtree(f'{DIR}/store', ignore_errors=True)
            daemon = Daemon()
            out = subprocess.run([f'{BIN}/../bench/load', 'send', '-b', SOCKET, '--topics', str(topics), '--queues', '1', '--size', '1024',
                                  '--inflight', '128', '--count', '200000'], capture_output=True, check=True, text=True).stdout
            rates.append(json.loads(out)['rate'] / 1000)
            daemon.stop()
        one.append(rates[0])
        many.append(rates[1])
        ratio.append(rates[1] / rates[0])
    row('one a request, 1 KiB, one topic', one, 'K msg/s')
    row('the same over 10,000 topics', many, 'K msg/s')
    row('  ratio', ratio, '', 'aim 0.7')


def load(*args):
    out = subprocess.run([f'{BIN}/../bench/load', 'send', '-b', SOCKET, '--size', '100', '--inflight', '128', '--count', str(TIMERS), *args],
                         capture_output=True, check=True, text=True).stdout
    return json.loads(out)['seconds']


def timer_state():
    out = subprocess.run([f'{BIN}/mqstat', '-b', SOCKET, '-J', 'timer'], capture_output=True, check=True, text=True).stdout
    return json.loads(out.splitlines()[0])


def timers():
    """The same sends, one a request: to be delivered at once, and all at one second to come. From the first send until the last one is
    in the wheel, and from that second until the last one is in its topic."""
    plain, taken, fired = [], [], []
    for _ in range(RUNS):
        shutil.rmtree(f'{DIR}/store', ignore_errors=True)
        daemon = Daemon()
        seconds = load()
        plain.append(TIMERS / seconds / 1000)
        daemon.stop()
        shutil.rmtree(f'{DIR}/store', ignore_errors=True)
        daemon = Daemon()
        begin = time.time()
        due_s = int(begin + 4 * seconds + 10)
        load('--deliver-ms', str(due_s * 1000))
        while timer_state()['behind'] > 0:
            time.sleep(0.05)
        taken.append(TIMERS / (time.time() - begin) / 1000)
        if timer_state()['pending'] != TIMERS or time.time() > due_s:
            raise SystemExit(f'timers: {timer_state()} at {time.time() - due_s:.1f} s after their time')
        time.sleep(max(0, due_s - time.time()))
        while timer_state()['pending'] > 0:
            time.sleep(0.05)
        fired.append(TIMERS / (time.time() - due_s) / 1000)
        daemon.stop()
    row('one a request, 100 B, delivered at once', plain, 'K msg/s')
    row('timed, from the first send to the last in the wheel', taken, 'K msg/s')
    row('  ratio', [a / b for a, b in zip(taken, plain)], '', 'aim 0.5')
    row('timed, from their second to the last in its topic', fired, 'K msg/s')
    row('  ratio', [a / b for a, b in zip(fired, plain)], '', 'aim 0.5')


try:
    pipe_rates()
    start_and_memory()
    many_topics()
    timers()
finally:
    shutil.rmtree(DIR, ignore_errors=True)
