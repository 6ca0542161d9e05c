"""Slot: a place for one worker, and what that worker keeps and has seen."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gui.jobs.process import WorkerProcess
from gui.jobs.record import Job


@dataclass(eq=False)
class Slot:
    """A place for one worker. Changed by the runner, under its lock or in its thread."""

    worker: WorkerProcess | None = None
    job: Job | None = None
    versions: Mapping[str, str] | None = None
    dataset: weakref.ref[Any] | None = None
    """The dataset the worker keeps.

    By identity: its id covers neither descriptions nor columns of obs.
    """
    eager: bool = True
    """Start a worker although nothing waits.

    Not after one that died while starting: that would go on forever.
    """
    seen: set[str] = field(default_factory=set)
    """Ids of the sessions whose data this worker was sent: they may still be somewhere in its
    memory.
    """
    leaving: bool = False
    """To be replaced as soon as it has nothing to do."""

    def fresh(self) -> None:
        """For a new worker."""
        self.versions = self.dataset = None
        self.seen, self.leaving = set(), False

    @property
    def ready(self) -> bool:
        return self.worker is not None and self.worker.ready

    def keeps(self, dataset: Any) -> bool:
        """Whether the worker has this dataset already."""
        return self.dataset is not None and self.dataset() is dataset

    def remember(self, dataset: Any) -> None:
        # not everything can be referred to weakly; then it is sent again
        with contextlib.suppress(TypeError):
            self.dataset = weakref.ref(dataset)
