"""Files of R with one object (``.rds``): a matrix, a data.frame, or a sparse matrix of the package
Matrix (dgCMatrix). Nothing in them is run: rdata parses the serialised form, and what is neither of
the three is refused with the line of R that makes one of them.

The form: https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats.
"""

from __future__ import annotations

import contextlib
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.data.readers.archive import damage_said, unpack
from gui.data.readers.cell_file import CellFile
from gui.data.readers.h5ad_frames import text_of
from gui.data.readers.hdf5_matrix import Stored
from gui.data.readers.sniff import first_bytes, looks_like, unzipped_head
from gui.data.readers.textfile import text_limit
from gui.errors import UnreadableFile

R_FILE = "an R data file"
"""What :func:`gui.data.readers.sniff.looks_like` calls it."""
_S4 = 25
_MISSING = -(2**31)
_LINES = {
    "Seurat": 'SeuratObject::LayerData(x, layer = "counts")',
    "SingleCellExperiment": 'SummarizedExperiment::assay(x, "counts")',
    "SummarizedExperiment": "SummarizedExperiment::assay(x)",
    "RangedSummarizedExperiment": "SummarizedExperiment::assay(x)",
    "ExpressionSet": "Biobase::exprs(x)",
    "DESeqDataSet": "DESeq2::counts(x)",
    "DGEList": "x$counts",
    "EList": "x$E",
    "dgTMatrix": 'methods::as(x, "CsparseMatrix")',
    "dgRMatrix": 'methods::as(x, "CsparseMatrix")',
    "DelayedMatrix": "as.matrix(x)",
    "list": "x[[1]]",
}
"""Class -> what gives its values as a matrix."""
_WITH_CELLS = ("Seurat", "SingleCellExperiment")


def is_r_file(path: Path, name: str) -> bool:
    """Whether a file, also a packed one, holds an object of R. Raises UnreadableFile."""
    return looks_like(unzipped_head(path, first_bytes(path, name))) == R_FILE


def holds_s4(path: Path, name: str) -> bool:
    """Whether the object is one of those that may be a sparse matrix."""
    head = unzipped_head(path, first_bytes(path, name))[2:]
    with contextlib.suppress(struct.error):
        version, encoding = struct.unpack_from(">i", head)[0], 0
        if version >= 3:  # the name of the encoding, and its length before it
            encoding = 4 + struct.unpack_from(">i", head, 12)[0]
        return int(struct.unpack_from(">I", head, 12 + encoding)[0]) & 0xFF == _S4
    return False


def frame_of_r(path: Path, name: str) -> pd.DataFrame:
    """A matrix or a data.frame, with the names of its rows as index where it has any.

    Raises UnreadableFile.
    """
    found = _parsed(path, name)
    held = _attributes(found)
    if "data.frame" in _class_of(found, held):
        return _data_frame(found, held, name)
    size = [int(v) for v in _numbers(held["dim"])] if "dim" in held else []
    if len(size) != 2 or not isinstance(found.value, np.ndarray):
        raise _other(_class_of(found, held)[0], name)
    if min(size) < 0 or size[0] * size[1] != found.value.size:
        raise UnreadableFile(f"{name} is damaged: its matrix contradicts itself.")
    flat = np.ma.filled(found.value.astype(np.float64), np.nan)
    values = flat.reshape((size[0], size[1]), order="F")
    genes, samples = _dimnames(held, (size[0], size[1]))
    if genes is None:
        raise UnreadableFile(
            f"{name} is a matrix of R without names of its rows.",
            advice="In R: rownames(x) <- genes, where genes are their names; saveRDS again.",
        )
    columns = samples or [f"V{i + 1}" for i in range(size[1])]  # as write.csv calls them
    return pd.DataFrame(values, index=genes, columns=columns)


@contextmanager
def opened_r(path: Path, name: str) -> Iterator[CellFile]:
    """A sparse matrix of genes x cells. Raises UnreadableFile."""
    found = _parsed(path, name)
    held = _attributes(found)
    kind = _class_of(found, held)[0]
    if kind not in ("dgCMatrix", "lgCMatrix", "ngCMatrix") or not {"i", "p", "Dim"} <= set(held):
        raise _other(kind, name)
    genes, cells = (int(v) for v in _numbers(held["Dim"]))
    names = _dimnames({"dimnames": held.get("Dimnames"), "dim": held["Dim"]}, (genes, cells))
    if names[0] is None or names[1] is None:
        lacking = "rows" if names[0] is None else "columns"
        raise UnreadableFile(
            f"{name} is a matrix of R without names of its {lacking}.",
            advice="In R, set rownames(x) and colnames(x), and saveRDS again.",
        )
    pointer, rows = _numbers(held["p"]), _numbers(held["i"])
    values = np.asarray(held["x"].value) if "x" in held else np.ones(len(rows), dtype=bool)
    if len(pointer) != cells + 1 or len(rows) != len(values):
        raise UnreadableFile(f"{name} is damaged: its matrix contradicts itself.")
    arrays = {"data": values, "indices": rows, "indptr": pointer}
    yield CellFile(
        "rds",
        {"x": Stored("csr", (cells, genes), len(values), values.dtype, arrays)},
        NamesOnly(names[1]),
        NamesOnly(names[0]),
        main="x",
    )


@dataclass(frozen=True, eq=False)
class NamesOnly:
    """A table without columns."""

    rows: list[str]

    def names(self) -> list[str]:
        return []

    def index(self) -> pd.Index:
        return pd.Index(self.rows, dtype=object)

    def column(self, name: str) -> Any:
        raise KeyError(name)

    def is_flat(self, name: str) -> bool:
        raise KeyError(name)

    def is_text(self, name: str) -> bool:
        raise KeyError(name)


def _other(kind: str, name: str) -> UnreadableFile:
    """The error for an object of another class, with the line of R that makes a matrix of it."""
    kind = kind[:60]
    made = _LINES.get(kind, "as.matrix(x)")
    lines = f'x <- readRDS("{name}"); saveRDS({made}, "counts.rds")'
    labels = (
        "; write.csv(data.frame(barcode = colnames(x), cell_type = x$cell_type),"
        ' "cell_types.csv", row.names = FALSE)'
        if kind in _WITH_CELLS
        else ""
    )
    what = "counts.rds, with cell_types.csv as its table of cell types" if labels else "counts.rds"
    return UnreadableFile(
        f"{name} holds an object of R of the class {kind}; matrices, data.frames and dgCMatrix are"
        " read.",
        advice=f"In R: {lines}{labels}. Then choose {what}.",
    )


# -- the parsed object
# --------------------------------------------------------------------------------------------------


def _parsed(path: Path, name: str) -> Any:
    with damage_said(name), open(path, "rb") as file:
        data = unpack(file, text_limit(), name)
    import rdata

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return rdata.parser.parse_data(data).object
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.",
            advice="Reduce the object to the genes and cells that are needed.",
        ) from None
    except Exception:  # noqa: BLE001  rdata raises every kind of exception on what it does not know
        raise UnreadableFile(
            f"{name} cannot be read to its end as a file of R: it is incomplete, or holds what is"
            " not known here.",
            advice=(
                f'In R: x <- readRDS("{name}"); write.csv(as.matrix(x), "expression.csv"), where x'
                " is the table of expression; of a Seurat object"
                ' GetAssayData(x, layer = "counts").'
            ),
        ) from None


def _attributes(item: Any) -> dict[str, Any]:
    """name -> value, of the chain that they are stored as."""
    found: dict[str, Any] = {}
    node = item.attributes
    while node is not None and isinstance(node.value, tuple):
        tag = node.tag if node.tag.referenced_object is None else node.tag.referenced_object
        found[text_of(tag.value.value)] = node.value[0]
        node = node.value[1]
    return found


def _class_of(item: Any, held: dict[str, Any]) -> list[str]:
    said = [v for v in _texts(held["class"]) if v] if "class" in held else []
    if said:
        return said
    return ["matrix"] if "dim" in held else [_TYPES.get(item.info.type.name, "another kind")]


_TYPES = {"VEC": "list", "REAL": "numeric", "INT": "integer", "STR": "character", "LGL": "logical"}


def _texts(item: Any) -> list[str | None]:
    """Of a vector of text; None where it is missing."""
    if item.info.type.name != "STR":
        return []
    return [None if each.value is None else _decoded(each.value) for each in item.value]


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _numbers(item: Any) -> Any:
    """Of a vector of whole numbers."""
    return np.asarray(np.ma.filled(item.value, _MISSING))


def _dimnames(
    held: dict[str, Any], shape: tuple[int, int]
) -> tuple[list[str] | None, list[str] | None]:
    """Names of the rows and of the columns, None where there are none."""
    given = held.get("dimnames")
    if given is None or not isinstance(given.value, list) or len(given.value) != 2:
        return None, None
    rows, columns = ([text or "" for text in _texts(each)] for each in given.value)
    return (
        rows if len(rows) == shape[0] and rows else None,
        columns if len(columns) == shape[1] and columns else None,
    )


def _data_frame(found: Any, held: dict[str, Any], name: str) -> pd.DataFrame:
    titles = [text or "" for text in _texts(held["names"])] if "names" in held else []
    rows = [text or "" for text in _texts(held["row.names"])] if "row.names" in held else []
    columns = [_column(each) for each in found.value or ()]
    lengths = {len(column) for column in columns if column is not None}
    if len(titles) != len(columns) or len(lengths) != 1:
        raise _other("data.frame without columns of one length", name)
    kept = [i for i, column in enumerate(columns) if column is not None]
    frame = pd.DataFrame({i: columns[i] for i in kept})
    frame.columns = pd.Index([titles[i] for i in kept], dtype=object)
    return frame.set_axis(pd.Index(rows, dtype=object)) if len(rows) == len(frame) else frame


def _column(item: Any) -> Any:
    """Numbers or text; None for lists and the like."""
    held = _attributes(item)
    if item.info.type.name == "STR":
        return np.array(_texts(item), dtype=object)
    if not isinstance(item.value, np.ndarray) or item.value.ndim != 1:
        return None
    if "levels" in held:
        levels = [None, *_texts(held["levels"])]
        codes = np.ma.filled(item.value, 0)
        wrong = (codes < 0) | (codes >= len(levels))
        return np.array(levels, dtype=object)[np.where(wrong, 0, codes)]
    if item.value.dtype.kind == "i":
        return pd.arrays.IntegerArray(np.ma.filled(item.value, 0), np.ma.getmaskarray(item.value))
    return np.ma.filled(item.value.astype(np.float64), np.nan)
