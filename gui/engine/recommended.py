"""From data to composition in one task: DTD, hidden background and intervals, by default settings.

Each step is the task that its page starts, with the parameters of its page: the numbers are the
same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gui.data.dataset import Dataset
from gui.engine.params import (
    MODEL_NAMES,
    ADTDParams,
    BootstrapParams,
    DTDParams,
    Params,
    param,
)
from gui.engine.tasks import run_adtd, run_bootstrap, run_dtd
from gui.errors import JobCancelled, MissingPart
from gui.jobs.failure import Failure, to_failure
from gui.text import number

if TYPE_CHECKING:
    from gui.jobs.status import Progress

RECOMMENDED = "recommended"
"""Kind of the job. No run has it: its results are runs of the kinds in :data:`STEPS`."""
STEPS: Mapping[str, float] = {"dtd": 0.4, "adtd": 0.1, "bootstrap": 0.5}
"""Kind of each run, in order -> which part of the time it typically takes."""
TITLE = "Recommended analysis"


class RecommendedParams(Params):
    """Settings of the recommended analysis; all others are the defaults of each step."""

    genes: int | None = param(
        DTDParams().genes, "Number of genes", "As for DTD.", unit="genes", ge=2
    )
    iterations: int = param(DTDParams().iterations, "Iterations", "As for DTD.", ge=1, le=100_000)
    mixtures: int = param(
        DTDParams().train_mixtures,
        "Pseudobulks",
        "Training and test pseudobulks, each as for DTD.",
        ge=3,
        le=100_000,
    )
    replicates: int = param(
        BootstrapParams().replicates, "Replicates", "As for the intervals.", ge=20, le=1000
    )
    seed: int = param(1, "Seed", "As for DTD and the intervals.", ge=0, le=2**32 - 2)

    def dtd(self) -> DTDParams:
        """Parameters of the first step."""
        return DTDParams(
            genes=self.genes,
            iterations=self.iterations,
            train_mixtures=self.mixtures,
            test_mixtures=self.mixtures,
            seed=self.seed,
        )

    def adtd(self) -> ADTDParams:
        """Parameters of the second step: hidden background, no gene regulation."""
        return ADTDParams(model="h")

    def bootstrap(self) -> BootstrapParams:
        """Parameters of the third step: intervals of the second."""
        of = self.adtd()
        return BootstrapParams(
            replicates=self.replicates,
            seed=self.seed,
            part=of.part,
            lambda2=of.lambda2,
            max_iterations=of.max_iterations,
        )


@dataclass(frozen=True, eq=False)
class StepResult:
    """What one step gave.

    Attributes
    ----------
    kind, title, params, result
        Of the run.
    seconds
        Wall time of the step.
    inputs
        Kinds of the steps before that it used.
    """

    kind: str
    title: str
    params: Params
    result: Any
    seconds: float
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class StepResults:
    """Results of several steps: one run each.

    Attributes
    ----------
    remark
        What was decided for the user, in sentences; kept with every run.
    failure
        Why the step after these failed, or None. The steps before it are kept.
    """

    steps: tuple[StepResult, ...]
    remark: str = ""
    failure: Failure | None = None


def run_recommended(
    dataset: Dataset, params: RecommendedParams, *, progress: Progress
) -> StepResults:
    """DTD, ADTD with hidden background, and 95 % intervals of its fractions.

    Raises
    ------
    MissingPart
        No cells or no bulk.
    DeconomixError
        What :func:`gui.engine.tasks.run_dtd` raises; an error of a later step is in the result.
    JobCancelled
    """
    check_data(dataset)
    done: dict[str, StepResult] = {}
    todo: dict[str, tuple[Callable[..., Any], str, Params]] = {
        "dtd": (run_dtd, "DTD", params.dtd()),
        "adtd": (run_adtd, MODEL_NAMES["h"], params.adtd()),
        "bootstrap": (run_bootstrap, f"Intervals: {MODEL_NAMES['h']}", params.bootstrap()),
    }
    failure = None
    for kind, (task, title, chosen) in todo.items():
        inputs: dict[str, Any] = {name: step.result for name, step in done.items()}
        began = time.perf_counter()
        try:
            result = task(dataset, chosen, progress=_StepProgress(progress, kind), **inputs)
        except JobCancelled:
            raise
        except Exception as error:
            if not done:
                raise
            failure = to_failure(error)
            break
        done[kind] = StepResult(
            kind, title, chosen, result, time.perf_counter() - began, tuple(inputs)
        )
    return StepResults(tuple(done.values()), remark(params, tuple(done)), failure)


def check_data(dataset: Dataset) -> None:
    """MissingPart, in a sentence, if the recommended analysis cannot be made of these data."""
    if dataset.train is None:
        raise MissingPart(
            "There are no single cells to learn gene weights from.",
            advice="Load single cells, or choose a reference that holds some.",
        )
    if dataset.bulk is None:
        raise MissingPart(
            "There are no bulk samples to estimate the composition of.", advice="Load bulk samples."
        )


def remark(params: RecommendedParams, steps: tuple[str, ...] = tuple(STEPS)) -> str:
    """What the recommended settings decided, in sentences."""
    genes = (
        f"up to {number(params.genes)} genes that differ most between the cell types"
        if params.genes
        else "all common genes"
    )
    said = {
        "dtd": (
            f"Gene weights were learned on {genes}, in {number(params.iterations)} iterations on"
            f" {number(params.mixtures)} pseudobulks (seed {params.seed})."
        ),
        "adtd": (
            "The fractions were estimated with a hidden background and without gene regulation,"
            " which needs a λ₂ chosen by hand."
        ),
        "bootstrap": (
            f"Intervals (95 %) come from {number(params.replicates)} bootstrap replicates of the"
            " genes."
        ),
    }
    return " ".join(["The recommended settings were used.", *(said[kind] for kind in steps)])


@dataclass(eq=False)
class _StepProgress:
    """Progress of one step as a part of the whole; never falls back."""

    whole: Progress
    kind: str
    _furthest: float = field(default=0.0, init=False)

    def __call__(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None:
        kinds = list(STEPS)
        at = kinds.index(self.kind)
        begin = sum(STEPS[kind] for kind in kinds[:at])
        if fraction is not None:
            self._furthest = max(self._furthest, fraction)
        self.whole(
            f"Step {at + 1} of {len(kinds)}: {stage[:1].lower()}{stage[1:]}",
            begin + STEPS[self.kind] * self._furthest,
            loss=loss,
        )
