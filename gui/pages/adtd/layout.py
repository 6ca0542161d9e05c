"""Layout of the page: parameters at the left, answer and tabs at the right."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from gui.answers.adtd import badges, model_name, run_line, summary_line
from gui.answers.second_opinion import hover_of
from gui.answers.summary import opinion_of, summary_of
from gui.components.agreement import AgreementView
from gui.components.cell_fractions import CellFractionsView, in_cells
from gui.components.common import card, drawn, not_drawn, two_columns
from gui.components.composition import CompositionView
from gui.components.composition_content import Composition, bulk_groups
from gui.components.confidence_intervals import ConfidenceIntervalView, Subject
from gui.components.merge_types import MergeTypesButton
from gui.components.next_step import NextStepView
from gui.components.report import bind_report, saving_buttons
from gui.components.runs import PreviousRuns
from gui.components.second_opinion import (
    CONSENSUS_PART,
    CONSENSUS_TITLE,
    SecondOpinionView,
    consensus_composition,
)
from gui.components.views import GONE, SHOWN
from gui.engine.params import ADTDParams
from gui.pages.adtd import hidden, parameters, regulation, search
from gui.pages.adtd.base import (
    COMPOSITION,
    HIDDEN_TAB,
    KNOWN,
    OPINION,
    REGULATION,
    SEARCH,
    SURE,
    TAB,
    TABS,
    adtd_run,
    form,
    head_card,
    head_outputs,
    head_parts,
    intervals_of,
    page,
    search_run,
    visible,
)
from gui.plugin import REVISION, Context

KINDS = ("adtd", "search")
following = NextStepView(page)
merging = MergeTypesButton(page)
DIM = {"color": "var(--mantine-color-dimmed)"}
previous = PreviousRuns(page, "adtd", form, describe=run_line)


def source(ctx: Context, part: str) -> Composition | None:
    """Return the composition of the run with hidden background, truth or groups, and interval."""
    run = adtd_run(ctx)
    of = "bulk" if part == CONSENSUS_PART else part
    if run is None or run.params.part != of:  # type: ignore[attr-defined]
        return None
    full = run.result.full()
    groups = (
        bulk_groups(ctx.session.dataset, full.columns)
        if of == "bulk" and ctx.session.outdated(run) is None
        else None
    )
    if part == CONSENSUS_PART:
        mean = consensus_composition(ctx.session, run, groups)
        return None if mean is None else in_cells(ctx.session, "adtd", mean)
    ends = intervals_of(ctx, run)
    shown = Composition(
        full,
        run.result.truth,
        groups,
        run.result.hidden_interval,
        None if ends is None else (ends.low, ends.high),
        hover_of(opinion_of(ctx.session, run), run),
        run=run,
    )
    # a simulated mixture is made of cells that were scaled to one sum: there is nothing to convert
    return in_cells(ctx.session, "adtd", shown) if part == "bulk" else shown


cells = CellFractionsView(page, "adtd")
view = CompositionView(
    page,
    source,
    active=(TAB, COMPOSITION),
    parts={
        "bulk": "Bulk",
        CONSENSUS_PART: CONSENSUS_TITLE,
        "test": "Test pseudobulks",
        "train": "Training pseudobulks",
    },
    normalise=False,
    not_kept=(CONSENSUS_PART,),
    more=cells.controls,
    also=cells.changed,
)


def bulk(ctx: Context) -> pd.DataFrame | None:
    """The composition of the current bulk by the current run, hidden background included."""
    run = adtd_run(ctx)
    if run is None or run.params.part != "bulk" or ctx.session.outdated(run) is not None:  # type: ignore[attr-defined]
        return None
    full: pd.DataFrame = run.result.full()
    return full


opinion = SecondOpinionView(page, "adtd", lambda ctx: bulk(ctx) is not None, active=(TAB, OPINION))
known = AgreementView(page, bulk, active=(TAB, KNOWN), file="adtd")


def subject(ctx: Context) -> Subject | None:
    """What the tab Uncertainty is about: the current run."""
    run = adtd_run(ctx)
    if run is None:
        return None
    params: ADTDParams = run.params  # type: ignore[assignment]
    obstacle = ctx.session.outdated(run)
    if params.model == "custom" and not params.c_static:
        obstacle = "Intervals need the composition of the first step: C static is off in this run."
    if "dtd" not in run.provenance.inputs:
        obstacle = "It is not known which DTD run this result was computed from. Run it again."
    values = {
        "part": params.part,
        "lambda2": params.lambda2,
        "max_iterations": params.max_iterations,
    }
    what = "sample" if params.part == "bulk" else "mixture"
    inputs = {"dtd": run.provenance.inputs.get("dtd", ""), "adtd": run.id}
    return Subject(
        run,
        inputs,
        values,
        f"Intervals: {model_name(params.model)}",
        run.result.fit,
        run.result.truth,
        what,
        obstacle,
    )


sure = ConfidenceIntervalView(page, subject, active=(TAB, SURE), file="adtd")


@page.layout
def layout(ctx: Context) -> Any:
    tab = ctx.session.form(page.key).get("tab") or (
        COMPOSITION if adtd_run(ctx) or not search_run(ctx) else SEARCH
    )
    panels = {
        COMPOSITION: _composition,
        OPINION: opinion.layout,
        HIDDEN_TAB: hidden.panel,
        REGULATION: regulation.panel,
        SEARCH: search.panel,
        SURE: sure.layout,
        KNOWN: known.layout,
    }

    def panel(name: str) -> Any:
        return drawn(
            f"the tab {name} of ADTD",
            lambda: panels[name](ctx),
            not_drawn(f"{TABS[name]} cannot be shown."),
        )

    tabs = dmc.Tabs(
        [
            dmc.TabsList(
                [
                    dmc.TabsTab(
                        html.Span(text, id=getattr(page.id, f"tab_{name}")), value=name, px=6, fz=13
                    )
                    for name, text in TABS.items()
                ]
            ),
            *[dmc.TabsPanel(panel(name), value=name, pt=8) for name in TABS],
        ],
        id=page.id.tabs,
        value=tab,
        keepMounted=True,
    )
    actions = dmc.Group([saving_buttons(page), previous.layout()], gap="xs", wrap="nowrap")
    results = [
        head_card("run", actions, there=adtd_run(ctx) is not None),
        search.head(),
        card(tabs, p="sm"),
    ]
    columns = two_columns(parameters.column(ctx, following.layout(ctx)), results, foldable=True)
    return html.Div([dcc.Store(id=page.id.seen, data=_ids(ctx)), columns])


def _composition(ctx: Context) -> Any:
    there = adtd_run(ctx) is not None
    return html.Div(
        [
            html.Div(id=page.id.composition_empty, style=visible(not there)),
            html.Div(view.layout(ctx), id=page.id.composition_body, style=visible(there)),
        ]
    )


@page.summary
def summary(ctx: Context) -> str | None:
    run = adtd_run(ctx)
    return None if run is None else summary_line(run)


def _ids(ctx: Context) -> list[str]:
    return [run.id for run in ctx.session.runs() if run.kind in KINDS]


# -- callbacks
# --------------------------------------------------------------------------------------------------
view.bind()
cells.bind()
opinion.bind()
known.bind()
sure.bind()
previous.bind()
following.bind()
merging.bind()
bind_report(page)


@page.callback(
    output={
        "shown": Output(page.id.run_head, "style"),
        "head": head_outputs("run"),
        "nothing": Output(page.id.composition_empty, "style"),
        "body": Output(page.id.composition_body, "style"),
        "regulation": Output(page.id.tab_regulation, "style"),
        "search": Output(page.id.tab_search, "style"),
        "search_head": Output(page.id.search_head, "style"),
    },
    inputs={"_revision": REVISION, "tab": TAB},
)
def show_answer(ctx: Context, *, tab: str, _revision: Any) -> dict[str, Any]:
    """The sentence about the current result: the run, or on its tab the search.

    Tabs that have nothing to show yet are dimmed.
    """
    run, searched = adtd_run(ctx), search_run(ctx) is not None
    regulated = run is not None and run.result.gene_regulation is not None
    tabs = {
        "regulation": SHOWN if regulated else DIM,
        "search": SHOWN if searched else DIM,
        "search_head": visible(tab == SEARCH and searched),
    }
    if run is None:
        return {**tabs, "shown": GONE, "nothing": SHOWN, "body": GONE}
    short = summary_of(ctx.session, run)
    warnings = merging.beside(ctx, run, short.warnings)
    head = head_parts(ctx, "run", run, short.answer, badges(run), "Run again", warnings)
    return {**tabs, "shown": visible(tab != SEARCH), "head": head, "nothing": GONE, "body": SHOWN}


@page.callback(
    Output(page.id.tabs, "value"),
    Output(page.id.seen, "data"),
    REVISION,
    State(page.id.seen, "data"),
)
def follow(ctx: Context, _revision: Any, seen: list[str] | None) -> Any:
    """A new result is shown: Composition after a run, Search after a search."""
    now = _ids(ctx)
    new = [run for run in ctx.session.runs() if run.id in now and run.id not in (seen or [])]
    if not new:
        raise PreventUpdate
    return (
        (COMPOSITION if new[-1].kind == "adtd" else SEARCH) if seen is not None else no_update
    ), now


@page.callback(Input(page.id.tabs, "value"), prevent_initial_call=True)
def keep_tab(ctx: Context, tab: str) -> None:
    ctx.session.keep_form(page.key, {"tab": tab})
