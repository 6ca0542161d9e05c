"""What the fields offer, whether the groups can be compared, and comparing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.analyses.composition import bulk_composition
from gui.analyses.cut_values import cut_text
from gui.analyses.groups import GroupsParams, design_of, run_groups
from gui.answers.analyses import inputs_of
from gui.answers.group_names import sizes_text
from gui.components.jobs import running
from gui.components.views import GONE, SHOWN
from gui.engine.results import Run
from gui.errors import DeconomixError
from gui.pages.groups.base import (
    CHOSEN,
    MANY,
    column_options,
    field_inputs,
    field_states,
    form,
    holds_numbers,
    is_many_numbers,
    levels_of,
    page,
    parse,
    source_options,
    source_run,
)
from gui.pages.groups.fields import valid
from gui.plugin import JOBS, REVISION, Context
from gui.statistics.group_comparison import lost_text

GOING = "This is waiting or running."


# -- choices
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        "sources": Output(page.id.source, "data"),
        "source": Output(page.id.source, "value"),
        "column": Output(page.id.column, "data"),
        "subject": Output(page.id.subject, "data"),
        "covariates": Output(page.id.covariates, "data"),
    },
    inputs={"_revision": REVISION},
    state={"source": State(page.id.source, "value"), "known": State(page.id.source, "data")},
    prevent_initial_call=True,
)
def offer(
    ctx: Context, *, source: str | None, known: list[dict[str, str]] | None, _revision: Any
) -> dict[str, Any]:
    """The runs and columns that there are now; a run that has just come is chosen."""
    sources = source_options(ctx)
    first = sources[0]["value"] if sources else None
    come = bool(known) and first is not None and valid(first, known or []) is None
    return {
        "sources": sources,
        "source": first if come else valid(source, sources) or first,
        **column_options(ctx.session.dataset),
    }


@page.callback(
    output={
        "levels": Output(page.id.groups, "data"),
        "groups": Output(page.id.groups, "value"),
        "for_groups": Output(page.id.for_groups, "style"),
        "for_cuts": Output(page.id.for_cuts, "style"),
    },
    inputs={
        "column": Input(page.id.column, "value"),
        "compare": Input(form.id("compare"), "value"),
        "cuts": Input(page.id.cuts, "value"),
    },
    state={"groups": State(page.id.groups, "value")},
)
def offer_groups(
    ctx: Context, *, column: str | None, compare: str, cuts: str, groups: list[str] | None
) -> dict[str, Any]:
    """The groups of the column, and which fields mean something."""
    data = ctx.session.dataset
    levels = [{"value": level, "label": level} for level in levels_of(data, column)]
    along = compare == "number"
    numbers = is_many_numbers(data, column)
    return {
        "levels": levels,
        "groups": [group for group in groups or [] if valid(group, levels)],
        "for_groups": GONE if along or cuts or not levels else SHOWN,
        "for_cuts": SHOWN if not along and (numbers or cuts) else GONE,
    }


@page.callback(
    Output(form.id("compare"), "value", allow_duplicate=True),
    Input(page.id.column, "value"),
    State(form.id("compare"), "value"),
    State(page.id.cuts, "value"),
    prevent_initial_call=True,
)
def suggest(ctx: Context, column: str | None, compare: str, cuts: str | None) -> str:
    """A number with many values is first compared as a number, and text never."""
    data, run = ctx.session.dataset, ctx.session.current(page.key)
    params = run.params if run is not None else None
    if isinstance(params, GroupsParams) and (params.column, params.compare) == (column, compare):
        raise PreventUpdate  # an earlier run was brought back
    if is_many_numbers(data, column):
        if compare == "groups" and not cuts:
            return "number"
    elif compare == "number" and column and not holds_numbers(data, column):
        return "groups"
    raise PreventUpdate


@page.callback(
    output={name: Output(getattr(page.id, name), "value", allow_duplicate=True) for name in CHOSEN},
    inputs={"data": Input(form.fill_id, "data")},
    prevent_initial_call=True,
)
def fill(ctx: Context, *, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of an earlier run that is shown again."""
    run = ctx.session.current(page.key)
    if not data or run is None:
        raise PreventUpdate
    params: GroupsParams = run.params  # type: ignore[assignment]
    source = next((run_id for k, run_id in run.provenance.inputs.items() if k != "bootstrap"), None)
    return {
        "source": source,
        "column": params.column,
        "groups": list(params.groups),
        "cuts": cut_text(params.cuts),
        "subject": params.subject or None,
        "covariates": list(params.covariates),
    }


@page.callback(
    inputs={"values": {name: Input(getattr(page.id, name), "value") for name in CHOSEN}},
    prevent_initial_call=True,
)
def keep(ctx: Context, *, values: Mapping[str, Any]) -> None:
    ctx.session.keep_form(
        page.key, {n: v if v is not None else [] if n in MANY else "" for n, v in values.items()}
    )


# -- running
# --------------------------------------------------------------------------------------------------
def planned(ctx: Context, values: Mapping[str, Any]) -> str:
    """Who will be compared and by which test, in words; DeconomixError if nothing can be."""
    params, run = parse(values), source_run(ctx, values["source"])
    samples = [str(s) for s in bulk_composition(**{run.kind: run.result}).columns]
    design, _ = design_of(ctx.session.need_dataset(), params, samples)
    lost = lost_text(design.lost)
    return f"{sizes_text(design.sizes, len(design.samples))}: {design.choice.name}. {lost}".strip()


@page.callback(
    Output(page.id.run, "disabled"),
    Output(page.id.reason, "children"),
    inputs={"_revision": REVISION, "_jobs": JOBS, "values": field_inputs()},
)
def ready(ctx: Context, *, values: dict[str, Any], _revision: Any, _jobs: Any) -> tuple[bool, str]:
    """Whether it can be compared, and why not."""
    try:
        words = planned(ctx, values)
    except DeconomixError as error:
        return True, error.full_text
    return (True, GOING) if running(ctx, page.key) is not None else (False, words)


@page.callback(
    inputs={"clicks": Input(page.id.run, "n_clicks")},
    state={"values": field_states()},
    prevent_initial_call=True,
)
def compare(ctx: Context, *, clicks: int | None, values: dict[str, Any]) -> None:
    if not clicks:
        return
    planned(ctx, values)
    start(ctx, parse(values), source_run(ctx, values["source"]))


def start(ctx: Context, params: GroupsParams, source: Run) -> None:
    """Queue the comparison, unless one is under way."""
    if running(ctx, page.key) is not None:
        ctx.notify("Groups are being compared already.", colour="yellow")
        return
    ctx.jobs.submit(
        run_groups,
        ctx.session_id,
        params,
        kind=page.key,
        title=f"Groups: {params.column}",
        inputs=inputs_of(ctx.session, source),
    )
