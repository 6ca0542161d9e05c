"""Load: all chosen files together into this session or a new one; asks where something would be
lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import ALL, Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import clicked
from gui.components.example import take_example
from gui.components.number_field import typed_number
from gui.engine.params import ApplyParams
from gui.engine.tasks import run_apply
from gui.errors import InvalidParameter, MissingPart
from gui.pages.upload.base import PARTS, page
from gui.pages.upload.files import Collected, collect, loaded_model
from gui.pages.upload.repair_form import KEPT, Entry
from gui.pages.upload.requests import FORM_STATES, UploadForm, asked
from gui.plugin import Context
from gui.text import some

AGAIN = "again_token"
"""Under this name the values of the last load are kept with the form: they point to files, so they
are not saved.
"""
CLEARED = [Output(part.field.token_id, "data", allow_duplicate=True) for part in PARTS]
LOADED = {"question": None, "tokens": [None] * len(CLEARED)}
"""The answer of a callback that has loaded: the form is empty."""


@page.callback(
    output={"question": Output(page.id.question, "data"), "tokens": CLEARED},
    inputs={"clicks": Input(page.id.load, "n_clicks")},
    state={"form": FORM_STATES},
    running=[(Output(page.id.load, "loading"), True, False)],
    prevent_initial_call=True,
)
def load(ctx: Context, *, clicks: int | None, form: dict[str, Any]) -> dict[str, Any]:
    """All files together, or nothing: a refused file leaves the session as it was."""
    if not clicks:
        raise PreventUpdate
    filled = UploadForm(**form)
    collected = _collected(ctx, filled)
    question = _question(ctx, collected)
    if question:
        return {"question": question}
    _take(ctx, collected, filled)
    return LOADED


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
    output={
        "question": Output(page.id.question, "data", allow_duplicate=True),
        "tokens": CLEARED,
    },
    inputs={
        "_replace": Input(page.id.replace, "n_clicks"),
        "_fresh": Input(page.id.fresh, "n_clicks"),
        "_no": Input(page.id.no, "n_clicks"),
    },
    state={"question": State(page.id.question, "data"), "form": FORM_STATES},
    running=[
        (Output(page.id.replace, "loading"), True, False),
        (Output(page.id.fresh, "loading"), True, False),
    ],
    prevent_initial_call=True,
)
def confirmed(
    ctx: Context,
    *,
    question: dict[str, Any] | None,
    form: dict[str, Any],
    _replace: Any,
    _fresh: Any,
    _no: Any,
) -> dict[str, Any]:
    if call.triggered_id == page.id.no:
        return {"question": None}
    fresh = call.triggered_id == page.id.fresh
    if question and question.get("example"):
        _take_example(ctx, fresh=fresh)
        return {"question": None}
    filled = UploadForm(**form)
    if question and "undo" in question:
        filled = undone(ctx, question["undo"])
    _take(ctx, _collected(ctx, filled), filled, fresh=fresh)
    return LOADED


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


def _collected(ctx: Context, form: UploadForm) -> Collected:
    """What the form asks for, read."""
    kept_back = typed_number(form.share, "Kept back for testing")
    if kept_back is None or not 5 <= kept_back <= 80:
        raise InvalidParameter("Kept back for testing is not from 5 to 80 %.")
    if form.seed in (None, "") or int(form.seed) < 0:
        raise InvalidParameter("The seed of the split is not a whole number from 0.")
    return collect(
        ctx,
        asked(ctx, form.tokens, form.options, form.entries),
        scale=bool(form.scale),
        share=kept_back / 100,
        seed=int(form.seed),
        author=form.author or "",
        description=form.description or "",
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


def _take(ctx: Context, collected: Collected, form: UploadForm, *, fresh: bool = False) -> None:
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
    session.keep_form(page.key, {AGAIN: _forget(ctx, form)})
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


def _forget(ctx: Context, form: UploadForm) -> dict[str, Any] | None:
    """What was loaded is in memory now, and no copy of it stays on disk: the session may be, or
    become, a protected one.

    Files that lie where the user keeps them are remembered as long as the program runs: a repair
    can be undone by reading them again.
    Returns the values for that, or None if an uploaded file was among them.
    """
    copies = [token for token in form.used if not ctx.uploads.stays(token)]
    for token in copies:
        ctx.uploads.forget(token)
    return None if copies else form.values()


# -- a repair of what is loaded
# --------------------------------------------------------------------------------------------------


def undoable(ctx: Context) -> list[Entry]:
    """The repairs of the data that are loaded, as far as their files are still there."""
    values = ctx.session.form(page.key).get(AGAIN)
    if not values:
        return []
    form = UploadForm(**values)
    there = all(ctx.uploads.stays(token) for token in form.files.values())
    return list(form.entries or []) if there else []


def undone(ctx: Context, record: Mapping[str, Any]) -> UploadForm:
    """The form of the last load without one repair. MissingPart if its file is gone."""
    entries = undoable(ctx)
    if record not in [e["record"] for e in entries]:
        raise MissingPart(
            "The file of this repair is no longer there.",
            advice="Choose it again, and leave the repair off.",
        )
    form = UploadForm(**ctx.session.form(page.key)[AGAIN])
    return replace(form, entries=[e for e in entries if e["record"] != record])


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
    form = undone(ctx, record)
    collected = _collected(ctx, form)
    question = _question(ctx, collected) if ctx.session.runs() else None
    if question:
        return {**question, "undo": record}
    _take(ctx, collected, form)
    return None
