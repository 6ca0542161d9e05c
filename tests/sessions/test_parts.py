"""Each part of the session manager, built alone: with what it needs, and without a manager."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gui.errors import (
    DefaultSession,
    NameTaken,
    SessionError,
    SessionLocked,
    UnknownSession,
    WrongPassword,
)
from gui.sessions import file
from gui.sessions.actor import LOCAL, Actor
from gui.sessions.cache import DCXCache
from gui.sessions.catalog import SessionCatalog
from gui.sessions.entry import PROTECTED, Entry
from gui.sessions.exporter import SessionExporter
from gui.sessions.hooks import Hooks
from gui.sessions.importer import SessionImporter
from gui.sessions.lifecycle import SessionLifecycle
from gui.sessions.loader import ContentLoader
from gui.sessions.names import SessionNames
from gui.sessions.protection import SessionProtection
from gui.sessions.recovery import SessionRecovery
from gui.sessions.rules import new_id
from gui.sessions.store import Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter
from tests.sessions.samples import ID, PASSWORD, session_key, tiny

A, B = Actor(browser="a"), Actor(browser="b")
KEY = new_id()


def new_table(*, max_active: int | None = None) -> SessionTable:
    """A table with the default session only."""
    default = DCXCache(new_id(), "Default", holds_data=False)
    return SessionTable(default, max_active=max_active)


def add(table: SessionTable, name: str = "Mine", key: str = KEY) -> Entry:
    """A session in memory, among the active ones."""
    entry = table.active[key] = Entry(DCXCache(key, name), backed_up=True)
    return entry


class Parts:
    """A table with a folder, and the parts below the one that is tested."""

    def __init__(self, folder: Path) -> None:
        self.table, self.store, self.hooks = new_table(), Store(folder), Hooks()
        self.names = SessionNames(self.table)
        self.writer = SessionWriter(self.table, self.store)
        self.loader = ContentLoader(self.table, self.names, self.writer, self.hooks)
        self.lifecycle = SessionLifecycle(
            self.table, self.names, self.writer, self.loader, self.store, self.hooks
        )
        self.catalog = SessionCatalog(self.table, self.writer, self.store)

    def saved(self, notes: str = "kept") -> Entry:
        """An active session on disk."""
        entry = add(self.table)
        entry.session.notes = notes
        self.writer.save(entry)
        return entry


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


# -- table and names
# --------------------------------------------------------------------------------------------------


def test_the_table_finds_sessions_and_holds_them_where_they_are() -> None:
    table = new_table(max_active=1)
    with pytest.raises(UnknownSession):
        table.entry(KEY)
    with pytest.raises(DefaultSession):
        table.changeable(table.default_id)
    table.check_not_full()
    entry = add(table)
    assert table.changeable(KEY) is entry
    with pytest.raises(SessionError, match="as many as this program allows"):
        table.check_not_full()
    with table.locked_entry(KEY, (table.archived, table.active)) as (found, place):
        assert found is entry
        assert place is table.active
        other = threading.Thread(target=lambda: taken.append(entry.lock.acquire(blocking=False)))
        taken: list[bool] = []
        other.start()
        other.join()
        assert taken == [False]
    table.archived[KEY] = table.active.pop(KEY)
    with pytest.raises(UnknownSession), table.still_active(KEY, entry):
        pass
    assert table.find(KEY) is entry
    assert table.is_taken(KEY)


def test_names_are_unique_and_one_that_is_being_given_is_taken() -> None:
    table = new_table()
    names = SessionNames(table)
    add(table, "Mine")
    assert names.free_name("mine ", actor=LOCAL) == "mine 2"
    assert names.free_name("Mine", actor=LOCAL, but=KEY) == "Mine"
    with pytest.raises(NameTaken, match="Another session"):
        names.check("MINE", actor=LOCAL)
    with table.reserving("other", lambda: names.check("Next", actor=LOCAL)):
        assert names.free_name("Next", actor=LOCAL) == "Next 2"
    assert names.check("Next", actor=LOCAL) == "Next"


# -- to disk and from it
# --------------------------------------------------------------------------------------------------


def test_the_writer_saves_and_says_what_is_not_saved(tmp_path: Path) -> None:
    table = new_table()
    writer = SessionWriter(table, Store(tmp_path))
    entry = add(table)
    writer.watch(entry.session)
    entry.session.notes = "changed"
    assert writer.saver.flush(30)
    assert writer.state(entry) == ("saved", None)
    assert entry.path is not None
    assert file.load(entry.path).notes == "changed"
    writer.replace_key(entry, session_key(hide_name=True), hidden=True)
    assert file.read_header(entry.path).name is None
    assert writer.saver.close(30)


def test_a_writer_without_a_folder_writes_nothing() -> None:
    table = new_table()
    writer = SessionWriter(table, None)
    entry = add(table)
    writer.watch(entry.session)
    entry.session.notes = "changed"
    writer.save(entry)
    assert writer.state(entry) == ("memory", None)
    assert entry.path is None


def test_the_loader_reads_what_is_needed_and_unloads_what_is_saved(parts: Parts) -> None:
    entry = parts.saved()
    assert parts.loader.unload(entry)
    assert not entry.session.loaded
    assert entry.session.notes == "kept"
    entry.session.notes = "not saved"
    assert not parts.loader.unload(entry)
    parts.writer.save(entry)
    assert parts.loader.trim_memory(-1) == 1
    assert entry.session.notes == "not saved"


def test_the_loader_asks_the_hooks_before_it_reads(parts: Parts) -> None:
    entry = parts.saved()
    parts.loader.unload(entry)

    def full() -> None:
        raise SessionError("too much at once")

    parts.hooks.admission = full  # type: ignore[assignment]
    with pytest.raises(SessionError, match="too much"):
        entry.session.load()


# -- lists
# --------------------------------------------------------------------------------------------------


def test_the_life_of_a_session_leads_to_the_archive_the_trash_and_back(parts: Parts) -> None:
    entry = parts.saved()
    for place, found in (("archive", parts.table.archived), ("trash", parts.table.trash)):
        parts.lifecycle.detach(KEY, place)  # type: ignore[arg-type]
        assert list(found) == [KEY]
        assert list(parts.table.active) == []
        assert entry.path is not None
        assert entry.path.parent == parts.store.place(place)  # type: ignore[arg-type]
        parts.lifecycle.bring_back(KEY, entry, actor=LOCAL)
        assert list(parts.table.active) == [KEY]
    assert entry.session.notes == "kept"
    parts.lifecycle.detach(KEY, "trash")
    path = entry.path
    parts.lifecycle.purge(KEY)
    assert path is not None
    assert not path.exists()
    assert not parts.table.trash


def test_a_snapshot_and_a_copy_become_sessions_of_their_own(parts: Parts) -> None:
    made = parts.lifecycle.add_snapshot(tiny("notes"), "Mine", LOCAL)
    copied = parts.lifecycle.copy(parts.table.entry(made.session_id), LOCAL)
    assert (made.session_id, made.name, copied.name) == (ID, "Mine", "Mine copy")
    assert copied.session_id != ID
    assert parts.lifecycle.close(actor=LOCAL, timeout=30)
    assert {file.load(p).notes for p in parts.store.place("sessions").glob("*.dcxsession")} == {
        "notes"
    }


def test_the_catalog_lists_what_it_cannot_describe_as_damaged(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.saved()
    other = add(parts.table, "Other", new_id())
    monkeypatch.setattr(other.session, "in_memory", lambda: 1 / 0)
    default, *found = parts.catalog.active(actor=LOCAL)
    assert not default.holds_data
    assert {info.name: info.problem is None for info in found} == {"Mine": True, "Other": False}
    assert parts.catalog.archived(actor=LOCAL) == []
    assert parts.catalog.info(KEY, actor=LOCAL).contents["notes"] == "kept"


# -- passwords
# --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cheap")
def test_protection_belongs_to_a_browser_and_calls_the_hook_before_it_locks(parts: Parts) -> None:
    entry = parts.saved()
    told: list[DCXCache] = []
    parts.hooks.before_lock = told.append
    protection = SessionProtection(
        parts.table, parts.names, parts.writer, parts.loader, parts.store, parts.hooks
    )
    protection.protect(KEY, PASSWORD, hide_name=True, actor=A)
    assert (protection.is_locked(KEY, actor=A), protection.is_locked(KEY, actor=B)) == (False, True)
    protection.lock(KEY)
    assert told == [entry.session]
    assert entry.session_key is None
    assert entry.session.name == PROTECTED
    with pytest.raises(SessionLocked):
        entry.session.load()
    with pytest.raises(WrongPassword):
        protection.unlock(KEY, "a wrong password", actor=A)
    protection.unlock(KEY, PASSWORD, actor=A)
    parts.hooks.busy = lambda: [KEY]
    assert protection.lock_idle(-1) == []  # a job computes in it
    parts.hooks.busy = list
    assert protection.lock_idle(-1) == [KEY]


# -- to and from other people, and damaged ones
# --------------------------------------------------------------------------------------------------


def test_what_the_exporter_makes_the_importer_knows_again(parts: Parts, tmp_path: Path) -> None:
    entry = parts.saved()
    exporter = SessionExporter(parts.table, parts.writer, parts.catalog, parts.store)
    exported = exporter.export(KEY, actor=LOCAL)
    assert exported.name == "Mine.dcxsession"
    given = tmp_path / "given.dcxsession"
    given.write_bytes(exported.data)
    importer = SessionImporter(
        parts.table,
        parts.names,
        parts.writer,
        parts.loader,
        parts.lifecycle,
        parts.catalog,
        parts.store,
    )
    outcomes = [
        importer.import_file(given, actor=LOCAL, as_copy=as_copy).outcome
        for as_copy in (False, True)
    ]
    assert outcomes == ["known", "copy"]
    entry.session.notes = "another version"
    assert importer.import_file(given, actor=LOCAL).outcome == "differs"
    assert not parts.table.arriving


def test_recovery_salvages_what_is_damaged_and_nothing_else(parts: Parts) -> None:
    entry = parts.saved()
    recovery = SessionRecovery(parts.table, parts.names, parts.loader, parts.lifecycle, parts.store)
    with pytest.raises(SessionError, match="is not damaged"):
        recovery.salvage(KEY, actor=LOCAL)
    assert entry.path is not None
    raw = bytearray(entry.path.read_bytes())
    raw[-60] ^= 0xFF  # in the list of parts
    parts.loader.unload(entry)
    entry.path.write_bytes(raw)
    with pytest.raises(SessionError):
        entry.session.load()
    found = recovery.salvage(KEY, actor=LOCAL)
    assert found.name == "Mine (recovered)"
    assert found.notes.startswith("kept")
    assert found.marks == ("recovered",)


def test_hooks_that_fail_do_not_keep_a_session_from_being_locked() -> None:
    def fails(session: DCXCache) -> None:
        raise OSError("no disk")

    Hooks(before_lock=fails).call_before_lock(DCXCache(KEY, "Mine"))
