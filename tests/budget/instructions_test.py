#!/usr/bin/env python3
"""How many instructions a message costs on the hot paths, held against budget.json.

Unlike a time, the number is the same on a busy machine and on an idle one (within 8 % over many
runs): callgrind counts what each program executes, for some messages and for several times as
many; the difference, divided by the messages between them, is without start and end. A path may
use SLACK times its budget: on another processor the libraries choose other code.

  MQ_BUILD=DIR instructions_test.py           TAP, as tests/run.sh reads it
  MQ_BUILD=DIR instructions_test.py --print   the figures alone, as budget.json has them
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import time

SLACK = 1.25
FEW, MANY = 10_000, 60_000
BIN = os.path.join(os.environ['MQ_BUILD'], 'bin')
BUDGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'budget.json')
START_SECONDS = 120  # under callgrind on a busy machine


def counted(command, out):
    return ['valgrind', '--tool=callgrind', f'--callgrind-out-file={out}', f'--log-file={out}.log'] + command


def instructions(out):
    """Of all threads of a program that has ended."""
    with open(out + '.log') as log:
        found = re.search(r'Collected : (\d+)', log.read())
    if not found:
        raise RuntimeError(f'callgrind counted nothing, see its log: {out}.log')
    return int(found[1])


class Daemon:
    """mqd on a store of its own, counted or as fast as it is."""

    def __init__(self, home, count):
        self.home = home
        self.address = f'unix:{home}/s'
        self.out = f'{home}/mqd' if count else None
        command = [f'{BIN}/mqd', '-q', '--store', f'{home}/store', '--listen', self.address]
        self.errors = open(f'{home}/mqd.err', 'w')
        self.process = subprocess.Popen(counted(command, self.out) if count else command, stderr=self.errors)
        until = time.monotonic() + START_SECONDS
        while not os.path.exists(f'{home}/s'):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f'mqd does not start: {open(f"{home}/mqd.err").read()}')
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=START_SECONDS)
        self.errors.close()
        return instructions(self.out) if self.out else 0

    def tool(self, name, *args, count=None, stdin=None):
        command = [f'{BIN}/{name}', '-q', '-b', self.address, '--timeout', '2m', *args]
        if count:
            command = counted(command, count)
        subprocess.run(command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        return instructions(count) if count else 0


def lines(home, count):
    path = f'{home}/lines'
    with open(path, 'w') as out:
        out.writelines(f'{i:099d}\n' for i in range(count))
    return open(path)


def daemon_run(messages, send_options=(), drain=False):
    """Instructions of a daemon that takes so many messages, and gives them out again."""
    with tempfile.TemporaryDirectory(prefix='mq-budget.') as home:
        daemon = Daemon(home, count=True)
        try:
            with lines(home, messages) as data:
                daemon.tool('mqsend', *send_options, 't', stdin=data)
            if drain:
                daemon.tool('mqrecv', 't')
        finally:
            total = daemon.stop()
        return total


def tool_run(name, messages):
    """Instructions of a tool beside a daemon that nobody counts."""
    with tempfile.TemporaryDirectory(prefix='mq-budget.') as home:
        daemon = Daemon(home, count=False)
        try:
            with lines(home, messages) as data:
                sent = daemon.tool('mqsend', 't', stdin=data, count=f'{home}/tool' if name == 'mqsend' else None)
            return sent or daemon.tool(name, 't', count=f'{home}/tool')
        finally:
            daemon.stop()


ONE_A_REQUEST = ('--batch', '1', '--linger', '0')
# Path: the work, its small and its large number of messages.
PATHS = {
    'mqd, a line of a batch': (daemon_run, FEW, MANY),
    'mqd, a message a request': (lambda n: daemon_run(n, ONE_A_REQUEST), FEW // 2, MANY // 2),
    'mqd, a message in and out': (lambda n: daemon_run(n, drain=True), FEW, MANY),
    'mqsend, a line': (lambda n: tool_run('mqsend', n), FEW, MANY),
    'mqrecv, a line': (lambda n: tool_run('mqrecv', n), FEW, MANY),
}


def measure():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {name: [pool.submit(work, n) for n in (many, few)] for name, (work, few, many) in PATHS.items()}
        return {name: (runs[name][0].result() - runs[name][1].result()) / (PATHS[name][2] - PATHS[name][1])
                for name in PATHS}


def main():
    found = measure()
    if sys.argv[1:] == ['--print']:
        print(json.dumps({name: round(value) for name, value in found.items()}, indent=2))
        return
    with open(BUDGET) as file:
        budget = json.load(file)
    print(f'1..{len(PATHS)}')
    for at, (name, value) in enumerate(found.items(), 1):
        fits = value <= budget[name] * SLACK
        print(f'{"ok" if fits else "not ok"} {at} {name}: {value:.0f} instructions, budget {budget[name]}')
        if not fits:
            print(f'# more than {SLACK} times the budget; if there is a reason, write the new figure into budget.json with it')


main()
