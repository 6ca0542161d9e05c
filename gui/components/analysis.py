"""What the pages of analyses share: the answer with its warnings above the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, html
from dash.exceptions import PreventUpdate

from gui.answers.analyses import analysis_summary, older, source_now
from gui.components.common import card, clicked, warning
from gui.components.headline import Headline
from gui.components.jobs import running, running_state
from gui.components.report import bind_report, saving_buttons
from gui.components.runs import PreviousRuns
from gui.components.views import GONE, SHOWN
from gui.engine.results import Run
from gui.plugin import JOBS, REVISION, Context, Page


class AnalysisHead:
    """Answer, basis, warnings, report and previous runs of the page's current run.

    In the layout :meth:`layout` around the results, at module level :meth:`bind`. The page's key is
    the kind of its runs.

    Parameters
    ----------
    previous
        The list of previous runs.
    nothing
        ``nothing(ctx)``: what the page shows while there is no run.
    again
        ``again(ctx, run, source)``: starts the analysis of ``run`` once more, with its parameters,
        on the composition of ``source``. Offered where ``run`` is of other data or an older run.
    """

    def __init__(
        self,
        page: Page,
        previous: PreviousRuns,
        nothing: Callable[[Context], Any],
        again: Callable[[Context, Run, Run], None],
    ) -> None:
        self.page, self.previous, self.nothing, self.again = page, previous, nothing, again
        self.headline = Headline(page, "head", details="warnings", multiline=True)

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"head_{part}"))

    def layout(self, ctx: Context, results: Any) -> list[Any]:
        """The head and the results, or what to do while there are none."""
        there = ctx.session.current(self.page.key) is not None
        head = self.headline.layout(
            dmc.Group([saving_buttons(self.page), self.previous.layout()], gap="xs", wrap="nowrap")
        )
        return [
            html.Div(self._empty(ctx), id=self.id("empty"), style=GONE if there else SHOWN),
            dmc.Stack(
                [head, results], id=self.id("shown"), gap="md", style=SHOWN if there else GONE
            ),
        ]

    def bind(self) -> None:
        """Record the callbacks."""
        page, this = self.page, self
        self.previous.bind()
        bind_report(page)

        @page.callback(
            output={
                "empty": Output(this.id("empty"), "style"),
                "shown": Output(this.id("shown"), "style"),
                **this.headline.outputs,
            },
            inputs={"_revision": REVISION},
        )
        def show_head(ctx: Context, *, _revision: Any) -> dict[str, Any]:
            run = ctx.session.current(page.key)
            if run is None:
                return {"empty": SHOWN, "shown": GONE}
            short, old = analysis_summary(ctx.session, run), older(ctx.session, run)
            return {
                "empty": GONE,
                "shown": SHOWN,
                **this.headline.parts(
                    short.answer,
                    [],
                    [text for text in short.warnings if text not in old],
                    this._outdated(ctx, run, old),
                    short.doubtful,
                    [*short.details, *([f"Computed from the {short.basis}."] * bool(short.basis))],
                ),
            }

        @page.callback(
            Input(page.id.each("head-again", ALL), "n_clicks"), prevent_initial_call=True
        )
        def run_again(ctx: Context, _clicks: Any) -> None:
            run = ctx.session.run(clicked())
            source = source_now(ctx.session, run) if run is not None else None
            if run is None or source is None:
                raise PreventUpdate
            this.again(ctx, run, source)

        @page.callback(Output(this.id("empty"), "children"), REVISION, JOBS)
        def show_empty(ctx: Context, _revision: Any, _jobs: Any) -> Any:
            return this._empty(ctx)

    def _outdated(self, ctx: Context, run: Run, old: Sequence[str]) -> Any:
        """That it is of other data or an older run, with the button that renews it."""
        if not old:
            return None
        button = dmc.Button(
            "Run again",
            id=self.page.id.each("head-again", run.id),
            size="compact-sm",
            variant="light",
            color="orange",
        )
        source = source_now(ctx.session, run)
        same = source is not None and source.id in run.provenance.inputs.values()
        useless = source is None or (same and ctx.session.outdated(run) is None)
        return warning(" ".join(old), *([] if useless else [button]))

    def _empty(self, ctx: Context) -> Any:
        job = running(ctx, self.page.key)
        if job is not None:
            return card(running_state(job))
        return card(self.nothing(ctx))


def go_to(key: str, text: str) -> Any:
    """A button that opens another page, for an empty state."""
    return dmc.Anchor(dmc.Button(text), href=f"/{key}", underline="never")
