# SPDX-License-Identifier: GPL-2.0-or-later
"""xdpflowd at work in a lab."""
import contextlib
import ctypes
import os
import re
import signal
import struct
import time

BUCKETS = 32  # XF_HISTOGRAM_BUCKETS; the sum stands behind them
PROBE_DELAY, VERDICT_LATENESS = 3, 4  # enum xf_histogram_index
PATIENCE_S = 60


class Daemon:
    def __init__(self, lab, process):
        self._lab = lab
        self.process = process
        self.events = str(lab.work / "events")

    @staticmethod
    @contextlib.contextmanager
    def start(lab, targets):
        """Ready, and all targets up. What it has loaded goes with it."""
        config = lab.work / "xdpflowd.toml"
        config.write_text(settings_text(lab, targets))
        state = lab.bpf / "xf"
        try:
            with lab.start("router", lab.build / "daemon/xdpflowd", "--config", config, stderr=None) as process:
                daemon = Daemon(lab, process)
                daemon.wait_for_up(len(targets))
                yield daemon
        finally:
            if state.exists():
                lab.inside("router", lab.build / "daemon/ctl/xdpflowctl", "--state-dir", state, "unload")

    def wait_for_up(self, count):
        deadline = time.monotonic() + PATIENCE_S
        while self.up() < count:
            if self.process.poll() is not None:
                raise RuntimeError("xdpflowd has ended")
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {self.up()} of {count} targets are up")
            time.sleep(0.1)

    def up(self):
        try:
            page, _ = self.scrape()
        except RuntimeError:  # not listening yet
            return 0
        return len(re.findall(r"^xdpflowd_target_up\{.*\} 1$", page, re.MULTILINE))

    def scrape(self):
        """The page, and how many milliseconds it took."""
        page = self._lab.work / "metrics"
        seconds = self._lab.inside("router", "curl", "-sf", "-o", page, "-w", "%{time_total}", "http://127.0.0.1:9742/metrics")
        return page.read_text(), float(seconds) * 1000

    def histogram(self, index):
        return read_histogram(self._lab.bpf / "xf/histograms", index)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


def settings_text(lab, targets):
    """`targets`: name -> further keys of its section."""
    text = [f'[daemon]\nstate_dir = "{lab.bpf}/xf"\nlog_level = "error"\n[health]\nevents = "{lab.work}/events"\n'
            '[zone.default]\nmax_flows = 4096\nmax_half_open = 4096\n[[interface]]\nname = "wan0"\n']
    for name, keys in targets.items():
        text.append(f'[[target]]\nname = "{name}"\n' + "".join(f"{key} = {toml(value)}\n" for key, value in keys.items()))
    return "".join(text)


def toml(value):
    return f'"{value}"' if isinstance(value, str) else str(value)


def many(count, **keys):
    """That many targets of the server's addresses."""
    return {f"t{i}": {"address": f"10.64.{i // 250}.{i % 250 + 1}"} | keys for i in range(count)}


def read_histogram(pin, index):
    """Counts by bucket, of all CPUs. Straight from the map: the daemon may be standing still."""
    bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
    map_fd = bpf.bpf_obj_get(str(pin).encode())
    if map_fd < 0:
        raise OSError(ctypes.get_errno(), f"cannot open {pin}")
    try:
        value = ctypes.create_string_buffer(8 * (BUCKETS + 1) * bpf.libbpf_num_possible_cpus())
        if bpf.bpf_map_lookup_elem(map_fd, ctypes.byref(ctypes.c_uint32(index)), value) != 0:
            raise OSError(ctypes.get_errno(), f"cannot read {pin}")
    finally:
        os.close(map_fd)
    by_cpu = list(struct.iter_unpack(f"={BUCKETS}Q8x", value.raw[:]))
    return [sum(counts) for counts in zip(*by_cpu)]


def difference(before, after):
    return [late - early for early, late in zip(before, after)]


def quantile(histogram, share):
    """In microseconds, as Prometheus has it: as if values were spread evenly over their bucket, from 2^(i-1) to 2^i."""
    rank = share * sum(histogram)
    seen = 0
    for i, count in enumerate(histogram):
        if count and seen + count >= rank:
            low = 2 ** (i - 1) if i else 0
            return low + (2**i - low) * (rank - seen) / count
        seen += count
    return 0.0
