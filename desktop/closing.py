"""Closing: a window with running jobs asks, one with sessions that are not on disk yet stays until they are, and says so."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from desktop.host import set_props

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds after which the window closes all the same: the program itself goes on saving until it ends."""
LOOK = 0.1
STOP, KEEP = "Stop and close", "Keep open"


def saving(number: int) -> str:
    """What is going on, in words."""
    return f"Saving {number} session{'' if number == 1 else 's'}…"


def question(number: int) -> str:
    """What is asked about running jobs."""
    are = "1 job is" if number == 1 else f"{number} jobs are"
    them = "it" if number == 1 else "them"
    return f"{are} running. Stop {them} and close? What was computed so far is lost; the next start offers to start {them} again."


class CloseGuard:
    """Stands in the way of closing ``window`` (pywebview's).

    pending : how many sessions are unsaved: it closes when they are saved. A second attempt succeeds.
    running : how many jobs are on their way: it asks whether to stop them, by ``confirm(question) -> bool``.
    leaving : gets set when it is sure that the window closes
    silent : once set (the system tells the program to end) nothing is asked
    """

    def __init__(
        self,
        window: Any,
        pending: Callable[[], int],
        *,
        patience: float = PATIENCE,
        running: Callable[[], int] | None = None,
        confirm: Callable[[str], bool] | None = None,
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
        """Whether the window may close now. Called in the window's own thread, which must neither wait nor be asked to run anything."""
        jobs = self._running() if self._running is not None and self._confirm is not None and not (self._agreed or self._silent.is_set()) else 0
        if jobs:
            # A dialog from within this handler would block the toolkit.
            threading.Thread(target=self._ask, args=(jobs,), name="close-question", daemon=True).start()
            return False
        self._leaving.set()
        number = 0 if self._told else self._pending()
        if not number:
            return True
        self._told = True
        # A thread of its own: a page that hangs never answers.
        threading.Thread(target=self._tell, args=(number,), name="close-notice", daemon=True).start()
        threading.Thread(target=self._close_when_saved, name="close-when-saved", daemon=True).start()
        return False

    def _ask(self, jobs: int) -> None:
        if not self._asking.acquire(blocking=False):
            return  # the question is on screen already
        try:
            assert self._confirm is not None
            agreed = self._confirm(question(jobs))
        except Exception as error:  # noqa: BLE001 - a window that cannot be closed would be worse
            log.warning("closing could not be asked about: %s", type(error).__name__)
            agreed = True
        finally:
            self._asking.release()
        if agreed:
            self._agreed = True
            self._window.destroy()

    def _tell(self, number: int) -> None:
        notice = {"action": "show", "id": "closing", "message": f"{saving(number)} The window closes by itself.", "autoClose": False, "loading": True}
        try:
            set_props(self._window, "dcx-notices", sendNotifications=[notice])
        except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes; the window closes with or without a notice
            log.warning("no notice in the window that closes: %s", type(error).__name__)

    def _close_when_saved(self) -> None:
        deadline = time.monotonic() + self._patience
        try:
            while self._pending() and time.monotonic() < deadline:
                if self._window.events.closed.wait(LOOK):
                    return
        except Exception as error:  # noqa: BLE001 - a window that cannot be closed would be worse
            log.warning("pending saves are unknown: %s", type(error).__name__)
        self._window.destroy()
