"""Fit of a result: how well it reconstructs its samples, with a verdict by sample.

Y against X C; with ADTD against (Delta o X) C + x c.

By sample, with a verdict.

The limits of the verdicts were set on simulated data and are tested there
(tests/engine/test_reconstruction.py): mixtures of the reference's cells leave up to 0.2 of the
weighted variance over, good real bulk 0.5 to 0.6; a sample half of which is of another tissue,
shuffled genes and noise leave over 1 or more, or are taken up by the hidden background.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.engine.memory import CHUNK

PEARSON, PEARSON_LOG, RESIDUAL, VERDICT = "pearson", "pearson_log", "residual", "verdict"
COLUMNS = (PEARSON, PEARSON_LOG, RESIDUAL, VERDICT)
WELL, FAIRLY, POORLY = "well", "fairly", "poorly"
SCALE = 10_000.0
"""Column sum at which log(1 + value) is taken."""
POOR_RESIDUAL, POOR_PEARSON, POOR_PEARSON_LOG, POOR_HIDDEN = 0.8, 0.85, 0.6, 0.5
"""Beyond one of these a sample fits poorly.

The last: with more than half of it hidden a perfect fit says nothing about the cell types.
"""
FAIR_RESIDUAL, FAIR_PEARSON = 0.4, 0.95
"""Within both of these it fits well."""


def reconstruction(
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    weights: pd.Series,
    composition: pd.DataFrame,
    *,
    hidden: pd.Series | None = None,
    profile: pd.Series | None = None,
    regulation: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the fit by sample: pearson, pearson_log, residual and verdict.

    pearson_log is of log(1 + value) at a column sum of 10 000; the verdict is "well", "fairly" or
    "poorly".

    Parameters
    ----------
    reference
        genes x types.
    bulk
        genes x samples.
    weights
        By gene.
    composition
        Types x samples.
    hidden, profile, regulation
        Of ADTD, which makes columns sum to 1. The residual is the part of the weighted variance
        of the sample over the genes that is not explained, 0 for a perfect fit, about 1 where the
        fit says no more than the mean does. NaN, and "poorly", where a sample or its fit is the
        same for every gene.
    """
    X = reference.to_numpy(dtype=np.float64)
    if hidden is not None:
        X = X / X.sum(axis=0)
    if regulation is not None:
        X = X * regulation.to_numpy(dtype=np.float64)
    fractions = composition.to_numpy(dtype=np.float64)
    if hidden is not None and profile is not None:
        X, fractions = (
            np.c_[X, profile.to_numpy(dtype=np.float64)],
            np.r_[fractions, hidden.to_numpy(dtype=np.float64)[None, :]],
        )
    gamma = weights.to_numpy(dtype=np.float64)
    if hidden is not None:
        gamma = gamma + 1.0 / len(gamma)  # as ADTD does
    gamma = gamma / gamma.sum()
    # a thousand mixtures of all genes at once would take more than DTD itself
    width = max(1, int(CHUNK / (8 * len(bulk))))
    found = [
        _measures(
            X @ fractions[:, at : at + width],
            bulk.iloc[:, at : at + width].to_numpy(dtype=np.float64),
            gamma,
            summed=hidden is not None,
        )
        for at in range(0, bulk.shape[1], width)
    ]
    residual, plain, logarithmic = np.concatenate(found, axis=1)
    fraction = np.zeros(len(residual)) if hidden is None else hidden.to_numpy(dtype=np.float64)
    # written so that NaN is poor
    bearable = (
        (residual <= POOR_RESIDUAL)
        & (plain >= POOR_PEARSON)
        & (logarithmic >= POOR_PEARSON_LOG)
        & (fraction <= POOR_HIDDEN)
    )
    good = bearable & (residual <= FAIR_RESIDUAL) & (plain >= FAIR_PEARSON)
    verdict = np.where(good, WELL, np.where(bearable, FAIRLY, POORLY)).astype(object)
    return pd.DataFrame(
        {PEARSON: plain, PEARSON_LOG: logarithmic, RESIDUAL: residual, VERDICT: verdict},
        index=bulk.columns,
    )


def _measures(fitted: np.ndarray, Y: np.ndarray, gamma: np.ndarray, *, summed: bool) -> np.ndarray:
    """Residual, pearson and pearson_log, each by sample.

    Parameters
    ----------
    fitted, Y
        genes x samples.
    gamma
        Genes, sums to 1.
    summed
        Fitted is of columns that sum to 1.
    """
    sums = Y.sum(axis=0)
    fitted = fitted * (SCALE if summed else SCALE / sums)
    Y = Y * (SCALE / sums)
    spread = (gamma[:, None] * (Y - gamma @ Y) ** 2).sum(axis=0)
    left = (gamma[:, None] * (Y - fitted) ** 2).sum(axis=0)
    residual = np.divide(left, spread, out=np.full(len(left), np.nan), where=spread > 0)
    return np.stack(
        [residual, _pearson(Y, fitted), _pearson(np.log1p(Y), np.log1p(np.maximum(fitted, 0.0)))]
    )


def _pearson(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Column by column; NaN where one of the two does not vary."""
    a, b = one - one.mean(axis=0), other - other.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.asarray(
        np.divide((a * b).sum(axis=0), size, out=np.full(len(size), np.nan), where=size > 0)
    )


def poor(fit: pd.DataFrame | None) -> list[str]:
    """The samples that fit poorly."""
    return [] if fit is None else [str(s) for s in fit.index[fit[VERDICT] == POORLY]]
