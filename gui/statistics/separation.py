"""Coefficients of a Cox model that the data drive to infinity: monotone likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np

from gui.statistics.partial_likelihood import Maximum, RiskSets

LEFT = 1e-3
"""Of the information at 0, what is left at the maximum in some direction, to suspect it there."""


def infinite_coefficients(x: np.ndarray, found: Maximum, sets: RiskSets) -> np.ndarray:
    """Which coefficients of one model have no finite maximum.

    The likelihood rises for ever in a direction in which every sample with the event has the
    highest risk of all at risk with it. Whether there is such a direction is a linear programme;
    it is solved only where Newton's method found little information, or no maximum.

    Parameters
    ----------
    x : samples x variables, scaled, in the order of ``sets``
    found : of these variables, without a penalty

    Returns
    -------
    By variable

    Source: Heinze & Schemper 2001, Biometrics 57:114 (monotone likelihood); Albert & Anderson 1984,
    Biometrika 71:1 (existence of a maximum as a question of separation).
    """
    from scipy.linalg import eigh
    from scipy.optimize import linprog

    variables = x.shape[1]
    information, null = found.at.information[0], found.null.information[0]
    if found.converged[0] and np.isfinite(information).all():
        ratio = eigh(information, null, eigvals_only=True)
        if ratio[0] > LEFT:
            return np.zeros(variables, dtype=bool)
    limits = _limits(x, sets)
    bounds = [(-1.0, 1.0)] * variables + [(None, None)] * (limits.shape[1] - variables)
    infinite = np.zeros(variables, dtype=bool)
    for at in range(variables):
        for sign in (1.0, -1.0):
            if infinite[at]:
                continue
            aim = np.zeros(limits.shape[1])
            aim[at] = -sign
            best = linprog(aim, A_ub=limits, b_ub=np.zeros(limits.shape[0]), bounds=bounds)
            if best.status == 0 and -best.fun > 1e-6:
                infinite |= np.abs(best.x[:variables]) > 1e-6
    return infinite


def _limits(x: np.ndarray, sets: RiskSets) -> Any:
    """Rows of "<= 0" on (direction, highest risk of every risk set) for a direction as above."""
    from scipy import sparse

    variables, count = x.shape[1], sets.first.size
    heads, ends = sets.rows[sets.first], sets.end[sets.first]
    opens = np.ones(count, dtype=bool)  # whether a risk set is the first of its stratum
    opens[1:] = sets.stratum[heads[1:]] != sets.stratum[heads[:-1]]
    begins = np.where(opens, sets.start[sets.first] + 1, np.append(0, ends[:-1] + 1))
    joined = [np.arange(a, b + 1) for a, b in zip(begins, ends, strict=True)]
    of_set = np.repeat(np.arange(count), [part.size for part in joined])
    samples = np.concatenate(joined)

    def places(rows: np.ndarray) -> Any:
        at = np.arange(rows.size), rows
        return sparse.csr_matrix((np.ones(rows.size), at), (rows.size, count))

    grown = np.flatnonzero(~opens)
    return sparse.vstack(
        [
            sparse.hstack([sparse.csr_matrix(x[samples]), -places(of_set)]),
            sparse.hstack([sparse.csr_matrix(-x[sets.rows]), places(sets.tie)]),
            sparse.hstack(
                [sparse.csr_matrix((grown.size, variables)), places(grown - 1) - places(grown)]
            ),
        ],
        format="csr",
    )
