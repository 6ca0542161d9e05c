"""What a job is, seen from outside, and what a task reports while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["queued", "running", "done", "failed", "cancelled"]


class Progress(Protocol):
    """Callback of every task: reports progress; raises JobCancelled after a cancel.

    stage : short text ("Learning gene weights"); fraction : 0 to 1 where the end is known, else
    None; count, limit : iteration and its limit; loss : current loss. Call it as often as you like:
    reports are thinned out.

    stage : short text ("Learning gene weights"); fraction : 0 to 1 where the end is known, else
        None
    count, limit : iteration and its limit; loss : current loss. Call it as often as you like:
        reports are thinned out.
    """

    def __call__(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class JobStatus:
    """A snapshot of one job. Times in seconds; ``eta`` is None where the end is not known."""

    id: str
    session_id: str
    kind: str
    title: str
    state: State
    params: Any = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    actor: str = "local"
    stage: str = ""
    fraction: float | None = None
    count: int | None = None
    limit: int | None = None
    loss: float | None = None
    elapsed: float = 0.0
    eta: float | None = None
    position: int = 0
    """Place in the queue, 0 = running."""
    error: Exception | None = None
    run_id: str | None = None

    @property
    def active(self) -> bool:
        return self.state in ("queued", "running")
