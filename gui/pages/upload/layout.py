"""The form and the static frame of the Upload page."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Output, dcc, html

from gui.components.common import card, empty_state, icon, tip_label, two_columns
from gui.components.form import folded
from gui.components.number_field import decimal_field, whole_number_field
from gui.components.offered_files import place_file
from gui.pages.upload.base import GONE, PARTS, TOKENS, Part, page
from gui.pages.upload.dcx import dcx_dialog
from gui.pages.upload.library import dialogs, opener
from gui.pages.upload.review import review_stores
from gui.pages.upload.view import bind_loaded, loaded_layout
from gui.plugin import REVISION, Context
from gui.text import number

FIRST, FURTHER = PARTS[:2], PARTS[2:]


@page.layout
def layout(ctx: Context) -> Any:
    _offer(ctx)
    empty = empty_state(
        "No data yet",
        "Choose single-cell training data and your bulk samples on the left. What is in them is"
        " shown here before it is loaded. To see what the program does, load the example: simulated"
        " cells and bulk samples with known composition.",
        dmc.Button("Load the example", id=page.id.example),
    )
    # at once, not only when the callbacks answer: who switches sessions must not read "No data yet"
    there = ctx.session.dataset is not None
    kept = ctx.session.form(page.key)
    chosen = any(kept.get(f"{part.role}_token") for part in PARTS)
    results = [
        html.Div(card(empty), id=page.id.empty, style=GONE if there or chosen else {}),
        html.Div(id=page.id.review, style={} if chosen else GONE),
        html.Div(
            loaded_layout(ctx, page), id=page.id.loaded, style={} if there and not chosen else GONE
        ),
    ]
    return html.Div(
        [
            *review_stores(ctx),
            _confirm(ctx),
            dcx_dialog(),
            *dialogs(ctx),
            two_columns(_form(ctx), results),
        ]
    )


def _offer(ctx: Context) -> None:
    """Files given from outside of the page take the first free places of the form."""
    for upload in ctx.uploads.take_offered():
        place_file(ctx, upload)


def _form(ctx: Context) -> Any:
    kept = ctx.session.form(page.key)
    local = "" if ctx.files.native else "They stay on this computer."
    return card(
        dmc.Stack(
            [
                dmc.Text("Files", fw=600),
                dmc.Text(
                    f"Choose the files, look at what is in them, then Load. {local}",
                    size="xs",
                    c="dimmed",
                ),
                _part_field(ctx, FIRST[0], kept),
                opener(ctx),
                *[_part_field(ctx, part, kept) for part in FIRST[1:]],
                folded(
                    "Test data, reference, trained model",
                    *[
                        html.Div(_part_field(ctx, part, kept), style={"marginBottom": 12})
                        for part in FURTHER
                    ],
                ),
                folded(
                    "Advanced",
                    dmc.Stack(
                        [
                            decimal_field(
                                id=page.id.share,
                                value=kept.get("share", 30),
                                label=tip_label(
                                    "Kept back for testing",
                                    "Without test data: share of the training cells of each type"
                                    " that is used for testing only.",
                                ),
                                rightSection=dmc.Text("%", size="xs", c="dimmed"),
                            ),
                            whole_number_field(
                                id=page.id.seed,
                                value=kept.get("seed", 1),
                                min=0,
                                label=tip_label(
                                    "Seed of the split",
                                    "Decides which cells are kept back; the same seed keeps the"
                                    " same cells.",
                                ),
                                hideControls=True,
                            ),
                            dmc.TextInput(
                                id=page.id.author,
                                label="Author",
                                value=kept.get("author", ""),
                                debounce=400,
                            ),
                            dmc.Textarea(
                                id=page.id.description,
                                label="Description",
                                value=kept.get("description", ""),
                                autosize=True,
                                minRows=2,
                                maxRows=6,
                                debounce=400,
                            ),
                        ],
                        gap="xs",
                    ),
                ),
                html.Div(
                    [
                        dmc.Button("Load", id=page.id.load, fullWidth=True, disabled=True),
                        dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center", mt=6),
                    ],
                    className="dcx-form-end",
                ),
            ],
            gap="sm",
        )
    )


def _part_field(ctx: Context, part: Part, kept: dict[str, Any]) -> Any:
    """The file of one role: empty a place to choose it, filled its name, what is in it and how to
    read it.
    """
    label = (
        [part.title, html.Span(" *", style={"color": "var(--mantine-color-error)"})]
        if part.role == "train"
        else part.title
    )
    chosen = dmc.Stack(
        [
            dmc.Group(
                [
                    dmc.Text(
                        "", id=part.id("name"), size="sm", fw=600, truncate="end", style={"flex": 1}
                    ),
                    dmc.ActionIcon(
                        icon("close", 12),
                        id=part.id("remove"),
                        variant="subtle",
                        color="gray",
                        size="sm",
                        **{"aria-label": f"Remove {part.title}"},
                    ),
                ],
                wrap="nowrap",
            ),
            dmc.Text("", id=part.id("found"), size="xs", c="dimmed"),
            *[
                html.Div(control, id=part.id(f"{name}_box"), style=GONE)
                for name, control in _controls(ctx, part).items()
            ],
        ],
        gap=4,
    )
    return html.Div(
        [
            dmc.Text(tip_label(label, part.tip), size="sm", fw=500, mb=4),
            html.Div(
                part.field.layout(ctx, token=kept.get(f"{part.role}_token")), id=part.id("choosing")
            ),
            html.Div(
                chosen, id=part.id("chosen"), style={"display": "none"}, className="dcx-chosen"
            ),
        ]
    )


def _controls(ctx: Context, part: Part) -> dict[str, Any]:
    """How a chosen file is read; only what applies to it is shown."""
    each = "Large files: so many cells of each type are drawn at random (seed 1). Empty: all."
    return {
        "label": dmc.Select(
            id=part.id("label"),
            label="Cell types are in column",
            size="xs",
            data=[],
            searchable=True,
            allowDeselect=False,
        ),
        "labels_token": dmc.Stack(
            [dmc.Text(id=part.id("labels_name"), size="xs"), part.labels.layout(ctx)], gap=4
        ),
        "matrix": dmc.Select(
            id=part.id("matrix"), label="Expression is in", size="xs", data=[], allowDeselect=False
        ),
        "sheet": dmc.Select(
            id=part.id("sheet"), label="Sheet", size="xs", data=[], allowDeselect=False
        ),
        "genes": dmc.Select(
            id=part.id("genes"), label="Gene names are in", size="xs", data=[], allowDeselect=False
        ),
        "without": dmc.MultiSelect(
            id=part.id("without"),
            value=[],
            label=tip_label(
                "Columns that are no samples",
                "What was recognised is chosen already. Take a column away to use it as a sample,"
                " or add one to leave it out.",
            ),
            size="xs",
            data=[],
            searchable=True,
            limit=100,
        ),
        "cells": whole_number_field(
            id=part.id("cells"),
            label=tip_label("Cells of each type", each),
            size="xs",
            min=1,
            placeholder="all",
            hideControls=True,
            debounce=500,
        ),
        "common": dmc.Switch(
            id=part.id("common"), label="Only genes of all files", size="xs", checked=False
        ),
        "keep": dmc.MultiSelect(
            id=part.id("keep"),
            label="Also keep columns",
            size="xs",
            data=[],
            searchable=True,
            clearable=True,
        ),
    }


def _confirm(ctx: Context) -> Any:
    one = ctx.sessions.single
    return html.Div(
        [
            dcc.Store(id=page.id.question),
            dmc.Modal(
                dmc.Stack(
                    [
                        dmc.Text(id=page.id.ask, size="sm"),
                        dmc.Group(
                            [
                                dmc.Button("Cancel", id=page.id.no, variant="default"),
                                dmc.Button(
                                    "Load and clear the results",
                                    id=page.id.replace,
                                    variant="light",
                                    color="red",
                                ),
                                dmc.Button(
                                    "Load into a new session",
                                    id=page.id.fresh,
                                    style={"display": "none"} if one else {},
                                ),
                            ],
                            justify="flex-end",
                            gap="xs",
                        ),
                    ]
                ),
                id=page.id.confirm,
                title="This session already holds data",
                centered=True,
                size="lg",
            ),
        ]
    )


@page.summary
def summary(ctx: Context) -> str | None:
    data = ctx.session.dataset
    if data is None:
        return None
    words = (
        [f"{number(data.train.matrix.n_columns)} cells", f"{len(data.train.types)} types"]
        if data.train
        else [
            "trained model"
            if (source := data.source("reference")) is None or source.kind == "model"
            else "reference only",
            f"{len(data.types)} types",
        ]
    )
    if data.bulk:
        samples = data.bulk.matrix.n_columns
        words.append(f"{number(samples)} bulk sample{'s' if samples != 1 else ''}")
    return ", ".join(words)


bind_loaded(page)


@page.callback(
    Output(page.id.empty, "style"),
    Output(page.id.review, "style"),
    Output(page.id.loaded, "style"),
    REVISION,
    *TOKENS,
)
def which(ctx: Context, _revision: str | None, *tokens: str | None) -> Any:
    """The files that are chosen, else what is loaded, else the empty state."""
    shown: dict[str, str] = {}
    if any(tokens):
        return GONE, shown, GONE
    return (shown, GONE, GONE) if ctx.session.dataset is None else (GONE, GONE, shown)
