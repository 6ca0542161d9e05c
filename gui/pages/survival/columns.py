"""The part of the form that names columns of the clinical table, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from gui.analyses.cut_values import cut_text, cut_values
from gui.analyses.patients import NO_PATIENT
from gui.analyses.samples import cleaned, is_number, sample_table
from gui.analyses.survival import SurvivalParams
from gui.analyses.survival_params import SAMPLES
from gui.analyses.survival_subjects import MOST_LEVELS
from gui.answers.analyses import composition_runs, source_name
from gui.components.common import tip_label
from gui.data.dataset import HIDDEN, Clinical
from gui.data.samples.survival_columns import event_coding, unit_in, value_text
from gui.pages.survival.base import form, page, survival_run
from gui.plugin import REVISION, Context
from gui.text import shorten

ONE = ("of", "time", "event", "event_value", "unit", "patient")
SEVERAL = ("compare", "covariates", "strata", "types", "later")
TEXTS = ("time_zero", "cut_points")
NAMES = (*ONE, *SEVERAL, *TEXTS)
UNITS = ("days", "weeks", "months", "years")
ZEROS = ("diagnosis", "surgery", "start of treatment", "randomisation", "sampling")
MOST_VALUES = 12
ENDPOINT = ("time", "event", "event_value", "unit")
"""What the clinical table is loaded with."""
STATES = {name: State(getattr(page.id, name), "value") for name in NAMES}
INPUTS = {name: Input(getattr(page.id, name), "value") for name in NAMES}
OF = ("Fractions of", "The run whose composition of the bulk is compared.")


def offers(ctx: Context, event: str | None = None) -> dict[str, list[dict[str, str]]]:
    """What every select offers: name -> data."""
    data = ctx.session.dataset
    if data is None:
        return {name: [] for name in (*ONE, *SEVERAL)}
    table = sample_table(data)
    every, numeric, few, levels = [], [], [], []
    for name in table.columns:
        column = cleaned(table[name])
        values = column.nunique()
        if not str(name) or not values:
            continue
        every.append(name)
        numeric += [name] if is_number(column) else []
        few += [name] if values <= MOST_VALUES else []
        levels += [name] if is_number(column) or 2 <= values <= MOST_LEVELS else []
    event = event or (data.clinical.event if data.clinical else "")
    held = sorted({value_text(v) for v in cleaned(table[event]).dropna()}) if event in few else []
    usable = [name for name in levels if name not in _endpoint(data.clinical)]
    runs = composition_runs(ctx.session)
    types = [str(t) for t in data.types]
    if any(run.kind == "adtd" for run in runs):
        types.append(HIDDEN)
    return {
        "of": [{"value": r.id, "label": source_name(r)} for r in runs],
        "time": _options(numeric),
        "event": _options(few),
        "event_value": _options(held),
        "unit": _options(UNITS),
        "patient": _options([NO_PATIENT, *every]),
        "compare": _options(usable),
        "covariates": _options(usable),
        "strata": _options(usable),
        "types": _options(types),
        "later": _options([SAMPLES, *usable]),
    }


def _endpoint(clinical: Clinical | None) -> tuple[str, ...]:
    return () if clinical is None else (clinical.time, clinical.event)


def _options(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": str(n), "label": shorten(n, 40)} for n in dict.fromkeys(names)]


def samples_id(ctx: Context) -> str:
    """Of the clinical table and annotations that the form is about."""
    data = ctx.session.dataset
    return data.samples_id if data is not None else ""


def kept_columns(ctx: Context) -> dict[str, Any]:
    """The form as kept; without times and events if these are of another clinical table.

    A new table may call its columns as the one before, with another unit or value of the event.
    """
    kept = ctx.session.form(page.key)
    if kept.get("samples_id") != samples_id(ctx):
        kept = {name: value for name, value in kept.items() if name not in ENDPOINT}
    return kept


def proposals(ctx: Context) -> dict[str, Any]:
    """What the controls show: as kept in the session, else as loaded with the clinical table."""
    data, kept = ctx.session.dataset, kept_columns(ctx)
    clinical = data.clinical if data is not None else None
    loaded = clinical or Clinical(None)  # type: ignore[arg-type]
    begin: dict[str, Any] = {
        "of": next((run.id for run in composition_runs(ctx.session)), None),
        "time": loaded.time or None,
        "event": loaded.event or None,
        "event_value": loaded.event_value or None,
        "unit": loaded.unit or None,
        "patient": None,
        **{key: [] for key in SEVERAL},
        **dict.fromkeys(TEXTS, ""),
    }
    event = kept.get("event") if isinstance(kept.get("event"), str) else None
    there = {name: {o["value"] for o in data} for name, data in offers(ctx, event).items()}
    shown: dict[str, Any] = {}
    for name, value in begin.items():
        own = kept.get(name)
        if name in SEVERAL:
            chosen = own if isinstance(own, list | tuple) else []
            shown[name] = [v for v in chosen if isinstance(v, str) and v in there[name]]
        elif name in TEXTS:
            shown[name] = own if isinstance(own, str) else value
        else:
            own = own if isinstance(own, str) and own in there[name] else value
            shown[name] = own if own in there[name] else None
    return shown


def control(name: str, ctx: Context, shown: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """One control with its label and "?"."""
    title, tip = OF
    if name != "of":
        field = SurvivalParams.model_fields[name]
        title, tip = field.title or name, field.description or ""
    common = {"id": getattr(page.id, name), "label": tip_label(title, tip), "value": shown[name]}
    if name == "time_zero":
        return dmc.Autocomplete(data=list(ZEROS), placeholder="diagnosis, surgery …", **common)
    if name == "cut_points":
        return dmc.TextInput(placeholder="5; 20", debounce=400, **common)
    if name in SEVERAL:
        return dmc.MultiSelect(data=data[name], searchable=True, clearable=True, **common)
    clear = name in ("patient", "unit")
    empty = {"patient": "found by name", "unit": "not known"}.get(name, "choose")
    return dmc.Select(
        data=data[name],
        searchable=len(data[name]) > 6,
        allowDeselect=clear,
        clearable=clear,
        placeholder=empty,
        **common,
    )


def parse(values: Mapping[str, Any], columns: Mapping[str, Any]) -> SurvivalParams:
    """The parameters of the whole form. InvalidParameter."""
    named = {name: columns.get(name) or "" for name in ONE if name != "of"}
    named |= {name: tuple(columns.get(name) or ()) for name in SEVERAL}
    named["time_zero"] = str(columns.get("time_zero") or "").strip()
    return form.parse(values, **named, cut_points=cut_values(str(columns.get("cut_points") or "")))


@page.callback(
    output={
        "data": {name: Output(getattr(page.id, name), "data") for name in (*ONE, *SEVERAL)},
        "of": Output(page.id.of, "value", allow_duplicate=True),
        "endpoint": {
            name: Output(getattr(page.id, name), "value", allow_duplicate=True) for name in ENDPOINT
        },
        "seen": Output(page.id.seen, "data"),
    },
    inputs={"_revision": REVISION},
    state={
        "event": State(page.id.event, "value"),
        "of": State(page.id.of, "value"),
        "seen": State(page.id.seen, "data"),
    },
    prevent_initial_call=True,
)
def offer(
    ctx: Context, *, _revision: str | None, event: str | None, of: str | None, seen: str | None
) -> dict[str, Any]:
    """The runs and columns that there are now; of another clinical table its times and events."""
    same = seen == samples_id(ctx)
    shown = {} if same else proposals(ctx)
    data = offers(ctx, event if same else shown["event"])
    runs = [option["value"] for option in data["of"]]
    return {
        "data": data,
        "of": of if of in runs else next(iter(runs), None),
        "endpoint": {name: no_update if same else shown[name] for name in ENDPOINT},
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
