"""Group comparisons in words and as the table that page and report show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from gui.analyses.groups import GroupsParams, GroupsResult
from gui.answers.group_names import group_name, sizes_text, who
from gui.figures.text import p_text, shorten, three
from gui.statistics.fraction_scales import CLOSURE
from gui.statistics.group_design import FEWEST
from gui.statistics.group_tests import smallest_p
from gui.text import number

MOST_NAMED = 4
"""Cell types that are named."""
NAMED = 3
"""Cell types of which the answer gives the effect."""
STEADY = 0.8
"""Part of the bootstrap draws in which a call should hold."""
INTERVAL = "95 % interval"
EFFECT_NAMES = {
    "mann-whitney": "Probability of superiority",
    "brunner-munzel": "Probability of superiority",
    "kruskal-wallis": "Epsilon squared",
    "wilcoxon": "Difference",
    "friedman": "Kendall's W",
    "jonckheere-terpstra": "Probability of rising",
    "spearman": "Spearman's rho",
    "least-squares": "Adjusted difference",
}
"""Header of the effect of a test (superiority: that a sample of the second group is higher)."""
ON_LOG_RATIOS = ("wilcoxon", "least-squares")
"""Tests whose effect is the difference of log-ratios itself."""
PAIRS = "Every pair of groups: differences are the first named minus the second."
SCALES = {"log-ratio": "log-ratio", "rank": "rank of fraction", "fraction": "fraction"}
NO_DRAWS = (
    "How the calls hold when the genes are resampled is not known: compute intervals of this run"
    " (tab Uncertainty) and compare again."
)


def sentence(result: GroupsResult) -> str:
    """The answer: how many cell types differ, which, and in which direction."""
    if not result.tested:
        unit = "subjects" if result.kind == "paired" else "samples"
        per = " per group" if result.levels else ""
        return (
            f"Too few {unit} for p-values ({who(result)}; {FEWEST} are needed{per}): the data are"
            " shown, nothing is tested."
        )
    if not result.family:
        return (
            f"Nothing could be tested ({who(result)}): no cell type's fraction varies enough"
            " between the samples."
        )
    called, count = result.called, result.family
    changes = result.kind == "ordered" or not result.levels
    verb = "change" if changes else "differ"
    if not result.levels:
        across = f"along {shorten(result.variable)} ({who(result)})"
    else:
        tested = {level: n for level, n in result.sizes.items() if level in result.compared}
        named = sizes_text(tested, sum(tested.values()), partial(group_name, result))
        across = f"{'over' if changes else 'between'} {named}"
    if not called:
        equal = "there is no association" if changes else "they are equal"
        but = out_of_reach(result) or f"that does not show that {equal}."
        return f"No cell type {verb}s {across}; {but}"
    verb += "s" * (len(called) == 1)
    return f"{len(called)} of {count} cell types {verb} {across}: {_named(result, called)}."


def out_of_reach(result: GroupsResult) -> str:
    """That the smallest p-value of an exact test is no call of one cell type; "" where it is."""
    p = result.table["p"].dropna()
    if not len(p) or "exact" not in result.table or not result.table.loc[p.index, "exact"].all():
        return ""
    if result.kind == "paired":
        sizes = [len(result.design) // len(result.levels)]
    elif result.levels:
        sizes = [result.sizes[level] for level in result.compared]
    else:
        sizes = [len(result.design)]
    # of ties one of the two tails may be smaller still
    smallest = min(smallest_p(result.key, sizes), float(p.min()))
    needed = math.ceil(smallest * result.family / result.level - 1e-9)
    if not needed > 1:
        return ""
    rate = f"a false discovery rate of {100 * result.level:g} %"
    if needed > result.family:
        return (
            f"with so few samples no difference could reach {rate}: the smallest p that the test"
            f" can give is {three(smallest)}."
        )
    return (
        f"with so few samples and {result.family} types no single difference could reach {rate}:"
        f" the smallest p that the test can give is {three(smallest)}, adjusted"
        f" {three(min(smallest * result.family, 1.0))}. At least {needed} types would have to"
        " differ as clearly at once."
    )


def _named(result: GroupsResult, called: Sequence[str]) -> str:
    """Who differs, those that go up first: "A and B are higher in treated, C is lower"."""
    ways = {name: direction(result, name) for name in called}
    if 0 in ways.values():
        return _list([*called])
    if result.kind == "ordered" or not result.levels:
        words = {1: ("rises", "rise"), -1: ("falls", "fall")}
    else:
        second = group_name(result, result.compared[1])
        words = {
            1: (f"is higher in {second}", f"are higher in {second}"),
            -1: (f"is lower in {second}", f"are lower in {second}"),
        }
    apart = set(contrary(result))
    parts = []
    for way in (1, -1):
        same = [name for name in called if ways[name] == way and name not in apart]
        other = [name for name in called if ways[name] == way and name in apart]
        if same:
            parts.append(f"{_list(same)} {words[way][_is_plural(same)]}")
        if other:
            their, is_ = ("their fractions", "are") if _is_plural(other) else ("its fraction", "is")
            less = f"{is_} lower" if way > 0 else f"{is_} higher"
            parts.append(
                f"{_list(other)} {words[way][_is_plural(other)]} relative to the other types,"
                f" although {their} {less}"
            )
    return ", ".join(parts)


def _is_plural(names: Sequence[str]) -> bool:
    """Whether they "are": several, or one such as T cells or Monocytes (a pDC "is")."""
    lower = names[0].lower()
    return len(names) > 1 or lower.endswith("s") or "cells" in lower


def contrary(result: GroupsResult, names: Sequence[str] | None = None) -> list[str]:
    """Types called in one direction by the test while their fraction goes the other way.

    Parameters
    ----------
    names
        To look among others than those called.

    The test compares with the geometric mean of all types: where most of them fall, one that falls
    less rises against it.
    """
    scale = result.table["scale"]
    return [
        name
        for name in (result.called if names is None else names)
        if scale[name] == "log-ratio" and direction(result, name) * fraction_way(result, name) < 0
    ]


def fraction_way(result: GroupsResult, name: str) -> int:
    """1: the fraction itself is higher in the second (or last) group or rises; -1: lower."""
    if "points" in result.table.columns:
        change = float(result.table.loc[name, "points"])
    elif result.kind == "ordered":
        of = result.summary[result.summary["cell_type"] == name].set_index("group")["median"]
        change = float(of[result.compared[-1]] - of[result.compared[0]])
    else:
        return 0
    return (change > 0) - (change < 0)


def _list(names: Sequence[str]) -> str:
    shown = [shorten(name) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def direction(result: GroupsResult, name: str) -> int:
    """1: higher in the second group, or rising; -1: lower; 0: the test has no direction."""
    if result.key in ("kruskal-wallis", "friedman"):
        return 0
    if result.key == "least-squares" and len(result.levels) > 2:
        return 0
    effect = float(result.table.loc[name, "effect"]) - result.no_effect
    return 0 if not math.isfinite(effect) else (effect > 0) - (effect < 0)


def effect_title(result: GroupsResult) -> str:
    """The effect as the title of an axis: "Probability of superiority of treated"."""
    title = EFFECT_NAMES[result.key]
    if result.key in ("mann-whitney", "brunner-munzel"):
        return f"{title} of {group_name(result, result.compared[1])}"
    return title


def effect_text(result: GroupsResult) -> str:
    """What the effect is, with the groups by name."""
    if len(result.compared) != 2:
        return result.effect_name
    first, second = (group_name(result, name) for name in result.compared)
    texts = {
        "mann-whitney": f"probability that a sample of {second} is higher than one of {first}",
        "wilcoxon": f"Hodges-Lehmann difference, {second} minus {first}",
        "least-squares": f"difference, {second} minus {first}, adjusted for the covariates",
    }
    texts["brunner-munzel"] = texts["mann-whitney"]
    return texts.get(result.key, result.effect_name)


def effect_caption(result: GroupsResult) -> str:
    """The same as the beginning of a caption."""
    text = effect_text(result)
    return f"{text[0].upper()}{text[1:]}, with 95 % interval"


def details(result: GroupsResult) -> list[str]:
    """For the types with the strongest evidence: effect with its interval, then p and draws."""
    if not result.tested or not result.family:
        return []
    family = (
        f"Adjusted over {result.family} cell type{'s' * (result.family != 1)} tested; false"
        f" discovery rate {100 * result.level:g} %."
    )
    called = result.called
    more = f" {len(called) - NAMED} more in the table." if len(called) > NAMED else ""
    brackets = "95 % intervals in brackets. " if called else ""
    return [*(_one(result, name) for name in called[:NAMED]), f"{brackets}{family}{more}"]


def summary_line(result: GroupsResult) -> str:
    """For the navigation and the list of runs: "2 of 6 types differ by arm"."""
    if not result.tested:
        return f"{result.variable}: too few samples to test"
    if not result.family:
        return f"{result.variable}: nothing could be tested"
    return f"{len(result.called)} of {result.family} types differ by {shorten(result.variable)}"


def type_sentence(result: GroupsResult, name: str) -> str:
    """What was found for one cell type, whether it differs or not."""
    if name not in result.table.index or not math.isfinite(result.table.loc[name, "p"]):
        return f"{shorten(name)} was not tested."
    differs = "differs" if name in result.called else "no difference shown"
    pair = ""
    if result.levels and len(result.compared) == 2:
        first, second = (group_name(result, level) for level in result.compared)
        pair = f", {second} minus {first}"
    return f"{_one(result, name).removesuffix('.')} ({differs}{pair})."


def _one(result: GroupsResult, name: str) -> str:
    """One cell type: effect with its interval, adjusted p, draws."""
    row = result.table.loc[name]
    if "points" in result.table.columns and math.isfinite(row["points"]):
        per = "" if result.levels else f" per unit of {shorten(result.variable)}"
        effect = f"{row['points']:+.2g} percentage points{per}"
        low, high = row["points_low"], row["points_high"]
    else:
        effect = f"{EFFECT_NAMES[result.key]} {three(row['effect'])}"
        low, high = row["effect_low"], row["effect_high"]
    interval = f" ({_range(low, high)})" if math.isfinite(low) else ""
    held = (
        f", holds in {int(row['kept'])} of {result.draws} bootstrap draws" if result.draws else ""
    )
    return f"{shorten(name)}: {effect}{interval}, adjusted p {p_text(row['p_adjusted'])}{held}."


def _range(low: float, high: float) -> str:
    return f"{low:.2g} to {high:.2g}"


def warnings(result: GroupsResult) -> list[str]:
    """What weakens the answer, and what was assumed."""
    found: list[str] = []
    if apart := contrary(result):
        found.append(
            f"{_list(apart)}: the fraction goes the other way than the log-ratio that is tested."
            " The log-ratio compares a type with the geometric mean of all types, which changes too"
            " where many of them do: look at the percentage points as well."
        )
    if result.family and not result.draws:
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


def signs_note(result: GroupsResult) -> str:
    """That and why effect and percentage points of a row differ in sign; "" where none does."""
    if "points" not in result.table.columns:
        return ""
    apart = contrary(result, [str(name) for name in result.table.index])
    if not apart:
        return ""
    return (
        f"{EFFECT_NAMES[result.key]} and percentage points point in different directions for"
        f" {_list(apart)}. Both can be right: the test is of the log-ratio to the geometric mean of"
        " all types, which moves with the others, percentage points are of the fraction itself."
    )


def table_note(result: GroupsResult) -> str:
    """Below the table: what closure does, and rows whose two effects differ in sign."""
    return " ".join(filter(None, [signs_note(result), CLOSURE]))


def shown_table(result: GroupsResult) -> pd.DataFrame:
    """By cell type as on screen: effect with interval, percentage points, then p."""
    table = result.table
    effect = EFFECT_NAMES[result.key]
    columns: dict[str, Any] = {
        effect: table["effect"],
        INTERVAL: _intervals(table, "effect"),
    }
    for name, title in (("points", "Percentage points"), ("log_ratio", "Log-ratio")):
        if name in table.columns and not (name == "log_ratio" and result.key in ON_LOG_RATIOS):
            columns |= {title: table[name], f"{title}, {INTERVAL}": _intervals(table, name)}
    last = {k: columns.pop(k) for k in list(columns) if k.startswith("Log-ratio")}
    columns |= {
        "p": table["p"],
        "Adjusted p": table["p_adjusted"],
        "Differs": table["called"].map({True: "yes", False: "no"}),
    }
    if result.draws:
        columns[f"Holds in draws (of {result.draws})"] = table["kept"]
    columns |= last | {"Compared by": table["scale"].map(SCALES), "Zeros (%)": table["zeros"] * 100}
    return pd.DataFrame(columns).rename_axis("Cell type")


def _intervals(table: pd.DataFrame, name: str) -> list[str]:
    ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return [f"{three(a)} to {three(b)}" if math.isfinite(a) else "–" for a, b in ends]


def shown_pairs(result: GroupsResult) -> pd.DataFrame:
    """Every pair of groups as on screen; empty with two groups."""
    pairs = result.pairs
    return pd.DataFrame(
        {
            "Group": pairs["second"],
            "Minus": pairs["first"],
            "Percentage points": pairs["points"],
            INTERVAL: _intervals(pairs, "points"),
            "p": pairs["p"],
            "Adjusted p": pairs["p_adjusted"],
            "Log-ratio": pairs["log_ratio"],
            f"Log-ratio, {INTERVAL}": _intervals(pairs, "log_ratio"),
        }
    ).set_index(pd.Index(pairs["cell_type"], name="Cell type"))


def shown_samples(result: GroupsResult) -> pd.DataFrame:
    """Who is compared, in which group, and who is not, and why."""
    table = result.tables()["groups_samples"].rename_axis("Sample")
    titles = {"group": "Group", "number": result.variable, "subject": "Subject"}
    table = table.rename(columns=titles | {"reason": "Left out because"})
    return table if len(result.lost) else table.drop(columns="Left out because")


def shown_tables(result: GroupsResult) -> dict[str, pd.DataFrame]:
    """Caption -> table: the cell types, and with more than two groups every pair."""
    less = ""
    if len(result.compared) == 2:
        first, second = map(shorten, result.compared)
        less = f" Differences are {second} minus {first}."
    effect = f"{EFFECT_NAMES[result.key]}: {effect_text(result)}."
    found = {f"{effect}{less} {table_note(result)}": shown_table(result)}
    if len(result.pairs):
        found[PAIRS] = shown_pairs(result)
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


def methods(params: GroupsParams, result: GroupsResult) -> str:
    """A sentence for a manuscript."""
    scale = {
        "auto": "centred log-ratios with multiplicative replacement of zeros (ranks of fractions"
        " for cell types with more than 30 % zeros)",
        "log-ratio": "centred log-ratios with multiplicative replacement of zeros",
        "fraction": "fractions as they are",
    }[params.scale]
    if not result.family:
        return (
            f"Fractions of cell types are shown by {result.variable} ({who(result)}); no test was"
            " possible."
        )
    taken = f", adjusted for {', '.join(params.covariates)}" if params.covariates else ""
    small = [level for level in result.levels if level not in result.compared]
    shown = f"; {', '.join(small)} shown but not tested" if small else ""
    return (
        f"Fractions of cell types were compared by {result.variable} ({who(result)}{taken}{shown}),"
        f" as {scale}; test: {result.test}. P-values were adjusted over {result.family} cell types"
        " by the method of Benjamini and Hochberg; the false discovery rate was"
        f" {100 * result.level:g} %."
    )
