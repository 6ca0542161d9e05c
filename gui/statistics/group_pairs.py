"""How large a difference is, in log-ratios and percentage points: of two groups, of every pair."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from gui.statistics.fraction_scales import ScaledFractions
from gui.statistics.group_design import EXACT_BELOW, Comparison
from gui.statistics.group_tests import Tested
from gui.statistics.linear_model import Contrast, LinearModel, design, least_squares_hc3
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.paired import pseudomedian, wilcoxon_signed_rank
from gui.statistics.several_groups import dunn
from gui.statistics.two_samples import Effect, hodges_lehmann

PAIR_COLUMNS = [
    *("cell_type", "first", "second"),
    *("log_ratio", "log_ratio_low", "log_ratio_high", "points", "points_low", "points_high"),
    *("statistic", "p", "p_adjusted"),
]


def sizes(scaled: ScaledFractions, comparison: Comparison) -> dict[str, Effect]:
    """Difference of two groups, or slope of a number, as "log_ratio" and "points" by cell type.

    Hodges-Lehmann differences (1963), pseudomedians of pairs, or coefficients of a linear model;
    log-ratios are NaN for types compared by ranks. Empty where more groups are compared.
    """
    sized = {name: _size(values, comparison) for name, values in _sources(scaled).items()}
    return {name: _only_ratios(effect, scaled, name) for name, effect in sized.items() if effect}


def _sources(scaled: ScaledFractions) -> dict[str, np.ndarray]:
    return {"log_ratio": scaled.values, "points": scaled.closed * 100.0}


def _only_ratios(effect: Effect, scaled: ScaledFractions, name: str) -> Effect:
    shown = scaled.ratios | (name == "points")
    parts = (effect.estimate, effect.low, effect.high)
    return Effect(*(np.where(shown, part, np.nan) for part in parts))


def _size(values: np.ndarray, comparison: Comparison) -> Effect | None:
    model, terms = comparison.model, comparison.term
    if comparison.number is not None and model is None and len(comparison.samples) > 3:
        number = pd.DataFrame({comparison.variable: comparison.number}, comparison.samples)
        model, terms = design(number), (comparison.variable,)
    if model is not None and len(terms) == 1:
        frame = pd.DataFrame(values, columns=model.matrix.index)
        return least_squares_hc3(frame, model).contrast(terms[0]).effect
    if len(comparison.tested) != 2 or comparison.kind not in ("groups", "paired"):
        return None
    return _difference(*comparison.split(values), comparison.kind == "paired")


def _difference(x: np.ndarray, y: np.ndarray, paired: bool) -> Effect:
    if paired:
        return pseudomedian(y - x)
    return hodges_lehmann(x, y, exact=min(x.shape[-1], y.shape[-1]) < EXACT_BELOW)


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two groups of all: codes of the first and second, and their samples."""

    first: int
    second: int
    x: np.ndarray
    y: np.ndarray


def pair_table(scaled: ScaledFractions, comparison: Comparison, tested: Tested) -> pd.DataFrame:
    """Every pair of three or more groups, by cell type, with the columns ``PAIR_COLUMNS``.

    Tests: Dunn's (1964); signed ranks of paired samples; contrasts of the linear model with
    covariates. p_adjusted is over all pairs of all types (Benjamini & Hochberg 1995).
    """
    if len(comparison.levels) < 3:
        return pd.DataFrame(columns=PAIR_COLUMNS)
    fits = _fits(scaled, comparison)
    by_pair = {} if fits or comparison.kind == "paired" else _rank_tests(scaled, comparison, tested)
    frames = []
    for a, b in combinations(range(len(comparison.levels)), 2):
        pair = _Pair(a, b, comparison.codes == a, comparison.codes == b)
        frame = pd.DataFrame({"cell_type": scaled.scales.index})
        frame["first"], frame["second"] = comparison.levels[a], comparison.levels[b]
        for name, values in _sources(scaled).items():
            if fits:
                effect = _contrast(fits[name], comparison, pair).effect
            else:
                effect = _difference(
                    values[:, pair.x], values[:, pair.y], comparison.kind == "paired"
                )
            effect = _only_ratios(effect, scaled, name)
            frame[name], frame[f"{name}_low"] = effect.estimate, effect.low
            frame[f"{name}_high"] = effect.high
        frame["statistic"], frame["p"] = _pair_test(scaled, comparison, pair, fits, by_pair)
        frames.append(frame)
    pairs = pd.concat(frames, ignore_index=True)
    if not comparison.choice.tested:
        pairs["p"] = np.nan
    pairs["p_adjusted"] = benjamini_hochberg(pairs["p"].to_numpy(dtype=np.float64))
    return pairs[PAIR_COLUMNS]


Tests = dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]]
"""By pair of groups: statistic and p-value of every cell type."""


def _pair_test(
    scaled: ScaledFractions,
    comparison: Comparison,
    pair: _Pair,
    fits: dict[str, LinearModel],
    by_pair: Tests,
) -> tuple[np.ndarray, np.ndarray]:
    if fits:
        found = _contrast(fits["log_ratio"], comparison, pair)
        return found.t, found.p
    if comparison.kind == "paired":
        test = wilcoxon_signed_rank(scaled.values[:, pair.y] - scaled.values[:, pair.x])
        return test.statistic, test.p
    nothing = np.full(len(scaled.values), np.nan)
    return by_pair.get((pair.first, pair.second), (nothing, nothing))


def _fits(scaled: ScaledFractions, comparison: Comparison) -> dict[str, LinearModel]:
    if comparison.model is None:
        return {}
    samples = comparison.model.matrix.index
    return {
        name: least_squares_hc3(pd.DataFrame(values, columns=samples), comparison.model)
        for name, values in _sources(scaled).items()
    }


def _contrast(fit: LinearModel, comparison: Comparison, pair: _Pair) -> Contrast:
    # the first level has no column: it is what the others are compared with
    terms = (None, *comparison.term)
    return fit.contrast(terms[pair.second], terms[pair.first])


def _rank_tests(scaled: ScaledFractions, comparison: Comparison, tested: Tested) -> Tests:
    if len(comparison.tested) == 2:  # one pair alone is large enough: its own test
        return {comparison.tested: (tested.test.statistic, tested.test.p)}
    used = np.isin(comparison.codes, comparison.tested)
    codes = np.searchsorted(comparison.tested, comparison.codes[used])
    result = dunn(scaled.values[:, used], codes)
    return {
        (comparison.tested[a], comparison.tested[b]): (result.z[:, at], result.p[:, at])
        for at, (a, b) in enumerate(result.pairs)
    }
