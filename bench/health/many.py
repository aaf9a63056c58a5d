# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousands of targets, each probed once a second."""
import time

from . import cpu
from .daemon import PROBE_DELAY, Daemon, difference, many, quantile
from .lab import Lab
from .results import cell, goal, note, say

INTERVAL = "1s"


def measure(build, plan):
    what = f"{plan.targets:,} targets".replace(",", " ")
    say(f"{what} at {INTERVAL}")
    table = Table(f"{what}, each probed once a second", f"{what} at {INTERVAL}")
    with Lab(build) as lab, cpu.Soaker.start(build, plan.targets) as soaker:
        _, nothing = cpu.windows(soaker, 0, plan.rounds, plan.window_s)
        with Daemon.start(lab, many(plan.targets, interval=INTERVAL)) as daemon:
            time.sleep(1)  # the first probe of each is behind us
            charged, beside, delays = windows(daemon, soaker, plan)
            scrapes = [daemon.scrape()[1] for _ in range(plan.rounds)]
    table.add_cpu(charged, cpu.net(beside, nothing))
    table.add_delays(delays)
    table.add("probes per second", "", [sum(delay) / plan.window_s for delay in delays])
    table.add("/metrics", "ms", scrapes)
    table.goal("/metrics", "ms", scrapes, 50)


def windows(daemon, soaker, plan):
    """Round by round: CPU of the daemon, and of the kernel beside it; how late probes were built."""
    charged, beside, delays = [], [], []
    for _ in range(plan.rounds):
        before = daemon.histogram(PROBE_DELAY)
        one, other = cpu.windows(soaker, daemon.process.pid, 1, plan.window_s)
        delays.append(difference(before, daemon.histogram(PROBE_DELAY)))
        charged += one
        beside += other
    return charged, beside, delays


class Table:
    def __init__(self, title, what):
        self._title, self._what = title, what

    def add(self, row, unit, samples):
        cell(self._title, row, "xdpflowd", unit, samples)

    def goal(self, figure, unit, samples, at_most):
        goal(f"{figure}, {self._what}", unit, samples, at_most)

    def add_cpu(self, charged, beside):
        self.add("CPU charged to the daemon", "ms per second", charged)
        self.add("CPU of the kernel beside it", "ms per second", beside)
        self.goal("CPU of daemon and kernel", "% of a core", [sum(pair) / 10 for pair in zip(charged, beside)], 10)
        note("What the daemon is charged for includes the softirqs of the frames that it sends: through a veth that is the whole "
             "exchange, the server's part, the reply, and the packet program that takes it. The kernel beside it is what a thread "
             "of the lowest priority on each CPU sees missing (interrupts, softirqs, kernel threads), less what it misses without a "
             "daemon: the timers.")

    def add_delays(self, delays):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            self.add(f"how late a probe is built, {name}", "ms", [quantile(delay, share) / 1000 for delay in delays])
        self.goal("p99 of how late a probe is built", "ms", [quantile(delay, 0.99) / 1000 for delay in delays], 5)
