"""A table of known compositions as people have it, brought to cell types x samples.

Percent signs, numbers of cells, long tables, totals and the quality columns that deconvolution
tools write beside their results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from gui.data.samples.clinical_layout import without_unit_row
from gui.data.samples.clinical_values import typed
from gui.data.samples.dates import dates_of
from gui.data.samples.joining import join
from gui.errors import BadValues
from gui.text import number, shorten, some

Unit = Literal["fractions", "percent", "amounts"]
_TOTAL_TEXT = """
total totals sum all allcells totalcells cellcount totalcount totalcellcount ncells livecells
live singlets leukocytes cd45 cd45cells cd45positive wbc pbmc pbmcs totalcellscounted viable
viablecells totallymphocytes events totalevents rowsum rowsums
"""
_TOTAL = frozenset(_TOTAL_TEXT.split())
_WHOLE_TEXT = """
total totals sum totalcells totalcount cellcount totalcellcount ncells wbc events totalevents
rowsum rowsums totalcellscounted
"""
_WHOLE = frozenset(_WHOLE_TEXT.split())
"""Names that no cell type bears: totals, in another unit too (WBC beside percent)."""
_QUALITY_TEXT = """
pvalue correlation rmse absolutescore absolutescoresigscore pearson pvalueslinearregression
pearsoncorrelation viability purity dilution batch age day plate well replicate
"""
_QUALITY = frozenset(_QUALITY_TEXT.split())
"""Columns of numbers beside the types: those of CIBERSORT(x), and what a laboratory writes."""
_XCELL_TYPES = "clp cmp gmp mep mpp hsc adc cdc idc lyendothelialcells mvendothelialcells"
_SCORES: tuple[tuple[str, frozenset[str], int], ...] = (
    ("ESTIMATE", frozenset({"stromalscore", "estimatescore"}), 1),
    ("xCell", frozenset({"immunescore", "stromascore", "microenvironmentscore"}), 1),
    ("xCell", frozenset(_XCELL_TYPES.split()), 3),
    ("MCP-counter", frozenset({"blineage", "monocyticlineage", "cytotoxiclymphocytes"}), 2),
)
"""Names in the tables of tools whose scores are no fractions, and how many of them tell."""
_VALUE = re.compile(r"frac|prop|perc|%|freq|share|value|composition", re.I)
_COUNT = re.compile(r"count|number|^n$|cells$", re.I)
_SAMPLE = re.compile(r"sample|patient|donor|subject|mixture|^id$|specimen|case", re.I)
_TYPE = re.compile(r"cell.?type|celltype|population|subset|type|cluster|label|annotation", re.I)


@dataclass(frozen=True, eq=False)
class Composition:
    """As read.

    Parameters
    ----------
    values
        Rows x columns as in the file, numbers only; the rows named.
    percent
        Whether the numbers have percent signs.
    counts
        Whether their column says that they are numbers of cells.
    left_out
        Columns that are no cell types, with the reason.
    notes
        Sentences on how the table was read.
    names
        The column that names the rows.
    """

    values: pd.DataFrame
    percent: bool = False
    counts: bool = False
    left_out: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    names: str = ""


def read_composition(text: pd.DataFrame, name: str, samples: Sequence[str] | None) -> Composition:
    """Numbers of a table of text. Raises BadValues."""
    text, said = _without_spread(text, name)
    made = _composition(text, name, samples)
    return replace(made, notes=(*made.notes, said)) if said else made


def _composition(text: pd.DataFrame, name: str, samples: Sequence[str] | None) -> Composition:
    text, units, _ = without_unit_row(text)
    text, percent = _without_percent(text, name)
    percent |= {c for c, unit in units.items() if unit == "%"}
    frame, _ = typed(text)
    numeric = [str(c) for c in frame.columns if frame[c].dtype.kind == "f"]
    texts = [str(c) for c in frame.columns if str(c) not in numeric]
    if long := _long_format(frame, text, numeric, texts, samples):
        value, sample, kind = long
        said = (
            f"{name} has one row per sample and cell type ({shorten(sample, 40)},"
            f" {shorten(kind, 40)}); the values were taken from {shorten(value, 40)}."
        )
        counts = bool(_COUNT.search(value)) and not _VALUE.search(value)
        values, absent = _wide(frame, text, long)
        notes = [said]
        if absent:
            notes.append(
                f"{number(absent)} pairs of a sample and a cell type have no row in {name}; they"
                " were taken as 0."
            )
        return Composition(values, value in percent, counts, {}, tuple(notes), sample)
    if (cells := _one_row_per_cell(text, numeric, samples)) is not None:
        sample, kind = cells
        values = pd.crosstab(text[sample], text[kind]).astype(np.float64)
        values.index, values.columns = list(map(str, values.index)), list(map(str, values.columns))
        said = (
            f"Every row of {name} is a cell: those of each type"
            f" ({shorten(kind, 40)}) and sample ({shorten(sample, 40)}) were counted."
        )
        return Composition(values, False, True, {}, (said,), sample)
    names = _names_column(text, numeric, samples)
    left_out: dict[str, str] = {}
    kept: list[str] = []
    for column in map(str, frame.columns):
        if column == names:
            continue
        if column not in numeric:
            if reason := _reason_of_text(frame[column], column, name):
                left_out[column] = reason
            continue
        if frame[column].isna().all():
            left_out[column] = "empty"
        elif plain(column) in _QUALITY:
            left_out[column] = "no cell type"
        elif text.columns[0] == column and names != column and _row_numbers(frame[column]):
            left_out[column] = "row numbers"
        else:
            kept.append(column)
    there = {plain(c) for c in kept} | {plain(v) for v in text[names]}
    tool = next((t for t, of, least in _SCORES if len(there & of) >= least), "")
    if tool:
        raise BadValues(
            f"{name} holds the scores of {tool}, which are no fractions: they cannot be"
            " compared with estimated compositions.",
            advice="Give counts or percentages of cells, for example of flow cytometry.",
        )
    if not kept:
        raise BadValues(
            f"{name} holds no numbers for cell types.",
            advice="Give one row per sample, and one column per cell type.",
        )
    without = [c for c in kept if c not in percent and np.nan_to_num(frame[c]).any()]
    if without and len(without) < len(kept) and set(kept) & percent:
        raise BadValues(
            f"{name} has percent signs in some columns and none in others"
            f" ({some((shorten(c, 40) for c in without), 4)}).",
            advice="Write all values as percentages, or all as fractions.",
        )
    for column in [c for c in kept if _is_spread(c, kept)]:
        kept.remove(column)
        left_out[column] = "spread of another column"
    scores = any(plain(c).startswith("absolutescore") for c in left_out)
    index = [str(v) for v in text[names]]
    values = pd.DataFrame(frame[kept].to_numpy(dtype=np.float64), index=index, columns=kept)
    return Composition(values, bool(set(kept) & percent), scores, left_out, names=names)


def _is_spread(column: str, columns: Sequence[str]) -> bool:
    """Whether a column is the standard deviation of another one: B cells_SD of B cells."""
    found = re.fullmatch(r"(.+?)[_. (]+(?:sd|sem|se|std|stdev|cv|error)\)?", column, re.I)
    return found is not None and any(plain(found[1]) == plain(c) for c in columns if c != column)


def without_totals(shares: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Cell types x samples without rows that are the sum of all others, and their names."""
    totals: list[object] = []
    for row in shares.index:
        others = shares.drop(index=[row, *totals])
        if len(others) < 2:
            continue
        sums, own = others.sum(axis=0), shares.loc[[row]].iloc[0]
        is_sum = bool((np.abs(sums - own) <= 0.02 * np.abs(own) + 1e-9).mean() > 0.9)
        named = plain(str(row)) in _TOTAL
        constant = bool(np.isclose(own, 100).all() or np.isclose(own, 1).all())
        if (
            plain(str(row)) in _WHOLE
            or (named and (is_sum or bool((own >= others.max(axis=0) - 1e-9).all())))
            or (is_sum and constant and len(others) > 2)
            or (is_sum and len(others) > 3 and len(own) > 2 and own.min() > 0)
        ):
            totals.append(row)
    return shares.drop(index=totals), [str(t) for t in totals]


def contained_types(
    shares: pd.DataFrame, words_of: Callable[[str], frozenset[str]]
) -> dict[str, str]:
    """Type -> the wider type in the same table that holds it: CD4 T cells in T cells.

    The wider one is named with fewer of the same words, and has at least as many cells in nearly
    all samples.
    """
    words = {str(t): _levels(words_of(str(t))) for t in shares.index}
    found: dict[str, str] = {}
    for child, own in words.items():
        for parent, fewer in words.items():
            if child == parent or not fewer or not fewer < own:
                continue
            more = shares.loc[parent].to_numpy() - shares.loc[child].to_numpy()
            if np.nanmean(more >= -1e-9) > 0.9:
                found[child] = parent
    return found


def unit_of(shares: pd.DataFrame, *, percent: bool, counts: bool, contained: Sequence[str]) -> Unit:
    """What the numbers are, by the sum of each sample without types that are in others."""
    if percent or counts:
        return "percent" if percent else "amounts"
    top = shares.drop(index=[t for t in contained if t in shares.index])
    sums = top.sum(axis=0, min_count=1).dropna()
    high, middle = float(sums.max()), float(np.nanmedian(sums))
    largest = float(np.nanmax(shares.to_numpy()))
    filled = shares.to_numpy()[~np.isnan(shares.to_numpy())]
    whole = bool((filled == np.rint(filled)).all())
    if middle > 10:
        if largest > 100.5 or (whole and (high > 110 or middle > 110)):
            return "amounts"
        return "percent"
    if largest > 1.05 and len(shares) == 1:
        return "percent"
    if largest > 1.05:  # thousands of cells per microlitre, or so
        return "amounts" if high > 1.1 else "fractions"
    return "fractions"


def plain(name: str) -> str:
    """Without case, blanks and marks."""
    return "".join(c for c in name.lower() if c.isalnum())


_WIDER = {
    "lymphocyte": ("t", "b", "nk"),
    "granulocyte": ("neutrophil", "eosinophil", "basophil"),
    "myeloid": ("mono", "dc", "neutrophil", "macrophage"),
}


def _levels(words: frozenset[str]) -> frozenset[str]:
    """With the words of the wider types that are meant: CD4 is a T cell, a B cell a lymphocyte."""
    made = set(words)
    if made & {"cd4", "cd8", "treg", "cd4+", "cd8+"} and not made & {"b", "nk", "dc", "mono"}:
        made.add("t")
    for wider, narrow in _WIDER.items():
        if made & set(narrow):
            made.add(wider)
    return frozenset(made)


def _without_spread(text: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    """The values without what is behind ±, and a sentence on them, "" if there are none."""
    spread = text.map(lambda v: bool(_SPREAD.fullmatch(str(v)[:80])))
    if not spread.any(axis=None):
        return text, ""
    made = text.map(lambda v: _SPREAD.sub(r"\1", v) if isinstance(v, str) else v)
    return made, f"Values of {name} are written with ±; the number before it was taken."


_SPREAD = re.compile(r"\s*([-+]?[\d.,]{1,30}\s*%?)\s*(?:±|\+/-|\+-)\s*[\d.,]{1,30}\s*%?\s*")


def _without_percent(text: pd.DataFrame, name: str) -> tuple[pd.DataFrame, frozenset[str]]:
    """Without percent signs, and the columns that had them. Raises BadValues where a column has
    numbers with a sign and others without.
    """
    made, found = {}, set()
    for column in text.columns:
        values = text[column].astype(str).str.strip()
        signs = values.str.endswith("%")
        if signs.any():
            bare = values.str.removesuffix("%").str.strip()
            if (bare[signs].str.fullmatch(r"[-+]?[\d.,]{1,30}")).all():
                odd = values[~signs & values.str.fullmatch(r"[-+]?[\d.,]{1,30}")]
                odd = odd[odd.str.contains(r"[1-9]")]
                if len(odd):
                    raise BadValues(
                        f'{name}: the value "{odd.iloc[0]}" in column {shorten(str(column), 60)}'
                        " has no percent sign, but others there have one.",
                        advice="Write all values as percentages, or all as fractions.",
                    )
                values = bare
                found.add(str(column))
        made[column] = values
    return pd.DataFrame(made, columns=text.columns), frozenset(found)


def _reason_of_text(column: pd.Series, label: str, name: str) -> str:
    """Why a column of text is no type. Raises BadValues for numbers with a fault among them."""
    there = column.dropna().map(str)
    if not len(there):
        return "empty"
    numbers = there.map(lambda v: bool(re.fullmatch(r"[-+<>~]?[\d.,]{1,30}([eE][-+]?\d+)?", v)))
    if dates_of(column) is not None:
        return "dates"
    if numbers.any() and 2 * int(numbers.sum()) >= len(there):
        pairs = zip(there, numbers, strict=True)
        odd = next((v for v, good in pairs if not good), there.iloc[0])
        raise BadValues(
            f'{name}: the value "{odd[:40]}" in column {label[:60]} is not a number.',
            advice="Give fractions as numbers, one row per sample.",
        )
    return "text"


def _row_numbers(column: pd.Series) -> bool:
    values = column.to_numpy()
    return len(values) > 1 and bool((np.diff(values) == 1).all()) and values[0] in (0, 1)


def _names_column(text: pd.DataFrame, numeric: Sequence[str], samples: Sequence[str] | None) -> str:
    """The column that names the rows: that of the samples, or the first of different texts."""
    first = str(text.columns[0])
    if samples is not None:
        wanted = [str(s) for s in samples]
        hits = {str(c): len(join(wanted, list(text[c])).rows) for c in text.columns}
        best = max(hits, key=lambda c: hits[c])
        if hits[best]:
            return best
    if first in numeric and _row_numbers(pd.to_numeric(text[first], errors="coerce")):
        others = [str(c) for c in text.columns[1:] if str(c) not in numeric]
        return next((c for c in others if text[c].is_unique), first)
    return first


def _long_format(
    frame: pd.DataFrame,
    text: pd.DataFrame,
    numeric: Sequence[str],
    texts: Sequence[str],
    samples: Sequence[str] | None,
) -> tuple[str, str, str] | None:
    """The columns of values, samples and types of a table with one row for each of both."""
    names = [c for c in map(str, text.columns) if c in texts or _SAMPLE.search(c)]
    repeated = [c for c in names if 1 < text[c].nunique() < len(text)]
    if len(repeated) < 2:
        return None
    wanted = [str(s) for s in samples or ()]
    hits = {c: len(join(wanted, sorted(set(text[c]))).rows) for c in repeated} if wanted else {}
    best = max(repeated, key=lambda c: (hits.get(c, 0), bool(_SAMPLE.search(c))))
    if not hits.get(best, 0) and not _SAMPLE.search(best):
        return None
    kinds = [c for c in repeated if c != best and not text[[best, c]].duplicated().any()]
    if not kinds:
        return None
    kind = max(kinds, key=lambda c: (bool(_TYPE.search(c)), text[c].nunique()))
    if len(text) <= text[best].nunique() or len(text) < text[kind].nunique() + 1:
        return None
    values = [c for c in numeric if c not in (best, kind)]
    if not values:
        return None
    if len(values) > 2 and not _TYPE.search(kind):
        return None  # one row per sample and time point, and a column per type
    fitting = [c for c in values if _VALUE.search(c)] or [c for c in values if _COUNT.search(c)]
    if not fitting and len(values) > 1:
        return None
    return (fitting or values)[0], best, kind


def _one_row_per_cell(
    text: pd.DataFrame, numeric: Sequence[str], samples: Sequence[str] | None
) -> tuple[str, str] | None:
    """The columns of samples and types where every row is a cell; None where they are not."""
    columns = [c for c in map(str, text.columns) if c not in numeric]
    wanted = [str(s) for s in samples or ()]
    named = [c for c in columns if 1 < text[c].nunique() < 0.5 * len(text)]
    of_samples = [
        c
        for c in named
        if (wanted and join(wanted, sorted(set(text[c]))).rows)
        or (not wanted and _SAMPLE.search(c))
    ]
    of_types = [c for c in named if c not in of_samples and _TYPE.search(c)]
    if len(of_samples) != 1 or not of_types:
        return None
    kind = max(of_types, key=lambda c: ("cell" in c.lower(), text[c].nunique()))
    whole = text[of_samples[0]].astype(bool) & text[kind].astype(bool)
    repeated = text.loc[whole, [of_samples[0], kind]].duplicated().mean()
    return (of_samples[0], kind) if repeated > 0.5 else None


def _wide(
    frame: pd.DataFrame, text: pd.DataFrame, long: tuple[str, str, str]
) -> tuple[pd.DataFrame, int]:
    """Samples x types, and how many pairs have no row."""
    value, sample, kind = long
    table = pd.DataFrame({"s": text[sample], "t": text[kind], "v": frame[value]})
    wide = table.pivot(index="s", columns="t", values="v")
    order = list(dict.fromkeys(table["t"]))
    made = wide.reindex(index=list(dict.fromkeys(table["s"])), columns=order)
    # a type that was not found in a sample has no row there; one with an empty value is not known
    empty = table[table["v"].isna()]
    absent = made.size - len(table)
    made = made.fillna(0.0)
    for sample_name, type_name in zip(empty["s"], empty["t"], strict=True):
        made.loc[sample_name, type_name] = np.nan
    made.index, made.columns = list(map(str, made.index)), list(map(str, made.columns))
    return made, absent


def said_of_columns(left_out: dict[str, str], name: str) -> str:
    """The sentence on columns that are no types."""
    said = some([f"{shorten(c, 40)} ({why})" for c, why in left_out.items()], 6)
    many = number(len(left_out))
    what = "A column" if len(left_out) == 1 else f"{many} columns"
    return f"{what} of {name} left out, as no cell type: {said}."
