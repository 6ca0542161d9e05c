"""Sessions of the earlier DeconomiX GUI come in through the import dialog of the Sessions page."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application
from gui.sessions.manager import LOCAL


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "predecessor" / "sessions" / "cache"


@pytest.fixture
def sessions_tab(tab: Any) -> Any:
    tab.go("sessions")
    tab.click("sessions-bring")
    return tab


def bring(tab: Any, path: Path) -> None:
    tab.set({("sessions-file-path", "value"): str(path)})
    tab.set({("sessions-file-path", "n_submit"): 1})


def test_a_folder_of_earlier_sessions_is_imported_with_data_and_results(
    application: Application, sessions_tab: Any, folder: Path
) -> None:
    bring(sessions_tab, folder)
    found = [
        s
        for s in application.sessions.list_sessions(actor=LOCAL)
        if s.session_id != application.sessions.default_id
    ]
    assert len(found) == 1
    session = application.sessions.get_session(found[0].session_id, actor=LOCAL)
    assert session.dataset is not None
    assert session.current("dtd") is not None
    assert session.current("adtd") is not None
    # a single one is opened at once
    assert sessions_tab.get("dcx-session", "data") == session.session_id
    assert list(folder.glob("*.pkl"))  # the files stay


def test_an_archived_one_goes_to_the_archive(
    application: Application, sessions_tab: Any, folder: Path, tmp_path: Path
) -> None:
    old = tmp_path / "cache"
    shutil.copytree(folder, old / "archive")
    bring(sessions_tab, old)
    assert [s.holds_data for s in application.sessions.list_sessions(actor=LOCAL)] == [False]
    assert len(application.sessions.list_archived_sessions(actor=LOCAL)) == 1


def test_a_folder_without_any_is_said_and_a_damaged_file_changes_nothing(
    application: Application, sessions_tab: Any, folder: Path, tmp_path: Path
) -> None:
    bring(sessions_tab, tmp_path)
    assert "There are no sessions of the earlier DeconomiX GUI" in sessions_tab.notices[-1]
    damaged = tmp_path / "20261122#092548#0dfe8418.pkl"
    (whole,) = folder.glob("*.pkl")
    damaged.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    bring(sessions_tab, damaged)
    assert "Traceback" not in sessions_tab.notices[-1]
    assert damaged.name in sessions_tab.notices[-1]
    assert len(application.sessions.list_sessions(actor=LOCAL)) == 1
