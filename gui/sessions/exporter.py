"""SessionExporter: a session as a file for somebody else."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gui import atomic
from gui.errors import DeconomixError, SessionError, SessionLocked
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.catalog import SessionCatalog
from gui.sessions.crypto import SessionKey
from gui.sessions.entry import Entry
from gui.sessions.lazy import need_room
from gui.sessions.rules import new_id
from gui.sessions.store import Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Exported:
    """A session as a file.

    Attributes
    ----------
    name : proposed for the file.
    data : its bytes.
    names : table with the columns name, pseudonym and role, to be kept apart, where names of
        samples were replaced.
    """

    name: str
    data: bytes
    names: pd.DataFrame | None = None


class SessionExporter:
    """Makes ``.dcxsession`` files, also of sessions that cannot be saved."""

    def __init__(
        self,
        table: SessionTable,
        writer: SessionWriter,
        catalog: SessionCatalog,
        store: Store | None,
    ) -> None:
        self._table, self._writer, self._catalog, self._store = table, writer, catalog, store

    def export(
        self,
        session_id: str,
        *,
        actor: Actor,
        cells: bool = True,
        pseudonyms: bool = False,
        password: str | None = None,
        unprotected: bool = False,
    ) -> Exported:
        """The session as a file; an archived, locked or damaged one as it is on disk.

        Parameters
        ----------
        cells : False leaves the single-cell data out.
        pseudonyms : replace the names of samples and cells.
        password : encrypt the file with this one.
        unprotected : write a protected session in clear.

        Raises
        ------
        SessionLocked
            It is locked, and anything but the file as it is was asked for.
        InvalidParameter
            The password is too short or too long.
        SessionError
            It cannot be read, or there is too little memory.
        """
        # where there is one session only it can be given away like any other
        single = session_id == self._table.default_id and self._table.default.holds_data
        entry = (
            self._table.entry(session_id)
            if single
            else self._table.changeable(session_id, archived=True)
        )
        if self._store is not None and (entry.session_key is not None or not entry.encrypted):
            # it can be exported even where it cannot be saved
            with contextlib.suppress(DeconomixError):
                self._writer.save(entry)
        changed = (
            not cells or pseudonyms or password is not None or (unprotected and entry.encrypted)
        )
        if changed:
            entry.require_unlocked(actor)
        if not changed:
            name = self._catalog.describe(entry, actor, archived=False).name
            return Exported(f"{name}{file.SUFFIX}", self._unchanged(entry))
        from gui.sessions import exchange

        snapshot, names = entry.session.snapshot(), None
        if not cells:
            snapshot = exchange.without_cells(snapshot)
        if pseudonyms:
            snapshot, names = exchange.pseudonymised(snapshot)
        if password is not None:
            session_key: SessionKey | None = SessionKey.new(password, hide_name=entry.hidden)
        else:
            session_key = None if unprotected or not entry.encrypted else entry.require_key()
        # another content is another session: imported beside the original it is no other version of
        # it
        if not cells or pseudonyms:
            snapshot = replace(snapshot, session_id=new_id(), jobs=())
        return Exported(
            f"{snapshot.name}{file.SUFFIX}",
            file.to_bytes(snapshot, session_key=session_key, generation=entry.generation),
            names,
        )

    def _unchanged(self, entry: Entry) -> bytes:
        """The file as it is, or as it would be if it could be saved."""
        with entry.lock:
            if entry.path is not None and not entry.dirty:
                try:
                    with atomic.reading(entry.path) as opened:
                        size = os.fstat(opened.fileno()).st_size
                        need_room(size, "The file of this session needs")
                        return opened.read()
                except OSError:
                    if not entry.session.loaded or (entry.encrypted and entry.session_key is None):
                        raise SessionError(
                            "The file of the session cannot be read.",
                            advice="Check the folder of the sessions.",
                        ) from None
            if entry.encrypted and entry.session_key is None:
                raise SessionLocked("This session is locked and has no file.")
            return file.to_bytes(
                entry.session.snapshot(),
                session_key=entry.session_key,
                generation=entry.generation,
            )
