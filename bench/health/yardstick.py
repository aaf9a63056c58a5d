# SPDX-License-Identifier: GPL-2.0-or-later
"""How late any timer is on this machine: cyclictest."""
import collections
import json
import re
import shutil

from . import lab


def lateness(folder, seconds):
    """microseconds -> how often, over all CPUs. None without cyclictest."""
    if not shutil.which("cyclictest"):
        return None
    result = folder / "cyclictest.json"
    # --laptop: it leaves the power management of the CPUs alone.
    lab.run("cyclictest", "--quiet", "--laptop", "--smp", "--priority=80", "--interval=1000", f"--loops={int(seconds * 1000)}",
            "--histogram=100000", f"--json={result}")
    counts = collections.Counter()
    # A thread that did not get to run at all has nan for an average, which is no JSON.
    for thread in json.loads(re.sub(r"-?nan\b", "null", result.read_text()))["thread"].values():
        for microseconds, count in thread["histogram"].items():
            counts[int(microseconds)] += count
    return counts


def quantile(counts, share):
    rank, seen = share * sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return 0
