"""The predecessor's files are read, whatever wrote their frames, and nothing is unpickled."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.normalize import prepare
from gui.data.readers.dcx import read_dcx
from gui.errors import UnreadableFile


@pytest.fixture
def write_dcx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a .dcx as the predecessor does: an instance of utils.DeconomixFile.DeconomixFile,
    pickled.
    """
    module = types.ModuleType("utils.DeconomixFile")
    module.DeconomixFile = type("DeconomixFile", (), {"__module__": "utils.DeconomixFile"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "utils", types.ModuleType("utils"))
    monkeypatch.setitem(sys.modules, "utils.DeconomixFile", module)

    def write(protocol: int = 4, **attributes: Any) -> Path:
        file = module.DeconomixFile()
        file.__dict__.update(
            {
                "X_mat": None,
                "Train": None,
                "Test": None,
                "Application": None,
                "Gamma": None,
                "Description": "d",
                "Author": "a",
            }
            | attributes
        )
        path = tmp_path / "made.dcx"
        path.write_bytes(pickle.dumps(file, protocol))
        return path

    return write


def frames() -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(0)
    values = random.poisson(2.0, (7, 5)).astype(float)
    genes, types_ = [f"G{i}" for i in range(7)], ["T", "B", "T", "NK", "B"]
    plain = pd.DataFrame(values, genes, types_)
    mixed = plain.astype(np.float32)
    mixed.columns = list("abcde")
    mixed["c"] = mixed["c"].astype(np.int64)
    mixed["e"] = mixed["e"].astype(np.float64)
    sparse = pd.DataFrame(
        {c: pd.arrays.SparseArray(values[:, i]) for i, c in enumerate("abcde")}, index=genes
    )
    return {
        "plain": plain,
        "float32": plain.astype(np.float32),
        "int64": plain.astype(np.int64),
        "uint8": plain.astype(np.uint8),
        "c_order": pd.DataFrame(np.ascontiguousarray(values), genes, types_),
        "fortran": pd.DataFrame(np.asfortranarray(values), genes, types_),
        "big_endian": pd.DataFrame(values.astype(">f8"), genes, types_),
        "transposed": pd.DataFrame(values.T.copy(), types_, genes).T,
        "objects": plain.astype(object),
        "mixed_blocks": mixed,
        "sparse": sparse,
        "block_sparse": pd.DataFrame(
            {c: pd.arrays.SparseArray(values[:, i], kind="block") for i, c in enumerate("abcde")},
            index=genes,
        ),
        "range_columns": pd.DataFrame(values, genes),
        "whole_number_columns": pd.DataFrame(values, genes, [3, 1, 4, 1, 5]),
        "categorical_columns": pd.DataFrame(
            values, genes, pd.CategoricalIndex(types_, categories=["B", "NK", "T", "unused"])
        ),
        "text_index": pd.DataFrame(values, pd.Index(genes, dtype="string[python]"), types_),
        "numpy_text": pd.DataFrame(values, list(np.array(genes)), list(np.array(types_))),
        "one_column": plain.iloc[:, [0]],
        "strided": plain.iloc[::2],
        "picked": plain.iloc[:, [4, 0]],
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", sorted(frames()))
def test_a_frame_comes_back_as_it_was(write_dcx, kind: str, protocol: int) -> None:
    frame = frames()[kind]
    part = read_dcx(write_dcx(protocol, Train=frame, TrainDesc="cells")).parts["train"]
    assert part.genes == [str(g) for g in frame.index]
    assert part.columns == [str(c) for c in frame.columns]
    np.testing.assert_array_equal(part.values.astype(float), frame.to_numpy(dtype=float))
    assert part.description == "cells"


def test_object_arrays_in_fortran_order_are_not_read_transposed(write_dcx) -> None:
    values = np.asfortranarray(np.arange(12).reshape(4, 3).astype(object))
    part = read_dcx(write_dcx(4, Train=pd.DataFrame(values, list("abcd"), list("xyz")))).parts[
        "train"
    ]
    np.testing.assert_array_equal(part.values, values.astype(float))


def test_a_missing_name_is_none_and_not_the_text_nan(write_dcx) -> None:
    frame = pd.DataFrame(np.ones((2, 3)), ["a", "b"], pd.CategoricalIndex(["T", None, "B"]))
    assert read_dcx(write_dcx(4, Train=frame)).parts["train"].columns == ["T", None, "B"]


def test_a_frame_of_text_or_dates_is_refused_in_a_sentence(write_dcx) -> None:
    with pytest.raises(UnreadableFile, match="text instead of numbers"):
        read_dcx(write_dcx(4, Train=pd.DataFrame([["x"]], ["g"], ["c"])))
    with pytest.raises(UnreadableFile, match="nothing of it was run"):
        read_dcx(write_dcx(4, Train=pd.DataFrame([[1.0]], ["g"], pd.date_range("2020", periods=1))))


def test_a_file_without_data_is_refused(write_dcx) -> None:
    with pytest.raises(UnreadableFile, match="holds no data"):
        read_dcx(write_dcx())


def test_the_real_file_of_the_predecessor_loads_with_all_its_parts(shared_data: Path) -> None:
    path = shared_data / "predecessor" / "pbmc.dcx"
    dataset = load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))
    assert {role: (m.n_genes, m.n_columns) for role, m in dataset.parts().items()} == {
        "train": (765, 407),
        "test": (765, 293),
        "reference": (765, 10),
        "bulk": (765, 100),
    }
    assert dataset.author == "me"
    assert "Dendritic" in dataset.types
    assert dataset.source("train").kind == "dcx"
    assert len(dataset.source("train").sha256) == 64
    prepared = prepare(dataset, n_genes=200)
    assert prepared.bulk.shape == (200, 100)
    means = prepare(load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))).reference
    # X_mat really lies under its own names
    assert means.corrwith(dataset.reference.frame()).min() > 0.9


def test_the_small_files_of_the_predecessor_are_read(shared_data: Path) -> None:
    parts = {p.name: read_dcx(p).parts for p in (shared_data / "predecessor").glob("*.p4.dcx")}
    assert len(parts) == 5
    kinds = {
        "train_float64.p4.dcx": np.float64,
        "train_float32.p4.dcx": np.float32,
        "train_int64.p4.dcx": np.int64,
    }
    for name, dtype in kinds.items():
        values = parts[name]["train"].values
        assert (values.shape, values.dtype) == ((60, 80), dtype)
        assert values.min() >= 0
        # they hold counts: a wrong byte order or type would show
        np.testing.assert_array_equal(values, np.rint(values))
        assert 1 < values.mean() < 10
    assert set(parts["catcols.p4.dcx"]["train"].columns) == {"T", "B", "NK", "Mono", "DC"}
    assert parts["rangecols.p4.dcx"]["train"].columns[:3] == ["0", "1", "2"]
    full = read_dcx(shared_data / "predecessor" / "FULL.p0default.dcx").parts
    assert set(full) == {"train", "test", "reference", "bulk"}


def test_numbers_in_place_of_cell_types_are_refused(shared_data: Path) -> None:
    with pytest.raises(UnreadableFile.__base__, match="a label of its own"):
        load_dataset(
            LoadRequest(
                files={"train": FileChoice(path=shared_data / "predecessor" / "rangecols.p4.dcx")}
            )
        )
