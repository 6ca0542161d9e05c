"""Tables about cells or genes in a file: obs and var of any anndata version, and the interface that
those of other formats have too. Only the columns that are wanted are read.

The arrays and groups may be those of h5py or of zarr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from gui.errors import UnreadableFile
from gui.text import number

SAVE_AS_TEXT = "Convert the file again, and save this column as text."


class Frame(Protocol):
    """A table in a file, one row per cell or gene."""

    def names(self) -> list[str]:
        """Of the columns, without the index."""

    def index(self) -> pd.Index:
        """Of the rows, as text."""

    def column(self, name: str) -> Any:
        """The values of one column. Raises UnreadableFile."""

    def is_flat(self, name: str) -> bool:
        """Whether a column has one value per row."""

    def is_text(self, name: str) -> bool:
        """Whether a column holds text or categories."""


def is_array(item: Any) -> bool:
    """Whether an item of an HDF5 file or a zarr store is an array, and no group."""
    return hasattr(item, "dtype")


@dataclass(frozen=True, eq=False)
class AnnDataFrame:
    """obs or var. item : the group, or the compound array of anndata 0.6; uns : where that version
    keeps the names of categories.
    """

    item: Any
    uns: Mapping[str, Any] = field(default_factory=dict)

    def names(self) -> list[str]:
        own = index_name(self.item)
        if is_array(self.item):
            return [n for n in self.item.dtype.names or () if n != own]
        order = [text_of(c) for c in self.item.attrs.get("column-order", ())]
        return [
            c for c in (order or self.item) if c != own and c != "__categories" and c in self.item
        ]

    def index(self) -> pd.Index:
        values = _one(self.item, self.uns, index_name(self.item))
        return pd.Index([text_of(v) for v in values], dtype=object)

    def column(self, name: str) -> Any:
        return _one(self.item, self.uns, name)

    def is_flat(self, name: str) -> bool:
        return is_array(self.item) or not is_array(self.item[name]) or self.item[name].ndim == 1

    def is_text(self, name: str) -> bool:
        if is_array(self.item):
            return bool(self.item.dtype[name].kind in _TEXT)
        entry = self.item[name]
        if not is_array(entry):
            kind = text_of(entry.attrs.get("encoding-type", ""))
            return kind in ("categorical", "nullable-string-array")
        old = "__categories" in self.item and name in self.item["__categories"]
        return bool(entry.ndim == 1 and (entry.dtype.kind in _TEXT or old))


_TEXT = "OSUT"
"""Kinds of NumPy's types that are text; T is that of variable-length strings (zarr)."""


def index_name(item: Any) -> str:
    if is_array(item):
        names: tuple[str, ...] = item.dtype.names
        return "index" if "index" in names else names[0]
    return text_of(item.attrs.get("_index", "_index"))


def text_of(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def texts_of(values: Any) -> Any:
    """An array of bytes or strings as one of text; numbers as they are."""
    return (
        np.array([text_of(v) for v in values], dtype=object)
        if values.dtype.kind in _TEXT
        else values
    )


def column_of(frame: Frame, column: str) -> pd.Series:
    """One column without the index, which need not be read again for each."""
    return pd.Series(_flat(frame, column))


def table_of(frame: Frame, wanted: tuple[str, ...]) -> pd.DataFrame:
    """The index and some columns; the others are not read."""
    index = frame.index()
    return pd.DataFrame({c: pd.Series(_flat(frame, c), index=index) for c in wanted}, index=index)


def _flat(frame: Frame, column: str) -> Any:
    if not frame.is_flat(column):
        raise UnreadableFile(f"The column {column} holds more than one value per row.")
    return frame.column(column)


def _one(item: Any, uns: Mapping[str, Any], column: str) -> Any:
    """One column of obs or var."""
    # anndata 0.6: one compound array; categories stand in uns as NAME_categories
    if is_array(item):
        values = item[column]
        names = uns.get(f"{column}_categories")
    else:
        entry = item[column]
        names = item["__categories"].get(column) if "__categories" in item else None  # anndata 0.7
        if names is None and (not is_array(entry) or "encoding-type" in entry.attrs):
            return _encoded(entry)
        values = entry[()]
    if names is not None and values.dtype.kind in "iu":
        return categorical(values, [text_of(v) for v in np.atleast_1d(names[()])], column)
    return texts_of(values)


def categorical(
    codes: Any, names: Any, column: str, ordered: bool = False, first: int = 0
) -> pd.Categorical:
    """The categorical of these codes, counted from ``first``; the number before is a missing
    value.
    """
    codes = np.asarray(codes)
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise UnreadableFile(f"The column {column} does not say which category each row has.")
    wrong = codes[(codes < first - 1) | (codes >= first + len(names))]
    if len(wrong):
        raise UnreadableFile(
            f"In the column {column}, {number(len(wrong))} of {number(len(codes))} rows have a"
            f" category number, such as {int(wrong[0])}, for which the file has no name:"
            f" {number(len(names))} categories are named, counted from {first}.",
            advice=SAVE_AS_TEXT,
        )
    if not pd.Index(names).is_unique or pd.isna(pd.Index(names)).any():
        raise UnreadableFile(
            f"In the column {column}, a category is named twice or not at all.",
            advice=SAVE_AS_TEXT,
        )
    return pd.Categorical.from_codes(codes.astype(np.int64) - first, names, ordered=ordered)


def _encoded(entry: Any) -> Any:
    """One column as anndata 0.8 and later write it, with the values that anndata reads.

    The specification: https://anndata.readthedocs.io/en/stable/fileformat-prose.html. anndata
    itself takes 0.6 s of CPU and 30 MB to import (dask, zarr): only columns of other kinds need
    it.
    """
    kind = (
        text_of(entry.attrs.get("encoding-type", "")),
        text_of(entry.attrs.get("encoding-version", "")),
    )
    if kind == ("categorical", "0.2.0"):
        codes, categories = entry["codes"][()], _encoded(entry["categories"])
        ordered = bool(entry.attrs["ordered"])
        return categorical(codes, categories, text_of(entry.name).rpartition("/")[2], ordered)
    if kind == ("array", "0.2.0"):
        return np.asarray(entry[()])
    if kind == ("string-array", "0.2.0"):
        return np.asarray(entry.asstr()[()] if hasattr(entry, "asstr") else entry[()]).astype(
            object
        )
    if kind == ("nullable-string-array", "0.1.0"):
        values, missing = _encoded(entry["values"]), _encoded(entry["mask"])
        if missing.dtype != np.bool_ or missing.shape != values.shape:
            raise UnreadableFile("A column of text does not say which of its values are missing.")
        return np.where(missing, np.array(pd.NA, dtype=object), values)
    masked = _MASKED.get(kind)
    if masked is not None:
        return np.asarray(masked(_encoded(entry["values"]), mask=_encoded(entry["mask"])))
    from anndata.io import read_elem

    found = read_elem(entry)
    return found if isinstance(found, pd.Categorical) else np.asarray(found)


_MASKED: dict[tuple[str, str], Any] = {
    ("nullable-integer", "0.1.0"): pd.arrays.IntegerArray,
    ("nullable-boolean", "0.1.0"): pd.arrays.BooleanArray,
}
