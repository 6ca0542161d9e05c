"""Log-ratios of fractions: what compositions are compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import BadValues

DETECTION_LIMIT = 1e-4
"""Fractions below 0.01 % count as zero: no solver and no tissue can tell them from it."""
REPLACED_BY = 0.65
"""Part of the smallest detected fraction that replaces a zero (Martín-Fernández et al. 2003)."""


@dataclass(frozen=True, eq=False)
class LogRatios:
    """Centred log-ratios of fractions.

    values : cell types x samples, natural logarithm, mean 0 in every sample
    fractions : cell types x samples, closed to 1, zeros not replaced
    zeros : by cell type, which part of the samples was zero
    replacement : what stood for a zero; NaN where there was none
    notes : sentences for the user
    """

    values: pd.DataFrame
    fractions: pd.DataFrame
    zeros: pd.Series
    replacement: float
    notes: tuple[str, ...] = ()


def close(fractions: np.ndarray) -> np.ndarray:
    """Fractions divided by their sum over the cell types (axis -2); Aitchison 1986, section 2.2."""
    return np.asarray(fractions / fractions.sum(axis=-2, keepdims=True))


def replace_zeros(
    fractions: np.ndarray, replacement: float, limit: float = DETECTION_LIMIT
) -> np.ndarray:
    """Closed fractions with every zero replaced, so that ratios of the others stay as they were.

    ``x = r`` where the fraction is below ``limit``, else ``x * (1 - sum of replacements)``.

    Parameters
    ----------
    fractions : (..., cell types, samples), closed to 1

    Source: Martín-Fernández, Barceló-Vidal & Pawlowsky-Glahn 2003, Math Geol 35:253, eq. 4.
    """
    zero = fractions < limit
    rest = close(np.where(zero, 0.0, fractions))
    kept = 1.0 - replacement * zero.sum(axis=-2, keepdims=True)
    return np.where(zero, replacement, rest * kept)


def clr(fractions: np.ndarray) -> np.ndarray:
    """Centred log-ratios over the cell types (axis -2): ln x - mean(ln x); Aitchison 1986, 4.6."""
    logs = np.log(fractions)
    return np.asarray(logs - logs.mean(axis=-2, keepdims=True))


def log_ratios(fractions: pd.DataFrame, limit: float = DETECTION_LIMIT) -> LogRatios:
    """Centred log-ratios after the multiplicative replacement of zeros, with what was assumed.

    Parameters
    ----------
    fractions : cell types x samples, not negative; need not sum to 1
    limit : fractions below it count as zero

    Raises
    ------
    BadValues : gaps, negative fractions, a sample without any fraction

    Source: Aitchison 1986 (CLR); Martín-Fernández et al. 2003 (zeros).
    """
    closed = check_fractions(fractions)
    zero = closed < limit
    notes = []
    replacement = float("nan")
    if zero.any():
        replacement = zero_replacement(closed, limit)
        notes.append(
            f"Fractions below {limit * 100:g} % count as zero ({int(zero.sum())} of {zero.size}); "
            f"in log-ratios they are replaced by {replacement * 100:.2g} %."
        )
        ready = replace_zeros(closed, replacement, limit)
    else:
        ready = closed
    sums = fractions.to_numpy(dtype=np.float64).sum(axis=0)
    if np.abs(sums - 1.0).max(initial=0.0) > 0.01:
        notes.append(
            f"The fractions of a sample sum to {sums.min():.3g} to {sums.max():.3g}; "
            "they were divided by their sum."
        )
    frame = {"index": fractions.index, "columns": fractions.columns}
    return LogRatios(
        pd.DataFrame(clr(ready), **frame),
        pd.DataFrame(closed, **frame),
        pd.Series(zero.mean(axis=1), index=fractions.index),
        replacement,
        tuple(notes),
    )


def zero_replacement(closed: np.ndarray, limit: float = DETECTION_LIMIT) -> float:
    """0.65 of the smallest fraction that is not zero (Martín-Fernández et al. 2003, section 3)."""
    smallest = float(np.min(closed, initial=1.0, where=closed >= limit))
    return float(min(REPLACED_BY * smallest, 0.5 / closed.shape[-2]))


def check_fractions(fractions: pd.DataFrame) -> np.ndarray:
    """Closed fractions as an array (Aitchison 1986, section 2.2), or BadValues with the reason."""
    values = fractions.to_numpy(dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise BadValues(
            "Log-ratios need at least two cell types and one sample.",
            advice="Choose a run with more cell types.",
        )
    for labels, what in ((fractions.index, "cell type"), (fractions.columns, "sample")):
        if labels.has_duplicates:
            name = labels[labels.duplicated()][0]
            raise BadValues(f"The {what} {name} occurs more than once.", advice="Give each once.")
    if not np.isfinite(values).all():
        raise BadValues("The fractions have gaps.", advice="Leave these samples out.")
    if values.min() < -1e-6:
        raise BadValues(
            "Some fractions are negative.", advice="Use a method that gives fractions from 0 to 1."
        )
    values = np.maximum(values, 0.0)
    empty = values.sum(axis=0) <= 0.0
    if empty.any():
        raise BadValues(
            f"{int(empty.sum())} samples have no fraction above zero, the first is "
            f"{fractions.columns[np.argmax(empty)]}.",
            advice="Leave these samples out.",
        )
    return close(values)
