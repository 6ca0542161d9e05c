"""Page DTD: learning gene weights on pseudobulk, their accuracy, and the composition."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from gui.answers.dtd import badges, bulk_shown, short_answer
from gui.answers.second_opinion import doubts
from gui.answers.summary import summary_of
from gui.components.common import card, empty_state, form_end, two_columns
from gui.components.form import ParamsForm
from gui.components.headline import Headline
from gui.components.job_progress import JobProgress
from gui.components.jobs import clock, running, running_state
from gui.components.merge_types import MergeTypesButton
from gui.components.next_step import NextStepView
from gui.components.report import bind_report, saving_buttons
from gui.components.runs import PreviousRuns
from gui.components.templates import TemplatesDialog
from gui.components.views import GONE, SHOWN
from gui.data.normalize import common_genes
from gui.engine.model import model_bytes
from gui.engine.params import ApplyParams, DTDParams
from gui.engine.tasks import run_apply, run_dtd
from gui.errors import DeconomixError, MissingPart
from gui.files import MODEL
from gui.pages.dtd.tabs import bind_tabs, tabs_layout
from gui.plugin import JOBS, REVISION, Context, Page
from gui.text import number

page = Page("dtd", "DTD", "gene weights, composition", order=20, requires=("dataset",))
form = ParamsForm(page, DTDParams)
headline = Headline(page)
runs = PreviousRuns(page, "dtd", form, describe=lambda run: short_answer(run.result))
following = NextStepView(page)
templates = TemplatesDialog(page, form)
merging = MergeTypesButton(page)
progress = JobProgress(page, "dtd", "apply", "bootstrap")
STARTED = "Started. You can go on working."
NO_CELLS = "A trained model was loaded: there are no single cells to train on."
REFERENCE_ONLY = (
    "Gene weights are learned on mixtures of single cells, and these data hold a reference only."
    " The page Methods estimates the composition without them."
)
TAB, TAB_RUN = "tab", "tab_run"
"""Keys of the form values under which the open tab is kept, and the run it belongs to."""


@page.layout
def layout(ctx: Context) -> Any:
    run = ctx.session.current("dtd")
    kept = ctx.session.form(page.key)
    same = run is not None and kept.get(TAB_RUN) == run.id
    tab = kept[TAB] if same else landing(ctx)
    parameters = card(
        dmc.Stack(
            [
                dmc.Group([dmc.Text("Parameters", fw=600), templates.button()], gap="xs"),
                form.fields(ctx),
                form.advanced(ctx),
                form.hidden_parts(),
                form_end(
                    dmc.Button("Run DTD", id=page.id.run, fullWidth=True, disabled=True),
                    dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center"),
                    progress.layout(ctx),
                    following.layout(ctx),
                ),
            ],
            gap="sm",
        )
    )
    results = [
        html.Div(_empty(ctx), id=page.id.empty, style=GONE if run else SHOWN),
        dmc.Stack(
            [_head(), card(tabs_layout(ctx, page, tab), p="sm")],
            id=page.id.shown,
            gap="xs",
            style=SHOWN if run else GONE,
        ),
        dcc.Store(id=page.id.landed, data=run.id if run else None),
        templates.dialog(ctx),
    ]
    return two_columns(parameters, results, foldable=True)


def _empty(ctx: Context) -> Any:
    job = running(ctx, "dtd")
    if job is not None:
        return card(running_state(job))
    return card(
        empty_state(
            "No DTD run yet",
            "Press Run DTD on the left. Pseudobulks of known composition are simulated"
            " from your single cells, gene weights are learned on them, and the composition of"
            " your bulk samples is estimated.",
        )
    )


@page.callback(Output(page.id.empty, "children"), REVISION, JOBS)
def show_empty(ctx: Context, _revision: str | None, _jobs: Any) -> Any:
    return _empty(ctx)


def _head() -> Any:
    stale = dmc.Alert(
        dmc.Group(
            [
                dmc.Text(id=page.id.stale_text, size="sm"),
                dmc.Button(id=page.id.apply, size="xs", variant="light", color="orange"),
            ],
            justify="space-between",
            gap="sm",
        ),
        id=page.id.stale,
        color="orange",
        variant="light",
        p="xs",
        mt="xs",
        style=GONE,
    )
    save = dmc.Button("Save model…", id=page.id.save, variant="default", size="xs")
    actions = dmc.Group([saving_buttons(page), save, runs.layout()], gap=6, wrap="nowrap")
    return headline.layout(actions, stale)


@page.summary
def summary(ctx: Context) -> str | None:
    run = ctx.session.current("dtd")
    return None if run is None else short_answer(run.result)


def landing(ctx: Context) -> str:
    """The tab that is the answer: the bulk's composition, or the correlation where there is none.

    A loaded model has nothing but compositions.
    """
    run = ctx.session.current("dtd")
    if run is None:
        return "correlation"
    return (
        "composition"
        if run.result.metrics.empty or bulk_shown(ctx.session, run).composition is not None
        else "correlation"
    )


# -- running
# --------------------------------------------------------------------------------------------------
@page.callback(
    Output(page.id.run, "disabled"),
    Output(page.id.reason, "children"),
    inputs={"_revision": REVISION, "_jobs": JOBS, "values": form.inputs},
)
def ready(
    ctx: Context, *, values: dict[str, Any], _revision: str | None, _jobs: Any
) -> tuple[bool, str]:
    """Whether DTD can be run, and why not."""
    try:
        hint = can_run(ctx, values)
    except DeconomixError as error:
        return True, str(error)
    return False, STARTED if running(ctx, "dtd") is not None else hint


def can_run(ctx: Context, values: dict[str, Any]) -> str:
    """What the run will use, in words; DeconomixError if it cannot be run."""
    data = ctx.session.need_dataset()
    if data.train is None:
        source = data.source("reference")
        loaded = source is not None and source.kind == "model"
        trained = loaded or ctx.session.current("dtd") is not None
        raise MissingPart(NO_CELLS if trained else REFERENCE_ONLY)
    params = form.parse(values)
    shared = len(common_genes(data))
    if shared == 0:
        raise MissingPart("The parts have no gene in common.")
    every = params.genes is None or params.genes >= shared
    genes = (
        f"All {number(shared)} shared genes are used."
        if every
        else f"{number(shared)} genes are shared by all parts."
    )
    bulk = (
        " There is no bulk: only pseudobulks are deconvolved."
        if params.run_on_bulk and data.bulk is None
        else ""
    )
    last = ctx.session.current("dtd")
    took = (
        f" The current run took {clock(last.provenance.seconds)}."
        if last is not None and last.provenance.seconds
        else ""
    )
    return f"{genes}{bulk}{took}"


@page.callback(
    inputs={"clicks": Input(page.id.run, "n_clicks")},
    state={"values": form.states},
    prevent_initial_call=True,
)
def run(ctx: Context, *, clicks: int | None, values: dict[str, Any]) -> None:
    if not clicks:
        return
    can_run(ctx, values)
    params = form.parse(values)
    if any(
        job.active and job.kind == "dtd" and job.params == params
        for job in ctx.jobs.status(ctx.session_id)
    ):
        ctx.notify("DTD is already running with these parameters.", colour="yellow")
        return
    ctx.jobs.submit(run_dtd, ctx.session_id, params, kind="dtd", title="DTD")


@page.callback(Input(page.id.apply, "n_clicks"), prevent_initial_call=True)
def recompute(ctx: Context, clicks: int | None) -> None:
    """The current run on the current bulk, without training."""
    current = ctx.session.current("dtd")
    if not clicks or current is None:
        return
    if any(
        job.active and job.kind == "apply" and job.inputs.get("dtd") == current.id
        for job in ctx.jobs.status(ctx.session_id)
    ):
        ctx.notify("The bulk is being computed already.", colour="yellow")
        return
    ctx.jobs.submit(
        run_apply,
        ctx.session_id,
        ApplyParams(),
        kind="apply",
        title="Composition of the bulk",
        inputs={"dtd": current.id},
    )


# -- the current result
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        "empty": Output(page.id.empty, "style"),
        "shown": Output(page.id.shown, "style"),
        "head": headline.outputs,
        "stale": Output(page.id.stale, "style"),
        "stale_text": Output(page.id.stale_text, "children"),
        "apply": Output(page.id.apply, "children"),
        "apply_style": Output(page.id.apply, "style"),
    },
    inputs={"_revision": REVISION},
)
def show(ctx: Context, *, _revision: str | None) -> dict[str, Any]:
    current = ctx.session.current("dtd")
    if current is None:
        return {"empty": SHOWN, "shown": GONE}
    short = summary_of(ctx.session, current)
    bulk = bulk_shown(ctx.session, current)
    stale = ctx.session.outdated(current) or bulk.words
    weak = [text for text in short.warnings if text.removeprefix("DTD: ") != stale]
    return {
        "empty": GONE,
        "shown": SHOWN,
        "head": headline.parts(
            short.answer,
            badges(current),
            merging.beside(ctx, current, weak),
            weak=doubts(current.result),
        ),
        "stale": SHOWN if stale else GONE,
        "stale_text": stale,
        "apply": bulk.button,
        "apply_style": SHOWN if bulk.button and stale == bulk.words else GONE,
    }


@page.callback(
    Output(page.id.tabs, "value"),
    Output(page.id.landed, "data"),
    REVISION,
    State(page.id.landed, "data"),
    prevent_initial_call=True,
)
def land(ctx: Context, _revision: str | None, landed: str | None) -> Any:
    """A run that has just come on screen opens at its answer."""
    current = ctx.session.current("dtd")
    now = current.id if current else None
    if now == landed:
        raise PreventUpdate
    return landing(ctx) if landed is None and now else no_update, now


@page.callback(Input(page.id.tabs, "value"), prevent_initial_call=True)
def keep_tab(ctx: Context, tab: str) -> None:
    current = ctx.session.current("dtd")
    ctx.session.keep_form(page.key, {TAB: tab, TAB_RUN: current.id if current else None})


@page.callback(Input(page.id.save, "n_clicks"), prevent_initial_call=True)
def save_model(ctx: Context, clicks: int | None) -> None:
    """Save reference, gene weights and gene list as a model file for another bulk."""
    current = ctx.session.current("dtd")
    if not clicks or current is None:
        return
    name = ctx.session.dataset.name if ctx.session.dataset else "data"
    told = ctx.files.save(f"{name}-dtd{MODEL.suffixes[0]}", model_bytes(current.result), MODEL)
    if told:
        ctx.notify(told, title="Saved", colour="teal")


form.bind()
templates.bind()
merging.bind()
runs.bind()
following.bind()
progress.bind()
bind_report(page)
bind_tabs(page)
