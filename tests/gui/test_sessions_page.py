"""The Sessions page, through the server: the tables, open, rename, notes, duplicate, archive,
restore, delete with Undo.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.components.sessions import ago, contents_text
from gui.config import Config
from gui.data.example import make_example
from gui.sessions.manager import LOCAL
from tests.gui.sessions_page import (
    ACTIVE,
    ARCHIVED,
    current,
    edit,
    locked,
    look,
    made,
    names,
    press,
    protected,
    row,
    tick,
    usable,
)


@pytest.fixture(scope="module")
def example() -> Any:
    return make_example()


@pytest.fixture
def page(tab: Any) -> Any:
    tab.go("sessions")
    return tab


def test_the_list_says_what_is_there(page: Any, example: Any) -> None:
    made(page.application, "Empty")
    session = made(page.application, "With data", example)
    page.application.sessions.save_session(session.session_id, actor=LOCAL)
    assert names(page) == ["Empty", "With data"]
    shown = row(page, "With data")
    assert (shown["contents"], shown["source"], shown["used_text"], shown["state"]) == (
        "Data",
        "the built-in example",
        "just now",
        "",
    )
    assert shown["size"] > 100_000
    assert row(page, "Empty")["contents"] == "empty"
    assert (shown["runs"], shown["protected"], shown["notes"], shown["open"]) == (0, "", "", "Open")
    assert shown["created_text"] == f"{datetime.now().day} {datetime.now():%b}"


def test_actions_fit_what_is_ticked(page: Any, example: Any) -> None:
    made(page.application, "A", example)
    made(page.application, "B", example)
    every = ("duplicate", "archive", "export", "protect", "delete")
    look(page)
    page.set({("sessions-active", "selectedRows"): []})
    assert usable(page, *every) == [False] * 5
    tick(page, "A")
    assert usable(page, *every) == [True] * 5
    assert (
        page.get("sessions-active-lock", "style")
        == page.get("sessions-active-password", "style")
        == {"display": "none"}
    )
    tick(page, "A", "B")
    assert usable(page, *every) == [False, True, True, False, True]


def test_a_session_is_opened_and_the_header_says_that_it_is_saved(page: Any, example: Any) -> None:
    made(page.application, "Mine", example)
    press(page, "Mine")
    assert current(page) == "Mine"
    assert row(page, "Mine")["state"] == "open"
    for _ in range(100):
        page.tick()
        if "Saved" in page.text("dcx-saved"):
            break
        time.sleep(0.05)
    assert "Saved" in page.text("dcx-saved")
    page.set({("dcx-session", "data"): page.application.sessions.default_id})
    assert page.get("dcx-saved", "children") is None


def test_what_cannot_be_saved_is_said_once_and_stays_visible(
    tmp_path: Path, open_tab: Callable[..., Any]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sessions").write_text("in the way")
    application = create_app(Config.for_tests(tmp_path))
    try:
        tab = open_tab(application)
        session = made(application, "Mine")
        tab.set({("dcx-session", "data"): session.session_id})
        for _ in range(100):
            tab.tick()
            if "Not saved" in tab.text("dcx-saved"):
                break
            time.sleep(0.05)
        assert "Not saved" in tab.text("dcx-saved")
        for _ in range(3):
            tab.tick()
        assert sum("folder" in n for n in tab.notices) == 1
    finally:
        (tmp_path / "data" / "sessions").unlink()
        application.stop()
    # tried a last time at the end
    assert len(list((tmp_path / "data" / "sessions").glob("*.dcxsession"))) == 1


def test_renaming_in_place_is_said_and_a_name_in_use_is_put_back(page: Any) -> None:
    made(page.application, "A")
    made(page.application, "B")
    edit(page, "A", "name", "melanoma run 1")
    assert names(page) == ["B", "melanoma run 1"]
    assert any("melanoma run 1" in n for n in page.notices)
    edit(page, "B", "name", " Melanoma run 1")
    assert any("Another session is called" in n for n in page.notices)
    assert names(page) == ["B", "melanoma run 1"]


def test_notes_are_edited_in_place_kept_and_of_long_ones_nothing_is_lost(
    page: Any, example: Any
) -> None:
    session = made(page.application, "A", example)
    edit(page, "A", "notes", "two lines\nof notes")
    assert session.notes == "two lines\nof notes"
    assert row(page, "A")["notes"] == "two lines\nof notes"
    assert any("notes" in n for n in page.notices)
    session.notes = "x" * 900 + "y" * 900  # more than the table shows
    shown = row(page, "A")["notes"]
    assert len(shown) < 1800
    edit(page, "A", "notes", "changed " + shown)
    assert session.notes == "changed " + "x" * 900 + "y" * 900
    edit(page, "A", "notes", "")
    assert session.notes == "y" * 808  # what was not on screen is not deleted with what was


def test_creating_opens_the_new_session(page: Any) -> None:
    page.click("sessions-new")
    assert page.get("sessions-new-name", "value") == "Session"
    page.set({("sessions-new-name", "value"): "Lung"})
    page.click("sessions-create")
    assert current(page) == "Lung"
    assert names(page) == ["Lung"]


def test_deleting_asks_with_the_name_and_undo_brings_it_back(page: Any, example: Any) -> None:
    session = made(page.application, "melanoma run 1", example)
    made(page.application, "Other")
    press(page, "melanoma run 1")
    tick(page, "melanoma run 1")
    assert page.get("sessions-active-delete", "disabled") is False
    page.click("sessions-active-delete")
    assert page.get("sessions-delete-dialog", "opened") is True
    assert (
        page.get("sessions-delete-question", "children")
        == "Delete “melanoma run 1”? Undo brings it back for 30 seconds; then it is gone for good."
    )
    page.click("sessions-keep")
    assert names(page) == ["Other", "melanoma run 1"]
    page.click("sessions-active-delete")
    page.click("sessions-delete")
    assert names(page) == ["Other"]
    assert current(page) == "Default"
    page.click({"page": "sessions", "part": "undo", "index": session.session_id})
    assert names(page) == ["Other", "melanoma run 1"]
    assert (
        page.application.sessions.get_session(session.session_id, actor=LOCAL).dataset is not None
    )


def test_several_are_archived_restored_and_deleted_at_once(page: Any, example: Any) -> None:
    for name in ("A", "B", "C"):
        made(page.application, name, example)
    press(page, "A")
    tick(page, "A", "B")
    page.click("sessions-active-archive")
    assert names(page) == ["C"]
    assert current(page) == "Default"
    assert names(page, "sessions-archived") == ["A", "B"]
    assert page.get("sessions-archive-box", "style") == {}
    press(page, "A", "sessions-archived")
    assert current(page) == "A"
    assert names(page) == ["A", "C"]
    tick(page, "A", "C")
    page.click("sessions-active-delete")
    assert "these 2 sessions" in page.get("sessions-delete-question", "children")
    page.click("sessions-delete")
    assert names(page) == []


def test_a_session_with_a_running_job_is_not_archived(
    application: Application, open_tab: Callable[..., Any], example: Any
) -> None:
    from gui.engine.params import DTDParams
    from gui.engine.tasks import run_dtd

    tab = open_tab(application)
    tab.go("sessions")
    session = made(application, "Busy", example)
    job = application.submit(  # the worker is not started: it waits
        run_dtd,
        session.session_id,
        DTDParams(),
        kind="dtd",
        title="DTD",
        actor=LOCAL,
    )
    tick(tab, "Busy")
    tab.click("sessions-active-archive")
    assert any("is running" in n for n in tab.notices)
    assert names(tab) == ["Busy"]
    application.runner.cancel(job)


def test_duplicating(page: Any, example: Any) -> None:
    made(page.application, "A", example)
    tick(page, "A")
    page.click("sessions-active-duplicate")
    assert names(page) == ["A", "A copy"]


def test_a_damaged_session_is_listed_and_opening_it_says_so(
    tmp_path: Path, open_tab: Callable[..., Any], example: Any
) -> None:
    first = create_app(Config.for_tests(tmp_path))
    session = made(first, "Mine", example)
    first.stop()
    [path] = (tmp_path / "data" / "sessions").glob("*.dcxsession")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    again = create_app(Config.for_tests(tmp_path))
    try:
        tab = open_tab(again)
        tab.go("sessions")
        press(tab, "Mine")
        assert current(tab) == "Default"
        assert row(tab, "Mine")["state"] == "damaged"
        tab.set({("dcx-session", "data"): session.session_id})  # a tab that had it open before
        assert current(tab) == "Default"
        assert tab.notices
        tick(tab, "Mine")
        assert tab.get("sessions-active-export", "disabled") is False
        assert tab.get("sessions-active-duplicate", "disabled") is True
    finally:
        again.stop()


def search(page: Any, text: str, *tags: str) -> tuple[list[str], list[str]]:
    """The names in both tables after this search."""
    page.set({("sessions-search", "value"): text, ("sessions-search-tags", "value"): list(tags)})
    return tuple(  # type: ignore[return-value]
        sorted(r["name"] for r in page.get(grid, "rowData")) for grid in (ACTIVE, ARCHIVED)
    )


def test_sessions_are_found_by_name_note_tag_and_sample_in_both_tables(
    page: Any, example: Any
) -> None:
    one, two = made(page.application, "Melanoma", example), made(page.application, "Lung")
    made(page.application, "Kidney").notes = "batch of Melanoma clinic"
    for session, tags in ((one, "Pilot, ward 3"), (two, "pilot")):
        edit(page, session.name, "tags", tags)
    assert row(page, "Melanoma")["tags"] == "Pilot, ward 3"
    sample = str(example.dataset.bulk.matrix.columns[0])
    assert search(page, "MELA") == (["Kidney", "Melanoma"], [])
    assert search(page, "clinic batch") == (["Kidney"], [])
    assert search(page, "pilot") == (["Lung", "Melanoma"], [])
    assert search(page, sample.upper()) == (["Melanoma"], [])
    answer = page.get("sessions-search-answer", "children")
    assert answer == f"1 of 3 sessions. Found: sample “{sample}” in “Melanoma”."
    assert search(page, "nothing like it") == ([], [])
    assert page.get("sessions-none", "style") == {"display": "none"}
    assert search(page, "", "pilot") == (["Lung", "Melanoma"], [])
    assert search(page, "", "pilot", "ward 3") == (["Melanoma"], [])
    assert search(page, "") == (["Kidney", "Lung", "Melanoma"], [])
    assert page.get("sessions-search-answer", "children") == ""
    page.application.sessions.archive_session(one.session_id, actor=LOCAL)
    look(page)
    assert search(page, f"{sample} mel") == ([], ["Melanoma"])  # out of the file's header
    assert page.get("sessions-search-tags", "data") in (["Pilot", "ward 3"], ["pilot", "ward 3"])


@pytest.mark.usefixtures("quick_passwords")
def test_of_a_locked_session_only_the_name_is_searched(page: Any, example: Any) -> None:
    session = made(page.application, "Secret", example)
    edit(page, "Secret", "tags", "ward 3")
    protected(page, "Secret")
    locked(page, "Secret")
    sample = str(example.dataset.bulk.matrix.columns[0])
    for text in (sample, "ward"):
        assert search(page, text) == ([], [])
        assert "1 locked session is searched by name only" in page.get(
            "sessions-search-answer", "children"
        )
    assert search(page, "secret") == (["Secret"], [])
    assert page.get("sessions-search-tags", "data") == []
    assert session.session_id


def test_tags_that_are_refused_stay_as_they_were(page: Any) -> None:
    made(page.application, "Lung")
    edit(page, "Lung", "tags", " pilot ;PILOT, ward 3,")
    assert row(page, "Lung")["tags"] == "pilot, ward 3"
    for refused in ("x" * 31, ",".join(map(str, range(11)))):
        edit(page, "Lung", "tags", refused)
        assert row(page, "Lung")["tags"] == "pilot, ward 3"
    assert any("longer than 30" in n for n in page.notices)
    assert any("at most 10 tags" in n for n in page.notices)
    edit(page, "Lung", "tags", "")
    assert row(page, "Lung")["tags"] == ""


def test_two_hundred_sessions_with_long_names_are_shown_and_an_idle_page_gets_nothing(
    page: Any,
) -> None:
    for n in range(200):
        made(page.application, f"{n:03} {'ü' * 116}")
    assert len(names(page)) == 200
    assert len(json.dumps(page.get("sessions-active", "rowData"))) < 400_000
    page.application.sessions.close(actor=LOCAL)
    look(page)
    page.statuses.clear()
    look(page)
    assert page.statuses == [204]


def test_a_restart_shows_everything_again(
    tmp_path: Path, open_tab: Callable[..., Any], example: Any
) -> None:
    first = create_app(Config.for_tests(tmp_path))
    session = made(first, "Mine", example)
    session.keep_form("dtd", {"iterations": 321})
    first.stop()
    again = create_app(Config.for_tests(tmp_path))
    try:
        tab = open_tab(again)
        tab.go("sessions")
        assert not again.sessions.list_sessions(actor=LOCAL)[1].loaded
        press(tab, "Mine")
        tab.go("dtd")
        assert tab.get("dtd-iterations", "value") == 321
        assert (
            again.sessions.get_session(session.session_id, actor=LOCAL).need_dataset().dataset_id
            == session.need_dataset().dataset_id
        )
    finally:
        again.stop()


def test_times_and_contents_are_said_in_words() -> None:
    now = datetime(2026, 11, 22, 18, 0).astimezone()
    assert ago(now - timedelta(seconds=5), now) == "just now"
    assert ago(now - timedelta(minutes=12), now) == "12 min ago"
    assert ago(now - timedelta(hours=3), now) == "today 15:00"
    assert ago(now - timedelta(days=1), now) == "yesterday"
    assert ago(datetime(2026, 2, 3, tzinfo=UTC), now) == "3 Feb"
    assert ago(datetime(2025, 2, 3, tzinfo=UTC), now) == "3 Feb 2025"
    assert (
        contents_text({"data": True, "dtd": 1, "search": 1, "adtd": 4})
        == "Data · DTD · search · 4 ADTD"
    )
    assert (
        contents_text({"data": True, "marks": "without cells, recovered"})
        == "Data (without cells, recovered)"
    )
    assert contents_text({}) == "empty"
    assert contents_text({"data": True, "runs": 3, "dtd": 1}) == "Data · DTD · 2 other runs"
    assert contents_text({"data": True, "runs": 1}) == "Data · 1 other run"
