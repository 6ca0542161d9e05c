"""p-values of a family of tests, and p-values of permutations."""

from __future__ import annotations

from math import factorial

import numpy as np
import pandas as pd


def benjamini_hochberg(p: np.ndarray | pd.Series) -> np.ndarray:
    """Adjusted p-values that control the false discovery rate, along the last axis.

    NaN stays NaN and does not count: the family is what was tested. A hypothesis is rejected at
    level q where its adjusted p-value is at most q.

    Source: Benjamini & Hochberg 1995, J R Stat Soc B 57:289; the step-up minimum as in
    Yekutieli & Benjamini 1999.
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, axis=-1, kind="stable")  # NaN last
    ordered = np.take_along_axis(p, order, axis=-1)
    tested = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    scaled = ordered * tested / np.arange(1, p.shape[-1] + 1)
    lowest = np.fmin.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    result = np.empty(p.shape)
    np.put_along_axis(result, order, np.minimum(lowest, 1.0), axis=-1)
    return np.where(np.isnan(p), np.nan, result)


def bonferroni(p: np.ndarray | pd.Series) -> np.ndarray:
    """Adjusted p-values that control the family-wise error (Bonferroni; Dunn 1961), last axis."""
    p = np.asarray(p, dtype=np.float64)
    return np.asarray(np.minimum(p * np.isfinite(p).sum(axis=-1, keepdims=True), 1.0))


def permuted_labels(labels: np.ndarray, draws: int, seed: int = 0) -> np.ndarray:
    """Different arrangements of the labels, none of them the given one; all where they are few.

    Returns
    -------
    draws (or as many as there are) x samples

    Source: Good 2005, Permutation, Parametric, and Bootstrap Tests of Hypotheses, ch. 3; Phipson &
    Smyth 2010 (the given arrangement is counted by :func:`permutation_p`).
    """
    labels = np.asarray(labels)
    codes = np.unique(labels, return_inverse=True)[1]
    possible = factorial(labels.size)
    for count in np.bincount(codes):
        possible //= factorial(int(count))
    rng = np.random.default_rng(seed)
    seen = {codes.tobytes()}
    found: list[np.ndarray] = []
    wanted = min(draws, possible - 1)
    while len(found) < wanted:
        shuffled = rng.permutation(codes)
        if shuffled.tobytes() not in seen:
            seen.add(shuffled.tobytes())
            found.append(shuffled)
    return np.unique(labels)[np.array(found, dtype=np.intp).reshape(-1, labels.size)]


def permutation_p(
    observed: np.ndarray, permuted: np.ndarray, alternative: str = "two-sided"
) -> np.ndarray:
    """p-value of a statistic against its values after permutation of the labels.

    Counts the statistic itself as one of the draws, so that p is never 0.

    Parameters
    ----------
    observed : (...), the statistic of the data
    permuted : (draws, ...), the statistic of every permutation; NaN draws are left out
    alternative : "two-sided" (absolute values), "greater" or "less"

    Source: Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39.
    """
    observed, permuted = np.asarray(observed, float), np.asarray(permuted, float)
    if alternative == "two-sided":
        observed, permuted = np.abs(observed), np.abs(permuted)
    elif alternative == "less":
        observed, permuted = -observed, -permuted
    slack = 1e-12 * np.maximum(1.0, np.abs(observed))
    beyond = (permuted >= observed - slack).sum(axis=0)
    p = (beyond + 1.0) / (np.isfinite(permuted).sum(axis=0) + 1.0)
    return np.where(np.isnan(observed), np.nan, p)
