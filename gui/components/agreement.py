"""Known compositions beside the estimate: measures per type and pooled, and a scatter.

Shared by DTD and ADTD.

view = AgreementView(page, estimated, active=(Input(page.id.tabs, "value"), "known"))
view.layout(ctx)      # in the page's layout, inside the tab's panel
view.bind()           # at module level
"""

from __future__ import annotations

from collections.abc import Callable

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, html
from dash.exceptions import PreventUpdate

from gui.components.common import answer, empty_state
from gui.components.figure import bind_figure_export, figure_card
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, options, switch
from gui.engine.known_agreement import POOLED, Comparison, compare_with_known
from gui.errors import MissingPart
from gui.figures.agreement import NOTE, agreement
from gui.figures.palette import type_colours
from gui.figures.template import styled
from gui.figures.text import RMSE, coefficient, settled, three
from gui.plugin import DARK, REVISION, Context, Page
from gui.text import number

EVERY = "every"
"""Value of the select for all types together; a type's value is ``TYPE`` and its name."""
TYPE = "type:"
HEADERS = {
    "cell_type": "Cell type",
    "known_as": "In the table",
    "samples": "Samples",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "rmse": RMSE,
    "ccc": "CCC",
}

Estimated = Callable[[Context], "pd.DataFrame | None"]
"""Cell types x bulk samples, fractions; None where the current run says nothing of the present
bulk.
"""


class AgreementView:
    """One view on one page.

    Only computed while its tab is open.

    Parameters
    ----------
    file
        Prefix of the names of saved files.
    """

    def __init__(
        self, page: Page, estimated: Estimated, *, active: tuple[Input, str], file: str
    ) -> None:
        self.page, self.estimated, self.active, self.file = page, estimated, active, file
        self.views = Views(page, "known")
        self.kept = PersistentControls(page, known_type=EVERY, known_look="figure")

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"known_{part}"))

    def layout(self, ctx: Context) -> html.Div:
        controls = [
            dmc.Select(
                id=self.id("type"),
                data=[],
                value=self.kept.value(ctx, "known_type"),
                size="xs",
                w=220,
                searchable=True,
                allowDeselect=False,
                **{"aria-label": "Cell type"},
            ),
            switch(
                {"figure": "Figure", "table": "Table"},
                self.id("look"),
                self.kept.value(ctx, "known_look"),
            ),
        ]
        drawing = figure_card(self.page, "known_figure", file_name=f"{self.file}_known")
        table = result_table(self.page, "known_table", filters=False, engine=True)
        there = dmc.Stack(
            [html.Div(id=self.id("words")), self.views.layout(controls, drawing, table, note=NOTE)]
        )
        return html.Div(
            [html.Div(there, id=self.id("there"), style=GONE), html.Div(id=self.id("missing"))]
        )

    def bind(self) -> None:
        """Record the callbacks, at module level of the page."""
        page, this = self.page, self
        tab, here = self.active
        self.kept.bind()

        @page.callback(
            output={
                "missing": Output(this.id("missing"), "children"),
                "there": Output(this.id("there"), "style"),
                "words": Output(this.id("words"), "children"),
                "types": Output(this.id("type"), "data"),
                "type": Output(this.id("type"), "value"),
                "figure": Output(this.id("figure"), "figure"),
                "figure_style": Output(this.id("figure"), "style"),
                "columns": Output(this.id("table"), "columnDefs"),
                "rows": Output(this.id("table"), "rowData"),
                "views": this.views.outputs,
            },
            inputs={
                "_revision": REVISION,
                "dark": DARK,
                "active": tab,
                "which": Input(this.id("type"), "value"),
                "look": Input(this.id("look"), "value"),
            },
        )
        def draw(
            ctx: Context,
            *,
            dark: bool,
            active: str | None,
            which: str | None,
            look: str | None,
            _revision: str | None,
        ) -> dict[str, object]:
            if active != here:
                raise PreventUpdate
            try:
                found = this.compared(ctx)
            except MissingPart as error:
                missing = empty_state("Nothing to compare", f"{error} {error.advice or ''}")
                return {"missing": missing, "there": GONE}
            types = list(found.table["cell_type"])[:-1]
            chosen = which if which == EVERY or str(which).removeprefix(TYPE) in types else EVERY
            of = POOLED if chosen == EVERY else str(chosen).removeprefix(TYPE)
            data = options(
                {EVERY: "All cell types"} | {f"{TYPE}{t}": t.replace("|", " + ") for t in types}
            )
            head = {
                "missing": None,
                "there": SHOWN,
                "words": words(found, of),
                "types": data,
                **({} if chosen == which else {"type": chosen}),
            }
            if look == "table":
                shown = table_view(measures(found))
                return {
                    **head,
                    "columns": shown.columns,
                    "rows": shown.rows,
                    "views": this.views.show("table"),
                }
            points = found.points if of == POOLED else found.points[found.points["cell_type"] == of]
            fig = styled(agreement(points, type_colours(ctx.session.dataset, *types)), bool(dark))
            style = graph_height_style(fig)
            return {
                **head,
                "figure": fig,
                "figure_style": style,
                "views": this.views.show("figure"),
            }

        def to_save(ctx: Context) -> TableFile | None:
            try:
                found = this.compared(ctx)
            except MissingPart:
                return None
            about = (
                "Agreement of estimated and known composition over the samples. One row per cell"
                " type and one for all together."
            )
            engine = found.table.set_index("cell_type").rename_axis("cell type")
            return TableFile(
                f"{this.file}_known",
                measures(found),
                about,
                engine,
                f"{about} RMSE as a fraction: 1 is 100 %.",
            )

        bind_figure_export(page, "known_figure")
        bind_table_export(page, "known_table", to_save, engine=True)
        draw.__name__ = "known_draw"

    def compared(self, ctx: Context) -> Comparison:
        """MissingPart if there is nothing to compare."""
        data = ctx.session.dataset
        if data is None or data.truth is None:
            raise MissingPart(
                "No known compositions have been added.",
                advice="Add a table of them on the Upload page, tab Known compositions.",
            )
        frame = self.estimated(ctx)
        if frame is None:
            raise MissingPart(
                "The composition of the current bulk has not been estimated yet.",
                advice="Compute it on this page to compare it here.",
            )
        return compare_with_known(data.truth.shares, frame, data.truth.pairs)


def words(found: Comparison, of: str) -> object:
    """How well they agree, in a sentence.

    Parameters
    ----------
    of
        The type, or all of them.
    """
    row = found.table.iloc[-1 if of == POOLED else list(found.table["cell_type"]).index(of)]
    whom = f"{len(found.table) - 1} cell types" if of == POOLED else of.replace("|", " + ")
    count = found.points["sample"].nunique() if of == POOLED else int(row["samples"])
    samples = f"{number(count)} sample{'s' if count != 1 else ''}"
    badges = [
        (f"RMSE {three(float(row['rmse']) * 100)} percentage points", "gray"),
        (f"CCC {coefficient(float(row['ccc']))}", "gray"),
    ]
    if found.left_out and of == POOLED:
        badges.append(
            (
                (
                    "not compared:"
                    f" {', '.join(t for t in found.left_out[:4])}"
                    f"{' …' if len(found.left_out) > 4 else ''}"
                ),
                "gray",
            )
        )
    return answer(
        f"Pearson r = {coefficient(float(row['pearson']))} with the known composition over {whom}"
        f" and {samples}.",
        badges,
    )


def measures(found: Comparison) -> pd.DataFrame:
    """One row per pair of types and one of all together; RMSE in percentage points."""
    shown = found.table.copy()
    shown["cell_type"] = [t.replace("|", " + ") for t in shown["cell_type"]]
    shown["rmse"] *= 100
    shown[["pearson", "spearman", "ccc"]] = settled(shown[["pearson", "spearman", "ccc"]])
    return shown.rename(columns=HEADERS).set_index("Cell type")
