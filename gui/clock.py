"""A clock for how long something has lasted: it never goes back when the time of day is set, and
counts while the computer sleeps.
"""

from __future__ import annotations

import sys
import time


def elapsed() -> float:
    """Seconds since some moment before the program started.

    Only the difference between two calls means anything.

    ``time.monotonic`` of Linux and macOS does not count sleep, ``time.time`` follows whoever sets
    the clock; on Windows ``time.monotonic`` does both rightly.
    """
    if sys.platform.startswith("linux"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()
