"""Passwords on the Sessions page, through the server; and what a second browser sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gui.app import Application
from gui.data.example import make_example
from gui.errors import SessionLocked
from gui.sessions.manager import LOCAL
from tests.gui.sessions_page import (
    OTHER,
    PASSWORD,
    current,
    look,
    made,
    names,
    press,
    protected,
    row,
    tick,
    usable,
)

pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture(scope="module")
def example() -> Any:
    return make_example()


@pytest.fixture
def page(tab: Any) -> Any:
    tab.go("sessions")
    return tab


def unlock(tab: Any, name: str, password: str) -> None:
    press(tab, name)
    assert tab.get("sessions-unlock-dialog", "opened") is True
    tab.set({("sessions-unlock-password", "value"): password})
    tab.click("sessions-unlock-go")


def change(
    tab: Any, name: str, way: str, old: str, new: str = "", again: str | None = None
) -> None:
    tick(tab, name)
    tab.click("sessions-active-password")
    assert tab.get("sessions-password-dialog", "opened") is True
    tab.set({("sessions-password-way", "value"): way})
    values = {
        "sessions-password-old": old,
        "sessions-new-password-one": new,
        "sessions-new-password-two": new if again is None else again,
    }
    tab.set({(key, "value"): value for key, value in values.items()})
    tab.click("sessions-password-go")


def test_a_session_is_protected_locked_and_unlocked(page: Any, example: Any) -> None:
    made(page.application, "A", example)
    press(page, "A")
    protected(page, "A")
    assert (row(page, "A")["state"], row(page, "A")["protected"]) == ("open", "unlocked")
    assert current(page) == "A"
    tick(page, "A")
    assert usable(page, "duplicate", "lock", "password") == [True] * 3
    assert page.get("sessions-active-protect", "style") == {"display": "none"}
    page.click("sessions-active-lock")
    assert page.notices[-1] == "“A” is locked."
    shown = row(page, "A")
    # also where it is this tab's own
    assert (shown["state"], shown["open"]) == ("locked", "Unlock")
    assert (
        shown["protected"],
        shown["contents"],
        shown["source"],
        shown["notes"],
        shown["runs"],
    ) == ("locked", "", "", "", None)
    tick(page, "A")
    assert usable(
        page, "duplicate", "archive", "export", "protect", "lock", "password", "delete"
    ) == [False, True, True, False, False, False, True]
    assert page.get("sessions-page", "id")  # the page works while the tab's session is locked
    made(page.application, "B")
    press(page, "B")
    unlock(page, "A", "a wrong password")
    assert any("password is wrong" in n for n in page.notices)
    assert current(page) == "B"
    unlock(page, "A", PASSWORD)
    assert not page.get("sessions-unlock-dialog", "opened")
    assert page.get("sessions-unlock-password", "value") == ""
    assert current(page) == "A"
    assert row(page, "A")["contents"] == "Data"


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ("short", "short", "12 or more"),
        (PASSWORD, OTHER, "passwords differ"),
        ("", "", "Enter a password"),
    ],
)
def test_a_password_that_will_not_do_protects_nothing(
    page: Any, one: str, two: str, said: str
) -> None:
    made(page.application, "A")
    tick(page, "A")
    page.click("sessions-active-protect")
    page.set(
        {
            ("sessions-protect-password-one", "value"): one,
            ("sessions-protect-password-two", "value"): two,
        }
    )
    page.click("sessions-protect-go")
    assert any(said in n for n in page.notices)
    assert page.get("sessions-protect-dialog", "opened") is True
    assert row(page, "A")["protected"] == ""
    page.click("sessions-protect-cancel")
    assert page.get("sessions-protect-password-one", "value") == ""


def test_that_there_is_no_reset_stands_where_a_password_is_chosen(page: Any) -> None:
    layout = json.dumps(
        page.client.get("/_dash-layout", base_url="http://127.0.0.1:8050").json
    ) + page.text("dcx-outlet")
    assert layout.count("It cannot be reset") == 3  # protecting, exporting, changing


def test_a_hidden_name_is_shown_only_unlocked(page: Any, example: Any) -> None:
    made(page.application, "Patient Meyer", example)
    protected(page, "Patient Meyer", hide=True)
    assert names(page) == ["Patient Meyer"]
    tick(page, "Patient Meyer")
    page.click("sessions-active-lock")
    assert names(page) == ["Protected session"]
    look(page)
    assert "Meyer" not in json.dumps(page.get("sessions-active", "rowData"))
    unlock(page, "Protected session", PASSWORD)
    assert names(page) == ["Patient Meyer"]


def test_password_is_changed_only_with_the_present_one(page: Any, example: Any) -> None:
    made(page.application, "A", example)
    protected(page, "A")
    change(page, "A", "change", "a wrong password", OTHER)
    assert any("password is wrong" in n for n in page.notices)
    assert page.get("sessions-password-dialog", "opened") is True
    change(page, "A", "change", PASSWORD, OTHER)
    assert not page.get("sessions-password-dialog", "opened")
    assert page.get("sessions-password-old", "value") == ""
    tick(page, "A")
    page.click("sessions-active-lock")
    unlock(page, "A", PASSWORD)
    assert row(page, "A")["protected"] == "locked"
    unlock(page, "A", OTHER)
    assert row(page, "A")["protected"] == "unlocked"


def test_after_a_leak_the_key_is_new_and_the_content_the_same(page: Any, example: Any) -> None:
    session = made(page.application, "A", example)
    protected(page, "A")
    before = next((page.application.config.sessions_folder).glob("*.dcxsession")).read_bytes()
    change(page, "A", "renew", PASSWORD, OTHER)
    after = next((page.application.config.sessions_folder).glob("*.dcxsession")).read_bytes()
    assert any("encrypted again" in n for n in page.notices)
    assert before != after
    tick(page, "A")
    page.click("sessions-active-lock")
    unlock(page, "A", OTHER)
    assert row(page, "A")["contents"] == "Data"
    assert current(page) == "A"
    assert session.session_id == row(page, "A")["id"]


def test_password_is_removed(page: Any, example: Any) -> None:
    made(page.application, "A", example)
    protected(page, "A")
    change(page, "A", "remove", PASSWORD)
    assert page.get("sessions-new-password-box", "style") == {"display": "none"}
    assert row(page, "A")["protected"] == ""
    assert any("no longer protected" in n for n in page.notices)


def test_a_second_browser_sees_only_the_lock(
    application: Application, open_tab: Callable[..., Any], example: Any
) -> None:
    first, second = open_tab(application), open_tab(application)
    for tab in (first, second):
        tab.go("sessions")
    made(application, "A", example)
    press(first, "A")
    protected(first, "A")
    shown = row(second, "A")
    assert (shown["state"], shown["contents"], shown["source"], shown["open"]) == (
        "locked",
        "",
        "",
        "Unlock",
    )
    tick(second, "A")
    assert usable(second, "duplicate", "protect", "lock", "password") == [False] * 4
    second.set(
        {
            ("sessions-active", "cellValueChanged"): [
                {"rowId": shown["id"], "colId": "notes", "oldValue": "", "value": "x"}
            ]
        }
    )
    assert any("protected by a password" in n for n in second.notices)
    assert row(first, "A")["contents"] == "Data"  # the positive control
    unlock(second, "A", PASSWORD)
    assert row(second, "A")["contents"] == "Data"


def test_deleting_and_undoing_keeps_a_protected_session_locked(page: Any, example: Any) -> None:
    session = made(page.application, "A", example)
    protected(page, "A")
    tick(page, "A")
    page.click("sessions-active-delete")
    page.click("sessions-delete")
    assert names(page) == []
    page.click({"page": "sessions", "part": "undo", "index": session.session_id})
    assert row(page, "A")["state"] == "locked"
    with pytest.raises(SessionLocked):
        page.application.sessions.get_session(session.session_id, actor=LOCAL)
