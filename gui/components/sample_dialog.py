"""The dialog that shows the composition of one sample of a composition view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.composition_content import Chosen, Composition, arranged, sample_figure
from gui.components.figure import bind_figure_export, figure_card
from gui.figures.palette import type_colours
from gui.figures.template import styled
from gui.plugin import DARK, REVISION, Context, Page

Found = Callable[[Context, str | None], Composition | None]


class SampleDialog:
    """Opened by a click on a sample of the figure, or by the button “One sample…”.

    Parameters
    ----------
    name, file
        Of the composition view; its ids begin with ``name``.
    found
        ``found(ctx, part)``: what is shown of a part, or None.
    """

    def __init__(self, page: Page, name: str, file: str, found: Found) -> None:
        self.page, self.name, self.file, self.found = page, name, file, found

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    def layout(self) -> Any:
        """Return the closed dialog, once per page."""
        choose = dmc.Select(id=self.id("sample"), data=[], **select("Sample", 300))
        drawing = figure_card(
            self.page, f"{self.name}_single", file_name=f"{self.file}-sample", controls=[choose]
        )
        return dmc.Modal(
            drawing, id=self.id("dialog"), title="One sample", size="xl", keepMounted=False
        )

    def bind(self, controls: tuple[State, ...]) -> None:
        """Record the callbacks, at module level of the page.

        Parameters
        ----------
        controls
            Part, view, order, group and "fractions sum to 1" of the composition view.
        """
        page, this = self.page, self

        @page.callback(
            Output(this.id("dialog"), "opened"),
            Output(this.id("sample"), "value"),
            Output(this.id("figure"), "clickData"),
            Input(this.id("figure"), "clickData"),
            Input(this.id("one"), "n_clicks"),
            *controls,
            State(this.id("sample"), "value"),
            prevent_initial_call=True,
        )
        def open_sample(
            ctx: Context,
            click: Any,
            _one: Any,
            which: str,
            look: str,
            by: str,
            of: str,
            normalise: bool,
            last: str | None,
        ) -> Any:
            found = this.found(ctx, which)
            if found is None or found.frame.shape[1] == 0:
                raise PreventUpdate
            names = [str(s) for s in found.frame.columns]
            if call.triggered_id == this.id("one"):
                return True, last if last in names else names[0], no_update
            sample = arranged(found, Chosen(look, by, of, bool(normalise))).clicked(click)
            if sample is None:
                raise PreventUpdate
            return True, sample, None  # forgotten, so that the same bar can be clicked again

        @page.callback(
            Output(this.id("single"), "figure"),
            Output(this.id("single_file"), "data"),
            Input(this.id("dialog"), "opened"),
            Input(this.id("sample"), "value"),
            DARK,
            REVISION,
            controls[0],
            controls[4],
            prevent_initial_call=True,
        )
        def draw_sample(
            ctx: Context,
            opened: bool,
            sample: str | None,
            dark: bool,
            _revision: Any,
            which: str,
            normalise: bool,
        ) -> Any:
            found = this.found(ctx, which)
            if not opened or sample is None or found is None:
                raise PreventUpdate
            fig = sample_figure(
                found,
                sample,
                type_colours(ctx.session.dataset, *found.frame.index),
                normalise=bool(normalise),
            )
            if fig is None:
                raise PreventUpdate
            return styled(fig, bool(dark)), f"{this.file}-{sample}"

        bind_figure_export(page, f"{self.name}_single")
        for function in (open_sample, draw_sample):
            function.__name__ = f"{self.name}_{function.__name__}"


def select(label: str, width: int) -> dict[str, Any]:
    """Return the properties of a small Select of a composition view."""
    return {
        "size": "xs",
        "w": width,
        "allowDeselect": False,
        "searchable": True,
        "checkIconPosition": "right",
        "limit": 200,
        "aria-label": label,
    }
