"""REMARK: what a report of a prognostic marker has to say, and what this analysis knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gui.analyses.survival_models import EVERYTHING, Models
from gui.analyses.survival_params import CUT_TEXTS, DUPLICATE_TEXTS, SCALE_TEXTS, SurvivalParams
from gui.analyses.survival_result import ADJUSTED, ALONE, TYPE
from gui.statistics.kaplan_meier import TRANSFORMS
from gui.text import number, some

YOURS = "For the authors to describe."
SOURCE = "Altman et al. 2012, PLoS Med 9:e1001216 (REMARK: explanation and elaboration)"


def remark_table(
    facts: Mapping[str, Any],
    params: SurvivalParams,
    tables: Mapping[str, pd.DataFrame],
    fitted: Models,
    excluded: pd.DataFrame,
    total: int,
) -> pd.DataFrame:
    """Items of REMARK with this analysis's answer; what only the authors know is left to them.

    Source: McShane et al. 2005, J Natl Cancer Inst 97:1180; Altman et al. 2012.
    """
    unit = facts["unit"] or "(unit not known)"
    rows = [
        (
            "1",
            "Marker, objectives, hypotheses",
            f"Fractions of cell types, estimated from bulk expression ({facts['source']}). {YOURS}",
        ),
        ("2", "Patients: source, inclusion and exclusion", YOURS),
        ("3", "Treatments", YOURS),
        ("4, 5", "Specimens and assay", f"The deconvolution is described in the report. {YOURS}"),
        ("6", "Study design and follow-up", _follow_up(facts, unit)),
        (
            "7",
            "Clinical endpoint",
            f"{facts['outcome']}; time since {facts['time_zero'] or '(not said)'}, {unit}.",
        ),
        ("8", "Candidate variables", _candidates(params, tables, fitted)),
        (
            "9",
            "Sample size",
            f"{number(facts['samples'])} samples, {number(facts['events'])} events. {YOURS}",
        ),
        ("10", "Statistical methods", _methods(params, fitted, facts)),
        ("11", "Cut points", _cuts(params, tables)),
        ("12", "Flow of patients", _flow(facts, excluded, total)),
        ("13", "Demographics", YOURS),
        ("14, 15", "Marker and outcome, univariable", _alone(fitted)),
        ("16", "Multivariable analysis", _adjusted(fitted)),
        ("17", "Further analyses: assumptions", _assumptions(fitted, params)),
        ("18", "Robustness", _robust(facts, fitted)),
        ("19, 20", "Interpretation, limits, next steps", YOURS),
    ]
    return pd.DataFrame(rows, columns=["item", "asks", "answer"])


def _follow_up(facts: Mapping[str, Any], unit: str) -> str:
    value = facts["followed"]
    middle = f"{value:.3g} {unit}" if value == value else "not reached"
    return (
        f"Median follow-up {middle} (reverse Kaplan-Meier), longest time {facts['longest']:.4g}"
        f" {unit}."
    )


def _candidates(params: SurvivalParams, tables: Mapping[str, pd.DataFrame], fitted: Models) -> str:
    types = sorted(set(fitted.forest[0]["cell_type"])) if fitted.forest else []
    text = f"{len(types)} cell types ({some(types, 12)})."
    if params.covariates:
        text += f" Covariates: {some(params.covariates, 12)}."
    if params.strata:
        text += f" Strata: {some(params.strata, 12)}."
    return text


def _methods(params: SurvivalParams, fitted: Models, facts: Mapping[str, Any]) -> str:
    parts = [
        f"Kaplan-Meier with 95 % intervals (transform {TRANSFORMS[params.transform]}), log-rank"
        " tests; Cox models with Efron's ties, fractions as they are (they sum to 1 in every"
        " sample); Benjamini-Hochberg over the cell types"
    ]
    if params.landmark:
        parts.append(f"landmark at {params.landmark:g}")
    if facts["patients"] < facts["samples"]:
        parts.append("samples of a patient as clusters, robust variance")
    elif params.duplicates != "refuse":
        parts.append(f"several samples of a patient: {DUPLICATE_TEXTS[params.duplicates]}")
    if params.ridge:
        parts.append("ridge fit, penalty by cross-validated partial likelihood")
    return "; ".join(parts) + "."


def _cuts(params: SurvivalParams, tables: Mapping[str, pd.DataFrame]) -> str:
    if params.cut == "none":
        return "None: fractions are used as they are."
    tests = tables["tests"]
    found = tests[tests["kind"] == TYPE]
    cuts = [f"{name} {cut}" for name, cut in zip(found["variable"], found["cut"], strict=True)]
    text = f"Curves: {CUT_TEXTS[params.cut]} ({some(cuts, 40)}). Models: fractions as they are."
    if params.cut == "best":
        text += (
            f" Exploratory: p by {number(params.permutations)} permutations of the maximally"
            " selected rank statistic."
        )
    return text


def _flow(facts: Mapping[str, Any], excluded: pd.DataFrame, total: int) -> str:
    out = excluded[excluded["analysis"] == "everything"]
    why = [f"{count} {reason}" for reason, count in out["reason"].value_counts().items()]
    return (
        f"{number(total)} samples in the run, {number(facts['samples'])} of"
        f" {number(facts['patients'])} patients analysed, {number(facts['events'])} events;"
        f" left out: {'; '.join(why) if why else 'none'}."
    )


def _alone(fitted: Models) -> str:
    frames = [f for f in fitted.forest if (f["model"] == ALONE).all()]
    return _called(frames[0]) if frames else "Not given."


def _adjusted(fitted: Models) -> str:
    frames = [f for f in fitted.forest if (f["model"] == ADJUSTED).all()]
    parts = [_called(frames[0])] if frames else []
    if fitted.together_facts:
        n, e = fitted.together_facts["samples"], fitted.together_facts["events"]
        kind = "ridge fit" if fitted.together_facts["ridge"] else "Cox model"
        parts.append(
            f"{kind} of {len(fitted.together)} coefficients together: {n} samples, {e} events."
        )
    return " ".join(parts) or "None."


def _called(frame: pd.DataFrame) -> str:
    called = frame[frame["called"].astype(bool)]
    lines = [
        f"{row.cell_type} {row.sd_ratio:.3g} ({row.sd_low:.3g} to {row.sd_high:.3g})"
        for row in called.itertuples()
    ]
    found = f": hazard ratio per SD {some(lines, 12)}" if lines else ""
    return f"{len(called)} of {len(frame)} cell types at 5 % false discovery rate{found}."


def _assumptions(fitted: Models, params: SurvivalParams) -> str:
    whole = [row for row in fitted.hazards if row["variable"] == EVERYTHING]
    bad = [str(row["of"]) for row in whole if row["p"] < 0.05]
    return (
        f"Score test of proportional hazards (time scale {SCALE_TEXTS[params.scale]}):"
        f" p below 0.05 in {len(bad)} of {len(whole)} models"
        f"{f' ({some(sorted(set(bad)), 8)})' if bad else ''}."
    )


def _robust(facts: Mapping[str, Any], fitted: Models) -> str:
    if not facts["draws"] or not len(fitted.reliability):
        return (
            "Noise of the estimated fractions was not examined: no bootstrap draws, or no model of"
            " each cell type alone."
        )
    table = fitted.reliability["reliability"]
    return (
        f"Hazard ratios over {number(facts['draws'])} bootstrap draws of the fractions;"
        f" reliability of the fractions {table.min():.0%} to {table.max():.0%}."
    )
