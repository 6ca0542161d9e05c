"""Locks of the session manager that tell in which order they are taken, and at which a test can
stop a thread.

Not a test.
"""

from __future__ import annotations

import graphlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gui.sessions import attempts, cache, crypto, entry, lazy, saver, table


class Recorder:
    """Which lock was asked for while which others were held, by any thread.

    ``before(lock)`` is called before a lock that this thread does not hold.
    """

    def __init__(self) -> None:
        self.before: Callable[[RecordedLock], None] = lambda lock: None
        self.waiting: Callable[[], None] = lambda: None
        """Called by a thread that is about to wait for a condition."""
        self._follows: dict[str, set[str]] = {}
        self._held = threading.local()

    @property
    def held(self) -> list[RecordedLock]:
        """What this thread holds."""
        if not hasattr(self._held, "locks"):
            self._held.locks = []
        found: list[RecordedLock] = self._held.locks
        return found

    def ask(self, lock: RecordedLock) -> None:
        if lock in self.held:
            return
        for other in self.held:
            self._follows.setdefault(lock.label, set()).add(other.label)
        self.before(lock)

    def seen(self) -> set[tuple[str, str]]:
        """(held, asked for) by kind."""
        return {(before, after) for after, found in self._follows.items() for before in found}

    def check(self) -> None:
        """AssertionError, with the ring, if two threads could wait for each other.

        Two locks of one kind are a ring, too.
        """
        for label, found in self._follows.items():
            assert label not in found, (
                f"a lock of the kind {label} is asked for while another one is held"
            )
        try:
            graphlib.TopologicalSorter(self._follows).prepare()
        except graphlib.CycleError as error:
            raise AssertionError(
                f"locks are taken in a ring: {' -> '.join(error.args[1])}"
            ) from None


class RecordedLock:
    """A re-entrant lock; also one that a condition can be made of."""

    def __init__(self, recorder: Recorder, label: str) -> None:
        self.recorder, self.label = recorder, label
        self.owner: int | None = None
        self._lock = threading.RLock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        self.recorder.ask(self)
        if not self._lock.acquire(blocking, timeout):
            return False
        self.owner = threading.get_ident()
        self.recorder.held.append(self)
        return True

    def release(self) -> None:
        held = self.recorder.held
        del held[len(held) - 1 - held[::-1].index(self)]
        if self not in held:
            self.owner = None
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: Any) -> None:
        self.release()

    def _is_owned(self) -> bool:
        return self in self.recorder.held

    def _release_save(self) -> int:
        count = self.recorder.held.count(self)
        for _ in range(count):
            self.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        for _ in range(count):
            self.acquire()


def record(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Every lock that the modules of the manager make from now on is recorded."""
    recorder = Recorder()

    class Condition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            recorder.waiting()
            return super().wait(timeout)

    class Threading:
        def __init__(self, label: str) -> None:
            self.label = label

        def __getattr__(self, name: str) -> Any:
            return getattr(threading, name)

        def RLock(self) -> RecordedLock:
            return RecordedLock(recorder, self.label)

        Lock = RLock

        def Condition(self, lock: Any = None) -> threading.Condition:
            return Condition(lock or self.RLock())

    for module, label in (
        (table, "manager"),
        (entry, "entry"),
        (cache, "session"),
        (saver, "saver"),
        (lazy, "values"),
        (attempts, "attempts"),
    ):
        monkeypatch.setattr(module, "threading", Threading(label))
    monkeypatch.setattr(crypto, "_one_at_a_time", RecordedLock(recorder, "deriving"))
    return recorder
