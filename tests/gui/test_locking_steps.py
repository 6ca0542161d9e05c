"""Locking happens whatever fails on the way: a file that Windows does not let go, a worker that
cannot be ended.
"""

from __future__ import annotations

from typing import Any

import pytest

from gui.app import Application
from gui.errors import SessionLocked
from gui.sessions.manager import LOCAL
from tests.sessions.samples import PASSWORD, tiny


@pytest.fixture
def sealed(application: Application, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two protected sessions, unlocked, each with an uploaded file in a form."""
    from tests.sessions.conftest import make_cheap

    make_cheap(monkeypatch)
    keys = []
    for name in ("first", "second"):
        session = application.sessions.create_session(name, actor=LOCAL)
        data = tiny().dataset
        assert data is not None
        session.set_dataset(data, keep_runs=False)
        session.keep_form(
            "upload", {"train_token": application.uploads.receive("a.csv", [b"x"], limit=9).token}
        )
        application.sessions.protect_session(session.session_id, PASSWORD, actor=LOCAL)
        keys.append(session.session_id)
    return keys


def refused(*_: Any, **__: Any) -> None:
    raise PermissionError(13, "the file is in use")


@pytest.mark.parametrize(
    "where", ["uploads.forget", "runner.drop", "reader.forget", "_before_lock"]
)
def test_each_session_is_locked_although_a_step_fails(
    application: Application, sealed: list[str], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(application.uploads, "forget", forgotten.append)
    if where == "_before_lock":
        application.sessions.before_lock = refused
    else:
        of, name = where.split(".")
        monkeypatch.setattr(getattr(application, of), name, refused)
    assert application.sessions.lock_idle(-1.0, actor=LOCAL) == sealed
    for key in sealed:
        entry = application.sessions._table.entry(key)
        assert entry.session_key is None
        assert entry.session.in_memory() is None
        with pytest.raises(SessionLocked):
            application.sessions.get_session(key, actor=LOCAL)
    # the other steps were taken
    assert len(forgotten) == (2 if where in ("runner.drop", "reader.forget") else 0)


def test_an_upload_that_is_in_use_is_no_error(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = application.uploads.receive("a.csv", [b"x"], limit=9).token
    monkeypatch.setattr("pathlib.Path.unlink", refused)
    application.uploads.forget(token)
    monkeypatch.undo()
