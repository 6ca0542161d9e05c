"""SessionLifecycle: sessions made, archived, deleted and brought back, and the end of them all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gui import atomic
from gui.errors import (
    DeconomixError,
    SessionConflict,
    SessionError,
    SessionNotSaved,
    UnknownSession,
)
from gui.logs import get_logger
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import SessionKey
from gui.sessions.entry import Entry
from gui.sessions.header import contents_of
from gui.sessions.hooks import Hooks
from gui.sessions.lazy import materialise
from gui.sessions.loader import ContentLoader
from gui.sessions.names import SessionNames
from gui.sessions.rules import new_id
from gui.sessions.snapshot import Snapshot
from gui.sessions.store import Place, Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter

log = get_logger(__name__)


def _allow() -> None:
    """No further condition."""


class SessionLifecycle:
    """Moves sessions between the lists, each with its file.

    undo : seconds a deleted session can be brought back.
    """

    def __init__(
        self,
        table: SessionTable,
        names: SessionNames,
        writer: SessionWriter,
        loader: ContentLoader,
        store: Store | None,
        hooks: Hooks | None = None,
        *,
        undo: float = 30.0,
    ) -> None:
        self._table, self._names = table, names
        self._writer, self._loader, self._store = writer, loader, store
        self._hooks = hooks or Hooks()
        self.undo_seconds = undo

    # -- new ones
    # ----------------------------------------------------------------------------------------------
    def adopt(
        self,
        session: DCXCache,
        *,
        session_key: SessionKey | None = None,
        actor: Actor | None = None,
    ) -> DCXCache:
        """Take a new session, which is in memory, among the active ones, and have it saved.

        Under the table's lock.

        session_key : the session is protected with it, and unlocked for ``actor``.
        """
        entry = Entry(
            session, contents={} if self._store else contents_of(session.snapshot()), backed_up=True
        )
        if session_key is not None and actor is not None:
            entry.session_key, entry.encrypted = session_key, True
            entry.hidden = session_key.hide_name
            entry.unlock(actor)
        self._table.active[session.session_id] = entry
        self._writer.watch(session)
        self._writer.request(session.session_id)
        return session

    def add_snapshot(
        self,
        snapshot: Snapshot,
        name: str,
        actor: Actor,
        *,
        session_key: SessionKey | None = None,
        check: Callable[[], None] = _allow,
    ) -> DCXCache:
        """Make a session of a snapshot, under a free name, and a new id where its own is taken.

        check : called under the lock; raises if there may be no further session.
        """
        materialise(snapshot)
        with self._table.lock:
            check()
            taken = self._table.is_taken(snapshot.session_id)
            found = replace(
                snapshot,
                name=self._names.free_name(name, actor=actor),
                session_id=new_id() if taken else snapshot.session_id,
            )
            return self.adopt(DCXCache.from_snapshot(found), session_key=session_key, actor=actor)

    def copy(self, entry: Entry, actor: Actor, *, check: Callable[[], None] = _allow) -> DCXCache:
        """A copy with all that is in memory now; protected with the same password, if it is."""
        entry.session.load()  # before: it may take long
        with entry.lock:
            session_key = entry.require_key().copy() if entry.encrypted else None
            taken = entry.session.snapshot()
        copied = replace(taken, session_id=new_id(), created=datetime.now(UTC), jobs=())
        return self.add_snapshot(
            copied, f"{taken.name} copy", actor, session_key=session_key, check=check
        )

    # -- out of the active ones
    # ----------------------------------------------------------------------------------------------
    def detach(self, session_id: str, place: Literal["archive", "trash"]) -> None:
        """Move a session, with its file, to the archived or the deleted ones.

        A later change is refused. A protected session is locked.

        Parameters
        ----------
        place : "archive" takes an active session, "trash" an active or archived one.

        Raises
        ------
        UnknownSession, SessionError, SessionNotSaved, SessionConflict
            Nothing was changed.
        """
        table = self._table
        entry = table.find(session_id)
        if entry is not None and entry.encrypted:
            self._hooks.call_before_lock(entry.session)
        lists = (table.active,) if place == "archive" else (table.active, table.archived)
        with table.locked_entry(session_id, lists) as (entry, source):
            entry.session.close()
            try:
                if (
                    (place == "archive" or entry.session_key is not None)
                    and entry.dirty
                    and self._store is not None
                ):
                    try:
                        self._writer.write(entry)
                    except SessionError:
                        if place == "archive":
                            raise
                        # to be deleted: what cannot be saved goes now
                        entry.saved = entry.session.edits
                # somebody else deleted it
                if place == "trash" and entry.path is not None and not entry.path.exists():
                    entry.path, entry.generation, entry.saved = None, None, -1
                self._move(entry, place)
                self._loader.evict_locked(entry)
            except BaseException:
                entry.session.close(False)
                raise
            with table.lock:
                del source[session_id]
                if place == "trash":
                    self._schedule_purge(session_id, entry)
                else:
                    if self._store is not None:
                        entry.session = self._loader.lazy_session(
                            session_id, entry.session.name, entry
                        )
                    table.archived[session_id] = entry
            self._writer.saver.forget(session_id)

    def _schedule_purge(self, session_id: str, entry: Entry) -> None:
        """Put it among the deleted ones, which are gone after a while. Under the table's lock."""
        timer = threading.Timer(self.undo_seconds, self.purge, [session_id])
        timer.daemon = True
        self._table.trash[session_id] = (entry, timer)
        timer.start()

    def purge(self, session_id: str) -> None:
        """Remove a deleted session for good, unless it was brought back."""
        with self._table.lock:
            entry, timer = self._table.trash.get(session_id, (None, None))
        if entry is None or timer is None:
            return
        timer.cancel()
        with entry.lock:
            with self._table.lock:
                if self._table.find_deleted(session_id) is not entry:
                    return
                del self._table.trash[session_id]
            with contextlib.suppress(OSError, SessionError):
                if entry.path is not None:
                    atomic.remove(entry.path)
                    if self._store is not None:
                        self._store.forget_backups(entry.path)

    # -- back to the active ones
    # ----------------------------------------------------------------------------------------------
    def bring_back(
        self,
        session_id: str,
        entry: Entry,
        *,
        actor: Actor,
        check: Callable[[], None] = _allow,
    ) -> DCXCache:
        """Bring a session back from archive or trash to the active ones, under a free name.

        One that is active already stays as it is.

        Parameters
        ----------
        check : called under the lock; raises if there may be no further session.

        Raises
        ------
        UnknownSession
            It is in neither.
        """
        table = self._table
        with entry.lock:
            with table.lock:
                if table.active.get(session_id) is entry:  # two asked at once
                    return entry.session
                deleted = table.find_deleted(session_id) is entry
                if not deleted and table.archived.get(session_id) is not entry:
                    raise UnknownSession("This session does not exist any more.")
                if session_id in table.active:
                    raise SessionError(
                        "Another version of this session is open.", advice="Delete it first."
                    )
                check()
                name = self._names.free_name(entry.session.name, actor=actor, but=session_id)
                table.reserved.append((name, session_id))
                if deleted:
                    table.trash.pop(session_id)[1].cancel()
                else:
                    del table.archived[session_id]
                table.active[session_id] = entry
            try:
                self._move(entry, "sessions")
                entry.session.close(False)
                entry.touch()
                if name != entry.session.name:
                    try:
                        entry.session.name = name
                    # it cannot be read: it is shown like this, and gets the name when it is loaded
                    except SessionError:
                        if not entry.hidden:
                            entry.session = self._loader.lazy_session(session_id, name, entry)
            except BaseException:
                with table.lock:
                    del table.active[session_id]
                    if deleted:
                        self._schedule_purge(session_id, entry)
                    else:
                        table.archived[session_id] = entry
                raise
            finally:
                with table.lock:
                    table.reserved.remove((name, session_id))
            if entry.dirty:
                self._writer.request(session_id)
            return entry.session

    def _move(self, entry: Entry, place: Place) -> None:
        if self._store is not None and entry.path is not None:
            entry.path = self._store.move(entry.path, place)
            if entry.origin is not None:
                entry.origin.path = entry.path

    # -- another folder
    # ----------------------------------------------------------------------------------------------
    def redirect(self, entry: Entry, folder: Path) -> Path:
        """Keep the session's file in another folder from now on, and save it there at once.

        SessionNotSaved, SessionConflict: everything is as before.
        """
        session_id = entry.session.session_id
        if self._store is None or not folder.is_absolute() or not folder.is_dir():
            raise SessionNotSaved("There is no such folder.", advice="Choose another one.")
        entry.session.load()
        with self._table.still_active(session_id, entry):
            before = entry.path, entry.generation, entry.backed_up
            path = folder / file.file_name(session_id)
            entry.path, entry.generation, entry.backed_up = path, None, True
            try:
                self._writer.write(entry)
            except BaseException:
                entry.path, entry.generation, entry.backed_up = before
                raise
            self._writer.saver.forget(session_id)
            return entry.path

    # -- the end
    # ----------------------------------------------------------------------------------------------
    def close(self, *, actor: Actor, timeout: float) -> bool:
        """Wait for pending saves, empty the trash, and lock what is protected.

        A session whose file another program has changed is kept as a copy. False if something
        could not be saved. May be called twice.
        """
        saver = self._writer.saver
        with self._table.lock:
            deleted, entries = list(self._table.trash), self._table.active_entries()
        for session_id in deleted:
            self.purge(session_id)
        done = saver.flush(timeout)
        for entry in entries:
            session_id = entry.session.session_id
            if entry.dirty and isinstance(saver.failure(session_id), SessionConflict):
                with contextlib.suppress(DeconomixError):
                    copied = self.copy(entry, actor)
                    self._writer.save(self._table.entry(copied.session_id))
                saver.forget(session_id)
        for entry in entries:  # the folder of a session that was saved may be gone since
            if (
                entry.session.loaded
                and not entry.encrypted
                and isinstance(entry.file_trouble(), SessionNotSaved)
            ):
                done = False
        done = saver.close(timeout) and done
        for entry in self._table.active_entries():  # with the copies made just now
            with entry.lock:
                if entry.session_key is not None:
                    # what could not be saved until now cannot be saved any more
                    entry.saved = entry.session.edits
                    try:
                        self._loader.evict_locked(entry)
                    except Exception:  # the others are locked all the same
                        log.exception(
                            "a protected session could not be locked at the end: id %s",
                            entry.session.session_id,
                        )
        return done
