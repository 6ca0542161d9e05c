"""What the tests of gui.engine.parallel have in common."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from gui.engine import compute_settings
from gui.engine.compute_settings import ComputeSettings, EngineName
from gui.errors import JobCancelled

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
try:
    import spread_tasks as tasks  # type: ignore[import-not-found]  # found in this folder, as a plug-in's module is
finally:
    sys.path.remove(str(HERE))

__all__ = ["HERE", "Cancelling", "alive", "cores", "program", "same", "tasks"]


def cores(count: int, engine: EngineName = "fast") -> None:
    compute_settings.set_compute_settings(ComputeSettings(engine=engine, cores=count))


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Cancelling:
    """An on_step that cancels when ``count`` processes have reported themselves."""

    def __init__(self, count: int) -> None:
        self.count, self.pids = count, set[int]()

    def __call__(self, index: int, value: Any) -> None:
        self.pids.add(value)
        if len(self.pids) == self.count:
            raise JobCancelled("The step was cancelled.")


def same(one: Any, other: Any) -> bool:
    """To the bit, with types and names."""
    return [list(found) for found in one] == [list(found) for found in other] and all(
        np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes()
        for a, b in zip(one, other, strict=True)
        for name in a
    )


def program(script: str, **environment: str) -> str:
    """What a program of its own prints."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.py"
        file.write_text(script, encoding="utf-8")
        path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
        done = subprocess.run(
            [sys.executable, str(file)],
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout
