"""A sentence, then a figure or a table of the same result: what most tabs of Survival are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html

from gui.components.figure import bind_figure_export, figure_card
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, switch
from gui.pages.survival.base import FIGURE_OR_TABLE, fitted_figure, page, result_of
from gui.plugin import Context


class FigureOrTable:
    """One tab: ``look`` chooses between the figure and the tables.

    Parameters
    ----------
    name
        Of its components: ``page.id.<name>_figure`` and so on.
    about
        What its table holds, written into the saved file.
    looks
        Value of the switch -> text; everything but "figure" is a table.
    controls
        Further controls whose values persist, with their initial values.
    """

    def __init__(
        self, name: str, about: str, *, looks: Mapping[str, str] = FIGURE_OR_TABLE, **controls: Any
    ) -> None:
        self.name, self.about, self.looks = name, about, looks
        self.views = Views(page, name)
        begin = {f"{name}_{key}": value for key, value in controls.items()}
        self.kept = PersistentControls(page, **{f"{name}_look": next(iter(looks)), **begin})

    def id(self, part: str) -> str:
        return str(getattr(page.id, f"{self.name}_{part}"))

    def value(self, ctx: Context, part: str) -> Any:
        """What a control shows at first."""
        return self.kept.value(ctx, f"{self.name}_{part}")

    def select(self, ctx: Context, part: str, label: str, width: int = 240) -> dmc.Select:
        """A select whose data come with the result."""
        return dmc.Select(
            id=self.id(part),
            data=[],
            value=self.value(ctx, part),
            size="xs",
            w=width,
            searchable=True,
            allowDeselect=False,
            **{"aria-label": label},
        )

    def layout(self, ctx: Context, *controls: Any) -> html.Div:
        look = switch(self.looks, self.id("look"), self.value(ctx, "look"))
        drawing = figure_card(page, f"{self.name}_figure", file_name=f"survival_{self.name}")
        table = result_table(page, f"{self.name}_table", height=420)
        there = [
            dmc.Text("", id=self.id("words"), size="sm", mb="xs"),
            self.views.layout([*controls, look], drawing, table),
            dmc.Text("", id=self.id("detail"), size="xs", c="dimmed", mt="xs"),
        ]
        return html.Div(
            [
                html.Div(there, id=self.id("there")),
                html.Div(id=self.id("missing"), style=GONE),
            ]
        )

    @property
    def outputs(self) -> dict[str, Any]:
        """What :meth:`drawn` and :meth:`nothing` set."""
        return {
            "words": Output(self.id("words"), "children"),
            "detail": Output(self.id("detail"), "children"),
            "figure": Output(self.id("figure"), "figure"),
            "style": Output(self.id("figure"), "style"),
            "columns": Output(self.id("table"), "columnDefs"),
            "rows": Output(self.id("table"), "rowData"),
            "views": self.views.outputs,
            "there": Output(self.id("there"), "style"),
            "missing": Output(self.id("missing"), "style"),
            "why": Output(self.id("missing"), "children"),
        }

    def input(self, part: str) -> Input:
        return Input(self.id(part), "value")

    def nothing(self, why: Any) -> dict[str, Any]:
        """Nothing to show: ``why`` stands in its place."""
        return {"there": GONE, "missing": SHOWN, "why": why}

    def drawn(
        self, words: str, shown: go.Figure | pd.DataFrame, *, dark: bool, detail: str = ""
    ) -> dict[str, Any]:
        """The sentence, the figure or the table, and what is to be said below."""
        head = {"words": words, "detail": detail, "there": SHOWN, "missing": GONE}
        if isinstance(shown, pd.DataFrame):
            view = table_view(shown)
            return {
                **head,
                "columns": view.columns,
                "rows": view.rows,
                "views": self.views.show("table"),
            }
        fig, style = fitted_figure(shown, dark)
        return {**head, "figure": fig, "style": style, "views": self.views.show("figure")}

    def bind(self, table: Any, states: Sequence[str] = ()) -> None:
        """Record what saves and keeps. ``table(result, *values of states)`` is what is saved."""

        def to_save(ctx: Context, *values: Any) -> TableFile | None:
            result = result_of(ctx)
            frame = None if result is None else table(result, *values)
            if frame is None or not len(frame):
                return None
            return TableFile(f"survival_{self.name}", frame, self.about)

        self.kept.bind()
        bind_figure_export(page, f"{self.name}_figure")
        bind_table_export(
            page,
            f"{self.name}_table",
            to_save,
            *[State(self.id(part), "value") for part in states],
        )
