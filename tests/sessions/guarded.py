"""Protected sessions to begin with, and browsers to ask for them."""

from __future__ import annotations

from pathlib import Path

from gui.errors import WrongPassword
from gui.sessions import file
from gui.sessions.crypto import SessionKey
from gui.sessions.manager import Actor, SessionCacheManager
from tests.sessions.samples import MARKER, PASSWORD, filled

A, B = Actor(browser="a"), Actor(browser="b")
OTHER = "another long password"


def protected(manager: SessionCacheManager, name: str = "Mine", *, hide: bool = False) -> str:
    """The id of a session that browser A has protected, and unlocked."""
    session = filled(manager, name, actor=A)
    session.notes = MARKER
    manager.protect_session(session.session_id, PASSWORD, hide_name=hide, actor=A)
    return session.session_id


def path_of(manager: SessionCacheManager, key: str) -> Path:
    path = manager._table.entry(key).path
    assert path is not None
    return path


def opens(path: Path, password: str) -> bool:
    """Whether the file is sealed, and this password opens it."""
    try:
        file.load(path, session_key=SessionKey.unlock(file.read_header(path), password))
    except WrongPassword:
        return False
    return True
