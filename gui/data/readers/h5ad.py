"""Reads AnnData files (``.h5ad``): cells or samples x genes in, genes x columns out.

Only what is chosen is read; sparse stays sparse.

anndata, h5py and scipy are imported inside the functions: they cost seconds and the window needs
none of them to start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix
from gui.data.readers.forecast import Forecast, check_room, forecast
from gui.data.readers.h5ad_annotations import (
    expression_features,
    gene_table,
    left_out_message,
    likely_label,
    obs_columns,
    proposed_label_column,
    symbol_column,
    var_key,
)
from gui.data.readers.h5ad_frames import (
    SAVE_AS_TEXT,
    column_names,
    index_of,
    table_of,
)
from gui.data.readers.h5file import check_own, opened
from gui.data.readers.hdf5_matrix import (
    Stored,
    boolean_said,
    likely,
    read_values,
    sample,
    shape_of,
    stored,
)
from gui.data.readers.labels import (
    LABEL_NAMES,
    label_values,
    plain,
)
from gui.data.readers.options import CellChoice
from gui.errors import NoLabels, UnreadableFile, UnsafeFile
from gui.text import number, some

if TYPE_CHECKING:
    import h5py

_COUNT_LAYERS = ("counts", "count", "raw_counts", "raw", "umi", "umis", "tpm")
_FORMAT = 0
"""Of anndata's files, the first number: every version up to 0.13 writes 0.1.0."""
_RANK = {"counts": 0, "linear": 1, "log": 2, "scaled": 3, "detected": 4, "nothing": 5}
_SAVE_OR_TABLE = f"{SAVE_AS_TEXT} Or choose a table of cell labels as a second file."
_FAULT = {
    "scaled": "holds negative values, as scaled data do",
    "log": "holds no whole numbers and no large ones, as log-transformed data do",
    "detected": "only says whether a gene was detected",
    "nothing": "holds only zeros",
}


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


_MODALITIES = ("rna", "gex", "gene expression", "expression", "scrna", "rna-seq", "mrna")
"""Names of the part with genes in a MuData file."""


@contextmanager
def _opened(path: Path, name: str) -> Iterator[h5py.File]:
    """An open AnnData file, or the part with genes of a MuData file (.h5mu)."""
    with opened(path, name) as file:
        yield _with_genes(file, name)


def _with_genes(file: h5py.File, name: str) -> Any:
    import h5py

    if "mod" not in file or "X" in file or file.get("mod", getclass=True) is not h5py.Group:
        return file
    if isinstance(file.get("mod", getlink=True), h5py.ExternalLink):
        raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
    parts = {
        str(key): file["mod"][key]
        for key in list(file["mod"])[:50]
        if not isinstance(file["mod"].get(key, getlink=True), h5py.ExternalLink)
    }
    named = [key for key in parts if key.lower() in _MODALITIES]
    if len(named) != 1:
        named = [key for key in parts if "rna" in key.lower() or "gex" in key.lower()]
    if len(named) != 1:
        raise UnreadableFile(
            f"It cannot be told which part of {name} holds the genes: {some(parts, 6)}.",
            advice='In Python: mudata.read(...).mod["rna"].write_h5ad("cells.h5ad").',
        )
    return parts[named[0]]


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
                f"{name} has no column {missing[0]} in obs.", advice=columns_advice(info)
            )
        table = table_of(file, "obs", tuple(dict.fromkeys((*obs, *([label] if label else [])))))
        var, options = gene_table(file, chosen, genes_column, name), {"matrix": chosen}
        values = stored(file[_where(file, chosen)], name)
        if values.shape != (len(table), len(var)):
            raise UnreadableFile(
                f"{name} is damaged: its matrix {chosen} does not fit the numbers of genes and"
                " cells."
            )
        notes, traits = list(info.notes), dict(info.traits)
        if chosen != "X":
            notes.append(f"The values were taken from {_words(chosen)}.")
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
            notes.append(f"The gene names were taken from the column {genes_column} of var.")
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
        check_own(file, _KEYS, name)
        values = stored(file[_where(file, matrix)], name)
        genes = index_of(file, var_key(file, matrix))[:rows]
        cells = index_of(file, "obs")[:columns]
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
        check_own(file, _KEYS, name)
        chosen = matrix or ("X" if "X" in file else "raw" if "raw" in file else "")
        var = gene_table(file, chosen, genes_column, name)
        places = expression_features(file, chosen, var)
        return var.index if places is None else var.index[places]


def cell_names(path: Path, name: str) -> pd.Index:
    """Only the names of the cells. Raises UnreadableFile or UnsafeFile."""
    with _opened(path, name) as file:
        check_own(file, _KEYS, name)
        return index_of(file, "obs")


def label_column_among(columns: tuple[str, ...]) -> str | None:
    """The first that is called as columns of cell types usually are."""
    return next((c for c in columns if plain(c) in LABEL_NAMES), None)


def no_labels(info: H5adInfo, name: str) -> NoLabels:
    """The error for single cells without labels, in words that fit this file."""
    inside = label_column_among(info.var_columns)
    if inside:
        return NoLabels(
            f"{name} has no cell types in obs, but a column {inside} in var: genes and cells seem"
            " to be exchanged.",
            advice="Transpose the data (adata.T), save it again and choose that file.",
        )
    broken = likely_label(info.unreadable) or (
        next(iter(info.unreadable), None) if not info.obs else None
    )
    if broken:
        return NoLabels(f"{name}: {info.unreadable[broken]}", advice=_SAVE_OR_TABLE)
    if not info.obs:
        return NoLabels(
            f"{name} has no annotation of its cells (no column in obs), so the cell types are"
            " unknown.",
            advice=(
                "Add a column of cell types to obs and save the file again, or choose a table of"
                " cell labels beside it."
            ),
        )
    return NoLabels(
        f"{name}: it is not clear which column of obs holds the cell types.",
        advice=columns_advice(info),
    )


def columns_advice(info: H5adInfo) -> str:
    names = list(info.obs)
    return (
        f"Choose one of these columns: {some(names, 8)}."
        if names
        else "Add the column to obs and save the file again."
    )


def _words(matrix: str) -> str:
    return (
        "raw"
        if matrix == "raw"
        else f"the layer {matrix.removeprefix('layer:')}"
        if matrix.startswith("layer:")
        else "X"
    )


_KEYS = ("X", "obs", "var", "raw", "raw.X", "raw.var", "layers")


# -- what there is
# --------------------------------------------------------------------------------------------------


def _where(file: h5py.File, matrix: str) -> str:
    if matrix == "raw":
        return "raw.X" if "raw.X" in file else "raw/X"
    return f"layers/{matrix.removeprefix('layer:')}" if matrix.startswith("layer:") else matrix


def _info(file: h5py.File, name: str) -> H5adInfo:
    if "obs" not in file or "var" not in file:
        raise _other_hdf5(file, name)
    check_own(file, _KEYS, name)
    matrices: list[str] = []
    if "X" in file and shape_of(file["X"]):
        matrices.append("X")
    # the first is anndata 0.6
    if ("raw.X" in file and "raw.var" in file) or ("raw/X" in file and "raw/var" in file):
        matrices.append("raw")
    matrices += [f"layer:{key}" for key in file.get("layers", {}) if shape_of(file["layers"][key])]
    if not matrices:
        raise UnreadableFile(f"{name} holds no matrix of values.")
    found = {m: stored(file[_where(file, m)], name) for m in matrices}
    looks = {
        m: "detected" if values.dtype.kind == "b" else likely(sample(values))
        for m, values in found.items()
    }
    genes = {m: values.shape[1] for m, values in found.items()}
    subset = (
        genes.get("raw", 0) >= 1.5 * genes.get("X", 1)
        and "X" in genes
        and len(index_of(file, "var")) == genes["X"]  # else X contradicts its own names
    )
    proposed, traits = _proposal(matrices, looks, genes if subset else {})
    if later := _later(file):
        traits["later-version"] = later
    columns, unreadable = obs_columns(file)
    label = proposed_label_column(columns, unreadable)
    size = found[proposed].shape
    return H5adInfo(
        *size,
        {name: column.count for name, column in columns.items()},
        label.name if label else None,
        tuple(matrices),
        proposed,
        tuple(column_names(file["var"])),
        tuple(traits.values()),
        symbol_column(file, proposed),
        dict(looks),
        _forecast(found[proposed], columns[label.name].sizes if label else None),
        traits,
        label.said if label else "",
        unreadable,
    )


def _other_hdf5(file: h5py.File, name: str) -> UnreadableFile:
    """The error for HDF5 that is no AnnData, with the way out where it is a known format."""
    there = set(file)
    if {"assays", "meta.data"} <= there or "active.assay" in file.attrs:
        return UnreadableFile(
            f"{name} is an h5Seurat file, a format that is not read here.",
            advice=(
                "In R, turn the factors of the object into text (as.character), then"
                f' SeuratDisk::Convert("{name}", dest = "h5ad"), and choose the .h5ad file.'
            ),
        )
    if {"matrix", "row_attrs", "col_attrs"} <= there:
        return UnreadableFile(
            f"{name} is a loom file, a format that is not read here.",
            advice=f'In Python: scanpy.read_loom("{name}").write_h5ad("cells.h5ad").',
        )
    return UnreadableFile(
        f"{name} is HDF5, but not an .h5ad file: it has no obs and var.",
        advice="Export the data with anndata (adata.write_h5ad).",
    )


def _later(file: h5py.File) -> str:
    """A sentence on a file of a later format than any that is known."""
    said = file.attrs.get("encoding-version", "")
    major = str(said.decode("ascii", "replace") if isinstance(said, bytes) else said)[
        :20
    ].partition(".")[0]
    return (
        f"The file says that it is of format {major} of anndata; formats later than {_FORMAT} may"
        " mean something else."
        if _is_later(major)
        else ""
    )


def _is_later(major: str) -> bool:
    return major.isascii() and major.isdigit() and int(major) > _FORMAT


def _forecast(values: Stored, counts: np.ndarray | None) -> Forecast:
    packed = 4.0 if values.data.compression else 1.0
    return forecast(
        values.bytes_of, values.shape[0], counts, packed * values.count * values.dtype.itemsize
    )


def _proposal(
    matrices: list[str], looks: dict[str, Any], genes: dict[str, int]
) -> tuple[str, dict[str, str]]:
    """X if it is linear; else counts before linear values before logs before scaled values.

    genes : number of them by matrix where X holds a subset of those of raw, else empty: then raw is
    proposed if it is as linear.
    """
    named = [m for layer in _COUNT_LAYERS for m in matrices if m.lower() == f"layer:{layer}"]
    order = list(
        dict.fromkeys(
            [
                *(m for m in matrices if m == "X"),
                *named,
                *(m for m in matrices if m == "raw"),
                *matrices,
            ]
        )
    )
    if "X" in matrices and looks["X"] in ("counts", "linear"):
        if genes and looks["raw"] == looks["X"]:
            said = f"X holds only {number(genes['X'])} genes; raw, with {number(genes['raw'])},"
            return "raw", {"matrix-proposed": f"{said} is proposed instead."}
        return "X", {}
    best = min(order, key=lambda m: _RANK[looks[m]])
    if "X" not in matrices:
        return best, {"no-x": "The file has no X."}
    if best == "X":
        return best, {}
    return best, {"matrix-proposed": f"X {_FAULT[looks['X']]}; {_words(best)} is proposed instead."}
