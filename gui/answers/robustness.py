"""Robustness in words, and which of the three ranges of the hidden fraction is widest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gui.analyses.robustness import (
    RARE,
    UNSTABLE,
    RobustnessParams,
    RobustnessResult,
)
from gui.answers.confidence_intervals import bootstrap_of
from gui.data.dataset import HIDDEN
from gui.engine.results import ADTDResult, BootstrapResult, Run
from gui.engine.variants import DONORS, GENES, LEFT_OUT, SEED
from gui.figures.text import coefficient, percent, shorten
from gui.sessions.cache import DCXCache
from gui.text import number, some

TITLES: Mapping[str, str] = {
    GENES: "Gene counts",
    SEED: "Seeds",
    LEFT_OUT: "Cell type left out",
    DONORS: "Donors left out",
}
EQUAL_FIT, BOOTSTRAP = "equal fit", "bootstrap"
LOW_RANK = 0.8
"""Below this median correlation with the run the order of the samples is called uncertain."""
MOST_GOES = 0.5


# -- the three ranges of the hidden fraction
# --------------------------------------------------------------------------------------------------
def robustness_of(session: DCXCache, run: Run | None) -> Run | None:
    """The newest robustness run of this DTD or ADTD run that belongs to the present data."""
    if run is None:
        return None
    for found in reversed(session.runs("robustness")):
        inputs = found.provenance.inputs
        same = inputs.get(run.kind) == run.id and (run.kind == "adtd" or "adtd" not in inputs)
        if same and session.outdated(found) is None:
            return found
    return None


def hidden_ranges(
    result: ADTDResult,
    sure: BootstrapResult | None = None,
    robust: RobustnessResult | None = None,
) -> pd.DataFrame:
    """The ranges of the hidden fraction that are known, widest first.

    Columns low, high, width: medians over the samples. Index: "equal fit", "bootstrap",
    "gene counts".
    """
    found: dict[str, pd.DataFrame] = {}
    if result.hidden_interval is not None:
        found[EQUAL_FIT] = result.hidden_interval
    if sure is not None and HIDDEN in sure.estimate.index:
        found[BOOTSTRAP] = pd.DataFrame(
            {"low": sure.low.loc[HIDDEN], "high": sure.high.loc[HIDDEN]}
        )
    ranges = None if robust is None else robust.hidden_range()
    if ranges is not None:
        found[TITLES[GENES].lower()] = ranges
    rows = {
        name: {
            "low": float(table["low"].median()),
            "high": float(table["high"].median()),
            "width": float((table["high"] - table["low"]).median()),
        }
        for name, table in found.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high", "width"])
    return table.sort_values("width", ascending=False, kind="stable").rename_axis("range")


def hidden_range_sentence(
    result: ADTDResult,
    sure: BootstrapResult | None = None,
    robust: RobustnessResult | None = None,
) -> str:
    """Which range of the hidden fraction is widest, so that it is the one to quote; "" for none.

    The ranges answer different questions: equal fit, sampling of genes, choice of the gene count.
    """
    table = hidden_ranges(result, sure, robust)
    if table.empty:
        return ""
    named = [
        f"{name} {percent(row.low)} to {percent(row.high)}"
        for name, row in zip(table.index, table.itertuples(), strict=True)
    ]
    if len(named) == 1:
        return f"Range of the median hidden fraction: {named[0]}."
    return f"The widest range of the median hidden fraction is {named[0]} ({', '.join(named[1:])})."


def ranges_record(
    result: ADTDResult, sure: BootstrapResult | None, robust: RobustnessResult | None
) -> dict[str, object]:
    """The same for ``run.json``: every range, the sentence, and samples that are unstable."""
    table = hidden_ranges(result, sure, robust)
    return {
        "median": float(result.hidden.median()),
        "ranges": {
            str(name): {key: float(row[key]) for key in table.columns}
            for name, row in table.iterrows()
        },
        "summary": hidden_range_sentence(result, sure, robust),
        "unstable_samples": None if robust is None else robust.unstable(),
    }


def unstable_message(robust: RobustnessResult | None) -> str:
    """That the hidden fraction depends on the number of genes, or ""."""
    ranges = None if robust is None else robust.hidden_range()
    if robust is None or ranges is None:
        return ""
    names = robust.unstable()
    if not names:
        return ""
    widest = float((ranges["high"] - ranges["low"]).max())
    return (
        f"Hidden fraction unstable in {number(len(names))} of {number(len(ranges))} samples: with"
        f" other gene counts it changes by more than {100 * UNSTABLE:g} percentage points (up to"
        f" {100 * widest:.0f})."
    )


def hidden_range_texts(session: DCXCache, run: Run) -> list[str]:
    """Of an ADTD run in a session: which range is widest, and whether it is unstable."""
    sure, robust = bootstrap_of(session, run), robustness_of(session, run)
    found = None if robust is None else robust.result
    texts = (
        hidden_range_sentence(run.result, None if sure is None else sure.result, found),
        unstable_message(found),
    )
    return [text for text in texts if text]


# -- the analysis
# --------------------------------------------------------------------------------------------------
def sentence(result: RobustnessResult) -> str:
    """How far the fractions move, and for which type most."""
    table = result.summary()
    table = table[table.index != LEFT_OUT]
    parts = []
    if len(table):
        worst = table.loc[table.index == table["range"].idxmax()].nlargest(1, "range").iloc[0]
        kind = str(table["range"].idxmax())
        parts.append(
            f"The fractions move most with {_changes(kind)}: {shorten(worst['cell_type'])}, median"
            f" range {100 * worst['range']:.1f} percentage points"
        )
    if result.hidden_range() is not None:
        unstable = result.unstable()
        parts.append(
            f"the hidden fraction is unstable in {number(len(unstable))} samples"
            if unstable
            else "the hidden fraction is stable over the gene counts"
        )
    if not parts:
        return f"{number(len(result.variants))} cell types were left out in turn."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _changes(kind: str) -> str:
    names: dict[str, str] = {GENES: "the gene count", SEED: "the seed", DONORS: "the donors"}
    return names[kind]


def details(result: RobustnessResult) -> list[str]:
    """A sentence for each kind of change."""
    table = result.summary()
    found = []
    for kind in result.kinds:
        rows = table[table.index == kind]
        count = int(rows["variants"].max())
        if kind == LEFT_OUT:
            goes = leakage_sentence(result)
            found += [goes] if goes else []
            continue
        ranks = rows["rank"].dropna()
        order = f", median rank correlation with the run {_ranks(ranks)}" if len(ranks) else ""
        found.append(
            f"{TITLES[kind]} ({count}): interquartile range up to"
            f" {100 * float(rows['iqr'].max()):.1f} percentage points{order}."
        )
    return found


def _ranks(ranks: pd.Series) -> str:
    low, high = coefficient(float(ranks.min())), coefficient(float(ranks.max()))
    return low if low == high else f"{low} to {high}"


def leakage_sentence(result: RobustnessResult) -> str:
    """Where the fractions of types go that are left out; "" where none was."""
    table = result.leakage()
    if table.empty:
        return ""
    parts, hidden = [], []
    for name, row in table.iterrows():
        known = row.dropna()
        if known.empty:
            continue
        into, most = str(known.idxmax()), float(known.max())
        if into == HIDDEN and most >= MOST_GOES:
            hidden.append(str(name))
        elif most >= MOST_GOES:
            parts.append(f"{shorten(str(name))} to {shorten(into)} ({percent(min(most, 1.0))})")
    words = []
    if parts:
        words.append(f"most of its fraction goes to a neighbour for {some(parts, 4)}")
    if hidden:
        words.append(f"to the hidden background for {some(hidden, 4)}")
    if not words:
        return "No neighbour takes up most of the fraction of a cell type that is left out."
    return f"Where a cell type is left out, {', '.join(words)}."


def warnings(result: RobustnessResult) -> list[str]:
    """What is uncertain, and what was left out."""
    found = [unstable_message(result)] if unstable_message(result) else []
    table = result.summary()
    for kind in (SEED, GENES, DONORS):
        rows = table[(table.index == kind) & (table["rank"] < LOW_RANK)]
        if len(rows):
            found.append(
                f"The order of the samples depends on {_changes(kind)} for"
                f" {some([str(n) for n in rows['cell_type']], 4)} (median rank correlation below"
                f" {LOW_RANK:g})."
            )
    return [*found, *result.notes]


def shown_summary(result: RobustnessResult) -> pd.DataFrame:
    """The summary as on screen: percent and percentage points."""
    table = result.summary()
    percents = table[["fraction", "median", "iqr", "range"]] * 100
    return pd.DataFrame(
        {
            "Changed": [TITLES[str(kind)] for kind in table.index],
            "Cell type": table["cell_type"].to_numpy(),
            "Times": table["variants"].to_numpy(),
            "Run (%)": percents["fraction"].to_numpy(),
            "Median (%)": percents["median"].to_numpy(),
            "IQR (points)": percents["iqr"].to_numpy(),
            "Range (points)": percents["range"].to_numpy(),
            "Rank correlation": table["rank"].to_numpy(),
            "Lowest": table["rank_lowest"].to_numpy(),
        }
    ).set_index("Changed")


def shown_leakage(result: RobustnessResult) -> pd.DataFrame:
    """The leakage matrix in percent of what is lost."""
    return (result.leakage() * 100).rename_axis("Left out (%)")


def shown_gene_counts(result: RobustnessResult) -> pd.DataFrame:
    """Median fraction (%) by number of genes."""
    table = result.gene_count_table() * 100
    return table.set_axis([number(int(n)) for n in table.index]).rename_axis("Genes")


def shown_tables(result: RobustnessResult) -> dict[str, pd.DataFrame]:
    """Caption -> table."""
    found = {
        "Median over the samples of what the fractions do when one thing is changed.": (
            shown_summary(result)
        )
    }
    if GENES in result.kinds:
        found["Median fraction (%) by number of genes."] = shown_gene_counts(result)
    if LEFT_OUT in result.kinds:
        found[LEAKAGE_CAPTION] = shown_leakage(result)
    return found


LEAKAGE_CAPTION = (
    "Which types take up the fraction of a cell type that is left out, in percent of it; empty"
    f" where it makes up less than {100 * RARE:g} %."
)


def methods(params: RobustnessParams, result: RobustnessResult) -> str:
    """A sentence for a manuscript."""
    table = result.variants["kind"].value_counts()
    said: dict[str, str] = {
        GENES: "{} other numbers of genes",
        SEED: "{} other seeds",
        LEFT_OUT: "each of {} cell types left out",
        DONORS: "{} parts of the donors left out in turn",
    }
    parts = [said[kind].format(int(table[kind])) for kind in result.kinds]
    return f"Robustness was examined by computing the run again with {', '.join(parts)}."


def summary_line(result: RobustnessResult) -> str:
    """For the navigation and the list of previous runs."""
    widest = np.nan
    table = result.summary()
    table = table[table.index != LEFT_OUT]
    if len(table):
        widest = float(table["range"].max())
    said = f"{number(len(result.variants))} variants"
    return said if np.isnan(widest) else f"{said}, range up to {100 * widest:.0f} points"
