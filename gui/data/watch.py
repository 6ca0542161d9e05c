"""A damaged file can send a compiled library into an endless loop (seen with HDF5) that no thread of Python gets to interrupt."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 25.0
BYTES_PER_SECOND = 5e6
"""Slower than any drive and network that large files are read from."""


@contextmanager
def watched(paths: Iterable[Path], seconds: float = SECONDS) -> Iterator[None]:
    """Ends this process if reading takes far longer than files of this size can; only for the reading process, which says so in a sentence."""
    size = sum(p.stat().st_size for path in paths for p in (path.rglob("*") if path.is_dir() else (path,)) if p.is_file())
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds + size / BYTES_PER_SECOND, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
