"""Load: all chosen files together into this session or a new one; asks where something would be
lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from dash import ALL, Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import clicked
from gui.components.example import take_example
from gui.engine.params import ApplyParams
from gui.engine.tasks import run_apply
from gui.errors import InvalidParameter, MissingPart
from gui.pages.upload.base import CHOICES, FORM, OPTIONS, PARTS, TOKENS, page
from gui.pages.upload.files import Collected, collect, loaded_model
from gui.pages.upload.mending import KEPT, REPAIRS_NOW, Entry, chosen_files, counting
from gui.pages.upload.requests import asked
from gui.plugin import Context
from gui.text import some

AGAIN = "again_token"
"""Under this name the values of the last load are kept with the form: they point to files, so they
are not saved.
"""
CLEARED = [Output(part.field.token_id, "data", allow_duplicate=True) for part in PARTS]


@page.callback(
    Output(page.id.question, "data"),
    *CLEARED,
    Input(page.id.load, "n_clicks"),
    *[State(t.component_id, "data") for t in TOKENS],
    *CHOICES,
    REPAIRS_NOW,
    *FORM,
    running=[(Output(page.id.load, "loading"), True, False)],
    prevent_initial_call=True,
)
def load(ctx: Context, clicks: int | None, *values: Any) -> Any:
    """All files together, or nothing: a refused file leaves the session as it was."""
    if not clicks:
        raise PreventUpdate
    collected = _collected(ctx, values)
    question = _question(ctx, collected)
    if question:
        return [question, *[no_update] * len(CLEARED)]
    _take(ctx, collected, values)
    return [None, *[None] * len(CLEARED)]


@page.callback(
    Output(page.id.confirm, "opened"),
    Output(page.id.ask, "children"),
    Output(page.id.confirm, "title"),
    Output(page.id.replace, "children"),
    Input(page.id.question, "data"),
    prevent_initial_call=True,
)
def ask(ctx: Context, question: dict[str, Any] | None) -> Any:
    if not question:
        return False, no_update, no_update, no_update
    return True, question["text"], question["title"], question["replace"]


@page.callback(
    Output(page.id.question, "data", allow_duplicate=True),
    *CLEARED,
    Input(page.id.replace, "n_clicks"),
    Input(page.id.fresh, "n_clicks"),
    Input(page.id.no, "n_clicks"),
    State(page.id.question, "data"),
    *[State(t.component_id, "data") for t in TOKENS],
    *CHOICES,
    REPAIRS_NOW,
    *FORM,
    running=[
        (Output(page.id.replace, "loading"), True, False),
        (Output(page.id.fresh, "loading"), True, False),
    ],
    prevent_initial_call=True,
)
def confirmed(
    ctx: Context,
    _replace: Any,
    _fresh: Any,
    _no: Any,
    question: dict[str, Any] | None,
    *values: Any,
) -> Any:
    if call.triggered_id == page.id.no:
        return [None, *[no_update] * len(CLEARED)]
    if question and question.get("example"):
        _take_example(ctx, fresh=call.triggered_id == page.id.fresh)
        return [None, *[no_update] * len(CLEARED)]
    if question and "undo" in question:
        values = undone(ctx, question["undo"])
    _take(ctx, _collected(ctx, values), values, fresh=call.triggered_id == page.id.fresh)
    return [None, *[None] * len(CLEARED)]


@page.callback(
    Output(page.id.question, "data", allow_duplicate=True),
    Input(page.id.example, "n_clicks"),
    running=[(Output(page.id.example, "loading"), True, False)],
    prevent_initial_call=True,
)
def load_example(ctx: Context, clicks: int | None) -> Any:
    """A simulated data set with known truth: into a session of its own; where there is one session
    only, asking before it replaces data.
    """
    if not clicks:
        raise PreventUpdate
    there = ctx.session.dataset is not None
    if there and ctx.sessions.single:
        return {**_replacing(ctx), "example": True}
    _take_example(ctx, fresh=there)
    return no_update


def _take_example(ctx: Context, *, fresh: bool) -> None:
    take_example(ctx, fresh=fresh)
    ctx.notify("The example is loaded. Next: DTD.", colour="green")


def split(values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Any, Sequence[Any]]:
    """Values of the form as tokens of the files, their options, repairs, and the rest."""
    rest = values[len(PARTS) :]
    return values[: len(PARTS)], rest[: len(CHOICES)], rest[len(CHOICES)], rest[len(CHOICES) + 1 :]


def _collected(ctx: Context, values: tuple[Any, ...]) -> Collected:
    """The form as one request."""
    tokens, options, entries, (scale, share, seed, author, description) = split(values)
    if share in (None, "") or not 5 <= float(share) <= 80:
        raise InvalidParameter("Kept back for testing is not from 5 to 80 %.")
    if seed in (None, "") or int(seed) < 0:
        raise InvalidParameter("The seed of the split is not a whole number from 0.")
    wanted = asked(ctx, tokens, options, entries)
    return collect(
        ctx,
        wanted,
        scale=bool(scale),
        share=float(share) / 100,
        seed=int(seed),
        author=author or "",
        description=description or "",
    )


def _question(ctx: Context, collected: Collected) -> dict[str, Any] | None:
    """What must be asked before loading, None if nothing is lost."""
    if ctx.session.dataset is None:
        return None
    if not collected.bulk_only:
        return _replacing(ctx)
    lacking = collected.missing_genes(ctx.session.current("dtd"))
    if not lacking:
        return None
    total = len(ctx.session.current("dtd").result.genes)  # type: ignore[union-attr]
    return {
        "title": "Genes of the DTD run are missing",
        "text": (
            f"{len(lacking)} of the {total} genes of the DTD run are not in the new bulk"
            f" ({some(lacking)}). The gene weights would have to be learned again."
        ),
        "replace": "Load and clear the results",
    }


def _replacing(ctx: Context) -> dict[str, Any]:
    """The question before the session's data are replaced."""
    runs, held = len(ctx.session.runs()), ctx.session.need_dataset().name
    lost = (
        f"{runs} result{'s' if runs != 1 else ''} would be cleared."
        if runs
        else "There are no results yet."
    )
    one = ctx.sessions.single
    return {
        "title": "There are data already" if one else "This session already holds data",
        "text": (
            f"{held} is loaded. {lost}" if one else f"“{ctx.session.name}” holds {held}. {lost}"
        ),
        "replace": "Replace and clear the results" if runs else "Replace",
    }


def _take(
    ctx: Context, collected: Collected, values: Sequence[Any], *, fresh: bool = False
) -> None:
    """Put what was read into a session: this one, or a new one named after the file."""
    dataset, model = collected.dataset, collected.model
    session = ctx.session
    keep = collected.bulk_only and not collected.missing_genes(session.current("dtd")) and not fresh
    if fresh or not session.holds_data:
        session = ctx.sessions.create_session(
            ctx.sessions.free_name(dataset.name, actor=ctx.actor), actor=ctx.actor
        )
    session.set_dataset(dataset, keep_runs=keep)
    if model is not None:
        session.add_run(loaded_model(model, dataset))
    ctx.session.keep_form(page.key, {f"{part.role}_token": None for part in PARTS} | {KEPT: []})
    session.keep_form(page.key, {AGAIN: _forget(ctx, values)})
    ctx.switch_to(session.session_id)
    dtd = session.current("dtd")
    if (
        dataset.bulk is not None
        and dtd is not None
        and (model is not None or (keep and session.bulk_outdated(dtd)))
    ):
        ctx.jobs.submit(
            run_apply,
            session.session_id,
            ApplyParams(),
            kind="apply",
            title="Composition of the bulk",
            inputs={"dtd": dtd.id},
        )
    ctx.mended()
    ctx.notify(f"{dataset.name} is loaded.", colour="green")


def _forget(ctx: Context, values: Sequence[Any]) -> list[Any] | None:
    """What was loaded is in memory now, and no copy of it stays on disk: the session may be, or
    become, a protected one.

    Files that lie where the user keeps them are remembered as long as the program runs: a repair
    can be undone by reading them again. Returns the values for that, or None if an uploaded file
    was among them.
    """
    tokens, options, entries, form = split(values)
    files = chosen_files(tokens)
    counted = counting(entries, files)
    used = [
        *files.values(),
        *[v for n, v in zip(cycle(OPTIONS), options, strict=False) if n == "labels_token" and v],
    ]
    used += [e["table"] for e in counted if e.get("table")]
    stay = all(ctx.uploads.stays(token) for token in used)
    for token in used:
        if not ctx.uploads.stays(token):
            ctx.uploads.forget(token)
    return [*tokens, *options, counted, *form] if stay else None


# -- a repair of what is loaded
# --------------------------------------------------------------------------------------------------


def undoable(ctx: Context) -> list[Entry]:
    """The repairs of the data that are loaded, as far as their files are still there."""
    values = ctx.session.form(page.key).get(AGAIN)
    if not values:
        return []
    tokens, _, entries, _ = split(values)
    there = all(ctx.uploads.stays(token) for token in filter(None, tokens))
    return list(entries) if there else []


def undone(ctx: Context, record: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of the last load without one repair. MissingPart if its file is gone."""
    entries = undoable(ctx)
    if record not in [e["record"] for e in entries]:
        raise MissingPart(
            "The file of this repair is no longer there.",
            advice="Choose it again, and leave the repair off.",
        )
    tokens, options, _, form = split(ctx.session.form(page.key)[AGAIN])
    return (*tokens, *options, [e for e in entries if e["record"] != record], *form)


@page.callback(
    Output(page.id.question, "data", allow_duplicate=True),
    Input(page.id.each("undo", ALL), "n_clicks"),
    running=[(Output(page.id.undo_bar, "className"), "dcx-busy", "")],
    prevent_initial_call=True,
)
def undo(ctx: Context, _clicks: Any) -> Any:
    """A repair of the loaded data is taken back: their files are read again without it; asks where
    results would be lost.
    """
    index = clicked()
    if index is None:
        raise PreventUpdate
    record = json.loads(index)
    values = undone(ctx, record)
    collected = _collected(ctx, values)
    question = _question(ctx, collected) if ctx.session.runs() else None
    if question:
        return {**question, "undo": record}
    _take(ctx, collected, values)
    return None
