"""ContentLoader: a session's content into memory when it is needed, and out of it again."""

from __future__ import annotations

from pathlib import Path

from gui import atomic
from gui.errors import (
    DamagedSession,
    SessionConflict,
    SessionError,
    SessionLocked,
    UnknownSession,
    WrongPassword,
)
from gui.sessions import file
from gui.sessions.actor import LOCAL
from gui.sessions.cache import DCXCache
from gui.sessions.entry import PROTECTED, Entry
from gui.sessions.header import contents_of
from gui.sessions.hooks import Hooks
from gui.sessions.identity import Identity, identity
from gui.sessions.lazy import Origin
from gui.sessions.memory import size_of
from gui.sessions.names import SessionNames
from gui.sessions.parsing import InProcessParser, Parser
from gui.sessions.snapshot import Snapshot
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter


class ContentLoader:
    """Reads files and evicts contents.

    parser : parses a file before this process reads it (see :mod:`gui.sessions.parsing`).
    """

    def __init__(
        self,
        table: SessionTable,
        names: SessionNames,
        writer: SessionWriter,
        hooks: Hooks | None = None,
        parser: Parser | None = None,
    ) -> None:
        self._table, self._names, self._writer = table, names, writer
        self._hooks = hooks or Hooks()
        self.parser: Parser = parser or InProcessParser()

    def lazy_session(
        self, session_id: str, name: str, entry: Entry, header: file.Header | None = None
    ) -> DCXCache:
        """A session for this entry whose content is read from its file when it is needed."""
        source = header or entry.session
        session = DCXCache.lazy(session_id, name, source.created, source.modified, self.load)
        self._writer.watch(session)
        entry.saved = session.edits
        return session

    # -- into memory
    # ----------------------------------------------------------------------------------------------
    def load(self, session: DCXCache) -> None:
        """Read the content of a session from its file.

        Its name in the file may be another session's by now: then it gets a free one.

        Raises
        ------
        UnknownSession, SessionLocked, DamagedSession, SessionError
        """
        self._load_content(session)
        key = session.session_id
        with self._table.lock:
            entry = self._table.active.get(key)
        if key == self._table.default_id:  # the one session of a program for everybody
            return
        if entry is not None and entry.session is session:
            with self._table.reserving(
                key, lambda: self._names.free_name(session.name, actor=LOCAL, but=key)
            ) as name:
                if name != session.name:
                    session.name = name

    def _load_content(self, session: DCXCache) -> None:
        with self._table.lock:
            entry = self._table.find(session.session_id) or self._table.find_deleted(
                session.session_id
            )
        if entry is None:
            raise UnknownSession("This session does not exist any more.")
        while not session.loaded:
            accepted = self.accept(entry)
            with self._hooks.admission(), entry.lock:
                if entry.session is not session:  # a backup took its place, or it was archived
                    raise UnknownSession("This session does not exist any more.")
                if session.loaded:
                    return
                if entry.problem is not None:
                    raise entry.problem.with_traceback(None)
                if entry.encrypted and entry.session_key is None:
                    raise entry.locked_error()
                try:
                    header, snapshot = self._read(entry, accepted)
                except SessionConflict:
                    continue  # it was moved, saved or changed since it was parsed
                entry.update_from(header)
                entry.saved = session.edits
                session.fill(snapshot)

    def reload(self, entry: Entry) -> None:
        """Read the file of an active session again, in place of what is in memory.

        SessionLocked: another program protected it with a key that is not known here; it is locked
        now.
        """
        session_id = entry.session.session_id
        while True:
            accepted = self.accept(entry)
            with entry.lock:
                try:
                    header, snapshot = self._read(entry, accepted)
                except SessionConflict:
                    continue  # it was changed since it was parsed
                except SessionLocked:
                    self._writer.saver.forget(session_id)
                    entry.saved = entry.session.edits
                    entry.session.empty(
                        self.load, edits=entry.saved, name=PROTECTED if entry.hidden else None
                    )
                    raise
                self._writer.saver.forget(session_id)
                entry.update_from(header)
                entry.session.fill(snapshot)
                entry.saved = entry.session.edits
                return

    def accept(self, entry: Entry) -> Identity | None:
        """Have the entry's file parsed to the end, outside of all locks, and return its identity.

        A file that was parsed before, or that this program wrote, is not parsed again.

        Raises
        ------
        DamagedSession
            Then it is the entry's problem from now on.
        SessionError
            It could not be parsed, which says nothing about the file.
        """
        with entry.lock:
            path = entry.path
            session_key = entry.session_key.copy() if entry.session_key is not None else None
            known = identity(path) if path is not None else None
            if (
                path is None
                or known is None
                or known == entry.accepted
                or entry.problem is not None
                or (entry.encrypted and session_key is None)
            ):
                return known
        try:
            self.parser.check(path, session_key, whole=False)
        # another program protected it again: reading says so, and with its new key it is parsed
        except WrongPassword:
            return known
        except DamagedSession as error:
            with entry.lock:
                if entry.path != path or identity(path) != known:
                    return known  # it was moved or changed meanwhile: whoever reads it sees that
                # a drive that is away for a while is no damage
                if is_readable(path):
                    entry.problem = error
            raise
        finally:
            if session_key is not None:
                session_key.wipe()
        entry.accepted = known
        return known

    def _read(self, entry: Entry, accepted: Identity | None) -> tuple[file.Header, Snapshot]:
        """Header and content of the entry's file, under its lock; damage becomes its problem.

        SessionConflict: it is not the file that was accepted.
        """
        session = entry.session
        try:
            if entry.path is None:
                raise FileNotFoundError
            if identity(entry.path) != accepted:
                raise SessionConflict("The file of this session was changed at this moment.")
            if accepted is None:  # it is away, which is no damage
                raise FileNotFoundError
            # first: if it is saved in between, our next save is a conflict and overwrites nothing
            header = file.read_header(entry.path)
            self._check_same_key(entry, header)
            origin = Origin(entry.path, entry.session_key)
            snapshot = file.load(
                entry.path, session_key=entry.session_key, origin=origin, expected=accepted
            )
            if snapshot.session_id != session.session_id:
                raise DamagedSession(f"The file of “{session.name}” holds another session.")
        except OSError:
            raise SessionError(
                f"The file of “{session.name}” is not there or cannot be read.",
                advice="Check the folder of the sessions.",
            ) from None
        except DamagedSession as error:
            # a drive that is away for a while is no damage
            if entry.path is not None and is_readable(entry.path):
                entry.problem = error
            raise
        origin.on_damage = lambda error: self._on_damage(entry, error)
        entry.origin = origin
        return header, snapshot

    @staticmethod
    def _on_damage(entry: Entry, error: DamagedSession) -> None:
        """Note that a part that was read only now is damaged.

        The session stays usable, and the list says what can be done.
        """
        if entry.path is not None and is_readable(entry.path):
            entry.damage = error

    def _check_same_key(self, entry: Entry, header: file.Header) -> None:
        """Follow a change of the file's protection by another program.

        SessionLocked: it has a key that is not known here.
        """
        if entry.session_key is not None and entry.session_key.fits(header.lock):
            # perhaps under another password, which our next save must not take back
            entry.session_key.lock = dict(header.lock or {})
            return
        if entry.session_key is not None:
            entry.session_key.wipe()
            entry.session_key = None
            if entry.origin is not None:
                entry.origin.close()
        if header.encrypted:
            entry.update_from(header)
            entry.unlocked.clear()
            raise entry.locked_error()

    # -- out of memory
    # ----------------------------------------------------------------------------------------------
    def unload(self, entry: Entry) -> bool:
        """Evict a content that is on disk; the next access reads it again.

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
            content = entry.session.in_memory()
            entry.contents = contents_of(content) if content is not None else entry.contents
            return entry.session.empty(self.load, edits=entry.saved)

    def trim_memory(self, limit: int) -> int:
        """Unload unused sessions until all contents take at most ``limit`` bytes; return how many.

        Unused are sessions that no tab shows and no job needs; the longest unused go first.
        """
        busy = set(self._hooks.busy())
        with self._table.lock:
            entries = [
                e
                for key, e in self._table.active.items()
                if e.session.loaded
                and not e.open
                and key not in busy
                and e.path is not None
                and not e.dirty
            ]
        contents = [
            (entry, entry.session.in_memory()) for entry in sorted(entries, key=lambda e: e.shown)
        ]
        sizes = [(entry, size_of(content)) for entry, content in contents if content is not None]
        del contents  # or it would hold what is unloaded
        total, count = sum(size for _, size in sizes), 0
        for entry, size in sizes:
            if total <= limit:
                break
            if self.unload(entry):
                total, count = total - size, count + 1
        return count

    def evict_locked(self, entry: Entry) -> None:
        """Lock a protected session: its content out of memory, its key overwritten.

        Under the entry's lock, once the session is on disk.
        """
        if entry.session_key is None:
            return
        while not entry.session.empty(
            self.load, edits=entry.saved, name=PROTECTED if entry.hidden else None
        ):
            self._writer.write(entry)
        if entry.origin is not None:
            entry.origin.close()
        entry.session_key.wipe()
        entry.session_key, entry.origin, entry.contents = None, None, {}
        entry.unlocked.clear()


def is_readable(path: Path) -> bool:
    """Whether the file is there and can be read; what is in it does not matter."""
    try:
        with atomic.reading(path) as opened:
            opened.read(1)
            return True
    except OSError:
        return False
