"""Figures of survival: what is drawn is what the curves and models say."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from gui.figures.hazard_ratios import forest, ratios
from gui.figures.survival import kaplan_meier, residuals, time_ticks
from gui.figures.text import p_text
from gui.statistics.cox_by_type import cox_by_type
from gui.statistics.kaplan_meier import kaplan_meier_by_group
from gui.statistics.proportional_hazards import proportional_hazards_test
from tests.gui.survival_cases import made_bootstrap, made_fractions, made_table

HOSTILE = '<b onclick="x">T & B</b> of a very long name %{y} =1+1 $x$'


def follow_up(n: int = 80) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    fractions = made_fractions(n)
    table = made_table(fractions)
    return fractions, table["OS_months"], table["OS_status"] == "Dead"


def test_curves_have_band_censor_ticks_and_the_numbers_under_the_axis() -> None:
    _, time, event = follow_up()
    groups = pd.Series(np.where(np.arange(80) < 30, HOSTILE, "other"), index=time.index)
    curves = kaplan_meier_by_group(time, event, groups)
    fig = kaplan_meier(curves, unit="months", since="surgery", note="log-rank p 0.02")
    ticks = list(fig.layout.xaxis.tickvals)
    under = [t for t in fig.data if t.mode == "text"]
    for curve, row in zip(curves, under, strict=True):
        assert list(row.x) == ticks
        at = curve.at(ticks)
        assert list(row.text) == [
            f"{r.at_risk} / {r.events} / {r.censored}" for r in at.itertuples()
        ]
    censored = [t for t in fig.data if t.mode == "markers"]
    assert sum(len(t.x) for t in censored) == sum(
        int((c.table["censored"] > 0).sum()) for c in curves
    )
    assert all(t.marker.symbol == "line-ns" for t in censored)
    bands = [t for t in fig.data if t.fill == "tonexty"]
    assert len(bands) == 2
    assert fig.layout.xaxis.title.text == "Time since surgery (months)"
    # the plot itself stays as high with more groups
    assert (fig.layout.yaxis.domain[1] - fig.layout.yaxis.domain[0]) * (fig.layout.height - 60) == (
        pytest.approx(330, abs=1)
    )
    assert "<b onclick" not in json.dumps(fig.to_plotly_json(), default=str)


@pytest.mark.parametrize(
    ("last", "unit", "ticks"),
    [
        (124, "months", [0, 24, 48, 72, 96, 120]),
        (3000, "days", [0, 500, 1000, 1500, 2000, 2500, 3000]),
        (0.4, "years", [0, 0.1, 0.2, 0.3, 0.4]),
        (0, "days", [0]),
    ],
)
def test_ticks_of_time_are_round_and_few(last: float, unit: str, ticks: list[float]) -> None:
    assert time_ticks(last, unit) == pytest.approx(ticks)


def test_a_forest_has_every_type_in_both_units_and_the_draws() -> None:
    fractions, time, event = follow_up()
    draws = made_bootstrap(fractions, noise=0.02).draws
    assert draws is not None
    table = cox_by_type(time, event, fractions, draws=draws.astype(float)).table
    for per in ("sd", "points"):
        fig = forest(table, {}, per=per)  # type: ignore[arg-type]
        squares = next(t for t in fig.data if t.mode == "markers" and t.marker.symbol == "square")
        assert list(squares.customdata) == list(table.index)
        assert squares.x == pytest.approx(table[f"{per}_ratio"].to_numpy(), rel=1e-5)
        named = [t.name for t in fig.data if t.name]
        assert (named == ["median of the bootstrap draws"]) is (per == "sd")
    assert fig.layout.xaxis.type == "log"
    assert forest(table, {}).layout.height >= 200


def test_ratios_without_an_interval_or_out_of_sight_are_drawn() -> None:
    fig = ratios([("infinite", 1e40, np.nan, np.nan, np.nan), (HOSTILE, 0.8, 0.5, 1.3, 0.3)], {})
    texts = [a.text for a in fig.layout.annotations]
    assert texts[1] == "0.800 (0.500 to 1.30)  p 0.300"
    assert np.isfinite(fig.layout.xaxis.range).all()
    assert 2 <= len(fig.layout.xaxis.tickvals) <= 8
    assert [p_text(p) for p in (0.5, 0.0051, 1e-9, np.nan)] == ["0.500", "0.0051", "< 0.0001", "–"]


def test_residuals_are_drawn_with_their_smooth_curve() -> None:
    fractions, time, event = follow_up()
    fit = cox_by_type(time, event, fractions).fits["B cells"]
    test = proportional_hazards_test(fit)
    points = test.residuals.rename(columns={"B cells": "residual"})
    ten = "per 10 percentage points"
    fig = residuals(
        points, test.smooth["B cells"], "B cells", per=ten, coefficient=1.0, unit="months"
    )
    assert fig.layout.yaxis.title.text == f"Log hazard ratio of B cells<br>{ten}"
    dots = next(t for t in fig.data if t.mode == "markers")
    assert len(dots.x) == int(event.sum())
    assert len(fig.layout.xaxis.tickvals) == 6
    low, high = fig.layout.yaxis.range
    assert low < test.smooth["B cells"]["low"].min()
    assert high > test.smooth["B cells"]["high"].max()
