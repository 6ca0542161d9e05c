"""The part of the form that names columns of the clinical table, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, State

from gui.analyses.cut_values import cut_values
from gui.analyses.patients import NO_PATIENT
from gui.analyses.samples import as_groups, cleaned, is_number, sample_table
from gui.analyses.survival import SurvivalParams
from gui.analyses.survival_params import SAMPLES
from gui.analyses.survival_subjects import FEW_VALUES, MOST_LEVELS
from gui.answers.analyses import composition_runs
from gui.answers.run_names import source_name
from gui.components.common import tip_label
from gui.components.views import GONE, SHOWN
from gui.data.dataset import HIDDEN, Clinical
from gui.data.samples.survival_columns import value_text
from gui.methods.method import Capability
from gui.methods.registry import capabilities_of
from gui.pages.survival.base import form, page
from gui.plugin import Context
from gui.text import shorten

ONE = ("of", "time", "event", "event_value", "unit", "patient")
SEVERAL = ("compare", "order", "covariates", "strata", "types", "later")
TEXTS = ("time_zero", "cut_points")
NAMES = (*ONE, *SEVERAL, *TEXTS)
UNITS = ("days", "weeks", "months", "years")
ZEROS = ("diagnosis", "surgery", "start of treatment", "randomisation", "sampling")
ENDPOINT = ("time", "event", "event_value", "unit")
"""What the clinical table is loaded with."""
IN_UNITS = ("known_at", "landmark", "tau")
"""Fields of the form that hold a time in the unit of the table."""
STATES = {name: State(getattr(page.id, name), "value") for name in NAMES}
INPUTS = {name: Input(getattr(page.id, name), "value") for name in NAMES}
OF = ("Fractions of", "The run whose composition of the bulk is compared.")


def offers(
    ctx: Context, event: str | None = None, compare: Sequence[str] = ()
) -> dict[str, list[dict[str, str]]]:
    """What every select offers: name -> data. compare : columns whose groups have an order"""
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
        few += [name] if values <= MOST_LEVELS else []
        levels += [name] if is_number(column) or 2 <= values <= MOST_LEVELS else []
    event = event or (data.clinical.event if data.clinical else "")
    held = sorted({value_text(v) for v in cleaned(table[event]).dropna()}) if event in few else []
    usable = [name for name in levels if name not in _endpoint(data.clinical)]
    runs = composition_runs(ctx.session)
    types = [str(t) for t in data.types]
    if any(Capability.HIDDEN in capabilities_of(run) for run in runs):
        types.append(HIDDEN)
    return {
        "of": [{"value": r.id, "label": source_name(r)} for r in runs],
        "time": _options(numeric),
        "event": _options(few),
        "event_value": _options(held),
        "unit": _options(UNITS),
        "patient": _options([NO_PATIENT, *every]),
        "compare": _options(usable),
        "order": _options(groups_to_order(table, compare)),
        "covariates": _options(usable),
        "strata": _options(usable),
        "types": _options(types),
        "later": _options([SAMPLES, *usable]),
    }


def groups_to_order(table: pd.DataFrame, compare: Sequence[str]) -> list[str]:
    """The groups of the columns that have three or more: a trend may be tested over them."""
    found: list[str] = []
    for name in compare:
        column = cleaned(table[name]) if name in table.columns else None
        if column is None or (is_number(column) and column.nunique() > FEW_VALUES):
            continue
        levels = [str(level) for level in as_groups(column).cat.categories]
        found += levels if 2 < len(levels) <= MOST_LEVELS else []
    return found


def order_style(offered: Sequence[Any]) -> dict[str, str]:
    """Of the choice of an order: gone where no column has three groups."""
    return SHOWN if offered else GONE


def _endpoint(clinical: Clinical | None) -> tuple[str, ...]:
    return () if clinical is None else (clinical.time, clinical.event)


def _options(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": str(n), "label": shorten(n, 40)} for n in dict.fromkeys(names)]


def samples_id(ctx: Context) -> str:
    """Of the clinical table and annotations that the form is about."""
    data = ctx.session.dataset
    return data.samples_id if data is not None else ""


def forget_other_table(ctx: Context) -> None:
    """Take times, events and points in time out of the kept form if they are of another table.

    A new table may call its columns as the one before, with another unit or value of the event.
    """
    kept, now = ctx.session.form(page.key), samples_id(ctx)
    if kept and kept.get("samples_id") != now:
        ctx.session.keep_form(page.key, dict.fromkeys((*ENDPOINT, *IN_UNITS)) | {"samples_id": now})


def proposals(ctx: Context) -> dict[str, Any]:
    """What the controls show: as kept in the session, else as loaded with the clinical table."""
    forget_other_table(ctx)
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
    compare = kept.get("compare")
    columns = (
        [v for v in compare if isinstance(v, str)] if isinstance(compare, list | tuple) else []
    )
    offered = offers(ctx, event, columns)
    there = {name: {o["value"] for o in data} for name, data in offered.items()}
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
        placeholder = {"placeholder": "as known"} if name == "order" else {}
        return dmc.MultiSelect(
            data=data[name], searchable=True, clearable=True, **placeholder, **common
        )
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
