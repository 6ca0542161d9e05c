"""The layout of loom files (``.loom``), versions 1 to 3: genes x cells in /matrix and /layers, the
genes in /row_attrs, the cells in /col_attrs.

The specification: https://linnarssonlab.org/loompy/format/index.html.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.data.readers.cell_file import CellFile
from gui.data.readers.h5ad_frames import categorical, is_array, text_of, texts_of
from gui.data.readers.h5file import check_own
from gui.data.readers.hdf5_matrix import Stored, sample, stored
from gui.data.readers.labels import plain
from gui.errors import UnreadableFile
from gui.text import some

if TYPE_CHECKING:
    import h5py

_FORMAT = 3
_GENES = (
    *("gene", "genenames", "varnames", "genename", "genes", "genesymbol", "genesymbols", "symbol"),
    *("geneshortname", "featurename", "name", "accession", "geneids", "geneid", "ensemblids"),
    *("ensemblid", "featurekey", "id", "index"),
)
_CELLS = (
    *("cellid", "obsnames", "cellids", "cellnames", "cellname", "barcode", "barcodes", "cell"),
    *("cellkey", "index"),
)
"""Usual names of the attribute that names the genes, and the cells, without case, blanks, dots,
dashes and underscores: those of loompy, scanpy and Seurat first.
"""


def is_loom(file: h5py.File) -> bool:
    """Whether an open HDF5 file has the layout of loom."""
    return {"matrix", "row_attrs", "col_attrs"} <= set(file)


def loom_file(file: h5py.File, name: str) -> CellFile:
    """Of an open loom file. Raises UnreadableFile or UnsafeFile."""
    check_own(file, ("matrix", "layers", "row_attrs", "col_attrs", "attrs"), name)
    if not is_array(file["matrix"]) or file["matrix"].ndim != 2:
        raise UnreadableFile(
            f"{name} is a loom file whose matrix is in no form that is known here.",
            advice=f'In Python: scanpy.read_loom("{name}").write_h5ad("cells.h5ad").',
        )
    genes, cells = (_index_of(file[key], known) for key, known in _AXES)
    if genes is None:
        raise UnreadableFile(
            f"{name} does not say in row_attrs how its genes are called; there are"
            f" {some(list(file['row_attrs']), 6) or 'none'}.",
            advice='Save it again with the names of the genes in the attribute "Gene".',
        )
    shape = tuple(int(size) for size in file["matrix"].shape)
    size = (len(genes), shape[1] if cells is None else len(cells))
    turned = shape != size and shape == size[::-1]  # cells x genes, by some early writers in R
    if shape != size and not turned:
        raise UnreadableFile(
            f"{name} is damaged: its matrix does not fit the numbers of genes and cells."
        )
    traits = {} if cells is not None else {"cell-names": _unnamed(file["col_attrs"])}
    if (said := _version(file)) > _FORMAT:
        traits["later-version"] = (
            f"The file says that it is of format {said} of loom; formats later than {_FORMAT} may"
            " mean something else."
        )
    layers = {
        f"layer:{key}": item
        for key, item in (file["layers"].items() if "layers" in file else ())
        if is_array(item) and item.shape == shape and item.dtype.kind in "biuf"
    }
    return CellFile(
        "loom",
        {
            key: _matrix(item, name, by_gene=not turned)
            for key, item in {"matrix": file["matrix"], **layers}.items()
        },
        LoomFrame(file["col_attrs"], cells, size[1]),
        LoomFrame(file["row_attrs"], genes, size[0]),
        main="matrix",
        traits=traits,
    )


_AXES = (("row_attrs", _GENES), ("col_attrs", _CELLS))


@dataclass(frozen=True, eq=False)
class LoomFrame:
    """row_attrs or col_attrs. rows : the attribute with the names, None where there is none; count
    : of the rows.
    """

    item: Any
    rows: Any
    count: int

    def names(self) -> list[str]:
        own = None if self.rows is None else self.rows.name
        return [
            key
            for key, entry in self.item.items()
            if is_array(entry) and entry.name != own and entry.ndim and len(entry) == self.count
        ]

    def index(self) -> pd.Index:
        if self.rows is None:
            return pd.Index([f"cell{i + 1}" for i in range(self.count)], dtype=object)
        return pd.Index([text_of(v) for v in _values(self.rows)], dtype=object)

    def column(self, name: str) -> Any:
        return _values(self.item[name])

    def is_flat(self, name: str) -> bool:
        return bool(self.item[name].ndim == 1)

    def is_text(self, name: str) -> bool:
        entry = self.item[name]
        return bool(entry.dtype.kind in "OS" or _names_of_codes(entry))


def _values(entry: Any) -> Any:
    """Of one attribute: text without the entities that version 2 writes for other letters."""
    if names := _names_of_codes(entry):
        codes = sorted(names)
        places = pd.Index(codes).get_indexer(np.asarray(entry[()]))
        return categorical(places, [names[code] for code in codes], text_of(entry.name))
    found = texts_of(entry[()])
    if found.dtype.kind != "O":
        return found
    return np.array([html.unescape(v) if "&" in v else v for v in found], dtype=object)


def _names_of_codes(entry: Any) -> dict[int, str]:
    """code -> name of an enumerated type, as R writes factors; empty for other types."""
    import h5py

    found = h5py.check_enum_dtype(entry.dtype) if entry.dtype.kind in "iu" else None
    return {int(code): str(name) for name, code in (found or {}).items()}


def _index_of(item: Any, known: Iterable[str]) -> Any:
    """The attribute that holds the names, None if there is none."""
    flat = {key: entry for key, entry in item.items() if is_array(entry) and entry.ndim == 1}
    for wanted in known:
        for key, entry in flat.items():
            if plain(key) == wanted:
                return entry
    return None


def _matrix(item: Any, name: str, *, by_gene: bool) -> Stored:
    found = stored(item, name)
    found = replace(found, by_gene=by_gene, shape=found.shape[::-1] if by_gene else found.shape)
    values = sample(found)
    return replace(found, filled=float(np.count_nonzero(values) / max(1, values.size)))


def _unnamed(item: Any) -> str:
    held = some(list(item), 4)
    return (
        "The file does not say in col_attrs how its cells are called"
        f"{f' (there are {held})' if held else ''}; they were numbered."
    )


def _version(file: h5py.File) -> int:
    """The first number of the version that the file says it has, 0 if it says none."""
    said = file.attrs.get("LOOM_SPEC_VERSION")
    held = file["attrs"] if "attrs" in file and not is_array(file["attrs"]) else {}
    if said is None and "LOOM_SPEC_VERSION" in held and is_array(held["LOOM_SPEC_VERSION"]):
        said = held["LOOM_SPEC_VERSION"][()]
    said = np.ravel(said)[0] if said is not None and np.size(said) == 1 else ""
    major = text_of(said)[:20].partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() else 0
