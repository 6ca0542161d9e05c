"""Columns of numbers that are no samples, recognised by what the tools call them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from gui.data.readers import column_names as names
from gui.data.readers.column_names import Reason
from gui.data.readers.columns_by_content import (
    AT_MOST,
    ENDS,
    MOST_COMPARED,
    RUNS_WITH,
    likeness,
    of_filled,
)

_OF_GENES = ("places in the genome", "lengths of the genes", "annotation of the genes")


def columns_by_name(
    header: Sequence[str], values: Mapping[int, npt.NDArray[np.float64]], keep: frozenset[str]
) -> dict[int, Reason]:
    """Index of a column -> what its name says that it holds, where its values do not contradict.

    values : index -> values, one per gene; keep : names that the user says are samples.
    """
    named: tuple[tuple[frozenset[str], Reason], ...] = (
        (names.IDENTIFIER, "identifiers"),
        (names.POSITION, "places in the genome"),
        (names.LENGTH, "lengths of the genes"),
        (names.ANNOTATION, "annotation of the genes"),
        (names.STATISTIC, "results of a test"),
    )
    found: dict[int, Reason] = {}
    for i in values:
        if header[i] in keep:
            continue
        name = names.plain(header[i])
        for these, reason in named:
            if name in these and (name not in names.GC or _is_percentage(values[i])):
                found[i] = reason
        lower = header[i].lower()
        if names.DETECTION.search(lower):
            found[i] = "detection p-values"
        elif i not in found and names.STATISTIC_PART.search(lower):
            found[i] = "results of a test"
        elif (
            i not in found
            and (told := names.said_of_genes(header[i])) is not None
            and (not names.GC_WORD.search(lower) or _is_percentage(values[i]))
        ):
            found[i] = cast("Reason", told)
    for i in _like_the_samples(values, found):
        del found[i]
    tested = sum(reason == "results of a test" for reason in found.values())
    others = [i for i in values if i not in found]
    plainly = [
        i for i in others if not names.SUMMARY_OF_GROUP.fullmatch(header[i][: names.LONGEST])
    ]
    summaries = len(plainly) > 2 and len(plainly) < len(others)
    ends = Counter(_after_mark(name) for name in header)
    for i in values:
        name = names.plain(header[i])
        if i in found or header[i] in keep:
            continue
        if tested >= 2 and name in names.SHORT_STATISTIC:
            found[i] = "results of a test"
        elif (
            (
                name in names.TOTAL
                and len(values) - len(found) > 2
                and not _is_sample_of_that_name(header, i, values, found)
            )
            or (
                names.COUNTED.match(header[i][: names.LONGEST])
                and len(values) > 2
                and _counts_samples(values[i])
            )
            or (summaries and names.SUMMARY_OF_GROUP.fullmatch(header[i][: names.LONGEST]))
        ):
            found[i] = "totals of the samples"
        elif name.startswith(("length", "efflength")) and ends[_after_mark(header[i])] > 1:
            found[i] = "lengths of the genes"  # tximport: length.PT01
    return found


def _like_the_samples(
    values: Mapping[int, npt.NDArray[np.float64]], found: Mapping[int, Reason]
) -> list[int]:
    """Columns that are called like annotation (Start, Level, Size) but run with those that are
    not, as only samples do.
    """
    told = [
        i
        for i, reason in found.items()
        if reason in _OF_GENES or (reason == "identifiers" and _has_ties(values[i]))
    ]
    others = [i for i in values if i not in found][: 2 * ENDS]
    if not told or not others:
        return []
    step = max(1, len(values[others[0]]) // AT_MOST)
    same = []
    for i in told:
        table = np.column_stack([values[k][::step] for k in (i, *others)])
        table = table[np.isfinite(table).all(axis=1)]
        if len(table) >= 20 and np.median(likeness(of_filled(table))[0, 1:]) > RUNS_WITH:
            same.append(i)
    return same


def _has_ties(column: npt.NDArray[np.float64]) -> bool:
    """Whether many genes have one value, as samples have and identifiers have not."""
    return len(np.unique(column)) < 0.9 * len(column)


def _is_sample_of_that_name(
    header: Sequence[str],
    at: int,
    values: Mapping[int, npt.NDArray[np.float64]],
    found: Mapping[int, Reason],
) -> bool:
    """Whether a column called Total or Mean is a sample: it runs with the others, and is neither
    their sum, mean, median, lowest or highest value nor that of some of them.
    """
    others = [
        k
        for k in values
        if k != at and k not in found and names.plain(header[k]) not in names.TOTAL
    ]
    if names.plain(header[at]) in names.SPREAD or not 2 < len(others) <= MOST_COMPARED:
        return False
    step = max(1, len(values[at]) // AT_MOST)
    table = np.column_stack([values[k][::step] for k in (at, *others)])
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 3 * len(others) + 20:
        return False
    filled = of_filled(table)
    own, rest = filled[:, 0], filled[:, 1:]
    if np.median(likeness(filled[:, : 2 * ENDS])[0, 1:]) <= RUNS_WITH:
        return False
    logs = np.log(np.maximum(rest, 1e-12))
    made = (np.median(rest, axis=1), rest.min(axis=1), rest.max(axis=1), np.exp(logs.mean(axis=1)))
    # sums and means of any of them, in other units too
    weights = np.linalg.lstsq(rest, own, rcond=None)[0]
    rounded = 0.51 if (own == np.rint(own)).all() else 0.01
    for wanted in (*made, rest @ weights):
        if (np.abs(own - wanted) <= 0.01 * np.abs(wanted) + rounded).mean() > 0.8:
            return False
    return True


def _counts_samples(column: npt.NDArray[np.float64]) -> bool:
    """Whether a column may tell in how many samples a gene was found: all of them have many."""
    filled = column[np.isfinite(column)]
    if not len(filled) or filled.min() < 0 or (filled != np.rint(filled)).any():
        return False
    return float((filled == filled.max()).mean()) > 0.02 or len(filled) < 20


def _is_percentage(column: npt.NDArray[np.float64]) -> bool:
    """Whether a column may be a gene's content of G and C: GC is a cell type as well."""
    filled = column[np.isfinite(column)]
    return bool(len(filled) and filled.max() <= 100 and (filled > 0).mean() > 0.9)


def _after_mark(name: str) -> str:
    """What follows the first mark of a name: PT01 in length.PT01; without a mark what no other
    column ends with.
    """
    found = re.split(r"[._ -]", name[: names.LONGEST], maxsplit=1)
    return found[1] if len(found) == 2 and found[1] else f"\0{name}"


def built_alike(header: Sequence[str], among: Iterable[int]) -> set[int]:
    """Columns that are called as most others are but for the number: PT03 beside PT01 and PT02;
    and those that are one of several of a name, as cells called by their type: B cells.3.

    Programs give such names to columns of any kind as well: V2, column 3.
    """
    forms = {i: re.sub(r"\d+", "0", header[i][: names.LONGEST]) for i in among}
    if not forms:
        return set()
    stems = {i: re.sub(r"[._ ]\d+$", "", header[i][: names.LONGEST]) for i in among}
    several = Counter(stems.values())
    found = {i for i in forms if several[stems[i]] >= 3 and not names.UNNAMED.fullmatch(forms[i])}
    form, many = Counter(forms.values()).most_common(1)[0]
    if many < 3 or 2 * many <= len(forms) or "0" not in form or names.UNNAMED.fullmatch(form):
        return found
    return found | {i for i in forms if forms[i] == form}
