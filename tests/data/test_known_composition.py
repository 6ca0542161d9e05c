"""Known shares are turned round, scaled and paired as needed; what had to be guessed is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.data.samples.known_composition import (
    KnownCompositionChoice,
    examine_known_composition,
    load_known_composition,
    pair_types,
    read_known_composition,
)
from gui.errors import BadValues, MissingPart

TYPES = ["B cells", "Monocytes", "NK cells", "T cells CD4 conv", "T cells CD8", "pDC"]


def samples(folder: Path) -> list[str]:
    return list(pd.read_csv(folder / "clean_application.csv", index_col=0, nrows=1).columns)


def test_types_of_the_same_meaning_are_paired_and_cd4_never_with_cd8() -> None:
    made = pair_types(["NK", "CD8+ T cells", "B-cells", "T cells CD4 conv", "Other"], TYPES)
    assert made == {
        "NK": "NK cells",
        "CD8+ T cells": "T cells CD8",
        "B-cells": "B cells",
        "T cells CD4 conv": "T cells CD4 conv",
    }
    assert pair_types(["CD4 T"], ["CD8 T"]) == {}
    assert pair_types(["natural killer cells", "Monocyte"], TYPES) == {
        "natural killer cells": "NK cells",
        "Monocyte": "Monocytes",
    }
    assert list(pair_types(["T", "T cell"], ["T cells"]).values()) == ["T cells"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("percent", [False, True])
def test_all_layouts_give_the_same_shares(
    awkward: Path, tmp_path: Path, turned: bool, percent: bool
) -> None:
    folder = awkward
    table = pd.read_csv(folder / "clean_truth.csv", index_col=0) * (100 if percent else 1)
    path = tmp_path / "truth.csv"
    (table.T if turned else table).to_csv(path, sep=";", decimal=",")
    got = load_known_composition(KnownCompositionChoice(path=path), samples(folder), TYPES)
    expected = pd.read_csv(folder / "clean_truth.csv", index_col=0).T
    np.testing.assert_allclose(
        got.shares.loc[expected.index, expected.columns].to_numpy(), expected.to_numpy(), rtol=1e-12
    )
    assert got.pairs["NK cells"] == "NK cells"
    assert "Other" not in got.pairs


def test_without_samples_and_types_the_sums_tell_which_way_round(awkward: Path) -> None:
    read = read_known_composition(KnownCompositionChoice(path=awkward / "truth_percent.csv"))
    assert read.turned
    assert read.divided == 100
    assert "NK cells" in read.shares.index


def test_names_without_partner_are_listed_on_both_sides(awkward: Path) -> None:
    folder = awkward
    found = examine_known_composition(
        folder / "truth_other_names.csv", samples=samples(folder), types=TYPES
    )
    said = " ".join(f.message for f in found)
    assert "NK with NK cells" in said
    assert "CD8+ T cells with T cells CD8" in said
    assert "Neutrophils" in said
    assert "estimated only: pDC" in said
    clean = examine_known_composition(folder / "clean_truth.csv", samples=samples(folder))
    assert [f for f in clean if f.severity != "info"] == []
    chosen = KnownCompositionChoice(
        path=folder / "truth_other_names.csv", pairs={"NK": "NK cells", "Other": "pDC"}
    )
    assert load_known_composition(chosen, samples(folder), TYPES).pairs == {
        "NK": "NK cells",
        "Other": "pDC",
    }


def test_bad_shares_are_refused_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sample,A,B\nP1,0.5,x\nP2,0.4,0.6\n")
    with pytest.raises(BadValues, match='"x" in column B'):
        read_known_composition(KnownCompositionChoice(path=path))
    path.write_text("sample,A,B\nP1,0.5,0.5\nP2,-0.5,1\n")
    with pytest.raises(BadValues, match=r"-0\.5 for A in P2"):
        read_known_composition(KnownCompositionChoice(path=path))
    path.write_text("sample,A,B\nP1,0.5,0.5\n")
    with pytest.raises(MissingPart, match="None of the 1 samples"):
        load_known_composition(KnownCompositionChoice(path=path), ["Z"], ["A"])
    path.write_text("sample,A,B\nP1,0.9,0.5\nP2,0.9,0.5\n")
    assert [f.code for f in examine_known_composition(path) if f.severity == "warning"] == [
        "odd-sums"
    ]
