"""Reads AnnData files (``.h5ad``): cells or samples x genes in, genes x columns out. Only what is chosen is read; sparse stays sparse.

anndata, h5py and scipy are imported inside the functions: they cost seconds and the window needs none of them to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix
from gui.data.sniff import first_bytes, looks_like, unzipped_head
from gui.errors import DataError, NoLabels, UnreadableFile, UnsafeFile

if TYPE_CHECKING:
    import h5py

LABEL_NAMES = (
    *("celltype", "celltypes", "bulklabels", "celltypeannotation", "celltypelabel", "cellannotation", "celllabel", "celllabels", "majorcelltype"),
    *("annotation", "annotations", "celltypeontologyterm", "celltypemajor", "celltypeminor", "labels", "label", "type"),
    *("cluster", "clusters", "louvain", "leiden"),
)
"""Usual spellings of the label column, without case, blanks, dots, dashes and underscores; the first that occurs is proposed."""
_COUNT_LAYERS = ("counts", "count", "raw_counts", "raw", "umi", "umis", "tpm")


@dataclass(frozen=True, eq=False)
class H5adInfo:
    """What is in the file, without its values.

    n_obs, n_genes : size of X (or of the proposed matrix); obs : column -> number of distinct values
    label_column : the proposed column of cell types or None; matrices : "X", "raw", "layer:NAME" that can be read; matrix : the proposed one
    obs_head, gene_head : first names; var_columns : columns of var
    """

    n_obs: int
    n_genes: int
    obs: dict[str, int]
    label_column: str | None
    matrices: tuple[str, ...]
    matrix: str
    var_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class H5adPart:
    """matrix : genes x cells or samples (columns = obs_names); obs : the chosen columns, one row per column of matrix."""

    matrix: Matrix
    obs: pd.DataFrame
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    var: pd.DataFrame | None = None


def inspect_h5ad(path: Path, name: str | None = None) -> H5adInfo:
    """What the file offers. Raises UnreadableFile or UnsafeFile."""
    name = name or path.name
    with _opened(path, name) as file:
        return _info(file, name)


def read_h5ad(path: Path, name: str | None = None, *, matrix: str | None = None, obs: tuple[str, ...] = ()) -> H5adPart:
    """Read one matrix and the columns ``obs``.

    matrix : "X", "raw" or "layer:NAME"; None takes the proposed one
    Raises UnreadableFile, UnsafeFile, or NoLabels if a column of ``obs`` does not exist.
    """
    name = name or path.name
    with _opened(path, name) as file:
        info = _info(file, name)
        chosen = matrix or info.matrix
        if chosen not in info.matrices:
            raise UnreadableFile(f"{name} holds no matrix {chosen}; there are {', '.join(info.matrices)}.")
        table = _frame(file, "obs")
        missing = [c for c in obs if c not in table.columns]
        if missing:
            raise NoLabels(f"{name} has no column {missing[0]} in obs.", advice=_columns(info))
        where = _where(file, chosen)
        var = _frame(file, where.removesuffix("X") + "var" if chosen == "raw" else "var")
        genes = var.index
        values = _values(file[where], name)
        if values.shape != (len(genes), len(table)):
            raise UnreadableFile(f"{name} is damaged: its matrix {chosen} does not fit the numbers of genes and cells.")
        columns = pd.Index(table.index.astype(str), name=None)
        found = Matrix(values, pd.Index(genes.astype(str), name=None), columns)
        notes = info.notes + ((f"The values were taken from {_words(chosen)}.",) if chosen != "X" else ())
        return H5adPart(found, table.loc[:, list(obs)].copy(), {"matrix": chosen}, notes, var)


def preview_h5ad(path: Path, name: str | None = None, *, matrix: str, rows: int, columns: int) -> pd.DataFrame:
    """The first genes x cells of one matrix; only these are read. Raises UnreadableFile or UnsafeFile."""
    name = name or path.name
    with _opened(path, name) as file:
        _info(file, name)
        where = _where(file, matrix)
        genes = _frame(file, where.removesuffix("X") + "var" if matrix == "raw" else "var").index[:rows]
        cells, item = _frame(file, "obs").index[:columns], file[where]
        if isinstance(item, _group()) and "encoding-type" in item.attrs:
            from anndata.io import sparse_dataset

            stored = sparse_dataset(item)
            corner = stored[:columns].toarray()[:, :rows] if stored.format == "csr" else stored[:, :rows].toarray()[:columns]
        else:
            corner = _values(item, name)[:rows, :columns].T.toarray() if isinstance(item, _group()) else item[:columns, :rows]
        return pd.DataFrame(np.asarray(corner, dtype=np.float64).T, index=genes.astype(str), columns=cells.astype(str))


def label_values(column: pd.Series) -> np.ndarray:
    """Labels as text, None where missing; unused categories play no part."""
    found = np.asarray(column.astype(object), dtype=object)
    empty = pd.isna(found) | np.array([isinstance(v, str) and not v.strip() for v in found], dtype=bool)
    return np.array([None if e else _as_text(v) for v, e in zip(found, empty, strict=True)], dtype=object)


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def label_column_among(columns: tuple[str, ...]) -> str | None:
    """The first that is called as columns of cell types usually are."""
    return next((c for c in columns if _plain(c) in LABEL_NAMES), None)


def no_labels(info: H5adInfo, name: str) -> NoLabels:
    """The error for single cells without labels, in words that fit this file."""
    inside = label_column_among(info.var_columns)
    if inside:
        return NoLabels(
            f"{name} has no cell types in obs, but a column {inside} in var: genes and cells seem to be exchanged.",
            advice="Transpose the data (adata.T), save it again and choose that file.",
        )
    if not info.obs:
        return NoLabels(
            f"{name} has no annotation of its cells (no column in obs), so the cell types are unknown.",
            advice="Add a column of cell types to obs and save the file again.",
        )
    return NoLabels(f"{name}: it is not clear which column of obs holds the cell types.", advice=_columns(info))


def _columns(info: H5adInfo) -> str:
    names = list(info.obs)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"Choose one of these columns: {', '.join(names[:8])}{more}." if names else "Add the column to obs and save the file again."


def _words(matrix: str) -> str:
    return "raw" if matrix == "raw" else f"the layer {matrix.removeprefix('layer:')}" if matrix.startswith("layer:") else "X"


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


@contextmanager
def _opened(path: Path, name: str) -> Iterator[h5py.File]:
    """The open HDF5 file; whatever goes wrong inside is one sentence outside."""
    head = first_bytes(path, name)
    kind = looks_like(head)
    if kind != "HDF5":
        inner = looks_like(unzipped_head(path, head))
        what = inner if kind != "a gzip archive" or inner == "an R workspace" else f"a gzip archive of {inner}"
        raise UnreadableFile(f"{name} is not an .h5ad file (HDF5); it looks like {what}.", advice="Choose the .h5ad file itself, or export the data again.")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except MemoryError:
        raise UnreadableFile(f"{name} needs more memory than there is.", advice="Reduce the file to the cells and the matrix that are needed.") from None
    except Exception:  # noqa: BLE001  h5py and anndata raise every kind of exception on damaged files
        raise UnreadableFile(f"{name} is damaged or incomplete.", advice="Download or export the file again.") from None


def _group() -> Any:
    import h5py

    return h5py.Group


def _own(item: Any, name: str, depth: int = 0) -> None:
    """HDF5 can point into other files of the user's disk: such items are refused before anything is read."""
    import h5py

    if isinstance(item, h5py.Dataset):
        if item.external or item.is_virtual:
            raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
        return
    if depth > 8:
        raise UnsafeFile(f"{name} is nested deeper than any data file.")
    for key in item:
        if isinstance(item.get(key, getlink=True), h5py.ExternalLink):
            raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
        _own(item[key], name, depth + 1)


def _frame(file: h5py.File, key: str) -> pd.DataFrame:
    """obs or var, of any anndata version."""
    item = file[key]
    if isinstance(item, _group()):
        from anndata.io import read_elem

        return read_elem(item)
    # anndata 0.6: one compound array; categories stand in uns as NAME_categories
    table = pd.DataFrame({n: item[n] for n in item.dtype.names})
    for column in table.columns:
        if table[column].dtype == object:
            table[column] = list(map(_as_text, table[column]))
        categories = file.get(f"uns/{column}_categories") if key == "obs" else None
        if categories is not None and table[column].dtype.kind in "iu":
            names = list(map(_as_text, np.atleast_1d(categories[()])))
            table[column] = pd.Categorical.from_codes(table[column].astype(np.int64).to_numpy(), names)
    return table.set_index("index" if "index" in table.columns else table.columns[0])


def _where(file: h5py.File, matrix: str) -> str:
    if matrix == "raw":
        return "raw.X" if "raw.X" in file else "raw/X"
    return f"layers/{matrix.removeprefix('layer:')}" if matrix.startswith("layer:") else matrix


def _shape(item: Any) -> tuple[int, int] | None:
    shape = item.attrs.get("shape", item.attrs.get("h5sparse_shape")) if isinstance(item, _group()) else getattr(item, "shape", None)
    return (int(shape[0]), int(shape[1])) if shape is not None and len(shape) == 2 else None


def _info(file: h5py.File, name: str) -> H5adInfo:
    import h5py

    if "obs" not in file or "var" not in file:
        raise UnreadableFile(f"{name} is HDF5, but not an .h5ad file: it has no obs and var.", advice="Export the data with anndata (adata.write_h5ad).")
    for key in ("X", "obs", "var", "raw", "raw.X", "raw.var", "layers"):
        if key in file:
            if isinstance(file.get(key, getlink=True), h5py.ExternalLink):
                raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
            _own(file[key], name)
    matrices: list[str] = []
    if "X" in file and _shape(file["X"]):
        matrices.append("X")
    if ("raw.X" in file and "raw.var" in file) or ("raw/X" in file and "raw/var" in file):  # the first is anndata 0.6
        matrices.append("raw")
    matrices += [f"layer:{key}" for key in file.get("layers", {}) if _shape(file["layers"][key])]
    if not matrices:
        raise UnreadableFile(f"{name} holds no matrix of values.")
    obs, notes = _frame(file, "obs"), []
    counts = {str(c): int(obs[c].nunique()) for c in obs.columns}
    proposed = matrices[0]
    if proposed == "X" and len(matrices) > 1 and _has_negative(file["X"]):
        layers = [m for name_ in _COUNT_LAYERS for m in matrices if m.lower() == f"layer:{name_}"]
        proposed = (layers or [m for m in matrices if m != "X"])[0]
        notes.append(f"X holds negative values, as scaled data do; {_words(proposed)} is proposed instead.")
    elif proposed != "X":
        layers = [m for name_ in _COUNT_LAYERS for m in matrices if m.lower() == f"layer:{name_}"]
        proposed = (layers or matrices)[0]
        notes.append("The file has no X.")
    shape = _shape(file[_where(file, proposed)]) or (0, 0)
    var = _frame(file, "var")
    return H5adInfo(shape[0], shape[1], counts, _proposed(obs, counts), tuple(matrices), proposed, tuple(map(str, var.columns)), tuple(notes))


def _proposed(obs: pd.DataFrame, counts: dict[str, int]) -> str | None:
    for wanted in LABEL_NAMES:
        for column, distinct in counts.items():
            if _plain(column) == wanted and distinct > 0:
                return column
    texts = [c for c in counts if obs[c].dtype.kind == "O" and 2 <= counts[c] <= min(200, max(2, len(obs) // 2))]
    return texts[0] if len(texts) == 1 else None


def _has_negative(item: Any) -> bool:
    data = item["data"] if isinstance(item, _group()) else item
    step = max(1, 4_000_000 // max(1, int(np.prod(data.shape[1:]))))
    return any((data[at : at + step] < 0).any() for at in range(0, data.shape[0], step))


def _values(item: Any, name: str) -> Any:
    """Genes x columns: float array, or CSC matrix."""
    from scipy import sparse

    if not isinstance(item, _group()):
        dense = np.asarray(item[()])
        return np.ascontiguousarray(_floats(dense, name).T)
    from anndata.io import read_elem

    if {"data", "indices", "indptr"} <= set(item) and "encoding-type" not in item.attrs:  # anndata 0.6
        kind = sparse.csc_matrix if item.attrs.get("h5sparse_format") in ("csc", b"csc") else sparse.csr_matrix
        found = kind((item["data"][()], item["indices"][()], item["indptr"][()]), shape=_shape(item))
    else:
        found = read_elem(item)
    if not sparse.issparse(found):
        raise UnreadableFile(f"{name} holds its values in an unknown form.")
    found.check_format(full_check=True)  # indices beyond the matrix would crash the compiled code
    turned = sparse.csc_matrix(found.T)
    turned.sum_duplicates()
    turned.data = _floats(turned.data, name)
    return turned


def _floats(values: np.ndarray, name: str) -> np.ndarray:
    """As float; whole numbers become float32 only where that is exact."""
    if values.dtype.kind not in "biuf":
        raise UnreadableFile(f"{name} holds text instead of numbers.")
    if values.dtype in (np.float32, np.float64):
        return values
    small = values.dtype.kind in "iu" and values.size > 0 and abs(int(values.min())) < 2**24 and int(values.max()) < 2**24
    exact = values.dtype.itemsize <= 2 or small
    return values.astype(np.float32 if exact else np.float64)
