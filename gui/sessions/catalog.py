"""SessionCatalog: the lists of sessions, as one actor may see them."""

from __future__ import annotations

from gui.errors import DamagedSession, SessionConflict, SessionNotSaved
from gui.logs import get_logger
from gui.sessions.actor import Actor
from gui.sessions.entry import PROTECTED, Entry
from gui.sessions.header import contents_of
from gui.sessions.rules import EARLIEST
from gui.sessions.store import SessionInfo, Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter

log = get_logger(__name__)


class SessionCatalog:
    """Describes sessions without reading their data."""

    def __init__(self, table: SessionTable, writer: SessionWriter, store: Store | None) -> None:
        self._table, self._writer, self._store = table, writer, store

    def info(self, session_id: str, *, actor: Actor) -> SessionInfo:
        """What is known of an active, archived or the default session; UnknownSession."""
        default = self._table.default
        if session_id == default.session_id and not default.holds_data:
            return SessionInfo(
                session_id,
                default.name,
                False,
                default.created,
                default.modified,
                0,
                {},
                state="memory",
                loaded=True,
                holds_data=False,
            )
        with self._table.lock:
            entry = self._table.archived.get(session_id)
            archived = entry is not None
            entry = entry or self._table.entry(session_id)
        return self.describe(entry, actor, archived=archived)

    def active(self, *, actor: Actor) -> list[SessionInfo]:
        """The default session first, then all active ones by creation.

        Sessions that cannot be opened are among them.
        """
        default = self._table.default
        # where the default session holds data it is the only one
        entries = [] if default.holds_data else self._table.active_entries()
        infos = sorted(
            (self.describe(entry, actor, archived=False) for entry in entries),
            key=lambda i: i.created,
        )
        return [self.info(default.session_id, actor=actor), *infos]

    def archived(self, *, actor: Actor) -> list[SessionInfo]:
        """The archived sessions, last used first."""
        with self._table.lock:
            entries = list(self._table.archived.values())
        return sorted(
            (self.describe(entry, actor, archived=True) for entry in entries),
            key=lambda i: i.used,
            reverse=True,
        )

    def deleted(self, *, actor: Actor) -> list[tuple[str, str]]:
        """(id, name) of each session in the trash, the latest last."""
        with self._table.lock:
            entries = [(key, entry) for key, (entry, _) in self._table.trash.items()]
        return [(key, self.describe(entry, actor, archived=True).name) for key, entry in entries]

    def describe(self, entry: Entry, actor: Actor, *, archived: bool) -> SessionInfo:
        """What is known of one session.

        One that cannot be described is listed as damaged: it hides no other one.
        """
        try:
            return self._describe(entry, actor, archived=archived)
        except Exception:
            log.exception("a session cannot be described: id %s", entry.session.session_id)
            problem = DamagedSession("The details of this session cannot be read.")
            name = PROTECTED if entry.hidden else entry.session.name
            return SessionInfo(
                entry.session.session_id, name, archived, EARLIEST, EARLIEST, 0, {}, problem=problem
            )

    def _describe(self, entry: Entry, actor: Actor, *, archived: bool) -> SessionInfo:
        session, locked = entry.session, entry.locked_for(actor)
        state, reason = ("saved", None) if archived else self._writer.state(entry)
        content = None if locked else session.in_memory()
        contents = {} if locked else entry.contents if content is None else contents_of(content)
        problem = entry.problem or entry.damage
        # nothing of it is in memory
        if (
            content is None
            and isinstance(reason, SessionConflict)
            and not entry.dirty
            and entry.path is not None
        ):
            gone = not entry.path.exists()
            problem, state, reason = problem or (reason if gone else None), "saved", None
        if locked and reason is not None:  # what went wrong may tell a hidden name
            reason = SessionNotSaved(
                "This session could not be saved.",
                advice="Unlock it with its password; then it says why.",
            )
        backup = (
            self._store.backup_time(entry.path)
            if self._store is not None and problem is not None
            else None
        )
        return SessionInfo(
            session_id=session.session_id,
            name=PROTECTED if locked and entry.hidden else session.name,
            archived=archived,
            created=session.created,
            used=max(entry.used, session.modified),
            size=entry.size,
            contents=contents,
            protected=entry.encrypted,
            locked=locked,
            state=state,
            reason=reason,
            problem=problem,
            backup=backup,
            loaded=session.loaded,
        )
