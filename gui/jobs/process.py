"""WorkerProcess: the server's end of one worker process.

Sends and receives in threads, so that nobody ever waits for the worker.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any, Literal

from gui.jobs import wire, worker
from gui.jobs.failure import not_sendable
from gui.jobs.taskref import TaskRef

Event = tuple[Any, ...]
"""(kind, ...): what the worker sent (see worker.py; "done" carries the packed result),
("unsendable", id, failure), ("died", exit code).
"""

START_METHOD: Literal["spawn"] = "spawn"
"""The same on every system. Tests of other rooms fork from a server that has imported it all."""
_STARTING = threading.Lock()


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start processes without running the main module first, as spawn does.

    A script without a guard would run again there.
    """
    with _STARTING:
        main, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


class WorkerProcess:
    """One worker process.

    ``post(self, event)`` is called from its threads for everything that happens.
    """

    def __init__(
        self, warm_up: str | None, setting: Any, post: Callable[[WorkerProcess, Event], None]
    ) -> None:
        context = multiprocessing.get_context(START_METHOD)
        child_inbox, self._outbox = context.Pipe(duplex=False)
        self._inbox, child_outbox = context.Pipe(duplex=False)
        self._post = post
        self._letters: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.ready = False
        """Whether it has warmed up; set by the runner."""
        # daemon: a server that ends without stop() does not wait for it
        given = (child_inbox, child_outbox, warm_up, setting, tempfile.gettempdir())
        self._process = context.Process(
            target=worker.main, args=given, name="deconomix-worker", daemon=True
        )
        try:
            with _without_main():
                self._process.start()
        except BaseException:
            for end in (self._outbox, self._inbox):
                end.close()
            raise
        finally:
            for end in (child_inbox, child_outbox):
                end.close()  # or the end of the worker could not be seen
        self.pid: int = self._process.pid or 0
        self._threads = [
            threading.Thread(target=t, name=f"worker-{t.__name__.strip('_')}", daemon=True)
            for t in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    def send_job(
        self,
        job_id: str,
        task: TaskRef,
        dataset: Any,
        params: Any,
        inputs: dict[str, Any],
        *,
        with_dataset: bool,
    ) -> None:
        """Hand over a job; returns at once.

        Parameters
        ----------
        with_dataset
            False if the worker keeps this dataset from the job before.
        """

        def deliver() -> None:
            try:
                payloads = [wire.pack((params, inputs))]
                if with_dataset:
                    payloads.insert(0, wire.pack(dataset))
            except Exception as error:  # noqa: BLE001 - anything may hide in a plug-in's parameters
                self._post(self, ("unsendable", job_id, not_sendable(error)))
            else:
                wire.send(self._outbox, ("job", job_id, task.plain, with_dataset), *payloads)

        self._letters.put(deliver)

    def send_cancel(self, job_id: str) -> None:
        """Ask the worker to stop this job; returns at once."""
        self._letters.put(lambda: wire.send(self._outbox, ("cancel", job_id)))

    def kill(self) -> None:
        """End the process at once; "died" follows."""
        self._process.kill()
        self._letters.put(None)

    def join(self, timeout: float) -> None:
        """Wait until process and threads have ended."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout)

    def _write(self) -> None:
        try:
            while (letter := self._letters.get()) is not None:
                letter()
                # it holds the dataset, which may be of a session that is locked before the next one
                # comes
                letter = None
        except OSError:
            pass  # the reader notices, too
        finally:
            self._letters = queue.SimpleQueue()  # what was not sent is kept by nobody
            self._outbox.close()

    def _read(self) -> None:
        try:
            while self._inbox in wait([self._inbox, self._process.sentinel]):
                head, payloads = wire.receive(self._inbox)
                self._post(self, (*head, *payloads))
        except (EOFError, OSError):
            pass  # closed by the worker's end, perhaps in the middle of a message
        except MemoryError:
            # a result with no room for it: the rest of the message would be read as nonsense
            self._process.kill()
        self._process.join()
        code = self._process.exitcode
        self._letters.put(None)
        self._inbox.close()
        self._post(self, ("died", code))
