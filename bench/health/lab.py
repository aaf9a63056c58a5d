# SPDX-License-Identifier: GPL-2.0-or-later
"""Two network namespaces and what runs in them; all of it ends with the `with`."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading

ROUTER, SERVER = "198.18.2.1", "198.18.2.2"
MANY = "10.64.0.0/16"  # all of them are the server's
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Lab:
    """router (wan0) -- (server0) server, or with a switch between them, whose plug to the server can be pulled
    while both see a carrier. `work` is a folder for files, `bpf` one for pins."""

    def __init__(self, build, switch=False):
        self.build = build
        self._undo = contextlib.ExitStack()
        self._spaces = {}
        self._switch = switch

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _make(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="xfhealth", dir="/tmp"))
        self._undo.callback(shutil.rmtree, self.work, ignore_errors=True)
        self.bpf = self.work / "bpf"
        self.bpf.mkdir()
        run("mount", "-t", "bpf", "bpf", self.bpf)
        self._undo.callback(run, "umount", self.bpf)
        for name in ("router", "server") + (("switch",) if self._switch else ()):
            self._make_space(name)
        self._make_links()
        for space, device, address in (("router", "wan0", ROUTER), ("server", "server0", SERVER)):
            self.ip(space, f"address add {address}/24 dev {device}")
            self.ip(space, f"link set {device} up")
        self.ip("server", f"route add local {MANY} dev lo")
        self.ip("router", f"route add {MANY} via {SERVER}")
        self.inside("router", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    def _make_space(self, name):
        self._spaces[name] = f"xf-health-{name}-{os.getpid()}"
        run("ip", "netns", "add", self._spaces[name])
        self._undo.callback(run, "ip", "netns", "del", self._spaces[name])
        self.ip(name, "link set lo up")

    def _make_links(self):
        if not self._switch:
            self.ip("router", f"link add wan0 type veth peer name server0 netns {self._spaces['server']}")
            return
        self.ip("switch", "link add switch0 type bridge")
        self.ip("switch", "link set switch0 up")
        for space, device in (("router", "wan0"), ("server", "server0")):
            self.ip(space, f"link add {device} type veth peer name to-{space} netns {self._spaces['switch']}")
            self.ip("switch", f"link set to-{space} master switch0 up")

    def pull_plug(self):
        self.ip("switch", "link set to-server nomaster")

    def push_plug(self):
        self.ip("switch", "link set to-server master switch0")

    def ip(self, space, line):
        run("ip", "-n", self._spaces[space], *line.split())

    def command(self, space, *argv):
        """`argv` inside. It dies with us; `ip netns exec` would put another /sys over ours."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net=/run/netns/{self._spaces[space]}", *map(str, argv)]

    def inside(self, space, *argv):
        return run(*self.command(space, *argv))

    def start(self, space, *argv, **options):
        return start(self.command(space, *argv), **options)

    def call_inside(self, space, function):
        """In a thread of its own, that is inside; sockets that are made there stay there."""
        result = []

        def enter_and_call():
            with open(f"/run/netns/{self._spaces[space]}", "rb") as netns:
                if LIBC.setns(netns.fileno(), CLONE_NEWNET) != 0:
                    return
            result.append(function())

        thread = threading.Thread(target=enter_and_call)
        thread.start()
        thread.join()
        return result[0]


def run(*argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def start(argv, **options):
    """A process in the background, not reached by Ctrl-C; ended with the `with`."""
    options = {"stdin": subprocess.DEVNULL, "stdout": 2, "start_new_session": True} | options
    process = subprocess.Popen([str(word) for word in argv], **options)
    try:
        yield process
    finally:
        process.terminate()
        process.send_signal(signal.SIGCONT)  # it may have been stopped
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
