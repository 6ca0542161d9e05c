"""The library of references: choose one instead of training files, and keep the present data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from gui.answers.next_step import current_dtd
from gui.components.common import clicked, tip_label, warning
from gui.components.file_field import FileField
from gui.components.number_field import whole_number_field
from gui.data.dataset import Dataset
from gui.data.load import LoadRequest, bulk_task
from gui.engine.reference_fit import ReferenceFit
from gui.errors import DeconomixError, InvalidParameter, MissingPart
from gui.figures.text import percent
from gui.files import REFERENCE
from gui.pages.upload.base import CHOICES, PARTS, page
from gui.pages.upload.repair_form import REPAIRS_NOW, TOKENS_NOW, chosen_files, repairs_of
from gui.pages.upload.requests import choice_of
from gui.plugin import Context
from gui.sessions.reference_library import Reference
from gui.sessions.references import (
    CELLS,
    LoadedReference,
    Renaming,
    fits_task,
    make_reference,
    reference_task,
    rename_task,
)
from gui.text import number, size_words

given = FileField(page, "library_file", (REFERENCE,), title="Add a reference file")
STATE = page.id.library_state
"""Store: what is being renamed or deleted, and how well each reference fits the bulk."""
FIELDS = ("name", "source", "licence", "note", "cells", "weights")
"""Of the dialog that saves the present data."""


# -- layout
# --------------------------------------------------------------------------------------------------
def opener(ctx: Context) -> Any:
    """The button below the training data."""
    return dmc.Button(
        "Or from the library…",
        id=page.id.library_open,
        variant="light",
        size="xs",
        fullWidth=True,
    )


def dialogs(ctx: Context) -> list[Any]:
    """The list of references, and the dialog that saves the present data as one."""
    shown = dmc.Stack(
        [
            dmc.Text(
                "Single cells with known types, to be used instead of training files. They should"
                " be of the same tissue as your samples.",
                size="sm",
            ),
            dmc.Group(
                [
                    dmc.Button("Which fits my bulk?", id=page.id.library_fit, size="xs"),
                    dmc.Text("", id=page.id.library_said, size="xs", c="dimmed"),
                ],
                gap="sm",
            ),
            html.Div(id=page.id.library_list),
            dmc.Text("Add a reference that somebody gave you", fw=600, size="sm"),
            given.layout(ctx),
        ]
    )
    return [
        dcc.Store(id=STATE),
        dmc.Modal(shown, id=page.id.library, title="Reference library", size="xl"),
        dmc.Modal(
            _save_form(ctx), id=page.id.saved_reference, title="Save as reference", size="lg"
        ),
    ]


def _save_form(ctx: Context) -> Any:
    everyone = (
        []
        if ctx.program.one_user
        else [warning("Everyone who uses this program can choose the reference.")]
    )
    return dmc.Stack(
        [
            dmc.Text(
                "Keeps the training and test cells with their types. Nothing of the bulk samples,"
                " no names of cells and no other annotation goes with them. The file is not"
                " protected by a password.",
                size="sm",
            ),
            *everyone,
            dmc.TextInput(id=page.id.saved_reference_name, label="Name"),
            dmc.TextInput(
                id=page.id.saved_reference_source,
                label=tip_label("Source", "Where the cells come from: a paper, an accession."),
            ),
            dmc.TextInput(
                id=page.id.saved_reference_licence,
                label="Licence",
                placeholder="for example CC-BY-4.0; empty: not known",
            ),
            dmc.Textarea(
                id=page.id.saved_reference_note,
                label="Note",
                placeholder="for example what it lacks",
                autosize=True,
                minRows=2,
                maxRows=4,
            ),
            whole_number_field(
                id=page.id.saved_reference_cells,
                label=tip_label(
                    "Cells of each type",
                    "At most so many are kept of each type, in training and in test, drawn at"
                    " random. Empty: all.",
                ),
                value=CELLS,
                min=10,
                hideControls=True,
                placeholder="all",
            ),
            dmc.Switch(
                id=page.id.saved_reference_weights,
                label="Also keep the gene weights of the current DTD run",
                checked=True,
            ),
            dmc.Group(dmc.Button("Save", id=page.id.saved_reference_save), justify="flex-end"),
        ],
        gap="xs",
    )


def _rows(ctx: Context, state: Mapping[str, Any]) -> Any:
    """All references; those that fit the bulk best first, where that was asked."""
    fits = {
        key: ReferenceFit(**values)
        for key, values in (state.get("fits") or {}).items()
        if isinstance(values, dict)
    }
    every = ctx.program.references.list()
    if fits:
        every.sort(
            key=lambda one: fits[one.key].order if one.key in fits else (True, True, 0.0, 0.0)
        )
    best = (
        every[0].key
        if fits and fits.get(every[0].key, ReferenceFit(0, 0)).error is not None
        else ""
    )
    return dmc.Stack(
        [
            _row(
                one,
                state,
                fits.get(one.key),
                best=one.key == best,
                changes=ctx.program.references.may_change(one, ctx.actor),
            )
            for one in every
        ],
        gap="xs",
    )


def _row(
    one: Reference,
    state: Mapping[str, Any],
    fit: ReferenceFit | None,
    *,
    best: bool,
    changes: bool,
) -> Any:
    """changes : whether the user can rename and delete it."""
    part = page.id.each
    small = {"size": "compact-xs", "variant": "subtle"}
    ways = [
        dmc.Button("Use", id=part("reference-use", one.key), size="compact-sm"),
        dmc.Button("Export…", id=part("reference-export", one.key), **small),
    ]
    if changes:
        ways += [
            dmc.Button("Rename", id=part("reference-rename", one.key), **small),
            dmc.Button("Delete", id=part("reference-delete", one.key), color="red", **small),
        ]
    about = [
        one.holds,
        f"Source: {one.source}" if one.source else "",
        f"Licence: {one.licence}" if one.licence else "",
        size_words(one.size),
        "comes with the program" if one.shipped else "",
    ]
    lines = [
        dmc.Group(
            [
                dmc.Text(one.name, fw=600, size="sm"),
                dmc.Badge("fits best", color="teal", variant="light", tt="none") if best else None,
            ],
            gap="xs",
        ),
        dmc.Text(" · ".join(filter(None, about)), size="xs", c="dimmed"),
        dmc.Text(one.note, size="xs") if one.note else None,
        dmc.Text(fit_words(fit), size="xs") if fit is not None else None,
    ]
    if state.get("delete") == one.key:
        lines.append(
            dmc.Group(
                [
                    dmc.Text("Delete this reference for good?", size="sm"),
                    dmc.Button(
                        "Delete for good",
                        id=part("reference-gone", one.key),
                        size="compact-sm",
                        color="red",
                    ),
                    dmc.Button("Keep", id=part("reference-keep", one.key), **small),
                ],
                gap="xs",
            )
        )
    if state.get("rename") == one.key:
        lines.append(
            dmc.Group(
                [
                    dmc.TextInput(
                        id=part("reference-new-name", one.key),
                        value=one.name,
                        size="xs",
                        style={"flex": 1},
                        **{"aria-label": "New name"},
                    ),
                    dmc.Button("Keep name", id=part("reference-named", one.key), size="compact-sm"),
                ],
                gap="xs",
            )
        )
    return dmc.Paper(
        dmc.Group(
            [
                dmc.Stack(lines, gap=2, style={"flex": 1}, miw=280),
                dmc.Group(ways, gap=4),
            ],
            align="flex-start",
            justify="space-between",
        ),
        withBorder=True,
        p="xs",
    )


def fit_words(fit: ReferenceFit) -> str:
    """How well a reference fits, in a sentence."""
    genes = (
        f"{number(fit.common)} of its {number(fit.genes)} genes are in your bulk"
        f" ({percent(fit.fraction)})"
    )
    if fit.error is None:
        return f"{genes}. {fit.obstacle}" if fit.genes else fit.obstacle
    return f"{genes}; {percent(fit.error)} of the variance of a typical sample is left unexplained."


# -- the list
# --------------------------------------------------------------------------------------------------
@page.callback(
    Output(page.id.library, "opened"),
    Input(page.id.library_open, "n_clicks"),
    prevent_initial_call=True,
)
def open_library(ctx: Context, clicks: int | None) -> bool:
    return bool(clicks)


@page.callback(
    Output(page.id.library_list, "children"),
    Input(page.id.library_open, "n_clicks"),
    Input(STATE, "data"),
    prevent_initial_call=True,
)
def show_library(ctx: Context, _clicks: Any, state: Mapping[str, Any] | None) -> Any:
    return _rows(ctx, state or {})


@page.callback(
    output={
        "tokens": {
            part.role: Output(part.field.token_id, "data", allow_duplicate=True)
            for part in PARTS
            if part.role != "bulk"
        },
        "opened": Output(page.id.library, "opened", allow_duplicate=True),
    },
    inputs={"_clicks": Input(page.id.each("reference-use", ALL), "n_clicks")},
    state={"tokens": TOKENS_NOW},
    prevent_initial_call=True,
)
def use(ctx: Context, *, _clicks: Any, tokens: Sequence[str | None]) -> dict[str, Any]:
    """The reference takes the place of training data, test data and profiles."""
    one = ctx.program.references.get(_key())
    chosen = chosen_files(tokens)
    cleared = {
        role: None if role in chosen else no_update for role in ("train", "test", "reference")
    }
    ctx.notify(f"The reference “{one.name}” takes the place of training data.", colour="teal")
    return {
        "tokens": {**cleared, "model": ctx.uploads.adopt(one.path).token},
        "opened": False,
    }


@page.callback(Input(page.id.each("reference-export", ALL), "n_clicks"), prevent_initial_call=True)
def export(ctx: Context, _clicks: Any) -> None:
    one = ctx.program.references.get(_key())
    told = ctx.files.save(f"{one.name}{REFERENCE.suffixes[0]}", one.path.read_bytes(), REFERENCE)
    if told:
        ctx.notify(told, title="Saved", colour="teal")


def _key() -> str:
    key = clicked()
    if key is None:
        raise PreventUpdate
    return str(key)


def _asking(what: str) -> Any:
    def ask(ctx: Context, _clicks: Any, state: dict[str, Any] | None) -> dict[str, Any]:
        return {**_settled(state), what: _key()}

    ask.__name__ = f"ask_{what}"
    return ask


def _settled(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """The state with nothing asked; never equal to the one before, so that the list is drawn."""
    return {"fits": (state or {}).get("fits"), "at": time.monotonic()}


for _what in ("rename", "delete"):
    page.callback(
        Output(STATE, "data", allow_duplicate=True),
        Input(page.id.each(f"reference-{_what}", ALL), "n_clicks"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )(_asking(_what))


@page.callback(
    Output(STATE, "data", allow_duplicate=True),
    Input(page.id.each("reference-keep", ALL), "n_clicks"),
    State(STATE, "data"),
    prevent_initial_call=True,
)
def keep(ctx: Context, _clicks: Any, state: dict[str, Any] | None) -> dict[str, Any]:
    _key()
    return _settled(state)


@page.callback(
    Output(STATE, "data", allow_duplicate=True),
    Input(page.id.each("reference-gone", ALL), "n_clicks"),
    State(STATE, "data"),
    prevent_initial_call=True,
)
def delete(ctx: Context, _clicks: Any, state: dict[str, Any] | None) -> dict[str, Any]:
    one = ctx.program.references.delete(_key(), actor=ctx.actor)
    ctx.notify(f"The reference “{one.name}” is deleted.")
    return _settled(state)


@page.callback(
    Output(STATE, "data", allow_duplicate=True),
    Input(page.id.each("reference-named", ALL), "n_clicks"),
    State(page.id.each("reference-new-name", ALL), "id"),
    State(page.id.each("reference-new-name", ALL), "value"),
    prevent_initial_call=True,
)
def rename(
    ctx: Context, _clicks: Any, fields: Sequence[dict[str, Any]], names: Sequence[str | None]
) -> dict[str, Any]:
    key = _key()
    name = next((n for f, n in zip(fields, names, strict=True) if f["index"] == key), "")
    library = ctx.program.references
    shown = library.get(key).name

    def write(asked: Renaming) -> None:
        ctx.program.session_reader(rename_task, asked, name=shown)

    library.rename(key, name or "", actor=ctx.actor, write=write)
    return _settled(None)


@page.callback(
    Output(STATE, "data", allow_duplicate=True),
    Output(given.token_id, "data", allow_duplicate=True),
    Input(given.token_id, "data"),
    State(STATE, "data"),
    prevent_initial_call=True,
)
def add(ctx: Context, token: str | None, state: dict[str, Any] | None) -> Any:
    """A file that somebody gave: read in the reading process, then copied into the library."""
    if not token:
        raise PreventUpdate
    try:
        upload = ctx.uploads.get(token)
        loaded = _read(ctx, upload.path, upload.name)
        one = ctx.program.references.add(upload.path, loaded.dataset.name, actor=ctx.actor)
    except DeconomixError as error:
        ctx.notify_error(error, "reference file")
        return no_update, None
    finally:
        ctx.uploads.forget(token)
    ctx.mended("reference file")
    ctx.notify(f"“{one.name}” is in the library.", colour="green")
    return _settled(None), None


def _read(ctx: Context, path: Path, name: str) -> LoadedReference:
    found: LoadedReference = ctx.program.session_reader(reference_task, path, name=name)
    return found


given.bind()


# -- which fits
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        "state": Output(STATE, "data", allow_duplicate=True),
        "said": Output(page.id.library_said, "children"),
    },
    inputs={"clicks": Input(page.id.library_fit, "n_clicks")},
    state={"tokens": TOKENS_NOW, "options": CHOICES, "entries": REPAIRS_NOW},
    running=[(Output(page.id.library_fit, "loading"), True, False)],
    prevent_initial_call=True,
)
def fit(ctx: Context, *, clicks: int | None, tokens: Any, options: Any, entries: Any) -> Any:
    """Each reference is tried on the bulk that is chosen, or on the one that is loaded."""
    if not clicks:
        raise PreventUpdate
    bulk = _bulk_at_hand(ctx, tokens, options, entries)
    paths = {one.key: one.path for one in ctx.program.references.list()}
    found = ctx.program.session_reader(fits_task, paths, name="The references", dataset=bulk)
    assert bulk.bulk is not None
    samples = bulk.bulk.matrix.n_columns
    return {
        "state": {**_settled(None), "fits": {key: asdict(one) for key, one in found.items()}},
        "said": (
            f"Tried on {number(samples)} sample{'s' if samples != 1 else ''} at"
            f" {datetime.now():%H:%M:%S}, best first. A small error does not prove that the"
            " reference holds all cell types."
        ),
    }


def _bulk_at_hand(ctx: Context, tokens: Any, options: Any, entries: Any) -> Dataset:
    """The bulk chosen in the form, else that of the session. MissingPart."""
    files = chosen_files(tokens)
    if "bulk" in files:
        upload = ctx.uploads.get(files["bulk"])
        only = {"bulk": files["bulk"]}
        request = LoadRequest.parse(
            files={"bulk": choice_of(ctx, upload, options["bulk"], "bulk")},
            repairs=repairs_of(entries, only, ctx.uploads),
        )
        found: Dataset = ctx.read(bulk_task, request, name=upload.name)
        return found
    data = ctx.session.dataset
    if data is None or data.bulk is None:
        raise MissingPart(
            "There are no bulk samples to try the references on.",
            advice="Choose your bulk data first.",
        )
    return Dataset(None, None, None, data.bulk, scale=data.scale)


# -- saving the present data
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        "opened": Output(page.id.saved_reference, "opened"),
        "name": Output(page.id.saved_reference_name, "value"),
        "source": Output(page.id.saved_reference_source, "value"),
        "weights": Output(page.id.saved_reference_weights, "disabled"),
    },
    inputs={"clicks": Input(page.id.saved_reference_open, "n_clicks")},
    prevent_initial_call=True,
)
def open_save(ctx: Context, *, clicks: int | None) -> dict[str, Any]:
    """Filled so that one click is enough."""
    data = ctx.session.dataset
    if not clicks or data is None:
        raise PreventUpdate
    source = data.source("train") or data.source("reference")
    return {
        "opened": True,
        "name": data.name,
        "source": source.name if source is not None else "",
        "weights": current_dtd(ctx.session) is None,
    }


@page.callback(
    output={
        "opened": Output(page.id.saved_reference, "opened", allow_duplicate=True),
        "state": Output(STATE, "data", allow_duplicate=True),
    },
    inputs={"clicks": Input(page.id.saved_reference_save, "n_clicks")},
    state={
        name: State(
            getattr(page.id, f"saved_reference_{name}"), "checked" if name == "weights" else "value"
        )
        for name in FIELDS
    },
    running=[(Output(page.id.saved_reference_save, "loading"), True, False)],
    prevent_initial_call=True,
)
def save(
    ctx: Context,
    *,
    clicks: int | None,
    name: str | None,
    source: str | None,
    licence: str | None,
    note: str | None,
    cells: Any,
    weights: bool | None,
) -> dict[str, Any]:
    if not clicks:
        raise PreventUpdate
    if cells not in (None, "") and not (isinstance(cells, int) and cells >= 1):
        raise InvalidParameter("Cells of each type is not a whole number from 1.")
    dtd = current_dtd(ctx.session)
    made = make_reference(
        ctx.session.need_dataset(),
        name or "",
        source=source or "",
        licence=licence or "",
        note=note or "",
        model=dtd.result if weights and dtd is not None and len(dtd.result.loss) else None,
        per_type=None if cells in (None, "") else cells,
    )
    one = ctx.program.references.keep(made, actor=ctx.actor)
    ctx.notify(f"“{one.name}” is in the reference library: {one.holds}.", colour="green")
    return {"opened": False, "state": _settled(None)}
