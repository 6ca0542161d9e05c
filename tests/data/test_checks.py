"""Every case on which the engine fails or lies is refused before it, in a sentence that names what
and where (ENGINE.md, trap 6).
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.dataset import Matrix
from gui.data.normalize import prepare
from gui.data.validation.checks import check_matrix, check_reference, check_trainable, check_types
from gui.errors import (
    BadNames,
    BadValues,
    CollinearTypes,
    EmptyColumn,
    MissingPart,
    NoCommonGenes,
    TooFewGenes,
    TooFewTypes,
    UnreadableFile,
)
from gui.text import number, shorten, some


def test_at_most_three_names_stand_in_a_sentence() -> None:
    assert some(["a"]) == "a"
    assert some("ab") == "a and b"
    assert some("abc") == "a, b and c"
    assert some("abcde") == "a, b, c and 2 more"
    assert number(4245) == "4\u00a0245"
    assert len(shorten("x" * 5000)) == 60
    assert shorten("a\nb\x00c") == "a b c"


@pytest.mark.parametrize("stored", ["dense", "sparse"])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.nan, "no value for gene G2 in cell S1"),
        (np.inf, "infinite value for gene G2 in cell S1"),
        (-2.5, "the negative value -2.5 for gene G2 in cell S1"),
    ],
)
def test_a_bad_value_is_named_with_its_gene_and_cell(
    make: SimpleNamespace, value: float, says: str, stored: str
) -> None:
    values = np.ones((4, 3))
    values[2, 1] = value
    matrix = make.matrix(values)
    if stored == "sparse":
        matrix = Matrix(sparse.csc_matrix(values), matrix.genes, matrix.columns)
    with pytest.raises(BadValues, match=says):
        check_matrix(matrix, "train", "f.csv")
    values[3, 2] = value
    with pytest.raises(BadValues, match="one of 2 such values"):
        check_matrix(make.matrix(values), "train", "f.csv")


def test_gene_and_sample_names_must_be_there_and_unique(make: SimpleNamespace) -> None:
    values = np.ones((5, 2))
    with pytest.raises(BadNames, match=r"In f\.csv the gene names A and B occur more than once"):
        check_matrix(make.matrix(values, list("AABBC")), "bulk", "f.csv")
    with pytest.raises(BadNames, match="gene name that is empty"):
        check_matrix(make.matrix(values, ["A", None, "B", "C", "D"]), "bulk", "f.csv")
    with pytest.raises(BadNames, match="the sample name X occurs more than once"):
        check_matrix(make.matrix(values, None, ["X", "X"]), "bulk", "f.csv")
    with pytest.raises(BadNames, match="the cell type name X occurs more than once"):
        check_matrix(make.matrix(values, None, ["X", "X"]), "reference", "f.csv")
    check_matrix(make.matrix(values, None, ["X", "X"]), "train", "f.csv")  # cells may repeat


def test_an_empty_matrix_is_refused(make: SimpleNamespace) -> None:
    with pytest.raises(UnreadableFile, match="holds no samples"):
        check_matrix(make.matrix(np.ones((3, 0))), "bulk", "f.csv")
    with pytest.raises(UnreadableFile, match="holds no genes"):
        check_matrix(make.matrix(np.ones((0, 3))), "bulk", "f.csv")
    with pytest.raises(BadValues, match="all values are zero"):
        check_matrix(make.matrix(np.zeros((3, 3))), "bulk", "f.csv")


def test_one_cell_type_is_too_few(make: SimpleNamespace) -> None:
    with pytest.raises(TooFewTypes, match=r"only one cell type \(T\)"):
        check_types(make.cells(np.ones((3, 2)), ["T", "T"]), "f.csv")


def test_identical_types_are_named(make: SimpleNamespace) -> None:
    data = make.dataset()
    twin = data.reference or prepare(data).reference
    reference = make.matrix(
        np.column_stack([twin, twin.iloc[:, 0] * 3]), None, [*twin.columns, "B2"]
    )
    labels = data.train.labels.copy()
    labels[0] = "B2"
    with pytest.raises(CollinearTypes, match=r"The cell types B and B2 cannot be distinguished"):
        prepare(replace(data, reference=reference, train=replace(data.train, labels=labels)))


def test_a_type_that_is_a_mixture_of_others_is_refused_with_those_involved(
    make: SimpleNamespace,
) -> None:
    base = prepare(make.dataset()).reference
    mixed = base.assign(Mix=base["B"] + 2 * base["T"])
    with pytest.raises(CollinearTypes, match="B, T and Mix") as refused:
        check_reference(mixed)
    assert "NK" not in str(refused.value)


def test_fewer_genes_than_types_are_refused(make: SimpleNamespace) -> None:
    data = make.dataset()
    with pytest.raises(TooFewGenes, match="2 genes cannot tell 3 cell types apart"):
        prepare(data, n_genes=2)
    with pytest.raises(TooFewGenes, match="1 gene cannot"):
        prepare(replace(data, bulk=make.bulk(np.ones((1, 2)), ["G3"])))


def test_no_gene_in_common_is_refused_with_examples(make: SimpleNamespace) -> None:
    with pytest.raises(
        NoCommonGenes,
        match=r"The bulk and the training cells have no gene in common \(G0 against X\)",
    ):
        prepare(make.dataset(bulk=make.bulk(np.ones((2, 2)), ["X", "Y"])))


def test_parts_that_share_genes_in_pairs_but_not_together_are_refused(
    make: SimpleNamespace,
) -> None:
    data = make.dataset()
    reference = make.matrix(np.eye(3) + 1, ["G0", "G1", "G2"], ["B", "NK", "T"])
    with pytest.raises(
        NoCommonGenes,
        match=(
            "No gene occurs in all of the training cells, the test cells, the reference and 1 more"
        ),
    ):
        prepare(replace(data, reference=reference, bulk=make.bulk(np.ones((2, 2)), ["G4", "G5"])))


def test_a_sample_that_is_zero_over_the_genes_in_use_is_named(make: SimpleNamespace) -> None:
    data = make.dataset()
    values = data.bulk.matrix.values.copy()
    values[:, 1] = 0
    genes = [*data.bulk.matrix.genes, "elsewhere"]
    bulk = make.bulk(np.vstack([values, [9, 9, 9]]), genes)  # counts, but in no common gene
    with pytest.raises(
        EmptyColumn, match="In the bulk the sample S1 is zero over the genes in use"
    ):
        prepare(replace(data, bulk=bulk))


def test_a_reference_type_without_training_cells_is_refused(make: SimpleNamespace) -> None:
    data = make.dataset()
    with pytest.raises(
        MissingPart, match="The reference holds T cell, but no training cell bears this label"
    ) as refused:
        check_trainable(["B", "T cell"], data.train)
    assert "B, NK and T" in refused.value.advice
    with pytest.raises(TooFewTypes, match="The reference holds only one"):
        check_trainable(["B"], data.train)


def test_not_finite_numbers_after_preparing_are_refused() -> None:
    with pytest.raises(BadValues):
        check_reference(pd.DataFrame({"A": [1.0, np.nan, 2], "B": [2.0, 3, 4]}))
