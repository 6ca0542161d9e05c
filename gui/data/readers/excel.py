"""Reads a sheet of an ``.xlsx`` file as rows."""

from __future__ import annotations

import datetime
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pandas as pd

from gui.data.readers.archive import zip_holds
from gui.data.readers.layout import layout_of_sheet
from gui.data.readers.textfile import UNSEEN
from gui.errors import UnreadableFile
from gui.text import shorten, some

MAX_UNPACKED = 2 * 2**30
MAX_CELLS = 40_000_000
"""Filled cells, and gaps before them, of one sheet: about 2 GB while they are read."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Sheet:
    """rows : without empty ones; sheets : the names of all; sheet : the one that was read; notes :
    sentences; invisible : whether characters without width were removed.
    """

    rows: list[list[object]]
    sheets: tuple[str, ...]
    sheet: str
    notes: list[str] = field(default_factory=list)
    invisible: bool = False


def read_excel(
    source: Path | bytes, name: str, sheet: str | None = None, *, table: bool = True
) -> Sheet:
    """Rows of the named sheet, or of the first that holds a table with names of genes, or else of
    the first that holds a table (header and numbers; any two rows if not ``table``).

    source : the file, or its content.

    Raises UnreadableFile.

    Dates in the first column become what Excel shows for a gene it took for one: 2-Sep.
    """
    import openpyxl

    damaged = UnreadableFile(
        f"{name} is damaged or not an Excel file.", advice="Save it again from Excel, or as .csv."
    )
    held = zip_holds(source) if isinstance(source, Path) else ""
    if held.startswith(("a ", "an ")):
        raise UnreadableFile(
            f"{name} is {held}, which this program does not read.",
            advice="Open it in its program, save the table as .xlsx or .csv and choose that file.",
        )
    try:
        with _opened(source) as file, zipfile.ZipFile(file) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
                raise UnreadableFile(
                    f"{name} unpacks to more than {MAX_UNPACKED / 2**30:.0f} GB.",
                    advice="Save the table as .csv.",
                )
        # by its name alone openpyxl would refuse a workbook that is called .csv
        with _opened(source) as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            pages = {str(page.title): page for page in book.worksheets}
            names = tuple(pages)
            if sheet is not None and sheet not in pages:
                raise UnreadableFile(
                    f"{name} has no sheet {sheet[:60]}; there are"
                    f" {', '.join(t[:40] for t in names[:8])}."
                )
            found: Sheet | None = None
            for title in names if sheet is None else (sheet,):
                rows, invisible = _rows(pages[title], name)
                if len(rows) < 2 or (table and sheet is None and not _is_table(rows)):
                    continue
                others = some((shorten(t, 40) for t in names if t != title), 3)
                said = [f"Read from the sheet {title}, not from {others}."] * (len(names) > 1)
                sure = sheet is not None or not table or len(names) == 1
                sure = sure or (_names_genes(rows) and _has_samples(rows))
                if found is None or sure:
                    found = Sheet(rows, names, title, said, invisible)
                if sure:
                    break
            if found is not None:
                return found
    except UnreadableFile:
        raise
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.", advice="Save the table as .csv."
        ) from None
    except Exception:  # noqa: BLE001  zipfile, zlib, the XML parser and openpyxl raise every kind of exception on damaged files
        raise damaged from None
    if _holds_formulas(source):
        raise UnreadableFile(
            f"The cells of {name} hold formulas without their values.",
            advice="Open it in Excel or LibreOffice, save it again, and choose that file.",
        )
    where = (
        f"The sheet {sheet[:60]} of {name} holds no" if sheet else f"{name} holds no sheet with a"
    )
    raise UnreadableFile(
        f"{where} table of numbers.",
        advice="The first row should hold the column names, the first column the genes.",
    )


def _holds_formulas(source: Path | bytes) -> bool:
    """Whether a sheet has formulas, as programs write them that do not compute them."""
    import openpyxl

    with _opened(source) as file:
        book = openpyxl.load_workbook(file, read_only=True)
        return any(
            isinstance(value, str) and value.startswith("=")
            for page in book.worksheets
            for row in page.iter_rows(max_row=20, max_col=20, values_only=True)
            for value in row
        )


def _opened(source: Path | bytes) -> IO[bytes]:
    return BytesIO(source) if isinstance(source, bytes) else open(source, "rb")


def _names_genes(rows: list[list[object]]) -> bool:
    """Whether one of the first columns, or of the first rows, holds names of genes."""
    from gui.knowledge.gene_names import recognise
    from gui.knowledge.identifiers import Kind

    few = rows[:: max(1, len(rows) // 300)]
    lists = [[row[j] for row in few if j < len(row)] for j in range(3)]
    lists += [row[1:400] for row in rows[:3]]
    for values in lists:
        names = [v for v in values if isinstance(v, str) and v.strip()]
        if len(names) > 3:
            found = recognise(names)
            if found.known > 0.3 or found.kind is Kind.ENSEMBL:
                return True
    return False


def _has_samples(rows: list[list[object]]) -> bool:
    """Whether a column of numbers may be a sample: a sheet of changed genes has results alone."""
    from gui.data.readers.column_kinds import classify_columns

    few = [["" if v is None else str(v) for v in row] for row in rows[:100]]
    layout = layout_of_sheet(few)
    if layout is None or layout.missing_header:
        return True
    header = layout.header
    body = [[*row, *[None] * len(header)][: len(header)] for row in rows[layout.skip :][:400]]
    columns: list[Any] = []
    for cells in zip(*body, strict=True):
        numbers = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce")
        filled = sum(v is not None for v in cells)
        whole = bool(filled) and int(numbers.notna().sum()) > 0.9 * filled
        columns.append(
            numbers.to_numpy() if whole else ["" if v is None else str(v) for v in cells]
        )
    return not columns or bool(classify_columns(header, columns, "").samples)


def _is_table(rows: list[list[object]]) -> bool:
    return (
        layout_of_sheet([["" if v is None else str(v) for v in row] for row in rows[:100]])
        is not None
    )


def _rows(page: Any, name: str) -> tuple[list[list[object]], bool]:
    """The rows, and whether invisible characters were removed."""
    page.reset_dimensions()  # a lying size in the file would be believed otherwise
    rows: list[list[object]] = []
    cells = 0
    invisible = False
    for values in page.iter_rows(values_only=True):
        row = [_visible(value) for value in values]
        invisible |= any(a != b for a, b in zip(row, values, strict=True) if a is not b)
        while row and row[-1] is None:
            row.pop()
        if not row:
            continue
        cells += len(row)
        if cells > MAX_CELLS:
            raise UnreadableFile(
                f"{name} holds more than {MAX_CELLS // 1_000_000} million cells.",
                advice="Save the table as .csv or .h5ad.",
            )
        row[0] = _gene(row[0])
        rows.append(row)
    return rows, invisible


def _visible(value: object) -> object:
    """Text without invisible characters, as in text tables."""
    if isinstance(value, str) and not value.isascii():
        return value.translate(UNSEEN)
    return value


def _gene(value: object) -> object:
    """SEPT2 was turned into the second of September: the day and the month are what is left of the
    name.
    """
    if isinstance(value, datetime.datetime | datetime.date):
        return f"{value.day}-{_MONTHS[value.month - 1]}"
    return value
