"""Between a client and its broker, on Unix sockets: refuses the first N sends, or requests of the given code, with
SYSTEM_BUSY, then only passes on.

  busy_relay.py LISTEN BROKER N [CODE]     LISTEN appears once it listens; runs until killed
"""
import os
import socket
import struct
import sys
import threading

REFUSED = (int(sys.argv[4]),) if len(sys.argv) > 4 else (310, 320)  # sends
ONEWAY = 2
REMARK = b'[TIMEOUT_CLEAN_QUEUE]broker busy'


def take(source, size):
    data = b''
    while len(data) < size:
        part = source.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def pass_on(source, target):
    while data := source.recv(65536):
        target.sendall(data)


def relay(sender):
    global left
    broker = socket.socket(socket.AF_UNIX)
    broker.connect(sys.argv[2])
    threading.Thread(target=pass_on, args=(broker, sender), daemon=True).start()
    try:
        while True:
            size = take(sender, 4)
            frame = take(sender, struct.unpack('>I', size)[0])
            # The binary header: code, language, version, opaque, flag.
            code, _, _, opaque, flag = struct.unpack_from('>hBhII', frame, 4)
            if frame[0] == 1 and code in REFUSED and not flag & ONEWAY and left > 0:
                left -= 1
                head = struct.pack('>hBhIII', 2, 0, 0, opaque, 1, len(REMARK)) + REMARK + struct.pack('>I', 0)
                sender.sendall(struct.pack('>II', 4 + len(head), 1 << 24 | len(head)) + head)
            else:
                broker.sendall(size + frame)
    except EOFError:
        broker.close()


left = int(sys.argv[3])
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + '.new')
listener.listen()
os.rename(sys.argv[1] + '.new', sys.argv[1])
while True:
    threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()
