"""Files of a window whose dialogs save into memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gui.files import FileKind


class Kept:
    """Saves into memory."""

    native = True

    def __init__(self) -> None:
        self.saved: dict[str, bytes] = {}

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        return []

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        self.saved[name] = data
        return f"{name} is saved."
