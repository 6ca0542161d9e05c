"""Store: where the session files lie (active, archived, deleted ones, backups) and what is said of
each without opening it.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import math
import os
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gui import atomic
from gui.clock import elapsed
from gui.errors import DeconomixError, SessionError, SessionNotSaved
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import SessionKey
from gui.sessions.lazy import Origin
from gui.sessions.parsing import Identity, identity
from gui.sessions.rules import file_time
from gui.sessions.snapshot import Snapshot

Place = Literal["sessions", "archive", "trash"]
STALE = 60.0
"""Seconds after which a deleted file that a program left behind is gone for good."""
LOOK = 2.0
"""Seconds between two looks whether the file of a saved session is still there."""
SHOWN = 180.0
"""Seconds after its last question that a tab counts as open: a browser lets tabs in the background
ask once a minute.
"""
PROTECTED = "Protected session"
"""What a session is called whose name is hidden."""


@dataclass(eq=False)
class Entry:
    """What the manager knows of one session.

    ``lock`` is held while its file is read, written or moved.

    path, generation : of its file, None while there is none; saved : count of edits that are in the
    file problem : why it cannot be opened; damage : it is open, but a part not read before is
    damaged encrypted, hidden : it is protected, and so is its name session_key : its key, while some
    browser has it unlocked; unlocked : browser -> when its user last did something
    (:func:`gui.clock.elapsed`) shown : when a tab last asked for it accepted : of the file that was
    parsed to the end by a reading process, or written by this program stamp : time, size and number
    of the file as it was last read or written; checked : when it was last looked at, and what was
    wrong with it backed_up : the file as this program found it is kept (or there was none); origin
    : where what was not read yet is read from
    """

    session: DCXCache
    path: Path | None = None
    generation: int | None = None
    saved: int = -1
    size: int = 0
    used: datetime = field(default_factory=lambda: datetime.now(UTC))
    contents: Mapping[str, Any] = field(default_factory=dict)
    encrypted: bool = False
    hidden: bool = False
    session_key: SessionKey | None = None
    unlocked: dict[str, float] = field(default_factory=dict)
    shown: float = float("-inf")
    accepted: Identity | None = None
    backed_up: bool = False
    origin: Origin | None = None
    problem: Exception | None = None
    damage: Exception | None = None
    stamp: tuple[int, int, int] | None = None
    checked: tuple[float, SessionError | None] = (float("-inf"), None)
    lock: threading.RLock = field(default_factory=lambda: threading.RLock())

    @property
    def dirty(self) -> bool:
        """Whether something is in memory that is not in the file."""
        return self.problem is None and self.session.edits != self.saved

    @property
    def open(self) -> bool:
        """Whether a tab shows it."""
        return time.monotonic() - self.shown < SHOWN

    def locked_for(self, actor: Actor) -> bool:
        """Whether this browser has not given the password."""
        return self.encrypted and actor.browser not in self.unlocked

    def unlock(self, actor: Actor, *, ago: float = 0.0) -> None:
        """This browser has given the password, or its user did something in the session, so many
        seconds ago.
        """
        self.unlocked[actor.browser] = max(
            elapsed() - ago, self.unlocked.get(actor.browser, -math.inf)
        )

    def known(self, header: file.Header) -> None:
        """Take over what the header says and how the file looks now."""
        self.generation, self.contents, self.encrypted, self.hidden = (
            header.generation,
            header.contents,
            header.encrypted,
            header.name is None,
        )
        self.look()

    def look(self) -> None:
        """Size and time of last use, from the file."""
        self.checked = (float("-inf"), None)
        if self.path is not None:
            with contextlib.suppress(OSError):
                found = self.path.stat()
                self.size, self.used, self.stamp = (
                    found.st_size,
                    file_time(found.st_mtime),
                    _stamp(found),
                )

    def touch(self) -> None:
        """It was used now."""
        self.used = datetime.now(UTC)
        if self.path is not None:
            same = self.accepted is not None and identity(self.path) == self.accepted
            with contextlib.suppress(OSError):
                os.utime(self.path)
                self.stamp = _stamp(self.path.stat())
            if same:
                self.accepted = identity(self.path)

    def file_trouble(self) -> SessionError | None:
        """What is wrong with the file of a session that was saved: it is not there any more, or
        another one.

        Looked at every few seconds only.

        None while it is being read or written.
        """
        if self.path is None or self.generation is None or not self.lock.acquire(blocking=False):
            return None
        try:
            when, found = self.checked
            if time.monotonic() - when > LOOK:
                found = self._look_for_trouble(self.path, self.generation)
                self.checked = time.monotonic(), found
            return found
        finally:
            self.lock.release()

    def _look_for_trouble(self, path: Path, generation: int) -> SessionError | None:
        with contextlib.suppress(OSError):
            if _stamp(path.stat()) == self.stamp:
                return None
        try:
            file.check_present(path, self.session.session_id, generation)
        except SessionError as error:
            return error.with_traceback(None)
        self.look()  # touched or copied back, and the same
        return None


@dataclass(frozen=True)
class SessionInfo:
    """One row of the session list, as one actor may see it.

    contents : "data" (bool), "dtd", "search", "adtd", "runs" (counts), "source", "notes", "marks",
    "jobs" (titles of jobs under way) as far as
        known; {} if it is locked
    protected : by a password; locked : this browser has not given it; holds_data : False for the
    default session; loaded : it is in memory
    state : "saved", "saving", "not saved", "memory" (there is no folder); reason : why it is not
    saved; problem : why it cannot be opened
    backup : when the last backup of its file was made, None if there is none
    """

    session_id: str
    name: str
    archived: bool
    created: datetime
    used: datetime
    size: int
    contents: Mapping[str, Any]
    protected: bool = False
    locked: bool = False
    state: str = "saved"
    reason: Exception | None = None
    problem: Exception | None = None
    backup: datetime | None = None
    loaded: bool = False
    holds_data: bool = True


class Store:
    """The folders.

    Moving never overwrites. sessions, archive : None for the usual place below ``folder``
    """

    def __init__(
        self, folder: Path, *, sessions: Path | None = None, archive: Path | None = None
    ) -> None:
        self.folder = folder
        self._places: dict[str, Path] = {
            "sessions": sessions or folder / "sessions",
            "archive": archive or folder / "archive",
            "trash": folder / "trash",
        }
        self._there = self.place("sessions").is_dir()

    def place(self, place: Place) -> Path:
        return self._places[place]

    @property
    def backups(self) -> Path:
        return self.place("sessions") / "backups"

    def scan(self, place: Place) -> list[tuple[Path, file.Header | DeconomixError]]:
        """Every session file of a folder with its header, or why it has none.

        Reads headers only; a missing folder is empty.
        """
        found: list[tuple[Path, file.Header | DeconomixError]] = []
        try:
            paths = sorted(p for p in self.place(place).iterdir() if p.name.endswith(file.SUFFIX))
        except OSError:
            return []
        for path in paths:
            try:
                found.append((path, file.read_header(path)))
            except DeconomixError as error:
                found.append((path, error))
            except OSError:
                found.append(
                    (
                        path,
                        SessionError(
                            "The file cannot be read.",
                            advice="Check its permissions and the drive.",
                        ),
                    )
                )
        return found

    def path_for(self, session_id: str) -> Path:
        """Where a new session's file will lie."""
        return self.place("sessions") / file.file_name(session_id)

    def save(
        self,
        path: Path,
        snapshot: Snapshot,
        generation: int | None,
        session_key: SessionKey | None,
        origin: Origin,
    ) -> file.Header:
        """Write the session; SessionConflict, SessionNotSaved."""
        if path.parent == self.place("sessions"):
            with contextlib.suppress(OSError):  # then saving says it
                self._make_folder()
        return file.save(
            path, snapshot, expected_generation=generation, session_key=session_key, origin=origin
        )

    def _make_folder(self) -> None:
        """Our own folder, once: if it is gone later a drive is away, and what would be written in
        its place nobody would find again.

        OSError.
        """
        if not self._there:
            atomic.private_folder(self.place("sessions"))
            self._there = True

    def move(self, path: Path, place: Place) -> Path:
        """Move a file to another folder, keeping its name where it is free; SessionError if that is
        not possible.
        """
        folder = self.place(place)
        try:
            if place == "sessions":
                self._make_folder()
            else:
                atomic.private_folder(folder)
            target, number = folder / path.name, 2
            while target.exists():
                target, number = (
                    folder / f"{path.name.removesuffix(file.SUFFIX)} {number}{file.SUFFIX}",
                    number + 1,
                )
            _rename(path, target)
            if place == "trash":
                os.utime(target)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise SessionError(
                f"The session's file could not be moved ({why}).",
                advice="Nothing was changed; check the folder of the sessions.",
            ) from None
        return target

    def copy_in(self, path: Path, session_id: str) -> Path:
        """A copy of a file among the active ones, whole or not at all; SessionError if it cannot be
        written.
        """
        target = self.place("sessions") / file.file_name(session_id)
        try:
            self._make_folder()
            with atomic.locked(target):
                if target.exists():
                    raise FileExistsError(17, "there is a file of this name already")
                with atomic.reading(path) as source, atomic.replacing(target) as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise SessionError(
                f"The session could not be copied in ({why}).",
                advice="Check the folder of the sessions.",
            ) from None
        return target

    def sweep(self) -> None:
        """Remove what a program left when it ended without saying so: deleted sessions in the
        trash, unfinished writes.
        """
        for folder in (self.place("sessions"), self.place("archive"), self.backups):
            with contextlib.suppress(OSError):
                atomic.sweep(folder)
        now = datetime.now(UTC).timestamp()
        with contextlib.suppress(OSError):
            for path in list(self.place("trash").iterdir()):
                with contextlib.suppress(OSError):
                    if now - path.stat().st_mtime > STALE:
                        path.unlink()

    # -- backups
    # ----------------------------------------------------------------------------------------------
    def backup_of(self, path: Path | None) -> Path | None:
        """The last backup of a session's file, None if there is none."""
        found = self.backups / path.name if path is not None else None
        return found if found is not None and found.is_file() else None

    def backup_time(self, path: Path | None) -> datetime | None:
        """When the last backup of a session's file was made, None if there is none."""
        found = self.backup_of(path)
        if found is not None:
            with contextlib.suppress(OSError):
                return file_time(found.stat().st_mtime)
        return None

    def keep_backup(self, path: Path) -> None:
        """Keep the file as it is now, in place of an older backup of it.

        What cannot be kept is no reason not to save.
        """
        if path.exists():  # else a folder would be made where a drive is away
            with contextlib.suppress(SessionNotSaved):
                file.keep_backup(path, self.backups)

    def forget_backups(self, path: Path) -> None:
        """Remove all that was kept of a session's file: it was protected, protected anew, or
        deleted.

        SessionNotSaved.
        """
        file.remove_backups(path, self.backups)
        with contextlib.suppress(FileNotFoundError):
            _damaged(path).unlink()

    def forget_clear_backups(self, path: Path, header: file.Header) -> None:
        """Of a sealed file: remove backups under no key or another one.

        A program that is killed between sealing and this leaves them.
        """
        mark = (header.lock or {}).get("mark")
        for kept in (
            (self.backups / path.name, *path.parent.glob(f"{glob.escape(path.name)}.*.bak"))
            if header.encrypted
            else ()
        ):
            with contextlib.suppress(DeconomixError, OSError):
                if kept.exists() and (file.read_header(kept).lock or {}).get("mark") != mark:
                    kept.unlink()

    def restore_backup(self, path: Path) -> None:
        """Put the last backup in the place of a damaged file, which is kept beside as
        ``<name>.damaged``.

        SessionError.
        """
        backup = self.backup_of(path)
        if backup is None:
            raise SessionError(
                "There is no backup of this session.", advice="Recover what is readable instead."
            )
        try:
            with atomic.locked(path):
                if path.exists():
                    os.replace(path, _damaged(path))
                with atomic.reading(backup) as source, atomic.replacing(path) as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise SessionError(
                f"The backup could not be put in place ({why}).",
                advice="Check the folder of the sessions.",
            ) from None


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _damaged(path: Path) -> Path:
    """Where a damaged file is kept after a backup took its place."""
    return path.with_name(f"{path.name}.damaged")


def _rename(path: Path, target: Path) -> None:
    """Move within a file system, or by a whole copy to another one."""
    try:
        os.replace(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with atomic.reading(path) as source, atomic.replacing(target) as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        path.unlink()
