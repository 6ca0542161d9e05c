"""“About DeconomiX” of the help menu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html

from gui import __version__
from gui.citations import CITATIONS, RESEARCH_USE
from gui.engine.params import MODEL_NAMES
from gui.plugin import Context
from gui.shell.page import shell
from gui.versions import MISSING, licence, versions


def about_dialog(plugins_folder: Path | None) -> Any:
    """plugins_folder : None where who looks is not at this computer"""
    return dmc.Modal(
        dmc.Stack(
            [
                dmc.Text(f"Version {__version__}", size="sm", c="dimmed"),
                dmc.Text("Finds out which cell types a bulk tissue sample is made of.", size="sm"),
                dmc.Text(RESEARCH_USE, size="sm", fw=600),
                dmc.Text(
                    "Workflow: Upload → DTD → ADTD. Models: "
                    + ", ".join(MODEL_NAMES.values())
                    + ".",
                    size="sm",
                ),
                dmc.Text("Please cite", size="sm", fw=600),
                *[dmc.Text(f"{text}, doi {doi}", size="sm") for text, doi in CITATIONS.values()],
                dmc.Text("Licence: GPL-3.0-or-later. It is built with:", size="sm"),
                html.Div(
                    id="dcx-about-packages",
                    className="dcx-about-packages",
                    tabIndex=0,
                    role="region",
                    **{"aria-label": "Packages and their licences"},
                ),
                (
                    dmc.Text(
                        f"Plug-in pages are read from {plugins_folder}",
                        size="xs",
                        c="dimmed",
                        style={"wordBreak": "break-all"},
                    )
                    if plugins_folder
                    else None
                ),
            ],
            gap="xs",
        ),
        id="dcx-about",
        title="About DeconomiX",
        centered=True,
    )


def packages() -> Any:
    """The packages the program is made of, with version and licence."""
    rows = [
        html.Tr([html.Td(name), html.Td(number), html.Td(licence(name))])
        for name, number in versions().items()
        if number != MISSING
    ]
    return html.Table(html.Tbody(rows))


@shell.callback(
    Output("dcx-about", "opened"),
    Output("dcx-about-packages", "children"),
    Input("dcx-help-about", "n_clicks"),
    prevent_initial_call=True,
)
def show_about(ctx: Context, clicks: int | None) -> Any:
    return bool(clicks), packages()
