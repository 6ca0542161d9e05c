"""The tab of clinical data: a table joined to the bulk samples, with the columns of times and
events and their unit.

All can be changed later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from gui.components.common import answer, cut, scrolling, tip_label
from gui.components.views import options
from gui.data.dataset import Clinical
from gui.data.samples.clinical import ClinicalChoice
from gui.data.samples.sample_tables import ClinicalSeen, clinical_task
from gui.data.samples.survival_columns import (
    COMBINED,
    combine_times,
    event_value,
    unit_in,
    value_text,
)
from gui.pages.upload.base import GONE, page
from gui.pages.upload.findings import small_table
from gui.pages.upload.sample_table import SampleTable, findings_list, not_kept_yet
from gui.plugin import REVISION, Context
from gui.text import number, shorten

NONE = "none"
"""Value of a select for no column; a column's value is ``COLUMN`` and its name."""
COLUMN = "column:"
UNITS = {"days": "days", "weeks": "weeks", "months": "months", "years": "years", NONE: "not known"}
MOST_VALUES = 12
"""A column with more different values is not one of events."""
ROWS, COLUMNS = 6, 7

table = SampleTable(
    "clinical",
    "Clinical table",
    "One row per patient or sample: .csv, .tsv, .txt or .xlsx. Which row belongs to which sample is"
    " found by name, also where dots, dashes or case differ.",
    there=lambda data: data.clinical is not None,
    without=lambda data: replace(data, clinical=None),
)
CONTROLS = {
    "sample": "Samples are in column",
    "time": "Survival times",
    "event": "Event",
    "value": "The event happened if",
    "unit": "Times are in",
}
_IDS = {name: table.id(name) for name in CONTROLS}


def clinical_layout(ctx: Context) -> Any:
    tips = {
        "time": (
            "Time from the beginning (diagnosis, operation) to the event or to the last look at the"
            " patient."
        ),
        "event": (
            "The column that says whether the event (death, relapse) happened, or the patient was"
            " only seen until then."
        ),
        "unit": "Cannot be told from the numbers; say it, so that results name it.",
    }
    controls = [
        html.Div(
            dmc.Select(
                id=_IDS[name],
                data=[],
                size="xs",
                w=155,
                allowDeselect=False,
                searchable=name != "unit",
                label=tip_label(label, tips.get(name, "")),
            ),
            id=table.id(f"{name}_box"),
            style=GONE if name in ("sample", "value") else {},
        )
        for name, label in CONTROLS.items()
    ]
    words = (
        "Response, age, stage, survival of the patients of your bulk samples. The table is kept in"
        " this session beside the samples; it can be added at any time."
    )
    return table.layout(
        ctx,
        words,
        [dcc.Store(id=table.id("shown")), dmc.Group(controls, gap="sm", align="flex-end")],
    )


table.bind()


@page.callback(
    output={
        "head": Output(table.id("head"), "children"),
        "box": Output(table.id("box"), "children"),
        "keep_disabled": Output(table.id("keep"), "disabled"),
        "choices": {name: Output(i, "data") for name, i in _IDS.items()},
        "values": {name: Output(i, "value") for name, i in _IDS.items()},
        "boxes": {name: Output(table.id(f"{name}_box"), "style") for name in CONTROLS},
        "shown": Output(table.id("shown"), "data"),
        "token": Output(table.field.token_id, "data", allow_duplicate=True),
    },
    inputs={
        "token": Input(table.field.token_id, "data"),
        "chosen": Input(table.id("chosen"), "data"),
        "_revision": REVISION,
    },
    prevent_initial_call="initial_duplicate",
)
def show_clinical(
    ctx: Context,
    *,
    token: str | None,
    chosen: Mapping[str, Any] | None,
    _revision: str | None,
) -> dict[str, Any]:
    """A chosen file before it is kept, else the table that is kept."""
    data = ctx.session.dataset
    if (
        data is None
        or (token is None and data.clinical is None)
        or data.bulk is None
        or table.looked(token)
    ):
        raise PreventUpdate
    if token is None:
        kept = data.clinical
        assert kept is not None
        return {
            "head": headline(kept),
            "box": preview(kept),
            "keep_disabled": True,
            "choices": _choices(kept, (), ""),
            "values": _values(kept, ""),
            "boxes": _boxes(kept),
            "shown": _shown(kept, ""),
        }
    found = _look(ctx, token, chosen)
    if found is None:
        return {"token": None}
    first = (
        headline(found.kept, chosen=True)
        if found.kept
        else answer("No sample of the bulk is in this table.")
    )
    shown = [
        table.recognised(found.facts, ctx.uploads.get(token).name),
        findings_list(found.findings),
        *([preview(found.kept)] if found.kept else []),
    ]
    return {
        "head": first,
        "box": dmc.Stack(shown),
        "keep_disabled": found.kept is None,
        "choices": _choices(found.kept, found.columns, found.sample_column),
        "values": _values(found.kept, found.sample_column),
        "boxes": _boxes(found.kept, found.columns),
        "shown": _shown(found.kept, found.sample_column),
    }


def _look(ctx: Context, token: str, chosen: Mapping[str, Any] | None) -> ClinicalSeen | None:
    bulk = ctx.session.need_dataset().bulk
    samples = bulk.samples if bulk is not None else []

    def look(upload: Any) -> ClinicalSeen:
        choice = ClinicalChoice.parse(path=upload.path, name=upload.name, **(chosen or {}))
        found: ClinicalSeen = ctx.read(clinical_task, (choice, samples), name=upload.name)
        return found

    return table.seen(ctx, token, look)


@page.callback(
    Output(table.id("chosen"), "data"),
    inputs={"values": {name: Input(i, "value") for name, i in _IDS.items()}},
    state={
        "shown": State(table.id("shown"), "data"),
        "token": State(table.field.token_id, "data"),
    },
    prevent_initial_call=True,
)
def choose_columns(
    ctx: Context, *, values: dict[str, Any], shown: dict[str, str] | None, token: str | None
) -> Any:
    """A column or the unit was chosen: of the file before it is kept, or of the table that is kept.

    What belongs to another column is proposed anew.
    """
    named = {name: _name(value) for name, value in values.items()}
    data = ctx.session.dataset
    if not shown or named == shown or data is None:
        raise PreventUpdate
    same_time, same_event = named["time"] == shown["time"], named["event"] == shown["event"]
    if token:
        if named["sample"] != shown["sample"]:
            return {"sample_column": named["sample"]}
        columns = {
            "sample_column": named["sample"],
            "time_column": named["time"],
            "event_column": named["event"],
        }
        return (
            columns
            | ({"event_value": named["value"] or None} if same_event else {})
            | ({"unit": named["unit"] or None} if same_time else {})
        )
    if data.clinical is None:
        raise PreventUpdate
    value = (
        named["value"]
        if same_event
        else event_value(data.clinical.table[named["event"]], named["event"])
        if named["event"]
        else ""
    )
    unit = named["unit"] if same_time else unit_in(named["time"]) or ""
    rows = data.clinical.table
    if COMBINED in rows and (again := combine_times(rows, (named["event"], value))) is not None:
        rows = rows.assign(**{COMBINED: again[0]})  # who has died may be told otherwise now
    kept = replace(
        data.clinical,
        table=rows,
        time=named["time"],
        event=named["event"],
        event_value=value,
        unit=unit,
    )
    ctx.session.set_dataset(replace(data, clinical=kept), keep_runs=True)
    ctx.refresh()
    return no_update


@page.callback(
    Output(table.field.token_id, "data", allow_duplicate=True),
    Output(table.id("chosen"), "data", allow_duplicate=True),
    Input(table.id("keep"), "n_clicks"),
    State(table.field.token_id, "data"),
    State(table.id("chosen"), "data"),
    running=[(Output(table.id("keep"), "loading"), True, False)],
    prevent_initial_call=True,
)
def keep_clinical(
    ctx: Context, clicks: int | None, token: str | None, chosen: Mapping[str, Any] | None
) -> Any:
    if not clicks or not token:
        raise PreventUpdate
    found = _look(ctx, token, chosen)
    if found is not None and found.kept is not None:
        ctx.session.set_dataset(
            replace(ctx.session.need_dataset(), clinical=found.kept), keep_runs=True
        )
        ctx.refresh()
        table.forget(ctx, token)
        ctx.notify(f"{found.kept.name} is kept with these data.", colour="green")
    return None, {}


# -- what is shown
# --------------------------------------------------------------------------------------------------


def joined(kept: Clinical) -> int:
    """Samples that have a row."""
    return int(kept.table.notna().any(axis=1).sum())


def happened(kept: Clinical) -> int:
    """Samples whose event happened."""
    return (
        int(sum(value_text(v) == kept.event_value for v in kept.table[kept.event].dropna()))
        if kept.event
        else 0
    )


def headline(kept: Clinical, *, chosen: bool = False) -> Any:
    """Whose data are there, in a sentence, and what the columns mean.

    Parameters
    ----------
    chosen
        Whether the table is that of a file which is not kept yet.
    """
    total, there = len(kept.table), joined(kept)
    whom = (
        "The only sample has"
        if total == there == 1
        else (
            f"All {number(total)} samples have"
            if there == total
            else f"{number(there)} of {number(total)} samples have"
        )
    )
    badges = [(f"{kept.table.shape[1]} columns", "gray")]
    if kept.time:
        badges.append(
            (
                (
                    f"times: {shorten(kept.time)}, {kept.unit}"
                    if kept.unit
                    else f"times: {shorten(kept.time)}, unit not known"
                ),
                "gray" if kept.unit else "orange",
            )
        )
    else:
        badges.append(("no survival times", "gray"))
    if kept.event and kept.event_value:
        badges.append(
            (
                (
                    f"{number(happened(kept))} event{'s' if happened(kept) != 1 else ''}"
                    f" ({shorten(kept.event)} = {shorten(kept.event_value)})"
                ),
                "gray",
            )
        )
    elif kept.event:
        badges.append((f"which value of {shorten(kept.event)} is the event?", "orange"))
    sentence = f"{whom} clinical data, from “{shorten(kept.name, 60)}”."
    return answer(not_kept_yet(sentence) if chosen else sentence, badges)


def preview(kept: Clinical) -> Any:
    """The first samples that have a row; the columns that matter first."""
    there = kept.table[kept.table.notna().any(axis=1)]
    first = [c for c in (kept.time, kept.event) if c]
    order = [*first, *[c for c in there.columns if c not in first]]
    shown = there.loc[:, order].iloc[:ROWS, :COLUMNS].astype(object)
    text = shown.map(_as_shown).rename_axis("sample")
    more = len(order) - COLUMNS
    words: list[Any] = []
    if len(there) > ROWS:
        words.append(f"The first {ROWS} of {number(len(there))} samples. ")
    if more > 0:
        columns = f"{more} more column{'s' if more > 1 else ''}"
        words.append(cut(f"{columns}: {', '.join(map(str, order[COLUMNS:]))}", 110))
    return html.Div([scrolling(small_table(text)), dmc.Text(words, size="xs", c="dimmed")])


def _as_shown(value: object) -> str:
    """An entry of the table; of a number six digits, as an age that was computed has sixteen."""
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    return f"{value:.6g}" if isinstance(value, float) and value % 1 else value_text(value)


def _choices(
    kept: Clinical | None, columns: tuple[str, ...], sample: str
) -> dict[str, list[dict[str, str]]]:
    """What every select of ``CONTROLS`` offers."""
    every = (
        [*map(str, kept.table.columns)] if kept is not None else [c for c in columns if c != sample]
    )
    numeric = [c for c in every if kept is not None and kept.table[c].dtype.kind == "f"]
    few = [c for c in every if kept is not None and 1 <= kept.table[c].nunique() <= MOST_VALUES]
    values = (
        sorted({value_text(v) for v in kept.table[kept.event].dropna()})
        if kept is not None and kept.event
        else []
    )
    asked = {NONE: "not known"} if kept is None or not kept.event_value else {}
    none = {"value": NONE, "label": "none"}
    return {
        "sample": _columns(columns),
        "time": [*_columns(tuple(numeric)), none],
        "event": [*_columns(tuple(few)), none],
        "value": [
            *[{"value": f"{COLUMN}{v}", "label": f"it is {shorten(v)}"} for v in values],
            *options(asked),
        ],
        "unit": options(UNITS),
    }


def _values(kept: Clinical | None, sample: str) -> dict[str, str]:
    """What every select of ``CONTROLS`` shows."""
    shown = _shown(kept, sample)
    return {
        name: (value if name == "unit" else f"{COLUMN}{value}") if value else NONE
        for name, value in shown.items()
    }


def _shown(kept: Clinical | None, sample: str) -> dict[str, str]:
    """What the selects say, by the names of ``CONTROLS``."""
    if kept is None:
        return {"sample": sample, "time": "", "event": "", "value": "", "unit": ""}
    return {
        "sample": sample,
        "time": kept.time,
        "event": kept.event,
        "value": kept.event_value,
        "unit": kept.unit,
    }


def _columns(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"value": f"{COLUMN}{name}", "label": shorten(name, 40)} for name in names]


def _name(value: str | None) -> str:
    return "" if value in (None, NONE) else str(value).removeprefix(COLUMN)


def _boxes(kept: Clinical | None, columns: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """Styles of the boxes of ``CONTROLS``: there when there is something to choose. columns : of a
    file that is not kept yet
    """
    there = {"sample": len(columns) > 1, "time": kept is not None, "event": kept is not None}
    there |= {
        "value": kept is not None and bool(kept.event),
        "unit": kept is not None and bool(kept.time),
    }
    return {name: {} if there[name] else GONE for name in CONTROLS}
