"""SessionCacheManager: all sessions of a running application, in memory and on disk.

Every method takes the ``actor`` who asks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gui import atomic
from gui.engine.results import Run
from gui.errors import (
    DeconomixError,
    SessionConflict,
    SessionError,
    SessionLocked,
    SessionNotSaved,
    UnknownSession,
)
from gui.logs import get_logger
from gui.sessions import file
from gui.sessions.actor import LOCAL, Actor
from gui.sessions.cache import DCXCache, Trace
from gui.sessions.cleanup import to_clean
from gui.sessions.memory import size_of
from gui.sessions.parsing import Parser, identity
from gui.sessions.rules import DEFAULT_NAME, MAX_NAME, SINGLE_ID, file_time, new_id
from gui.sessions.store import PROTECTED, Entry, SessionInfo, Store
from gui.sessions.transfer import Exported, Imported, Transfer

__all__ = [
    "DEFAULT_NAME",
    "LOCAL",
    "MAX_NAME",
    "Actor",
    "Exported",
    "Imported",
    "SessionCacheManager",
]

log = get_logger(__name__)
UNDO = 30.0
"""Seconds a deleted session can be brought back."""
SINGLE_FILE = f"single{file.SUFFIX}"


class SessionCacheManager(Transfer):
    """Holds the sessions.

    Belongs to the application, not to a module. Thread-safe.

    folder : keeps each session as a file in its ``sessions``, ``archive`` and ``trash``; None: in
    memory only sessions_folder, archive_folder : other places for the first two; undo : seconds a
    deleted session can be brought back single : one session for everybody, kept in one file; it is
    the default one and holds the data itself most : so many sessions may there be, without archived
    ones parser : parses a file before this process reads it, None: nobody does (see
    :mod:`gui.sessions.parsing`) backups : keep each file as it was found; trace : is told of every
    access to a session, for the debug log
    """

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
        store = (
            Store(folder, sessions=sessions_folder, archive=archive_folder)
            if folder is not None
            else None
        )
        default = DCXCache(SINGLE_ID if single else new_id(), DEFAULT_NAME, holds_data=single)
        super().__init__(store, default, undo=undo, backups=backups, trace=trace, parser=parser)
        self.single, self._most = single, most
        if single:
            self._open_single()
        elif store is not None:
            self._scan()

    def _open_single(self) -> None:
        """The one session, from its file if there is one; a file that cannot be read is put aside,
        never lost and never in the way.
        """
        entry = Entry(self._default, backed_up=True)
        entry.saved = self._default.edits
        self._watch(self._default)
        if self._store is not None:
            entry.path = self._store.folder / SINGLE_FILE
            error = self._found(entry) if entry.path.exists() else None
            if error is not None:
                aside = entry.path.with_name(
                    f"{SINGLE_FILE}.{datetime.now():%Y%m%d-%H%M%S}.damaged"
                )
                with contextlib.suppress(OSError):
                    entry.path.replace(aside)
                backup = self._from_backup(entry)
                begin = (
                    f"You continue with its last backup, of {backup:%d %b, %H:%M}."
                    if backup is not None
                    else "You begin with an empty session."
                )
                self.trouble = SessionError(
                    f"{error} It was put aside as {aside.name}.", advice=begin
                )
        self._active[SINGLE_ID] = entry

    def _found(self, entry: Entry) -> DeconomixError | None:
        """Take over the file of the one session; why not, if it is not whole."""
        assert entry.path is not None
        try:
            parsed = identity(entry.path)
            header = file.read_header(entry.path)
            self._parser.check(entry.path, None, whole=True)
        except DeconomixError as error:
            return error
        entry.accepted = parsed
        entry.known(header)
        entry.backed_up = False
        self._default = entry.session = self._lazy(SINGLE_ID, DEFAULT_NAME, entry, header)
        return None

    def _from_backup(self, entry: Entry) -> datetime | None:
        """Take over the last backup of the one session, whose file was put aside: of when it is.

        None: there is none, or it is damaged too.
        """
        assert self._store is not None
        backup = self._store.backup_of(entry.path)
        if entry.path is None or backup is None or entry.path.exists():
            return None
        try:
            made = file_time(backup.stat().st_mtime).astimezone()
            atomic.copy(backup, entry.path)
            if self._found(entry) is not None:
                entry.path.unlink()
                return None
        except OSError:
            return None
        return made

    trouble: SessionError | None = None
    """What went wrong at start, to be said once."""

    # -- one session
    # ----------------------------------------------------------------------------------------------
    def create_session(self, name: str, *, actor: Actor) -> DCXCache:
        """A new, empty session.

        NameTaken, with a free name in the advice, if the name is in use; SessionError if there are
        as many as may be.
        """
        self._refuse_if_single()
        with self._lock:
            self._refuse_if_full()
            return self._adopt(DCXCache(new_id(), self._checked(name, actor=actor)))

    def get_session(self, session_id: str | None, *, actor: Actor) -> DCXCache:
        """The session with this id, its data in memory; never creates one.

        UnknownSession if there is none, SessionLocked if it is protected and this browser has not
        unlocked it, SessionError if it cannot be read.
        """
        if session_id == self.default_id and not self.single:
            return self._default
        entry = self._allowed(self._entry(session_id), actor)
        entry.shown = time.monotonic()
        if not entry.session.loaded:
            entry.session.load()
            entry.touch()
        return entry.session

    get_session_cache = get_session

    def save_session(self, session_id: str, *, actor: Actor) -> None:
        """Save now what is not saved yet (it is saved by itself, soon after each change).

        SessionConflict, SessionNotSaved.
        """
        if session_id != self.default_id or self.single:
            self._save(self._allowed(self._entry(session_id), actor))
            self._saver.forget(session_id)

    def save_state(self, session_id: str, *, actor: Actor) -> tuple[str, Exception | None]:
        """("saved" | "saving" | "not saved" | "memory", why not): "memory" where nothing is kept on
        disk.
        """
        with self._lock:
            entry = self._active.get(session_id)
        return ("memory", None) if entry is None or entry.locked_for(actor) else self._state(entry)

    def reload_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """Give up what is in memory and read the file again: after a conflict, when the other
        version is the better one.

        SessionLocked: the other program protected it with a key that is not known here; it is
        locked now.
        """
        entry = self._allowed(self._entry(session_id), actor)
        self._accepted(entry)
        with entry.lock:
            try:
                header, snapshot = self._read(entry)
            except SessionLocked:
                self._saver.forget(session_id)
                entry.saved = entry.session.edits
                entry.session.empty(
                    self._load, edits=entry.saved, name=PROTECTED if entry.hidden else None
                )
                raise
            self._saver.forget(session_id)
            entry.known(header)
            entry.session.fill(snapshot)
            entry.saved = entry.session.edits
        return entry.session

    def rename_session(self, session_id: str, name: str, *, actor: Actor) -> None:
        """Another name; NameTaken if it is in use."""
        session = self._allowed(self._changeable(session_id, actor=actor), actor).session
        session.load()
        with self._reserving(
            session_id, lambda: self._checked(name, actor=actor, but=session_id)
        ) as checked:
            session.name = checked  # under no lock: the session may have to be read anew for this

    def duplicate_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """A copy as a session of its own, with all that is in memory now, saved or not; protected
        by the same password where this one is.
        """
        entry = self._allowed(self._changeable(session_id, actor=actor), actor)
        self._refuse_if_full()
        return self._copy(entry, actor, check=self._refuse_if_full)

    def _copy(
        self, entry: Entry, actor: Actor, *, check: Callable[[], None] = lambda: None
    ) -> DCXCache:
        entry.session.load()  # before: it may take long
        with entry.lock:
            session_key = self._session_key(entry).copy() if entry.encrypted else None
            taken = entry.session.snapshot()
        copy = replace(taken, session_id=new_id(), created=datetime.now(UTC), jobs=())
        return self._take_in(
            copy, f"{taken.name} copy", actor, session_key=session_key, check=check
        )

    def add_run(self, session_id: str, run: Run, *, actor: Actor) -> None:
        """A job's result, also into a protected session that the browser which asked for it has
        left.

        UnknownSession, SessionLocked.
        """
        self._entry(session_id).session.add_run(run)

    def job_ended(self, session_id: str, job_id: str, *, actor: Actor) -> None:
        """A job ended without a result. Nothing happens if the session is not there or locked."""
        with contextlib.suppress(SessionError):
            session = self._entry(session_id).session
            if session.loaded:
                session.job_ended(job_id)

    # -- lists
    # ----------------------------------------------------------------------------------------------
    def list_sessions(self, *, actor: Actor) -> list[SessionInfo]:
        """The default one first, then all active ones by creation, also those that cannot be
        opened.

        Reads no data.
        """
        with self._lock:
            entries = [] if self.single else list(self._active.values())
        infos = sorted(
            (self._info(e, actor, archived=False) for e in entries), key=lambda i: i.created
        )
        return [self.info(self.default_id, actor=actor), *infos]

    def info(self, session_id: str, *, actor: Actor) -> SessionInfo:
        """What is said of one active or archived session; UnknownSession."""
        if session_id == self.default_id and not self.single:
            default = self._default
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
        with self._lock:
            entry = self._archived.get(session_id)
            archived = entry is not None
            entry = entry or self._entry(session_id)
        return self._info(entry, actor, archived=archived)

    def list_archived_sessions(self, *, actor: Actor) -> list[SessionInfo]:
        """The archived ones, last used first."""
        with self._lock:
            entries = list(self._archived.values())
        return sorted(
            (self._info(e, actor, archived=True) for e in entries),
            key=lambda i: i.used,
            reverse=True,
        )

    def list_deleted_sessions(self, *, actor: Actor) -> list[tuple[str, str]]:
        """(id, name) of what :meth:`undo_delete` can bring back, the latest last."""
        with self._lock:
            entries = [(key, entry) for key, (entry, _) in self._trash.items()]
        return [(key, self._info(entry, actor, archived=True).name) for key, entry in entries]

    # -- delete, archive, restore
    # ----------------------------------------------------------------------------------------------
    def delete_session(self, session_id: str, *, actor: Actor) -> None:
        """Put it into the trash; after :data:`UNDO` seconds, or at the end of the program, it is
        gone.
        """
        self._changeable(session_id, actor=actor, archived=True)
        self._take(session_id, "trash")

    def undo_delete(self, session_id: str, *, actor: Actor) -> DCXCache:
        """Bring a deleted session back, with everything, to the active ones.

        UnknownSession if it is gone.
        """
        with self._lock:
            entry, _ = self._trash.get(session_id, (None, None))
        if entry is None:
            raise UnknownSession("The session is gone.", advice="")
        return self._bring_back(
            session_id, entry, lambda name: self.free_name(name, actor=actor, but=session_id)
        )

    def archive_session(self, session_id: str, *, actor: Actor) -> None:
        """Out of memory, its file into the archive.

        SessionNotSaved or SessionConflict if it cannot be saved before; then nothing changes.
        """
        self._changeable(session_id, actor=actor)
        self._take(session_id, "archive")

    def restore_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """From the archive back to the active ones. UnknownSession if it is not archived."""
        with self._lock:
            entry = self._archived.get(session_id)
        if entry is None:
            raise UnknownSession("This session is not in the archive.", advice="")
        self._refuse_if_full()
        return self._bring_back(
            session_id,
            entry,
            lambda name: self.free_name(name, actor=actor, but=session_id),
            self._refuse_if_full,
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
        """Archive or delete what is longest unused; returns what was (dry_run: would be) taken.

        Never the default session, one that a tab shows, one with a job, or one in ``spared``.
        """
        with self._lock:
            shown = [key for key, entry in self._active.items() if entry.open]
        found = [i for i in self.list_sessions(actor=actor) if i.holds_data]
        kept = {*spared, *self.busy(), *shown}
        chosen = to_clean(
            found,
            datetime.now(UTC),
            max_sessions=max_sessions,
            max_age_days=max_age_days,
            spared=kept,
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

    # -- memory and the end
    # ----------------------------------------------------------------------------------------------
    def trim_memory(self, limit: int, *, actor: Actor) -> int:
        """Let go of the contents of sessions that no tab shows and no job needs, longest unused
        first, until they take ``limit`` bytes; how many.
        """
        busy = set(self.busy())
        with self._lock:
            entries = [
                e
                for key, e in self._active.items()
                if e.session.loaded
                and not e.open
                and key not in busy
                and e.path is not None
                and not e.dirty
            ]
        held = [
            (entry, entry.session.in_memory()) for entry in sorted(entries, key=lambda e: e.shown)
        ]
        sizes = [(entry, size_of(content)) for entry, content in held if content is not None]
        del held  # else it would hold what is let go
        total, gone = sum(size for _, size in sizes), 0
        for entry, size in sizes:
            if total <= limit:
                break
            if self._unload(entry):
                total, gone = total - size, gone + 1
        return gone

    def pending(self, *, actor: Actor) -> int:
        """How many sessions are not on disk yet."""
        with self._lock:
            return sum(e.dirty for e in self._active.values()) if self._store is not None else 0

    def close(self, *, actor: Actor, timeout: float = 120.0) -> bool:
        """Wait for pending saves, empty the trash, lock what is protected.

        A session whose file another program has changed is kept as a copy.

        False if something could not be saved. May be called twice.
        """
        with self._lock:
            deleted, entries = list(self._trash), list(self._active.values())
        for session_id in deleted:
            self._expire(session_id)
        done = self._saver.flush(timeout)
        for entry in entries:
            if entry.dirty and isinstance(
                self._saver.failure(entry.session.session_id), SessionConflict
            ):
                with contextlib.suppress(DeconomixError):
                    self._save(self._entry(self._copy(entry, actor).session_id))
                self._saver.forget(entry.session.session_id)
        for entry in entries:  # the folder of a session that was saved may be gone since
            if (
                entry.session.loaded
                and not entry.encrypted
                and isinstance(entry.file_trouble(), SessionNotSaved)
            ):
                done = False
        done = self._saver.close(timeout) and done
        with self._lock:
            entries = list(self._active.values())  # with the copies made just now
        for entry in entries:
            with entry.lock:
                if entry.session_key is not None:
                    # what could not be saved until now cannot be saved any more
                    entry.saved = entry.session.edits
                    try:
                        self._let_go(entry)
                    except Exception:  # the others are locked all the same
                        log.exception(
                            "a protected session could not be locked at the end: id %s",
                            entry.session.session_id,
                        )
        return done

    def _refuse_if_single(self) -> None:
        if self.single:
            raise SessionError("The program works with one session for everybody.", advice="")
