"""Gene regulation per group: one ADTD fit for each group, and permutations of the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import field_validator

from gui.analyses.groups import GroupsParams, design_of, repeated_patients
from gui.engine.params import Params, param
from gui.engine.results import ADTDResult, DTDResult
from gui.errors import MissingPart

if TYPE_CHECKING:
    from gui.data.dataset import Dataset
    from gui.jobs.status import Progress

PERMUTING = "Permuting groups"
LEAST = 2.0**-10
"""A factor of regulation below this counts as this: log2 of zero says nothing."""
LOW_SUPPORT = 0.1
"""Entries with less support are not tested: the data say nothing about them."""


class GroupRegulationParams(Params):
    """Which groups, and how many permutations. The model is that of the ADTD run."""

    column: str = param("", "Groups by", "A column of the clinical table or of the bulk.")
    groups: tuple[str, ...] = param((), "Which groups", "The groups, in order; empty for all.")
    cuts: tuple[float, ...] = param((), "Cut at", "Makes groups of a number.")
    permutations: int = param(
        99,
        "Permutations",
        "How often the groups are assigned anew at random. With 99 the smallest possible p-value"
        " is 0.01. Each permutation takes as long as the ADTD run.",
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

    @field_validator("groups", "cuts", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def used(self) -> list[str]:
        without = {name for name in ("groups", "cuts") if not getattr(self, name)}
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
        genes x cell types in [0, 1]: the least of all groups and of the whole run.
    p_adjusted
        genes x cell types: over all entries tested, by the largest statistic of each permutation;
        NaN where nothing was tested.
    levels, sizes
        The groups in order, and their samples.
    permutations
        0 where a group is too small to be tested.
    level
        Of the family-wise error rate.
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

    @property
    def called(self) -> pd.DataFrame:
        """Which entries differ (genes x cell types)."""
        return self.p_adjusted <= self.level

    def tables(self) -> dict[str, pd.DataFrame]:
        """One row per gene and cell type with support, smallest p first."""
        rows = self.support.to_numpy() >= LOW_SUPPORT
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
        return ("adtd", "westfall-young")

    def fits(self) -> bool:
        frames = [*self.regulation.values(), self.support, self.p_adjusted]
        return tuple(self.regulation) == self.levels == tuple(self.sizes) and all(
            frame.index.equals(self.difference.index)
            and frame.columns.equals(self.difference.columns)
            and all(kind.kind == "f" for kind in frame.dtypes)
            for frame in frames
        )


@dataclass(frozen=True, eq=False)
class FitTask:
    """What every fit needs. reference : genes x types; bulk : genes x samples; weights : by gene;
    groups : how many there are
    """

    reference: np.ndarray
    bulk: np.ndarray
    weights: np.ndarray
    groups: int
    lambda2: float
    max_iterations: int


@dataclass(frozen=True, eq=False)
class GroupFit:
    """logs : groups x genes x types, log2 of Delta; support : genes x types, the least"""

    logs: np.ndarray
    support: np.ndarray


def fit_groups(task: FitTask, codes: np.ndarray, *, step: Callable[..., None]) -> GroupFit:
    """ADTD on the samples of each group alone; codes : the group of every sample."""
    from gui.engine.adtd import Fit, support
    from gui.engine.fast.lambda_path import LambdaPath

    reference = pd.DataFrame(task.reference)
    logs, known = [], []
    for group in range(task.groups):
        found = LambdaPath(
            reference,
            pd.DataFrame(task.bulk[:, codes == group]),
            pd.DataFrame(task.weights),
            max_iterations=task.max_iterations,
            check=step,
        )
        found.begin()
        delta = found.solve_for_lambda(task.lambda2)
        fit = Fit(
            pd.DataFrame(found.C),
            pd.Series(np.ravel(found.c)),
            pd.Series(np.ravel(found.x)),
            pd.DataFrame(delta),
            np.empty(0),
            True,
            False,
        )
        logs.append(np.log2(np.maximum(delta, LEAST)))
        known.append(support(reference, pd.Series(task.weights), fit, task.lambda2).to_numpy())
    step(True)
    return GroupFit(np.stack(logs), np.min(known, axis=0))


def run_group_regulation(
    dataset: Dataset,
    params: GroupRegulationParams,
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    adtd: ADTDResult | None = None,
) -> GroupRegulationResult:
    """Compare the gene regulation that ADTD finds in each group of samples alone.

    Parameters
    ----------
    dtd, adtd
        The run whose reference, genes and gene weights are used, and its DTD run.

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
    from gui.engine.memory import adtd_bytes
    from gui.engine.parallel import parallel_map
    from gui.engine.tasks import scaled_bulk
    from gui.statistics.group_design import FEWEST

    progress(PERMUTING, 0.0)
    if adtd is None or adtd.gene_regulation is None or adtd.support is None:
        raise MissingPart(
            "There is no gene regulation to compare.",
            advice="Run ADTD on the bulk with the model “Hidden background + gene regulation”.",
        )
    bulk = scaled_bulk(dataset, dtd).loc[adtd.reference.index]
    samples = [str(s) for s in bulk.columns]
    groups = GroupsParams(column=params.column, groups=params.groups, cuts=params.cuts)
    design, notes = design_of(dataset, groups, samples)
    bulk = bulk.iloc[:, pd.Index(samples).get_indexer(design.samples)]
    task = FitTask(
        adtd.reference.to_numpy(dtype=np.float64),
        bulk.to_numpy(dtype=np.float64),
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
    done = 0

    def on_step(_index: int, ended: Any) -> None:
        nonlocal done
        done += bool(ended)
        progress(PERMUTING, done / len(items), count=done, limit=len(items))

    genes, types = task.reference.shape
    memory = adtd_bytes(genes, len(design.samples), types, "fast", regulated=True)
    fits = parallel_map(fit_groups, items, shared=task, on_step=on_step, memory=memory)
    known = np.minimum(fits[0].support, adtd.support.to_numpy(dtype=np.float64))
    differences = np.stack([_difference(fit.logs) for fit in fits])
    tested = (known >= LOW_SUPPORT) if permutations else np.zeros(known.shape, dtype=bool)

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, adtd.reference.index, adtd.reference.columns)

    lost = len(design.lost)
    if lost:
        notes = (*notes, f"{lost} sample{'s are' if lost > 1 else ' is'} not in a group.")
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
    )


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
    # entries that hardly vary would win by their small spread alone
    statistics = values / (spread + np.median(spread))
    largest = np.sort(statistics.max(axis=1))
    higher = len(largest) - np.searchsorted(largest, statistics[0] * (1 - 1e-12), side="left")
    found[tested] = higher / len(largest)
    return found
