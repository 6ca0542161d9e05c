"""Page Robustness: its form, and the run that is computed again."""

from __future__ import annotations

from typing import Any

from gui.analyses.robustness import RobustnessParams
from gui.answers.analyses import composition_runs
from gui.answers.run_names import source_label
from gui.components.form import ParamsForm
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.methods.method import KIND
from gui.plugin import Context, Page

page = Page(
    "robustness",
    "Robustness",
    "what the fractions depend on",
    order=75,
    requires=("bulk", "composition"),
)
form = ParamsForm(
    page, RobustnessParams, names=("genes", "seeds", "left_out", "donors", "donor_column")
)


def sources(ctx: Context) -> list[Run]:
    """The runs on the bulk that can be computed again.

    Not those of a model that was applied to it, nor of a method whose plug-in is gone.
    """
    methods = {method.key for method in ctx.methods}
    return [
        run
        for run in composition_runs(ctx.session)
        if run.kind in ("dtd", "adtd") or (run.kind == KIND and run.result.method in methods)
    ]


def source_options(ctx: Context) -> list[dict[str, str]]:
    """``data`` of the choice of a run."""
    return [{"value": run.id, "label": source_label(run)} for run in sources(ctx)]


def source_run(ctx: Context, run_id: Any) -> Run:
    """The run that is chosen; MissingPart if there is none."""
    runs = sources(ctx)
    found = next((run for run in runs if run.id == run_id), runs[0] if runs else None)
    if found is None:
        raise MissingPart(
            "There is no composition of the bulk yet.", advice="Run DTD or another method first."
        )
    return found


def inputs_of(run: Run) -> dict[str, str]:
    """What the task gets: the run, and of ADTD also its DTD run."""
    dtd = run.provenance.inputs.get("dtd")
    return {run.kind: run.id} | ({"dtd": dtd} if run.kind == "adtd" and dtd else {})


def params_for(run: Run, params: RobustnessParams) -> RobustnessParams:
    """With what the run says; MissingPart for a model whose composition moves with its regulation.

    Raises
    ------
    MissingPart
        A Custom run with free C.
    """
    if run.kind != "adtd":
        return params
    made: Any = run.params
    if made.model == "custom" and not made.c_static:
        raise MissingPart(
            "The composition of a Custom run with free C depends on its gene regulation; it is not"
            " computed again here.",
            advice="Choose a run of another model.",
        )
    return params.model_copy(update={"max_iterations": made.max_iterations})
