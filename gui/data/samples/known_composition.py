"""Known compositions of the samples (flow cytometry, cell counts): which way round the table is,
percent or fractions, which name is which type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gui.data.dataset import KnownComposition
from gui.data.readers.options import Frozen
from gui.data.readers.text_table import read_text_table
from gui.data.samples.composition_table import (
    Unit,
    contained_types,
    plain,
    read_composition,
    said_of_columns,
    unit_of,
    without_totals,
)
from gui.data.samples.gates import gate, of_one_whole, same_in_numbers, with_lineage
from gui.data.samples.joining import WAYS, Join, join
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding, Place
from gui.errors import BadValues, DataError
from gui.text import number, shorten, some

_SYNONYMS = {
    "natural": "nk",
    "killer": "nk",
    "tregs": "treg",
    "monocytes": "mono",
    "monocyte": "mono",
    "regulatory": "treg",
    "plasmacytoid": "p",
}
_FILLERS = frozenset({"cell", "cells", "and", "of", "the"})
_OF_WHAT = re.compile(r"[(\[][^()\[\]]*(?:%|µ|μ|/|\bof\b|percent|count)[^()\[\]]*[)\]]")
"""A unit or the parent population behind a name: (% of CD45+), [cells/µL]."""
_RUN_TOGETHER = re.compile(
    r"(?<=cd4|cd8)(?=t(?:$|[^a-z]|cell|reg))|(?<=\bt)(?=cd\d)|(?<=[a-z])(?=cells?$)"
)
"""Where words of a cell type are written without a blank: CD4T, NKcells."""
_LONGEST = 200
_LINEAGE = frozenset({"cd3", "cd3-", "cd45"})
"""Markers by which gates are drawn before the one that tells the type."""
MIN_ALIKE = 0.5
"""Share of common words from which two names are proposed as a pair."""


class KnownCompositionChoice(Frozen):
    """A table of known shares. pairs : its type -> the estimated type or types ("A|B": their sum),
    "" for none; None takes what is proposed.
    """

    path: Path
    name: str = ""
    pairs: Mapping[str, str] | None = None

    @property
    def shown(self) -> str:
        return self.name or self.path.name


@dataclass(frozen=True, eq=False)
class KnownCompositionTable:
    """As read. shares : cell types x samples, fractions; divided : by what; turned : whether
    samples were the rows; unit : of the file; left_out : columns that are no types -> why;
    contained : type -> the wider type that holds it; notes : on how it was read; names_from : where
    the names of the samples were, in words; lines_left_out : on lines that were not taken.
    """

    name: str
    shares: pd.DataFrame
    divided: float
    turned: bool
    join: Join | None
    unit: Unit = "fractions"
    left_out: Mapping[str, str] = field(default_factory=dict)
    contained: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    names_from: str = ""
    lines_left_out: tuple[str, ...] = ()


def read_known_composition(
    choice: KnownCompositionChoice,
    samples: Sequence[str] | None = None,
    types: Sequence[str] | None = None,
) -> KnownCompositionTable:
    """Read and turn round as needed. samples : of the bulk; types : that are estimated.

    Raises UnreadableFile, BadValues.
    """
    name = choice.shown
    lines: list[str] = []
    text, _ = read_text_table(choice.path, name, lines)
    found = read_composition(text, name, samples)
    table, names = found.values, list(found.values.index)
    if (table < 0).any(axis=None):
        row, column = np.argwhere(table.to_numpy() < 0)[0]
        raise BadValues(
            f"{name} has the negative value {table.iat[row, column]:.3g} for"
            f" {table.columns[column]} in {names[row]}: scores of enrichment (ssGSEA, xCell) are no"
            " fractions.",
            advice="Correct the value, or give fractions, percentages or counts of cells.",
        )
    turned = _samples_are_rows(table, samples, types)
    shares, totals = without_totals(table.T if turned else table)
    twice = same_in_numbers([str(t) for t in shares.index], words_of)
    shares = shares.drop(index=twice)
    multiplied = ""
    if not found.counts:
        shares, multiplied = of_one_whole(shares, words_of, name)
    contained = contained_types(shares, words_of)
    if len(shares) == 1 and float(np.nanmax(shares.to_numpy())) > 100:
        raise BadValues(
            f"{name} holds the numbers of cells of one type only: without the others they give no"
            " fraction.",
            advice="Give the percentage, or the numbers of all types.",
        )
    unit = unit_of(shares, percent=found.percent, counts=found.counts, contained=list(contained))
    divided = 100.0 if unit == "percent" else 1.0
    shares = shares / divided
    gaps = shares.isna().any(axis=0) & shares.notna().any(axis=0)
    notes = (
        *found.notes,
        *[multiplied] * bool(multiplied),
        *_said_of_gaps(name, shares, gaps, unit),
    )
    if unit == "amounts":
        top = shares.drop(index=list(contained))
        # of what is not known no sum can be made
        shares = shares / top.sum(axis=0, skipna=False).replace(0, np.nan)
    left_out = found.left_out | dict.fromkeys(totals, "the sum of the others")
    left_out |= dict.fromkeys(twice, "numbers of the cells whose percentages are given")
    return KnownCompositionTable(
        name,
        shares,
        divided,
        turned,
        join([str(s) for s in samples], list(shares.columns)) if samples is not None else None,
        unit,
        left_out,
        contained,
        notes,
        f"column {shorten(found.names, 40)}" if turned else "names of the columns",
        tuple(lines),
    )


def _said_of_gaps(name: str, shares: pd.DataFrame, gaps: pd.Series, unit: str) -> Iterator[str]:
    """Where values are missing that other samples have."""
    if not gaps.any():
        return
    samples = list(shares.columns[gaps])
    first = shares.index[shares[samples[0]].isna()][0]
    what = (
        "these samples are not compared, as their sum is not known"
        if unit == "amounts"
        else "these values are not compared"
    )
    yield (
        f"{name} has no value for {shorten(str(first))} in {some(samples)}"
        f"{' and for others' if int(shares[samples].isna().sum().sum()) > len(samples) else ''}:"
        f" {what}."
    )


def _samples_are_rows(
    table: pd.DataFrame, samples: Sequence[str] | None, types: Sequence[str] | None
) -> bool:
    """By the names of the samples, by those of the types, or by which way the shares sum up to one
    value.
    """
    rows, columns = list(table.index), list(table.columns)
    if samples is not None:
        found = [len(join([str(s) for s in samples], names).rows) for names in (rows, columns)]
        if found[0] != found[1]:
            return found[0] > found[1]
    if types is not None:
        paired = [len(pair_types(names, types)) for names in (rows, columns)]
        if paired[0] != paired[1]:
            return paired[1] > paired[0]
    spread = [
        float(np.nanstd(table.sum(axis=axis)) / max(1e-12, float(np.nanmean(table.sum(axis=axis)))))
        for axis in (1, 0)
    ]
    return spread[0] <= spread[1]


def words_of(name: str) -> frozenset[str]:
    """What a name says: CD8+ T cells, T cells CD8 and CD8T (% of CD45+) say the same."""
    text = _OF_WHAT.sub(" ", gate(name)[:_LONGEST].casefold())
    before, _, after = text.partition("%")
    text = before if before.strip() else after
    text = _RUN_TOGETHER.sub(" ", text.replace("-cell", " cell"))
    found = re.findall(r"[a-z0-9]+[-+]?", text)
    plain = (w.rstrip("+") if w.endswith("+") else w for w in found)
    single = (w[:-1] if len(w) > 3 and w.endswith("s") else w for w in plain)
    words = frozenset(_SYNONYMS.get(w, w) for w in single if w not in _FILLERS)
    return words - _LINEAGE or words


def pair_types(known: Sequence[str], estimated: Sequence[str]) -> dict[str, str]:
    """Name in the truth -> estimated type, for those that seem to mean the same; each estimated
    type once.

    CD4 is never paired with CD8: names that hold different markers do not fit, however alike they
    look.
    """
    made: dict[str, str] = {k: k for k in known if k in set(estimated)}
    rest = [e for e in estimated if e not in made]
    scored = sorted(
        (
            (-_alike(k, e), i, j)
            for i, k in enumerate(known)
            if k not in made
            for j, e in enumerate(rest)
        )
    )
    for score, i, j in scored:
        if -score >= MIN_ALIKE and known[i] not in made and rest[j] not in made.values():
            made[known[i]] = rest[j]
    return made


def _alike(one: str, other: str) -> float:
    a, b = with_lineage(words_of(one)), with_lineage(words_of(other))
    markers = [
        {w.rstrip("-") for w in words if re.fullmatch(r"cd\d+[a-z]?-?", w)} for words in (a, b)
    ]
    if not a or not b or (markers[0] and markers[1] and markers[0] != markers[1]):
        return 0.0
    return len(a & b) / len(a | b)


def load_known_composition(
    choice: KnownCompositionChoice, samples: Sequence[str], types: Sequence[str]
) -> KnownComposition:
    """Shares of the bulk samples that are in the table, under the bulk's names.

    Raises UnreadableFile, BadValues, MissingPart.
    """
    return join_known_composition(
        read_known_composition(choice, samples, types), samples, types, choice.pairs
    )


def join_known_composition(
    read: KnownCompositionTable,
    samples: Sequence[str],
    types: Sequence[str],
    chosen: Mapping[str, str] | None,
) -> KnownComposition:
    """Of a table read with these samples and types; chosen : the pairs, None for those proposed.

    MissingPart if no sample could be joined, BadValues for scores.
    """
    assert read.join is not None
    if not read.join.rows:
        raise _nothing_joined(read, samples).as_error()
    if (scores := _scores(read)) is not None:
        raise scores.as_error()
    there = [str(s) for s in samples if str(s) in read.join.rows]
    shares = read.shares.iloc[:, [read.join.rows[s] for s in there]].set_axis(there, axis=1)
    pairs = pair_types(list(map(str, shares.index)), types) if chosen is None else dict(chosen)
    return KnownComposition(shares, read.name, {k: v for k, v in pairs.items() if v})


def examine_known_composition(
    path: Path,
    name: str = "",
    *,
    samples: Sequence[str] | None = None,
    types: Sequence[str] | None = None,
    choice: KnownCompositionChoice | None = None,
) -> list[Finding]:
    """All findings on a table of known shares. Never raises for bad data."""
    choice = choice or KnownCompositionChoice(path=path, name=name)
    try:
        read = read_known_composition(choice, samples, types)
    except DataError as error:
        return [
            (f.NotANumber if isinstance(error, BadValues) else f.Unreadable).of(
                error, Place(choice.shown, "truth")
            )
        ]
    return known_composition_findings(read, samples, types, choice.pairs)


def known_composition_findings(
    read: KnownCompositionTable,
    samples: Sequence[str] | None,
    types: Sequence[str] | None,
    chosen: Mapping[str, str] | None,
) -> list[Finding]:
    """All findings on a table that could be read; samples, types : those it was read with; chosen :
    see :func:`joined_truth`.
    """
    found = list(_joined(read, samples)) if samples is not None else []
    found += list(_sums(read))
    return found + list(_paired(read, types, chosen) if types is not None else _spelled(read))


def _nothing_joined(read: KnownCompositionTable, samples: Sequence[str]) -> Finding:
    if read.join is not None and len(read.join.ambiguous) == len(samples):
        return f.NotJoined(
            Place.at(read.name, "truth", columns=samples),
            f"Every sample of the bulk is in several rows of {read.name} ({samples[0]} among"
            " them), so it cannot be told which values are meant.",
            "Give every sample one row: of one time point, one gate or one replicate.",
        )
    message = (
        f"None of the {number(len(samples))} samples of the bulk is in {read.name} ({samples[0]}"
        f" against {some(read.shares.columns, 2)})."
    )
    return f.NotJoined(
        Place.at(read.name, "truth", columns=samples),
        message,
        "Use the same names of samples in both files.",
    )


def _joined(read: KnownCompositionTable, samples: Sequence[str]) -> Iterator[Finding]:
    joined = read.join
    assert joined is not None
    if not joined.rows:
        yield _nothing_joined(read, samples)
        return
    place, total = Place.at(read.name, "truth", columns=joined.rows), number(len(samples))
    for way, count in joined.ways.items():
        if way != "exact":
            yield f.JoinedByHelp(
                place,
                f"{number(count)} of {total} samples match {read.name} only {WAYS[way]}.",
                "Check that these are the same samples.",
            )
    if joined.ambiguous:
        message = (
            f"Samples that fit several columns of {read.name}: {some(joined.ambiguous)}. They are"
            " not joined."
        )
        yield f.AmbiguousJoin(Place.at(read.name, "truth", columns=joined.ambiguous), message)
    if joined.missing:
        message = (
            f"{number(len(joined.missing))} of {total} samples are not in {read.name}:"
            f" {some(joined.missing)}."
        )
        yield f.SamplesWithoutRow(
            Place.at(read.name, "truth", columns=joined.missing), message, "They are not compared."
        )


def _sums(read: KnownCompositionTable) -> Iterator[Finding]:
    top = read.shares.drop(index=list(read.contained))
    sums = top.sum(axis=0) * read.divided
    low, high = float(sums.min()), float(sums.max())
    place = Place(read.name, "truth")
    for said in read.notes:
        yield f.CompositionRead(place, said)
    if read.left_out:
        where = Place.at(read.name, "truth", columns=read.left_out)
        yield f.ColumnsLeftOut(where, said_of_columns(dict(read.left_out), read.name))
    if read.unit == "amounts" and "absolutescore" in "".join(map(plain, read.left_out)):
        yield f.CompositionRead(
            place,
            f"{read.name} holds the scores of CIBERSORT's absolute mode: each sample was divided by"
            " its sum, which gives the fractions of its relative mode.",
            "These are estimates of another program, no measurement.",
        )
    elif read.unit == "amounts":
        yield f.CompositionRead(
            place,
            f"The values of {read.name} are numbers of cells (or amounts), not fractions: each"
            " sample was divided by its sum.",
            "Give fractions if this is wrong.",
        )
    if read.contained:
        pairs = [f"{shorten(child)} in {shorten(wider)}" for child, wider in read.contained.items()]
        yield f.OverlappingTypes(
            Place.at(read.name, "truth", columns=read.contained),
            f"Cell types of {read.name} overlap: {some(pairs, 4)}.",
            "Pair each estimated type with one of them only; the wider types are counted in the"
            " sums, the narrower ones are not.",
        )
    if read.divided == 100:
        message = (
            f"The fractions of a sample in {read.name} sum up to about 100 ({low:.4g} to"
            f" {high:.4g}), so they are taken for percent and divided by 100."
            if 90 < low <= high < 110
            else f"The values of {read.name} are percent (a sample has {low:.4g} to {high:.4g} in"
            " all); they were divided by 100."
        )
        yield f.Percent(place, message, "Give fractions if this is wrong.")
    if _may_be_scores(top):
        yield _scores(read) or f.OddSums(place, _said_of_sums(read.name, top), _SCORES_ARE)
    elif high > 1.1 * read.divided:
        message = (
            f"The shares of a sample in {read.name} sum up to {low:.4g} to {high:.4g}, more than"
            f" {read.divided:g}."
        )
        yield f.OddSums(
            place, message, "Check that the types do not overlap (T cells and CD4 T cells)."
        )


def _said_of_sums(name: str, top: pd.DataFrame) -> str:
    sums = top.sum(axis=0)
    return (
        f"The values of a sample in {name} sum up to {sums.min():.4g} to {sums.max():.4g} over"
        f" {number(len(top))} cell types; fractions would have about the same sum in every"
        " sample."
    )


_SCORES_ARE = (
    "Scores (xCell, ssGSEA, MCP-counter) are no fractions and cannot be compared: give counts or"
    " percentages of cells, or check that the types do not overlap."
)


def _scores(read: KnownCompositionTable) -> Finding | None:
    """The refusal of values that no fractions can be: their sums differ, and exceed one."""
    top = read.shares.drop(index=list(read.contained))
    high = float(np.quantile(top.sum(axis=0, min_count=1).dropna(), 0.95)) if len(top) else 0.0
    if read.unit != "fractions" or high <= 1.1 or not _may_be_scores(top):
        return None
    return f.ScoresAsFractions(
        Place(read.name, "truth"), _said_of_sums(read.name, top), _SCORES_ARE
    )


def _may_be_scores(top: pd.DataFrame) -> bool:
    """Whether the sums differ as those of scores do. top : types x samples, no type within another.

    A panel that leaves types out has sums below one that may differ, but not dozens of types.
    """
    sums = top.sum(axis=0, min_count=1).dropna()
    if len(sums) < 3 or len(top) < 3:
        return False
    low, high = (float(v) for v in np.quantile(sums, [0.05, 0.95]))
    vary = high > _SUMS_VARY * low
    return vary and (high > 1.1 or len(top) >= _MANY_TYPES)


_SUMS_VARY = 1.5
"""High sum of a sample over a low one, beyond those of fractions."""
_MANY_TYPES = 20
"""Types that together are nearly all cells of a sample, if they are fractions."""


def _paired(
    read: KnownCompositionTable, types: Sequence[str], chosen: Mapping[str, str] | None
) -> Iterator[Finding]:
    known = [str(t) for t in read.shares.index]
    pairs = pair_types(known, types) if chosen is None else chosen
    other = {k: v for k, v in pairs.items() if v and k != v}
    alone = [k for k in known if not pairs.get(k)]
    without = [t for t in types if not any(t in v.split("|") for v in pairs.values())]
    if other and chosen is None:
        said = [f"{k} with {v}" for k, v in other.items()]
        message = f"Cell types of {read.name} bear other names; proposed pairs: {some(said, 5)}."
        yield f.OtherNames(Place.at(read.name, "truth", columns=other), message, "Pair the names.")
    if alone or without:
        parts = [f"in {read.name} only: {some(alone, 5)}"] * bool(alone) + [
            f"estimated only: {some(without, 5)}"
        ] * bool(without)
        cls = f.OtherNames if alone and without and chosen is None else f.Noted
        yield cls(
            Place.at(read.name, "truth", columns=alone),
            f"Cell types without a partner, {'; '.join(parts)}.",
            "Pair those that mean the same.",
        )


def _spelled(read: KnownCompositionTable) -> Iterator[Finding]:
    """Without knowing the estimated types: names that are built otherwise than the others of the
    same table, as after typing by hand.
    """
    names = [str(t) for t in read.shares.index]
    cells = [n for n in names if re.search(r"\bcells?\b", n, re.I)]
    bare = [n for n in names if re.fullmatch(r"(b|t|nk)", n.strip(), re.I)] if cells else []
    first = [n for n in names if re.match(r"CD\d\w*[-+]?\s", n, re.I)]
    last = [n for n in names if re.search(r"\scells?\s+CD\d+", n, re.I)]
    turned = min((first, last), key=len) if first and last else []
    odd = [*bare, *turned]
    if odd:
        example = next((n for n in (last if turned is first else first) if turned), cells[0])
        message = (
            f"Cell types of {read.name} are spelled otherwise than its other ones: {some(odd)}"
            f" (beside {example})."
        )
        yield f.MixedSpelling(
            Place.at(read.name, "truth", columns=odd),
            message,
            "Check that the names are those of the training cells, or pair them.",
        )
