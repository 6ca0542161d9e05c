"""Entries: the sessions of one manager and their files: listed, read when needed, written in the
background, moved.

No names, no rights.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from gui import atomic
from gui.errors import (
    DamagedSession,
    DeconomixError,
    SessionConflict,
    SessionError,
    SessionLocked,
    SessionNotSaved,
    UnknownSession,
    WrongPassword,
)
from gui.logs import get_logger
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.attempts import Attempts
from gui.sessions.cache import DCXCache, Trace
from gui.sessions.crypto import Seal
from gui.sessions.header import contents_of
from gui.sessions.lazy import Origin
from gui.sessions.parsing import HereParser, Identity, Parser, identity
from gui.sessions.rules import EARLIEST, MAX_NAME, plain
from gui.sessions.saver import Saver
from gui.sessions.snapshot import Snapshot
from gui.sessions.store import PROTECTED, Entry, Place, SessionInfo, Store

FORM_DELAY, DATA_DELAY = 1.5, 0.1
"""Seconds a change may wait for further ones before it is saved."""
log = get_logger(__name__)


class Entries:
    """What the manager is built on.

    Locks are taken in this order: an entry's, then this object's, then a session's, then the
    saver's; never those of two entries. Under this object's lock there are only look-ups and names:
    nothing is read, written or loaded under it. A session changes its list (active, archived,
    deleted) under its entry's lock, and in one step under this object's: nobody ever finds it in
    none or in two.
    """

    def __init__(
        self,
        store: Store | None,
        default: DCXCache,
        *,
        undo: float,
        backups: bool = True,
        trace: Trace | None = None,
        parser: Parser | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self.undo_seconds = undo
        self._default = default
        self._store = store
        self._backups, self._trace = backups, trace
        self._parser: Parser = parser or HereParser()
        self._saver = Saver(
            self._write, lambda error: not isinstance(error, SessionConflict | SessionLocked)
        )
        self._active: dict[str, Entry] = {}
        self._archived: dict[str, Entry] = {}
        self._trash: dict[str, tuple[Entry, threading.Timer]] = {}
        self._reserved: list[tuple[str, str]] = []
        """Names that sessions are about to get, with the session's id: no other one gets them."""
        self._arriving: set[str] = set()
        """Ids of sessions that are being imported; ``_arrived`` is told when that ends."""
        self._arrived = threading.Condition(self._lock)
        self.busy: Callable[[], Collection[str]] = tuple
        """Ids of sessions that have a job queued or running; the application says so."""
        self.before_lock: Callable[[DCXCache], None] = lambda session: None
        """Called under no lock with a protected session before its content is evicted."""
        self.admission: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        """Entered around the reading of a session's content, which may take long; what it raises
        ends the call.
        """
        self.attempts = Attempts()
        default.trace(trace)
        if self._store is not None:
            self._store.sweep()

    # -- into the list and out of it
    # --------------------------------------------------------------------------------------------
    def _adopt(
        self, session: DCXCache, *, seal: Seal | None = None, actor: Actor | None = None
    ) -> DCXCache:
        """Take a new session, which is in memory, among the active ones, and have it saved.

        Under the lock.

        seal : it is protected, and unlocked for ``actor``
        """
        entry = Entry(
            session, contents={} if self._store else contents_of(session.snapshot()), backed_up=True
        )
        if seal is not None and actor is not None:
            entry.seal, entry.encrypted, entry.hidden = seal, True, seal.hide_name
            entry.unlock(actor)
        self._active[session.session_id] = entry
        self._watch(session)
        if self._store is not None:
            self._saver.request(session.session_id)
        return session

    def _watch(self, session: DCXCache) -> None:
        session.watch(self._on_change)
        session.trace(self._trace)

    def _lazy(
        self, session_id: str, name: str, entry: Entry, header: file.Header | None = None
    ) -> DCXCache:
        source = header or entry.session
        session = DCXCache.lazy(session_id, name, source.created, source.modified, self._load)
        self._watch(session)
        entry.saved = session.edits
        return session

    def _scan(self) -> None:
        """Read the headers of all files.

        What cannot be read is kept in the list with the reason.
        """
        assert self._store is not None
        for place, entries in (("sessions", self._active), ("archive", self._archived)):
            for path, found in self._store.scan(place):  # type: ignore[arg-type]
                entry = Entry(self._default, path)
                entry.look()
                problem: Exception | None = found if isinstance(found, Exception) else None
                if not isinstance(found, Exception):
                    known = self._active.get(found.id) or self._archived.get(found.id)
                    if known is not None:
                        twin = (
                            f"The file {path.name} is a copy of the session “{known.session.name}”."
                        )
                        problem = SessionError(twin, advice="Export it, then import it as a copy.")
                if problem is None and not isinstance(found, Exception):
                    entry.known(found)
                    entry.session = self._lazy(found.id, found.name or PROTECTED, entry, found)
                    entries[found.id] = entry
                    self._store.forget_clear_backups(path, found)
                else:
                    key = f"{place}:{path.name}"
                    entry.problem = problem
                    entry.session = DCXCache.lazy(
                        key,
                        plain(path.name.removesuffix(file.SUFFIX))[:MAX_NAME],
                        entry.used,
                        entry.used,
                        self._load,
                    )
                    entry.saved = entry.session.edits
                    entries[key] = entry

    def _entry(self, session_id: str | None) -> Entry:
        with self._lock:
            entry = self._active.get(session_id or "")
        if entry is None:
            raise UnknownSession("This session does not exist any more.")
        return entry

    def _allowed(self, entry: Entry, actor: Actor) -> Entry:
        """The entry, if this actor may look into it; SessionLocked."""
        if entry.locked_for(actor):
            raise SessionLocked(
                f"“{PROTECTED if entry.hidden else entry.session.name}” is protected by a password."
            )
        return entry

    def _find(self, session_id: str) -> Entry | None:
        """The entry of an active or archived session. Under the lock."""
        return self._active.get(session_id) or self._archived.get(session_id)

    def _take(self, session_id: str, place: Literal["archive", "trash"]) -> None:
        """Move a session, with its file, to the archived or the deleted ones; a change that comes
        later is refused.

        A protected one is locked.

        place : "archive" takes an active one, "trash" an active or archived one
        UnknownSession; SessionError, SessionNotSaved, SessionConflict: nothing was changed.
        """
        with self._lock:
            entry = self._find(session_id)
        if entry is not None and entry.encrypted:
            self._call_before_lock(entry)
        with self._held(
            session_id, (self._active,) if place == "archive" else (self._active, self._archived)
        ) as (entry, source):
            entry.session.close()
            try:
                if (
                    (place == "archive" or entry.seal is not None)
                    and entry.dirty
                    and self._store is not None
                ):
                    try:
                        self._write_entry(entry)
                    except SessionError:
                        if place == "archive":
                            raise
                        # to be deleted: what cannot be saved goes now
                        entry.saved = entry.session.edits
                # somebody else deleted it
                if place == "trash" and entry.path is not None and not entry.path.exists():
                    entry.path, entry.generation, entry.saved = None, None, -1
                self._move(entry, place)
                self._let_go(entry)
            except BaseException:
                entry.session.close(False)
                raise
            with self._lock:
                del source[session_id]
                if place == "trash":
                    self._throw(session_id, entry)
                else:
                    if self._store is not None:
                        entry.session = self._lazy(session_id, entry.session.name, entry)
                    self._archived[session_id] = entry
            self._saver.forget(session_id)

    def _throw(self, session_id: str, entry: Entry) -> None:
        """To the deleted ones, which are gone after a while. Under the lock."""
        timer = threading.Timer(self.undo_seconds, self._expire, [session_id])
        timer.daemon = True
        self._trash[session_id] = (entry, timer)
        timer.start()

    @contextlib.contextmanager
    def _held(
        self, session_id: str, lists: Collection[dict[str, Entry]]
    ) -> Iterator[tuple[Entry, dict[str, Entry]]]:
        """The entry and the list in which it is, for as long as its lock is held.

        UnknownSession if it is in none of ``lists``.
        """
        with self._lock:
            entry = next((found[session_id] for found in lists if session_id in found), None)
        if entry is not None:
            with entry.lock:  # waits for a save of it
                with self._lock:
                    source = next(
                        (found for found in lists if found.get(session_id) is entry), None
                    )
                if source is not None:
                    yield entry, source
                    return
        raise UnknownSession("This session does not exist any more.")

    @contextlib.contextmanager
    def _still_active(self, session_id: str, entry: Entry) -> Iterator[None]:
        """Hold the entry's lock.

        UnknownSession if it was archived or deleted since it was looked up.
        """
        with self._held(session_id, (self._active,)) as (found, _):
            if found is not entry:
                raise UnknownSession("This session does not exist any more.")
            yield

    @contextlib.contextmanager
    def _reserving(self, session_id: str, choose: Callable[[], str]) -> Iterator[str]:
        """The name that ``choose`` finds under the lock; until the session has it, no other one
        gets it.
        """
        with self._lock:
            name = choose()
            self._reserved.append((name, session_id))
        try:
            yield name
        finally:
            with self._lock:
                self._reserved.remove((name, session_id))

    def _bring_back(
        self,
        session_id: str,
        entry: Entry,
        free: Callable[[str], str],
        check: Callable[[], None] = lambda: None,
    ) -> DCXCache:
        """From archive or trash to the active ones.

        UnknownSession, if it is in neither; one that is active already stays as it is.

        free : makes a name that is not taken meanwhile; check : raises if there may be no further
        session; both are called under the lock
        """
        with entry.lock:
            with self._lock:
                if self._active.get(session_id) is entry:  # two asked at once
                    return entry.session
                deleted = self._trash.get(session_id, (None, None))[0] is entry
                if not deleted and self._archived.get(session_id) is not entry:
                    raise UnknownSession("This session does not exist any more.")
                if session_id in self._active:
                    raise SessionError(
                        "Another version of this session is open.", advice="Delete it first."
                    )
                check()
                name = free(entry.session.name)
                self._reserved.append((name, session_id))
                if deleted:
                    self._trash.pop(session_id)[1].cancel()
                else:
                    del self._archived[session_id]
                self._active[session_id] = entry
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
                            entry.session = self._lazy(session_id, name, entry)
            except BaseException:
                with self._lock:
                    del self._active[session_id]
                    if deleted:
                        self._throw(session_id, entry)
                    else:
                        self._archived[session_id] = entry
                raise
            finally:
                with self._lock:
                    self._reserved.remove((name, session_id))
            if entry.dirty and self._store is not None:
                self._saver.request(session_id)
            return entry.session

    def _move(self, entry: Entry, place: Place) -> None:
        if self._store is not None and entry.path is not None:
            entry.path = self._store.move(entry.path, place)
            if entry.origin is not None:
                entry.origin.path = entry.path

    def _expire(self, session_id: str) -> None:
        """A deleted session is gone for good, unless it was brought back."""
        with self._lock:
            entry, timer = self._trash.get(session_id, (None, None))
        if entry is None or timer is None:
            return
        timer.cancel()
        with entry.lock:
            with self._lock:
                if self._trash.get(session_id, (None, None))[0] is not entry:
                    return
                del self._trash[session_id]
            with contextlib.suppress(OSError, SessionError):
                if entry.path is not None:
                    entry.path.unlink(missing_ok=True)
                    if self._store is not None:
                        self._store.forget_backups(entry.path)

    def _info(self, entry: Entry, actor: Actor, *, archived: bool) -> SessionInfo:
        """What is said of a session; of one of which nothing can be said, that it is damaged: it
        hides no other one.
        """
        try:
            return self._said_of(entry, actor, archived=archived)
        except Exception:
            log.exception("nothing can be said of a session: id %s", entry.session.session_id)
            problem = DamagedSession("The details of this session cannot be read.")
            name = PROTECTED if entry.hidden else entry.session.name
            return SessionInfo(
                entry.session.session_id, name, archived, EARLIEST, EARLIEST, 0, {}, problem=problem
            )

    def _said_of(self, entry: Entry, actor: Actor, *, archived: bool) -> SessionInfo:
        session, locked = entry.session, entry.locked_for(actor)
        state, reason = ("saved", None) if archived or locked else self._state(entry)
        held = None if locked else session.in_memory()
        contents = {} if locked else entry.contents if held is None else contents_of(held)
        problem = entry.problem or entry.damage
        # nothing of it is in memory
        if (
            held is None
            and isinstance(reason, SessionConflict)
            and not entry.dirty
            and entry.path is not None
        ):
            gone = not entry.path.exists()
            problem, state, reason = problem or (reason if gone else None), "saved", None
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

    # -- writing
    # ----------------------------------------------------------------------------------------------
    def _on_change(self, session: DCXCache, form: bool) -> None:
        if self._store is not None:
            self._saver.request(session.session_id, FORM_DELAY if form else DATA_DELAY)

    def _state(self, entry: Entry) -> tuple[str, Exception | None]:
        if self._store is None:
            return "memory", None
        failure = self._saver.failure(entry.session.session_id)
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

    def _save(self, entry: Entry) -> None:
        """Save now, in this thread: what is not saved yet, and what is in memory where its file is
        gone.
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
                self._write_entry(entry)

    def _write(self, session_id: str) -> None:
        """What the saver calls."""
        with self._lock:
            entry = self._active.get(session_id)
        if entry is None:
            return
        with entry.lock:
            with self._lock:
                if self._active.get(session_id) is not entry:
                    return
            if entry.dirty:
                self._write_entry(entry)

    def _write_entry(self, entry: Entry) -> None:
        """Under the entry's lock."""
        assert self._store is not None
        snapshot, edits = entry.session.take()
        if entry.encrypted and entry.seal is None:  # a protected session is never written in clear
            raise SessionLocked(f"“{PROTECTED if entry.hidden else snapshot.name}” is locked.")
        if (
            self._backups
            and not entry.backed_up
            and entry.path is not None
            and entry.generation is not None
        ):
            self._store.keep_backup(entry.path)
            entry.backed_up = True
        path = entry.path or self._store.path_for(snapshot.session_id)
        origin = entry.origin or Origin(path, entry.seal)
        try:
            header = self._store.save(path, snapshot, entry.generation, entry.seal, origin)
        except OSError as error:
            raise SessionNotSaved(
                f"The session “{snapshot.name}” could not be saved"
                f" ({error.strerror or type(error).__name__})."
            ) from None
        origin.path, origin.seal = path, entry.seal
        entry.path, entry.origin, entry.saved, entry.accepted = path, origin, edits, identity(path)
        entry.known(header)

    # -- reading, and letting go
    # ----------------------------------------------------------------------------------------------
    def _load(self, session: DCXCache) -> None:
        """Read the content of a session from its file."""
        with self._lock:
            entry = (
                self._find(session.session_id)
                or self._trash.get(session.session_id, (None, None))[0]
            )
        if entry is None:
            raise UnknownSession("This session does not exist any more.")
        while not session.loaded:
            accepted = self._accepted(entry)
            with self.admission(), entry.lock:
                if entry.session is not session:  # a backup took its place, or it was archived
                    raise UnknownSession("This session does not exist any more.")
                if session.loaded:
                    return
                if entry.problem is not None:
                    raise entry.problem.with_traceback(None)
                if entry.encrypted and entry.seal is None:
                    raise SessionLocked(
                        f"“{PROTECTED if entry.hidden else session.name}” is protected by a"
                        " password."
                    )
                if entry.path is not None and identity(entry.path) != accepted:
                    continue  # it was moved, saved or changed since it was parsed
                header, snapshot = self._read(entry)
                entry.known(header)
                entry.saved = session.edits
                session.fill(snapshot)

    def _accepted(self, entry: Entry) -> Identity | None:
        """Of the entry's file as it is now, parsed to the end by the parser: outside of all locks.

        DamagedSession: then it is the entry's problem.
        """
        with entry.lock:
            path, seal = entry.path, entry.seal.copy() if entry.seal is not None else None
            known = identity(path) if path is not None else None
            if (
                path is None
                or known is None
                or known == entry.accepted
                or entry.problem is not None
                or (entry.encrypted and seal is None)
            ):
                return known
        try:
            self._parser.check(path, seal, whole=False)
        # another program protected it anew: reading says it, and with its key it is parsed
        except WrongPassword:
            return known
        except DamagedSession as error:
            with entry.lock:
                # a drive that is away for a while is no damage
                if entry.path == path and identity(path) == known and _readable(path):
                    entry.problem = error
            raise
        finally:
            if seal is not None:
                seal.wipe()
        entry.accepted = known
        return known

    def _read(self, entry: Entry) -> tuple[file.Header, Snapshot]:
        """Header and content of the entry's file; a file that is damaged becomes the entry's
        problem.
        """
        session = entry.session
        try:
            if entry.path is None:
                raise FileNotFoundError
            # first: if it is saved in between, our next save is a conflict and overwrites nothing
            header = file.read_header(entry.path)
            self._same_key(entry, header)
            origin = Origin(entry.path, entry.seal)
            snapshot = file.load(entry.path, seal=entry.seal, origin=origin)
            if snapshot.session_id != session.session_id:
                raise DamagedSession(f"The file of “{session.name}” holds another session.")
        except OSError:
            raise SessionError(
                f"The file of “{session.name}” is not there or cannot be read.",
                advice="Check the folder of the sessions.",
            ) from None
        except DamagedSession as error:
            # a drive that is away for a while is no damage
            if entry.path is not None and _readable(entry.path):
                entry.problem = error
            raise
        origin.on_damage = lambda error: self._on_damage(entry, error)
        entry.origin = origin
        return header, snapshot

    @staticmethod
    def _on_damage(entry: Entry, error: DamagedSession) -> None:
        """A part that was read only now is damaged: the session stays usable, the list says what
        can be done.
        """
        if entry.path is not None and _readable(entry.path):
            entry.damage = error

    def _same_key(self, entry: Entry, header: file.Header) -> None:
        """Another program may have changed the protection of the file.

        SessionLocked: it has a key that is not known here.
        """
        if entry.seal is not None and entry.seal.fits(header.lock):
            # perhaps under another password, which our next save must not take back
            entry.seal.lock = dict(header.lock or {})
            return
        if entry.seal is not None:
            entry.seal.wipe()
            entry.seal = None
            if entry.origin is not None:
                entry.origin.close()
        if header.encrypted:
            entry.known(header)
            entry.unlocked.clear()
            raise SessionLocked(
                f"“{PROTECTED if entry.hidden else entry.session.name}” is protected by a password."
            )

    def _unload(self, entry: Entry) -> bool:
        """Let go of a content that is on disk; the next access reads it again.

        False if something is not saved, or there is no file.
        """
        with entry.lock:
            if (
                entry.dirty
                or entry.path is None
                or entry.problem is not None
                or not entry.session.loaded
            ):
                return False
            held = entry.session.in_memory()
            entry.contents = contents_of(held) if held is not None else entry.contents
            return entry.session.empty(self._load, edits=entry.saved)

    def _call_before_lock(self, entry: Entry) -> None:
        """Under no lock: it may wait for a result that is just being delivered into this session.

        Whatever fails there, the session is locked.
        """
        try:
            self.before_lock(entry.session)
        except Exception:
            log.exception(
                "not everything of a session that is being locked could be cleared: id %s",
                entry.session.session_id,
            )

    def _let_go(self, entry: Entry) -> None:
        """Under the entry's lock, of a protected session that is on disk: its content out of
        memory, its key overwritten.
        """
        if entry.seal is None:
            return
        while not entry.session.empty(
            self._load, edits=entry.saved, name=PROTECTED if entry.hidden else None
        ):
            self._write_entry(entry)
        if entry.origin is not None:
            entry.origin.close()
        entry.seal.wipe()
        entry.seal, entry.origin, entry.contents = None, None, {}
        entry.unlocked.clear()

    def _replaced(self, entry: Entry, seal: Seal | None, *, hidden: bool) -> None:
        """Write the session under another seal (None: in clear); all or nothing.

        SessionNotSaved, SessionConflict.
        """
        assert self._store is not None
        entry.session.load()  # now: under another seal its file could not be read
        before, kept = (entry.seal, entry.encrypted, entry.hidden), entry.backed_up
        entry.seal, entry.encrypted, entry.hidden = seal, seal is not None, hidden
        entry.backed_up = True  # no clear copy just before it is sealed
        try:
            self._write_entry(entry)
        except BaseException:
            (entry.seal, entry.encrypted, entry.hidden), entry.backed_up = before, kept
            if seal is not None:
                seal.wipe()
            raise
        if before[0] is not None:
            before[0].wipe()


def _readable(path: Path) -> bool:
    try:
        with atomic.reading(path) as file:
            return bool(file.read(1) or True)
    except OSError:
        return False
