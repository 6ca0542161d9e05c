"""Files dropped anywhere on a page: sessions open, data wait on Upload, what fails stops nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gui.app import Application
from gui.sessions.manager import LOCAL
from tests.gui.steps import session_with, show


def table(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("gene,S1\nA,1\nB,2\n")
    return path


def drop(tab: Any, *paths: Path | str) -> None:
    files = [
        {"error": path}
        if isinstance(path, str)
        else {"token": tab.application.uploads.adopt(path).token, "name": path.name}
        for path in paths
    ]
    at = tab.get("dcx-dropped", "data") or {"at": 0}
    tab.set({("dcx-dropped", "data"): {"files": files, "at": at["at"] + 1}})


@pytest.mark.parametrize("start", ["dtd", "upload", ""])
def test_data_files_take_the_free_places_wherever_they_are_dropped(
    tab: Any, application: Application, tmp_path: Path, start: str
) -> None:
    show(tab, session_with(application, "one").session_id)
    tab.go(start)
    drop(tab, table(tmp_path, "a.csv"), "b.csv is larger than 1 MB.", table(tmp_path, "c.csv"))
    assert tab.get("dcx-location", "pathname") == ("/upload" if start else "/")
    if start == "dtd":
        tab.go("upload")
    assert tab.get("upload-train-name", "children") == "a.csv"
    assert tab.get("upload-bulk-name", "children") == "c.csv"
    assert any("b.csv is larger" in n for n in tab.notices)
    drop(tab, table(tmp_path, "d.csv"), table(tmp_path, "e.csv"), table(tmp_path, "f.csv"))
    assert tab.get("upload-reference-name", "children") == "e.csv"
    assert any("f.csv was not taken" in n for n in tab.notices)


def test_sessions_are_opened_and_another_version_is_left(
    tab: Any, application: Application, tmp_path: Path
) -> None:
    session = session_with(application, "one")
    path = tmp_path / "one.dcxsession"
    path.write_bytes(application.sessions.export_session(session.session_id, actor=LOCAL).data)
    application.sessions.delete_session(session.session_id, actor=LOCAL)
    tab.go("dtd")
    damaged = tmp_path / "damaged.dcxsession"
    damaged.write_bytes(b"PK nothing")
    drop(tab, damaged, path)
    shown = application.sessions.get_session(tab.get("dcx-session", "data"), actor=LOCAL)
    assert shown.name == "one"
    assert shown.dataset is not None
    assert any("“one” is open" in n for n in tab.notices)
    assert len(tab.errors) == 1
    again = tmp_path / "again.dcxsession"
    again.write_bytes(application.sessions.export_session(shown.session_id, actor=LOCAL).data)
    shown.notes = "changed"
    drop(tab, again)
    assert any("in another version" in n for n in tab.notices)


@pytest.mark.parametrize("data", [{"files": "x"}, {"files": []}, {}, {"files": [5]}])
def test_what_no_page_sends_does_nothing(tab: Any, data: Any) -> None:
    tab.set({("dcx-dropped", "data"): data})
    assert set(tab.statuses) <= {200, 204}
