"""Housekeeping: what the program does by itself from time to time, in one thread.

Which chores there are, ``app.py`` says.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

LONGEST_NAP = 60.0
"""Seconds.

A wait does not count the time that a computer sleeps: after waking up, what is due is done within
this.
"""


@dataclass(eq=False)
class Chore:
    """every : seconds from its end to its next start; due : when that is; failed : class name of
    the error of the last time, if any
    """

    name: str
    run: Callable[[], object]
    every: float
    due: float
    failed: str = ""


class Housekeeping:
    """Runs chores, one after the other.

    A chore that fails is logged and does not stop the others, nor itself the next time.

    clock : seconds as ``time.time`` counts them (which goes on while the computer sleeps)
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._chores: list[Chore] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def add(
        self, name: str, run: Callable[[], object], *, every: float, after: float = 0.0
    ) -> None:
        """Run ``run`` every ``every`` seconds, first ``after`` (at most ``every``) seconds from
        now.

        The name stands in the log.
        """
        with self._lock:
            self._chores.append(Chore(name, run, every, self._clock() + min(after, every)))
        self._wake.set()

    def start(self) -> None:
        """Begin; once is enough."""
        with self._lock:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(
                    target=self._go_round, name="housekeeping", daemon=True
                )
                self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End: no chore begins any more.

        False if the one at work did not end within ``timeout`` seconds. May be called twice.
        """
        self._stopped = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def run_due(self) -> float:
        """Do what is due, the longest due first; returns the seconds until something is due
        again.
        """
        with self._lock:
            chores = sorted(self._chores, key=lambda chore: chore.due)
        for chore in chores:
            if self._stopped:
                break
            # Never later than its interval from now: else a clock that was set back would make it
            # wait.
            chore.due = min(chore.due, self._clock() + chore.every)
            if chore.due <= self._clock():
                self._do(chore)
                chore.due = self._clock() + chore.every
        with self._lock:
            return max(
                0.0,
                min((chore.due for chore in self._chores), default=self._clock() + LONGEST_NAP)
                - self._clock(),
            )

    def _go_round(self) -> None:
        while not self._stopped:
            self._wake.clear()
            nap = min(self.run_due(), LONGEST_NAP)
            if not self._stopped:
                self._wake.wait(nap)

    @staticmethod
    def _do(chore: Chore) -> None:
        try:
            chore.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            if chore.failed != type(error).__name__:  # said once, not every few seconds
                log.warning("chore %s failed: %s", chore.name, type(error).__name__)
            chore.failed = type(error).__name__
        else:
            chore.failed = ""
