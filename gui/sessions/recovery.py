"""SessionRecovery: what can be saved of a damaged session."""

from __future__ import annotations

from dataclasses import replace

from gui.errors import SessionError, SessionLocked
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.cache import DCXCache
from gui.sessions.entry import PROTECTED, Entry
from gui.sessions.identity import identity
from gui.sessions.lifecycle import SessionLifecycle
from gui.sessions.loader import ContentLoader
from gui.sessions.names import SessionNames
from gui.sessions.rules import new_id
from gui.sessions.store import Store
from gui.sessions.table import SessionTable


class SessionRecovery:
    """Salvages damaged files, and restores backups."""

    def __init__(
        self,
        table: SessionTable,
        names: SessionNames,
        loader: ContentLoader,
        lifecycle: SessionLifecycle,
        store: Store | None,
    ) -> None:
        self._table, self._names, self._loader = table, names, loader
        self._lifecycle, self._store = lifecycle, store

    def salvage(self, session_id: str, *, actor: Actor) -> DCXCache:
        """What can still be read of a damaged session, as a session of its own.

        Its notes say what was lost. DamagedSession: nothing can be read.
        """
        entry = self._table.changeable(session_id, archived=True).require_unlocked(actor)
        if entry.path is None or (entry.problem or entry.damage) is None:
            raise SessionError("This session is not damaged.", advice="Open it.")
        found = self._loader.parser.salvage(entry.path, entry.session_key)
        lost = (
            "\n".join(
                ["Recovered from a damaged file. Lost:", *[f"- {what}" for what in found.lost]]
            )
            if found.lost
            else "Recovered from a damaged file."
        )
        content = replace(
            found.snapshot,
            session_id=new_id(),
            notes=f"{found.snapshot.notes}\n\n{lost}".strip(),
            jobs=(),
        )
        with entry.lock:
            session_key = entry.session_key.copy() if entry.session_key is not None else None
        if entry.encrypted and session_key is None:
            raise SessionLocked("The session was locked in the meantime.")
        return self._lifecycle.add_snapshot(
            content, f"{content.name} (recovered)", actor, session_key=session_key
        )

    def restore_backup(self, session_id: str, *, actor: Actor) -> str:
        """Put the last backup in place of a damaged session's file; return the backup's session id.

        The damaged file is kept beside it. SessionError, DamagedSession.
        """
        table = self._table
        entry = table.changeable(session_id, archived=True)
        backup = self._store.backup_of(entry.path) if self._store is not None else None
        found = identity(backup) if backup is not None else None
        if (
            backup is not None
            and (entry.problem or entry.damage) is not None
            and not file.read_header(backup).encrypted
        ):
            # it must be whole before it takes the place
            self._loader.parser.check(backup, None, whole=True)
        with table.locked_entry(session_id, (table.active, table.archived)) as (entry, place):
            if self._store is None or entry.path is None or (entry.problem or entry.damage) is None:
                raise SessionError("This session is not damaged.", advice="Open it.")
            if backup is not None:
                if identity(backup) != found:
                    raise SessionError(
                        "The backup was replaced at this moment.", advice="Try again."
                    )
                self._check_no_twin(file.read_header(backup).id, entry)
            self._store.restore_backup(entry.path)
            header = file.read_header(entry.path)
            with table.lock:
                self._check_no_twin(header.id, entry)
                del place[session_id]
                entry.session.close()
                entry.problem = entry.damage = entry.origin = None
                entry.update_from(header)
                name = (
                    PROTECTED
                    if header.name is None
                    else self._names.free_name(header.name, actor=actor, but=header.id)
                )
                entry.session = self._loader.lazy_session(header.id, name, entry, header)
                place[header.id] = entry
            return header.id

    def _check_no_twin(self, session_id: str, entry: Entry) -> None:
        """Raise SessionError if another session of this id is in the list."""
        other = self._table.find(session_id)
        if other is not None and other is not entry:
            raise SessionError(
                f"The backup is of “{other.session.name}”, which is in the list.",
                advice="Open that one.",
            )
