"""Sessions on disk: everything comes back, nothing is lost, nothing is mixed."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gui.errors import (
    DamagedSession,
    DefaultSession,
    NameTaken,
    NewerSession,
    SessionConflict,
    SessionError,
    SessionLocked,
    SessionNotSaved,
    UnknownSession,
)
from gui.sessions import file, header
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL, SessionCacheManager
from gui.sessions.store import SessionInfo
from tests.sessions.samples import ID, filled, rich, same, session_key, tiny
from tests.sessions.samples import Managers as Make
from tests.waiting import until


def rows(manager: SessionCacheManager) -> list[SessionInfo]:
    """All but the default session."""
    return [info for info in manager.list_sessions(actor=LOCAL) if info.holds_data]


def files(folder: Path, place: str = "sessions") -> list[str]:
    return (
        sorted(p.name for p in (folder / place).glob("*") if p.is_file())
        if (folder / place).is_dir()
        else []
    )


def state(manager: SessionCacheManager, session: DCXCache) -> str:
    return manager.save_state(session.session_id, actor=LOCAL)[0]


# ---------------------------------------------------------------------------------- saved, reopened


def test_everything_comes_back_after_a_restart_to_the_bit(make: Make) -> None:
    first = make()
    session = filled(first)
    session.choose_run("adtd0")
    session.notes = "two\nlines"
    first.close(actor=LOCAL)
    again = make().get_session(session.session_id, actor=LOCAL)
    assert again is not session
    same(again.snapshot(), session.snapshot())
    assert again.form("dtd") == {"genes": 77, "list": ["a", 1]}
    assert again.name == "Mine"


def test_at_start_only_headers_are_read(make: Make) -> None:
    first = make()
    ids = [filled(first, f"S{n}", n).session_id for n in range(3)]
    first.close(actor=LOCAL)
    manager = make()
    assert [s.name for s in manager.list_sessions(actor=LOCAL)] == ["Default", "S0", "S1", "S2"]
    assert [s.loaded for s in manager.list_sessions(actor=LOCAL)] == [True, False, False, False]
    manager.get_session(ids[1], actor=LOCAL)
    assert [s.loaded for s in manager.list_sessions(actor=LOCAL)] == [True, False, True, False]


def test_every_change_is_saved_by_itself(make: Make) -> None:
    manager = make()
    session = filled(manager)
    until(lambda: state(manager, session) == "saved")
    for change in (
        lambda: session.remove_run("plug"),
        lambda: session.keep_form("adtd", {"tab": "search"}),
        lambda: manager.rename_session(session.session_id, "Other", actor=LOCAL),
    ):
        change()
        assert state(manager, session) == "saving"
        until(lambda: state(manager, session) == "saved")
        assert manager._table.entry(session.session_id).path is not None
        same(file.load(manager._table.entry(session.session_id).path), session.snapshot())  # type: ignore[arg-type]


def test_form_values_that_do_not_change_are_not_saved_again(make: Make) -> None:
    manager = make()
    session = filled(manager)
    manager.save_session(session.session_id, actor=LOCAL)
    generation = manager._table.entry(session.session_id).generation
    session.keep_form("dtd", {"genes": 77})
    assert state(manager, session) == "saved"
    manager.save_session(session.session_id, actor=LOCAL)
    assert manager._table.entry(session.session_id).generation == generation


def test_tokens_of_uploads_are_not_saved(make: Make) -> None:
    manager = make()
    session = manager.create_session("A", actor=LOCAL)
    session.keep_form("upload", {"train_token": "secret", "share": 30})
    manager.close(actor=LOCAL)
    assert make().get_session(session.session_id, actor=LOCAL).form("upload") == {"share": 30}


def test_the_default_session_is_never_saved(make: Make, tmp_path: Path) -> None:
    manager = make()
    manager.get_session(manager.default_id, actor=LOCAL).keep_form("upload", {"share": 30})
    manager.save_session(manager.default_id, actor=LOCAL)
    manager.close(actor=LOCAL)
    assert files(tmp_path) == []
    assert manager.save_state(manager.default_id, actor=LOCAL) == ("memory", None)
    for forbidden in (
        manager.archive_session,
        manager.duplicate_session,
        manager.export_session,
        manager.delete_session,
    ):
        with pytest.raises(DefaultSession):
            forbidden(manager.default_id, actor=LOCAL)  # type: ignore[operator]


def test_a_change_while_a_save_is_going_on_is_saved_too(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    session = manager.create_session("A", actor=LOCAL)
    until(lambda: state(manager, session) == "saved")
    begun, go_on, saved = threading.Event(), threading.Event(), file.save

    def slow(*args: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return saved(*args, **options)

    monkeypatch.setattr(file, "save", slow)
    session.keep_form("p", {"a": 1})
    assert begun.wait(30)
    session.keep_form("p", {"a": 2})
    go_on.set()
    manager.close(actor=LOCAL)
    assert make().get_session(session.session_id, actor=LOCAL).form("p") == {"a": 2}


def test_changes_from_many_threads_in_many_sessions_are_all_there_and_nothing_is_mixed(
    make: Make,
) -> None:
    manager = make()
    sessions = [manager.create_session(f"S{n}", actor=LOCAL) for n in range(6)]
    runs = rich().runs

    def work(session: DCXCache, thread: int) -> None:
        for n in range(15):
            session.add_run(replace(runs[1], id=f"{session.name}-{thread}-{n}"))
            session.keep_form(session.name, {f"{thread}-{n}": n})
            manager.save_session(session.session_id, actor=LOCAL)

    threads = [threading.Thread(target=work, args=(s, t)) for s in sessions for t in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert manager.close(actor=LOCAL)
    again = make()
    for session in sessions:
        found = again.get_session(session.session_id, actor=LOCAL)
        assert {r.id for r in found.runs()} == {
            f"{session.name}-{t}-{n}" for t in range(2) for n in range(15)
        }
        assert len(found.form(session.name)) == 30


def test_opening_the_same_session_from_many_threads_reads_it_once(make: Make) -> None:
    first = make()
    session_id = filled(first).session_id
    first.close(actor=LOCAL)
    manager = make()
    found: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(manager.get_session(session_id, actor=LOCAL).dataset)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(one is found[0] is not None for one in found)


# ------------------------------------------------------------------------- delete, archive, restore


def test_a_deleted_session_can_be_brought_back_with_everything(make: Make, tmp_path: Path) -> None:
    manager = make()
    session = filled(manager)
    manager.save_session(session.session_id, actor=LOCAL)
    before = session.snapshot()
    manager.delete_session(session.session_id, actor=LOCAL)
    assert files(tmp_path) == []
    assert files(tmp_path, "trash") == [file.file_name(session.session_id)]
    with pytest.raises(UnknownSession):
        manager.get_session(session.session_id, actor=LOCAL)
    assert manager.list_deleted_sessions(actor=LOCAL) == [(session.session_id, "Mine")]
    same(manager.undo_delete(session.session_id, actor=LOCAL).snapshot(), before)
    assert files(tmp_path, "trash") == []
    manager.close(actor=LOCAL)
    same(make().get_session(session.session_id, actor=LOCAL).snapshot(), before)


def test_a_deleted_session_is_gone_after_its_time_and_at_the_end(
    make: Make, tmp_path: Path
) -> None:
    manager = make(undo=0.1)
    first = filled(manager)
    manager.delete_session(first.session_id, actor=LOCAL)
    until(lambda: manager.list_deleted_sessions(actor=LOCAL) == [])
    with pytest.raises(UnknownSession):
        manager.undo_delete(first.session_id, actor=LOCAL)
    other = make(undo=1000)
    second = filled(other, "Second")
    other.save_session(second.session_id, actor=LOCAL)
    other.delete_session(second.session_id, actor=LOCAL)
    assert len(files(tmp_path, "trash")) == 1
    other.close(actor=LOCAL)
    assert files(tmp_path, "trash") == []
    assert [s.name for s in make().list_sessions(actor=LOCAL)] == ["Default"]


def test_a_deleted_session_whose_name_was_given_away_comes_back_under_a_free_one(
    make: Make,
) -> None:
    manager = make()
    session = filled(manager, "A")
    manager.delete_session(session.session_id, actor=LOCAL)
    manager.create_session("A", actor=LOCAL)
    assert manager.undo_delete(session.session_id, actor=LOCAL).name == "A 2"


def test_a_change_that_comes_after_deleting_is_refused_and_not_lost_in_silence(make: Make) -> None:
    manager = make()
    session = filled(manager)
    manager.delete_session(session.session_id, actor=LOCAL)
    with pytest.raises(UnknownSession, match="archived or deleted"):
        session.add_run(rich().runs[0])
    manager.undo_delete(session.session_id, actor=LOCAL)
    session.add_run(replace(rich().runs[0], id="late"))
    assert session.run("late") is not None


def test_archiving_takes_it_out_of_memory_and_restoring_brings_all_back(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    before = session.snapshot()
    manager.archive_session(session.session_id, actor=LOCAL)
    assert [s.name for s in manager.list_sessions(actor=LOCAL)] == ["Default"]
    assert files(tmp_path) == []
    [info] = manager.list_archived_sessions(actor=LOCAL)
    assert (info.name, info.archived, info.contents["dtd"]) == ("Mine", True, 1)
    assert not manager._table.archived[session.session_id].session.loaded
    with pytest.raises(UnknownSession):
        manager.get_session(session.session_id, actor=LOCAL)
    with pytest.raises(NameTaken):
        manager.create_session("mine", actor=LOCAL)
    manager.close(actor=LOCAL)
    again = make()
    assert [i.name for i in again.list_archived_sessions(actor=LOCAL)] == ["Mine"]
    again.restore_session(session.session_id, actor=LOCAL)
    assert again.list_archived_sessions(actor=LOCAL) == []
    same(again.get_session(session.session_id, actor=LOCAL).snapshot(), before)
    assert files(tmp_path, "archive") == []
    with pytest.raises(UnknownSession):
        again.restore_session(session.session_id, actor=LOCAL)


def test_an_archived_session_can_be_deleted_and_brought_back(make: Make, tmp_path: Path) -> None:
    manager = make()
    session = filled(manager)
    before = session.snapshot()
    manager.archive_session(session.session_id, actor=LOCAL)
    manager.delete_session(session.session_id, actor=LOCAL)
    assert manager.list_archived_sessions(actor=LOCAL) == []
    same(manager.undo_delete(session.session_id, actor=LOCAL).snapshot(), before)


def test_in_memory_the_same_can_be_done(make: Make) -> None:
    manager = SessionCacheManager()
    session = filled(manager)
    assert state(manager, session) == "memory"
    manager.archive_session(session.session_id, actor=LOCAL)
    assert len(manager.list_archived_sessions(actor=LOCAL)) == 1
    assert manager.restore_session(session.session_id, actor=LOCAL).run("run0") is not None
    manager.delete_session(session.session_id, actor=LOCAL)
    assert manager.undo_delete(session.session_id, actor=LOCAL) is session
    session.keep_form("a", {"b": 1})
    data = manager.export_session(session.session_id, actor=LOCAL).data
    assert data.startswith(b"PK")
    assert manager.close(actor=LOCAL)


def test_a_copy_is_a_session_of_its_own(make: Make) -> None:
    manager = make()
    session = filled(manager)
    copy = manager.duplicate_session(session.session_id, actor=LOCAL)
    assert copy.name == "Mine copy"
    assert copy.session_id != session.session_id
    copy.remove_run("run0")
    assert session.run("run0") is not None
    manager.close(actor=LOCAL)
    again = make()
    assert again.get_session(copy.session_id, actor=LOCAL).run("run0") is None
    assert again.get_session(session.session_id, actor=LOCAL).run("run0") is not None


# ----------------------------------------------------------------------------------- export, import


def test_an_exported_session_is_imported_elsewhere_with_everything(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    out = tmp_path / "out.dcxsession"
    out.write_bytes(manager.export_session(session.session_id, actor=LOCAL).data)
    other = make(tmp_path / "elsewhere")
    found = other.import_session(out, actor=LOCAL)
    assert (found.outcome, found.name, found.session_id) == ("new", "Mine", session.session_id)
    same(other.get_session(found.session_id, actor=LOCAL).snapshot(), session.snapshot())
    assert other.import_session(out, actor=LOCAL).outcome == "known"
    other.get_session(found.session_id, actor=LOCAL).notes = "changed"
    before = out.read_bytes()
    assert other.import_session(out, actor=LOCAL).outcome == "differs"
    copy = other.import_session(out, actor=LOCAL, as_copy=True)
    assert (copy.outcome, copy.name) == ("copy", "Mine 2")
    assert other.get_session(copy.session_id, actor=LOCAL).notes != "changed"
    assert other.get_session(found.session_id, actor=LOCAL).notes == "changed"
    assert out.read_bytes() == before


def test_an_imported_name_in_use_becomes_a_free_one(make: Make, tmp_path: Path) -> None:
    out = tmp_path / "in.dcxsession"
    file.save(out, tiny(), expected_generation=None)
    manager = make(tmp_path / "here")
    manager.create_session("Tiny", actor=LOCAL)
    found = manager.import_session(out, actor=LOCAL)
    assert (found.name, found.outcome, found.session_id) == ("tiny 2", "new", ID)


def test_an_archived_session_that_is_imported_again_is_restored(make: Make, tmp_path: Path) -> None:
    manager = make()
    session = filled(manager)
    out = tmp_path / "out.dcxsession"
    out.write_bytes(manager.export_session(session.session_id, actor=LOCAL).data)
    manager.archive_session(session.session_id, actor=LOCAL)
    assert manager.export_session(session.session_id, actor=LOCAL).data == out.read_bytes()
    assert manager.import_session(out, actor=LOCAL).outcome == "known"
    assert manager.get_session(session.session_id, actor=LOCAL).run("run0") is not None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"just text"])
def test_what_is_no_session_is_refused_and_changes_nothing(
    make: Make, tmp_path: Path, content: bytes
) -> None:
    bad = tmp_path / "bad.dcxsession"
    bad.write_bytes(content)
    manager = make(tmp_path / "here")
    with pytest.raises(DamagedSession):
        manager.import_session(bad, actor=LOCAL)
    assert rows(manager) == []
    assert files(tmp_path / "here") == []


# ------------------------------------------------------------------------------- damage and trouble


def test_a_damaged_file_is_listed_and_can_be_exported_and_deleted(
    make: Make, tmp_path: Path
) -> None:
    first = make()
    good, bad = filled(first, "Good"), filled(first, "Bad")
    first.close(actor=LOCAL)
    path = tmp_path / "sessions" / file.file_name(bad.session_id)
    path.write_bytes(b"\0" * 500)
    manager = make()
    found = {i.name: i for i in rows(manager)}
    assert len(found) == 2
    assert found["Good"].problem is None
    [damaged] = [i for i in found.values() if i.problem is not None]
    assert isinstance(damaged.problem, DamagedSession)
    assert [s.name for s in manager.list_sessions(actor=LOCAL) if s.problem is None] == [
        "Default",
        "Good",
    ]
    with pytest.raises(DamagedSession):
        manager.get_session(damaged.session_id, actor=LOCAL)
    with pytest.raises(SessionError):
        manager.rename_session(damaged.session_id, "New", actor=LOCAL)
    assert manager.export_session(damaged.session_id, actor=LOCAL).data == b"\0" * 500
    manager.delete_session(damaged.session_id, actor=LOCAL)
    assert not path.exists()
    manager.undo_delete(damaged.session_id, actor=LOCAL)
    assert path.read_bytes() == b"\0" * 500
    manager.archive_session(damaged.session_id, actor=LOCAL)
    assert (tmp_path / "archive" / path.name).read_bytes() == b"\0" * 500
    assert manager.get_session(good.session_id, actor=LOCAL).run("run0") is not None


def test_damage_behind_a_whole_header_is_found_on_opening_and_never_overwritten(
    make: Make, tmp_path: Path
) -> None:
    first = make()
    session = filled(first)
    first.close(actor=LOCAL)
    path = tmp_path / "sessions" / file.file_name(session.session_id)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    manager = make()
    assert rows(manager)[0].problem is None
    for _ in range(2):
        with pytest.raises(DamagedSession):
            manager.get_session(session.session_id, actor=LOCAL)
    assert rows(manager)[0].problem is not None
    manager.close(actor=LOCAL)
    assert path.read_bytes() == bytes(data)


def test_a_newer_and_a_protected_file_are_listed_and_said(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    file.save(
        folder / "sealed.dcxsession", tiny(), expected_generation=None, session_key=session_key()
    )
    with monkeypatch.context() as patch:
        patch.setattr("gui.sessions.header.SCHEMA", (99, 0))
        newer = replace(tiny(), session_id=ID[:-1] + "0")
        told = header.Header(
            newer.session_id, newer.name, newer.created, newer.modified, 1, schema=(99, 0)
        )
        patch.setattr(header, "header_of", lambda *args: told)
        file.save(folder / "newer.dcxsession", newer, expected_generation=None)
    manager = make()
    problems = {type(i.problem) for i in rows(manager)}
    assert problems == {type(None), NewerSession}
    with pytest.raises(SessionLocked):
        manager.get_session(ID, actor=LOCAL)
    before = (folder / "sealed.dcxsession").read_bytes()
    assert manager.export_session(ID, actor=LOCAL).data == before


def test_two_files_of_one_session_are_both_listed_and_not_mixed(make: Make, tmp_path: Path) -> None:
    first = make()
    session = filled(first)
    first.close(actor=LOCAL)
    path = tmp_path / "sessions" / file.file_name(session.session_id)
    twin = path.with_name("twin.dcxsession")
    twin.write_bytes(path.read_bytes())
    manager = make()
    assert sorted(i.problem is None for i in rows(manager)) == [False, True]
    manager.get_session(session.session_id, actor=LOCAL).notes = "x"
    manager.close(actor=LOCAL)
    assert len(files(tmp_path)) == 2


def test_when_nothing_can_be_written_the_session_stays_usable_and_is_saved_later(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "sessions").write_text("a file where the folder should be")
    manager = make()
    session = filled(manager)
    until(lambda: state(manager, session) == "not saved")
    reason = manager.save_state(session.session_id, actor=LOCAL)[1]
    assert isinstance(reason, SessionNotSaved)
    assert session.run("run0") is not None
    with pytest.raises(SessionNotSaved):
        manager.archive_session(session.session_id, actor=LOCAL)
    assert manager.get_session(session.session_id, actor=LOCAL) is session
    assert manager.export_session(session.session_id, actor=LOCAL).data.startswith(b"PK")
    (tmp_path / "sessions").unlink()
    session.keep_form("a", {"b": 1})  # the next change tries again, as time does
    until(lambda: state(manager, session) == "saved")
    manager.close(actor=LOCAL)
    same(make().get_session(session.session_id, actor=LOCAL).snapshot(), session.snapshot())


def test_of_two_programs_the_second_overwrites_nothing_and_keeps_its_own_as_a_copy(
    make: Make,
) -> None:
    start = make()
    session_id = filled(start).session_id
    start.close(actor=LOCAL)
    one, two = make(), make()
    mine, yours = one.get_session(session_id, actor=LOCAL), two.get_session(session_id, actor=LOCAL)
    mine.notes = "first"
    one.save_session(session_id, actor=LOCAL)
    yours.notes = "second"
    until(lambda: state(two, yours) == "not saved")
    assert isinstance(two.save_state(session_id, actor=LOCAL)[1], SessionConflict)
    assert yours.notes == "second"
    one.close(actor=LOCAL)
    two.close(actor=LOCAL)
    again = make()
    notes = {
        s.name: again.get_session(s.session_id, actor=LOCAL).notes
        for s in again.list_sessions(actor=LOCAL)[1:]
    }
    assert notes == {"Mine": "first", "Mine copy": "second"}


def test_what_a_killed_program_left_in_the_trash_goes_when_it_is_old(
    make: Make, tmp_path: Path
) -> None:
    import os

    trash = tmp_path / "trash"
    trash.mkdir()
    for name, age in (("old.dcxsession", 3600), ("young.dcxsession", 1)):
        (trash / name).write_bytes(b"x")
        os.utime(trash / name, (time.time() - age, time.time() - age))
    make()
    assert files(tmp_path, "trash") == ["young.dcxsession"]


def test_two_hundred_sessions_with_long_names_are_listed(make: Make) -> None:
    first = make()
    for n in range(200):
        first.create_session(f"{n:03} {'x' * 116}", actor=LOCAL)
    assert first.close(actor=LOCAL)
    manager = make()
    assert len(rows(manager)) == 200
    assert len(manager.list_sessions(actor=LOCAL)) == 201


# ----------------------------------------------------------------------------------------- clean-up


def test_cleaning_up_takes_the_longest_unused_and_spares_what_is_open(make: Make) -> None:
    manager = make()
    ids = [manager.create_session(f"S{n}", actor=LOCAL).session_id for n in range(5)]
    for n, session_id in enumerate(ids):
        manager.save_session(session_id, actor=LOCAL)
        entry = manager._table.entry(session_id)
        entry.used = datetime.now(UTC) - timedelta(days=50 - n)
        entry.session.modified = entry.used
    with pytest.raises(SessionError, match="needs the largest number"):
        manager.cleanup_sessions(actor=LOCAL)
    would = manager.cleanup_sessions(actor=LOCAL, max_sessions=3, spared=[ids[0]], dry_run=True)
    assert [i.name for i in would] == ["S1", "S2"]
    assert len(rows(manager)) == 5
    manager.cleanup_sessions(actor=LOCAL, max_sessions=3, spared=[ids[0]])
    assert {i.name for i in manager.list_archived_sessions(actor=LOCAL)} == {"S1", "S2"}
    assert {
        i.name for i in manager.cleanup_sessions(actor=LOCAL, max_age_days=47.5, action="delete")
    } == {"S0"}
