"""Tasks on a Dask cluster. The only module that imports Dask, when it is called."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import pickle
import queue
import secrets
import threading
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from gui.engine.compute_settings import ComputeSettings
from gui.engine.parallel import remote
from gui.engine.parallel.calls import (
    POLL,
    TRIES,
    Caller,
    ResultCollector,
    decode_error,
    process_lost,
)
from gui.engine.parallel.serialized_value import SerializedValue
from gui.errors import JobError
from gui.jobs.taskref import TaskRef
from gui.logs import get_logger

CONNECT = 8.0
"""Seconds the scheduler has to answer."""
ANSWER = 60.0
"""Seconds in which all workers must say their versions: they may have to load our packages for
that.
"""
WORKERS = 15.0
"""Seconds until there must be a worker."""
LOST = 60.0
"""Seconds that a running step waits for the scheduler, or for a worker, to come back."""
LOOK = 2.0
"""Seconds between two looks at whether they are there."""
TURNS = 6
"""Times that an item is handed in whose workers were lost before it began."""
CLOSING = 5.0
"""Seconds to take leave in; then that goes on in the background."""
_WITHOUT = (
    "Ask the administrator of the cluster, or remove scheduler from [compute] in the"
    " configuration to compute on this computer."
)
log = get_logger(__name__)


def run(
    setting: ComputeSettings,
    task: TaskRef,
    packed_items: list[SerializedValue],
    shared: SerializedValue,
    collector: ResultCollector,
    caller: Caller,
) -> None:
    """Fill the collector.

    What the caller raises goes out, and no task runs on then; JobError if the cluster cannot be
    used.
    """
    connection = Connection(setting, task, packed_items, shared, collector)
    try:
        while not collector.complete:
            caller.check()
            with contextlib.suppress(queue.Empty):
                what, *values = connection.events.get(timeout=POLL)
                if what == "trouble":
                    raise values[0]
                if what == "failed":
                    collector.fail(*values)
                    connection.release()
                elif what == "done":
                    collector.put(*values)
                elif collector.wants(values[0]):
                    caller.step(*values)
    finally:
        connection.end()


class Connection:
    """To the cluster, for one call.

    All that waits for the network does so in a thread with an event loop, so that the caller never
    does.
    """

    def __init__(
        self,
        setting: ComputeSettings,
        task: TaskRef,
        packed_items: list[SerializedValue],
        shared: SerializedValue,
        collector: ResultCollector,
    ) -> None:
        assert setting.scheduler is not None
        self.events: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        """("step", index, value), ("done", index, result), ("failed", index, error) or, where the
        cluster cannot be used, ("trouble", error).
        """
        self._address, self._engine, self._task = setting.scheduler, setting.engine, task
        self._packed_items, self._shared, self._collector = packed_items, shared, collector
        self._name = f"deconomix-{secrets.token_hex(8)}"
        self._client: Any = None
        self._held: Any = None
        self._futures: dict[int, Any] = {}
        self._begun: Counter[int] = Counter()
        self._closing = False
        self._followers: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._session = self._loop.create_task(self._hold_session())
        self._thread = threading.Thread(target=self._drive, name="cluster", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Let go of every task that is no longer wanted."""
        self._tell(self._release)

    def end(self) -> None:
        """Let go of every task; what runs ends at its next step."""
        self._tell(self._cancel)
        self._thread.join(CLOSING)

    def _tell(self, what: Callable[[], Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(what)

    def _cancel(self) -> None:
        if not self._closing:  # else it is taking leave already
            self._session.cancel()

    # -- in the thread
    # ----------------------------------------------------------------------------------------------
    def _drive(self) -> None:
        with (
            asyncio.Runner(loop_factory=lambda: self._loop) as runner,
            contextlib.suppress(asyncio.CancelledError),
        ):
            runner.run(self._wait())

    async def _wait(self) -> None:
        await self._session

    async def _hold_session(self) -> None:
        try:
            await self._connect()
            await self._refuse_other_versions()
            await self._submit()
            await self._watch()
        except JobError as error:
            self.events.put(("trouble", error))
        except Exception as error:
            log.exception("on the cluster")
            self.events.put(("trouble", _unusable(self._address, type(error).__name__)))
        finally:
            await self._close()

    async def _connect(self) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError:
            raise JobError(
                "Computing on a cluster needs the package distributed, which is not installed.",
                advice=(
                    "Install it (pip install distributed), or remove scheduler from [compute] in"
                    " the configuration."
                ),
            ) from None
        # It warns of other versions of itself; what matters of versions we say ourselves.
        warnings.filterwarnings(
            "ignore",
            category=importlib.import_module("distributed.versions").VersionMismatchWarning,
        )
        try:
            self._client = distributed.Client(
                self._address,
                asynchronous=True,
                timeout=CONNECT,
                name="deconomix",
                set_as_default=False,
            )
            await _within(CONNECT, self._client)
        except Exception as error:  # noqa: BLE001 - from the network, or from whoever answers there
            log.warning("no scheduler: %s", error)
            raise JobError(
                f"No Dask scheduler answers at {self._address}.", advice=f"Start it. {_WITHOUT}"
            ) from None
        until = time.monotonic() + WORKERS
        while not await self._workers():
            if time.monotonic() > until:
                raise _no_workers(self._address)
            await asyncio.sleep(0.2)

    async def _workers(self) -> dict[str, int]:
        """Address -> threads. An exception: the scheduler does not answer."""
        return dict(await _within(CONNECT, self._client.scheduler.ncores(workers=None)))

    async def _refuse_other_versions(self) -> None:
        here = remote.versions()
        try:
            scheduler = await _within(ANSWER, self._client.run_on_scheduler(remote.program))
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - Dask does not keep the kind of an ImportError
            raise _not_installed(self._address) from None
        if scheduler != remote.program():
            raise remote.other_versions(
                {"its scheduler": {**here, "DeconomiX GUI": scheduler}}, here
            )
        found = await _within(ANSWER, self._client.run(remote.versions, on_error="return"))
        # or it is gone again
        known = {
            worker: answer for worker, answer in found.items() if not isinstance(answer, OSError)
        }
        for worker, answer in known.items():
            if isinstance(answer, Exception):
                raise _not_installed(str(worker))
        if differ := {worker: answer for worker, answer in known.items() if answer != here}:
            raise remote.other_versions(differ, here)

    async def _submit(self) -> None:
        # The scheduler forgets what was said under a client's id soon after the client.
        self._client.subscribe_topic(self._client.id, self._on_event)
        # Dealt out, or all would wait for the worker that holds the shared data first. Others may
        # have them: idle ones, and any if one is lost.
        workers = await self._workers()
        places = [
            worker
            for turn in range(max(workers.values(), default=0))
            for worker, threads in workers.items()
            if threads > turn
        ]
        for index in range(len(self._packed_items)):
            follower = self._loop.create_task(
                self._follow(index, places[index % len(places)] if places else None)
            )
            self._followers.add(follower)
            follower.add_done_callback(self._followers.discard)

    def _send_shared(self) -> Any:
        """The shared data as a future.

        As a task and not scattered: Dask can make a task's result again when the worker that held
        it is lost.
        """
        if self._held is None or self._held.status == "error":
            key = f"{self._name}-shared-{secrets.token_hex(2)}"
            with importlib.import_module("dask").config.set(
                {"distributed.admin.large-graph-warning-threshold": "1PB"}
            ):
                self._held = self._client.submit(remote.hold, self._shared, key=key, pure=False)
        return self._held

    def _submit_one(self, index: int, turn: int, place: str | None) -> Any:
        key = f"{self._name}-{index}-{turn}"
        order = remote.TaskSpec(
            key,
            index,
            self._client.id,
            self._task.module,
            self._task.qualname,
            self._packed_items[index],
            remote.versions(),
            self._engine,
        )
        where = {"workers": [place], "allow_other_workers": True} if place else {}
        return self._client.submit(
            remote.perform,
            self._send_shared(),
            SerializedValue.of(order),
            key=key,
            pure=False,
            priority=-index,
            **where,
        )

    async def _follow(self, index: int, place: str | None) -> None:
        """Have one item computed, and pass its outcome on."""
        for turn in range(TURNS):
            try:
                future = self._futures[index] = self._submit_one(
                    index, turn, place if turn == 0 else None
                )
                status, found, reports = (await future).open()
                break
            except Exception as error:  # noqa: BLE001 - of Dask, not of the task
                if not self._collector.wants(index):
                    return
                # Dask blames a lost worker on all tasks that were waiting there. What was begun
                # less often than it may be is innocent so far.
                if (
                    type(error).__name__ != "KilledWorker"
                    or self._begun[index] >= TRIES
                    or turn == TURNS - 1
                ):
                    self.events.put(self._explained(index, error))
                    return
        self._futures.pop(index, None)  # or the cluster would keep the result until the end
        for value in reports:
            self.events.put(("step", index, value))
        try:
            self.events.put(
                ("failed", index, decode_error(found))
                if status == "failed"
                else ("done", index, found.take())
            )
        except Exception as error:  # noqa: BLE001 - pickle raises many kinds
            self.events.put(("failed", index, error))

    async def _watch(self) -> None:
        """Say so when the scheduler or all workers stay away."""
        seen = time.monotonic()
        alone = False
        while True:
            await asyncio.sleep(LOOK)
            try:
                alone = not await self._workers()
            except Exception:  # noqa: BLE001 - whatever it is, the scheduler does not answer
                alone = False
            else:
                if not alone:
                    seen = time.monotonic()
            if time.monotonic() - seen > LOST:
                raise _no_workers(self._address) if alone else _gone(self._address)

    def _on_event(self, event: tuple[float, Any]) -> None:
        message = event[1]
        if not isinstance(message, dict) or "index" not in message:
            return  # of Dask's own
        if "began" in message:
            self._begun[message["index"]] += 1
        else:
            for value in pickle.loads(message["reports"]):  # noqa: S301 - from a worker, which Dask trusts like ourselves
                self.events.put(("step", message["index"], value))

    def _explained(self, index: int, error: Exception) -> tuple[Any, ...]:
        """Why Dask has no result, as an event."""
        kind = type(error).__name__
        log.warning("the cluster has no result for a task: %s", kind)
        if kind == "KilledWorker":
            return ("failed", index, process_lost())
        # by Dask: the scheduler is gone, or another one is there now
        if "Cancelled" in kind or "Closed" in kind:
            return ("trouble", _gone(self._address))
        if isinstance(error, ImportError):
            return ("trouble", _not_installed(self._address))
        return ("trouble", _unusable(self._address, kind))

    def _release(self) -> None:
        for index, future in list(self._futures.items()):
            if not self._collector.wants(index):
                self._futures.pop(index)
                future.release()

    async def _close(self) -> None:
        self._closing = True
        for follower in list(self._followers):
            follower.cancel()
        self._futures.clear()
        self._held = None
        if self._client is not None:
            with contextlib.suppress(Exception):
                await _within(CLOSING, self._client.close())


async def _within(seconds: float, what: Awaitable[Any]) -> Any:
    """Await a result; raise TimeoutError even where it ignores a cancel, as parts of Dask do."""

    async def wait() -> Any:
        return await what

    task = asyncio.ensure_future(wait())
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    if not done:
        raise TimeoutError
    return task.result()


def _no_workers(address: str) -> JobError:
    return JobError(f"The cluster at {address} has no workers.", advice=f"Start some. {_WITHOUT}")


def _gone(address: str) -> JobError:
    return JobError(
        f"The connection to the cluster at {address} was lost.",
        advice=f"Start the step again. {_WITHOUT}",
    )


def _not_installed(where: str) -> JobError:
    return JobError(
        f"This program is not installed on a computer of the cluster ({where}).",
        advice=(
            "Install the same version of it there, or remove scheduler from [compute] in the"
            " configuration."
        ),
    )


def _unusable(address: str, kind: str) -> JobError:
    return JobError(
        f"The cluster at {address} cannot be used ({kind}); the log has details.", advice=_WITHOUT
    )
