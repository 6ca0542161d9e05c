"""The next step on the way from data to figures: one primary button.

step = NextStepView(page)
step.layout(ctx)      # in the page's layout: one line
step.bind()           # at module level
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, html
from dash.exceptions import PreventUpdate

from gui.answers.next_step import next_step
from gui.components.common import clicked, tip_label
from gui.components.jobs import running
from gui.engine.recommended import RECOMMENDED, TITLE, RecommendedParams, run_recommended
from gui.plugin import JOBS, REVISION, Context, Page

START = "Analyse with recommended settings"


class NextStepView:
    """Label, button and what was decided so far, for one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def layout(self, ctx: Context) -> html.Div:
        """The button of what comes next; empty while nothing is done on the page."""
        return html.Div(self._content(ctx), id=self.page.id.next_step, role="status")

    def bind(self) -> None:
        """Record the callbacks."""
        page, this = self.page, self

        @page.callback(Output(page.id.next_step, "children"), REVISION, JOBS)
        def show_next_step(ctx: Context, _revision: Any, _jobs: Any) -> Any:
            return this._content(ctx)

        @page.callback(
            Input(page.id.each("recommended", ALL), "n_clicks"), prevent_initial_call=True
        )
        def analyse(ctx: Context, _clicks: Any) -> None:
            if clicked() is None:
                raise PreventUpdate
            if running(ctx, RECOMMENDED) is not None:
                ctx.notify("The recommended analysis is already running.", colour="yellow")
                return
            ctx.jobs.submit(
                run_recommended,
                ctx.session_id,
                RecommendedParams(),
                kind=RECOMMENDED,
                title=TITLE,
            )

        @page.callback(Input(page.id.each("go_on", ALL), "n_clicks"), prevent_initial_call=True)
        def go_on(ctx: Context, _clicks: Any) -> None:
            where = clicked()
            if where is None:
                raise PreventUpdate
            ctx.go_to(str(where))

    def _content(self, ctx: Context) -> Any:
        job = running(ctx, RECOMMENDED)
        if job is not None:
            return dmc.Text("The recommended analysis is being computed.", size="sm")
        step = next_step(ctx.session, self.page.key)
        if step is None:
            return None
        button = dmc.Button(
            step.label,
            id=self.page.id.each("go_on", step.page),
            variant="default" if step.recommended else "filled",
            rightSection="→",
            size="sm",
        )
        # on the page itself there is nowhere to go
        ways = [] if step.page == self.page.key else [button]
        if step.recommended:
            ways.insert(
                0, dmc.Button(START, id=self.page.id.each("recommended", "start"), size="sm")
            )
        run = ctx.session.current(self.page.key)
        remark = run.provenance.remark if run is not None else ""
        return dmc.Group(
            [
                dmc.Text(step.text, size="sm", c="dimmed", style={"flex": 1}, miw=220),
                dmc.Text(tip_label("Recommended settings", remark), size="xs") if remark else None,
                dmc.Group(ways, gap="xs"),
            ],
            justify="space-between",
            gap="sm",
            mt="xs",
        )
