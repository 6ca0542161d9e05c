"""Choosing files: what is in one, how it is read, and whether Load can do something."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.errors import DeconomixError
from gui.pages.upload.base import FORM, GONE, OPTIONS, PARTS, SELECTS, TOKENS, Part, page
from gui.pages.upload.files import inspected, words_of
from gui.pages.upload.repair_form import chosen_files
from gui.plugin import REVISION, Context


def _bind_part(part: Part) -> None:
    part.field.bind()
    part.labels.bind()

    @page.callback(
        output={
            "choosing": Output(part.id("choosing"), "style"),
            "chosen": Output(part.id("chosen"), "style"),
            "name": Output(part.id("name"), "children"),
            "found": Output(part.id("found"), "children"),
            "values": {name: Output(part.id(name), prop) for name, prop in OPTIONS.items()},
            "boxes": {name: Output(part.id(f"{name}_box"), "style") for name in OPTIONS},
            "choices": {name: Output(part.id(name), "data") for name in SELECTS},
            "token": Output(part.field.token_id, "data", allow_duplicate=True),
        },
        inputs={"token": Input(part.field.token_id, "data")},
        prevent_initial_call="initial_duplicate",
    )
    def show_chosen(ctx: Context, *, token: str | None) -> dict[str, Any]:
        """Look into the file that was chosen; one that cannot be read is not taken."""
        kept = ctx.session.form(page.key)
        empty: dict[str, Any] = {
            name: False if prop == "checked" else None for name, prop in OPTIONS.items()
        }
        empty |= {"keep": [], "without": []}
        nothing = {
            "choosing": {},
            "chosen": GONE,
            "name": "",
            "found": "",
            "values": empty,
            "boxes": dict.fromkeys(OPTIONS, GONE),
            "choices": {name: [] for name in SELECTS},
        }
        if token is None:
            ctx.session.keep_form(page.key, {f"{part.role}_token": None})
            return nothing
        try:
            found = inspected(ctx, ctx.uploads.get(token), part.role)
        except DeconomixError as error:
            ctx.notify_error(error, f"{part.role} content")
            ctx.uploads.forget(token)
            ctx.session.keep_form(page.key, {f"{part.role}_token": None})
            return {**nothing, "token": None}
        ctx.mended(f"{part.role} content")
        same = kept.get(f"{part.role}_token") == token
        ctx.session.keep_form(page.key, {f"{part.role}_token": token})
        proposed = {name: value for name, (_, value) in found.options.items()}
        if same:
            proposed = {
                name: kept.get(f"{part.role}_{name}", value) for name, value in proposed.items()
            }
        return {
            "choosing": GONE,
            "chosen": {},
            "name": found.name,
            "found": found.words,
            "values": {**empty, **proposed},
            "boxes": {name: {} if name in found.options else GONE for name in OPTIONS},
            "choices": {
                name: found.options[name][0] if name in found.options else [] for name in SELECTS
            },
        }

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
        inputs={"values": {n: Input(part.id(n), prop) for n, prop in OPTIONS.items()}},
        state={"token": State(part.field.token_id, "data")},
        prevent_initial_call=True,
    )
    def keep_options(ctx: Context, *, values: dict[str, Any], token: str | None) -> None:
        if token:
            ctx.session.keep_form(page.key, {f"{part.role}_{n}": v for n, v in values.items()})

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
    inputs={
        "tokens": TOKENS,
        "verdict": Input(page.id.verdict, "data"),
        "asked": Input(page.id.asked, "data"),
        "_revision": REVISION,
    },
)
def may_load(
    ctx: Context,
    *,
    tokens: list[str | None],
    verdict: dict[str, Any] | None,
    asked: float | None,
    _revision: str | None,
) -> tuple[bool, str]:
    """Load is there as soon as it can do something; until then it says what is missing, or what was
    found that stands in the way.
    """
    verdict, files = verdict or {}, chosen_files(tokens)
    chosen = set(files)
    if "model" in chosen and "train" in chosen:
        return True, "Choose either training data or a trained model."
    if files and (verdict.get("files") != files or verdict.get("asked") != asked):
        return True, "Looking at the files…"
    if verdict.get("blocked"):
        return True, verdict["blocked"]
    if (
        chosen & {"train", "model"}
        or {"reference", "bulk"} == chosen
        or (chosen == {"bulk"} and ctx.session.dataset is not None)
    ):
        return False, words_of(chosen, _name(ctx, files.get("train")))
    if chosen == {"bulk"}:
        return True, "Training data, a reference or a trained model is missing."
    if chosen == {"reference"}:
        return True, "Choose bulk samples too, or training data."
    return (
        True,
        "Choose training data to begin."
        if ctx.session.dataset is None
        else "Choose files to load others.",
    )


@page.callback(
    inputs={"values": {n: Input(s.component_id, s.component_property) for n, s in FORM.items()}},
    prevent_initial_call=True,
)
def keep_form(ctx: Context, *, values: dict[str, Any]) -> None:
    ctx.session.keep_form(page.key, values)
