"""Reads text tables: genes x cells, types or samples, first column gene names, first line column
names.

The header is read here and not by pandas, which would rename the cell types that a single-cell
table repeats on purpose.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.readers.column_kinds import Column
from gui.data.readers.sniff import first_bytes, looks_like
from gui.data.readers.table_columns import headerless, place_columns, without_header
from gui.data.readers.textfile import DELIMITERS, after_lines, decoded, first_lines, records
from gui.errors import BadNames, BadValues, UnreadableFile

MISSING = [
    "",
    "NA",
    "N/A",
    "NaN",
    "nan",
    "NULL",
    "null",
    "#N/A",
    "#NA",
    "-NaN",
    "-nan",
    "<NA>",
    "None",
]
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*$")
# three digits may be a group of thousands
_DECIMAL_POINT = re.compile(r"^\s*[-+]?\d+\.(\d{1,2}|\d{4,})\s*$")
_GROUPED_COMMA = re.compile(r"^\s*[-+]?[1-9]\d{0,2}([.'\s]\d{3})+,\d+\s*$")
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
_WANTED = (
    "The first line should hold the column names, the first column the gene names, separated by"
    " commas, semicolons or tabs."
)
_GCT = ("1.2", "1.3")
_TRUTH = frozenset({"true", "false"})
_COUNTS_WANTED = "Choose the table that holds the counts or other values of expression."
_HUGE_EXPONENT = re.compile(r"[eE][-+]?\d{5}")


@dataclass(frozen=True, eq=False)
class Table:
    """values : genes x columns, float64, NaN where nothing stands; genes, columns : as written, may
    repeat; notes : sentences.

    sheets, sheet : of a workbook, and the one that was read; texts : further columns of text, one
    entry per gene (GCT's descriptions) traits : what was unusual -> its sentence among the notes:
    "thousands-separator", "sheet" (of several), "other-sheet" (than the first), "encoding-guessed",
    "genes-stripped", "columns-left-out", "genes-column", "blank-names", "summary-rows"
    left_out : column of numbers that is no sample -> what it holds
    """

    values: npt.NDArray[np.float64]
    genes: list[str]
    columns: list[str]
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    """Where the values are. skip : lines above the first gene; first : columns of text in front of
    the values; texts : names of all but the first; corner : name of the first column; note : a
    sentence on what was skipped.
    """

    delimiter: str
    columns: list[str]
    skip: int
    first: int = 1
    texts: tuple[str, ...] = ()
    genes: int | None = None
    corner: str = ""
    note: str = ""


def read_table(
    path: Path,
    name: str | None = None,
    *,
    sheet: str | None = None,
    samples: Sequence[str] = (),
) -> Table:
    """Read ``.csv``, ``.tsv``, ``.txt`` (also ``.gz``), GCT 1.2 and 1.3, or a sheet of an ``.xlsx``
    (None: the first with a table). samples : the columns that are samples; empty: as recognised.

    Raises UnreadableFile (missing, empty, damaged, not a table), BadValues (text where a number
    should be), BadNames (nameless gene or column).
    """
    name = name or path.name
    if looks_like(first_bytes(path, name)) == "a ZIP or Excel file":
        from gui.data.readers.excel import read_excel

        book = read_excel(path, name, sheet)
        kind = "sheet" if book.sheet == book.sheets[0] else "other-sheet"
        return _from_rows(
            book.rows,
            name,
            book.notes,
            dict(zip([kind], book.notes, strict=False)),
            book.sheets,
            book.sheet,
            samples,
        )
    if sheet is not None:
        raise UnreadableFile(f"{name} is no workbook and has no sheet {sheet[:60]}.")
    text, notes = decoded(path, name)
    traits = {"encoding-guessed": notes[0]} if notes else {}
    text = _series_matrix(text)
    lines = first_lines(text)
    if not any(line.strip() for line in lines):
        raise UnreadableFile(f"{name} is empty: it holds blank lines only.")
    version = re.fullmatch(r"#(\d{1,3}\.\d{1,3})", lines[0].strip()[:10])
    gct = version is not None and version.group(1) in _GCT
    if version is not None and not gct:
        raise UnreadableFile(
            f"{name} is a GCT file of version {version.group(1)}; this program reads"
            f" {' and '.join(_GCT)}.",
            advice="Save it as GCT 1.3 or as .csv.",
        )
    layout = _gct(lines, name) if gct else _layout(lines, name)
    if gct:
        notes.append(f"Read as GCT {lines[0].strip()[1:]}.")
    elif layout.delimiter not in (",", "\t"):
        notes.append(f"Columns are separated by a {DELIMITERS[layout.delimiter]}.")
    decimal = _decimal(first_lines(text[after_lines(text, layout.skip) :][: 1 << 22]), layout, name)
    if decimal == ",":
        notes.append("Numbers have a decimal comma.")
    if layout.note:
        notes.append(layout.note)
        traits["no-header" if "header" in layout.note else "comment-lines"] = layout.note
    try:
        columns, groups = _body(text, layout, decimal, name)
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
    if layout.genes is not None and layout.genes != len(columns[0]):
        raise UnreadableFile(
            f"{name} is incomplete: its second line tells of {layout.genes} genes, but"
            f" {len(columns[0])} follow."
        )
    if gct:
        texts = {column: list(columns[i + 1]) for i, column in enumerate(layout.texts)}
        values = np.column_stack(columns[layout.first :])
        genes = [str(gene) for gene in columns[0]]
        return _checked(values, genes, layout.columns, name, notes, traits, texts=texts)
    return _placed([layout.corner, *layout.columns], columns, name, notes, traits, samples, decimal)


def _placed(
    header: list[str],
    columns: list[Column],
    name: str,
    notes: list[str],
    traits: dict[str, str],
    samples: Sequence[str],
    decimal: str = ".",
) -> Table:
    """The table of the columns that are samples."""
    header = [title.strip() for title in header]
    while len(header) > 1 and not header[-1] and _empty(columns[-1]):
        header, columns = header[:-1], columns[:-1]  # a delimiter at the end of every line
    stripped = _strip_genes(columns[0], notes, traits)
    columns = [stripped, *columns[1:]]
    full = [i for i, gene in enumerate(stripped) if gene or not _blank_row(columns[1:], i)]
    if len(full) < len(stripped):  # lines of nothing but delimiters
        columns = [c[full] if isinstance(c, np.ndarray) else [c[i] for i in full] for c in columns]
    placed = place_columns(header, columns, name, samples, decimal)
    table = _checked(
        placed.values,
        placed.genes,
        placed.columns,
        name,
        [*notes, *placed.notes],
        {**traits, **placed.traits},
        texts=placed.texts,
    )
    return replace(table, left_out=placed.left_out)


def _strip_genes(column: Column, notes: list[str], traits: dict[str, str]) -> list[str]:
    genes = [str(gene) for gene in column]
    stripped = [gene.strip() for gene in genes]
    if changed := sum(a != b for a, b in zip(genes, stripped, strict=True)):
        notes.append(f"Blanks around {changed} gene names were removed.")
        traits["genes-stripped"] = notes[-1]
    return stripped


def _empty(column: Column) -> bool:
    if isinstance(column, np.ndarray):
        return bool(np.isnan(column).all())
    return not any(column)


def _blank_row(columns: list[Column], at: int) -> bool:
    return all(
        np.isnan(c[at]) if isinstance(c, np.ndarray) else not str(c[at]).strip() for c in columns
    )


def _series_matrix(text: str) -> str:
    """The table within a GEO series matrix file; other text as it is."""
    if not text.startswith("!"):
        return text
    begin = text.find("\n!series_matrix_table_begin")
    if begin < 0:
        return text
    begin = text.find("\n", begin + 1) + 1
    end = text.find("\n!series_matrix_table_end", begin)
    return text[begin : end + 1 if end >= 0 else None]


def _gct(lines: list[str], name: str) -> _Layout:
    """GCT: a line with the version, one with the sizes, the header; 1.3 has lines of sample
    annotation above the genes.
    """
    damaged = UnreadableFile(
        f"{name} begins like a GCT file, but its second and third lines do not fit.",
        advice="Export it again, or save it as .csv.",
    )
    try:
        sizes = [int(field) for field in lines[1].split()]
        header = records(lines[2:3], "\t")[0][0]
    except (ValueError, IndexError):
        raise damaged from None
    before, above = sizes[2:4] if len(sizes) >= 4 else (1, 0)
    if len(sizes) < 2 or before < 0 or above < 0 or len(header) < before + 2 or above > 10_000:
        raise damaged
    return _Layout(
        "\t", header[1 + before :], 3 + above, 1 + before, tuple(header[1 : 1 + before]), sizes[0]
    )


def _layout(lines: list[str], name: str) -> _Layout:
    """The delimiter and the column names."""
    blank = next(i for i, line in enumerate(lines) if line.strip())
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        raise UnreadableFile(f"{name} is not a table: it has fewer than two lines.", advice=_WANTED)
    if layout := _from_line(lines, blank):
        return layout
    start = next((i for i in range(blank, len(lines)) if lines[i].strip()[:1] not in "#"), blank)
    if start > blank and (layout := _from_line(lines, start)):
        count = sum(bool(line.strip()) for line in lines[blank:start])
        what = "1 line of comments" if count == 1 else f"{count} lines of comments"
        return replace(layout, note=f"{what} above the table skipped.")
    for start in (i for i in range(blank + 1, len(lines) - 1) if lines[i].strip()):
        for delimiter in DELIMITERS:
            found, _ = records(lines[start:], delimiter)
            if (
                len(found) > 1
                and len({len(r) for r in found}) == 1
                and len(found[0]) >= 2
                and _number(found[1][-1])
                and _numeric(found[1:])
            ):
                raise UnreadableFile(
                    f"In {name} the table seems to begin on line {start + 1}.",
                    advice="Remove the lines above the header and choose the file again.",
                )
    raise UnreadableFile(
        f"{name} is not a table: its lines have different numbers of columns.", advice=_WANTED
    )


def _from_line(lines: list[str], start: int) -> _Layout | None:
    """The layout if the table begins on this line."""
    for delimiter in DELIMITERS:
        found, height = records(lines[start:], delimiter)
        if len(found) < 2:
            continue
        header, widths = found[0], {len(record) for record in found[1:]}
        if (
            len(widths) != 1
            or (width := widths.pop()) < 2
            or len(header) not in (width, width - 1)
            or not any(map(str.strip, header[len(header) - width + 1 :]))  # a title, empty cells
            or not _numeric(found[1:])
        ):
            continue
        if len(header) == width and without_header(header, found[1]):
            first, *names = headerless(width, header[0])
            note = "The file has no header: its first line is a gene."
            return _Layout(delimiter, names, start, corner=first, note=note)
        # R's write.table leaves the corner cell out: the header is then one shorter than the lines
        corner, *names = header if len(header) == width else ["", *header]
        return _Layout(delimiter, names, start + height, corner=corner)
    return None


def _numeric(found: list[list[str]]) -> bool:
    """Whether in some column at least half of the fields are numbers, truth values or missing, and
    one is there: rules out a delimiter that merely occurs in names.
    """
    for column in zip(*(record[1:] for record in found), strict=True):
        fields = [entry.strip() for entry in column]
        good = sum(f in MISSING or f.lower() in _TRUTH or _number(f) for f in fields)
        if 2 * good >= len(fields) and any(f not in MISSING for f in fields):
            return True
    return False


def _number(entry: str) -> bool:
    try:
        float(re.sub(r"[,'\s]", "", entry))
    except ValueError:
        return bool(_GROUPED_COMMA.match(entry))
    return True


def _decimal(lines: list[str], layout: _Layout, name: str) -> str:
    if layout.delimiter == ",":
        return "."
    fields = [f for record in records(lines, layout.delimiter)[0] for f in record[layout.first :]]
    with_comma = [f for f in fields if "," in f]
    commas = [f for f in with_comma if _DECIMAL_COMMA.match(f) or _GROUPED_COMMA.match(f)]
    if not commas or len(commas) < len(with_comma) or any(map(_DECIMAL_POINT.match, fields)):
        # a field like 1,234.5 has a separator of thousands, or is refused as no number with its
        # place
        return "."
    if layout.delimiter != ";" and all(_THOUSANDS.match(f) for f in commas):
        raise BadValues(
            f'In {name} it cannot be told whether the comma in "{commas[0]}" is a decimal comma or'
            " separates thousands.",
            advice="Export the numbers with a decimal point.",
        )
    return ","


def _body(text: str, layout: _Layout, decimal: str, name: str) -> tuple[list[Column], str]:
    """The columns below the header, numbers or text, and what separates thousands ("" mostly).

    Columns in which most entries are no numbers are text.
    """
    first = layout.first
    wanted = range(first + len(layout.columns))
    handle = io.StringIO(text)
    handle.seek(after_lines(text, layout.skip))
    try:
        with warnings.catch_warnings():
            # lines longer than the header: pandas would leave the rest out
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                handle,
                sep=layout.delimiter,
                header=None,
                index_col=False,
                names=list(wanted),
                dtype=dict.fromkeys(wanted[:first], str),
                decimal=decimal,
                na_values=dict.fromkeys(wanted[first:], MISSING),  # a gene may well be called NA
                keep_default_na=False,
                skipinitialspace=layout.delimiter == " ",
                float_precision="round_trip" if decimal == "." else None,
                low_memory=False,
            )
    except pd.errors.ParserWarning:
        raise UnreadableFile(
            f"{name} is not a table: its lines have more columns than its header.", advice=_WANTED
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        found = re.search(r"line (\d+)", str(error))
        what = (
            f"is not a table: line {int(found.group(1)) + layout.skip} has another number of"
            " columns"
            if found
            else "is damaged or not a table"
        )
        raise UnreadableFile(f"{name} {what}.", advice=_WANTED) from None
    genes = [str(gene) for gene in frame[0]]
    words = set(range(1, first))
    odd = [i for i in wanted[first:] if frame[i].dtype.kind not in "iuf"]
    if layout.genes is None and len(odd) < len(wanted) - first:  # some column is of numbers
        words |= {i for i in odd if _is_text(frame[i], decimal)}
    elif layout.genes is None and odd:
        kinds = {i: _is_text(frame[i], decimal) for i in odd}
        words |= {i for i in odd if kinds[i]} if not all(kinds.values()) else set()
    odd = [i for i in odd if i not in words]
    groups = _groups([frame[i] for i in odd], decimal) if odd else ""
    if groups:
        frame = frame.astype(dict.fromkeys(odd, object))
        for i in odd:
            plain = (
                frame[i].str.replace(groups, "", regex=False).str.replace(decimal, ".", regex=False)
            )
            frame[i] = _numbers(plain)
    for i in odd if not groups else []:
        _refuse_text(frame[i], genes, layout.columns[i - first], i - first, name)
    columns: list[Column] = [genes]
    for i in wanted[1:]:
        if i in words:
            columns.append(["" if pd.isna(v) else str(v).strip() for v in frame[i]])
        else:
            columns.append(frame[i].to_numpy(dtype=np.float64))
    return columns, groups


def _is_text(column: pd.Series, decimal: str) -> bool:
    """Whether most entries are no numbers; truth values are none."""
    filled = column.dropna()
    few = filled.iloc[:: max(1, len(filled) // 500)].astype(str)
    numbers = sum(_number(v.strip()) and v.strip().lower() not in _TRUTH for v in few)
    return len(few) > 0 and 2 * numbers < len(few)


def _groups(columns: list[pd.Series], decimal: str) -> str:
    """What separates thousands in these columns of text: only if every entry is a number then, and
    one has the decimal mark too (1,234.5).
    """
    if any(column.dtype != object for column in columns):
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
    return pd.to_numeric(
        column.mask(column.astype(str).str.contains(_HUGE_EXPONENT)), errors="coerce"
    )


def _refuse_text(column: pd.Series, genes: list[str], label: str, at: int, name: str) -> None:
    truth = column.astype(str).str.strip().str.lower().isin(_TRUTH)
    if 2 * truth.sum() > column.notna().sum():
        raise _boolean(name, genes[int(np.flatnonzero(truth)[0])], label or str(at + 1))
    none = truth | (_numbers(column).isna() & column.notna())
    bad = np.flatnonzero(none.to_numpy())
    if not len(bad):  # whole numbers beyond 64 bits arrive as text and are numbers all the same
        return
    first = int(bad[0])
    raise BadValues(
        f'{name}: the value "{str(column.iloc[first])[:40]}" of gene {genes[first][:60]} in column'
        f" {(label or str(at + 1))[:60]} is not a number.",
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
    return BadValues(message, advice=_COUNTS_WANTED)


def _from_rows(
    rows: list[list[object]],
    name: str,
    notes: list[str],
    traits: dict[str, str],
    sheets: tuple[str, ...],
    sheet: str,
    samples: Sequence[str],
) -> Table:
    """A sheet's rows: the first one the header."""
    width = max(len(row) for row in rows)
    header = ["" if v is None else str(v) for v in rows[0]] + [""] * (width - len(rows[0]))
    body = [row + [None] * (width - len(row)) for row in rows[1:]]
    genes = ["" if row[0] is None else str(row[0]) for row in body]
    cells = [[row[i] for row in body] for i in range(1, width)]
    text = [_cells_are_text(column) for column in cells]
    if all(text):
        text = [False] * len(text)
    columns: list[Column] = [genes]
    for i, column in enumerate(cells):
        if text[i]:
            columns.append(["" if v is None else str(v).strip() for v in column])
        else:
            columns.append(_cell_numbers(column, genes, header[i + 1], name))
    table = _placed(header, columns, name, notes, traits, samples)
    return replace(table, sheets=sheets, sheet=sheet)


def _cells_are_text(column: list[object]) -> bool:
    filled = [v for v in column if v is not None and str(v).strip() not in MISSING]
    numbers = sum(
        not isinstance(v, bool) and (isinstance(v, int | float) or _number(str(v))) for v in filled
    )
    return len(filled) > 0 and 2 * numbers < len(filled)


def _cell_numbers(
    column: list[object], genes: list[str], label: str, name: str
) -> npt.NDArray[np.float64]:
    """A sheet's column as numbers. BadValues for a cell that holds none."""
    values = np.full(len(column), np.nan)
    for i, value in enumerate(column):
        if value is None or (isinstance(value, str) and value.strip() in MISSING):
            continue
        if str(value).strip().lower() in _TRUTH:
            raise _boolean(name, genes[i], label)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValues(
                f'{name}: the value "{str(value)[:40]}" of gene {genes[i][:60]} in column'
                f" {label[:60]} is not a number.",
                advice="Format the cells as numbers and save the file again.",
            )
        values[i] = value
    return values


def _checked(
    values: npt.NDArray[np.float64],
    genes: list[str],
    columns: list[str],
    name: str,
    notes: list[str],
    traits: dict[str, str],
    *,
    texts: Mapping[str, list[str]] | None = None,
) -> Table:
    texts = texts or {}
    columns, stripped = [c.strip() for c in columns], [g.strip() for g in genes]
    changed = sum(a != b for a, b in zip(genes, stripped, strict=True))
    if changed:
        notes.append(f"Blanks around {changed} gene names were removed.")
        traits["genes-stripped"] = notes[-1]
    width = len(columns)
    # a delimiter at the end of every line
    while width and not columns[width - 1] and np.isnan(values[:, width - 1]).all():
        width -= 1
    columns, values = columns[:width], values[:, :width]
    full = [i for i, gene in enumerate(stripped) if gene or not np.isnan(values[i]).all()]
    if len(full) < len(stripped):  # lines of nothing but delimiters
        stripped, values = [stripped[i] for i in full], values[full]
        texts = {key: [column[i] for i in full] for key, column in texts.items()}
    if "" in columns:
        raise BadNames(
            f"{name}: column {columns.index('') + 2} has no name in the first line.", advice=_WANTED
        )
    if "" in stripped:
        raise BadNames(f"{name}: line {stripped.index('') + 2} has no gene name.", advice=_WANTED)
    return Table(values, stripped, columns, tuple(notes), texts=texts, traits=traits)
