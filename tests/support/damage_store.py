#!/usr/bin/env python3
"""Damages a golden store in several ways at once, and tells what must still be served from it.

  damage_store.py crash STORE           a store like tests/golden/crash
  damage_store.py rolled STORE          a store like tests/golden/rolled
  damage_store.py intact STORE MANIFEST physical offsets of the manifest's messages whose record is whole in STORE's log
  damage_store.py served OFFSETS JSONL  are all of them among the messages (mqrecv -J, Peer dump), and none twice?
"""
import hashlib
import json
import os
import shutil
import sys


def log_files(store):
    folder = os.path.join(store, 'commitlog')
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.isdigit()]


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def patch(path, at, data):
    with open(path, 'r+b') as f:
        f.seek(at)
        f.write(data)


def flip(path, at, bit):
    patch(path, at, bytes([read(path)[at] ^ (1 << bit)]))


def first_record_behind(path, at):
    """Position of the first record of a log file at or behind `at`."""
    data, pos = read(path), 0
    while pos < at:
        pos += int.from_bytes(data[pos:pos + 4], 'big')
    return pos


def damage(kind, store):
    logs = log_files(store)
    # Before anything breaks the chain.
    body, size, number = (first_record_behind(logs[0], at) for at in (20000, 40000, 60000))
    flip(logs[0], body + 100, 3)
    flip(logs[0], size + 2, 0)
    flip(logs[0], number + 27, 1)                                 # in a queue offset
    patch(logs[1], 65536, bytes(4096))                            # a page of zeros
    patch(logs[1], os.path.getsize(logs[1]) // 4 * 3, os.urandom(3000))
    if kind == 'crash':
        os.remove(logs[2])
    queues = os.path.join(store, 'consumequeue')
    topics = sorted(t for t in os.listdir(queues) if t.startswith('Golden'))
    shutil.rmtree(os.path.join(queues, topics[0], '0'))
    last = sorted(os.listdir(os.path.join(queues, topics[0], '1')))[-1]
    patch(os.path.join(queues, topics[0], '1', last), 100, os.urandom(40))
    last = sorted(os.listdir(os.path.join(queues, topics[1], '1')))[-1]
    os.truncate(os.path.join(queues, topics[1], '1', last), 1234)
    index = os.path.join(store, 'index')
    patch(os.path.join(index, sorted(os.listdir(index))[0]), 0, os.urandom(40))
    topics_json = os.path.join(store, 'config', 'topics.json')
    shutil.copy(topics_json, topics_json + '.bak')
    os.truncate(topics_json, 300)
    os.remove(os.path.join(store, 'checkpoint'))


def intact(store, manifest):
    with open(manifest, encoding='utf-8') as f:
        messages = json.load(f)['messages']
    files = {int(os.path.basename(p)): read(p) for p in log_files(store)}
    for m in messages:
        at = m['physicalOffset']
        starts = [s for s in files if s <= at]
        if not starts:
            continue
        pos = at - max(starts)
        record = files[max(starts)][pos:pos + m['storeSize']]
        # One flipped bit in what holds a record together is put right again, and counts as whole.
        if hashlib.sha256(record).hexdigest() == m['recordSha256']:
            print(at)


def served(offsets, lines):
    with open(offsets, encoding='utf-8') as f:
        want = {int(line) for line in f}
    seen = set()
    with open(lines, encoding='utf-8') as f:
        for line in f:
            at = json.loads(line)['physicalOffset']
            if at in seen:
                raise SystemExit(f'{at} twice')
            seen.add(at)
    missing = sorted(want - seen)
    print(f'{len(want)} wanted, {len(seen)} served, missing {missing[:10]}')
    return 1 if missing or not want else 0


def main():
    what, *rest = sys.argv[1:]
    if what in ('crash', 'rolled'):
        damage(what, rest[0])
        return 0
    if what == 'intact':
        intact(*rest)
        return 0
    return served(*rest)


if __name__ == '__main__':
    sys.exit(main())
