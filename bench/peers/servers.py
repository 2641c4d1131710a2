"""The servers that are compared: each started on loopback with a durable configuration, and stopped by pid."""
import os
import shutil
import socket
import subprocess
import time


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Server:
    """A running server; `log` is what it printed, `cpu_s()` what it has used."""
    name = ''
    config = ''  # what it is told about durability, for the table

    def __init__(self, env):
        self.env = env
        self.dir = os.path.join(env.dir, f'{self.name}-{time.monotonic_ns()}')
        os.makedirs(self.dir)
        self.log = f'{self.dir}/log'
        begin = time.monotonic()
        self.processes = self.start()
        self.ready_s = time.monotonic() - begin

    def spawn(self, command, **more):
        return subprocess.Popen(command, stdout=open(self.log, 'ab'), stderr=subprocess.STDOUT, cwd=self.dir, **more)

    def wait_for(self, process, ready, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                break
            if ready():
                return process
            time.sleep(0.005)
        raise SystemExit(f'{self.name} does not start:\n' + open(self.log, errors='replace').read()[-3000:])

    def port_open(self, port):
        with socket.socket() as s:
            return s.connect_ex(('127.0.0.1', port)) == 0

    def logged(self, text):
        return text in open(self.log, errors='replace').read()

    def cpu_s(self):
        total = 0
        for p in self.processes:
            fields = open(f'/proc/{p.pid}/stat').read().rsplit(')', 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
        return total

    def memory_mib(self):
        total = 0
        for p in self.processes:
            with open(f'/proc/{p.pid}/status') as f:
                total += next(int(line.split()[1]) for line in f if line.startswith('RssAnon:')) / 1024
        return total

    def settle(self):
        """Until it is idle, so that one run's work is not charged to the next."""
        end = time.monotonic() + 20
        last = -1
        while time.monotonic() < end and (now := self.cpu_s()) - last > 0.02:
            last = now
            time.sleep(0.2)

    def stop(self):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Machine(Server):
    """No server: the limits stand in the same table, measured in the same rounds."""
    name = 'machine'
    config = 'bare sockets and files'

    def start(self):
        return []


class MachineSync(Machine):
    name = 'machine-sync'


class Mqd(Server):
    name = 'mqd'
    config = 'ASYNC_FLUSH'
    options = []

    def start(self):
        self.unix = f'unix:{self.dir}/s'
        self.tcp = self.namesrv = f'127.0.0.1:{free_port()}'
        read, write = os.pipe()
        process = self.spawn([f'{self.env.bin}/mqd', '--store', f'{self.dir}/store', '--listen', self.unix, '--listen', self.tcp,
                              '--ready-fd', str(write), *self.options], pass_fds=[write])
        os.close(write)
        if not os.read(read, 1):
            raise SystemExit(open(self.log).read())
        os.close(read)
        return [process]

    def crash_and_restart(self):
        """kill -9, then the seconds from the start to ready."""
        self.processes[0].kill()
        self.processes[0].wait()
        begin = time.monotonic()
        self.processes = self.start()
        return time.monotonic() - begin


class MqdClosed(Mqd):
    name = 'mqd-closed'
    config = Mqd.config + ', topics with queue.type=BatchCQ'


class MqdSync(Mqd):
    name = 'mqd-sync'
    config = 'SYNC_FLUSH'
    options = ['-o', 'flushDiskType=SYNC_FLUSH']


class Apache(Server):
    name = 'apache'
    config = 'ASYNC_FLUSH'
    options = []

    def java(self, heap, main, conf):
        return ['java', f'-Xms{heap}', f'-Xmx{heap}', f'-Duser.home={self.dir}', f'-Drocketmq.home.dir={self.dir}', '-cp',
                f'{self.env.peers}/classes:{self.env.peers}/jars/*', main, '-c', conf]

    def start(self):
        ns, port = free_port(), free_port()
        with open(f'{self.dir}/ns.conf', 'w') as f:
            f.write(f'listenPort={ns}\nbindAddress=127.0.0.1\nscanAvailableNameSrv=false\n')
        with open(f'{self.dir}/broker.conf', 'w') as f:
            f.write('\n'.join([
                'brokerClusterName=c', 'brokerName=a', 'brokerId=0', f'namesrvAddr=127.0.0.1:{ns}', f'listenPort={port}',
                f'haListenPort={free_port()}', 'fastListenPort=0', 'bindAddress=127.0.0.1', 'brokerIP1=127.0.0.1',
                'brokerIP2=127.0.0.1', f'storePathRootDir={self.dir}/store', f'storePathCommitLog={self.dir}/store/commitlog',
                *self.options]) + '\n')
        first = self.spawn(self.java('128m', 'org.apache.rocketmq.namesrv.NamesrvStartup', f'{self.dir}/ns.conf'))
        self.wait_for(first, lambda: self.port_open(ns))
        broker = self.spawn(self.java('2g', 'org.apache.rocketmq.broker.BrokerStartup', f'{self.dir}/broker.conf'))
        self.wait_for(broker, lambda: self.port_open(port) and self.logged('The broker'))
        self.tcp = self.unix = f'127.0.0.1:{port}'
        self.namesrv = f'127.0.0.1:{ns}'
        return [broker, first]


class ApacheSync(Apache):
    name = 'apache-sync'
    config = 'SYNC_FLUSH'
    options = ['flushDiskType=SYNC_FLUSH']


class Kafka(Server):
    name = 'kafka'
    config = 'acks=1, page cache'
    options = []

    def tool(self, main, *args, heap='512m'):
        return ['java', f'-Xmx{heap}', '-cp', f'{self.env.kafka}/*', main, *args]

    def start(self):
        port, controller = free_port(), free_port()
        self.tcp = f'127.0.0.1:{port}'
        conf = f'{self.dir}/server.properties'
        with open(conf, 'w') as f:
            f.write('\n'.join([
                'process.roles=broker,controller', 'node.id=1', f'controller.quorum.voters=1@127.0.0.1:{controller}',
                f'listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}',
                f'advertised.listeners=PLAINTEXT://127.0.0.1:{port}', 'controller.listener.names=CONTROLLER',
                f'log.dirs={self.dir}/data', 'num.partitions=4', 'offsets.topic.replication.factor=1',
                'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1', *self.options]) + '\n')
        done = subprocess.run(self.tool('kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', conf),
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit('kafka format: ' + done.stderr)
        process = self.spawn(self.tool('kafka.Kafka', conf, heap='1g'))
        self.wait_for(process, lambda: self.port_open(port))
        return [process]


class KafkaSync(Kafka):
    name = 'kafka-sync'
    config = 'flush.messages=1'
    options = ['log.flush.interval.messages=1']


class Redis(Server):
    name = 'redis'
    config = 'appendonly, fsync each second'
    fsync = 'everysec'

    def start(self):
        self.port = free_port()
        self.tcp = f'127.0.0.1:{self.port}'
        self.socket = f'{self.dir}/s'
        process = self.spawn(['redis-server', '--port', str(self.port), '--bind', '127.0.0.1', '--unixsocket', self.socket,
                              '--dir', self.dir, '--appendonly', 'yes', '--appendfsync', self.fsync, '--save', ''])
        self.wait_for(process, lambda: self.port_open(self.port))
        return [process]


class RedisSync(Redis):
    name = 'redis-sync'
    config = 'appendonly, fsync always'
    fsync = 'always'


class Nats(Server):
    name = 'nats'
    config = 'file stream'
    options = ''

    def start(self):
        port = free_port()
        self.tcp = f'127.0.0.1:{port}'
        with open(f'{self.dir}/nats.conf', 'w') as f:
            f.write(f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{self.dir}/data" {self.options} }}\n')
        process = self.spawn(['nats-server', '-c', f'{self.dir}/nats.conf'])
        self.wait_for(process, lambda: self.port_open(port))
        return [process]
