"""Control “As cells”: off by default, with the RNA content of each cell type.

Shared by DTD and ADTD.

view = CellFractionsView(page, "dtd")
view.controls(ctx)    # in the row of controls of the composition
view.bind()           # at module level
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from dash import ctx as call

from gui.answers import cell_fractions as words
from gui.components.composition_content import Composition
from gui.engine.rna_content import given_content
from gui.errors import DeconomixError, MissingPart
from gui.figures.text import three
from gui.plugin import Context, Page
from gui.sessions.cache import DCXCache

FORMAT = "One line per cell type: its name and its RNA content, such as: Monocytes 1.8"

NONE_GIVEN = MissingPart(
    "The RNA contents of the cell types are not known.",
    advice="Give one for each cell type in the field, then press Use these.",
)


class CellFractionsView:
    """A switch, and a dialog with the RNA contents, on one page.

    Parameters
    ----------
    kind
        Of the run, "dtd" or "adtd".
    """

    def __init__(self, page: Page, kind: str) -> None:
        self.page, self.kind = page, kind
        self.changed = Input(self.id("changed"), "data")

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"cells_{part}"))

    def controls(self, ctx: Context) -> list[Any]:
        """The switch, the button that opens the dialog, and the dialog."""
        found = words.conversion_of(ctx.session, ctx.session.current(self.kind))
        dialog = dmc.Modal(
            dmc.Stack(
                [
                    dmc.Text(words.EXPLAINED, size="sm"),
                    html.Div(id=self.id("contents")),
                    dmc.Textarea(
                        id=self.id("own"),
                        label="RNA contents of your own",
                        description=FORMAT,
                        value=str(ctx.session.form(words.FORM).get(words.OWN) or ""),
                        autosize=True,
                        minRows=4,
                        maxRows=12,
                    ),
                    dmc.Text("", id=self.id("wrong"), size="sm", c="red"),
                    dmc.Button("Use these", id=self.id("use"), variant="light"),
                ],
                gap="sm",
            ),
            id=self.id("dialog"),
            title="RNA content of the cell types",
            size="lg",
        )
        return [
            dmc.Switch(
                id=self.id("on"),
                checked=found.on and found.factors is not None,
                label="As cells",
                size="xs",
            ),
            dmc.Button(
                "RNA content…",
                id=self.id("open"),
                variant="subtle",
                size="compact-sm",
                px=4,
                **{"aria-label": "RNA content… of the cell types"},
            ),
            dialog,
            dcc.Store(id=self.id("changed"), data=0),
        ]

    def bind(self) -> None:
        """Record the callbacks, at module level of the page."""
        page, this = self.page, self

        @page.callback(
            Output(this.id("dialog"), "opened"),
            Output(this.id("contents"), "children"),
            Output(this.id("on"), "checked"),
            Output(this.id("wrong"), "children"),
            Output(this.id("changed"), "data"),
            Input(this.id("on"), "checked"),
            Input(this.id("open"), "n_clicks"),
            Input(this.id("use"), "n_clicks"),
            State(this.id("own"), "value"),
            State(this.id("changed"), "data"),
            prevent_initial_call=True,
        )
        def change(
            ctx: Context, on: bool, _open: Any, _use: Any, own: str | None, count: int | None
        ) -> Any:
            run = ctx.session.current(this.kind)
            if run is None:
                raise MissingPart("There is no run yet.", advice="Run this step first.")
            after = (count or 0) + 1
            if call.triggered_id == this.id("use"):
                return this.use(ctx, own or "", after)
            if call.triggered_id == this.id("open"):
                return True, contents_shown(words.conversion_of(ctx.session, run)), *[no_update] * 3
            found = words.conversion_of(ctx.session, run)
            if on and found.factors is None:
                return True, contents_shown(found), False, "", no_update
            ctx.session.keep_form(words.FORM, {words.ON: bool(on)})
            return no_update, no_update, no_update, "", after

        change.__name__ = "cells_change"

    def use(self, ctx: Context, own: str, after: int) -> Any:
        """Keep what the user gave and show cells; nothing given: what was measured."""
        run = ctx.session.current(self.kind)
        types = words.types_of(ctx.session, run)
        if own.strip():
            try:
                given_content(own, types)
            except DeconomixError as error:
                said = error.full_text
                return no_update, no_update, no_update, said, no_update
        ctx.session.keep_form(words.FORM, {words.OWN: own})
        found = words.conversion_of(ctx.session, run)
        there = found.factors is not None
        ctx.session.keep_form(words.FORM, {words.ON: there})
        about = f"{self.kind} RNA content"
        if there:
            ctx.mended(about)
        else:
            ctx.notify_error(NONE_GIVEN, about)
        return not there, contents_shown(found), there, "", after


def contents_shown(found: words.Conversion) -> Any:
    """The factor of each cell type and its source, or why there is none."""
    if found.factors is None:
        return dmc.Alert(
            f"{found.reason} Give the RNA contents below to convert anyway.",
            color="yellow",
            variant="light",
            p="xs",
        )
    rows = [
        html.Tr([html.Td(str(name)), html.Td(three(float(value)), style={"textAlign": "right"})])
        for name, value in found.factors.items()
    ]
    head = html.Thead(html.Tr([html.Th("Cell type"), html.Th("RNA content (mean 1)")]))
    return dmc.Stack(
        [
            dmc.Text(f"From {found.source}.", size="sm", fw=600),
            dmc.Table([head, html.Tbody(rows)], withTableBorder=True, fz="xs"),
        ],
        gap=4,
    )


def in_cells(session: DCXCache, kind: str, shown: Composition) -> Composition:
    """The composition as fractions of cells, where the session shows these; else as it is."""
    found = words.conversion_of(session, session.current(kind))
    if not found.on or found.factors is None:
        return shown
    hidden = len(found.factors) < len(shown.frame)
    return Composition(
        found.convert(shown.frame),
        groups=shown.groups,
        opinion=(
            None
            if shown.opinion is None
            else replace(shown.opinion, what=f"RNA fractions, {shown.opinion.what}")
        ),
        note=" ".join(filter(None, (shown.note, found.note(hidden=hidden)))),
        quantity=words.QUANTITY,
        run=shown.run,
    )
