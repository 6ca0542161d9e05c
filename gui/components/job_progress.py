"""How far the work of a page is, below the button that started it: time left, and Cancel.

progress = JobProgress(page, "dtd", "apply")
progress.layout(ctx)      # in form_end, once per page
progress.bind()           # at module level
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, html
from dash.exceptions import PreventUpdate

from gui.components.common import clicked
from gui.components.jobs import progress_parts
from gui.engine.recommended import RECOMMENDED, STEPS
from gui.plugin import JOBS, Context, Page


class JobProgress:
    """The first job of these kinds that waits or runs for the tab's session.

    Parameters
    ----------
    kinds
        Of the jobs, as given to ``ctx.jobs.submit``. A job of several steps counts for each.
    """

    def __init__(self, page: Page, *kinds: str) -> None:
        self.page = page
        self.kinds = {*kinds, *([RECOMMENDED] if STEPS.keys() & set(kinds) else [])}

    def layout(self, ctx: Context) -> html.Div:
        """Return the place for it; empty while nothing is under way."""
        return html.Div(self._content(ctx), id=self.page.id.job_progress)

    def bind(self) -> None:
        """Record the callbacks, at module level of the page."""
        page, this = self.page, self

        @page.callback(Output(page.id.job_progress, "children"), JOBS)
        def show_job(ctx: Context, _jobs: Any) -> Any:
            return this._content(ctx)

        @page.callback(Input(page.id.each("stop", ALL), "n_clicks"), prevent_initial_call=True)
        def stop_job(ctx: Context, _clicks: Any) -> None:
            job_id = clicked()
            if job_id is None:
                raise PreventUpdate
            ctx.jobs.cancel(job_id)

    def _content(self, ctx: Context) -> Any:
        active = [
            job for job in ctx.jobs.status(ctx.session_id) if job.active and job.kind in self.kinds
        ]
        if not active:
            return None
        job = next((j for j in active if j.state == "running"), active[0])
        cancel = dmc.Button(
            "Cancel",
            id=self.page.id.each("stop", job.id),
            variant="subtle",
            color="red",
            size="compact-xs",
            **{"aria-label": f"Cancel {job.title}"},
        )
        parts, box = progress_parts([job])[job.id], self.page.id.job
        text = dmc.Text(parts["text"], id=f"{box}-text", size="xs", style={"flex": 1})
        line = dmc.Group([text, cancel], gap="xs", wrap="nowrap")
        shown = dmc.Stack([html.Div(parts["bar"], id=f"{box}-bar"), line], gap=4, mt=8)
        # gui/shell/refresh.py keeps bar and text up to date
        return html.Div(shown, id=box, className="dcx-job-progress", **{"data-job": job.id})
