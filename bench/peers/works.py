"""One function a kind of work and a kind of server. Each returns figures: rate (messages a second), p50_us, p99_us …"""
import json
import os
import re
import resource
import subprocess
import time

import servers


def run(command, timeout=300, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(map(str, command))[:200]}: exit {done.returncode}: {(done.stderr or done.stdout)[-500:]}')
    return done.stdout


def load(env, *args):
    return json.loads(run([f'{env.build}/bench/load', *map(str, args)]))


def lines_file(env, count, size=100):
    """Text of so many lines; made once a run."""
    path = f'{env.dir}/lines-{count}'
    if not os.path.exists(path):
        with open(path, 'w') as out:
            out.writelines(f'{i:0{size - 1}d}\n' for i in range(count))
    return path


def pipe(command, count, source=None, env=None):
    """Lines a second through a tool, and the CPU seconds that the tool itself took for a million."""
    def used():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime
    cpu, begin = used(), time.monotonic()
    with open(source or os.devnull) as data:
        done = subprocess.run(command, stdin=data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300, check=False, env=env)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        raise RuntimeError(f'{command[0]}: exit {done.returncode}: {done.stderr[-300:]}')
    return {'rate': count / seconds, 'client_cpu_s_per_million': (used() - cpu) / (count / 1e6)}


class Remoting:
    """mqd and Apache's broker, by the same generator over the same kind of socket (mqd over its Unix socket as well)."""
    batch_flags = []

    def __init__(self, env, server):
        self.env, self.server, self.number = env, server, 0

    def topic(self):
        self.number += 1
        return f't{self.number}'

    def batched(self, size, count):
        self.last = self.topic()
        batch = max(1, min(200, (64 << 10) // (size + 160)))
        return load(self.env, 'send', *self.batch_flags, '-b', self.server.unix, '-t', self.last, '--size', size,
                    '--count', count // batch * batch, '--batch', batch, '--inflight', 8)

    def drain(self, size, count):
        return load(self.env, 'drain', '-b', self.server.unix, '-t', self.last)

    def drain_tcp(self, size, count):
        return load(self.env, 'drain', '-b', self.server.tcp, '-t', self.last)

    def java(self, size, count):
        """Apache's own client, four threads that send and wait, over TCP."""
        if not self.env.peers:
            raise RuntimeError('its jars come with the server apache, which is not among the servers')
        out = run(['java', '-Xmx512m', f'-Duser.home={self.server.dir}', '-cp',
                   f'{self.env.peers}/load:{self.env.peers}/classes:{self.env.peers}/jars/*', 'Load', self.server.namesrv, self.topic(),
                   str(size), str(count), '4'])
        return json.loads(out.strip().splitlines()[-1])

    def single(self, size, count):
        return load(self.env, 'send', '-b', self.server.unix, '-t', self.topic(), '--size', size, '--count', count, '--inflight', 128)

    def one_at_a_time(self, size, count):
        return load(self.env, 'send', '-b', self.server.unix, '-t', self.topic(), '--size', size, '--count', count)

    def forced(self, senders, count):
        return load(self.env, 'send', '-b', self.server.unix, '-t', self.topic(), '--size', 1024, '--count', count,
                    '--connections', senders)

    def end_to_end(self, count):
        return load(self.env, 'end-to-end', '-b', self.server.unix, '-t', self.topic(), '--size', 1024, '--count', count)


class Mqd(Remoting):
    """What only our own tools do."""

    def lines_in(self, count):
        return pipe([f'{self.env.bin}/mqsend', '-q', '-b', self.server.unix, 'lines'], count, lines_file(self.env, count))

    def lines_out(self, count):
        return pipe([f'{self.env.bin}/mqrecv', '-q', '-b', self.server.unix, '-c', str(count), 'lines'], count)


class Closed:
    """mqd with topics whose batches stay closed (queue.type=BatchCQ)."""

    batch_flags = ['--closed']
    __init__ = Remoting.__init__
    topic = Remoting.topic
    batched = Remoting.batched
    drain = Remoting.drain
    drain_tcp = Remoting.drain_tcp
    lines_out = Mqd.lines_out

    def lines_in(self, count):
        run([f'{self.env.bin}/mqctl', '-b', self.server.unix, 'topic', 'create', 'lines', '--attribute', '+queue.type=BatchCQ'])
        return Mqd.lines_in(self, count)


class Machine:
    """What the machine can do at all, for the same work."""

    def __init__(self, env, server):
        self.env = env

    def drain(self, size, count):
        return load(self.env, 'stream', '-b', 'unix', '--file', f'{self.env.dir}/stream')

    def drain_tcp(self, size, count):
        return load(self.env, 'stream', '-b', 'tcp', '--file', f'{self.env.dir}/stream')

    def one_at_a_time(self, size, count):
        return load(self.env, 'echo', '-b', 'unix', '--size', size, '--count', count)

    def forced(self, senders, count):
        return load(self.env, 'fdatasync', '--file', f'{self.env.dir}/forced', '--size', 1024 * senders, '--count', 300)


class Kafka:
    """Kafka by ProducerPerformance and ConsumerPerformance of its own project; both report after the JVM is warm."""

    def __init__(self, env, server):
        self.env, self.server, self.number = env, server, 0

    def produce(self, size, count, **settings):
        self.number += 1
        self.last = f't{self.number}'
        properties = [f'{k.replace("_", ".")}={v}' for k, v in {'bootstrap_servers': self.server.tcp, 'acks': 1, **settings}.items()]
        out = run(self.server.tool('org.apache.kafka.tools.ProducerPerformance', '--topic', self.last, '--num-records', str(count),
                                   '--record-size', str(size), '--throughput', '-1', '--producer-props', *properties))
        last = [line for line in out.splitlines() if 'records/sec' in line][-1]
        figures = {'rate': float(re.search(r'([\d.]+) records/sec', last)[1])}
        for name, text in re.findall(r'(\d+) ms (50th|99th)', last):
            figures['p50_us' if text == '50th' else 'p99_us'] = float(name) * 1000
        return figures

    def batched(self, size, count):
        return self.produce(size, count, batch_size=262144, linger_ms=5, buffer_memory=134217728)

    def lines_in(self, count):
        return pipe(['kcat', '-P', '-b', self.server.tcp, '-t', 'lines', '-q'], count, lines_file(self.env, count))

    def lines_out(self, count):
        return pipe(['kcat', '-C', '-b', self.server.tcp, '-t', 'lines', '-q', '-c', str(count)], count)

    def drain(self, size, count):
        out = run(self.server.tool('org.apache.kafka.tools.ConsumerPerformance', '--bootstrap-server', self.server.tcp, '--topic',
                                   self.last, '--messages', str(count), '--timeout', '60000', '--hide-header'))
        fields = [line.split(', ') for line in out.splitlines() if line.count(',') >= 8][-1]
        return {'rate': float(fields[9])}  # fetch.nMsg.sec: without the time that joining a group takes

    def single(self, size, count):
        # One record a request; its client allows a handful of them in flight.
        return self.produce(size, count, batch_size=0, linger_ms=0, max_in_flight_requests_per_connection=128)

    def one_at_a_time(self, size, count):
        return self.produce(size, count, batch_size=0, linger_ms=0, max_in_flight_requests_per_connection=1, buffer_memory=size + 200)

    def end_to_end(self, count):
        out = run(self.server.tool('org.apache.kafka.tools.EndToEndLatency', '--bootstrap-server', self.server.tcp, '--topic', 'e2e',
                                   '--num-records', str(count), '--producer-acks', '1', '--record-size', '1024'))
        found = re.search(r'50th = ([\d.]+), 99th = ([\d.]+)', out)
        return {'p50_us': float(found[1]) * 1000, 'p99_us': float(found[2]) * 1000}


class Redis:
    """Redis Streams by redis-benchmark: XADD, pipelined for bulk; reading by XRANGE of 1000."""

    def __init__(self, env, server):
        self.env, self.server = env, server

    def benchmark(self, size, count, pipeline, clients, *command):
        out = run(['redis-benchmark', '-s', self.server.socket, '-n', str(count), '-c', str(clients), '-P', str(pipeline), '--csv',
                   *command])
        row = out.strip().splitlines()[-1].replace('"', '').split(',')
        return {'rate': float(row[-7]), 'p50_us': float(row[-4]) * 1000, 'p99_us': float(row[-2]) * 1000}

    def add(self, size, count, pipeline, clients):
        run(['redis-cli', '-s', self.server.socket, 'DEL', 's'])
        return self.benchmark(size, count, pipeline, clients, 'XADD', 's', '*', 'b', 'x' * size)

    def batched(self, size, count):
        return self.add(size, count, max(8, min(200, (64 << 10) // (size + 160))), 1)

    def drain(self, size, count):
        step = 1000 if size < 4096 else 100
        got = self.benchmark(size, max(10, min(count // step, 2000)), 1, 1, 'XRANGE', 's', '-', '+', 'COUNT', str(step))
        return {'rate': got['rate'] * step}

    def single(self, size, count):
        return self.add(size, count, 128, 1)

    def one_at_a_time(self, size, count):
        return self.add(size, count, 1, 1)

    def forced(self, senders, count):
        return self.add(1024, count, 1, senders)


class Nats:
    """JetStream by `nats bench`."""

    def __init__(self, env, server):
        self.env, self.server = env, server

    def bench(self, *args):
        # Kept apart from whatever contexts the user has.
        out = run([self.env.nats, '--server', self.server.tcp, 'bench', *map(str, args), '--no-progress'],
                  env={**os.environ, 'HOME': self.server.dir, 'XDG_CONFIG_HOME': self.server.dir})
        return {'rate': float(re.search(r'([\d,]+) msgs/sec', out)[1].replace(',', ''))}

    def publish(self, size, count, batch, clients):
        return self.bench('js', 'pub', 'async' if batch > 1 else 'sync', 'bench', '--create', '--purge', '--storage', 'file', '--size', size,
                          '--msgs', count, '--clients', clients, *(['--batch', batch] if batch > 1 else []))

    def batched(self, size, count):
        return self.publish(size, count, 500, 1)

    def single(self, size, count):
        return self.publish(size, count, 128, 1)

    def one_at_a_time(self, size, count):
        return self.publish(size, count, 1, 1)

    def drain(self, size, count):
        return self.bench('js', 'ordered', '--msgs', count)


DRIVERS = {'machine': Machine, 'machine-sync': Machine, 'mqd': Mqd, 'mqd-closed': Closed, 'mqd-sync': Remoting, 'apache': Remoting, 'apache-sync': Remoting, 'kafka': Kafka, 'redis': Redis,
           'redis-sync': Redis, 'nats': Nats}


def ready_and_idle(server):
    """Start to ready in ms, anonymous memory a second later in MiB."""
    time.sleep(1)
    return {'ready_ms': server.ready_s * 1000, 'idle_mib': server.memory_mib()}


SERVERS = {cls.name: cls for cls in (servers.Machine, servers.MachineSync, servers.Mqd, servers.MqdClosed, servers.MqdSync, servers.Apache, servers.ApacheSync, servers.Kafka, servers.Redis,
                                     servers.RedisSync, servers.Nats)}
