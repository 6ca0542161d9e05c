"""SessionCacheManager: all sessions of a running application, in memory and on disk. Every method takes the ``actor`` who asks."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import threading
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gui.errors import DeconomixError, DefaultSession, NameTaken, SessionConflict, SessionError, UnknownSession
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.cleanup import to_clean
from gui.sessions.entries import Entries
from gui.sessions.store import ID, Entry, SessionInfo

DEFAULT_NAME = "Default"
MAX_NAME = 120
UNDO = 30.0
"""Seconds a deleted session can be brought back."""


@dataclass(frozen=True)
class Actor:
    """Who asks. One local user for now; accounts and groups come later and change no caller."""

    name: str = "local"


LOCAL = Actor()


@dataclass(frozen=True)
class Imported:
    """What an import did. "new": copied in; "known": the session is here already, as in the file; "differs": it is here, but another
    version of it, and nothing was done; "copy": copied in as a session of its own."""

    session_id: str
    name: str
    outcome: Literal["new", "known", "differs", "copy"]


class SessionCacheManager(Entries):
    """Holds the sessions. Belongs to the application, not to a module. Thread-safe.

    folder : keeps each session as a file in its ``sessions``, ``archive`` and ``trash``; None: in memory only
    undo : seconds a deleted session can be brought back
    """

    def __init__(self, folder: Path | None = None, *, undo: float = UNDO) -> None:
        super().__init__(folder, DCXCache(_new_id(), DEFAULT_NAME, holds_data=False))
        self._undo = undo
        self.default_id = self._default.session_id

    # -- one session ------------------------------------------------------------------------------------------------------------
    def create_session(self, name: str, *, actor: Actor) -> DCXCache:
        """A new, empty session. NameTaken, with a free name in the advice, if the name is in use."""
        with self._lock:
            return self._adopt(DCXCache(_new_id(), self._checked(name, actor=actor)))

    def get_session(self, session_id: str | None, *, actor: Actor) -> DCXCache:
        """The session with this id, its data in memory; never creates one. UnknownSession if there is none, SessionError if it cannot be read."""
        if session_id == self.default_id:
            return self._default
        entry = self._entry(session_id)
        if not entry.session.loaded:
            entry.session.load()
            entry.touch()
        return entry.session

    get_session_cache = get_session

    def save_session(self, session_id: str, *, actor: Actor) -> None:
        """Save now what is not saved yet (it is saved by itself, soon after each change). SessionConflict, SessionNotSaved."""
        if session_id != self.default_id:
            self._save(self._entry(session_id))

    def save_state(self, session_id: str, *, actor: Actor) -> tuple[str, Exception | None]:
        """("saved" | "saving" | "not saved" | "memory", why not): "memory" where nothing is kept on disk."""
        with self._lock:
            entry = self._active.get(session_id)
        return ("memory", None) if entry is None else self._state(entry)

    def rename_session(self, session_id: str, name: str, *, actor: Actor) -> None:
        """Another name; NameTaken if it is in use."""
        session = self._changeable(session_id, actor=actor).session
        session.load()
        with self._lock:
            session.name = self._checked(name, actor=actor, but=session_id)

    def duplicate_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """A copy as a session of its own, with all that is in memory now, saved or not."""
        source = self._changeable(session_id, actor=actor).session
        source.load()
        with self._lock:
            name = self.free_name(f"{source.name} copy", actor=actor)
            return self._adopt(DCXCache.from_snapshot(replace(source.snapshot(), session_id=_new_id(), name=name, created=datetime.now(UTC))))

    # -- lists and names --------------------------------------------------------------------------------------------------------
    def list_sessions(self, *, actor: Actor) -> list[DCXCache]:
        """All active sessions that can be opened, the default one first, then by creation. Looking at the names reads no data."""
        with self._lock:
            entries = [e for e in self._active.values() if e.problem is None]
        return [self._default, *sorted((e.session for e in entries), key=lambda s: s.created)]

    def list_archived_sessions(self, *, actor: Actor) -> list[SessionInfo]:
        """The archived ones, last used first."""
        with self._lock:
            entries = list(self._archived.values())
        return sorted((self._info(e, archived=True) for e in entries), key=lambda i: i.used, reverse=True)

    def overview(self, *, actor: Actor) -> list[SessionInfo]:
        """The active ones but the default one, also those that cannot be opened, last used first."""
        with self._lock:
            entries = list(self._active.values())
        return sorted((self._info(e, archived=False) for e in entries), key=lambda i: i.used, reverse=True)

    def list_deleted_sessions(self, *, actor: Actor) -> list[tuple[str, str]]:
        """(id, name) of what :meth:`undo_delete` can bring back, the latest last."""
        with self._lock:
            return [(key, entry.session.name) for key, (entry, _) in self._trash.items()]

    def free_name(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        """``name``, or ``name 2``, ``name 3`` ... whichever is free (ignoring case and blanks at the ends)."""
        with self._lock:
            base = _plain(name)[:MAX_NAME].rstrip() or "Session"
            known = [*self._active.items(), *self._archived.items()]
            taken = {DEFAULT_NAME.casefold(), *(entry.session.name.casefold() for key, entry in known if key != but)}
            found, number = base, 2
            while found.casefold() in taken:
                end = f" {number}"
                found, number = base[: MAX_NAME - len(end)].rstrip() + end, number + 1
            return found

    # -- delete, archive, restore -----------------------------------------------------------------------------------------------
    def delete_session(self, session_id: str, *, actor: Actor) -> None:
        """Put it into the trash; after :data:`UNDO` seconds, or at the end of the program, it is gone."""
        self._changeable(session_id, actor=actor, archived=True)
        self._throw(session_id, self._take(session_id, "trash"))

    def undo_delete(self, session_id: str, *, actor: Actor) -> DCXCache:
        """Bring a deleted session back, with everything, to the active ones. UnknownSession if it is gone."""
        with self._lock:
            if session_id not in self._trash:
                raise UnknownSession("The session is gone.", advice="")
            entry, timer = self._trash.pop(session_id)
        timer.cancel()
        try:
            return self._bring_back(session_id, entry, lambda name: self.free_name(name, actor=actor, but=session_id))
        except BaseException:
            self._throw(session_id, entry)
            raise

    def _throw(self, session_id: str, entry: Entry) -> None:
        timer = threading.Timer(self._undo, self._expire, [session_id])
        timer.daemon = True
        with self._lock:
            self._trash[session_id] = (entry, timer)
        timer.start()

    def archive_session(self, session_id: str, *, actor: Actor) -> None:
        """Out of memory, its file into the archive. SessionNotSaved or SessionConflict if it cannot be saved before; then nothing changes."""
        self._save(self._changeable(session_id, actor=actor))
        entry = self._take(session_id, "archive")
        with self._lock:
            if self._store is not None:
                entry.session = self._lazy(session_id, entry.session.name, entry)
            self._archived[session_id] = entry

    def restore_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """From the archive back to the active ones. UnknownSession if it is not archived."""
        with self._lock:
            if session_id not in self._archived:
                raise UnknownSession("This session is not in the archive.", advice="")
            entry = self._archived[session_id]
        session = self._bring_back(session_id, entry, lambda name: self.free_name(name, actor=actor, but=session_id))
        with self._lock:
            self._archived.pop(session_id, None)
        return session

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
        """Archive or delete what is longest unused; returns what was (dry_run: would be) taken. ``spared``: ids that are open or have a job."""
        chosen = to_clean(self.overview(actor=actor), datetime.now(UTC), max_sessions=max_sessions, max_age_days=max_age_days, spared=spared)
        for info in [] if dry_run else chosen:
            (self.archive_session if action == "archive" else self.delete_session)(info.session_id, actor=actor)
        return chosen

    # -- export, import ---------------------------------------------------------------------------------------------------------
    def export_session(self, session_id: str, *, actor: Actor) -> bytes:
        """The session as a ``.dcxsession`` file, an archived or damaged one as it lies on disk."""
        entry = self._changeable(session_id, actor=actor, archived=True)
        if self._store is not None and not entry.encrypted:
            with contextlib.suppress(DeconomixError):  # it can be exported even where it cannot be saved
                self._save(entry)
        with entry.lock:
            if entry.path is not None and not entry.dirty:
                try:
                    return entry.path.read_bytes()
                except OSError:
                    raise SessionError("The file of the session cannot be read.", advice="Check the folder of the sessions.") from None
            with tempfile.TemporaryDirectory(prefix="deconomix-") as folder:
                path = Path(folder) / f"session{file.SUFFIX}"
                file.save(path, entry.session.snapshot(), expected_generation=None, generation=entry.generation)
                return path.read_bytes()

    def import_session(self, path: Path, *, actor: Actor, as_copy: bool = False) -> Imported:
        """Copy a session file in; the original is never changed. DamagedSession, NewerSession: nothing happened.

        as_copy : as a session of its own, even if this one is here already
        """
        header = file.read_header(path)
        as_copy = as_copy or ID.fullmatch(header.id) is None
        snapshot = None if header.encrypted and not as_copy else file.load(path)  # a sealed one is copied in sealed
        with self._lock:
            here = self._active.get(header.id) or self._archived.get(header.id)
        if here is not None and not as_copy:
            with contextlib.suppress(DeconomixError):
                self._save(here)
            same = not here.dirty and here.generation == header.generation and here.problem is None and here.session.modified == header.modified
            if same and header.id in self._archived:
                self.restore_session(header.id, actor=actor)
            return Imported(header.id, here.session.name, "known" if same else "differs")
        if self._store is not None and not as_copy and header.id not in self._trash and self._free(header.name, actor=actor):
            return Imported(header.id, self._copy_in(path, header).session.name, "new")
        snapshot = snapshot or file.load(path)
        with self._lock:
            fresh = as_copy or header.id in self._trash or header.id in self._active
            taken = replace(snapshot, name=self.free_name(snapshot.name, actor=actor), session_id=_new_id() if fresh else snapshot.session_id)
            session = self._adopt(DCXCache.from_snapshot(taken))
            return Imported(session.session_id, session.name, "copy" if fresh else "new")

    def _free(self, name: str | None, *, actor: Actor) -> bool:
        """Whether a session of this name can come in under it (a sealed one may have none)."""
        return name is None or self.free_name(name, actor=actor) == name

    # -- the end ----------------------------------------------------------------------------------------------------------------
    def close(self, *, actor: Actor, timeout: float = 120.0) -> bool:
        """Wait for pending saves and empty the trash. A session whose file another program has changed is kept as a copy.

        False if something could not be saved. May be called twice.
        """
        with self._lock:
            trash, self._trash = self._trash, {}
            entries = list(self._active.values())
        for entry, timer in trash.values():
            timer.cancel()
            self._discard(entry)
        done = self._saver.flush(timeout)
        for entry in entries:
            if entry.dirty and isinstance(self._saver.failure(entry.session.session_id), SessionConflict):
                with contextlib.suppress(DeconomixError):
                    self._save(self._entry(self.duplicate_session(entry.session.session_id, actor=actor).session_id))
                self._saver.forget(entry.session.session_id)
        return self._saver.close(timeout) and done

    # -- inside -----------------------------------------------------------------------------------------------------------------
    def _changeable(self, session_id: str, *, actor: Actor, archived: bool = False) -> Entry:
        if session_id == self.default_id:
            raise DefaultSession(f"The session {DEFAULT_NAME} can be neither renamed nor deleted.")
        with self._lock:
            if archived and session_id in self._archived:
                return self._archived[session_id]
        return self._entry(session_id)

    def _checked(self, name: str, *, actor: Actor, but: str | None = None) -> str:
        name = _plain(name)
        if not name:
            raise SessionError("A session needs a name.")
        if len(name) > MAX_NAME:
            raise SessionError(f"The name is longer than {MAX_NAME} characters.")
        free = self.free_name(name, actor=actor, but=but)
        if free != name:
            raise NameTaken(f"Another session is called “{name}”.", advice=f"“{free}” is free.")
        return name


def _plain(name: str) -> str:
    """One line, composed letters (macOS writes ä as two), no control characters: what looks equal is equal."""
    composed = unicodedata.normalize("NFC", name)
    return " ".join("".join(c for c in composed if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs")).split())


def _new_id() -> str:
    """Time and random part, like ``20250520#191019#07c2e7ed``."""
    return f"{datetime.now():%Y%m%d#%H%M%S}#{secrets.token_hex(4)}"
