"""Writes a ``.dcx`` that the predecessor loads: a pickle, written opcode by opcode, for its class
need not exist here.

The layout is that of pandas 2 (one block per frame, names as objects) under module names that every
NumPy since 1.16 and every pandas since 1.3 knows. The predecessor scales nothing and expects all
parts over the same genes: values go out as they were read, over the common genes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.dataset import Dataset, Matrix, Role
from gui.data.normalize import common_genes, type_means
from gui.data.readers.dcx import ATTRIBUTES, DESCRIPTIONS, MAX_VALUES, VERSION
from gui.data.validation.checks import check_common
from gui.errors import DataError, MissingPart
from gui.text import number

MAX_TEXT = 10_000
_INT = struct.Struct("<i")


def dcx_bytes(
    dataset: Dataset, *, author: str = "", descriptions: Mapping[Role, str] | None = None
) -> bytes:
    """The dataset as a ``.dcx`` file: X_mat, Train, Test and Application over the common genes,
    unscaled, cells named by their type.

    Without a reference of its own X_mat is the mean of the training cells per type, as the
    predecessor makes it.
    author : "" takes the dataset's; descriptions : of train, test and bulk, what is not given is
        taken from the sources
    Raises MissingPart (no training cells), NoCommonGenes, DataError (too large).
    """
    if dataset.train is None:
        raise MissingPart(
            "A .dcx file needs single-cell training data, and this session has none.",
            advice="Load training data first.",
        )
    given, genes = descriptions or {}, common_genes(dataset)
    check_common(dataset.parts(), genes)
    parts = dataset.parts()
    columns: dict[Role, Iterable[object]] = {role: matrix.columns for role, matrix in parts.items()}
    columns["train"] = dataset.train.labels
    if dataset.test is not None:
        columns["test"] = dataset.test.labels
    for role, matrix in parts.items():
        if len(genes) * matrix.n_columns > MAX_VALUES:
            raise DataError(
                f"The {number(matrix.n_columns)} columns of {ATTRIBUTES[role]} are too many for a"
                " .dcx file, which cannot hold sparse data.",
                advice="Load fewer cells, then create the file again.",
            )
    values = {role: _dense(matrix.take(genes)) for role, matrix in parts.items()}
    if "reference" not in values:
        means = type_means(pd.DataFrame(values["train"], columns=dataset.train.labels))
        values["reference"], columns["reference"] = means.to_numpy(), means.columns
    out = _Pickle()
    out.open("utils.DeconomixFile", "DeconomixFile")
    out.item("Description", dataset.description[:MAX_TEXT])
    out.item("Author", (author or dataset.author)[:MAX_TEXT])
    for role, attribute in ATTRIBUTES.items():
        out.text(attribute)
        if role in values:
            out.frame(values.pop(role), genes, columns[role])
        else:
            out.value(None)
        if role in DESCRIPTIONS:
            source = dataset.source(role)
            out.item(
                DESCRIPTIONS[role],
                (given.get(role) or (source.description if source else ""))[:MAX_TEXT],
            )
    out.item("Gamma", None)
    out.item("filename", f"{dataset.name}.dcx"[:MAX_TEXT])
    out.item("__VERSION__", float(f"{VERSION[0]}.{VERSION[1]}"))
    out.close()
    return out.content()


def _dense(matrix: Matrix) -> npt.NDArray[Any]:
    stored: Any = matrix.values
    values: npt.NDArray[Any] = stored.toarray() if matrix.is_sparse else stored
    return np.asarray(values, dtype=np.float32 if values.dtype == np.float32 else np.float64)


class _Pickle:
    """Opcodes of protocol 4. Only what a file of frames needs."""

    def __init__(self) -> None:
        self._out: list[bytes | memoryview] = [b"\x80\x04"]
        self._texts: dict[str, int] = {}

    def content(self) -> bytes:
        return b"".join([*self._out, b"."])

    def _put(self, *codes: bytes | memoryview) -> None:
        self._out += codes

    def text(self, value: str) -> None:
        """A text; the second time a reference to the first."""
        known = self._texts.get(value)
        if known is not None:
            self._put(b"j", struct.pack("<I", known))
            return
        raw = value.encode("utf-8", "surrogatepass")
        self._put(b"X", struct.pack("<I", len(raw)), raw, b"\x94")
        self._texts[value] = len(self._texts)  # nothing else is memoised

    def value(self, value: str | float | None) -> None:
        """A text, a number, a truth value or nothing."""
        if isinstance(value, str):
            self.text(value)
        elif value is None or isinstance(value, bool):
            self._put(b"N" if value is None else b"\x88" if value else b"\x89")
        elif isinstance(value, int):
            self._put(b"J", _INT.pack(value))
        else:
            self._put(b"G", struct.pack(">d", value))

    def item(self, key: str, value: str | float | None) -> None:
        self.text(key)
        self.value(value)

    def name(self, module: str, name: str) -> None:
        self.text(module)
        self.text(name)
        self._put(b"\x93")

    def open(self, module: str, name: str) -> None:
        """An instance whose attributes follow; ended by :meth:`close`."""
        self.name(module, name)
        self._put(b")\x81}(")

    def close(self) -> None:
        self._put(b"ub")

    def frame(
        self, values: npt.NDArray[Any], genes: Iterable[object], columns: Iterable[object]
    ) -> None:
        """A DataFrame. values : genes x columns, float32 or float64."""
        rows, wide = values.shape
        self.open("pandas.core.frame", "DataFrame")
        self.text("_mgr")
        self.name("pandas.core.internals.managers", "BlockManager")
        self.name("pandas._libs.internals", "_unpickle_block")
        self._numbers(values.T)
        self.name("builtins", "slice")
        for bound in (0, wide, 1):
            self.value(bound)
        self._put(b"\x87R")
        self.value(2)  # dimensions
        self._put(b"\x87R\x85](")  # the tuple of this one block, the list of axes
        self._names(columns, wide)
        self._names(genes, rows)
        self._put(b"e\x86R")
        self.item("_typ", "dataframe")
        self.text("_metadata")
        self._put(b"]")
        self.text("attrs")
        self._put(b"}")
        self.text("_flags")
        self._put(b"}")
        self.item("allows_duplicate_labels", True)
        self._put(b"s")
        self.close()

    def _names(self, names: Iterable[object], size: int) -> None:
        """An Index of texts."""
        base = "pandas.core.indexes.base"
        self.name(base, "_new_Index")
        self.name(base, "Index")
        self._put(b"}(")
        self.text("data")
        self._array((size,), "O8", "|", fortran=False)
        self._put(b"](")
        for name in names:
            self.text(str(name))
        self._put(b"etb")
        self.item("name", None)
        self._put(b"u\x86R")

    def _numbers(self, values: npt.NDArray[Any]) -> None:
        fortran = values.flags.f_contiguous and not values.flags.c_contiguous
        plain = np.ascontiguousarray(
            values.T if fortran else values, dtype=values.dtype.newbyteorder("<")
        )
        self._array(values.shape, f"f{values.itemsize}", "<", fortran=fortran)
        self._put(
            b"\x8e",
            struct.pack("<Q", plain.nbytes),
            memoryview(plain.reshape(-1).view(np.uint8).data),
            b"tb",
        )

    def _array(self, shape: tuple[int, ...], dtype: str, order: str, *, fortran: bool) -> None:
        """An ndarray up to its data, which follow and are ended by ``tb``.

        The module name is NumPy 1's: NumPy 2 keeps it for pickles.
        """
        self.name("numpy.core.multiarray", "_reconstruct")
        self.name("numpy", "ndarray")
        self.value(0)
        self._put(b"\x85C\x01b\x87R(")
        self.value(1)
        for size in shape:
            self.value(size)
        self._put(b"\x86" if len(shape) == 2 else b"\x85")
        self.name("numpy", "dtype")
        self.text(dtype)
        self._put(b"\x89\x88\x87R(")
        objects = dtype.startswith("O")
        for part in (3, order, None, None, None, -1, -1, 63 if objects else 0):
            self.value(part)
        self._put(b"tb")
        self.value(fortran)
