#!/usr/bin/python3
"""Draws what compare.py wrote: one panel a kind of work, one bar a server, medians with their spread.

  plot.py FILE.json OUT.png
"""
import json
import statistics
import sys

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of a drawing that needs no display)

UNITS = {'rate': 'messages a second', 'p50_us': 'µs, median', 'restart_ms': 'ms', 'ready_ms': 'ms'}
COLUMNS = 4


def panels(figures):
    for label, by_name in figures.items():
        for key in UNITS:
            values = {name: sorted(run[key] for run in runs if key in run) for name, runs in by_name.items()}
            values = {name: runs for name, runs in values.items() if runs}
            # Of a rate with a time beside it, the rate; of latencies, the median.
            if values:
                yield label, key, values
                break


def main():
    with open(sys.argv[1]) as file:
        run = json.load(file)
    drawn = list(panels(run['figures']))
    rows = -(-len(drawn) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(4.5 * COLUMNS, 2.6 * rows), squeeze=False)
    for axis, (label, key, values) in zip(axes.flat, drawn):
        names = list(values)
        middle = [statistics.median(values[name]) for name in names]
        spread = [[m - values[n][0] for n, m in zip(names, middle)], [values[n][-1] - m for n, m in zip(names, middle)]]
        axis.barh(names, middle, xerr=spread, color=['#c0392b' if name == 'mqd' else '#95a5a6' for name in names])
        axis.invert_yaxis()
        axis.set_title(label, fontsize=9)
        axis.set_xlabel(UNITS[key], fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes.flat[len(drawn):]:
        axis.axis('off')
    figure.suptitle(', '.join(f'{k} {v}' for k, v in run['machine'].items()), fontsize=9)
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=110)


main()
