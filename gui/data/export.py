"""Tables to files.

Numbers keep full precision; names cannot turn into formulas when a spreadsheet opens the file.

What is saved says what it is for (``NOTICE``) where its format has a place beside the content: the
first line of a CSV file that says what the table holds, the sheet About of a workbook, the
description of a picture.
"""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

NOTICE = "For research use only. Not for diagnosis or treatment. Made with DeconomiX GUI."
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XLSX_TEXT = 32_767
_XLSX_ROWS, _XLSX_COLUMNS = 1_048_576, 16_384


def safe_text(value: object) -> str:
    """A name that a spreadsheet shows and does not compute: an apostrophe stands before =, +, -, @
    and the like; control characters go.
    """
    text = _CONTROL.sub(" ", str(value))
    return (
        f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA[:4]) else text
    )


def csv_bytes(
    frame: pd.DataFrame,
    *,
    decimal: Literal[".", ","] = ".",
    about: str = "",
    delimiter: Literal[",", ";", "\t", ""] = "",
) -> bytes:
    """UTF-8 with a byte order mark (so that Excel reads umlauts), row names first.

    decimal : "." with commas between the columns, "," with semicolons. Numbers are written with all
    digits; missing ones are empty.
    delimiter : between the columns, where it is another one
    about : what the table holds, in a line of its own before the table. It begins with "#" and is a
    single cell: pandas reads the file with
        ``skiprows=1``, R with ``skip = 1``, and a spreadsheet shows the line above the table
    """
    out = io.StringIO()
    if about:
        out.write("# " + re.sub(r'[\s,;"]+', " ", safe_text(f"{about} {NOTICE}")).strip() + "\r\n")
    between = delimiter or (";" if decimal == "," else ",")
    writer = csv.writer(out, delimiter=between, lineterminator="\r\n")
    for row in _rows(frame):
        writer.writerow(
            [
                _number(v, decimal) if isinstance(v, float | int) and not isinstance(v, bool) else v
                for v in row
            ]
        )
    return out.getvalue().encode("utf-8-sig", "replace")


def text_of(frame: pd.DataFrame) -> str:
    """The table for the clipboard: tabs between the columns, all digits, no name a formula."""
    return csv_bytes(frame, delimiter="\t").decode("utf-8-sig")


def xlsx_bytes(frame: pd.DataFrame, *, sheet: str = "Table", about: str = "") -> bytes:
    """The table on the first sheet: text cells are text, never formulas; numbers are numbers.

    ValueError if it is larger than a sheet can be.

    about : what the table holds, on a second sheet, About
    """
    return workbook_bytes({sheet: frame}, about=about)


def workbook_bytes(sheets: Mapping[str, pd.DataFrame], *, about: str = "") -> bytes:
    """The same of several tables, each on a sheet of its name."""
    for frame in sheets.values():
        if len(frame) + 1 > _XLSX_ROWS or frame.shape[1] + 1 > _XLSX_COLUMNS:
            raise ValueError(
                f"An Excel sheet takes at most {_XLSX_ROWS} rows and {_XLSX_COLUMNS} columns; save"
                " the table as CSV."
            )
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    book.properties.description = NOTICE
    for name, frame in sheets.items():
        _fill_sheet(book.create_sheet(name[:31]), frame)
    if about:
        words = book.create_sheet("About")
        for text in (about, NOTICE):
            words.append([_typed(WriteOnlyCell(words, safe_text(text)[:_XLSX_TEXT]), "s")])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill_sheet(page: Any, frame: pd.DataFrame) -> None:
    from openpyxl.cell import WriteOnlyCell

    for row in _rows(frame):
        cells: list[Any] = []
        for value in row:
            if isinstance(value, float):
                # given as text of a number: openpyxl would round to 16 digits
                cells.append(
                    _typed(WriteOnlyCell(page, repr(value)), "n") if np.isfinite(value) else None
                )
            else:
                cells.append(
                    _typed(WriteOnlyCell(page, value[:_XLSX_TEXT]), "s")
                    if isinstance(value, str)
                    else value
                )
        page.append(cells)


def png_with_notice(data: bytes, *, width: float | None = None) -> bytes:
    """The picture with the notice as its description, which image programs show; the picture itself
    is unchanged.

    width : in mm, where it has one: then its resolution is written, too
    """
    end = 8 + 25  # signature, then the header, which is always first and 25 bytes long
    more = _chunk(b"tEXtDescription\0" + NOTICE.encode("latin-1"))
    if width:
        dots = round(int.from_bytes(data[16:20], "big") / width * 1000).to_bytes(4, "big")
        more = _chunk(b"pHYs" + dots + dots + b"\1") + more  # per metre
    return data[:end] + more + data[end:]


def _chunk(named: bytes) -> bytes:
    """A chunk of a PNG: its length, its name with its content, and their checksum."""
    return (len(named) - 4).to_bytes(4, "big") + named + zlib.crc32(named).to_bytes(4, "big")


def svg_with_notice(data: bytes) -> bytes:
    """The drawing with the notice as its description, behind its opening tag."""
    end = data.find(b">", max(0, data.find(b"<svg"))) + 1
    return (
        data[:end] + b"<desc>" + NOTICE.encode() + b"</desc>" + data[end:]
        if end and b"<svg" in data
        else data
    )


def _typed(cell: Any, kind: str) -> Any:
    cell.data_type = kind
    return cell


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    """Header and rows as plain Python values, names made safe."""
    levels = frame.index.nlevels
    corner = [safe_text(n) if n is not None else "" for n in frame.index.names]
    rows: list[list[Any]] = [
        [
            *corner,
            *(
                safe_text(" ".join(map(str, c)) if isinstance(c, tuple) else c)
                for c in frame.columns
            ),
        ]
    ]
    names = [list(k) if levels > 1 else [k] for k in frame.index]
    for name, values in zip(names, frame.itertuples(index=False, name=None), strict=True):
        rows.append([*map(safe_text, name), *map(_plain, values)])
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return float("nan")
    return value if isinstance(value, bool | int | float) else safe_text(value)


def _number(value: float, decimal: str) -> str:
    if isinstance(value, float) and np.isnan(value):
        return ""
    text = repr(value)
    return text.replace(".", ",") if decimal == "," else text
