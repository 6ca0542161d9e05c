"""Text of any encoding, compressed or not, and its first lines as records: what every reader of
text tables begins with.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import zlib
from pathlib import Path

from gui.data.export import NOTICE
from gui.data.memory import available_memory
from gui.data.readers.archive import decompressing
from gui.data.readers.sniff import (
    HEAD,
    first_bytes,
    looks_like,
    packed_by,
    read_limited,
    text_encoding,
    unzipped_head,
    way_out,
)
from gui.errors import UnreadableFile

MAX_TEXT = 8 * 2**30
DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", " ": "blank", "|": "vertical bar"}
"""In the order in which they are tried."""
SAMPLE = 60
"""Lines from which the layout is told."""
_COPIES = 6
"""How often the text is in memory at most while it is turned into numbers."""
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"
"""Characters without width, which web pages and word processors leave in names."""
INVISIBLE_REMOVED = "Invisible characters in the text (zero-width spaces or the like) were removed."
UNSEEN = dict.fromkeys(map(ord, INVISIBLE))
"""For ``str.translate``: takes them out."""
_END_OF_FILE = "\x1a"
"""What DOS writes behind a text."""
_ABOUT = 4000
"""Characters in which the line before a saved table ends."""


def decoded(path: Path, name: str) -> tuple[str, list[str]]:
    """The whole text with line ends as ``\\n``, and notes.

    Raises UnreadableFile: missing, empty, damaged, too large, no text.

    The line that this program writes before a table it saves (:func:`gui.data.export.csv_bytes`) is
    left out.
    """
    head = first_bytes(path, name)
    inner = unzipped_head(path, head)
    kind = looks_like(inner)
    if kind != "text":
        raise UnreadableFile(
            f"{name} is not a text table; it looks like {kind}.",
            advice=way_out(kind, name) or _rename(kind),
        )
    limit = text_limit()
    try:
        with open(path, "rb") as file, decompressing(file, packed_by(head)) as content:
            # not kept under a name: the text would be in memory twice for as long
            return text_of(read_limited(content, limit, name), name)
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError):
        raise UnreadableFile(
            f"{name} is damaged or incomplete: the compressed content ends too early.",
            advice="Download or copy the file again.",
        ) from None
    except OSError:
        if packed_by(head):  # bz2 has no error of its own
            raise UnreadableFile(
                f"{name} is damaged or incomplete: the compressed content cannot be read.",
                advice="Download or copy the file again.",
            ) from None
        raise UnreadableFile(f"{name} cannot be read.") from None
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.",
            advice="Save it as .h5ad, which needs far less memory.",
        ) from None


def text_limit() -> int:
    """Bytes of text that can be turned into numbers in the free memory."""
    free = available_memory()
    return MAX_TEXT if free is None else min(MAX_TEXT, free // _COPIES)


def text_of(data: bytes, name: str) -> tuple[str, list[str]]:
    """Bytes as text with line ends as ``\\n``, and notes. Raises UnreadableFile: no text."""
    encoding, notes = text_encoding(data[:HEAD]), list[str]()
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        if encoding.startswith("utf-16"):
            raise UnreadableFile(
                f"{name} is damaged: its text breaks off within a character."
            ) from None
        try:  # the two agree but for the bytes 80 to 9f, which Latin-1 leaves to control characters
            text, used = (
                data.decode("cp1252"),
                "Windows-1252" if any(0x80 <= b < 0xA0 for b in set(data)) else "Latin-1",
            )
        except UnicodeDecodeError:
            text, used = data.decode("latin-1"), "Latin-1"
        notes.append(f"The text is not UTF-8; it was read as {used}.")
    del data
    if "\x00" in text:
        raise UnreadableFile(f"{name} is not a text table; it looks like binary data.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii() and any(mark in text for mark in INVISIBLE):
        text = text.translate(UNSEEN)
        notes.append(INVISIBLE_REMOVED)
    if text.endswith((_END_OF_FILE, f"{_END_OF_FILE}\n")):
        text = text.rstrip(f"\n{_END_OF_FILE}") + "\n"
    return _without_about(text), notes


def _without_about(text: str) -> str:
    end = text.find("\n", 0, _ABOUT)
    line = text[: max(end, 0)].lstrip('"')  # a spreadsheet may have put it in quotes
    return text[end + 1 :] if line.startswith("# ") and NOTICE in line else text


def _rename(kind: str) -> str:
    if kind == "HDF5":
        return "If it is an AnnData file, rename it to .h5ad and choose it again."
    return "Export the table as .csv or .tsv and choose that file."


def first_lines(text: str, count: int = SAMPLE) -> list[str]:
    lines: list[str] = []
    at = 0
    while len(lines) < count and at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        lines.append(text[at:end])
        at = end + 1
    return lines


def after_lines(text: str, count: int) -> int:
    """Where in the text the line after the first ``count`` begins."""
    at = 0
    for _ in range(count):
        at = text.find("\n", at) + 1
        if not at:
            return len(text)
    return at


def records(lines: list[str], delimiter: str) -> tuple[list[list[str]], int]:
    """Lines as fields, quoted ones with separators and line breaks inside; blank lines are left
    out.

    And how many lines the first record takes.
    """
    found = numbered_records(lines, delimiter)
    return [record for _, record in found], found[0][0] if found else 1


def numbered_records(lines: list[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Records with the number of lines to their end, as :func:`records` gives them."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(
        (line + "\n" for line in lines), delimiter=delimiter, skipinitialspace=delimiter == " "
    )
    found: list[tuple[int, list[str]]] = []
    try:
        for record in reader:
            if record and any(field.strip() for field in record):
                # blanks between the last column and the end of the line are no column
                spare = delimiter == " " and record[-1] == "" and len(record) > 1
                found.append((reader.line_num, record[:-1] if spare else record))
    except csv.Error:
        return []
    if len(lines) >= SAMPLE and len(found) > 2:
        found.pop()  # may have been cut off within a quoted field
    return found


def rows_of_text(path: Path, name: str) -> tuple[list[list[str]], list[str]]:
    """A small table of text as rows of fields (labels of cells, annotations), and notes.

    Raises UnreadableFile.

    The delimiter is the one that gives the same number of fields, at least two, on most of the
    first lines.
    """
    text, notes = decoded(path, name)
    lines = first_lines(text)

    def alike(delimiter: str) -> tuple[int, int]:
        widths = [len(record) for record in records(lines, delimiter)[0]]
        width = max(set(widths), key=widths.count, default=0)
        return (widths.count(width), width) if width > 1 else (0, 0)

    best = max(DELIMITERS, key=alike)
    if not alike(best)[0]:
        best = "\t"  # a single column
    try:
        found = csv.reader(io.StringIO(text), delimiter=best, skipinitialspace=best == " ")
        return [row for row in found if any(field.strip() for field in row)], notes
    except csv.Error:
        raise UnreadableFile(f"{name} is damaged or not a table.") from None
