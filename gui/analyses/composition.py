"""The composition of the bulk samples that an analysis is about, and its bootstrap draws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN
from gui.engine.results import ADTDResult, ApplyResult, BootstrapResult, DTDResult
from gui.errors import MissingPart
from gui.methods.method import KIND, MethodResult

INPUTS = ("adtd", "apply", "dtd", KIND)
"""Kinds of runs that hold a composition of the bulk; also the names of a task's inputs."""


def bulk_composition(
    *,
    dtd: DTDResult | None = None,
    apply: ApplyResult | None = None,
    adtd: ADTDResult | None = None,
    method: MethodResult | None = None,
) -> pd.DataFrame:
    """Cell types (and ``hidden`` where it is estimated) x bulk samples, as estimated.

    Raises
    ------
    MissingPart
        There is no run, or its composition is not that of the bulk.
    """
    if adtd is not None and adtd.truth is None:
        return adtd.full()
    if method is not None:
        return method.full()
    if apply is not None:
        return apply.composition
    if dtd is not None and "bulk" in dtd.composition:
        return dtd.composition["bulk"]
    raise MissingPart(
        "There is no composition of the bulk samples yet.", advice="Run DTD with a bulk first."
    )


def draws_of(fractions: pd.DataFrame, bootstrap: BootstrapResult | None) -> np.ndarray | None:
    """Draws x cell types x samples in the order of ``fractions``; None where there are none.

    Draws of other cell types or samples are not those of this composition: None as well.
    """
    if bootstrap is None or bootstrap.draws is None:
        return None
    rows = bootstrap.estimate.index.get_indexer(fractions.index)
    columns = bootstrap.estimate.columns.get_indexer(fractions.columns)
    if (rows < 0).any() or (columns < 0).any():
        return None
    return np.asarray(bootstrap.draws[:, rows][:, :, columns], dtype=np.float64)


def without_hidden(fractions: pd.DataFrame) -> pd.DataFrame:
    """The rows of the cell types alone."""
    return fractions.loc[fractions.index != HIDDEN]
