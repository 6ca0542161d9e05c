"""What the running program does by itself: clean-up at start and daily, and the memory that
nobody's sessions keep.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Cleanup, Config, Sessions
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.manager import LOCAL
from tests.gui.steps import LONG, run_dtd, session_with, show
from tests.waiting import until

Start = Callable[..., Application]
NAMES = ("Anna K.", "Bernd L.", "Clara M.", "Doris N.")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """The program with these settings of [sessions], on one folder, as a restart gives it."""
    made: list[Application] = []

    def begin(**settings: Any) -> Application:
        made.append(
            create_app(
                Config.for_tests(tmp_path).model_copy(update={"sessions": Sessions(**settings)})
            )
        )
        return made[-1]

    yield begin
    for application in made:
        application.stop()


def chore(application: Application, name: str) -> Any:
    return next(c for c in application.housekeeping._chores if c.name == name)


def listed(application: Application) -> list[str]:
    return sorted(i.name for i in application.sessions.list_sessions(actor=LOCAL) if i.holds_data)


def archived(application: Application) -> list[str]:
    return sorted(i.name for i in application.sessions.list_archived_sessions(actor=LOCAL))


def with_old_ones(start: Start, *days: float) -> dict[str, str]:
    """Leave sessions that were last used so many days ago; name -> id.

    The program ended afterwards.
    """
    application, ids = start(), {}
    for name in NAMES[: len(days)]:
        ids[name] = application.sessions.create_session(name, actor=LOCAL).session_id
    application.stop()
    for name, age in zip(NAMES, days, strict=False):
        then = datetime.now(UTC) - timedelta(days=age)
        path = Path(application.config.sessions_folder) / file.file_name(ids[name])
        snapshot = file.load(path)
        file.save(
            path,
            replace(snapshot, created=then, modified=then),
            expected_generation=file.read_header(path).generation,
        )
        os.utime(path, (then.timestamp(), then.timestamp()))
    return ids


@pytest.mark.parametrize("action", ["archive", "delete"])
def test_the_clean_up_at_start_takes_what_is_old_and_says_so_once_without_names(
    start: Start,
    open_tab: Callable[..., Any],
    action: Any,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    ids = with_old_ones(start, 1, 20, 40)
    application = start(cleanup=Cleanup(enabled=True, max_age_days=10, action=action))
    early = open_tab(application)
    with caplog.at_level(logging.INFO, logger="gui"):
        assert chore(application, "clean-up").every == 24 * 3600
        chore(application, "clean-up").due -= 5  # seconds that it leaves to the start
        application.housekeeping.start()  # as start() does
        until(lambda: application.inbox.announcements, 20)
    assert listed(application) == ["Anna K."]
    assert archived(application) == (["Bernd L.", "Clara M."] if action == "archive" else [])
    late = open_tab(application)
    said = f"Clean-up {action}d 2 sessions that were not used for 20 days."
    undo = " The Sessions page brings them back for 30 seconds." if action == "delete" else ""
    for tab in (early, late):
        for _ in range(3):
            tab.tick()
        assert tab.notices.count(said + undo) == 1
    lines = [r.getMessage() for r in caplog.records if "Clean-up" in r.getMessage()]
    assert len(lines) == 1
    assert said in lines[0]
    assert ids["Bernd L."] in lines[0]
    assert not any(name in r.getMessage() for r in caplog.records for name in NAMES)
    if action == "delete":
        application.stop()
        assert [p.name for p in (tmp_path / "data" / "sessions").glob("*.dcxsession")] == [
            file.file_name(ids["Anna K."])
        ]


def test_too_many_sessions_lose_the_longest_unused(start: Start) -> None:
    with_old_ones(start, 4, 3, 2, 1)
    application = start(cleanup=Cleanup(enabled=True, max_sessions=3))
    chore(application, "clean-up").run()
    assert archived(application) == ["Anna K."]
    chore(application, "clean-up").run()
    assert archived(application) == ["Anna K."]
    assert len(application.inbox.announcements) == 1


def test_what_is_open_or_computing_and_the_default_session_are_never_touched(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    ids = with_old_ones(start, 50, 50, 50)
    application = start(
        cleanup=Cleanup(enabled=True, max_age_days=10, max_sessions=1, action="delete")
    )
    tab = open_tab(application)
    show(tab, ids["Anna K."])  # looked at: not changed, and not even its time of use is needed
    busy = session_with(application, "Busy")
    other = open_tab(application)
    show(other, busy.session_id)
    run_dtd(other, LONG)
    entry = application.sessions._table.entry(busy.session_id)
    entry.shown = time.monotonic() - 1e6  # no tab shows it any more, but its job waits
    busy.modified = entry.used = datetime.now(UTC) - timedelta(days=50)
    chore(application, "clean-up").run()
    assert listed(application) == ["Anna K.", "Busy"]
    assert (
        application.sessions.get_session(application.sessions.default_id, actor=LOCAL).name
        == "Default"
    )
    tab.tick()
    assert "Anna K." in tab.text("dcx-session-button")
    (job,) = application.runner.status()
    application.runner.cancel(job.id)
    until(lambda: not any(j.active for j in application.runner.status()))
    entry.shown = float("-inf")
    busy.modified = entry.used = datetime.now(UTC) - timedelta(days=50)
    until(lambda: application.sessions.save_state(busy.session_id, actor=LOCAL)[0] == "saved")
    busy.modified = entry.used = datetime.now(UTC) - timedelta(days=50)
    chore(application, "clean-up").run()
    assert listed(application) == ["Anna K."]  # the control: nothing but the job had kept it


def test_without_clean_up_nothing_is_taken(start: Start) -> None:
    with_old_ones(start, 4000)
    application = start()
    assert {c.name for c in application.housekeeping._chores} == {"locking", "memory", "uploads"}
    assert listed(application) == ["Anna K."]


# -- memory
# --------------------------------------------------------------------------------------------------


def unwatch(application: Application, session_id: str) -> None:
    """As if no tab had shown the session for a while."""
    application.sessions._table.entry(session_id).shown = float("-inf")


def test_with_no_memory_to_spare_sessions_nobody_shows_are_unloaded_and_come_back(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    application = start(memory_mb=0)
    trim = chore(application, "memory").run
    first, second = session_with(application, "First"), session_with(application, "Second")
    tab = open_tab(application)
    show(tab, first.session_id)
    tab.set({("upload-description", "value"): "a change of a form"})
    unwatch(application, second.session_id)
    application.sessions._writer.saver.forget(second.session_id)
    second.notes = "changed"
    assert application.sessions._table.entry(second.session_id).dirty
    trim()
    assert second.loaded  # not before it is saved
    application.sessions.save_session(second.session_id, actor=LOCAL)
    trim()
    assert not second.loaded
    assert first.loaded  # a tab shows it
    show(tab, second.session_id)
    assert "training cells" in tab.text("upload-answer")
    assert second.notes == "changed"
    unwatch(application, first.session_id)
    until(lambda: application.sessions.save_state(first.session_id, actor=LOCAL)[0] == "saved")
    trim()
    assert not first.loaded
    assert second.loaded
    show(tab, first.session_id)
    assert tab.get("upload-description", "value") == "a change of a form"
    assert tab.notices == []


def test_a_session_whose_job_waits_stays_in_memory(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    application = start(memory_mb=0)
    session = session_with(application, "Mine")
    tab = open_tab(application)
    show(tab, session.session_id)
    job = run_dtd(tab, LONG)
    application.sessions.save_session(session.session_id, actor=LOCAL)
    unwatch(application, session.session_id)
    chore(application, "memory").run()
    assert session.loaded
    application.runner.cancel(job)
    application.sessions.save_session(session.session_id, actor=LOCAL)
    unwatch(application, session.session_id)
    chore(application, "memory").run()
    assert not session.loaded


def test_within_the_budget_everything_stays(start: Start) -> None:
    application = start(memory_mb=2000)
    session = session_with(application, "Mine")
    application.sessions.save_session(session.session_id, actor=Actor())
    unwatch(application, session.session_id)
    chore(application, "memory").run()
    assert session.loaded
