# SPDX-License-Identifier: GPL-2.0-or-later
"""Every core kept busy."""
import contextlib
import shutil
import time

from . import lab
from .results import note


@contextlib.contextmanager
def every_core_busy():
    """False if that cannot be had."""
    if not shutil.which("stress-ng"):
        note("Nothing was measured with every core busy: there is no stress-ng here.")
        yield False
        return
    argv = ["setpriv", "--pdeathsig", "TERM", "stress-ng", "--quiet", "--temp-path", "/tmp", "--cpu", "0"]
    with lab.start(argv, stderr=None):
        time.sleep(0.5)
        yield True
