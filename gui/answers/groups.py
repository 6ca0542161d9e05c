"""Group comparisons in words and as the table that page and report show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from gui.analyses.groups import GroupsParams, GroupsResult
from gui.data.dataset import HIDDEN
from gui.figures.text import shorten, three
from gui.statistics.fraction_scales import CLOSURE
from gui.statistics.group_design import FEWEST
from gui.text import number

MOST_NAMED = 4
"""Groups that are named."""
NAMED = 3
"""Cell types that the answer names."""
STEADY = 0.8
"""Part of the bootstrap draws in which a call should hold."""
EFFECT_NAMES = {
    "mann-whitney": "Probability of higher",
    "brunner-munzel": "Probability of higher",
    "kruskal-wallis": "Epsilon squared",
    "wilcoxon": "Difference",
    "friedman": "Kendall's W",
    "jonckheere-terpstra": "Probability of rising",
    "spearman": "Spearman's rho",
    "least-squares": "Adjusted difference",
}
"""Header of the effect of a test."""
ON_LOG_RATIOS = ("wilcoxon", "least-squares")
"""Tests whose effect is the difference of log-ratios itself."""
SCALES = {"log-ratio": "log-ratio", "rank": "rank of fraction", "fraction": "fraction"}
NO_DRAWS = (
    "How the calls hold when the genes are resampled is not known: compute intervals of this run"
    " (tab Uncertainty) and compare again."
)


def p_text(p: float) -> str:
    """ "p = 0.003", "p < 0.0001"."""
    if not math.isfinite(p):
        return "no p"
    return "< 0.0001" if p < 1e-4 else f"= {p:.2g}" if p < 0.1 else f"= {p:.2f}"


def who(result: GroupsResult) -> str:
    """The groups with their sizes: "control (9) and treated (12)"."""
    return sizes_text(result.sizes, len(result.design))


def sizes_text(sizes: Mapping[str, int], samples: int) -> str:
    """Groups with their sizes, or their number where there are many.

    Parameters
    ----------
    sizes
        Group -> samples; empty along a number.
    """
    named = [f"{shorten(name)} ({n})" for name, n in sizes.items()]
    if not named:
        return f"{number(samples)} sample{'s' * (samples != 1)}"
    if len(named) > MOST_NAMED:
        return f"{len(named)} groups ({number(samples)} samples)"
    return f"{', '.join(named[:-1])} and {named[-1]}"


def sentence(result: GroupsResult) -> str:
    """What differs, effect before p, and over how many types that was asked."""
    if not result.tested:
        unit = "subjects" if result.kind == "paired" else "samples"
        return (
            f"Too few {unit} for p-values ({who(result)}; {FEWEST} are needed"
            f"{'' if not result.levels else ' per group'}): the data are shown, nothing is tested."
        )
    rate = f"{100 * result.level:g} %"
    family = f"{result.family} cell type{'s' * (result.family != 1)} tested"
    called = result.called
    across = f"along {shorten(result.variable)}" if not result.levels else f"between {who(result)}"
    verb = "changes" if not result.levels or result.kind == "ordered" else "differs"
    if result.levels and result.kind == "ordered":
        across = f"over {who(result)}"
    if not called:
        return (
            f"No cell type {verb} {across} at a false discovery rate of {rate} ({family});"
            " that does not show that they are equal."
        )
    named = "; ".join(_one(result, name) for name in called[:NAMED])
    more = f"; and {len(called) - NAMED} more" if len(called) > NAMED else ""
    many = len(called) != 1
    plural = {"changes": "change", "differs": "differ"}[verb] if many else verb
    return (
        f"{len(called)} of {family.removesuffix(' tested')} {plural} {across} (false discovery rate"
        f" {rate}): {named}{more}."
    )


def summary_line(result: GroupsResult) -> str:
    """For the navigation and the list of runs: "2 of 6 types differ by arm"."""
    if not result.tested:
        return f"{result.variable}: too few samples to test"
    return f"{len(result.called)} of {result.family} types differ by {shorten(result.variable)}"


def _one(result: GroupsResult, name: str) -> str:
    """One cell type: direction, effect with its interval, adjusted p, draws."""
    row = result.table.loc[name]
    title = "hidden" if name == HIDDEN else shorten(name)
    points = ""
    if "points" in result.table.columns and math.isfinite(row["points"]):
        per = "" if result.levels else f" per unit of {shorten(result.variable)}"
        points = (
            f"{row['points']:+.2g} percentage points{per} (95 % interval"
            f" {_range(row['points_low'], row['points_high'])}), "
        )
    else:
        effect = EFFECT_NAMES[result.key].lower().replace("spearman", "Spearman")
        interval = (
            f" (95 % interval {_range(row['effect_low'], row['effect_high'])})"
            if math.isfinite(row["effect_low"])
            else ""
        )
        points = f"{effect.replace('kendall', 'Kendall')} {three(row['effect'])}{interval}, "
    held = (
        f", holds in {int(row['kept'])} of {result.draws} bootstrap draws" if result.draws else ""
    )
    return f"{title} {direction(result, name)}{points}adjusted p {p_text(row['p_adjusted'])}{held}"


def direction(result: GroupsResult, name: str) -> str:
    """ "higher in treated, ", or "" where there is none."""
    effect = float(result.table.loc[name, "effect"]) - result.no_effect
    if not math.isfinite(effect) or effect == 0 or result.key in ("kruskal-wallis", "friedman"):
        return ""
    if not result.levels:
        return "rises, " if effect > 0 else "falls, "
    if result.kind == "ordered":
        return "rises, " if effect > 0 else "falls, "
    if len(result.levels) != 2:
        return ""
    return f"{'higher' if effect > 0 else 'lower'} in {shorten(result.levels[1])}, "


def _range(low: float, high: float) -> str:
    return f"{low:.2g} to {high:.2g}"


def warnings(result: GroupsResult) -> list[str]:
    """What weakens the answer, and what was assumed."""
    found: list[str] = []
    if result.tested and not result.draws:
        found.append(NO_DRAWS)
    unsteady = [
        name
        for name in result.called
        if result.draws and result.table.loc[name, "kept"] < STEADY * result.draws
    ]
    if unsteady:
        found.append(
            f"Depends on which genes are used: {', '.join(map(shorten, unsteady))} (the call holds"
            f" in fewer than {100 * STEADY:.0f} % of the bootstrap draws)."
        )
    return [*found, *(note for note in result.notes if note != CLOSURE)]


def shown_table(result: GroupsResult) -> pd.DataFrame:
    """By cell type as on screen: effect with interval, percentage points, then p."""
    table = result.table
    effect = EFFECT_NAMES[result.key]
    columns: dict[str, pd.Series] = {
        effect: table["effect"],
        f"{effect}, low": table["effect_low"],
        f"{effect}, high": table["effect_high"],
    }
    for name, title in (("log_ratio", "Log-ratio"), ("points", "Percentage points")):
        if name in table.columns and not (name == "log_ratio" and result.key in ON_LOG_RATIOS):
            columns |= {
                title: table[name],
                f"{title}, low": table[f"{name}_low"],
                f"{title}, high": table[f"{name}_high"],
            }
    columns |= {
        "p": table["p"],
        "Adjusted p": table["p_adjusted"],
        "Differs": table["called"].map({True: "yes", False: "no"}),
    }
    if result.draws:
        columns[f"Holds in draws (of {result.draws})"] = table["kept"]
    columns |= {
        "Compared by": table["scale"].map(SCALES),
        "Zeros (%)": table["zeros"] * 100,
    }
    return pd.DataFrame(columns).rename_axis("Cell type")


def shown_pairs(result: GroupsResult) -> pd.DataFrame:
    """Every pair of groups as on screen; empty with two groups."""
    pairs = result.pairs
    titles = {
        "first": "Group",
        "second": "Compared with",
        "log_ratio": "Log-ratio",
        "log_ratio_low": "Log-ratio, low",
        "log_ratio_high": "Log-ratio, high",
        "points": "Percentage points",
        "points_low": "Percentage points, low",
        "points_high": "Percentage points, high",
        "p": "p",
        "p_adjusted": "Adjusted p",
    }
    return (
        pairs.set_index("cell_type")[list(titles)].rename(columns=titles).rename_axis("Cell type")
    )


def shown_tables(result: GroupsResult) -> dict[str, pd.DataFrame]:
    """Caption -> table: the cell types, and with more than two groups every pair."""
    less = " Differences are of the second group less the first." if len(result.levels) == 2 else ""
    effect = f"{EFFECT_NAMES[result.key]}: {result.effect_name}."
    found = {f"{effect}{less} {CLOSURE}": shown_table(result)}
    if len(result.pairs):
        found["Every pair of groups, the second less the first."] = shown_pairs(result)
    return found


def lost_sentence(result: GroupsResult) -> str:
    """Who is not compared, named: "3 samples are not compared: s1, s2 (no value of arm), …"."""
    if result.lost.empty:
        return f"All {number(len(result.design))} samples of the run are compared."
    parts = []
    for reason, rows in result.lost.groupby("reason", sort=False):
        names: Sequence[str] = [shorten(str(s)) for s in rows["sample"]]
        more = f" and {number(len(names) - 10)} more" if len(names) > 10 else ""
        parts.append(f"{reason}: {', '.join(names[:10])}{more}")
    count = len(result.lost)
    verb = "s are" if count > 1 else " is"
    return f"{number(count)} sample{verb} not compared ({'; '.join(parts)})."


def lost_summary(lost: pd.DataFrame) -> str:
    """ " 3 samples are left out (2 no value of arm, 1 not in the run).", or ""."""
    if lost.empty:
        return ""
    reasons = ", ".join(
        f"{number(n)} {reason}" for reason, n in lost["reason"].value_counts().items()
    )
    return f" {number(len(lost))} sample{'s are' if len(lost) > 1 else ' is'} left out ({reasons})."


def methods(params: GroupsParams, result: GroupsResult) -> str:
    """A sentence for a manuscript."""
    scale = {
        "auto": "centred log-ratios with multiplicative replacement of zeros (ranks of fractions"
        " for cell types with more than 30 % zeros)",
        "log-ratio": "centred log-ratios with multiplicative replacement of zeros",
        "fraction": "fractions as they are",
    }[params.scale]
    taken = f", adjusted for {', '.join(params.covariates)}" if params.covariates else ""
    return (
        f"Fractions of cell types were compared by {result.variable} ({who(result)}{taken}), as"
        f" {scale}; test: {result.test}. P-values were adjusted over {result.family} cell types by"
        " the method of Benjamini and Hochberg; the false discovery rate was"
        f" {100 * result.level:g} %."
    )
