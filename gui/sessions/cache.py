"""DCXCache: one session's dataset, runs and form values. In memory, thread-safe; every change raises the revision by one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gui.data.dataset import Dataset
from gui.engine.results import Run
from gui.errors import DefaultSession, MissingPart


class DCXCache:
    """One session. What a page may read and change; holds data, never components."""

    def __init__(self, session_id: str, name: str, *, holds_data: bool = True) -> None:
        self.session_id = session_id
        self.name = name
        self.holds_data = holds_data
        self.created = self.modified = datetime.now(UTC)
        self._lock = threading.RLock()
        self._dataset: Dataset | None = None
        self._runs: dict[str, Run] = {}
        self._chosen: dict[str, str] = {}
        self._forms: dict[str, dict[str, Any]] = {}
        self._revision = 0

    def _changed(self) -> None:
        self._revision += 1
        self.modified = datetime.now(UTC)

    def _refuse_if_default(self) -> None:
        if not self.holds_data:
            raise DefaultSession(f"The session {self.name} holds no data.", advice="Create a session first.")

    @property
    def revision(self) -> int:
        """Counts the changes of data and runs (not of form values)."""
        return self._revision

    @property
    def dataset(self) -> Dataset | None:
        return self._dataset

    def need_dataset(self) -> Dataset:
        """The dataset, or MissingPart."""
        if self._dataset is None:
            raise MissingPart("This session has no data yet.")
        return self._dataset

    def set_dataset(self, dataset: Dataset, *, keep_runs: bool) -> None:
        """Put ``dataset`` in place of the present one.

        keep_runs : False clears all runs (new training data); True keeps them, and :meth:`outdated` tells which no longer fit.
        Raises DefaultSession in the session that never holds data.
        """
        with self._lock:
            self._refuse_if_default()
            self._dataset = dataset
            if not keep_runs:
                self._runs.clear()
                self._chosen.clear()
            self._changed()

    def runs(self, kind: str | None = None) -> list[Run]:
        """Runs of one kind or all, oldest first."""
        with self._lock:
            return [run for run in self._runs.values() if kind in (None, run.kind)]

    def run(self, run_id: str | None) -> Run | None:
        return self._runs.get(run_id) if run_id else None

    def add_run(self, run: Run) -> None:
        """Keep a new run and show it. DefaultSession in the session that never holds data."""
        with self._lock:
            self._refuse_if_default()
            self._runs[run.id] = run
            self._chosen[run.kind] = run.id
            self._changed()

    def choose_run(self, run_id: str) -> Run:
        """Bring an earlier run back to the screen. MissingPart if there is none with this id."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None:
                raise MissingPart("This run is no longer in the session.")
            self._chosen[run.kind] = run_id
            self._changed()
            return run

    def current(self, kind: str) -> Run | None:
        """The run of this kind that is on screen: the newest, or the one brought back."""
        with self._lock:
            return self.run(self._chosen.get(kind))

    def remove_run(self, run_id: str) -> None:
        """Forget a run; the newest other one of its kind comes on screen."""
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is None:
                return
            if self._chosen.get(run.kind) == run_id:
                others = self.runs(run.kind)
                if others:
                    self._chosen[run.kind] = others[-1].id
                else:
                    del self._chosen[run.kind]
            self._changed()

    def outdated(self, run: Run) -> str | None:
        """The one rule: why ``run`` does not belong to the present data, as a sentence, or None if it does."""
        with self._lock:
            data, made = self._dataset, run.provenance
            if data is None or made.training_id != data.training_id:
                return "Computed from other training data."
            for name, run_id in made.inputs.items():  # name: of the task's argument, which need not be a kind of run
                source = self._runs.get(run_id)
                if source is None:
                    return f"Computed from a {name.upper()} run that is no longer in the session."
                if self._chosen.get(source.kind) != run_id:
                    return f"Computed from another {source.kind.upper()} run than the one shown."
                reason = self.outdated(source)
                if reason is not None:
                    return reason
            part = getattr(run.params, "part", "bulk")
            if run.kind != "dtd" and part == "bulk" and made.bulk_id != data.bulk_id:
                return "Computed from another bulk."
            return None

    def bulk_outdated(self, run: Run) -> bool:
        """Whether the bulk results inside a DTD run were computed from another bulk than the present one."""
        return self._dataset is not None and run.provenance.bulk_id != self._dataset.bulk_id

    def has(self, need: str) -> bool:
        """Whether a requirement of a page is met: "dataset", "train", "bulk", or a run kind such as "dtd"."""
        data = self._dataset
        if need == "dataset":
            return data is not None
        if need == "train":
            return data is not None and data.train is not None
        if need == "bulk":
            return data is not None and data.bulk is not None
        return self.current(need) is not None

    def form(self, page: str) -> dict[str, Any]:
        """A copy of the form values kept for a page."""
        with self._lock:
            return dict(self._forms.get(page, {}))

    def keep_form(self, page: str, values: Mapping[str, Any]) -> None:
        """Keep form values (they survive leaving the page); does not raise the revision."""
        with self._lock:
            self._forms.setdefault(page, {}).update(values)
