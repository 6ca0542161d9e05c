"""Texts that a tab shows before they are saved."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping

from gui.errors import MissingPart

KEPT = 8
"""Previews that were shown and not yet saved, of all tabs."""


class Previews:
    """Files on screen, by a token that only their tab knows: the page never sends back what is
    saved.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, Mapping[str, str]] = {}
        self.collecting = threading.Lock()
        """Held while a preview is made, where one at a time is enough."""

    def keep(self, files: Mapping[str, str]) -> str:
        """files : name -> text; returns the token"""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._files[token] = files
            while len(self._files) > KEPT:
                del self._files[next(iter(self._files))]
        return token

    def get(self, token: str | None) -> Mapping[str, str]:
        """MissingPart if it is not kept any more."""
        with self._lock:
            found = self._files.get(token or "")
        if found is None:
            raise MissingPart(
                "This support bundle is not there any more.",
                advice="Close the dialog and open it again.",
            )
        return found
