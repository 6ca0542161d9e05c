"""Reader of files in a separate process, which a damaged file can crash alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from gui.errors import JobError, UnreadableFile, WorkerDied
from gui.jobs.runner import JobRunner
from gui.jobs.status import JobStatus


class _Nothing:
    """Stands for no dataset."""


class Reader:
    """Calls reading functions in a warm process and waits for them.

    Thread-safe; one call at a time is computed.

    Parameters
    ----------
    warm_up
        "module:function" that imports what reading needs. The process starts with :meth:`start`
        or with the first call.
    admission
        Entered for as long as a call waits and is computed; what it raises ends the call before
        it begins.
    """

    def __init__(
        self,
        warm_up: str | None = "gui.data.load:warm_up",
        *,
        admission: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._admission = admission
        self._results: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._runner = JobRunner(self._keep, warm_up=warm_up, grace=1.0)

    def start(self) -> None:
        self._runner.start()

    def stop(self) -> None:
        self._runner.stop()

    def forget(self) -> None:
        """Restart the process after the current call: a protected session was locked.

        Its data may still be in the memory of the process.
        """
        self._runner.renew()

    def __call__(
        self, task: Callable[..., Any], params: Any, *, name: str, dataset: Any = None
    ) -> Any:
        """``task(dataset, params, progress=...)`` in the reading process; its result, or its error.

        Parameters
        ----------
        name
            Of the file, for the sentence when reading ended the process (UnreadableFile).
        """
        with self._admission():
            self._runner.start()
            job_id = self._runner.submit(
                task, "reading", params, dataset=dataset or _Nothing(), kind="reading", title=name
            )
            ended = self._runner.wait(job_id)
        with self._lock:
            found = self._results.pop(job_id, None)
        if ended.state == "done" and found is not None:
            return found[0]
        if isinstance(ended.error, WorkerDied):
            raise UnreadableFile(
                f"{name} cannot be read: reading it failed in a way that only damaged files or too"
                " little memory bring about."
            ) from ended.error
        raise ended.error or JobError(f"Reading {name} was stopped.")

    def _keep(
        self, job: JobStatus, result: Any, versions: Mapping[str, str], seconds: float
    ) -> None:
        with self._lock:
            self._results[job.id] = (result,)
