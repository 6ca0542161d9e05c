"""“Saved” is said only while the file that was saved is there: deleted, replaced, moved away with
its folder, and put back.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gui.errors import SessionConflict, SessionNotSaved
from gui.sessions import entry as entries
from gui.sessions import file
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from tests.sessions.samples import PASSWORD, Managers, filled


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "LOOK", -1.0)


def saved(manager: SessionCacheManager) -> tuple[str, Path]:
    key = filled(manager).session_id
    manager.save_session(key, actor=LOCAL)
    path = manager._table.entry(key).path
    assert path is not None
    assert manager.save_state(key, actor=LOCAL) == ("saved", None)
    return key, path


def test_a_folder_that_is_gone_is_said_and_when_it_is_back_the_session_is_saved(
    make: Managers, tmp_path: Path
) -> None:
    manager = make()
    key, path = saved(manager)
    path.parent.rename(tmp_path / "away")
    state, why = manager.save_state(key, actor=LOCAL)
    assert (state, type(why)) == ("not saved", SessionNotSaved)
    assert "folder" in str(why)
    assert manager.info(key, actor=LOCAL).state == "not saved"
    with pytest.raises(SessionNotSaved):
        manager.save_session(key, actor=LOCAL)
    (tmp_path / "away").rename(path.parent)
    assert manager.save_state(key, actor=LOCAL) == ("saved", None)


def test_the_end_says_that_a_session_is_not_saved_whose_folder_is_gone(make: Managers) -> None:
    manager = make()
    _, path = saved(manager)
    shutil.rmtree(path.parent)
    assert not manager.close(actor=LOCAL, timeout=20)


def test_a_file_that_was_deleted_or_replaced_is_a_conflict_and_a_touched_one_is_none(
    make: Managers, tmp_path: Path
) -> None:
    manager = make()
    key, path = saved(manager)
    kept = path.read_bytes()
    os.utime(path, (1, 1))
    assert manager.save_state(key, actor=LOCAL)[0] == "saved"
    path.unlink()
    state, why = manager.save_state(key, actor=LOCAL)
    assert (state, type(why)) == ("not saved", SessionConflict)
    path.write_bytes(kept)
    assert manager.save_state(key, actor=LOCAL)[0] == "saved"
    header, content = file.read_header(path), file.load(path)
    path.unlink()
    file.save(path, content, expected_generation=None, generation=header.generation + 1)
    assert isinstance(manager.save_state(key, actor=LOCAL)[1], SessionConflict)
    path.write_bytes(b"no session at all")
    assert isinstance(manager.save_state(key, actor=LOCAL)[1], SessionConflict)


def test_a_session_that_is_not_in_memory_and_has_no_file_is_listed_with_the_reason(
    make: Managers,
) -> None:
    first = make()
    key, path = saved(first)
    first.close(actor=LOCAL)
    manager = make()
    path.unlink()
    info = manager.info(key, actor=LOCAL)
    assert "not there" in str(info.problem)
    manager.delete_session(key, actor=LOCAL)
    assert [i.name for i in manager.list_sessions(actor=LOCAL)] == ["Default"]


def test_a_session_whose_file_was_deleted_can_be_deleted_and_brought_back(make: Managers) -> None:
    manager = make()
    key, path = saved(manager)
    path.unlink()
    manager.delete_session(key, actor=LOCAL)
    assert manager.undo_delete(key, actor=LOCAL).runs()
    manager.save_session(key, actor=LOCAL)
    assert file.load(path).runs


@pytest.mark.usefixtures("cheap")
def test_a_protected_session_of_which_nothing_is_left_to_save_can_be_locked(make: Managers) -> None:
    manager = make()
    key, path = saved(manager)
    manager.protect_session(key, PASSWORD, actor=Actor(browser="a"))
    entry = manager._table.entry(key)
    assert manager._loader.unload(entry)
    path.unlink()
    assert manager.lock_idle(0, actor=LOCAL) == [key]
    assert entry.session_key is None
