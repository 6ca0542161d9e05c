"""Which processes compute just now."""

from __future__ import annotations

from gui.engine.parallel import local
from gui.jobs.runner import JobRunner


def worker_pids(runner: JobRunner) -> list[int]:
    """The workers of a queue."""
    workers = [slot.worker for slot in runner._slots]
    return [worker.pid for worker in workers if worker is not None]


def spread_pids() -> list[int]:
    """The processes over which this one spreads its steps."""
    return [each.pid for each in local._pool.children]
