"""What is shown beside the current run: another run, or the groups of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gui.analyses.gene_params import GenesParams, regulation_calls
from gui.engine.regulation import GeneEffects
from gui.engine.results import BootstrapResult, Run
from gui.figures.text import shorten
from gui.methods.method import KIND
from gui.pages.genes.base import intervals_of, regulated_runs, regulates, run_title
from gui.pages.genes.calls import of_type
from gui.plugin import Context

NONE = ""


@dataclass(frozen=True, eq=False)
class Estimate:
    """Gene regulation of all samples, or of a group of them.

    Attributes
    ----------
    result
        Of a group: that of the run, with the group's regulation and support.
    intervals
        None of a group: they are of all samples.
    """

    title: str
    result: GeneEffects
    intervals: BootstrapResult | None

    def calls(self, params: GenesParams) -> pd.DataFrame:
        """Regulation of all genes and types with their calls."""
        return regulation_calls(self.result, params, self.intervals)


def of_run(ctx: Context, run: Run) -> Estimate:
    """The estimate over all samples."""
    return Estimate(run_title(run), run.result, intervals_of(ctx, run))


def group_runs(ctx: Context) -> list[Run]:
    """Comparisons of gene regulation between groups whose run is there, newest first."""
    found = ctx.session.runs("group_regulation")
    return [run for run in reversed(found) if _source(ctx, run) is not None]


def _source(ctx: Context, run: Run) -> Run | None:
    inputs = run.provenance.inputs
    found = (ctx.session.run(inputs.get(kind)) for kind in ("adtd", KIND))
    return next((source for source in found if regulates(source)), None)


def of_groups(ctx: Context, run: Run) -> list[Estimate]:
    """One estimate for each group of a comparison."""
    source = _source(ctx, run)
    if source is None:
        return []
    found = run.result
    old = ", outdated" if ctx.session.outdated(run) else ""
    return [
        Estimate(
            f"{shorten(level)} ({shorten(found.variable)}, n = {found.sizes[level]}{old})",
            replace(
                source.result,
                gene_regulation=np.exp2(found.regulation[level]),
                support=found.support,
            ),
            None,
        )
        for level in found.levels
    ]


def options(ctx: Context, current: Run) -> list[dict[str, str]]:
    """What can be chosen to be shown beside the current run."""
    others = [run for run in regulated_runs(ctx) if run.id != current.id]
    return [
        {"value": NONE, "label": "no other run"},
        *({"value": run.id, "label": run_title(run)} for run in others),
        *(
            {
                "value": run.id,
                "label": f"groups of {shorten(run.result.variable)},"
                f" {run.created.astimezone():%d %b %H:%M:%S}"
                f"{' (outdated)' if ctx.session.outdated(run) else ''}",
            }
            for run in group_runs(ctx)
        ),
    ]


def estimates(ctx: Context, current: Run, beside: str) -> list[Estimate]:
    """The current run and what is beside it; the groups of a comparison stand alone."""
    other = ctx.session.run(beside or None)
    if other is not None and other.kind == "group_regulation":
        return of_groups(ctx, other) or [of_run(ctx, current)]
    found = [of_run(ctx, current)]
    if other is not None and regulates(other):
        found.append(of_run(ctx, other))
    return found


def of_type_beside(
    ctx: Context, run: Run, beside: str, cell_type: str, params: GenesParams
) -> dict[str, pd.DataFrame]:
    """Title -> regulation of one cell type, of the run and what is beside it."""
    found = []
    for one in estimates(ctx, run, beside):
        table = of_type(one.calls(params), cell_type)
        if len(table):
            found.append((one.title, table))
    return by_title(found)


def by_title(parts: Iterable[tuple[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Title -> table; tables of one title are numbered."""
    found: dict[str, pd.DataFrame] = {}
    times: Counter[str] = Counter()
    for title, table in parts:
        times[title] += 1
        found[title if times[title] == 1 else f"{title} ({times[title]})"] = table
    return found
