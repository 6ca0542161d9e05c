"""Percentages of different gates in one table, as flow cytometry has them, brought to one whole.

FlowJo writes the path of the gates and what the frequency is of:
``Lymphocytes/CD3+/CD4+ | Freq. of Parent (%)``; laboratories write ``CD4 (% of T cells)``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from gui.errors import BadValues
from gui.text import shorten, some

_OF = re.compile(r"(?:freq(?:uency)?\.?|%|percent(?:age)?)\s*of\s+([^()\[\]|%]{1,80})", re.I)
_STATISTIC = re.compile(r"\s*\|.*$")
_UNIT = re.compile(
    r"(?P<percent>%|percent|freq|prozent)|(?P<amount>\babs(?:olute?)?\b|#|\bcounts?\b|"
    r"cells?\s*/|/\s*[µμu]l|/\s*ml|10\^?\d)",
    re.I,
)
_LONGEST = 300


def gate(name: str) -> str:
    """The last gate of FlowJo's path, without the statistic; other names as they are."""
    text = name[:_LONGEST]
    if "|" not in text and text.count("/") < 2:
        return name
    return _STATISTIC.sub("", text).strip().rpartition("/")[2].strip() or name


def _shown(name: str) -> str:
    """Without what a percentage is of."""
    return shorten(re.sub(r"\s*[(\[].*$", "", gate(name)) or name, 30)


def parent(name: str) -> str:
    """What a percentage is of, as its name says; "" where it does not."""
    text = name[:_LONGEST]
    found = _OF.search(text)
    if found is None:
        return ""
    said = found[1].strip(" .)")
    path = _STATISTIC.sub("", text).strip().split("/")
    if said.lower() in ("parent", "grandparent"):
        up = 2 if said.lower() == "parent" else 3
        return path[-up].strip() if len(path) >= up else said
    return said


def of_one_whole(
    shares: pd.DataFrame, words_of: Callable[[str], frozenset[str]], name: str
) -> tuple[pd.DataFrame, str]:
    """Percentages of one whole, and a sentence on those that were multiplied ("" for none).

    Parameters
    ----------
    shares
        Cell types × samples, in percent or fractions.
    words_of
        What a name says, by which a parent is found among the types.
    name
        Of the file.

    Raises
    ------
    BadValues
        Some are of a gate that the table does not hold.
    """
    types = list(map(str, shares.index))
    parents = {t: parent(t) for t in types}
    parents = {t: p for t, p in parents.items() if p}
    by_words = {words_of(gate(t)): t for t in types}
    wholes = Counter(_whole(p, words_of) for p in parents.values())
    if len(wholes) < 2:
        within = _sums_to_the_whole(shares, words_of)
        if not within:
            return shares, ""
    else:
        held = {t: by_words.get(words_of(p), "") for t, p in parents.items()}
        outside = Counter(_whole(parents[t], words_of) for t in parents if not held[t])
        if len(outside) > 1:
            raise BadValues(
                f"{name} holds percentages of different gates"
                f" ({some((shorten(p, 30) for p in dict.fromkeys(parents.values())), 3)}), which"
                " are no fractions of one whole.",
                advice="Export the frequencies of one gate (such as % of CD45+), or the counts.",
            )
        within = {t: p for t, p in held.items() if p and p != t}
    made = shares.copy()
    scale = 100.0 if float(np.nanmax(shares.to_numpy())) > 1.5 else 1.0
    for child in within:
        up, seen = within.get(child, ""), {child}
        while up and up not in seen:
            made.loc[child] = made.loc[child] * shares.loc[up] / scale
            seen.add(up)
            up = within.get(up, "")
    pairs = [f"{_shown(c)} of {_shown(p)}" for c, p in within.items()]
    return made, (
        f"Percentages of {name} are of other types of the table ({some(pairs, 4)}); they were"
        " multiplied by these."
    )


def _whole(said: str, words_of: Callable[[str], frozenset[str]]) -> frozenset[str]:
    return words_of(said) or frozenset({said.casefold()})


def _sums_to_the_whole(
    shares: pd.DataFrame, words_of: Callable[[str], frozenset[str]]
) -> Mapping[str, str]:
    """Type -> wider type, where the types within it sum up to 100 % although it is less."""
    values = shares.to_numpy()
    scale = 100.0 if float(np.nanmax(values)) > 1.5 else 1.0
    if float(np.nanmedian(np.nansum(values, axis=0))) < 1.3 * scale:
        return {}
    types = list(map(str, shares.index))
    for wider in types:
        own = shares.loc[wider].to_numpy()
        inside = [t for t in types if t != wider and words_of(wider) < with_lineage(words_of(t))]
        if len(inside) < 2 or np.nanmedian(own) > 0.95 * scale:
            continue
        sums = shares.loc[inside].sum(axis=0).to_numpy()
        if (np.abs(sums - scale) < 0.03 * scale).mean() > 0.9:
            return dict.fromkeys(inside, wider)
    return {}


def with_lineage(words: frozenset[str]) -> frozenset[str]:
    """With what goes without saying: CD4 and CD8 alone are T cells."""
    other = words & {"b", "nk", "dc", "mono", "macrophage", "thymocyte"}
    return words | {"t"} if words & {"cd4", "cd8", "treg"} and not other else words


def same_in_numbers(names: list[str], words_of: Callable[[str], frozenset[str]]) -> list[str]:
    """The columns that hold numbers of cells of types whose percentages other columns hold."""
    units: dict[str, str] = {}
    bases: dict[str, frozenset[str]] = {}
    for name in names:
        found = _UNIT.search(name[:_LONGEST])
        units[name] = found.lastgroup or "" if found else ""
        bases[name] = words_of(_UNIT.sub(" ", name[:_LONGEST]))
    percent = {bases[n] for n in names if units[n] == "percent"}
    twice = [n for n in names if units[n] != "percent" and bases[n] in percent]
    return twice if percent and 2 * len(twice) >= len(percent) else []
