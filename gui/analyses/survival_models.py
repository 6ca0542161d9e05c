"""Cox models of fractions: each cell type alone, each with covariates, several together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gui.analyses.survival_params import SurvivalParams
from gui.analyses.survival_result import ADJUSTED, ALONE, TOGETHER
from gui.analyses.survival_subjects import Subjects, complete, same_reasons
from gui.errors import DataError, InvalidParameter
from gui.statistics.cox import CoxFit, cox, independent_events
from gui.statistics.cox_by_type import TEN_POINTS, CoxByType, cox_by_type, distinct
from gui.statistics.cox_ridge import cox_ridge
from gui.statistics.proportional_hazards import proportional_hazards_test

PER_TEN = " (per 10 percentage points)"
"""Behind a cell type in the model of several: hazard ratio per 10 percentage points."""
EVERYTHING = "all together"
RIDGE = "Use fewer variables, or switch “Ridge fit” on."


@dataclass
class Models:
    """Parts of :class:`gui.analyses.survival_result.SurvivalResult` that come from models."""

    forest: list[pd.DataFrame] = field(default_factory=list)
    together: pd.DataFrame = field(default_factory=pd.DataFrame)
    together_facts: dict[str, Any] = field(default_factory=dict)
    hazards: list[dict[str, Any]] = field(default_factory=list)
    residuals: list[pd.DataFrame] = field(default_factory=list)
    smooth: list[pd.DataFrame] = field(default_factory=list)
    reliability: pd.DataFrame = field(default_factory=pd.DataFrame)
    excluded: list[pd.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def models(
    found: Subjects,
    fractions: pd.DataFrame,
    covariates: pd.DataFrame,
    strata: pd.Series | None,
    draws: np.ndarray | None,
    params: SurvivalParams,
    progress: Callable[[float], None],
) -> Models:
    """Fit all models that were asked for; what cannot be fitted is said.

    Parameters
    ----------
    fractions
        Cell types x followed samples, summing to 1.
    covariates, strata
        By followed sample, with gaps; no column, None where there are none.
    draws
        Draws x cell types x followed samples, or None.
    """
    made = Models()
    data = _Data(found, fractions, covariates, strata, draws, params)
    progress(0.0)
    alone = _by_type(made, data, ALONE, list(fractions.columns))
    if alone is not None and alone.reliability is not None:
        made.reliability = alone.reliability.table
    progress(0.4)
    adjusted = covariates.shape[1] > 0 or strata is not None
    if adjusted:
        frame = covariates if strata is None else covariates.assign(**{str(strata.name): strata})
        whole, lacking = complete(frame)
        if len(lacking):
            made.excluded.append(lacking.assign(analysis="models with covariates"))
            made.notes.append(
                f"{len(lacking)} samples lack a covariate and are left out of the models with"
                " covariates."
            )
        if whole:
            _by_type(made, data, ADJUSTED, whole)
        else:
            made.refused.append("No sample has all covariates. Choose fewer.")
    if found.survival.patient is not None:
        made.notes.append(
            "Standard errors of the Cox models allow for several samples of a patient. Concordance"
            " and the tests of proportional hazards do not: their intervals are too narrow and"
            " their p-values too small."
        )
    progress(0.8)
    if params.types or (covariates.shape[1] and not params.types):
        _together(made, data)
    return made


@dataclass(frozen=True, eq=False)
class _Data:
    found: Subjects
    fractions: pd.DataFrame
    covariates: pd.DataFrame
    strata: pd.Series | None
    draws: np.ndarray | None
    params: SurvivalParams

    def follow_up(self, samples: list[str]) -> tuple[pd.Series, pd.Series, pd.Series | None]:
        """Times, events and clusters of some samples."""
        survival = self.found.survival
        patient = None if survival.patient is None else survival.patient[samples]
        return survival.time[samples], survival.event[samples], patient


def _by_type(made: Models, data: _Data, model: str, samples: list[str]) -> CoxByType | None:
    time, event, cluster = data.follow_up(samples)
    with_others = model == ADJUSTED
    covariates = data.covariates.loc[samples] if with_others else None
    if covariates is not None and not covariates.shape[1]:
        covariates = None
    strata = data.strata[samples] if with_others and data.strata is not None else None
    at = data.fractions.columns.get_indexer(samples)
    draws = None if data.draws is None else data.draws[:, :, at]
    try:
        fitted = cox_by_type(
            time,
            event,
            data.fractions[samples],
            covariates=None if covariates is None else _in_use(covariates),
            strata=strata,
            cluster=cluster,
            draws=draws,
        )
    except (DataError, InvalidParameter) as error:
        advice = RIDGE if "too few to estimate" in str(error) else error.advice or ""
        made.refused.append(f"Models of each cell type, {model}: {error} {advice}".strip())
        return None
    table = fitted.table.rename_axis("cell_type").reset_index()
    harrell = [fitted.fits[str(name)].concordance for name in fitted.table.index]
    made.forest.append(
        table.assign(
            model=model,
            samples=len(samples),
            events=independent_events(event, cluster),
            concordance=[c.value for c in harrell],
            concordance_low=[c.low for c in harrell],
            concordance_high=[c.high for c in harrell],
        )
    )
    words = {ALONE: "each cell type alone", ADJUSTED: "each cell type with the covariates"}
    each = {f"{name} is left out: {why}" for name, why in fitted.left_out.items()}
    made.notes += [f"Cox models, {words[model]}: {n}" for n in fitted.notes if n not in each]
    made.notes += [
        f"Left out of the Cox models, {words[model]}: {names} ({why.rstrip('.')})."
        for names, why in same_reasons(fitted.left_out)
    ]
    for name, fit in fitted.fits.items():
        _check_hazards(made, fit, model, name, data.params)
    return fitted


def _in_use(covariates: pd.DataFrame) -> pd.DataFrame:
    """Categories that nobody is in are taken off."""
    return covariates.apply(
        lambda c: (
            c.cat.remove_unused_categories() if isinstance(c.dtype, pd.CategoricalDtype) else c
        )
    )


def _check_hazards(made: Models, fit: CoxFit, model: str, of: str, params: SurvivalParams) -> None:
    try:
        test = proportional_hazards_test(fit, params.scale)
    except (DataError, InvalidParameter) as error:
        made.hazards.append(
            {"model": model, "of": of, "variable": EVERYTHING}
            | dict.fromkeys(("statistic", "df", "p"), float("nan"))
            | {"note": str(error)}
        )
        return
    rows = [
        (str(name), *map(float, row))
        for name, row in zip(test.table.index, test.table.to_numpy(), strict=True)
    ]
    whole = test.overall
    for variable, statistic, df, p in [*rows, (EVERYTHING, whole.statistic, whole.df, whole.p)]:
        made.hazards.append(
            {"model": model, "of": of, "variable": variable, "statistic": statistic, "df": df}
            | {"p": p, "note": ""}
        )
    # of each type only its own curve is drawn; the covariates' are in the model of several
    names = [of] if model != TOGETHER else list(fit.coefficients.index)
    for name in names:
        head = {"model": model, "of": of, "coefficient": name}
        points = test.residuals[["time", "transformed", name]]
        made.residuals.append(points.rename(columns={name: "residual"}).assign(**head))
        made.smooth.append(test.smooth[name].assign(**head))


def _together(made: Models, data: _Data) -> None:
    params = data.params
    missing = [name for name in params.types if name not in data.fractions.index]
    if missing:
        made.refused.append(f"The run has no cell type {missing[0]}.")
        return
    types = (data.fractions.loc[list(params.types)].T / TEN_POINTS).rename(
        columns=lambda t: f"{t}{PER_TEN}"
    )
    frame = types.join(distinct(data.covariates, [*data.fractions.index, *types.columns]))
    with_strata = frame if data.strata is None else frame.assign(**{"\0": data.strata})
    whole, _ = complete(with_strata)
    time, event, cluster = data.follow_up(whole)
    strata = None if data.strata is None else data.strata[whole]
    variables = _in_use(frame.loc[whole])
    try:
        if params.ridge:
            found = cox_ridge(time, event, variables, strata=strata, seed=params.seed)
            fit, extra = found.fit, {"penalty": found.fit.ridge, "folds": found.folds}
            if cluster is not None:
                made.notes.append("The ridge fit takes every sample as a patient.")
        else:
            fit, extra = cox(time, event, variables, strata=strata, cluster=cluster), {}
    except (DataError, InvalidParameter) as error:
        advice = RIDGE if "too few to estimate" in str(error) else error.advice or ""
        made.refused.append(f"Several variables together: {error} {advice}".strip())
        return
    made.together = fit.table.rename_axis("term")
    harrell = fit.concordance
    made.together_facts = {
        "samples": fit.samples,
        "events": fit.events,
        "ridge": params.ridge,
        "converged": fit.converged,
        "likelihood_ratio": fit.likelihood_ratio.statistic,
        "df": fit.likelihood_ratio.df,
        "p": float(fit.likelihood_ratio.p),
        "concordance": harrell.value,
        "concordance_low": harrell.low,
        "concordance_high": harrell.high,
        **extra,
    }
    made.notes += [f"Several variables together: {note}" for note in fit.notes]
    if not params.ridge:
        _check_hazards(made, fit, TOGETHER, TOGETHER, params)
