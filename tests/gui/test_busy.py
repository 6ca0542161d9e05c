"""While a session cannot be read: all long calls are taken, or there is too little memory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application
from gui.engine.params import Params
from gui.engine.results import Provenance, Run
from gui.errors import SessionError
from gui.jobs.status import JobStatus
from gui.sessions.manager import LOCAL
from gui.sessions.parsing import ProcessParser
from tests.gui.steps import press, saved, show
from tests.waiting import until


@pytest.fixture
def unread(application: Application, tab: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A session that a tab shows and that is not in memory any more, when no long call is
    admitted.
    """
    key = application.sessions.create_session("S", actor=LOCAL).session_id
    show(tab, key)
    press(tab, "upload-example")
    until(lambda: saved(application, key))
    assert application.sessions._loader.unload(application.sessions._table.entry(key))
    monkeypatch.setattr(application.long_calls, "_most", 0)
    return key


def test_a_tab_whose_session_cannot_be_read_now_waits_and_says_why_only_when_it_is_asked(
    tab: Any, unread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab.notices.clear()
    tab.tick()
    assert not tab.notices
    press(tab, "upload-example")
    (notice,) = tab.notices
    assert "Too many files" in notice
    monkeypatch.undo()
    tab.tick()
    assert "training cells" in tab.text("upload-answer")


def test_a_result_reaches_a_session_that_has_to_be_read_for_it(
    application: Application, unread: str
) -> None:
    run = Run("r", "own", "Own", datetime.now(UTC), Params(), {"answer": 42}, Provenance("", ""))
    application.sessions.add_run(unread, run, actor=LOCAL)
    assert application.sessions.get_session(unread, actor=LOCAL).run("r").result == {"answer": 42}


def test_a_result_that_its_session_cannot_take_ends_the_job_with_the_reason(
    application: Application, tab: Any, unread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: ProcessParser, path: Path, session_key: Any, *, whole: bool) -> None:
        raise SessionError(
            "This session could not be read.", advice="Close other programs and try again."
        )

    job = JobStatus("j", unread, "own", "Own", "done")
    origin = unread, application.sessions.get_session(unread, actor=LOCAL).dataset
    entry = application.sessions._table.entry(unread)
    assert application.sessions._loader.unload(entry)
    entry.accepted = None  # as if another program had written the file
    application._origins[job.id] = origin  # type: ignore[assignment]
    with monkeypatch.context() as short:
        short.setattr(ProcessParser, "check", fails)
        with pytest.raises(SessionError, match="could not be read"):
            application._deliver(job, {}, {}, 1.0)
    application.sessions.delete_session(unread, actor=LOCAL)
    application._origins[job.id] = origin  # type: ignore[assignment]
    assert application._deliver(job, {}, {}, 1.0) is None
