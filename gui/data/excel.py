"""Reads a sheet of an ``.xlsx`` file as rows."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree.ElementTree import ParseError

from gui.errors import UnreadableFile

MAX_UNPACKED = 2 * 2**30


def read_excel(path: Path, name: str) -> tuple[list[list[object]], list[str]]:
    """Rows of the first sheet that holds a table (header and numbers), and notes. Raises UnreadableFile."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    damaged = UnreadableFile(f"{name} is damaged or not an Excel file.", advice="Save it again from Excel, or as .csv.")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
                raise UnreadableFile(f"{name} unpacks to more than {MAX_UNPACKED / 2**30:.0f} GB.", advice="Save the table as .csv.")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # a lying size in the file would be believed otherwise
                rows = [list(row) for row in sheet.iter_rows(values_only=True)]
                rows = [row for row in rows if any(v is not None for v in row)]
                if len(rows) >= 2 and any(isinstance(v, int | float) for v in rows[1][1:]):
                    others = len(book.worksheets) > 1
                    return rows, [f"Read from the sheet {sheet.title}."] if others else []
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError, OSError, EOFError, ParseError, AttributeError):
        raise damaged from None
    raise UnreadableFile(f"{name} holds no sheet with a table of numbers.", advice="The first row should hold the column names, the first column the genes.")
