"""Figures of genes and of two runs: one entry and many, nothing at all, hostile names, and time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.figures import comparison, genes
from gui.figures.template import styled
from gui.figures.text import inert
from gui.figures.venn import shown_sets, venn

HOSTILE = "<b onclick='x()'>T</b> & co"


def regulation(count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    log2 = rng.normal(0, 1.5, count)
    return pd.DataFrame(
        {
            "log2": log2,
            "factor": 2**log2,
            "support": rng.uniform(0, 1, count),
            "stability": np.nan,
            "expression": rng.lognormal(0, 1, count),
            "supported": rng.uniform(0, 1, count) > 0.2,
            "call": np.sign(log2).astype(int) * (np.abs(log2) > 1),
        },
        index=[HOSTILE, *(f"G{i}" for i in range(count - 1))],
    )


@pytest.mark.parametrize("count", [1, 5000])
def test_a_volcano_of_one_gene_and_of_many(count: int) -> None:
    fig = styled(genes.volcano(regulation(count), 2.0), dark=True)
    assert sum(len(trace.x) for trace in fig.data) == count
    assert "<b onclick" not in fig.to_json()
    assert len(fig.layout.annotations) <= genes.NAMED


def test_names_in_the_volcano_do_not_lie_on_each_other() -> None:
    table = regulation(30).assign(log2=3.0, support=0.9, supported=True, call=1)
    assert len(genes.volcano(table, 2.0).layout.annotations) <= 2


def test_top_and_bottom_keeps_the_same_genes_in_both_panels() -> None:
    fig = genes.top_and_bottom({"one": regulation(200), HOSTILE: regulation(200, 1)}, 10)
    bars = [trace for trace in fig.data if trace.type == "bar"]
    assert len(bars) == 2
    assert list(bars[0].text) == list(bars[1].text)
    assert "<b onclick" not in fig.to_json()


def test_every_regulated_gene_is_counted_once_in_the_overlap() -> None:
    rng = np.random.default_rng(0)
    calls = pd.DataFrame(
        rng.uniform(0, 1, (50, 3)) > 0.6, columns=["A", "B", HOSTILE], index=range(50)
    )
    fig = genes.overlaps(calls, {"A": "#112233"})
    bars = next(trace for trace in fig.data if trace.type == "bar")
    assert sum(bars.y) == int(calls.any(axis=1).sum())
    none = genes.overlaps(calls & False, {})
    assert len(next(trace for trace in none.data if trace.type == "bar").y) == 0


def test_bars_of_one_set_and_of_many_name_them_without_prefix() -> None:
    over = pd.DataFrame(
        {
            "cell_type": ["A", "B"] * 40,
            "direction": "up",
            "collection": "Reactome",
            "set": [f"REACTOME_CELL_CYCLE_{i}" for i in range(80)],
            "overlap": 3,
            "in_background": 12,
            "fold": 2.0,
            "p": np.linspace(1e-9, 1, 80),
            "p_adjusted": np.linspace(1e-7, 1, 80),
            "genes": HOSTILE,
        }
    )
    fig = genes.over_bars(over)
    assert len(fig.data[0].x) == genes.MOST_BARS
    assert "A: Cell cycle 0" in fig.to_json()
    assert "<b onclick" not in fig.to_json()
    one = genes.over_bars(over.head(1))
    assert "Cell cycle 0" in one.to_json()
    assert "A: " not in one.to_json()


@pytest.mark.parametrize("samples", [1, 1000])
def test_two_runs_are_drawn_with_one_sample_and_with_many(samples: int) -> None:
    rng = np.random.default_rng(0)
    first = pd.Series(rng.uniform(0, 1, samples), index=[HOSTILE, *map(str, range(samples - 1))])
    second = first * 1.1
    for fig in (
        comparison.scatter(first, second, "#112233", ("First", HOSTILE)),
        comparison.differences(first, second, "#112233"),
    ):
        assert "<b onclick" not in fig.to_json()
        assert any(trace.x is not None and len(trace.x) == samples for trace in fig.data)


def test_runs_with_a_long_title_are_told_apart_by_their_time() -> None:
    table = pd.DataFrame(
        {"log2": [1.0], "support": [1.0], "supported": [True], "expression": [1.0]}, ["B cells"]
    )
    title = "ADTD, Deconomix+h,r, bulk, with its gene weights, λ₂ 1e-6, 30 Nov 02:10:"
    drawn = genes.gene_over_types({f"{title}11": table, f"{title}57": table}, "CD79A")
    first, second = (trace.name for trace in drawn.data)
    assert first.endswith("30 Nov 02:10:11")
    assert second.endswith("30 Nov 02:10:57")


@pytest.mark.parametrize("many", [1, 2, 3, 5])
def test_numbers_of_a_venn_diagram_stand_in_their_circles_and_count_every_gene_once(
    many: int,
) -> None:
    rng = np.random.default_rng(many)
    names = [f"<b>set {i}</b>" for i in range(many)]
    calls = pd.DataFrame(rng.random((60, many)) < 0.4, [f"G{i}" for i in range(60)], names)
    shown = shown_sets(calls)
    assert len(shown) == min(many, 3)
    assert set(shown) == set(calls.sum().sort_values(ascending=False, kind="stable").index[:3])
    fig = venn(calls, {names[0]: "#112233"})
    circles = [s for s in fig.layout.shapes if s.fillcolor is not None]
    numbers = fig.data[0]
    assert sum(map(int, numbers.text)) == int(calls[shown].any(axis=1).sum())
    for x, y, text, (who, listed) in zip(
        numbers.x, numbers.y, numbers.text, numbers.customdata, strict=True
    ):
        inside = [
            name
            for name, c in zip(shown, circles, strict=True)
            if (x - (c.x0 + c.x1) / 2) ** 2 + (y - (c.y0 + c.y1) / 2) ** 2 < 1
        ]
        exactly = (calls[shown] == [name in inside for name in shown]).all(axis=1)
        assert int(text) == int(exactly.sum())
        assert who == " and ".join(inert(name) for name in inside)
        assert "<b>" not in who
        assert listed.split(", ")[0] in {"", *calls.index[exactly]}
    assert not venn(calls & False, {}).layout.shapes
