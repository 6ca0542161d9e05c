"""The order of preparing data decides the numbers: they equal the reference pipeline's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.dataset import Cells, Dataset, Matrix
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.normalize import (
    bulk_keeps,
    common_genes,
    prepare,
    prepare_bulk,
    select_genes,
    split_cells,
)
from gui.errors import EmptyColumn, MissingGenes, MissingPart
from tests.engine import reference_pipeline as pipeline


def load(folder: Path, *, use_reference: bool) -> Dataset:
    names = {"train": "train", "test": "test", "bulk": "application"} | (
        {"reference": "reference"} if use_reference else {}
    )
    return load_dataset(
        LoadRequest(
            files={
                role: FileChoice(path=p)
                for role, n in names.items()
                if (p := folder / f"{n}.h5ad").exists()
            }
        )
    )


@pytest.mark.parametrize("use_reference", [False, True], ids=["mean of the cells", "own reference"])
def test_prepared_matrices_equal_the_reference_pipeline(
    real_data: Path, use_reference: bool
) -> None:
    path = real_data
    dataset = load(path, use_reference=use_reference)
    application = path / "application.h5ad"
    parts = [
        pipeline.frame(path / "train.h5ad", "cell_type"),
        pipeline.frame(path / "test.h5ad", "cell_type"),
        pipeline.frame(application) if application.exists() else None,
        pipeline.frame(path / "reference.h5ad", "cell_type") if use_reference else None,
    ]
    for n_genes in (None, 200, 500):
        expected = pipeline.prepare(*parts, n_genes=n_genes)
        prepared = prepare(dataset, n_genes=n_genes)
        assert prepared.notes == ()
        for a, b in zip(
            expected,
            (prepared.reference, prepared.train, prepared.test, prepared.bulk),
            strict=True,
        ):
            if a is None:
                assert b is None
                continue
            assert list(a.index) == list(b.index) == list(prepared.genes)
            assert list(a.columns) == list(b.columns)
            assert np.abs(a.to_numpy() - b.to_numpy()).max() <= 1e-9


def test_types_the_reference_lacks_are_not_trained_on_and_stay_in_the_test(
    real_data: Path,
) -> None:
    dataset = load(real_data, use_reference=True)
    lacking = sorted(set(dataset.reference.columns))[0]
    known = dataset.reference.where(dataset.reference.columns != lacking)
    prepared = prepare(replace(dataset, reference=known), n_genes=300)
    assert lacking not in set(prepared.train.columns) | set(prepared.reference.columns)
    assert lacking in set(prepared.test.columns)
    train, test = (pipeline.frame(real_data / f"{n}.h5ad", "cell_type") for n in ("train", "test"))
    bulk = pipeline.frame(real_data / "application.h5ad")
    expected = pipeline.prepare(train, test, bulk, known.frame(), 300)
    ours = (prepared.reference, prepared.train, prepared.test, prepared.bulk)
    for a, b in zip(expected, ours, strict=True):
        pd.testing.assert_frame_equal(a, b, check_names=False, rtol=0, atol=1e-9)


def test_selection_never_makes_the_whole_sparse_matrix_dense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    genes, n = 3000, 400
    values = sparse.random(genes, n, density=0.05, format="csc", random_state=1)
    values.data = np.rint(values.data * 10) + 1
    train = Cells(
        Matrix(values, pd.Index([f"G{i}" for i in range(genes)]), pd.Index(range(n))),
        np.array(["A", "B"] * (n // 2), dtype=object),
        pd.DataFrame(index=range(n)),
    )
    dense = replace(
        train, matrix=Matrix(values.toarray(), train.matrix.genes, train.matrix.columns)
    )
    expected = select_genes(dense, 50, 10_000.0)

    largest, real = [0], sparse.csr_matrix.toarray

    def watched(self: sparse.csr_matrix, *args: object, **options: object) -> np.ndarray:
        largest[0] = max(largest[0], self.shape[0] * self.shape[1])
        return real(self, *args, **options)

    monkeypatch.setattr(sparse.csr_matrix, "toarray", watched)
    monkeypatch.setattr("gui.data.normalize._CHUNK", 40_000)
    assert list(select_genes(train, 50, 10_000.0)) == list(expected)
    assert 0 < largest[0] <= 40_000 < genes * n


def test_without_scaling_the_values_stay_as_they_are(make: SimpleNamespace) -> None:
    data = make.dataset(scale=None)
    prepared = prepare(data)
    np.testing.assert_array_equal(prepared.train.to_numpy(), data.train.matrix.values)
    assert prepare(replace(data, scale=10_000.0)).train.sum().tolist() == pytest.approx(
        [10_000.0] * 15
    )


def test_common_genes_keep_the_order_of_the_training_cells(make: SimpleNamespace) -> None:
    data = make.dataset()
    other = make.bulk(np.ones((3, 2)), ["G7", "G2", "nowhere"])
    assert list(common_genes(replace(data, bulk=other))) == ["G2", "G7"]
    assert list(common_genes(Dataset(None, None))) == []


def test_a_forced_gene_list_is_kept_in_its_order_or_refused_by_name(make: SimpleNamespace) -> None:
    data = make.dataset()
    genes = [f"G{i}" for i in (5, 3, 1, 0, 2)]
    assert list(prepare(data, genes=genes).bulk.index) == genes
    with pytest.raises(MissingGenes, match="lack 2 of the 7 genes in use: X and Y"):
        prepare(data, genes=[*genes, "X", "Y"])
    assert bulk_keeps(pd.Index(["G1", "X"]), data.bulk.matrix) == ["X"]
    with pytest.raises(
        MissingGenes, match=r"The bulk lacks 5 of the 6 genes in use: A, B, C and 2 more\."
    ):
        prepare_bulk(data.bulk, pd.Index(["G1", *"ABCDE"]), 10_000.0)


def test_a_bulk_alone_can_be_prepared_for_a_trained_model(make: SimpleNamespace) -> None:
    data = make.dataset(train=None, test=None)
    prepared = prepare(data, genes=["G3", "G1"])
    assert prepared.bulk.shape == (2, 3)
    assert prepared.train.shape == (2, 0)
    with pytest.raises(MissingPart):
        prepare(data)


def test_cells_without_counts_over_the_selected_genes_are_left_out_and_counted(
    make: SimpleNamespace,
) -> None:
    data = make.dataset()
    values = data.train.matrix.values.copy()
    values[:, 4] = 0
    values[0, 4] = 3  # counts only in a gene that is not common
    train = replace(
        data.train, matrix=Matrix(values, data.train.matrix.genes, data.train.matrix.columns)
    )
    bulk = make.bulk(data.bulk.matrix.values[1:], list(data.bulk.matrix.genes[1:]))
    prepared = prepare(replace(data, train=train, bulk=bulk))
    assert prepared.train.shape[1] == 14
    assert np.isfinite(prepared.train.to_numpy()).all()
    assert prepared.notes == (
        "1 cell of the training cells left out: zero over the 11 genes in use.",
    )


def test_a_type_that_loses_all_its_cells_is_refused(make: SimpleNamespace) -> None:
    data = make.dataset()
    values = np.where(data.train.labels == "NK", 0.0, data.train.matrix.values)
    values[0] = 1.0
    train = replace(
        data.train, matrix=Matrix(values, data.train.matrix.genes, data.train.matrix.columns)
    )
    bulk = make.bulk(data.bulk.matrix.values[1:], list(data.bulk.matrix.genes[1:]))
    with pytest.raises(EmptyColumn, match="all cells of NK are zero"):
        prepare(replace(data, train=train, bulk=bulk))


def test_the_split_is_stratified_and_the_same_for_the_same_seed(make: SimpleNamespace) -> None:
    labels = ["A"] * 10 + ["B"] * 2 + ["C"] + ["D"] * 100
    whole = make.cells(np.arange(2 * len(labels)).reshape(2, -1), labels)
    train, test = split_cells(whole, 0.3, 1)
    assert test.counts().to_dict() == {"A": 3, "B": 1, "D": 30}
    assert train.counts().to_dict() == {"A": 7, "B": 1, "C": 1, "D": 70}
    assert sorted([*train.matrix.columns, *test.matrix.columns]) == sorted(whole.matrix.columns)
    again = split_cells(whole, 0.3, 1)[1]
    assert list(again.matrix.columns) == list(test.matrix.columns)
    assert list(split_cells(whole, 0.3, 2)[1].matrix.columns) != list(test.matrix.columns)
    for share in (0.001, 0.999):
        for part in split_cells(whole, share, 1):
            assert {"A", "B", "D"} <= set(part.types)
