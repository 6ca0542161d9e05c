"""What is known of the bulk samples: the clinical table and the annotations of the bulk as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import Dataset
from gui.data.samples.survival_columns import value_text
from gui.errors import MissingPart
from gui.statistics.group_design import MOST_GROUPS

ANNOTATION = " (annotation of the bulk)"
"""Behind the name of an annotation that the clinical table has too."""


def sample_table(dataset: Dataset) -> pd.DataFrame:
    """Samples x columns of the clinical table, then annotations of the bulk. May have no column.

    Values that are text stay text, gaps are NaN or None; columns of a repeated name are left out
    but the first.
    """
    if dataset.bulk is None:
        return pd.DataFrame()
    names = pd.Index(dataset.bulk.samples)
    parts = []
    if dataset.clinical is not None:
        parts.append(dataset.clinical.table.set_axis(names, axis=0))
    obs = dataset.bulk.obs.set_axis(names, axis=0)
    taken = set(map(str, parts[0].columns)) if parts else set()
    parts.append(obs.rename(columns=lambda c: f"{c}{ANNOTATION}" if str(c) in taken else str(c)))
    table = pd.concat([part.set_axis(part.columns.map(str), axis=1) for part in parts], axis=1)
    return table.loc[:, ~table.columns.duplicated()]


def sample_column(dataset: Dataset, name: str) -> pd.Series:
    """One column of :func:`sample_table`; empty texts are gaps.

    Raises
    ------
    MissingPart
        There is no such column.
    """
    table = sample_table(dataset)
    if name not in table.columns:
        raise MissingPart(
            f"The clinical table and the annotations of the bulk have no column {name[:60]}.",
            advice="Choose another column, or load the table on the page Upload.",
        )
    return cleaned(table[name])


def cleaned(column: pd.Series) -> pd.Series:
    """The column with empty and blank texts as gaps; dates as text."""
    if column.dtype.kind in "mM":
        return column.dt.strftime("%Y-%m-%d").where(column.notna())
    if column.dtype != object and not isinstance(column.dtype, pd.StringDtype):
        return column
    texts = column.map(lambda v: v.strip() if isinstance(v, str) else v)
    return texts.where(texts.map(lambda v: v != "")).where(column.notna())


def is_number(column: pd.Series) -> bool:
    """Whether the column holds numbers (truth values are two groups)."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(
        column.dtype
    )


def as_numbers(column: pd.Series) -> pd.Series:
    """The column in float64; gaps and what is infinite as NaN."""
    return column.astype("float64").replace([np.inf, -np.inf], np.nan)


def as_groups(column: pd.Series) -> pd.Series:
    """The column as groups by name.

    Categories keep their order; numbers ascend, in texts too (day 2 comes before day 14).
    """
    values = cleaned(column)
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = [value_text(c) for c in values.cat.categories if (values == c).any()]
    else:
        present = {value_text(value): value for value in pd.unique(values.dropna())}
        names = sorted(present, key=lambda name: _natural(name, present[name]))
    texts = values.astype(object).map(value_text, na_action="ignore")
    made = pd.Categorical(texts, categories=list(dict.fromkeys(names)))
    return pd.Series(made, index=column.index, name=column.name)


def _natural(name: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, Real) and not isinstance(value, bool):
        return (0, float(value))
    pieces = re.split(r"([0-9]{1,15})", name.casefold())
    return (1, *((int(p), "") if p.isdecimal() else (-1, p) for p in pieces), name)


_ORDINAL = re.compile(
    r"((?:[a-z]{0,3}[ ._-])?(?:p|c|yp)?(?:stage|grade|class|level|dose|cycle|visit|day|week|month"
    r"|year|hour|quartile|tertile|quintile|isup|ecog|time ?point|t|n|m|g|d|h|q|w|y)|)[ ._:=-]*"
    r"(?:([0-9]{1,6}(?:\.[0-9]{1,6})?)|(x|ix|iv|v?i{1,3}|v))([a-d]?)([0-9]?)",
    re.IGNORECASE,
)
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def order_is_known(column: pd.Series, levels: Sequence[str]) -> bool:
    """Whether ``levels`` (in the order of :func:`as_groups`) stand in an order of their own.

    Numbers do, ordered categories, and texts that count alike: stage I to IV, day 2 and day 14.
    The alphabet is no order: high comes before low.
    """
    values = cleaned(column)
    if is_number(values):
        return True
    if isinstance(values.dtype, pd.CategoricalDtype):
        return bool(values.cat.ordered)
    places, words = [], set()
    for level in levels:
        found = _ORDINAL.fullmatch(level.strip())
        if found is None:
            return False
        word, digits, roman, letter, last = found.groups()
        place = float(digits) if digits else float(_ROMAN.index(roman.lower()) + 1)
        places.append((place, letter.lower(), last))
        words.add(word.lower())
    return len(words) == 1 and all(a < b for a, b in pairwise(places))


def grouping_columns(dataset: Dataset) -> list[str]:
    """Columns that can divide the samples: at least two values, or numbers.

    Columns in which almost every sample has a text of its own are names, not groups.
    """
    found = []
    table = sample_table(dataset)
    for name in table.columns:
        column = cleaned(table[name])
        values = column.nunique()
        if values >= 2 and (is_number(column) or values <= MOST_GROUPS):
            found.append(str(name))
    return found
