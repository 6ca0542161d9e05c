"""Reading that never ends, or takes all memory, is ended: only for the reading process, whose end
takes nothing else along.

A damaged file can send a compiled library into an endless loop (seen with HDF5) that no thread of
Python gets to interrupt.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gui.data.memory import available_memory

SECONDS = 25.0
BYTES_PER_SECOND = 5e6
"""Slower than any drive and network that large files are read from."""
SHARE = 0.9
"""Of the memory that is free, what reading one file may take: if it took more, the system would end
a process, perhaps another one.
"""
LEAST = 2**28
_LOOK = 0.1


@contextmanager
def watched(paths: Iterable[Path], seconds: float = SECONDS) -> Iterator[None]:
    """Ends this process if reading takes far longer than files of this size can; MemoryError if it
    takes more memory than is free.
    """
    size = sum(
        p.stat().st_size
        for path in paths
        for p in (path.rglob("*") if path.is_dir() else (path,))
        if p.is_file()
    )
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(
            seconds + size / BYTES_PER_SECOND, exit=True, file=nowhere
        )
        try:
            with bounded(available_memory()):
                yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def bounded(free: int | None) -> Iterator[None]:
    """MemoryError, or the end of this process, where more is taken from now on than nearly all that
    is free. free : bytes, None: not known
    """
    if free is None:
        yield
        return
    most = max(LEAST, int(SHARE * free))
    with _address_space(most) if sys.platform == "linux" else _looking(most):
        yield


@contextmanager
def _address_space(most: int) -> Iterator[None]:
    import resource

    import psutil

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = psutil.Process().memory_info().vms + most
    for bound in (soft, hard):
        limit = limit if bound == resource.RLIM_INFINITY else min(limit, bound)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def _looking(most: int) -> Iterator[None]:
    """Where the system keeps no such limit.

    What takes it all within a moment is not seen in time.
    """
    import psutil

    process, done = psutil.Process(), threading.Event()
    limit = process.memory_info().rss + most

    def look() -> None:
        while not done.wait(_LOOK):
            with contextlib.suppress(psutil.Error):
                if process.memory_info().rss > limit:
                    os._exit(1)

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
