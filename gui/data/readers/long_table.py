"""Tables with a row for every gene and sample, as the Human Protein Atlas and ICGC write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gui.data.readers.measures import measure_rank
from gui.data.readers.table_columns import PlacedColumns
from gui.text import number, shorten

_FEWEST = 20
"""Rows from which on it is asked."""


def spread_samples(placed: PlacedColumns) -> PlacedColumns:
    """The table with a column for every sample, where it has a row for every gene and sample.

    Rows that are not there become missing values.
    """
    sample = _column_of_samples(placed.genes, placed.texts)
    if not sample:
        return placed
    at = min(range(len(placed.columns)), key=lambda i: (_rank(placed.columns[i]), i))
    genes = list(dict.fromkeys(placed.genes))
    samples = list(dict.fromkeys(placed.texts[sample]))
    row_of = {gene: i for i, gene in enumerate(genes)}
    column_of = {name: i for i, name in enumerate(samples)}
    values = np.full((len(genes), len(samples)), np.nan)
    rows = [row_of[g] for g in placed.genes]
    columns = [column_of[s] for s in placed.texts[sample]]
    values[rows, columns] = placed.values[:, at]
    more = len(placed.columns) > 1
    said = (
        f"The table has a row for every gene and sample ({number(len(samples))} samples in the"
        f" column {shorten(sample, 40)})"
        + (f"; the values were taken from {shorten(placed.columns[at], 40)}" if more else "")
        + "."
    )
    notes = tuple(n for t, n in placed.traits.items() if t not in ("text-columns",))
    return replace(
        placed,
        values=values,
        genes=genes,
        columns=samples,
        texts={},
        taken=(),
        notes=(*notes, said),
        traits={**placed.traits, "long-table": said},
    )


def _rank(column: str) -> int:
    rank = measure_rank(column)
    return 99 if rank is None else rank


def _column_of_samples(genes: Sequence[str], texts: Mapping[str, Sequence[str]]) -> str:
    """The column of text that tells the rows of one gene apart; "" where genes hardly repeat."""
    distinct = len(set(genes))
    if len(genes) < _FEWEST or 2 * distinct > len(genes):
        return ""
    for name, column in texts.items():
        samples = len(set(column))
        if samples < 2 or samples * distinct > 2 * len(genes) or "" in column:
            continue
        if not pd.MultiIndex.from_arrays([list(genes), list(column)]).has_duplicates:
            return name
    return ""
