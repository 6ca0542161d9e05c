"""The tables of a survival analysis as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gui.analyses.survival_result import SurvivalResult
from gui.answers.survival import (
    MODEL_TEXTS,
    excluded_sentence,
    forest_sentence,
    shown_forest,
    shown_together,
    together_sentence,
    variable_name,
)


def forest_table(result: SurvivalResult, model: str) -> pd.DataFrame:
    """By cell type: hazard ratios with intervals, tests, concordance."""
    table = shown_forest(result, model)
    columns: dict[str, Any] = {}
    for per, words in (("sd", "per SD"), ("points", "per 10 percentage points")):
        columns[f"Hazard ratio {words}"] = table[f"{per}_ratio"]
        columns[f"Low {words}"] = table[f"{per}_low"]
        columns[f"High {words}"] = table[f"{per}_high"]
    columns |= {
        "p": table["p"],
        "Adjusted p": table["p_adjusted"],
        "Concordance": table["concordance"],
    }
    if "draws_median" in table:
        columns |= {
            "Median of draws": table["draws_median"],
            "Draws low": table["draws_low"],
            "Draws high": table["draws_high"],
            "Draws with the same call": table["kept"],
        }
    if len(result.reliability):
        columns["Reliability"] = result.reliability["reliability"].reindex(table.index)
    columns["SD of fraction (%)"] = table["sd"] * 100
    columns["Converged"] = ["yes" if v else "no" for v in table["converged"]]
    return pd.DataFrame(columns).rename_axis("Cell type")


def groups_table(result: SurvivalResult, kind: str, variable: str) -> pd.DataFrame:
    """By group: samples, events, median and restricted mean with intervals."""
    table = result.groups_of(kind, variable).set_index("group")
    names: Mapping[str, str] = {
        "samples": "Samples",
        "events": "Events",
        "median": "Median",
        "median_low": "Median low",
        "median_high": "Median high",
        "tau": "Mean up to",
        "mean": "Mean",
        "mean_low": "Mean low",
        "mean_high": "Mean high",
    }
    return table[list(names)].rename(columns=names).rename_axis("Group")


def tests_table(result: SurvivalResult) -> pd.DataFrame:
    """By variable: cut point and tests."""
    table = result.tests
    names = {
        "cut": "Cut at",
        "statistic": "Statistic",
        "df": "df",
        "p": "p",
        "adjusted": "Adjusted p",
        "trend_z": "Trend z",
        "trend_p": "Trend p",
        "nominal_p": "p as if prespecified",
        "difference": "Difference of means",
        "difference_low": "Difference low",
        "difference_high": "Difference high",
        "note": "Remarks",
    }
    shown = table[list(names)].rename(columns=names)
    return shown.set_axis(
        pd.Index(
            [variable_name(k, v) for k, v in zip(table["kind"], table["variable"], strict=True)],
            name="Groups of",
        )
    )


def together_table(result: SurvivalResult) -> pd.DataFrame:
    """Coefficients of the model of several variables."""
    table = shown_together(result)
    names = {
        "hazard_ratio": "Hazard ratio",
        "low": "Low",
        "high": "High",
        "p": "p",
        "coefficient": "Coefficient",
        "error": "Standard error",
    }
    return table[list(names)].rename(columns=names).rename_axis("Variable")


def hazards_table(result: SurvivalResult, model: str) -> pd.DataFrame:
    """Tests of proportional hazards of one model, by cell type and variable."""
    rows = result.hazards[result.hazards["model"] == model]
    return pd.DataFrame(
        {
            "Model of": rows["of"].to_numpy(),
            "χ²": rows["statistic"].to_numpy(),
            "df": rows["df"].to_numpy(),
            "p": rows["p"].to_numpy(),
            "Remarks": rows["note"].to_numpy(),
        },
        index=pd.Index(rows["variable"].astype(str), name="Variable"),
    )


def excluded_table(result: SurvivalResult) -> pd.DataFrame:
    """Who was left out of what, and why."""
    return result.excluded.rename(
        columns={"reason": "Reason", "analysis": "Left out of"}
    ).rename_axis("Sample")


def remark_table(result: SurvivalResult) -> pd.DataFrame:
    """REMARK's items with this analysis's answers."""
    return (
        result.remark.rename(columns={"asks": "REMARK asks for", "answer": "This analysis"})
        .set_index("item")
        .rename_axis("Item")
    )


def shown_tables(result: SurvivalResult) -> dict[str, pd.DataFrame]:
    """Caption -> table, the main one first."""
    found = {
        f"Hazard ratios. {forest_sentence(result, model)}": forest_table(result, model)
        for model in result.models
    }
    if len(result.tests):
        found["Tests of groups (log-rank; restricted means, last minus first group)."] = (
            tests_table(result)
        )
    for kind, name in result.variables():
        caption = f"{variable_name(kind, name)}: medians and restricted means."
        found[caption] = groups_table(result, kind, name)
    if len(result.together):
        found[f"Several variables together. {together_sentence(result)}"] = together_table(result)
    for model in dict.fromkeys(result.hazards["model"]):
        caption = f"Proportional hazards, {MODEL_TEXTS[str(model)]}: score tests."
        found[caption] = hazards_table(result, str(model))
    if len(result.excluded):
        found[f"Left out. {excluded_sentence(result)}"] = excluded_table(result)
    found["REMARK (Altman et al. 2012, PLoS Med 9:e1001216)."] = remark_table(result)
    # of a model that did not converge nothing is left to show; the warnings say so
    return {caption: table for caption, table in found.items() if len(table)}
