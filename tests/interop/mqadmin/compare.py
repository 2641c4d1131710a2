#!/usr/bin/env python3
"""Compares what mqadmin printed for two clusters.

    compare.py lines COMMANDS SIDES I       the lines for peer.Admin, for side I
    compare.py check COMMANDS SIDES OUT1 OUT2   TAP: how the pairs compare; what differs below a command that does
    compare.py table COMMANDS OTHERS OUT1 OUT2 SIDES DOC [write]
                                            TAP: DOC has the table of all commands that mqadmin lists, with the state of each
                                            as it was just seen, or as OTHERS says of those that are not run; write: puts it
                                            there
    compare.py names OUT1 OUT2              TAP's comments: what names dashboard.py found in an answer of OUT1 and not in the
                                            same of OUT2; exit 1 if there are any

SIDES is a JSON list of two objects: what stands for {ns}, {bk} and so on. COMMANDS: see commands.txt; OTHERS: others.txt.
"""
import json
import re
import sys

LOG_LINE = re.compile(r'^(\d\d:\d\d:\d\d,\d+ \|-|RocketMQLog:|SLF4J|OpenJDK|WARNING: )')
TIME = re.compile(r'\d{4}-\d\d-\d\d[ #T]\d\d:\d\d:\d\d([:,.]\d+)?')
NUMBER = re.compile(r'-?\d+(\.\d+)?(E-?\d+)?')


class Asked:
    """One line of COMMANDS: how, command, note for the table, and what lines of the answers not to compare."""

    def __init__(self, line):
        parts = [part.strip() for part in line.split(' | ')]
        self.how, self.command = parts[:2]
        self.note = parts[2] if len(parts) > 2 and parts[2] != '-' else ''
        self.without = re.compile(parts[3]) if len(parts) > 3 else None
        self.name = self.command.split()[0]


def lines_of(path):
    for line in open(path):
        line = line.strip()
        if line and not line.startswith('#'):
            yield line


def commands(path):
    return [Asked(line) for line in lines_of(path)]


def filled(command, side):
    return re.sub(r'\{(\w+)\}', lambda m: side[m.group(1)], command)


def said(text, asked):
    """The lines that are the command's own and are to be compared."""
    return '\n'.join(line for line in map(str.rstrip, text.splitlines())
                     if not LOG_LINE.match(line) and not (asked.without and asked.without.search(line)))


def text_of(answer, side, asked):
    """What it printed, with what differs from side to side replaced."""
    text = said(answer['out'], asked)
    for name in ('unique', 'id', 'client', 'dir'):
        text = text.replace(side[name], f'<{name}>')
    text = re.sub(r'127\.0\.0\.1:\d+', '<address>', text)
    text = re.sub(r'(TPS: )[\d.]+', r'\1<rate>', text)
    return TIME.sub('<time>', text).strip('\n')


def code_of(answer, asked):
    """The code of the refusal, or the kind of exception; none when all went well."""
    text = said(answer['out'] + answer['err'], asked)
    found = re.search(r'CODE: (-?\d+)', text)
    if found:
        return f'code {found.group(1)}'
    found = re.search(r'\b[a-z]+(?:\.\w+)+\.(\w+(?:Exception|Error))\b', text)
    return found.group(1) if found else None


def shape(text):
    text = re.sub(r'\b[0-9A-F]{32,}\b', '<hex>', text)
    return sorted({re.sub(r'\s+', ' ', NUMBER.sub('#', line)).strip() for line in text.splitlines()} - {''})


def keys(text):
    return {m.group(1) for m in re.finditer(r'^\s*([\w.]+?)(?:_\S*)?\s*[:=]', text, re.M)}


def differ(name, left, right):
    return [f'{name}: Apache has, mqd has not: {line}' for line in left if line not in right] + \
           [f'{name}: mqd has, Apache has not: {line}' for line in right if line not in left]


def compare(asked, pair, sides):
    how = asked.how
    apache, ours = (text_of(answer, side, asked) for answer, side in zip(pair, sides))
    codes = [code_of(answer, asked) for answer in pair]
    if how == 'waits':
        ended = [not answer.get('givenUp') for answer in pair]
        return [f'ended, failed: {ended} {codes}'] if ended != [False, False] or codes != [None, None] else []
    if any(answer.get('exit') for answer in pair):
        return [f'mqadmin does not take the options: {pair[0]["out"]}'[:300]]
    if any(answer.get('givenUp') for answer in pair):
        return [f'given up: {[bool(a.get("givenUp")) for a in pair]}']
    if how == 'fails':
        return [] if codes[0] and codes[0] == codes[1] else [f'Apache: {codes[0]}, mqd: {codes[1]}', pair[1]['err'][:500]]
    if codes != [None, None]:
        return [f'Apache: {codes[0]}, mqd: {codes[1]}'] + (pair[1]['out'] + pair[1]['err']).splitlines()[:12]
    if how == 'ok':
        return []
    if how == 'same':
        return [] if apache == ours else ['--- Apache', *apache.splitlines(), '--- mqd', *ours.splitlines()]
    if how == 'rows':
        return differ('row', sorted(apache.splitlines()), sorted(ours.splitlines()))
    if how == 'shape':
        return differ('line', shape(apache), shape(ours))
    if how == 'keys':
        return [f'missing: {key}' for key in sorted(keys(apache) - keys(ours))] or ([] if keys(ours) else ['nothing at all'])
    if how == 'subset':
        return [f'not a key of Apache: {key}' for key in sorted(keys(ours) - keys(apache))] or ([] if keys(ours) else ['nothing at all'])
    raise SystemExit(f'no such way to compare: {how}')


def print_lines(path, side):
    print('#seconds 60')
    print('#help')
    for asked in commands(path):
        if asked.how == 'waits':
            print('#seconds 6')
        print('\t'.join(filled(asked.command, side).split(' ')))
        if asked.how == 'waits':
            print('#seconds 60')


def compared(path, sides, answers):
    """Each command with what is wrong with it. The first answers are the help."""
    left, right = ([json.loads(line) for line in open(name)][1:] for name in answers)
    wanted = commands(path)
    if not len(left) == len(right) == len(wanted):
        print(f'not ok mqadmin ran {len(left)} and {len(right)} of {len(wanted)} commands')
    return [(asked, compare(asked, pair, sides)) for asked, *pair in zip(wanted, left, right)]


def check(path, sides, answers):
    for asked, wrong in compared(path, sides, answers):
        print(f'{"not ok" if wrong else "ok"} mqadmin {asked.command}')
        for line in wrong[:40]:
            print(f'#   {line}')


def table_of(path, others, sides, answers):
    help_text = json.loads(open(answers[0]).readline())['out']
    seen = compared(path, sides, answers)
    rest = dict(re.match(r'(\w+) \| (.*)', line).groups() for line in lines_of(others))
    rows = ['| command | state |', '|---|---|']
    for name in re.findall(r'^   (\w+) {2,}\S', help_text, re.M):
        mine = [(asked, wrong) for asked, wrong in seen if asked.name == name]
        if any(wrong for _, wrong in mine):
            state = 'differs'
        elif mine:
            state = '; '.join(['same'] + sorted({asked.note for asked, _ in mine} - {''}))
        else:
            state = rest.pop(name, 'not known')
        rows.append(f'| `{name}` | {state} |')
    if rest:
        print(f'not ok others.txt names commands that mqadmin has not, or that are run: {sorted(rest)}')
    return '\n'.join(rows) + '\n'


def table(path, others, answers, sides, doc, write):
    wanted = table_of(path, others, sides, answers)
    text = open(doc).read()
    there = re.search(r'^\| command \| state \|\n(\|.*\n)*', text, re.M)
    if write:
        open(doc, 'w').write(text[:there.start()] + wanted + text[there.end():])
        return
    print(f'{"ok" if there and there.group() == wanted else "not ok"} docs/compat.md has the table as it was seen')
    for line in differ('table', wanted.splitlines(), there.group().splitlines() if there else []):
        print(f'#   {line}')


def names(apache, ours):
    pairs = list(zip(open(apache), open(ours), strict=True))
    wrong = [f'R({left.split()[0]}): Apache has, mqd has not: {name}'
             for left, right in pairs for name in sorted(set(left.split()) - set(right.split()))]
    for line in wrong:
        print(f'# {line}')
    sys.exit(1 if wrong or not pairs else 0)


def main():
    if sys.argv[1] == 'names':
        names(*sys.argv[2:])
    what, commands_path, *rest = sys.argv[1:]
    if what == 'lines':
        print_lines(commands_path, json.load(open(rest[0]))[int(rest[1])])
    elif what == 'check':
        check(commands_path, json.load(open(rest[0])), rest[1:])
    else:
        table(commands_path, rest[0], rest[1:3], json.load(open(rest[3])), rest[4], rest[5:] == ['write'])


if __name__ == '__main__':
    main()
