"""Reads text tables: genes x cells, types or samples, first column gene names, first line column names.

The header is read here and not by pandas, which would rename the cell types that a single-cell table repeats on purpose.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.sniff import UTF16, first_bytes, looks_like, read_limited, unzipped_head
from gui.errors import BadNames, BadValues, UnreadableFile

MAX_TEXT = 8 * 2**30
_MISSING = ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "#N/A", "#NA", "-NaN", "-nan", "<NA>", "None"]
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*$")
_THOUSANDS = re.compile(r"^\s*[-+]?[1-9]\d{0,2}(,\d{3})+\s*$")
_DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", " ": "blank"}
_SAMPLE = 60


@dataclass(frozen=True, eq=False)
class Table:
    """values : genes x columns, float64, NaN where nothing stands; genes, columns : as written, may repeat; notes : sentences."""

    values: npt.NDArray[np.float64]
    genes: list[str]
    columns: list[str]
    notes: tuple[str, ...] = ()


def read_table(path: Path, name: str | None = None) -> Table:
    """Read ``.csv``, ``.tsv``, ``.txt`` (also ``.gz``), GCT 1.2 or the first filled sheet of an ``.xlsx``.

    Raises UnreadableFile (missing, empty, damaged, not a table), BadValues (text where a number should be), BadNames (nameless gene or column).
    """
    name = name or path.name
    head = first_bytes(path, name)
    inner = unzipped_head(path, head)
    kind = looks_like(inner)
    if kind == "a ZIP or Excel file" and head is inner and name.lower().endswith((".xlsx", ".xlsm")):
        from gui.data.excel import read_excel

        rows, notes = read_excel(path, name)
        return _from_rows(rows, name, notes)
    if kind != "text":
        raise UnreadableFile(f"{name} is not a text table; it looks like {kind}.", advice=_rename(kind))
    text, notes = _text(path, head, name)
    lines = _first_lines(text)
    if not any(line.strip() for line in lines):
        raise UnreadableFile(f"{name} is empty: it holds blank lines only.")
    skip = 0
    gct = lines[0].startswith("#1.2")
    if gct:
        skip, lines = 2, lines[2:]
        notes.append("Read as GCT 1.2.")
    delimiter, header = _layout(lines, name, skip)
    if delimiter not in (",", "\t"):
        notes.append(f"Columns are separated by a {_DELIMITERS[delimiter]}.")
    decimal = _decimal(lines[1:], delimiter, name)
    if decimal == ",":
        notes.append("Numbers have a decimal comma.")
    header = header[1:] if gct else header  # its second column is a description
    values, genes = _body(text, skip, delimiter, decimal, header, 2 if gct else 1, name)
    return _checked(values, genes, header, name, notes)


def _rename(kind: str) -> str:
    if kind == "HDF5":
        return "If it is an AnnData file, rename it to .h5ad and choose it again."
    return "Export the table as .csv or .tsv and choose that file."


def _text(path: Path, head: bytes, name: str) -> tuple[str, list[str]]:
    try:
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path, "rb") as file:
                data = read_limited(file, MAX_TEXT, name)  # type: ignore[arg-type]
        else:
            with open(path, "rb") as plain:
                data = read_limited(plain, MAX_TEXT, name)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnreadableFile(f"{name} is damaged or incomplete: the compressed content ends too early.", advice="Download or copy the file again.") from None
    except OSError:
        raise UnreadableFile(f"{name} cannot be read.") from None
    notes: list[str] = []
    try:
        text = data.decode("utf-16" if data.startswith(UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        if data.startswith(UTF16):
            raise UnreadableFile(f"{name} is damaged: its text breaks off within a character.") from None
        text = data.decode("latin-1")
        notes.append("The text is not UTF-8; it was read as Latin-1.")
    if "\x00" in text:
        raise UnreadableFile(f"{name} is not a text table; it looks like binary data.")
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text), notes


def _first_lines(text: str) -> list[str]:
    lines: list[str] = []
    at = 0
    while len(lines) < _SAMPLE and at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        lines.append(text[at:end])
        at = end + 1
    return lines


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=delimiter == " "), [])


def _layout(lines: list[str], name: str, skip: int) -> tuple[str, list[str]]:
    """The delimiter and the column names (without the corner cell)."""
    csv.field_size_limit(2**31 - 1)
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        raise UnreadableFile(f"{name} is not a table: it has fewer than two lines.", advice=_WANTED)
    for delimiter in _DELIMITERS:
        header, widths = _split(lines[0], delimiter), {len(_split(line, delimiter)) for line in lines[1:] if line.strip()}
        if len(widths) == 1 and (width := widths.pop()) >= 2 and len(header) in (width, width - 1) and _numeric(filled[1:], delimiter):
            # R's write.table leaves the corner cell out: the header is then one shorter than the lines
            return delimiter, header[1:] if len(header) == width else header
    for start in range(1, len(lines) - 1):
        for delimiter in _DELIMITERS:
            sizes = {len(_split(line, delimiter)) for line in lines[start:] if line.strip()}
            below = _split(lines[start + 1], delimiter)
            if len(sizes) == 1 and below and _number(below[-1]) and sizes.pop() >= 2 and _numeric([x for x in lines[start + 1 :] if x.strip()], delimiter):
                raise UnreadableFile(
                    f"In {name} the table seems to begin on line {skip + start + 1}.", advice="Remove the lines above the header and choose the file again."
                )
    raise UnreadableFile(f"{name} is not a table: its lines have different numbers of columns.", advice=_WANTED)


_WANTED = "The first line should hold the column names, the first column the gene names, separated by commas, semicolons or tabs."


def _numeric(lines: list[str], delimiter: str) -> bool:
    """Whether at least half of the last fields are numbers or missing: rules out a delimiter that merely occurs in names."""
    last = [_split(line, delimiter)[-1].strip() for line in lines]
    good = sum(field in _MISSING or _number(field) for field in last)
    return 2 * good >= len(last)


def _number(field: str) -> bool:
    try:
        float(field.replace(",", ""))
    except ValueError:
        return False
    return True


def _decimal(lines: list[str], delimiter: str, name: str) -> str:
    if delimiter == ",":
        return "."
    fields = [f for line in lines if line.strip() for f in _split(line, delimiter)[1:] if "," in f]
    commas = [f for f in fields if _DECIMAL_COMMA.match(f)]
    if not commas or len(commas) < len(fields):
        return "."  # a field like 1,234.5 is then refused as no number, with its place
    if delimiter != ";" and all(_THOUSANDS.match(f) for f in commas):
        raise BadValues(
            f'In {name} it cannot be told whether the comma in "{commas[0]}" is a decimal comma or separates thousands.',
            advice="Export the numbers with a decimal point.",
        )
    return ","


def _body(text: str, skip: int, delimiter: str, decimal: str, columns: list[str], first: int, name: str) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Values and gene names below the header; the values begin in column ``first``."""
    wanted = range(first + len(columns))
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=None,
            index_col=False,
            skiprows=skip + 1,
            names=list(wanted),
            dtype=dict.fromkeys(wanted[:first], str),
            decimal=decimal,
            na_values=dict.fromkeys(wanted[first:], _MISSING),  # a gene may well be called NA
            keep_default_na=False,
            skipinitialspace=delimiter == " ",
            float_precision="round_trip" if decimal == "." else None,
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        found = re.search(r"line (\d+)", str(error))
        what = f"is not a table: line {found.group(1)} has another number of columns" if found else "is damaged or not a table"
        raise UnreadableFile(f"{name} {what}.", advice=_WANTED) from None
    genes = [str(gene) for gene in frame[0]]
    frame = frame.iloc[:, first:]
    for i, kind in enumerate(frame.dtypes):
        if kind.kind not in "iuf":
            _refuse_text(frame.iloc[:, i], genes, columns[i], i, name)
    return np.ascontiguousarray(frame.to_numpy(dtype=np.float64)), genes


def _refuse_text(column: pd.Series, genes: list[str], label: str, at: int, name: str) -> None:
    numbers = pd.to_numeric(column, errors="coerce").isna() & column.notna() if column.dtype != bool else column.notna()
    bad = np.flatnonzero(numbers.to_numpy())
    if not len(bad):  # whole numbers beyond 64 bits arrive as text and are numbers all the same
        return
    first = int(bad[0])
    raise BadValues(
        f'{name}: the value "{str(column.iloc[first])[:40]}" of gene {genes[first][:60]} in column {(label or str(at + 1))[:60]} is not a number.',
        advice="Use plain numbers with a decimal point (a comma where semicolons separate the columns) and without thousands separators; "
        "the gene names should be the only column of text.",
    )


def _from_rows(rows: list[list[object]], name: str, notes: list[str]) -> Table:
    """A sheet's rows: the first one the header."""
    width = max(len(row) for row in rows)
    header = ["" if v is None else str(v) for v in rows[0]] + [""] * (width - len(rows[0]))
    genes: list[str] = []
    values = np.full((len(rows) - 1, width - 1), np.nan)
    for i, row in enumerate(rows[1:]):
        gene = "" if not row or row[0] is None else str(row[0])
        genes.append(gene)
        for j, value in enumerate(row[1:]):
            if value is None or (isinstance(value, str) and value.strip() in _MISSING):
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise BadValues(
                    f'{name}: the value "{str(value)[:40]}" of gene {gene[:60]} in column {header[j + 1][:60]} is not a number.',
                    advice="Format the cells as numbers and save the file again.",
                )
            values[i, j] = value
    return _checked(values, genes, header[1:], name, notes)


def _checked(values: npt.NDArray[np.float64], genes: list[str], columns: list[str], name: str, notes: list[str]) -> Table:
    columns, stripped = [c.strip() for c in columns], [g.strip() for g in genes]
    changed = sum(a != b for a, b in zip(genes, stripped, strict=True))
    if changed:
        notes.append(f"Blanks around {changed} gene names were removed.")
    while columns and not columns[-1] and np.isnan(values[:, -1]).all():  # a delimiter at the end of every line
        columns, values = columns[:-1], values[:, :-1]
    full = [i for i, gene in enumerate(stripped) if gene or not np.isnan(values[i]).all()]
    if len(full) < len(stripped):  # lines of nothing but delimiters
        stripped, values = [stripped[i] for i in full], values[full]
    if "" in columns:
        raise BadNames(f"{name}: column {columns.index('') + 2} has no name in the first line.", advice=_WANTED)
    if "" in stripped:
        raise BadNames(f"{name}: line {stripped.index('') + 2} has no gene name.", advice=_WANTED)
    return Table(values, stripped, columns, tuple(notes))
