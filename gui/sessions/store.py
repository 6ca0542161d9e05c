"""Store: where the session files lie (active, archived, deleted ones) and what is said of each without opening it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gui.errors import DeconomixError, SessionError
from gui.sessions import atomic, file
from gui.sessions.cache import DCXCache
from gui.sessions.snapshot import Snapshot

Place = Literal["sessions", "archive", "trash"]
ID = re.compile(r"\d{8}#\d{6}#[0-9a-f]{8}")
STALE = 60.0
"""Seconds after which a deleted file that a program left behind is gone for good."""


@dataclass(eq=False)
class Entry:
    """What the manager knows of one session. ``lock`` is held while its file is read, written or moved.

    path, generation : of its file, None while there is none; saved : count of edits that are in the file
    problem : why it cannot be opened; asked : the file's header when it was last read or written
    """

    session: DCXCache
    path: Path | None = None
    generation: int | None = None
    saved: int = -1
    size: int = 0
    used: datetime = field(default_factory=lambda: datetime.now(UTC))
    contents: Mapping[str, Any] = field(default_factory=dict)
    encrypted: bool = False
    problem: Exception | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def dirty(self) -> bool:
        """Whether something is in memory that is not in the file."""
        return self.problem is None and self.session.edits != self.saved

    def known(self, header: file.Header) -> None:
        """Take over what the header says and how the file looks now."""
        self.generation, self.contents, self.encrypted = header.generation, header.contents, header.encrypted
        self.look()

    def look(self) -> None:
        """Size and time of last use, from the file."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                found = self.path.stat()
                self.size, self.used = found.st_size, datetime.fromtimestamp(found.st_mtime, UTC)

    def touch(self) -> None:
        """It was used now."""
        self.used = datetime.now(UTC)
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.utime(self.path)


@dataclass(frozen=True)
class SessionInfo:
    """One row of the session list.

    contents : "data" (bool), "dtd", "search", "adtd", "runs" (counts), "source", "notes" as far as known
    state : "saved", "saving", "not saved", "memory" (there is no folder); reason : why it is not saved; problem : why it cannot be opened
    """

    session_id: str
    name: str
    archived: bool
    created: datetime
    used: datetime
    size: int
    contents: Mapping[str, Any]
    encrypted: bool = False
    state: str = "saved"
    reason: Exception | None = None
    problem: Exception | None = None


class Store:
    """The three folders below one folder. Moving never overwrites."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, place: Place) -> Path:
        return self.folder / place

    def scan(self, place: Place) -> list[tuple[Path, file.Header | DeconomixError]]:
        """Every session file of a folder with its header, or why it has none. Reads headers only; a missing folder is empty."""
        found: list[tuple[Path, file.Header | DeconomixError]] = []
        try:
            paths = sorted(p for p in self.place(place).iterdir() if p.name.endswith(file.SUFFIX))
        except OSError:
            return []
        for path in paths:
            try:
                header = file.read_header(path)
                found.append((path, header if ID.fullmatch(header.id) else SessionError("The file does not say which session it is.", advice="")))
            except DeconomixError as error:
                found.append((path, error))
            except OSError:
                found.append((path, SessionError("The file cannot be read.", advice="Check its permissions and the drive.")))
        return found

    def save(self, path: Path | None, snapshot: Snapshot, generation: int | None) -> tuple[Path, file.Header]:
        """Write the session where it lies, or into the folder of sessions; SessionConflict, SessionNotSaved."""
        path = path or self.place("sessions") / file.file_name(snapshot.session_id)
        with contextlib.suppress(OSError):  # then saving says it
            path.parent.mkdir(parents=True, exist_ok=True)
        return path, file.save(path, snapshot, expected_generation=generation)

    def move(self, path: Path, place: Place) -> Path:
        """Move a file to another folder, keeping its name where it is free; SessionError if that is not possible."""
        folder = self.place(place)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target, number = folder / path.name, 2
            while target.exists():
                target, number = folder / f"{path.name.removesuffix(file.SUFFIX)} {number}{file.SUFFIX}", number + 1
            os.replace(path, target)
            if place == "trash":
                os.utime(target)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise SessionError(f"The session's file could not be moved ({why}).", advice="Nothing was changed; check the folder of the sessions.") from None
        return target

    def copy_in(self, path: Path, session_id: str) -> Path:
        """A copy of a file among the active ones, whole or not at all; SessionError if it cannot be written."""
        target = self.place("sessions") / file.file_name(session_id)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic.locked(target):
                if target.exists():
                    raise FileExistsError(17, "there is a file of this name already")
                with path.open("rb") as source, atomic.replacing(target) as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise SessionError(f"The session could not be copied in ({why}).", advice="Check the folder of the sessions.") from None
        return target

    def sweep(self) -> None:
        """Remove what a program left when it ended without saying so: deleted sessions in the trash, unfinished writes."""
        for place in ("sessions", "archive"):
            with contextlib.suppress(OSError):
                atomic.sweep(self.folder / place)
        now = datetime.now(UTC).timestamp()
        with contextlib.suppress(OSError):
            for path in list(self.place("trash").iterdir()):
                with contextlib.suppress(OSError):
                    if now - path.stat().st_mtime > STALE:
                        path.unlink()


def contents_of(session: DCXCache) -> dict[str, Any]:
    """The same summary as a file's header holds, of a session in memory."""
    data, runs = session.dataset, session.runs()
    sources = [s.name for s in data.sources if s.name] if data else []
    counts = {kind: sum(1 for run in runs if run.kind == kind) for kind in ("dtd", "search", "adtd")}
    return {"data": data is not None, **counts, "runs": len(runs), "source": sources[0] if sources else (data.name if data else ""), "notes": session.notes}
