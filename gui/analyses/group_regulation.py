"""Gene regulation per group: one fit for each group, and permutations of the labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import field_validator

from gui.analyses.group_fits import (
    FitTask,
    GroupFit,
    MethodFitTask,
    fit_groups,
    fit_method_groups,
    method_fit_task,
)
from gui.analyses.groups import GroupsParams, design_of, repeated_patients
from gui.analyses.method_variants import MethodVariantTask, method_task
from gui.engine.params import Params, param
from gui.engine.results import ADTDResult, DTDResult
from gui.errors import EngineFailed, MissingPart
from gui.methods.intervals import WORTH, Estimator
from gui.methods.method import MethodResult
from gui.text import number

if TYPE_CHECKING:
    from gui.data.dataset import Dataset
    from gui.jobs.status import Progress

PERMUTING = "Permuting groups"
LOW_SUPPORT = 0.1
"""Entries with less support are not tested: the data say nothing about them."""


class GroupRegulationParams(Params):
    """Which groups, and how many permutations. Everything else is that of the run."""

    column: str = param("", "Groups by", "A column of the clinical table or of the bulk.")
    groups: tuple[str, ...] = param((), "Which groups", "The groups, in order; empty for all.")
    cuts: tuple[float, ...] = param((), "Cut at", "Makes groups of a number.")
    permutations: int = param(
        99,
        "Permutations",
        "How often the groups are assigned anew at random. With 99 the smallest possible p-value"
        " is 0.01. Each permutation takes as long as the run.",
        ge=19,
        le=2000,
    )
    level: float = param(
        0.05,
        "Error rate",
        "The chance that any entry is called although none differs (family-wise error rate).",
        gt=0,
        lt=1,
        allow_inf_nan=False,
    )
    seed: int = param(1, "Seed", "Random seed of the permutations.", ge=0, le=2**32 - 2)
    lambda2: float = param(1e-9, "λ₂", "That of the run.", gt=0, allow_inf_nan=False)
    max_iterations: int = param(1000, "Maximum iterations", "Those of the run.", ge=1, le=100_000)
    method: str = param("", "Method", "That of the run; empty for ADTD.", max_length=31)

    @field_validator("groups", "cuts", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def used(self) -> list[str]:
        without = {name for name in ("groups", "cuts", "method") if not getattr(self, name)}
        without |= {"lambda2", "max_iterations"} if self.method else set()
        return [name for name in super().used() if name not in without]


@dataclass(frozen=True, eq=False)
class GroupRegulationResult:
    """How gene regulation differs between groups.

    Attributes
    ----------
    regulation
        Group -> log2 of the factor of regulation, genes x cell types.
    difference
        genes x cell types: second group minus first, or with more groups largest minus smallest.
    support
        genes x cell types in [0, 1]: the least of all groups and of the whole run; NaN where the
        method does not say.
    p_adjusted
        genes x cell types: over all entries tested, by the largest statistic of each permutation;
        NaN where nothing was tested.
    levels, sizes
        The groups in order, and their samples.
    permutations
        0 where a group is too small to be tested.
    level
        Of the family-wise error rate.
    method
        Title of the method; empty for ADTD.
    """

    regulation: dict[str, pd.DataFrame]
    difference: pd.DataFrame
    support: pd.DataFrame
    p_adjusted: pd.DataFrame
    levels: tuple[str, ...]
    sizes: dict[str, int]
    variable: str
    permutations: int
    family: int
    level: float
    notes: tuple[str, ...] = ()
    method: str = ""

    @property
    def called(self) -> pd.DataFrame:
        """Which entries differ (genes x cell types)."""
        return self.p_adjusted <= self.level

    def tables(self) -> dict[str, pd.DataFrame]:
        """One row per gene and cell type with support, smallest p first."""
        rows = with_support(self.support.to_numpy())
        genes, types = np.nonzero(rows)
        table = pd.DataFrame(
            {"cell_type": self.support.columns[types]}, index=self.support.index[genes]
        )
        for level, frame in self.regulation.items():
            table[f"log2_{level}"] = frame.to_numpy()[rows]
        table["difference"] = self.difference.to_numpy()[rows]
        table["p_adjusted"] = self.p_adjusted.to_numpy()[rows]
        table["called"] = self.called.to_numpy()[rows]
        table["support"] = self.support.to_numpy()[rows]
        order = np.lexsort((-table["difference"].abs(), table["p_adjusted"].fillna(1.0)))
        return {"groups_regulation": table.iloc[order].rename_axis("gene")}

    def citations(self) -> tuple[str, ...]:
        return ("westfall-young",) if self.method else ("adtd", "westfall-young")

    def fits(self) -> bool:
        frames = [*self.regulation.values(), self.support, self.p_adjusted]
        return tuple(self.regulation) == self.levels == tuple(self.sizes) and all(
            frame.index.equals(self.difference.index)
            and frame.columns.equals(self.difference.columns)
            and all(kind.kind == "f" for kind in frame.dtypes)
            for frame in frames
        )


def with_support(support: np.ndarray) -> np.ndarray:
    """Where the data say enough, or the method does not say how much they do."""
    return np.isnan(support) | (support >= LOW_SUPPORT)


def run_group_regulation(
    dataset: Dataset,
    params: GroupRegulationParams,
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    adtd: ADTDResult | None = None,
    method: MethodResult | None = None,
    estimator: Estimator | None = None,
    **_others: Any,
) -> GroupRegulationResult:
    """Compare the gene regulation that is found in each group of samples alone.

    Parameters
    ----------
    dtd, adtd
        The run whose reference, genes and gene weights are used, and its DTD run.
    method, estimator
        The run of another method with gene regulation, and what computes it again.

    Raises
    ------
    MissingPart
        No gene regulation in the run, no bulk.
    DataError, InvalidParameter
        The column makes no groups.
    EngineFailed
    JobCancelled

    Source: Westfall & Young 1993, Resampling-Based Multiple Testing (largest statistic of each
    permutation); Tusher et al. 2001, PNAS 98:5116 (a constant added to the spread).
    """
    from gui.engine.tasks import scaled_bulk
    from gui.statistics.group_design import FEWEST

    progress(PERMUTING, 0.0)
    run = method or adtd
    if run is None or run.gene_regulation is None or (method is None and run.support is None):
        raise MissingPart(
            f"{'The run' if method is None else method.title} estimates no gene regulation that"
            " could be compared.",
            advice="Run ADTD on the bulk with the model “Hidden background + gene regulation”.",
        )
    shared: MethodVariantTask | None = None
    if method is None:
        bulk = scaled_bulk(dataset, dtd).loc[run.reference.index]
        samples = [str(s) for s in bulk.columns]
    else:
        assert estimator is not None
        shared, _, _ = method_task(dataset, method, estimator, lambda: progress(PERMUTING, 0.0))
        assert dataset.bulk is not None
        samples = dataset.bulk.samples
    groups = GroupsParams(column=params.column, groups=params.groups, cuts=params.cuts)
    design, notes = design_of(dataset, groups, samples)
    places = pd.Index(samples).get_indexer(design.samples)
    task: FitTask | MethodFitTask
    if shared is not None:
        assert method is not None
        task = method_fit_task(shared.dataset, method, shared.estimator, places, len(design.levels))
    else:
        assert adtd is not None
        task = FitTask(
            adtd.reference.to_numpy(dtype=np.float64),
            bulk.iloc[:, places].to_numpy(dtype=np.float64),
            adtd.gene_weights.to_numpy(dtype=np.float64),
            len(design.levels),
            params.lambda2,
            params.max_iterations,
        )
    notes = (*notes, *repeated_patients(dataset, design.samples))
    smallest = min(design.sizes.values())
    if smallest < FEWEST:
        notes = (*notes, f"Nothing is tested: a group has fewer than {FEWEST} samples.")
    permutations = params.permutations if smallest >= FEWEST else 0
    random = np.random.default_rng(params.seed)
    items = [design.codes, *(random.permutation(design.codes) for _ in range(permutations))]
    fits = _fits(task, items, progress)
    # a method may use other genes for a group alone
    there = np.isfinite(fits[0].logs).all(axis=(0, 2))
    if not there.any():
        raise EngineFailed(
            f"{run_title(method)} gives no regulation of the genes of this run for the groups"
            " alone.",
            advice="Choose another run.",
        )
    known = fits[0].support
    if run.support is not None:
        known = np.fmin(known, run.support.to_numpy(dtype=np.float64))
    differences = np.stack([_difference(fit.logs) for fit in fits])
    tested = with_support(known) & np.isfinite(differences).all(axis=0)
    if not permutations:
        tested &= False
    if lost := int((~there).sum()):
        notes = (
            *notes,
            f"{number(lost)} gene{'s are' if lost > 1 else ' is'} not used in every group and left"
            " out.",
        )
    if np.isnan(known).all():
        notes = (
            *notes,
            f"{run_title(method)} does not say how much the data support its gene regulation: all"
            " entries are compared.",
        )

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values[there], run.reference.index[there], run.reference.columns)

    outside = len(design.lost)
    if outside:
        notes = (*notes, f"{outside} sample{'s are' if outside > 1 else ' is'} not in a group.")
    return GroupRegulationResult(
        regulation={
            level: frame(logs) for level, logs in zip(design.levels, fits[0].logs, strict=True)
        },
        difference=frame(differences[0]),
        support=frame(known),
        p_adjusted=frame(adjusted_p(differences, tested)),
        levels=design.levels,
        sizes=design.sizes,
        variable=design.variable,
        permutations=permutations,
        family=int(tested.sum()),
        level=params.level,
        notes=notes,
        method="" if method is None else method.title,
    )


def run_title(method: MethodResult | None) -> str:
    """What estimates the regulation, in a sentence."""
    return "ADTD" if method is None else method.title


def _fits(
    task: FitTask | MethodFitTask, items: list[np.ndarray], progress: Progress
) -> list[GroupFit]:
    """One fit of all groups for every division of the samples, the real one first."""
    from gui.engine.memory import adtd_bytes
    from gui.engine.parallel import parallel_map

    done = 0

    def on_step(_index: int, ended: Any) -> None:
        nonlocal done
        done += bool(ended)
        progress(PERMUTING, done / len(items), count=done, limit=len(items))

    def fit(function: Callable[..., Any], some: list[np.ndarray], **how: Any) -> list[GroupFit]:
        return list(parallel_map(function, some, shared=task, on_step=on_step, **how))

    if isinstance(task, FitTask):
        genes, types = task.reference.shape
        memory = adtd_bytes(genes, task.bulk.shape[1], types, "fast", regulated=True)
        return fit(fit_groups, items, memory=memory)
    began = time.perf_counter()
    first = fit(fit_method_groups, items[:1], in_process=True)
    seconds = (len(items) - 1) * (time.perf_counter() - began)
    memory = 3.0 * sum(matrix.nbytes for matrix in task.dataset.parts().values())
    rest = fit(fit_method_groups, items[1:], in_process=seconds < WORTH, memory=memory)
    return first + rest


def _difference(logs: np.ndarray) -> np.ndarray:
    """genes x types of groups x genes x types: second minus first, or largest minus smallest."""
    return np.asarray(logs[1] - logs[0] if len(logs) == 2 else np.ptp(logs, axis=0))


def adjusted_p(differences: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """P-values over all tested entries, by the largest statistic of each permutation.

    Parameters
    ----------
    differences
        Permutations (the first is the data) x genes x types.
    tested
        genes x types.

    Source: Westfall & Young 1993, algorithm 2.5 (single step).
    """
    found = np.full(tested.shape, np.nan)
    if not tested.any():
        return found
    values = np.abs(differences[:, tested])
    spread = np.sqrt((values**2).mean(axis=0))
    varies = spread > 0
    if not varies.any():
        found[tested] = 1.0
        return found
    # entries that hardly vary would win by their small spread alone
    statistics = values / (spread + np.median(spread[varies]))
    largest = np.sort(statistics.max(axis=1))
    higher = len(largest) - np.searchsorted(largest, statistics[0] * (1 - 1e-12), side="left")
    found[tested] = higher / len(largest)
    return found
