"""All methods: built in, and those of plug-ins.

A plug-in file that holds a :class:`gui.methods.method.Method` brings it along; one that holds only
a page keeps working.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import DTDResult, Run
from gui.engine.tasks import run_adtd, run_dtd, run_naive
from gui.errors import InvalidParameter, PluginError
from gui.methods.hide import HideParams, run_hide
from gui.methods.least_squares import LeastSquaresParams, run_nnls, run_relative
from gui.methods.method import KIND, Capability, Method

BUILT_IN: Mapping[str, Method] = {
    method.key: method
    for method in (
        Method(
            "naive",
            "Naive",
            "Least squares with all gene weights 1.",
            run_naive,
            DTDParams,
            frozenset({Capability.INTERVALS}),
            kind="dtd",
        ),
        Method(
            "deconomix",
            "DTD",
            "Gene weights learned on pseudobulks of your single cells.",
            run_dtd,
            DTDParams,
            frozenset({Capability.WEIGHTS, Capability.INTERVALS}),
            kind="dtd",
        ),
        Method(
            "deconomix+h",
            "ADTD: hidden background",
            "Also estimates what is in the samples but not in the reference.",
            run_adtd,
            ADTDParams,
            frozenset({Capability.WEIGHTS, Capability.HIDDEN, Capability.INTERVALS}),
            kind="adtd",
        ),
        Method(
            "deconomix+h,r",
            "ADTD: hidden background and gene regulation",
            "Also estimates how each cell type expresses its genes differently.",
            run_adtd,
            ADTDParams,
            frozenset(
                {Capability.WEIGHTS, Capability.HIDDEN, Capability.REGULATION, Capability.INTERVALS}
            ),
            kind="adtd",
        ),
        Method(
            "relative",
            "Relative errors",
            "Robust non-negative least squares of relative errors: every gene counts by its"
            " relative error. Needs no training and no seed.",
            run_relative,
            LeastSquaresParams,
            needs="reference",
        ),
        Method(
            "hide",
            "HIDE",
            "Fine and coarse cell types together: coarse fractions are exactly the sums of the fine"
            " ones, and every layer learns gene weights of its own.",
            run_hide,
            HideParams,
            frozenset({Capability.WEIGHTS, Capability.LAYERS}),
        ),
        Method(
            "nnls",
            "NNLS",
            "Plain non-negative least squares: the simplest method, for comparison.",
            run_nnls,
            LeastSquaresParams,
            needs="reference",
        ),
    )
}
"""By key."""
STORED: Mapping[str, Any] = {kind.__name__: kind for kind in (LeastSquaresParams, HideParams)}
"""Parameters of the built-in methods by their name in session files."""


def others(methods: Iterable[Method] = BUILT_IN.values()) -> dict[str, Method]:
    """Those without a page of their own, by key."""
    return {method.key: method for method in methods if method.kind == KIND}


def check_method(method: Method, known: Mapping[str, Method]) -> None:
    """Refuse a plug-in's method that would take the place of another. PluginError."""
    if method.key in known:
        raise PluginError(f"another method has the key {method.key!r}")
    if method.kind != KIND:
        raise PluginError(f"its method {method.key!r} claims the runs of {method.kind!r}")


def method_named(key: str, known: Mapping[str, Method] = BUILT_IN) -> Method:
    """The method with this key; InvalidParameter names those there are."""
    if key not in known:
        raise InvalidParameter(
            f"There is no method “{key[:40]}”.", advice=f"Choose among {', '.join(known)}."
        )
    return known[key]


def has_gene_effects(run: Run | None) -> bool:
    """Whether a run says something of genes: a regulation, or a profile of what is hidden."""
    if run is None or run.kind not in ("adtd", KIND):
        return False
    result = run.result
    return result.gene_regulation is not None or result.hidden_profile is not None


def capabilities_of(run: Run) -> frozenset[Capability]:
    """What a run holds, from the run itself: a plug-in's method may be gone."""
    if run.kind == "adtd":
        regulated = run.result.gene_regulation is not None
        return frozenset(
            {
                Capability.WEIGHTS,
                Capability.HIDDEN,
                Capability.INTERVALS,
                *([Capability.REGULATION] if regulated else []),
            }
        )
    if run.kind in ("dtd", "apply"):
        learned = isinstance(run.result, DTDResult) and run.result.params is not None
        return frozenset(
            {
                Capability.INTERVALS,
                *([Capability.WEIGHTS] if not learned or len(run.result.loss) else []),
            }
        )
    if run.kind != KIND:
        return frozenset()
    found = run.result
    has = {
        Capability.WEIGHTS: found.gene_weights is not None,
        Capability.HIDDEN: found.hidden is not None,
        Capability.REGULATION: found.gene_regulation is not None,
        Capability.LAYERS: len(found.layers) > 1,
        Capability.INTERVALS: found.low is not None and found.high is not None,
    }
    return frozenset(name for name, there in has.items() if there)
