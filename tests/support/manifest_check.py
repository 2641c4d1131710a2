#!/usr/bin/env python3
"""Holds what our tools print of a golden store against its manifest (tests/golden/NAME.json).

  manifest_check.py conf MANIFEST                 the broker.conf that the store was written with
  manifest_check.py topics MANIFEST               its topics, one a line
  manifest_check.py messages MANIFEST < JSONL     `mqrecv -J --all-properties` of all topics: each message, field by field
  manifest_check.py keys MANIFEST COMMAND...      runs COMMAND TOPIC KEY for each look-up; compares physical offsets
  manifest_check.py times MANIFEST COMMAND...     runs COMMAND TOPIC QUEUE TIME for each time; first offset at or after it

Only records below commitLogEnd count: in some stores the broker's own threads go on working.
"""
import base64
import hashlib
import ipaddress
import json
import subprocess
import sys


def body_of(got):
    if 'body64' in got:
        return base64.b64decode(got['body64'])
    return got['body'].encode('utf-8')


def host(text):
    """Java writes out the zeros of an IPv6 address."""
    address, port = text.rsplit(':', 1)
    return ipaddress.ip_address(address.strip('[]')), port


def differences(want, got):
    pairs = [
        ('offset', want['queueOffset'], got['offset']),
        ('physicalOffset', want['physicalOffset'], got['physicalOffset']),
        ('size', want['storeSize'], got['size']),
        ('msgId', want['msgId'], got['msgId']),
        ('offsetMsgId', want['offsetMsgId'], got['offsetMsgId']),
        ('keys', [k for k in (want['keys'] or '').split(' ') if k], got.get('keys') or []),
        ('tag', want['tags'], got.get('tag')),
        ('properties', want['properties'], got['properties']),
        ('bornTime', want['bornTimestamp'], got['bornTime']),
        ('bornHost', host(want['bornHost']), host(got['bornHost'])),
        ('storeTime', want['storeTimestamp'], got['storeTime']),
        ('storeHost', host(want['storeHost']), host(got['storeHost'])),
        ('sysFlag', want['sysFlag'], got['sysFlag']),
        ('flag', want['flag'], got['flag']),
        ('bodyCrc', want['bodyCRC'], got['bodyCrc']),
        ('reconsumeTimes', want['reconsumeTimes'], got['reconsumeTimes']),
        ('body length', want['bodyLength'], len(body_of(got))),
        ('body', want['bodySha256'], hashlib.sha256(body_of(got)).hexdigest()),
    ]
    return [f'{name}: expected {w!r}, found {g!r}' for name, w, g in pairs
            if w != g and not (w in (None, '') and g in (None, ''))]


def messages(manifest):
    end = manifest['totals']['commitLogEnd']
    want = {(m['topic'], m['queueId'], m['queueOffset']): m for m in manifest['messages']}
    bad, seen = [], set()
    for line in sys.stdin:
        got = json.loads(line)
        if got['physicalOffset'] >= end:
            continue
        key = (got['topic'], got['queue'], got['offset'])
        if key in seen:
            bad.append(f'{key}: twice')
        elif key not in want:
            bad.append(f'{key}: not in the manifest')
        else:
            bad += [f'{key}: {d}' for d in differences(want[key], got)]
        seen.add(key)
    bad += [f'{key}: missing' for key in want if key not in seen]
    return len(want), bad


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f'{command}: exit {done.returncode}: {done.stderr.decode()}')
    return [json.loads(line) for line in done.stdout.splitlines()]


def keys(manifest, command):
    end = manifest['totals']['commitLogEnd']
    by_offset = {m['physicalOffset']: m for m in manifest['messages']}
    bad, asked = [], 0
    for look in manifest['byKey']:
        if look['begin'] != 0 or look['end'] != 2**63 - 1:
            continue
        # The manifest's answer may hold another key's record (it compares hash codes); ours never does.
        def has_key(offset):
            m = by_offset.get(offset)
            return m is None or look['key'] == m['msgId'] or look['key'] in (m['keys'] or '').split(' ')
        want = sorted(o for o in look['physicalOffsets'] if o < end and has_key(o))
        got = sorted(m['physicalOffset'] for m in run(command + [look['topic'], look['key']]))
        got = [o for o in got if o < end]
        asked += 1
        if want != got:
            bad.append(f"{look['topic']} {look['key']}: expected {want}, found {got}")
    return asked, bad


def times(manifest, command):
    bounds = {(q['topic'], q['queueId']): q for q in manifest['queues']}
    end = manifest['totals']['commitLogEnd']
    bad, asked = [], 0
    for look in manifest['byTime']:
        queue = bounds[(look['topic'], look['queueId'])]
        store_times = {m['queueOffset']: m['storeTimestamp'] for m in manifest['messages']
                       if (m['topic'], m['queueId']) == (look['topic'], look['queueId'])}
        later = [o for o, t in store_times.items() if t >= look['timestamp']]
        # lower is clamped into the queue: when nothing is that late there is nothing to print.
        if later and min(later) != look['lower']:
            continue
        want = look['lower'] if later else None
        got = [m for m in run(command + [look['topic'], str(look['queueId']), str(look['timestamp'])])
               if m['physicalOffset'] < end]
        asked += 1
        first = got[0]['offset'] if got else None
        if first != want:
            bad.append(f"{look['topic']}/{look['queueId']} at {look['timestamp']}: expected {want}, found {first}; {queue}")
    return asked, bad


def main():
    what, path, *command = sys.argv[1:]
    with open(path, encoding='utf-8') as f:
        manifest = json.load(f)
    if what == 'conf':
        print(manifest['brokerConf'], end='')
        return 0
    if what == 'topics':
        print('\n'.join(sorted({m['topic'] for m in manifest['messages']})))
        return 0
    asked, bad = {'messages': lambda: messages(manifest), 'keys': lambda: keys(manifest, command),
                  'times': lambda: times(manifest, command)}[what]()
    for line in bad[:20]:
        print(line)
    print(f'{asked} compared, {len(bad)} differ')
    return 1 if bad or asked == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
