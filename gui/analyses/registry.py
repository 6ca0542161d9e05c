"""All analyses, by the kind of their runs (the key of their page)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gui.analyses.gene_params import GenesParams
from gui.analyses.genes import GenesResult, run_genes
from gui.analyses.group_regulation import (
    GroupRegulationParams,
    GroupRegulationResult,
    run_group_regulation,
)
from gui.analyses.groups import GroupsParams, GroupsResult, run_groups
from gui.analyses.hidden_likeness import Likeness
from gui.analyses.result import AnalysisResult
from gui.analyses.robustness import RobustnessParams, RobustnessResult, run_robustness
from gui.analyses.survival import SurvivalParams, SurvivalResult, run_survival
from gui.engine.params import Params


@dataclass(frozen=True)
class Analysis:
    """One analysis.

    Attributes
    ----------
    kind
        Of its runs; the key of its page.
    title
        On screen and in reports.
    params, result
        Classes. Their names stand in session files: whoever renames a class keeps its name in
        ``records``.
    task
        Computes a result.
    uses_samples
        Whether it depends on the clinical table or the annotations of the bulk samples: then its
        runs are outdated when these change.
    records
        Further dataclasses that a result holds: name in the session file -> class.
    """

    kind: str
    title: str
    params: type[Params]
    result: type[AnalysisResult]
    task: Callable[..., AnalysisResult]
    uses_samples: bool = True
    records: Mapping[str, type[Any]] = field(default_factory=dict)


ANALYSES: Mapping[str, Analysis] = {
    analysis.kind: analysis
    for analysis in (
        Analysis("groups", "Groups", GroupsParams, GroupsResult, run_groups),
        Analysis(
            "genes",
            "Genes",
            GenesParams,
            GenesResult,
            run_genes,
            uses_samples=False,
            records={"Likeness": Likeness},
        ),
        Analysis(
            "group_regulation",
            "Gene regulation per group",
            GroupRegulationParams,
            GroupRegulationResult,
            run_group_regulation,
        ),
        Analysis("survival", "Survival", SurvivalParams, SurvivalResult, run_survival),
        Analysis(
            "robustness",
            "Robustness",
            RobustnessParams,
            RobustnessResult,
            run_robustness,
            uses_samples=False,
        ),
    )
}


def uses_samples(kind: str) -> bool:
    """Whether runs of this kind depend on what is known of the samples."""
    return kind in ANALYSES and ANALYSES[kind].uses_samples
