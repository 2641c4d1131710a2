#!/usr/bin/env python3
"""Goal: nothing acknowledged is lost by SIGKILL. Method: producers of our own send into mqd, which is killed at a random
moment; after a restart every acknowledged message must be there once, where the acknowledgement said, body intact: in
queue, commit log and index.

  kill9.py BIN_DIR ROUNDS [SEED [ONLY]]   ONLY: rounds with that in their name

Rounds go round 1, 16 and 64 producers and both flush modes. Behind every third comes one with messages for later, and one
with everything pending (pending.py). Speaks TAP; a failed round says how to repeat it.
"""
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pending

BIN = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
ONLY = sys.argv[4] if len(sys.argv) > 4 else ''
DIR = tempfile.mkdtemp(prefix='mq-kill9.')
SOCKET = f'unix:{DIR}/s'
SIZES = ['mappedFileSizeCommitLog=1048576', 'mappedFileSizeConsumeQueue=20000', 'maxHashSlotNum=1000', 'maxIndexNum=20000']


def start(flush, settings=()):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    command = [f'{BIN}/mqd', '--store', f'{DIR}/store', '--listen', SOCKET, '--ready-fd', str(write), '-q',
               '-o', f'flushDiskType={flush}']
    for setting in [*SIZES, *settings]:
        command += ['-o', setting]
    process = subprocess.Popen(command, pass_fds=[write], stderr=open(f'{DIR}/mqd.log', 'ab'))
    os.close(write)
    if not os.read(read, 1):
        raise AssertionError('mqd did not start: ' + open(f'{DIR}/mqd.log').read()[-2000:])
    os.close(read)
    return process


def tool(*command):
    done = subprocess.run([f'{BIN}/{command[0]}', *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise AssertionError(f'{command}: exit {done.returncode}: {done.stderr[-1000:]}')
    return done.stdout.splitlines()


def forget_receipts():
    """Those of an earlier round are not of a sender that is killed before it opens its own."""
    for path in glob.glob(f'{DIR}/r[0-9]*'):
        os.remove(path)


def produce(topic, producers, flush, rng):
    """Returns the acknowledgements: (producer, number, id, queue, offset)."""
    forget_receipts()
    daemon = start(flush)
    tool('mqctl', '-b', SOCKET, 'topic', 'create', topic, '--queues', '4')
    senders = []
    for i in range(producers):
        seq = subprocess.Popen(['seq', '-f', f'{topic}-{i}-%.0f', '1', '100000000'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        batch = rng.choice(['1', '2K', '64K'])
        senders.append((seq, subprocess.Popen(
            [f'{BIN}/mqsend', '-q', '-b', SOCKET, '--batch', batch, '--receipts', f'{DIR}/r{i}', '--retries', '0', topic],
            stdin=seq.stdout, stderr=subprocess.DEVNULL)))
        seq.stdout.close()
    time.sleep(rng.uniform(0.05, 0.5) + producers * 0.01)
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    acks = []
    for i, (seq, sender) in enumerate(senders):
        sender.wait()
        seq.kill()
        seq.wait()
        if not os.path.exists(f'{DIR}/r{i}'):
            continue  # it had not come that far
        with open(f'{DIR}/r{i}') as f:
            for line in f:
                number, _, ident, queue, offset, status = line.split()
                assert status == 'SEND_OK', line
                acks.append((i, number, ident, int(queue), int(offset)))
    return acks


def check(topic, acks, flush, rng):
    daemon = start(flush)
    try:
        served, ids = {}, {}
        for line in tool('mqrecv', '-b', SOCKET, '-F', '%p %o %P %i %s\\n', topic):
            queue, offset, physical, ident, body = line.split(' ', 4)
            assert (int(queue), int(offset)) not in served, f'{queue}/{offset} twice'
            assert ident not in ids, f'{ident} twice'
            served[int(queue), int(offset)] = (ident, body)
            ids[ident] = physical
        for i, number, ident, queue, offset in acks:
            got = served.get((queue, offset))
            want = (ident, f'{topic}-{i}-{number}')
            assert got == want, f'{queue}/{offset}: acknowledged {want}, found {got}'
        last = {}
        # What one producer sent to one queue is in its order; the acknowledgements of requests in flight come in any.
        for i, number, _, queue, offset in sorted(acks, key=lambda a: a[4]):
            before = last.get((i, queue), 0)
            assert int(number) > before, f'producer {i}, queue {queue}: {number} is behind {before}'
            last[i, queue] = int(number)
        for _, _, ident, _, _ in rng.sample(acks, min(20, len(acks))):
            found = tool('mqrecv', '-b', SOCKET, '--key', ident, '-F', '%P\\n', topic)
            assert found == [ids[ident]], f'index: {ident} at {ids[ident]}, found {found}'
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    logged = set(tool('mqdump', 'log', f'{DIR}/store', '-F', '%i\\n'))
    missing = [a for a in acks if a[2] not in logged]
    assert not missing, f'{len(missing)} not in the commit log'


def later(topic, flush, rng):
    """Messages for later, some by level and some by time: killed while they wait and while they are delivered, each that was
    acknowledged comes, none before its time. Those delivered just before the kill may come again."""
    forget_receipts()
    daemon = start(flush)
    tool('mqctl', '-b', SOCKET, 'topic', 'create', topic, '--queues', '4')
    ways = [['--delay-level', '1'], ['--delay', '1s']]
    senders = []
    for i, way in enumerate(ways):
        seq = subprocess.Popen(['seq', '-f', f'{topic}-{i}-%.0f', '1', '100000000'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        senders.append((seq, subprocess.Popen(
            [f'{BIN}/mqsend', '-q', '-b', SOCKET, '--receipts', f'{DIR}/r{i}', '--retries', '0', *way, topic],
            stdin=seq.stdout, stderr=subprocess.DEVNULL)))
        seq.stdout.close()
    time.sleep(rng.uniform(0.2, 3))
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    want = set()
    for i, (seq, sender) in enumerate(senders):
        sender.wait()
        seq.kill()
        seq.wait()
        if not os.path.exists(f'{DIR}/r{i}'):
            continue  # it had not come that far
        with open(f'{DIR}/r{i}') as f:
            want |= {f'{topic}-{i}-{line.split()[0]}' for line in f}
    daemon = start(flush)
    try:
        missing = want
        for _ in range(300):
            seen, early = set(), []
            for line in tool('mqrecv', '-b', SOCKET, '-F', '%B %T %s\\n', topic):
                born, stored, body = line.split(' ')
                seen.add(body)
                if int(stored) < int(born) + 1000:
                    early.append(f'{body} {int(born) + 1000 - int(stored)} ms early')
            missing = want - seen
            assert not early, early[:5]
            if not missing:
                break
            time.sleep(0.1)
        assert not missing, f'{len(missing)} of {len(want)} did not come: {sorted(missing)[:5]}'
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    return len(want)


def everything(name, flush, rng):
    """Timers, transactions and popped messages: killed once or several times while all of them are under way."""
    state = pending.Round(BIN, SOCKET, DIR, name, rng.randrange(1 << 30))
    for life in range(rng.choice([1, 1, 2, 3])):
        daemon = start(flush, pending.SETTINGS)
        if life == 0:
            state.prepare(200)
        state.live(daemon, rng.uniform(0.3, 2))
    daemon = start(flush, pending.SETTINGS)
    try:
        there_was = state.check()
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    tool('mqdump', 'verify', f'{DIR}/store')
    return there_was


def rounds_of(n):
    """Name and function of each."""
    producers = (1, 16, 64)[n % 3]
    flush = ('ASYNC_FLUSH', 'SYNC_FLUSH')[n // 3 % 2]

    def sent(rng):
        acks = produce(f't{n}', producers, flush, rng)
        check(f't{n}', acks, flush, rng)
        return f'{len(acks)} acknowledged'

    yield f'SIGKILL under {producers} producers, {flush}', sent
    if n % 3 == 2:
        yield f'SIGKILL with messages for later, {flush}', lambda rng: f'{later(f"later{n}", flush, rng)} acknowledged'
        yield f'SIGKILL with everything pending, {flush}', lambda rng: everything(f'all{n}', flush, rng)


def main():
    failed = False
    for n in range(ROUNDS):
        if n % 12 == 0:
            shutil.rmtree(f'{DIR}/store', ignore_errors=True)
        for name, run in rounds_of(n):
            if ONLY not in name:
                continue
            try:
                print(f'ok {name}: {run(random.Random(f"{SEED + n} {name}"))}', flush=True)
            except AssertionError as e:
                failed = True
                print(f'not ok {name} (kill9.py {" ".join([sys.argv[1], str(n + 1), str(SEED), *sys.argv[4:]])})\n# {e}', flush=True)
    shutil.rmtree(DIR, ignore_errors=True)
    return failed


sys.exit(main())
