"""Guard of closing: ask while jobs run, and wait until all sessions are saved."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from desktop.host import request_close, set_props

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds after which the window asks whether to close anyway."""
LOOK = 0.1
STOP, LOSE, KEEP = "Stop and close", "Close anyway", "Keep open"


def saving(number: int) -> str:
    """What is going on, in words."""
    return f"Saving {number} session{'' if number == 1 else 's'}…"


def question(number: int) -> str:
    """What is asked about running jobs."""
    are = "1 job is" if number == 1 else f"{number} jobs are"
    them = "it" if number == 1 else "them"
    return (
        f"{are} running. Stop {them} and close? The progress so far is lost; the next start offers"
        f" to run {them} again."
    )


def lost(number: int) -> str:
    """What is asked about saves that do not succeed."""
    sessions, them = ("1 session is", "it") if number == 1 else (f"{number} sessions are", "them")
    return (
        f"{sessions} not saved yet: the disk may be full, or its folder read only. Close anyway?"
        f" The latest changes in {them} may be lost."
    )


class CloseGuard:
    """Stands in the way of closing ``window`` (pywebview's).

    Parameters
    ----------
    pending
        How many sessions are unsaved: it closes when they are saved; if they are not within
        ``patience`` seconds it asks. A second attempt succeeds.
    running
        How many jobs are on their way: it asks whether to stop them.
    confirm
        Asks, ``confirm(question, yes) -> bool``, with what the button says that closes. Without
        it nothing is asked.
    leaving
        Gets set when it is sure that the window closes.
    silent
        Once set (the system tells the program to end) nothing is asked.
    """

    def __init__(
        self,
        window: Any,
        pending: Callable[[], int],
        *,
        patience: float = PATIENCE,
        running: Callable[[], int] | None = None,
        confirm: Callable[[str, str], bool] | None = None,
        silent: threading.Event | None = None,
        leaving: threading.Event | None = None,
    ) -> None:
        self._window, self._pending, self._patience = window, pending, patience
        self._running, self._confirm = running, confirm
        self._silent = silent or threading.Event()
        self._leaving = leaving or threading.Event()
        self._told = self._agreed = False
        self._asking = threading.Lock()
        window.events.closing += self.closing

    def closing(self) -> bool:
        """Whether the window may close now.

        Called in the window's own thread, which must neither wait nor be asked to run anything.
        """
        jobs = (
            self._running()
            if self._running is not None
            and self._confirm is not None
            and not (self._agreed or self._silent.is_set())
            else 0
        )
        if jobs:
            # A dialog from within this handler would block the toolkit.
            threading.Thread(
                target=self._ask, args=(jobs,), name="close-question", daemon=True
            ).start()
            return False
        self._leaving.set()
        number = 0 if self._told else self._pending()
        if not number:
            return True
        self._told = True
        # A thread of its own: a page that hangs never answers.
        threading.Thread(
            target=self._tell, args=(number,), name="close-notice", daemon=True
        ).start()
        threading.Thread(
            target=self._close_when_saved, name="close-when-saved", daemon=True
        ).start()
        return False

    def _ask(self, jobs: int) -> None:
        if not self._asking.acquire(blocking=False):
            return  # the question is shown already
        try:
            agreed = self._agrees(question(jobs), STOP)
        finally:
            self._asking.release()
        if agreed:
            self._agreed = True
            request_close(self._window)

    def _agrees(self, words: str, yes: str) -> bool:
        try:
            return self._confirm is None or self._confirm(words, yes)
        except Exception as error:  # noqa: BLE001 - a window that cannot be closed would be worse
            log.warning("closing could not be asked about: %s", type(error).__name__)
            return True

    def _tell(self, number: int) -> None:
        self._notice(
            action="show",
            message=f"{saving(number)} The window then closes.",
            autoClose=False,
            loading=True,
        )

    def _notice(self, **properties: Any) -> None:
        notice = {"id": "closing", **properties}
        try:
            set_props(self._window, "dcx-notices", sendNotifications=[notice])
        except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes; the window closes with or without a notice
            log.warning("no notice in the window that closes: %s", type(error).__name__)

    def _close_when_saved(self) -> None:
        deadline = time.monotonic() + self._patience
        try:
            while (number := self._pending()) and time.monotonic() < deadline:
                if self._window.events.closed.wait(LOOK):
                    return
        except Exception as error:  # noqa: BLE001 - a window that cannot be closed would be worse
            log.warning("pending saves are unknown: %s", type(error).__name__)
            number = 0
        if number and not self._silent.is_set() and not self._agrees(lost(number), LOSE):
            self._told = False
            self._leaving.clear()
            self._notice(
                action="update",
                message=(
                    "The window stays open. Click “Not saved” in the header to see what you can do."
                ),
                autoClose=10_000,
                loading=False,
            )
            return
        request_close(self._window)
