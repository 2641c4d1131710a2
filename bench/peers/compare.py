#!/usr/bin/env python3
"""mqd against its peers on the same work, in turn, in one run: a table of medians and ratios, raw figures as JSON.

  compare.py BUILD_DIR [--rounds N] [--servers mqd,mqd-closed,machine,apache,kafka,redis,nats] [--out FILE.json] [--quick]

`machine` is no server but the bare socket, mapping and file under each kind of work. plot.py draws FILE.json.

Every round starts each server afresh, one after the other (A B C A B C …), so that a machine whose speed drifts hits all
alike. A server that cannot be had here is named and left out; nothing is made up for it.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import types

import works


def options():
    p = argparse.ArgumentParser()
    p.add_argument('build')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--servers', default='mqd,mqd-closed,machine,apache,kafka,redis,nats')
    p.add_argument('--out')
    p.add_argument('--restart-gib', type=int, default=10, help='size of the store that is restarted after kill -9')
    p.add_argument('--quick', action='store_true', help='a tenth of the messages')
    return p.parse_args()


def bring_kafka(env):
    target = f'{env.build}/peers/kafka'
    if not os.path.isdir(target):
        subprocess.run(['mvn', '-q', '-B', 'dependency:copy-dependencies', f'-DoutputDirectory={target}.new'],
                       cwd=os.path.dirname(os.path.abspath(__file__)), check=True, capture_output=True)
        os.rename(f'{target}.new', target)
    env.kafka = target


def bring_nats(env):
    env.nats = shutil.which('nats') or f'{env.build}/peers/bin/nats'
    if not os.path.exists(env.nats):
        subprocess.run(['go', 'install', 'github.com/nats-io/natscli/nats@v0.2.4'], check=True, capture_output=True,
                       env={**os.environ, 'GOBIN': os.path.dirname(env.nats)})


def bring_apache(env):
    env.peers = f'{env.build}/peers'
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tests/interop/lib.sh')
    subprocess.run(['bash', '-c', f'. "{script}"; bring_peers'], check=True, capture_output=True, env={**os.environ, 'MQ_BUILD': env.build})
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'java/Load.java')
    subprocess.run(['javac', '-nowarn', '-d', f'{env.peers}/load', '-cp', f'{env.peers}/jars/*', source], check=True, capture_output=True)


BRING = {'apache': bring_apache, 'kafka': bring_kafka, 'nats': bring_nats}
NEEDS = {'redis': 'redis-server', 'nats': 'nats-server', 'kafka': 'java', 'apache': 'java'}


def plan(quick):
    """(label, servers' flavour, method, arguments)"""
    part = 10 if quick else 1
    rows = []
    for size, count in ((128, 1_000_000), (1024, 400_000), (10_240, 40_000)):
        rows.append((f'W1 batched {size} B', '', 'batched', (size, count // part)))
        rows.append((f'W3 drain {size} B', '', 'drain', (size, count // part)))
        rows.append((f'W3 drain {size} B over TCP', '', 'drain_tcp', (size, count // part)))
    for size in (128, 1024):
        rows.append((f'W1 one a request, 128 in flight, {size} B', '', 'single', (size, 200_000 // part)))
    rows.append(('W1 one at a time, 1024 B', '', 'one_at_a_time', (1024, 20_000 // part)))
    rows.append(('W3 end to end at 1,000/s', '', 'end_to_end', (3_000 // part,)))
    rows.append(('W1 the official Java client, 1024 B', '', 'java', (1024, 100_000 // part)))
    rows.append(('W7 lines of 100 B in', '', 'lines_in', (1_000_000 // part,)))
    rows.append(('W7 lines of 100 B out', '', 'lines_out', (1_000_000 // part,)))
    for senders in (1, 16, 64):
        rows.append((f'W2 forced, {senders} senders', '-sync', 'forced', (senders, 300 * senders // part)))
    return rows


def measure(env, name, rows, figures):
    for flavour in ('', '-sync'):
        mine = [r for r in rows if r[1] == flavour and hasattr(works.DRIVERS.get(name + flavour), r[2])]
        if not mine:
            continue
        server = works.SERVERS[name + flavour](env)
        try:
            if flavour == '' and server.processes:
                figures.setdefault('W4 start and idle', {}).setdefault(name, []).append(works.ready_and_idle(server))
            driver = works.DRIVERS[name + flavour](env, server)
            for label, _, method, args in mine:
                server.settle()
                cpu = server.cpu_s()
                try:
                    got = getattr(driver, method)(*args)
                except (RuntimeError, subprocess.TimeoutExpired, TypeError, IndexError) as e:
                    print(f'# {name}: {label}: {e}', file=sys.stderr)
                    continue
                if method != 'end_to_end' and server.processes:
                    server.settle()
                    got['cpu_s_per_million'] = (server.cpu_s() - cpu) / (args[-1] / 1e6)
                figures.setdefault(label, {}).setdefault(name, []).append(got)
        finally:
            server.stop()


def restart(env, gib, figures):
    """A store of that size, killed under load and started again; mqd alone, for what it takes to fill."""
    server = works.servers.Mqd(env)
    try:
        works.load(env, 'send', '-b', server.unix, '-t', 'big', '--size', 10_240, '--count', gib * 102_000 // 6 * 6, '--batch', 6, '--inflight', 8)
        for _ in range(3):
            figures.setdefault(f'W6 ready after kill -9, {gib} GiB', {}).setdefault('mqd', []).append(
                {'restart_ms': server.crash_and_restart() * 1000})
    finally:
        server.stop()


KEYS = ('rate', 'bytes_rate', 'p50_us', 'p99_us', 'cpu_s_per_million', 'client_cpu_s_per_million', 'ready_ms', 'idle_mib',
        'restart_ms')


def table(figures, names):
    for label, by_name in figures.items():
        keys = [k for k in KEYS if any(k in run for runs in by_name.values() for run in runs)]
        for key in keys:
            cells, ours = [], None
            for name in names:
                values = sorted(run[key] for run in by_name.get(name, []) if key in run)
                if not values:
                    cells.append(f'{"-":>24}')
                    continue
                middle = statistics.median(values)
                ours = middle if name == 'mqd' else ours
                ratio = f' x{ours / middle:.2f}' if ours and name != 'mqd' and middle else ''
                cells.append(f'{middle:12,.{0 if middle >= 100 else 2}f}{ratio:>8} ±{(values[-1] - values[0]) / 2 / middle * 100 if middle else 0:2.0f}%')
            print(f'{label:44} {key:24} ' + ' '.join(cells), flush=True)


def main():
    o = options()
    env = types.SimpleNamespace(build=os.path.abspath(o.build), bin=os.path.abspath(o.build) + '/bin', peers=None,
                                dir=tempfile.mkdtemp(prefix='mq-peers.'))
    figures, names = {}, []
    try:
        for name in o.servers.split(','):
            try:
                if name in NEEDS and not shutil.which(NEEDS[name]):
                    raise FileNotFoundError(f'{NEEDS[name]} is not installed')
                BRING.get(name, lambda _: None)(env)
                names.append(name)
            except (subprocess.CalledProcessError, FileNotFoundError) as e:
                print(f'# {name} is left out: {e}', file=sys.stderr)
        machine = {'machine': platform.processor() or platform.machine(), 'cores': os.cpu_count(), 'kernel': platform.release(),
                   'load': os.getloadavg()[0]}
        print('#', ', '.join(f'{k} {v}' for k, v in machine.items()))
        print('# configurations:', '; '.join(f'{c.name}: {c.config}' for c in works.SERVERS.values() if c.name.split("-")[0] in names))
        for index in range(o.rounds):
            for name in names:
                measure(env, name, plan(o.quick), figures)
            print(f'# round {index + 1} of {o.rounds}, load {os.getloadavg()[0]:.1f}', file=sys.stderr)
        if 'mqd' in names and o.restart_gib > 0:
            restart(env, 1 if o.quick else o.restart_gib, figures)
        print(f'{"":44} {"":24} ' + ' '.join(f'{n:>24}' for n in names))
        table(figures, names)
        if o.out:
            with open(o.out, 'w') as f:
                json.dump({'machine': machine, 'figures': figures}, f, indent=1)
    finally:
        shutil.rmtree(env.dir, ignore_errors=True)


main()
