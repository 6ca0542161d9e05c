"""Load: all chosen files together into this session or a new one; asks where something would be lost."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.data.checks import some
from gui.engine.params import ApplyParams
from gui.engine.tasks import run_apply
from gui.errors import InvalidParameter
from gui.pages.upload.base import CHOICES, FORM, OPTIONS, PARTS, TOKENS, page
from gui.pages.upload.files import Collected, collect, loaded_model
from gui.plugin import Context

CLEARED = [Output(part.field.token_id, "data", allow_duplicate=True) for part in PARTS]


@page.callback(
    Output(page.id.question, "data"),
    *CLEARED,
    Input(page.id.load, "n_clicks"),
    *[State(t.component_id, "data") for t in TOKENS],
    *CHOICES,
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
    _take(ctx, collected)
    _forget(ctx, values)
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
    *FORM,
    running=[(Output(page.id.replace, "loading"), True, False), (Output(page.id.fresh, "loading"), True, False)],
    prevent_initial_call=True,
)
def confirmed(ctx: Context, _replace: Any, _fresh: Any, _no: Any, question: dict[str, Any] | None, *values: Any) -> Any:
    if call.triggered_id == page.id.no:
        return [None, *[no_update] * len(CLEARED)]
    if question and question.get("example"):
        _take_example(ctx, fresh=call.triggered_id == page.id.fresh)
        return [None, *[no_update] * len(CLEARED)]
    _take(ctx, _collected(ctx, values), fresh=call.triggered_id == page.id.fresh)
    _forget(ctx, values)
    return [None, *[None] * len(CLEARED)]


@page.callback(
    Output(page.id.question, "data", allow_duplicate=True),
    Input(page.id.example, "n_clicks"),
    running=[(Output(page.id.example, "loading"), True, False)],
    prevent_initial_call=True,
)
def load_example(ctx: Context, clicks: int | None) -> Any:
    """A simulated data set with known truth: into a session of its own; where there is one session only, asking before it replaces data."""
    if not clicks:
        raise PreventUpdate
    there = ctx.session.dataset is not None
    if there and ctx.sessions.single:
        return {**_replacing(ctx), "example": True}
    _take_example(ctx, fresh=there)
    return no_update


def _take_example(ctx: Context, *, fresh: bool) -> None:
    from gui.data.example import make_example

    example = make_example()
    session = ctx.session
    if fresh or not session.holds_data:
        session = ctx.sessions.create_session(ctx.sessions.free_name("Example", actor=ctx.actor), actor=ctx.actor)
    session.set_dataset(example.dataset, keep_runs=False)
    ctx.switch_to(session.session_id)
    ctx.notify("The example is loaded. Next: DTD.", colour="green")


def _forget(ctx: Context, values: tuple[Any, ...]) -> None:
    """What is in the session need not lie in the folder of uploads as well."""
    for token in filter(None, values[: len(PARTS)]):
        ctx.uploads.forget(token)


def _collected(ctx: Context, values: tuple[Any, ...]) -> Collected:
    """The form as one request."""
    tokens, rest = values[: len(PARTS)], values[len(PARTS) :]
    options, (scale, share, seed, author, description) = rest[: -len(FORM)], rest[-len(FORM) :]
    files = {}
    for number, (part, token) in enumerate(zip(PARTS, tokens, strict=True)):
        if token:
            files[part.role] = (ctx.uploads.get(token), dict(zip(OPTIONS, options[3 * number : 3 * number + 3], strict=True)))
    if share in (None, "") or not 5 <= float(share) <= 80:
        raise InvalidParameter("Kept back for testing is not from 5 to 80 %.")
    if seed in (None, "") or int(seed) < 0:
        raise InvalidParameter("The seed of the split is not a whole number from 0.")
    return collect(
        ctx, files, scale=bool(scale), share=float(share) / 100, seed=int(seed), author=author or "", description=description or "", current=ctx.session.dataset
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
        "text": f"{len(lacking)} of the {total} genes of the DTD run are not in the new bulk ({some(lacking)}). "
        "The gene weights would have to be learned again.",
        "replace": "Load and clear the results",
    }


def _replacing(ctx: Context) -> dict[str, Any]:
    """The question before the session's data are replaced."""
    runs, held = len(ctx.session.runs()), ctx.session.need_dataset().name
    lost = f"{runs} result{'s' if runs != 1 else ''} would be cleared." if runs else "There are no results yet."
    one = ctx.sessions.single
    return {
        "title": "There are data already" if one else "This session already holds data",
        "text": f"{held} is loaded. {lost}" if one else f"“{ctx.session.name}” holds {held}. {lost}",
        "replace": "Replace and clear the results" if runs else "Replace",
    }


def _take(ctx: Context, collected: Collected, *, fresh: bool = False) -> None:
    """Put what was read into a session: this one, or a new one named after the file."""
    dataset, model = collected.dataset, collected.model
    session = ctx.session
    keep = collected.bulk_only and not collected.missing_genes(session.current("dtd")) and not fresh
    if fresh or not session.holds_data:
        session = ctx.sessions.create_session(ctx.sessions.free_name(dataset.name, actor=ctx.actor), actor=ctx.actor)
    session.set_dataset(dataset, keep_runs=keep)
    if model is not None:
        session.add_run(loaded_model(model, dataset))
    ctx.session.keep_form(page.key, {f"{part.role}_token": None for part in PARTS})
    ctx.switch_to(session.session_id)
    dtd = session.current("dtd")
    if dataset.bulk is not None and dtd is not None and (model is not None or (keep and session.bulk_outdated(dtd))):
        ctx.jobs.submit(run_apply, session.session_id, ApplyParams(), kind="apply", title="Composition of the bulk", inputs={"dtd": dtd.id})
    ctx.notify(f"{dataset.name} is loaded.", colour="green")
