"""Fractions of cell types between groups, along a number, or with covariates: the whole answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import InvalidParameter
from gui.statistics.fraction_scales import Scale, ScaledFractions, scale_fractions
from gui.statistics.group_design import Comparison
from gui.statistics.group_pairs import pair_table, sizes
from gui.statistics.group_tests import EFFECTS, NO_EFFECT, run_test
from gui.statistics.log_ratios import DETECTION_LIMIT
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.stability import check_draws

ROUNDING = 1e-10
"""Part of its scale below which a difference is an error of rounding."""


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """What differs between groups.

    table : by cell type: scale ("log-ratio", "rank", "fraction"), zeros, effect, effect_low,
        effect_high (see ``effect_name``), statistic, df, p, p_adjusted, called, kept (draws in
        which the call is the same; NaN without draws); with two groups, a number or a model also
        log_ratio and points (percentage points), each with _low and _high: the difference, or the
        slope per unit of the number
    pairs : one row per cell type and pair of groups: first, second, log_ratio and points with
        intervals, statistic, p, p_adjusted (over all pairs of all types); empty with two groups
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
        raise InvalidParameter("The level of the false discovery rate lies between 0 and 1.")
    used = fractions[comparison.samples]
    key = comparison.choice.key
    prepared = scale_fractions(used, scale, limit, ranked=key == "least-squares")
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
    for name, effect in sizes(prepared, comparison).items():
        table[name] = effect.estimate
        table[f"{name}_low"], table[f"{name}_high"] = effect.low, effect.high
    pairs = pair_table(prepared, comparison, tested)
    _drop_rounding(table, comparison)
    _drop_rounding(pairs, comparison)
    notes = (
        f"{comparison.choice.name[0].upper()}{comparison.choice.name[1:]}: "
        f"{comparison.choice.reason}.",
        *comparison.notes,
        *prepared.notes,
        *filter(None, [lost_text(comparison.lost)]),
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


def _drop_rounding(table: pd.DataFrame, comparison: Comparison) -> None:
    """Write 0 for effects, differences and their bounds below 1e-10 of their scale."""
    unit = 1.0 if comparison.number is None else float(np.ptp(comparison.number)) or 1.0
    scales = {"effect": 1.0, "log_ratio": 1.0 / unit, "points": 100.0 / unit}  # slopes: per unit
    if comparison.choice.key == "least-squares":
        scales["effect"] /= unit
    for name, scale in scales.items():
        for column in {name, f"{name}_low", f"{name}_high"} & set(table.columns):
            values = table[column].to_numpy(dtype=np.float64)
            table[column] = np.where(np.abs(values) < ROUNDING * scale, 0.0, values)


def _kept(
    draws: np.ndarray,
    prepared: ScaledFractions,
    comparison: Comparison,
    level: float,
    called: np.ndarray,
    direction: np.ndarray,
) -> np.ndarray:
    """In how many draws each cell type gets the same call, in the same direction."""
    draws = draws / np.maximum(draws.sum(axis=1, keepdims=True), 1e-300)
    count, types, samples = draws.shape
    values = prepared.apply(draws)
    tested = run_test(values.reshape(count * types, samples), comparison, draws=True)
    adjusted = benjamini_hochberg(tested.test.p.reshape(count, types))
    again = np.nan_to_num(adjusted, nan=1.0) <= level
    same = tested.direction.reshape(count, types) == direction
    return np.asarray(
        np.where(called, (again & same).sum(axis=0), (~again).sum(axis=0)).astype(np.float64)
    )


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


def lost_text(lost: pd.DataFrame) -> str:
    """ "3 samples are not compared: 2 no value of arm, 1 not in the run.", or "".

    Parameters
    ----------
    lost : columns sample and reason

    Source: Altman et al. 2012, PLoS Med 9:e1001216 (every exclusion is said).
    """
    if lost.empty:
        return ""
    reasons = ", ".join(f"{n} {reason}" for reason, n in lost["reason"].value_counts().items())
    verb = "s are" if len(lost) > 1 else " is"
    return f"{len(lost)} sample{verb} not compared: {reasons}."
