"""Page Survival: form, current run and formats shared by its parts."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from dash import Input

from gui.analyses.survival import SurvivalParams, SurvivalResult
from gui.analyses.survival_params import CUT_TEXTS, DUPLICATE_TEXTS, SCALE_TEXTS
from gui.components.form import ParamsForm
from gui.components.job_progress import JobProgress
from gui.components.views import graph_height_style
from gui.engine.results import Run
from gui.figures.template import HEIGHT, styled
from gui.plugin import Context, Page
from gui.statistics.kaplan_meier import TRANSFORMS

page = Page("survival", "Survival", "times to an event", order=50, requires=("bulk", "composition"))
progress = JobProgress(page, "survival")
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
    """The current run."""
    return ctx.session.current(page.key)


def result_of(ctx: Context) -> SurvivalResult | None:
    """Its result."""
    run = survival_run(ctx)
    return None if run is None else run.result


def fitted_figure(fig: go.Figure, dark: bool) -> tuple[go.Figure, Any]:
    """The figure in the theme, and the style of its graph: at least 420 pixels."""
    styled(fig, dark)
    if fig.layout.height == HEIGHT:
        fig.update_layout(height=None)
    return fig, graph_height_style(fig)
