"""Attempts: after wrong passwords the next attempt has to wait, longer each time.

The wait is for the browser that tried, and for the session that was tried.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gui.errors import PasswordDelay, WrongPassword
from gui.logs import get_logger

log = get_logger(__name__)

FREE_PER_BROWSER, FREE_PER_SESSION = 5, 10
"""Wrong passwords without a wait.

A session has more of them: who types the right one from elsewhere should rarely wait.
"""
LONGEST_PER_BROWSER, LONGEST_PER_SESSION = 60.0, 15.0
"""Seconds."""
FORGOTTEN = 3600.0
"""Seconds after the last wrong password, from when on it does not count any more."""
MOST = 10_000
"""Browsers and sessions that are remembered; beyond it the oldest are forgotten."""


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0
    until: float = 0.0


class Attempts:
    """Counts wrong passwords, and refuses attempts that come too soon. Thread-safe.

    Nothing is computed for an attempt that is refused.

    clock : seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], _Failures] = {}
        self._checking: set[str] = set()

    @contextlib.contextmanager
    def attempt(self, session_id: str, browser: str) -> Iterator[None]:
        """Around the check of a password; WrongPassword inside it counts.

        PasswordDelay: too soon, or one of this browser is being checked already.

        browser : "" for the program itself, which does not wait
        """
        if not browser:
            yield
            return
        self._begin(session_id, browser)
        try:
            yield
        except WrongPassword:
            number = self._failed(session_id, browser)
            log.warning(
                "wrong password number %d: session %s, browser %s", number, session_id, browser
            )
            raise
        else:
            with self._lock:
                self._failures.pop(("browser", browser), None)
                self._failures.pop(("session", session_id), None)
        finally:
            with self._lock:
                self._checking.discard(browser)

    def _begin(self, session_id: str, browser: str) -> None:
        with self._lock:
            if browser in self._checking:
                raise PasswordDelay(
                    "A password from this browser is being checked already.",
                    advice="Wait for the answer.",
                )
            now = self._clock()
            for key in (("browser", browser), ("session", session_id)):
                if key in self._failures and now - self._failures[key].last > FORGOTTEN:
                    del self._failures[key]
            wait = max(
                (
                    self._failures[key].until - now
                    for key in (("browser", browser), ("session", session_id))
                    if key in self._failures
                ),
                default=0.0,
            )
            if wait > 0:
                seconds = int(wait) + 1
                raise PasswordDelay(
                    "Too many wrong passwords.",
                    advice=f"Wait {seconds} second{'s' * (seconds != 1)}, then type it again.",
                )
            self._checking.add(browser)

    def _failed(self, session_id: str, browser: str) -> int:
        """Count it for both; how often this browser was wrong."""
        with self._lock:
            now = self._clock()
            for kind, key, free, longest in (
                ("session", session_id, FREE_PER_SESSION, LONGEST_PER_SESSION),
                ("browser", browser, FREE_PER_BROWSER, LONGEST_PER_BROWSER),
            ):
                # taken out and put in again: the last one is the newest
                found = self._failures.pop((kind, key), None) or _Failures()
                found.count, found.last = found.count + 1, now
                found.until = now + (
                    min(longest, 2.0 ** min(found.count - free - 1, 30))
                    if found.count > free
                    else 0.0
                )
                self._failures[kind, key] = found
            while len(self._failures) > MOST:
                del self._failures[next(iter(self._failures))]
            return self._failures["browser", browser].count
