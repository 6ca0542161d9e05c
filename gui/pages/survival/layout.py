"""Page Survival: what stands where."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Output, html

from gui.answers.survival import short_answer
from gui.components.common import card, empty_state, two_columns
from gui.components.form import folded
from gui.components.jobs import running, running_state
from gui.components.views import GONE, SHOWN
from gui.pages.survival import curves, head, models, patients
from gui.pages.survival.base import TABS, form, page, survival_run
from gui.pages.survival.columns import control, offers, proposals
from gui.plugin import JOBS, REVISION, Context


@page.layout
def layout(ctx: Context) -> Any:
    run = survival_run(ctx)
    shown = proposals(ctx)
    data = offers(ctx, shown["event"])

    def columns(*names: str) -> list[Any]:
        return [control(name, ctx, shown, data) for name in names]

    cut = html.Div(columns("cut_points"), id=page.id.cut_points_box, style=GONE)
    parameters = card(
        dmc.Stack(
            [
                dmc.Text("Endpoint", fw=600),
                *columns("time", "unit", "event", "event_value", "time_zero"),
                dmc.Text("Fractions and groups", fw=600),
                *columns("of"),
                form.fields(ctx, "cut"),
                cut,
                *columns("compare", "covariates"),
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
                dmc.Button("Run Survival", id=page.id.run, fullWidth=True, disabled=True),
                dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center"),
            ],
            gap="sm",
        )
    )
    results = [
        html.Div(empty(ctx), id=page.id.empty, style=GONE if run else SHOWN),
        dmc.Stack(
            [head.head_layout(), card(_tabs(ctx))],
            id=page.id.shown,
            gap="md",
            style=SHOWN if run else GONE,
        ),
    ]
    return two_columns(parameters, results)


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
        value=kept if kept in TABS else "forest",
    )


def empty(ctx: Context) -> Any:
    """In place of a result: what is missing, with a button to it, or what to do."""
    job = running(ctx, page.key)
    if job is not None:
        return card(running_state(job))
    data = ctx.session.dataset
    if data is None or data.clinical is None:
        return card(
            empty_state(
                "Survival needs a clinical table.",
                "Load a table with a time and an event for each patient on the page Upload, tab"
                " Clinical data. It is joined to the bulk samples by name.",
                dmc.Anchor(dmc.Button("Go to Upload"), href="/upload", underline="never"),
            )
        )
    if not data.clinical.time or not data.clinical.event:
        return card(
            empty_state(
                "Which columns hold times and events?",
                "Choose them on the left, or on the page Upload with the clinical table.",
                dmc.Anchor(dmc.Button("Go to Upload"), href="/upload", underline="never"),
            )
        )
    return card(
        empty_state(
            "No survival analysis yet",
            "Say what time zero is and press Run Survival. Every cell type's fraction gets a Cox"
            " model; with groups of fractions or a clinical column you also get Kaplan-Meier"
            " curves and log-rank tests.",
        )
    )


@page.callback(Output(page.id.empty, "children"), REVISION, JOBS)
def show_empty(ctx: Context, _revision: str | None, _jobs: Any) -> Any:
    return empty(ctx)


@page.summary
def summary(ctx: Context) -> str | None:
    run = survival_run(ctx)
    return None if run is None else short_answer(run.result)


form.bind()
