"""What genes say, in sentences: regulation, enrichment, markers, what the hidden profile looks like."""

from __future__ import annotations

import pandas as pd

from gui.analyses.genes import GenesParams, GenesResult
from gui.analyses.hidden_likeness import EXPLAINED, FALSE_DISCOVERY, Likeness
from gui.figures.text import percent, shorten, three
from gui.knowledge.cell_types import is_kind_of
from gui.text import number, some

NEAR = 0.8
"""A runner-up that explains so much of what the best one explains cannot be told from it."""
NOTHING = "nothing known fits"


def sentence(result: GenesResult, types: list[str] | None = None) -> str:
    """The result: what is regulated and enriched, and what the hidden profile looks like.

    Parameters
    ----------
    types
        Of the reference.
    """
    parts = []
    if len(result.regulated):
        up, down = int(result.regulated["up"].sum()), int(result.regulated["down"].sum())
        parts.append(
            f"{number(up + down)} calls of regulation ({number(up)} up, {number(down)} down) in"
            f" {int((result.regulated[['up', 'down']].sum(axis=1) > 0).sum())} of"
            f" {len(result.regulated)} cell types"
        )
        parts.append(enriched(result))
    parts.append(f"the hidden profile: {looks_like(result.likeness, types or [])}")
    text = "; ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}."


def enriched(result: GenesResult) -> str:
    """How many gene sets are significant, and the best one; "" where none was tested."""
    if not result.family and result.ranked.empty:
        return ""
    over = result.over[result.over["p_adjusted"] <= FALSE_DISCOVERY]
    ranked = result.ranked[result.ranked["fdr"] <= FALSE_DISCOVERY]
    if over.empty and ranked.empty:
        return "no gene set is enriched at a false discovery rate of 5 %"
    words = []
    if len(over):
        best = over.sort_values("p", kind="stable").iloc[0]
        words.append(
            f"{number(len(over))} gene set{'s' * (len(over) > 1)} over-represented, first"
            f" {shorten(str(best['set']), 60)} ({best['direction']} in {best['cell_type']})"
        )
    if len(ranked):
        best = ranked.sort_values(["fdr", "p"], kind="stable").iloc[0]
        words.append(
            f"{number(len(ranked))} enriched in the ranking, first"
            f" {shorten(str(best['set']), 60)} in {best['cell_type']}"
        )
    return ", ".join(words)


def looks_like(likeness: Likeness, types: list[str]) -> str:
    """What the hidden profile looks like, with the runner-up's distance; for within a sentence.

    Parameters
    ----------
    types
        Of the reference: a type among them is named as such.
    """
    by_profile, by_marker = _profile(likeness.profiles), _marker(likeness.markers, types)
    if by_profile and by_marker:
        return f"{by_profile}; by markers, {by_marker}"
    if by_profile or by_marker:
        return by_profile or f"no known profile fits; by markers, {by_marker}"
    return f"{NOTHING}{_why(likeness)}"


def _profile(table: pd.DataFrame) -> str:
    fitting = table[table["fits"].astype(bool)]
    if fitting.empty:
        return ""
    best = fitting.iloc[0]
    words = (
        f"most like {shorten(str(fitting.index[0]))}, which explains"
        f" {percent(float(best['explained']))} of what the reference cannot"
    )
    if len(table) < 2:
        return f"{words} (no other type to compare with)"
    second, name = table.iloc[1], shorten(str(table.index[1]))
    near = float(second["explained"]) >= NEAR * float(best["explained"])
    distance = f"{name} explains {percent(float(second['explained']))}"
    return f"{words} ({'hardly told from it: ' if near else 'next: '}{distance})"


def _marker(table: pd.DataFrame, types: list[str]) -> str:
    fitting = table[table["fits"].astype(bool)]
    if fitting.empty:
        return ""
    best, name = fitting.iloc[0], str(fitting.index[0])
    there = [known for known in types if is_kind_of(name, known)]
    words = (
        f"{shorten(name)} ({int(best['markers'])} markers, FDR {three(float(best['p_adjusted']))}"
    )
    if len(table) > 1:
        words += f"; next: {shorten(str(table.index[1]))}, FDR {three(float(table.iloc[1]['p_adjusted']))}"
    words += ")"
    if there:
        words += (
            f", which the reference has as {shorten(there[0])}: its cells in the samples may differ"
            " from those of the reference"
        )
    return words


def _why(likeness: Likeness) -> str:
    """Of nothing that fits: how near the nearest one is."""
    if likeness.profiles.empty and likeness.markers.empty:
        return ": there was no known type to compare with"
    near = []
    if len(likeness.profiles):
        best = likeness.profiles.iloc[0]
        near.append(
            f"{shorten(str(likeness.profiles.index[0]))} explains"
            f" {percent(float(best['explained']))}, {percent(EXPLAINED)} are needed"
        )
    if len(likeness.markers):
        best = likeness.markers.iloc[0]
        near.append(
            f"markers of {shorten(str(likeness.markers.index[0]))} have an FDR of"
            f" {three(float(best['p_adjusted']))}"
        )
    return f" ({'; '.join(near)})"


def sources(collections: pd.DataFrame) -> list[str]:
    """One sentence a collection: name, version, licence, citation, and how much was tested."""
    return [
        f"{row.name_}: {number(int(row.tested))} of {number(int(row.sets))} sets tested."
        f" {'. '.join(text for text in (row.version, row.licence, row.citation) if text)}."
        for row in collections.rename(columns={"name": "name_"}).itertuples()
    ]


def family_sentence(result: GenesResult, params: GenesParams) -> str:
    """What the false discovery rates count."""
    if not len(result.collections):
        return ""
    background = result.regulated["background"]
    spread = (
        f"{number(int(background.min()))} to {number(int(background.max()))}"
        if background.min() < background.max()
        else number(int(background.max()))
    )
    which = " that the data can say something about" if params.supported else ""
    return (
        f"Background: the genes in use{which}, {spread} by cell type, never the genome. Sets of"
        f" {params.smallest} to {params.largest} of these genes are tested. Over-representation:"
        f" one false discovery rate over all {number(result.family)} tests of the run. Ranking:"
        " over all sets of a cell type."
    )


def regulated_line(result: GenesResult) -> str:
    """For the list of previous runs and the navigation."""
    calls = int(result.regulated[["up", "down"]].to_numpy().sum()) if len(result.regulated) else 0
    return f"{number(calls)} regulated, {some(result.collections['name']) or 'no gene sets'}"
