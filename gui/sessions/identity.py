"""Identity of a file: tells whether it is still the one that was looked at before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

Identity = tuple[int, int, int, int]
"""Device, number, size and time of change."""


def identity(path: Path) -> Identity | None:
    """Identity of the bytes of a file, as long as nobody forges its times; None if it is gone."""
    try:
        return _of(os.stat(path))
    except OSError:
        return None


def identity_of_open(file: IO[bytes]) -> Identity:
    """Identity of an open file: of the bytes that are read from it, whatever its path becomes."""
    return _of(os.fstat(file.fileno()))


def _of(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
