"""The composition of samples on screen: stacked bars, heatmap or table; sorted, grouped, one sample on click. Shared by DTD and ADTD.

    view = CompositionView(page, source, active=(Input(page.id.tabs, "value"), "composition"), parts={"bulk": "Bulk", "test": "Test mixtures"}, normalise=True)
    view.layout(ctx)      # in the page's layout, inside the tab's panel
    view.bind()           # at module level
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from dash import Input

from gui.plugin import Context, Page


class Composition(NamedTuple):
    """What is shown of one part.

    frame : cell types (and ``hidden``) x samples, the engine's values; truth : cell types x samples, where known
    groups : one row per sample, columns to group by (``bulk.obs``), or None
    interval : by sample, columns low and high: the hidden share at equal fit, or None
    """

    frame: pd.DataFrame
    truth: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    interval: pd.DataFrame | None = None


Source = Callable[[Context, str], "Composition | tuple[Any, ...] | None"]
"""``source(ctx, part)``: a Composition (or a tuple of its fields), or None where there is nothing to show."""


class CompositionView:
    """One composition view on one page. Only computed while its tab is on screen.

    source : see above; active : (an Input, the value it has while this view is on screen)
    parts : part -> shown text, in the order offered; those for which ``source`` gives None are left out (a choice only appears for more than one)
    normalise : whether shares that sum to 1 are the default; file : begin of the names of saved files; note : one line near the figure
    """

    def __init__(
        self,
        page: Page,
        source: Source,
        *,
        active: tuple[Input, str],
        parts: Mapping[str, str],
        normalise: bool = True,
        name: str = "composition",
        file: str = "composition",
        note: str = "",
    ) -> None:
        self.page, self.source, self.active, self.parts = page, source, active, dict(parts)
        self.normalise, self.name, self.file, self.note = normalise, name, file, note

    def layout(self, ctx: Context) -> Any:
        """Controls, figure, table and the dialog of one sample; goes once into the page's skeleton."""
        raise NotImplementedError

    def bind(self) -> None:
        """Record the callbacks, at module level of the page."""
        raise NotImplementedError
