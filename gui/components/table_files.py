"""What is saved or copied of a result table, and its save menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from gui.data.export import csv_bytes, text_of, workbook_bytes, xlsx_bytes
from gui.files import CSV, TSV, XLSX, FileKind
from gui.text import number as counted

MOST_CELLS = 60_000
"""On screen; about 1 MB. The saved file has all."""
WHOLE = "full precision"
"""In the save menu, of the table whose numbers were not changed for the screen."""
SHOWN: Mapping[str, str] = {
    "csv": "CSV (comma)",
    "csv2": "CSV (semicolon, decimal comma)",
    "tsv": "TSV (tab)",
    "xlsx": "Excel (XLSX)",
    "copy": "Copy",
}
TIDY: Mapping[str, str] = {
    "tidy_csv": "Tidy CSV",
    "tidy_tsv": "Tidy TSV",
    "tidy_xlsx": "Tidy Excel",
    "book": "Excel workbook: all, explained",
}
ENGINE: Mapping[str, str] = {"engine_csv": f"CSV, {WHOLE}", "engine_xlsx": f"Excel, {WHOLE}"}
CODE: Mapping[str, str] = {"code": "R and Python code…"}


class TableFile(NamedTuple):
    """What is saved of a table.

    Attributes
    ----------
    name
        Proposed for the file, without suffix.
    frame
        The whole table as on screen, with all digits and named index.
    about
        What it holds, in sentences: quantity, unit, what the rows are and their order. Written
        into the file.
    engine
        The same with full precision, where that differs, or None.
    engine_about
        The sentences for that.
    tidy
        One row per value, or None.
    tidy_about
        The sentences for that.
    book
        Makes the sheets of a workbook that explains itself, by name; or None.
    """

    name: str
    frame: pd.DataFrame
    about: str = ""
    engine: pd.DataFrame | None = None
    engine_about: str = ""
    tidy: pd.DataFrame | None = None
    tidy_about: str = ""
    book: Callable[[], Mapping[str, pd.DataFrame]] | None = None


def menu_entries(*, engine: bool, tidy: bool) -> dict[str, str]:
    """Part of the component's id -> text, in the order of the menu."""
    more = {**(TIDY if tidy else {}), **(ENGINE if engine else {})}
    return {**SHOWN, **more, **CODE}


def chosen_table(found: TableFile, part: str, screen: Any) -> tuple[str, pd.DataFrame, str]:
    """Name of the file without suffix, the table and the sentences about it.

    Parameters
    ----------
    part
        A key of :func:`menu_entries`.
    screen
        See :func:`as_on_screen`.
    """
    if part in ENGINE and found.engine is not None:
        return f"{found.name}-engine", found.engine, found.engine_about
    if part in TIDY and found.tidy is not None:
        return f"{found.name}-tidy", found.tidy, found.tidy_about
    return found.name, *as_on_screen(found, screen)


def table_file(found: TableFile, part: str, screen: Any) -> tuple[str, bytes, FileKind]:
    """Name without suffix, content and kind of the file that an entry of the menu saves.

    ValueError if it is too large for a sheet.
    """
    if part == "book" and found.book is not None:
        return f"{found.name}-workbook", workbook_bytes(found.book(), about=found.about), XLSX
    name, frame, about = chosen_table(found, part, screen)
    form = part.rpartition("_")[2]
    if form in ("xlsx", "book"):
        return name, xlsx_bytes(frame, about=about), XLSX
    if form == "tsv":
        return name, csv_bytes(frame, about=about, delimiter="\t"), TSV
    return name, csv_bytes(frame, decimal="," if form == "csv2" else ".", about=about), CSV


def copied_text(found: TableFile, screen: Any) -> str:
    """The table as on screen, for the clipboard: tabs between the columns."""
    return text_of(as_on_screen(found, screen)[0])


def as_on_screen(file: TableFile, screen: Any) -> tuple[pd.DataFrame, str]:
    """Return the rows and columns that the grid shows, in its order, and a note about them.

    Parameters
    ----------
    screen
        What ``rows_on_screen`` (resources/assets/grid.js) gives: {"rows": positions or None,
        "columns": fields or None}, None for all as given.
    """
    frame, about = file.frame, file.about
    if not isinstance(screen, Mapping):
        return frame, about
    columns, rows = screen.get("columns"), screen.get("rows")
    if isinstance(columns, list) and sorted(map(str, columns)) == sorted(
        f"c{i}" for i in range(1, frame.shape[1] + 1)
    ):
        frame = frame.iloc[:, [int(c[1:]) - 1 for c in columns]]
    if (
        isinstance(rows, list)
        and len(rows) <= len(frame)
        and all(type(r) is int and 0 <= r < len(frame) for r in rows)
    ):
        there = min(len(frame), max(1, MOST_CELLS // max(1, frame.shape[1])))
        of = f"{counted(len(rows))} of {counted(len(frame))}" if len(rows) < there else "all"
        first = f" (of the first {counted(there)} only)" if there < len(frame) else ""
        frame = frame.iloc[rows]
        about = f"{about} Sorted and filtered as shown: {of} rows{first}.".strip()
    return frame, about
