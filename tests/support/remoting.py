"""A client of the remoting protocol for tests: asks, is asked, and keeps what it was told.

  c = Client('unix:/tmp/s')            # or 'HOST:PORT'
  r = c.ask(38, consumerGroup='CG')    # r.code, r.remark, r.ext, r.body
  c.heartbeat('id-1', 'CG', {'TopicTest': '*'})
  c.wait_for(40)                       # a request from the broker; raises when none comes
  c.answer = lambda request: (0, b'body')   # how requests from the broker are answered
"""
import json
import socket
import struct
import threading
import time
from types import SimpleNamespace


def properties_text(properties):
    """As records and requests carry them."""
    return ''.join(f'{k}\x01{v}\x02' for k, v in properties.items())


def decode_record(record):
    """Topic, reconsume times, body and properties of one record of the log."""
    flag = int.from_bytes(record[36:40], 'big')
    at = 48 + (20 if flag & 0x10 else 8) + 8 + (20 if flag & 0x20 else 8)
    times = int.from_bytes(record[at:at + 4], 'big')
    at += 12
    length = int.from_bytes(record[at:at + 4], 'big')
    body = record[at + 4:at + 4 + length].decode()
    at += 4 + length
    topic = record[at + 1:at + 1 + record[at]].decode()
    at += 1 + record[at]
    text = record[at + 2:at + 2 + int.from_bytes(record[at:at + 2], 'big')].decode()
    properties = dict(p.split('\x01') for p in text.split('\x02') if p)
    return SimpleNamespace(topic=topic, times=times, body=body, properties=properties)


class Client:
    def __init__(self, address, language='JAVA', version=479):
        self.language, self.version = language, version
        if address.startswith('unix:'):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address[5:])
        else:
            host, port = address.rsplit(':', 1)
            self.socket = socket.create_connection((host, int(port)))
        self.answer = None
        self.opaque = 0
        self.answers = {}
        self.requests = []  # from the broker, in order
        self.closed = False
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    # --- asking
    def send(self, code, body=b'', oneway=False, **ext):
        with self.news:
            self.opaque += 1
            opaque = self.opaque
        header = {'code': code, 'language': self.language, 'version': self.version, 'opaque': opaque,
                  'flag': 2 if oneway else 0, 'extFields': {k: _text(v) for k, v in ext.items()}}
        self._write(header, body)
        return opaque

    def ask(self, code, body=b'', timeout=60, **ext):
        return self.result(self.send(code, body, **ext), timeout)

    def result(self, opaque, timeout=60):
        with self.news:
            if not self.news.wait_for(lambda: opaque in self.answers or self.closed, timeout) or opaque not in self.answers:
                raise AssertionError('no answer' + (': the connection is closed' if self.closed else ''))
            return self.answers.pop(opaque)

    # --- what clients do
    def heartbeat(self, client_id, group=None, topics=None, version=1, model='CLUSTERING', producers=(), **more):
        consumers = []
        if group:
            consumers = [{'groupName': group, 'consumeType': 'CONSUME_PASSIVELY', 'messageModel': model,
                          'consumeFromWhere': 'CONSUME_FROM_LAST_OFFSET',
                          'subscriptionDataSet': [{'topic': t, 'subString': e, 'subVersion': version, 'expressionType': 'TAG'}
                                                  for t, e in (topics or {}).items()]}]
        body = {'clientID': client_id, 'consumerDataSet': consumers,
                'producerDataSet': [{'groupName': g} for g in producers], **more}
        return self.ask(34, json.dumps(body).encode())

    def put(self, topic, body, queue=0, producer='PG', **properties):
        text = properties_text(properties)
        return self.ask(310, body.encode(), a=producer, b=topic, c='TBW102', d=4, e=queue, f=0, g=int(time.time() * 1000),
                        h=0, i=text, j=0, k=False, m=False)

    def pull(self, group, topic, queue=0, offset=0, sys_flag=4, subscription='*', suspend=0, count=32, commit=0, version=0):
        return self.send(11, consumerGroup=group, topic=topic, queueId=queue, queueOffset=offset, maxMsgNums=count,
                         sysFlag=sys_flag, commitOffset=commit, suspendTimeoutMillis=suspend, subscription=subscription,
                         subVersion=version, expressionType='TAG')

    # --- being asked
    def wait_for(self, code, timeout=5):
        """Takes the next request with that code out of those that came."""
        with self.news:
            def there():
                return any(r.code == code for r in self.requests)
            if not self.news.wait_for(there, timeout):
                raise AssertionError(f'no request {code} came; there were {[r.code for r in self.requests]}')
            found = next(r for r in self.requests if r.code == code)
            self.requests.remove(found)
            return found

    def count(self, code):
        with self.news:
            return sum(r.code == code for r in self.requests)

    def wait_closed(self, timeout=5):
        with self.news:
            if not self.news.wait_for(lambda: self.closed, timeout):
                raise AssertionError('the connection is still open')

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.socket.close()

    # --- frames
    def _write(self, header, body):
        text = json.dumps(header).encode()
        self.socket.sendall(struct.pack('>II', 4 + len(text) + len(body), len(text)) + text + body)

    def _exactly(self, count):
        data = b''
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _read(self):
        try:
            while True:
                length, header_length = struct.unpack('>II', self._exactly(8))
                header_length &= 0xFFFFFF
                rest = self._exactly(length - 4)
                header = json.loads(rest[:header_length])
                self._take(SimpleNamespace(code=header['code'], remark=header.get('remark') or '', opaque=header['opaque'],
                                           flag=header['flag'], ext=header.get('extFields') or {}, body=rest[header_length:]))
        except (EOFError, OSError):
            with self.news:
                self.closed = True
                self.news.notify_all()

    def _take(self, frame):
        with self.news:
            if frame.flag & 1:
                self.answers[frame.opaque] = frame
            else:
                self.requests.append(frame)
            self.news.notify_all()
        if not frame.flag & 1 and not frame.flag & 2 and self.answer:
            code, body = self.answer(frame)
            self._write({'code': code, 'language': self.language, 'version': self.version, 'opaque': frame.opaque, 'flag': 1}, body)


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
