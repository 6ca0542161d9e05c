"""Figures of data before they are loaded: the numbers are those of the data, names are inert, many
columns stay small.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from gui.figures.review import FEW, bulk_scatter, gene_funnel, limit_lines, quality, similarity
from tests.gui.figure_axes import axis_names

HOSTILE = '<b onclick="x">T & B</b>'
NAMES = {"train": "training cells", "bulk": "bulk samples"}
STAGES = {
    "read": "Read",
    "mapped": "After repairs",
    "shared": "In all parts",
    "expressed": "Expressed",
    "selected": "Selected",
}


def funnel(**columns: list[int | None]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=list(STAGES), dtype="Int64")


def test_the_funnel_has_one_bar_for_every_number_and_leaves_out_what_was_not_reached() -> None:
    fig = gene_funnel(
        funnel(train=[500, 500, 300, 290, 100], bulk=[900, 880, 300, 290, 100]), NAMES, STAGES
    )
    assert list(fig.data[0].x) == [500, 900, 880, 300, 290, 100]
    assert axis_names(fig, "y")[:3] == [
        "Read, training cells",
        "Read, bulk samples",
        "After repairs, bulk samples",
    ]
    cut = gene_funnel(
        funnel(train=[500, 500, 0, None, None], bulk=[900, 900, 0, None, None]), NAMES, STAGES
    )
    assert list(cut.data[0].x) == [500, 900, 0]


def test_pairs_that_cannot_be_told_apart_are_marked_on_both_sides_of_the_diagonal() -> None:
    values = pd.DataFrame(np.eye(3), index=["a", HOSTILE, "c"], columns=["a", HOSTILE, "c"])
    assert len([t for t in similarity(values, 0.99).data if t.name]) == 0
    values.iloc[0, 1] = values.iloc[1, 0] = 0.9999
    fig = similarity(values, 0.99)
    (marks,) = [t for t in fig.data if t.name == "hard to distinguish"]
    assert sorted(zip(marks.x, marks.y, strict=True)) == [(0, 1), (1, 0)]
    assert "<b onclick" not in json.dumps(fig.to_plotly_json(), default=str)


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 5000])
def test_quality_counts_every_column_once(count: int) -> None:
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {"sum": random.gamma(2, 500, count), "genes": random.integers(1, 900, count)},
        index=[f"{HOSTILE} {i}" for i in range(count)],
    )
    fig = quality(table, "cell", "cells")
    assert len(fig.data) == 2
    text = json.dumps(fig.to_plotly_json(), default=str)
    assert "<b onclick" not in text
    if count <= FEW:
        np.testing.assert_allclose(np.asarray(fig.data[0].y, dtype=float), table["sum"], rtol=1e-6)
    else:
        assert int(np.sum(fig.data[0].y)) == count
        assert int(np.sum(fig.data[1].y)) == count
    assert len(fig.to_json()) < 300_000


def test_equal_columns_are_drawn_and_limits_lie_on_the_axis_of_their_values() -> None:
    fig = quality(pd.DataFrame({"sum": [0.0] * 60, "genes": [0] * 60}), "cell", "cells")
    assert int(np.sum(fig.data[0].y)) == 60
    many = limit_lines(False, 10.0, None, 5.0)
    assert [(line["x0"], line["xref"]) for line in many] == [(10.0, "x"), (5.0, "x2")]
    few = limit_lines(True, None, 99.0, None)
    assert [(line["y0"], line["yref"]) for line in few] == [(99.0, "y")]


def test_bulk_against_reference_draws_the_genes_that_both_hold() -> None:
    table = pd.DataFrame(
        {"bulk": [0.5, 0.0, 0.5], "reference": [0.2, 0.3, 0.5]}, index=["a", "b", HOSTILE]
    )
    points = bulk_scatter(table).data[-1]
    assert list(points.customdata) == ["a", '&lt;b onclick="x"&gt;T &amp; B&lt;/b&gt;']
    assert len(bulk_scatter(table.iloc[:0]).data) == 1
