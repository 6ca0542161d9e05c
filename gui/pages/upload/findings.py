"""The step of the findings: what is wrong, where, and the switches of what would mend it; and the
repairs that are switched on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import ALL, Input, Output, State, dcc, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import clicked, cut, shorten
from gui.data.validation.examine import Examination, preview_task
from gui.data.validation.findings import Finding, LogValues
from gui.data.validation.repairs import Repair
from gui.pages.upload.base import CHOICES, GONE, PART_NAMES, page
from gui.pages.upload.repair_form import (
    CHANGED,
    REPAIRS_NOW,
    TOKENS_NOW,
    Entry,
    chosen_files,
    entry,
    repair_of,
    said_of,
    whose,
    with_repairs,
    without,
)
from gui.pages.upload.requests import asked
from gui.plugin import Context
from gui.text import some

SEVERITIES = {
    "refusal": ("must be settled", "red"),
    "warning": ("to look at", "orange"),
    "info": ("note", "gray"),
}
SHOWN = 5
"""Names of a place on screen; the others on hover."""
OUTPUTS = [
    Output(page.id.findings, "children"),
    Output(page.id.offered, "data"),
    Output(page.id.apply_bar, "style"),
    Output(page.id.apply_all, "children"),
]


def findings_layout() -> Any:
    apply = dmc.Group(
        [
            dmc.Text("Nothing is changed unless you switch it on.", size="sm", c="dimmed"),
            dmc.Button("Apply", id=page.id.apply_all, size="xs", variant="light"),
        ],
        justify="space-between",
        mb="xs",
    )
    look = dmc.Modal(
        html.Div(id=page.id.preview),
        id=page.id.preview_box,
        title="What changes",
        centered=True,
        size="lg",
    )
    return html.Div(
        [
            dcc.Store(id=page.id.offered, data=[]),
            look,
            html.Div(apply, id=page.id.apply_bar, style=GONE),
            html.Div(id=page.id.findings, role="status"),
        ]
    )


def show_findings(
    ctx: Context, found: Examination, repairs: Sequence[Repair], files: Mapping[str, str]
) -> list[Any]:
    """For ``OUTPUTS``: the list, what its switches stand for, and the button for all proposals."""
    offered: list[Entry] = []
    rows = [
        _finding(x, table, offered, files)
        for x, table in zip(found.findings, found.previews, strict=True)
    ]
    proposed = [o for o in offered if o["proposed"]]
    applied = _applied(repairs, found)
    if not rows and not applied:
        rows = [dmc.Text("Nothing is wrong with these files.", size="sm")]
    words = (
        "Apply the proposed repair"
        if len(proposed) == 1
        else f"Apply all {len(proposed)} proposed repairs"
    )
    return [dmc.Stack([*applied, *rows], gap=0), offered, {} if proposed else GONE, words]


def _applied(repairs: Sequence[Repair], found: Examination) -> list[Any]:
    said = said_of(repairs, list(found.parts), found.done)
    return [
        html.Div(
            [
                html.Div(
                    [
                        badge("repaired", "teal"),
                        dmc.Text(whose(repair.role), size="xs", c="dimmed"),
                    ],
                    className="dcx-finding-head",
                ),
                dmc.Switch(
                    id=page.id.each("applied", place),
                    checked=True,
                    size="sm",
                    label=repair.title(),
                    fw=600,
                ),
                dmc.Text(
                    said.get(place, "It could not be applied; see below."),
                    size="sm",
                    className="dcx-finding-text",
                ),
            ],
            className="dcx-finding",
        )
        for place, repair in enumerate(repairs)
    ]


def badge(text: str, colour: str) -> Any:
    return dmc.Badge(
        text, color=colour, variant="light", radius="sm", tt="none", fw=600, style={"flex": "none"}
    )


def must_be_settled(one: Finding) -> bool:
    """Whether it stands in the way of Load: nobody loads logarithms by overlooking a warning."""
    return one.severity == "refusal" or one.code == LogValues.code


def _finding(
    one: Finding, table: pd.DataFrame | None, offered: list[Entry], files: Mapping[str, str]
) -> Any:
    words, colour = SEVERITIES["refusal" if must_be_settled(one) else one.severity]
    switches = []
    for repair in filter(None, (one.repair, *one.alternatives)):
        number, proposed = len(offered), repair is one.repair and one.severity != "info"
        offered.append({**entry(repair, files), "proposed": proposed})
        label = f"{repair.title()} (proposed)" if proposed and one.alternatives else repair.title()
        switch = dmc.Switch(id=page.id.each("offer", number), checked=False, size="sm", label=label)
        if repair is one.repair and table is not None and len(table):
            switches.append(
                html.Div(
                    [
                        switch,
                        html.Details(
                            [html.Summary("Show what changes"), small_table(table)],
                            className="dcx-details",
                        ),
                    ]
                )
            )
        else:
            show = dmc.Button(
                "Show what changes",
                id=page.id.each("look", number),
                variant="transparent",
                size="compact-xs",
                px=0,
            )
            switches.append(dmc.Group([switch, show], gap="md"))
    if one.code == "no-common-genes":
        switches.append(_go("genes", "Choose a table of gene names…"))
    if one.code == "signature-matrix" and one.place.role == "train":
        switches.append(
            dmc.Button(
                "Take it as Reference X",
                id=page.id.each("as", "reference"),
                size="compact-sm",
                variant="light",
                w="fit-content",
            )
        )
    if one.code in ("collinear-types", "alike-types", "few-cells", "labels-unique"):
        switches.append(_go("types", "Look at the cell types…"))
    return html.Div(
        [
            html.Div(
                [
                    badge(words, colour),
                    *[dmc.Text(one.title, fw=600, size="sm")] * (one.code != "note"),
                    _place(one),
                ],
                className="dcx-finding-head",
            ),
            dmc.Text(
                [
                    cut(one.message, 600),
                    dmc.Text(f" {one.advice}", span=True, c="dimmed", inherit=True),
                ],
                size="sm",
                className="dcx-finding-text",
            ),
            _names(one),
            *switches,
        ],
        className="dcx-finding",
    )


def _go(step: str, words: str) -> Any:
    return dmc.Button(
        words, id=page.id.each("to", step), size="compact-sm", variant="light", w="fit-content"
    )


def _place(one: Finding) -> Any:
    parts = [whose(one.place.role)] if one.place.role in PART_NAMES else []
    parts += [shorten(one.place.file, 40)] * bool(one.place.file) + [f"line {one.place.line}"] * (
        one.place.line is not None
    )
    return dmc.Text(" · ".join(parts), size="xs", c="dimmed", truncate="end")


def _names(one: Finding) -> Any:
    """The names of the place that the sentence does not name."""
    names = [*one.place.genes, *one.place.columns]
    if len(names) <= 3:  # the sentence names them
        return None
    return html.Span(
        some(names, SHOWN, longest=24, total=one.place.count),
        title=", ".join(shorten(n, 60) for n in names),
        className="dcx-dimmed dcx-finding-names",
    )


def small_table(frame: pd.DataFrame) -> Any:
    """A preview: names cut, numbers in four digits."""
    index = not isinstance(frame.index, pd.RangeIndex)
    head = [str(c) for c in frame.columns]
    rows = [
        [*([str(name)] if index else []), *row]
        for name, row in zip(frame.index, frame.to_numpy(dtype=object), strict=True)
    ]
    return dmc.Table(
        [
            dmc.TableThead(
                dmc.TableTr(
                    [
                        dmc.TableTh(cut(t, 24))
                        for t in ([str(frame.index.name or "")] if index else []) + head
                    ]
                )
            ),
            dmc.TableTbody([dmc.TableTr([dmc.TableTd(_cell(v)) for v in row]) for row in rows]),
        ],
        withTableBorder=True,
        fz="xs",
        verticalSpacing=2,
        w="auto",
        miw=260,
    )


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "left out" if pd.isna(value) else f"{value:.4g}"
    return cut(str(value), 40)


@page.callback(
    CHANGED,
    Input(page.id.each("offer", ALL), "checked"),
    State(page.id.offered, "data"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def switch_on(
    ctx: Context,
    _checked: Any,
    offered: list[Entry],
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    """One repair: everything is looked at again with it."""
    place = clicked()
    if place is None or not 0 <= int(place) < len(offered or []):
        raise PreventUpdate
    return with_repairs(ctx, entries, [_plain(offered[int(place)])], chosen_files(tokens))


@page.callback(
    CHANGED,
    Input(page.id.apply_all, "n_clicks"),
    State(page.id.offered, "data"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def apply_all(
    ctx: Context,
    clicks: int | None,
    offered: list[Entry],
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    """Every proposed repair at once."""
    if not clicks or not offered:
        raise PreventUpdate
    return with_repairs(
        ctx, entries, [_plain(o) for o in offered if o["proposed"]], chosen_files(tokens)
    )


@page.callback(
    CHANGED,
    Input(page.id.each("applied", ALL), "checked"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def switch_off(
    ctx: Context, _checked: Any, entries: list[Entry] | None, *tokens: str | None
) -> Any:
    """A repair is undone by taking its tick away."""
    if (
        not call.triggered
        or call.triggered[0]["value"] is not False
        or not isinstance(call.triggered_id, dict)
    ):
        raise PreventUpdate
    return without(ctx, entries, int(call.triggered_id["index"]), chosen_files(tokens))


@page.callback(
    output={
        role: Output(getattr(page.id, f"{role}_token"), "data", allow_duplicate=True)
        for role in ("train", "reference")
    },
    inputs={"_clicks": Input(page.id.each("as", ALL), "n_clicks")},
    state={"token": State(page.id.train_token, "data")},
    prevent_initial_call=True,
)
def take_as_reference(ctx: Context, *, token: str | None, _clicks: Any) -> dict[str, Any]:
    """The signature matrix that was chosen as training cells becomes the reference."""
    if clicked() is None or not token:
        raise PreventUpdate
    return {"train": None, "reference": token}


@page.callback(
    Output(page.id.preview, "children"),
    Output(page.id.preview_box, "opened"),
    Output(page.id.preview_box, "title"),
    inputs={"_clicks": Input(page.id.each("look", ALL), "n_clicks")},
    state={
        "offered": State(page.id.offered, "data"),
        "entries": REPAIRS_NOW,
        "tokens": TOKENS_NOW,
        "options": CHOICES,
    },
    prevent_initial_call=True,
)
def look(
    ctx: Context,
    *,
    offered: list[Entry],
    entries: list[Entry] | None,
    tokens: list[str | None],
    options: dict[str, dict[str, Any]],
    _clicks: Any,
) -> Any:
    """What a repair that nobody proposes would change."""
    place = clicked()
    if place is None or not 0 <= int(place) < len(offered or []):
        return no_update, no_update, no_update
    wanted = asked(ctx, tokens, options, entries)
    repair = repair_of(offered[int(place)], ctx.uploads)
    table = ctx.read(preview_task, (wanted.request(scale=True), repair), name=wanted.names)
    shown = small_table(table) if len(table) else dmc.Text("It would change nothing.", size="sm")
    return shown, True, repair.title()


def _plain(offered: Entry) -> Entry:
    return {k: offered.get(k) for k in ("record", "token", "table")}
