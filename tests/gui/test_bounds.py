"""What is bounded, and the sentence when a bound is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Compute, Config, Sessions
from gui.engine import memory
from gui.engine.tasks import run_dtd
from gui.errors import JobError, SessionError
from gui.server_settings import Server
from gui.sessions.manager import LOCAL
from tests.gui.steps import SHORT, press, session_with, show

ORIGIN = "http://127.0.0.1:8050"


@pytest.fixture
def bounded(tmp_path: Path) -> Iterator[Application]:
    """Two steps of a session, three sessions, one megabyte a request; no worker is started."""
    config = Config.for_tests(tmp_path)
    bounds = {
        "compute": Compute(queue=2),
        "sessions": Sessions(most=3),
        "server": Server(request_limit_mb=1, upload_limit_mb=2),
    }
    app = create_app(config.model_copy(update=bounds))
    yield app
    app.stop()


def test_steps_of_one_session_are_bounded_and_another_session_is_not_held_up(
    bounded: Application,
) -> None:
    one, two = session_with(bounded, "one"), session_with(bounded, "two")

    def submit(session: Any) -> str:
        return bounded.submit(run_dtd, session.session_id, SHORT, kind="dtd", actor=LOCAL)

    first = submit(one)
    submit(one)
    with pytest.raises(
        JobError,
        match="2 steps of this session are waiting or running, as many as this program allows",
    ) as caught:
        submit(one)
    assert caught.value.advice == "Wait for one, or cancel one."
    submit(two)
    bounded.runner.cancel(first)
    submit(one)


def test_sessions_are_bounded_however_they_come(bounded: Application, tmp_path: Path) -> None:
    manager = bounded.sessions
    first = session_with(bounded, "one")
    manager.create_session("two", actor=LOCAL)
    file = tmp_path / "one.dcxsession"
    file.write_bytes(manager.export_session(first.session_id, actor=LOCAL).data)
    manager.create_session("three", actor=LOCAL)
    archived = manager.list_sessions(actor=LOCAL)[-1].session_id
    ways = {
        "create": lambda: manager.create_session("four", actor=LOCAL),
        "duplicate": lambda: manager.duplicate_session(first.session_id, actor=LOCAL),
        "import": lambda: manager.import_session(file, actor=LOCAL, as_copy=True),
    }
    for way in ways.values():
        with pytest.raises(
            SessionError, match="There are 3 sessions, as many as this program allows"
        ):
            way()
    manager.archive_session(archived, actor=LOCAL)
    ways["import"]()  # the positive control: there is room for one again
    with pytest.raises(SessionError, match="as many as this program allows"):
        manager.restore_session(archived, actor=LOCAL)


def test_a_run_that_needs_more_memory_than_is_free_is_refused_before_it_is_queued(
    application: Application, open_tab: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = open_tab(application)
    session = session_with(application, "one")
    show(tab, session.session_id)
    with monkeypatch.context() as patch:
        patch.setattr(memory, "available_memory", lambda: 100_000_000)
        tab.go("dtd")
        press(tab, "dtd-run")
        assert any("GB of memory, but only 0.1 GB are free" in text for text in tab.notices)
        assert not application.runner.status()
        assert not session.pending_jobs()
    press(tab, "dtd-run")
    assert len(application.runner.status()) == 1


@pytest.mark.parametrize(
    ("path", "megabytes"), [("/_dash-update-component", 1), ("/_dcx/upload?name=x.csv", 2)]
)
def test_a_request_beyond_its_limit_is_refused_in_a_sentence(
    bounded: Application, open_tab: Callable[..., Any], path: str, megabytes: int
) -> None:
    client = open_tab(bounded).client

    def sent(size: int) -> Any:
        return client.post(path, data=b"x" * size, headers={"Origin": ORIGIN}, base_url=ORIGIN)

    refused = sent(megabytes * 1_000_000 + 1)
    assert (refused.status_code, f"larger than {megabytes} MB" in refused.text) == (413, True)
    assert sent(megabytes * 1_000_000).status_code != 413
