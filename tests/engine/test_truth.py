"""Estimated against known shares: the figures are those of their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gui.engine.known_agreement import POOLED, compare_with_known
from gui.errors import MissingPart


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    known = pd.DataFrame(
        random.dirichlet(np.ones(4), 9).T,
        index=["NK", "T4", "T8", "Other"],
        columns=[f"P{i}" for i in range(9)],
    )
    estimated = known.rename(
        index={"NK": "NK cells", "T4": "CD4", "T8": "CD8", "Other": "B"}
    ) + random.normal(0, 0.05, known.shape)
    return known, estimated[[*estimated.columns[::-1]]]


def test_figures_are_those_of_scipy_per_type_and_pooled() -> None:
    known, estimated = tables()
    got = compare_with_known(known, estimated, {"NK": "NK cells", "T4": "CD4"})
    row = got.table.set_index("cell_type").loc["NK cells"]
    a, b = known.loc["NK"].to_numpy(), estimated.loc["NK cells", known.columns].to_numpy()
    assert row["samples"] == 9
    assert row["pearson"] == pytest.approx(stats.pearsonr(a, b)[0])
    assert row["spearman"] == pytest.approx(stats.spearmanr(a, b)[0])
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean((a - b) ** 2)))
    pooled = got.table.set_index("cell_type").loc[POOLED]
    assert pooled["pearson"] == pytest.approx(
        stats.pearsonr(got.points["known"], got.points["estimated"])[0]
    )
    assert (pooled["samples"], len(got.points)) == (18, 18)
    assert got.left_out == ("T8", "Other")


def test_types_of_the_same_partner_are_added_up_on_either_side() -> None:
    known, estimated = tables()
    finer = compare_with_known(known, estimated, {"T4": "CD4", "T8": "CD4"})
    assert finer.points.set_index("sample")["known"].to_dict() == pytest.approx(
        (known.loc["T4"] + known.loc["T8"]).to_dict()
    )
    coarser = compare_with_known(known, estimated, {"Other": "CD4|B"})
    assert coarser.points.set_index("sample")["estimated"].to_dict() == pytest.approx(
        (estimated.loc["CD4"] + estimated.loc["B"]).to_dict()
    )


def test_missing_shares_are_not_compared_and_no_pair_is_an_error() -> None:
    known, estimated = tables()
    known.iloc[0, 0] = np.nan
    assert compare_with_known(known, estimated, {"NK": "NK cells"}).table["samples"].tolist() == [
        8,
        8,
    ]
    with pytest.raises(MissingPart, match="paired"):
        compare_with_known(known, estimated, {"NK": "no such type"})
    with pytest.raises(MissingPart, match="sample"):
        compare_with_known(known, estimated.add_prefix("x"), {"NK": "NK cells"})
