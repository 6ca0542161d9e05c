"""The table that was looked at last, until it is read: choosing a large file parses it once.

Only looking at a file in the reading process keeps one (:data:`LAST`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.data.readers.expression_table import Table

LIMIT = 1_000_000_000
"""Bytes of values, more are not kept: the next question may need the room."""


class TableSlot:
    """Not for several threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._keeping = False
        self._held: tuple[Hashable, Table] | None = None

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Within it the table that is read is kept; the one before is given up."""
        self._held, self._keeping = None, True
        try:
            yield
        finally:
            self._keeping = False

    def offer(self, mark: Hashable, table: Table) -> None:
        """Keep it, if a file is looked at. mark : what decides what is read."""
        if self._keeping and table.values.nbytes <= self._limit:
            self._held = mark, table

    def take(self, mark: Hashable) -> Table | None:
        """The table of this mark, which is then kept no longer; None if it is not here."""
        if self._held is None or self._held[0] != mark:
            return None
        (_, table), self._held = self._held, None
        return table


LAST = TableSlot()
"""Of this process."""
