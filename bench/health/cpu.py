# SPDX-License-Identifier: GPL-2.0-or-later
"""Who takes how much CPU."""
import contextlib
import os
import pathlib
import subprocess
import time

from . import lab

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def process_ms(pid):
    """Of all its threads. Includes interrupts that came while it ran."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def family_ms(pid):
    """Of a process, its children, and their children that are over; in steps of a tick."""
    pids = [pid] + [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    ticks = 0
    for each in pids:
        words = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += sum(int(word) for word in words[11:15])  # utime, stime, and those of children that were waited for
    return ticks * TICK_S * 1000


class Soaker:
    """What interrupts, softirqs and the kernel's threads take of all CPUs: bench/soak.cpp."""

    def __init__(self, process):
        self._process = process

    @staticmethod
    @contextlib.contextmanager
    def start(build, timers=0):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with lab.start(["setpriv", "--pdeathsig", "KILL", build / "bench/soak", timers], **pipes) as process:
            yield Soaker(process)

    def lost_ms(self):
        """Since the last call."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


def windows(soaker, pid, rounds, seconds):
    """Round by round, in ms per second: the process, and the kernel beside it. `pid`: 0 for none."""
    processes, kernels = [], []
    for _ in range(rounds):
        soaker.lost_ms()
        begun, before = time.monotonic(), process_ms(pid) if pid else 0
        time.sleep(seconds)
        after, lost, passed = process_ms(pid) if pid else 0, soaker.lost_ms(), time.monotonic() - begun
        processes.append((after - before) / passed)
        kernels.append(lost / passed)
    return processes, kernels


def net(samples, nothing):
    """What is left of what was lost anyway."""
    usual = sorted(nothing)[len(nothing) // 2]
    return [max(0.0, sample - usual) for sample in samples]
