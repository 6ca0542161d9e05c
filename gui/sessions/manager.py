"""SessionCacheManager: all sessions of a running application. Every method takes the ``actor`` who asks."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from gui.errors import DefaultSession, NameTaken, SessionError, UnknownSession
from gui.sessions.cache import DCXCache

DEFAULT_NAME = "Default"
MAX_NAME = 120


@dataclass(frozen=True)
class Actor:
    """Who asks. One local user for now; accounts and groups come later and change no caller."""

    name: str = "local"


LOCAL = Actor()


class SessionCacheManager:
    """Holds the sessions, in memory. Belongs to the application, not to a module. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._sessions: dict[str, DCXCache] = {}
        default = DCXCache(_new_id(), DEFAULT_NAME, holds_data=False)
        self._sessions[default.session_id] = default
        self.default_id = default.session_id

    def create_session(self, name: str, *, actor: Actor) -> DCXCache:
        """A new, empty session. NameTaken, with a free name in the advice, if the name is in use."""
        with self._lock:
            name = self._checked(name, actor=actor)
            session = DCXCache(_new_id(), name)
            self._sessions[session.session_id] = session
            return session

    def get_session(self, session_id: str | None, *, actor: Actor) -> DCXCache:
        """The session with this id; never creates one. UnknownSession if there is none."""
        session = self._sessions.get(session_id or "")
        if session is None:
            raise UnknownSession("This session does not exist any more.")
        return session

    get_session_cache = get_session

    def list_sessions(self, *, actor: Actor) -> list[DCXCache]:
        """All sessions, the default one first, then by creation."""
        with self._lock:
            return list(self._sessions.values())

    def rename_session(self, session_id: str, name: str, *, actor: Actor) -> None:
        with self._lock:
            session = self._changeable(session_id, actor=actor)
            session.name = self._checked(name, actor=actor, but=session_id)

    def delete_session(self, session_id: str, *, actor: Actor) -> None:
        with self._lock:
            del self._sessions[self._changeable(session_id, actor=actor).session_id]

    def free_name(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """``name``, or ``name 2``, ``name 3`` ... whichever is free (ignoring case and blanks at the ends)."""
        with self._lock:
            base = _plain(name)[:MAX_NAME].rstrip() or "Session"
            taken = {s.name.casefold() for s in self._sessions.values() if s.session_id != but}
            found, number = base, 2
            while found.casefold() in taken:
                end = f" {number}"
                found, number = base[: MAX_NAME - len(end)].rstrip() + end, number + 1
            return found

    def _checked(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        name = _plain(name)
        if not name:
            raise SessionError("A session needs a name.")
        if len(name) > MAX_NAME:
            raise SessionError(f"The name is longer than {MAX_NAME} characters.")
        free = self.free_name(name, actor=actor, but=but)
        if free != name:
            raise NameTaken(f"Another session is called “{name}”.", advice=f"“{free}” is free.")
        return name

    def _changeable(self, session_id: str, *, actor: Actor) -> DCXCache:
        session = self.get_session(session_id, actor=actor)
        if not session.holds_data:
            raise DefaultSession(f"The session {DEFAULT_NAME} can be neither renamed nor deleted.")
        return session


def _plain(name: str) -> str:
    """One line, composed letters (macOS writes ä as two), no control characters: what looks equal is equal."""
    composed = unicodedata.normalize("NFC", name)
    return " ".join("".join(c for c in composed if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs")).split())


def _new_id() -> str:
    """Time and random part, like ``20250520#191019#07c2e7ed``."""
    return f"{datetime.now():%Y%m%d#%H%M%S}#{secrets.token_hex(4)}"
