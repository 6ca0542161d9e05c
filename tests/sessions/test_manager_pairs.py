"""Every method of the manager against every other one, one of them stopped before each lock it
takes: nothing is lost, doubled, or stands still.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import queue
import shutil
import sys
import threading
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gui.errors import DeconomixError
from gui.sessions import file
from gui.sessions.entry import Entry
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from tests.sessions.conftest import make_cheap
from tests.sessions.locks import RecordedLock, Recorder, record
from tests.sessions.samples import ID, PASSWORD, rich, tiny

WATCHDOG = 60.0
"""Seconds after which a thread counts as standing still; never reached where all is well."""


@dataclass
class World:
    """A manager with one session in some state, and another one beside."""

    manager: SessionCacheManager
    key: str
    folder: Path
    export: Path


Act = Callable[[World], object]


def _archive_beside(w: World) -> object:
    return w.manager.cleanup_sessions(actor=LOCAL, max_sessions=0)


def _trim(w: World) -> object:
    with w.manager._table.lock:
        for entry in w.manager._table.active.values():
            entry.shown = float("-inf")
    return w.manager.trim_memory(0, actor=LOCAL)


def _look(w: World) -> object:
    m = w.manager
    found = [*m.list_sessions(actor=LOCAL), *m.list_archived_sessions(actor=LOCAL)]
    return (
        found,
        m.list_deleted_sessions(actor=LOCAL),
        m.pending(actor=LOCAL),
        m.free_name("S", actor=LOCAL),
        m.info(w.key, actor=LOCAL),
    )


def _poll(w: World) -> object:
    m, key = w.manager, w.key
    m.touch(key, actor=LOCAL)
    m.job_ended(key, "job", actor=LOCAL)
    return (
        m.is_locked(key, actor=LOCAL),
        m.save_state(key, actor=LOCAL),
        m.lock_idle(1e9, actor=LOCAL),
    )


def _change(w: World) -> None:
    session = w.manager.get_session_cache(w.key, actor=LOCAL)
    session.notes += "x"


ACTS: dict[str, tuple[str, Act]] = {
    "create_session": (
        "active",
        lambda w: w.manager.create_session(w.manager.free_name("A", actor=LOCAL), actor=LOCAL),
    ),
    "get_session_cache": ("active", _change),
    "get_session": ("active", lambda w: w.manager.get_session(w.key, actor=LOCAL).runs()),
    "save_session": ("active", lambda w: w.manager.save_session(w.key, actor=LOCAL)),
    "reload_session": ("active", lambda w: w.manager.reload_session(w.key, actor=LOCAL)),
    "rename_session": ("active", lambda w: w.manager.rename_session(w.key, "B", actor=LOCAL)),
    "duplicate_session": ("active", lambda w: w.manager.duplicate_session(w.key, actor=LOCAL)),
    "add_run": ("active", lambda w: w.manager.add_run(w.key, RUN, actor=LOCAL)),
    "delete_session": ("active", lambda w: w.manager.delete_session(w.key, actor=LOCAL)),
    "delete_session of an archived one": (
        "archived",
        lambda w: w.manager.delete_session(w.key, actor=LOCAL),
    ),
    "undo_delete": ("deleted", lambda w: w.manager.undo_delete(w.key, actor=LOCAL)),
    "the time to undo is over": ("deleted", lambda w: w.manager._lifecycle.purge(w.key)),
    "archive_session": ("active", lambda w: w.manager.archive_session(w.key, actor=LOCAL)),
    "restore_session": ("archived", lambda w: w.manager.restore_session(w.key, actor=LOCAL)),
    "cleanup_sessions": ("active", _archive_beside),
    "trim_memory": ("active", _trim),
    "close": ("active", lambda w: w.manager.close(actor=LOCAL, timeout=WATCHDOG)),
    "protect_session": (
        "active",
        lambda w: w.manager.protect_session(w.key, PASSWORD, actor=LOCAL),
    ),
    "unlock_session": ("locked", lambda w: w.manager.unlock_session(w.key, PASSWORD, actor=LOCAL)),
    "lock_session": ("protected", lambda w: w.manager.lock_session(w.key, actor=LOCAL)),
    "lock_idle": ("protected", lambda w: w.manager.lock_idle(-1, actor=LOCAL)),
    "forget_browser": ("protected", lambda w: w.manager.forget_browser(actor=LOCAL)),
    "archive_session of a protected one": (
        "protected",
        lambda w: w.manager.archive_session(w.key, actor=LOCAL),
    ),
    "duplicate_session of a protected one": (
        "protected",
        lambda w: w.manager.duplicate_session(w.key, actor=LOCAL),
    ),
    "change_password": (
        "protected",
        lambda w: w.manager.change_password(w.key, PASSWORD, "another long password", actor=LOCAL),
    ),
    "reencrypt_session": (
        "protected",
        lambda w: w.manager.reencrypt_session(w.key, PASSWORD, PASSWORD, actor=LOCAL),
    ),
    "remove_password": (
        "protected",
        lambda w: w.manager.remove_password(w.key, PASSWORD, actor=LOCAL),
    ),
    "export_session": (
        "active",
        lambda w: w.manager.export_session(w.key, actor=LOCAL, pseudonyms=True),
    ),
    "redirect_session": (
        "active",
        lambda w: w.manager.redirect_session(w.key, w.folder, actor=LOCAL),
    ),
    "import_session": ("archived", lambda w: w.manager.import_session(w.export, actor=LOCAL)),
    "import_session of a deleted one": (
        "deleted",
        lambda w: w.manager.import_session(w.export, actor=LOCAL),
    ),
    "import_session of a new one": (
        "none",
        lambda w: w.manager.import_session(w.export, actor=LOCAL),
    ),
    "salvage_session": ("damaged", lambda w: w.manager.salvage_session(w.key, actor=LOCAL)),
    "restore_backup": ("damaged", lambda w: w.manager.restore_backup(w.key, actor=LOCAL)),
    "list_sessions, list_archived_sessions, list_deleted_sessions, pending, free_name, info": (
        "active",
        _look,
    ),
    "touch, job_ended, is_locked, save_state": ("protected", _poll),
}
RUN = next(run for run in rich().runs if run.kind == "cells")
STATES = ("active", "archived", "deleted", "protected", "locked", "damaged", "none")


def test_every_public_method_is_among_them() -> None:
    methods = {
        name
        for name, _ in inspect.getmembers(SessionCacheManager, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods == methods & {word.strip(",") for name in ACTS for word in name.split()}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each state a folder with the sessions' files, and an export of the one."""
    found = {}
    patch = pytest.MonkeyPatch()
    make_cheap(patch)
    for state in STATES:
        folder = found[state] = tmp_path_factory.mktemp(state)
        source = folder / "export.dcxsession"
        file.save(source, tiny("as exported"), expected_generation=None)
        manager = SessionCacheManager(folder / "data")
        manager.create_session("beside", actor=LOCAL)
        if state != "none":
            manager.import_session(source, actor=LOCAL)
        if state in ("protected", "locked"):
            manager.protect_session(ID, PASSWORD, actor=LOCAL)
        if state == "archived":
            manager.archive_session(ID, actor=LOCAL)
        manager.close(actor=LOCAL)
        if state == "damaged":
            path = folder / "data" / "sessions" / file.file_name(ID)
            file.keep_backup(path, path.parent / "backups")
            whole = path.read_bytes()
            path.unlink()
            path.write_bytes(whole[: len(whole) * 9 // 10])
    patch.undo()
    return found


def world(templates: dict[str, Path], state: str, folder: Path) -> World:
    shutil.copytree(templates[state], folder)
    manager = SessionCacheManager(folder / "data", backups=False)
    key = ID
    if state == "deleted":
        manager.delete_session(key, actor=LOCAL)
    elif state == "protected":
        manager.unlock_session(key, PASSWORD, actor=LOCAL)
    elif state == "damaged":
        [key] = [
            i.session_id
            for i in manager.list_sessions(actor=LOCAL)
            if i.name != "beside" and i.holds_data
        ]
        with contextlib.suppress(DeconomixError):
            manager.get_session(key, actor=LOCAL)
    return World(manager, key, folder, folder / "export.dcxsession")


class Interleaved:
    """Runs one act up to a lock, then another one as far as it gets, then the rest of both."""

    def __init__(self, recorder: Recorder, w: World) -> None:
        self.world, self._recorder = w, recorder
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._resume = threading.Event()
        self._first: threading.Thread | None = None
        self._second: threading.Thread | None = None
        self.points = 0
        self.errors: list[BaseException] = []

    def run(self, first: Act, second: Act | None, at: int) -> None:
        """at : the first one is stopped before the lock of this number that it takes; ``points``
        counts them
        """

        def before(lock: RecordedLock) -> None:
            here = threading.current_thread()
            if here is self._first and lock.label in ("entry", "manager"):
                self.points += 1
                if self.points == at:
                    self._events.put("stopped")
                    assert self._resume.wait(WATCHDOG), "nobody went on"
            elif (
                here is self._second and self._first is not None and lock.owner == self._first.ident
            ):
                self._events.put("waits")

        def waiting() -> None:
            if threading.current_thread() is self._second:
                self._events.put("waits")

        self._recorder.before, self._recorder.waiting = before, waiting
        self._first = threading.Thread(target=self._do, args=(first, "first is done"), daemon=True)
        self._second = (
            threading.Thread(target=self._do, args=(second, "second is done"), daemon=True)
            if second is not None
            else None
        )
        self._first.start()
        self._next()
        if self._second is not None:
            self._second.start()
            self._next()
        self._resume.set()
        for thread in filter(None, (self._first, self._second)):
            thread.join(WATCHDOG)
            assert not thread.is_alive(), f"a deadlock:\n{stacks()}"
        self._recorder.before, self._recorder.waiting = (lambda lock: None), (lambda: None)

    def _next(self) -> None:
        try:
            self._events.get(timeout=WATCHDOG)
        except queue.Empty:
            pytest.fail(f"a deadlock:\n{stacks()}")

    def _do(self, act: Act, done: str) -> None:
        try:
            act(self.world)
        except DeconomixError:  # a refusal, as the state of things may give
            pass
        except BaseException as error:  # noqa: BLE001 - the test says it
            self.errors.append(error)
        finally:
            self._events.put(done)


def stacks() -> str:
    return "\n".join(
        "".join(traceback.format_stack(frame)[-8:]) for frame in sys._current_frames().values()
    )


def check(w: World, *, closed: bool, redirected: bool) -> None:
    """What is always true when nothing is under way. redirected : the session's old file stays
    where it was
    """
    m = w.manager
    assert closed or m._writer.saver.flush(WATCHDOG)
    assert not m._table.reserved
    assert not m._table.arriving
    trash: dict[str, Entry] = {key: entry for key, (entry, _) in m._table.trash.items()}
    lists = {"sessions": m._table.active, "archive": m._table.archived, "trash": trash}
    keys = [key for found in lists.values() for key in found]
    assert len(keys) == len(set(keys)), "a session is in two lists"
    on_disk = {
        p
        for p in (*(w.folder / "data").rglob("*.dcxsession"), *w.folder.glob("2*.dcxsession"))
        if p.parent.name != "backups"
    }
    known = [
        entry.path for found in lists.values() for entry in found.values() if entry.path is not None
    ]
    if redirected:
        on_disk -= {w.folder / "data" / "sessions" / file.file_name(ID)} - set(known)
    assert sorted(known) == sorted(on_disk), "list and files do not agree"
    names = [
        i.name.casefold()
        for i in (*m.list_sessions(actor=LOCAL), *m.list_archived_sessions(actor=LOCAL))
    ]
    assert len(names) == len(set(names)), "two sessions have one name"
    for place, found in lists.items():
        for key, entry in found.items():
            _check_entry(key, place, entry, w, closed=closed)


def _check_entry(key: str, place: str, entry: Entry, w: World, *, closed: bool) -> None:
    assert entry.session.session_id == key
    assert (entry.session_key is not None) <= (place == "sessions" and bool(entry.unlocked)), (
        "a key is left of a session that is locked"
    )
    if entry.encrypted and entry.session_key is None:
        assert entry.session.in_memory() is None or closed, (
            "a session is locked, and its content in memory"
        )
    if entry.problem is not None or entry.path is None:
        return
    assert entry.path.parent in (w.folder, w.folder / "data" / place)
    header = file.read_header(entry.path)
    assert (header.id, header.generation, header.encrypted) == (
        key,
        entry.generation,
        entry.encrypted,
    )
    if place == "sessions" and not closed:
        assert header.name == entry.session.name or not entry.session.loaded
        assert not entry.dirty


def play(
    recorder: Recorder,
    templates: dict[str, Path],
    folder: Path,
    first: str,
    second: str | None,
    at: int,
) -> int:
    """One run of two acts; how many points there were to stop the first one at."""
    state, act = ACTS[first]
    w = world(templates, state, folder)
    run = Interleaved(recorder, w)
    try:
        run.run(act, ACTS[second][1] if second is not None else None, at)
        where = f"{first} stopped at {at}, {second}"
        assert not run.errors, f"{where}: {run.errors}"
        try:
            check(
                w,
                closed="close" in (first, second),
                redirected="redirect_session" in (first, second),
            )
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
    finally:
        assert w.manager.close(actor=LOCAL, timeout=WATCHDOG) or "close" in (first, second)
        shutil.rmtree(folder)
    return run.points


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, cheap: None) -> Recorder:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return record(monkeypatch)


@pytest.mark.parametrize("old", [False, True], ids=["as it is", "control"])
def test_locks_are_taken_in_one_order(
    old: bool,
    recorder: Recorder,
    templates: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over a run of every method.

    Positive control: a rename that loads the session under the manager's lock is found, without any
    deadlock.
    """

    def rename(self: SessionCacheManager, session_id: str, name: str, *, actor: Actor) -> None:
        session = self._table.entry(session_id).session
        with self._table.lock:
            session.name = name

    if old:
        monkeypatch.setattr(SessionCacheManager, "rename_session", rename)
    for act in ACTS:
        play(recorder, templates, tmp_path / "w", act, None, 0)
    assert {("entry", "manager"), ("entry", "session"), ("session", "saver")} <= recorder.seen()
    if old:
        with pytest.raises(
            AssertionError, match=r"in a ring: .*manager.*entry|in a ring: .*entry.*manager"
        ):
            recorder.check()
    else:
        recorder.check()
        assert not {after for before, after in recorder.seen() if before == "manager"} - {
            "session",
            "saver",
        }, "something is read under the manager's lock"


def tried(first: str, second: str, points: int, *, every: bool) -> list[int]:
    """Where the first act is stopped: at every lock it takes, or at one of them, for each second
    act at another one.
    """
    one = 1 + zlib.crc32(f"{first} {second}".encode()) % max(1, points)
    return [at for at in range(1, points + 1) if every or at == one]


@pytest.mark.parametrize(
    "every",
    [pytest.param(True, marks=pytest.mark.slow), False],
    ids=["at every lock", "at one lock"],
)
@pytest.mark.parametrize("first", ACTS)
def test_no_two_acts_lose_or_double_a_session_or_stand_still(
    first: str, every: bool, recorder: Recorder, templates: dict[str, Path], tmp_path: Path
) -> None:
    points = play(recorder, templates, tmp_path / "w", first, None, 0)
    for second in ACTS:
        for at in tried(first, second, points, every=every):
            play(recorder, templates, tmp_path / "w", first, second, at)
    recorder.check()
