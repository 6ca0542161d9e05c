"""A session that cannot be saved: the header says why and what can be done, and each of these
things works.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui import atomic
from gui.app import Application, create_app
from gui.config import Config, Sessions
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL, SessionCacheManager
from tests.gui.steps import PASSWORD, press, saved, session_with, show
from tests.waiting import until

WORDS = {
    "again": "Try again",
    "copy": "Save a copy…",
    "own": "Keep mine as a new session",
    "theirs": "Give up mine, open the other",
}


def button(action: str) -> dict[str, Any]:
    return {"page": "dcx", "part": "unsaved", "index": action}


def offered(tab: Any) -> set[str]:
    """What the menu beside the session's name offers."""
    shown = tab.text("dcx-saved")
    return {action for action, words in WORDS.items() if words in shown}


def not_saved(tab: Any, session_id: str) -> None:
    """Wait until the header says so."""
    sessions = tab.application.sessions
    until(lambda: sessions.save_state(session_id, actor=LOCAL)[0] == "not saved", 30)
    tab.tick()
    assert "Not saved" in tab.text("dcx-saved")


def elsewhere(application: Application, session_id: str, notes: str) -> None:
    """Another program opens the same session and saves it."""
    # what is saved in between would be a conflict for the other one, too
    until(lambda: saved(application, session_id), 30)
    other = SessionCacheManager(application.config.data_folder)
    other.get_session(session_id, actor=LOCAL).notes = notes
    assert other.close(actor=LOCAL)


@pytest.fixture
def conflict(application: Application, tab: Any) -> DCXCache:
    """A session that both this program and another one changed; it is on screen."""
    session = session_with(application, "Mine")
    application.sessions.save_session(session.session_id, actor=LOCAL)
    show(tab, session.session_id)
    assert "Not saved" not in tab.text("dcx-saved")
    elsewhere(application, session.session_id, "theirs")
    session.notes = "mine"
    not_saved(tab, session.session_id)
    return session


def test_a_conflict_offers_a_copy_a_session_of_its_own_or_to_give_up(
    conflict: DCXCache, tab: Any
) -> None:
    assert offered(tab) == {"copy", "own", "theirs"}  # trying again would change nothing
    (told,) = [n for n in tab.shown if "changed" in str(n.get("title"))]
    assert told["autoClose"] is False
    for _ in range(3):
        tab.tick()
    assert len([n for n in tab.shown if "changed" in str(n.get("title"))]) == 1  # said once
    assert conflict.notes == "mine"
    path = tab.application.config.sessions_folder / file.file_name(conflict.session_id)
    assert file.load(path).notes == "theirs"


def test_of_a_conflict_a_copy_can_be_saved(conflict: DCXCache, tab: Any, tmp_path: Path) -> None:
    press(tab, button("copy"))
    ((name, content),) = tab.downloaded()
    assert name == "Mine.dcxsession"
    (tmp_path / name).write_bytes(content)
    assert file.load(tmp_path / name).notes == "mine"
    assert any("is in your downloads folder" in n for n in tab.notices)
    assert offered(tab) == {"copy", "own", "theirs"}


def test_of_a_conflict_mine_can_become_a_session_of_its_own(conflict: DCXCache, tab: Any) -> None:
    press(tab, button("own"))
    sessions, own = tab.application.sessions, tab.get("dcx-session", "data")
    assert own != conflict.session_id
    assert sessions.get_session(own, actor=LOCAL).notes == "mine"
    assert "Mine copy" in tab.text("dcx-session-button")
    assert any("Yours is “Mine copy” now." in n for n in tab.notices)
    assert conflict.notes == "theirs"
    assert saved(tab.application, conflict.session_id)
    until(lambda: saved(tab.application, own))
    tab.tick()
    assert offered(tab) == set()
    assert "Not saved" not in tab.text("dcx-saved")


def test_of_a_conflict_mine_can_be_given_up(conflict: DCXCache, tab: Any) -> None:
    press(tab, button("theirs"))
    assert tab.get("dcx-session", "data") == conflict.session_id
    assert conflict.notes == "theirs"
    assert saved(tab.application, conflict.session_id)
    assert "Not saved" not in tab.text("dcx-saved")
    conflict.notes = "and on"
    until(lambda: saved(tab.application, conflict.session_id))  # saving goes on from there


def test_a_conflict_nobody_decides_is_kept_as_a_copy_at_the_end(
    conflict: DCXCache, tab: Any
) -> None:
    tab.application.stop()
    again = SessionCacheManager(tab.application.config.data_folder)
    notes = {
        i.name: again.get_session(i.session_id, actor=LOCAL).notes
        for i in again.list_sessions(actor=LOCAL)
        if i.holds_data
    }
    assert notes == {"Mine": "theirs", "Mine copy": "mine"}
    again.close(actor=LOCAL)


# -- a disk that does not take it
# -----------------------------------------------------------------------------------------------


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """While it holds an error's number, nothing can be written."""
    state, whole = [0], atomic._open

    def opened(path: Path, mode: str) -> Any:
        if state[0]:
            raise OSError(state[0], os.strerror(state[0]))
        return whole(path, mode)

    monkeypatch.setattr("gui.atomic._open", opened)
    yield state
    state[0] = 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.ENOSPC, "The disk is full."),
        (errno.EROFS, "The folder of the session cannot be written to."),
    ],
)
def test_a_full_disk_or_a_folder_to_read_only_is_said_once_and_work_goes_on(
    application: Application, tab: Any, full: list[int], tmp_path: Path, error: int, words: str
) -> None:
    session = session_with(application, "Mine")
    application.sessions.save_session(session.session_id, actor=LOCAL)
    show(tab, session.session_id)
    full[0] = error
    tab.set({("upload-tabs", "value"): "rows"})
    session.notes = "later"
    not_saved(tab, session.session_id)
    assert offered(tab) == {"again", "copy"}
    assert words in tab.text("dcx-saved")
    assert len([n for n in tab.notices if words in n]) == 1
    tab.go("dtd")
    tab.set({("dtd-iterations", "value"): 44})  # the session stays usable
    assert session.form("dtd")["iterations"] == 44
    tab.notices.clear()
    press(tab, button("again"))
    assert any(words in n for n in tab.notices)
    assert "Saved." not in tab.notices
    press(tab, button("copy"))
    ((name, content),) = tab.downloaded()
    (tmp_path / name).write_bytes(content)
    assert file.load(tmp_path / name).notes == "later"
    full[0] = 0
    press(tab, button("again"))
    assert "Saved." in tab.notices
    tab.tick()
    assert offered(tab) == set()
    assert (
        file.load(application.config.sessions_folder / file.file_name(session.session_id)).notes
        == "later"
    )


def test_a_copy_of_a_protected_session_stays_sealed(
    application: Application, tab: Any, full: list[int], quick_passwords: None, tmp_path: Path
) -> None:
    session = session_with(application, "Mine")
    application.sessions.protect_session(session.session_id, PASSWORD, actor=LOCAL)
    show(tab, session.session_id)
    tab.set({("dcx-unlock-password", "value"): PASSWORD})
    press(tab, "dcx-unlock")
    full[0] = errno.ENOSPC
    session.notes = "Patientin Müller 4711"
    not_saved(tab, session.session_id)
    tab.notices.clear()
    press(tab, "dcx-lock")  # what is not on disk is not given up
    assert any("The disk is full." in n for n in tab.notices)
    assert session.loaded
    press(tab, button("copy"))
    ((name, content),) = tab.downloaded()
    assert b"Patientin" not in content
    (tmp_path / name).write_bytes(content)
    assert file.read_header(tmp_path / name).encrypted


def test_with_one_session_a_copy_can_be_saved_and_nothing_is_offered_that_is_not_there(
    tmp_path: Path, open_tab: Callable[..., Any], full: list[int]
) -> None:
    application = create_app(
        Config.for_tests(tmp_path).model_copy(update={"sessions": Sessions(enabled=False)})
    )
    try:
        tab = open_tab(application)
        press(tab, "upload-example")
        sessions, here = application.sessions, application.sessions.default_id
        until(lambda: saved(application, here))
        full[0] = errno.ENOSPC
        sessions.get_session(here, actor=LOCAL).notes = "later"
        not_saved(tab, here)
        press(tab, button("copy"))
        ((name, content),) = tab.downloaded()
        (tmp_path / name).write_bytes(content)
        assert file.load(tmp_path / name).notes == "later"
        full[0] = 0
        press(tab, button("again"))
        assert "Saved." in tab.notices
        other = SessionCacheManager(application.config.data_folder, single=True)
        other.get_session(other.default_id, actor=LOCAL).notes = "theirs"
        assert other.close(actor=LOCAL)
        sessions.get_session(here, actor=LOCAL).notes = "mine"
        not_saved(tab, here)
        assert offered(tab) == {"copy", "theirs"}
        press(tab, button("theirs"))
        assert sessions.get_session(here, actor=LOCAL).notes == "theirs"
    finally:
        full[0] = 0
        application.stop()
