"""Reads the entries of a table, text or a sheet: numbers, decimal marks, percent, what is missing.

Which columns are samples is told by :mod:`gui.data.readers.column_kinds`; tables of expression are
made of a grid by :mod:`gui.data.readers.expression_table`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gui.data.readers.column_kinds import Column
from gui.data.readers.column_names import is_known_of_genes
from gui.data.readers.layout import (
    GROUPED_COMMA,
    MISSING,
    TRUTH,
    WANTED,
    Layout,
    layout_of_sheet,
)
from gui.data.readers.table_text import rows_of_text
from gui.data.readers.textfile import after_lines, first_lines, records
from gui.errors import BadValues, UnreadableFile

_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*%?\s*$")
# three digits may be a group of thousands
_DECIMAL_POINT = re.compile(r"^\s*[-+]?\d+\.(\d{1,2}|\d{4,})\s*$")
_THOUSANDS = re.compile(r"^\s*[-+]?[1-9]\d{0,2}(,\d{3})+\s*$")
_GROUPS = {
    ",": "a comma",
    ".": "a point",
    "'": "an apostrophe",
    " ": "a blank",
    "\u00a0": "a blank",
    "\u202f": "a blank",
    "\u2009": "a blank",
}
_NUMBER_MARKS = re.compile(r"[-+\d.,eE%\s]{1,60}")
COUNTS_WANTED = "Choose the table that holds the counts or other values of expression."
_LIKE_NUMBER = re.compile(
    r"(?=\D{0,3}\d)[-+]?(?:\d+|\d{1,3}(?:[,.'\s\u00a0\u202f\u2009]\d{3})+)?(?:(?<=\d)[.,]\d*|[.,]\d+)?"
    r"(?:(?<=[\d.,])[eE][-+]?\d+)?|[-+]?inf(?:inity)?",
    re.IGNORECASE,
)
_HUGE_EXPONENT = re.compile(r"[eE][-+]?\d{5}")


@dataclass(frozen=True, eq=False)
class Grid:
    """A table as it stands in a file: a name and the entries for every column.

    columns : numbers, or text; first : the first column as text; line : of the first
    row; decimal : mark of numbers that are text
    """

    header: list[str]
    columns: list[Column]
    first: list[str]
    layout: Layout
    line: int
    decimal: str = "."


def grid_of_text(
    text: str, layout: Layout, name: str, notes: list[str], traits: dict[str, str]
) -> Grid:
    begin = after_lines(text, layout.skip)
    sample = first_lines(text[begin : begin + (1 << 22)])
    decimal = _decimal(sample, layout, name)
    if decimal == ",":
        notes.append("Numbers have a decimal comma.")
    try:
        frame = rows_of_text(text, layout, decimal, name)
        columns, groups, percent = _columns(frame, layout, decimal, name)
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.",
            advice="Save it as .h5ad, which needs far less memory.",
        ) from None
    if groups:
        notes.append(
            f"Numbers have {_GROUPS[groups]} between the thousands; they were read without it."
        )
        traits["thousands-separator"] = notes[-1]
    if percent:
        notes.append("Numbers have a percent sign; they were read without it.")
        traits["percent"] = notes[-1]
    return Grid(layout.header, columns, _texts(frame[0]), layout, layout.skip + 1, decimal)


def _decimal(lines: list[str], layout: Layout, name: str) -> str:
    fields = [f for record in records(lines, layout.delimiter)[0] for f in record[layout.texts :]]
    with_comma = [f for f in fields if "," in f and f[:1] not in "cCxXyY"]
    commas = [f for f in with_comma if _DECIMAL_COMMA.match(f) or GROUPED_COMMA.match(f)]
    # lists of places (chr1,chr1) are text; a field like 1,234.5 has a separator of thousands
    texts = [f for f in with_comma if re.search(r"[A-Za-z]{2}|,.*,", f[:40])]
    if (
        not commas
        or len(commas) + len(texts) < len(with_comma)
        or any(map(_DECIMAL_POINT.match, fields))
    ):
        return "."
    # one 1.234,5 between commas, among plain numbers, is a fault; of quoted ones all are so written
    if _own(layout) and any(map(GROUPED_COMMA.match, commas)) and 2 * len(commas) < len(fields):
        return "."
    if layout.delimiter != ";" and all(_THOUSANDS.match(f) for f in commas):
        raise BadValues(
            f'In {name} it cannot be told whether the comma in "{commas[0]}" is a decimal comma or'
            " separates thousands.",
            advice="Export the numbers with a decimal point.",
        )
    return ","


def _columns(
    frame: pd.DataFrame, layout: Layout, decimal: str, name: str
) -> tuple[list[Column], str, bool]:
    """Numbers or texts of every column, what separates thousands ("" mostly), and whether there
    were percent signs.
    """
    made: list[Column] = []
    odd: dict[int, pd.Series] = {}
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        if i < layout.texts:
            made.append(_texts(column))
        elif column.dtype.kind in "iuf":
            made.append(column.to_numpy(dtype=np.float64))
        else:
            made.append([])
            odd[i] = column
    percent = {i: c for i, c in odd.items() if c.dtype == object and _is_percent(c)}
    odd |= {i: c.str.strip().str.removesuffix("%").str.strip() for i, c in percent.items()}
    numeric = {i: c for i, c in odd.items() if _mostly_numbers(c, decimal)}
    groups = _groups(list(numeric.values()), decimal)
    names = _texts(frame[0])
    for i, column in odd.items():
        if i not in numeric:
            made[i] = _texts(column)
            continue
        if groups:
            column = column.str.replace(groups, "", regex=False)
        if (
            column.dtype == object
            and decimal == ","
            # pandas gives numbers beyond 64 bits as text
            and (groups or i in percent or _own(layout) or not _has_point(column))
        ):
            column = column.astype(object).where(
                column.isna(), column.astype(str).str.replace(decimal, ".", regex=False)
            )
        numbers = _numbers(column)
        if (numbers.isna() & column.notna()).any() or column.dtype.kind == "b":
            if is_known_of_genes(layout.header[i]):
                made[i] = _texts(frame.iloc[:, i])
                continue
            _refuse_text(frame.iloc[:, i], names, layout.header[i], i, name)
        made[i] = numbers.to_numpy(dtype=np.float64)
    if not any(isinstance(c, np.ndarray) for c in made) and (
        truth := _first_truth_value(odd, names)
    ):
        i, gene = truth
        raise _boolean(name, gene, layout.header[i] or str(i + 1))
    return made, groups, bool(percent)


def _own(layout: Layout) -> bool:
    """Whether the decimal comma is the comma between columns, which pandas cannot tell apart."""
    return layout.delimiter == ","


def _has_point(column: pd.Series) -> bool:
    return bool(column.astype(str).str.contains(".", regex=False).any())


def _texts(column: pd.Series) -> list[str]:
    missing = column.isna().to_numpy()
    return ["" if none else str(v) for v, none in zip(column, missing, strict=True)]


def _is_percent(column: pd.Series) -> bool:
    filled = column.dropna().astype(str).str.strip()
    signs = filled.str.endswith("%")
    return len(filled) > 0 and bool((signs | filled.isin(["0", "-"])).all() and signs.any())


def _mostly_numbers(column: pd.Series, decimal: str) -> bool:
    """Whether a column of mixed entries holds numbers: what is none of them is a fault then."""
    if column.dtype.kind in "iuf":
        return True
    filled = column.dropna().astype(str)
    few = filled.iloc[:: max(1, len(filled) // 2000)].str.strip()
    numbers = few.str.fullmatch(_LIKE_NUMBER)
    return len(few) > 0 and 2 * int(numbers.sum()) >= len(few)


def _first_truth_value(odd: Mapping[int, pd.Series], genes: list[str]) -> tuple[int, str] | None:
    for i, column in odd.items():
        truth = column.astype(str).str.strip().str.lower().isin(TRUTH)
        if 2 * int(truth.sum()) > int(column.notna().sum()):
            return i, genes[int(np.flatnonzero(truth)[0])]
    return None


def _groups(columns: list[pd.Series], decimal: str) -> str:
    """What separates thousands in these columns of text: only if every entry is a number then, and
    one has the decimal mark too (1,234.5).
    """
    if not columns or any(column.dtype != object for column in columns):
        return ""
    for mark in _GROUPS:
        if mark == decimal:
            continue
        group, point = re.escape(mark), re.escape(decimal)
        whole = re.compile(
            rf"\s*[-+]?(?:\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d*)?|\d+(?:{point}\d*)?(?:[eE][-+]?\d+)?)\s*"
        )
        both = re.compile(rf"\s*[-+]?\d{{1,3}}(?:{group}\d{{3}})+{point}\d+\s*")
        filled = [column.dropna().astype(str) for column in columns]
        if all(f.str.fullmatch(whole).all() for f in filled) and any(
            f.str.fullmatch(both).any() for f in filled
        ):
            return mark
    return ""


def _numbers(column: pd.Series) -> pd.Series:
    """Texts as numbers, NaN for those that are none.

    One with a huge exponent is none: pandas (2.3) ends the process over 1e999999999999.
    """
    found = pd.to_numeric(
        column.mask(column.astype(str).str.contains(_HUGE_EXPONENT)), errors="coerce"
    )
    if column.dtype != object:
        return found
    # pandas is wrong in the last bit of some
    there = found.notna().to_numpy()
    numbers = found.to_numpy(dtype=np.float64, copy=True)
    numbers[there] = [float(v) for v in column[there]]
    return pd.Series(numbers, index=column.index)


def _refuse_text(column: pd.Series, genes: list[str], label: str, at: int, name: str) -> None:
    truth = column.astype(str).str.strip().str.lower().isin(TRUTH)
    if 2 * truth.sum() > column.notna().sum():
        raise _boolean(name, genes[int(np.flatnonzero(truth)[0])], label or str(at))
    none = truth | (_numbers(column).isna() & column.notna())
    bad = np.flatnonzero(none.to_numpy())
    if not len(bad):  # whole numbers beyond 64 bits arrive as text and are numbers all the same
        return
    first = int(bad[0])
    raise _no_number(name, str(column.iloc[first]), genes[first], label or str(at))


def _no_number(name: str, value: str, gene: str, label: str) -> BadValues:
    return BadValues(
        f'{name}: the value "{value[:40]}" of gene {gene[:60]} in column {label[:60]} is not a'
        " number.",
        advice=(
            "Use plain numbers with a decimal point (a comma where semicolons separate the columns)"
            " and without thousands separators; the gene names should be the only column of text."
        ),
    )


def _boolean(name: str, gene: str, label: str) -> BadValues:
    message = (
        f"{name} holds TRUE and FALSE instead of numbers, as for gene {gene[:60]} in column"
        f" {label[:60]}: whether a gene was detected, not how much."
    )
    return BadValues(message, advice=COUNTS_WANTED)


def grid_of_rows(rows: list[list[object]], name: str) -> Grid:
    """Of a sheet."""
    width = max(len(row) for row in rows)
    shown = [["" if v is None else str(v) for v in row] for row in rows[:100]]
    layout = layout_of_sheet(shown)
    if layout is None:
        raise UnreadableFile(f"{name} holds no table of numbers.", advice=WANTED)
    body = [[*row, *[None] * (width - len(row))] for row in rows[layout.skip :]]
    names = ["" if row[0] is None else str(row[0]) for row in body]
    columns: list[Column] = [names]
    marked: set[str] = set()
    written = _marks_in([v for row in body for v in row[1:] if isinstance(v, str)])
    for j in range(1, width):
        cells = [row[j] for row in body]
        column, marks = _column_of_cells(cells, names, layout.header[j], j, name, written)
        columns.append(column)
        marked |= marks
    if not any(isinstance(c, np.ndarray) for c in columns):
        for j in range(1, width):
            for row in body:
                if isinstance(row[j], bool) or str(row[j]).strip().lower() in TRUTH:
                    raise _boolean(name, str(row[0]), layout.header[j] or str(j))
    notes = dict(layout.notes)
    if "text" in marked:
        notes["text-numbers"] = "Numbers are stored as text in the sheet; they were read as such."
    if "text" in marked and written.groups:
        said = f"Numbers have {_GROUPS[written.groups]} between the thousands"
        notes["thousands-separator"] = f"{said}; they were read without it."
    if "percent" in marked:
        notes["percent"] = "Numbers have a percent sign; they were read without it."
    return Grid(layout.header, columns, names, replace(layout, notes=notes), layout.skip + 1)


def _column_of_cells(
    cells: list[object], genes: list[str], label: str, at: int, name: str, written: _Marks
) -> tuple[Column, set[str]]:
    """Numbers where most cells are some, and how they were written: "text", "percent".

    written : the marks of numbers that are text
    """
    filled = [(i, v) for i, v in enumerate(cells) if not _is_missing(v)]
    made = np.full(len(cells), np.nan)
    marks: set[str] = set()
    bad: list[int] = []
    good = 0
    for i, value in filled:
        if isinstance(value, int | float) and not isinstance(value, bool):
            made[i] = value
            good += 1
            continue
        found = _number_of_text(value, written) if isinstance(value, str) else None
        if found is None:
            bad.append(i)
            continue
        made[i] = found
        good += 1
        marks.add("percent" if "%" in str(value) else "text")
    if "percent" in marks:  # a cell formatted as a percentage holds 0.12, one of text says 12%
        bad += [i for i, v in filled if isinstance(v, int | float) and v]
    if not bad and (good or not filled):
        return made, marks
    if good and good >= len(bad) and not is_known_of_genes(label):
        raise _no_number(name, str(cells[bad[0]]), genes[bad[0]], label or str(at))
    return ["" if v is None else str(v) for v in cells], set()


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in MISSING)


@dataclass(frozen=True)
class _Marks:
    """How numbers that are text are written: the decimal mark, and what separates thousands."""

    decimal: str = "."
    groups: str = ""

    @property
    def form(self) -> re.Pattern[str]:
        """Of a number with its thousands separated."""
        groups, decimal = re.escape(self.groups), re.escape(self.decimal)
        return re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:{groups}\d{{3}})+(?:{decimal}\d+)?")


def _marks_in(texts: list[str]) -> _Marks:
    """The marks with which the numbers among the texts of a sheet can be read in one way only."""
    if _commas_are_decimal(texts):
        return _Marks(",")
    numbers = [n for t in texts if (n := _bare(t)) and _LIKE_NUMBER.fullmatch(n)]
    odd = [n for n in numbers if _float(n) is None]
    if not odd:
        return _Marks()
    for decimal, groups in ((".", ","), (",", "."), (".", "'"), (".", " "), (",", " ")):
        marks = _Marks(decimal, groups)
        grouped = [n for n in odd if marks.form.fullmatch(n)]
        told = groups not in ",." or any(decimal in n or n.count(groups) > 1 for n in grouped)
        plain = sum(_float(n.replace(decimal, ".")) is not None for n in odd if groups not in n)
        if told and len(grouped) + plain >= 0.9 * len(odd):  # the others are named as faults
            return marks
    return _Marks()


def _bare(text: str) -> str:
    """Without a percent sign and blanks around, and with one kind of blank."""
    if len(text) > 60:
        return ""
    text = text.strip().removesuffix("%").strip()
    return re.sub(r"[\u00a0\u202f\u2009]", " ", text)


def _commas_are_decimal(texts: list[str]) -> bool:
    """Whether the commas in numbers are decimal ones: all may be, and one cannot be another."""
    commas = [t for t in texts if "," in t and _NUMBER_MARKS.fullmatch(t)]
    return all(_DECIMAL_COMMA.match(t) for t in commas) and any(
        not _THOUSANDS.match(t) or t.strip().startswith("0,") for t in commas
    )


def _number_of_text(value: str, marks: _Marks) -> float | None:
    text = _bare(value)
    if marks.groups and marks.groups in text:
        if not marks.form.fullmatch(text):
            return None
        text = text.replace(marks.groups, "")
    return _float(text.replace(marks.decimal, "."))


def _float(text: str) -> float | None:
    if not text or _HUGE_EXPONENT.search(text) or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
