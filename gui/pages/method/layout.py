"""Page Methods: layout and callbacks."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, html
from dash import ctx as call

from gui.answers.methods import capability_text, method_sentence, method_warnings, short_answer
from gui.answers.second_opinion import doubts
from gui.components.agreement import AgreementView
from gui.components.common import card, empty_state, form_end, two_columns, warning
from gui.components.composition import CompositionView
from gui.components.confidence_intervals import ConfidenceIntervalView
from gui.components.headline import Headline
from gui.components.job_progress import JobProgress
from gui.components.jobs import running, running_state
from gui.components.report import bind_report, saving_buttons
from gui.components.runs import PreviousRuns
from gui.components.second_opinion import CONSENSUS_PART, SecondOpinionView
from gui.components.views import GONE, SHOWN
from gui.errors import DeconomixError
from gui.methods.method import KIND
from gui.pages.method import beside
from gui.pages.method.base import (
    PARTS,
    available,
    can_run,
    chosen_method,
    composition_of,
    intervals_subject,
    page,
    parameter_fields,
    parsed,
    result_of,
)
from gui.plugin import JOBS, REVISION, Context

TABS = {
    "composition": "Composition",
    "opinion": "Second opinion",
    "sure": "Uncertainty",
    "known": "Against known",
}
TAB = Input(page.id.tabs, "value")
STARTED = "Started. You can go on working."
NOTE = "RNA fractions; those of a sample sum to 1."
progress = JobProgress(page, KIND, "bootstrap")
headline = Headline(page, multiline=True)
runs = PreviousRuns(page, KIND, describe=lambda run: short_answer(run.result))
composition = CompositionView(
    page,
    lambda ctx, part: composition_of(ctx.session, part),
    active=(TAB, "composition"),
    parts=PARTS,
    file="method_composition",
    note=NOTE,
    not_kept=(CONSENSUS_PART,),
)
opinion = SecondOpinionView(
    page, KIND, lambda ctx: result_of(ctx.session) is not None, active=(TAB, "opinion")
)


def _present(ctx: Context) -> Any:
    run = ctx.session.current(KIND)
    if run is None or ctx.session.outdated(run) is not None:
        return None
    return run.result.full()


sure = ConfidenceIntervalView(
    page, intervals_subject, active=(TAB, "sure"), file="method", learned=False
)
known = AgreementView(page, _present, active=(TAB, "known"), file="method")


@page.layout
def layout(ctx: Context) -> Any:
    method = chosen_method(ctx)
    parameters = card(
        dmc.Stack(
            [
                dmc.Select(
                    id=page.id.choice,
                    label="Method",
                    data=[{"value": m.key, "label": m.title} for m in available(ctx).values()],
                    value=method.key,
                    allowDeselect=False,
                ),
                dmc.Text(id=page.id.about, size="xs", c="dimmed"),
                dmc.Stack(parameter_fields(ctx, method), id=page.id.fields, gap="sm"),
                form_end(
                    dmc.Button("Run method", id=page.id.run, fullWidth=True, disabled=True),
                    dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center", mt=6),
                    progress.layout(ctx),
                ),
            ],
            gap="sm",
        )
    )
    head = headline.layout(
        dmc.Group([saving_buttons(page), runs.layout()], gap="xs", wrap="nowrap")
    )
    tabs = dmc.Tabs(
        [
            dmc.TabsList(
                [
                    *(dmc.TabsTab(text, value=key, px="xs", fz=13) for key, text in TABS.items()),
                    *beside.tabs(),
                ],
                mb="sm",
            ),
            dmc.TabsPanel(composition.layout(ctx), value="composition"),
            dmc.TabsPanel(opinion.layout(ctx), value="opinion"),
            dmc.TabsPanel(sure.layout(ctx), value="sure"),
            dmc.TabsPanel(known.layout(ctx), value="known"),
            *beside.panels(),
        ],
        id=page.id.tabs,
        value="composition",
    )
    there = ctx.session.current(KIND) is not None
    results = [
        html.Div(_empty(ctx), id=page.id.empty, style=GONE if there else SHOWN),
        dmc.Stack([head, card(tabs)], id=page.id.shown, gap="md", style=SHOWN if there else GONE),
    ]
    return two_columns(parameters, results)


def _empty(ctx: Context) -> Any:
    job = running(ctx, KIND)
    if job is not None:
        return card(running_state(job))
    return card(
        empty_state(
            "No run of another method yet",
            "Choose a method on the left and run it. Groups, Survival and Compare work with its"
            " fractions as with those of DTD.",
        )
    )


@page.summary
def summary(ctx: Context) -> str | None:
    result = result_of(ctx.session)
    return None if result is None else short_answer(result)


@page.callback(
    Output(page.id.fields, "children"), Input(page.id.choice, "value"), prevent_initial_call=True
)
def choose(ctx: Context, key: str | None) -> Any:
    method = chosen_method(ctx, key)
    ctx.session.keep_form(page.key, {"choice": method.key})
    return parameter_fields(ctx, method)


@page.callback(
    output={
        "disabled": Output(page.id.run, "disabled"),
        "reason": Output(page.id.reason, "children"),
        "about": Output(page.id.about, "children"),
        "empty": Output(page.id.empty, "children"),
    },
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "key": Input(page.id.choice, "value"),
        "values": Input(page.id.each("value", ALL), "value"),
    },
    state={"ids": State(page.id.each("value", ALL), "id")},
)
def ready(
    ctx: Context,
    *,
    key: str | None,
    values: list[Any],
    ids: list[dict[str, Any]],
    _revision: str | None,
    _jobs: Any,
) -> dict[str, Any]:
    """Whether the method can be run, and why not."""
    method = chosen_method(ctx, key)
    given = {one["index"]: value for one, value in zip(ids, values, strict=True)}
    more = ", ".join(sorted(c.value for c in method.capabilities))
    found = {
        "about": f"{method.description} Estimates fractions{f' and {more}' if more else ''}.",
        "empty": _empty(ctx),
    }
    try:
        can_run(ctx, method)
        parsed(method, given)
        if ctx.session.holds_data:
            ctx.session.keep_form(page.key, given)
    except DeconomixError as error:
        return {**found, "disabled": True, "reason": str(error)}
    under_way = running(ctx, KIND) is not None
    return {**found, "disabled": False, "reason": STARTED if under_way else ""}


@page.callback(
    inputs={"clicks": Input(page.id.run, "n_clicks")},
    state={
        "key": State(page.id.choice, "value"),
        "values": State(page.id.each("value", ALL), "value"),
        "ids": State(page.id.each("value", ALL), "id"),
    },
    prevent_initial_call=True,
)
def run(
    ctx: Context,
    *,
    clicks: int | None,
    key: str | None,
    values: list[Any],
    ids: list[dict[str, Any]],
) -> None:
    if not clicks or call.triggered_id is None:
        return
    method = chosen_method(ctx, key)
    can_run(ctx, method)
    params = parsed(method, {one["index"]: v for one, v in zip(ids, values, strict=True)})
    if any(
        job.active and job.kind == KIND and job.title == method.title and job.params == params
        for job in ctx.jobs.status(ctx.session_id)
    ):
        ctx.notify("The same method is already running.", colour="yellow")
        return
    ctx.jobs.submit(method.task, ctx.session_id, params, kind=KIND, title=method.title)


@page.callback(
    output={
        "empty": Output(page.id.empty, "style"),
        "shown": Output(page.id.shown, "style"),
        **headline.outputs,
    },
    inputs={"_revision": REVISION},
)
def show(ctx: Context, *, _revision: str | None) -> dict[str, Any]:
    current = ctx.session.current(KIND)
    if current is None:
        return {"empty": SHOWN, "shown": GONE, **headline.parts("", [], [])}
    outdated = ctx.session.outdated(current)
    return {
        "empty": GONE,
        "shown": SHOWN,
        # what its intervals say is on their tab
        **headline.parts(
            method_sentence(current.result),
            [],
            method_warnings(current.result, ctx.session.dataset),
            warning(outdated) if outdated else None,
            doubts(current.result),
            [capability_text(current)],
        ),
    }


runs.bind()
progress.bind()
composition.bind()
opinion.bind()
sure.bind()
known.bind()
bind_report(page)
