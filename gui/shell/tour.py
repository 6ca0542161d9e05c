"""The welcome of the very first start, and the tour: a few steps on the example, in a small card
that never stands in the way of the page.

The steps move in the browser (``resources/assets/tour.js``): the card is part of the shell, so it
stays while pages change. Where the tour is stands in the tab's own store; that it was offered once
stands in the settings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import icon
from gui.components.example import take_example
from gui.plugin import REVISION, Context
from gui.shell.page import shell

GONE = {"display": "none"}


@dataclass(frozen=True)
class Step:
    """page : key of the page it is on; target : CSS selectors of what to look at, the first that is
    on screen is outlined.

    needs : what the session must hold before the tour goes here (see :func:`held`), "" for nothing;
    until : why Next waits, at the step before
    """

    page: str
    target: tuple[str, ...]
    title: str
    text: str
    needs: str = ""
    until: str = ""


STEPS = (
    Step(
        "upload",
        ("#upload-answer",),
        "What is loaded",
        "The example is loaded: single cells of six types, and 20 bulk samples. It is simulated, so"
        " the true answer is known. One type, the neutrophils, is missing from the reference on"
        " purpose: the analysis has to notice.",
    ),
    Step(
        "upload",
        ("#dcx-nav",),
        "The way through",
        "The pages are the steps of the work, from top to bottom. Each says what it still needs,"
        " and shows a tick when it is done. You can go back at any time.",
    ),
    Step(
        "dtd",
        ("#dtd-run",),
        "DTD: learn which genes to trust",
        "Press Run DTD. The program mixes single cells into bulk samples of known composition and"
        " learns which genes tell the cell types apart. It takes some seconds; the"
        " progress is shown below the button.",
        "dataset",
        "This session holds no data: load the example on the Upload page, or begin the tour again.",
    ),
    Step(
        "dtd",
        ("#dtd-answer", "#dtd-run"),
        "Read the answer first",
        "The first line says how well it works on mixtures of known composition (1 is perfect), and"
        " which cell type does worst. Under it, each tab is one figure or table; Save… keeps it.",
        "dtd",
        "Next waits for the DTD run.",
    ),
    Step(
        "adtd",
        ("#adtd-run",),
        "ADTD: what the reference lacks",
        "Choose the model “Hidden background + gene regulation” and press Run ADTD. It also"
        " estimates a hidden background, and which genes behave differently in the bulk.",
        "dtd",
        "Next waits for the DTD run.",
    ),
    Step(
        "adtd",
        ("#adtd-run-answer", "#adtd-tabs"),
        "Hidden fraction, with its interval",
        "The hidden fraction has an interval: every value in it fits the data equally well."
        " See Hidden profile for what is missing (here neutrophils) and Gene regulation for what is"
        " changed (here 14 genes of the monocytes).",
        "regulation",
        "Next waits for a run with gene regulation.",
    ),
    Step(
        "adtd",
        ("#dcx-help",),
        "Your own data",
        "All is kept in the session “Example”, and saved by itself. For your own data open Upload"
        " and choose your files. The user guide is behind this question mark; it explains every"
        " parameter and every figure. For research use only.",
    ),
)


def layout(*, welcome: bool) -> list[Any]:
    """The two cards. welcome : the program was never opened before"""
    first = _card(
        "dcx-welcome",
        "Welcome",
        [
            dmc.Text("Welcome to DeconomiX", fw=700),
            dmc.Text(
                "It finds out which cell types a bulk tissue sample is made of, and what in it no"
                " reference knows.",
                size="sm",
            ),
            dmc.Text(
                "For research use only. Not a medical device, not for diagnosis or treatment.",
                size="sm",
                fw=600,
            ),
            dmc.Group(
                [
                    dmc.Button("Skip", id="dcx-welcome-skip", variant="default", size="xs"),
                    dmc.Button("Take the tour on the example", id="dcx-welcome-tour", size="xs"),
                ],
                justify="flex-end",
                gap="xs",
            ),
        ],
        shown=welcome,
    )
    tour = _card(
        "dcx-tour-card",
        "Tour",
        [
            dmc.Group(
                [
                    dmc.Text("", id="dcx-tour-title", fw=700),
                    dmc.ActionIcon(
                        icon("close", 12),
                        id="dcx-tour-close",
                        variant="subtle",
                        color="gray",
                        size="sm",
                        **{"aria-label": "End the tour"},
                    ),
                ],
                justify="space-between",
                align="flex-start",
                wrap="nowrap",
            ),
            html.Div(dmc.Text("", id="dcx-tour-text", size="sm"), role="status"),
            html.Div(dmc.Text("", id="dcx-tour-until", size="xs", c="dimmed"), role="status"),
            dmc.Group(
                [
                    dmc.Text("", id="dcx-tour-count", size="xs", c="dimmed"),
                    dmc.Group(
                        [
                            dmc.Button("Back", id="dcx-tour-back", variant="default", size="xs"),
                            dmc.Button("Next", id="dcx-tour-next", size="xs"),
                        ],
                        gap="xs",
                    ),
                ],
                justify="space-between",
            ),
        ],
        shown=False,
    )
    stores = [
        dcc.Store(id="dcx-tour", storage_type="session"),
        dcc.Store(id="dcx-tour-held", data=[]),
    ]
    steps = dcc.Store(id="dcx-tour-steps", data=[asdict(step) for step in STEPS])
    return [*stores, steps, first, tour]


def _card(identity: str, label: str, content: list[Any], *, shown: bool) -> html.Div:
    card = dmc.Paper(
        dmc.Stack(content, gap="xs"), withBorder=True, p="md", radius="md", shadow="lg"
    )
    return html.Div(
        card,
        id=identity,
        className="dcx-tour",
        style={} if shown else GONE,
        role="region",
        **{"aria-label": label},
    )


@shell.callback(
    Output("dcx-welcome", "style"),
    Output("dcx-tour", "data"),
    Input("dcx-welcome-skip", "n_clicks"),
    Input("dcx-welcome-tour", "n_clicks"),
    Input("dcx-help-tour", "n_clicks"),
    running=[(Output("dcx-welcome-tour", "loading"), True, False)],
    prevent_initial_call=True,
)
def begin(ctx: Context, skip: int | None, take: int | None, again: int | None) -> Any:
    """The welcome is answered, for good; the tour begins on the example."""
    if not (skip or take or again):
        raise PreventUpdate
    if not ctx.program.settings.get().tour_seen:
        ctx.program.settings.change(tour_seen=True)
    if call.triggered_id == "dcx-welcome-skip":
        return GONE, None
    show_example(ctx)
    ctx.go_to(STEPS[0].page)
    # asked for once more at its first step, it takes the focus again
    return GONE, {"step": 0, "begun": (take or 0) + (again or 0)}


moving = ("back", "next", "close")
shell.clientside(
    "(back, next, close, at, steps, held) => window.dash_clientside.dcx.tour_move(at, steps, held)",
    Output("dcx-tour", "data", allow_duplicate=True),
    Output("dcx-location", "pathname", allow_duplicate=True),
    Output("dcx-location", "search", allow_duplicate=True),
    *[Input(f"dcx-tour-{name}", "n_clicks") for name in moving],
    State("dcx-tour", "data"),
    State("dcx-tour-steps", "data"),
    State("dcx-tour-held", "data"),
    prevent_initial_call=True,
)


@shell.callback(Output("dcx-tour-held", "data"), Input("dcx-tour", "data"), REVISION)
def look(ctx: Context, at: Any, _revision: str | None) -> list[str]:
    if not at or ctx.locked is not None:
        raise PreventUpdate
    return held(ctx)


shell.clientside(
    "(at, held, steps) => window.dash_clientside.dcx.tour_show(at, steps, held)",
    Output("dcx-tour-card", "style"),
    Output("dcx-tour-title", "children"),
    Output("dcx-tour-text", "children"),
    Output("dcx-tour-count", "children"),
    Output("dcx-tour-back", "disabled"),
    Output("dcx-tour-next", "children"),
    Output("dcx-tour-next", "disabled"),
    Output("dcx-tour-until", "children"),
    Input("dcx-tour", "data"),
    Input("dcx-tour-held", "data"),
    State("dcx-tour-steps", "data"),
)


def held(ctx: Context) -> list[str]:
    """What a step may need and this tab's session holds: "dataset", "dtd", "regulation" (an ADTD
    result with gene regulation).
    """
    found = [need for need in ("dataset", "dtd") if ctx.session.has(need)]
    run = ctx.session.current("adtd")
    return [
        *found,
        *(["regulation"] if run is not None and run.result.gene_regulation is not None else []),
    ]


def show_example(ctx: Context) -> None:
    """The example in this tab: the session that holds it already, else a new one.

    Where there is one session only, its data are never replaced.
    """
    from gui.data.example import make_example

    here = ctx.session.dataset
    if here is None:
        take_example(ctx, fresh=False)
    elif here.training_id != make_example().dataset.training_id:
        if ctx.sessions.single:
            ctx.notify("The tour goes on with the data that are loaded.")
        else:
            take_example(ctx, fresh=True)
