"""The dialog “R and Python code” of every table, and the clipboard of the page."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, State, dcc, html

from gui.components.clipboard import copy_text
from gui.components.table_code import FILE, PYTHON, R
from gui.plugin import Context
from gui.shell.page import shell

STYLE = {"overflow": "auto", "fontSize": 12, "margin": "4px 0 12px", "padding": 8}


def table_code_dialog() -> list[Any]:
    """The dialog, closed; ``gui/components/table_code.py`` opens it."""

    def part(title: str, name: str) -> list[Any]:
        return [
            dmc.Group(
                [
                    dmc.Text(title, fw=600, size="sm"),
                    dmc.Button(
                        "Copy",
                        id=f"{name}-copy",
                        size="compact-xs",
                        variant="default",
                        **{"aria-label": f"Copy the code for {title}"},
                    ),
                ],
                justify="space-between",
            ),
            html.Pre(
                "",
                id=name,
                tabIndex=0,
                role="region",
                className="dcx-code",
                style=STYLE,
                **{"aria-label": f"Code for {title}"},
            ),
        ]

    words = "Save the table first; put the file where the code runs."
    return [
        dcc.Store(id="dcx-clipboard"),
        dmc.Modal(
            [dmc.Text(words, size="sm", mb="xs"), *part("Python", PYTHON), *part("R", R)],
            id=FILE,
            title="Read the saved table in R or Python",
            size="xl",
        ),
    ]


shell.clientside(
    "(wanted) => { window.dash_clientside.dcx.copy_text(wanted); }",
    Input("dcx-clipboard", "data"),
    prevent_initial_call=True,
)


def _bind(name: str) -> None:
    @shell.callback(
        Input(f"{name}-copy", "n_clicks"), State(name, "children"), prevent_initial_call=True
    )
    def copy_code(ctx: Context, clicks: int | None, text: str | None) -> None:
        if clicks and text:
            copy_text(ctx, text, "The code")

    copy_code.__name__ = f"copy_{name}"


for _name in (PYTHON, R):
    _bind(_name)
