"""Reads the rows of a table of text with pandas' C parser; those of a large one in pieces.

Read as a whole, a text is in memory many times over while it is parsed (measured: 500 MB took
4.5 GB). In pieces it is there once, beside the numbers.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from gui.data.readers.layout import MISSING, WANTED, Layout
from gui.data.readers.plain_columns import plain_columns
from gui.data.readers.textfile import after_lines
from gui.errors import UnreadableFile

LARGE = 50_000_000
"""Characters from which on a table is read in pieces."""
PIECE = 4_000_000
"""Entries that are parsed at once."""


def rows_of_text(text: str, layout: Layout, decimal: str, name: str) -> pd.DataFrame:
    """Everything below the header; the first columns are text, the others numbers where pandas
    finds nothing else.

    Raises
    ------
    UnreadableFile
        A line has another number of columns.
    MemoryError
        There is not enough for it.
    """
    begin = after_lines(text, layout.skip)
    try:
        # lines longer than the header: pandas would leave the rest out
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            if len(text) >= LARGE:
                found = _plain(text, begin, layout, decimal)
                if found is None:
                    found = _in_pieces(text, begin, layout, decimal)
                if found is not None:
                    return found
            return pd.read_csv(_Slices(text, begin), **_options(layout, decimal))
    except pd.errors.ParserWarning:
        raise UnreadableFile(
            f"{name} is not a table: its lines have more columns than its header.", advice=WANTED
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        found = re.search(r"line (\d+)", str(error))
        what = (
            f"is not a table: line {int(found.group(1)) + layout.skip} has another number of"
            " columns"
            if found
            else "is damaged or not a table"
        )
        raise UnreadableFile(f"{name} {what}.", advice=WANTED) from None


def _options(layout: Layout, decimal: str) -> dict[str, Any]:
    wanted = range(len(layout.header))
    return {
        "sep": layout.delimiter,
        "header": None,
        "index_col": False,
        "names": list(wanted),
        "dtype": dict.fromkeys(wanted[: layout.texts], str),
        "decimal": decimal if decimal != layout.delimiter else ".",
        # a gene may well be called NA
        "na_values": dict.fromkeys(wanted[layout.texts :], MISSING),
        "keep_default_na": False,
        "skipinitialspace": layout.delimiter == " ",
        "float_precision": "round_trip",
        "low_memory": False,
    }


class _Slices(io.TextIOBase):
    """A text as a file, without the copy of four bytes a character that StringIO makes."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> str:
        end = len(self._text) if size is None or size < 0 else self._at + size
        found = self._text[self._at : end]
        self._at += len(found)
        return found

    def __next__(self) -> str:  # type: ignore[override]  # of text files it is text
        end = self._text.find("\n", self._at) + 1 or len(self._text)
        if self._at == end:
            raise StopIteration
        return self.read(end - self._at)


def _plain(text: str, begin: int, layout: Layout, decimal: str) -> pd.DataFrame | None:
    """One column of names and otherwise plain numbers, in a fraction of the time.

    None where it is not so.
    """
    width = len(layout.header)
    if layout.texts != 1 or decimal != ".":
        return None
    numbers = np.empty((width - 1, text.count("\n", begin) + 1))
    names: list[str] = []
    while begin < len(text):
        # whole lines of about a piece, at least one
        end = text.find("\n", min(len(text), begin + 2 * PIECE)) + 1 or len(text)
        found = plain_columns(text[begin:end], layout.delimiter, width, 0, range(1, width))
        if found is None:
            return None
        numbers[:, len(names) : len(names) + len(found[0])] = found[1]
        names += found[0]
        begin = end
    columns: dict[int, Any] = {0: np.array(names, dtype=object)}
    columns |= {i + 1: column[: len(names)] for i, column in enumerate(numbers)}
    return pd.DataFrame(columns, copy=False)


def _in_pieces(text: str, begin: int, layout: Layout, decimal: str) -> pd.DataFrame | None:
    """As read at once, number by number.

    None where a column holds numbers in one piece and text in another: only the whole tells what
    it is, or what is wrong with it.
    """
    width = len(layout.header)
    at_most = text.count("\n", begin) + 1
    numbers: np.ndarray | None = None
    texts: dict[int, list[np.ndarray]] = {}
    numeric: list[int] = []
    at = 0
    rows = max(1, PIECE // width)
    with pd.read_csv(_Slices(text, begin), chunksize=rows, **_options(layout, decimal)) as reader:
        for piece in reader:
            kinds = [kind.kind for kind in piece.dtypes]
            if numbers is None:
                numeric = [i for i, kind in enumerate(kinds) if kind in "iuf"]
                texts = {i: [] for i in range(width) if kinds[i] not in "iuf"}
                numbers = np.empty((len(numeric), at_most))
            if any(kinds[i] not in "iuf" for i in numeric):
                return None
            end = at + len(piece)
            numbers[:, at:end] = piece.iloc[:, numeric].to_numpy(dtype=np.float64).T
            for i, found in texts.items():
                if kinds[i] != "O" and not piece[i].isna().all():
                    return None
                found.append(piece[i].to_numpy(dtype=object))
            at = end
    if numbers is None:
        return None
    columns: dict[int, np.ndarray] = dict(zip(numeric, numbers[:, :at], strict=True))
    columns |= {i: np.concatenate(found) for i, found in texts.items()}
    return pd.DataFrame({i: columns[i] for i in range(width)}, copy=False)
