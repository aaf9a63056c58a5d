# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bench says: one JSON object per line on stdout, as bench/README.md has it."""
import json
import sys


def _print(line):
    print(json.dumps({"bench": "health", **line}), flush=True)


def _rounded(samples):
    return [float(f"{sample:.4g}") for sample in samples]


def cell(table, row, column, unit, samples, base=""):
    line = {"table": table, "row": row, "column": column, "unit": unit, "samples": _rounded(samples)}
    _print(line | ({"base": base} if base else {}))


def goal(what, unit, samples, at_most):
    _print({"goal": what, "unit": unit, "samples": _rounded(samples), "at_most": at_most})


def note(text):
    _print({"note": text})


def say(text):
    """Progress, for whoever waits."""
    print(f"health: {text}", file=sys.stderr, flush=True)
