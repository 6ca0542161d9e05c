"""What a manager finds when it starts: the files of earlier sessions, or the one single session."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path

from gui import atomic
from gui.errors import (
    DamagedSession,
    DeconomixError,
    NewerSession,
    SessionError,
    WrongPassword,
)
from gui.sessions import file
from gui.sessions.actor import LOCAL
from gui.sessions.cache import DCXCache
from gui.sessions.entry import PROTECTED, Entry
from gui.sessions.identity import identity
from gui.sessions.loader import ContentLoader, is_readable
from gui.sessions.names import SessionNames
from gui.sessions.rules import DEFAULT_NAME, MAX_NAME, SINGLE_ID, file_time, plain
from gui.sessions.store import Place, Store
from gui.sessions.table import SessionTable

SINGLE_FILE = f"single{file.SUFFIX}"


def scan_sessions(
    table: SessionTable, names: SessionNames, loader: ContentLoader, store: Store
) -> None:
    """List the sessions of all files, by their headers.

    A file that cannot be read is listed too, with the reason.
    """
    places: tuple[tuple[Place, dict[str, Entry]], ...] = (
        ("sessions", table.active),
        ("archive", table.archived),
    )
    for place, entries in places:
        for path, found in store.scan(place):
            entry = Entry(table.default, path)
            entry.update_from_file()
            problem: Exception | None = found if isinstance(found, Exception) else None
            if not isinstance(found, Exception):
                known = table.find(found.id)
                if known is not None:
                    problem = SessionError(
                        f"The file {path.name} is a copy of the session “{known.session.name}”.",
                        advice="Export it, then import it as a copy.",
                    )
            if problem is None and not isinstance(found, Exception):
                entry.update_from(found)
                name = found.name or PROTECTED
                entry.session = loader.lazy_session(found.id, name, entry, found)
                entries[found.id] = entry
                store.forget_clear_backups(path, found)
            else:
                key = f"{place}:{path.name}"
                entry.problem = problem
                name = plain(path.name.removesuffix(file.SUFFIX))[:MAX_NAME]
                entry.session = DCXCache.lazy(key, name, entry.used, entry.used, loader.load)
                entry.saved = entry.session.edits
                entries[key] = entry
    for key, entry in (*table.active.items(), *table.archived.items()):
        if entry.hidden:
            continue
        name = names.free_name(entry.session.name, actor=LOCAL, but=key)
        if name != entry.session.name:  # shown like this; it gets the name when it is loaded
            entry.session = loader.lazy_session(key, name, entry)


class SingleSession:
    """The one session of a program that has one for everybody, from its file if there is one.

    A file that is damaged is moved aside: never lost, and never in the way. A file that could not
    be read for another reason (a drive that is away, too little memory) stays as it is for the next
    start; until then an empty session is kept in a file beside it.
    """

    def __init__(self, table: SessionTable, loader: ContentLoader, store: Store | None) -> None:
        self._table, self._loader, self._store = table, loader, store

    def open(self, entry: Entry) -> SessionError | None:
        """Put the session into the table; what went wrong, to be told to the user once."""
        entry.saved = self._table.default.edits
        trouble = None
        if self._store is not None:
            entry.path = self._store.folder / SINGLE_FILE
            error = self._take_over(entry) if entry.path.exists() else None
            if error is not None:
                kind = _file_fault(entry.path, error)
                trouble = (
                    self._move_aside(entry, error, kind)
                    if kind is not None
                    else self._leave(entry, error)
                )
        self._table.active[SINGLE_ID] = entry
        return trouble

    def _move_aside(self, entry: Entry, error: DeconomixError, kind: str) -> SessionError:
        """Begin with a backup or an empty session instead of a file that cannot be used."""
        assert entry.path is not None
        aside = entry.path.with_name(f"{SINGLE_FILE}.{datetime.now():%Y%m%d-%H%M%S}.{kind}")
        with contextlib.suppress(OSError):
            atomic.replace(entry.path, aside)
        backup = self._take_over_backup(entry)
        begin = (
            f"You continue with its last backup, of {backup:%d %b, %H:%M}."
            if backup is not None
            else "You begin with an empty session."
        )
        return SessionError(f"{error} Its file was renamed {aside.name}.", advice=begin)

    def _leave(self, entry: Entry, error: DeconomixError) -> SessionError:
        """Leave a file that could not be read just now, and begin with an empty session beside."""
        assert entry.path is not None
        entry.path = entry.path.with_name(
            f"{SINGLE_FILE.removesuffix(file.SUFFIX)}-{datetime.now():%Y%m%d-%H%M%S}{file.SUFFIX}"
        )
        return SessionError(
            f"{error} Its file was left as it is.",
            advice=(
                f"{error.advice or ''} Start the program again to open it. Until then you work in"
                f" an empty session, which is kept in {entry.path.name}."
            ).strip(),
        )

    def _take_over(self, entry: Entry) -> DeconomixError | None:
        """Take over the file of the session; why not, if it is not whole."""
        assert entry.path is not None
        try:
            parsed = identity(entry.path)
            header = file.read_header(entry.path)
            self._loader.parser.check(entry.path, None, whole=True)
        except DeconomixError as error:
            return error
        entry.accepted = parsed
        entry.update_from(header)
        entry.backed_up = False
        session = self._loader.lazy_session(SINGLE_ID, DEFAULT_NAME, entry, header)
        self._table.default = entry.session = session
        return None

    def _take_over_backup(self, entry: Entry) -> datetime | None:
        """Take over the last backup of the session, whose file was moved aside; return its time.

        None: there is none, or it is damaged too.
        """
        assert self._store is not None
        backup = self._store.backup_of(entry.path)
        if entry.path is None or backup is None or entry.path.exists():
            return None
        try:
            made = file_time(backup.stat().st_mtime).astimezone()
            atomic.copy(backup, entry.path)
            if self._take_over(entry) is not None:
                entry.path.unlink()
                return None
        except OSError:
            return None
        return made


def _file_fault(path: Path, error: DeconomixError) -> str | None:
    """What a failure says of the file: "damaged", "newer" or "protected"; None: nothing."""
    if not is_readable(path):
        return None
    if isinstance(error, NewerSession):
        return "newer"
    if isinstance(error, WrongPassword):
        return "protected"
    return "damaged" if isinstance(error, DamagedSession) else None
