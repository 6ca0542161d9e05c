"""One Cox model per cell type: the forest plot, and what the bootstrap draws make of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import DataError
from gui.statistics.cox import CoxFit, cox, events_per_variable
from gui.statistics.distributions import normal_p, normal_quantile
from gui.statistics.linear_model import INTERCEPT, design
from gui.statistics.measurement_error import Reliability, reliability
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.partial_likelihood import maximise, risk_sets
from gui.statistics.stability import check_draws

TEN_POINTS = 0.10
"""Fractions: ten percentage points."""
CHUNK = 400_000
"""Numbers of all models that are fitted together."""


@dataclass(frozen=True, eq=False)
class CoxByType:
    """Hazard ratios of the fraction of each cell type, each in a model of its own.

    table : by cell type: coefficient and error (per unit of fraction), inflation (robust by naive
        error), sd, hazard ratios per standard deviation (sd_ratio) and per 10 percentage points
        (points_ratio) with _low and _high, z, p, p_adjusted, called, converged; with draws also
        draws_median, draws_low, draws_high (hazard ratio per standard deviation) and kept (draws
        with the same call)
    fits : by cell type, for residuals and tests; left_out : cell type -> why
    """

    table: pd.DataFrame
    fits: dict[str, CoxFit]
    left_out: dict[str, str]
    family: int
    draws: int
    reliability: Reliability | None
    notes: tuple[str, ...]


def cox_by_type(
    time: pd.Series,
    event: pd.Series,
    fractions: pd.DataFrame,
    *,
    covariates: pd.DataFrame | None = None,
    strata: pd.Series | None = None,
    cluster: pd.Series | None = None,
    draws: np.ndarray | None = None,
    level: float = 0.05,
) -> CoxByType:
    """A Cox model of every cell type's fraction as it is, adjusted for the same covariates.

    Parameters
    ----------
    fractions : cell types x samples, the samples of ``time``
    draws : draws x cell types x samples of the bootstrap, in the order of ``fractions``
    level : of the false discovery rate over all cell types

    Source: Cox 1972; Therneau & Grambsch 2000 (fits); Benjamini & Hochberg 1995.
    """
    fractions = fractions[time.index]
    if covariates is not None:
        covariates = distinct(covariates.loc[time.index], fractions.index)
    fits: dict[str, CoxFit] = {}
    left_out: dict[str, str] = {}
    for cell_type, row in fractions.iterrows():
        frame = row.astype(np.float64).rename(str(cell_type)).to_frame()
        if covariates is not None:
            frame = frame.join(covariates)
        try:
            fits[str(cell_type)] = cox(time, event, frame, strata=strata, cluster=cluster)
        except DataError as error:
            left_out[str(cell_type)] = str(error)
    if not fits:
        raise DataError(next(iter(left_out.values()), "There is no cell type to look at."))
    table = _forest(fits, fractions)
    table["p_adjusted"] = benjamini_hochberg(table["p"].to_numpy(dtype=np.float64))
    table["called"] = table["p_adjusted"].fillna(1.0) <= level
    notes = list(_notes(fits, left_out))
    found, count = None, 0
    if draws is not None:
        at = fractions.index.astype(str).get_indexer(table.index)
        part, count = check_draws(draws, fractions)[:, at], len(draws)
        table = table.join(_over_draws(time, event, part, table, covariates, strata, level))
        found = reliability(fractions.iloc[at], part)
        notes += found.notes
    return CoxByType(
        table, fits, left_out, int(table["p"].notna().sum()), count, found, tuple(notes)
    )


def distinct(covariates: pd.DataFrame, taken: Iterable[object]) -> pd.DataFrame:
    """The covariates, renamed where one is called like a cell type (as columns of counts are).

    Source: none needed, no number changes.
    """
    names = set(map(str, taken))
    return covariates.rename(columns=lambda c: f"{c} (column)" if str(c) in names else c)


def _forest(fits: dict[str, CoxFit], fractions: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    by_name = fractions.set_axis(fractions.index.astype(str))
    for name, fit in fits.items():
        line = fit.table.loc[name]
        sd = float(by_name.loc[name].std(ddof=1))
        row = {key: line[key] for key in ("coefficient", "error", "z", "p")} | {"sd": sd}
        row["inflation"] = line["error"] / line["naive_error"]
        half = normal_quantile(fit.confidence) * line["error"]
        for label, unit in (("sd", sd), ("points", TEN_POINTS)):
            with np.errstate(over="ignore"):
                row[f"{label}_ratio"] = float(np.exp(line["coefficient"] * unit))
                row[f"{label}_low"] = float(np.exp((line["coefficient"] - half) * unit))
                row[f"{label}_high"] = float(np.exp((line["coefficient"] + half) * unit))
        rows[name] = row | {"converged": fit.converged}
    return pd.DataFrame.from_dict(rows, orient="index")


def _notes(fits: dict[str, CoxFit], left_out: dict[str, str]) -> list[str]:
    first = next(iter(fits.values()))
    rule = events_per_variable(first.events, len(first.table))
    notes = [] if rule.verdict == "enough" else [rule.message]
    bad = [name for name, fit in fits.items() if not fit.converged]
    if bad:
        notes.append(f"The likelihood did not converge for {', '.join(bad)}.")
    notes += [f"{name} is left out: {why}" for name, why in left_out.items()]
    return notes


def _over_draws(
    time: pd.Series,
    event: pd.Series,
    draws: np.ndarray,
    table: pd.DataFrame,
    covariates: pd.DataFrame | None,
    strata: pd.Series | None,
    level: float,
) -> pd.DataFrame:
    """The models of all draws, many at once; hazard ratios per SD of the estimates."""
    coefficient, error = coefficients_of_draws(time, event, draws, covariates, strata)
    error = error * table["inflation"].to_numpy()  # clusters: as much wider as in the estimate
    p = normal_p(coefficient / error)
    again = np.nan_to_num(benjamini_hochberg(p), nan=1.0) <= level
    same = np.sign(coefficient) == np.sign(table["coefficient"].to_numpy())
    called = table["called"].to_numpy(dtype=bool)
    ratios = np.exp(coefficient * table["sd"].to_numpy())
    low, median, high = np.nanquantile(ratios, [0.025, 0.5, 0.975], axis=0)
    kept = np.where(called, (again & same).sum(axis=0), (~again).sum(axis=0))
    return pd.DataFrame(
        {"draws_median": median, "draws_low": low, "draws_high": high, "kept": kept},
        index=table.index,
    )


def coefficients_of_draws(
    time: pd.Series,
    event: pd.Series,
    draws: np.ndarray,
    covariates: pd.DataFrame | None = None,
    strata: pd.Series | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficient and standard error of the fraction in every draw, draws x cell types.

    NaN where a draw has no fraction that varies.

    Source: Cox 1972; Efron 1977; fitted as in :mod:`gui.statistics.partial_likelihood`.
    """
    layers = None if strata is None else pd.factorize(strata.loc[time.index])[0]
    sets = risk_sets(time.to_numpy(dtype=np.float64), event.to_numpy(), layers)
    count, types, samples = draws.shape
    rows = draws.reshape(-1, samples)[:, sets.order]
    others = np.empty((samples, 0))
    if covariates is not None:
        matrix = design(covariates.loc[time.index]).matrix.drop(columns=INTERCEPT)
        others = matrix.to_numpy(dtype=np.float64)[sets.order]
        others = (others - others.mean(axis=0)) / others.std(axis=0)
    scale = rows.std(axis=1)
    coefficient, error = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    usable = np.flatnonzero(scale > 1e-12)
    size = max(1, CHUNK // (samples * (1 + others.shape[1])))
    for begin in range(0, usable.size, size):
        some = usable[begin : begin + size]
        own = (rows[some] - rows[some].mean(axis=1, keepdims=True)) / scale[some, None]
        shared = np.broadcast_to(others, (some.size, *others.shape))
        x = np.concatenate([own[:, :, None], shared], axis=2)
        found = maximise(x, sets, iterations=12)
        variance = np.linalg.pinv(found.at.information, hermitian=True)[:, 0, 0]
        coefficient[some] = found.coefficients[:, 0] / scale[some]
        error[some] = np.sqrt(np.where(variance > 0, variance, np.nan)) / scale[some]
    return coefficient.reshape(count, types), error.reshape(count, types)
