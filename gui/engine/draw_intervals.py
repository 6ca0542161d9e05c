"""Intervals from draws: their ends, widened until they hold known fractions as often as said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN
from gui.engine.results import BootstrapResult

RESAMPLING = "Resampling genes"
"""The stage of its progress."""
LEVEL = 0.95
TAILS = (2.5, 97.5)
"""Percentiles between which 95 % of the draws lie."""
TOLERANCE = 1e-9
MOST_DRAWS = 64_000_000
"""Bytes of the draws that a result keeps: 1000 draws of 30 types in 1000 samples."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The estimate itself and its draws, not cut at zero.

    Attributes
    ----------
    estimate
        Types (and hidden, last) x samples.
    draws
        Draws x types x samples.
    """

    estimate: np.ndarray
    draws: np.ndarray


@dataclass(frozen=True, eq=False)
class Known:
    """The same of mixtures whose composition is known.

    Attributes
    ----------
    truth
        Types x mixtures; those that the reference lacks are hidden.
    together
        So many that follow one another were fitted together.
    """

    drawn: Drawn
    truth: pd.DataFrame
    together: int = 1


def intervals_of(
    drawn: Drawn,
    types: pd.Index,
    samples: pd.Index,
    *,
    hidden: bool,
    known: Known | None,
    replicates: int,
    stable: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
) -> BootstrapResult:
    """95 % intervals, widened where there are known mixtures.

    Parameters
    ----------
    types, samples
        Of the composition, without the hidden background.
    """
    rows = pd.Index([*types, HIDDEN]) if hidden else types
    checked = None
    if known is not None:
        checked = calibrate(
            *ends(known.drawn.estimate, known.drawn.draws),
            true_fractions(known.truth, types, hidden=hidden),
            known.together,
        )
    low, high = ends(drawn.estimate, drawn.draws)
    wider = np.zeros((len(rows), 1)) if checked is None else checked.wider[:, None]

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(_cut(values, hidden), index=rows, columns=samples)

    return BootstrapResult(
        estimate=frame(drawn.estimate),
        low=frame(low - wider),
        high=frame(high + wider),
        genes_low=frame(low),
        genes_high=frame(high),
        replicates=replicates,
        check=None if checked is None else checked.table(rows),
        mixtures=0 if checked is None else checked.mixtures,
        sign_stability=stable,
        notes=tuple(notes),
        draws=compact(_cut(drawn.draws, hidden)),
    )


def true_fractions(truth: pd.DataFrame, types: pd.Index, *, hidden: bool) -> np.ndarray:
    """Types x mixtures, in a last row the sum of those that the reference lacks if ``hidden``."""
    lacking = [t for t in truth.index if t not in types]
    values = np.asarray(truth.reindex(types, fill_value=0.0), dtype=np.float64)
    if not hidden:
        return values
    return np.vstack([values, truth.loc[lacking].sum(axis=0).to_numpy(dtype=np.float64)])


def _cut(values: np.ndarray, hidden: bool) -> np.ndarray:
    # with a hidden background the fractions of a sample sum to 1
    return np.asarray(np.clip(values, 0.0, 1.0 if hidden else None))


def compact(draws: np.ndarray) -> np.ndarray:
    """The draws (draws x types x samples) in float16; the first that :data:`MOST_DRAWS` bytes hold.

    Every draw is made alike, so the first ones are as good a sample as any.
    """
    most = max(1, MOST_DRAWS // max(1, 2 * draws[0].size))
    return np.asarray(np.minimum(draws[:most], np.finfo(np.float16).max), dtype=np.float16)


# -- intervals
# --------------------------------------------------------------------------------------------------
def ends(estimate: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end, types x samples, not cut at zero; the estimate lies between.

    Parameters
    ----------
    draws
        Draws x types x samples.
    """
    low, high = np.percentile(draws, TAILS, axis=0)
    return np.minimum(low, estimate), np.maximum(high, estimate)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of the intervals.

    Attributes
    ----------
    wider
        By type, how much farther out each end must lie, at least 0.
    genes, widened
        By type, the fraction of the ``mixtures`` held back whose true fraction lies within the
        interval of the draws alone, and within the widened one.
    """

    wider: np.ndarray
    genes: np.ndarray
    widened: np.ndarray
    mixtures: int

    def table(self, rows: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(
            {"wider": self.wider, "genes": self.genes, "widened": self.widened}, index=rows
        )


def calibrate(
    low: np.ndarray, high: np.ndarray, truth: np.ndarray, together: int = 1
) -> Calibration:
    """Return how much wider intervals must be for 95 % coverage, and the held-out coverage.

    Parameters
    ----------
    low, high, truth
        Types x mixtures.
    together
        So many that follow one another were fitted together and go to the same half. A
        conformal quantile (doi 10.48550/arXiv.1905.03222): other mixtures like these are
        covered as often as said, whatever the errors look like. A sum, no factor: a bias does
        not grow with the spread of the draws.
    """
    outside = np.maximum(low - truth, truth - high)
    half = (np.arange(truth.shape[1]) // together) % 2 == 0
    first, second = outside[:, half], outside[:, ~half]
    rank = min(int(np.ceil((first.shape[1] + 1) * LEVEL)), first.shape[1])
    wider = np.maximum(np.sort(first, axis=1)[:, rank - 1], 0.0)
    # a rounding error is not outside
    return Calibration(
        wider,
        (second <= TOLERANCE).mean(axis=1),
        (second <= wider[:, None] + TOLERANCE).mean(axis=1),
        second.shape[1],
    )
