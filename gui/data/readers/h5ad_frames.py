"""obs and var of an ``.h5ad`` file, of any anndata version: only the columns that are wanted are
read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.errors import UnreadableFile
from gui.text import number

if TYPE_CHECKING:
    import h5py


SAVE_AS_TEXT = "Convert the file again, and save this column as text."


def column_names(item: Any) -> list[str]:
    """Of obs or var, of any anndata version."""
    import h5py

    if isinstance(item, h5py.Dataset):
        return [n for n in item.dtype.names or () if n != index_name(item)]
    order = [_text(c) for c in item.attrs.get("column-order", ())]
    return [
        c for c in (order or item) if c != index_name(item) and c != "__categories" and c in item
    ]


def index_name(item: Any) -> str:
    import h5py

    if isinstance(item, h5py.Dataset):
        names: tuple[str, ...] = item.dtype.names
        return "index" if "index" in names else names[0]
    return _text(item.attrs.get("_index", "_index"))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def index_of(file: h5py.File, key: str) -> pd.Index:
    found = table_of(file, key, ()).index.astype(str)
    return pd.Index(found, dtype=object, name=None)


def column_of(file: h5py.File, key: str, column: str) -> pd.Series:
    """One column of obs or var without the index, which need not be read again for each."""
    _check_flat(file[key], (column,), key)
    return pd.Series(_one(file, key, column))


def _check_flat(item: Any, wanted: tuple[str, ...], key: str) -> None:
    import h5py

    if not isinstance(item, h5py.Dataset) and any(
        isinstance(item[c], h5py.Dataset) and item[c].ndim != 1 for c in wanted
    ):
        raise UnreadableFile(f"{key} holds more than one value per row.")


def table_of(file: h5py.File, key: str, wanted: tuple[str, ...]) -> pd.DataFrame:
    """The index and some columns of obs or var; the others are not read."""
    item = file[key]
    index = pd.Index([_text(v) for v in _one(file, key, index_name(item))], dtype=object)
    _check_flat(item, wanted, key)
    return pd.DataFrame(
        {c: pd.Series(_one(file, key, c), index=index) for c in wanted}, index=index
    )


def _one(file: h5py.File, key: str, column: str) -> Any:
    """One column of obs or var."""
    import h5py

    item = file[key]
    # anndata 0.6: one compound array; categories stand in uns as NAME_categories
    if isinstance(item, h5py.Dataset):
        values = item[column]
        names = file.get(f"uns/{column}_categories") if key == "obs" else None
    else:
        entry = item[column]
        names = item["__categories"].get(column) if "__categories" in item else None  # anndata 0.7
        if names is None and (isinstance(entry, h5py.Group) or "encoding-type" in entry.attrs):
            return _encoded(entry)
        values = entry[()]
    if names is not None and values.dtype.kind in "iu":
        return _categorical(values, [_text(v) for v in np.atleast_1d(names[()])], column)
    return (
        np.array([_text(v) for v in values], dtype=object) if values.dtype.kind in "OS" else values
    )


def _categorical(codes: Any, names: Any, column: str, ordered: bool = False) -> pd.Categorical:
    """The categorical of these codes, counted from 0; -1 is a missing value."""
    codes = np.asarray(codes)
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise UnreadableFile(f"The column {column} does not say which category each row has.")
    wrong = codes[(codes < -1) | (codes >= len(names))]
    if len(wrong):
        raise UnreadableFile(
            f"In the column {column}, {number(len(wrong))} of {number(len(codes))} rows have a"
            f" category number, such as {int(wrong[0])}, for which the file has no name:"
            f" {number(len(names))} categories are named, counted from 0.",
            advice=SAVE_AS_TEXT,
        )
    if not pd.Index(names).is_unique or pd.isna(pd.Index(names)).any():
        raise UnreadableFile(
            f"In the column {column}, a category is named twice or not at all.",
            advice=SAVE_AS_TEXT,
        )
    return pd.Categorical.from_codes(codes.astype(np.int64), names, ordered=ordered)


def _encoded(entry: Any) -> Any:
    """One column as anndata 0.8 and later write it, with the values that anndata reads.

    The specification: https://anndata.readthedocs.io/en/stable/fileformat-prose.html. anndata
    itself takes 0.6 s of CPU and 30 MB to import (dask, zarr): only columns of other kinds need
    it.
    """
    kind = (
        _text(entry.attrs.get("encoding-type", "")),
        _text(entry.attrs.get("encoding-version", "")),
    )
    if kind == ("categorical", "0.2.0"):
        codes, categories = entry["codes"][()], _encoded(entry["categories"])
        ordered = bool(entry.attrs["ordered"])
        return _categorical(codes, categories, _text(entry.name).rpartition("/")[2], ordered)
    if kind == ("array", "0.2.0"):
        return np.asarray(entry[()])
    if kind == ("string-array", "0.2.0"):
        return np.asarray(entry.asstr()[()])
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


def is_flat(item: Any, column: str) -> bool:
    """One value per row."""
    import h5py

    return (
        isinstance(item, h5py.Dataset)
        or isinstance(item[column], h5py.Group)
        or item[column].ndim == 1
    )


def is_text(file: h5py.File, key: str, column: str) -> bool:
    import h5py

    item = file[key]
    if isinstance(item, h5py.Dataset):
        return bool(item.dtype[column].kind in "OS")
    entry = item[column]
    if isinstance(entry, h5py.Group):
        return _text(entry.attrs.get("encoding-type", "")) in (
            "categorical",
            "nullable-string-array",
        )
    return bool(
        entry.ndim == 1
        and (
            entry.dtype.kind in "OS" or ("__categories" in item and column in item["__categories"])
        )
    )
