"""The step of the cell types: counts of every part, renaming, merging, leaving out, coarse types by
a table, and which types look the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.components.common import shorten, tip_label
from gui.components.figure import figure_card
from gui.components.file_field import FileField
from gui.components.table import GRID_THEME
from gui.data.validation.check_parts import SAME
from gui.data.validation.examine import Examination
from gui.data.validation.repairs import Repair
from gui.data.validation.repairs_types import MapTypes, MapTypesByTable
from gui.errors import InvalidParameter
from gui.figures.review import similarity
from gui.figures.template import blank, styled
from gui.pages.upload.base import GONE, PART_NAMES, TABLE, page
from gui.pages.upload.repair_form import (
    CHANGED,
    REPAIRS_NOW,
    TOKENS_NOW,
    Entry,
    chosen_files,
    counting,
    entry,
    with_repairs,
    without,
)
from gui.plugin import Context

COARSE = FileField(page, "coarse", (TABLE,), title="Table of cell types")
COARSE.bind()
GRID = page.id.types
KINDS = ("map_types", "map_types_by_table", "drop_types")
LONGEST = 120
OUTPUTS = [
    Output(GRID, "rowData"),
    Output(GRID, "columnDefs"),
    Output(GRID, "style"),
    Output(GRID, "selectedRows"),
    Output(page.id.types_words, "children"),
    Output(page.id.types_tools, "style"),
    Output(page.id.types_back, "disabled"),
    Output(page.id.similarity, "figure"),
    Output(page.id.similarity_box, "style"),
]


def types_layout(ctx: Context) -> Any:
    grid = dag.AgGrid(
        id=GRID,
        columnDefs=[],
        rowData=[],
        className="",
        getRowId="params.data.type",
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        dashGridOptions={
            "theme": {"function": GRID_THEME},
            "rowSelection": {
                "mode": "multiRow",
                "enableClickSelection": False,
                "headerCheckbox": False,
            },
            "selectionColumnDef": {"pinned": "left", "width": 40},
            "tooltipShowDelay": 300,
            "ensureDomOrder": True,
            "animateRows": False,
            "suppressFieldDotNotation": True,
            "stopEditingWhenCellsLoseFocus": True,
            "suppressNoRowsOverlay": True,
        },
        columnSize=None,
        style={"width": "100%", "height": 56},
    )
    tools = dmc.Group(
        [
            dmc.TextInput(
                id=page.id.merged,
                placeholder="Name of the merged type",
                size="xs",
                w=210,
                **{"aria-label": "Name of the merged type"},
            ),
            dmc.Button(
                "Merge ticked", id=page.id.merge, size="xs", variant="default", disabled=True
            ),
            dmc.Button(
                "Leave out ticked", id=page.id.exclude, size="xs", variant="default", disabled=True
            ),
            dmc.Button(
                "Undo the last change",
                id=page.id.types_back,
                size="xs",
                variant="subtle",
                disabled=True,
            ),
        ],
        gap="xs",
        mt="xs",
    )
    coarse = html.Div(
        [
            dmc.Text(
                tip_label(
                    "Coarse types by a table",
                    "Two columns: the types as they are, and the coarser (or finer) names you want."
                    " Types not in it stay.",
                ),
                size="sm",
                fw=500,
                mb=4,
            ),
            COARSE.layout(ctx),
        ],
        style={"maxWidth": 340},
    )
    heat = figure_card(
        page,
        "similarity",
        file_name="similarity of cell types",
        controls=[dmc.Text("Similarity of the profiles", size="sm", fw=600)],
    )
    return dmc.Stack(
        [
            dmc.Text(id=page.id.types_words, size="sm", c="dimmed"),
            html.Div(
                [grid, tools, html.Div(coarse, style={"marginTop": 12})],
                id=page.id.types_tools,
                style=GONE,
            ),
            html.Div(heat, id=page.id.similarity_box, style=GONE),
        ],
        gap="xs",
    )


def show_types(
    found: Examination, repairs: Sequence[Repair], files: Mapping[str, str], dark: bool
) -> list[Any]:
    """For ``OUTPUTS``."""
    table = found.types
    if table.empty:
        words = "The cell types are shown once the findings that stand in the way are settled."
        return [[], [], {"width": "100%", "height": 56}, [], words, GONE, True, blank(), GONE]
    rows = [
        {"type": str(t), **{str(role): int(n) for role, n in row.items()}}
        for t, row in table.iterrows()
    ]
    numbers = [
        {
            "field": role,
            "headerName": "In the reference" if role == "reference" else f"{PART_NAMES[role]}",
            "type": "rightAligned",
            "width": 130,
            **(
                {"valueFormatter": {"function": "params.value ? '✓' : '–'"}}
                if role == "reference"
                else {}
            ),
        }
        for role in map(str, table.columns)
    ]
    mine = bool({"train", "test", "reference"} & set(found.parts))
    name = {
        "field": "type",
        "headerName": "Cell type",
        "flex": 1,
        "minWidth": 200,
        "tooltipField": "type",
        "editable": mine,
        "cellStyle": {"fontWeight": 500},
    }
    how = (
        "Double-click a name to change it, or press Enter on it. Tick types to merge them or to"
        " leave them out."
    )
    words = how if mine else "The cell types of the data that are loaded."
    grid = {"width": "100%", "height": 42 + 32 * min(len(rows), 12)}
    heat = (
        styled(similarity(found.similarity, SAME), dark) if len(found.similarity) > 1 else blank()
    )
    changed = any(r.kind in KINDS for r in repairs)
    return [
        rows,
        [name, *numbers],
        grid,
        [],
        words,
        {},
        not changed,
        heat,
        {} if len(found.similarity) > 1 else GONE,
    ]


@page.callback(
    Output(page.id.merge, "disabled"),
    Output(page.id.exclude, "disabled"),
    Input(GRID, "selectedRows"),
)
def ticked(ctx: Context, chosen: list[dict[str, Any]] | None) -> Any:
    return len(chosen or []) < 2, not chosen


@page.callback(
    CHANGED, Input(GRID, "cellValueChanged"), REPAIRS_NOW, *TOKENS_NOW, prevent_initial_call=True
)
def rename(
    ctx: Context,
    edited: list[dict[str, Any]] | None,
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    """A name was changed in the table; the same name as another type's merges the two."""
    if not edited:  # the table has only appeared
        raise PreventUpdate
    names = {}
    for change in edited:
        old, new = str(change.get("oldValue") or ""), str(change.get("value") or "").strip()
        if old and new and old != new:
            names[old] = _checked(new)
    if not names:
        ctx.notify("A cell type needs a name; to leave it out, tick it.", colour="yellow")
        return list(entries or [])  # shown again as it was
    return _with(ctx, entries, tokens, MapTypes(names=names, why="rename"))


@page.callback(
    CHANGED,
    Output(page.id.merged, "value"),
    Input(page.id.merge, "n_clicks"),
    State(GRID, "selectedRows"),
    State(page.id.merged, "value"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def merge(
    ctx: Context,
    clicks: int | None,
    chosen: list[dict[str, Any]] | None,
    name: str | None,
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    """Ticked types to one, under the name given or that of the largest."""
    if not clicks or len(chosen or []) < 2:
        raise PreventUpdate
    assert chosen is not None
    largest = max(
        chosen, key=lambda row: (int(row.get("train") or 0), int(row.get("reference") or 0))
    )
    new = _checked((name or "").strip() or str(largest["type"]))
    names = {str(row["type"]): new for row in chosen if row["type"] != new}
    return _with(ctx, entries, tokens, MapTypes(names=names, why="merge")), ""


@page.callback(
    CHANGED,
    Input(page.id.exclude, "n_clicks"),
    State(GRID, "selectedRows"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def exclude(
    ctx: Context,
    clicks: int | None,
    chosen: list[dict[str, Any]] | None,
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    if not clicks or not chosen:
        raise PreventUpdate
    return _with(
        ctx,
        entries,
        tokens,
        MapTypes(names={str(row["type"]): "" for row in chosen}, why="exclude"),
    )


@page.callback(
    CHANGED,
    Input(page.id.types_back, "n_clicks"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def undo_last(
    ctx: Context, clicks: int | None, entries: list[Entry] | None, *tokens: str | None
) -> Any:
    """The last change of the cell types; others stay."""
    if not clicks:
        raise PreventUpdate
    files = chosen_files(tokens)
    places = [i for i, e in enumerate(counting(entries, files)) if e["record"].get("kind") in KINDS]
    if not places:
        raise PreventUpdate
    return without(ctx, entries, places[-1], files)


@page.callback(
    CHANGED,
    Output(COARSE.token_id, "data", allow_duplicate=True),
    Input(COARSE.token_id, "data"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def take_table(
    ctx: Context, table: str | None, entries: list[Entry] | None, *tokens: str | None
) -> Any:
    """A table of types was chosen: it is applied at once, and undone like any other repair."""
    if not table:
        raise PreventUpdate
    upload = ctx.uploads.get(table)
    return (
        _with(
            ctx, entries, tokens, MapTypesByTable(table=upload.path, table_name=upload.name), table
        ),
        None,
    )


def _with(
    ctx: Context,
    entries: list[Entry] | None,
    tokens: Sequence[str | None],
    repair: Repair,
    table: str | None = None,
) -> list[Entry]:
    files = chosen_files(tokens)
    return with_repairs(ctx, entries, [entry(repair, files, table)], files)


def _checked(name: str) -> str:
    if len(name) > LONGEST:
        raise InvalidParameter(f"The name {shorten(name, 30)} is longer than {LONGEST} characters.")
    return name
