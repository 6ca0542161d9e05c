"""The worker process: warms up once, then runs one task after the other, with one BLAS thread.

Messages in: ("job", id, task, has dataset), followed by the dataset (if the one kept here is
another) and the arguments; ("cancel", id). Messages out: ("ready", versions, what the log may
hold), ("started", id), ("progress", id, values), ("done", id, seconds) followed by the result,
("failed", id, failure, cancelled).
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from multiprocessing import current_process, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from gui.core_dumps import forbid_core_dumps
from gui.errors import JobCancelled
from gui.jobs import wire
from gui.jobs.failure import Failure, not_returnable, to_failure
from gui.jobs.taskref import TaskRef
from gui.logs import safe_traceback

# Nothing above may import numpy: it reads the number of threads once, when it is loaded (tests/jobs
# says so).
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
INTERVAL = 0.2
"""Seconds between two reports of the same stage."""

Report = tuple[str, float | None, int | None, int | None, float | None]


def main(
    inbox: Connection,
    outbox: Connection,
    warm_up: str | None,
    setting: Any,
    temporary: str | None = None,
) -> None:
    """Entry of the process (spawn).

    Ends when the server ends.

    Parameters
    ----------
    temporary
        Folder for temporary files, the server's.
    """
    begin()
    tempfile.tempdir = temporary
    # a daemon may not have processes of its own (gui/engine/parallel); these end with this one
    current_process().daemon = False
    Worker(inbox, outbox).run(warm_up, setting)


def begin() -> None:
    """Prepare a computing process: no core dumps, one BLAS thread, no terminal, no Ctrl-C.

    It ends when its parent ends.
    """
    forbid_core_dumps()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ["TQDM_DISABLE"] = "1"  # the engine's bars belong to nobody's terminal
    _streams()
    # Ctrl-C is for the server, which ends this process in its own time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _limit_loaded()


def _streams() -> None:
    """A windowed program has no streams; libraries that print would fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the life of the process


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _limit_loaded() -> None:
    """One thread also where numpy was loaded before us."""
    if "numpy" in sys.modules:
        with contextlib.suppress(ImportError):
            importlib.import_module("threadpoolctl").threadpool_limits(1)


class Worker:
    """Receives in a thread, works in the main thread."""

    def __init__(self, inbox: Connection, outbox: Connection) -> None:
        self._inbox, self._outbox = inbox, outbox
        self._sending = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[tuple[Any, ...], list[list[bytearray]]]] = (
            queue.SimpleQueue()
        )
        self._cancelled: set[str] = set()
        self._dataset: Any = None

    def run(self, warm_up: str | None, setting: Any) -> None:
        """Warm up, say so, work until the server closes the pipe."""
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()
        self.send(("ready", *_warm(warm_up, setting)))
        while True:
            (_, job_id, task, has_dataset), payloads = self._jobs.get()
            self._perform(job_id, TaskRef(*task), has_dataset, payloads)
            self._cancelled.discard(job_id)

    def send(self, head: tuple[Any, ...], *payloads: wire.Packed) -> None:
        try:
            with self._sending:
                wire.send(self._outbox, head, *payloads)
        except OSError:
            os._exit(1)  # nobody listens any more

    def is_cancelled(self, job_id: str) -> bool:
        return job_id in self._cancelled

    def _listen(self) -> None:
        try:
            while True:
                head, payloads = wire.receive(self._inbox)
                if head[0] == "cancel":
                    self._cancelled.add(head[1])
                else:
                    self._jobs.put((head, payloads))
        except BaseException:  # noqa: BLE001 - the pipe is closed, or no memory for the data: a worker that hears nothing is of no use
            os._exit(1)

    def _perform(
        self, job_id: str, task: TaskRef, has_dataset: bool, payloads: list[list[bytearray]]
    ) -> None:
        self.send(("started", job_id))
        progress = Reporter(self, job_id)
        try:
            function = task.load()
            if has_dataset:
                self._dataset = None  # the old one goes before the new one needs the room
                # Read-only: it is kept for the next job, which must not see what this one changed.
                self._dataset = wire.unpack(payloads.pop(0), read_only=True)
            params, inputs = wire.unpack(payloads.pop(0))
            progress.check()
            began = time.perf_counter()
            result = function(self._dataset, params, progress=progress, **inputs)
            seconds = time.perf_counter() - began
            progress.close()
            packed = _packed(result)
        except JobCancelled as error:
            self._fail(progress, job_id, to_failure(error), cancelled=True)
        except BaseException as error:  # noqa: BLE001 - whatever a task raises, even SystemExit, the worker goes on
            self._fail(progress, job_id, to_failure(error), cancelled=False)
        else:
            self.send(("done", job_id, seconds), packed)

    def _fail(self, progress: Reporter, job_id: str, failure: Failure, *, cancelled: bool) -> None:
        progress.close()
        self.send(("failed", job_id, failure, cancelled))


def _warm(warm_up: str | None, setting: Any) -> tuple[Mapping[str, str], str]:
    """Run ``module:function``; return the versions, and what the log may hold of a failure.

    A failure is no end: the task that needs what could not be loaded says so itself.
    """
    if warm_up is None:
        return {}, ""
    try:
        module_name, _, name = warm_up.partition(":")
        module = importlib.import_module(module_name)
        getattr(module, name)(*([] if setting is None else [setting]))
        return {str(key): str(value) for key, value in module.versions().items()} if hasattr(
            module, "versions"
        ) else {}, ""
    except BaseException as error:  # noqa: BLE001 - see above
        return {}, safe_traceback(error)


def _packed(result: Any) -> wire.Packed:
    try:
        return wire.pack(result)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - pickle raises many kinds
        raise not_returnable(error) from None


class Reporter:
    """Progress of a task: thins out reports, keeps the last one of every stage."""

    def __init__(self, worker: Worker, job_id: str) -> None:
        self._worker, self._job_id = worker, job_id
        self._lock = threading.Lock()
        self._waiting: Report | None = None
        self._stage: str | None = None
        self._sent = 0.0
        self._closed = False

    def __call__(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None:
        self.check()
        report = (str(stage), _share(fraction), _whole(count), _whole(limit), _number(loss))
        with self._lock:
            if self._closed:
                return
            now = time.monotonic()
            if report[0] != self._stage:
                self._flush()
            elif now - self._sent < INTERVAL:
                self._waiting = report
                return
            self._stage, self._sent, self._waiting = report[0], now, report
            self._flush()

    def check(self) -> None:
        """Raise JobCancelled if the user cancelled."""
        if self._worker.is_cancelled(self._job_id):
            raise JobCancelled("The step was cancelled.")

    def close(self) -> None:
        """Send what waits; reports that a stray thread makes later are dropped."""
        with self._lock:
            self._flush()
            self._closed = True

    def _flush(self) -> None:
        if self._waiting is not None:
            self._worker.send(("progress", self._job_id, self._waiting))
            self._waiting = None


def _number(value: Any) -> float | None:
    """A plain float (engines report their own scalars), None for NaN and infinity."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _share(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else min(1.0, max(0.0, number))


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
