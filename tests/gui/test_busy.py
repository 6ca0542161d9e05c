"""While the program does as many long calls as it takes at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gui.app import Application
from gui.engine.params import Params
from gui.engine.results import Provenance, Run
from gui.sessions.manager import LOCAL
from tests.gui.steps import press, saved, show
from tests.waiting import until


@pytest.fixture
def unread(application: Application, tab: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A session that a tab shows and that is not in memory any more, when no long call is admitted."""
    key = application.sessions.create_session("S", actor=LOCAL).session_id
    show(tab, key)
    press(tab, "upload-example")
    until(lambda: saved(application, key))
    assert application.sessions._unload(application.sessions._entry(key))
    monkeypatch.setattr(application.long_calls, "_most", 0)
    return key


def test_a_tab_whose_session_cannot_be_read_now_waits_and_says_why_only_when_it_is_asked(tab: Any, unread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tab.notices.clear()
    tab.tick()
    assert not tab.notices
    press(tab, "upload-example")
    (notice,) = tab.notices
    assert "Too many files" in notice
    monkeypatch.undo()
    tab.tick()
    assert "training cells" in tab.text("upload-answer")


def test_a_result_reaches_a_session_that_has_to_be_read_for_it(application: Application, unread: str) -> None:
    run = Run("r", "own", "Own", datetime.now(UTC), Params(), {"answer": 42}, Provenance("", ""))
    application.sessions.add_run(unread, run, actor=LOCAL)
    assert application.sessions.get_session(unread, actor=LOCAL).run("r").result == {"answer": 42}
