"""Page Genes: form, current runs and the frame of its tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html

from gui.analyses.gene_params import GenesParams, regulation_calls
from gui.answers.confidence_intervals import bootstrap_of
from gui.components.common import empty_state
from gui.components.figure import bind_figure_export, figure_card
from gui.components.form import ParamsForm
from gui.components.jobs import running, running_state
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style
from gui.engine.results import BootstrapResult, Run
from gui.figures.template import styled
from gui.figures.text import exponent, settled, shorten
from gui.knowledge.own_files import FOLDER, OwnFiles
from gui.methods.method import KIND, Capability
from gui.methods.registry import capabilities_of, has_gene_effects
from gui.plugin import Context, Page

page = Page(
    "genes", "Genes", "regulation, gene sets, markers", order=60, requires=("gene effects",)
)
form = ParamsForm(
    page,
    GenesParams,
    names=("fold", "supported", "smallest", "largest", "permutations", "seed"),
)
REGULATION, GENE, ENRICHMENT, MARKERS, HIDDEN_TAB = (
    "regulation",
    "gene",
    "enrichment",
    "markers",
    "hidden",
)
TABS = {
    REGULATION: "Regulation",
    GENE: "One gene",
    ENRICHMENT: "Gene sets",
    MARKERS: "Markers",
    HIDDEN_TAB: "Hidden profile",
}
TAB = Input(page.id.tabs, "value")
"""The open tab: only its content is computed and sent."""
"""Pixels above and below a figure."""


def effects_run(ctx: Context) -> Run | None:
    """The run that the page is about: of those shown on their pages the newest that can.

    Of ADTD, or of another method with gene regulation or a hidden profile.
    """
    shown = [ctx.session.current(kind) for kind in ("adtd", KIND)]
    found = [run for run in shown if run is not None and has_gene_effects(run)]
    return max(found, key=lambda run: run.created, default=None)


def genes_run(ctx: Context) -> Run | None:
    """The current analysis, of this run or another one."""
    return ctx.session.current("genes")


def intervals_run(ctx: Context, run: Run) -> Run | None:
    """The bootstrap of a run, where it was computed and still belongs to the data."""
    return bootstrap_of(ctx.session, run)


def intervals_of(ctx: Context, run: Run) -> BootstrapResult | None:
    """Its result."""
    found = intervals_run(ctx, run)
    return None if found is None else found.result


def regulated_runs(ctx: Context) -> list[Run]:
    """All runs that estimate gene regulation, newest first."""
    runs = [run for kind in ("adtd", KIND) for run in ctx.session.runs(kind)]
    found = [run for run in runs if regulates(run)]
    return sorted(found, key=lambda run: run.created, reverse=True)


def regulates(run: Run | None) -> bool:
    """Whether a run estimates gene regulation."""
    return run is not None and Capability.REGULATION in capabilities_of(run)


def run_title(run: Run) -> str:
    """A run as it is called in figures and lists: title, λ₂ and time."""
    lambda2 = getattr(run.params, "lambda2", None)
    setting = "" if lambda2 is None else f"λ₂ {exponent(lambda2)}, "
    name = f"{shorten(run.name, 40)}, " if run.name else ""
    return f"{name}{run.title}, {setting}{run.created.astimezone():%d %b %H:%M:%S}"


def calls_of(ctx: Context, run: Run, params: GenesParams) -> pd.DataFrame:
    """Regulation of all genes and types with their calls, bootstrap included where there is one."""
    return regulation_calls(run.result, params, intervals_of(ctx, run))


def own_files(ctx: Context) -> OwnFiles:
    """The user's own gene sets and markers."""
    return OwnFiles(ctx.config.data_folder / FOLDER)


def no_analysis(ctx: Context, what: str) -> Any:
    """In place of what an analysis would show: a button that starts it, or that it is going on."""
    job = running(ctx, "genes")
    if job is not None:
        return running_state(job)
    return empty_state(
        f"No {what} yet",
        "Choose gene sets and marker lists on the left and run the analysis.",
        dmc.Button("Run with these parameters", variant="light", id=page.id.each("start", what)),
    )


def no_regulation() -> Any:
    """In place of gene regulation that was not estimated."""
    return empty_state(
        "This run estimates no gene regulation",
        "ADTD's model “Hidden background + gene regulation” does. The tab Hidden profile works with"
        " any run with a hidden background.",
        dmc.Button("Go to ADTD", variant="light", id=page.id.each("go", "adtd")),
    )


class Panel:
    """Controls, a figure or a table of the same result, a sentence; or why there is nothing.

    In the layout :meth:`layout`, at module level :meth:`bind`; a callback with ``output=
    panel.outputs`` returns what :meth:`figure`, :meth:`table` or :meth:`nothing` give.
    """

    def __init__(self, name: str, file_name: str) -> None:
        self.name, self.file_name = name, file_name
        self.views = Views(page, name)

    def id(self, part: str) -> str:
        return str(getattr(page.id, f"{self.name}_{part}"))

    def layout(self, controls: Sequence[Any]) -> Any:
        drawing = figure_card(page, self.name, file_name=self.file_name)
        table = result_table(page, f"{self.name}_table")
        words = dmc.Text("", id=self.id("words"), size="xs", c="dimmed", mt=4)
        body = html.Div([self.views.layout(controls, drawing, table), words], id=self.id("body"))
        return html.Div([html.Div(id=self.id("empty"), style=GONE), body])

    @property
    def outputs(self) -> dict[str, Any]:
        return {
            "empty": Output(self.id("empty"), "style"),
            "nothing": Output(self.id("empty"), "children"),
            "body": Output(self.id("body"), "style"),
            "words": Output(self.id("words"), "children"),
            "figure": Output(getattr(page.id, self.name), "figure"),
            "style": Output(getattr(page.id, self.name), "style"),
            "file": Output(self.id("file"), "data"),
            "columns": Output(self.id("table"), "columnDefs"),
            "rows": Output(self.id("table"), "rowData"),
            "note": Output(self.id("table_note"), "children"),
            "views": self.views.outputs,
        }

    def nothing(self, why: Any) -> dict[str, Any]:
        """An empty state in place of controls and result."""
        return {"empty": SHOWN, "nothing": why, "body": GONE}

    def figure(self, fig: go.Figure, dark: bool, words: Any, file: str = "") -> dict[str, Any]:
        """The figure, fitted to the window where it has the usual height."""
        styled(fig, dark)
        style = graph_height_style(fig)
        return {
            **self._there(words),
            "figure": fig,
            "style": style,
            "file": file or self.file_name,
            "views": self.views.show("figure"),
        }

    def table(self, frame: pd.DataFrame, words: Any) -> dict[str, Any]:
        """The table, its index as the first column."""
        shown = table_view(tidy(frame))
        return {
            **self._there(words),
            "columns": shown.columns,
            "rows": shown.rows,
            "note": shown.note,
            "views": self.views.show("table"),
        }

    def words_only(self, words: Any) -> dict[str, Any]:
        """Controls and a sentence, where what is chosen has nothing to draw."""
        hidden = [GONE, GONE, GONE, GONE]
        return {**self._there(words), "views": hidden}

    def _there(self, words: Any) -> dict[str, Any]:
        return {"empty": GONE, "nothing": None, "body": SHOWN, "words": words}

    def bind(
        self, frame_of: Callable[..., tuple[str, pd.DataFrame, str] | None], *states: State
    ) -> None:
        """Record the callbacks that save figure and table.

        Parameters
        ----------
        frame_of
            ``frame_of(ctx, *values)`` gives file name, table and what it holds, or None.
        """

        def to_save(ctx: Context, *values: Any) -> TableFile | None:
            found = frame_of(ctx, *values)
            if found is None:
                return None
            name, frame, about = found
            return TableFile(name, tidy(frame), about)

        bind_figure_export(page, self.name)
        bind_table_export(page, f"{self.name}_table", to_save, *states)


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Without what rounding leaves, truth values in words."""
    found = frame.copy()
    for name in found.columns:
        if found[name].dtype == bool:
            found[name] = ["yes" if value else "no" for value in found[name]]
        elif found[name].dtype.kind == "f" and not str(name).startswith(("p", "FDR", "p-")):
            found[name] = settled(found[name])
    return found
