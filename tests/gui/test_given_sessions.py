"""A session file that the program is asked to open, where that session is here already but cannot
be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.sessions.manager import LOCAL


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    application = create_app(Config.for_tests(tmp_path / "program"))
    yield application
    application.stop()


def exported(application: Application, path: Path) -> str:
    """A session of the program, written to ``path`` and then changed; its id."""
    session = application.sessions.create_session("Study", actor=LOCAL)
    session.notes = "as in the file"
    path.write_bytes(application.sessions.export_session(session.session_id, actor=LOCAL).data)
    session.notes = "changed since"
    application.sessions.save_session(session.session_id, actor=LOCAL)
    return session.session_id


def test_one_that_is_shown_stays_as_it_is(application: Application, tmp_path: Path) -> None:
    session_id = exported(application, tmp_path / "given.dcxsession")
    application.inbox.open_later([tmp_path / "given.dcxsession"])
    assert application.inbox.arrived == session_id
    assert application.sessions.get_session(session_id, actor=LOCAL).notes == "changed since"
    assert "yours is shown" in application.inbox.announcements[-1]


def test_one_that_is_archived_comes_as_a_copy(application: Application, tmp_path: Path) -> None:
    session_id = exported(application, tmp_path / "given.dcxsession")
    application.sessions.archive_session(session_id, actor=LOCAL)
    application.inbox.open_later([tmp_path / "given.dcxsession"])
    assert application.inbox.arrived not in (None, session_id)
    assert (
        application.sessions.get_session(application.inbox.arrived, actor=LOCAL).notes
        == "as in the file"
    )
    assert "is shown as" in application.inbox.announcements[-1]
    assert [
        info.session_id for info in application.sessions.list_archived_sessions(actor=LOCAL)
    ] == [session_id]


def test_one_that_cannot_be_read_any_more_comes_as_a_copy(
    application: Application, tmp_path: Path
) -> None:
    exported(application, tmp_path / "given.dcxsession")
    application.stop()
    (kept,) = (tmp_path / "program").rglob("sessions/*.dcxsession")
    kept.write_bytes(b"damaged" + kept.read_bytes()[7:])
    again = create_app(Config.for_tests(tmp_path / "program"))
    try:
        again.inbox.open_later([tmp_path / "given.dcxsession"])
        assert again.inbox.arrived is not None, again.inbox.announcements
        assert (
            again.sessions.get_session(again.inbox.arrived, actor=LOCAL).notes == "as in the file"
        )
    finally:
        again.stop()
    assert kept.read_bytes().startswith(b"damaged")  # not touched
