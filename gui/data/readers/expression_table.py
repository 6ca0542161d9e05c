"""Reads tables of expression: text or a sheet, genes in rows, samples, cells or types in columns.

The header is read here and not by pandas, which would rename the cell types that a single-cell
table repeats on purpose. Which columns are samples is told by
:mod:`gui.data.readers.column_kinds`, where the table begins by :mod:`gui.data.readers.layout`.
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

from gui.data.readers.column_kinds import Column, plain
from gui.data.readers.column_names import SAMPLE_ANNOTATION, SAMPLE_TOTAL, TOTAL
from gui.data.readers.layout import (
    GROUPED_COMMA,
    MISSING,
    TRUTH,
    WANTED,
    Layout,
    cut_series_matrix,
    layout_of_sheet,
    layout_of_text,
)
from gui.data.readers.sniff import first_bytes, looks_like
from gui.data.readers.table_columns import headerless, place_columns
from gui.data.readers.textfile import (
    DELIMITERS,
    after_lines,
    decoded,
    first_lines,
    records,
)
from gui.errors import BadNames, BadValues, UnreadableFile
from gui.text import shorten, some

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
_GCT = ("1.2", "1.3")
_COUNTS_WANTED = "Choose the table that holds the counts or other values of expression."
_HUGE_EXPONENT = re.compile(r"[eE][-+]?\d{5}")
_MIN_GENES_IN_HEADER = 10
"""Names of columns from which on it is asked whether they are genes."""


@dataclass(frozen=True)
class Origin:
    """Where in a text the values are. header : as used; genes, samples : positions of columns."""

    layout: Layout
    header: tuple[str, ...]
    genes: int
    samples: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read, genes x columns.

    Parameters
    ----------
    values
        float64, NaN where nothing stands.
    genes, columns
        As written; they may repeat.
    notes
        Sentences on what was done.
    sheets, sheet
        Of a workbook: the names of all, and the one that was read.
    texts
        Further columns that name or describe the genes, one entry per gene.
    above
        Further rows of names above the values, one entry per column.
    traits
        What was unusual -> its sentence among the notes, see
        :data:`gui.data.validation.findings.TRAITS`.
    left_out
        Column of numbers that is no sample -> what it holds.
    samples_in_rows
        Whether the columns are genes and the rows samples or cells.
    origin
        Where the values were, for files like this one.
    """

    values: npt.NDArray[np.float64]
    genes: list[str]
    columns: list[str]
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    above: Mapping[str, list[str]] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    samples_in_rows: bool = False
    origin: Origin | None = None

    def transposed(self) -> Table:
        """With rows and columns exchanged; texts become rows above the values."""
        return replace(
            self,
            values=np.ascontiguousarray(self.values.T),
            genes=self.columns,
            columns=self.genes,
            texts={},
            above=self.texts,
            samples_in_rows=False,
        )


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


def read_table(
    path: Path, name: str | None = None, *, sheet: str | None = None, samples: Sequence[str] = ()
) -> Table:
    """Read a table of text (also packed), GCT 1.2 and 1.3, or a sheet of an ``.xlsx``.

    Parameters
    ----------
    sheet
        Of a workbook; None: the first with a table.
    samples
        The columns that are samples; empty: as recognised.

    Raises
    ------
    UnreadableFile
        Missing, empty, damaged, not a table.
    BadValues
        Text where a number should be.
    BadNames
        A column of values without a name.
    """
    name = name or path.name
    if looks_like(first_bytes(path, name)) == "a ZIP or Excel file":
        from gui.data.readers.excel import read_excel

        book = read_excel(path, name, sheet)
        kind = "sheet" if book.sheet == book.sheets[0] else "other-sheet"
        traits = dict(zip([kind], book.notes, strict=False))
        table = table_of_grid(
            _grid_of_rows(book.rows, name), name, list(book.notes), traits, samples
        )
        return replace(table, sheets=book.sheets, sheet=book.sheet)
    if sheet is not None:
        raise UnreadableFile(f"{name} is no workbook and has no sheet {sheet[:60]}.")
    text, notes = decoded(path, name)
    return table_of_text(text, name, notes, samples)


def table_of_text(text: str, name: str, notes: list[str], samples: Sequence[str] = ()) -> Table:
    """The table in a text. notes : on how it was decoded. Raises as :func:`read_table`."""
    traits = {"encoding-guessed": notes[0]} if notes else {}
    if not text.strip():
        raise UnreadableFile(f"{name} is empty: it holds blank lines only.")
    text, from_geo = cut_series_matrix(text, name)
    if from_geo:
        notes.append("Read as a series matrix file of GEO.")
    first = text[: text.find("\n") if "\n" in text else len(text)].strip()[:10]
    version = re.fullmatch(r"#(\d{1,3}\.\d{1,3})", first)
    gct = version is not None and version.group(1) in _GCT
    if version is not None and not gct:
        raise UnreadableFile(
            f"{name} is a GCT file of version {version.group(1)}; this program reads"
            f" {' and '.join(_GCT)}.",
            advice="Save it as GCT 1.3 or as .csv.",
        )
    layout = _gct(first_lines(text), name) if gct else layout_of_text(text, name)
    if gct:
        notes.append(f"Read as GCT {first[1:]}.")
    elif layout.delimiter not in (",", "\t"):
        notes.append(f"Columns are separated by a {DELIMITERS[layout.delimiter]}.")
    grid = _grid_of_text(text, layout, name, notes, traits)
    if layout.genes is not None and layout.genes != len(grid.first):
        raise UnreadableFile(
            f"{name} is incomplete: its second line tells of {layout.genes} genes, but"
            f" {len(grid.first)} follow."
        )
    return table_of_grid(grid, name, notes, traits, samples)


def _gct(lines: list[str], name: str) -> Layout:
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
    return Layout("\t", header, 3 + above, texts=1 + before, genes=sizes[0])


# -- the entries
# --------------------------------------------------------------------------------------------------


def _grid_of_text(
    text: str, layout: Layout, name: str, notes: list[str], traits: dict[str, str]
) -> Grid:
    sample = first_lines(text[after_lines(text, layout.skip) :][: 1 << 22])
    decimal = _decimal(sample, layout, name)
    if decimal == ",":
        notes.append("Numbers have a decimal comma.")
    try:
        frame = _frame(text, layout, decimal, name)
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
    if _own(layout) and any(map(GROUPED_COMMA.match, commas)):
        return "."
    if layout.delimiter != ";" and all(_THOUSANDS.match(f) for f in commas):
        raise BadValues(
            f'In {name} it cannot be told whether the comma in "{commas[0]}" is a decimal comma or'
            " separates thousands.",
            advice="Export the numbers with a decimal point.",
        )
    return ","


def _frame(text: str, layout: Layout, decimal: str, name: str) -> pd.DataFrame:
    """Everything below the header; the first columns are text, the others numbers where pandas
    finds nothing else.
    """
    width = len(layout.header)
    wanted = range(width)
    handle = io.StringIO(text)
    handle.seek(after_lines(text, layout.skip))
    try:
        with warnings.catch_warnings():
            # lines longer than the header: pandas would leave the rest out
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                handle,
                sep=layout.delimiter,
                header=None,
                index_col=False,
                names=list(wanted),
                dtype=dict.fromkeys(wanted[: layout.texts], str),
                decimal=decimal if decimal != layout.delimiter else ".",
                # a gene may well be called NA
                na_values=dict.fromkeys(wanted[layout.texts :], MISSING),
                keep_default_na=False,
                skipinitialspace=layout.delimiter == " ",
                float_precision="round_trip" if decimal == "." else None,
                low_memory=False,
            )
    except pd.errors.ParserWarning:
        raise UnreadableFile(
            f"{name} is not a table: its lines have more columns than its header.", advice=WANTED
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        found = re.search(r"line (\d+)", str(error))
        what = (
            f"is not a table: line {int(found.group(1)) + layout.skip} has another number of"
            " columns"
            if found
            else "is damaged or not a table"
        )
        raise UnreadableFile(f"{name} {what}.", advice=WANTED) from None


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
        if column.dtype == object and decimal == "," and (groups or i in percent or _own(layout)):
            column = column.astype(object).where(
                column.isna(), column.astype(str).str.replace(decimal, ".", regex=False)
            )
        numbers = _numbers(column)
        if (numbers.isna() & column.notna()).any() or column.dtype.kind == "b":
            _refuse_text(frame.iloc[:, i], names, layout.header[i], i, name)
        made[i] = numbers.to_numpy(dtype=np.float64)
    if not any(isinstance(c, np.ndarray) for c in made) and (truth := _first_truth(odd, names)):
        i, gene = truth
        raise _boolean(name, gene, layout.header[i] or str(i + 1))
    return made, groups, bool(percent)


def _own(layout: Layout) -> bool:
    """Whether the decimal comma is the comma between columns, which pandas cannot tell apart."""
    return layout.delimiter == ","


def _texts(column: pd.Series) -> list[str]:
    return ["" if pd.isna(v) else str(v) for v in column]


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
    bare = few.str.replace(r"[,.'\s\u00a0\u202f\u2009]", "", regex=True)
    numbers = bare.str.fullmatch(r"[-+]?\d+(?:[eE][-+]?\d+)?|[-+]?inf(?:inity)?", case=False)
    return len(few) > 0 and 2 * int(numbers.sum()) >= len(few)


def _first_truth(odd: Mapping[int, pd.Series], genes: list[str]) -> tuple[int, str] | None:
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
    return pd.to_numeric(
        column.mask(column.astype(str).str.contains(_HUGE_EXPONENT)), errors="coerce"
    )


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
    return BadValues(message, advice=_COUNTS_WANTED)


def _grid_of_rows(rows: list[list[object]], name: str) -> Grid:
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
    for j in range(1, width):
        column, marks = _column_of_cells([row[j] for row in body], names, layout.header[j], j, name)
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
    if "percent" in marked:
        notes["percent"] = "Numbers have a percent sign; they were read without it."
    return Grid(layout.header, columns, names, replace(layout, notes=notes), layout.skip + 1)


def _column_of_cells(
    cells: list[object], genes: list[str], label: str, at: int, name: str
) -> tuple[Column, set[str]]:
    """Numbers where most cells are some, and how they were written: "text", "percent"."""
    filled = [(i, v) for i, v in enumerate(cells) if not _is_missing(v)]
    made = np.full(len(cells), np.nan)
    marks: set[str] = set()
    bad: list[int] = []
    good = 0
    texts = [str(v) for _, v in filled if isinstance(v, str)]
    comma = bool(texts) and _commas_are_decimal(texts)
    for i, value in filled:
        if isinstance(value, int | float) and not isinstance(value, bool):
            made[i] = value
            good += 1
            continue
        found = _number_of_text(value, comma) if isinstance(value, str) else None
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
    if good and good >= len(bad):
        raise _no_number(name, str(cells[bad[0]]), genes[bad[0]], label or str(at))
    return ["" if v is None else str(v) for v in cells], set()


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in MISSING)


def _commas_are_decimal(texts: list[str]) -> bool:
    commas = [t for t in texts if "," in t]
    return bool(commas) and all(
        (_DECIMAL_COMMA.match(t) and not _THOUSANDS.match(t)) or t.startswith("0,") for t in commas
    )


def _number_of_text(value: str, comma: bool) -> float | None:
    text = value.strip().removesuffix("%").strip()
    text = text.replace(",", ".") if comma else text
    if len(text) > 60 or _HUGE_EXPONENT.search(text) or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


# -- from entries to genes and samples
# --------------------------------------------------------------------------------------------------


def table_of_grid(
    grid: Grid, name: str, notes: list[str], traits: dict[str, str], samples: Sequence[str] = ()
) -> Table:
    """Genes and samples of what stands in a file; says what was left out."""
    for trait, said in grid.layout.notes.items():
        notes.append(said)
        traits[trait] = said
    grid = _without_empty(grid)
    first = [gene.strip() for gene in grid.first]
    if changed := sum(a != b for a, b in zip(grid.first, first, strict=True)):
        notes.append(f"Blanks around {changed} gene names were removed.")
        traits["genes-stripped"] = notes[-1]
    grid = replace(grid, first=first, columns=[first, *grid.columns[1:]])
    if grid.layout.texts > 1:
        return _whole(grid, name, notes, traits)
    if _genes_in_header(grid):
        # rows are samples: the genes are no statistics, whatever they are called
        grid = _with_names_of_rows(_only_genes(grid, notes, traits))
        return replace(_whole(grid, name, notes, traits), samples_in_rows=True)
    header = grid.header
    if grid.layout.missing_header:
        header = headerless(len(header), first[0])
        notes.append(f"The first line holds a gene ({shorten(first[0], 40)}) and no header.")
        traits["no-header"] = notes[-1]
    placed = place_columns(header, grid.columns, name, samples, grid.decimal)
    taken = placed.taken
    above = {key: [row[i - 1] for i in taken] for key, row in grid.layout.above.items()}
    table = checked(
        placed.values,
        placed.genes,
        placed.columns,
        name,
        [*notes, *placed.notes],
        {**traits, **placed.traits},
        placed.texts,
        above,
        grid.line,
    )
    origin = Origin(grid.layout, tuple(header), placed.gene_column, taken)
    return replace(table, left_out=placed.left_out, origin=origin)


def _only_genes(grid: Grid, notes: list[str], traits: dict[str, str]) -> Grid:
    """Without the columns of numbers that say something else of the samples: age, nCount_RNA."""
    from gui.knowledge.gene_names import recognise

    other = [
        i
        for i, column in enumerate(grid.columns)
        if i
        and isinstance(column, np.ndarray)
        and (
            (name := plain(grid.header[i])) in SAMPLE_ANNOTATION
            or name in TOTAL
            or SAMPLE_TOTAL.fullmatch(name[:60])
        )
        and recognise([grid.header[i]]).known == 0
    ]
    if not other:
        return grid
    shown = some((shorten(grid.header[i], 40) for i in other), 4)
    notes.append(f"Left out, as no genes: {shown}.")
    traits["columns-left-out"] = notes[-1]
    return _columns_of(grid, [i for i in range(len(grid.columns)) if i not in set(other)])


def _with_names_of_rows(grid: Grid) -> Grid:
    """With the names of the samples in front, where the first column only counts the rows."""
    first = list(grid.first)
    if first not in ([str(i) for i in range(len(first))], [str(i + 1) for i in range(len(first))]):
        return grid
    for i, column in enumerate(grid.columns):
        if i and not isinstance(column, np.ndarray) and len(set(column)) == len(column) > 1:
            names = [str(v).strip() for v in column]
            grid = _columns_of(grid, [k for k in range(len(grid.columns)) if k != i])
            return replace(grid, first=names, columns=[names, *grid.columns[1:]])
    return grid


def _columns_of(grid: Grid, kept: Sequence[int]) -> Grid:
    """Only these columns, the first one among them."""
    above = {key: [row[i - 1] for i in kept if i] for key, row in grid.layout.above.items()}
    return replace(
        grid,
        header=[grid.header[i] for i in kept],
        columns=[grid.columns[i] for i in kept],
        layout=replace(grid.layout, above=above),
    )


def _whole(grid: Grid, name: str, notes: list[str], traits: dict[str, str]) -> Table:
    """All columns of numbers, the first column naming the rows."""
    numeric = [i for i, c in enumerate(grid.columns) if i and isinstance(c, np.ndarray)]
    if not numeric:
        raise BadValues(
            f"{name} holds no column of numbers.", advice="Choose the table of expression values."
        )
    texts = {
        _label(grid, i): _names_in(grid, i) for i in range(1, len(grid.columns)) if i not in numeric
    }
    values = np.column_stack([np.asarray(grid.columns[i]) for i in numeric])
    above = {key: [row[i - 1] for i in numeric] for key, row in grid.layout.above.items()}
    columns = [grid.header[i] for i in numeric]
    return checked(values, grid.first, columns, name, notes, traits, texts, above, grid.line)


def _without_empty(grid: Grid) -> Grid:
    """Without rows of nothing but delimiters, and columns that have no name and hold nothing, as
    delimiters at the end of the lines leave them.
    """
    empty = [
        i
        for i, column in enumerate(grid.columns)
        if i
        and not grid.header[i].strip()
        and not grid.layout.missing_header
        and (
            np.isnan(column).all()
            if isinstance(column, np.ndarray)
            else not any(v.strip() for v in column)
        )
    ]
    full = [
        i for i, gene in enumerate(grid.first) if gene.strip() or not _is_blank(grid.columns, i)
    ]
    if 0 < len(full) < len(grid.first):
        columns: list[Column] = [
            c[full] if isinstance(c, np.ndarray) else [c[i] for i in full] for c in grid.columns
        ]
        grid = replace(grid, columns=columns, first=[grid.first[i] for i in full])
    if not empty:
        return replace(grid, header=[h.strip() for h in grid.header])
    grid = replace(grid, header=[h.strip() for h in grid.header])
    return _columns_of(grid, [i for i in range(len(grid.columns)) if i not in set(empty)])


def _is_blank(columns: Sequence[Column], at: int) -> bool:
    return all(
        np.isnan(c[at]) if isinstance(c, np.ndarray) else not c[at].strip() for c in columns[1:]
    )


def _genes_in_header(grid: Grid) -> bool:
    """Whether the columns are called like genes, and the rows are not."""
    numeric = [i for i, c in enumerate(grid.columns) if i and isinstance(c, np.ndarray)]
    names = [grid.header[i] for i in numeric if grid.header[i]]
    if len(names) < _MIN_GENES_IN_HEADER or len(set(names)) < 0.5 * len(names):
        return False
    from gui.knowledge.gene_names import recognise

    few = names[:: max(1, len(names) // 300)]
    if recognise(few).known <= 0.5:
        return False
    rows = [grid.first, *(c for c in grid.columns[1:] if not isinstance(c, np.ndarray))]
    return not any(
        len(set(row)) >= max(_MIN_GENES_IN_HEADER, 0.8 * len(row))
        and recognise(row[:: max(1, len(row) // 300)]).known > 0.3
        for row in rows
    )


def _names_in(grid: Grid, at: int) -> list[str]:
    """A column as text, as it was written where that is known."""
    if at == 0:
        return grid.first
    column = grid.columns[at]
    if isinstance(column, np.ndarray):
        return ["" if np.isnan(v) else f"{v:.15g}" for v in column]
    return list(column)


def _label(grid: Grid, at: int) -> str:
    name = grid.header[at] or f"column {at + 1}"
    return name if name not in grid.header[:at] else f"{name} ({at + 1})"


def checked(
    values: npt.NDArray[np.float64],
    genes: list[str],
    columns: list[str],
    name: str,
    notes: list[str],
    traits: dict[str, str],
    texts: Mapping[str, list[str]],
    above: Mapping[str, list[str]],
    line: int,
) -> Table:
    """The table if all its genes and columns have names. line : of the first row."""
    if "" in columns:
        raise BadNames(
            f"{name}: column {columns.index('') + 2} has no name in the first line.", advice=WANTED
        )
    if "" in genes:
        raise BadNames(f"{name}: line {genes.index('') + line} has no gene name.", advice=WANTED)
    return Table(
        np.ascontiguousarray(values),
        genes,
        columns,
        tuple(notes),
        texts=texts,
        above=above,
        traits=traits,
    )
