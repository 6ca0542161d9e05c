"""What the program has to say by itself, in every tab that is open: for a while, not too much of
it, and to a new tab only what its browser has not seen.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LASTING = 3600.0
"""Seconds after which it is no longer said."""
MOST = 20
"""The newest ones; the others are dropped."""


@dataclass(eq=False)
class _Said:
    number: int
    text: str
    when: float
    seen: set[str] = field(default_factory=set)


class Announcements:
    """clock : seconds, as ``time.time`` counts them"""

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
