"""Choosing files: what is in one, how it is read, and whether Load can do something."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from gui.errors import DeconomixError
from gui.pages.upload.base import FORM, GONE, OPTIONS, PARTS, SELECTS, TOKENS, Part, page
from gui.pages.upload.files import inspected, words_of
from gui.plugin import REVISION, Context


def _bind_part(part: Part) -> None:
    part.field.bind()
    part.labels.bind()

    @page.callback(
        Output(part.id("choosing"), "style"),
        Output(part.id("chosen"), "style"),
        Output(part.id("name"), "children"),
        Output(part.id("found"), "children"),
        *[Output(part.id(name), prop) for name, prop in OPTIONS.items()],
        *[Output(part.id(f"{name}_box"), "style") for name in OPTIONS],
        *[Output(part.id(name), "data") for name in SELECTS],
        Output(part.field.token_id, "data", allow_duplicate=True),
        Input(part.field.token_id, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def show_chosen(ctx: Context, token: str | None) -> Any:
        """Look into the file that was chosen; one that cannot be read is not taken."""
        kept = ctx.session.form(page.key)
        empty = [False if prop == "checked" else None for prop in OPTIONS.values()]
        nothing: list[Any] = [
            {},
            GONE,
            "",
            "",
            *empty,
            *[GONE] * len(OPTIONS),
            *[[] for _ in SELECTS],
        ]
        if token is None:
            ctx.session.keep_form(page.key, {f"{part.role}_token": None})
            return [*nothing, no_update]
        try:
            found = inspected(ctx, ctx.uploads.get(token), part.role)
        except DeconomixError as error:
            ctx.complain(error, f"{part.role} content")
            ctx.uploads.forget(token)
            ctx.session.keep_form(page.key, {f"{part.role}_token": None})
            return [*nothing, None]
        ctx.mended(f"{part.role} content")
        same = kept.get(f"{part.role}_token") == token
        ctx.session.keep_form(page.key, {f"{part.role}_token": token})
        values, boxes = [], []
        for place, name in enumerate(OPTIONS):
            proposed = found.options[name][1] if name in found.options else empty[place]
            values.append(
                kept.get(f"{part.role}_{name}", proposed)
                if same and name in found.options
                else proposed
            )
            boxes.append({} if name in found.options else GONE)
        choices = [found.options[name][0] if name in found.options else [] for name in SELECTS]
        return [GONE, {}, found.name, found.words, *values, *boxes, *choices, no_update]

    @page.callback(
        Output(part.field.token_id, "data", allow_duplicate=True),
        Input(part.id("remove"), "n_clicks"),
        State(part.field.token_id, "data"),
        prevent_initial_call=True,
    )
    def remove(ctx: Context, clicks: int | None, token: str | None) -> None:
        if not clicks:
            raise PreventUpdate
        if token:
            ctx.uploads.forget(token)
        return

    @page.callback(
        *[Input(part.id(name), prop) for name, prop in OPTIONS.items()],
        State(part.field.token_id, "data"),
        prevent_initial_call=True,
    )
    def keep_options(ctx: Context, *values: Any) -> None:
        if values[-1]:
            ctx.session.keep_form(
                page.key,
                {
                    f"{part.role}_{name}": value
                    for name, value in zip(OPTIONS, values[:-1], strict=True)
                },
            )

    @page.callback(Output(part.id("labels_name"), "children"), Input(part.labels.token_id, "data"))
    def name_labels(ctx: Context, token: str | None) -> str:
        name = _name(ctx, token)
        return (
            f"Cell types are taken from {name}."
            if name
            else "The file holds no cell types: give a table of barcodes and types."
        )

    for function in (show_chosen, remove, keep_options, name_labels):
        function.__name__ = f"{part.role}_{function.__name__}"


for _each in PARTS:
    _bind_part(_each)


def _name(ctx: Context, token: str | None) -> str:
    """Name of a chosen file, "" if there is none (any more)."""
    try:
        return ctx.uploads.get(token).name if token else ""
    except DeconomixError:
        return ""


@page.callback(
    Output(page.id.load, "disabled"),
    Output(page.id.reason, "children"),
    *TOKENS,
    Input(page.id.verdict, "data"),
    Input(page.id.asked, "data"),
    REVISION,
)
def may_load(ctx: Context, *values: Any) -> Any:
    """Load is there as soon as it can do something; until then it says what is missing, or what was
    found that stands in the way.
    """
    verdict, asked = values[len(PARTS)] or {}, values[len(PARTS) + 1]
    files = {part.role: token for part, token in zip(PARTS, values, strict=False) if token}
    chosen = set(files)
    if "model" in chosen and "train" in chosen:
        return True, "Choose either training data or a trained model."
    if files and (verdict.get("files") != files or verdict.get("asked") != asked):
        return True, "Looking at the files…"
    if verdict.get("blocked"):
        return True, verdict["blocked"]
    if chosen & {"train", "model"} or (chosen == {"bulk"} and ctx.session.dataset is not None):
        return False, words_of(chosen, _name(ctx, values[0]))
    if chosen == {"bulk"}:
        return True, "Training data or a trained model is missing."
    return (
        True,
        "Choose training data to begin."
        if ctx.session.dataset is None
        else "Choose files to load others.",
    )


@page.callback(
    *[Input(i.component_id, i.component_property) for i in FORM], prevent_initial_call=True
)
def keep_form(ctx: Context, *values: Any) -> None:
    ctx.session.keep_form(
        page.key,
        dict(zip(("scale", "share", "seed", "author", "description"), values, strict=True)),
    )
