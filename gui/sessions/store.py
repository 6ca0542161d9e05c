"""Store: the folders of the session files (active, archived, deleted ones, backups)."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gui import atomic
from gui.errors import DeconomixError, SessionError, SessionNotSaved
from gui.sessions import file
from gui.sessions.crypto import SessionKey
from gui.sessions.lazy import Origin
from gui.sessions.rules import file_time
from gui.sessions.snapshot import Snapshot

Place = Literal["sessions", "archive", "trash"]
STALE = 60.0
"""Seconds after which a deleted file that a program left behind is gone for good."""


@dataclass(frozen=True)
class SessionInfo:
    """One row of the session list, as one actor may see it.

    Attributes
    ----------
    contents : "data" (bool), "dtd", "search", "adtd", "runs" (counts), "source", "notes", "marks",
        "jobs" (titles of jobs under way), "tags", "samples" (a name a line) and "unlisted" (how
        many more there are), as far as known; {} if it is locked.
    protected : by a password.
    locked : this browser has not given the password.
    state : "saved", "saving", "not saved", or "memory" (there is no folder).
    reason : why it is not saved.
    problem : why it cannot be opened.
    backup : when the last backup of its file was made; None if there is none.
    loaded : its content is in memory.
    holds_data : False for the default session.
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
        """Where a new session's file will be."""
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
        """Make our own folder, once. OSError.

        If it is gone later, a drive is away, and nobody would find again what would be written in
        its place.
        """
        if not self._there:
            atomic.private_folder(self.place("sessions"))
            self._there = True

    def move(self, path: Path, place: Place) -> Path:
        """Move a file to another folder, keeping its name where it is free; return its new path.

        SessionError if that is not possible.
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
            why = atomic.explanation(error)
            raise SessionError(
                f"The session's file could not be moved ({why}).",
                advice="Nothing was changed; check the folder of the sessions.",
            ) from None
        return target

    def copy_in(self, path: Path, session_id: str) -> Path:
        """A copy of a file among the active ones, whole or not at all; SessionError."""
        target = self.place("sessions") / file.file_name(session_id)
        try:
            self._make_folder()
            with atomic.locked(target):
                if target.exists():
                    raise FileExistsError(17, "there is a file of this name already")
                with atomic.reading(path) as source, atomic.replacing(target) as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            why = atomic.explanation(error)
            raise SessionError(
                f"The session could not be copied in ({why}).",
                advice="Check the folder of the sessions.",
            ) from None
        return target

    def sweep(self) -> None:
        """Remove what a program left when it was killed: deleted sessions, unfinished writes."""
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
        """Remove all backups of a session's file: it was protected, protected again, or deleted.

        SessionNotSaved.
        """
        file.remove_backups(path, self.backups)
        atomic.remove(_damaged(path))

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
        """Put the last backup in place of a damaged file, which is kept as ``<name>.damaged``.

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
                    atomic.replace(path, _damaged(path))
                with atomic.reading(backup) as source, atomic.replacing(path) as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            why = atomic.explanation(error)
            raise SessionError(
                f"The backup could not be put in place ({why}).",
                advice="Check the folder of the sessions.",
            ) from None


def _damaged(path: Path) -> Path:
    """Where a damaged file is kept after a backup took its place."""
    return path.with_name(f"{path.name}.damaged")


def _rename(path: Path, target: Path) -> None:
    """Move within a file system, or by a whole copy to another one."""
    try:
        atomic.replace(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        atomic.copy(path, target)
        atomic.remove(path)
