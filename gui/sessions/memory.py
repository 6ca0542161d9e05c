"""How much memory a session's content takes, roughly: to decide which ones to unload."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix
from gui.sessions.snapshot import Snapshot


def size_of(snapshot: Snapshot) -> int:
    """Bytes of the matrices in memory, and of all arrays and tables of the runs.

    Small values are not counted.
    """
    matrices = snapshot.dataset.parts().values() if snapshot.dataset is not None else ()
    return sum(map(_size, matrices)) + sum(_size(run.result) for run in snapshot.runs)


def _size(value: Any, depth: int = 0) -> int:
    if isinstance(value, Matrix):
        return int(value.nbytes)
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, pd.DataFrame | pd.Series):
        found = value.memory_usage(index=True)
        return int(found.sum() if isinstance(found, pd.Series) else found)
    if depth > 6:
        return 0
    if dataclasses.is_dataclass(value):
        return sum(_size(getattr(value, f.name), depth + 1) for f in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return sum(_size(v, depth + 1) for v in value.values())
    if isinstance(value, list | tuple) and len(value) < 10_000:
        return sum(_size(v, depth + 1) for v in value)
    return 0
