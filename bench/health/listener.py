# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that listen to what comes, until they are told to stop."""
import contextlib
import os
import select
import threading
import time


class Listener:
    """Calls `take` in a thread of the highest priority whenever `fd` can be read."""

    def __init__(self, fd, take):
        self._fd, self._take = fd, take
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _listen(self):
        with contextlib.suppress(OSError):  # else it is as late as any
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(50))
        while not self._stop.is_set():
            if select.select([self._fd], [], [], 0.1)[0] and not self._take():
                return


class Lines:
    """What Listener takes from a pipe or socket: `take_line(line, when)` is called with each, and the real-time clock's ns."""

    def __init__(self, fd, take_line):
        self._fd, self._take_line = fd, take_line
        self._begun = b""

    def __call__(self):
        data = os.read(self._fd, 65536)
        now_ns = time.time_ns()
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._take_line(line.decode(), now_ns)
        return bool(data)
