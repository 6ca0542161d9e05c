"""Warm-ups for the tests; on sys.path only there."""

from __future__ import annotations

import os
import time
from pathlib import Path


def versions() -> dict[str, str]:
    return {"engine": "1.2"}


def quick() -> None:
    """Nothing to do."""


def slow() -> None:
    """Ends when the file named by the environment appears."""
    while not Path(os.environ["DCX_TEST_GATE"]).exists():
        time.sleep(0.01)


def broken() -> None:
    raise ImportError("patient_Mueller")


def crashing() -> None:
    """As on a computer whose processor lacks what the engine was built for."""
    counter = Path(os.environ["DCX_TEST_GATE"])
    with counter.open("a", encoding="utf-8") as file:
        file.write("x")
    os._exit(9)
