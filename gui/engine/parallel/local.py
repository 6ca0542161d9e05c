"""Tasks over the cores of this computer, in processes that stay for the next call."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading
from collections import Counter
from multiprocessing.connection import wait
from pathlib import Path

from gui.data.memory import available_memory
from gui.engine.compute_settings import ComputeSettings
from gui.engine.parallel import child
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
from gui.jobs import wire
from gui.jobs.failure import not_returnable
from gui.jobs.taskref import TaskRef
from gui.logs import get_logger

IDLE = 180.0
"""Seconds after which processes that nobody used end, so that their memory goes back."""
LOADED = 2e8
"""Bytes that a process takes with NumPy, SciPy and the solvers loaded."""
MOST = 60 if sys.platform == "win32" else 1024
"""Windows waits for 63 things at once at most."""
log = get_logger(__name__)


def run(
    cores: int,
    setting: ComputeSettings,
    task: TaskRef,
    packed_items: list[SerializedValue],
    shared: SerializedValue,
    collector: ResultCollector,
    caller: Caller,
) -> None:
    """Fill the collector; leave it unchanged if no process can be started.

    What the caller raises goes out, and what was running is dead then.
    """
    _pool.run(min(cores, MOST), setting, task, packed_items, shared, collector, caller)


def allowed_cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the number of cores that affinity and container leave to this process."""
    found = [
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ]
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        quota, period = (groups / "cpu.max").read_text().split()
        found.append(int(quota) // int(period))
    # the older kind of containers: -1 without a limit
    with contextlib.suppress(OSError, ValueError):
        limit = int((groups / "cpu" / "cpu.cfs_quota_us").read_text())
        found += (
            [limit // int((groups / "cpu" / "cpu.cfs_period_us").read_text())] if limit > 0 else []
        )
    return max(1, min(found))


def affordable(cores: int, memory: float) -> int:
    """Return how many of ``cores`` processes fit into the free memory, at least one."""
    free = available_memory()
    return cores if free is None else max(1, min(cores, int(free / (LOADED + memory))))


class Child:
    """The parent's end of one process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        inbox, self._outbox = context.Pipe(duplex=False)
        self.inbox, outbox = context.Pipe(duplex=False)
        self.index: int | None = None
        """Of the item it computes."""
        self.ready = self.has_shared = False
        self._process = context.Process(
            target=child.main, args=(inbox, outbox), name="deconomix-task", daemon=True
        )
        try:
            self._process.start()
        except BaseException:
            self._close()
            raise
        finally:
            inbox.close()
            outbox.close()  # or its end could not be seen
        self.pid = self._process.pid or 0

    def send(self, head: tuple[object, ...], *payloads: wire.Packed) -> bool:
        """False if it has died. Called when it listens only, so that this never waits for it."""
        try:
            wire.send(self._outbox, head, *payloads)
        except OSError:
            return False
        return True

    def end(self) -> None:
        """At once, and wait for it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._close()

    def _close(self) -> None:
        self.inbox.close()
        self._outbox.close()


class Pool:
    """The processes of this one; one call at a time uses them."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._using = threading.Lock()
        self._user: int | None = None
        self._timer: threading.Timer | None = None

    def run(
        self,
        cores: int,
        setting: ComputeSettings,
        task: TaskRef,
        packed_items: list[SerializedValue],
        shared: SerializedValue,
        collector: ResultCollector,
        caller: Caller,
    ) -> None:
        if self._user == threading.get_ident():
            return  # called out of on_step: in this process then
        while not self._using.acquire(timeout=POLL):
            caller.check()
        try:
            self._user = threading.get_ident()
            if self._timer is not None:
                self._timer.cancel()
            Call(self.children, cores, setting, task, packed_items, shared, collector, caller).run()
        finally:
            self._timer = threading.Timer(IDLE, self._end_idle)
            self._timer.daemon = True
            self._timer.start()
            self._user = None
            self._using.release()

    def _end_idle(self) -> None:
        if self._using.acquire(blocking=False):
            try:
                while self.children:
                    self.children.pop().end()
            finally:
                self._using.release()


class Call:
    """One call of :func:`run`."""

    def __init__(
        self,
        children: list[Child],
        cores: int,
        setting: ComputeSettings,
        task: TaskRef,
        packed_items: list[SerializedValue],
        shared: SerializedValue,
        collector: ResultCollector,
        caller: Caller,
    ) -> None:
        self._children, self._cores, self._engine, self._task = (
            children,
            cores,
            setting.engine,
            task,
        )
        self._packed_items, self._shared, self._collector, self._caller = (
            packed_items,
            shared,
            collector,
            caller,
        )
        self._waiting = list(range(len(packed_items)))
        self._lost: Counter[int] = Counter()
        self._stillborn = 0

    def run(self) -> None:
        try:
            while not self._collector.complete:
                self._caller.check()
                self._fill()
                if not self._used:
                    return  # no process can be started
                for one in [one for one in self._used if one.ready and one.index is None]:
                    self._hand_out(one)
                inboxes = {one.inbox: one for one in self._used}
                for inbox in wait(list(inboxes), POLL):
                    one = inboxes[inbox]  # type: ignore[index]
                    if one in self._children:  # and was not ended by what another one said
                        self._hear(one)
        finally:
            for one in list(self._children):
                if one.index is not None:
                    self._end(one)
                elif one.has_shared:
                    one.has_shared = False
                    if not one.send(("forget",)):
                        self._end(one)

    @property
    def _used(self) -> list[Child]:
        return self._children[: self._cores]

    def _fill(self) -> None:
        busy = sum(one.index is not None for one in self._used)
        while len(self._children) < min(self._cores, busy + len(self._waiting)):
            try:
                self._children.append(Child())
            except OSError as error:
                log.warning("a process for tasks could not be started: %s", error)
                return
            self._caller.check()

    def _hand_out(self, one: Child) -> None:
        self._waiting = [index for index in self._waiting if self._collector.wants(index)]
        if not self._waiting:
            return
        one.index = self._waiting.pop(0)
        alive = one.has_shared or one.send(("shared", self._engine), self._shared.parts)
        one.has_shared = True
        if not (
            alive
            and one.send(("run", one.index, self._task.plain), self._packed_items[one.index].parts)
        ):
            self._on_died(one)

    def _hear(self, one: Child) -> None:
        try:
            (what, *values), payloads = wire.receive(one.inbox)
        # no room for the result; the rest of the message would be read as nonsense
        except MemoryError as error:
            index = one.index
            self._end(one)
            if index is not None:
                self._fail(index, error)
        except (EOFError, OSError):
            self._on_died(one)
        else:
            if what == "ready":
                one.ready = True
            elif what == "step":
                self._caller.step(*values)
            else:
                one.index = None
                if what == "done":
                    self._on_done(values[0], payloads[0])
                else:
                    self._fail(values[0], decode_error(values[1]))

    def _on_done(self, index: int, packed: wire.Packed) -> None:
        try:
            self._collector.put(index, SerializedValue(packed).take())
        except MemoryError as error:
            self._fail(index, error)
        except Exception as error:  # noqa: BLE001 - pickle raises many kinds
            self._fail(index, not_returnable(error))

    def _fail(self, index: int, error: BaseException) -> None:
        self._collector.fail(index, error)
        for one in [
            one
            for one in self._children
            if one.index is not None and not self._collector.wants(one.index)
        ]:
            self._end(one)

    def _on_died(self, one: Child) -> None:
        index = one.index
        log.warning("process %d for tasks ended unexpectedly", one.pid)
        self._end(one)
        if index is not None:
            self._lost[index] += 1
            if self._lost[index] >= TRIES:
                self._fail(index, process_lost())
            else:
                self._waiting.insert(0, index)
        elif not one.ready:
            self._stillborn += 1
            if self._stillborn >= TRIES:
                raise JobError(
                    "The processes that compute this step end as soon as they start.",
                    advice="Write cores = 1 in [compute] of the configuration.",
                )

    def _end(self, one: Child) -> None:
        self._children.remove(one)
        one.end()


_pool = Pool()
