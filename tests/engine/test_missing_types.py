"""Cell types missing from the reference: named where they are, and nothing where none is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Dataset
from gui.data.example import make_example
from gui.engine.missing_types import TWOFOLD, log_ratios, missing_types, typical_offset
from gui.engine.results import SecondOpinion
from gui.engine.second_opinion import second_opinion
from gui.knowledge.markers import shipped_markers
from tests.engine.test_second_opinion import REFERENCES, SHARED, simulated, tiny


def opinion(data: Dataset, types: Sequence[str]) -> SecondOpinion:
    """With these types as the reference, whatever the composition is."""
    assert data.train is not None
    assert data.bulk is not None
    reference = pd.DataFrame(1.0, index=data.train.matrix.genes, columns=list(types))
    samples = data.bulk.matrix.columns
    composition = pd.DataFrame(1 / len(types), index=list(types), columns=samples)
    found = second_opinion(data, reference, composition)
    assert found is not None
    assert found.missing is not None
    return found


def named(found: SecondOpinion) -> list[str]:
    return [] if found.missing is None else list(map(str, found.missing.index))


@pytest.mark.parametrize("name", REFERENCES)
def test_nothing_is_named_where_nothing_is_missing(name: str) -> None:
    if name not in ("example", "tiny_pbmc68k") and not (SHARED / name).is_dir():
        pytest.skip("the shared data are not there")
    data = REFERENCES[name]()
    assert data.train is not None
    for seed in (21, 22):
        found = opinion(simulated(data, seed), data.train.types)
        assert named(found) == []
        assert found.offset is not None
        assert found.offset < 1.5


def test_a_type_left_out_is_named_with_its_markers_and_how_much_they_exceed() -> None:
    data = simulated(tiny(), 13)
    assert data.train is not None
    found = opinion(data, [t for t in data.train.types if t != "CD19+ B"])
    assert named(found)[0] == "B cell"
    assert found.missing is not None
    row = found.missing.loc["B cell"]
    assert row["fold"] > 2**TWOFOLD
    genes = str(row["genes"]).split(", ")
    assert set(genes) <= {str(g) for g in data.train.matrix.genes}
    assert 2 <= len(genes) <= 4


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")
def test_of_ten_blood_types_left_out_in_turn_no_wrong_one_is_named() -> None:
    data = simulated(REFERENCES["pbmc_hao_finotello"](), 13)
    assert data.train is not None
    right = {
        "B cells": "B cell",
        "NK cells": "Natural killer cell",
        "Platelet": "Platelet",
        "Tregs": "Regulatory T cell",
    }
    for left_out in data.train.types:
        found = named(opinion(data, [t for t in data.train.types if t != left_out]))
        assert found == ([right[left_out]] if left_out in right else []), left_out


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")
def test_the_neutrophils_of_real_blood_are_named() -> None:
    """FACS counted 2 to 4 % of them; the single cells are PBMC and have none."""
    data = REFERENCES["pbmc_hao_finotello"]()
    assert data.train is not None
    assert named(opinion(data, data.train.types)) == ["Neutrophil"]


def test_subtypes_and_families_of_the_references_types_are_not_asked_for() -> None:
    genes = sorted({g for genes in shipped_markers().positive.values() for g in genes})
    ratios = pd.Series(0.0, index=genes)
    ratios[shipped_markers().positive["Naive B cell"]] = 4.0
    assert "Naive B cell" in list(missing_types(ratios, ["Monocytes"]).index)
    assert "Naive B cell" not in list(missing_types(ratios, ["B cells"]).index)
    assert len(missing_types(ratios * 0, ["Monocytes"])) == 0


def test_genes_of_no_species_that_is_known_say_nothing() -> None:
    data = make_example().dataset
    assert data.train is not None
    ratios = pd.Series(5.0, index=[f"HK{i:03d}" for i in range(500)])
    assert missing_types(ratios, ["B cells"]).empty


def test_ratios_are_of_means_and_leave_out_what_is_hardly_expressed() -> None:
    index = ["a", "b", "c"]
    bulk = pd.DataFrame([[3.9, 3.9], [0.9, 0.9], [0.01, 0.02]], index=index)
    explained = pd.DataFrame([[0.9, 0.9], [0.9, 0.9], [5.0, 5.0]], index=index)
    found = log_ratios(bulk, explained)
    assert list(found.index) == ["a", "b"]
    np.testing.assert_allclose(found, [2, 0])
    assert typical_offset(pd.Series(np.linspace(-1, 1, 1001))) == pytest.approx(2**0.68, rel=1e-3)
