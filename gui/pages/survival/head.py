"""Page Survival: the answer above the tabs, earlier runs, what the analysis is of."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html
from dash.exceptions import PreventUpdate

from gui.answers.analyses import basis_name, inputs_of, sources_of
from gui.answers.survival import needs_ridge, short_answer
from gui.components.analysis import AnalysisHead, go_to
from gui.components.common import empty_state, warning
from gui.components.runs import PreviousRuns
from gui.components.views import GONE, SHOWN
from gui.pages.survival.base import TAB, form, page, survival_run
from gui.pages.survival.running import start
from gui.plugin import REVISION, Context


def nothing(ctx: Context) -> Any:
    """What the page shows while there is no run: what is missing, with a button to it."""
    data = ctx.session.dataset
    if data is None or data.clinical is None:
        return empty_state(
            "Survival needs a clinical table",
            "Load a table with a time and an event for each patient on the page Upload, tab"
            " Clinical data. It is joined to the bulk samples by name.",
            go_to("upload", "Go to Upload"),
        )
    if not data.clinical.time or not data.clinical.event:
        return empty_state(
            "Which columns hold times and events?",
            "Choose them on the left, or on the page Upload with the clinical table.",
            go_to("upload", "Go to Upload"),
        )
    return empty_state(
        "No survival analysis yet",
        "Say what time zero is and press Run Survival. Every cell type's fraction gets a Cox"
        " model; with groups of fractions or a clinical column you also get Kaplan-Meier curves"
        " and log-rank tests.",
    )


runs = PreviousRuns(
    page,
    page.key,
    form,
    describe=lambda run: short_answer(run.result),
    basis=lambda ctx, run: basis_name(ctx.session, run),
)
head = AnalysisHead(
    page,
    runs,
    nothing,
    lambda ctx, run, source: start(ctx, run.params, inputs_of(ctx.session, source)),
)


def ridge_offer() -> Any:
    """Offers the ridge fit where there are too few events; see :func:`offer_ridge`."""
    button = dmc.Button(
        "Use the ridge fit",
        id=page.id.use_ridge,
        size="compact-sm",
        variant="light",
        color="orange",
    )
    words = warning("There are too few events for several variables.", button)
    return html.Div(words, id=page.id.ridge_offer, style=GONE)


@page.callback(Output(page.id.ridge_offer, "style"), REVISION)
def offer_ridge(ctx: Context, _revision: str | None) -> Any:
    run = survival_run(ctx)
    asks = run is not None and not run.params.ridge and needs_ridge(run.result)
    return SHOWN if asks else GONE


@page.callback(Input(page.id.use_ridge, "n_clicks"), prevent_initial_call=True)
def use_ridge(ctx: Context, clicks: int | None) -> None:
    """The current run once more, with a penalty."""
    run = survival_run(ctx)
    source = next(iter(sources_of(ctx.session, run)), None) if run is not None else None
    if not clicks or run is None or source is None:
        raise PreventUpdate
    start(ctx, run.params.model_copy(update={"ridge": True}), inputs_of(ctx.session, source))


@page.callback(TAB, prevent_initial_call=True)
def keep_tab(ctx: Context, tab: str) -> None:
    ctx.session.keep_form(page.key, {"tab": tab})


@page.summary
def summary(ctx: Context) -> str | None:
    run = survival_run(ctx)
    return None if run is None else short_answer(run.result)


head.bind()
