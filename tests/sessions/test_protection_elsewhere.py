"""Protected sessions that are moved, copied, exported, imported, and shared by two programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.errors import SessionConflict, SessionLocked, WrongPassword
from gui.sessions import file
from gui.sessions.manager import SessionCacheManager
from tests.sessions.guarded import OTHER, A, B, opens, path_of, protected
from tests.sessions.samples import MARKER, PASSWORD, Managers, filled, same

pytestmark = pytest.mark.usefixtures("cheap")


# -------------------------------------------------------------------------- moved, copied, imported


def test_archiving_deleting_and_bringing_back_leave_it_sealed_and_locked(
    make: Managers, tmp_path: Path
) -> None:
    manager = make()
    key = protected(manager, hide=True)
    content = manager.get_session(key, actor=A).snapshot()

    def lies(place: str) -> None:
        [path] = (tmp_path / place).glob("*.dcxsession")
        assert opens(path, PASSWORD)
        assert MARKER not in repr(manager.list_sessions(actor=A)) + repr(
            manager.list_archived_sessions(actor=A)
        ) + repr(manager.list_deleted_sessions(actor=A))

    for away, place, back in (
        (manager.archive_session, "archive", manager.restore_session),
        (manager.delete_session, "trash", manager.undo_delete),
    ):
        away(key, actor=A)
        lies(place)
        assert all(
            info.locked and info.name == "Protected session"
            for info in manager.list_archived_sessions(actor=A)
        )
        assert {name for _, name in manager.list_deleted_sessions(actor=A)} <= {"Protected session"}
        back(key, actor=A)
        lies("sessions")
        with pytest.raises(SessionLocked):
            manager.get_session(key, actor=A)
        manager.unlock_session(key, PASSWORD, actor=A)
        same(manager.get_session(key, actor=A).snapshot(), content)


def test_a_sealed_file_is_copied_in_sealed_and_its_password_opens_it(
    make: Managers, tmp_path: Path
) -> None:
    manager = make()
    key = protected(manager)
    out = tmp_path / "out.dcxsession"
    out.write_bytes(manager.export_session(key, actor=A).data)
    other = make(tmp_path / "elsewhere")
    found = other.import_session(out, actor=A)
    assert (found.outcome, found.session_id) == ("new", key)
    assert path_of(other, key).read_bytes() == out.read_bytes()
    assert other.is_locked(key, actor=A)
    assert other.import_session(out, actor=B).outcome == "known"
    for password, outcome in ((None, None), (OTHER, None), (PASSWORD, "copy")):
        if outcome is None:
            with pytest.raises(WrongPassword):
                other.import_session(out, actor=B, as_copy=True, password=password)
            assert len(other.list_sessions(actor=B)) == 2
        else:
            copy = other.import_session(out, actor=B, as_copy=True, password=password)
            other.save_session(copy.session_id, actor=B)
            assert (copy.outcome, copy.name) == ("copy", "Mine 2")
            assert opens(path_of(other, copy.session_id), PASSWORD)
            assert [other.is_locked(copy.session_id, actor=actor) for actor in (A, B)] == [
                True,
                False,
            ]
    other.unlock_session(key, PASSWORD, actor=A)
    same(other.get_session(key, actor=A).snapshot(), manager.get_session(key, actor=A).snapshot())
    other.get_session(key, actor=A).notes = "changed"
    assert other.import_session(out, actor=A).outcome == "differs"


@pytest.mark.parametrize("options", [{"cells": False}, {"pseudonyms": True}, {}], ids=str)
def test_what_is_exported_of_a_protected_session_is_sealed_unless_it_is_wanted_in_clear(
    make: Managers, tmp_path: Path, options: dict[str, bool]
) -> None:
    manager = make()
    key = protected(manager)
    out = tmp_path / "out.dcxsession"
    for more, password in (
        ({}, PASSWORD),
        ({"password": OTHER}, OTHER),
        ({"unprotected": True}, None),
    ):
        out.write_bytes(manager.export_session(key, actor=A, **options, **more).data)  # type: ignore[arg-type]
        if password is None:
            assert file.load(out).dataset is not None
        else:
            assert opens(out, password)


def test_a_copy_of_a_protected_session_is_protected_by_itself(make: Managers) -> None:
    manager = make()
    key = protected(manager)
    copy = manager.duplicate_session(key, actor=A).session_id
    manager.save_session(copy, actor=A)
    manager.lock_session(key, actor=A)
    manager.change_password(copy, PASSWORD, OTHER, actor=A)
    assert manager.get_session(copy, actor=A).notes == MARKER
    assert (opens(path_of(manager, key), PASSWORD), opens(path_of(manager, copy), OTHER)) == (
        True,
        True,
    )
    assert manager.is_locked(copy, actor=B)


# ----------------------------------------------------------------------- two programs on one folder


def two(make: Managers) -> tuple[SessionCacheManager, SessionCacheManager, str]:
    """Both have the session open and protected."""
    first = make()
    key = protected(first)
    first.save_session(key, actor=A)
    second = make()
    second.unlock_session(key, PASSWORD, actor=A)
    return first, second, key


def test_the_password_that_another_program_changed_is_not_taken_back(make: Managers) -> None:
    first, second, key = two(make)
    first.change_password(key, PASSWORD, OTHER, actor=A)
    second.get_session(key, actor=A).notes = "second"
    with pytest.raises(SessionConflict):
        second.save_session(key, actor=A)
    assert opens(path_of(first, key), OTHER)
    second.reload_session(key, actor=A).notes = "seen, and changed"
    second.save_session(key, actor=A)
    assert (opens(path_of(first, key), OTHER), opens(path_of(first, key), PASSWORD)) == (
        True,
        False,
    )


def test_a_key_that_another_program_made_locks_it_here(make: Managers) -> None:
    first, second, key = two(make)
    first.reencrypt_session(key, PASSWORD, OTHER, actor=A)
    second.get_session(key, actor=A).notes = "second"
    with pytest.raises(SessionConflict):
        second.save_session(key, actor=A)
    own = second.duplicate_session(key, actor=A).session_id
    with pytest.raises(SessionLocked):
        second.reload_session(key, actor=A)
    assert second.is_locked(key, actor=A)
    with pytest.raises(WrongPassword):
        second.unlock_session(key, PASSWORD, actor=A)
    second.unlock_session(key, OTHER, actor=A)
    assert second.get_session(key, actor=A).notes == MARKER
    assert second.get_session(own, actor=A).notes == "second"


def test_a_session_that_another_program_protected_or_opened_for_all_is_so_here(
    make: Managers,
) -> None:
    first = make()
    key = filled(first, actor=A).session_id
    first.save_session(key, actor=A)
    second = make()
    first.protect_session(key, PASSWORD, hide_name=True, actor=A)
    with pytest.raises(SessionLocked):
        second.get_session(key, actor=A)
    assert second.info(key, actor=A).name == "Protected session"
    second.unlock_session(key, PASSWORD, actor=A)
    first.remove_password(key, PASSWORD, actor=A)
    second.reload_session(key, actor=A).notes = "in clear"
    second.save_session(key, actor=A)
    assert not file.read_header(path_of(first, key)).encrypted
    assert second.get_session(key, actor=B).notes == "in clear"
