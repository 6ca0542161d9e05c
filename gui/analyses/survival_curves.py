"""Kaplan-Meier curves and log-rank tests of groups: of fractions that are cut, of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from gui.analyses.samples import as_numbers, order_is_known
from gui.analyses.survival_params import SurvivalParams
from gui.analyses.survival_result import ALL, COLUMN, TYPE
from gui.analyses.survival_subjects import Subjects, groups_of_column, same_reasons
from gui.errors import DataError, InvalidParameter
from gui.statistics.cut_points import cut_at, quantile_points
from gui.statistics.kaplan_meier import (
    SurvivalCurve,
    kaplan_meier,
    kaplan_meier_by_group,
    restricted_mean,
    restricted_mean_difference,
)
from gui.statistics.log_rank import log_rank, log_rank_trend, pairwise_log_rank
from gui.statistics.maximally_selected import BestCut, best_cut
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.text import some

EVERYBODY = "all samples"
NO_ORDER = (
    "No test of a trend: the order of the groups is not known. Choose it under “Order of the"
    " groups”."
)
NAN = float("nan")


@dataclass
class Curves:
    """Rows of the tables of :class:`gui.analyses.survival_result.SurvivalResult`."""

    curves: list[pd.DataFrame] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    tests: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[pd.DataFrame] = field(default_factory=list)
    excluded: list[pd.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Curves, groups, tests and pairs as frames; tests adjusted over the cell types."""
        tests = pd.DataFrame(self.tests, columns=TEST_COLUMNS)
        of_types = (tests["kind"] == TYPE) & tests["p"].notna()
        tests["adjusted"] = np.nan
        tests.loc[of_types, "adjusted"] = benjamini_hochberg(
            tests.loc[of_types, "p"].to_numpy(dtype=np.float64)
        )
        return {
            "curves": pd.concat(self.curves, ignore_index=True),
            "groups": pd.DataFrame(self.groups),
            "tests": tests,
            "pairs": self._adjusted_pairs(),
        }

    def _adjusted_pairs(self) -> pd.DataFrame:
        """Of cell types adjusted over all pairs of all types; of a column over its own pairs."""
        if not self.pairs:
            return pd.DataFrame(columns=PAIR_COLUMNS)
        pairs = pd.concat(self.pairs, ignore_index=True)
        of_types = pairs["kind"] == TYPE
        p = pairs.loc[of_types, "p"].to_numpy(dtype=np.float64)
        pairs.loc[of_types, "p_adjusted"] = benjamini_hochberg(p)
        return pairs


TEST_COLUMNS = [
    *("kind", "variable", "cut", "statistic", "df", "p", "trend_z", "trend_p", "nominal_p"),
    *("difference", "difference_low", "difference_high", "difference_p", "tau", "note"),
]
PAIR_COLUMNS = ["kind", "variable", "first", "second", "statistic", "p", "p_adjusted"]


def curves(
    found: Subjects,
    fractions: pd.DataFrame,
    params: SurvivalParams,
    strata: pd.Series | None,
    progress: Callable[[float], None],
) -> Curves:
    """Curves of everybody, of every cell type that is cut, of every column to compare.

    Parameters
    ----------
    fractions
        Cell types x followed samples, summing to 1.
    strata
        Of the log-rank tests, by sample; gaps allowed.
    """
    made = Curves()
    if found.survival.patient is not None:
        alone = found.survival.first_of_each()
        made.notes.append(
            "Curves, log-rank tests and cut points use the first sample of each patient"
            f" ({len(alone.samples)} of {len(found.survival.samples)} samples)."
        )
        found = replace(found, survival=alone)
        fractions = fractions[alone.samples]
        strata = None if strata is None else strata[alone.samples]
    _add(made, found, params, ALL, EVERYBODY, None, "", None)
    jobs = list(_groupings(found, fractions, params, made))
    without: dict[str, str] = {}
    for at, (kind, name, make) in enumerate(jobs):
        progress(at / max(len(jobs), 1))
        try:
            groups, cut, best = make()
            _add(made, found, params, kind, name, groups, cut, strata, best)
        except (DataError, InvalidParameter) as error:
            without[name] = error.full_text
    made.refused += [f"No curves of {names}: {why}" for names, why in same_reasons(without)]
    return made


Grouping = tuple[pd.Series, str, BestCut | None]


def _groupings(
    found: Subjects, fractions: pd.DataFrame, params: SurvivalParams, made: Curves
) -> Iterator[tuple[str, str, Callable[[], Grouping]]]:
    if params.cut != "none":
        for name, row in fractions.iterrows():
            percent = row.astype(np.float64) * 100
            yield TYPE, str(name), lambda v=percent: _cut(v, found, params, "%", params.cut_points)  # type: ignore[misc]
    for name in params.compare:
        if name not in found.table.columns:
            made.refused.append(f"The clinical table has no column {name[:60]}.")
            continue
        column = found.table[name].reindex(found.survival.samples)
        yield COLUMN, name, lambda c=column: _of_column(c, found, params)  # type: ignore[misc]


def _of_column(column: pd.Series, found: Subjects, params: SurvivalParams) -> Grouping:
    groups = groups_of_column(column)
    if groups is not None:
        levels = [str(level) for level in groups.cat.categories if (groups == level).any()]
        groups = groups.cat.set_categories(params.order_of(levels) or levels)
        return groups, "", None
    if params.cut in ("none", "stated"):
        raise DataError(
            f"{column.name} holds numbers.",
            advice="Choose the median or tertiles under “Groups by fraction” to cut it.",
        )
    return _cut(as_numbers(column), found, params, "", ())


def _cut(
    values: pd.Series,
    found: Subjects,
    params: SurvivalParams,
    unit: str,
    points: Sequence[float],
) -> Grouping:
    suffix = f" {unit}" if unit else ""
    if params.cut == "best":
        known = values.dropna()
        survival = found.survival
        best = best_cut(
            survival.time[known.index],
            survival.event[known.index],
            known,
            permutations=params.permutations,
            seed=params.seed,
        )
        names = [f"≤{best.cut:.4g}{suffix}", f">{best.cut:.4g}{suffix}"]
        codes = np.where(values.isna(), -1, (values > best.cut).astype(int))
        groups = pd.Categorical.from_codes(codes, categories=names, ordered=True)
        return pd.Series(groups, index=values.index), f"{best.cut:.4g}{suffix}", best
    if params.cut == "stated":
        chosen = list(points)
        if not chosen:
            raise InvalidParameter("No value to cut at is stated.", advice="State one, in percent.")
    else:
        chosen = quantile_points(values, 2 if params.cut == "median" else 3)
    cut = ", ".join(f"{point:.4g}" for point in sorted(chosen)) + suffix
    return cut_at(values, chosen, unit), cut, None


def _add(
    made: Curves,
    found: Subjects,
    params: SurvivalParams,
    kind: str,
    name: str,
    groups: pd.Series | None,
    cut: str,
    strata: pd.Series | None,
    best: BestCut | None = None,
) -> None:
    time, event = found.survival.time, found.survival.event
    if groups is None:
        lines = [kaplan_meier(time, event, name=EVERYBODY, transform=params.transform)]
    else:
        there = groups.notna()
        if not there.all():
            lacking = pd.DataFrame(
                {"reason": f"no value of {name}", "analysis": f"curves by {name}"},
                index=groups.index[~there],
            )
            made.excluded.append(lacking)
        groups, time, event = groups[there], time[there], event[there]
        lines = kaplan_meier_by_group(time, event, groups, transform=params.transform)
        if len(lines) < 2:
            raise DataError("All samples are in one group.")
    tau = params.tau or min(float(line.table["time"].iloc[-1]) for line in lines)
    made.groups += [_group(line, kind, name, tau, made) for line in lines]
    made.curves += [line.table.assign(kind=kind, variable=name, group=line.name) for line in lines]
    if groups is not None:
        levels = [str(level) for level in groups.cat.categories]
        ordered = (
            kind == TYPE
            or bool(cut)
            or params.order_of(levels) is not None
            or order_is_known(found.table[name], levels)
        )
        row = _test(time, event, groups, strata, best, ordered=ordered)
        if kind == COLUMN and not cut and len(levels) > 2 and params.order:
            row["note"] = f"{row['note']} {_order_text(params, levels)}".strip()
        row |= {"kind": kind, "variable": name, "cut": cut, "tau": tau}
        # at a cut that was searched for, a difference and its p are too good (Altman et al. 1994)
        row |= _difference(lines if best is None else [], tau)
        made.tests.append(row)
        if len(lines) > 2:
            layers = None if strata is None else _layers(strata, groups)
            inside = groups.index if layers is None else layers.index
            pairs = pairwise_log_rank(time[inside], event[inside], groups[inside], strata=layers)
            made.pairs.append(pairs.assign(kind=kind, variable=name)[PAIR_COLUMNS])


def _order_text(params: SurvivalParams, levels: list[str]) -> str:
    """Which order was tested; where groups lack in it, which."""
    if params.order_of(levels) is not None:
        return f"Trend over the order that was chosen: {some(levels, 12)}."
    lacking = [level for level in levels if level not in params.order]
    some_of_it = len(lacking) < len(levels)
    return f"The order that was chosen lacks {some(lacking, 6)}." if some_of_it else ""


def _layers(strata: pd.Series, groups: pd.Series) -> pd.Series:
    return strata.loc[groups.index].dropna()


def _test(
    time: pd.Series,
    event: pd.Series,
    groups: pd.Series,
    strata: pd.Series | None,
    best: BestCut | None,
    *,
    ordered: bool,
) -> dict[str, Any]:
    layers = None if strata is None else _layers(strata, groups)
    inside = groups.index if layers is None else layers.index
    codes = groups[inside].cat.remove_unused_categories()
    test = log_rank(time[inside], event[inside], codes, strata=layers)
    several = len(test.table) > 2
    trend = log_rank_trend(test) if several and ordered else None
    if best is not None:
        return {
            "statistic": best.statistic,
            "df": NAN,
            "p": best.p,
            "nominal_p": best.nominal_p,
            "note": f"{best.notes[0]} {best.permutations} permutations."
            + (" Strata play no part in it." if strata is not None else ""),
        }
    return {
        "statistic": test.statistic,
        "df": float(test.df),
        "p": test.p,
        "trend_z": NAN if trend is None else trend.z,
        "trend_p": NAN if trend is None else trend.p,
        "nominal_p": NAN,
        "note": " ".join(
            filter(
                None,
                (
                    "" if strata is None else _strata_text(strata, len(groups) - len(inside)),
                    NO_ORDER if several and not ordered else "",
                ),
            )
        ),
    }


def _strata_text(strata: pd.Series, lacking: int) -> str:
    out = f"; {lacking} samples without it are left out of the test" if lacking else ""
    return f"Stratified by {strata.name}{out}."


def _group(line: SurvivalCurve, kind: str, name: str, tau: float, made: Curves) -> dict[str, Any]:
    try:
        mean = restricted_mean(line, tau)
        numbers = (mean.mean, mean.low, mean.high)
    except InvalidParameter as error:
        made.notes.append(f"No restricted mean: {error}")
        numbers = (NAN, NAN, NAN)
    return {
        "kind": kind,
        "variable": name,
        "group": line.name,
        "samples": line.samples,
        "events": line.events,
        "median": line.median,
        "median_low": line.median_low,
        "median_high": line.median_high,
        "tau": tau,
        **dict(zip(("mean", "mean_low", "mean_high"), numbers, strict=True)),
    }


def _difference(lines: list[SurvivalCurve], tau: float) -> dict[str, float]:
    names = ("difference", "difference_low", "difference_high", "difference_p")
    if len(lines) != 2:
        return dict.fromkeys(names, NAN)
    try:
        made = restricted_mean_difference(lines[0], lines[1], tau)
    except InvalidParameter:
        return dict.fromkeys(names, NAN)
    return dict(zip(names, (made.difference, made.low, made.high, made.p), strict=True))
