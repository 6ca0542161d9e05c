"""What a survival analysis found: frames, numbers and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from gui.statistics.kaplan_meier import SurvivalCurve, Transform

ALL, TYPE, COLUMN = "all", "type", "column"
"""Kinds of what curves are of: everybody, groups of a cell type's fraction, groups of a column."""
ALONE, ADJUSTED, TOGETHER = "alone", "adjusted", "together"
"""Models: each cell type alone; each with the covariates; several cell types with them."""


@dataclass(frozen=True, eq=False)
class SurvivalResult:
    """Curves, tests and models of times to an event.

    Attributes
    ----------
    facts
        samples, events, unit, time_zero, outcome (what the event is), source (whose fractions),
        transform, draws, followed, followed_low, followed_high (median follow-up by reverse
        Kaplan-Meier).
    excluded
        By sample: reason, and analysis: what it was left out of.
    curves
        One row per curve and time: kind, variable, group and the columns of
        :class:`gui.statistics.kaplan_meier.SurvivalCurve`.
    groups
        By kind, variable, group: samples, events, median, median_low, median_high, tau, mean,
        mean_low, mean_high (restricted).
    tests
        By kind and variable: cut, statistic, df, p, trend_z, trend_p, adjusted (over the cell
        types), nominal_p (of a best cut), difference, difference_low, difference_high,
        difference_p (restricted means, last minus first group of two), note.
    pairs
        Groups pair by pair, where there are more than two: kind, variable, first, second,
        statistic, p, p_adjusted (of cell types over all pairs of all types, of a column over its
        own pairs).
    forest
        By model and cell_type: as of :func:`gui.statistics.cox_by_type.cox_by_type`, with samples,
        events, concordance (low, high).
    together
        Coefficients of the model of several variables; empty where none was asked for or fitted.
    together_facts
        samples, events, ridge, likelihood_ratio, df, p, concordance, …; empty as above.
    hazards
        Score tests of proportional hazards: model, of (the cell type), variable, statistic, df, p;
        the variable "all together" is the global test.
    residuals, smooth
        Scaled Schoenfeld residuals by event, and their spline: model, of, coefficient, time,
        transformed, residual; or estimate, low, high.
    reliability
        By cell type: sd, noise, reliability; empty without bootstrap draws.
    remark
        What REMARK asks and what this analysis has to say: item, asks, answer.
    notes
        What weakens it, in sentences.
    refused
        What was asked for and is not given, in sentences with what to do.
    """

    facts: Mapping[str, Any]
    excluded: pd.DataFrame
    curves: pd.DataFrame
    groups: pd.DataFrame
    tests: pd.DataFrame
    pairs: pd.DataFrame
    forest: pd.DataFrame
    together: pd.DataFrame
    together_facts: Mapping[str, Any]
    hazards: pd.DataFrame
    residuals: pd.DataFrame
    smooth: pd.DataFrame
    reliability: pd.DataFrame
    remark: pd.DataFrame
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def variables(self) -> list[tuple[str, str]]:
        """Kind and name of everything that has curves, everybody first."""
        found = self.curves[["kind", "variable"]].drop_duplicates()
        return [(str(kind), str(name)) for kind, name in found.itertuples(index=False)]

    def curves_of(self, kind: str, variable: str) -> list[SurvivalCurve]:
        """The curves of one variable, in the order of its groups."""
        rows = self.curves[(self.curves["kind"] == kind) & (self.curves["variable"] == variable)]
        groups = self.groups_of(kind, variable).set_index("group")
        made = []
        for name, table in rows.groupby("group", sort=False):
            of = groups.loc[name]
            made.append(
                SurvivalCurve(
                    str(name),
                    table.drop(columns=["kind", "variable", "group"]).reset_index(drop=True),
                    float(of["median"]),
                    float(of["median_low"]),
                    float(of["median_high"]),
                    cast("Transform", self.facts["transform"]),
                    float(self.facts["confidence"]),
                )
            )
        return made

    def groups_of(self, kind: str, variable: str) -> pd.DataFrame:
        """The groups of one variable."""
        table = self.groups
        return table[(table["kind"] == kind) & (table["variable"] == variable)]

    def test_of(self, kind: str, variable: str) -> pd.Series | None:
        """The tests of one variable; None where there is but one group."""
        rows = self.tests[(self.tests["kind"] == kind) & (self.tests["variable"] == variable)]
        return None if rows.empty else rows.iloc[0]

    def forest_of(self, model: str) -> pd.DataFrame:
        """The hazard ratios of one model, by cell type."""
        rows = self.forest[self.forest["model"] == model]
        return rows.drop(columns="model").set_index("cell_type")

    @property
    def models(self) -> list[str]:
        """Models of each cell type that were fitted, the adjusted one first."""
        there = set(self.forest["model"]) if len(self.forest) else set()
        return [model for model in (ADJUSTED, ALONE) if model in there]

    # -- what report, session file and command line ask of any analysis
    def tables(self) -> dict[str, pd.DataFrame]:
        """Name of the file, without suffix -> table, all digits; the first is the main one."""
        named = {
            "hazard_ratios": self.forest.set_index("cell_type"),
            "curves": self.curves.set_index("variable"),
            "groups": self.groups.set_index("variable"),
            "log_rank": self.tests.set_index("variable"),
            "pairs": self.pairs.set_index("variable"),
            "together": self.together,
            "proportional_hazards": self.hazards.set_index("variable"),
            "reliability": self.reliability.rename_axis("cell_type"),
            "excluded": self.excluded,
            "remark": self.remark.set_index("item"),
        }
        return {f"survival_{name}": table for name, table in named.items() if len(table)}

    def citations(self) -> tuple[str, ...]:
        """Keys of :data:`gui.citations.ANALYSIS_CITATIONS`, the most important first."""
        found = ["cox", "kaplan-meier"]
        if len(self.tests):
            best = self.tests["nominal_p"].notna().any()
            found += ["best-cut"] if best else ["log-rank"]
        found += ["hazards"] if len(self.hazards) else []
        found += ["ridge"] if self.together_facts.get("ridge") else []
        found += ["measurement-error"] if len(self.reliability) else []
        return (*found, "benjamini-hochberg", "remark")

    def fits(self) -> bool:
        """Whether its parts fit together: asked before it is kept and after it is read."""
        needed = (
            (self.curves, {"kind", "variable", "group", "time", "at_risk", "survival", "low"}),
            (self.groups, {"kind", "variable", "group", "samples", "events", "median"}),
            (self.tests, {"kind", "variable", "cut", "p", "note"}),
            (self.pairs, {"kind", "variable", "p_adjusted"}),
            (self.forest, {"model", "cell_type", "sd_ratio", "sd_low", "sd_high", "p"}),
            (self.hazards, {"model", "of", "variable", "p"}),
            (self.residuals, {"model", "of", "coefficient", "time", "residual"}),
            (self.smooth, {"model", "of", "coefficient", "time", "estimate"}),
            (self.excluded, {"reason", "analysis"}),
            (self.remark, {"item", "asks", "answer"}),
        )
        keys = {"samples", "events", "unit", "time_zero", "outcome", "transform", "confidence"}
        return all(names <= set(frame.columns) for frame, names in needed) and keys <= set(
            self.facts
        )
