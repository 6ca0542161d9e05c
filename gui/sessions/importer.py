"""SessionImporter: session files into the program."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gui.errors import DeconomixError, SessionConflict, WrongPassword
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.attempts import Attempts
from gui.sessions.catalog import SessionCatalog
from gui.sessions.crypto import SessionKey
from gui.sessions.entry import PROTECTED, Entry
from gui.sessions.identity import Identity, identity
from gui.sessions.lifecycle import SessionLifecycle
from gui.sessions.loader import ContentLoader
from gui.sessions.names import SessionNames
from gui.sessions.rules import SINGLE_ID, new_id
from gui.sessions.store import Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter


@dataclass(frozen=True)
class Imported:
    """What an import did.

    outcome : "new": copied in; "known": the session is here already, as in the file; "differs": it
    is here, but another version of it, and nothing was done; "copy": copied in as a session of its
    own.
    """

    session_id: str
    name: str
    outcome: Literal["new", "known", "differs", "copy"]


class SessionImporter:
    """Copies session files in; the originals are never changed."""

    def __init__(
        self,
        table: SessionTable,
        names: SessionNames,
        writer: SessionWriter,
        loader: ContentLoader,
        lifecycle: SessionLifecycle,
        catalog: SessionCatalog,
        store: Store | None,
        attempts: Attempts | None = None,
    ) -> None:
        self._table, self._names, self._writer, self._loader = table, names, writer, loader
        self._lifecycle, self._catalog, self._store = lifecycle, catalog, store
        self._attempts = attempts or Attempts()

    def import_file(
        self, path: Path, *, actor: Actor, as_copy: bool = False, password: str | None = None
    ) -> Imported:
        """Copy a session file in.

        Parameters
        ----------
        as_copy : as a session of its own, even if this one is here already; a protected one needs
            its password then.

        Raises
        ------
        DamagedSession, NewerSession, WrongPassword, SessionError
            Nothing happened.
        """
        table = self._table
        found = identity(path)
        header = file.read_header(path)
        while True:
            with table.arrived:  # two imports of one session at once: the second one finds it here
                table.arrived.wait_for(lambda: header.id not in table.arriving)
                present = None if as_copy else table.find(header.id)
                if present is None:
                    table.arriving.add(header.id)
            if present is None:
                break
            known = self._compare(header, present, actor)
            if known is not None:
                return known
        try:
            return self._import(
                path, found, header, actor=actor, as_copy=as_copy, password=password
            )
        finally:
            with table.arrived:
                table.arriving.discard(header.id)
                table.arrived.notify_all()

    def _compare(self, header: file.Header, entry: Entry, actor: Actor) -> Imported | None:
        """Of a session that is here already; None if it was deleted at this moment."""
        table = self._table
        with contextlib.suppress(DeconomixError):
            self._writer.save(entry)
        same = (
            not entry.dirty
            and entry.generation == header.generation
            and entry.problem is None
            and entry.session.modified == header.modified
        )
        with table.lock:
            archived = table.archived.get(header.id) is entry
            gone = not archived and table.active.get(header.id) is not entry
        if gone:
            return None
        if same and archived:
            table.check_not_full()
            self._lifecycle.bring_back(header.id, entry, actor=actor, check=table.check_not_full)
        name = self._catalog.describe(entry, actor, archived=False).name
        return Imported(header.id, name, "known" if same else "differs")

    def _import(
        self,
        path: Path,
        found: Identity | None,
        header: file.Header,
        *,
        actor: Actor,
        as_copy: bool,
        password: str | None,
    ) -> Imported:
        """Import a session that is not here, or a copy of one.

        found : identity of the file whose header was read; no other one comes in.
        """
        self._table.check_not_full()
        fresh = as_copy or self._is_taken(header.id)
        session_key = None
        if header.encrypted and (fresh or self._store is None):
            session_key = self._unlock(header, password, actor)
        sealed = header.encrypted and session_key is None  # it is copied in without being opened
        if not sealed:
            self._loader.parser.check(path, session_key, whole=True)
        if (
            self._store is not None
            and not fresh
            and (
                sealed
                or header.name is None
                or self._names.free_name(header.name, actor=actor) == header.name
            )
        ):
            if (entry := self._copy_in(path, found, header, actor)) is not None:
                if not sealed and entry.path is not None:  # a copy of just what was parsed
                    entry.accepted = identity(entry.path)
                name = self._catalog.describe(entry, actor, archived=False).name
                return Imported(header.id, name, "new")
            # it came in some other way meanwhile, or its name was given away
            fresh = self._is_taken(header.id)
        if sealed:
            session_key = self._unlock(header, password, actor)
            self._loader.parser.check(path, session_key, whole=True)
        snapshot = file.load(path, session_key=session_key, expected=found)
        taken = replace(snapshot, session_id=new_id() if fresh else snapshot.session_id)
        session = self._lifecycle.add_snapshot(
            taken,
            snapshot.name,
            actor,
            session_key=session_key,
            check=self._table.check_not_full,
        )
        return Imported(
            session.session_id, session.name, "new" if session.session_id == header.id else "copy"
        )

    def _is_taken(self, session_id: str) -> bool:
        """Whether a session of this id cannot come in as itself.

        A file of its name that no session here has is one whose header cannot be read: it stays,
        for what may be recovered of it.
        """
        if session_id in (self._table.default_id, SINGLE_ID) or self._table.is_taken(session_id):
            return True
        return self._store is not None and self._store.path_for(session_id).exists()

    def _unlock(self, header: file.Header, password: str | None, actor: Actor) -> SessionKey:
        if password is None:
            raise WrongPassword(
                "This session is protected by a password.",
                advice="Type its password to import it as a copy.",
            )
        with self._attempts.attempt(header.id, actor.browser):
            return SessionKey.unlock(header, password)

    def _copy_in(
        self, path: Path, found: Identity | None, header: file.Header, actor: Actor
    ) -> Entry | None:
        """Take a copy of a session file among the active ones, byte for byte.

        None if its id or its name was taken at this moment. SessionConflict: the file is not the
        one that was found.
        """
        assert self._store is not None
        table = self._table
        copied = self._store.copy_in(path, header.id)
        entry = Entry(table.default, copied)
        entry.update_from(header)
        with contextlib.ExitStack() as undo:
            undo.callback(_remove, copied)
            if identity(path) != found:
                raise SessionConflict(
                    "The file was changed while it was being imported.", advice="Import it again."
                )
            with table.lock:
                shown = (
                    PROTECTED
                    if header.name is None
                    else self._names.free_name(header.name, actor=actor)
                )
                if table.is_taken(header.id) or (shown != header.name and not header.encrypted):
                    return None
                table.check_not_full()
                entry.session = self._loader.lazy_session(header.id, shown, entry, header)
                table.active[header.id] = entry
                undo.pop_all()
        return entry


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
