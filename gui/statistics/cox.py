"""Cox's proportional hazards model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gui.errors import BadValues, DataError
from gui.statistics.concordance import Concordance, concordance
from gui.statistics.distributions import chi2_p, normal_p, normal_quantile
from gui.statistics.linear_model import INTERCEPT, Design, design
from gui.statistics.partial_likelihood import (
    Likelihood,
    RiskSets,
    likelihood,
    maximise,
    passed,
    risk_sets,
)
from gui.statistics.separation import infinite_coefficients
from gui.statistics.survival_data import check_no_gaps, times_and_events

WARN_BELOW = 10.0
"""Events per coefficient (Peduzzi et al. 1995)."""
REFUSE_BELOW = 5.0
"""Events per coefficient below which several variables are refused (Vittinghoff & McCulloch)."""


@dataclass(frozen=True)
class EventsPerVariable:
    """How many events there are for each coefficient, and what follows from it."""

    ratio: float
    verdict: Literal["enough", "few", "too few"]
    message: str


def events_per_variable(events: int, coefficients: int) -> EventsPerVariable:
    """The rule of ten, and five as the limit below which several variables are refused.

    One variable is never refused, only warned about.

    Source: Peduzzi, Concato, Feinstein & Holford 1995, J Clin Epidemiol 48:1503; Vittinghoff &
    McCulloch 2007, Am J Epidemiol 165:710 (five to nine).
    """
    ratio = events / max(coefficients, 1)
    found = (
        f"{events} event{'s' * (events != 1)} for "
        f"{coefficients} coefficient{'s' * (coefficients != 1)}"
    )
    if ratio >= WARN_BELOW:
        return EventsPerVariable(ratio, "enough", f"{found}: {ratio:.3g} each.")
    if ratio >= REFUSE_BELOW or coefficients < 2:
        return EventsPerVariable(
            ratio, "few", f"{found}: fewer than 10 each, so the hazard ratios are unreliable."
        )
    return EventsPerVariable(
        ratio, "too few", f"{found}: fewer than 5 each are too few to estimate them together."
    )


def independent_events(event: pd.Series, cluster: pd.Series | None) -> int:
    """How many samples, or with clusters how many clusters, had the event.

    Samples of one patient share one event (Therneau & Grambsch 2000, section 8.2).
    """
    happened = event.astype(bool)
    if cluster is None:
        return int(happened.sum())
    return int(cluster.loc[event.index][happened].nunique())


@dataclass(frozen=True)
class ChiSquared:
    """A test of the whole model."""

    statistic: float
    df: float
    p: float


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    table : by coefficient: variable, coefficient, error (robust where ``robust``), naive_error,
        z, p, hazard_ratio, low, high
    events : samples with the event; with clusters the clusters with it
    log_likelihood, null_log_likelihood : partial, Efron
    likelihood_ratio, wald, score : tests of all coefficients being 0 (wald robust if the errors
        are)
    covariance, naive_covariance : coefficients x coefficients
    linear_predictor : by sample, centred at the means
    converged : False where the likelihood has no maximum, or Newton's method did not reach it;
        infinite : coefficients without a finite maximum
    ridge : the penalty, 0 for none; freedom : effective number of coefficients
    """

    table: pd.DataFrame
    samples: int
    events: int
    log_likelihood: float
    null_log_likelihood: float
    likelihood_ratio: ChiSquared
    wald: ChiSquared
    score: ChiSquared
    covariance: pd.DataFrame
    naive_covariance: pd.DataFrame
    linear_predictor: pd.Series
    concordance: Concordance
    converged: bool
    infinite: tuple[str, ...]
    robust: bool
    ridge: float
    freedom: float
    confidence: float
    design: Design
    sets: RiskSets
    at: Likelihood
    """Of the variables as they are, one model, in the order of ``sets``."""
    notes: tuple[str, ...]

    @property
    def coefficients(self) -> pd.Series:
        """By coefficient, natural logarithm of the hazard ratio of one unit."""
        return self.table["coefficient"]


def cox(
    time: pd.Series,
    event: pd.Series,
    variables: pd.DataFrame,
    *,
    strata: pd.Series | None = None,
    cluster: pd.Series | None = None,
    robust: bool = False,
    ridge: float = 0.0,
    refuse_few: bool = True,
    confidence: float = 0.95,
) -> CoxFit:
    """Fit a Cox model with Efron's ties.

    Parameters
    ----------
    time, event, variables, strata, cluster : by sample, all of the samples of ``time``; numbers
        are used as they are, groups are compared with their first level
    cluster : samples of the same cluster (patient) are not independent: robust variance
    robust : Lin & Wei's variance without clusters
    ridge : penalty on the squares of the coefficients of variables scaled to a standard deviation
        of 1; p-values and intervals are then not given
    refuse_few : refuse several variables with fewer than 5 events for each

    Raises
    ------
    BadValues : gaps
    DataError : no events, collinear variables, too few events for the variables, variables that
        are constant among those at risk

    Source: Cox 1972; Efron 1977; Therneau & Grambsch 2000, ch. 3; Lin & Wei 1989 (robust
    variance); Gray 1992 (freedom with a penalty).
    """
    made = _checked(time, event, variables, strata)
    terms = made.matrix.columns.drop(INTERCEPT)
    matrix = made.matrix[terms]
    happened = times_and_events(time, event)[1]
    events = independent_events(pd.Series(happened, time.index), cluster)
    rule = events_per_variable(events, len(terms))
    if rule.verdict == "too few" and refuse_few and not ridge:
        raise DataError(
            rule.message, advice="Use fewer variables, one at a time, or the ridge fit."
        )
    layers = None if strata is None else pd.factorize(strata.loc[time.index])[0]
    sets = risk_sets(time.to_numpy(dtype=np.float64), happened, layers)
    x = matrix.to_numpy(dtype=np.float64)[sets.order]
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scaled = ((x - centre) / scale)[None]
    null = likelihood(scaled, np.zeros((1, len(terms))), sets)
    _check_information(null.information[0], terms, strata is not None)
    found = maximise(scaled, sets, ridge=ridge)
    b = found.coefficients[0] / scale
    information = found.at.information[0]
    penalised = information + ridge * np.eye(len(terms))
    inverse = np.linalg.pinv(penalised, hermitian=True)
    naive = (inverse @ information @ inverse if ridge else inverse) / np.outer(scale, scale)
    # residuals are of the variables centred: means of risk sets shift with them
    at = likelihood((x - centre)[None], b[None], sets)
    covariance = naive
    if robust or cluster is not None:
        groups = None if cluster is None else cluster.loc[time.index].to_numpy()[sets.order]
        covariance = _robust(score_residuals(x - centre, at, sets), naive, groups)
    separated = (
        np.zeros(len(terms), bool) if ridge else infinite_coefficients(scaled[0], found, sets)
    )
    problems = [str(name) for name in terms[separated]]
    predictor = pd.Series((matrix.to_numpy(dtype=np.float64) - centre) @ b, index=time.index)
    notes = [] if rule.verdict == "enough" else [rule.message]
    table = _table(made, terms, b, covariance, naive, bool(ridge), confidence)
    unknown = ["error", "naive_error", "z", "p", "low", "high"]
    if problems:
        table.loc[problems, unknown] = np.nan
        notes.append(
            "The likelihood has no maximum: the hazard ratio of "
            f"{', '.join(problems)} goes to 0 or infinity. Leave it out or use the ridge fit."
        )
    elif not found.converged[0]:
        table.loc[:, unknown] = np.nan
        notes.append("The likelihood did not converge, so there are no intervals and p-values.")
    if ridge:
        notes.append("Ridge fit: coefficients are shrunk; no p-values and intervals are given.")
    freedom = float(np.trace(information @ inverse))
    null_value, value = float(found.null.value[0]), float(found.at.value[0])
    ratio = 2.0 * (value - null_value)
    gradient, null_information = found.null.gradient[0], found.null.information[0]
    score = float(gradient @ np.linalg.pinv(null_information, hermitian=True) @ gradient)
    usable = bool(
        not ridge and not problems and found.converged[0]
    )  # Wald's test falls to 0 as a coefficient grows
    wald = float(b @ np.linalg.pinv(covariance, hermitian=True) @ b) if usable else float("nan")
    df = freedom if ridge else float(len(terms))
    square = {"index": terms, "columns": terms}
    return CoxFit(
        table=table,
        samples=len(time),
        events=events,
        log_likelihood=value,
        null_log_likelihood=null_value,
        likelihood_ratio=ChiSquared(ratio, df, float(chi2_p(ratio, df)) if not ridge else np.nan),
        wald=ChiSquared(wald, df, float(chi2_p(wald, df)) if usable else np.nan),
        score=ChiSquared(score, float(len(terms)), float(chi2_p(score, len(terms)))),
        covariance=pd.DataFrame(covariance, **square),
        naive_covariance=pd.DataFrame(naive, **square),
        linear_predictor=predictor,
        concordance=concordance(time, event, predictor, strata=strata),
        converged=bool(found.converged[0]) and not problems,
        infinite=tuple(problems),
        robust=covariance is not naive,
        ridge=ridge,
        freedom=freedom,
        confidence=confidence,
        design=made,
        sets=sets,
        at=at,
        notes=tuple(notes),
    )


def _checked(
    time: pd.Series, event: pd.Series, variables: pd.DataFrame, strata: pd.Series | None
) -> Design:
    if not (time.index.equals(event.index) and time.index.equals(variables.index)):
        raise BadValues("Times, events and variables are not of the same samples.")
    if strata is not None:
        check_no_gaps(strata.loc[time.index], "stratum")
    if not times_and_events(time, event)[1].any():
        raise DataError("No sample has the event.", advice="Check which value means the event.")
    if variables.shape[1] == 0:
        raise DataError("A Cox model needs at least one variable.", advice="Choose one.")
    return design(variables)


def _check_information(information: np.ndarray, terms: pd.Index, stratified: bool) -> None:
    """DataError where those at risk at the events do not differ, so nothing can be estimated."""
    values, vectors = np.linalg.eigh(information)
    flat = values <= 1e-9 * max(1e-3, float(values[-1]))
    if flat.any():
        names = terms[(np.abs(vectors[:, flat]) > 1e-6).any(axis=1)]
        raise DataError(
            f"{', '.join(str(name) for name in names)} cannot be estimated: at every "
            "event time all samples at risk have the same value.",
            advice="Use fewer strata." if stratified else "Leave it out.",
        )


def _table(
    made: Design,
    terms: pd.Index,
    b: np.ndarray,
    covariance: np.ndarray,
    naive: np.ndarray,
    ridge: bool,
    confidence: float,
) -> pd.DataFrame:
    of = {column: name for name, columns in made.terms.items() for column in columns}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error, alone = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(naive))
        z = b / error
        half = normal_quantile(confidence) * error
        hazard_ratio, low, high = np.exp(b), np.exp(b - half), np.exp(b + half)
    nothing = np.full(b.shape, np.nan)
    return pd.DataFrame(
        {
            "variable": [of[name] for name in terms],
            "coefficient": b,
            "error": error,
            "naive_error": alone,
            "z": nothing if ridge else z,
            "p": nothing if ridge else normal_p(z),
            "hazard_ratio": hazard_ratio,
            "low": nothing if ridge else low,
            "high": nothing if ridge else high,
        },
        index=terms,
    )


def score_residuals(x: np.ndarray, at: Likelihood, sets: RiskSets) -> np.ndarray:
    """Samples x variables, in the order of ``sets``; they sum to the gradient.

    Source: Therneau & Grambsch 2000, section 4.6 (Efron's ties).
    """
    mean, hazard = at.mean, at.hazard[0]
    sums = np.add.reduceat(mean[0], sets.first, axis=0)
    sizes = np.diff(np.append(sets.first, sets.rows.size))[:, None]
    result: np.ndarray = -x * hazard[:, None]
    result += at.risk[0][:, None] * passed(mean / at.denominator[:, :, None], sets)[0]
    result[sets.rows] += x[sets.rows] - (sums / sizes)[sets.tie]
    return result


def _robust(residuals: np.ndarray, naive: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    change = residuals @ naive
    if groups is not None:
        codes = pd.factorize(groups)[0]
        sums = np.zeros((int(codes.max()) + 1, change.shape[1]))
        np.add.at(sums, codes, change)
        change = sums
    return np.asarray(change.T @ change)


def martingale_residuals(fit: CoxFit) -> pd.Series:
    """Events less expected events, by sample (Therneau, Grambsch & Fleming 1990)."""
    values = np.empty(fit.samples)
    values[fit.sets.order] = fit.sets.event - fit.at.hazard[0]
    return pd.Series(values, index=fit.linear_predictor.index)
