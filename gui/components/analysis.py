"""What the pages of analyses share: the answer with its warnings above the results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Output, html

from gui.answers.analyses import analysis_summary
from gui.components.common import answer, card
from gui.components.jobs import running, running_state
from gui.components.report import bind_report, report_button
from gui.components.runs import PreviousRuns
from gui.components.views import GONE, SHOWN
from gui.components.warnings import warning_list
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
    """

    def __init__(
        self, page: Page, previous: PreviousRuns, nothing: Callable[[Context], Any]
    ) -> None:
        self.page, self.previous, self.nothing = page, previous, nothing

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"head_{part}"))

    def layout(self, ctx: Context, results: Any) -> list[Any]:
        """The head and the results, or what to do while there are none."""
        there = ctx.session.current(self.page.key) is not None
        actions = dmc.Group(
            [report_button(self.page), self.previous.layout()], gap="xs", wrap="nowrap"
        )
        head = card(
            html.Div(id=self.id("answer"), className="dcx-pending"),
            dmc.Group(
                [dmc.Text(id=self.id("basis"), size="xs", c="dimmed", style={"flex": 1}), actions],
                justify="space-between",
                align="flex-start",
                gap="xs",
                mt="xs",
                wrap="nowrap",
            ),
            html.Div(id=self.id("warnings")),
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
                part: Output(this.id(part), prop)
                for part, prop in (
                    ("empty", "style"),
                    ("shown", "style"),
                    ("answer", "children"),
                    ("basis", "children"),
                    ("warnings", "children"),
                )
            },
            inputs={"_revision": REVISION},
        )
        def show_head(ctx: Context, *, _revision: Any) -> dict[str, Any]:
            run = ctx.session.current(page.key)
            if run is None:
                return {"empty": SHOWN, "shown": GONE}
            short = analysis_summary(ctx.session, run)
            return {
                "empty": GONE,
                "shown": SHOWN,
                "answer": [
                    answer(short.answer),
                    *(dmc.Text(text, size="xs", mt=2) for text in short.details),
                ],
                "basis": f"Computed from the {short.basis}." if short.basis else "",
                "warnings": dmc.Stack(warning_list(short.warnings), gap=4, mt=6),
            }

        @page.callback(Output(this.id("empty"), "children"), REVISION, JOBS)
        def show_empty(ctx: Context, _revision: Any, _jobs: Any) -> Any:
            return this._empty(ctx)

    def _empty(self, ctx: Context) -> Any:
        job = running(ctx, self.page.key)
        if job is not None:
            return card(running_state(job))
        return card(self.nothing(ctx))


def go_to(key: str, text: str) -> Any:
    """A button that opens another page, for an empty state."""
    return dmc.Anchor(dmc.Button(text), href=f"/{key}", underline="never")
