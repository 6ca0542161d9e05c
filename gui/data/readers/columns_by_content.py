"""Columns of numbers that are no samples, recognised by their values beside those of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gui.data.readers.column_names import Reason

AT_MOST = 4_000
"""Genes looked at where columns are compared."""

_ALIKE, _UNLIKE = 0.5, 0.4
"""Rank correlation of samples with each other, and the highest one of what is no sample."""

MOST_COMPARED = 200
"""Samples that a column called Total is compared with; beyond, its name is believed."""

RUNS_WITH = 0.7
"""Rank correlation with the samples from which a column is one, whatever it is called."""

ENDS = 8
"""Columns at either end of a wide table that are compared: what is no sample is at an end."""


def of_filled(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rows with more than the lowest value of some column: ties there look like likeness."""
    filled = table[(table > table.min(axis=0)).any(axis=1)]
    return filled if len(filled) > 2 else table


def columns_by_content(values: Mapping[int, npt.NDArray[np.float64]]) -> dict[int, Reason]:
    """Index of a column -> what it holds, where its values are not those of the others.

    values : index -> values, one per gene.
    """
    found: dict[int, Reason] = {}
    if not values:
        return found
    first = min(values)
    if _row_numbers(values[first]) and len(values) > 1:
        found[first] = "row numbers"
    rest = [i for i in values if i not in found]
    if len(rest) < 2:
        return found
    step = max(1, len(values[rest[0]]) // AT_MOST)
    few = {i: values[i][::step] for i in rest}
    found |= _probabilities(few)
    rest = [i for i in rest if i not in found]
    if len(rest) < 2:
        return found
    ends = rest if len(rest) <= 2 * ENDS else [*rest[:ENDS], *rest[-ENDS:]]
    table = np.column_stack([few[i] for i in rest])
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 20:
        return found
    if len(rest) > 3:
        found |= _totals(rest, table)
    spread = np.unique(np.linspace(0, len(rest) - 1, 3 * ENDS).astype(int))
    shown = sorted({*spread.tolist(), *(rest.index(i) for i in ends)})
    alike = likeness(table[:, shown])
    hub = int(np.argmax((alike > _ALIKE).sum(axis=0)))
    group = np.flatnonzero(alike[hub] > _ALIKE)  # the samples run with each other
    if len(rest) == 2 and len(group) == 1:  # either may be the sample
        lengths = [k for k in (0, 1) if _are_lengths(table[:, k], table[:, 1 - k])]
        return found | {rest[k]: "lengths of the genes" for k in lengths[:1]}
    if len(group) < min(3, len(rest) - 1):
        return found
    for at, k in enumerate(shown):
        i = rest[k]
        if i in found or i not in ends or at in group:
            continue
        if np.median(alike[at, group]) < _UNLIKE:
            reason = _kind_of_values(table[:, k], table[:, [shown[g] for g in group]])
            if reason is not None:
                found[i] = reason
    left = [k for k, i in enumerate(rest) if i not in found]
    if 3 < len(left) < len(rest):  # a total of the samples alone
        found |= _totals([rest[k] for k in left], table[:, left])
    return found


def _probabilities(few: Mapping[int, npt.NDArray[np.float64]]) -> dict[int, Reason]:
    """Columns of values from 0 to 1 that do not rise with those of the others.

    A sample that was divided by its sum does.
    """
    within: list[int] = []
    beyond: list[int] = []
    for i, column in few.items():
        filled = column[np.isfinite(column)]
        if not len(filled) or filled.min() < 0:
            continue
        if filled.max() > 10:
            beyond.append(i)
        elif filled.max() <= 1 and len(np.unique(filled)) > 5:
            within.append(i)
    found: dict[int, Reason] = {}
    if not within or len(beyond) < len(within):
        return found
    others = beyond[: 2 * ENDS]
    for i in within:
        table = np.column_stack([few[i], *(few[k] for k in others)])
        table = table[np.isfinite(table).all(axis=1)]
        if len(table) > 5:
            alike = likeness(table)[0, 1:]
            if np.median(alike) < _UNLIKE and alike.max() < 2 * _UNLIKE:
                found[i] = "detection p-values"
    return found


def _row_numbers(column: npt.NDArray[np.float64]) -> bool:
    if len(column) <= 3 or column[0] not in (0, 1) or not np.isfinite(column).all():
        return False
    return bool((np.diff(column) == 1).all())


def _totals(rest: Sequence[int], table: npt.NDArray[np.float64]) -> dict[int, Reason]:
    """A column that is the sum or the mean of all the others, and those that hold the highest or
    the lowest value of the others.
    """
    whole = table.sum(axis=1)
    found: dict[int, Reason] = {}
    for at, i in enumerate(rest):
        others = whole - table[:, at]
        for wanted in (others, others / (table.shape[1] - 1)):
            near = np.abs(table[:, at] - wanted) <= 1e-3 * np.abs(wanted) + 1e-9
            if wanted.any() and near.mean() > 0.99:
                found[i] = "totals of the samples"
    found = found if len(found) == 1 else {}
    if 4 < table.shape[1] <= MOST_COMPARED:
        found |= dict.fromkeys((rest[at] for at in _extremes(table)), "totals of the samples")
    return found


def _extremes(table: npt.NDArray[np.float64]) -> Iterator[int]:
    """The columns that hold the highest or the lowest value of the others everywhere."""
    filled = of_filled(table)
    ordered = np.sort(filled, axis=1)
    for at in range(table.shape[1]):
        own = filled[:, at]
        there = own > 0
        if there.sum() < 20 or len(np.unique(own)) < 10:
            continue
        equal = filled == own[:, None]
        equal[:, at] = False
        if equal[there].mean(axis=0).max() > 0.9:  # a copy of one sample
            continue
        # the highest of the others is its own value only where that stands twice
        twice = equal.any(axis=1)
        for edge in (0, -1):
            if (twice & (own == ordered[:, edge]))[there].mean() > 0.99:
                yield at
                break


def likeness(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rank correlation of the columns (Spearman), columns x columns."""
    ranks = np.argsort(np.argsort(table, axis=0, kind="stable"), axis=0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(ranks, rowvar=False)
    return np.asarray(np.nan_to_num(found))


def _in_range_of_lengths(column: npt.NDArray[np.float64]) -> bool:
    """Whether every gene has a value as genes have lengths."""
    middle = float(np.median(column))
    return bool(column.min() >= 20 and column.max() < 400_000 and 100 < middle < 20_000)


def _are_lengths(column: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> bool:
    """Whether a column that does not run with the others holds lengths, also of genes that are not
    expressed.
    """
    whole = bool((column == np.rint(column)).all())
    return whole and _in_range_of_lengths(column) and float((others == 0).mean()) > 0.01


def _kind_of_values(
    column: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> Reason | None:
    """What a column that does not run with the others may be by its values."""
    whole = bool((column == np.rint(column)).all())
    if column.min() < 0 <= others.min():
        return "results of a test"
    if _are_lengths(column, others):
        return "lengths of the genes"
    if whole and _in_range_of_lengths(column):
        return None
    if whole and column.min() >= 1 and len(np.unique(column)) > 0.9 * len(column):
        return "identifiers"
    # numbers of chromosomes, of exons, weights: known of every gene, also of those without a value
    floor = float(others.min())
    silent = (others == floor).mean(axis=1) > 0.5
    if silent.mean() > 0.01 and column.min() > max(0.0, floor) and len(np.unique(column)) > 1:
        alike = np.corrcoef(column, silent)[0, 1]
        return "annotation of the genes" if abs(alike) < 0.2 else None
    different = set(np.unique(column).tolist())
    few = len(different) <= 60
    many = min(len(np.unique(other)) for other in others.T) > 200
    if many and different == {0.0, 1.0}:  # yes and no: a housekeeping gene, in a signature
        return "annotation of the genes"
    return "annotation of the genes" if whole and few and many and column.min() >= 1 else None
