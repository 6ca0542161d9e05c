"""The one single session at start: which failures move its file aside, and which leave it."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gui import atomic
from gui.errors import DamagedSession, NewerSession, SessionError
from gui.sessions import file, header
from gui.sessions.manager import DEFAULT_NAME, LOCAL, SessionCacheManager
from gui.sessions.parsing import InProcessParser
from gui.sessions.startup import SINGLE_FILE
from tests.sessions.samples import session_key


class Failing(InProcessParser):
    """A parser that fails, as one does in a process that the system ends."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
        raise self.error


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The file of a single session with notes."""
    sessions = SessionCacheManager(tmp_path, single=True)
    sessions.get_session(sessions.default_id, actor=LOCAL).notes = "kept"
    sessions.close(actor=LOCAL)
    return tmp_path / SINGLE_FILE


def test_a_failure_that_says_nothing_of_the_file_leaves_it_and_the_next_start_reads_it(
    kept: Path,
) -> None:
    before = kept.read_bytes()
    parser = Failing(SessionError("There is too little memory.", advice="Close other programs."))
    sessions = SessionCacheManager(kept.parent, single=True, parser=parser)
    assert sessions.trouble is not None
    assert "left as it is" in str(sessions.trouble)
    assert "Close other programs. Start the program again" in (sessions.trouble.advice or "")
    session = sessions.get_session(sessions.default_id, actor=LOCAL)
    assert session.notes == ""
    session.notes = "meanwhile"
    assert sessions.close(actor=LOCAL)
    assert kept.read_bytes() == before
    (beside,) = {p for p in kept.parent.iterdir() if p.is_file()} - {kept}
    assert beside.name in (sessions.trouble.advice or "")
    assert file.load(beside).notes == "meanwhile"
    sessions = SessionCacheManager(kept.parent, single=True)
    assert sessions.trouble is None
    assert sessions.get_session(sessions.default_id, actor=LOCAL).notes == "kept"
    sessions.close(actor=LOCAL)


def test_a_file_that_cannot_be_opened_just_now_is_left(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Access denied, a drive that is away: reading says "damaged", and the file is not."""

    def denied(path: Path) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as away:
        away.setattr(atomic, "reading", denied)
        sessions = SessionCacheManager(kept.parent, single=True)
    assert "left as it is" in str(sessions.trouble)
    assert [p for p in kept.parent.iterdir() if p.is_file()] == [kept]
    sessions.close(actor=LOCAL)
    sessions = SessionCacheManager(kept.parent, single=True)
    assert sessions.get_session(sessions.default_id, actor=LOCAL).notes == "kept"
    assert sessions.close(actor=LOCAL)


@pytest.mark.parametrize("kind", ["damaged", "newer", "protected"])
def test_a_file_that_cannot_be_used_is_renamed_by_its_kind(
    kept: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: these failures are of the file."""
    if kind == "damaged":
        kept.write_bytes(kept.read_bytes()[:-30])
    elif kind == "newer":
        snapshot = file.load(kept)
        kept.unlink()
        real = header.header_of
        with monkeypatch.context() as later:
            later.setattr(header, "header_of", lambda *a: replace(real(*a), schema=(9, 0)))
            file.save(kept, snapshot, expected_generation=None)
        with pytest.raises(NewerSession):
            file.read_header(kept)
    else:
        snapshot = file.load(kept)
        kept.unlink()
        file.save(kept, snapshot, expected_generation=None, session_key=session_key())
    before = kept.read_bytes()
    sessions = SessionCacheManager(kept.parent, single=True, backups=False)
    (aside,) = kept.parent.glob(f"{SINGLE_FILE}.*.{kind}")
    assert aside.read_bytes() == before
    assert aside.name in str(sessions.trouble)
    assert sessions.get_session(sessions.default_id, actor=LOCAL).notes == ""
    assert sessions.close(actor=LOCAL)


def test_damage_that_only_parsing_shows_moves_the_file_aside(kept: Path) -> None:
    parser = Failing(DamagedSession("It took longer than any session of its size does."))
    sessions = SessionCacheManager(kept.parent, single=True, parser=parser, backups=False)
    assert len(list(kept.parent.glob(f"{SINGLE_FILE}.*.damaged"))) == 1
    assert sessions.get_session(sessions.default_id, actor=LOCAL).loaded
    sessions.close(actor=LOCAL)


def test_the_single_session_keeps_its_name(kept: Path) -> None:
    for _ in range(2):
        sessions = SessionCacheManager(kept.parent, single=True)
        session = sessions.get_session(sessions.default_id, actor=LOCAL)
        assert (session.name, session.notes) == (DEFAULT_NAME, "kept")
        sessions.close(actor=LOCAL)


def test_a_file_that_is_away_is_not_called_damaged(tmp_path: Path) -> None:
    sessions = SessionCacheManager(tmp_path)
    session_id = sessions.create_session("Lung", actor=LOCAL).session_id
    sessions.close(actor=LOCAL)
    sessions = SessionCacheManager(tmp_path)
    (path,) = (tmp_path / "sessions").glob("*")
    away = path.rename(tmp_path / "away")
    with pytest.raises(SessionError, match="not there or cannot be read") as said:
        sessions.get_session(session_id, actor=LOCAL)
    assert not isinstance(said.value, DamagedSession)
    away.rename(path)
    assert sessions.get_session(session_id, actor=LOCAL).name == "Lung"
    sessions.close(actor=LOCAL)
