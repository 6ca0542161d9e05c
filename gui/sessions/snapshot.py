"""Snapshot: everything one session holds at one moment; what the file format writes and reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gui.data.dataset import Dataset
from gui.engine.results import Run


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One session, frozen.

    revision : of the session when it was taken; runs : oldest first; chosen : kind -> id of the run on screen
    forms : page key -> form values (what the browser sent: text, numbers, lists, None); times are UTC
    """

    session_id: str
    name: str
    created: datetime
    modified: datetime
    revision: int = 0
    dataset: Dataset | None = None
    runs: tuple[Run, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: str = ""
