"""SessionNames: what a session may be called."""

from __future__ import annotations

from gui.errors import NameTaken
from gui.sessions.actor import Actor
from gui.sessions.rules import DEFAULT_NAME, MAX_NAME, checked_name, plain
from gui.sessions.table import SessionTable


class SessionNames:
    """Unique names, ignoring case and blanks at the ends."""

    def __init__(self, table: SessionTable) -> None:
        self._table = table

    def free_name(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """``name``, or ``name 2``, ``name 3`` ... whichever is free.

        A hidden name that this actor may not see counts as free.

        but : id of the session that is to get the name; its own one counts as free.
        """
        table = self._table
        with table.lock:
            base = plain(name)[:MAX_NAME].rstrip() or "Session"
            known = [*table.active.items(), *table.archived.items()]
            seen = [
                entry
                for key, entry in known
                if key != but and not (entry.hidden and entry.locked_for(actor))
            ]
            reserved = [name for name, key in table.reserved if key != but]
            taken = {
                name.casefold()
                for name in (DEFAULT_NAME, *reserved, *(entry.session.name for entry in seen))
            }
            found, number = base, 2
            while found.casefold() in taken:
                end = f" {number}"
                found, number = base[: MAX_NAME - len(end)].rstrip() + end, number + 1
            return found

    def check(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """The name as it is kept.

        Raises
        ------
        NameTaken
            Another session has it; the advice says a free one.
        SessionError
            It is empty or too long.
        """
        name = checked_name(name)
        free = self.free_name(name, actor=actor, but=but)
        if free != name:
            raise NameTaken(f"Another session is called “{name}”.", advice=f"“{free}” is free.")
        return name
