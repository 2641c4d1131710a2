#!/usr/bin/env python3
"""Asks a name server, or waits for what it will say.

    ask_names.py route ADDRESS TOPIC              the brokers of the topic and their permissions; exit 17 without a route
    ask_names.py await ADDRESS TOPIC BROKER[,BROKER]|none  until the route has exactly those brokers, at most 60 s
    ask_names.py ask ADDRESS CODE [NAME=VALUE...] [@BODY]   prints code, remark, fields and body
"""
import re
import json
import sys
import time

from remoting import Client


def brokers(address, topic):
    try:
        answer = Client(address).ask(105, topic=topic)
    except (OSError, AssertionError):
        return None
    if answer.code == 17:
        return []
    assert answer.code == 0, (answer.code, answer.remark)
    text = re.sub(r'([{,])(\d+):', r'\1"\2":', answer.body.decode())
    return [(q['brokerName'], q['perm']) for q in json.loads(text)['queueDatas']]


def main():
    what, address, *rest = sys.argv[1:]
    if what == 'route':
        found = brokers(address, rest[0])
        for name, perm in found or []:
            print(name, perm)
        sys.exit(0 if found else 17)
    if what == 'await':
        wanted = [] if rest[1] == 'none' else sorted(rest[1].split(','))
        deadline = time.time() + 60
        while time.time() < deadline:
            found = brokers(address, rest[0])
            if found is not None and sorted(name for name, _ in found) == wanted:
                return
            time.sleep(0.05)
        sys.exit(f'the route of {rest[0]} at {address} is still {found}')
    body = b''.join(x[1:].encode() for x in rest[1:] if x.startswith('@'))
    ext = dict(x.split('=', 1) for x in rest[1:] if not x.startswith('@'))
    answer = Client(address).ask(int(rest[0]), body, **ext)
    print(answer.code, answer.remark, json.dumps(answer.ext, sort_keys=True), answer.body.decode(errors='replace'))


main()
