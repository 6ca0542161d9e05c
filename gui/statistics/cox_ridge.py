"""Cox models with more variables than the events can carry: the ridge fit and its penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import DataError
from gui.statistics.cox import CoxFit, cox
from gui.statistics.linear_model import INTERCEPT, design
from gui.statistics.partial_likelihood import likelihood, maximise, risk_sets
from gui.statistics.survival_data import times_and_events

PENALTIES = tuple(float(value) for value in np.geomspace(1000.0, 0.1, 17))


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """The fit with the penalty of the best cross-validated likelihood.

    search : columns penalty and cross_validated (log partial likelihood, higher is better)
    folds : how many parts; seed : of the parts
    """

    fit: CoxFit
    search: pd.DataFrame
    folds: int
    seed: int


def cox_ridge(
    time: pd.Series,
    event: pd.Series,
    variables: pd.DataFrame,
    *,
    strata: pd.Series | None = None,
    folds: int = 10,
    seed: int = 0,
) -> RidgeFit:
    """Cox model with a ridge penalty chosen by cross-validation.

    Each part's contribution is the log-likelihood of all less that of all but the part, at the
    coefficients of all but the part. Parts hold as many events as possible each.

    Raises
    ------
    DataError : fewer than 3 events

    Source: Verweij & van Houwelingen 1993, Stat Med 12:2305, and 1994, Stat Med 13:2427.
    """
    times, happened = times_and_events(time, event)
    events = int(happened.sum())
    if events < 3:
        raise DataError(
            f"{events} events are too few for a ridge fit.", advice="Describe the data."
        )
    folds = min(folds, events)
    made = design(variables)
    x = made.matrix.drop(columns=INTERCEPT).to_numpy(dtype=np.float64)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    layers = None if strata is None else pd.factorize(strata.loc[time.index])[0]
    part = _parts(happened, folds, seed)
    everyone = risk_sets(times, happened, layers)
    scores = np.zeros(len(PENALTIES))
    for fold in range(folds):
        kept = part != fold
        some = risk_sets(times[kept], happened[kept], None if layers is None else layers[kept])
        inside = x[kept][some.order][None]
        for at, penalty in enumerate(PENALTIES):
            b = maximise(inside, some, ridge=penalty).coefficients
            of_all = likelihood(x[everyone.order][None], b, everyone).value[0]
            scores[at] += float(of_all - likelihood(inside, b, some).value[0])
    best = PENALTIES[int(np.argmax(scores))]
    search = pd.DataFrame({"penalty": PENALTIES, "cross_validated": scores})
    return RidgeFit(
        cox(time, event, variables, strata=strata, ridge=best, refuse_few=False),
        search,
        folds,
        seed,
    )


def _parts(happened: np.ndarray, folds: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    part = np.empty(happened.size, dtype=np.intp)
    for status in (True, False):
        at = rng.permutation(np.flatnonzero(happened == status))
        part[at] = np.arange(at.size) % folds
    return part
