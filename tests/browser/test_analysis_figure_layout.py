"""Saved figures of the analyses (groups, survival, genes, two runs) at the width of a column: nothing
is cut and nothing lies over something else.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Page

from gui.figures import comparison, genes, groups, hazard_ratios, survival
from gui.figures.palette import colours
from gui.figures.venn import venn
from gui.statistics.kaplan_meier import kaplan_meier_by_group
from tests.browser.figure_boxes import blank_page, look

pytestmark = pytest.mark.browser
TYPES = ["B cells", "T cells CD4 conv", "Regulatory T cells", "Monocytes", "mDC", "hidden"]
LEVELS = ("non-responder", "responder")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    yield from blank_page(browser)


def figures() -> dict[str, go.Figure]:
    """One of each, of 24 samples."""
    rng = np.random.default_rng(1)
    people = [f"patient_{i:03}" for i in range(24)]
    colour_of = colours(TYPES)
    fractions = pd.DataFrame(rng.dirichlet(np.ones(6), 24).T, index=TYPES, columns=people)
    design = pd.DataFrame({"group": np.resize(LEVELS, 24)}, index=people)
    low = rng.uniform(0.002, 0.5, 6)
    ratio, high = low * 4, low * 900
    hazards = pd.DataFrame({"p": rng.uniform(0.0001, 1, 6)}, index=TYPES)
    for per in ("sd", "points"):
        hazards = hazards.assign(**{f"{per}_ratio": ratio, f"{per}_low": low, f"{per}_high": high})
    effects = pd.DataFrame(
        {"effect": 0.5, "effect_low": 0.2, "effect_high": 0.9, "called": True, "p_adjusted": 0.01},
        index=TYPES,
    )
    time = pd.Series(rng.exponential(30, 24), index=people)
    curves = kaplan_meier_by_group(
        time, pd.Series(rng.uniform(0, 1, 24) < 0.7, index=people), design["group"]
    )
    points = pd.DataFrame(
        {
            "time": np.sort(time),
            "transformed": np.linspace(0, 1, 24),
            "residual": rng.normal(0, 3, 24),
        }
    )
    smooth = points.assign(estimate=0.0, low=-1.0, high=1.0)
    log2 = rng.normal(0, 2, 300)
    regulation = pd.DataFrame(
        {
            "log2": log2,
            "factor": 2**log2,
            "support": rng.uniform(0, 1, 300),
            "stability": np.nan,
            "expression": 1.0,
            "supported": True,
            "call": np.sign(log2).astype(int) * (np.abs(log2) > 1),
        },
        index=[f"GENE{i}" for i in range(300)],
    )
    called = pd.DataFrame(rng.uniform(0, 1, (300, 3)) > 0.6, columns=TYPES[:3])
    return {
        "hazard ratios": hazard_ratios.forest(hazards, colour_of),
        "hazard ratios per points": hazard_ratios.forest(hazards, colour_of, per="points"),
        "curves": survival.kaplan_meier(
            curves, unit="months", since="diagnosis", note="log-rank p 0.321"
        ),
        "residuals": survival.residuals(
            points, smooth, "Regulatory T cells", per="per 10 percentage points", coefficient=0.1
        ),
        "effects": groups.effects(
            effects,
            title="Probability of superiority of non-responder",
            no_effect=0.5,
            colour_of=colour_of,
        ),
        "all types": groups.overview(fractions, design, LEVELS),
        "one type": groups.by_group(
            fractions.iloc[0], design, LEVELS, name=TYPES[0], colour=colour_of[TYPES[0]]
        ),
        "along a number": groups.along_number(
            fractions.iloc[0], time, name=TYPES[0], variable="age", colour=colour_of[TYPES[0]]
        ),
        "groups as heatmap": groups.heatmap(fractions, fractions, design, LEVELS),
        "top and bottom": genes.top_and_bottom({"ADTD, 30 Nov 14:02": regulation}, 15),
        "overlaps": genes.overlaps(called, colour_of),
        "venn": venn(called, colour_of),
        "one gene": genes.gene_over_types(
            {"ADTD, 30 Nov 14:02": regulation.head(6).set_axis(TYPES)}, "CD79A"
        ),
        "hidden profile": genes.likeness_bars(
            pd.DataFrame(
                {"explained": 0.4, "cosine": 0.6, "weight": 1.0, "fits": True, "origin": "cells"},
                index=TYPES,
            ),
            needed=0.15,
        ),
        "scatter of runs": comparison.scatter(
            fractions.iloc[0], fractions.iloc[1], colour_of[TYPES[0]], ("First run", "Second run")
        ),
        "differences": comparison.differences(
            fractions.iloc[0], fractions.iloc[1], colour_of[TYPES[0]]
        ),
    }


@pytest.mark.parametrize("millimetres", [85, pytest.param(180, marks=pytest.mark.slow), None])
def test_nothing_is_cut_and_nothing_lies_over_something_else(
    page: Page, millimetres: int | None
) -> None:
    """At 8 points: 13 pixels of the layout; None: as wide as the figure needs."""
    wide = 0 if millimetres is None else round(millimetres * 72 / 25.4 * 13 / 8)
    wrong = {}
    for name, fig in figures().items():
        found = look(page, f"analysis-{millimetres}-{name}", fig, fixed=wide, least=90)
        if found["wrong"]:
            wrong[name] = found["wrong"][:4]
    assert not wrong
