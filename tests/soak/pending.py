"""What a broker owes when it is killed with everything pending: timers, transactions and popped messages.

A Round keeps several clients busy with one broker and writes down what they were told; the broker may be killed and
started again under them at any moment. Afterwards check() holds what the broker gives out against what it promised:

- a timed message that was acknowledged comes, none before its time, and none that was taken back in time;
- a transaction that was committed comes once; one that was rolled back, or that nobody ended, never comes, nor does any
  half message; one whose end was not answered comes if its producer says so when it is asked;
- a popped message comes again unless it was acknowledged, and not before its time; one whose acknowledgement was not
  answered may come again. What nobody popped comes as well.
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'support'))
from remoting import Client, decode_record, properties_text  # noqa: E402

COMMIT, ROLLBACK, UNKNOWN = 8, 12, 0
HALF = 'RMQ_SYS_TRANS_HALF_TOPIC'
QUEUES = 2
INVISIBLE_MS = (1000, 2000)
DELAY_MS = (300, 4000)
PATIENCE_S = 60
# So that transactions are asked about within the round.
SETTINGS = ['transactionTimeOut=2000', 'transactionCheckInterval=1000', 'transactionCheckMax=1000',
            'transactionOpBatchInterval=100', 'recallMessageEnable=true']


def now_ms():
    return time.time() * 1000


class Popped:
    """One message that a pop brought."""

    def __init__(self, group, topic, answer, part, offset, record):
        decoded = decode_record(record)
        self.body = decoded.body
        e = answer.ext
        retry, self.queue, start = part
        self.topic = topic if retry == '0' else f'%RETRY%{group}_{topic}'
        self.offset = offset
        self.pop_ms, self.invisible_ms = int(e['popTime']), int(e['invisibleTime'])
        self.handle = decoded.properties.get('POP_CK') or \
            f"{start} {self.pop_ms} {self.invisible_ms} {e['reviveQid']} {retry} DEFAULT_BROKER {self.queue} {offset}"


def popped_of(group, topic, answer):
    if answer.code == 210:
        return []
    assert answer.code == 0, f'pop: {answer.code} {answer.remark}'
    starts = {tuple(i.split()[:2]): i.split()[2] for i in answer.ext['startOffsetInfo'].split(';')}
    out, rest = [], answer.body
    for item in answer.ext['msgOffsetInfo'].split(';'):
        retry, queue, offsets = item.split()
        for offset in offsets.split(','):
            size = int.from_bytes(rest[:4], 'big')
            out.append(Popped(group, topic, answer, (retry, queue, starts[retry, queue]), offset, rest[:size]))
            rest = rest[size:]
    return out


class Message:
    """What is known of one message that can be popped."""

    def __init__(self):
        self.acked = False      # answered in time: must not come again
        self.maybe = False      # may have been acknowledged
        self.not_before_ms = 0  # may not come before
        # Given a new time when its old one was over: somebody else may have it, and acknowledge it, and it comes again.
        self.changed_late = False


class Round:
    def __init__(self, binaries, address, work, name, seed):
        self.binaries, self.address, self.work, self.name = binaries, address, work, name
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.trouble = []
        self.numbers = iter(range(1 << 40))
        self.due_ms = {}     # body: when, of timed messages
        self.later = set()   # those that were acknowledged
        self.recalled = set()
        self.ends = {}       # body of a half message: how it ends, None while nobody knows
        self.committed = set()
        self.messages = {}   # body: Message
        self.sent_by_tool = []  # (how many, exit status, body prefix) of mqsend --transaction
        self.printed = set()    # by mqrecv --pop
        self.later_topic, self.trans_topic, self.pop_topic = (f'{kind}-{name}' for kind in ('later', 'trans', 'pop'))
        self.group, self.tool_group, self.producers = (f'{kind}-{name}' for kind in ('popping', 'printing', 'ending'))

    # --- while the broker lives
    def prepare(self, messages):
        """Topics and groups, and what is there to be popped."""
        c = Client(self.address)
        for topic in (self.later_topic, self.trans_topic, self.pop_topic):
            answer = c.ask(17, topic=topic, defaultTopic='TBW102', readQueueNums=QUEUES, writeQueueNums=QUEUES, perm=6,
                           topicFilterType='SINGLE_TAG', topicSysFlag=0, order=False)
            assert answer.code == 0, answer.remark
        for group in (self.group, self.tool_group):
            answer = c.ask(200, f'{{"groupName":"{group}"}}'.encode())
            assert answer.code == 0, answer.remark
        for n in range(messages):
            body = f'{self.name}-first-{n}'
            assert c.put(self.pop_topic, body, n % QUEUES).code == 0
            self.messages[body] = Message()
        c.close()

    def live(self, broker, seconds):
        """Keeps the clients busy for that long, then kills the broker."""
        jobs = [self.send_later, self.send_later, self.transact, self.transact, self.answer_questions, self.send_to_pop,
                self.pop_some, self.pop_some]
        threads = [threading.Thread(target=self._until_it_breaks, args=(job, self.random.randrange(1 << 30))) for job in jobs]
        tools = [threading.Thread(target=job, args=(broker,)) for job in (self.send_by_tool, self.pop_by_tool)]
        for thread in threads + tools:
            thread.start()
        time.sleep(seconds)
        broker.send_signal(signal.SIGKILL)
        broker.wait()
        for thread in threads + tools:
            thread.join()
        assert not self.trouble, self.trouble[0]

    def _until_it_breaks(self, job, seed):
        try:
            client = Client(self.address)
        except OSError:
            return
        try:
            job(client, random.Random(seed))
        except (OSError, ConnectionError):
            pass
        except AssertionError as e:
            if not client.closed:
                self.trouble.append(f'{job.__name__}: {e}')

    def number(self):
        with self.lock:
            return next(self.numbers)

    def send_later(self, c, rng):
        while True:
            body = f'{self.name}-{self.number()}'
            delay = rng.randint(*DELAY_MS)
            due = now_ms() + delay
            if rng.random() < 0.2:
                wish, due = {'DELAY': 1}, now_ms() + 1000
            elif rng.random() < 0.5:
                wish = {'TIMER_DELAY_MS': delay}
            else:
                due = int(due)
                wish = {'TIMER_DELIVER_MS': due}
            self.due_ms[body] = due
            answer = c.put(self.later_topic, body, rng.randrange(QUEUES), UNIQ_KEY=body, **wish)
            assert answer.code == 0, answer.remark
            handle = answer.ext.get('recallHandle')
            if handle is None or delay < 3000 or rng.random() < 0.7:
                self.later.add(body)
                continue
            # Whether it was taken back is not known before that is answered.
            answer = c.ask(370, producerGroup='PG', topic=self.later_topic, recallHandle=handle)
            if answer.code == 0 and now_ms() < due - 1500:
                self.recalled.add(body)

    def transact(self, c, rng):
        c.heartbeat(f'{self.name}-{rng.random()}', producers=[self.producers])
        while True:
            body = f'{self.name}-{self.number()}'
            how = rng.choice([COMMIT, COMMIT, ROLLBACK, UNKNOWN])
            # What its producer says when it is asked: one that has decided says the same again.
            self.ends[body] = how if how != UNKNOWN else rng.choice([COMMIT, ROLLBACK, UNKNOWN])
            text = properties_text({'TRAN_MSG': 'true', 'PGROUP': self.producers, 'UNIQ_KEY': body})
            answer = c.ask(310, body.encode(), a=self.producers, b=self.trans_topic, c='TBW102', d=4, e=rng.randrange(QUEUES),
                           f=4, g=int(now_ms()), h=0, i=text, j=0, k=False, m=False)
            assert answer.code == 0, answer.remark
            if self.ends[body] == COMMIT:
                self.committed.add(body)  # the half message is safe: nothing may lose it
            if how == UNKNOWN:
                continue
            at = int(answer.ext['msgId'][16:], 16)
            if rng.random() < 0.1:
                time.sleep(rng.uniform(0, 0.3))
            answer = c.ask(37, producerGroup=self.producers, tranStateTableOffset=answer.ext['queueOffset'], commitLogOffset=at,
                           commitOrRollback=how, fromTransactionCheck=False, msgId=body, transactionId=body)
            assert answer.code == 0, answer.remark

    def answer_questions(self, c, _):
        """The producer that is asked about what was left open."""
        c.heartbeat(f'{self.name}-answers', producers=[self.producers])
        while True:
            with c.news:
                c.news.wait_for(lambda: c.requests or c.closed)
                questions = [r for r in c.requests if r.code == 39]
                c.requests.clear()
            if c.closed:
                return
            for question in questions:
                body = question.ext['transactionId']
                c.send(37, oneway=True, producerGroup=self.producers, tranStateTableOffset=question.ext['tranStateTableOffset'],
                       commitLogOffset=question.ext['commitLogOffset'], commitOrRollback=self.ends[body],
                       fromTransactionCheck=True, msgId=body, transactionId=body)

    def send_to_pop(self, c, rng):
        while True:
            body = f'{self.name}-{self.number()}'
            answer = c.put(self.pop_topic, body, rng.randrange(QUEUES), UNIQ_KEY=body)
            assert answer.code == 0, answer.remark
            with self.lock:
                self.messages.setdefault(body, Message())
            time.sleep(rng.uniform(0, 0.02))

    def pop(self, c, invisible_ms, poll_ms=0, count=32):
        answer = c.ask(200050, consumerGroup=self.group, topic=self.pop_topic, queueId=-1, maxMsgNums=count,
                       invisibleTime=invisible_ms, pollTime=poll_ms, bornTime=int(now_ms()), initMode=0)
        popped = popped_of(self.group, self.pop_topic, answer)
        with self.lock:
            for p in popped:
                # It may be here before its sender is told that it is stored.
                message = self.messages.setdefault(p.body, Message())
                if message.acked and not message.changed_late:
                    self.trouble.append(f'{p.body} came again after its acknowledgement')
                if p.pop_ms < message.not_before_ms:
                    self.trouble.append(f'{p.body} came {message.not_before_ms - p.pop_ms} ms early')
                message.maybe = False
                message.not_before_ms = p.pop_ms + p.invisible_ms
        return popped

    def acknowledge(self, c, p):
        message = self.messages[p.body]
        message.maybe = True
        answer = c.ask(200051, consumerGroup=self.group, topic=p.topic, queueId=p.queue, extraInfo=p.handle, offset=p.offset)
        assert answer.code == 0, f'acknowledgement: {answer.code} {answer.remark}'
        with self.lock:
            # Late, and somebody else may have it by now.
            if message.not_before_ms == p.pop_ms + p.invisible_ms and now_ms() < message.not_before_ms:
                message.acked = True

    def change(self, c, p, invisible_ms):
        message = self.messages[p.body]
        until = p.pop_ms + p.invisible_ms
        is_ours = message.not_before_ms == until
        message.not_before_ms = 0  # until it is answered either may hold
        message.changed_late = True
        answer = c.ask(200053, consumerGroup=self.group, topic=p.topic, queueId=p.queue, extraInfo=p.handle, offset=p.offset,
                       invisibleTime=invisible_ms)
        assert answer.code == 0, f'new time: {answer.code} {answer.remark}'
        with self.lock:
            if is_ours and now_ms() < until:
                message.changed_late = False
                if message.not_before_ms == 0:
                    message.not_before_ms = int(answer.ext['popTime']) + int(answer.ext['invisibleTime'])

    def pop_some(self, c, rng):
        while True:
            popped = self.pop(c, rng.randint(*INVISIBLE_MS), poll_ms=rng.choice([0, 500]), count=rng.randint(1, 32))
            share = rng.random()
            for p in popped:
                dice = rng.random()
                if dice < 0.05:
                    self.change(c, p, rng.randint(*INVISIBLE_MS))
                elif dice < share:
                    self.acknowledge(c, p)

    def send_by_tool(self, broker):
        """Transactions of some messages each, some of which have no end."""
        count = 300
        while broker.poll() is None:
            prefix = f'{self.name}-tool{self.number()}'
            tool = subprocess.Popen([f'{self.binaries}/mqsend', '-q', '-b', self.address, '--retries', '0', '--transaction',
                                     self.trans_topic], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            ends = self.random.random() < 0.7
            try:
                tool.stdin.write(''.join(f'{prefix}-{n}\n' for n in range(count)))
                tool.stdin.flush()
                if not ends:
                    broker.wait()
                    tool.kill()
                tool.stdin.close()
            except BrokenPipeError:
                pass
            self.sent_by_tool.append((count if ends else 0, tool.wait(), prefix))

    def pop_by_tool(self, broker):
        """Prints before it acknowledges, so what it printed may come again."""
        with open(f'{self.work}/printed', 'w', encoding='utf8') as out:
            tool = subprocess.Popen([f'{self.binaries}/mqrecv', '-q', '-b', self.address, '-g', self.tool_group, '--pop',
                                     '--invisible', '2s', '--timeout', '60s', self.pop_topic], stdout=out, stderr=subprocess.DEVNULL)
            broker.wait()
            tool.terminate()
            tool.wait()
        with open(f'{self.work}/printed', encoding='utf8') as lines:
            self.printed |= {line.strip() for line in lines if line.endswith('\n')}

    # --- afterwards
    def check(self):
        """Returns what there was, for the report."""
        c = Client(self.address)
        answering = threading.Thread(target=self._until_it_breaks, args=(self.answer_questions, 0), daemon=True)
        answering.start()
        printing = subprocess.Popen([f'{self.binaries}/mqrecv', '-q', '-b', self.address, '-g', self.tool_group, '--pop',
                                     '--idle', '4s', self.pop_topic], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.drain_pops(c)
        printed = printing.communicate()[0].splitlines()
        missing = set(self.messages) - self.printed - set(printed)
        assert not missing, f'mqrecv --pop did not print {sorted(missing)[:5]}'
        self.check_later()
        self.check_transactions()
        c.close()
        assert not self.trouble, self.trouble[0]
        return f'{len(self.later)} timers, {len(self.ends)} transactions, {len(self.messages)} to pop'

    def drain_pops(self, c):
        """Everything that is not acknowledged comes, and then nothing does."""
        last_ms = max((m.not_before_ms for m in self.messages.values()), default=0)
        # Messages whose pop was not answered are out, too.
        quiet_ms = max(last_ms, now_ms() + INVISIBLE_MS[1]) + 1000
        end = time.monotonic() + PATIENCE_S
        while True:
            popped = self.pop(c, 60_000, poll_ms=200)
            for p in popped:
                self.acknowledge(c, p)
            left = [b for b, m in self.messages.items() if not m.acked and not m.maybe]
            if not left and not popped and now_ms() > quiet_ms:
                return
            assert time.monotonic() < end, f'{len(left)} popped messages did not come again: {sorted(left)[:5]}'

    def lines_of(self, topic):
        done = subprocess.run([f'{self.binaries}/mqrecv', '-b', self.address, '-F', '%T %s\\n', topic], capture_output=True,
                              text=True, check=False)
        assert done.returncode in (0, 1), done.stderr[-500:]
        return [(int(at), body) for at, body in (line.split(' ') for line in done.stdout.splitlines())]

    def wait_for(self, topic, wanted):
        end = time.monotonic() + PATIENCE_S
        while True:
            lines = self.lines_of(topic)
            missing = wanted - {body for _, body in lines}
            if not missing:
                return lines
            assert time.monotonic() < end, f'{len(missing)} of {len(wanted)} in {topic} did not come: {sorted(missing)[:5]}'
            time.sleep(0.1)

    def check_later(self):
        for at, body in self.wait_for(self.later_topic, self.later):
            assert at >= int(self.due_ms[body]), f'{body} came {self.due_ms[body] - at} ms early'
            assert body not in self.recalled, f'{body} came though it was taken back'

    def check_transactions(self):
        expected = set(self.committed)
        open_ones = set()
        for count, status, prefix in self.sent_by_tool:
            if status == 0:
                expected |= {f'{prefix}-{n}' for n in range(count)}
            elif count > 0:
                open_ones.add(prefix)  # the broker was killed while it committed, perhaps
        came = [body for _, body in self.wait_for(self.trans_topic, expected)]
        assert len(came) == len(set(came)), f'came twice: {sorted(b for b in set(came) if came.count(b) > 1)[:5]}'
        for body in set(came) - expected:
            # Sent, but not answered: its producer was asked.
            assert self.ends.get(body) == COMMIT or body.rsplit('-', 1)[0] in open_ones, f'{body} came and must not'
