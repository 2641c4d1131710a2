#!/usr/bin/env python3
"""same_messages.py OURS THEIRS [FIELD,FIELD...]: two files of JSON lines, `mqrecv -J --all-properties` and `Peer dump`, hold the same
messages. Compared by meaning: order within a queue, every field both sides have, bodies by hash."""
import base64
import hashlib
import json
import sys


def load(path):
    table = {}
    with open(path, encoding='utf-8') as f:
        for line in f:
            m = json.loads(line)
            if 'bodySha256' not in m:
                body = base64.b64decode(m['body64']) if 'body64' in m else m['body'].encode('utf-8')
                m['bodySha256'] = hashlib.sha256(body).hexdigest()
            key = (m['topic'], m['queue'], m['offset'])
            if key in table:
                raise SystemExit(f'{path}: {key} twice')
            table[key] = m
    return table


FIELDS = ['physicalOffset', 'size', 'offsetMsgId', 'bornTime', 'storeTime', 'flag', 'bodyCrc', 'reconsumeTimes',
          'properties', 'bodySha256']


def main():
    ours, theirs = load(sys.argv[1]), load(sys.argv[2])
    fields = sys.argv[3].split(',') if len(sys.argv) > 3 else FIELDS
    bad = [f'{k}: only in {sys.argv[1]}' for k in ours.keys() - theirs.keys()]
    bad += [f'{k}: only in {sys.argv[2]}' for k in theirs.keys() - ours.keys()]
    for key in ours.keys() & theirs.keys():
        for field in fields:
            a, b = ours[key].get(field), theirs[key].get(field)
            if a != b:
                bad.append(f'{key} {field}: {a!r} and {b!r}')
    for line in sorted(bad)[:20]:
        print(line)
    print(f'{len(ours)} messages against {len(theirs)}, {len(bad)} differences')
    return 1 if bad or not ours else 0


if __name__ == '__main__':
    sys.exit(main())
