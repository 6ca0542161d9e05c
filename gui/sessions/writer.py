"""SessionWriter: sessions into their files, in the background or at once."""

from __future__ import annotations

from gui.errors import (
    DeconomixError,
    SessionConflict,
    SessionError,
    SessionLocked,
    SessionNotSaved,
)
from gui.sessions.cache import DCXCache, Trace
from gui.sessions.crypto import SessionKey
from gui.sessions.entry import Entry
from gui.sessions.identity import identity
from gui.sessions.lazy import Origin
from gui.sessions.saver import Saver
from gui.sessions.store import Store
from gui.sessions.table import SessionTable

FORM_DELAY, DATA_DELAY = 1.5, 0.1
"""Seconds a change may wait for further ones before it is saved."""


class SessionWriter:
    """Writes what changed.

    Parameters
    ----------
    store : the folders; None: sessions are kept in memory only, and nothing is written.
    backups : keep each file as it was found, before the first write.
    trace : called at every access to a session, for the debug log.
    """

    def __init__(
        self,
        table: SessionTable,
        store: Store | None,
        *,
        backups: bool = True,
        trace: Trace | None = None,
    ) -> None:
        self._table = table
        self._store = store
        self._backups, self._trace = backups, trace
        self.saver = Saver(
            self._write_session,
            lambda error: not isinstance(error, SessionConflict | SessionLocked),
        )

    def watch(self, session: DCXCache) -> None:
        """Have every change of a session saved, and every access traced, from now on."""
        session.watch(self._on_change)
        session.trace(self._trace)

    def request(self, session_id: str) -> None:
        """Have a session saved soon."""
        if self._store is not None:
            self.saver.request(session_id)

    def _on_change(self, session: DCXCache, form: bool) -> None:
        if self._store is not None:
            self.saver.request(session.session_id, FORM_DELAY if form else DATA_DELAY)

    def state(self, entry: Entry) -> tuple[str, Exception | None]:
        """``("saved" | "saving" | "not saved" | "memory", why it is not saved)``.

        "memory" where nothing is kept on disk.
        """
        if self._store is None:
            return "memory", None
        failure = self.saver.failure(entry.session.session_id)
        if failure is not None and entry.dirty:
            return "not saved", (
                failure
                if isinstance(failure, DeconomixError)
                else SessionNotSaved("The session could not be saved.")
            )
        if entry.dirty:
            return "saving", None
        trouble = entry.file_trouble() if entry.problem is None else None
        return ("saved", None) if trouble is None else ("not saved", trouble)

    def save(self, entry: Entry) -> None:
        """Save now, in this thread, what is not saved yet.

        Also what is in memory and whose file is gone. SessionNotSaved, SessionConflict,
        SessionLocked.
        """
        with entry.lock:
            if self._store is not None and (
                entry.dirty
                or (
                    entry.session.loaded
                    and entry.problem is None
                    and entry.file_trouble() is not None
                )
            ):
                self.write(entry)

    def _write_session(self, session_id: str) -> None:
        """What the saver calls."""
        with self._table.lock:
            entry = self._table.active.get(session_id)
        if entry is None:
            return
        with entry.lock:
            with self._table.lock:
                if self._table.active.get(session_id) is not entry:
                    return
            if entry.dirty:
                self.write(entry)

    def write(self, entry: Entry) -> None:
        """Write the file of a session, under the entry's lock; errors as of :meth:`save`."""
        assert self._store is not None
        snapshot, edits = entry.session.take()
        if entry.encrypted and entry.session_key is None:  # a protected one is never saved in clear
            name = entry.visible_name if entry.hidden else snapshot.name
            raise SessionLocked(f"“{name}” is locked.")
        if (
            self._backups
            and not entry.backed_up
            and entry.path is not None
            and entry.generation is not None
        ):
            self._store.keep_backup(entry.path)
            entry.backed_up = True
        path = entry.path or self._store.path_for(snapshot.session_id)
        origin = entry.origin or Origin(path, entry.session_key)
        try:
            header = self._store.save(path, snapshot, entry.generation, entry.session_key, origin)
        except OSError as error:
            raise SessionNotSaved(
                f"The session “{snapshot.name}” could not be saved"
                f" ({error.strerror or type(error).__name__})."
            ) from None
        origin.path, origin.session_key = path, entry.session_key
        entry.path, entry.origin, entry.saved, entry.accepted = path, origin, edits, identity(path)
        entry.update_from(header)

    # -- protection
    # ----------------------------------------------------------------------------------------------
    def replace_key(self, entry: Entry, session_key: SessionKey | None, *, hidden: bool) -> None:
        """Write the session under another key, all or nothing; under the entry's lock.

        Parameters
        ----------
        session_key : None: in clear. Wiped if the session could not be written.
        hidden : whether the header hides the session's name.

        Raises
        ------
        SessionNotSaved, SessionConflict
            Everything is as it was.
        """
        assert self._store is not None
        entry.session.load()  # now: under another key its file could not be read
        before = entry.session_key, entry.encrypted, entry.hidden
        backed_up = entry.backed_up
        entry.session_key, entry.encrypted, entry.hidden = (
            session_key,
            session_key is not None,
            hidden,
        )
        entry.backed_up = True  # no clear copy just before it is encrypted
        try:
            self.write(entry)
        except BaseException:
            entry.session_key, entry.encrypted, entry.hidden = before
            entry.backed_up = backed_up
            if session_key is not None:
                session_key.wipe()
            raise
        if before[0] is not None:
            before[0].wipe()

    def remove_backups(self, entry: Entry) -> None:
        """Remove the backups from before the session was protected.

        SessionError: it is encrypted, but a copy from before is left.
        """
        if self._store is not None and entry.path is not None:
            try:
                self._store.forget_backups(entry.path)
            except (SessionError, OSError):
                where = self._store.backups / entry.path.name
                raise SessionError(
                    "The session is protected now, but a backup from before could not be removed.",
                    advice=f"Delete {where} yourself.",
                ) from None
            entry.backed_up = False
