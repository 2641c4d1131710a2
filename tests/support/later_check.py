#!/usr/bin/env python3
"""Were messages that were to come later delivered once, and not before their time?

  later_check.py EXPECTED_COUNT [LEVEL_SECONDS...] < messages as JSON lines

Bodies are `NAME WHEN`, WHEN one of `level:N` (LEVEL_SECONDS says how long), `at:MS since 1970`, `in:MS`.
"""
import json
import sys

expected = int(sys.argv[1])
levels = [int(s) for s in sys.argv[2:]]
seen, wrong = {}, []
for line in sys.stdin:
    m = json.loads(line)
    name, when = m['body'].split(' ')
    kind, number = when.split(':')
    due = {'level': lambda n: m['bornTime'] + levels[n - 1] * 1000, 'at': lambda n: n,
           'in': lambda n: m['bornTime'] + n}[kind](int(number))
    if m['storeTime'] < due:
        wrong.append(f'{name} {when}: {due - m["storeTime"]} ms early')
    seen[name] = seen.get(name, 0) + 1
wrong += [f'{name}: {count} times' for name, count in seen.items() if count > 1]
if len(seen) != expected:
    wrong.append(f'{len(seen)} messages, expected {expected}')
print('\n'.join(wrong))
sys.exit(bool(wrong))
