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
    with Lab(build) as lab:
        nothing = soaked(build, plan)
        with Daemon.start(lab, many(plan.targets, interval=INTERVAL)) as daemon:
            time.sleep(1)  # the first probe of each is behind us
            charged, delays = windows(daemon, plan)
            scrapes = [daemon.scrape()[1] for _ in range(plan.rounds)]
            beside = cpu.net(soaked(build, plan), nothing)
    table.add_cpu(charged, beside)
    table.add_delays(delays)
    table.add("probes per second", "", [sum(delay) / plan.window_s for delay in delays])
    table.add("/metrics", "ms", scrapes)
    table.goal("/metrics", "ms", scrapes, 50)


def windows(daemon, plan):
    """Round by round: CPU of the daemon, and how late probes were built."""
    charged, delays = [], []
    for _ in range(plan.rounds):
        before, begun = daemon.histogram(PROBE_DELAY), (time.monotonic(), cpu.process_ms(daemon.process.pid))
        time.sleep(plan.window_s)
        charged.append((cpu.process_ms(daemon.process.pid) - begun[1]) / (time.monotonic() - begun[0]))
        delays.append(difference(before, daemon.histogram(PROBE_DELAY)))
    return charged, delays


def soaked(build, plan):
    """What is taken of all CPUs and charged to nobody. Nothing else is measured beside it: it keeps all CPUs busy, and so makes
    slower what runs beside it on the same core."""
    with cpu.Soaker.start(build, plan.targets) as soaker:
        return cpu.windows(soaker, 0, plan.rounds, plan.window_s)[1]


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
