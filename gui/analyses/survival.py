"""Survival: times to an event against the fractions of cell types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.analyses.composition import bulk_composition, draws_of
from gui.analyses.survival_params import SurvivalParams
from gui.analyses.survival_result import SurvivalResult
from gui.data.samples.survival_columns import value_text
from gui.engine.results import ADTDResult, ApplyResult, BootstrapResult, DTDResult
from gui.errors import DataError
from gui.methods.method import MethodResult
from gui.statistics.kaplan_meier import kaplan_meier
from gui.statistics.log_ratios import DETECTION_LIMIT, check_fractions, close
from gui.text import number

if TYPE_CHECKING:
    from gui.analyses.survival_models import Models
    from gui.analyses.survival_subjects import Subjects
    from gui.data.dataset import Dataset
    from gui.jobs.status import Progress

__all__ = ["SurvivalParams", "SurvivalResult", "run_survival"]

CONFIDENCE = 0.95
NO_DRAWS = (
    "The fractions are taken as if they were measured without error: there are no bootstrap draws"
    " of this run. Compute its intervals (tab Uncertainty) to see what their noise takes away."
)


def run_survival(
    dataset: Dataset,
    params: SurvivalParams,
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    apply: ApplyResult | None = None,
    adtd: ADTDResult | None = None,
    method: MethodResult | None = None,
    bootstrap: BootstrapResult | None = None,
) -> SurvivalResult:
    """Curves, tests and models of the fractions of the run that is given.

    Raises
    ------
    MissingPart
        No composition of the bulk, no clinical table, no times or events.
    InvalidParameter, BadValues, DataError
        What makes the whole analysis impossible: see :mod:`gui.analyses.survival_subjects`. What
        cannot be had of a part of it stands in ``refused``.
    JobCancelled
    """
    from gui.analyses.remark import remark_table
    from gui.analyses.survival_curves import curves
    from gui.analyses.survival_models import models
    from gui.analyses.survival_subjects import check_columns, covariates, endpoint, subjects

    progress("Preparing")
    estimated = bulk_composition(dtd=dtd, apply=apply, adtd=adtd, method=method)
    estimated = estimated.set_axis(estimated.columns.map(str), axis=1)
    found = subjects(dataset, params, list(estimated.columns))
    samples = found.survival.samples
    fractions, draws, said = _closed(estimated, bootstrap, samples)
    named = endpoint(dataset, params)
    check_columns(found.table, params.compare, params, named)
    frame = covariates(found, params.covariates, params, named)
    strata = _strata(covariates(found, params.strata, params, named))
    made = curves(found, fractions, params, strata, lambda part: progress("Curves of groups", part))
    fitted = models(
        found, fractions, frame, strata, draws, params, lambda part: progress("Cox models", part)
    )
    progress("Cox models", 1.0)
    facts = _facts(found, params, draws, source=_source(adtd, method))
    notes = [*found.notes, *said, *made.notes, *fitted.notes]
    if draws is None:
        notes.append(NO_DRAWS)
    excluded = pd.concat([found.excluded, *made.excluded, *fitted.excluded])
    excluded = excluded.rename_axis("sample")[["reason", "analysis"]]
    return SurvivalResult(
        facts=facts,
        excluded=excluded,
        **made.tables(),
        **_model_tables(fitted),
        remark=remark_table(facts, params, made.tables(), fitted, excluded, len(estimated.columns)),
        notes=tuple(dict.fromkeys(notes)),
        refused=tuple(dict.fromkeys([*made.refused, *fitted.refused])),
    )


def _source(adtd: ADTDResult | None, method: MethodResult | None) -> str:
    """What estimated the fractions, in words."""
    if method is not None:
        return method.title
    return "ADTD" if adtd is not None else "DTD"


def _closed(
    estimated: pd.DataFrame, bootstrap: BootstrapResult | None, samples: list[str]
) -> tuple[pd.DataFrame, np.ndarray | None, list[str]]:
    """Fractions (cell types x samples), their draws, and what was done to them.

    Those of a sample sum to 1. What is below the detection limit is 0: the last digits of a solver
    would make an order, and groups, of nothing.
    """
    inside = estimated.set_axis(estimated.index.map(str), axis=0)[samples]
    values = check_fractions(inside)
    zero = values < DETECTION_LIMIT
    notes = []
    if zero.any():
        notes.append(
            f"Fractions below {100 * DETECTION_LIMIT:g} % count as zero ({number(int(zero.sum()))}"
            f" of {number(zero.size)})."
        )
    fractions = pd.DataFrame(_detected(values), index=inside.index, columns=inside.columns)
    drawn = draws_of(inside, bootstrap)
    if drawn is None:
        return fractions, None, notes
    drawn = np.maximum(drawn, 0.0)
    if not (drawn.sum(axis=1) > 0).all():
        raise DataError(
            "A bootstrap draw has a sample without any fraction.",
            advice="Compute the intervals again.",
        )
    return fractions, _detected(close(drawn)), notes


def _detected(closed: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(np.where(closed < DETECTION_LIMIT, 0.0, closed), 12))


def _strata(columns: pd.DataFrame) -> pd.Series | None:
    """All combinations of the columns as one; None where there is none."""
    if not columns.shape[1]:
        return None
    texts = columns.astype(object).map(value_text, na_action="ignore")
    joined = texts.apply(lambda row: " / ".join(row) if row.notna().all() else None, axis=1)
    return joined.rename(" and ".join(map(str, columns.columns)))


def _facts(
    found: Subjects, params: SurvivalParams, draws: np.ndarray | None, *, source: str
) -> dict[str, Any]:
    survival, alone = found.survival, found.survival.first_of_each()
    followed = kaplan_meier(alone.time, ~alone.event)  # Schemper & Smith 1996
    return {
        "source": source,
        "samples": len(survival.samples),
        "events": survival.events,
        "patients": survival.patients,
        "outcome": found.outcome,
        "censored": found.censored,
        "unit": found.unit,
        "time_zero": params.time_zero,
        "landmark": float(params.landmark or 0.0),
        "transform": params.transform,
        "confidence": CONFIDENCE,
        "draws": 0 if draws is None else len(draws),
        "followed": followed.median,
        "followed_low": followed.median_low,
        "followed_high": followed.median_high,
        "longest": float(survival.time.max()),
    }


FOREST = ["model", "cell_type", "sd_ratio", "sd_low", "sd_high", "p", "p_adjusted"]
HAZARDS = ["model", "of", "variable", "statistic", "df", "p", "note"]
RESIDUALS = ["model", "of", "coefficient", "time", "transformed"]


def _model_tables(fitted: Models) -> dict[str, Any]:
    def joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

    return {
        "forest": joined(fitted.forest, FOREST),
        "together": fitted.together,
        "together_facts": fitted.together_facts,
        "hazards": pd.DataFrame(fitted.hazards, columns=HAZARDS),
        "residuals": joined(fitted.residuals, [*RESIDUALS, "residual"]),
        "smooth": joined(fitted.smooth, [*RESIDUALS, "estimate", "low", "high"]),
        "reliability": fitted.reliability,
    }
