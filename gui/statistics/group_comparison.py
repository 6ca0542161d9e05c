"""Fractions of cell types between groups, along a number, or with covariates: the whole answer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from gui.errors import InvalidParameter
from gui.statistics.group_design import MANY_ZEROS, Comparison, choose_scales
from gui.statistics.group_tests import EFFECTS, NO_EFFECT, Tested, run_test
from gui.statistics.linear_model import design, least_squares_hc3
from gui.statistics.log_ratios import (
    DETECTION_LIMIT,
    REPLACED_BY,
    check_draws,
    check_fractions,
    close,
    clr,
    log_ratios,
    replace_zeros,
)
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.paired import pseudomedian, wilcoxon_signed_rank
from gui.statistics.ranks import rank
from gui.statistics.several_groups import dunn
from gui.statistics.two_samples import Effect, hodges_lehmann

CLOSURE = (
    "Fractions of a sample sum to 1: where one cell type grows, all others shrink although nothing "
    "happened to them. Log-ratios compare each type with the geometric mean of all and are much "
    "less misled; percentage points are shown to give the size."
)
"""What closure does, beside every table of percentage points."""
Scale = Literal["auto", "log-ratio", "fraction"]


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """What differs between groups.

    table : by cell type: scale ("log-ratio", "rank", "fraction"), zeros, effect, effect_low,
        effect_high (see ``effect_name``), statistic, df, p, p_adjusted, called, kept (draws in
        which the call is the same; NaN without draws); with two groups, a number or a model also
        log_ratio and points (percentage points), each with _low and _high: the difference, or the
        slope per unit of the number
    pairs : one row per cell type and pair of groups: first, second, log_ratio and points with
        intervals, p, p_adjusted (over all pairs of all types); empty with two groups
    summary : one row per cell type and group: samples, median, lower and upper quartile, zeros
    values : what was tested, rows as in ``table`` x samples
    no_effect : the value of ``effect`` where nothing differs
    family : how many tests p_adjusted answers for; pairs_family : the same for ``pairs``
    draws : how many draws were looked at
    """

    comparison: Comparison
    table: pd.DataFrame
    pairs: pd.DataFrame
    summary: pd.DataFrame
    values: pd.DataFrame
    effect_name: str
    no_effect: float
    family: int
    pairs_family: int
    draws: int
    level: float
    notes: tuple[str, ...]

    @property
    def called(self) -> list[str]:
        """The cell types that differ at the level of the false discovery rate."""
        return [str(name) for name in self.table.index[self.table["called"]]]


@dataclass(frozen=True, eq=False)
class _Scaling:
    """How closed fractions become what is tested.

    ratios : which cell types are log-ratios; the others stay fractions, zeros tied
    raw : nothing is changed; ranked : fractions become their ranks, for a linear model
    """

    ratios: np.ndarray
    raw: bool
    ranked: bool
    replacement: float
    limit: float

    def apply(self, closed: np.ndarray) -> np.ndarray:
        """(..., cell types, samples) on their scales; rounding makes no new order."""
        if self.raw:
            return np.round(closed, 12)
        values = np.where(closed < self.limit, 0.0, closed)
        if self.ranked:  # Conover & Iman 1981, Am Stat 35:124
            values[..., ~self.ratios, :] = rank(np.round(values[..., ~self.ratios, :], 12)).values
        if self.ratios.any():
            part = close(np.maximum(closed[..., self.ratios, :], 1e-300))
            if np.isfinite(self.replacement):
                part = replace_zeros(part, self.replacement, self.limit)
            elif (part < self.limit).any():  # a draw may have zeros where the estimate has none
                part = replace_zeros(part, REPLACED_BY * self.limit, self.limit)
            values[..., self.ratios, :] = clr(part)
        return np.round(values, 12)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Scales by cell type, what is tested, and what is needed to do the same to draws."""

    scales: pd.Series
    values: np.ndarray
    closed: np.ndarray
    scaling: _Scaling
    notes: tuple[str, ...]


def compare_groups(
    fractions: pd.DataFrame,
    comparison: Comparison,
    *,
    scale: Scale = "auto",
    draws: np.ndarray | None = None,
    level: float = 0.05,
    limit: float = DETECTION_LIMIT,
) -> GroupComparison:
    """Compare the fractions of every cell type as the comparison says.

    Parameters
    ----------
    fractions : cell types x samples (the hidden fraction as a row like the others)
    comparison : of :func:`gui.statistics.group_design.group_design` or ``number_design``
    scale : "auto": log-ratios, ranks of fractions where more than 30 % are zero; "log-ratio" or
        "fraction" for all
    draws : draws x cell types x samples of the bootstrap, in the order of ``fractions``
    level : of the false discovery rate

    Raises
    ------
    BadValues : gaps, negative fractions, samples of nothing but zeros
    DataError : draws of other cell types or samples

    Source: Aitchison 1986 (log-ratios); Benjamini & Hochberg 1995 (family of all cell types); the
    tests as in :mod:`gui.statistics.group_tests`.
    """
    if not 0.0 < level < 1.0:
        raise InvalidParameter("the level of the false discovery rate lies between 0 and 1")
    used = fractions[comparison.samples]
    key = comparison.choice.key
    prepared = _prepare(used, scale, limit, key == "least-squares")
    tested = run_test(prepared.values, comparison)
    p = tested.test.p if comparison.choice.tested else np.full(len(used), np.nan)
    adjusted = benjamini_hochberg(p)
    called = np.nan_to_num(adjusted, nan=1.0) <= level
    kept, count = np.full(len(used), np.nan), 0
    if draws is not None and comparison.choice.tested:
        draws = check_draws(draws, fractions)
        at = fractions.columns.get_indexer(comparison.samples)
        count = len(draws)
        kept = _kept(draws[:, :, at], prepared, comparison, level, called, tested.direction)
    table = pd.DataFrame(
        {
            "scale": prepared.scales,
            "zeros": (prepared.closed < limit).mean(axis=1),
            "effect": tested.effect.estimate,
            "effect_low": tested.effect.low,
            "effect_high": tested.effect.high,
            "statistic": tested.test.statistic,
            "df": tested.test.df,
            "exact": tested.test.exact,
            "p": p,
            "p_adjusted": adjusted,
            "called": called,
            "kept": kept,
        },
        index=used.index,
    )
    for name, effect in _sizes(prepared, comparison).items():
        table[name] = effect.estimate
        table[f"{name}_low"], table[f"{name}_high"] = effect.low, effect.high
    pairs = _pairs(prepared, comparison, used.index, tested)
    notes = (
        f"{comparison.choice.name[0].upper()}{comparison.choice.name[1:]}: "
        f"{comparison.choice.reason}.",
        *comparison.notes,
        *prepared.notes,
        *_lost_note(comparison),
    )
    return GroupComparison(
        comparison=comparison,
        table=table,
        pairs=pairs,
        summary=_summary(used, prepared.closed, comparison, limit),
        values=pd.DataFrame(prepared.values, index=used.index, columns=comparison.samples),
        effect_name=EFFECTS[key],
        no_effect=NO_EFFECT.get(key, 0.0),
        family=int(np.isfinite(p).sum()),
        pairs_family=int(pairs["p"].notna().sum()) if len(pairs) else 0,
        draws=count,
        level=level,
        notes=notes,
    )


def _prepare(fractions: pd.DataFrame, scale: Scale, limit: float, ranked_model: bool) -> _Prepared:
    closed = check_fractions(fractions)
    zeros = pd.Series((closed < limit).mean(axis=1), index=fractions.index)
    if scale == "fraction":
        scales = pd.Series("fraction", index=fractions.index)
    elif scale == "log-ratio":
        scales = pd.Series("log-ratio", index=fractions.index)
    else:
        scales = choose_scales(zeros)
    ratios = (scales == "log-ratio").to_numpy()
    replacement, notes = float("nan"), []
    if ratios.any():
        # the geometric mean is over these types only: replaced zeros of rare ones would rule it
        part = fractions.iloc[ratios]
        if (part.to_numpy() > 0).any(axis=0).all():
            made = log_ratios(part, limit)
            replacement = made.replacement
            notes += [note for note in made.notes if "sum" not in note]
        else:  # a sample that has none of them cannot be put on log-ratios
            scales[:] = "rank"
            ratios[:] = False
            notes.append("A sample has no cell type in common with the others: ranks are compared.")
    ranked = [str(name) for name in scales.index[scales == "rank"]]
    if ranked:
        notes.append(
            f"Compared by ranks of their fractions, as more than {MANY_ZEROS:.0%} of them are "
            f"zero: {', '.join(ranked)}."
        )
    notes.append(CLOSURE)
    scaling = _Scaling(ratios, scale == "fraction", ranked_model, replacement, limit)
    return _Prepared(scales, scaling.apply(closed), closed, scaling, tuple(notes))


def _kept(
    draws: np.ndarray,
    prepared: _Prepared,
    comparison: Comparison,
    level: float,
    called: np.ndarray,
    direction: np.ndarray,
) -> np.ndarray:
    """In how many draws each cell type gets the same call, in the same direction."""
    count, types, samples = draws.shape
    values = prepared.scaling.apply(draws)
    tested = run_test(values.reshape(count * types, samples), comparison, draws=True)
    adjusted = benjamini_hochberg(tested.test.p.reshape(count, types))
    again = np.nan_to_num(adjusted, nan=1.0) <= level
    same = tested.direction.reshape(count, types) == direction
    return np.asarray(
        np.where(called, (again & same).sum(axis=0), (~again).sum(axis=0)).astype(np.float64)
    )


def _sizes(prepared: _Prepared, comparison: Comparison) -> dict[str, Effect]:
    """Differences of two groups, or slopes, as log-ratio and percentage points."""
    scales = (prepared.scales == "log-ratio").to_numpy()
    sources = {"log_ratio": prepared.values, "points": prepared.closed * 100.0}
    result = {}
    for name, values in sources.items():
        effect = _size(values, comparison)
        if effect is None:
            return {}
        if name == "log_ratio":
            effect = Effect(*(np.where(scales, part, np.nan) for part in _parts(effect)))
        result[name] = effect
    return result


def _parts(effect: Effect) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return effect.estimate, effect.low, effect.high


def _size(values: np.ndarray, comparison: Comparison) -> Effect | None:
    model, terms = comparison.model, comparison.term
    if comparison.number is not None and model is None and len(comparison.samples) > 3:
        number = pd.DataFrame({comparison.variable: comparison.number}, comparison.samples)
        model, terms = design(number), (comparison.variable,)
    if model is not None and len(terms) == 1:
        frame = pd.DataFrame(values, columns=model.matrix.index)
        fit, term = least_squares_hc3(frame, model), terms[0]
        return Effect(*(getattr(fit, n)[term].to_numpy() for n in ("coefficients", "low", "high")))
    if len(comparison.levels) != 2 or comparison.kind not in ("groups", "paired"):
        return None
    x, y = comparison.split(values)
    return _difference(x, y, comparison.kind == "paired")


def _difference(x: np.ndarray, y: np.ndarray, paired: bool) -> Effect:
    if paired:
        return pseudomedian(y - x)
    return hodges_lehmann(x, y, exact=min(x.shape[-1], y.shape[-1]) < 10)


PAIR_COLUMNS = [
    *("cell_type", "first", "second"),
    *("log_ratio", "log_ratio_low", "log_ratio_high", "points", "points_low", "points_high"),
    *("statistic", "p", "p_adjusted"),
]


def _pairs(
    prepared: _Prepared, comparison: Comparison, types: pd.Index, tested: Tested
) -> pd.DataFrame:
    if len(comparison.levels) < 3 or comparison.kind not in ("groups", "paired"):
        return pd.DataFrame(columns=PAIR_COLUMNS)
    codes, paired = comparison.codes, comparison.kind == "paired"
    ratios = (prepared.scales == "log-ratio").to_numpy()
    by_pair: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}
    if len(comparison.tested) == 2:  # one pair alone is large enough: its own test
        by_pair[comparison.tested] = (tested.test.statistic, tested.test.p)
    elif not paired:
        by_pair = _dunn(prepared.values, comparison)
    frames = []
    for a, b in combinations(range(len(comparison.levels)), 2):
        first, second = codes == a, codes == b
        frame = pd.DataFrame({"cell_type": types})
        frame["first"], frame["second"] = comparison.levels[a], comparison.levels[b]
        for name, values in (("log_ratio", prepared.values), ("points", prepared.closed * 100.0)):
            parts = _parts(_difference(values[:, first], values[:, second], paired))
            for suffix, part in zip(("", "_low", "_high"), parts, strict=True):
                frame[name + suffix] = np.where(ratios | (name == "points"), part, np.nan)
        nothing = np.full(len(types), np.nan)
        if paired:
            test = wilcoxon_signed_rank(prepared.values[:, second] - prepared.values[:, first])
            frame["statistic"], frame["p"] = test.statistic, test.p
        else:
            frame["statistic"], frame["p"] = by_pair.get((a, b), (nothing, nothing))
        if not comparison.choice.tested:
            frame["p"] = np.nan
        frames.append(frame)
    pairs = pd.concat(frames, ignore_index=True)
    pairs["p_adjusted"] = benjamini_hochberg(pairs["p"].to_numpy(dtype=np.float64))
    return pairs[PAIR_COLUMNS]


def _dunn(
    values: np.ndarray, comparison: Comparison
) -> dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]]:
    used = np.isin(comparison.codes, comparison.tested)
    result = dunn(values[:, used], np.searchsorted(comparison.tested, comparison.codes[used]))
    return {
        (comparison.tested[a], comparison.tested[b]): (result.z[:, at], result.p[:, at])
        for at, (a, b) in enumerate(result.pairs)
    }


def _summary(
    fractions: pd.DataFrame, closed: np.ndarray, comparison: Comparison, limit: float
) -> pd.DataFrame:
    levels = comparison.levels or ("all",)
    rows = []
    for code, level in enumerate(levels):
        part = closed[:, comparison.codes == code] if comparison.levels else closed
        low, median, high = np.quantile(part, [0.25, 0.5, 0.75], axis=1)
        rows.append(
            pd.DataFrame(
                {
                    "cell_type": fractions.index,
                    "group": level,
                    "samples": part.shape[1],
                    "median": median,
                    "lower_quartile": low,
                    "upper_quartile": high,
                    "zeros": (part < limit).mean(axis=1),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _lost_note(comparison: Comparison) -> tuple[str, ...]:
    if comparison.lost.empty:
        return ()
    reasons = comparison.lost["reason"].value_counts()
    return (
        f"{len(comparison.lost)} sample{'s are' if len(comparison.lost) > 1 else ' is'} "
        "not compared: "
        + ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        + ".",
    )
