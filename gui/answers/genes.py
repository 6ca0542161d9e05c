"""Genes in words: regulation, gene sets, markers, what the hidden profile looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gui.analyses.gene_enrichment import DOWN, UP
from gui.analyses.gene_params import GenesParams
from gui.analyses.genes import GenesResult
from gui.analyses.hidden_library import AGREES_FROM, AHEAD, runner_up
from gui.analyses.hidden_likeness import EXPLAINED, FALSE_DISCOVERY, Likeness
from gui.engine.results import Run
from gui.figures.text import percent, shorten, three
from gui.knowledge.cell_types import are_related
from gui.knowledge.markers import SHIPPED_NAME, SHIPPED_SOURCE
from gui.text import number, numbered, some

NEAR = 0.8
"""A runner-up that explains so much of what the best one explains cannot be told from it."""
MOST_BARS = 20
"""Types of the library that are drawn."""
NOTHING = "nothing known fits"


def sentence(result: GenesResult) -> str:
    """The result in short: what is regulated and enriched, what the hidden profile looks like."""
    parts = []
    if len(result.regulated):
        up, down = int(result.regulated["up"].sum()), int(result.regulated["down"].sum())
        where = int((result.regulated[["up", "down"]].sum(axis=1) > 0).sum())
        parts.append(
            f"{number(up)} pairs of gene and cell type up and {number(down)} down, in {where} of"
            f" {len(result.regulated)} cell types"
            if where
            else f"no gene counts as regulated in any of {len(result.regulated)} cell types"
        )
        parts.append(enriched(result))
    if not is_nothing(result.likeness):
        parts.append(f"hidden profile: {best_likeness(result.likeness)}")
    text = "; ".join(filter(None, parts)) or f"hidden profile: {NOTHING}"
    return f"{text[0].upper()}{text[1:]}."


def enriched(result: GenesResult) -> str:
    """How many gene sets are significant; "" where none was tested."""
    if not result.family and result.ranked.empty:
        return ""
    over, ranked = int(result.regulated["over"].sum()), int(result.regulated["ranked"].sum())
    if not over and not ranked:
        return "no gene set enriched (false discovery rate 5 %)"
    return (
        f"{number(over)} gene sets over-represented and {number(ranked)} enriched in the ranking"
        " (false discovery rate 5 %)"
    )


def details(result: GenesResult) -> list[str]:
    """The best gene sets, and what the hidden profile looks like with the runner-up."""
    found = []
    over = result.over[result.over["p_adjusted"] <= FALSE_DISCOVERY]
    if len(over):
        best = over.sort_values("p", kind="stable").iloc[0]
        found.append(
            f"First among regulated genes: {shorten(str(best['set']), 60)}, {best['direction']} in"
            f" {best['cell_type']} ({int(best['overlap'])} of {int(best['in_background'])} genes,"
            f" FDR {three(float(best['p_adjusted']))})."
        )
    ranked = result.ranked[result.ranked["fdr"] <= FALSE_DISCOVERY]
    if len(ranked):
        best = ranked.sort_values(["fdr", "p"], kind="stable").iloc[0]
        found.append(
            f"First in the ranking: {shorten(str(best['set']), 60)} in {best['cell_type']}"
            f" ({UP if best['nes'] > 0 else DOWN}, FDR {three(float(best['fdr']))})."
        )
    if is_nothing(result.likeness):
        return found
    said = f"The hidden profile: {looks_like(result.likeness, result.types)}."
    return [*found, *filter(None, (said, library_line(result.likeness)))]


def library_line(likeness: Likeness) -> str:
    """How much the types of the saved references explain, second to the markers; "" without any.

    The library never decides: it supports what the markers say, or nothing in it is said to fit.
    """
    table = likeness.references
    if table.empty:
        return ""
    best, second = table.iloc[0], runner_up(table)
    words = (
        "Of the cell types in your reference library, "
        f"{shorten(str(table.index[0]))} (of “{shorten(str(best['origin']))}”) explains most of it"
        f" ({percent(float(best['explained']))})"
    )
    ahead = True
    if second is not None:
        other = float(table["explained"].iloc[second])
        ahead = other <= AHEAD * float(best["explained"])
        words += f", then {shorten(str(table.index[second]))} ({percent(other)})"
    if best["agrees"]:
        return f"{words}; that agrees with the markers."
    why = (
        f"{percent(AGREES_FROM)} are needed"
        if float(best["explained"]) < AGREES_FROM
        else "the markers do not name that type"
        if ahead
        else "the two cannot be distinguished"
    )
    return f"{words}; nothing in the library fits: {why}."


def is_nothing(likeness: Likeness) -> bool:
    """Whether there was no hidden profile to compare."""
    return bool(np.isnan(likeness.outside))


def best_likeness(likeness: Likeness) -> str:
    """What the hidden profile looks like, in a few words."""
    profiles, markers = likeness.profiles, likeness.markers
    fitting = profiles[profiles["fits"].astype(bool)]
    if len(fitting):
        explained = percent(float(fitting.iloc[0]["explained"]))
        return (
            f"most like {shorten(str(fitting.index[0]))} ({explained} of what the reference cannot"
            " explain)"
        )
    marked = markers[markers["fits"].astype(bool)]
    if len(marked):
        rate = three(float(marked.iloc[0]["p_adjusted"]))
        return f"by its markers most like {shorten(str(marked.index[0]))} (FDR {rate})"
    return NOTHING


def looks_like(likeness: Likeness, types: Sequence[str]) -> str:
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
    return f"{words} ({'not clearly distinguishable: ' if near else 'next: '}{distance})"


def _marker(table: pd.DataFrame, types: Sequence[str]) -> str:
    fitting = table[table["fits"].astype(bool)]
    if fitting.empty:
        return ""
    best, name = fitting.iloc[0], str(fitting.index[0])
    there = [known for known in types if are_related(name, known)]
    words = (
        f"{shorten(name)} ({int(best['markers'])} markers, FDR {three(float(best['p_adjusted']))}"
    )
    if len(table) > 1:
        second = three(float(table.iloc[1]["p_adjusted"]))
        words += f"; next: {shorten(str(table.index[1]))}, FDR {second}"
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
        f"{row.title}: {number(int(row.tested))} of {number(int(row.sets))} sets tested."
        f" {'. '.join(text for text in (row.version, row.licence, row.citation) if text)}."
        for row in _titled(collections)
    ]


def marker_sources(result: GenesResult) -> str:
    """Where the marker lists come from, in a sentence; "" without any."""
    lists = [
        f"{name} ({SHIPPED_SOURCE})" if name == SHIPPED_NAME else name
        for name in result.marker_lists
    ]
    return f"Markers: {'; '.join(lists)}." if lists else ""


def family_sentence(result: GenesResult, params: GenesParams) -> str:
    """What the false discovery rates count; "" where no gene set was tested."""
    if result.collections.empty or result.regulated.empty:
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


def regulated_line(run: Run) -> str:
    """What a run gave, for the list of previous runs and the navigation."""
    result: GenesResult = run.result
    calls = int(result.regulated[["up", "down"]].to_numpy().sum()) if len(result.regulated) else 0
    return f"{number(calls)} regulated, {some(result.collections['name']) or 'no gene sets'}"


def warnings(result: GenesResult) -> list[str]:
    """What weakens the answer, and what was assumed."""
    found = list(result.notes)
    if len(result.regulated) and not result.regulated["background"].all():
        without = result.regulated.index[result.regulated["background"] == 0]
        found.append(f"The data say nothing about gene regulation in {some(without, 5)}.")
    return found


# -- tables as shown
# --------------------------------------------------------------------------------------------------
SET_HEADERS = {
    "set": "Gene set",
    "cell_type": "Cell type",
    "direction": "Direction",
    "collection": "Collection",
    "size": "Size",
    "in_background": "In the background",
    "in_ranking": "In the ranking",
    "overlap": "Overlap",
    "expected": "Expected",
    "fold": "Fold",
    "p": "p",
    "p_adjusted": "FDR",
    "genes": "Genes in common",
    "es": "Enrichment score",
    "nes": "Normalised score",
    "fdr": "FDR",
    "leading_edge": "Leading edge",
}
OVER_FIRST = ["cell_type", "direction", "p_adjusted", "overlap", "fold", "genes"]
RANKED_FIRST = ["cell_type", "fdr", "nes", "leading_edge"]
MARKER_HEADERS = {
    "cell_type": "Cell type",
    "log2": "log2",
    "verdict": "Direction",
    "marker_of": "Known marker of",
    "source": "Source",
}
PROFILE_HEADERS = {
    "explained": "Explained (%)",
    "cosine": "Cosine",
    "weight": "Weight in the best mixture",
    "fits": "Fits",
    "origin": "Known from",
}
LIBRARY_HEADERS = {
    "explained": "Explained (%)",
    "cosine": "Cosine",
    "weight": "Weight in the best mixture",
    "agrees": "Agrees with the markers",
    "origin": "Reference",
}
HIDDEN_MARKER_HEADERS = {
    "markers": "Markers in use",
    "auc": "AUC",
    "p": "p",
    "p_adjusted": "FDR",
    "fits": "Fits",
    "genes": "Markers, highest first",
}


def over_table(result: GenesResult) -> pd.DataFrame:
    """Over-represented sets, best first."""
    return _sets(result.over.sort_values("p", kind="stable"), OVER_FIRST)


def ranked_table(result: GenesResult) -> pd.DataFrame:
    """Sets enriched in the ranking, best first."""
    return _sets(result.ranked.sort_values(["fdr", "p"], kind="stable"), RANKED_FIRST)


def _sets(table: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    shown = table.set_index("set")
    order = [*first, *(name for name in shown.columns if name not in first)]
    return shown[order].rename(columns=SET_HEADERS).rename_axis(SET_HEADERS["set"])


def marker_table(result: GenesResult) -> pd.DataFrame:
    """Regulated genes that are known markers."""
    shown = result.markers.set_index("gene")[list(MARKER_HEADERS)]
    return shown.rename(columns=MARKER_HEADERS).rename_axis("Gene")


def profile_table(result: GenesResult) -> pd.DataFrame:
    """Known profiles the hidden one was compared with."""
    table = result.likeness.profiles
    shown = table.assign(
        explained=100 * table["explained"].astype(float), fits=_words(table["fits"])
    )
    return shown[list(PROFILE_HEADERS)].rename(columns=PROFILE_HEADERS).rename_axis("Cell type")


def hidden_marker_table(result: GenesResult) -> pd.DataFrame:
    """Types whose markers were looked for in the hidden profile."""
    table = result.likeness.markers
    shown = table.assign(fits=_words(table["fits"]))[list(HIDDEN_MARKER_HEADERS)]
    return shown.rename(columns=HIDDEN_MARKER_HEADERS).rename_axis("Cell type")


def library_bars(table: pd.DataFrame) -> pd.DataFrame:
    """The best of them as they are drawn: two references may have a type of the same name."""
    part = table.head(MOST_BARS)
    names = [f"{shorten(str(t))}, {shorten(str(o), 24)}" for t, o in part["origin"].items()]
    return part.assign(fits=part["agrees"]).set_axis(numbered(names), axis=0)


def library_table(result: GenesResult) -> pd.DataFrame:
    """Types of the saved references by how much of the hidden profile they explain."""
    table = result.likeness.references
    shown = table.assign(
        explained=100 * table["explained"].astype(float), agrees=_words(table["agrees"])
    )
    return shown[list(LIBRARY_HEADERS)].rename(columns=LIBRARY_HEADERS).rename_axis("Cell type")


def _words(flags: pd.Series) -> list[str]:
    return ["yes" if flag else "no" for flag in flags]


def shown_tables(result: GenesResult) -> dict[str, pd.DataFrame]:
    """Caption -> table, those with something in them."""
    counts = result.regulated.rename(
        columns={
            "up": "Up",
            "down": "Down",
            "background": "Genes with support",
            "over": "Sets over-represented (FDR 5 %)",
            "ranked": "Sets in the ranking (FDR 5 %)",
        }
    ).rename_axis("Cell type")
    cited = " ".join(sources(result.collections))
    found = {
        "Regulated genes by cell type.": counts,
        f"Over-representation of regulated genes in gene sets. {cited}": over_table(result),
        f"Gene sets in the ranking of genes by log2 regulation. {cited}": ranked_table(result),
        "Regulated genes that are known markers, and whether the direction fits."
        f" {marker_sources(result)}": marker_table(result),
        "Known profiles by how much they explain of the hidden profile outside of the"
        " reference.": profile_table(result),
        "Cell types by the ranks of their markers in the hidden profile outside of the"
        f" reference. {marker_sources(result)}": hidden_marker_table(result),
        "Cell types of the reference library by how much they explain of the hidden profile outside"
        " of the reference; second to the markers.": library_table(result),
    }
    return {caption: table for caption, table in found.items() if len(table)}


def methods(params: GenesParams, result: GenesResult) -> str:
    """A sentence for a manuscript."""
    words = []
    if len(result.regulated):
        words.append(
            f"Genes were called regulated in a cell type where the estimate differed from the"
            f" reference by a factor of at least {params.fold:g}"
            f"{' and had support in the data' if params.supported else ''}."
        )
    if len(result.collections):
        names = some([f"{r.title} ({r.version})" for r in _titled(result.collections)], 10)
        words.append(
            f"Gene sets of {names} with {params.smallest} to {params.largest} genes were tested by"
            " the hypergeometric distribution against the genes in use (Benjamini-Hochberg over"
            f" {number(result.family)} tests) and by pre-ranked enrichment of log2 regulation"
            f" ({number(params.permutations)} permutations of genes)."
        )
    if is_nothing(result.likeness):
        return " ".join(words)
    words.append(
        "The hidden profile was compared outside of the span of the reference profiles, with known"
        " profiles by weighted non-negative least squares and with marker genes by their ranks."
    )
    return " ".join(words)


def _titled(collections: pd.DataFrame) -> list[Any]:
    return list(collections.rename(columns={"name": "title"}).itertuples())
