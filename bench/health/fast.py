# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred targets, each probed every ten milliseconds: what judging costs, and how late a verdict is."""
import contextlib
import time

from . import cpu, yardstick
from .daemon import VERDICT_LATENESS, Daemon, difference, many, quantile
from .lab import MANY, Lab
from .results import cell, goal, note, say
from .stress import every_core_busy

TARGETS = 100
KEYS = {"interval": "10ms", "timeout": "10ms", "fall": 3, "rise": 1}
WHAT = "100 targets at 10 ms"
SETTLED_S = 0.05  # several intervals, and more than fall of them


def measure(build, plan):
    say(f"{WHAT}, CPU")
    with Lab(build) as lab, cpu.Soaker.start(build, TARGETS) as soaker:
        _, nothing = cpu.windows(soaker, 0, plan.rounds, plan.window_s)
        with Daemon.start(lab, many(TARGETS, **KEYS)) as daemon:
            measure_cpu(lab, daemon, plan, soaker, nothing)
    say(f"{WHAT}, lateness")
    with Lab(build) as lab, Daemon.start(lab, many(TARGETS, **KEYS)) as daemon:
        measure_lateness("idle", lab, daemon, plan)
        with every_core_busy() as busy:
            if busy:
                measure_lateness("every core busy", lab, daemon, plan)
    explain()


def measure_cpu(lab, daemon, plan, soaker, nothing):
    before = daemon.histogram(VERDICT_LATENESS)
    tell_cpu("all of them up", daemon, plan, soaker, nothing)
    with cut_off(lab, daemon):
        before = daemon.histogram(VERDICT_LATENESS)
        beside = tell_cpu("all of them cut off", daemon, plan, soaker, nothing)
        misses = sum(difference(before, daemon.histogram(VERDICT_LATENESS))) / plan.rounds / plan.window_s
    note(f"{WHAT}: while they are cut off, the kernel decides on {misses:.0f} missed probes per second, and says when each next one is "
         "due. Both is what it does beside the daemon: detection.")
    goal(f"CPU of detection, {WHAT}, all cut off", "% of a core", [ms / 10 for ms in beside], 1)


def tell_cpu(row, daemon, plan, soaker, nothing):
    charged, beside = cpu.windows(soaker, daemon.process.pid, plan.rounds, plan.window_s)
    beside = cpu.net(beside, nothing)
    cell(f"CPU of {WHAT}", row, "charged to the daemon", "ms per second", charged)
    cell(f"CPU of {WHAT}", row, "the kernel beside it", "ms per second", beside)
    return beside


def measure_lateness(row, lab, daemon, plan):
    """In turns, so that a busy moment is everybody's."""
    running, stopped, others = [], [], []
    for _ in range(plan.rounds):
        running.append(misses(lab, daemon, plan))
        stopped.append(misses_of_stopped(lab, daemon))
        others.append(yardstick.lateness(lab.work, plan.window_s / 2))
    tell_lateness(row, running)
    tell_lateness(f"{row}, daemon stopped", stopped)
    if all(others):
        for column, share in (("cyclictest, p50", 0.5), ("cyclictest, p99", 0.99)):
            cell(TABLE, row, column, "us", [yardstick.quantile(other, share) for other in others])


TABLE = f"Lateness of a verdict, {WHAT}"


def tell_lateness(row, histograms):
    for column, share in (("p50", 0.5), ("p99", 0.99)):
        cell(TABLE, row, column, "us", [quantile(histogram, share) for histogram in histograms])
    p99 = [quantile(histogram, 0.99) for histogram in histograms]
    goal(f"p99 lateness of a verdict, {WHAT}, {row}", "us", p99, 200)


@contextlib.contextmanager
def cut_off(lab, daemon):
    """The server knows these addresses no more; all targets are down. Up again in the end."""
    lab.ip("server", f"route del local {MANY} dev lo")
    time.sleep(SETTLED_S)
    try:
        yield
    finally:
        lab.ip("server", f"route add local {MANY} dev lo")
        daemon.wait_for_up(TARGETS)


def misses(lab, daemon, plan):
    with cut_off(lab, daemon):
        before = daemon.histogram(VERDICT_LATENESS)
        time.sleep(plan.window_s / 2)
        return difference(before, daemon.histogram(VERDICT_LATENESS))


def misses_of_stopped(lab, daemon):
    """Of the probes that were under way when it was stopped: about one of each target, a few times."""
    judged = []
    with cut_off(lab, daemon):
        for _ in range(5):
            daemon.pause()
            before = daemon.histogram(VERDICT_LATENESS)
            time.sleep(SETTLED_S)
            judged.append(difference(before, daemon.histogram(VERDICT_LATENESS)))
            daemon.go_on()
            time.sleep(SETTLED_S)
    return [sum(counts) for counts in zip(*judged)]


def explain():
    note("Lateness is that of xdpflowd_target_verdict_lateness_seconds, from its histogram in the kernel, whose buckets double; a value is "
         "taken to lie in its bucket as Prometheus takes it. A stopped daemon is one that got SIGSTOP while its last probes were under way.")
    note("cyclictest is a thread of the highest priority that sleeps on each CPU until a point in time: what this machine's timers can do in "
         "the same moments.")
