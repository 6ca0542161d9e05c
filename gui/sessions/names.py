"""Names: what a session may be called, and which may be changed at all."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime

from gui.errors import DefaultSession, NameTaken, SessionError
from gui.sessions.actor import Actor
from gui.sessions.entries import Entries
from gui.sessions.store import Entry

DEFAULT_NAME = "Default"
MAX_NAME = 120
_LONGEST = 10 * MAX_NAME


class Names(Entries):
    """Unique names, ignoring case and blanks at the ends."""

    @property
    def default_id(self) -> str:
        """Of the session where one lands."""
        return self._default.session_id

    def free_name(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """``name``, or ``name 2``, ``name 3`` ... whichever is free. A hidden name that this actor may not see counts as free."""
        with self._lock:
            base = plain(name)[:MAX_NAME].rstrip() or "Session"
            known = [*self._active.items(), *self._archived.items()]
            seen = [entry for key, entry in known if key != but and not (entry.hidden and entry.locked_for(actor))]
            taken = {DEFAULT_NAME.casefold(), *(entry.session.name.casefold() for entry in seen)}
            found, number = base, 2
            while found.casefold() in taken:
                end = f" {number}"
                found, number = base[: MAX_NAME - len(end)].rstrip() + end, number + 1
            return found

    def _changeable(self, session_id: str, *, actor: Actor, archived: bool = False) -> Entry:
        """The entry of a session other than the default one; DefaultSession, UnknownSession."""
        if session_id == self.default_id:
            raise DefaultSession(f"The session {DEFAULT_NAME} can be neither renamed nor deleted.")
        with self._lock:
            if archived and session_id in self._archived:
                return self._archived[session_id]
        return self._entry(session_id)

    def _checked(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        name = plain(name)
        if not name:
            raise SessionError("A session needs a name.")
        if len(name) > MAX_NAME:
            raise SessionError(f"The name is longer than {MAX_NAME} characters.")
        free = self.free_name(name, actor=actor, but=but)
        if free != name:
            raise NameTaken(f"Another session is called “{name}”.", advice=f"“{free}” is free.")
        return name


def plain(name: str) -> str:
    """One line, composed letters (macOS writes ä as two), no control characters: what looks equal is equal."""
    composed = unicodedata.normalize("NFC", name[:_LONGEST])  # takes the square of a run of accents
    return " ".join("".join(c for c in composed if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs")).split())


def new_id() -> str:
    """Time and random part, like ``20250520#191019#07c2e7ed``."""
    return f"{datetime.now():%Y%m%d#%H%M%S}#{secrets.token_hex(4)}"
