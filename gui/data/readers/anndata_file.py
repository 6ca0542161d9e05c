"""The layout of AnnData, of any version, in HDF5 (``.h5ad``, ``.h5mu``) or in a zarr store."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from gui.data.readers.cell_file import CellFile, Format
from gui.data.readers.h5ad_frames import AnnDataFrame, is_array, text_of
from gui.data.readers.h5file import check_own
from gui.data.readers.hdf5_matrix import shape_of, stored
from gui.errors import UnreadableFile, UnsafeFile
from gui.text import some

if TYPE_CHECKING:
    import h5py

KEYS = ("X", "obs", "var", "raw", "raw.X", "raw.var", "layers")
_FORMAT = 0
"""Of anndata's files, the first number: every version up to 0.13 writes 0.1.0."""
_MODALITIES = ("rna", "gex", "gene expression", "expression", "scrna", "rna-seq", "mrna")
"""Names of the part with genes in a MuData file."""


def anndata_hdf5(file: h5py.File, name: str) -> CellFile:
    """Of an open ``.h5ad`` or ``.h5mu`` file. Raises UnreadableFile or UnsafeFile."""
    group = _with_genes(file, name)
    if "est_counts" in group and "aux" in group:
        raise UnreadableFile(
            f"{name} is kallisto's file with bootstraps, not a table.",
            advice="Choose abundance.tsv beside it, with the same estimates (or: kallisto h5dump).",
        )
    if "obs" not in group or "var" not in group:
        raise UnreadableFile(
            f"{name} is HDF5, but not an .h5ad file: it has no obs and var.",
            advice="Export the data with anndata (adata.write_h5ad).",
        )
    check_own(group, KEYS, name)
    return anndata_layout(group, name)


def anndata_layout(group: Any, name: str, kind: Format = "h5ad") -> CellFile:
    """Of a group of h5py or zarr that has obs and var, checked before. Raises UnreadableFile."""
    items = {"X": group["X"]} if "X" in group and shape_of(group["X"]) else {}
    old = "raw.X" in group and "raw.var" in group  # anndata 0.6
    raw = old or ("raw/X" in group and "raw/var" in group)
    if raw:
        items["raw"] = group["raw.X" if old else "raw/X"]
    layers = group.get("layers", {})
    items |= {f"layer:{key}": layers[key] for key in layers if shape_of(layers[key])}
    if not items:
        raise UnreadableFile(f"{name} holds no matrix of values.")
    uns = group["uns"] if is_array(group["obs"]) and "uns" in group else {}
    later = _later(group)
    return CellFile(
        kind,
        {matrix: stored(item, name) for matrix, item in items.items()},
        AnnDataFrame(group["obs"], uns),
        AnnDataFrame(group["var"]),
        AnnDataFrame(group["raw.var" if old else "raw/var"]) if raw else None,
        traits={"later-version": later} if later else {},
    )


def _with_genes(file: h5py.File, name: str) -> Any:
    """The file, or the part with genes of a MuData file (.h5mu)."""
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
    return parts[gene_part(list(parts), name)]


def gene_part(parts: Collection[str], name: str) -> str:
    """Which part of MuData holds the genes. Raises UnreadableFile where that is not clear."""
    named = [key for key in parts if key.lower() in _MODALITIES]
    if len(named) != 1:
        named = [key for key in parts if "rna" in key.lower() or "gex" in key.lower()]
    if len(named) != 1:
        raise UnreadableFile(
            f"It cannot be told which part of {name} holds the genes: {some(parts, 6)}.",
            advice='In Python: mudata.read(...).mod["rna"].write_h5ad("cells.h5ad").',
        )
    return named[0]


def _later(group: Any) -> str:
    """A sentence on a file of a later format than any that is known."""
    major = text_of(group.attrs.get("encoding-version", ""))[:20].partition(".")[0]
    return (
        f"The file says that it is of format {major} of anndata; formats later than {_FORMAT} may"
        " mean something else."
        if major.isascii() and major.isdigit() and int(major) > _FORMAT
        else ""
    )
