"""DCXCache: one session's dataset, runs and form values.

Thread-safe; every change raises the revision by one and is told to who saves it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gui.analyses.composition import INPUTS
from gui.analyses.registry import ANALYSES
from gui.data.dataset import Dataset
from gui.engine.results import Run
from gui.errors import DefaultSession, JobError, MissingPart, UnknownSession
from gui.methods.method import KIND
from gui.methods.registry import has_gene_effects
from gui.sessions.deleted_runs import DeletedRuns, computed_from
from gui.sessions.rules import checked_label, checked_tags
from gui.sessions.snapshot import PendingJob, Snapshot

TOKEN = "_token"
"""Form values under such a name point to an upload of this process: they are not saved."""

Trace = Callable[["DCXCache", str, str, Any], None]
"""``trace(session, action, key, value)``: told of every read, write and delete, for the debug log;
it must not keep the value.
"""


class DCXCache:
    """One session.

    What a page may read and change; holds data, never components.

    Its content may still be on disk: then the first access reads it (see :meth:`lazy`), and
    nothing is ever answered before.
    """

    def __init__(self, session_id: str, name: str, *, holds_data: bool = True) -> None:
        self.session_id = session_id
        self._name = name
        self.holds_data = holds_data
        self.created = self.modified = datetime.now(UTC)
        self._lock = threading.RLock()
        self._loader: Callable[[DCXCache], None] | None = None
        self._on_change: Callable[[DCXCache, bool], None] | None = None
        self._trace: Trace | None = None
        self._closed = False
        self._dataset: Dataset | None = None
        self._runs: dict[str, Run] = {}
        self._jobs: dict[str, PendingJob] = {}
        self._marks: tuple[str, ...] = ()
        self._chosen: dict[str, str] = {}
        self._forms: dict[str, dict[str, Any]] = {}
        self._deleted = DeletedRuns()
        self._notes = ""
        self._tags: tuple[str, ...] = ()
        self._revision = 0
        self._edits = 0

    # -- as a whole
    # ----------------------------------------------------------------------------------------------
    @classmethod
    def lazy(
        cls,
        session_id: str,
        name: str,
        created: datetime,
        modified: datetime,
        loader: Callable[[DCXCache], None],
    ) -> DCXCache:
        """A session whose content is not in memory.

        loader : calls :meth:`fill` when the content is needed, or raises.
        """
        session = cls(session_id, name)
        session.created, session.modified, session._loader = created, modified, loader
        return session

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> DCXCache:
        """A session that holds what the snapshot holds."""
        session = cls(snapshot.session_id, snapshot.name)
        session.fill(snapshot)
        return session

    def fill(self, snapshot: Snapshot) -> None:
        """Put the content of ``snapshot`` into this session, without counting it as a change.

        ValueError if it is another session's.
        """
        if snapshot.session_id != self.session_id:
            raise ValueError("the snapshot is of another session")
        with self._lock:
            self._name, self.created, self.modified, self._revision = (
                snapshot.name,
                snapshot.created,
                snapshot.modified,
                snapshot.revision,
            )
            self._dataset, self._notes = snapshot.dataset, snapshot.notes
            self._runs = {run.id: run for run in snapshot.runs}
            self._chosen = {
                kind: run_id for kind, run_id in snapshot.chosen.items() if run_id in self._runs
            }
            self._forms = {page: dict(values) for page, values in snapshot.forms.items()}
            self._jobs = {job.id: job for job in snapshot.jobs}
            self._marks = tuple(snapshot.marks)
            self._tags = tuple(snapshot.tags)
            self._loader = None

    def empty(
        self, loader: Callable[[DCXCache], None], *, edits: int, name: str | None = None
    ) -> bool:
        """Let go of the content; the next access calls ``loader``.

        False, and nothing happens, if there were more than ``edits`` edits.

        name : what the session is called from now on, None: as before
        """
        with self._lock:
            if self._edits != edits:
                return False
            self._dataset, self._notes, self._marks, self._loader = None, "", (), loader
            self._tags = ()
            for held in (self._runs, self._chosen, self._forms, self._jobs, self._deleted):
                held.clear()
            self._name = self._name if name is None else name
            return True

    def snapshot(self) -> Snapshot:
        """Everything at this moment; later changes do not reach it."""
        return self.take()[0]

    def in_memory(self) -> Snapshot | None:
        """Everything at this moment if it is in memory; None if it would have to be read."""
        with self._lock:
            return self._taken() if self._loader is None else None

    def take(self) -> tuple[Snapshot, int]:
        """A snapshot and the count of edits it includes."""
        with self._content():
            return self._taken(), self._edits

    def _taken(self) -> Snapshot:
        """Under the lock, with the content in memory."""
        forms = {
            page: {k: v for k, v in values.items() if not k.endswith(TOKEN)}
            for page, values in self._forms.items()
        }
        return Snapshot(
            session_id=self.session_id,
            name=self._name,
            created=self.created,
            modified=self.modified,
            revision=self._revision,
            dataset=self._dataset,
            runs=tuple(self._runs.values()),
            chosen=dict(self._chosen),
            forms=forms,
            notes=self._notes,
            jobs=tuple(self._jobs.values()),
            marks=self._marks,
            tags=self._tags,
        )

    def watch(self, on_change: Callable[[DCXCache, bool], None] | None) -> None:
        """Have ``on_change(session, is form value only)`` called after every change.

        It is called by the thread that made the change.
        """
        self._on_change = on_change

    def trace(self, told: Trace | None) -> None:
        """Have ``told(session, action, key, value)`` called at every access: the debug log."""
        self._trace = told

    def _tell(self, action: str, key: str, value: Any = None) -> None:
        if self._trace is not None:
            self._trace(self, action, key, value)

    def close(self, closed: bool = True) -> None:
        """Refuse changes from now on.

        The session was archived or deleted, and a change would be lost.
        """
        with self._lock:
            self._closed = closed

    @property
    def loaded(self) -> bool:
        """Whether the content is in memory."""
        return self._loader is None

    @property
    def edits(self) -> int:
        """Counts every change since the session came into memory, of form values too."""
        return self._edits

    def load(self) -> None:
        """Read the content if it is not in memory; SessionError if it cannot be read."""
        while (loader := self._loader) is not None:
            loader(self)

    @contextmanager
    def _content(self) -> Iterator[None]:
        """Hold the lock with the content in memory."""
        while True:
            self.load()  # outside of the lock: reading takes the file's lock first, as saving does
            with self._lock:
                if self._loader is None:
                    yield
                    return

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._content():
            if self._closed:
                raise UnknownSession(
                    f"The session “{self._name}” was archived or deleted in the meantime; nothing"
                    " was changed in it.",
                    advice="",
                )
            yield

    def _changed(self) -> None:
        self._revision += 1
        self.modified = datetime.now(UTC)
        self._edited(form=False)

    def _edited(self, *, form: bool) -> None:
        self._edits += 1
        if self._on_change is not None:
            self._on_change(self, form)

    # -- name and notes
    # ----------------------------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        """For the manager, which sees to it that names are unique."""
        with self._change():
            if name != self._name:
                self._name = name
                self._edited(form=False)

    @property
    def notes(self) -> str:
        """What the user wrote about the session."""
        with self._content():
            self._tell("read", "notes", self._notes)
            return self._notes

    @notes.setter
    def notes(self, notes: str) -> None:
        with self._change():
            self._refuse_if_default()
            if notes != self._notes:
                self._tell("write", "notes", notes)
                self._notes = notes
                self._edited(form=False)

    @property
    def tags(self) -> tuple[str, ...]:
        """Words by which the user groups sessions."""
        with self._content():
            return self._tags

    def set_tags(self, text: str) -> tuple[str, ...]:
        """Keep the tags in a text, between commas. SessionError: too many or too long."""
        tags = checked_tags(text)
        with self._change():
            self._refuse_if_default()
            if tags != self._tags:
                self._tell("write", "tags", tags)
                self._tags = tags
                self._edited(form=False)
        return tags

    @property
    def marks(self) -> tuple[str, ...]:
        """What this session lacks or how it was made.

        "without cells", "pseudonyms", "recovered".
        """
        with self._content():
            return self._marks

    # -- data and runs
    # ----------------------------------------------------------------------------------------------

    def _refuse_if_default(self) -> None:
        if not self.holds_data:
            raise DefaultSession(
                f"The session {self.name} holds no data.", advice="Create a session first."
            )

    @property
    def revision(self) -> int:
        """Counts the changes of data and runs (not of form values)."""
        with self._content():
            return self._revision

    @property
    def dataset(self) -> Dataset | None:
        with self._content():
            self._tell("read", "dataset", self._dataset)
            return self._dataset

    def need_dataset(self) -> Dataset:
        """The dataset, or MissingPart."""
        dataset = self.dataset
        if dataset is None:
            raise MissingPart("This session has no data yet.")
        return dataset

    def set_dataset(self, dataset: Dataset, *, keep_runs: bool) -> None:
        """Put ``dataset`` in place of the present one.

        keep_runs : False clears all runs (new training data); True keeps them, and :meth:`outdated`
            tells which no longer fit.
        Raises DefaultSession in the session that never holds data.
        """
        with self._change():
            self._refuse_if_default()
            self._tell("write", "dataset", dataset)
            self._dataset = dataset
            if not keep_runs:
                for run_id in self._runs:
                    self._tell("delete", f"run {run_id}")
                self._runs.clear()
                self._chosen.clear()
                self._deleted.clear()
            self._changed()

    def runs(self, kind: str | None = None) -> list[Run]:
        """Runs of one kind or all, oldest first."""
        with self._content():
            found = [run for run in self._runs.values() if kind in (None, run.kind)]
            self._tell("read", f"runs {kind or ''}".rstrip(), found)
            return found

    def run(self, run_id: str | None) -> Run | None:
        with self._content():
            found = self._runs.get(run_id) if run_id else None
            self._tell("read", f"run {run_id or ''}".rstrip(), found.result if found else None)
            return found

    def add_run(self, run: Run) -> None:
        """Keep a new run and show it. DefaultSession in the session that never holds data."""
        with self._change():
            self._refuse_if_default()
            self._tell("write", f"run {run.id}", run.result)
            self._runs[run.id] = run
            self._chosen[run.kind] = run.id
            # in the same save: after a crash it is either a result or an interrupted job
            self._jobs.pop(run.id, None)
            self._changed()

    def choose_run(self, run_id: str) -> Run:
        """Bring an earlier run back to the screen. MissingPart if there is none with this id."""
        with self._change():
            run = self._runs.get(run_id)
            if run is None:
                raise MissingPart("This run is no longer in the session.")
            self._chosen[run.kind] = run_id
            self._changed()
            return run

    def current(self, kind: str) -> Run | None:
        """The run of this kind that is on screen: the newest, or the one brought back."""
        with self._content():
            return self.run(self._chosen.get(kind))

    def remove_run(self, run_id: str) -> None:
        """Forget a run; the newest other one of its kind comes on screen."""
        with self._change():
            run = self._runs.pop(run_id, None)
            if run is None:
                return
            self._tell("delete", f"run {run_id}")
            if self._chosen.get(run.kind) == run_id:
                others = self.runs(run.kind)
                if others:
                    self._chosen[run.kind] = others[-1].id
                else:
                    del self._chosen[run.kind]
            self._changed()

    def label_run(
        self,
        run_id: str,
        *,
        name: str | None = None,
        starred: bool | None = None,
        notes: str | None = None,
    ) -> Run:
        """Name, star or annotate a run; what is None stays as it is.

        MissingPart if there is none with this id; SessionError if a text is too long.
        """
        with self._change():
            run = self._runs.get(run_id)
            if run is None:
                raise MissingPart("This run is no longer in the session.")
            text = (run.name if name is None else name, run.notes if notes is None else notes)
            new_name, new_notes = checked_label(*text)
            star = run.starred if starred is None else starred
            if (new_name, star, new_notes) != (run.name, run.starred, run.notes):
                self._tell("write", f"label of run {run_id}")
                run = replace(run, name=new_name, starred=star, notes=new_notes)
                self._runs[run_id] = run
                self._changed()
            return run

    def computed_from(self, run_id: str) -> list[Run]:
        """The runs that rest on this one, directly or by another one, oldest first."""
        with self._content():
            return computed_from(self._runs.values(), run_id)

    def delete_runs(self, run_id: str) -> list[Run]:
        """Delete a run and all that rest on it: without it nobody could say how they came about.

        For :data:`gui.sessions.deleted_runs.UNDO_SECONDS` :meth:`undo_delete` brings them back.
        JobError if a step that has not ended uses one of them.
        """
        with self._change():
            run = self._runs.get(run_id)
            if run is None:
                raise MissingPart("This run is no longer in the session.")
            gone = [run, *computed_from(self._runs.values(), run_id)]
            ids = {one.id for one in gone}
            if any(ids & set(job.inputs.values()) for job in self._jobs.values()):
                raise JobError(
                    "A step that has not ended uses this run.",
                    advice="Wait for the step, cancel it or dismiss it; then delete the run.",
                )
            self._deleted.keep(gone, list(self._runs), dict(self._chosen))
            for one in reversed(gone):
                self.remove_run(one.id)
            return gone

    @property
    def deleted_runs(self) -> Sequence[Run]:
        """The runs that were deleted last and can still be brought back, the chosen one first."""
        with self._lock:
            return self._deleted.runs

    def undo_delete(self, run_id: str) -> Sequence[Run]:
        """Bring back what was deleted last, if it began with this run. MissingPart otherwise."""
        with self._change():
            found = self._deleted.runs
            if not found or found[0].id != run_id:
                raise MissingPart("The deleted runs can no longer be brought back.", advice="")
            self._runs = self._deleted.merged(self._runs)
            self._chosen |= self._deleted.chosen
            self._deleted.clear()
            for run in found:
                self._tell("write", f"run {run.id}", run.result)
            self._changed()
            return found

    def outdated(self, run: Run) -> str | None:
        """Why ``run`` does not belong to the present data, as a sentence; None if it does.

        This is the only place with that rule. Of an analysis the user chooses the run, which need
        not be the current one, nor need that run's own inputs: only the data count there.
        """
        return self._why_outdated(run, shown=True)

    def _why_outdated(self, run: Run, *, shown: bool) -> str | None:
        """shown : the runs it is computed from have to be those on screen"""
        shown = shown and run.kind not in ANALYSES
        with self._content():
            data, made = self._dataset, run.provenance
            if data is None or made.training_id != data.training_id:
                return "Computed from other training data."
            # name: of the task's argument, which need not be a kind of run
            for name, run_id in made.inputs.items():
                source = self._runs.get(run_id)
                if source is None:
                    return f"Computed from a {name.upper()} run that is no longer in the session."
                if shown and self._chosen.get(source.kind) != run_id:
                    return f"Computed from another {source.kind.upper()} run than the one shown."
                reason = self._why_outdated(source, shown=shown)
                if reason is not None:
                    return reason
            part = getattr(run.params, "part", "bulk")
            if run.kind != "dtd" and part == "bulk" and made.bulk_id != data.bulk_id:
                return "Computed from another bulk."
            if made.samples_id and made.samples_id != data.samples_id:
                return "The clinical table or the annotations of the bulk have changed since."
            return None

    def bulk_outdated(self, run: Run) -> bool:
        """Whether the bulk results in a DTD run were computed from another bulk."""
        dataset = self.dataset
        return dataset is not None and run.provenance.bulk_id != dataset.bulk_id

    def has(self, need: str) -> bool:
        """Whether a requirement of a page is met.

        need : "dataset", "train", "bulk", "composition" (by any method), "gene effects" (gene
            regulation or a hidden profile, by any method), or a kind of run such as "dtd".
        """
        data = self.dataset
        if need == "dataset":
            return data is not None
        if need == "train":
            return data is not None and data.train is not None
        if need == "bulk":
            return data is not None and data.bulk is not None
        if need == "composition":
            return any(self.current(kind) is not None for kind in INPUTS)
        if need == "gene effects":
            return any(has_gene_effects(self.current(kind)) for kind in ("adtd", KIND))
        return self.current(need) is not None

    def form(self, page: str) -> dict[str, Any]:
        """A copy of the form values kept for a page."""
        with self._content():
            kept = dict(self._forms.get(page, {}))
            self._tell("read", f"form {page}", kept)
            return kept

    def keep_form(self, page: str, values: Mapping[str, Any]) -> None:
        """Keep form values (they survive leaving the page); does not raise the revision."""
        with self._change():
            kept = self._forms.setdefault(page, {})
            if any(name not in kept or kept[name] != value for name, value in values.items()):
                self._tell("write", f"form {page}", values)
                kept.update(values)
                self._edited(form=True)

    def uploads(self) -> list[str]:
        """Tokens of the uploaded files that its forms point to.

        They are not saved: a session that is not in memory has none.
        """
        with self._lock:
            return [
                str(value)
                for values in self._forms.values()
                for name, value in values.items()
                if name.endswith(TOKEN) and value
            ]

    # -- jobs
    # ----------------------------------------------------------------------------------------------
    def job_submitted(self, job: PendingJob) -> None:
        """Remember a job until it ends.

        If the program ends before, the session still knows what was asked for.
        """
        with self._change():
            self._refuse_if_default()
            self._tell("write", f"job {job.id}", job)
            self._jobs[job.id] = job
            self._edited(form=False)

    def job_ended(self, job_id: str) -> None:
        """Forget a job: it ended, or the user does not want it any more.

        Nothing happens if it is not known.
        """
        with self._change():
            if self._jobs.pop(job_id, None) is not None:
                self._tell("delete", f"job {job_id}")
                self._edited(form=False)

    def pending_jobs(self) -> Sequence[PendingJob]:
        """Jobs that were handed in and have not ended, oldest first."""
        with self._content():
            return list(self._jobs.values())
