"""Cell types merged into one: cells, reference, known fractions, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Cells, Dataset, KnownComposition, Matrix, Source
from gui.data.merged_types import connected, merge_types
from gui.engine.known_agreement import compare_with_known
from gui.errors import InvalidParameter

TYPES = ("B", "CD4", "CD8", "NK")


def data(pairs: dict[str, str] | None = None) -> Dataset:
    """Eight cells of four types, a reference with one column of each, two bulk samples' truth."""
    genes = pd.Index([f"g{i}" for i in range(5)], dtype=object)
    values = np.arange(40, dtype=np.float64).reshape(5, 8)
    labels = np.array([*TYPES, *TYPES], dtype=object)
    cells = Cells(Matrix(values, genes, pd.Index(range(8))), labels, pd.DataFrame(index=range(8)))
    reference = Matrix(values[:, :4] + 1, genes, pd.Index(TYPES, dtype=object))
    known = pd.DataFrame(
        {"s1": [0.1, 0.2, 0.3, 0.4], "s2": [0.4, 0.3, 0.2, 0.1]},
        index=["b", "cd4", "cd8", "nk"],
    )
    truth = KnownComposition(known, "flow.csv", pairs or {k: k.upper() for k in known.index})
    sources = (
        Source("train", "cells.h5ad", "h5ad", notes=("8 cells",)),
        Source("bulk", "b", "csv"),
    )
    return Dataset(cells, cells, reference, sources=sources, truth=truth)


def test_pairs_that_share_a_type_are_one_group() -> None:
    assert connected([("A", "B"), ("C", "D"), ("B", "E")]) == [("C", "D"), ("A", "B", "E")]
    assert connected([("A", "B"), ("C", "D"), ("D", "A")]) == [("A", "B", "C", "D")]
    assert connected([]) == []


def test_cells_reference_and_notes_have_the_new_type() -> None:
    before = data()
    after = merge_types(before, [("CD8", "CD4")])
    assert after.types == ["B", "CD4 + CD8", "NK"]
    assert after.train is not None
    assert after.test is not None
    assert after.reference is not None
    assert after.train.labels.tolist() == ["B", "CD4 + CD8", "CD4 + CD8", "NK"] * 2
    assert after.test.labels.tolist() == after.train.labels.tolist()
    assert after.train.matrix is before.train.matrix  # type: ignore[union-attr]
    old, new = before.reference.frame(), after.reference.frame()  # type: ignore[union-attr]
    pd.testing.assert_series_equal(
        new["CD4 + CD8"], (old["CD4"] + old["CD8"]) / 2, check_names=False
    )
    pd.testing.assert_frame_equal(new[["B", "NK"]], old[["B", "NK"]])
    assert after.sources[0].notes == (
        "8 cells",
        "Cell types merged, as they are too alike: CD4 and CD8 to CD4 + CD8.",
    )
    assert after.sources[1] == before.sources[1]
    assert after.training_id != before.training_id
    assert before.types == list(TYPES)


def compared(found: Dataset) -> dict[str, list[float]]:
    """Estimated type or types -> the known fractions that they are compared with."""
    assert found.truth is not None
    estimate = pd.DataFrame(0.25, index=found.types, columns=["s1", "s2"])
    points = compare_with_known(found.truth.shares, estimate, found.truth.pairs).points
    return {
        str(name): [round(float(v), 6) for v in rows["known"]]
        for name, rows in points.groupby("cell_type", sort=False)
    }


def test_known_fractions_of_the_members_are_added_up() -> None:
    found = compared(merge_types(data(), [("CD4", "CD8")]))
    assert found == {"B": [0.1, 0.4], "CD4 + CD8": [0.5, 0.5], "NK": [0.4, 0.1]}


def test_what_is_known_of_one_member_only_is_not_compared() -> None:
    found = compared(merge_types(data({"b": "B", "cd4": "CD4", "nk": "NK"}), [("CD4", "CD8")]))
    assert found == {"B": [0.1, 0.4], "NK": [0.4, 0.1]}


def test_a_known_type_that_was_the_sum_of_both_stays_so() -> None:
    found = compared(merge_types(data({"b": "B", "cd4": "CD4|CD8", "nk": "NK"}), [("CD4", "CD8")]))
    assert found["CD4 + CD8"] == [0.2, 0.3]


def test_sums_that_overlap_are_not_compared() -> None:
    pairs = {"b": "B", "cd4": "CD4|CD8", "cd8": "CD8", "nk": "NK"}
    assert set(compared(merge_types(data(pairs), [("CD4", "CD8")]))) == {"B", "NK"}


def test_a_sum_beyond_the_group_takes_its_neighbours_along() -> None:
    pairs = {"b": "B", "cd4": "CD4|NK", "cd8": "CD8"}
    found = merge_types(data(pairs), [("CD4", "CD8")])
    assert found.truth is not None
    assert found.truth.pairs == {"b": "B", "cd4": "CD4 + CD8|NK", "cd8": "CD4 + CD8|NK"}


def test_a_name_that_is_taken_gets_another() -> None:
    before = data()
    assert before.reference is not None
    names = pd.Index(["B", "CD4", "CD8", "CD4 + CD8"], dtype=object)
    found = merge_types(
        replace(before, reference=Matrix(before.reference.values, before.reference.genes, names)),
        [("CD4", "CD8")],
    )
    assert found.types == ["B", "CD4 + CD8 (merged)", "CD4 + CD8"]


def test_all_types_are_never_merged_into_one() -> None:
    with pytest.raises(InvalidParameter, match="nothing to estimate"):
        merge_types(data(), [TYPES])


@pytest.mark.parametrize(
    "groups", [[("CD4",)], [("CD4", "CD4")], [("CD4", "T")], [("CD4", "CD8"), ("CD8", "NK")]]
)
def test_groups_that_cannot_be_merged_are_refused(groups: list[tuple[str, ...]]) -> None:
    with pytest.raises(InvalidParameter):
        merge_types(data(), groups)
