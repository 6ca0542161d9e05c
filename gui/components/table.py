"""Result table: four significant digits in the page, all digits in the saved file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import Input, Output, State, dcc, html
from dash import ctx as triggered

from gui.components.clipboard import copy_text
from gui.components.figure import save_menu
from gui.components.table_code import show_code
from gui.components.table_files import MOST_CELLS, copied_text, menu_entries, table_file
from gui.components.table_files import TableFile as TableFile
from gui.components.views import ABOVE, LEAST
from gui.figures.text import LEAST_PERCENT
from gui.plugin import Context, Page

DIGITS = 4
GRID_HEIGHT = f"max({LEAST}px, calc(100vh - {ABOVE}px))"
# Mantine's variables change with the theme, so the grid follows without a redraw.
# dash-ag-grid reads this text with its own interpreter (no eval): it works under the strict policy.
GRID_THEME = (
    "themeQuartz.withParams({fontFamily: 'inherit', fontSize: 13, spacing: 5, wrapperBorderRadius:"
    " 6, browserColorScheme: 'inherit', backgroundColor: 'var(--mantine-color-body)',"
    " foregroundColor: 'var(--mantine-color-text)', accentColor:"
    " 'var(--mantine-primary-color-filled)', borderColor: 'var(--mantine-color-default-border)',"
    " headerBackgroundColor: 'var(--mantine-color-body)', headerFontWeight: 600, rowHoverColor:"
    " 'var(--mantine-color-default-hover)'})"
)
# The grid would guess what a column holds from its first rows, and keep that when another table is
# shown in it: texts became "Invalid Number".
HEADER_HEIGHT = 40
"""Pixels for two lines: as columns come into sight their headers would else move the rows."""
_NUMBER = {
    "type": "rightAligned",
    "filter": "agNumberColumnFilter",
    # resources/assets/grid.js; a filter's own field refuses the comma on an English system
    "filterParams": {
        "allowedCharPattern": r"\d\-\.,eE",
        "numberParser": {"function": "dcx_number(params)"},
    },
    "cellDataType": False,
}
_TEXT = {"filter": "agTextColumnFilter", "cellDataType": False}
# As gui.figures.text.percentage writes them.
_PERCENT = {
    "valueFormatter": {
        "function": (
            f"params.value > 0 && params.value < {LEAST_PERCENT} ? '< {LEAST_PERCENT}' :"
            f" params.value < 0 && params.value > -{LEAST_PERCENT} ? '> -{LEAST_PERCENT}' :"
            " params.value"
        )
    }
}
_ROWS = "function() { return window.dash_clientside.dcx.rows_on_screen(...arguments); }"


@dataclass(frozen=True)
class TableView:
    """What the grid gets.

    Attributes
    ----------
    columns, rows
        Its ``columnDefs`` and ``rowData``.
    note
        A sentence where not everything is shown, else "".
    """

    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    note: str = ""


def table_view(
    frame: pd.DataFrame, *, index_name: str | None = None, percent: bool | Collection[str] = False
) -> TableView:
    """Return the frame as columns and rows of the grid, the index first and pinned.

    Fields are c0, c1, … because names may hold dots, brackets or HTML.

    Parameters
    ----------
    index_name
        Header of the first column (default: the index's own name).
    percent
        The columns that hold percentages (True: every column of numbers): very small ones are
        shown as "< 0.01".
    """
    most = max(1, MOST_CELLS // max(1, frame.shape[1]))
    shown = frame.iloc[:most]
    first = index_name if index_name is not None else str(shown.index.name or "")
    columns: list[dict[str, Any]] = [
        {
            "field": "c0",
            "headerName": first,
            "pinned": "left",
            "tooltipField": "c0",
            "filter": "agTextColumnFilter",
            "cellDataType": False,
            "minWidth": 110,
            "width": 150,
        }
    ]
    values: list[list[Any]] = [[str(v) for v in shown.index]]
    for i, name in enumerate(shown.columns, start=1):
        column = shown.iloc[:, i - 1]
        number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(
            column.dtype
        )
        of_percent = number and (percent is True or (percent is not False and name in percent))
        columns.append(
            {
                "field": f"c{i}",
                "headerName": str(name),
                "headerTooltip": str(name),
                **(_NUMBER if number else _TEXT),
                "minWidth": max(_whole_words(str(name)), 84 if number else 130),
                **(_PERCENT if of_percent else {}),
            }
        )
        values.append(
            rounded(column.to_numpy())
            if number
            else [None if pd.isna(v) else str(v) for v in column]
        )
    fields = [c["field"] for c in columns]
    rows = [dict(zip(fields, row, strict=True)) for row in zip(*values, strict=True)]
    note = (
        f"The first {len(shown):,} of {len(frame):,} rows are shown; the saved file has all."
        if len(shown) < len(frame)
        else ""
    )
    return TableView(columns, rows, note)


def _whole_words(header: str) -> int:
    """Pixels in which no word of a header is broken, beside the mark of the filter.

    Very long names (of genes, of cell types) may break.
    """
    longest = max(map(len, header.split()), default=0)
    return 48 + 9 * min(longest, 12)


def rounded(values: np.ndarray, digits: int = DIGITS) -> list[float | int | None]:
    """Round to ``digits`` significant digits; None where a value is not finite.

    Whole numbers stay whole.
    """
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
    height: int | None = None,
    filters: bool = True,
    engine: bool = False,
    tidy: bool = False,
) -> html.Div:
    """Return the table ``page.id.<name>`` (an AgGrid) with its save menu.

    Set ``columnDefs`` and ``rowData`` from :func:`table_view`.

    ``page.id.<name>_note`` (``children``) takes the view's note. Needs :func:`bind_table_export`
    once for the same page and name.

    Parameters
    ----------
    height
        In pixels, for a table of a few rows; otherwise what the window leaves.
    filters
        False for a table of a few rows, whose headers need the room.
    engine
        The menu also offers the table with full precision (``TableFile.engine``).
    tidy
        The menu also offers the tidy table and the workbook (``TableFile.tidy``, ``book``).
    """
    of = _ids(page, name)
    view = table_view(frame, index_name=index_name) if frame is not None else TableView([], [])
    items = [(of[part], text) for part, text in menu_entries(engine=engine, tidy=tidy).items()]
    head = dmc.Group(
        [dmc.Group(list(controls), gap="sm"), save_menu(items)],
        justify="space-between",
        align="flex-end",
        mb="xs",
    )
    grid = dag.AgGrid(
        id=of["grid"],
        columnDefs=view.columns,
        rowData=view.rows,
        className="",
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "filter": True,
            "suppressHeaderFilterButton": not filters,
            "flex": 1,
            "minWidth": 110,
        }
        | {"wrapHeaderText": True, "autoHeaderHeight": True},
        dashGridOptions={
            "theme": {"function": GRID_THEME},
            "headerHeight": HEADER_HEIGHT,
            "tooltipShowDelay": 300,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "animateRows": False,
            "suppressFieldDotNotation": True,
            "suppressDragLeaveHidesColumns": True,
            "localeText": {"noRowsToShow": "Nothing to show", "noMatchingRows": "No row matches"},
        },
        columnSize=None,
        style={"height": GRID_HEIGHT if height is None else height, "width": "100%"},
    )
    return html.Div(
        [
            head,
            html.Div(grid, className="dcx-table"),
            dmc.Text(view.note, id=of["note"], size="xs", c="dimmed", mt=4),
            dcc.Store(id=of["screen"]),
        ]
    )


def bind_table_export(
    page: Page,
    name: str,
    file_of: Callable[..., TableFile | tuple[str, pd.DataFrame] | None],
    *states: State,
    engine: bool = False,
    tidy: bool = False,
) -> None:
    """Record the callback that saves the table with rows and columns as the grid shows them.

    Parameters
    ----------
    file_of
        ``file_of(ctx, *values of states)`` gives what is saved (a :class:`TableFile`, or just
        name and frame), or None where there is nothing.
    engine, tidy
        As given to :func:`result_table`.
    """
    of = _ids(page, name)
    part_of = {of[part]: part for part in menu_entries(engine=engine, tidy=tidy)}
    grid = [Input(of["grid"], prop) for prop in ("virtualRowData", "rowData", "columnState")]
    page.clientside(_ROWS, Output(of["screen"], "data"), *grid, prevent_initial_call=True)

    @page.callback(
        inputs={"clicks": [Input(item, "n_clicks") for item in part_of]},
        state={"screen": State(of["screen"], "data"), "values": list(states)},
        prevent_initial_call=True,
        long=True,
    )
    def save_table(
        ctx: Context, *, clicks: list[int | None], screen: Any, values: list[Any]
    ) -> None:
        part = part_of.get(str(triggered.triggered_id))
        if not any(clicks) or part is None:
            return
        found = file_of(ctx, *values)
        if found is None:
            ctx.notify("There is nothing to save yet.", colour="yellow")
            return
        found = TableFile(*found)
        if part == "code":
            show_code(found)
            return
        if part == "copy":
            copy_text(ctx, copied_text(found, screen), "The table")
            return
        told = ctx.files.save(*table_file(found, part, screen))
        if told:
            ctx.notify(told, title="Saved", colour="teal")


def _ids(page: Page, name: str) -> dict[str, str]:
    parts = (*menu_entries(engine=True, tidy=True), "note", "screen")
    return {"grid": getattr(page.id, name)} | {
        part: getattr(page.id, f"{name}_{part}") for part in parts
    }
