"""Parquet and Feather against the .csv of the same table; pyarrow is an extra of the program."""

from __future__ import annotations

import gzip
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Role
from gui.data.readers.inspection import inspect_file
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.errors import DataError, UnreadableFile

arrow = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")

GENES = ["CD3E", "CD19", "LYZ", "NKG7", "MS4A1", "GNLY"]
SAMPLES = ["PT01", "PT02", "PT03"]
VALUES = np.round(np.random.default_rng(3).gamma(2.0, 40.0, (6, 3)), 3)
KINDS = ["parquet", "feather", "feather-1"]
each_kind = pytest.mark.parametrize("kind", KINDS)


def part_of(path: Path, role: Role = "bulk", **choice: Any) -> Part:
    return read_all({role: FileChoice(path=path, **choice)})[0][role]


def dense(part: Part) -> np.ndarray:
    return np.asarray(part.matrix.values)


def written(table: Any, kind: str, folder: Path) -> Path:
    path = folder / f"x.{kind.partition('-')[0]}"
    if kind == "parquet":
        parquet.write_table(table, path)
    elif kind == "feather":
        feather.write_feather(table, path, compression="zstd")
    else:
        feather.write_feather(table, path, version=1)
    return path


def same_as_csv(path: Path, csv: Path) -> Part:
    part, same = part_of(path), part_of(csv)
    np.testing.assert_array_equal(dense(part), dense(same))
    assert list(part.matrix.genes) == list(same.matrix.genes)
    assert list(part.matrix.columns) == list(same.matrix.columns)
    assert part.traits.keys() == same.traits.keys()
    return part


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
@each_kind
def test_a_table_with_a_column_of_genes_is_read_as_its_csv(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(VALUES, columns=SAMPLES)
    frame.insert(0, "symbol", GENES)
    frame.insert(1, "entrez_id", [916, 930, 4069, 4818, 931, 10578])
    frame.to_csv(tmp_path / "x.csv", index=False)
    path = written(arrow.Table.from_pandas(frame, preserve_index=False), kind, tmp_path)
    part = same_as_csv(path, tmp_path / "x.csv")
    assert list(part.matrix.columns) == SAMPLES
    assert inspect_file(path, "bulk").shape == (6, 3)


@pytest.mark.parametrize("title", [None, "gene_id"])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_the_index_of_pandas_holds_the_genes(kind: str, title: str | None, tmp_path: Path) -> None:
    frame = pd.DataFrame(VALUES, pd.Index(GENES, name=title), SAMPLES)
    frame.to_csv(tmp_path / "x.csv")
    table = arrow.Table.from_pandas(frame)
    assert ("__index_level_0__" in table.schema.names) == (title is None)
    same_as_csv(written(table, kind, tmp_path), tmp_path / "x.csv")


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_every_type_of_column_gives_what_its_csv_gives(kind: str, tmp_path: Path) -> None:
    columns = {
        "gene": arrow.array(GENES).dictionary_encode(),
        "biotype": arrow.array(["protein_coding"] * 6, arrow.large_string()),
        "PT01": arrow.array([Decimal("1.50"), Decimal("0.25"), *[Decimal("7.00")] * 4]),
        "PT02": arrow.array([3, 0, 2, 9, 1, 4], arrow.uint16()),
        "PT03": arrow.array(VALUES[:, 2].astype(np.float32)),
    }
    path = written(arrow.table(columns), kind, tmp_path)
    part = part_of(path)
    assert list(part.matrix.genes) == GENES
    assert list(part.matrix.columns) == SAMPLES
    np.testing.assert_array_equal(dense(part)[:, 0], [1.5, 0.25, 7, 7, 7, 7])
    np.testing.assert_array_equal(dense(part)[:, 1], [3, 0, 2, 9, 1, 4])
    np.testing.assert_allclose(dense(part)[:, 2], VALUES[:, 2], rtol=1e-6)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_repeated_names_and_gaps_are_those_of_the_csv(kind: str, tmp_path: Path) -> None:
    arrays = [
        arrow.array(GENES),
        arrow.array([1, None, 3, 4, 5, 60]),
        arrow.array([1.5, 2.5, None, 4.5, 5.5, 6.5]),
    ]
    table = arrow.Table.from_arrays(arrays, names=["gene", "PT01", "PT01"])
    (tmp_path / "x.csv").write_text(
        "gene,PT01,PT01\nCD3E,1,1.5\nCD19,NA,2.5\nLYZ,3,NA\nNKG7,4,4.5\nMS4A1,5,5.5\nGNLY,60,6.5\n"
    )
    same_as_csv(written(table, kind, tmp_path), tmp_path / "x.csv")


def test_a_column_of_lists_is_refused_by_name(tmp_path: Path) -> None:
    table = arrow.table({"gene": GENES, "terms": [["a", "b"]] * 6, "PT01": VALUES[:, 0]})
    with pytest.raises(UnreadableFile, match="column terms holds more than one value"):
        part_of(written(table, "parquet", tmp_path))


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_without_pyarrow_the_line_is_said(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame(VALUES, GENES, SAMPLES)
    path = written(arrow.Table.from_pandas(frame), kind, tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnreadableFile, match="only pyarrow reads") as refused:
        part_of(path)
    assert 'pip install "deconomix-gui[parquet]"' in str(refused.value.advice)
    assert f"read_{kind}" in str(refused.value.advice)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_what_breaks_off_or_is_packed_is_refused_with_the_way_out(
    kind: str, tmp_path: Path
) -> None:
    table = arrow.Table.from_pandas(pd.DataFrame(VALUES, GENES, SAMPLES))
    whole = written(table, kind, tmp_path).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:8], gzip.compress(whole)):
        (tmp_path / "y.bin").write_bytes(content)
        with pytest.raises(DataError) as refused:
            part_of(tmp_path / "y.bin")
        assert f"read_{kind}" in str(refused.value.advice)
        assert "damaged" not in str(refused.value)


def test_rows_beyond_the_memory_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = arrow.table({"gene": GENES * 100, "PT01": np.ones(600)})
    path = written(table, "parquet", tmp_path)
    monkeypatch.setattr("gui.data.readers.frame_text.text_limit", lambda: 9000)
    monkeypatch.setattr(parquet.ParquetFile, "read", lambda *args, **options: pytest.fail("read"))
    with pytest.raises(UnreadableFile, match="too large: 600 rows"):
        part_of(path)
