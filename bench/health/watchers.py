# SPDX-License-Identifier: GPL-2.0-or-later
"""Three daemons that watch one server, each in its own way, and who say what they see."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time

from . import cpu
from .daemon import Daemon
from .lab import ROUTER, SERVER
from .listener import Lines, Listener

SCRIPT_SERVER = "198.18.2.3"  # the server's second address, so that the wire tells the probes apart
INTERVAL_S, FALL, TIMEOUT_S = 0.05, 3, 0.04  # xdpflowd, BFD
SCRIPT_INTERVAL_S, SCRIPT_TIMEOUT_S = 1, 0.3  # keepalived: whole seconds


class Watcher:
    """`told`: (when, up or not, line), as it gives notice. `nominal_ns`: by the wire, when the server is found to be gone by
    somebody whose timers are exact."""

    def __init__(self, name, process, fd, up_down, nominal_ns, cpu_ms):
        self.name, self.nominal_ns = name, nominal_ns
        self.told = []
        self._process, self._up_down, self._cpu_ms = process, up_down, cpu_ms
        self._listener = Listener(fd, Lines(fd, self._take))

    def __enter__(self):
        self._listener.__enter__()
        return self

    def __exit__(self, *_):
        self._listener.__exit__()

    def _take(self, line, now_ns):
        up = self._up_down(line)
        if up is not None:
            self.told.append((now_ns, up, line))

    def wait_until(self, up, patience_s=15):
        """What was told, as soon as it is so. None if it is not."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if self.told and self.told[-1][1] == up:
                return self.told[-1]
            time.sleep(0.01)
        return None

    def cpu_ms(self):
        return self._cpu_ms(self._process.pid)


@contextlib.contextmanager
def xdpflowd(lab, wire):
    target = {"address": SERVER, "interval": f"{INTERVAL_S * 1000:.0f}ms", "timeout": f"{TIMEOUT_S * 1000:.0f}ms",
              "fall": FALL, "rise": 1}
    with Daemon.start(lab, {"server": target}) as daemon:
        with socket.socket(socket.AF_UNIX) as events:
            events.connect(daemon.events)
            with Watcher("xdpflowd", daemon.process, events.fileno(), _xdpflowd_says,
                         lambda: wire.answered[SERVER] + 1e9 * (FALL * INTERVAL_S + TIMEOUT_S), cpu.process_ms) as watcher:
                yield watcher


def _xdpflowd_says(line):
    return {"up": True, "down": False}.get(json.loads(line)["new"])


@contextlib.contextmanager
def bird(lab, wire):
    ends = {"router": ("wan0", ROUTER, SERVER), "server": ("server0", SERVER, ROUTER)}
    with contextlib.ExitStack() as both:
        for space, (device, own, other) in ends.items():
            config = lab.work / f"bird-{space}.conf"
            config.write_text(f"""log stderr all;
router id {own};
protocol device {{ }}
protocol bfd {{
  debug {{ events }};
  interface "{device}" {{ interval {INTERVAL_S * 1000:.0f} ms; multiplier {FALL}; }};
  neighbor {other} dev "{device}" local {own};
}}
""")
            argv = ["bird", "-f", "-c", config, "-s", lab.work / f"bird-{space}.ctl"]
            output = {"stderr": subprocess.PIPE} if space == "router" else {"stderr": subprocess.DEVNULL}
            process = both.enter_context(lab.start(space, *argv, **output))
            watching = process if space == "router" else watching
        with Watcher("bird (BFD)", watching, watching.stderr.fileno(), _bird_says,
                     lambda: wire.bfd + 1e9 * FALL * INTERVAL_S, cpu.process_ms) as watcher:
            yield watcher


def _bird_says(line):
    if "changed state" not in line:
        return None
    return line.rstrip().endswith("to Up")


@contextlib.contextmanager
def keepalived(lab, wire):
    fifo, config = lab.work / "keepalived.fifo", lab.work / "keepalived.conf"
    os.mkfifo(fifo)
    config.write_text(f"""global_defs {{
  script_user root
  enable_script_security
  vrrp_notify_fifo {fifo}
}}
vrrp_script ping {{
  script "{shutil.which('ping')} -q -n -c 1 -W {SCRIPT_TIMEOUT_S} {SCRIPT_SERVER}"
  interval {SCRIPT_INTERVAL_S}
  fall 1
  rise 1
}}
vrrp_instance router {{
  interface wan0
  state BACKUP
  virtual_router_id 1
  priority 100
  track_script {{ ping }}
}}
""")
    pids = [f"--pid={lab.work}/keepalived.pid", f"--vrrp_pid={lab.work}/vrrp.pid"]
    with open(fifo, "r+b", buffering=0) as output:
        with lab.start("router", "keepalived", "-n", "-l", "-P", "-f", config, *pids, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL) as process:
            with Watcher("keepalived (script)", process, output.fileno(), _keepalived_says,
                         lambda: wire.answered[SCRIPT_SERVER] + 1e9 * (SCRIPT_INTERVAL_S + SCRIPT_TIMEOUT_S), cpu.family_ms) as watcher:
                yield watcher


def _keepalived_says(line):
    return {"BACKUP": True, "FAULT": False}.get(line.split()[2])


PEERS = (("bird", bird), ("keepalived", keepalived))
