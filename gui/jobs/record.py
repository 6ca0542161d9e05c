"""Record of a job: state, snapshot, time left, and the order of jobs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gui.jobs.status import JobStatus, State
from gui.jobs.taskref import TaskRef

STARTING = "Starting the engine"
CANCELLING = "Cancelling"
SETTLE = 1.0
"""Seconds a stage must have run before the time left is guessed."""


@dataclass(eq=False)
class Job:
    """One job. Written by the runner under its lock."""

    id: str
    number: int
    session_id: str
    kind: str
    title: str
    actor: str
    task: TaskRef
    params: Any
    inputs: Mapping[str, str]
    dataset: Any = None
    input_results: Mapping[str, Any] = field(default_factory=dict)
    state: State = "queued"
    stage: str = ""
    fraction: float | None = None
    count: int | None = None
    limit: int | None = None
    loss: float | None = None
    sent: bool = False
    """The worker has been given it."""
    started: bool = False
    """The worker has said that it runs."""
    cancelling: bool = False
    kill_at: float | None = None
    delivering: bool = False
    silent: bool = False
    """Nobody is told of its end: its session was locked, and keeps it as interrupted."""
    tries: int = 0
    began: float | None = None
    ended: float | None = None
    error: Exception | None = None
    run_id: str | None = None
    _anchor: tuple[float, float] | None = None
    """Time and fraction at the beginning of the present stage."""
    _latest: float = 0.0

    def begin(self, now: float) -> None:
        """Assigned to a worker."""
        self.state, self.stage, self.tries = "running", STARTING, self.tries + 1
        self.began = self.began or now

    def requeue(self) -> None:
        """Back to the queue: the worker died before it had begun."""
        self.state, self.stage, self.sent, self.began = "queued", "", False, None

    def report(
        self,
        now: float,
        stage: str,
        fraction: float | None,
        count: int | None,
        limit: int | None,
        loss: float | None,
    ) -> None:
        """Take over what the worker reported."""
        if fraction is None:
            self._anchor = None
        elif self._anchor is None or stage != self.stage or fraction < self._anchor[1]:
            self._anchor = (now, fraction)
        self.stage, self.fraction, self.count, self.limit, self.loss, self._latest = (
            stage,
            fraction,
            count,
            limit,
            loss,
            now,
        )

    def end(
        self, state: State, now: float, *, error: Exception | None = None, run_id: str | None = None
    ) -> None:
        """Ended; lets go of the data."""
        self.state, self.ended, self.error, self.run_id = state, now, error, run_id
        self.dataset, self.input_results, self.kill_at = None, {}, None

    def eta(self, now: float) -> float | None:
        """Seconds left at the pace of the present stage, None where the end is not known (yet)."""
        if (
            self.state != "running"
            or self.cancelling
            or self.fraction is None
            or self._anchor is None
        ):
            return None
        since, base = self._anchor
        passed, gained = self._latest - since, self.fraction - base
        if passed < SETTLE or gained <= 0:
            return None
        return max(0.0, (1.0 - self.fraction) * passed / gained - (now - self._latest))

    def snapshot(self, now: float, position: int = 0) -> JobStatus:
        """For others to keep."""
        elapsed = (
            0.0
            if self.began is None
            else (self.ended if self.ended is not None else now) - self.began
        )
        return JobStatus(
            id=self.id,
            session_id=self.session_id,
            kind=self.kind,
            title=self.title,
            state=self.state,
            params=self.params,
            inputs=self.inputs,
            actor=self.actor,
            stage=CANCELLING if self.cancelling and self.state == "running" else self.stage,
            fraction=self.fraction,
            count=self.count,
            limit=self.limit,
            loss=self.loss,
            elapsed=elapsed,
            eta=self.eta(now),
            position=position,
            error=self.error,
            run_id=self.run_id,
        )


class Turns:
    """Fair order of jobs: the least recently served session, and its oldest job."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._count = 0

    def take(self, queued: Iterable[Job]) -> Job | None:
        """The next job, and remember that its session was served."""
        waiting = self.order(queued)
        if not waiting:
            return None
        self._count += 1
        # to the end: the dict stays in the order of service
        self._served.pop(waiting[0].session_id, None)
        self._served[waiting[0].session_id] = self._count
        while len(self._served) > 1000:
            del self._served[next(iter(self._served))]
        return waiting[0]

    def order(self, queued: Iterable[Job]) -> list[Job]:
        """All queued jobs in the order in which they will run if none is added."""
        waiting, served, count = (
            sorted(queued, key=lambda job: job.number),
            dict(self._served),
            self._count,
        )
        found: list[Job] = []
        while waiting:
            job = min(waiting, key=lambda j: (served.get(j.session_id, 0), j.number))
            waiting.remove(job)
            found.append(job)
            count += 1
            served[job.session_id] = count
        return found


def clock() -> float:
    """Seconds, never running backwards."""
    return time.monotonic()
