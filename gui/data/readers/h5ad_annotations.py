"""What a file says of its cells and genes: gene names, kinds of features, cell types."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.data.readers.cell_file import CellFile
from gui.data.readers.h5ad_frames import column_of, table_of
from gui.data.readers.labels import (
    LabelColumn,
    Look,
    label_values,
    look_of,
    name_rank,
    plain,
    propose_column,
)
from gui.errors import UnreadableFile
from gui.text import number, some

_SYMBOL_NAMES = (
    *(
        "featurename",
        "genesymbol",
        "genesymbols",
        "symbol",
        "symbols",
        "hgncsymbol",
        "genename",
        "genenames",
        "geneshortname",
    ),
    *("externalgenename", "gene", "genes", "name"),
)
"""Usual spellings of a column of gene symbols in var, without case, blanks, dots, dashes and
underscores.
"""
_NO_SYMBOL = re.compile(r"^(ENS[A-Z]*[GT]\d{6,}(\.\d+)?|\d+)$")


def gene_table(file: CellFile, matrix: str, column: str | None, name: str) -> pd.DataFrame:
    """The columns of var, indexed by the gene names ("index" holds the index where another column
    gave the names).
    """
    frame = file.var_of(matrix)
    names = frame.names()
    if column is not None and column not in names:
        raise UnreadableFile(
            f"{name} has no column {column} in {file.var_name}.",
            advice="Choose another column of gene names.",
        )
    kept = [c for c in names if c == column or frame.is_flat(c)]
    table = table_of(frame, tuple(kept))
    if matrix == "raw":
        table = _with_symbols_by_id(file, table, kept)
    if column is not None:
        given = label_values(table[column])
        found = np.array(
            [index if n is None else n for n, index in zip(given, table.index, strict=True)],
            dtype=object,
        )
        table = table.assign(index=table.index).set_axis(pd.Index(found, dtype=object))
    return table


def _with_symbols_by_id(file: CellFile, table: pd.DataFrame, kept: list[str]) -> pd.DataFrame:
    """The genes of raw with the symbols that only var has, by the ID in the index of both."""
    symbols = symbol_column(file, "X")
    if symbols is None:
        return _with_index_of_var(file, table)
    if symbols in kept:
        return table
    by_id = table_of(file.var, (symbols,))[symbols]
    by_id = by_id[~by_id.index.duplicated()].astype(object)
    found = by_id.reindex(table.index)
    if not found.notna().any():
        return table
    return table.assign(**{symbols: np.where(found.isna(), "", found)})


def _with_index_of_var(file: CellFile, table: pd.DataFrame) -> pd.DataFrame:
    """The genes of raw, which have IDs, with the symbols in the index of var, by the IDs beside."""
    if len(table) == 0 or not _NO_SYMBOL.match(str(table.index[0])):
        return table
    for column in file.var.names():
        if not file.var.is_flat(column):
            continue
        ids = table_of(file.var, (column,))[column].astype(object)
        by_id = pd.Series(ids.index, index=ids.astype(str), dtype=object)
        found = by_id[~by_id.index.duplicated()].reindex(table.index.astype(str))
        if 2 * int(found.notna().sum()) > len(table):
            return table.assign(gene_symbol=np.where(found.isna(), "", found))
    return table


_FEATURE_COLUMNS = ("featuretypes", "featuretype", "modality", "type")
_EXPRESSION = frozenset({"geneexpression", "gex", "rna", "expression"})


def expression_features(file: CellFile, matrix: str, var: pd.DataFrame) -> np.ndarray | None:
    """Positions of the genes where other features (antibodies, peaks, guides) are beside them;
    None where there are none.
    """
    kinds = _feature_types(file, matrix, var)
    if kinds is None:
        return None
    genes = np.array([plain(str(kind)) in _EXPRESSION for kind in kinds], dtype=bool)
    return np.flatnonzero(genes) if genes.any() and not genes.all() else None


def _feature_types(file: CellFile, matrix: str, var: pd.DataFrame) -> np.ndarray | None:
    for column in var.columns:
        if plain(str(column)) in _FEATURE_COLUMNS:
            return np.asarray(var[column].astype(object))
    if matrix == "raw":  # as it was set before the features were annotated
        column = next((c for c in file.var.names() if plain(c) in _FEATURE_COLUMNS), None)
        if column is not None and file.var.is_flat(column):
            known = table_of(file.var, (column,))[column].astype(object)
            known = known[~known.index.duplicated()]
            own = var["index"] if "index" in var.columns else var.index
            found = known.reindex(own)
            return np.asarray(found) if found.notna().all() else None
    return None


def left_out_message(file: CellFile, matrix: str, var: pd.DataFrame, places: np.ndarray) -> str:
    kinds = _feature_types(file, matrix, var)
    assert kinds is not None
    others = sorted({str(kind) for kind in np.delete(kinds, places)})
    return (
        f"{number(len(var) - len(places))} features that are no genes ({some(others, 4)}) were left"
        " out."
    )


@dataclass(frozen=True, eq=False)
class ObsColumn:
    """A column of obs. count : different values; sizes : numbers of cells of each, None of very
    many; look : None for measured numbers.
    """

    count: int
    sizes: np.ndarray | None
    text: bool
    look: Look | None


def obs_columns(file: CellFile) -> tuple[dict[str, ObsColumn], dict[str, str]]:
    """Every column of obs that can be read, and why the others cannot; one at a time is in
    memory.
    """
    made: dict[str, ObsColumn] = {}
    unreadable: dict[str, str] = {}
    for column in file.obs.names():
        try:
            values = column_of(file.obs, column)
            found = values.value_counts()
        except UnreadableFile as error:
            unreadable[column] = str(error)
            continue
        except (ValueError, TypeError, KeyError):
            unreadable[column] = f"The column {column} of {file.obs_name} is damaged."
            continue
        found = found[found > 0]
        measured = values.dtype.kind == "b" or (
            values.dtype.kind == "f" and not np.array_equal(found.index, np.rint(found.index))
        )
        sizes = found.to_numpy() if len(found) <= 10_000 else None
        made[column] = ObsColumn(
            len(found),
            sizes,
            values.dtype.kind == "O",
            None if measured else look_of(found.index, int(found.sum())),
        )
    return made, unreadable


def proposed_label_column(
    columns: Mapping[str, ObsColumn], unreadable: Mapping[str, str]
) -> LabelColumn | None:
    """The column of cell types; it says so where another one is more likely by its name, but
    cannot be read.
    """
    looks = {name: column.look for name, column in columns.items() if column.look is not None}
    found = propose_column(
        looks, [name for name, column in columns.items() if column.text and column.count <= 200]
    )
    better = likely_label(unreadable)
    if found is None or better is None or _rank(found.name) < _rank(better):
        return found
    instead = f"{unreadable[better]} The cell types were taken from the column {found.name}."
    return LabelColumn(found.name, " ".join(filter(None, (instead, found.said))))


def likely_label(columns: Collection[str]) -> str | None:
    """The column that by its name holds cell types, if there is one."""
    return min((c for c in columns if name_rank(c) is not None), key=_rank, default=None)


def _rank(column: str) -> float:
    rank = name_rank(column)
    return math.inf if rank is None else rank


def symbol_column(file: CellFile, matrix: str) -> str | None:
    """The column of gene symbols, if the index holds none."""
    frame = file.var_of(matrix)
    index = frame.index()[:200]
    if not len(index) or sum(bool(_NO_SYMBOL.match(g)) for g in index) < 0.5 * len(index):
        return None
    texts = [c for c in frame.names() if frame.is_text(c)]
    return next((c for wanted in _SYMBOL_NAMES for c in texts if plain(c) == wanted), None)
