"""Objects of R in .rds files against the .csv or .h5ad of the same data.

The files are made by rdata's own writer, from the objects that R's saveRDS writes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdata
from rdata.parser import RObject, RObjectType

from gui.data.dataset import Role
from gui.data.readers.inspection import inspect_file
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.errors import DataError, NoLabels, UnreadableFile
from tests.data import cell_formats as made
from tests.data.r_objects import (
    HEADER,
    data_frame,
    dgc_matrix,
    doubles,
    factor,
    integers,
    listed,
    matrix,
    r_object,
    saved,
    texts,
)

GENES = ["CD3E", "CD19", "LYZ", "NKG7", "MS4A1", "GNLY"]
SAMPLES = ["PT01", "PT02", "PT03"]
VALUES = np.round(np.random.default_rng(3).gamma(2.0, 40.0, (6, 3)), 3)


def part_of(path: Path, role: Role = "bulk", **choice: Any) -> Part:
    return read_all({role: FileChoice(path=path, **choice)})[0][role]


def dense(part: Part) -> np.ndarray:
    values = part.matrix.values
    return np.asarray(values if isinstance(values, np.ndarray) else values.toarray())


# -- tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, bytes], ids=["gz", "bz2", "xz", "plain"]
)
def test_a_matrix_is_read_as_its_csv(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = saved(tmp_path / "x.rds", matrix(VALUES, GENES, SAMPLES), pack)
    pd.DataFrame(VALUES, GENES, SAMPLES).to_csv(tmp_path / "x.csv")
    part, same = part_of(path), part_of(tmp_path / "x.csv")
    np.testing.assert_array_equal(dense(part), dense(same))
    np.testing.assert_array_equal(dense(part), VALUES)
    assert list(part.matrix.genes) == GENES
    assert list(part.matrix.columns) == SAMPLES
    assert inspect_file(path, "bulk").shape == (6, 3)
    assert (part.genes_from, same.genes_from) == ("row names", "first column")


@pytest.mark.parametrize("named", [True, False])
def test_a_data_frame_is_read_as_its_csv(named: bool, tmp_path: Path) -> None:
    counts = np.array([[3, 1, 0], [5, 2, 8], [0, 4, 7], [9, 9, 1], [2, 2, 2], [6, 0, 3]])
    columns: dict[str, RObject] = {} if named else {"symbol": factor(GENES)}
    columns |= {"Length": integers([900, 1200, 700, 1500, 2100, 640])}
    columns |= {sample: doubles(counts[:, i]) for i, sample in enumerate(SAMPLES)}
    rows = texts(GENES) if named else integers([-(2**31), -6])
    path = saved(tmp_path / "x.rds", data_frame(columns, rows))
    frame = pd.DataFrame(counts, columns=SAMPLES)
    frame.insert(0, "Length", [900, 1200, 700, 1500, 2100, 640])
    if named:
        frame.index = pd.Index(GENES)
    else:
        frame.insert(0, "symbol", GENES)
    frame.to_csv(tmp_path / "x.csv", index=named)
    part, same = part_of(path), part_of(tmp_path / "x.csv")
    np.testing.assert_array_equal(dense(part), dense(same))
    assert list(part.matrix.genes) == list(same.matrix.genes) == GENES
    assert list(part.matrix.columns) == list(same.matrix.columns) == SAMPLES
    assert part.traits.keys() == same.traits.keys()
    assert part.genes_from == ("row names" if named else "column symbol")


def test_a_data_frame_of_rdatas_own_writer_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(VALUES, GENES, SAMPLES)
    rdata.write_rds(tmp_path / "x.rds", frame)
    np.testing.assert_array_equal(dense(part_of(tmp_path / "x.rds")), VALUES)


def test_a_matrix_without_names_of_genes_is_refused_with_the_line(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.rds", doubles(VALUES.ravel(), {"dim": integers([6, 3])}))
    with pytest.raises(UnreadableFile, match="without names of its rows") as refused:
        part_of(path)
    assert "rownames(x)" in str(refused.value.advice)


# -- sparse matrices -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["train", "bulk"])
def test_a_sparse_matrix_is_read_as_the_h5ad(role: Role, tmp_path: Path) -> None:
    path = saved(tmp_path / "c.rds", dgc_matrix(made.COUNTS.T, made.GENES, made.CELLS))
    made.anndata_of_cells().write_h5ad(tmp_path / "c.h5ad")
    (tmp_path / "types.csv").write_text(
        "barcode,cell_type\n"
        + "".join(f"{c},{t}\n" for c, t in zip(made.CELLS, made.TYPES, strict=True))
    )
    labels = {"labels": tmp_path / "types.csv"} if role == "train" else {}
    part, same = part_of(path, role, **labels), part_of(tmp_path / "c.h5ad", role)
    np.testing.assert_array_equal(dense(part), dense(same))
    assert not isinstance(part.matrix.values, np.ndarray)
    assert list(part.matrix.genes) == made.GENES
    assert list(part.matrix.columns) == made.CELLS
    assert part.source.kind == "rds"
    if role == "train":
        assert list(part.labels) == made.TYPES  # type: ignore[arg-type]
    assert inspect_file(path, role).shape == (made.N_GENES, made.N_CELLS)


def test_cells_without_labels_are_asked_for_them(tmp_path: Path) -> None:
    path = saved(tmp_path / "c.rds", dgc_matrix(made.COUNTS.T, made.GENES, made.CELLS))
    part = part_of(path, "train")
    assert part.labels is None
    assert isinstance(part.unlabelled, NoLabels)
    assert "table of cell labels" in str(part.unlabelled.advice)


# -- what is not read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("Seurat", 'LayerData(x, layer = "counts")'),
        ("SingleCellExperiment", 'assay(x, "counts")'),
        ("DGEList", "x$counts"),
        ("ExpressionSet", "exprs(x)"),
        ("dgTMatrix", "CsparseMatrix"),
        ("myclass", "as.matrix(x)"),
    ],
)
@pytest.mark.parametrize("form", ["S4", "list"])
def test_another_class_is_refused_by_name_with_its_line(
    kind: str, line: str, form: str, tmp_path: Path
) -> None:
    attributes = {"names": texts(["a"]), "class": texts([kind])}
    item = (
        r_object(RObjectType.S4, None, attributes)
        if form == "S4"
        else listed(texts(["b"]), attributes=attributes)
    )
    path = saved(tmp_path / "x.rds", item)
    with pytest.raises(UnreadableFile, match=f"of the class {kind};") as refused:
        part_of(path, "train")
    assert line in str(refused.value.advice)
    assert 'readRDS("x.rds")' in str(refused.value.advice)
    assert "damaged" not in str(refused.value)


def test_what_breaks_off_or_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "x.rds", matrix(VALUES, GENES, SAMPLES), bytes).read_bytes()
    deep = whole[:HEADER] + (b"\0\0\0\x13\0\0\0\1" * 20_000)
    for content in (whole[:200], deep, whole[:HEADER] + b"\0\0\0\x0e\x7f\xff\xff\xff"):
        (tmp_path / "y.rds").write_bytes(content)
        with pytest.raises(DataError) as refused:
            part_of(tmp_path / "y.rds")
        assert "readRDS" in str(refused.value.advice)


def test_indices_beyond_the_matrix_are_refused(tmp_path: Path) -> None:
    item = dgc_matrix(made.COUNTS.T, made.GENES, made.CELLS)
    item.attributes.value[0].value[0] = 10**6
    path = saved(tmp_path / "c.rds", item)
    with pytest.raises(UnreadableFile, match="contradicts itself"):
        part_of(path)
