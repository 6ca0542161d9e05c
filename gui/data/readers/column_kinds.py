"""Which columns of a table of expression are samples, and which one names the genes.

Tables that programs write hold more than samples: other names of the genes, their place and
length, results of a test, totals, the same sample in several units. Each column is recognised by
its name as the tools write it, then by its values beside those of the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from gui.data.readers import column_names as names
from gui.knowledge.gene_lists import Recognition
from gui.knowledge.gene_names import recognise
from gui.knowledge.identifiers import Kind

Reason = Literal[
    "identifiers",
    "row numbers",
    "annotation of the genes",
    "places in the genome",
    "lengths of the genes",
    "results of a test",
    "detection p-values",
    "totals of the samples",
    "another measure of the same samples",
    "no values",
]
"""What a numeric column that is no sample holds."""
Column = npt.NDArray[np.float64] | Sequence[str]
"""Numbers, or text."""

_AT_MOST = 4_000
"""Genes looked at where columns are compared."""
_ALIKE, _UNLIKE = 0.5, 0.4
"""Rank correlation of samples with each other, and the highest one of what is no sample."""
_MOST_COMPARED = 200
"""Samples that a column called Total is compared with; beyond, its name is believed."""
_RUNS_WITH = 0.7
"""Rank correlation with the samples from which a column is one, whatever it is called."""
_OF_GENES = ("places in the genome", "lengths of the genes", "annotation of the genes")
_STRANDS = next(
    rank for rank, (measure, _) in enumerate(names.MEASURES) if measure == "counts of one strand"
)
_WHATEVER_ITS_NAME = ("row numbers", "detection p-values", "totals of the samples")
"""What the values alone tell."""
_CLC = re.compile(r"(?:\s\([GT]E\))?\s*-?\s*$")
"""What CLC Genomics Workbench writes between a sample and its measure: PT01 (GE) - TPM."""
_ENDS = 8
"""Columns at either end of a wide table that are compared: what is no sample is at an end."""


@dataclass(frozen=True)
class ColumnKinds:
    """What the columns of a table are.

    Parameters
    ----------
    genes
        Index of the column that names the genes.
    names
        Indices of the other columns of text.
    samples
        Indices of the samples.
    sample_names
        Their names.
    left_out
        Name of a numeric column that is no sample -> what it holds.
    notes
        Sentences on what was chosen, for the user.
    """

    genes: int
    names: tuple[int, ...]
    samples: tuple[int, ...]
    sample_names: tuple[str, ...]
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def classify_columns(
    header: Sequence[str],
    columns: Sequence[Column],
    stem: str,
    *,
    keep: frozenset[str] = frozenset(),
) -> ColumnKinds:
    """Say of every column what it is.

    Parameters
    ----------
    header
        Names of the columns, as they are in the file.
    columns
        Their values, arrays of numbers or lists of text, all of one length.
    stem
        Name of the file without its ending: the name of a single sample.
    keep
        Columns that the user says are samples.
    """
    text = [i for i, column in enumerate(columns) if not isinstance(column, np.ndarray)]
    numbers = [i for i in range(len(columns)) if i not in text]
    genes = choose_gene_column(header, columns, text)
    values = {i: np.asarray(columns[i], dtype=np.float64) for i in numbers if i != genes}
    reasons = _by_name(header, values, keep)
    left = [i for i in values if i not in reasons]
    of_genes = {i: values[i] for i in left if header[i] not in keep}
    empty = [i for i, column in of_genes.items() if np.isnan(column).all()]
    if len(empty) < len(of_genes):
        reasons |= dict.fromkeys(empty, "no values")
    series = _built_alike(header, of_genes)
    told = _by_content({i: c for i, c in of_genes.items() if i not in reasons})
    reasons |= {
        i: reason for i, reason in told.items() if i not in series or reason in _WHATEVER_ITS_NAME
    }
    left = [i for i in values if i not in reasons]
    samples, sample_names, measure, other = _one_measure(header, values, left, stem, keep)
    if len(samples) == 1 and other:
        samples, other = sequenced_strand(header, values, samples[0], other)
        measure = header[samples[0]]
    reasons |= dict.fromkeys(other, "another measure of the same samples")
    notes = []
    if measure:
        units = sorted({str(header[i]) for i in other})
        are = "is" if len(units) == 1 else "are"
        notes.append(f"{measure} is taken as the expression; {_some(units)} {are} left out.")
    return ColumnKinds(
        genes,
        tuple(i for i in text if i != genes),
        tuple(samples),
        tuple(_file_names(sample_names)),
        {str(header[i]): reason for i, reason in sorted(reasons.items())},
        tuple(notes),
    )


def choose_gene_column(
    header: Sequence[str], columns: Sequence[Column], text: Sequence[int]
) -> int:
    """The column that names the genes: symbols before IDs, known ones before unknown ones."""
    candidates = [i for i in text if not _is_place(header[i])]
    if 0 not in candidates and 0 not in text:
        candidates.insert(0, 0)  # Entrez IDs or the like: numbers that are names
    found: dict[int, Recognition] = {}
    for i in candidates:
        entries = _as_text(columns[i])
        filled = [entry for entry in entries if entry.strip()]
        if 2 * len(filled) > len(entries) and 20 * len(set(filled)) > len(filled):
            found[i] = recognise(filled)
    if not found:
        return 0
    symbols = [
        i
        for i, r in found.items()
        if Kind.SYMBOL in r.holds and (r.known > 0.3 or r.species == "mouse")
    ]
    if symbols:
        return max(symbols, key=lambda i: (round(found[i].known, 1), -i))
    no_names = (Kind.NUMBER, Kind.REGION, Kind.TRANSCRIPT)
    return max(found, key=lambda i: (found[i].known > 0.3, found[i].kind not in no_names, -i))


def is_summary_row(name: str) -> bool:
    """Whether a row counts reads of no gene, as HTSeq and STAR write them at the end or start."""
    return bool(names.SUMMARY.fullmatch(name))


def _is_place(name: str) -> bool:
    return names.plain(name) in names.POSITION


def _as_text(column: Column) -> list[str]:
    if isinstance(column, np.ndarray):
        return ["" if np.isnan(v) else f"{v:.15g}" for v in column]
    return [str(v) for v in column]


# -- by name -----------------------------------------------------------------------------------


def _by_name(
    header: Sequence[str], values: Mapping[int, npt.NDArray[np.float64]], keep: frozenset[str]
) -> dict[int, Reason]:
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
    others = [i for i in values if i not in found][: 2 * _ENDS]
    if not told or not others:
        return []
    step = max(1, len(values[others[0]]) // _AT_MOST)
    same = []
    for i in told:
        table = np.column_stack([values[k][::step] for k in (i, *others)])
        table = table[np.isfinite(table).all(axis=1)]
        if len(table) >= 20 and np.median(_likeness(_of_filled(table))[0, 1:]) > _RUNS_WITH:
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
    if names.plain(header[at]) in names.SPREAD or not 2 < len(others) <= _MOST_COMPARED:
        return False
    step = max(1, len(values[at]) // _AT_MOST)
    table = np.column_stack([values[k][::step] for k in (at, *others)])
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 3 * len(others) + 20:
        return False
    filled = _of_filled(table)
    own, rest = filled[:, 0], filled[:, 1:]
    if np.median(_likeness(filled[:, : 2 * _ENDS])[0, 1:]) <= _RUNS_WITH:
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


def _of_filled(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rows with more than the lowest value of some column: ties there look like likeness."""
    filled = table[(table > table.min(axis=0)).any(axis=1)]
    return filled if len(filled) > 2 else table


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


def _built_alike(header: Sequence[str], among: Iterable[int]) -> set[int]:
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


# -- by content --------------------------------------------------------------------------------


def _by_content(values: Mapping[int, npt.NDArray[np.float64]]) -> dict[int, Reason]:
    """Columns whose values are not those of the others."""
    found: dict[int, Reason] = {}
    if not values:
        return found
    first = min(values)
    if _row_numbers(values[first]) and len(values) > 1:
        found[first] = "row numbers"
    rest = [i for i in values if i not in found]
    if len(rest) < 2:
        return found
    step = max(1, len(values[rest[0]]) // _AT_MOST)
    few = {i: values[i][::step] for i in rest}
    found |= _probabilities(few)
    rest = [i for i in rest if i not in found]
    if len(rest) < 2:
        return found
    ends = rest if len(rest) <= 2 * _ENDS else [*rest[:_ENDS], *rest[-_ENDS:]]
    table = np.column_stack([few[i] for i in rest])
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 20:
        return found
    if len(rest) > 3:
        found |= _totals(rest, table)
    spread = np.unique(np.linspace(0, len(rest) - 1, 3 * _ENDS).astype(int))
    shown = sorted({*spread.tolist(), *(rest.index(i) for i in ends)})
    alike = _likeness(table[:, shown])
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
    others = beyond[: 2 * _ENDS]
    for i in within:
        table = np.column_stack([few[i], *(few[k] for k in others)])
        table = table[np.isfinite(table).all(axis=1)]
        if len(table) > 5:
            alike = _likeness(table)[0, 1:]
            if np.median(alike) < _UNLIKE and alike.max() < 2 * _UNLIKE:
                found[i] = "detection p-values"
    return found


def _row_numbers(column: npt.NDArray[np.float64]) -> bool:
    return len(column) > 3 and bool((np.diff(column) == 1).all()) and column[0] in (0, 1)


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
    if 4 < table.shape[1] <= _MOST_COMPARED:
        found |= dict.fromkeys((rest[at] for at in _extremes(table)), "totals of the samples")
    return found


def _extremes(table: npt.NDArray[np.float64]) -> Iterator[int]:
    """The columns that hold the highest or the lowest value of the others everywhere."""
    filled = _of_filled(table)
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


def _likeness(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
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


# -- several measures ----------------------------------------------------------------------------


def _one_measure(
    header: Sequence[str],
    values: Mapping[int, npt.NDArray[np.float64]],
    left: Sequence[int],
    stem: str,
    keep: frozenset[str],
) -> tuple[list[int], list[str], str, list[int]]:
    """Samples, their names, the name of the chosen measure ("" if there is but one), the others."""
    if keep:
        chosen = [i for i in left if header[i] in keep]
        return chosen, [header[i] for i in chosen], "", [i for i in left if i not in chosen]
    whole = {i: rank for i in left if (rank := measure_rank(header[i])) is not None}
    # one sample: gene_id, TPM, FPKM, expected_count, perhaps with something else beside them
    if left and (len(whole) == len(left) or (len(whole) > 1 and 2 * len(whole) >= len(left))):
        best = min(whole, key=lambda i: (whole[i], i))
        rest = [i for i in left if i != best]
        return [best], [stem], header[best] if rest else "", rest
    split = {i: found for i in left if (found := _split(header[i])) is not None}
    groups: dict[tuple[int, str], list[int]] = {}
    for i, (rank, word, _) in split.items():
        groups.setdefault((rank, word), []).append(i)
    stems = Counter(stem for group in groups.values() for stem in {split[i][2] for i in group})
    if 2 * len(split) >= len(left) and max(stems.values(), default=0) > 1:
        # samples in several measures: never two of them beside each other
        first = min(groups)
        if first[0] == _STRANDS:  # the genes are on the one with the reads
            totals = {
                key: sum(float(np.nansum(values[i])) for i in group)
                for key, group in groups.items()
                if key[0] == _STRANDS
            }
            first = max(totals, key=lambda key: totals[key])
        best_group = groups[first]
        rest = [i for i in left if i not in best_group]
        return best_group, [split[i][2] for i in best_group], first[1], rest
    if (twice := _measured_twice(header, values, left)) is not None:
        best_group, sample_names, measure = twice
        return best_group, sample_names, measure, [i for i in left if i not in best_group]
    one = next(iter(groups))[1] if len(groups) == 1 and len(split) == len(left) else ""
    if one in ("avg_signal", "avg signal", "signal"):
        return list(left), [split[i][2] for i in left], "", []
    return list(left), [header[i] for i in left], "", []


def _measured_twice(
    header: Sequence[str], values: Mapping[int, npt.NDArray[np.float64]], left: Sequence[int]
) -> tuple[list[int], list[str], str] | None:
    """The samples, their names and the measure, where columns are called like others with a measure
    beside: PT01 and PT01_TPM, PT01 and log2(PT01); None where none are.
    """
    bare = {header[i]: i for i in left}
    again: dict[str, dict[str, int]] = {}
    for i in left:
        found = names.TRANSFORMED.fullmatch(header[i][: names.LONGEST])
        if found and (of := found["of"] or found["of2"]) in bare:
            again.setdefault((found["how"] or found["how2"]).lower(), {})[of] = i
    for how, group in list(again.items()):  # P1_norm may be normal tissue, P1_LN a lymph node
        pairs = [np.column_stack([values[bare[of]], values[i]]) for of, i in group.items()]
        whole = [pair[np.isfinite(pair).all(axis=1)] for pair in pairs[:_ENDS]]
        least = 0.995 if names.TISSUE_TOO.match(how) else 0.95
        same = [len(p) > 2 and _likeness(_of_filled(p))[0, 1] > least for p in whole]
        if measure_rank(how) is None and 2 * sum(same) <= len(same):
            del again[how]
    twice = {of for group in again.values() for of in group}
    plain_ones = [i for i in left if all(i not in group.values() for group in again.values())]
    if 2 * len(twice) < len(plain_ones) or not twice:
        return None
    ranks = {how: rank for how in again if (rank := measure_rank(how)) is not None and rank < 3}
    best = min(ranks, key=lambda how: ranks[how], default="")
    if best and len(again[best]) == len(plain_ones):
        return list(again[best].values()), list(again[best]), best
    return plain_ones, [header[i] for i in plain_ones], "The plain value"


def sequenced_strand(
    header: Sequence[str],
    values: Mapping[int, npt.NDArray[np.float64]],
    chosen: int,
    other: list[int],
) -> tuple[list[int], list[int]]:
    """Of STAR's counts those of one strand, if the other one has hardly any reads."""
    strands = [i for i in other if names.STRAND.fullmatch(header[i].strip().lower())]
    if header[chosen].strip().lower() != "unstranded" or len(strands) != 2:
        return [chosen], other
    sums = [float(np.nansum(values[i])) for i in strands]
    best = strands[int(np.argmax(sums))]
    if max(sums) < 5 * min(sums):
        return [chosen], other
    return [best], sorted({chosen, *other} - {best})


def measure_rank(name: str) -> int | None:
    """The rank of a name that is a measure and nothing else."""
    text = name.strip().lower()
    return next(
        (rank for rank, (_, form) in enumerate(names.MEASURES) if form.fullmatch(text)), None
    )


def measure_in(name: str) -> str:
    """The measure that a column's name tells, alone or beside a sample: TPM of PT01_TPM."""
    if measure_rank(name) is not None:
        return name.strip().lower()
    found = _split(name)
    return found[1] if found is not None else ""


def _split(name: str) -> tuple[int, str, str] | None:
    """PT01_TPM or counts.PT01 -> rank of the measure, the measure, PT01."""
    if len(name) > names.LONGEST:
        return None
    best: tuple[int, str, str] | None = None
    for found in re.finditer(r"[._: -]|(?=\()", name):
        front, back = name[: found.start()], name[found.end() :].strip("() ")
        front = _CLC.sub("", front)
        if not front or not back:
            continue
        for measure, sample in ((back, front), (front, back)):
            # read_count_PT01 holds read and read_count
            longer = best is None or len(measure) > len(best[1])
            if longer and (rank := measure_rank(measure)) is not None:
                best = (rank, measure.lower(), sample)
                break
    return best


def _file_names(paths: Sequence[str]) -> list[str]:
    """Names of samples; of paths of alignments (featureCounts) what tells them apart."""
    if not paths or not all(names.BAM.search(path) for path in paths):
        return list(paths)
    short = [names.BAM_END.sub("", re.split(r"[/\\]", path)[-1]) for path in paths]
    if len(short) > 1:  # R writes a path with points: X.data.run1.PT01.sorted.bam
        cut = _common(short).rfind(".") + 1
        short = [name[cut:] for name in short]
    return short if len(set(short)) == len(short) and all(short) else list(paths)


def _common(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    at = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:at]


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
