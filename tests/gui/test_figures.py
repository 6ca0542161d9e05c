"""Figures: what is drawn is what the data say, for 1 to 1000 samples and 1 to 30 types, and stays
small.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from gui.components.table import DIGITS, rounded, table_view
from gui.components.views import graph_height_style
from gui.data.dataset import HIDDEN
from gui.figures import adtd, composition, dtd, markers
from gui.figures import groups as group_figures
from gui.figures.agreement import agreement
from gui.figures.axes import f4, thin
from gui.figures.data import type_counts
from gui.figures.palette import GREY, KNOWN, PALETTE, colours
from gui.figures.template import blank, styled, template
from gui.figures.text import exponent, inert, natural, short, three
from tests.gui.figure_axes import axis_names

LIMIT = 3_000_000
HOSTILE = '<b onclick="x">T & B</b> cells of a very long name %{y} =1+1 $x$ [a.b] 中'
SVG_TRACES = {"bar", "scatter", "heatmap"}


def names(n: int, prefix: str = "type") -> list[str]:
    return [f"{prefix} {i}" for i in range(n)]


def made(
    n_types: int,
    n_samples: int,
    *,
    hidden: bool = True,
    seed: int = 1,
    types: list[str] | None = None,
    total: float = 1.3,
) -> pd.DataFrame:
    """A composition, types (and hidden) x samples, whose columns sum to ``total``."""
    rows = (types or names(n_types)) + ([HIDDEN] if hidden else [])
    values = np.random.default_rng(seed).dirichlet(np.full(len(rows), 0.5), n_samples).T * total
    return pd.DataFrame(values, index=rows, columns=[f"sample_{i}" for i in range(n_samples)])


def profile(n_genes: int, n_types: int, seed: int = 1) -> pd.DataFrame:
    values = np.random.default_rng(seed).gamma(0.4, 1.0, (n_genes, n_types))
    return pd.DataFrame(values, index=names(n_genes, "GENE"), columns=names(n_types))


def of_type(fig: go.Figure, kind: str) -> list[Any]:
    return [t for t in fig.data if t.type == kind]


def whole(name: str, fig: go.Figure) -> go.Bar:
    return next(t for t in fig.data if t.type == "bar" and t.meta == inert(name))


# -- colours
# --------------------------------------------------------------------------------------------------
def test_a_type_keeps_its_colour_whatever_the_order_and_whether_hidden_is_there() -> None:
    types = ["T cells", "B cells", "NK"]
    assert colours(types) == colours([*reversed(types), HIDDEN])
    assert colours(types)["B cells"] == "#0072B2"
    assert colours(types)["NK"] == "#CC79A7"
    assert colours(types)[HIDDEN] == GREY


def test_a_type_has_the_same_colour_in_sessions_with_other_types_and_other_spellings() -> None:
    here = colours(["B cells", "CD8+ T cells", "Macrophages", "NK cells", "Malignant"])
    there = colours(
        [
            "Astrocytes",
            "B_cell",
            "CAF",
            "Endothelial",
            "Mast cells",
            "NK",
            "T cells CD8",
            "macrophage",
            "malignant cells",
            "cluster 7",
        ]
    )
    pairs = {
        "B cells": "B_cell",
        "CD8+ T cells": "T cells CD8",
        "Macrophages": "macrophage",
        "NK cells": "NK",
        "Malignant": "malignant cells",
    }
    for one, other in pairs.items():
        assert here[one] == there[other], one
    assert colours(["cluster 7"])["cluster 7"] == there["cluster 7"]
    for place, known in enumerate(KNOWN):
        assert {colours([name])[name] for name in known} == {PALETTE[place]}


def test_unknown_types_that_want_the_same_colour_get_two_and_all_others_keep_theirs() -> None:
    alone = {name: colours([name])[name] for name in (f"cluster {i}" for i in range(12))}
    together = colours(alone)
    assert len(set(together.values())) == 13
    wanted = Counter(alone.values())
    kept = [name for name in alone if together[name] == alone[name]]
    # one of each colour keeps it, unless who had to move took it
    assert len(kept) >= len(wanted) - 2
    assert len(wanted) < 12, "no two of these want the same: the test says nothing"
    with_known = colours([*alone, "B cells", "T cells"])
    assert (with_known["B cells"], with_known["T cells"]) == (PALETTE[0], PALETTE[5])


def test_lines_and_dots_of_types_differ_in_more_than_the_colour() -> None:
    values = pd.DataFrame(np.linspace(0, 1, 20).reshape(5, 4), columns=list("ABCD"))
    lines = dtd.loss(values, colours("ABCD")).data[1:]
    assert len({line.marker.symbol for line in lines}) == 4
    assert all(line.mode == "lines+markers" and line.line.dash for line in lines)
    points = pd.DataFrame(
        {
            "sample": list("stst"),
            "cell_type": list("AABB"),
            "known": [0.1, 0.2, 0.3, 0.4],
            "estimated": [0.1, 0.2, 0.3, 0.4],
        }
    )
    assert len({dots.marker.symbol for dots in agreement(points, colours("AB")).data[1:]}) == 2
    counts = pd.Series({"A": 3, "B": 4})
    bars = type_counts({"training": counts, "test": counts}).data
    assert {bar.marker.pattern.shape for bar in bars} == {None, "."}


def test_thirty_types_have_thirty_colours_and_more_are_still_distinct() -> None:
    assert len(set(PALETTE)) == len(PALETTE) == 30
    found = colours([f"{i:03}" for i in range(75)])
    assert len(set(found.values())) == 76


def _lab(colour: str, seen: np.ndarray) -> np.ndarray:
    rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.clip(
        seen @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1
    )
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = to_xyz @ linear / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    "seen",
    [
        np.eye(3),
        np.array(
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ]
        ),
        np.array(
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ]
        ),
        np.array(
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ]
        ),
    ],
    # Machado, Oliveira and Fernandes (2009), severity 1
    ids=["normal", "protan", "deutan", "tritan"],
)
def test_colours_can_be_told_apart_also_with_colour_blindness(seen: np.ndarray) -> None:
    points = np.array([_lab(c, seen) for c in PALETTE])
    distance = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(30) * 999
    assert distance[:10, :10].min() > 13
    assert distance.min() > (8 if seen[0, 0] > 1.2 else 10)
    if seen[0, 0] > 1.2:  # blue and green are what tritan eyes confuse
        pair = [
            np.linalg.norm(_lab("#0060C0", eyes) - _lab("#006A78", eyes))
            for eyes in (seen, np.eye(3))
        ]
        assert pair[0] < 0.6 * pair[1]
        return
    red_green = np.linalg.norm(_lab("#C00000", seen) - _lab("#5A5A00", seen))
    if not np.array_equal(seen, np.eye(3)):
        # positive control: a pair that such eyes confuse comes nearer than with normal sight
        assert red_green < 45
        assert red_green < np.linalg.norm(_lab("#C00000", np.eye(3)) - _lab("#5A5A00", np.eye(3)))


# -- names and numbers
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.012345, "0.0123"),
        (12.345, "12.3"),
        (1234.5, "1230"),
        (0.99999, "1.00"),
        (0, "0"),
        (1e-9, "1e-9"),
        (float("nan"), "–"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert three(value) == text


def test_lambda_is_written_in_e_notation() -> None:
    assert [exponent(v) for v in (1e-9, 3.1623e-12, 1.0)] == ["1e-9", "3.16e-12", "1"]


def test_long_names_are_cut_and_markup_is_inert() -> None:
    assert len(short("x" * 50)) == 28
    assert short("x" * 50).endswith("…")
    assert short("sample of the second batch, number 17", 18, middle=True).endswith("17")
    assert inert("<a href='x'>A&B</a>") == "&lt;a href='x'&gt;A&amp;B&lt;/a&gt;"
    assert sorted(["s_10", "s_2", "S_1"], key=natural) == ["S_1", "s_2", "s_10"]


# -- composition
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("n_types", "n_samples"), [(1, 1), (1, 8), (5, 1), (10, 8), (30, 8), (30, 1000)]
)
def test_normalised_bars_sum_to_one_and_others_to_the_engines_values(
    n_types: int, n_samples: int
) -> None:
    data = made(n_types, n_samples)
    for normalise, total in ((True, 100.0), (False, 130.0)):
        bars = of_type(composition.stacked(data, colours(data.index), normalise=normalise), "bar")
        assert len(bars) == n_types + 1
        np.testing.assert_allclose(np.sum([b.y for b in bars], axis=0), total, rtol=1e-5)
    drawn = composition.stacked(data, colours(data.index))
    np.testing.assert_allclose(whole("type 0", drawn).y, data.loc["type 0"] * 100, rtol=1e-6)


def test_axis_says_which_of_the_two_quantities_is_drawn() -> None:
    data = made(3, 4)
    shown = composition.stacked(data, {}, normalise=True).layout.yaxis.title.text
    stored = composition.stacked(data, {}).layout.yaxis.title.text
    assert "of the estimated total" in shown
    assert "as estimated" in stored
    assert "RNA fraction (%)" in shown
    assert "RNA fraction (%)" in stored


def test_hidden_is_a_grey_hatch_on_top_in_every_figure() -> None:
    data = made(3, 4).loc[[HIDDEN, "type 0", "type 1", "type 2"]]
    stacked, single = (
        composition.stacked(data, colours(data.index)),
        composition.single(data.iloc[:, 0], colours(data.index)),
    )
    background = adtd.hidden_profile(
        pd.Series([0.6, 0.4], index=["a", "b"]), profile(2, 3).set_axis(["a", "b"])
    )
    assert stacked.data[3].meta == HIDDEN
    patterns = [
        stacked.data[3].marker.pattern,
        whole(HIDDEN, single).marker.pattern,
        background.data[0].marker.pattern,
    ]
    assert {(p.shape, p.fgcolor) for p in patterns} == {("/", GREY)}
    assert stacked.data[0].marker.pattern.shape is None


@pytest.mark.parametrize("sort", ["type 1", HIDDEN])
@pytest.mark.parametrize("normalise", [True, False])
def test_sorted_by_a_type_the_shares_never_rise(sort: str, normalise: bool) -> None:
    data = made(4, 60, seed=3) * np.random.default_rng(0).uniform(0.5, 2, 60)
    fig = composition.stacked(data, colours(data.index), normalise=normalise, sort=sort)
    heights = np.asarray(whole(sort, fig).y)
    assert (np.diff(heights) <= 0).all()
    assert (np.diff(fig.data[0].x) > 0).all()
    # it was not sorted before
    assert not (np.diff(composition.sample_fractions(data, normalise).loc[sort]) <= 0).all()


def test_samples_of_a_group_stand_together_with_a_gap_and_a_label() -> None:
    data = made(3, 9)
    group = pd.Series(["b", "a", None] * 3, index=data.columns)
    order = composition.arrange(data, sort=composition.BY_NAME, group=group)
    assert order.samples == [f"sample_{i}" for i in (1, 4, 7, 0, 3, 6, 2, 5, 8)]
    assert order.positions.tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert order.groups == [("a", 0, 2), ("b", 4, 6), (composition.NO_GROUP, 8, 10)]
    fig = composition.stacked(data, {}, sort=composition.BY_NAME, group=group)
    assert [a.hovertext for a in fig.layout.annotations] == ["a", "b", "no group"]
    assert order.clicked({"points": [{"x": 5}]}) == "sample_3"
    assert order.clicked({"points": [{"x": 3}]}) is None
    assert order.clicked(None) is None


def test_many_samples_scroll_instead_of_squeezing() -> None:
    few, many = (composition.stacked(made(5, n), {}) for n in (40, 1000))
    assert few.layout.width is None
    assert few.layout.showlegend is not False
    assert many.layout.width >= 1000 * composition.PIXELS
    assert many.layout.showlegend is False
    assert many.layout.meta["legend_on_export"]
    assert composition.heatmap(made(5, 1000)).layout.width is None


def test_more_samples_than_a_browser_draws_bars_for_share_them() -> None:
    types, count = 30, 5000
    data = made(types, count)
    group = pd.Series(np.arange(count) % 3, index=data.columns)
    order = composition.arrange(data, sort="type 1", group=group)
    ends = (data * 0.9, data * 1.1)
    concerned = pd.DataFrame(True, index=data.index, columns=data.columns)
    opinion = composition.OpinionHover(tuple(data.index), concerned, {"DTD": data, "other": data})
    fig = composition.stacked(data, {}, arranged=order, ends=ends, opinion=opinion)
    assert fig.layout.width is None
    assert "5\u00a0000 samples" in fig.layout.xaxis.title.text
    bar = next(t for t in fig.data if t.meta == "type 1")
    assert sum(row[0] for row in bar.customdata) == count
    assert len(bar.x) <= 410
    # the first bar is the mean of its samples, none of another group
    k = int(bar.customdata[0][0])
    assert bar.y[0] == pytest.approx(100 * data.loc["type 1", order.samples[:k]].mean(), rel=1e-5)
    assert order.clicked({"points": [{"x": float(bar.x[0])}]}) == order.samples[k // 2]
    spans = [(x - (w - 1) / 2, x + (w - 1) / 2) for x, w in zip(bar.x, bar.width, strict=True)]
    for _, first, last in order.groups:
        inside = [s for s in spans if first <= s[0] + 0.5 and s[1] - 0.5 <= last]
        assert sum(b - a + 1 for a, b in inside) == last - first + 1
    for drawn in (fig, composition.heatmap(data, opinion=opinion)):
        assert len(drawn.to_json()) < 3e6


def test_a_bar_of_several_samples_leaves_out_what_is_missing() -> None:
    data = made(30, 5000)
    data.iloc[:, :7] = np.nan
    data.iloc[:, 7] = 0.02
    bar = next(t for t in composition.stacked(data, {}).data if t.meta == "type 1")
    assert int(bar.customdata[0][0]) > 8
    assert np.isfinite(bar.y[0])


def test_estimates_are_told_on_hover_where_they_contradict_and_of_few() -> None:
    data = made(3, 4)
    concerned = pd.DataFrame(False, index=data.index, columns=data.columns)
    concerned.loc["type 1", "sample_2"] = True
    opinion = composition.OpinionHover(("type 1",), concerned, {"DTD": data, "other": data * 0.5})
    told = opinion.texts("type 1", list(data.columns))
    assert [bool(t) for t in told] == [s == "sample_2" for s in data.columns]
    assert "DTD" in "".join(told)
    assert "other" in "".join(told)
    assert opinion.texts("type 0", list(data.columns)) == [""] * 4
    assert opinion.fits


def test_the_legend_reads_as_the_stack_from_top_to_bottom() -> None:
    data = made(3, 4)
    fig = composition.stacked(data, {})
    # from the bottom
    assert [t.meta for t in fig.data if t.type == "bar"] == ["type 0", "type 1", "type 2", HIDDEN]
    assert fig.layout.legend.traceorder == "reversed"
    assert [name for name, _, _ in composition.legend_entries(data, {})] == [
        HIDDEN,
        "type 2",
        "type 1",
        "type 0",
    ]


def test_missing_and_zero_samples_are_left_blank() -> None:
    data = made(3, 4)
    data["sample_1"] = np.nan
    data["sample_2"] = 0.0
    bars = of_type(composition.stacked(data, {}, normalise=True, sort="type 0"), "bar")
    total = np.nansum([b.y for b in bars], axis=0)
    assert sorted(np.round(total).tolist()) == [0, 0, 100, 100]
    assert composition.arrange(data, normalise=True, sort="type 0").samples[2:] == [
        "sample_1",
        "sample_2",
    ]


def test_one_sample_shows_truth_and_what_the_reference_lacks_as_hidden() -> None:
    data = made(3, 2, total=2.0)
    truth = pd.Series(
        {"type 0": 0.5, "type 1": 0.2, "type 2": 0.1, "neutrophil": 0.15, "mast": 0.05}
    )
    fig = composition.single(
        data["sample_0"], colours(data.index), truth=truth, normalise=True, interval=(0.01, 1.9)
    )
    true = next(t for t in fig.data if t.type == "scatter" and t.name == "true fraction")
    np.testing.assert_allclose(true.x, [50, 20, 10, 20], rtol=1e-6)
    assert sum(float(b.x[0]) for b in of_type(fig, "bar")) == pytest.approx(100, rel=1e-5)
    bar = whole(HIDDEN, fig)
    assert bar.x[0] + bar.error_x.array[0] == pytest.approx(95)
    assert "truth" not in json.dumps(fig.layout.to_plotly_json(), default=str)


def test_heatmap_holds_the_same_shares_as_the_bars() -> None:
    data = made(6, 50)
    z = np.asarray(composition.heatmap(data, normalise=True, sort=HIDDEN).data[0].z)
    assert z.shape == (7, 50)
    np.testing.assert_allclose(z.sum(axis=0), 100, rtol=1e-5)
    assert (np.diff(z[-1]) <= 0).all()


# -- DTD
# --------------------------------------------------------------------------------------------------
def test_loss_shows_the_mean_thick_and_at_most_500_points_a_curve() -> None:
    values = pd.DataFrame(np.random.default_rng(1).uniform(0, 1, (10_000, 30)), columns=names(30))
    values.iloc[3, 4] = np.nan
    fig = dtd.loss(values, colours(values.columns))
    assert len(fig.data) == 31
    assert all(len(t.x) <= dtd.CURVE_POINTS for t in fig.data)
    assert fig.data[0].x[-1] == 10_000
    assert fig.data[0].y[-1] == pytest.approx(values.iloc[-1].mean(), rel=1e-6)
    assert fig.data[0].line.width > max(t.line.width for t in fig.data[1:])
    assert fig.data[1].line.color == colours(values.columns)["type 0"]
    assert thin(5, 500).tolist() == [0, 1, 2, 3, 4]


def test_loss_of_one_type_and_one_iteration() -> None:
    fig = dtd.loss(pd.DataFrame({"only": [0.5]}), colours(["only"]))
    assert [float(t.y[0]) for t in fig.data] == [0.5, 0.5]


def test_loss_shows_cells_that_nothing_was_learned_from_beside_the_training() -> None:
    values = pd.DataFrame({"A": np.linspace(0, 0.9, 100), "B": np.linspace(0, 0.7, 100)})
    checked = pd.DataFrame({"test": [0.3, 0.6, 0.5], "held_back": np.nan}, index=[5, 50, 100])
    fig = dtd.loss(values, colours("AB"), checked)
    assert [t.name for t in fig.data] == ["mean, training", "mean, test", "A", "B"]
    test = fig.data[1]
    assert list(test.x) == [5, 50, 100]
    assert [float(v) for v in test.y] == pytest.approx([0.3, 0.6, 0.5])


def metrics(types: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = [(p, m, t) for p in ("train", "test") for m in ("dtd", "naive") for t in types]
    frame = pd.DataFrame(rows, columns=["part", "method", "cell_type"])
    return frame.assign(**{k: rng.uniform(-0.2, 1, len(frame)) for k in dtd.METRICS})


@pytest.mark.parametrize("metric", list(dtd.METRICS))
def test_correlation_overview_shows_dtd_beside_naive_for_train_and_test(metric: str) -> None:
    frame = metrics(names(12))
    frame.loc[0, metric] = np.nan
    fig = dtd.correlation(frame, metric)
    dots = [t for t in fig.data if t.mode == "markers" and t.name]
    assert [t.name for t in dots] == [
        "DTD, test",
        "Naive, test",
        "DTD, training",
        "Naive, training",
    ]
    expected = frame[(frame.part == "test") & (frame.method == "dtd")][metric] * (
        100 if metric == "rmse" else 1
    )
    np.testing.assert_allclose(dots[0].x, expected, rtol=1e-6)
    click = {"points": [{"y": float(dots[2].y[7]), "x": 0.5}]}
    assert dtd.clicked_type(click, names(12)) == "type 7"
    assert dtd.clicked_type(None, names(12)) is None


def test_scatter_draws_at_most_2000_points_and_correlates_all() -> None:
    rng = np.random.default_rng(4)
    truth = pd.Series(rng.beta(2, 20, 5000))
    estimated = truth * 0.7 + rng.normal(0, 0.01, 5000)
    fig = dtd.scatter(truth, estimated, "B cells", "#0072B2")
    assert len(fig.data[1].x) == 2000
    assert f"{np.corrcoef(truth, estimated)[0, 1]:.3f}" in fig.layout.annotations[0].text
    assert "2000 of 5000" in fig.layout.annotations[0].text
    assert list(fig.data[0].x) == list(fig.data[0].y)
    assert (
        "–"
        in dtd.scatter(pd.Series([0.1, 0.1]), pd.Series([0.2, np.nan]), "x", "#000000")
        .layout.annotations[0]
        .text
    )


# -- markers
# --------------------------------------------------------------------------------------------------
def test_top_markers_are_those_with_the_largest_weight_times_variance() -> None:
    reference = pd.DataFrame(
        [[0.0, 10], [0, 1], [5, 5], [0, 8]], index=list("abcd"), columns=["x", "y"]
    )
    weights = pd.Series({"a": 0.1, "b": 100.0, "c": 50.0, "d": 1.0})
    top = markers.top_markers(reference, weights, 3)
    assert list(top.index) == ["b", "d", "a"]
    np.testing.assert_allclose(top["importance"], [100 * 0.5, 32, 5])


@pytest.mark.parametrize("n_types", [1, 2, 30])
def test_marker_heatmap_shows_each_gene_once_with_its_weight(n_types: int) -> None:
    reference = profile(400, n_types)
    weights = pd.Series(np.random.default_rng(5).gamma(1, 1, 400), index=reference.index)
    fig = markers.heatmap(reference, weights, 50)
    heat = fig.data[0]
    top = markers.top_markers(reference, weights, 50)
    genes = axis_names(fig, "x")
    assert sorted(genes) == sorted(top.index)
    np.testing.assert_allclose(
        np.asarray(heat.customdata)[0, :, 0], top.loc[genes, "gene_weight"], rtol=1e-6
    )
    if n_types > 2:
        np.testing.assert_allclose(np.asarray(heat.z).mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(
            np.asarray(markers.heatmap(reference, weights, 20, relative_scale=True).data[0].z).max(
                axis=0
            ),
            1,
        )


def test_clustering_puts_equal_rows_side_by_side() -> None:
    order = markers.clustered(np.array([[0.0, 1], [5, 5], [0, 1.01], [5, 5.01]]))
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}


# -- ADTD
# --------------------------------------------------------------------------------------------------
def losses(folds: int = 5) -> pd.DataFrame:
    lambdas = np.logspace(-20, 0, 21)
    return pd.DataFrame(
        np.abs(np.log10(lambdas) + 9) + 5 + np.random.default_rng(1).normal(0, 0.2, (folds, 21)),
        columns=lambdas,
    )


def _boxes(fig: go.Figure) -> list[tuple[float, float, float]]:
    """(left, right, line) of each label, in letters of an axis 80 letters wide."""
    found = []
    for a in fig.layout.annotations:
        at, length = (a.x + 20) / 20 * 78, len(a.text.split("</span>")[1]) + 2
        left = {"left": at, "center": at - length / 2, "right": at - length}[a.xanchor]
        found.append((left, left + length, a.yshift))
    return found


@pytest.mark.parametrize(
    "choices",
    [
        (1e-9, 1e-8, 1e-6),
        (1e-20, 1e-19, 1e-18),
        (1.0, 0.1, 0.01),
        (1e-9, 1e-9, 1e-9),
        (1e-9, None, 1e-8),
        (None, None, None),
    ],
)
def test_choices_of_the_search_are_marked_and_their_labels_do_not_overlap(
    choices: tuple[float | None, ...],
) -> None:
    given = dict(zip(("min", "one_se", "drop"), choices, strict=True))
    fig = adtd.search(losses(), given)
    marked = [t for t in fig.data if t.meta]
    assert sorted(float(t.x[0]) for t in marked) == sorted({c for c in choices if c is not None})
    for text in (t.meta for t in marked):
        assert any(text in a.text for a in fig.layout.annotations)
    boxes = _boxes(fig)
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert one[2] != other[2] or one[1] < other[0] or other[1] < one[0]
    assert all(left >= -3 and right <= 83 for left, right, _ in boxes)


def test_search_curve_is_the_mean_with_one_standard_deviation() -> None:
    data = losses()
    fig = adtd.search(data, {})
    low, high, mean = (np.asarray(fig.data[i].y) for i in (0, 1, 2))
    np.testing.assert_allclose(mean, data.mean())
    np.testing.assert_allclose(high - low, 2 * data.std(ddof=1))
    assert fig.layout.xaxis.type == "log"
    one = adtd.search(losses(1), {"min": 1e-9})
    np.testing.assert_allclose(one.data[0].y, one.data[1].y)


def test_regulation_is_centred_at_none_and_little_support_is_grey() -> None:
    delta = pd.DataFrame({"a": [1.0, 2.0, 0.5], "b": [1.0, 1.0, 8.0]}, index=["g1", "g2", "g3"])
    support = pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": [1.0, 1.0, 0.01]}, index=delta.index)
    fig = adtd.gene_regulation(delta, support, genes=["g3", "g1", "g2", "unknown"], cluster=False)
    heat, grey = of_type(fig, "heatmap")
    assert heat.zmin == -heat.zmax
    np.testing.assert_allclose(heat.z, [[-1, 0, 1], [3, 0, 0]])
    np.testing.assert_array_equal(
        np.isfinite(np.asarray(grey.z)), [[False, False, False], [True, False, False]]
    )
    assert np.asarray(heat.customdata)[1, 0].tolist() == pytest.approx([8.0, 0.01])
    assert axis_names(fig, "x") == ["g3", "g1", "g2"]
    linear = adtd.gene_regulation(delta, genes=["g1", "g2"], log2=False, cluster=False)
    assert len(of_type(linear, "heatmap")) == 1
    np.testing.assert_allclose(linear.data[0].z, [[0, 1], [0, 0]])
    ticks = linear.data[0].colorbar
    np.testing.assert_allclose(
        [float(t) for t in ticks.ticktext], np.asarray(ticks.tickvals, dtype=float) + 1, atol=1e-3
    )
    assert min(float(t) for t in ticks.ticktext) >= 0


def test_most_regulated_genes_need_support() -> None:
    delta = pd.DataFrame({"a": [1.0, 0.25, 3.0], "b": [16.0, 1.0, 1.0]}, index=["g1", "g2", "g3"])
    support = pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": [0.0, 1.0, 1.0]}, index=delta.index)
    assert adtd.most_regulated(delta, None, 2) == ["g1", "g2"]
    assert adtd.most_regulated(delta, support, 2) == ["g2", "g3"]
    assert adtd.most_regulated(delta, support, 3, "a") == ["g2", "g3", "g1"]
    assert adtd.most_regulated(delta, support, 3, "b") == ["g2", "g3"]


def test_hidden_profile_shows_the_largest_genes_beside_the_mean_reference() -> None:
    reference = profile(100, 4)
    hidden = pd.Series(np.random.default_rng(7).dirichlet(np.ones(100)), index=reference.index)
    fig = adtd.hidden_profile(hidden, reference, 10)
    np.testing.assert_allclose(fig.data[0].y, hidden.nlargest(10) * 100, rtol=1e-5)
    mean = (reference / reference.sum()).mean(axis=1)
    np.testing.assert_allclose(fig.data[1].y, mean[hidden.nlargest(10).index] * 100, rtol=1e-5)


# -- all of them
# --------------------------------------------------------------------------------------------------
def every_figure(
    n_types: int, n_samples: int, *, types: list[str] | None = None
) -> dict[str, go.Figure]:
    data = made(n_types, n_samples, types=types)
    kinds = [str(t) for t in data.index if t != HIDDEN]
    colour_of, rng = colours(kinds), np.random.default_rng(9)
    data.columns = [
        f"a sample of the hospital with a rather long name <i>{i}</i> & more"
        for i in range(n_samples)
    ]
    group = pd.Series(rng.choice(["one", "another group", "third"], n_samples), index=data.columns)
    reference = profile(600, len(kinds)).set_axis(kinds, axis=1)
    delta = pd.DataFrame(
        2 ** rng.normal(0, 0.5, reference.shape), index=reference.index, columns=kinds
    )
    support = pd.DataFrame(rng.uniform(0, 1, reference.shape), index=reference.index, columns=kinds)
    weights = pd.Series(rng.gamma(1, 1, 600), index=reference.index)
    return {
        "loss": dtd.loss(
            pd.DataFrame(rng.uniform(0, 1, (1000, len(kinds))), columns=kinds), colour_of
        ),
        "correlation": dtd.correlation(metrics(kinds)),
        "scatter": dtd.scatter(data.iloc[0], data.iloc[0], kinds[0], colour_of[kinds[0]]),
        "markers": markers.heatmap(reference, weights, 200),
        "stacked": composition.stacked(data, colour_of, normalise=True, sort=HIDDEN, group=group),
        "single": composition.single(data.iloc[:, 0], colour_of, truth=data.iloc[:, 0]),
        "heatmap": composition.heatmap(data, normalise=True, group=group),
        "search": adtd.search(losses(), {"min": 1e-9, "one_se": 1e-8, "drop": 1e-6}),
        "regulation": adtd.gene_regulation(delta, support, genes=list(delta.index)),
        "hidden": adtd.hidden_profile(
            reference.iloc[:, 0] / reference.iloc[:, 0].sum(), reference, 50
        ),
    }


@pytest.mark.parametrize("n_types", [1, 2, 30])
def test_with_1000_samples_no_figure_exceeds_3_mb(n_types: int) -> None:
    for name, fig in every_figure(n_types, 1000).items():
        assert len(fig.to_json()) < LIMIT, name


def test_names_of_samples_are_sent_once_not_once_per_type() -> None:
    data = made(30, 1000)
    data.columns = [f"a sample of the hospital with a rather long name, {i}" for i in range(1000)]
    text = composition.stacked(data, colours(data.index)).to_json()
    assert text.count('rather long name, 77"') == 1
    assert len(text) < 600_000


@pytest.mark.parametrize("n_samples", [1, 8])
def test_every_figure_is_drawn_for_one_type_and_for_hostile_names(n_samples: int) -> None:
    for types in (["only"], [HOSTILE, "B cells"]):
        for name, fig in every_figure(len(types), n_samples, types=types).items():
            text = json.dumps(json.loads(fig.to_json()), ensure_ascii=False)
            assert "<b onclick" not in text, name
            assert "<i>" not in text, name
            assert fig.layout.title.text is None, name
            assert {t.type for t in fig.data} <= SVG_TRACES, name
            assert fig.layout.height, name


def test_names_never_get_into_a_hover_template() -> None:
    for name, fig in every_figure(2, 3, types=["%{x} sum", "B cells"]).items():
        assert not any("sum" in (t.hovertemplate or "") for t in fig.data), name


def test_long_names_are_cut_on_the_axis_and_whole_on_hover() -> None:
    long = "regulatory T cells of the second germinal centre"
    data = made(2, 3, types=[long, "B cells"])
    fig = composition.heatmap(data)
    assert axis_names(fig, "y")[0] == long
    assert fig.layout.yaxis.showticklabels is False
    assert fig.layout.yaxis2.labelalias["0"].endswith("…")
    assert fig.layout.yaxis2.matches == "y"


def test_the_theme_changes_only_the_template() -> None:
    fig = every_figure(3, 5)["stacked"]
    light, dark = json.loads(styled(fig, False).to_json()), json.loads(styled(fig, True).to_json())
    assert light["layout"].pop("template") != dark["layout"].pop("template")
    assert light == dark
    assert template(True).layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert len(blank().to_json()) < 6000


# -- table
# --------------------------------------------------------------------------------------------------
def test_a_header_of_a_table_has_room_for_its_longest_word() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=["CCC", "RMSE (percentage points)"])
    short, long = (column["minWidth"] for column in table_view(frame).columns[1:])
    assert short == 84  # what a number needs
    assert long >= 9 * len("(percentage")


def test_table_rounds_on_screen_and_takes_any_column_name() -> None:
    frame = pd.DataFrame(
        {
            "a.b[0]": [0.123456, np.nan],
            "=1+1": [1234567.0, 1e-12],
            "<b>n</b>": ["=x", None],
            "n": [3, 4],
        },
        index=["s.1", "s.2"],
    )
    view = table_view(frame, index_name="sample")
    assert [c["field"] for c in view.columns] == ["c0", "c1", "c2", "c3", "c4"]
    assert [c["headerName"] for c in view.columns] == ["sample", "a.b[0]", "=1+1", "<b>n</b>", "n"]
    assert view.columns[0]["pinned"] == "left"
    assert view.rows == [
        {"c0": "s.1", "c1": 0.1235, "c2": 1235000.0, "c3": "=x", "c4": 3},
        {"c0": "s.2", "c1": None, "c2": 1e-12, "c3": None, "c4": 4},
    ]
    assert DIGITS == 4
    assert rounded(np.array([np.inf, 2.0])) == [None, 2.0]


def test_table_of_duplicated_columns_keeps_each() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"], index=["s"])
    assert table_view(frame).rows == [{"c0": "s", "c1": 1.0, "c2": 2.0}]


def test_table_stays_below_3_mb_and_says_what_it_leaves_out() -> None:
    full = table_view(made(30, 1000).T)
    assert len(full.rows) == 1000
    assert full.note == ""
    huge = table_view(profile(20_000, 30))
    assert len(huge.rows) < 20_000
    assert "20,000" in huge.note
    assert all(len(json.dumps([v.columns, v.rows])) < LIMIT for v in (full, huge))


def test_only_a_picture_is_accepted_as_a_picture() -> None:
    from gui.components.pictures import picture_file
    from gui.errors import DeconomixError
    from gui.files import PNG, SVG

    png = b"\x89PNG\r\n\x1a\nxyz"
    data, kind, _ = picture_file(
        {"format": "png", "url": "data:image/png;base64," + base64.b64encode(png).decode()}
    )
    assert (data[: len(png)], kind) == (png, PNG)
    data, kind, _ = picture_file({"format": "svg", "url": "data:image/svg+xml,%3Csvg%3E%3C/svg%3E"})
    assert (data[:5], data[-6:], kind) == (b"<svg>", b"</svg>", SVG)
    for bad in (
        {},
        {"format": "exe", "url": "data:,x"},
        {"format": "png", "url": "data:image/png;base64,AAAA"},
        {"format": "png", "error": "x"},
        {"format": "svg", "url": "data:,hello"},
    ):
        with pytest.raises(DeconomixError, match="could not be drawn"):
            picture_file(bad)


@pytest.mark.parametrize("types", [2, 11, 12])
def test_the_screen_leaves_a_stacked_figure_the_room_its_legend_needs(types: int) -> None:
    data = pd.DataFrame(
        1.0 / types,
        index=[f"Type {n}" for n in range(types)],
        columns=[f"a sample named {n}" for n in range(9)],
    )
    style = graph_height_style(composition.stacked(data, colours(data.index)))["height"]
    least = int(style.removeprefix("max(").split("px")[0])
    assert least >= 20 * types + 80  # entries of the legend, slanted names of the samples


@pytest.mark.filterwarnings("error")
def test_what_no_float32_holds_is_not_drawn() -> None:
    """The upper end of a hazard ratio may be 1e300: as an infinite value it would break the axis."""
    found = f4([1.0, np.inf, -np.inf, np.nan, 1e300, -1e39, 3e38])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32([1, *[np.nan] * 5, 3e38]))


@pytest.mark.parametrize("which", ["composition", "groups"])
def test_names_below_a_heat_map_are_slanted_before_they_overlap_beside_its_colour_bar(
    which: str,
) -> None:
    def drawn(count: int) -> go.Figure:
        data = made(5, count)
        data.columns = pd.Index([f"pbmc_{10 + at}" for at in range(count)])
        if which == "composition":
            return composition.heatmap(data)
        design = pd.DataFrame({"group": ["a", "b"] * (count // 2)}, data.columns)
        return group_figures.heatmap(data, data, design, ("a", "b"))

    assert drawn(4).layout.xaxis.tickangle == 0
    assert drawn(8).layout.xaxis.tickangle == -35, "446 pixels in a window of 1280 x 720"
