"""What is left in memory of a protected session that was locked: no object of it that anything
still reaches, and no key.
"""

from __future__ import annotations

import dataclasses
import gc
import secrets
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui import atomic
from gui.errors import SessionNotSaved
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from tests.sessions.samples import PASSWORD, Managers, filled
from tests.sessions.wiped import holders
from tests.waiting import until

A = Actor(browser="a")
pytestmark = pytest.mark.usefixtures("cheap")


def parts(value: Any, depth: int = 0) -> Iterator[Any]:
    """Every matrix, array and frame in a value."""
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index):
        yield value
    elif dataclasses.is_dataclass(value) and depth < 6:
        yield value
        for field in dataclasses.fields(value):
            yield from parts(getattr(value, field.name), depth + 1)
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from parts(one, depth + 1)


def references(session: DCXCache) -> list[weakref.ref[Any]]:
    content = session.snapshot()
    return [
        weakref.ref(one)
        for one in [*parts(content.dataset), *[p for run in content.runs for p in parts(run)]]
    ]


def protected(manager: SessionCacheManager, mark: str) -> str:
    session = filled(manager, f"Session {mark}", actor=A)
    session.notes = f"Notes {mark}"
    session.keep_form("dtd", {"text": f"value {mark}"})
    manager.protect_session(session.session_id, PASSWORD, hide_name=True, actor=A)
    return session.session_id


class Noting(bytearray):
    """A key that remembers what it was when it was thrown away."""

    last: bytes | None = None

    def clear(self) -> None:
        self.last = bytes(self)
        super().clear()


@pytest.mark.parametrize("emptied", [True, False], ids=["emptied", "control"])
@pytest.mark.parametrize("reopened", [True, False], ids=["read from its file", "as it was made"])
def test_nothing_of_a_locked_session_is_alive_and_its_key_is_overwritten(
    make: Managers, emptied: bool, reopened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: where the content is not let go of, it is found."""
    manager, kram = make(), secrets.token_hex(12)
    key = protected(manager, kram[::-1])  # the test itself keeps only the reverse
    if reopened:
        manager.close(actor=LOCAL)
        manager = make()
        manager.unlock_session(key, PASSWORD, actor=A)
    refs = references(manager.get_session(key, actor=A))
    assert len(refs) > 40
    assert holders(kram) != []
    entry = manager._table.entry(key)
    assert entry.session_key is not None
    held = entry.session_key._key = Noting(entry.session_key._key)
    assert any(held)
    if not emptied:
        monkeypatch.setattr(DCXCache, "empty", lambda self, loader, *, edits, name=None: True)
    manager.lock_session(key, actor=A)
    gc.collect()
    alive = [type(ref()).__name__ for ref in refs if ref() is not None]
    assert held.last == bytes(32)
    assert not held
    assert (alive == []) is emptied
    assert (holders(kram) == []) is emptied


def test_a_save_that_failed_before_keeps_nothing_of_it(
    make: Managers, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, kram = make(), secrets.token_hex(12)
    key = protected(manager, kram[::-1])
    with monkeypatch.context() as broken:
        broken.setattr(atomic, "replace", lambda *_: (_ for _ in ()).throw(OSError(5, "broken")))
        manager.get_session(key, actor=A).notes = f"Notes again {kram[::-1]}"
        until(lambda: manager.save_state(key, actor=A)[0] == "not saved")
        with pytest.raises(SessionNotSaved):
            manager.lock_session(key, actor=A)
    refs = references(manager.get_session(key, actor=A))
    manager.lock_session(key, actor=A)
    gc.collect()
    assert [type(ref()).__name__ for ref in refs if ref() is not None] == []
    assert holders(kram) == []


@pytest.mark.parametrize("how", ["archive", "delete", "close", "idle"])
def test_the_other_ways_to_lock_leave_as_little(make: Managers, how: str) -> None:
    manager, kram = make(), secrets.token_hex(12)
    key = protected(manager, kram[::-1])
    refs = references(manager.get_session(key, actor=A))
    ways = {
        "archive": lambda: manager.archive_session(key, actor=A),
        "delete": lambda: manager.delete_session(key, actor=A),
        "close": lambda: manager.close(actor=LOCAL),
        "idle": lambda: manager.lock_idle(-1, actor=LOCAL),
    }
    ways[how]()
    gc.collect()
    assert [type(ref()).__name__ for ref in refs if ref() is not None] == []
    assert holders(kram) == []
