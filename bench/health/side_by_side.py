# SPDX-License-Identifier: GPL-2.0-or-later
"""xdpflowd, keepalived and a BFD daemon watch the same server at the same time, and it is cut off."""
import contextlib
import json
import random
import shutil
import time
from datetime import datetime

from . import watchers
from .lab import Lab
from .results import cell, note, say
from .stress import every_core_busy
from .wire import Wire

LATE = "How late a dead server is told of, beyond what is configured"
CPU = "CPU while one server is watched"
PAUSE_S = 0.5
IN_KERNEL = "xdpflowd, decided in the kernel"


def measure(build, plan):
    say("side by side")
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(Lab(build, switch=True))
        lab.ip("server", f"address add {watchers.SCRIPT_SERVER}/24 dev server0")
        wire = stack.enter_context(Wire(lab))
        all_watchers = [stack.enter_context(watchers.xdpflowd(lab, wire))] + list(_peers(stack, lab, wire))
        measure_row("idle", lab, all_watchers, plan)
        with every_core_busy() if plan.busy else contextlib.nullcontext(False) as busy:
            if busy:
                measure_row("every core busy", lab, all_watchers, plan)
    explain()


def measure_row(row, lab, all_watchers, plan):
    measure_cpu(row, all_watchers, plan)
    measure_lateness(row, lab, all_watchers, plan)


def _peers(stack, lab, wire):
    for program, watcher in watchers.PEERS:
        if not shutil.which(program):
            note(f"{program} was not measured: it is not here.")
            continue
        peer = stack.enter_context(watcher(lab, wire))
        if peer.wait_until(True):
            yield peer
        else:
            note(f"{peer.name} was not measured: it does not find the server.")


def measure_cpu(row, all_watchers, plan):
    before, begun = [each.cpu_ms() for each in all_watchers], time.monotonic()
    time.sleep(plan.watch_s)
    passed = time.monotonic() - begun
    for each, then in zip(all_watchers, before):
        cell(CPU, row, each.name, "ms per second", [(each.cpu_ms() - then) / passed])


def measure_lateness(row, lab, all_watchers, plan):
    late = {}
    for _ in range(plan.rounds):
        for each in all_watchers:
            each.wait_until(True)
        time.sleep(random.uniform(0, PAUSE_S))  # at another point of everybody's interval
        lab.pull_plug()
        for each in all_watchers:
            told = each.wait_until(False)
            if told:
                late.setdefault(each.name, []).append(_ms(told[0] - each.nominal_ns()))
            if told and each.name == "xdpflowd":
                late.setdefault(IN_KERNEL, []).append(_ms(_decided_ns(told[2]) - each.nominal_ns()))
        lab.push_plug()
    for column in sorted(late, key=lambda name: name != IN_KERNEL):
        cell(LATE, row, column, "ms", late[column], base="" if column.startswith("xdpflowd") else "xdpflowd")


def _ms(nanoseconds):
    return nanoseconds / 1e6


def _decided_ns(line):
    """Python's own parser of times knows no nanoseconds."""
    whole, fraction = json.loads(line)["time"].rstrip("Z").split(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def explain():
    fast, slow = watchers.INTERVAL_S * 1000, watchers.SCRIPT_INTERVAL_S
    note(f"Side by side: a switch loses its link to the server, and nobody sees a carrier go. xdpflowd pings each {fast:.0f} ms and bird sends "
         f"BFD packets each {fast:.0f} ms, which three missed make a verdict; keepalived runs a script each {slow} s, its shortest interval, which "
         "one failure makes one.")
    note("The nominal moment follows from the wire: when the last probe that was answered (xdpflowd, keepalived), or the server's last BFD packet, "
         "passed, plus intervals and timeout. If that probe was itself sent late, this may come out below zero. Told: when the first line "
         "of xdpflowd's event socket, bird's log, keepalived's notify FIFO has reached a reader of the highest priority.")
    note("Different in kind: BFD needs a daemon at both ends, of which only the router's is charged here, and watches the path, with the server's "
         "stack unasked; only xdpflowd and the script see whether the server answers. keepalived has checkers of its own (PING_CHECK, "
         "TCP_CHECK), but only for servers of IPVS; a VRRP router tracks a script, and each run of it is a process. keepalived's CPU includes the "
         "script's; that of xdpflowd the packets' way to the server and back.")
