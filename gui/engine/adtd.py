"""Adaptive Digital Tissue Deconvolution: stock's ADTD or the fast one with progress and cancel.

Imports torch for stock's only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.engine.adtd_progress import Watched
from gui.engine.compute_settings import get_compute_settings
from gui.engine.fast.adtd_solver import ADTDSolver
from gui.engine.memory import check_adtd
from gui.engine.numeric_context import as_contiguous, numeric_context
from gui.errors import EngineFailed

if TYPE_CHECKING:
    from gui.jobs.status import Progress


class FastADTD(Watched, ADTDSolver):
    """The fast steps in the order of stock's ``run``: the same numbers (test_fast_adtd.py)."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What one ADTD run gives, with names restored.

    Attributes
    ----------
    composition
        Cell types x samples.
    hidden
        By sample.
    profile
        By gene.
    regulation
        genes x cell types (1 where static).
    loss
        Before the first and after every iteration.
    converged
        Whether it ended before the limit.
    rose
        Whether the loss rose in the last step.
    """

    composition: pd.DataFrame
    hidden: pd.Series
    profile: pd.Series
    regulation: pd.DataFrame
    loss: np.ndarray
    converged: bool
    rose: bool


def deconvolve(
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    weights: pd.Series,
    *,
    lambda1: float | None,
    lambda2: float,
    max_iterations: int,
    c_static: bool,
    delta_static: bool,
    progress: Progress,
) -> Fit:
    """Fit composition, hidden background and (unless ``delta_static``) gene regulation.

    Parameters
    ----------
    reference
        genes x cell types.
    bulk
        genes x samples.
    weights
        By gene; the same genes in the same order.
    lambda1
        None for stock's default.

    Raises
    ------
    InvalidParameter
        Memory.
    EngineFailed
    JobCancelled
    """
    check_adtd(bulk.shape, reference.shape[1], regulated=not delta_static)

    def watch(stage: str, iteration: int, limit: int, loss: float | None) -> None:
        progress(stage, None, count=iteration, limit=limit, loss=loss)

    options = {} if lambda1 is None else {"lambda1": lambda1}
    model: Any
    if get_compute_settings().engine == "fast":
        kind: Any = FastADTD
        context: Any = numeric_context()
    else:
        from gui.engine.stock import stock_engine
        from gui.engine.stock_models import WatchedADTD

        kind, context = WatchedADTD, stock_engine(check=lambda: model.check())
    with context:
        model = kind(
            as_contiguous(reference, "F"),
            bulk,
            weights.to_frame(),
            lambda2=lambda2,
            max_iterations=max_iterations,
            C_static=c_static,
            Delta_static=delta_static,
            watch=watch,
            **options,
        )
        model.run(verbose=False)
        trace, last = list(model.losses), model.Loss_ADTD()[0]
    for values in (model.C_est, model.c_est, model.x_est, model.Delta_est):
        if not np.isfinite(values.to_numpy()).all():
            raise EngineFailed(
                "The result contains values that are not finite.",
                advice="Check the data for empty samples, or use a larger λ₂.",
            )
    loss, converged = _trace(
        trace, last, c_static=c_static, max_iterations=max_iterations, eps=model.eps
    )
    return Fit(
        composition=model.C_est.set_axis(bulk.columns, axis=1),
        hidden=pd.Series(model.c_est.to_numpy()[0], index=bulk.columns, name="hidden"),
        profile=model.x_est.iloc[:, 0].rename("hidden"),
        regulation=model.Delta_est,
        loss=loss,
        converged=converged,
        rose=c_static and len(loss) > 1 and bool(loss[-1] - loss[-2] > model.eps),
    )


def _trace(
    seen: list[float], last: float, *, c_static: bool, max_iterations: int, eps: float
) -> tuple[np.ndarray, bool]:
    """Loss before the first and after every iteration, and whether stock stopped by itself.

    Parameters
    ----------
    seen
        As recorded. With static C once per iteration, and once more to find that it converged;
        with free C three times per iteration (before, after, after again).
    last
        Of the state that ``run`` left.
    """
    if c_static:
        converged = len(seen) < max_iterations or (len(seen) > 1 and seen[-2] - seen[-1] <= eps)
        return np.array(seen if converged else [*seen, last]), converged
    iterations = len(seen) // 3
    converged = iterations < max_iterations or (iterations > 2 and seen[-3] - seen[-2] < eps)
    return np.array([*seen[0::3], last]), converged


def hidden_interval(reference: pd.DataFrame, fit: Fit) -> pd.DataFrame:
    """The range of the hidden fraction at equal fit: by sample, columns low and high.

    With x' = (x + X b)/(1 + sum b), c' = c (1 + sum b), C' = C - b c every residual stays as it is,
    for every b (cell types) that keeps x' and C' at or above zero. sum b is largest at b_k = min
    over samples of C_k/c; the smallest is a linear programme in b.
    X is the reference as ADTD used it: columns summing to 1, times the gene regulation.
    """
    from scipy.optimize import linprog

    fraction = fit.hidden.to_numpy(dtype=np.float64)
    composition = fit.composition.to_numpy(dtype=np.float64)
    present = fraction > 0
    if not present.any():
        return pd.DataFrame({"low": 0.0, "high": 0.0}, index=fit.hidden.index)
    profiles = reference.to_numpy(dtype=np.float64)
    profiles = profiles / profiles.sum(axis=0) * fit.regulation.to_numpy(dtype=np.float64)
    hidden = np.clip(fit.profile.to_numpy(dtype=np.float64), 0.0, None)
    upper = np.clip((composition[:, present] / fraction[present]).min(axis=1), 0.0, None)
    largest = float(upper.sum())
    # in units of the largest value per gene, or the solver's absolute tolerance would swallow rows
    # of 1e-7
    size = np.maximum(np.abs(profiles).max(axis=1), hidden)
    used = size > 0
    answer = linprog(
        np.ones(len(upper)),
        A_ub=-profiles[used] / size[used, None],
        b_ub=hidden[used] / size[used],
        bounds=[(None, float(u)) for u in upper],
        method="highs",
    )
    # b = 0 is always allowed, so 0 bounds the minimum from above even if the solver gave up
    smallest = max(-1.0, min(0.0, float(answer.fun))) if answer.success else 0.0
    return pd.DataFrame(
        {"low": fraction * (1 + smallest), "high": np.minimum(1.0, fraction * (1 + largest))},
        index=fit.hidden.index,
    )


def support(reference: pd.DataFrame, weights: pd.Series, fit: Fit, lambda2: float) -> pd.DataFrame:
    """How much the data say about the gene regulation: genes x cell types in [0, 1].

    Low values are to be greyed out.

    The product of two fractions, both between 0 and 1:

    * resolution: the diagonal of R_g = H_g (H_g + lambda2 I)^-1 with H_g = gamma_g (X_g X_g^T) o (C
      C^T): which part of Delta_gk is set
      by the data and which by the penalty that holds it at 1. Low for genes of little weight and
      for types that vary alike.
    * signal: X_gk sum(C_k) relative to the largest such contribution to gene g (cell types and
      hidden background): low where the gene's
      signal in the mixtures comes from elsewhere, above all for rare types.

    X, Y columns and gamma are normalised as ADTD does it.

    Parameters
    ----------
    reference
        genes x cell types.
    weights
        By gene, as handed to ADTD.
    """
    profiles = reference.to_numpy(dtype=np.float64)
    profiles = profiles / profiles.sum(axis=0)
    gamma = weights.to_numpy(dtype=np.float64) + 1.0 / len(weights)
    gamma = gamma / gamma.sum()
    composition = fit.composition.to_numpy(dtype=np.float64)
    moments = composition @ composition.T
    hessian = gamma[:, None, None] * profiles[:, :, None] * profiles[:, None, :] * moments
    values, vectors = np.linalg.eigh(hessian)
    values = np.clip(values, 0.0, None)
    resolution = np.einsum("gki,gi->gk", vectors**2, values / (values + lambda2))
    signal = profiles * composition.sum(axis=1)
    hidden = fit.profile.to_numpy(dtype=np.float64) * float(fit.hidden.sum())
    largest = np.maximum(signal.max(axis=1), hidden)
    relative = np.divide(
        signal, largest[:, None], out=np.zeros_like(signal), where=largest[:, None] > 0
    )
    return pd.DataFrame(
        np.clip(resolution * relative, 0.0, 1.0), index=reference.index, columns=reference.columns
    )


def inverse_weights(bulk: pd.DataFrame) -> pd.Series:
    """1/(n mean(Y)^2) by gene, exactly as the search weighs genes.

    Parameters
    ----------
    bulk
        genes x samples without a gene of mean zero.
    """
    return pd.Series(
        1.0 / bulk.shape[1] * np.ones(bulk.shape[0]) / (bulk.mean(axis=1)) ** 2,
        index=bulk.index,
        name="gene weights",
    )
