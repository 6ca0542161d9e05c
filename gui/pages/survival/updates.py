"""What follows when the data, a run or a column changes: choices, values and units of the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from gui.analyses.cut_values import cut_text
from gui.analyses.samples import cleaned, sample_table
from gui.data.samples.survival_columns import event_coding, unit_in
from gui.pages.survival.base import form, page, survival_run
from gui.pages.survival.columns import (
    ENDPOINT,
    IN_UNITS,
    INPUTS,
    NAMES,
    ONE,
    SEVERAL,
    offers,
    order_style,
    proposals,
    samples_id,
)
from gui.plugin import REVISION, Context


@page.callback(
    output={
        "data": {name: Output(getattr(page.id, name), "data") for name in (*ONE, *SEVERAL)},
        "of": Output(page.id.of, "value", allow_duplicate=True),
        "endpoint": {
            name: Output(getattr(page.id, name), "value", allow_duplicate=True) for name in ENDPOINT
        },
        "in_units": {
            name: Output(form.id(name), form.prop(name), allow_duplicate=True) for name in IN_UNITS
        },
        "order": Output(page.id.order_box, "style", allow_duplicate=True),
        "seen": Output(page.id.seen, "data"),
    },
    inputs={"_revision": REVISION},
    state={
        "event": State(page.id.event, "value"),
        "compare": State(page.id.compare, "value"),
        "of": State(page.id.of, "value"),
        "known": State(page.id.of, "data"),
        "seen": State(page.id.seen, "data"),
    },
    prevent_initial_call=True,
)
def offer(
    ctx: Context,
    *,
    _revision: str | None,
    event: str | None,
    compare: list[str] | None,
    of: str | None,
    known: list[dict[str, str]] | None,
    seen: str | None,
) -> dict[str, Any]:
    """The runs and columns that there are now; of another clinical table its times and events.

    A run that has just come is chosen.
    """
    same = seen == samples_id(ctx)
    shown = {} if same else proposals(ctx)
    compared = (compare or []) if same else shown["compare"]
    data = offers(ctx, event if same else shown["event"], compared)
    runs = [option["value"] for option in data["of"]]
    first = next(iter(runs), None)
    come = bool(known) and first not in [option["value"] for option in known or []]
    return {
        "data": data,
        "order": order_style(data["order"]),
        "of": of if of in runs and not come else first,
        "endpoint": {name: no_update if same else shown[name] for name in ENDPOINT},
        "in_units": dict.fromkeys(IN_UNITS, no_update if same else ""),
        "seen": samples_id(ctx),
    }


@page.callback(
    Output(page.id.event_value, "data", allow_duplicate=True),
    Output(page.id.event_value, "value", allow_duplicate=True),
    Input(page.id.event, "value"),
    State(page.id.event_value, "value"),
    prevent_initial_call=True,
)
def propose_value(ctx: Context, event: str | None, value: str | None) -> Any:
    """Another event column: what its values say, or nothing where that is not certain.

    That the value before occurs in it as well means nothing: of OS 1 is the event, of CNSR 0.
    """
    data = ctx.session.dataset
    if data is None or not event:
        raise PreventUpdate
    offered = offers(ctx, event)["event_value"]
    run, clinical = survival_run(ctx), data.clinical
    if run is not None and (run.params.event, run.params.event_value) == (event, value):
        return offered, value  # an earlier run was brought back
    if clinical is not None and event == clinical.event and clinical.event_value:
        return offered, clinical.event_value
    column = sample_table(data).get(event)
    coding = None if column is None else event_coding(cleaned(column), event)
    return offered, coding.value if coding is not None and coding.certain else None


@page.callback(
    output={
        "data": Output(page.id.order, "data", allow_duplicate=True),
        "value": Output(page.id.order, "value", allow_duplicate=True),
        "style": Output(page.id.order_box, "style", allow_duplicate=True),
    },
    inputs={"compare": Input(page.id.compare, "value")},
    state={"value": State(page.id.order, "value")},
    prevent_initial_call=True,
)
def propose_order(
    ctx: Context, *, compare: list[str] | None, value: list[str] | None
) -> dict[str, Any]:
    """Other columns to compare: their groups to bring into an order."""
    offered = offers(ctx, compare=compare or ())["order"]
    there = {option["value"] for option in offered}
    kept = [group for group in value or () if group in there]
    return {
        "data": offered,
        "value": no_update if kept == (value or []) else kept,
        "style": order_style(offered),
    }


@page.callback(
    Output(page.id.unit, "value", allow_duplicate=True),
    Input(page.id.time, "value"),
    State(page.id.unit, "value"),
    prevent_initial_call=True,
)
def propose_unit(ctx: Context, time: str | None, unit: str | None) -> Any:
    """Another column of times: the unit that was loaded with it, or that its name tells."""
    data, run = ctx.session.dataset, survival_run(ctx)
    if data is None or not time:
        raise PreventUpdate
    if run is not None and (run.params.time, run.params.unit) == (time, unit):
        return unit  # an earlier run was brought back
    loaded = data.clinical.unit if data.clinical and data.clinical.time == time else ""
    return loaded or unit_in(time) or None


@page.callback(
    inputs={"columns": {**INPUTS, "seen": State(page.id.seen, "data")}}, prevent_initial_call=True
)
def keep_columns(ctx: Context, *, columns: Mapping[str, Any]) -> None:
    if columns["seen"] == samples_id(ctx):
        ctx.session.keep_form(
            page.key, {**{name: columns[name] for name in NAMES}, "samples_id": columns["seen"]}
        )


@page.callback(
    output={name: Output(getattr(page.id, name), "value", allow_duplicate=True) for name in NAMES},
    inputs={"data": Input(form.fill_id, "data")},
    prevent_initial_call=True,
)
def fill_columns(ctx: Context, *, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """An earlier run is brought back: its columns."""
    run = survival_run(ctx)
    if not data or run is None:
        raise PreventUpdate
    shown: dict[str, Any] = {name: list(data.get(name, ())) for name in SEVERAL}
    shown |= {name: data.get(name) or None for name in ONE if name != "of"}
    shown["of"] = next((i for k, i in run.provenance.inputs.items() if k != "bootstrap"), None)
    shown["time_zero"] = data.get("time_zero", "")
    shown["cut_points"] = cut_text(data.get("cut_points", ()))
    return shown
