"""The file as it was when the program opened it is kept beside, and goes when the session becomes
protected.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gui import atomic
from gui.errors import SessionNotSaved
from gui.sessions import file, header
from gui.sessions.file import keep_backup, load, remove_backups, save
from tests.sessions.samples import ID, MARKER, same, session_key, tiny


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "sessions").mkdir()
    return tmp_path / "sessions" / file.file_name(ID)


def no_links(*_: Any, **__: Any) -> None:
    raise OSError(errno.EXDEV, "another drive")


@pytest.mark.parametrize("links", [True, False])
def test_a_backup_is_the_file_as_it_was_and_replaces_the_one_before(
    path: Path, tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    folder = tmp_path / "backups"
    save(path, tiny("first"), expected_generation=None)
    backup = keep_backup(path, folder)
    assert backup == folder / path.name
    assert os.path.samefile(path, backup) is links
    keep_backup(path, folder)  # of the same file again
    save(path, tiny("second"), expected_generation=1)
    same(tiny("first"), load(backup))
    same(tiny("second"), load(path))
    keep_backup(path, folder)
    same(tiny("second"), load(backup))
    assert list(folder.iterdir()) == [backup]
    if sys.platform != "win32":
        assert (folder.stat().st_mode & 0o777, backup.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_backup_that_fails_leaves_the_older_one(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    save(path, tiny("first"), expected_generation=None)
    backup = keep_backup(path, folder)
    save(path, tiny("second"), expected_generation=1)
    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(SessionNotSaved, match="disk is full"):
        keep_backup(path, folder)
    same(tiny("first"), load(backup))
    assert list(folder.iterdir()) == [backup]
    with pytest.raises(SessionNotSaved, match="not there"):
        keep_backup(path.with_name("nowhere.dcxsession"), folder)


def test_sealing_an_older_file_leaves_no_clear_backup(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, key = tmp_path / "backups", session_key()
    older = path.with_name(f"{path.name}.1.3.bak")
    save(path, tiny(MARKER), expected_generation=None)
    keep_backup(path, folder)
    monkeypatch.setattr(header, "SCHEMA", (1, 4))  # the files are still written as 1.3
    save(path, tiny(MARKER), expected_generation=1, session_key=key)
    assert not older.exists()
    assert remove_backups(path, folder) == 1
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    save(path, tiny("sealed stays sealed"), expected_generation=2, session_key=key)
    same(tiny(MARKER), load(older, session_key=key))
    assert remove_backups(path, folder) == 1
    assert remove_backups(path, folder) == 0
    save(path, tiny("in clear"), expected_generation=3)
    assert remove_backups(path, folder) == 1  # of the sealed one again
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    assert atomic.sweep(path.parent) == 0
