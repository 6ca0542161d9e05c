"""What a run of each kind holds: asked before it is added, saved or read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gui.analyses.registry import ANALYSES
from gui.engine.params import Params
from gui.engine.results import ENGINE_KINDS, Run
from gui.methods.method import KIND, MethodResult

KINDS: Mapping[str, tuple[type[Params], type[Any], Callable[[Any], bool]]] = {
    **ENGINE_KINDS,
    KIND: (Params, MethodResult, lambda result: bool(result.fits())),
    **{
        kind: (analysis.params, analysis.result, lambda result: bool(result.fits()))
        for kind, analysis in ANALYSES.items()
    },
}
"""Kind of a run -> its parameters, its result, and whether the result's parts fit together."""


def check_run(run: Run) -> None:
    """ValueError, with the reason, if parameters or result are not those of its kind.

    What a plug-in's kind holds, its page knows.
    """
    if not isinstance(run.params, Params):
        raise ValueError("the parameters of a run are none")
    if run.kind not in KINDS:
        return
    params, result, fits = KINDS[run.kind]
    if not isinstance(run.params, params) or not isinstance(run.result, result):
        raise ValueError(f"a run of the kind {run.kind} holds a {type(run.result).__name__}")
    if not fits(run.result):
        raise ValueError(f"the result of the kind {run.kind} does not fit together")
