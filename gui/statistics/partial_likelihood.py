"""Cox's partial likelihood with Efron's ties and strata, for many models at once.

Arrays of models have the shape (models x samples x variables), in the order of a
:class:`RiskSets`. Sums over risk sets are cumulative sums; nothing loops over events.

Source: Cox 1972; Efron 1977, J Am Stat Assoc 72:557 (ties); Therneau & Grambsch 2000, ch. 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gui.statistics.survival_data import times_and_events

LONGEST_STEP = 5.0
"""Of a coefficient in one iteration, in standard deviations of its variable."""
SLOPE = 1e-4
"""Of the log-likelihood for one standard deviation, above which no maximum is reached."""


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The order of samples in which every risk set is a run of neighbours.

    order : samples by stratum, then latest time first; all below are in this order
    time, event, stratum : by sample
    rows : the events; end : the last sample of each event's risk set; start : the sample before
        its first one, -1 for none; both by event
    tie : by event, its group of tied events; first : the first event of each group
    step : by event, l / d: what Efron takes of the group's sum (0 for the first of d)
    """

    order: np.ndarray
    time: np.ndarray
    event: np.ndarray
    stratum: np.ndarray
    rows: np.ndarray
    start: np.ndarray
    end: np.ndarray
    tie: np.ndarray
    first: np.ndarray
    step: np.ndarray


def risk_sets(time: np.ndarray, event: np.ndarray, strata: np.ndarray | None = None) -> RiskSets:
    """Risk sets of times and events, within strata (Therneau & Grambsch 2000, section 3.1)."""
    time, event = times_and_events(time, event)
    stratum = np.zeros(time.size, dtype=np.intp) if strata is None else np.asarray(strata)
    order = np.lexsort((~event, -time, stratum))
    time, event, stratum = time[order], event[order], stratum[order]
    n = time.size
    new_stratum = np.ones(n, dtype=bool)
    new_stratum[1:] = stratum[1:] != stratum[:-1]
    new_time = new_stratum.copy()
    new_time[1:] |= time[1:] != time[:-1]
    last = np.append(np.flatnonzero(new_time)[1:] - 1, n - 1)[np.cumsum(new_time) - 1]
    before = np.flatnonzero(new_stratum)[np.cumsum(new_stratum) - 1] - 1
    rows = np.flatnonzero(event)
    group = (np.cumsum(new_time) - 1)[rows]
    new_group = np.ones(rows.size, dtype=bool)
    new_group[1:] = group[1:] != group[:-1]
    tie = np.cumsum(new_group) - 1
    first = np.flatnonzero(new_group)
    size = np.diff(np.append(first, rows.size))
    step = (np.arange(rows.size) - first[tie]) / size[tie] if rows.size else np.empty(0)
    return RiskSets(order, time, event, stratum, rows, before[rows], last[rows], tie, first, step)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The partial likelihood at some coefficients and what residuals are made of.

    value : by model; gradient : models x variables; information : models x variables x variables
    risk : exp(linear predictor), models x samples, scaled
    denominator, mean : of each event's risk set: (models x events), (models x events x variables)
    hazard : models x samples, expected events of each sample (Efron)
    """

    value: np.ndarray
    gradient: np.ndarray
    information: np.ndarray
    risk: np.ndarray
    denominator: np.ndarray
    mean: np.ndarray
    hazard: np.ndarray


def likelihood(x: np.ndarray, coefficients: np.ndarray, sets: RiskSets) -> Likelihood:
    """Partial likelihood, gradient and information (Efron 1977; Therneau & Grambsch 2000, 3.3)."""
    eta = np.einsum("mnp,mp->mn", x, coefficients)
    eta = eta - eta.max(axis=1, keepdims=True)
    risk = np.exp(eta)
    weighted = risk[:, :, None] * x
    s0 = _risk_sum(risk, sets) - sets.step * _tie_sum(risk, sets)
    s1 = _risk_sum(weighted, sets) - sets.step[:, None] * _tie_sum(weighted, sets)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # coefficients far out leave nothing of some risk sets: not finite, and not accepted
        mean = s1 / s0[:, :, None]
        value = eta[:, sets.rows].sum(axis=1) - np.log(s0).sum(axis=1)
        value = np.where((s0 > 0).all(axis=1) & np.isfinite(value), value, -np.inf)
        gradient = x[:, sets.rows].sum(axis=1) - mean.sum(axis=1)
        hazard = risk * passed(1.0 / s0, sets)
        information = np.einsum("mn,mnp,mnq->mpq", hazard, x, x, optimize=True)
        information -= np.einsum("mep,meq->mpq", mean, mean, optimize=True)
    return Likelihood(value, gradient, information, risk, s0, mean, hazard)


def _risk_sum(values: np.ndarray, sets: RiskSets) -> np.ndarray:
    """Sums over the risk set of every event. values : models x samples (x variables)"""
    return within_strata(values, sets)[:, sets.end]


def within_strata(values: np.ndarray, sets: RiskSets, *, backwards: bool = False) -> np.ndarray:
    """Cumulative sums along the samples that begin anew in every stratum; none for no digits lost.

    values : models x samples (x variables); backwards : from the last sample of a stratum on.
    Source: Therneau & Grambsch 2000, section 3.1 (the sums over risk sets).
    """
    result = np.empty_like(values)
    cuts = np.flatnonzero(np.diff(sets.stratum)) + 1
    for begin, end in zip([0, *cuts], [*cuts, values.shape[1]], strict=True):
        part = values[:, begin:end]
        if backwards:
            result[:, begin:end] = part[:, ::-1].cumsum(axis=1)[:, ::-1]
        else:
            np.cumsum(part, axis=1, out=result[:, begin:end])
    return result


def _tie_sum(values: np.ndarray, sets: RiskSets) -> np.ndarray:
    """Sums over the events tied with every event. values : models x samples (x variables)"""
    if sets.first.size == sets.rows.size:
        return np.take(values, sets.rows, axis=1)
    return np.add.reduceat(values[:, sets.rows], sets.first, axis=1)[:, sets.tie]


def passed(values: np.ndarray, sets: RiskSets) -> np.ndarray:
    """Sums, for every sample, over the events up to its time; of its own tied ones 1 - l / d.

    values : models x events (x variables); the result is models x samples (x variables).
    Source: Therneau & Grambsch 2000, section 4.6 (residuals with Efron's ties).
    """
    n, tail = sets.time.size, values.shape[2:]
    shape = (-1, *[1] * len(tail))
    placed = np.zeros((values.shape[0], n, *tail))
    groups = np.add.reduceat(values, sets.first, axis=1)
    placed[:, sets.end[sets.first]] = groups
    # the events of earlier times come behind in the order
    result = within_strata(placed, sets, backwards=True)
    taken = np.add.reduceat(values * sets.step.reshape(shape), sets.first, axis=1)
    result[:, sets.rows] -= taken[:, sets.tie]
    return result


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where Newton's method ended, by model.

    converged : the likelihood no longer changes, and not for want of a step that helps; step :
    largest last step, in standard deviations of the variable (a step that stays large while the
    likelihood no longer changes: an infinite coefficient)
    """

    coefficients: np.ndarray
    at: Likelihood
    null: Likelihood
    converged: np.ndarray
    step: np.ndarray
    iterations: int


def maximise(x: np.ndarray, sets: RiskSets, *, ridge: float = 0.0, iterations: int = 40) -> Maximum:
    """Newton's method with halved steps, for many models at once.

    Parameters
    ----------
    x : models x samples x variables, in the order of ``sets``, best centred and scaled
    ridge : subtracts ridge / 2 * sum of squared coefficients from the log-likelihood

    Source: Therneau & Grambsch 2000, section 3.1; Verweij & van Houwelingen 1994 (ridge).
    """
    models, _, variables = x.shape
    b = np.zeros((models, variables))
    null = now = likelihood(x, b, sets)
    penalty = ridge * np.eye(variables)
    converged, step = np.zeros(models, dtype=bool), np.full(models, np.inf)
    done = 0
    for done in range(1, iterations + 1):
        move = _solve(now.information + penalty, now.gradient - ridge * b)
        # shortened as a whole: a direction of its own might lead downhill
        longest = np.abs(np.nan_to_num(move)).max(axis=1, keepdims=True, initial=LONGEST_STEP)
        move = np.nan_to_num(move) * (LONGEST_STEP / longest)
        value = now.value - ridge / 2.0 * (b**2).sum(axis=1)
        slack = 1e-10 * (1.0 + np.abs(value))
        for halved in range(14):
            new = b + move
            following = likelihood(x, new, sets)
            reached = following.value - ridge / 2.0 * (new**2).sum(axis=1)
            worse = ~(reached >= value - slack)
            if not worse.any():
                break
            move[worse] *= 0.5 if halved < 12 else 0.0
        step = np.abs(new - b).max(axis=1, initial=0.0)
        # where no step helps, a slope that is left says that this is no maximum
        slope = np.abs(now.gradient - ridge * b).max(axis=1, initial=0.0)
        stuck = ~move.any(axis=1) & (slope > SLOPE)
        b, now = new, following
        converged = (np.abs(reached - value) <= 1e-12 * (1.0 + np.abs(reached))) & ~stuck
        if stuck.all():
            break
        if (converged & (step < 1e-8)).all() or (converged.all() and done >= 15):
            break
    return Maximum(b, now, null, converged, step, done)


def _solve(information: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(information, gradient[..., None])[..., 0]
    except np.linalg.LinAlgError:  # a model among many that has no unique step
        return np.asarray(
            np.einsum("mpq,mq->mp", np.linalg.pinv(information, hermitian=True), gradient)
        )
