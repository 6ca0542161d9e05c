"""Page ADTD: forms, current runs and formats shared by its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html

from gui.answers.confidence_intervals import bootstrap_of, with_stable_support
from gui.answers.second_opinion import doubts
from gui.components.common import warning
from gui.components.form import ParamsForm
from gui.components.headline import Headline
from gui.components.views import GONE, SHOWN
from gui.engine.params import (
    MODEL_NAMES,
    WEIGHT_NAMES,
    ADTDParams,
    SearchParams,
    adtd_unused,
)
from gui.engine.results import ADTDResult, BootstrapResult, Run
from gui.plugin import Context, Page

page = Page("adtd", "ADTD", "hidden background, regulation", order=30, requires=("dtd",))
form = ParamsForm(
    page,
    ADTDParams,
    choices={
        "model": {name: MODEL_NAMES[name] for name in ("h", "h,r", "custom")},
        "part": {
            "bulk": "Bulk samples",
            "test": "Test pseudobulks",
            "train": "Training pseudobulks",
        },
        "gene_weights": WEIGHT_NAMES,
    },
)
search_form = ParamsForm(
    page, SearchParams, prefix="search_", names=("smallest", "largest", "points", "folds")
)
"""The dataset of a search is that of the form above it."""

COMPOSITION, OPINION, HIDDEN_TAB, REGULATION, SEARCH, SURE, KNOWN = (
    "composition",
    "opinion",
    "hidden",
    "regulation",
    "search",
    "sure",
    "known",
)
TABS = {
    COMPOSITION: "Composition",
    OPINION: "Second opinion",
    HIDDEN_TAB: "Hidden profile",
    REGULATION: "Gene regulation",
    SEARCH: "Search",
    SURE: "Uncertainty",
    KNOWN: "Against known",
}
TAB = Input(page.id.tabs, "value")
"""The open tab: only its content is computed and sent."""


def visible(condition: bool) -> dict[str, str]:
    """The style of a part that is there only at times."""
    return SHOWN if condition else GONE


def adtd_run(ctx: Context) -> Run | None:
    """The Deconomix+h or +h,r current run."""
    return ctx.session.current("adtd")


def intervals_of(ctx: Context, run: Run) -> BootstrapResult | None:
    """The intervals of a run, where they were computed and still belong to the data."""
    found = bootstrap_of(ctx.session, run)
    return None if found is None else found.result


def stable_result(ctx: Context, run: Run) -> ADTDResult:
    """The run's result, without support for regulation whose direction is not sure."""
    return with_stable_support(run.result, intervals_of(ctx, run))


def search_run(ctx: Context) -> Run | None:
    """The current search."""
    return ctx.session.current("search")


def kept_values(ctx: Context) -> dict[str, Any]:
    """The parameters as the session keeps them, defaults where it does not."""
    kept = ctx.session.form(page.key)
    return {name: kept.get(name, field.default) for name, field in ADTDParams.model_fields.items()}


def saved_as(result: ADTDResult, name: str) -> str:
    """Return the file name of a table; it says if refining changed the numbers."""
    return f"{name}-refined" if result.refined else name


def applies(values: Mapping[str, Any]) -> dict[str, bool]:
    """Which of the fields mean something for the chosen model; the others are not shown."""
    unused = adtd_unused(
        values["model"], c_static=values["c_static"], delta_static=values["delta_static"]
    )
    return {
        "lambda2": "lambda2" not in unused,
        "custom": "c_static" not in unused,
        "lambda1": "lambda1" not in unused,
    }


def head_card(name: str, actions: Any, *, there: bool = False) -> Any:
    """Return the card above the tabs; filled by :func:`head_parts`.

    Parameters
    ----------
    there
        Whether there is a run to speak of.
    """
    return html.Div(
        _headline(name).layout(actions),
        id=getattr(page.id, f"{name}_head"),
        style=SHOWN if there else GONE,
    )


def head_outputs(name: str) -> dict[str, Output]:
    """What :func:`head_parts` fills."""
    return _headline(name).outputs


def head_parts(
    ctx: Context,
    name: str,
    run: Run,
    sentence: str,
    badges: Sequence[tuple[str, str]],
    again: str,
    warnings: Sequence[Any],
) -> dict[str, Any]:
    """Return the contents of the card above the tabs.

    Parameters
    ----------
    badges
        (text, colour).
    again
        The text of the button that renews an outdated result.
    warnings
        What weakens the result: sentences, or components.
    """
    outdated = ctx.session.outdated(run)
    bar = None
    if outdated:
        button = dmc.Button(
            again,
            id=page.id.each("again", run.id),
            size="compact-sm",
            variant="light",
            color="orange",
        )
        bar = html.Div(warning(outdated, button), className="dcx-bar")
    weak = doubts(run.result) if isinstance(run.result, ADTDResult) else ""
    other = [text for text in warnings if text not in (outdated, f"ADTD: {outdated}")]
    return _headline(name).parts(sentence, badges, other, bar, weak)


def _headline(name: str) -> Headline:
    return Headline(page, name, details="remarks")
