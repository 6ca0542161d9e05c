"""Runs that were deleted from a session a moment ago and can be brought back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from gui.engine.results import Run

UNDO_SECONDS = 60.0
"""How long deleted runs can be brought back; they are kept in memory only."""


class DeletedRuns:
    """What was deleted last; not thread-safe, the session holds its lock."""

    def __init__(self) -> None:
        self._runs: tuple[Run, ...] = ()
        self._order: Sequence[str] = ()
        self._chosen: Mapping[str, str] = {}
        self._until = 0.0

    def keep(self, runs: Sequence[Run], order: Sequence[str], chosen: Mapping[str, str]) -> None:
        """Keep these runs instead of what was deleted before.

        Parameters
        ----------
        order
            Ids of all runs of the session before.
        chosen
            Kind -> id of the current run before.
        """
        self._runs, self._order, self._chosen = tuple(runs), order, chosen
        self._until = time.monotonic() + UNDO_SECONDS

    def clear(self) -> None:
        """Let go of them for good."""
        self._runs, self._order, self._chosen = (), (), {}

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those that can still be brought back."""
        if self._runs and time.monotonic() > self._until:
            self.clear()
        return self._runs

    @property
    def chosen(self) -> dict[str, str]:
        """Kind -> id, of those that were current."""
        ids = {run.id for run in self._runs}
        return {kind: run_id for kind, run_id in self._chosen.items() if run_id in ids}

    def merged(self, present: Mapping[str, Run]) -> dict[str, Run]:
        """The present runs and the deleted ones, in the order that they had; newer ones last."""
        known = {run.id: run for run in self._runs} | dict(present)
        order = dict.fromkeys([*(i for i in self._order if i in known), *present])
        return {run_id: known[run_id] for run_id in order}


def computed_from(runs: Iterable[Run], run_id: str) -> list[Run]:
    """The runs among ``runs`` that rest on this one, directly or by another one, in their order."""
    there = list(runs)
    resting = {run_id}
    while True:
        more = {
            run.id
            for run in there
            if run.id not in resting and resting & set(run.provenance.inputs.values())
        }
        if not more:
            return [run for run in there if run.id in resting and run.id != run_id]
        resting |= more
