"""Page Survival: form, current run and formats shared by its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from dash import Input

from gui.analyses.survival import SurvivalParams, SurvivalResult
from gui.analyses.survival_params import CUT_TEXTS, DUPLICATE_TEXTS, SCALE_TEXTS
from gui.answers.confidence_intervals import bootstrap_of
from gui.answers.dtd import bulk_shown
from gui.components.form import ParamsForm
from gui.components.views import graph_height_style
from gui.engine.results import Run
from gui.figures.template import HEIGHT, styled
from gui.plugin import Context, Page
from gui.statistics.kaplan_meier import TRANSFORMS

page = Page("survival", "Survival", "times to an event", order=50, requires=("bulk", "dtd"))
form = ParamsForm(
    page,
    SurvivalParams,
    names=(
        *("cut", "ridge", "duplicates", "known_at", "landmark", "transform", "tau", "scale"),
        *("permutations", "seed"),
    ),
    choices={
        "cut": CUT_TEXTS,
        "duplicates": {
            key: {"first": "first sample", "cluster": "cluster"}.get(key, text)
            for key, text in DUPLICATE_TEXTS.items()
        },
        "transform": TRANSFORMS,
        "scale": SCALE_TEXTS,
    },
)
TABS = {
    "forest": "Hazard ratios",
    "curves": "Curves",
    "together": "Several variables",
    "hazards": "Proportional hazards",
    "patients": "Patients",
}
TAB = Input(page.id.tabs, "value")
"""The open tab: only its content is computed and sent."""
FIGURE_OR_TABLE = {"figure": "Figure", "table": "Table"}


def survival_run(ctx: Context) -> Run | None:
    """The run on screen."""
    return ctx.session.current(page.key)


def result_of(ctx: Context) -> SurvivalResult | None:
    """Its result."""
    run = survival_run(ctx)
    return None if run is None else run.result


def sources(ctx: Context) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Runs whose fractions can be used: key -> (as shown, inputs of the task).

    With the intervals of the run, where they were computed.
    """
    found: dict[str, tuple[str, Mapping[str, str]]] = {}
    for kind in ("adtd", "dtd"):
        run = ctx.session.current(kind)
        if run is None:
            continue
        inputs = {kind: run.id}
        if kind == "adtd":
            if getattr(run.params, "part", "bulk") != "bulk" or ctx.session.outdated(run):
                continue
        else:
            shown = bulk_shown(ctx.session, run)
            if shown.composition is None or not shown.fits or ctx.session.outdated(run):
                continue
            own = run.result.composition.get("bulk")
            if shown.composition is not own:
                applied = [
                    r
                    for r in ctx.session.runs("apply")
                    if r.result.composition is shown.composition
                ]
                inputs = {"apply": applied[-1].id}
        intervals = bootstrap_of(ctx.session, run)
        if intervals is not None and intervals.params.part == "bulk":  # type: ignore[attr-defined]
            inputs["bootstrap"] = intervals.id
        found[kind] = (kind.upper(), inputs)
    return found


def fitted_figure(fig: go.Figure, dark: bool) -> tuple[go.Figure, Any]:
    """The figure in the theme, and the style of its graph: at least 420 pixels."""
    styled(fig, dark)
    if fig.layout.height == HEIGHT:
        fig.update_layout(height=None)
    return fig, graph_height_style(fig, above=430, least=420)
