"""The result tabs of DTD: Composition, Second opinion, Correlation, Markers, Loss and others.

Only the open tab is computed and sent.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input

from gui.answers.dtd import TRAP, bulk_shown
from gui.components.agreement import AgreementView
from gui.components.cell_fractions import CellFractionsView
from gui.components.common import drawn, not_drawn
from gui.components.composition import CompositionView
from gui.components.confidence_intervals import ConfidenceIntervalView
from gui.components.persistent_controls import PersistentControls
from gui.components.second_opinion import (
    CONSENSUS_PART,
    CONSENSUS_TITLE,
    SecondOpinionView,
)
from gui.pages.dtd.correlation import bind_correlation, bind_scatter, correlation_panel
from gui.pages.dtd.current_result import composition_of, subject_of
from gui.pages.dtd.loss import bind_loss, loss_panel
from gui.pages.dtd.markers import DEFAULT_MARKERS, bind_markers, markers_panel
from gui.plugin import Context, Page

PARTS = {
    "bulk": "Bulk",
    CONSENSUS_PART: CONSENSUS_TITLE,
    "test": "Test pseudobulks",
    "train": "Training pseudobulks",
}
TABS = {
    "composition": "Composition",
    "opinion": "Second opinion",
    "correlation": "Correlation",
    "markers": "Markers",
    "loss": "Loss",
    "sure": "Uncertainty",
    "known": "Against known",
}


def tabs_layout(ctx: Context, page: Page, tab: str) -> Any:
    """The tabs, each with its controls; filled by the callbacks of :func:`bind_tabs`."""
    panels = {
        "composition": lambda: _view(page).layout(ctx),
        "opinion": lambda: _opinion(page).layout(ctx),
        "correlation": lambda: correlation_panel(ctx, page, _kept(page)),
        "markers": lambda: markers_panel(ctx, page, _kept(page)),
        "loss": lambda: loss_panel(page),
        "sure": lambda: _sure(page).layout(ctx),
        "known": lambda: _known(page).layout(ctx),
    }
    return dmc.Tabs(
        [
            dmc.TabsList(
                [dmc.TabsTab(text, value=key, px="xs", fz=13) for key, text in TABS.items()],
                mb=8,
            ),
            *[
                dmc.TabsPanel(
                    drawn(
                        f"the tab {key} of DTD",
                        panels[key],
                        not_drawn(f"{TABS[key]} cannot be shown."),
                    ),
                    value=key,
                )
                for key in TABS
            ],
        ],
        id=page.id.tabs,
        value=tab,
    )


def bind_tabs(page: Page) -> None:
    """Record the callbacks of all tabs."""
    _view(page).bind()
    _cells(page).bind()
    _opinion(page).bind()
    _kept(page).bind()
    bind_correlation(page)
    bind_scatter(page)
    bind_markers(page)
    bind_loss(page)
    _known(page).bind()
    _sure(page).bind()


def _kept(page: Page) -> PersistentControls:
    return PersistentControls(
        page,
        metric="pearson",
        correlation_view="figure",
        markers_view="heatmap",
        markers_n=DEFAULT_MARKERS,
        markers_scale="z",
    )


def _view(page: Page) -> CompositionView:
    return CompositionView(
        page,
        lambda ctx, part: composition_of(ctx.session, part),
        active=(Input(page.id.tabs, "value"), "composition"),
        parts=PARTS,
        normalise=True,
        file="dtd_composition",
        note=TRAP,
        not_kept=(CONSENSUS_PART,),
        more=_cells(page).controls,
        also=_cells(page).changed,
    )


def _cells(page: Page) -> CellFractionsView:
    return CellFractionsView(page, "dtd")


def _opinion(page: Page) -> SecondOpinionView:
    return SecondOpinionView(
        page,
        "dtd",
        lambda ctx: _bulk(ctx) is not None,
        active=(Input(page.id.tabs, "value"), "opinion"),
    )


def _known(page: Page) -> AgreementView:
    return AgreementView(page, _bulk, active=(Input(page.id.tabs, "value"), "known"), file="dtd")


def _sure(page: Page) -> ConfidenceIntervalView:
    return ConfidenceIntervalView(
        page,
        lambda ctx: subject_of(ctx.session),
        active=(Input(page.id.tabs, "value"), "sure"),
        file="dtd",
    )


def _bulk(ctx: Context) -> pd.DataFrame | None:
    """The composition of the current bulk by the current run."""
    run = ctx.session.current("dtd")
    found = None if run is None else bulk_shown(ctx.session, run)
    return found.composition if found is not None and found.fits else None
