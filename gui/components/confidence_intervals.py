"""Tab Uncertainty: 95 % intervals on request, and the fit of every sample.

A tab shared by DTD and ADTD.

view = ConfidenceIntervalView(
        page, subject, active=(Input(page.id.tabs, "value"), "sure"), file="adtd"
    )
view.layout(ctx)      # in the page's layout, inside the tab's panel
view.bind()           # at module level
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, html, no_update
from dash.exceptions import PreventUpdate

from gui.answers import confidence_intervals as words
from gui.components.common import empty_state
from gui.components.figure import bind_figure_export, figure_card
from gui.components.form import ParamsForm, folded
from gui.components.jobs import only_jobs
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, options, switch
from gui.engine.params import BootstrapParams
from gui.engine.results import BootstrapResult, Run
from gui.engine.tasks import run_bootstrap
from gui.errors import DeconomixError, MissingPart
from gui.figures.composition import fold_hidden
from gui.figures.fractions import with_interval
from gui.figures.palette import type_colours
from gui.figures.template import styled
from gui.figures.text import inert
from gui.jobs.taskref import Task
from gui.plugin import DARK, JOBS, REVISION, Context, Page

FIGURE, TABLE, FIT = "figure", "table", "fit"
TYPE = "type:"
NONE_YET = (
    "No intervals yet. Press “Compute intervals”: the genes are resampled many times, and the"
    " fractions estimated from every replicate."
)
STYLES = {"replicates": {"width": 150}, "seeds": {"paddingBottom": 6}}
GOING = "The intervals are being computed; you can go on working."
FIT_NOTE = (
    "The fit says how well a sample is reconstructed from the estimated fractions, not how true"
    " these are. Unexplained variance: the part of its weighted variance over the genes that the"
    " fit does not explain. With more than half of a sample hidden, a good fit says nothing about"
    " its cell types."
)


class Subject(NamedTuple):
    """What the tab is about.

    Attributes
    ----------
    run
        The current run.
    inputs
        Name -> run id, of the task.
    values
        Of BootstrapParams, those of the run (part, lambda2, …).
    title
        Of the job.
    fit
        By sample, or None.
    truth
        Cell types x samples, or None.
    what
        "sample" or "mixture".
    obstacle
        Why no intervals can be computed, a sentence, or None.
    task
        That computes them.
    sums
        Whether the fractions of a sample sum to 1 as they are.
    """

    run: Run
    inputs: Mapping[str, str]
    values: Mapping[str, Any]
    title: str
    fit: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    what: str = "sample"
    obstacle: str | None = None
    task: Task = run_bootstrap
    sums: bool = False


class ConfidenceIntervalView:
    """One tab on one page.

    Only computed while it is on screen.

    Parameters
    ----------
    subject
        None where there is no run.
    file
        Prefix of the names of saved files.
    learned
        Whether there are gene weights that may be learned anew in every replicate.
    """

    def __init__(
        self,
        page: Page,
        subject: Callable[[Context], Subject | None],
        *,
        active: tuple[Input, str],
        file: str,
        learned: bool = True,
    ) -> None:
        self.page, self.subject, self.active, self.file = page, subject, active, file
        self.views = Views(page, "sure")
        self.kept = PersistentControls(page, sure_look=FIGURE)
        self.names = ("replicates", "seeds") if learned else ("replicates",)
        self.form = ParamsForm(page, BootstrapParams, prefix="sure_", names=self.names)

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"sure_{part}"))

    def layout(self, ctx: Context) -> html.Div:
        look = switch(
            {FIGURE: "Figure", TABLE: "Table", FIT: "Fit by sample"},
            self.id("look"),
            self.kept.value(ctx, "sure_look"),
        )
        one = dmc.Select(
            id=self.id("type"),
            data=[],
            size="xs",
            w=190,
            searchable=True,
            allowDeselect=False,
            **{"aria-label": "Cell type"},
        )
        row = dmc.Group(
            [
                *(html.Div(self.form.fields(ctx, n), style=STYLES[n]) for n in self.names),
                dmc.Button(
                    "Compute intervals",
                    id=self.id("start"),
                    variant="light",
                    size="sm",
                    disabled=True,
                ),
            ],
            gap="sm",
            align="flex-end",
        )
        subject = self.subject(ctx)
        have = subject is not None and words.bootstrap_of(ctx.session, subject.run) is not None
        start = folded("Settings", row, opened=not have, id=self.id("fold"))
        reason = dmc.Text("", id=self.id("reason"), size="xs", c="dimmed")
        drawing = figure_card(self.page, "sure_figure", file_name=f"{self.file}-intervals")
        table = result_table(self.page, "sure_table", filters=False, engine=True)
        there = self.views.layout([look, html.Div(one, id=self.id("types"))], drawing, table)
        nothing = empty_state(
            "No composition yet",
            "Run it first. Then you can compute intervals of every fraction here.",
        )
        body = dmc.Stack(
            [
                dmc.Text("", id=self.id("words"), size="xs"),
                start,
                reason,
                self.form.hidden_parts(),
                there,
            ],
            gap=6,
        )
        return html.Div(
            [
                html.Div(nothing, id=self.id("empty"), style=GONE),
                html.Div(body, id=self.id("body"), style=SHOWN),
            ]
        )

    def bind(self) -> None:
        """Record the callbacks, at module level of the page."""
        page, this = self.page, self
        tab, here = self.active
        self.kept.bind()
        self.form.bind()

        @page.callback(
            output={
                "empty": Output(this.id("empty"), "style"),
                "body": Output(this.id("body"), "style"),
                "words": Output(this.id("words"), "children"),
                "choice": Output(this.id("types"), "style"),
                "types": Output(this.id("type"), "data"),
                "type": Output(this.id("type"), "value"),
                "figure": Output(this.id("figure"), "figure"),
                "figure_style": Output(this.id("figure"), "style"),
                "file": Output(this.id("figure_file"), "data"),
                "columns": Output(this.id("table"), "columnDefs"),
                "rows": Output(this.id("table"), "rowData"),
                "note": Output(this.id("table_note"), "children"),
                "views": this.views.outputs,
            },
            inputs={
                "_revision": REVISION,
                "dark": DARK,
                "_jobs": JOBS,
                "active": tab,
                "look": Input(this.id("look"), "value"),
                "chosen": Input(this.id("type"), "value"),
            },
        )
        def draw(
            ctx: Context,
            *,
            dark: bool,
            active: str | None,
            look: str,
            chosen: str | None,
            _revision: str | None,
            _jobs: Any,
        ) -> dict[str, Any]:
            if active != here:
                raise PreventUpdate
            subject = this.subject(ctx)
            if subject is None:
                return {"empty": SHOWN, "body": GONE}
            there: dict[str, Any] = {"empty": GONE, "body": SHOWN, "choice": GONE}
            no_view = [GONE] * len(this.views.outputs)
            if look == FIT:
                if only_jobs():
                    raise PreventUpdate
                there["words"] = [
                    html.B(
                        words.fit_sentence(subject.fit, subject.what)
                        or (
                            "An earlier version computed this run without checking the fit of the"
                            " samples."
                        )
                    ),
                    " ",
                    FIT_NOTE,
                ]
                if subject.fit is None:
                    return {**there, "views": no_view}
                shown = table_view(
                    words.shown_fit(subject.fit),
                    index_name=subject.what.capitalize(),
                    percent=[words.FIT_NAMES["residual"]],
                )
                return {
                    **there,
                    "columns": shown.columns,
                    "rows": shown.rows,
                    "note": shown.note,
                    "views": this.views.show("table"),
                }
            found = words.bootstrap_of(ctx.session, subject.run)
            if found is not None and only_jobs():
                raise PreventUpdate
            if found is None:
                there["words"] = GOING if this._is_running(ctx, subject) else NONE_YET
                return {**there, "views": no_view}
            sure: BootstrapResult = found.result
            said = [words.sentence(sure), *sure.notes]
            said += [] if subject.sums else [words.AS_ESTIMATED]
            there["words"] = dmc.Stack(
                [html.Span(t) for t in said],
                gap=2,
            )
            if look == TABLE:
                shown = table_view(
                    words.shown_intervals(sure), index_name=subject.what.capitalize(), percent=True
                )
                return {
                    **there,
                    "columns": shown.columns,
                    "rows": shown.rows,
                    "note": shown.note,
                    "views": this.views.show("table"),
                }
            types = [str(t) for t in sure.estimate.index]
            name = str(chosen or "").removeprefix(TYPE)
            name = name if name in types else str(sure.estimate.mean(axis=1).idxmax())
            there |= {"choice": SHOWN, "types": options({f"{TYPE}{t}": t for t in types})}
            if chosen != f"{TYPE}{name}":
                there["type"] = f"{TYPE}{name}"
            fig = styled(
                drawn(sure, name, type_colours(ctx.session.dataset, *types), subject.truth),
                bool(dark),
            )
            style = graph_height_style(fig)
            return {
                **there,
                "figure": fig,
                "figure_style": style,
                "file": f"{this.file}-intervals-{name}",
                "views": this.views.show(FIGURE),
            }

        @page.callback(
            Output(this.id("start"), "disabled"),
            Output(this.id("reason"), "children"),
            inputs={
                "_revision": REVISION,
                "_jobs": JOBS,
                "active": tab,
                "values": this.form.inputs,
            },
        )
        def ready(
            ctx: Context,
            *,
            active: str | None,
            values: dict[str, Any],
            _revision: Any,
            _jobs: Any,
        ) -> tuple[bool, str]:
            if active != here:
                raise PreventUpdate
            subject = this.subject(ctx)
            if subject is None or subject.obstacle:
                return True, (subject.obstacle or "") if subject else ""
            try:
                this.form.parse(values, **subject.values)
            except DeconomixError as error:
                return True, str(error)
            if this._is_running(ctx, subject):
                return True, GOING
            return False, ""

        @page.callback(
            Output(this.id("fold"), "value"),
            inputs={"clicks": Input(this.id("start"), "n_clicks")},
            state={"values": this.form.states},
            prevent_initial_call=True,
        )
        def start(ctx: Context, *, clicks: int | None, values: dict[str, Any]) -> Any:
            subject = this.subject(ctx)
            if not clicks or subject is None:
                return no_update
            if subject.obstacle:
                raise MissingPart(subject.obstacle)
            if this._is_running(ctx, subject):
                ctx.notify("This is already being computed.", colour="yellow")
                return no_update
            params = this.form.parse(values, **subject.values)
            ctx.jobs.submit(
                subject.task,
                ctx.session_id,
                params,
                kind="bootstrap",
                title=subject.title,
                inputs=subject.inputs,
            )
            return None  # folded: room for what is coming

        def to_save(ctx: Context, look: str) -> TableFile | None:
            subject = this.subject(ctx)
            if subject is None:
                return None
            header = subject.what.capitalize()
            if look == FIT:
                return (
                    None
                    if subject.fit is None
                    else fit_file(f"{this.file}-fit", subject.fit, header)
                )
            found = words.bootstrap_of(ctx.session, subject.run)
            return (
                None
                if found is None
                else intervals_file(f"{this.file}-intervals", found.result, header)
            )

        bind_figure_export(page, "sure_figure")
        bind_table_export(page, "sure_table", to_save, State(this.id("look"), "value"), engine=True)
        for function in (draw, ready, start):
            function.__name__ = f"sure_{function.__name__}"

    def _is_running(self, ctx: Context, subject: Subject) -> bool:
        return any(
            job.active and job.kind == "bootstrap" and dict(job.inputs) == dict(subject.inputs)
            for job in ctx.jobs.status(ctx.session_id)
        )


def intervals_file(name: str, sure: BootstrapResult, header: str) -> TableFile:
    """The intervals as on screen, in percent, and with full precision, as fractions.

    Parameters
    ----------
    header
        Over the samples.
    """
    about = (
        "RNA fraction (%) as estimated with its 95 % interval. One row per"
        f" {header.lower()} and cell type."
    )
    engine = "RNA fraction with its 95 % interval, with full precision: 1 is 100 %."
    return TableFile(
        name,
        words.shown_intervals(sure).rename_axis(header),
        about,
        words.interval_table(sure),
        engine,
    )


def fit_file(name: str, fit: pd.DataFrame, header: str) -> TableFile:
    """How well the samples are reconstructed, as on screen and with full precision."""
    about = (
        f"How well the estimated fractions reconstruct every {header.lower()}. The unexplained"
        " variance is in percent of its weighted variance."
    )
    engine = (
        "How well the estimated fractions reconstruct the samples, with full precision. The"
        " residual is a fraction of the weighted variance: 1 is 100 %."
    )
    return TableFile(
        name, words.shown_fit(fit).rename_axis(header), about, fit.rename_axis("sample"), engine
    )


def drawn(
    sure: BootstrapResult, name: str, colour_of: Mapping[str, str], truth: pd.DataFrame | None
) -> Any:
    """The figure of one cell type."""
    at = sure.estimate.index.astype(str) == name
    value, low, high = (frame.loc[at].iloc[0] for frame in (sure.estimate, sure.low, sure.high))
    real = None
    if truth is not None:
        types = [str(t) for t in sure.estimate.index]
        known = {
            c: fold_hidden(truth[c], types).get(name) for c in truth.columns if c in value.index
        }
        real = pd.Series({c: v for c, v in known.items() if v is not None}, dtype=float)
    return with_interval(
        inert(name), value, low, high, colour_of, truth=None if real is None or real.empty else real
    )
