#!/usr/bin/env python3
"""Asks a broker on its Unix socket, with JSON headers, over one connection: each line of stdin is `CODE EXT [BODY]`, EXT
and BODY JSON without blanks; prints a line for each answer: its code, its ext as JSON, its remark.

    ask.py unix:PATH <<'END'
    46 {} {"subscriptionData":{"expressionType":"SQL92","subString":"a=1"}}
    END
"""
import json
import socket
import struct
import sys


def read_exactly(sock, count):
    data = b''
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            sys.exit('the broker closed the connection')
        data += piece
    return data


def ask(sock, opaque, code, ext, body):
    header = json.dumps({'code': code, 'language': 'JAVA', 'version': 479, 'opaque': opaque, 'flag': 0,
                         'extFields': ext, 'serializeTypeCurrentRPC': 'JSON'}).encode()
    sock.sendall(struct.pack('>ii', 4 + len(header) + len(body), len(header)) + header + body)
    while True:
        total, = struct.unpack('>i', read_exactly(sock, 4))
        frame = read_exactly(sock, total)
        answer = json.loads(frame[4:4 + (struct.unpack('>i', frame[:4])[0] & 0xFFFFFF)])
        if answer['opaque'] == opaque and answer['flag'] & 1:
            return answer


def main():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(30)
        sock.connect(sys.argv[1].removeprefix('unix:'))
        for opaque, line in enumerate(sys.stdin):
            code, ext, *body = line.split(maxsplit=2)
            answer = ask(sock, opaque, int(code), json.loads(ext), (body[0].strip() if body else '').encode())
            print(answer['code'], json.dumps(answer.get('extFields') or {}, sort_keys=True), answer.get('remark') or '', flush=True)


main()
