"""The layout of h5Seurat files, as SeuratDisk writes objects of Seurat 3 to 5.

The specification: https://mojaveazure.github.io/seurat-disk/articles/h5Seurat-spec.html. What R
holds as genes x cells lies transposed in HDF5; factors are codes from 1 with their levels beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.data.readers.cell_file import CellFile
from gui.data.readers.h5ad_frames import categorical, is_array, text_of, texts_of
from gui.data.readers.h5file import check_own
from gui.data.readers.hdf5_matrix import Stored, stored
from gui.data.readers.labels import plain
from gui.errors import UnreadableFile
from gui.text import some

if TYPE_CHECKING:
    import h5py

_NA = -(2**31)
"""R's missing integer."""
_INDEX = ("_index", "row.names", "index")
_NO_GENES = (
    "adt",
    "hto",
    "atac",
    "peaks",
    "crispr",
    "gdo",
    "antibody",
    "chromvar",
    "protein",
    "cmo",
)
_DERIVED = ("sct", "integrated", "alra", "magic", "saver", "imputed", "predictionscore")
"""How assays are usually called that hold no genes, and genes in values that are no expression as
measured.
"""


def is_h5seurat(file: h5py.File) -> bool:
    """Whether an open HDF5 file has the layout of h5Seurat."""
    return {"assays", "meta.data"} <= set(file) or "active.assay" in file.attrs


def h5seurat_file(file: h5py.File, name: str) -> CellFile:
    """Of an open h5Seurat file: the assay RNA, or the one that stands for it. Raises
    UnreadableFile or UnsafeFile.
    """
    check_own(file, ("assays", "meta.data", "cell.names"), name)
    assays = file.get("assays", {})
    there = [key for key in assays if not is_array(assays[key])]
    chosen = _assay_of_genes(there, text_of(np.ravel(file.attrs.get("active.assay", ""))[0]))
    if chosen is None:
        raise UnreadableFile(
            f"{name} is an h5Seurat file without an assay of genes: there are"
            f" {some(there, 6) or 'none'}.",
            advice="Save the object again with its assay RNA: SeuratDisk::SaveH5Seurat(obj).",
        )
    assay = assays[chosen]
    if "features" not in assay or "cell.names" not in file:
        raise _unknown_form(name, chosen)
    features, cells = assay["features"], file["cell.names"]
    size = (len(cells), len(features))
    matrices = {key: found for key, item in _items(assay) if (found := _matrix(item, name, size))}
    if not matrices:
        raise _unknown_form(name, chosen)
    traits = {}
    if others := [key for key in there if key != chosen]:
        traits["assay"] = (
            f"The values are those of the assay {chosen}; left out: {some(others, 6)}."
        )
    return CellFile(
        "h5seurat",
        matrices,
        SeuratFrame(file.get("meta.data", None), cells),
        SeuratFrame(assay.get("meta.features", None), features),
        main=next(iter(matrices)),
        traits=traits,
    )


def _unknown_form(name: str, assay: str) -> UnreadableFile:
    return UnreadableFile(
        f"{name} is an h5Seurat file whose assay {assay} holds no counts or data in a form that is"
        " known here.",
        advice=(
            "In R, turn the factors of the object into text (as.character), then"
            f' SeuratDisk::Convert("{name}", dest = "h5ad"), and choose the .h5ad file.'
        ),
    )


def _assay_of_genes(assays: list[str], active: str) -> str | None:
    """RNA, or one that is called like it, else the active one, else any that holds genes."""
    genes = [key for key in assays if not plain(key).startswith(_NO_GENES)]
    measured = [key for key in genes if not plain(key).startswith(_DERIVED)]
    order = [
        *(key for key in measured if plain(key) == "rna"),
        *(key for key in measured if plain(key) in ("spatial", "xenium", "originalexp")),
        *(key for key in measured if "rna" in plain(key)),
        *(key for key in measured if key == active),
        *measured,
        *(key for key in genes if plain(key) == "sct"),
        *(key for key in genes if key == active),
        *genes,
    ]
    return next(iter(order), None)


def _items(assay: Any) -> Iterator[tuple[str, Any]]:
    """Its matrices, counts first; those of Seurat 5 lie in layers."""
    held = assay["layers"] if "layers" in assay and not is_array(assay["layers"]) else {}
    for place in (assay, held):
        for key in ("counts", "data"):
            if key in place:
                yield key, place[key]
    for key in held:
        if key not in ("counts", "data", "scale.data"):
            yield f"layer:{key}", held[key]


def _matrix(item: Any, name: str, size: tuple[int, int]) -> Stored | None:
    """cells x genes; None where it is empty, as counts that were never set, or in another form."""
    if is_array(item):
        return stored(item, name) if item.ndim == 2 and item.shape == size else None
    if not {"data", "indices", "indptr"} <= set(item):
        return None
    said = item.attrs.get("dims")
    if said is not None and tuple(int(v) for v in np.ravel(said)) != size[::-1]:
        return None
    return stored(item, name, size, "csr")


@dataclass(frozen=True, eq=False)
class SeuratFrame:
    """A data.frame: a group with one item per column, or a compound array; None for none. rows :
    the names of its rows.
    """

    item: Any
    rows: Any

    def names(self) -> list[str]:
        if self.item is None:
            return []
        if is_array(self.item):
            return list(self.item.dtype.names or ())
        own = {*_INDEX, text_of(self.item.attrs.get("_index", ""))}
        order = [text_of(c) for c in np.ravel(self.item.attrs.get("colnames", ()))]
        there = [c for c in order if c in self.item]
        return [c for c in dict.fromkeys([*there, *self.item]) if c not in own]

    def index(self) -> pd.Index:
        return pd.Index([text_of(v) for v in self.rows[()]], dtype=object)

    def column(self, name: str) -> Any:
        entry = self.item[name]
        if not is_array(self.item) and not is_array(entry):
            levels = [text_of(v) for v in entry["levels"][()]]
            codes = np.asarray(entry["values"][()])
            if codes.dtype.kind in "iu":
                codes = np.where(codes == _NA, 0, np.where(codes == 0, -1, codes))
            return categorical(codes, levels, name, first=1)
        values = texts_of(entry if is_array(self.item) else entry[()])
        return _with_gaps(values, logical=self._is_logical(name))

    def _is_logical(self, name: str) -> bool:
        held = [text_of(c) for c in np.ravel(self.item.attrs.get("logicals", ()))]
        entry = None if is_array(self.item) else self.item[name]
        kind = "" if entry is None else np.ravel(entry.attrs.get("s3class", ""))[0]
        return name in held or text_of(kind) == "logical"

    def is_flat(self, name: str) -> bool:
        if is_array(self.item) or not is_array(self.item[name]):
            return True
        return bool(self.item[name].ndim == 1)

    def is_text(self, name: str) -> bool:
        if is_array(self.item):
            return bool(self.item.dtype[name].kind in "OS")
        entry = self.item[name]
        return not is_array(entry) or entry.dtype.kind in "OS"


def _with_gaps(values: Any, *, logical: bool) -> Any:
    """Whole numbers with R's missing ones marked; 0, 1 and 2 are False, True and missing."""
    if values.dtype.kind not in "iu":
        return values
    if logical:
        return pd.arrays.BooleanArray(values == 1, (values != 0) & (values != 1))
    missing = values == _NA
    return pd.arrays.IntegerArray(values, missing) if missing.any() else values
