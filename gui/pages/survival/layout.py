"""Page Survival: what stands where."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from gui.components.common import card, form_end, two_columns
from gui.components.form import folded
from gui.components.views import GONE
from gui.pages.survival import curves, head, models, patients
from gui.pages.survival import updates as _updates  # noqa: F401  records its callbacks
from gui.pages.survival.base import TABS, form, page, progress
from gui.pages.survival.columns import control, offers, order_style, proposals, samples_id
from gui.plugin import Context


@page.layout
def layout(ctx: Context) -> Any:
    shown = proposals(ctx)
    data = offers(ctx, shown["event"], shown["compare"])

    def columns(*names: str) -> list[Any]:
        return [control(name, ctx, shown, data) for name in names]

    cut = html.Div(columns("cut_points"), id=page.id.cut_points_box, style=GONE)
    order = html.Div(columns("order"), id=page.id.order_box, style=order_style(data["order"]))
    parameters = card(
        dmc.Stack(
            [
                dmc.Text("Endpoint", fw=600),
                *columns("time", "unit", "event", "event_value", "time_zero"),
                dmc.Text("Fractions and groups", fw=600),
                *columns("of"),
                form.fields(ctx, "cut"),
                cut,
                *columns("compare"),
                order,
                *columns("covariates"),
                folded(
                    "Several variables, strata",
                    dmc.Stack([*columns("types", "strata"), form.fields(ctx, "ridge")], gap="sm"),
                ),
                folded(
                    "Patients, known only later",
                    dmc.Stack(
                        [
                            *columns("patient"),
                            form.fields(ctx, "duplicates"),
                            *columns("later"),
                            form.fields(ctx, "known_at", "landmark"),
                        ],
                        gap="sm",
                    ),
                ),
                form.advanced(ctx, "transform", "tau", "scale", "permutations", "seed"),
                form.hidden_parts(),
                dcc.Store(id=page.id.seen, data=samples_id(ctx)),
                form_end(
                    dmc.Button("Run Survival", id=page.id.run, fullWidth=True, disabled=True),
                    dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center", mt=6),
                    progress.layout(ctx),
                ),
            ],
            gap="sm",
        )
    )
    results = head.head.layout(ctx, card(head.ridge_offer(), _tabs(ctx)))
    return two_columns(parameters, results, foldable=True)


def _tabs(ctx: Context) -> Any:
    panels = {
        "forest": models.forest_layout(ctx),
        "curves": curves.curves_layout(ctx),
        "together": models.together_layout(ctx),
        "hazards": models.hazards_layout(ctx),
        "patients": patients.patients_layout(ctx),
    }
    kept = ctx.session.form(page.key).get("tab")
    return dmc.Tabs(
        [
            dmc.TabsList([dmc.TabsTab(text, value=key) for key, text in TABS.items()], mb="sm"),
            *[dmc.TabsPanel(panel, value=key) for key, panel in panels.items()],
        ],
        id=page.id.tabs,
        value=kept if isinstance(kept, str) and kept in TABS else "forest",
    )


form.bind()
progress.bind()
