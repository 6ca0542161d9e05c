"""Reading a large file takes little more memory than its values need."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data import column_pieces
from gui.data.dataset import Cells, Matrix
from gui.data.load import CellChoice, FileChoice, LoadRequest, load_dataset
from gui.data.normalize import sums_by_type
from gui.data.readers import hdf5_matrix
from gui.data.validation import duplicates
from gui.data.validation.examine import examine

CELLS, GENES, TYPES = 6000, 1500, 6


def peak_of(call: Callable[[], Any]) -> tuple[Any, int]:
    """What a call gives, and the most bytes that it held at a time."""
    tracemalloc.start()
    try:
        made = call()
        return made, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sparse counts of many cells, large beside the pieces that they are read in."""
    monkeypatch.setattr(hdf5_matrix, "PIECE", 100_000)
    monkeypatch.setattr(column_pieces, "PIECE", 100_000)
    monkeypatch.setattr(duplicates, "_PIECE", 100_000)
    random = np.random.default_rng(0)
    counts = sparse.random(CELLS, GENES, 0.3, "csr", np.float32, random)
    counts.data = np.ceil(counts.data * 20 * (1 + counts.indices % 7)).astype(np.float32)
    types = np.array([f"type {i % TYPES}" for i in range(CELLS)])
    obs = pd.DataFrame({"cell_type": pd.Categorical(types)}, index=[f"c{i}" for i in range(CELLS)])
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(GENES)])
    anndata.AnnData(counts, obs=obs, var=var).write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


def test_cells_are_in_memory_twice_at_most_while_they_are_split(file: Path) -> None:
    request = LoadRequest(files={"train": FileChoice(path=file)})
    load_dataset(request)  # what is kept for the next file, such as lists of genes
    dataset, peak = peak_of(lambda: load_dataset(request))
    values = dataset.train.matrix.nbytes + dataset.test.matrix.nbytes
    assert values > 20e6
    assert peak < 2.6 * values


def test_looking_at_cells_copies_no_matrix(file: Path) -> None:
    choice = FileChoice(path=file, cells=CellChoice(per_label=900))
    request = LoadRequest(files={"train": choice})
    examine(request, n_genes=500)
    found, peak = peak_of(lambda: examine(request, n_genes=500))
    assert found.parts["train"].columns == TYPES * 900
    assert peak < 1.9 * TYPES * 900 * GENES * 0.3 * 8


def test_pieces_give_the_sums_of_the_whole(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_pieces, "PIECE", 7)
    cells: Cells = make.dataset().train
    stored = sparse.csc_matrix(cells.matrix.values)
    stored.data[::5] = 0.0
    weight = np.random.default_rng(1).random(len(cells.labels))
    dense = stored.toarray()
    assert len(list(column_pieces.column_pieces(stored))) > 3
    assert np.array_equal(column_pieces.filled_by_column(stored), np.count_nonzero(dense, axis=0))
    assert np.array_equal(column_pieces.filled_rows(stored), dense.any(axis=1))
    matrix = Matrix(stored, cells.matrix.genes, cells.matrix.columns)
    given = Cells(matrix, cells.labels, cells.obs)
    sums = sums_by_type(given, weight)
    expected = pd.DataFrame((dense * weight).T).groupby(np.asarray(cells.labels)).sum().T
    assert list(sums.columns) == list(expected.columns)
    np.testing.assert_allclose(sums.to_numpy(), expected.to_numpy(), rtol=1e-13)
