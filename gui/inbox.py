"""What reaches a tab without its asking: notices of the program itself, and the files that a start
was given.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gui import notify
from gui.errors import DeconomixError, SessionLocked
from gui.files import Uploads
from gui.sessions import file as session_file
from gui.sessions.manager import LOCAL, SessionCacheManager
from gui.settings import SettingsStore
from gui.text import shorten, some

LASTING = 3600.0
"""Seconds after which it is no longer said."""
MOST = 20
"""The newest ones; the others are dropped."""
INTERRUPTED = 5
"""So many sessions with interrupted jobs are named after a crash."""


@dataclass(eq=False)
class _Said:
    number: int
    text: str
    when: float
    seen: set[str] = field(default_factory=set)


class Announcements:
    """Notices in every tab that is open: for a while, and not too many.

    A new tab shows only those that its browser has not shown. Thread-safe.

    clock : seconds, as ``time.time`` counts them
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._start, self._count = secrets.token_hex(4), 0
        """A tab may have been opened by another run of the program, which counted for itself."""
        self._said: list[_Said] = []

    def append(self, text: str) -> None:
        with self._lock:
            self._forget()
            self._said = [*self._said, _Said(self._count, text, self._clock())][-MOST:]
            self._count += 1

    def news(self, last: object, browser: str) -> tuple[list[str], str]:
        """What a tab is to say now, and what it gives as ``last`` the next time; at its first time
        that is None.

        A tab that is open says everything once; a new one what no tab of its ``browser`` has said.
        """
        with self._lock:
            self._forget()
            start, _, number = str(last).partition(":")
            known = int(number) if start == self._start and number.isdecimal() else None
            new = [
                said
                for said in self._said
                if (browser not in said.seen if known is None else said.number >= known)
            ]
            for said in new:
                said.seen.add(browser)
            return [said.text for said in new], f"{self._start}:{self._count}"

    def _forget(self) -> None:
        now = self._clock()
        self._said = [said for said in self._said if now - said.when < LASTING]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter([said.text for said in self._said])

    def __len__(self) -> int:
        return len(self._said)

    def __getitem__(self, index: int) -> str:
        return self._said[index].text


class Inbox:
    """Files that the program was started with, that a second start handed over, or that were
    dropped on the window; and the notices.
    """

    def __init__(
        self, sessions: SessionCacheManager, uploads: Uploads, settings: SettingsStore
    ) -> None:
        self._sessions, self._uploads, self._settings = sessions, uploads, settings
        self.announcements = Announcements()
        self.arrived: str | None = None
        """The session for the first tab, where the program was started with a session file."""
        self.handed_over = 0
        """How often files arrived while the program ran; the window's page follows."""

    def open_later(self, paths: Sequence[Path]) -> None:
        """Data files to offer on the Upload page; session files are imported and the last one is
        shown in the first tab.

        What is wrong with a session file is said there too: who double-clicked it sees no terminal.
        UnreadableFile for a data file that is not there.
        """
        for path in paths:
            if path.name.lower().endswith(session_file.SUFFIX):
                self._import(path)
            else:
                self._uploads.offer(path)
                self._settings.remember(path)

    def take_over(self, paths: Sequence[Path]) -> None:
        """As :meth:`open_later`, in the tab that is open, which also says what is wrong."""
        for path in paths:
            try:
                self.open_later([path])
            except DeconomixError as error:
                self.announcements.append(notify.sentence(error))
        self.handed_over += 1

    def adopt(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """For each file or folder of this computer what the upload route would answer, with
        "folder" beside it: ``{token, name, size}`` or ``{error}``.
        """
        answers: list[dict[str, Any]] = []
        for path in paths:
            try:
                found = self._uploads.adopt(path, folder=True)
                answers.append(
                    {
                        "token": found.token,
                        "name": found.name,
                        "size": found.size,
                        "folder": path.is_dir(),
                    }
                )
                if not path.is_dir():
                    self._settings.remember(path)
            except DeconomixError as error:
                answers.append({"error": notify.sentence(error)})
        return answers

    def announce_recovery(self) -> None:
        """The program ended by a crash or was killed: tell what is there again, and what was
        interrupted.
        """
        infos = [
            info
            for info in self._sessions.list_sessions(actor=LOCAL)
            if info.holds_data and info.problem is None
        ]
        interrupted = [
            f"{shorten(info.contents['jobs'])} in “{shorten(info.name)}”"
            for info in infos
            if info.contents.get("jobs")
        ]
        sentences = ["DeconomiX was not closed properly last time."]
        if infos:
            here = "Your session is" if len(infos) == 1 else f"Your {len(infos)} sessions are"
            sentences.append(f"{here} here as last saved.")
        if interrupted:
            sentences.append(
                f"Interrupted: {some(interrupted, INTERRUPTED, longest=None)}. Open the session to"
                " start it again."
            )
        self.announcements.append(" ".join(sentences))

    def _import(self, path: Path) -> None:
        try:
            found = self._sessions.import_session(path, actor=LOCAL)
            if found.outcome == "differs" and not self._can_be_shown(found.session_id):
                here = found.name
                found = self._sessions.import_session(path, actor=LOCAL, as_copy=True)
                self.announcements.append(
                    f"“{here}” is here already, but archived or not to be read; what"
                    f" {path.name} holds is shown as “{found.name}”."
                )
        except DeconomixError as error:
            self.announcements.append(f"{path.name}: {notify.sentence(error)}")
            return
        self._settings.remember(path)
        self.arrived = found.session_id
        if found.outcome == "differs":
            self.announcements.append(
                f"“{found.name}” is here already, in another version than {path.name} holds;"
                " yours is shown. To have the other one too, import the file on the Sessions page."
            )

    def _can_be_shown(self, session_id: str) -> bool:
        try:
            self._sessions.get_session(session_id, actor=LOCAL)
        except SessionLocked:  # its lock screen can
            return True
        except DeconomixError:
            return False
        return True
