"""Names: what a session may be called, and which may be changed at all."""

from __future__ import annotations

from gui.errors import DefaultSession, NameTaken
from gui.sessions.actor import LOCAL, Actor
from gui.sessions.cache import DCXCache
from gui.sessions.entries import Entries
from gui.sessions.rules import DEFAULT_NAME, MAX_NAME, checked_name, plain
from gui.sessions.store import Entry


class Names(Entries):
    """Unique names, ignoring case and blanks at the ends."""

    @property
    def default_id(self) -> str:
        """Of the session where one lands."""
        return self._default.session_id

    def free_name(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """``name``, or ``name 2``, ``name 3`` ... whichever is free.

        A hidden name that this actor may not see counts as free.
        """
        with self._lock:
            base = plain(name)[:MAX_NAME].rstrip() or "Session"
            known = [*self._active.items(), *self._archived.items()]
            seen = [
                entry
                for key, entry in known
                if key != but and not (entry.hidden and entry.locked_for(actor))
            ]
            reserved = [name for name, key in self._reserved if key != but]
            taken = {
                name.casefold()
                for name in (DEFAULT_NAME, *reserved, *(entry.session.name for entry in seen))
            }
            found, number = base, 2
            while found.casefold() in taken:
                end = f" {number}"
                found, number = base[: MAX_NAME - len(end)].rstrip() + end, number + 1
            return found

    def _scan(self) -> None:
        super()._scan()
        for key, entry in (*self._active.items(), *self._archived.items()):
            if (
                not entry.hidden
                and (name := self.free_name(entry.session.name, actor=LOCAL, but=key))
                != entry.session.name
            ):
                # shown like this; it gets the name when it is loaded
                entry.session = self._lazy(key, name, entry)

    def _load(self, session: DCXCache) -> None:
        """Its name in the file may be another session's meanwhile."""
        super()._load(session)
        key = session.session_id
        with self._lock:
            entry = self._active.get(key)
        if entry is not None and entry.session is session:
            with self._reserving(
                key, lambda: self.free_name(session.name, actor=LOCAL, but=key)
            ) as name:
                if name != session.name:
                    session.name = name

    def _changeable(self, session_id: str, *, actor: Actor, archived: bool = False) -> Entry:
        """The entry of a session other than the default one; DefaultSession, UnknownSession."""
        if session_id == self.default_id:
            raise DefaultSession(f"The session {DEFAULT_NAME} can be neither renamed nor deleted.")
        with self._lock:
            if archived and session_id in self._archived:
                return self._archived[session_id]
        return self._entry(session_id)

    def _checked(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        name = checked_name(name)
        free = self.free_name(name, actor=actor, but=but)
        if free != name:
            raise NameTaken(f"Another session is called “{name}”.", advice=f"“{free}” is free.")
        return name
