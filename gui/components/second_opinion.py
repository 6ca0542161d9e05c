"""Tab Second opinion: three estimates of the bulk side by side, and what contradicts the run.

Shared by DTD and ADTD.

view = SecondOpinionView(page, "dtd", active=(Input(page.id.tabs, "value"), "opinion"))
view.layout(ctx)      # in the page's layout, inside the tab's panel
view.bind()           # at module level
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html
from dash.exceptions import PreventUpdate

from gui.answers import second_opinion as words
from gui.answers.summary import opinion_of
from gui.answers.warnings import missing_sentences
from gui.components.common import empty_state
from gui.components.composition_content import Composition
from gui.components.figure import bind_figure_export, figure_card
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.engine.results import Run, SecondOpinion
from gui.engine.second_opinion import consensus, contradicted_types, contradictions
from gui.figures.palette import type_colours
from gui.figures.second_opinion import opinions
from gui.figures.template import styled
from gui.plugin import DARK, REVISION, Context, Page
from gui.sessions.cache import DCXCache

CONSENSUS_PART = "consensus"
CONSENSUS_TITLE = "Consensus"
NO_BULK = (
    "No bulk composition yet",
    "The second opinion is on your bulk samples. Load them on the Upload page and run this step.",
)


class SecondOpinionView:
    """One tab on one page.

    Only computed while its tab is open.

    Parameters
    ----------
    kind
        Of the run, "dtd" or "adtd"; also the prefix of the names of saved files.
    has_bulk
        Whether the current run has a composition of the present bulk.
    """

    def __init__(
        self,
        page: Page,
        kind: str,
        has_bulk: Callable[[Context], bool],
        *,
        active: tuple[Input, str],
    ) -> None:
        self.page, self.kind, self.has_bulk, self.active = page, kind, has_bulk, active
        self.views = Views(page, "opinion")
        self.kept = PersistentControls(page, opinion_look="figure")

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"opinion_{part}"))

    def layout(self, ctx: Context) -> html.Div:
        look = switch(
            {"figure": "Figure", "table": "Table"},
            self.id("look"),
            self.kept.value(ctx, "opinion_look"),
        )
        drawing = figure_card(self.page, "opinion_figure", file_name=f"{self.kind}-second-opinion")
        table = result_table(self.page, "opinion_table", filters=False, engine=True)
        there = dmc.Stack(
            [
                html.Div(id=self.id("words")),
                self.views.layout([look], drawing, table),
                dmc.Text("", id=self.id("meaning"), size="xs", c="dimmed"),
            ],
            gap="xs",
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
                "meaning": Output(this.id("meaning"), "children"),
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
                "look": Input(this.id("look"), "value"),
            },
        )
        def draw(
            ctx: Context, *, dark: bool, active: str | None, look: str, _revision: str | None
        ) -> dict[str, Any]:
            if active != here:
                raise PreventUpdate
            run = ctx.session.current(this.kind)
            opinion = opinion_of(ctx.session, run)
            if run is None or opinion is None:
                title, what_to_do = this.obstacle(ctx)
                return {"missing": empty_state(title, what_to_do), "there": GONE}
            own = words.run_name(run)
            head = {
                "missing": None,
                "there": SHOWN,
                "words": opinion_words(run, opinion),
                "meaning": words.METHODS,
            }
            if look == "table":
                shown = table_view(words.shown_opinions(opinion, own))
                return {
                    **head,
                    "columns": shown.columns,
                    "rows": shown.rows,
                    "views": this.views.show("table"),
                }
            colour_of = type_colours(ctx.session.dataset, *map(str, opinion.estimate.index))
            fig = styled(
                opinions(
                    words.estimates(opinion, own),
                    contradictions(opinion),
                    contradicted_types(opinion),
                    colour_of,
                ),
                bool(dark),
            )
            return {
                **head,
                "figure": fig,
                "figure_style": graph_height_style(fig),
                "views": this.views.show("figure"),
            }

        def to_save(ctx: Context) -> TableFile | None:
            run = ctx.session.current(this.kind)
            opinion = opinion_of(ctx.session, run)
            if run is None or opinion is None:
                return None
            about = (
                f"Second opinion on {words.run_name(run)}: medians over all samples, RNA fractions"
                " (%) without the hidden background. One row per cell type."
            )
            return TableFile(
                f"{this.kind}-second-opinion",
                words.shown_opinions(opinion, words.run_name(run)),
                about,
                words.opinion_table(opinion),
                f"Second opinion on {words.run_name(run)} (column estimate), with full precision:"
                " 1 is 100 %. One row per sample and cell type.",
            )

        bind_figure_export(page, "opinion_figure")
        bind_table_export(page, "opinion_table", to_save, engine=True)
        draw.__name__ = "opinion_draw"

    def obstacle(self, ctx: Context) -> tuple[str, str]:
        """Title and text where there is nothing to show."""
        return words.why_none(ctx.session.current(self.kind)) if self.has_bulk(ctx) else NO_BULK


def opinion_words(run: Run, opinion: SecondOpinion) -> Any:
    """The answer, what the samples concerned say, and how often such an answer is right."""
    own = words.run_name(run)
    said = [
        words.detail_sentence(found, opinion, own) for found in words.contradiction_details(opinion)
    ]
    details = [dmc.ListItem(text) for text in (*said, *missing_sentences(opinion))]
    return dmc.Stack(
        [
            dmc.Text(words.opinion_sentence(opinion), size="sm", fw=600),
            html.Details(
                [
                    html.Summary("Which samples, and how often such an answer is right"),
                    dmc.List(details, size="xs") if details else None,
                    dmc.Text(words.how_often_right(run), size="xs", c="dimmed"),
                ],
                className="dcx-answer-details",
            ),
        ],
        gap=4,
    )


def consensus_composition(
    session: DCXCache, run: Run | None, groups: Any = None
) -> Composition | None:
    """The consensus for the composition view; None without a second opinion."""
    opinion = opinion_of(session, run)
    if opinion is None:
        return None
    return Composition(consensus(opinion), groups=groups, note=words.CONSENSUS_NOTE, run=run)
