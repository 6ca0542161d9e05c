"""Page Compare: its fields, and the two runs that they name."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, State

from gui.analyses.composition import INPUTS
from gui.answers.comparison import Comparison, Side, compare, shown_table
from gui.answers.conclusions import shown_conclusions
from gui.answers.run_names import source_label
from gui.components.common import tip_label
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.files import HTML
from gui.plugin import Context, DCXCache, Page
from gui.report.comparison import AGREEMENT, comparison_report

page = Page("compare", "Compare", "two runs beside each other", order=70, requires=("composition",))
WHAT, TYPES, SCATTER, BLAND, CONCLUSIONS = "what", "types", "scatter", "bland", "conclusions"
LOOKS = {
    TYPES: "By cell type",
    WHAT: "What differs",
    CONCLUSIONS: "Conclusions",
    SCATTER: "One type",
    BLAND: "Differences",
}
FIGURES = (SCATTER, BLAND)
ABOUT = {
    WHAT: "What two runs differ in.",
    TYPES: "Agreement of two runs by cell type, aligned by name.",
    CONCLUSIONS: "What Groups and Survival call on each of two runs.",
}
THIS = ""
"""In place of the id of a session: the one of this tab."""
TOO_FEW = (
    "There is only one run to look at",
    "Run DTD or ADTD once more with other parameters, or choose another session on the left.",
)
KINDS = INPUTS
FIELDS = {
    "session": Input(page.id.session, "value"),
    "first": Input(page.id.first, "value"),
    "second": Input(page.id.second, "value"),
}
FIELD_STATES = {name: State(one.component_id, "value") for name, one in FIELDS.items()}


def select(name: str, label: str, tip: str) -> Any:
    """The choice of a run or a session; what it offers comes with the session."""
    return dmc.Select(
        id=getattr(page.id, name),
        label=tip_label(label, tip),
        data=[{"value": THIS, "label": "this session"}] if name == "session" else [],
        value=THIS if name == "session" else None,
        allowDeselect=False,
        size="sm",
    )


def runs_of(session: DCXCache) -> list[Run]:
    """Runs with a composition, newest first."""
    return [run for run in reversed(session.runs()) if run.kind in KINDS]


def options(runs: list[Run]) -> list[dict[str, str]]:
    return [{"value": run.id, "label": source_label(run)} for run in runs]


def chosen_runs(
    own: list[Run],
    others: list[Run],
    first: str | None,
    second: str | None,
    known: list[dict[str, str]] | None,
) -> tuple[str | None, str | None, list[Run]]:
    """The first and second run, and what is offered as the second.

    What was chosen stays while it is there. A run of this session that has just come is the second
    one, so that it is compared with what was there; from another session's runs it is the first.
    """
    here = own == others
    if first not in {run.id for run in own}:
        first = own[min(1, len(own) - 1) if here else 0].id if own else None
    come = own[0].id if known and own and own[0].id not in {o["value"] for o in known} else None
    if come is not None and here and len(own) > 1:
        first, second = (own[1].id if first == come else first), come
    elif come is not None:
        first = come
    rest = [run for run in others if run.id != first]
    if second not in {run.id for run in rest}:
        second = rest[0].id if rest else None
    return first, second, rest


def other_session(ctx: Context, session_id: str | None) -> DCXCache:
    """The session of the second run."""
    if not session_id or session_id == ctx.session_id:
        return ctx.session
    return ctx.get_session_cache(session_id)


def compared(
    ctx: Context, session: str | None, first: str | None, second: str | None
) -> Comparison:
    """The comparison that the fields ask for; DeconomixError where there is none."""
    return compare(*sides(ctx, session, first, second))


def sides(
    ctx: Context, session: str | None, first: str | None, second: str | None
) -> tuple[Side, Side]:
    """Both runs with their sessions."""
    other = other_session(ctx, session)
    runs = [ctx.session.run(first), other.run(second)]
    if runs[0] is None or runs[1] is None:
        raise MissingPart("Two runs are needed.", advice="Choose them on the left.")
    return Side(ctx.session, runs[0]), Side(other, runs[1])


def common_types(first: Side, second: Side) -> list[str]:
    """Cell types that both runs have, in the order of the first."""
    other = set(second.fractions.index.astype(str))
    return [name for name in first.fractions.index.astype(str) if name in other]


def frame_of(found: Comparison, look: str) -> pd.DataFrame:
    """The table of a look."""
    if look == WHAT:
        named = {"what": "What", "first": "First", "second": "Second"}
        return found.differences.rename(columns=named).set_index("What")
    if look == CONCLUSIONS:
        return shown_conclusions(found.conclusions)
    return shown_table(found)


def words_for(found: Comparison, look: str) -> str:
    """What is identical, or how the numbers are meant."""
    if look == WHAT:
        return f"Identical: {', '.join(found.same) or 'nothing'}."
    if look == CONCLUSIONS:
        return (
            "Groups and Survival as they were run last, repeated on both runs: cell types that are"
            " called on either. Those that changed come first."
            if found.conclusions
            else "Run Groups or Survival; it is then repeated on both runs."
        )
    notes = " ".join(found.agreement.notes)
    return f"{AGREEMENT} {notes}"


def bind_comparison_report() -> None:
    """Record the callback that saves the report on the two runs."""

    @page.callback(
        Input(page.id.report, "n_clicks"),
        *FIELD_STATES.values(),
        prevent_initial_call=True,
        long=True,
    )
    def save_report(ctx: Context, clicks: int | None, *fields: Any) -> None:
        if not clicks:
            return
        both = sides(ctx, *fields)
        name = f"{ctx.session.name} comparison report"
        told = ctx.files.save(name, comparison_report(*both), HTML)
        if told:
            ctx.notify(told, title="Saved", colour="teal")
