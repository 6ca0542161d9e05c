"""A result as a table: four significant digits on screen, the full numbers in the saved file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import Input, State, html
from dash import ctx as triggered

from gui.components.figure import save_menu
from gui.files import CSV, XLSX
from gui.plugin import Context, Page

DIGITS = 4
MOST_CELLS = 60_000
"""On screen; about 1 MB. The saved file has all."""
# Mantine's variables change with the theme, so the grid follows without being drawn anew. dash-ag-grid reads this text with its own
# interpreter (no eval): it works under the strict policy.
GRID_THEME = (
    "themeQuartz.withParams({"
    "fontFamily: 'inherit', fontSize: 13, spacing: 5, wrapperBorderRadius: 6, browserColorScheme: 'inherit', "
    "backgroundColor: 'var(--mantine-color-body)', foregroundColor: 'var(--mantine-color-text)', accentColor: 'var(--mantine-primary-color-filled)', "
    "borderColor: 'var(--mantine-color-default-border)', headerBackgroundColor: 'var(--mantine-color-body)', headerFontWeight: 600, "
    "rowHoverColor: 'var(--mantine-color-default-hover)'})"
)
_NUMBER = {"type": "rightAligned", "filter": "agNumberColumnFilter", "minWidth": 110}
_TEXT = {"filter": "agTextColumnFilter", "minWidth": 130}


@dataclass(frozen=True)
class TableView:
    """What the grid gets. columns, rows : its ``columnDefs`` and ``rowData``; note : a sentence where not everything is shown, else ""."""

    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    note: str = ""


def table_view(frame: pd.DataFrame, *, index_name: str | None = None) -> TableView:
    """The frame for the grid: the index as first, pinned column; fields are c0, c1, … because names may hold dots, brackets or HTML.

    index_name : header of the first column (default: the index's own name)
    """
    most = max(1, MOST_CELLS // max(1, frame.shape[1]))
    shown = frame.iloc[:most]
    first = index_name if index_name is not None else str(shown.index.name or "")
    columns: list[dict[str, Any]] = [
        {"field": "c0", "headerName": first, "pinned": "left", "tooltipField": "c0", "filter": "agTextColumnFilter", "minWidth": 120, "width": 180}
    ]
    values: list[list[Any]] = [[str(v) for v in shown.index]]
    for i, name in enumerate(shown.columns, start=1):
        column = shown.iloc[:, i - 1]
        number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        columns.append({"field": f"c{i}", "headerName": str(name), "headerTooltip": str(name), **(_NUMBER if number else _TEXT)})
        values.append(rounded(column.to_numpy()) if number else [None if pd.isna(v) else str(v) for v in column])
    fields = [c["field"] for c in columns]
    rows = [dict(zip(fields, row, strict=True)) for row in zip(*values, strict=True)]
    note = f"The first {len(shown):,} of {len(frame):,} rows are shown; the saved file has all." if len(shown) < len(frame) else ""
    return TableView(columns, rows, note)


def rounded(values: np.ndarray, digits: int = DIGITS) -> list[float | int | None]:
    """To ``digits`` significant digits; whole numbers stay whole; what is not finite becomes None (an empty cell)."""
    if values.dtype.kind in "iu":
        return [int(v) for v in values]
    return [float(f"{v:.{digits}g}") if np.isfinite(v) else None for v in values.astype(np.float64)]


def result_table(
    page: Page,
    name: str,
    frame: pd.DataFrame | None = None,
    *,
    controls: Sequence[Any] = (),
    index_name: str | None = None,
    height: int = 380,
    filters: bool = True,
) -> html.Div:
    """The table ``page.id.<name>`` (an AgGrid: set ``columnDefs`` and ``rowData`` from :func:`table_view`) with its save menu.

    ``page.id.<name>_note`` (``children``) takes the view's note. Needs :func:`bind_table_export` once for the same page and name.
    filters : False for a table of a few rows, whose headers need the room
    """
    of = _ids(page, name)
    view = table_view(frame, index_name=index_name) if frame is not None else TableView([], [])
    items = [(of["csv"], "CSV (comma)"), (of["csv2"], "CSV (semicolon, decimal comma)"), (of["xlsx"], "Excel (XLSX)")]
    head = dmc.Group([dmc.Group(list(controls), gap="sm"), save_menu(items)], justify="space-between", align="flex-end", mb="xs")
    grid = dag.AgGrid(
        id=of["grid"],
        columnDefs=view.columns,
        rowData=view.rows,
        className="",
        defaultColDef={"sortable": True, "resizable": True, "filter": True, "suppressHeaderFilterButton": not filters, "flex": 1, "minWidth": 110},
        dashGridOptions={
            "theme": {"function": GRID_THEME},
            "tooltipShowDelay": 300,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "animateRows": False,
            "suppressFieldDotNotation": True,
            "suppressDragLeaveHidesColumns": True,
        },
        columnSize=None,
        style={"height": height, "width": "100%"},
    )
    return html.Div([head, grid, dmc.Text(view.note, id=of["note"], size="xs", c="dimmed", mt=4)])


def bind_table_export(page: Page, name: str, frame_of: Callable[..., tuple[str, pd.DataFrame] | None], *states: State) -> None:
    """Record the callback that saves the table ``name`` of ``page``.

    frame_of : ``frame_of(ctx, *values of states)`` gives the proposed file name (without suffix) and the whole frame in full precision,
        or None where there is nothing to save
    """
    of = _ids(page, name)

    @page.callback(Input(of["csv"], "n_clicks"), Input(of["csv2"], "n_clicks"), Input(of["xlsx"], "n_clicks"), *states, prevent_initial_call=True, long=True)
    def save_table(ctx: Context, csv: int | None, csv2: int | None, xlsx: int | None, *values: Any) -> None:
        from gui.data.export import csv_bytes, xlsx_bytes

        asked = triggered.triggered_id
        if not any((csv, csv2, xlsx)):
            return
        found = frame_of(ctx, *values)
        if found is None:
            ctx.notify("There is nothing to save yet.", colour="yellow")
            return
        file_name, frame = found
        if asked == of["xlsx"]:
            told = ctx.files.save(file_name, xlsx_bytes(frame), XLSX)
        else:
            told = ctx.files.save(file_name, csv_bytes(frame, decimal="," if asked == of["csv2"] else "."), CSV)
        if told:
            ctx.notify(told, title="Saved", colour="teal")


def _ids(page: Page, name: str) -> dict[str, str]:
    return {"grid": getattr(page.id, name)} | {part: getattr(page.id, f"{name}_{part}") for part in ("csv", "csv2", "xlsx", "note")}
