"""“Merge and run again”, beside the warning that an estimate cannot tell cell types apart.

merging = MergeTypesButton(page)
merging.beside(ctx, run, warnings)      # in the callback that fills the headline
merging.bind()                          # at module level
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input
from dash.exceptions import PreventUpdate

from gui.answers.warnings import similar_warning
from gui.components.common import clicked
from gui.data.merged_types import connected, merge_types
from gui.engine.params import DTDParams
from gui.engine.results import Run
from gui.engine.similar_types import similar_pairs
from gui.engine.tasks import run_dtd
from gui.plugin import Context, Page
from gui.sessions.rules import MAX_NAME
from gui.text import some

LABEL = "Merge and run DTD again"
_MERGING = threading.Lock()
"""One after the other: the second click of two finds the session of the first one."""


class MergeTypesButton:
    """The button of one page whose run has a reference and gene weights."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def beside(self, ctx: Context, run: Run, warnings: Iterable[str]) -> list[Any]:
        """Return the warnings, the one about cell types too alike with the button, if it helps."""
        if self._params(ctx, run) is None:
            return list(warnings)
        alike = similar_warning(run.result.reference, run.result.gene_weights)
        return [self._with_button(run, text) if text == alike else text for text in warnings]

    def bind(self) -> None:
        """Record the callback."""
        page, this = self.page, self

        @page.callback(
            Input(page.id.each("merge_types", ALL), "n_clicks"), prevent_initial_call=True
        )
        def merge(ctx: Context, _clicks: Any) -> None:
            run = ctx.session.run(clicked())
            params = None if run is None else this._params(ctx, run)
            if run is None or params is None:
                raise PreventUpdate
            with _MERGING:
                this._merge(ctx, run, params)

    def _with_button(self, run: Run, text: str) -> Any:
        button = dmc.Button(
            LABEL,
            id=self.page.id.each("merge_types", run.id),
            size="compact-xs",
            variant="light",
            style={"flex": "none"},
        )
        words = dmc.Text(
            text, size="xs", c="dimmed", style={"flex": 1, "overflowWrap": "anywhere"}, miw=220
        )
        return dmc.Group([words, button], gap="xs", align="flex-start")

    @staticmethod
    def _params(ctx: Context, run: Run) -> DTDParams | None:
        """What DTD was run with; None where it cannot be run again on these data."""
        data = ctx.session.dataset
        if data is None or data.train is None or ctx.sessions.single or ctx.session.outdated(run):
            return None
        learned = run if run.kind == "dtd" else ctx.session.run(run.provenance.inputs.get("dtd"))
        found = None if learned is None else learned.params
        return found if isinstance(found, DTDParams) else None

    @staticmethod
    def _merge(ctx: Context, run: Run, params: DTDParams) -> None:
        """In a copy of the session, so that the runs so far stay, to be compared with."""
        found = similar_pairs(run.result.reference, run.result.gene_weights)
        groups = connected((pair.first, pair.second) for pair in found)
        data = merge_types(ctx.session.need_dataset(), groups)
        merged = [" + ".join(t for t in run.result.reference.columns if t in g) for g in groups]
        wanted = f"{ctx.session.name}, {some(merged, 1)}"[:MAX_NAME].rstrip()
        busy = {job.session_id for job in ctx.jobs.status() if job.active}
        if any(
            info.name == wanted and info.session_id in busy
            for info in ctx.sessions.list_sessions(actor=ctx.actor)
        ):  # a double click
            ctx.notify(f"DTD is already running in the session “{wanted}”.", colour="yellow")
            return
        name = ctx.sessions.free_name(wanted, actor=ctx.actor)
        copy = ctx.sessions.duplicate_session(ctx.session_id, actor=ctx.actor)
        ctx.sessions.rename_session(copy.session_id, name, actor=ctx.actor)
        copy.set_dataset(data, keep_runs=False)
        ctx.switch_to(copy.session_id)
        ctx.jobs.submit(run_dtd, copy.session_id, params, kind="dtd", title="DTD")
        ctx.notify(
            f"DTD runs with merged cell types in the new session “{name}”;"
            f" “{ctx.session.name}” is as it was.",
            colour="green",
        )
        ctx.go_to("dtd")
