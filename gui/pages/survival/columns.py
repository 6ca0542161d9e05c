"""The part of the form that names columns of the clinical table, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.analyses.patients import NO_PATIENT
from gui.analyses.samples import cleaned, is_number, sample_table
from gui.analyses.survival import SurvivalParams
from gui.analyses.survival_params import SAMPLES
from gui.analyses.survival_subjects import MOST_LEVELS
from gui.answers.analyses import composition_runs, source_name
from gui.components.common import tip_label
from gui.data.dataset import Clinical
from gui.data.samples.survival_columns import event_coding, unit_in, value_text
from gui.errors import InvalidParameter
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
    types = [str(t) for t in data.types]
    return {
        "of": [{"value": r.id, "label": source_name(r)} for r in composition_runs(ctx.session)],
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


def proposals(ctx: Context) -> dict[str, Any]:
    """What the controls show: as kept in the session, else as loaded with the clinical table."""
    data, kept = ctx.session.dataset, ctx.session.form(page.key)
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
    return form.parse(values, **named, cut_points=points(str(columns.get("cut_points") or "")))


def points(text: str) -> tuple[float, ...]:
    """The numbers of a text, separated by semicolons or blanks; a decimal comma is one."""
    found = []
    for word in text.replace(";", " ").replace(", ", " ").replace("%", " ").split():
        try:
            found.append(float(word.rstrip(",").replace(",", ".")))
        except ValueError:
            raise InvalidParameter(
                f"“{shorten(word, 20)}” is no number to cut at.",
                advice="State percentages, separated by semicolons: 5; 20.",
            ) from None
    return tuple(found)


@page.callback(
    output={name: Output(getattr(page.id, name), "data") for name in (*ONE, *SEVERAL)},
    inputs={"_revision": REVISION},
    state={"event": State(page.id.event, "value")},
)
def offer(ctx: Context, *, _revision: str | None, event: str | None) -> dict[str, Any]:
    return offers(ctx, event)


@page.callback(
    Output(page.id.event_value, "data", allow_duplicate=True),
    Output(page.id.event_value, "value", allow_duplicate=True),
    Input(page.id.event, "value"),
    State(page.id.event_value, "value"),
    prevent_initial_call=True,
)
def propose_value(ctx: Context, event: str | None, value: str | None) -> Any:
    """Another event column: what its values say, or nothing where that is not certain."""
    data = ctx.session.dataset
    if data is None or not event:
        raise PreventUpdate
    offered = offers(ctx, event)["event_value"]
    if value in {o["value"] for o in offered}:
        return offered, value
    clinical = data.clinical
    if clinical is not None and event == clinical.event and clinical.event_value:
        return offered, clinical.event_value
    column = sample_table(data).get(event)
    coding = None if column is None else event_coding(cleaned(column), event)
    return offered, coding.value if coding is not None and coding.certain else None


@page.callback(
    Output(page.id.unit, "value", allow_duplicate=True),
    Input(page.id.time, "value"),
    prevent_initial_call=True,
)
def propose_unit(ctx: Context, time: str | None) -> Any:
    """Another column of times: the unit that was loaded with it, or that its name tells."""
    data = ctx.session.dataset
    if data is None or not time:
        raise PreventUpdate
    loaded = data.clinical.unit if data.clinical and data.clinical.time == time else ""
    return loaded or unit_in(time) or None


@page.callback(inputs={"columns": INPUTS}, prevent_initial_call=True)
def keep_columns(ctx: Context, *, columns: Mapping[str, Any]) -> None:
    ctx.session.keep_form(page.key, columns)


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
    shown["cut_points"] = "; ".join(f"{point:g}" for point in data.get("cut_points", ()))
    return shown
