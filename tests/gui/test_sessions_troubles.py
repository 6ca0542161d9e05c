"""Damaged sessions, sessions that cannot be saved, and the clean-up, on the Sessions page through
the server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config, parse_config
from gui.data.example import make_example
from gui.errors import DamagedSession
from gui.sessions import file
from gui.sessions.manager import LOCAL
from tests.gui.sessions_page import (
    bar,
    current,
    export,
    look,
    made,
    names,
    press,
    row,
    tick,
    usable,
)

DAYS = 24 * 3600


@pytest.fixture(scope="module")
def example() -> Any:
    return make_example()


@pytest.fixture
def start(tmp_path: Path, open_tab: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The program with the Sessions page open; may be started again on the same folders."""
    started: list[Application] = []

    def go(**sections: Any) -> Any:
        folders = Config.for_tests(tmp_path).folders
        started.append(create_app(parse_config({"folders": folders.model_dump(), **sections})))
        tab = open_tab(started[-1])
        tab.go("sessions")
        return tab

    yield go
    for application in started:
        application.stop()


def session_file(folder: Path) -> Path:
    [path] = (folder / "data" / "sessions").glob("*.dcxsession")
    return path


def damage(path: Path) -> None:
    """Change one byte so that the list still knows the session, but it cannot be opened."""
    whole = path.read_bytes()
    path.unlink()  # a backup may be the same file under another name
    for place in range(len(whole) // 2, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            file.read_header(path)
            file.load(path)
        except DamagedSession:
            return
    raise AssertionError("no byte mattered")


def damaged(start: Callable[..., Any], example: Any, tmp_path: Path, *, backup: bool) -> Any:
    """A program that finds a damaged session "Mine"; backup : its file was kept before it was
    damaged.
    """
    tab = start()
    made(tab.application, "Mine", example)
    tab.application.stop()
    if backup:
        tab = start()
        tab.application.sessions.get_session(row(tab, "Mine")["id"], actor=LOCAL).notes = "later"
        tab.application.stop()
    damage(session_file(tmp_path))
    tab = start()
    press(tab, "Mine")  # it is found when it is opened
    look(tab)
    return tab


def test_a_damaged_session_says_what_can_be_done(
    start: Callable[..., Any], example: Any, tmp_path: Path
) -> None:
    tab = damaged(start, example, tmp_path, backup=False)
    shown = row(tab, "Mine")
    assert (shown["state"], shown["open"]) == ("damaged", "")
    assert shown["why"]
    bars = tab.text("sessions-troubles")
    assert "Recover what is readable" in bars
    assert "Open the last backup" not in bars
    tick(tab, "Mine")
    assert usable(tab, "duplicate", "archive", "export", "protect", "delete") == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert export(tab, "Mine")[0][1] == session_file(tmp_path).read_bytes()
    tick(tab, "Mine")
    tab.click("sessions-active-delete")
    tab.click("sessions-delete")
    assert names(tab) == []


def test_what_is_readable_of_a_damaged_session_becomes_a_session(
    start: Callable[..., Any], example: Any, tmp_path: Path
) -> None:
    tab = damaged(start, example, tmp_path, backup=False)
    session_id = row(tab, "Mine")["id"]
    tab.click(bar("recover", session_id))
    assert names(tab) == ["Mine", "Mine (recovered)"]
    assert current(tab) == "Mine (recovered)"
    assert "Recovered" in row(tab, "Mine (recovered)")["notes"]


def test_the_last_backup_takes_the_place_of_a_damaged_session(
    start: Callable[..., Any], example: Any, tmp_path: Path
) -> None:
    tab = damaged(start, example, tmp_path, backup=True)
    assert "Open the last backup (" in tab.text("sessions-troubles")
    tab.click(bar("backup", row(tab, "Mine")["id"]))
    assert row(tab, "Mine")["state"] == "open"
    assert current(tab) == "Mine"
    assert tab.get("sessions-troubles", "children") is None
    assert (
        tab.application.sessions.get_session(row(tab, "Mine")["id"], actor=LOCAL).dataset
        is not None
    )


@pytest.fixture
def unsaved(start: Callable[..., Any], example: Any, tmp_path: Path) -> Iterator[Any]:
    """A session that cannot be saved: a file lies where the folder should be."""
    place = tmp_path / "data" / "sessions"
    place.parent.mkdir(exist_ok=True)
    place.write_text("in the way")
    tab = start()
    made(tab.application, "Mine", example)
    for _ in range(200):
        if row(tab, "Mine")["state"] == "not saved":
            break
        time.sleep(0.05)
    yield tab
    if place.is_file():
        place.unlink()


def test_a_session_that_is_not_saved_is_tried_again(unsaved: Any, tmp_path: Path) -> None:
    session_id = row(unsaved, "Mine")["id"]
    assert "“Mine”" in unsaved.text("sessions-troubles")
    unsaved.click(bar("retry", session_id))
    assert row(unsaved, "Mine")["state"] == "not saved"
    assert unsaved.notices
    (tmp_path / "data" / "sessions").unlink()
    unsaved.click(bar("retry", session_id))
    assert any("“Mine” is saved" in n for n in unsaved.notices)
    assert row(unsaved, "Mine")["state"] == ""
    assert unsaved.get("sessions-troubles", "children") is None
    assert session_file(tmp_path).exists()


def test_a_copy_of_a_session_that_is_not_saved_holds_everything(
    unsaved: Any, tmp_path: Path
) -> None:
    unsaved.click(bar("copy_out", row(unsaved, "Mine")["id"]))
    [(name, data)] = unsaved.downloaded()
    assert name == "Mine.dcxsession"
    out = tmp_path / name
    out.write_bytes(data)
    assert file.load(out).dataset is not None


def test_a_session_that_is_not_saved_is_kept_in_another_folder(
    unsaved: Any, tmp_path: Path
) -> None:
    session_id = row(unsaved, "Mine")["id"]
    unsaved.click(bar("elsewhere", session_id))
    assert unsaved.get("sessions-folder-dialog", "opened") is True
    unsaved.set({("sessions-folder", "value"): str(tmp_path / "gone")})
    unsaved.click("sessions-folder-go")
    assert any("no such folder" in n for n in unsaved.notices)
    (tmp_path / "other").mkdir()
    unsaved.set({("sessions-folder", "value"): str(tmp_path / "other")})
    unsaved.click("sessions-folder-go")
    assert not unsaved.get("sessions-folder-dialog", "opened")
    assert row(unsaved, "Mine")["state"] == ""
    assert len(list((tmp_path / "other").glob("*.dcxsession"))) == 1


def test_in_a_conflict_the_version_of_the_file_is_taken_only_after_a_question(
    start: Callable[..., Any], example: Any, tmp_path: Path
) -> None:
    first, second = start(), None
    session = made(first.application, "Mine", example)
    first.application.sessions.save_session(session.session_id, actor=LOCAL)
    second = start()
    theirs = second.application.sessions.get_session(session.session_id, actor=LOCAL)
    theirs.notes = "theirs"
    second.application.sessions.save_session(session.session_id, actor=LOCAL)
    session.notes = "mine"
    for _ in range(200):
        if row(first, "Mine")["state"] == "not saved":
            break
        time.sleep(0.05)
    assert "Take the file" in first.text("sessions-troubles")
    assert "Try again" not in first.text("sessions-troubles")
    first.click(bar("theirs", session.session_id))
    first.click("sessions-theirs-keep")
    assert session.notes == "mine"
    first.click(bar("theirs", session.session_id))
    first.click("sessions-theirs-go")
    assert session.notes == "theirs"
    assert row(first, "Mine")["state"] == ""


# -- clean-up
# --------------------------------------------------------------------------------------------------


def aged(start: Callable[..., Any], tmp_path: Path, **cleanup: Any) -> Any:
    """Sessions of 400, 200 and 0 days in a program with this clean-up."""
    tab = start()
    for name in ("Old", "Older", "New"):
        made(tab.application, name)
    tab.application.stop()
    for path in (tmp_path / "data" / "sessions").glob("*.dcxsession"):
        header = file.read_header(path)
        days = {"Older": 400, "Old": 200}.get(str(header.name), 0)
        then = time.time() - days * DAYS
        if days:
            snapshot = file.load(path)
            from dataclasses import replace
            from datetime import UTC, datetime

            path.unlink()
            file.save(
                path,
                replace(snapshot, modified=datetime.fromtimestamp(then, UTC)),
                expected_generation=None,
            )
            os.utime(path, (then, then))
    return start(sessions={"cleanup": cleanup})


def test_the_clean_up_is_off_and_says_how_to_switch_it_on(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    tab = aged(start, tmp_path)
    assert "Off:" in tab.text("dcx-outlet")
    assert "[sessions.cleanup]" in tab.text("dcx-outlet")
    tab.click("sessions-clean-try")
    assert any("max_age_days" in n or "largest" in n for n in tab.notices)  # nothing to try yet
    tab.set({("sessions-clean-days", "value"): 100})
    tab.click("sessions-clean-try")
    answer = tab.text("sessions-clean-answer")
    assert "Old" in answer
    assert "Older" in answer
    assert "New" not in answer
    assert tab.get("sessions-clean-go", "style") == {"display": "none"}
    tab.click("sessions-clean-go")
    assert names(tab) == ["New", "Old", "Older"]  # switched off: nothing is done, whoever asks


def test_the_clean_up_is_tried_without_doing_anything_then_done(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    tab = aged(start, tmp_path, enabled=True, max_age_days=300)
    assert (
        "On: at every start and once a day it archives sessions not used for 300 days"
        in tab.text("dcx-outlet")
    )
    tab.click("sessions-clean-try")
    assert "Older" in tab.text("sessions-clean-answer")
    assert names(tab) == ["New", "Old", "Older"]
    assert tab.get("sessions-clean-go", "style") == {}
    tab.click("sessions-clean-go")
    assert names(tab) == ["New", "Old"]
    assert names(tab, "sessions-archived") == ["Older"]
    assert any("archived 1 session" in n for n in tab.notices)


def test_what_the_clean_up_deletes_can_be_brought_back(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    tab = aged(start, tmp_path, enabled=True, max_sessions=2, action="delete")
    tab.click("sessions-clean-try")
    tab.click("sessions-clean-go")
    assert names(tab) == ["New", "Old"]
    look(tab)
    assert "“Older” was deleted" in tab.text("sessions-undo")
