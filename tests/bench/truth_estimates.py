"""What every method estimates of one set of the truth bench, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN, Dataset
from gui.engine import tasks
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, Params
from gui.engine.results import BootstrapResult, DTDResult, SecondOpinion
from gui.engine.second_opinion import consensus
from gui.errors import DeconomixError
from gui.methods.intervals import Estimator, run_method_intervals
from gui.methods.method import KIND, Capability, Method
from gui.methods.registry import BUILT_IN

CONSTANT = "Constant (training cells)"


def silent(*_: object, **__: object) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """What one method says of one set.

    Attributes
    ----------
    composition
        Cell types x samples, without the hidden background.
    opinion
        The second opinion beside it, or None.
    intervals
        Low and high, shaped as ``composition`` and on its scale, or None.
    """

    composition: pd.DataFrame
    opinion: SecondOpinion | None = None
    intervals: tuple[pd.DataFrame, pd.DataFrame] | None = None


def estimates(
    data: Dataset, *, seed: int, quick: bool, methods: Mapping[str, Method] = BUILT_IN
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """By title what every method says, and why some say nothing."""
    found: dict[str, Estimate] = {}
    left_out: dict[str, str] = {}
    dtd: DTDResult | None = None
    if data.train is not None:
        dtd = tasks.run_dtd(data, _params(DTDParams, seed, quick), progress=silent)
    for method in methods.values():
        obstacle = method.obstacle(data)
        if obstacle:
            left_out[method.title] = obstacle
            continue
        try:
            found[method.title] = run(method, data, dtd, seed=seed, quick=quick)
        except DeconomixError as error:
            left_out[method.title] = str(error)
    beside = {name: one.opinion for name, one in found.items() if one.opinion is not None}
    if beside:
        first = next(iter(beside.values()))
        found["Markers"] = Estimate(first.markers.fillna(0.0))
        found |= {f"Consensus with {name}": Estimate(consensus(o)) for name, o in beside.items()}
    if data.train is not None and data.bulk is not None:
        counts = data.train.counts()
        columns = data.bulk.matrix.columns
        same = np.repeat((counts / counts.sum()).to_numpy()[:, None], len(columns), axis=1)
        found[CONSTANT] = Estimate(pd.DataFrame(same, index=counts.index, columns=columns))
    return found, left_out


def run(
    method: Method, data: Dataset, dtd: DTDResult | None, *, seed: int, quick: bool
) -> Estimate:
    """Run one method, and compute its intervals unless it brings them. DeconomixError."""
    sure = BootstrapParams(replicates=20 if quick else 100)
    if method.kind == KIND:
        params = _params(method.params, seed, quick)
        result = method.task(data, params, progress=silent)
        ends = None if result.low is None else (result.low, result.high)
        if ends is None:
            drawn = run_method_intervals(
                data,
                sure,
                progress=silent,
                method=result,
                estimator=Estimator.of(method, params),
            )
            ends = _ends(drawn)
        return Estimate(result.composition, result.second_opinion, ends)
    assert dtd is not None
    if method.kind == "adtd":
        limit = {"max_iterations": 20} if quick else {}
        params = ADTDParams(model=method.key.partition("+")[2], **limit)
        adtd = tasks.run_adtd(data, params, progress=silent, dtd=dtd)
        sure = sure.model_copy(
            update={"lambda2": params.lambda2, "max_iterations": params.max_iterations}
        )
        drawn = tasks.run_bootstrap(data, sure, progress=silent, dtd=dtd, adtd=adtd)
        return Estimate(adtd.composition, adtd.second_opinion, _ends(drawn))
    # the weights of DTD are learned once
    one = (
        dtd
        if method.can(Capability.WEIGHTS)
        else method.task(data, _params(method.params, seed, quick), progress=silent)
    )
    drawn = tasks.run_bootstrap(data, sure, progress=silent, dtd=one)
    return Estimate(one.composition["bulk"], one.second_opinion, _ends(drawn))


def _params(kind: type[Params], seed: int, quick: bool) -> Params:
    """Defaults of a method but for the seed, and small sizes where it is to be quick."""
    small = {"train_mixtures": 60, "mixtures": 60, "iterations": 60, "test_mixtures": 30}
    size = small if quick else {}
    given = {"seed": seed, **size}
    return kind.parse(**{name: given[name] for name in given if name in kind.model_fields})


def _ends(drawn: BootstrapResult) -> tuple[pd.DataFrame, pd.DataFrame]:
    low, high = (end.drop(index=HIDDEN, errors="ignore") for end in (drawn.low, drawn.high))
    return low, high
