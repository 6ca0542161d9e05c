"""SessionCacheManager: all sessions of a running program, in memory and on disk.

Every method takes the ``actor`` who asks. The manager is put together from parts, each of which can
be built and tested alone:

* :class:`~gui.sessions.table.SessionTable`: which sessions there are, and the locks;
* :class:`~gui.sessions.names.SessionNames`: what a session may be called;
* :class:`~gui.sessions.writer.SessionWriter`: into the files;
* :class:`~gui.sessions.loader.ContentLoader`: out of the files, and out of memory;
* :class:`~gui.sessions.lifecycle.SessionLifecycle`: made, archived, deleted, brought back;
* :class:`~gui.sessions.catalog.SessionCatalog`: the lists;
* :class:`~gui.sessions.protection.SessionProtection`: passwords;
* :class:`~gui.sessions.exporter.SessionExporter`, :class:`~gui.sessions.importer.SessionImporter`:
  to and from other people;
* :class:`~gui.sessions.recovery.SessionRecovery`: damaged sessions.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gui.engine.results import Run
from gui.errors import SessionError, UnknownSession
from gui.sessions.actor import LOCAL, Actor
from gui.sessions.attempts import Attempts
from gui.sessions.cache import DCXCache, Trace
from gui.sessions.catalog import SessionCatalog
from gui.sessions.cleanup import to_clean
from gui.sessions.entry import Entry
from gui.sessions.exporter import Exported, SessionExporter
from gui.sessions.hooks import Hooks
from gui.sessions.importer import Imported, SessionImporter
from gui.sessions.lifecycle import SessionLifecycle
from gui.sessions.loader import ContentLoader
from gui.sessions.names import SessionNames
from gui.sessions.parsing import Parser
from gui.sessions.protection import SessionProtection
from gui.sessions.recovery import SessionRecovery
from gui.sessions.rules import DEFAULT_NAME, MAX_NAME, SINGLE_ID, new_id
from gui.sessions.startup import SingleSession, scan_sessions
from gui.sessions.store import SessionInfo, Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter

__all__ = [
    "DEFAULT_NAME",
    "LOCAL",
    "MAX_NAME",
    "Actor",
    "Exported",
    "Imported",
    "SessionCacheManager",
]

UNDO = 30.0
"""Seconds a deleted session can be brought back."""


class SessionCacheManager:
    """Holds the sessions. Belongs to the program, not to a module. Thread-safe.

    Parameters
    ----------
    folder : keeps each session as a file in its ``sessions``, ``archive`` and ``trash``; None: in
        memory only.
    undo : seconds a deleted session can be brought back.
    single : one session for everybody, kept in one file; it is the default one and holds data.
    sessions_folder, archive_folder : other places for the first two folders.
    backups : keep each file as it was found.
    trace : called at every access to a session, for the debug log.
    most : so many sessions there may be, archived ones not counted; None: any number.
    parser : parses a file before this process reads it; None: nobody does (see
        :mod:`gui.sessions.parsing`).
    """

    trouble: SessionError | None = None
    """What went wrong at start, to be told once."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        undo: float = UNDO,
        single: bool = False,
        sessions_folder: Path | None = None,
        archive_folder: Path | None = None,
        backups: bool = True,
        trace: Trace | None = None,
        most: int | None = None,
        parser: Parser | None = None,
    ) -> None:
        self.single = single
        store = (
            Store(folder, sessions=sessions_folder, archive=archive_folder)
            if folder is not None
            else None
        )
        default = DCXCache(SINGLE_ID if single else new_id(), DEFAULT_NAME, holds_data=single)
        default.trace(trace)
        self._store, self._hooks, self.attempts = store, Hooks(), Attempts()
        self._table = table = SessionTable(default, max_active=most)
        self._names = names = SessionNames(table)
        self._writer = writer = SessionWriter(table, store, backups=backups, trace=trace)
        self._loader = loader = ContentLoader(table, names, writer, self._hooks, parser)
        self._lifecycle = lifecycle = SessionLifecycle(
            table, names, writer, loader, store, self._hooks, undo=undo
        )
        self._catalog = catalog = SessionCatalog(table, writer, store)
        self._protection = SessionProtection(
            table, names, writer, loader, store, self._hooks, self.attempts
        )
        self._exporter = SessionExporter(table, writer, catalog, store)
        self._importer = SessionImporter(
            table, names, writer, loader, lifecycle, catalog, store, self.attempts
        )
        self._recovery = SessionRecovery(table, names, loader, lifecycle, store)
        if store is not None:
            store.sweep()
        if single:
            writer.watch(default)
            self.trouble = SingleSession(table, loader, store).open(Entry(default, backed_up=True))
        elif store is not None:
            scan_sessions(table, names, loader, store)

    # -- what the program sets
    # ----------------------------------------------------------------------------------------------
    @property
    def busy(self) -> Callable[[], Collection[str]]:
        """Ids of sessions that have a job queued or running; the program sets it."""
        return self._hooks.busy

    @busy.setter
    def busy(self, busy: Callable[[], Collection[str]]) -> None:
        self._hooks.busy = busy

    @property
    def before_lock(self) -> Callable[[DCXCache], None]:
        """Called under no lock with a protected session before its content is evicted."""
        return self._hooks.before_lock

    @before_lock.setter
    def before_lock(self, before_lock: Callable[[DCXCache], None]) -> None:
        self._hooks.before_lock = before_lock

    @property
    def admission(self) -> Callable[[], AbstractContextManager[None]]:
        """Entered around reading a session's content; what it raises ends the call."""
        return self._hooks.admission

    @admission.setter
    def admission(self, admission: Callable[[], AbstractContextManager[None]]) -> None:
        self._hooks.admission = admission

    @property
    def default_id(self) -> str:
        """Id of the session where one lands."""
        return self._table.default_id

    @property
    def undo_seconds(self) -> float:
        """Seconds a deleted session can be brought back."""
        return self._lifecycle.undo_seconds

    # -- one session
    # ----------------------------------------------------------------------------------------------
    def create_session(self, name: str, *, actor: Actor) -> DCXCache:
        """A new, empty session.

        NameTaken, with a free name in the advice; SessionError if there are as many as allowed.
        """
        if self.single:
            raise SessionError("The program works with one session for everybody.", advice="")
        with self._table.lock:
            self._table.check_not_full()
            name = self._names.check(name, actor=actor)
            return self._lifecycle.adopt(DCXCache(new_id(), name))

    def get_session(self, session_id: str | None, *, actor: Actor) -> DCXCache:
        """The session with this id, its data in memory; never creates one.

        Raises
        ------
        UnknownSession
            There is none.
        SessionLocked
            It is protected, and this browser has not unlocked it.
        SessionError
            It cannot be read.
        """
        if session_id == self.default_id and not self.single:
            return self._table.default
        entry = self._table.entry(session_id).require_unlocked(actor)
        entry.shown = time.monotonic()
        if not entry.session.loaded:
            entry.session.load()
            entry.touch()
        return entry.session

    get_session_cache = get_session

    def save_session(self, session_id: str, *, actor: Actor) -> None:
        """Save now what is not saved yet (it is saved by itself soon after each change).

        SessionConflict, SessionNotSaved.
        """
        if session_id != self.default_id or self.single:
            self._writer.save(self._table.entry(session_id).require_unlocked(actor))
            self._writer.saver.forget(session_id)

    def save_state(self, session_id: str, *, actor: Actor) -> tuple[str, Exception | None]:
        """``("saved" | "saving" | "not saved" | "memory", why it is not saved)``.

        "memory" where nothing is kept on disk.
        """
        with self._table.lock:
            entry = self._table.active.get(session_id)
        if entry is None or entry.locked_for(actor):
            return "memory", None
        return self._writer.state(entry)

    def reload_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """Discard what is in memory and read the file again: after a conflict.

        SessionLocked: the other program protected it with a key that is not known here; it is
        locked now.
        """
        entry = self._table.entry(session_id).require_unlocked(actor)
        self._loader.reload(entry)
        return entry.session

    def free_name(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """``name``, or ``name 2``, ``name 3`` ... whichever is free (for the session ``but``)."""
        return self._names.free_name(name, actor=actor, but=but)

    def rename_session(self, session_id: str, name: str, *, actor: Actor) -> None:
        """Another name; NameTaken if it is in use."""
        session = self._table.changeable(session_id).require_unlocked(actor).session
        session.load()
        with self._table.reserving(
            session_id, lambda: self._names.check(name, actor=actor, but=session_id)
        ) as checked:
            session.name = checked  # under no lock: the session may have to be read again for this

    def duplicate_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """A copy as a session of its own, with all that is in memory now, saved or not.

        A copy of a protected session has the same password.
        """
        entry = self._table.changeable(session_id).require_unlocked(actor)
        self._table.check_not_full()
        return self._lifecycle.copy(entry, actor, check=self._table.check_not_full)

    def add_run(self, session_id: str, run: Run, *, actor: Actor) -> None:
        """Add a job's result, also to a protected session that the browser has left since.

        UnknownSession, SessionLocked.
        """
        self._table.entry(session_id).session.add_run(run)

    def job_ended(self, session_id: str, job_id: str, *, actor: Actor) -> None:
        """Note that a job ended without a result, unless the session is gone or locked."""
        with contextlib.suppress(SessionError):
            session = self._table.entry(session_id).session
            if session.loaded:
                session.job_ended(job_id)

    # -- lists
    # ----------------------------------------------------------------------------------------------
    def list_sessions(self, *, actor: Actor) -> list[SessionInfo]:
        """The default session first, then all active ones by creation; reads no data.

        Sessions that cannot be opened are among them.
        """
        return self._catalog.active(actor=actor)

    def info(self, session_id: str, *, actor: Actor) -> SessionInfo:
        """What is known of one active or archived session; UnknownSession."""
        return self._catalog.info(session_id, actor=actor)

    def list_archived_sessions(self, *, actor: Actor) -> list[SessionInfo]:
        """The archived sessions, last used first."""
        return self._catalog.archived(actor=actor)

    def list_deleted_sessions(self, *, actor: Actor) -> list[tuple[str, str]]:
        """(id, name) of each session that :meth:`undo_delete` can bring back, the latest last."""
        return self._catalog.deleted(actor=actor)

    # -- delete, archive, restore
    # ----------------------------------------------------------------------------------------------
    def delete_session(self, session_id: str, *, actor: Actor) -> None:
        """Put it into the trash for :data:`UNDO` seconds, or until the program ends."""
        self._table.changeable(session_id, archived=True)
        self._lifecycle.detach(session_id, "trash")

    def undo_delete(self, session_id: str, *, actor: Actor) -> DCXCache:
        """Bring a deleted session back to the active ones, with everything.

        UnknownSession if it is gone.
        """
        entry = self._table.find_deleted(session_id)
        if entry is None:
            raise UnknownSession("The session is gone.", advice="")
        return self._lifecycle.bring_back(session_id, entry, actor=actor)

    def archive_session(self, session_id: str, *, actor: Actor) -> None:
        """Take it out of memory, and move its file to the archive.

        SessionNotSaved or SessionConflict if it cannot be saved first; then nothing changes.
        """
        self._table.changeable(session_id)
        self._lifecycle.detach(session_id, "archive")

    def restore_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """From the archive back to the active ones; UnknownSession if it is not archived."""
        with self._table.lock:
            entry = self._table.archived.get(session_id)
        if entry is None:
            raise UnknownSession("This session is not in the archive.", advice="")
        self._table.check_not_full()
        return self._lifecycle.bring_back(
            session_id, entry, actor=actor, check=self._table.check_not_full
        )

    def cleanup_sessions(
        self,
        *,
        actor: Actor,
        max_sessions: int | None = None,
        max_age_days: float | None = None,
        action: Literal["archive", "delete"] = "archive",
        spared: Collection[str] = (),
        dry_run: bool = False,
    ) -> list[SessionInfo]:
        """Archive or delete what is longest unused; return what was (dry_run: would be) taken.

        Never the default session, one that a tab shows, one with a job, or one in ``spared``.
        """
        with self._table.lock:
            shown = [key for key, entry in self._table.active.items() if entry.open]
        chosen = to_clean(
            [info for info in self.list_sessions(actor=actor) if info.holds_data],
            datetime.now(UTC),
            max_sessions=max_sessions,
            max_age_days=max_age_days,
            spared={*spared, *self.busy(), *shown},
        )
        done = []
        for info in chosen:
            if not dry_run:
                try:
                    (self.archive_session if action == "archive" else self.delete_session)(
                        info.session_id, actor=actor
                    )
                except SessionError:  # one that cannot be moved stays; the others are no less old
                    continue
            done.append(info)
        return done

    # -- protection
    # ----------------------------------------------------------------------------------------------
    def protect_session(
        self, session_id: str, password: str, *, hide_name: bool = False, actor: Actor
    ) -> None:
        """Encrypt the session, and unlock it for the actor; remove its unencrypted backups.

        InvalidParameter (too short), DefaultSession, SessionNotSaved: then it is as it was.
        """
        self._protection.protect(session_id, password, hide_name=hide_name, actor=actor)

    def unlock_session(self, session_id: str, password: str, *, actor: Actor) -> None:
        """Open it for this actor's browser.

        WrongPassword, PasswordDelay; DamagedSession; UnknownSession.
        """
        self._protection.unlock(session_id, password, actor=actor)

    def lock_session(self, session_id: str, *, actor: Actor) -> None:
        """Lock it for everybody: saved, content out of memory, key overwritten.

        SessionNotSaved: then nothing changes.
        """
        self._protection.lock(session_id)

    def is_locked(self, session_id: str, *, actor: Actor) -> bool:
        """Whether the session is there and protected, and this browser has not unlocked it."""
        return self._protection.is_locked(session_id, actor=actor)

    def touch(self, session_id: str, *, actor: Actor, ago: float = 0.0) -> None:
        """Note that the user of this browser did something in the session ``ago`` seconds ago."""
        self._protection.touch(session_id, actor=actor, ago=ago)

    def forget_browser(self, *, actor: Actor) -> None:
        """Take from this browser what it has unlocked, and lock what no other one has unlocked."""
        self._protection.forget_browser(actor=actor)

    def lock_idle(self, seconds: float, *, actor: Actor) -> list[str]:
        """Lock sessions whose users did nothing for so long; return the ids of those locked now."""
        return self._protection.lock_idle(seconds)

    def change_password(
        self, session_id: str, old: str, new: str, *, hide_name: bool | None = None, actor: Actor
    ) -> None:
        """Another password for the same key: old copies of the file still open with the old one.

        WrongPassword, PasswordDelay, InvalidParameter, SessionNotSaved.
        """
        self._protection.change_password(session_id, old, new, hide_name=hide_name, actor=actor)

    def reencrypt_session(self, session_id: str, old: str, new: str, *, actor: Actor) -> None:
        """A new key under a new password, and everything encrypted again: after a leak.

        WrongPassword, PasswordDelay, InvalidParameter, SessionNotSaved.
        """
        self._protection.reencrypt(session_id, old, new, actor=actor)

    def remove_password(self, session_id: str, password: str, *, actor: Actor) -> None:
        """The session is not protected any more. WrongPassword, PasswordDelay, SessionNotSaved."""
        self._protection.remove_password(session_id, password, actor=actor)

    # -- to and from other people, and damaged ones
    # ----------------------------------------------------------------------------------------------
    def export_session(
        self,
        session_id: str,
        *,
        actor: Actor,
        cells: bool = True,
        pseudonyms: bool = False,
        password: str | None = None,
        unprotected: bool = False,
    ) -> Exported:
        """The session as a file (:meth:`gui.sessions.exporter.SessionExporter.export`)."""
        return self._exporter.export(
            session_id,
            actor=actor,
            cells=cells,
            pseudonyms=pseudonyms,
            password=password,
            unprotected=unprotected,
        )

    def import_session(
        self, path: Path, *, actor: Actor, as_copy: bool = False, password: str | None = None
    ) -> Imported:
        """Copy a session file in (:meth:`gui.sessions.importer.SessionImporter.import_file`)."""
        return self._importer.import_file(path, actor=actor, as_copy=as_copy, password=password)

    def redirect_session(self, session_id: str, folder: Path, *, actor: Actor) -> Path:
        """Keep the session's file in another folder from now on, and save it there at once.

        SessionNotSaved, SessionConflict: everything is as before.
        """
        entry = self._table.changeable(session_id).require_unlocked(actor)
        return self._lifecycle.redirect(entry, folder)

    def salvage_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """What can still be read of a damaged session, as a session of its own.

        DamagedSession: nothing can be read.
        """
        return self._recovery.salvage(session_id, actor=actor)

    def restore_backup(self, session_id: str, *, actor: Actor) -> str:
        """Put the last backup in place of a damaged session's file; return the backup's session id.

        SessionError, DamagedSession.
        """
        return self._recovery.restore_backup(session_id, actor=actor)

    # -- memory and the end
    # ----------------------------------------------------------------------------------------------
    def trim_memory(self, limit: int, *, actor: Actor) -> int:
        """Unload unused sessions until contents take at most ``limit`` bytes; return how many."""
        return self._loader.trim_memory(limit)

    def pending(self, *, actor: Actor) -> int:
        """How many sessions are not on disk yet."""
        with self._table.lock:
            if self._store is None:
                return 0
            return sum(entry.dirty for entry in self._table.active.values())

    def close(self, *, actor: Actor, timeout: float = 120.0) -> bool:
        """Wait for pending saves, empty the trash, and lock what is protected.

        False if something could not be saved. May be called twice.
        """
        return self._lifecycle.close(actor=actor, timeout=timeout)
