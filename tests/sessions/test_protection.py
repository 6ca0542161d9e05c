"""Protected sessions: who may see what, and what passwords do.

An unlock belongs to the browser that gave the password.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui import atomic
from gui.engine.results import Run
from gui.errors import (
    DamagedSession,
    DeconomixError,
    DefaultSession,
    InvalidParameter,
    SessionConflict,
    SessionError,
    SessionLocked,
    SessionNotSaved,
    WrongPassword,
)
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import SessionKey
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from tests.sessions.guarded import OTHER, A, B, opens, path_of, protected
from tests.sessions.hostile import members
from tests.sessions.samples import MARKER, PASSWORD, Managers, filled, rich, same
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("cheap")


# ------------------------------------------------------------------------------------ who sees what


@pytest.mark.parametrize("hide", [False, True], ids=["name shown", "name hidden"])
def test_another_browser_sees_only_the_lock(make: Managers, hide: bool) -> None:
    manager = make()
    key = protected(manager, "Melanoma", hide=hide)
    for other in (B, LOCAL):
        for info in (
            manager.info(key, actor=other),
            next(i for i in manager.list_sessions(actor=other) if i.session_id == key),
        ):
            assert (info.locked, info.protected, info.contents, info.reason) == (
                True,
                True,
                {},
                None,
            )
            assert ("Melanoma" in repr(info)) is not hide
            assert MARKER not in repr(info)
        assert manager.save_state(key, actor=other) == ("memory", None)
        assert manager.is_locked(key, actor=other)
        with pytest.raises(SessionLocked) as caught:
            manager.get_session(key, actor=other)
        assert ("Melanoma" in str(caught.value)) is not hide
        assert manager.free_name("Melanoma", actor=other) == ("Melanoma" if hide else "Melanoma 2")
    mine = manager.info(key, actor=A)
    assert (mine.locked, mine.name, mine.contents["dtd"]) == (False, "Melanoma", 1)
    assert manager.get_session(key, actor=A).notes == MARKER


def test_without_protection_the_other_browser_sees_all(make: Managers) -> None:
    """The positive control of the test above."""
    manager = make()
    key = filled(manager, "Melanoma", actor=A).session_id
    assert manager.info(key, actor=B).contents["dtd"] == 1
    assert manager.get_session(key, actor=B).run("run0") is not None


ASKED: dict[str, Callable[[SessionCacheManager, str], Any]] = {
    "get": lambda m, k: m.get_session_cache(k, actor=B),
    "save": lambda m, k: m.save_session(k, actor=B),
    "reload": lambda m, k: m.reload_session(k, actor=B),
    "rename": lambda m, k: m.rename_session(k, "New", actor=B),
    "duplicate": lambda m, k: m.duplicate_session(k, actor=B),
    "export without cells": lambda m, k: m.export_session(k, cells=False, actor=B),
    "export pseudonyms": lambda m, k: m.export_session(k, pseudonyms=True, actor=B),
    "export with a password": lambda m, k: m.export_session(k, password=OTHER, actor=B),
    "export in clear": lambda m, k: m.export_session(k, unprotected=True, actor=B),
    "redirect": lambda m, k: m.redirect_session(k, m._store.folder, actor=B),  # type: ignore[union-attr]
    "protect": lambda m, k: m.protect_session(k, OTHER, actor=B),
    "change": lambda m, k: m.change_password(k, PASSWORD, OTHER, actor=B),
    "remove": lambda m, k: m.remove_password(k, PASSWORD, actor=B),
    "re-encrypt": lambda m, k: m.reencrypt_session(k, PASSWORD, OTHER, actor=B),
    "salvage": lambda m, k: m.salvage_session(k, actor=B),
}


def test_nothing_that_needs_the_content_can_be_done_by_another_browser(make: Managers) -> None:
    manager = make()
    key = protected(manager, "Melanoma", hide=True)
    before = path_of(manager, key).read_bytes()
    for what, ask in ASKED.items():
        with pytest.raises(SessionLocked) as caught:
            ask(manager, key)
        assert "Melanoma" not in str(caught.value), what
    exported = manager.export_session(key, actor=B)  # the file as it is needs no unlock
    assert (exported.name, exported.data) == ("Protected session.dcxsession", before)
    assert len(manager.list_sessions(actor=A)) == 2
    assert path_of(manager, key).read_bytes() == before


def test_each_browser_unlocks_for_itself_and_locking_is_for_all(make: Managers) -> None:
    manager = make()
    key = protected(manager)
    manager.unlock_session(key, PASSWORD, actor=B)
    assert manager.get_session(key, actor=B) is manager.get_session(key, actor=A)
    assert manager.is_locked(key, actor=LOCAL)
    content = manager.get_session(key, actor=A).snapshot()
    session = manager.get_session(key, actor=A)
    manager.lock_session(key, actor=B)
    assert not session.loaded
    for actor in (A, B):
        with pytest.raises(SessionLocked):
            manager.get_session(key, actor=actor)
    # what a page still holds
    for access in (
        session.runs,
        lambda: session.notes,
        session.snapshot,
        lambda: session.keep_form("dtd", {"a": 1}),
    ):
        with pytest.raises(SessionLocked):
            access()
    manager.unlock_session(key, PASSWORD, actor=B)
    same(manager.get_session(key, actor=B).snapshot(), content)
    assert manager.is_locked(key, actor=A)


def test_a_session_that_is_unlocked_twice_at_once_keeps_its_name(make: Managers) -> None:
    manager = make()
    key = protected(manager)
    name = manager.get_session(key, actor=A).name
    # as another browser does that has just given the password
    with manager._table.reserving(key, lambda: name):
        manager.unlock_session(key, PASSWORD, actor=B)
        assert manager.free_name(name, actor=A) == f"{name} 2"  # for any other session
    assert manager.get_session(key, actor=B).name == name


def test_a_session_that_is_just_being_protected_is_not_locked_as_idle(
    make: Managers, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    key = manager.create_session("S", actor=A).session_id
    replaced, judged = manager._writer.replace_key, threading.Event()
    chore = threading.Thread(target=manager.lock_idle, args=(60.0,), kwargs={"actor": LOCAL})

    def slow(*args: Any, **options: Any) -> None:
        replaced(*args, **options)
        chore.start()
        judged.wait(0.5)  # it comes to no judgement before this is done

    lock_all = manager._protection._lock_all
    monkeypatch.setattr(
        manager._protection,
        "_lock_all",
        lambda entries: (judged.set(), lock_all(entries))[1],
    )
    monkeypatch.setattr(manager._writer, "replace_key", slow)
    manager.protect_session(key, PASSWORD, actor=A)
    chore.join()
    assert not manager.is_locked(key, actor=A)


# ---------------------------------------------------------------------------------------- passwords


def test_a_wrong_password_and_a_damaged_file_are_told_apart(make: Managers, tmp_path: Path) -> None:
    manager = make()
    key = protected(manager)
    path = path_of(manager, key)
    manager.close(actor=LOCAL)
    again = make()
    for wrong in ("", "x", OTHER, PASSWORD + " "):
        with pytest.raises(WrongPassword):
            again.unlock_session(key, wrong, actor=A)
    assert again.info(key, actor=A).problem is None
    assert again.is_locked(key, actor=A)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(WrongPassword):
        again.unlock_session(key, OTHER, actor=A)
    with pytest.raises(DamagedSession):
        again.unlock_session(key, PASSWORD, actor=A)
    assert isinstance(again.info(key, actor=A).problem, DamagedSession)
    again.close(actor=LOCAL)
    assert path.read_bytes() == bytes(raw)


def test_what_cannot_be_protected_is_said_and_stays_as_it_is(make: Managers) -> None:
    manager = make()
    key = filled(manager, actor=A).session_id
    with pytest.raises(InvalidParameter, match="12 to 1024"):
        manager.protect_session(key, "elevenchars", actor=A)
    assert not manager.info(key, actor=B).protected
    with pytest.raises(DefaultSession):
        manager.protect_session(manager.default_id, PASSWORD, actor=A)
    manager.protect_session(key, PASSWORD, actor=A)
    with pytest.raises(SessionError, match="already"):
        manager.protect_session(key, OTHER, actor=A)
    with pytest.raises(WrongPassword):
        manager.remove_password(key, OTHER, actor=A)
    with pytest.raises(InvalidParameter):
        manager.change_password(key, PASSWORD, "short", actor=A)
    assert opens(path_of(manager, key), PASSWORD)
    memory = SessionCacheManager()
    with pytest.raises(SessionError, match="memory only"):
        memory.protect_session(memory.create_session("A", actor=A).session_id, PASSWORD, actor=A)


def test_after_a_change_an_old_copy_opens_with_the_old_password_and_after_re_encryption_the_old_key_opens_nothing(
    make: Managers, tmp_path: Path
) -> None:
    manager = make()
    key = protected(manager)
    content, path, old = (
        manager.get_session(key, actor=A).snapshot(),
        path_of(manager, key),
        tmp_path / "old copy.dcxsession",
    )
    old.write_bytes(path.read_bytes())
    leaked = SessionKey.unlock(file.read_header(old), PASSWORD)

    def opened_by_the_leaked_key() -> int:
        count = 0
        for name, data in members(path).items():
            if name.startswith("o/") or name == "manifest":
                try:
                    leaked.decrypt(name, data)
                    count += 1
                except DamagedSession:
                    continue
        return count

    manager.change_password(key, PASSWORD, OTHER, actor=A)
    assert (opens(path, PASSWORD), opens(path, OTHER), opens(old, PASSWORD), opens(old, OTHER)) == (
        False,
        True,
        True,
        False,
    )
    # the positive control of what follows: said in the program, that is why there is re-encryption
    assert opened_by_the_leaked_key() > 10
    third = "a third long password"
    manager.reencrypt_session(key, OTHER, third, actor=A)
    assert (
        opens(path, PASSWORD),
        opens(path, OTHER),
        opens(path, third),
        opens(old, PASSWORD),
    ) == (False, False, True, True)
    assert opened_by_the_leaked_key() == 0
    manager.get_session(key, actor=A).notes = "later"
    manager.save_session(key, actor=A)
    assert opened_by_the_leaked_key() == 0
    manager.get_session(key, actor=A).notes = MARKER
    manager.lock_session(key, actor=A)
    manager.unlock_session(key, third, actor=B)
    same(manager.get_session(key, actor=B).snapshot(), content)


def test_the_password_can_be_removed_and_then_everybody_sees_it(make: Managers) -> None:
    manager = make()
    key = protected(manager, hide=True)
    manager.remove_password(key, PASSWORD, actor=A)
    assert not file.read_header(path_of(manager, key)).encrypted
    info = manager.info(key, actor=B)
    assert (info.protected, info.locked, info.name) == (False, False, "Mine")
    assert manager.get_session(key, actor=B).notes == MARKER


def test_an_unlock_that_meets_the_removal_of_the_password_does_not_seal_it_again(
    make: Managers, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    key = protected(manager)
    unlock = SessionKey.unlock

    def slow(header: Any, password: str) -> SessionKey:
        session_key = unlock(header, password)
        monkeypatch.undo()
        manager.remove_password(key, PASSWORD, actor=A)  # as if it had begun before the other
        return session_key

    monkeypatch.setattr(SessionKey, "unlock", slow)
    manager.unlock_session(key, PASSWORD, actor=B)
    manager.get_session(key, actor=B).notes = "for everybody"
    manager.save_session(key, actor=B)
    assert not file.read_header(path_of(manager, key)).encrypted


# ---------------------------------------------------------------------------------- nothing is lost


CHANGES: dict[str, Callable[[SessionCacheManager, str], Any]] = {
    "lock": lambda m, k: m.lock_session(k, actor=A),
    "change": lambda m, k: m.change_password(k, PASSWORD, OTHER, actor=A),
    "re-encrypt": lambda m, k: m.reencrypt_session(k, PASSWORD, OTHER, actor=A),
    "remove": lambda m, k: m.remove_password(k, PASSWORD, actor=A),
    "archive": lambda m, k: m.archive_session(k, actor=A),
}


@pytest.mark.parametrize("what", ["protect", *CHANGES])
def test_what_cannot_be_written_changes_nothing_and_loses_nothing(
    make: Managers, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    key = filled(manager, actor=A).session_id if what == "protect" else protected(manager)
    manager.save_session(key, actor=A)
    before = path_of(manager, key).read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    change = (
        (lambda m, k: m.protect_session(k, PASSWORD, actor=A))
        if what == "protect"
        else CHANGES[what]
    )
    with monkeypatch.context() as broken:
        broken.setattr(atomic, "replace", full)
        manager.get_session(key, actor=A).notes = "not on disk yet"
        with pytest.raises(SessionNotSaved, match="full"):
            change(manager, key)
        assert path_of(manager, key).read_bytes() == before
        assert manager.get_session(key, actor=A).notes == "not on disk yet"
        assert manager.info(key, actor=A).protected is (what != "protect")
        assert manager.save_state(key, actor=A)[0] in ("saving", "not saved")
    change(manager, key)
    manager.close(actor=LOCAL)
    if what in ("protect", "lock", "change", "re-encrypt"):
        again = make()
        again.unlock_session(key, OTHER if what in ("change", "re-encrypt") else PASSWORD, actor=B)
        assert again.get_session(key, actor=B).notes == "not on disk yet"


def run(name: str) -> Run:
    made = rich().runs[0]
    return Run(name, made.kind, made.title, made.created, made.params, made.result, made.provenance)


def refusal(manager: SessionCacheManager, key: str, name: str) -> Exception | None:
    """Add a run; why it was not taken, None if it was."""
    try:
        manager.add_run(key, run(name), actor=LOCAL)
    except DeconomixError as error:
        return error
    return None


def test_a_run_that_arrives_while_it_is_locked_is_in_the_file_or_refused(make: Managers) -> None:
    manager = make()
    key = protected(manager)
    kept: set[str] = set()
    for turn in range(6):
        manager.unlock_session(key, PASSWORD, actor=A)
        told: dict[str, Exception | None] = {}
        locked = threading.Event()

        def adding(
            turn: int = turn,
            told: dict[str, Exception | None] = told,
            locked: threading.Event = locked,
        ) -> None:
            for n in range(10):
                told[f"turn {turn} run {n}"] = refusal(manager, key, f"turn {turn} run {n}")
                time.sleep(0.003)
            locked.wait(60)
            told[f"turn {turn} too late"] = refusal(manager, key, f"turn {turn} too late")

        thread = threading.Thread(target=adding)
        thread.start()
        time.sleep(0.004 * turn)
        manager.lock_session(key, actor=A)
        locked.set()
        thread.join()
        assert isinstance(told[f"turn {turn} too late"], SessionLocked)
        assert all(isinstance(error, SessionLocked) for error in told.values() if error is not None)
        kept |= {name for name, error in told.items() if error is None}
        found = file.load(
            path_of(manager, key),
            session_key=SessionKey.unlock(file.read_header(path_of(manager, key)), PASSWORD),
        )
        assert kept <= {r.id for r in found.runs}


@pytest.mark.parametrize("counted", [True, False], ids=["edits are counted", "control"])
def test_a_change_between_the_save_and_the_lock_is_saved_too(
    make: Managers, counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: where the count of edits is not looked at, it is lost."""
    manager = make()
    key = protected(manager)
    manager.save_session(key, actor=A)
    empty, late = DCXCache.empty, [run("late")]

    def changed_before(self: DCXCache, loader: Any, *, edits: int, name: str | None = None) -> bool:
        while late:
            self.add_run(late.pop())
        return empty(self, loader, edits=edits if counted else self.edits, name=name)

    monkeypatch.setattr(DCXCache, "empty", changed_before)
    manager.lock_session(key, actor=A)
    path = path_of(manager, key)
    found = file.load(path, session_key=SessionKey.unlock(file.read_header(path), PASSWORD))
    assert ("late" in {r.id for r in found.runs}) is counted


def test_a_locked_session_that_is_brought_back_has_not_the_name_of_another_one(
    make: Managers,
) -> None:
    manager = make()
    key = protected(manager)
    manager.lock_session(key, actor=A)
    manager.delete_session(key, actor=A)
    manager.create_session("Mine", actor=B)
    manager.undo_delete(key, actor=A)
    assert sorted(info.name for info in manager.list_sessions(actor=A)) == [
        "Default",
        "Mine",
        "Mine 2",
    ]
    manager.unlock_session(key, PASSWORD, actor=A)
    manager.save_session(key, actor=A)
    assert manager.get_session(key, actor=A).name == "Mine 2"
    manager.lock_session(key, actor=A)
    manager.archive_session(key, actor=A)
    assert manager.restore_session(key, actor=A).name == "Mine 2"


# ----------------------------------------------------------------------------- idle, and at the end


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the idle lock, to be turned by hand."""
    now = [1_000_000.0]
    for module in ("entry", "protection"):
        monkeypatch.setattr(f"gui.sessions.{module}.elapsed", lambda: now[0])
    return now


def test_what_nobody_uses_locks_itself_for_each_browser(make: Managers, clock: list[float]) -> None:
    manager = make()
    key = protected(manager)
    plain = filled(manager, "Plain", actor=A).session_id
    manager.unlock_session(key, PASSWORD, actor=B)
    clock[0] += 500
    manager.touch(key, actor=A)
    manager.touch(key, actor=Actor(browser="c"))  # one that has it not unlocked gains nothing
    clock[0] += 500
    assert manager.lock_idle(900, actor=LOCAL) == []
    assert [manager.is_locked(key, actor=actor) for actor in (A, B, Actor(browser="c"))] == [
        False,
        True,
        True,
    ]
    assert manager._table.entry(key).session.loaded
    clock[0] += 401
    assert manager.lock_idle(900, actor=LOCAL) == [key]
    assert not manager._table.entry(key).session.loaded
    assert manager.get_session(plain, actor=A).run("run0") is not None
    assert manager.lock_idle(900, actor=LOCAL) == []


def test_a_running_job_defers_the_lock_and_its_result_is_sealed(
    make: Managers, clock: list[float]
) -> None:
    manager = make()
    key = protected(manager)
    manager.busy = lambda: {key}
    clock[0] += 10_000
    assert manager.lock_idle(900, actor=LOCAL) == []
    assert not manager.is_locked(key, actor=A)
    manager.add_run(key, run("result"), actor=LOCAL)
    manager.busy = tuple
    assert manager.lock_idle(900, actor=LOCAL) == [key]
    path = path_of(manager, key)
    assert file.read_header(path).encrypted
    assert "result" in {
        r.id
        for r in file.load(
            path, session_key=SessionKey.unlock(file.read_header(path), PASSWORD)
        ).runs
    }


def test_an_idle_session_that_cannot_be_saved_needs_its_password_and_nothing_of_it_is_lost(
    make: Managers, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    key = protected(manager)
    clock[0] += 10_000
    with monkeypatch.context() as broken:
        broken.setattr(
            atomic, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "broken"))
        )
        manager.get_session(key, actor=A).notes = "only in memory"
        assert manager.lock_idle(900, actor=LOCAL) == []
        with pytest.raises(SessionLocked):
            manager.get_session(key, actor=A)
        manager.unlock_session(key, PASSWORD, actor=A)
        assert manager.get_session(key, actor=A).notes == "only in memory"
        clock[0] += 10_000
        assert manager.lock_idle(900, actor=LOCAL) == []
        assert manager.is_locked(key, actor=A)
    assert manager.lock_idle(900, actor=LOCAL) == [key]
    manager.unlock_session(key, PASSWORD, actor=A)
    assert manager.get_session(key, actor=A).notes == "only in memory"


@pytest.mark.parametrize("hide", [False, True], ids=["name shown", "name hidden"])
def test_a_locked_session_with_unsaved_content_is_not_said_to_be_saved(
    make: Managers, monkeypatch: pytest.MonkeyPatch, hide: bool
) -> None:
    """Neither to who gave no password, nor to a clean-up, which would take it."""
    manager = make()
    key = protected(manager, "Mine", hide=hide)
    assert manager.info(key, actor=B).state == "saved"
    with monkeypatch.context() as broken:
        broken.setattr(
            atomic, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "broken"))
        )
        manager.get_session(key, actor=A).notes = "only in memory"
        until(lambda: manager.info(key, actor=B).state == "not saved", 30)
        info = manager.info(key, actor=B)
        assert info.locked
        assert info.contents == {}
        assert "could not be saved" in str(info.reason)
        assert "Mine" not in f"{info.reason} {info.reason.advice}"  # type: ignore[union-attr]
        manager._table.entry(key).shown = float("-inf")
        for action in ("archive", "delete"):
            taken = manager.cleanup_sessions(actor=B, max_sessions=0, action=action)  # type: ignore[arg-type]
            assert taken == []
    assert manager.get_session(key, actor=A).notes == "only in memory"
    manager.save_session(key, actor=A)
    assert manager.info(key, actor=B).state == "saved"


def test_at_the_end_everything_is_locked_also_the_copy_of_a_conflict(make: Managers) -> None:
    first, second = make(), None
    key = protected(first)
    first.save_session(key, actor=A)
    second = make()
    second.unlock_session(key, PASSWORD, actor=A)
    second.get_session(key, actor=A).notes = "theirs"
    second.save_session(key, actor=A)
    first.get_session(key, actor=A).notes = "mine"
    with pytest.raises(SessionConflict):
        first.save_session(key, actor=A)
    seals = [e.session_key for m in (first, second) for e in m._table.active.values()]
    second.close(actor=LOCAL)
    first.close(actor=LOCAL)
    assert all(session_key is not None and session_key.wiped for session_key in seals)
    for manager in (first, second):
        assert all(
            e.session_key is None and not e.session.loaded for e in manager._table.active.values()
        )
    again, notes = make(), {}
    for info in again.list_sessions(actor=A)[1:]:
        assert (info.protected, info.locked) == (True, True)
        again.unlock_session(info.session_id, PASSWORD, actor=A)
        notes[info.name] = again.get_session(info.session_id, actor=A).notes
    assert notes == {"Mine": "theirs", "Mine copy": "mine"}
