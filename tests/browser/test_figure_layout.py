"""Saved figures are laid out for their own size: by the boxes that the browser reports nothing is
cut and nothing lies over something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Page

from gui.data.dataset import HIDDEN
from gui.figures import adtd, composition, dtd, fractions, markers, review
from gui.figures.agreement import agreement
from gui.figures.data import type_counts
from gui.figures.palette import NUMBERED_FROM, colours
from gui.report.document import TALLEST, WIDTH
from tests.browser.figure_boxes import blank_page, look

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    yield from blank_page(browser)


def names(count: int, long: bool) -> list[str]:
    ending = " of the second germinal centre & <b>nearby</b> tissue" if long else ""
    base = [
        "B cells",
        "CD4 T cells",
        "CD8 T cells",
        "mDC",
        "pDC",
        "Monocytes",
        "NK cells",
        "Plasma cells",
        "Platelets",
        "Regulatory T cells",
    ]
    return [f"{base[i % 10]}{f' {i}' if i > 9 else ''}{ending}" for i in range(count)]


def figures(types: int, samples: int, *, long: bool = False) -> dict[str, go.Figure]:
    """Every kind of figure that can be saved."""
    rng, kinds = np.random.default_rng(1), names(types, long)
    people = [
        f"{'a patient of the university hospital with a long name, ' if long else 'patient_'}{i:04}"
        for i in range(samples)
    ]
    data = pd.DataFrame(
        rng.dirichlet(np.full(types + 1, 0.7), samples).T, index=[*kinds, HIDDEN], columns=people
    )
    colour_of, group = (
        colours(kinds),
        pd.Series(rng.choice(["responder", "non-responder", "unknown"], samples), index=people),
    )
    ends = pd.DataFrame({"low": data.iloc[0] * 0.8, "high": data.iloc[0] * 1.2})
    reference = pd.DataFrame(
        rng.gamma(0.4, 1.0, (300, types)), index=[f"GENE{i}" for i in range(300)], columns=kinds
    )
    delta = pd.DataFrame(
        2 ** rng.normal(0, 1, reference.shape), index=reference.index, columns=kinds
    )
    losses = pd.DataFrame(rng.uniform(1, 2, (5, 21)), columns=np.logspace(-20, 0, 21))
    rows = [
        (p, m, t, *rng.uniform(0.1, 0.9, 4))
        for p in ("test", "train")
        for m in ("naive", "dtd")
        for t in kinds
    ]
    metrics = pd.DataFrame(
        rows, columns=["part", "method", "cell_type", "pearson", "spearman", "rmse", "ccc"]
    )
    some = people[:50]
    estimated = rng.uniform(0, 1, types * len(some))
    points = pd.DataFrame(
        {
            "sample": np.repeat(some, types),
            "cell_type": np.tile(kinds, len(some)),
            "known": estimated**2,
            "estimated": estimated,
        }
    )
    quality = pd.DataFrame(
        {
            "sum": rng.uniform(1e3, 1e5, min(samples, 16)),
            "genes": rng.integers(100, 900, min(samples, 16)),
        },
        index=people[:16],
    )
    funnel = pd.DataFrame(
        {"train": [20000, 15000], "bulk": [18000, 15000]}, index=["read", "common"]
    )
    found = {
        "composition": composition.stacked(data, colour_of, normalise=True),
        "composition in groups": composition.stacked(data, colour_of, group=group),
        "composition as heatmap": composition.heatmap(data, group=group),
        "hidden by sample": fractions.hidden_fraction(
            data.loc[HIDDEN], ends, truth=data.loc[HIDDEN]
        ),
        "how sure": fractions.with_interval(
            kinds[0], data.iloc[0], ends["low"], ends["high"], colour_of
        ),
    }
    if samples == 1000:  # drawn in seconds each: the two that differ most
        return {name: found[name] for name in ("composition in groups", "hidden by sample")}
    if samples == 1:
        return found
    return found | {
        "one sample": composition.single(data.iloc[:, 0], colour_of, truth=data.iloc[:, 0]),
        "loss": dtd.loss(pd.DataFrame(rng.uniform(0, 1, (300, types)), columns=kinds), colour_of),
        "correlation": dtd.correlation(metrics),
        "rmse": dtd.correlation(metrics, "rmse"),
        "scatter": dtd.scatter(data.iloc[0], data.iloc[0], kinds[0], colour_of[kinds[0]]),
        "markers": markers.heatmap(reference, pd.Series(1.0, index=reference.index), 40),
        "many markers": markers.heatmap(reference, pd.Series(1.0, index=reference.index), 200),
        "search": adtd.search(losses, {"min": 1e-9, "one_se": 1e-8, "drop": 1e-6}),
        "regulation": adtd.gene_regulation(
            delta, delta.clip(upper=1), genes=list(delta.index[:60]), log2=False
        ),
        "hidden profile": adtd.hidden_profile(
            reference.iloc[:, 0] / reference.iloc[:, 0].sum(), reference, 30
        ),
        "known": agreement(points, colour_of),
        "type counts": type_counts(
            {
                "training": pd.Series(rng.integers(1, 900, types), index=kinds),
                "test": pd.Series(5, index=kinds),
            }
        ),
        "similarity": review.similarity(
            pd.DataFrame(np.where(np.eye(types), 1, 0.999), index=kinds, columns=kinds), 0.998
        ),
        "quality": review.quality(quality, "sample", "samples"),
        "funnel": review.gene_funnel(
            funnel,
            {"train": "training cells", "bulk": "bulk"},
            {"read": "In the file", "common": "In all parts"},
        ),
        "bulk against reference": review.bulk_scatter(
            pd.DataFrame(
                {"bulk": rng.uniform(1e-5, 1e-2, 300), "reference": rng.uniform(1e-5, 1e-2, 300)}
            )
        ),
    }


@pytest.mark.parametrize(
    ("types", "samples"),
    [
        # the smallest and the largest of each, and what is between them at night
        (2, 1),
        (10, 42),
        (30, 42),
        (30, 1000),
        *(
            pytest.param(types, samples, marks=pytest.mark.slow)
            for types, samples in ((2, 42), (10, 1), (30, 1), (2, 1000), (10, 1000))
        ),
    ],
)
def test_in_a_saved_figure_nothing_is_cut_and_nothing_lies_over_something_else(
    page: Page, types: int, samples: int
) -> None:
    wrong = {}
    for name, fig in figures(types, samples).items():
        found = look(page, f"{types}-{samples}-{name}", fig)
        if found["wrong"]:
            wrong[name] = found["wrong"][:4]
        if name.startswith("composition") and "heatmap" not in name:
            entries = [re.fullmatch(r"(?:(\d+) )?(.+)", entry).groups() for entry in found["names"]]
            assert [entry for _, entry in entries] == [
                HIDDEN,
                *names(types, False)[::-1],
            ], "the legend has all, in the order of the stack"
            numbers = [number for number, _ in entries[1:]]
            if types < NUMBERED_FROM:
                assert not any(numbers)
            else:
                assert len(set(numbers) - {None}) == types, "each type has its own number"
            assert found["width"] < 2200
    assert not wrong


@pytest.mark.parametrize(
    ("types", "samples"), [pytest.param(3, 8, marks=pytest.mark.slow), (30, 42)]
)
def test_long_names_are_whole_in_a_saved_figure(page: Page, types: int, samples: int) -> None:
    wrong = {}
    for name, fig in figures(types, samples, long=True).items():
        found = look(page, f"long-{types}-{samples}-{name}", fig)
        if found["wrong"]:
            wrong[name] = found["wrong"][:4]
        if name == "composition":
            assert found["names"][-1].endswith("tissue")
            assert any(
                text.startswith("a patient") and text.endswith("0001") for text in found["texts"]
            )
    assert not wrong


@pytest.mark.parametrize(
    ("types", "samples"), [pytest.param(10, 42, marks=pytest.mark.slow), (30, 40)]
)
def test_in_a_report_nothing_is_cut_at_its_width(page: Page, types: int, samples: int) -> None:
    wrong = {}
    for name, fig in figures(types, samples).items():
        fig.update_layout(
            width=WIDTH, height=min(fig.layout.height or 400, TALLEST), autosize=False
        )
        found = look(page, f"report-{types}-{samples}-{name}", fig, fixed=WIDTH, tallest=TALLEST)
        if found["wrong"] or found["width"] != WIDTH or found["height"] > TALLEST + 100:
            wrong[name] = [found["wrong"][:4], found["width"], found["height"]]
        if name in ("composition", "hidden by sample", "markers"):
            assert not any("too many to name" in text for text in found["texts"]), (
                f"{name}: the names fit on the page"
            )
    assert not wrong


@pytest.mark.parametrize(
    ("types", "samples", "millimetres"),
    [pytest.param(10, 42, 85, marks=pytest.mark.slow), (30, 40, 180)],
)
def test_in_a_column_of_a_journal_nothing_is_cut(
    page: Page, types: int, samples: int, millimetres: int
) -> None:
    """At 8 points: 13 pixels of the layout."""
    wide = round(millimetres * 72 / 25.4 * 13 / 8)
    wrong = {}
    for name, fig in figures(types, samples).items():
        found = look(page, f"column-{millimetres}-{types}-{name}", fig, fixed=wide, least=90)
        if found["wrong"] or found["width"] != wide:
            wrong[name] = [found["wrong"][:4], found["width"]]
    assert not wrong


def test_a_height_is_kept_or_as_little_more_as_its_names_need(page: Page) -> None:
    few, many = figures(2, 42), figures(30, 40)
    for tall in (300, 700):
        found = look(page, f"tall-{tall}", few["composition"], fixed=700, tall=tall)
        assert (found["height"], found["wrong"]) == (tall, [])
    found = look(page, "tall-names", many["composition as heatmap"], fixed=700, tall=300)
    assert found["height"] > 400
    assert found["wrong"] == []


def test_names_of_a_thousand_samples_are_left_out_and_the_axis_says_so(page: Page) -> None:
    found = look(page, "thousand", figures(2, 1000)["composition in groups"])
    assert "1000 samples, too many to name" in found["texts"]
    assert not any(text.startswith("patient") for text in found["texts"])
    few = look(page, "42", figures(2, 42)["composition"])
    assert sum(text.startswith("patient") for text in few["texts"]) == 42


def test_the_layout_of_the_screen_would_be_found_wrong(page: Page) -> None:
    """The positive control: what was saved before."""
    fig = figures(30, 42)["composition"].update_layout(showlegend=True, height=300)
    assert any(
        "legend cut" in text or "over each other" in text
        for text in look(page, "control", fig, screen=True)["wrong"]
    )


def test_the_legend_of_a_saved_figure_says_the_numbers_on_its_bars(page: Page) -> None:
    kinds = [
        f"{i} type of cells with a name that is longer than the screen has room" for i in range(12)
    ]
    data = pd.DataFrame(1 / 12, index=kinds, columns=["a", "b"])
    fig = composition.stacked(data, colours(kinds))
    on_screen = {trace.meta: trace.name.split()[0] for trace in fig.data}
    names = look(page, "numbers", fig)["names"]
    assert sorted(names) == sorted(f"{on_screen[kind]} {kind}" for kind in kinds)
