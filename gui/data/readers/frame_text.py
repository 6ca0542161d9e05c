"""Tables that come as columns (R's data.frame, Parquet, Feather), as the text that a CSV of the
same data is, so that they are recognised by the same rules.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.data.readers.sniff import way_out
from gui.data.readers.textfile import text_limit
from gui.errors import UnreadableFile
from gui.text import number

PARQUET = "a Parquet file"
FEATHER = "a Feather (Arrow) file"
COLUMN_FILES = (PARQUET, FEATHER)
"""What :func:`gui.data.readers.sniff.looks_like` calls them."""
_BYTES = 8
"""Least bytes of text that a value takes on the average."""


def text_of_frame(frame: pd.DataFrame, name: str) -> str:
    """Tab-separated, the index first where it holds names. Raises UnreadableFile: too large."""
    _check_size(len(frame), len(frame.columns), name)
    named = not isinstance(frame.index, pd.RangeIndex)
    frame = pd.DataFrame(
        {at: _whole(frame.iloc[:, at]) for at in range(len(frame.columns))}, index=frame.index
    ).set_axis(frame.columns, axis=1)
    return str(frame.to_csv(sep="\t", index=named, index_label="", na_rep="NA"))


def _whole(column: pd.Series) -> pd.Series:
    """Whole numbers without a point, as R and spreadsheets write them: an ID of Entrez is 920."""
    if column.dtype.kind != "f":
        return column
    there = column[np.isfinite(column)]
    if not len(there) or (np.abs(there) >= 2**53).any() or (there != np.rint(there)).any():
        return column
    return column if len(there) < len(column) and np.isinf(column).any() else column.astype("Int64")


def _check_size(rows: int, columns: int, name: str) -> None:
    if rows * max(1, columns) * _BYTES > text_limit():
        raise UnreadableFile(
            f"{name} is too large: {number(rows)} rows and {number(columns)} columns.",
            advice="Save it as .h5ad, which needs far less memory.",
        )


def frame_of_arrow(path: Path, name: str, kind: str) -> pd.DataFrame:
    """The table in a Parquet or Feather file, if pyarrow is installed. Raises UnreadableFile."""
    try:
        import pyarrow as arrow
    except ImportError:
        raise UnreadableFile(
            f"{name} is {kind}, which only pyarrow reads; it is not installed.",
            advice=f'{way_out(kind, name)} Or: pip install "deconomix-gui[parquet]".',
        ) from None
    arrow.set_memory_pool(arrow.system_memory_pool())  # the others reserve more than they use
    try:
        return _frame(_table(path, name, kind), name)
    except (arrow.ArrowNotImplementedError, ImportError):
        raise UnreadableFile(
            f"{name} is {kind} of a form or compression that cannot be read here.",
            advice=way_out(kind, name),
        ) from None
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.", advice=way_out(kind, name)
        ) from None
    except (arrow.ArrowException, OSError, ValueError):
        raise UnreadableFile(
            f"{name} is incomplete, or no {kind.removeprefix('a ')} that can be read here.",
            advice=way_out(kind, name),
        ) from None


def _table(path: Path, name: str, kind: str) -> Any:
    if kind == PARQUET:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            _check_size(file.metadata.num_rows, len(file.schema_arrow), name)
            return file.read(use_threads=False)
    from pyarrow import feather

    with warnings.catch_warnings():  # the first version of Feather is deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        return feather.read_table(path, use_threads=False, memory_map=False)


def _frame(table: Any, name: str) -> pd.DataFrame:
    """The columns as written, the index of pandas first; repeated names stay."""
    _check_size(table.num_rows, table.num_columns, name)
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    names = list(table.schema.names)
    first = [names.index(each) for each in index if isinstance(each, str) and each in names]
    order = [*first, *(at for at in range(len(names)) if at not in first)]
    made = {at: _values(table.column(at), names[at], name) for at in order}
    frame = pd.DataFrame(made)
    titles = ["" if names[at].startswith("__index_level_") else names[at] for at in order]
    return frame.set_axis(pd.Index(titles, dtype=object), axis=1)


def _values(column: Any, title: str, name: str) -> Any:
    """Numbers as they are, text and categories as text."""
    import pyarrow as arrow

    kind = column.type
    if arrow.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if arrow.types.is_nested(kind):
        raise UnreadableFile(
            f"{name}: the column {title[:60]} holds more than one value per row.",
            advice="Leave that column out and save the table again.",
        )
    if arrow.types.is_decimal(kind):
        return np.asarray(column.cast(arrow.float64()).to_pandas())
    whole = arrow.types.is_integer(kind)
    if whole and column.null_count:  # whole numbers with gaps stay whole
        return column.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get)
    if whole or arrow.types.is_floating(kind):
        return np.asarray(column.to_pandas())
    return np.asarray(column.to_pandas(), dtype=object)
