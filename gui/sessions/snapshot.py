"""Snapshot: everything one session holds at one moment; what the file format writes and reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gui.data.dataset import Dataset
from gui.engine.params import Params
from gui.engine.results import Run
from gui.sessions.kinds import KINDS, check_run
from gui.sessions.rules import MAX_COUNT, stored_label, stored_name, stored_tags, stored_time

WITHOUT_CELLS, PSEUDONYMS, RECOVERED = "without cells", "pseudonyms", "recovered"


@dataclass(frozen=True)
class PendingJob:
    """A job as it was submitted; kept in the session until it ends, to be restarted after a crash.

    Attributes
    ----------
    task : module and qualified name of its function.
    inputs : name of an argument -> id of the run it gets.
    """

    id: str
    kind: str
    title: str
    task: tuple[str, str]
    params: Params
    inputs: Mapping[str, str]
    submitted: datetime


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One session, frozen. Times are UTC.

    Attributes
    ----------
    revision : of the session when it was taken.
    runs : oldest first.
    chosen : kind -> id of the current run.
    forms : page key -> form values (what the browser sent: text, numbers, lists, None).
    jobs : running or queued.
    marks : what is special about this session: :data:`WITHOUT_CELLS`, :data:`PSEUDONYMS`,
        :data:`RECOVERED`.
    tags : words by which the user groups sessions.
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
    jobs: tuple[PendingJob, ...] = ()
    marks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def checked(snapshot: Snapshot) -> Snapshot:
    """A snapshot that was read, if it holds what the program relies on.

    That is its own rules for names and times, and results that fit their kind.

    Raises
    ------
    ValueError, TypeError
        With the reason.
    """
    if not 0 <= snapshot.revision < 2**53 or len(snapshot.runs) > MAX_COUNT:
        raise ValueError("no such number of changes or runs")
    runs = []
    for run in snapshot.runs:
        stored_time(run.created)
        check_run(run)
        name, _ = stored_label(run.name, run.notes)
        runs.append(replace(run, name=name) if name != run.name else run)
    for job in snapshot.jobs:
        stored_time(job.submitted)
    kinds = {run.id: run.kind for run in snapshot.runs}
    if any(
        name in KINDS and kinds.get(used, name) != name
        for run in snapshot.runs
        for name, used in run.provenance.inputs.items()
    ):
        raise ValueError("a run was computed from one of another kind")
    return replace(
        snapshot,
        name=stored_name(snapshot.name),
        created=stored_time(snapshot.created),
        modified=stored_time(snapshot.modified),
        tags=stored_tags(snapshot.tags),
        runs=tuple(runs),
        chosen={
            kind: run_id for kind, run_id in snapshot.chosen.items() if kinds.get(run_id) == kind
        },
    )
