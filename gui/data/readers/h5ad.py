"""Reads files of single cells or samples: AnnData (``.h5ad``, ``.h5mu``, zarr stores), loom and
h5Seurat. Cells x genes in, genes x columns out.

Only what is chosen is read; sparse stays sparse.

anndata, h5py, zarr and scipy are imported inside the functions: they cost seconds and the window
needs none of them to start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix
from gui.data.readers.anndata_file import anndata_hdf5
from gui.data.readers.cell_file import AXES, CellFile, Format, matrix_words
from gui.data.readers.forecast import Forecast, check_room, forecast
from gui.data.readers.h5ad_annotations import (
    expression_features,
    gene_table,
    left_out_message,
    likely_label,
    obs_columns,
    proposed_label_column,
    symbol_column,
)
from gui.data.readers.h5ad_frames import SAVE_AS_TEXT, table_of
from gui.data.readers.h5file import opened
from gui.data.readers.h5seurat import h5seurat_file, is_h5seurat
from gui.data.readers.hdf5_matrix import Stored, boolean_said, read_values
from gui.data.readers.labels import LABEL_NAMES, label_values, plain
from gui.data.readers.loom import is_loom, loom_file
from gui.data.readers.matrix_choice import looks_of, proposed_matrix
from gui.data.readers.options import CellChoice
from gui.data.readers.r_file import is_r_file, opened_r
from gui.data.readers.textfile import UNSEEN
from gui.data.readers.zarr_store import is_zarr, opened_zarr
from gui.errors import NoLabels, UnreadableFile
from gui.text import some

_SAVE_OR_TABLE = f"{SAVE_AS_TEXT} Or choose a table of cell labels as a second file."


@dataclass(frozen=True, eq=False)
class H5adInfo:
    """What is in the file, without its values.

    n_obs, n_genes : size of the proposed matrix; obs : column -> number of distinct values
    label_column : the proposed column of cell types or None; matrices : "X", "raw", "layer:NAME"
        that can be read; matrix : the proposed one
    var_columns : columns of var; genes_column : the one with gene symbols, where the index holds
        Ensembl IDs or numbers
    likely : what a sample of each matrix looks like: "counts", "linear", "log", "scaled",
        "detected", "nothing"
    label_said : a sentence on the proposed label column where another one could have been meant
    unreadable : columns of obs that are not in ``obs`` because they cannot be read -> why
    format : of the file
    """

    n_obs: int
    n_genes: int
    obs: dict[str, int]
    label_column: str | None
    matrices: tuple[str, ...]
    matrix: str
    var_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    genes_column: str | None = None
    likely: dict[str, str] = field(default_factory=dict)
    forecast: Forecast | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    label_said: str = ""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    format: Format = "h5ad"

    @property
    def obs_name(self) -> str:
        """What the format calls the table of the cells."""
        return AXES[self.format][0]

    @property
    def var_name(self) -> str:
        """What the format calls the table of the genes."""
        return AXES[self.format][1]


@dataclass(frozen=True, eq=False)
class H5adPart:
    """matrix : genes x cells or samples (columns = obs_names); obs : the chosen columns, one row
    per column of matrix.

    var : columns of var, one row per gene of matrix ("index" holds the index where another column
    gave the names)
    """

    matrix: Matrix
    obs: pd.DataFrame
    var: pd.DataFrame
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)


def inspect_h5ad(path: Path, name: str | None = None) -> H5adInfo:
    """What the file offers. Raises UnreadableFile or UnsafeFile."""
    name = name or path.name
    with _opened(path, name) as file:
        return _info(file, name)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[CellFile]:
    if path.is_file() and is_r_file(path, name):
        with opened_r(path, name) as cells:
            yield cells
        return
    if is_zarr(path, name):
        with opened_zarr(path, name) as cells:
            yield cells
        return
    with opened(path, name) as file:
        if is_h5seurat(file):
            yield h5seurat_file(file, name)
        elif is_loom(file):
            yield loom_file(file, name)
        else:
            yield anndata_hdf5(file, name)


def read_h5ad(
    path: Path,
    name: str | None = None,
    *,
    matrix: str | None = None,
    obs: tuple[str, ...] = (),
    genes_column: str | None = None,
    label: str | None = None,
    labels: np.ndarray | None = None,
    cells: CellChoice | None = None,
    genes: Collection[str] | None = None,
) -> H5adPart:
    """Read one matrix and the columns ``obs``.

    matrix : "X", "raw" or "layer:NAME"; None takes the proposed one
    cells : which cells, by the labels in the column ``label`` or by ``labels`` (one per cell);
        genes : only these, where any of them occurs Raises UnreadableFile, UnsafeFile, TooLarge, or
        NoLabels if a column of ``obs`` does not exist.
    """
    name = name or path.name
    with _opened(path, name) as file:
        info = _info(file, name)
        chosen = matrix or info.matrix
        if chosen not in info.matrices:
            raise UnreadableFile(
                f"{name} holds no matrix {chosen}; there are {', '.join(info.matrices)}."
            )
        missing = [c for c in obs if c not in info.obs]
        if broken := [c for c in missing if c in info.unreadable]:
            raise NoLabels(f"{name}: {info.unreadable[broken[0]]}", advice=_SAVE_OR_TABLE)
        if missing:
            raise NoLabels(
                f"{name} has no column {missing[0]} in {file.obs_name}.",
                advice=columns_advice(info),
            )
        table = table_of(file.obs, tuple(dict.fromkeys((*obs, *([label] if label else [])))))
        var, options = gene_table(file, chosen, genes_column, name), {"matrix": chosen}
        values = file.matrices[chosen]
        if values.shape != (len(table), len(var)):
            raise UnreadableFile(
                f"{name} is damaged: its matrix {chosen} does not fit the numbers of genes and"
                " cells."
            )
        notes, traits = list(info.notes), dict(info.traits)
        if not all(str(gene).isascii() for gene in var.index):
            seen = pd.Index([str(gene).translate(UNSEEN) for gene in var.index], dtype=object)
            if changed := int((seen != var.index).sum()):
                notes.append(f"Invisible characters in {changed} gene names were removed.")
                traits["genes-stripped"] = notes[-1]
                var = var.set_axis(seen)
        if chosen != file.main:
            notes.append(f"The values were taken from {matrix_words(chosen)}.")
            traits["matrix"] = notes[-1]
        if values.dtype.kind == "b":
            traits["boolean"] = boolean_said(name)
        at = None
        if cells is not None:
            by = (
                labels
                if labels is not None
                else label_values(table[label])
                if label
                else np.full(len(table), "")
            )
            at = cells.positions(by)
            notes.append(f"{len(at)} of {len(table)} cells were read: {describe(cells)}.")
            options["cells"] = cells.model_dump()  # type: ignore[assignment]
        places = expression_features(file, chosen, var)
        if places is not None:
            said = left_out_message(file, chosen, var, places)
            notes.append(said)
            traits["features-left-out"] = said
        if genes is not None:
            wanted = np.flatnonzero(var.index.isin(set(genes)))
            wanted = wanted if places is None else np.intersect1d(wanted, places)
            if 0 < len(wanted) < (len(var) if places is None else len(places)):
                places = wanted
                notes.append(
                    f"{len(wanted)} of {len(var)} genes were read: those that the other files have"
                    " too."
                )
        check_room(
            values.bytes_of(
                len(table) if at is None else len(at), None if places is None else len(places)
            ),
            name,
        )
        found = read_values(values, name, at, places)
        table, var = (
            table if at is None else table.iloc[at],
            var if places is None else var.iloc[places],
        )
        columns = pd.Index(table.index.astype(str), name=None)
        if genes_column:
            options["genes_column"] = genes_column
            notes.append(
                f"The gene names were taken from the column {genes_column} of {file.var_name}."
            )
        return H5adPart(
            Matrix(found, var.index, columns),
            table.loc[:, list(obs)].copy(),
            var,
            options,
            tuple(notes),
            traits,
        )


def describe(cells: CellChoice) -> str:
    """at most 500 of each type (seed 1), of T and B."""
    most = (
        f"at most {cells.per_label} of each type (seed {cells.seed})" if cells.per_label else "all"
    )
    return most + (
        ", of"
        f" {', '.join(label[:40] for label in cells.keep[:5])}"
        f"{' and others' if len(cells.keep) > 5 else ''}"
        if cells.keep
        else ""
    )


def preview_h5ad(
    path: Path, name: str | None = None, *, matrix: str, rows: int, columns: int
) -> pd.DataFrame:
    """The first genes x cells of one matrix; only these are read.

    Raises UnreadableFile or UnsafeFile.
    """
    name = name or path.name
    with _opened(path, name) as file:
        values = file.matrices[matrix]
        genes = file.var_of(matrix).index()[:rows]
        cells = file.obs.index()[:columns]
        corner = read_values(
            values,
            name,
            np.arange(min(columns, values.shape[0])),
            np.arange(min(rows, values.shape[1])),
        )
        return pd.DataFrame(
            np.asarray(
                corner if isinstance(corner, np.ndarray) else corner.toarray(), dtype=np.float64
            ),
            index=genes,
            columns=cells,
        )


def gene_names(
    path: Path, name: str, matrix: str | None = None, genes_column: str | None = None
) -> pd.Index:
    """Only the gene names. Raises UnreadableFile or UnsafeFile."""
    with _opened(path, name) as file:
        chosen = matrix or file.first
        var = gene_table(file, chosen, genes_column, name)
        places = expression_features(file, chosen, var)
        return var.index if places is None else var.index[places]


def cell_names(path: Path, name: str) -> pd.Index:
    """Only the names of the cells. Raises UnreadableFile or UnsafeFile."""
    with _opened(path, name) as file:
        return file.obs.index()


def label_column_among(columns: tuple[str, ...]) -> str | None:
    """The first that is called as columns of cell types usually are."""
    return next((c for c in columns if plain(c) in LABEL_NAMES), None)


def no_labels(info: H5adInfo, name: str) -> NoLabels:
    """The error for single cells without labels, in words that fit this file."""
    inside = label_column_among(info.var_columns)
    if inside:
        return NoLabels(
            f"{name} has no cell types in {info.obs_name}, but a column {inside} in"
            f" {info.var_name}: genes and cells seem to be exchanged.",
            advice="Transpose the data (adata.T), save it again and choose that file.",
        )
    broken = likely_label(info.unreadable) or (
        next(iter(info.unreadable), None) if not info.obs else None
    )
    if broken:
        return NoLabels(f"{name}: {info.unreadable[broken]}", advice=_SAVE_OR_TABLE)
    if not info.obs:
        return NoLabels(
            f"{name} has no annotation of its cells (no column in {info.obs_name}), so the"
            " cell types are unknown.",
            advice=(
                f"Add a column of cell types to {info.obs_name} and save the file again, or"
                " choose a separate table of cell labels."
            ),
        )
    return NoLabels(
        f"{name}: it is not clear which column of {info.obs_name} holds the cell types.",
        advice=columns_advice(info),
    )


def columns_advice(info: H5adInfo) -> str:
    names = list(info.obs)
    return (
        f"Choose one of these columns: {some(names, 8)}."
        if names
        else f"Add the column to {info.obs_name} and save the file again."
    )


def _info(file: CellFile, name: str) -> H5adInfo:
    looks = looks_of(file)
    proposed, said = proposed_matrix(file, looks)
    traits = dict(file.traits) | said
    columns, unreadable = obs_columns(file)
    label = proposed_label_column(columns, unreadable)
    values = file.matrices[proposed]
    return H5adInfo(
        *values.shape,
        {name: column.count for name, column in columns.items()},
        label.name if label else None,
        tuple(file.matrices),
        proposed,
        tuple(file.var.names()),
        tuple(traits.values()),
        symbol_column(file, proposed),
        looks,
        _forecast(values, columns[label.name].sizes if label else None),
        traits,
        label.said if label else "",
        unreadable,
        file.format,
    )


def _forecast(values: Stored, counts: np.ndarray | None) -> Forecast:
    packed = 4.0 if getattr(values.data, "compression", "zarr") else 1.0
    return forecast(
        values.bytes_of, values.shape[0], counts, packed * values.count * values.dtype.itemsize
    )
