"""A table's columns put in their places: gene names, values of the samples, what else is known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gui.data.readers.column_kinds import (
    Column,
    ColumnKinds,
    classify_columns,
    is_summary_row,
)
from gui.data.readers.column_names import is_known_of_genes
from gui.data.readers.sample_names import sample_name
from gui.errors import BadNames, BadValues
from gui.knowledge.identifiers import Kind, kind_of
from gui.text import number, shorten, some

_KEPT_TEXT = 12
"""Columns of text that are kept beside the gene names."""


@dataclass(frozen=True, eq=False)
class PlacedColumns:
    """values : genes x samples; texts : other names and descriptions, one entry per gene; taken,
    gene_column : positions of the samples and of the gene names among the columns; notes, traits :
    as of a Table.
    """

    values: npt.NDArray[np.float64]
    genes: list[str]
    columns: list[str]
    texts: Mapping[str, list[str]]
    taken: tuple[int, ...] = ()
    gene_column: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)


def place_columns(
    header: Sequence[str],
    columns: Sequence[Column],
    name: str,
    keep: Sequence[str] = (),
    decimal: str = ".",
) -> PlacedColumns:
    """Say which column is what, and take the samples.

    Parameters
    ----------
    header, columns
        Names and values; text as lists, numbers as arrays.
    name
        Of the file, as shown.
    keep
        Columns that the user says are samples; empty: as recognised.
    decimal
        Decimal mark of a first column that was read as text and holds numbers.

    Raises
    ------
    BadValues
        No column is a sample.
    BadNames
        The user's choice names a column that is not there.
    """
    missing = [k for k in keep if k not in header]
    if missing:
        raise BadNames(f"{name} has no column {shorten(missing[0], 60)}.")
    own = columns[0]
    if any(not isinstance(column, np.ndarray) for column in columns[1:]):
        columns = [_as_numbers(own, decimal), *columns[1:]]
    kinds = classify_columns(header, columns, sample_name(name), keep=frozenset(keep))
    if not kinds.samples and not kinds.left_out:
        raise BadValues(
            f"{name} holds no column of numbers.",
            advice="Choose the table of expression values, with numbers that are plain: 1234.5.",
        )
    if not kinds.samples:
        raise BadValues(
            f"{name} holds no sample: its columns of numbers are"
            f" {some(f'{shorten(c, 40)} ({why})' for c, why in kinds.left_out.items())}.",
            advice="Choose the table that holds the expression of the samples.",
        )
    # not one array of all columns first: the table may be large
    values = np.empty((len(columns[0]), len(kinds.samples)))
    for at, i in enumerate(kinds.samples):
        values[:, at] = columns[i]
    genes = _text(columns[kinds.genes] if kinds.genes else own)
    texts = {
        header[i] or f"column {i + 1}": _text(columns[i])
        for i in ([0] if kinds.genes else []) + list(kinds.names)
        if i != kinds.genes
    }
    for i, title in enumerate(header):
        if kinds.left_out.get(title) == "identifiers" and i != kinds.genes:
            texts.setdefault(title, _text(columns[i]))
    texts = dict(list(texts.items())[:_KEPT_TEXT])
    notes, traits = list(kinds.notes), {}
    if kinds.notes:
        traits["measure"] = notes[0]
    if kinds.genes:
        title = header[kinds.genes] or f"column {kinds.genes + 1}"
        notes.append(f"The gene names are taken from the column {shorten(title, 40)}.")
        traits["genes-column"] = notes[-1]
    if said := _said(kinds):
        notes.append(said)
        traits["columns-left-out"] = said
    if odd := _texts_like_samples(header, columns, kinds):
        are = "column holds" if len(odd) == 1 else "columns hold"
        shown = some((shorten(c, 40) for c in odd), 4)
        notes.append(
            f"{number(len(odd))} {are} text and {'was' if len(odd) == 1 else 'were'} not taken as"
            f" a sample ({shown})."
        )
        traits["text-columns"] = notes[-1]
    rows, said_of_rows = _rows_with_genes(genes, texts, values)
    if not rows.all():
        values, genes = values[rows], [g for g, keep_it in zip(genes, rows, strict=True) if keep_it]
        texts = {
            title: [v for v, keep_it in zip(column, rows, strict=True) if keep_it]
            for title, column in texts.items()
        }
        for trait, note in said_of_rows.items():
            notes.append(note)
            traits[trait] = note
    return PlacedColumns(
        values,
        genes,
        list(kinds.sample_names),
        texts,
        tuple(kinds.samples),
        kinds.genes,
        dict(kinds.left_out),
        tuple(notes),
        traits,
    )


_MARKED_NUMBER = re.compile(
    r"[<>~=≤≥*]{0,2}\s?[-+]?(?:0x)?\d[\d.,]{0,30}(?:[eE][-+]?\d{1,4})?[%*]?"
)


def _texts_like_samples(
    header: Sequence[str], columns: Sequence[Column], kinds: ColumnKinds
) -> list[str]:
    """Columns of text that may have been meant as samples: among these, or partly numbers."""
    found = []
    for i in kinds.names:
        if not header[i] or is_known_of_genes(header[i]):
            continue
        few = [v for v in map(str, columns[i][:2000]) if v.strip()]
        numbers = sum(bool(_MARKED_NUMBER.fullmatch(v.strip()[:60])) for v in few)
        between = kinds.samples[0] < i < kinds.samples[-1]
        if between or (few and numbers > 0.1 * len(few)):
            found.append(header[i])
    return found


def headerless(width: int, first: str, numeric: Sequence[bool]) -> list[str]:
    """Names for the columns of a table without a header; STAR's are known. numeric : which columns
    hold numbers; a single one is of the sample that the file is of.
    """
    if width == 4 and first.strip().startswith("N_"):
        return ["gene_id", "unstranded", "stranded_first", "stranded_second"]
    one = sum(numeric[1:]) == 1
    named = ["counts" if one and numeric[i] else f"column {i + 1}" for i in range(1, width)]
    return ["gene", *named]


def _is_number(entry: str) -> bool:
    try:
        float(entry)
    except ValueError:
        return False
    return True


def _as_numbers(column: Column, decimal: str) -> Column:
    """A column of text as numbers if all that is filled are some."""
    filled = [v for v in map(str, column) if v.strip()]
    if not filled or not all(_is_number(v.replace(decimal, ".")) for v in filled):
        return column
    numbers = (str(v).replace(decimal, ".") for v in column)
    return np.array([float(v) if v.strip() else np.nan for v in numbers], dtype=np.float64)


def _text(column: Column) -> list[str]:
    if isinstance(column, np.ndarray):
        return ["" if np.isnan(v) else f"{v:.15g}" for v in column]
    return ["" if v is None else str(v).strip() for v in column]


def _said(kinds: ColumnKinds) -> str:
    """Which columns of numbers are no samples, by what they are."""
    by_reason: dict[str, list[str]] = {}
    for column, reason in kinds.left_out.items():
        if reason != "another measure of the same samples":
            by_reason.setdefault(reason, []).append(shorten(column, 40) or "the first column")
    said = "; ".join(f"{some(columns)} ({reason})" for reason, columns in by_reason.items())
    return f"Left out, as no samples: {said}." if said else ""


def _rows_with_genes(
    genes: list[str], texts: Mapping[str, list[str]], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.bool_], dict[str, str]]:
    """Rows that are of a gene. Names that are missing are filled with an Ensembl ID beside them."""
    ids = next(
        (c for c in texts.values() if sum(kind_of(v) is Kind.ENSEMBL for v in c[:200]) > 100), None
    )
    if ids is not None:
        genes[:] = [
            i if not g and kind_of(i) is Kind.ENSEMBL else g
            for g, i in zip(genes, ids, strict=True)
        ]
    summary = np.array([is_summary_row(g) for g in genes], dtype=bool)
    for column in texts.values():
        if any(map(is_summary_row, [*column[:6], *column[-6:]])):
            summary |= np.array([is_summary_row(v) for v in column], dtype=bool)
    blank = np.array([not g for g in genes], dtype=bool) & ~summary
    said: dict[str, str] = {}
    remarks = _remarks(genes, values)
    if remarks.any():
        rows = int(remarks.sum())
        said["remarks"] = (
            f"{number(rows)} row{'s' if rows > 1 else ''} below the table"
            f" ({shorten(genes[-1], 40)}) hold{'s' if rows == 1 else ''} no values and"
            f" {'was' if rows == 1 else 'were'} left out."
        )
        summary |= remarks
    counted = summary & ~remarks
    if counted.any():
        said["summary-rows"] = (
            f"{number(int(counted.sum()))} rows count reads of no gene and were left out."
        )
    if blank.any() and 2 * blank.sum() < len(genes):
        rows = int(blank.sum())
        said["blank-names"] = (
            f"{number(rows)} row{'s' if rows > 1 else ''} without a gene name left out."
        )
        return ~(summary | blank), said
    return ~summary, said


def _remarks(genes: Sequence[str], values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """The last rows if they hold no value at all and a sentence instead of a gene: footnotes."""
    found = np.zeros(len(genes), dtype=bool)
    for at in range(len(genes) - 1, -1, -1):
        sentence = genes[at].startswith(("*", "#")) or len(genes[at].split()) > 1
        if not sentence or not np.isnan(values[at]).all():
            break
        found[at] = True
    return found
