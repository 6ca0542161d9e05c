"""Files in a browser: what is saved becomes a download."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dash import set_props
from flask import g

from gui.caller import browser_id
from gui.errors import DeconomixError
from gui.files import FileKind, safe_name, with_suffix

DOWNLOAD = "/_dcx/download/"
NOT_KEPT = (
    "This file is no longer kept: it was fetched before, waited too long, or newer ones took its"
    " place. Save it again."
)


class BrowserFiles:
    """In a browser: saving is a download; files arrive through the upload route."""

    native = False

    def __init__(self) -> None:
        self.downloads = Downloads()

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        return []

    def folder(self, title: str) -> Path | None:
        return None

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        return self.save_all([(name, data)], kind)

    def save_all(self, items: Sequence[tuple[str, bytes]], kind: FileKind) -> str | None:
        given = [(with_suffix(safe_name(name), kind), data) for name, data in items]
        if not given:
            return None
        # dash keeps the last set_props of a property only: one list holds what all calls of this
        # callback gave.
        self.downloads.check(sum(len(data) for _, data in given), len(given))
        listed: list[dict[str, str]] = g.setdefault("dcx_downloads", [])
        listed += [
            {
                "url": f"{DOWNLOAD}{self.downloads.offer(name, data, browser=browser_id())}",
                "name": name,
            }
            for name, data in given
        ]
        set_props("dcx-download", {"data": list(listed)})
        return (
            f"{given[0][0]} is in your downloads folder."
            if len(given) == 1
            else f"{len(given)} files are in your downloads folder."
        )


@dataclass(frozen=True)
class Download:
    """A file on its way to one browser, until ``expires`` (of ``time.monotonic``)."""

    name: str
    data: bytes
    browser: str
    expires: float


class Downloads:
    """Files on their way out, in memory only: each is fetched once, by the browser it is for, or
    forgotten after ``lifetime`` seconds.

    Thread-safe.

    total, per_browser : bytes that may wait, of all and of one browser. Beyond it the oldest go
    first; the newest stays in any case.
    """

    def __init__(
        self, lifetime: float = 600.0, *, total: int = 600_000_000, per_browser: int = 200_000_000
    ) -> None:
        self._lifetime, self._total, self._per_browser = lifetime, total, per_browser
        self._lock = threading.Lock()
        self._waiting: dict[str, Download] = {}
        self._timer: threading.Timer | None = None

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def offer(self, name: str, data: bytes, *, browser: str) -> str:
        """Keep the file; returns the token that :meth:`take` asks for."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._drop_expired()
            self._waiting[token] = Download(name, data, browser, time.monotonic() + self._lifetime)
            self._drop_oldest(
                [t for t, item in self._waiting.items() if item.browser == browser],
                self._per_browser,
            )
            self._drop_oldest(list(self._waiting), self._total)
            self._watch()
        return token

    def check(self, size: int, number: int) -> None:
        """DeconomixError: so many files of ``size`` bytes together do not fit, the first would be
        gone before they can be fetched.
        """
        if number > 1 and size > self._per_browser:
            words = (
                f"These {number} files have {size // 1_000_000} MB together; at most"
                f" {self._per_browser // 1_000_000} MB can be downloaded at once."
            )
            raise DeconomixError(words, advice="Save fewer of them at once.")

    @property
    def size(self) -> int:
        """Bytes that wait."""
        with self._lock:
            return sum(len(item.data) for item in self._waiting.values())

    def _drop_oldest(self, tokens: list[str], budget: int) -> None:
        """Of these, oldest first, until they fit into the budget or only the newest is left."""
        size = sum(len(self._waiting[token].data) for token in tokens)
        for token in tokens[:-1]:
            if size <= budget:
                return
            size -= len(self._waiting.pop(token).data)

    def take(self, token: str, *, browser: str) -> Download | None:
        """The file, which is not kept any longer; None: fetched before, expired, or another
        browser's (whose file stays).
        """
        with self._lock:
            self._drop_expired()
            found = self._waiting.get(token)
            if found is None or found.browser != browser:
                return None
            return self._waiting.pop(token)

    def _drop_expired(self) -> None:
        now = time.monotonic()
        self._waiting = {token: item for token, item in self._waiting.items() if item.expires > now}

    def _watch(self) -> None:
        """Drop what nobody fetches even if nobody ever asks again: it may be large, or of a
        protected session.
        """
        if self._timer is None and self._waiting:
            self._timer = threading.Timer(self._lifetime, self._late)
            self._timer.daemon = True
            self._timer.start()

    def _late(self) -> None:
        with self._lock:
            self._timer = None
            self._drop_expired()
            self._watch()
