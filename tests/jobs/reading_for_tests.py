"""Reading functions for the tests, found by the reading process through their path."""

from __future__ import annotations

import os
import signal
from typing import Any

from gui.errors import UnreadableFile


def double(dataset: object, params: Any, *, progress: object) -> Any:
    return None if params is None else 2 * params


def refuse(dataset: object, params: str, *, progress: object) -> None:
    raise UnreadableFile(f"{params} is empty.", advice="Choose another.")


def crash(dataset: object, params: object, *, progress: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def held(dataset: object, params: None, *, progress: object) -> list[str]:
    """The parts that the process holds."""
    from gui.data.readers.read_cache import PROCESS_CACHE

    return list(PROCESS_CACHE._reading.parts)
