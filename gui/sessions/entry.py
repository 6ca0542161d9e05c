"""Entry: what the manager knows of one session and of its file."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gui.clock import elapsed
from gui.errors import SessionError, SessionLocked
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import SessionKey
from gui.sessions.identity import Identity, identity
from gui.sessions.lazy import Origin
from gui.sessions.rules import file_time

LOOK = 2.0
"""Seconds between two checks whether the file of a saved session is still there."""
SHOWN = 180.0
"""Seconds after its last request that a tab counts as open: a browser lets tabs in the background
ask once a minute.
"""
PROTECTED = "Protected session"
"""The name shown for a session whose name is hidden."""


@dataclass(eq=False)
class Entry:
    """One session of the manager, with its file.

    Attributes
    ----------
    session : its content, which may still be on disk.
    path, generation : of its file; None while there is none.
    saved : count of edits that are in the file.
    size, used, contents : of the file: bytes, time of last use, summary for the list.
    encrypted, hidden : whether it is protected, and whether its name is.
    session_key : its key, while some browser has it unlocked.
    unlocked : browser -> when its user last did something (:func:`gui.clock.elapsed`).
    shown : when a tab last asked for it.
    accepted : identity of the file that a reading process parsed to the end, or that this program
        wrote.
    backed_up : whether the file is kept as this program found it (or there was none).
    origin : where values that are not in memory yet are read from.
    problem : why the session cannot be opened.
    damage : the session is open, but a part that was not read before is damaged.
    stamp : time, size and number of the file as last read or written.
    checked : when the file was last looked at, and what was wrong with it.
    lock : held while the file is read, written or moved.
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
        """Whether something in memory is not in the file."""
        return self.problem is None and self.session.edits != self.saved

    @property
    def open(self) -> bool:
        """Whether a tab shows it."""
        return time.monotonic() - self.shown < SHOWN

    @property
    def visible_name(self) -> str:
        """The name that anybody may read."""
        return PROTECTED if self.hidden else self.session.name

    def locked_for(self, actor: Actor) -> bool:
        """Whether this browser has not given the password."""
        return self.encrypted and actor.browser not in self.unlocked

    def unlock(self, actor: Actor, *, ago: float = 0.0) -> None:
        """Note that this browser gave the password, or that its user acted ``ago`` seconds ago."""
        self.unlocked[actor.browser] = max(
            elapsed() - ago, self.unlocked.get(actor.browser, -math.inf)
        )

    def require_unlocked(self, actor: Actor) -> Entry:
        """Return this entry if the actor may see its content; raise SessionLocked otherwise."""
        if self.locked_for(actor):
            raise self.locked_error()
        return self

    def require_key(self) -> SessionKey:
        """Return the key of a protected session; raise SessionLocked if nobody has it unlocked."""
        if self.session_key is None:
            raise SessionLocked("The session was locked in the meantime.")
        return self.session_key

    def locked_error(self) -> SessionLocked:
        """The error for a session whose password was not given."""
        return SessionLocked(f"“{self.visible_name}” is protected by a password.")

    def update_from(self, header: file.Header) -> None:
        """Take over what the header says, and how the file looks now."""
        self.generation, self.contents, self.encrypted, self.hidden = (
            header.generation,
            header.contents,
            header.encrypted,
            header.name is None,
        )
        self.update_from_file()

    def update_from_file(self) -> None:
        """Take over size and time of last use from the file."""
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
        """Note that it was used now, in the file's time too."""
        self.used = datetime.now(UTC)
        if self.path is not None:
            same = self.accepted is not None and identity(self.path) == self.accepted
            with contextlib.suppress(OSError):
                os.utime(self.path)
                self.stamp = _stamp(self.path.stat())
            if same:
                self.accepted = identity(self.path)

    def file_trouble(self) -> SessionError | None:
        """What is wrong with the file of a saved session: it is gone, or it is another one.

        Looks at the file every few seconds only. None while it is being read or written.
        """
        if self.path is None or self.generation is None or not self.lock.acquire(blocking=False):
            return None
        try:
            when, found = self.checked
            if time.monotonic() - when > LOOK:
                found = self._find_trouble(self.path, self.generation)
                self.checked = time.monotonic(), found
            return found
        finally:
            self.lock.release()

    def _find_trouble(self, path: Path, generation: int) -> SessionError | None:
        with contextlib.suppress(OSError):
            if _stamp(path.stat()) == self.stamp:
                return None
        try:
            file.check_present(path, self.session.session_id, generation)
        except SessionError as error:
            return error.with_traceback(None)
        self.update_from_file()  # touched or copied back, and the same
        return None


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_size, found.st_ino
