"""Closing: a window with sessions that are not on disk yet stays until they are, and says so."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds after which the window closes all the same: the program itself goes on saving until it ends."""
LOOK = 0.1


def saving(number: int) -> str:
    """What is going on, in words."""
    return f"Saving {number} session{'' if number == 1 else 's'}…"


class CloseGuard:
    """Defers the first attempt to close ``window`` (pywebview's) while ``pending()`` sessions are unsaved, then closes it. A second attempt succeeds."""

    def __init__(self, window: Any, pending: Callable[[], int], *, patience: float = PATIENCE) -> None:
        self._window, self._pending, self._patience = window, pending, patience
        self._asked = False
        window.events.closing += self.closing

    def closing(self) -> bool:
        """Whether the window may close now. Called in the window's own thread, which must neither wait nor be asked to run anything."""
        number = 0 if self._asked else self._pending()
        if not number:
            return True
        self._asked = True
        # A thread of its own: a page that hangs never answers.
        threading.Thread(target=self._tell, args=(number,), name="close-notice", daemon=True).start()
        threading.Thread(target=self._close_when_saved, name="close-when-saved", daemon=True).start()
        return False

    def _tell(self, number: int) -> None:
        notice = {"action": "show", "id": "closing", "message": f"{saving(number)} The window closes by itself.", "autoClose": False, "loading": True}
        properties = json.dumps({"sendNotifications": [notice]})
        try:
            self._window.run_js(f"dash_clientside.set_props('dcx-notices', {properties}); 1")
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
