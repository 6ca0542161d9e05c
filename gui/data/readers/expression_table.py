"""Reads tables of expression: text or a sheet, genes in rows, samples, cells or types in columns.

The header is read here and not by pandas, which would rename the cell types that a single-cell
table repeats on purpose. Which columns are samples is told by
:mod:`gui.data.readers.column_kinds`, where the table begins by :mod:`gui.data.readers.layout`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gui.data.readers.column_kinds import Column
from gui.data.readers.column_names import SAMPLE_ANNOTATION, SAMPLE_TOTAL, TOTAL, plain
from gui.data.readers.frame_text import COLUMN_FILES, frame_of_arrow, text_of_frame
from gui.data.readers.layout import (
    WANTED,
    Layout,
    cut_series_matrix,
    layout_of_text,
)
from gui.data.readers.long_table import spread_samples
from gui.data.readers.r_file import frame_of_r, is_r_file
from gui.data.readers.sniff import first_bytes, looks_like
from gui.data.readers.table_columns import headerless, place_columns
from gui.data.readers.table_entries import Grid, grid_of_rows, grid_of_text
from gui.data.readers.textfile import (
    DELIMITERS,
    INVISIBLE_REMOVED,
    decoded,
    first_lines,
    records,
)
from gui.errors import BadNames, BadValues, UnreadableFile
from gui.text import shorten, some

_GCT = ("1.2", "1.3")
_OF_SAMPLES = frozenset({"modelid", "sampleid", "samplename", "sample", "patientid", "patient"})
"""Names of columns by which other tables know the samples: DepMap's SequencingID is none."""
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
    genes_title
        What the file calls the column of the gene names, "" where it has no name.
    untitled
        What a first column without a name is in its format: R's row names, the index of pandas.
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
    genes_title: str = ""
    untitled: str = "first column"

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
    kind = looks_like(first_bytes(path, name))
    if kind == "a ZIP or Excel file":
        return table_of_workbook(path, name, sheet, samples)
    if kind in COLUMN_FILES:
        text = text_of_frame(frame_of_arrow(path, name, kind), name)
        return replace(table_of_text(text, name, [], samples), untitled="index")
    if is_r_file(path, name):
        text = text_of_frame(frame_of_r(path, name), name)
        return replace(table_of_text(text, name, [], samples), untitled="row names")
    if sheet is not None:
        raise UnreadableFile(f"{name} is no workbook and has no sheet {sheet[:60]}.")
    text, notes = decoded(path, name)
    held = [text]
    del text
    # taken out, so that the text is given up as soon as its numbers are read
    return table_of_text(held.pop(), name, notes, samples)


def table_of_workbook(
    source: Path | bytes, name: str, sheet: str | None = None, samples: Sequence[str] = ()
) -> Table:
    """The table in a sheet. source : the file, or its content. Raises as :func:`read_table`."""
    from gui.data.readers.excel import read_excel

    book = read_excel(source, name, sheet)
    kind = "sheet" if book.sheet == book.sheets[0] else "other-sheet"
    traits = dict(zip([kind], book.notes, strict=False))
    notes = [*book.notes, *[INVISIBLE_REMOVED] * book.invisible]
    grid = grid_of_rows(book.rows, name)
    table = table_of_grid(grid, name, notes, traits, samples)
    return replace(table, sheets=book.sheets, sheet=book.sheet)


def table_of_text(text: str, name: str, notes: list[str], samples: Sequence[str] = ()) -> Table:
    """The table in a text. notes : on how it was decoded. Raises as :func:`read_table`."""
    traits = {"encoding-guessed": notes[0]} if notes else {}
    if not text or text.isspace():
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
    grid = grid_of_text(text, layout, name, notes, traits)
    del text
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
        numeric = [isinstance(column, np.ndarray) for column in grid.columns]
        header = headerless(len(header), first[0], numeric)
        notes.append(f"The first line holds a gene ({shorten(first[0], 40)}) and no header.")
        traits["no-header"] = notes[-1]
    placed = place_columns(header, grid.columns, name, samples, grid.decimal)
    placed = spread_samples(placed)
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
    unnamed = grid.layout.missing_header and placed.gene_column == 0
    title = "" if unnamed else header[placed.gene_column]
    table = replace(table, genes_title=title)
    if not taken:  # of a long table: no other file is like it
        return table
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
    """With the names of the samples in front, where the first column only counts the rows or is
    the same in many of them (the study of cBioPortal's downloads).
    """
    first = list(grid.first)
    counted = first in ([str(i + k) for i in range(len(first))] for k in (0, 1))
    if not counted and 2 * len(set(first)) > len(first):
        return grid
    found = [
        i
        for i, column in enumerate(grid.columns)
        if i and not isinstance(column, np.ndarray) and len(set(column)) == len(column) > 1
    ]
    if not found:
        return grid
    at = next((i for i in found if plain(grid.header[i]) in _OF_SAMPLES), found[0])
    names = [str(v).strip() for v in grid.columns[at]]
    grid = _columns_of(grid, [k for k in range(len(grid.columns)) if k != at])
    return replace(grid, first=names, columns=[names, *grid.columns[1:]])


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
    table = checked(values, grid.first, columns, name, notes, traits, texts, above, grid.line)
    return replace(table, genes_title=grid.header[0])


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
