"""The dialog that saves a figure in a chosen size, with a preview; one for all figures.

Every figure's save menu opens it (``gui/components/figure.py``). The page draws
(``resources/assets/export_dialog.js``), the server saves. What was chosen is kept: in the window in
the settings, in a browser in the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from pydantic import ValidationError

from gui.components.common import icon
from gui.components.number_field import decimal_field, whole_number_field
from gui.components.pictures import picture_file, save_picture
from gui.plugin import Context
from gui.program import Program
from gui.settings import FigureExport
from gui.shell.page import shell

WIDTHS = {
    "85": "Single column, 85 mm",
    "120": "1.5 columns, 120 mm",
    "180": "Double column, 180 mm",
    "0": "As wide as needed",
    "own": "Other",
}
FORMATS = {"png": "PNG", "svg": "SVG", "pdf": "PDF"}
COLOURS = {"screen": "As on screen", "print": "Black text", "grey": "Grey, hatched"}
CONTROLS = {
    "format": "value",
    "preset": "value",
    "width": "value",
    "height": "value",
    "font": "value",
    "dpi": "value",
    "colours": "value",
    "legend": "checked",
    "titled": "checked",
    "words": "value",
}
"""Control -> its property, in the order in which the page is given them."""


def export_dialog(program: Program) -> list[Any]:
    """The dialog, closed, and what it keeps."""
    native = program.files.native
    kept = program.settings.get().figure if native else FigureExport()
    controls = dmc.Stack(
        [
            _switch("format", "Format", FORMATS, kept.format),
            dmc.Select(
                id="dcx-export-preset",
                label="Width",
                data=[{"value": value, "label": text} for value, text in WIDTHS.items()],
                value="85",
                allowDeselect=False,
                size="xs",
            ),
            dmc.Group(
                [
                    decimal_field(
                        85, id="dcx-export-width", label="Width (mm)", disabled=True, size="xs"
                    ),
                    decimal_field(
                        id="dcx-export-height",
                        label="Height (mm)",
                        placeholder="as needed",
                        size="xs",
                    ),
                ],
                grow=True,
                gap="xs",
            ),
            dmc.Group(
                [
                    decimal_field(
                        kept.font, id="dcx-export-font", label="Font size (pt)", size="xs"
                    ),
                    whole_number_field(
                        id="dcx-export-dpi",
                        label="Resolution (dpi)",
                        value=kept.dpi,
                        min=72,
                        max=1200,
                        clampBehavior="none",
                        debounce=400,
                        hideControls=True,
                        size="xs",
                    ),
                ],
                grow=True,
                gap="xs",
            ),
            _switch("colours", "Colours", COLOURS, kept.colours),
            dmc.Switch(id="dcx-export-legend", label="Legend", checked=kept.legend, size="xs"),
            dmc.Switch(id="dcx-export-titled", label="Title", checked=kept.titled, size="xs"),
            dmc.TextInput(
                id="dcx-export-words", value="", size="xs", **{"aria-label": "Title of the figure"}
            ),
        ],
        gap="xs",
        w=290,
    )
    preview = dmc.Stack(
        [
            html.Div(
                html.Img(id="dcx-export-image", alt="Preview of the figure", src=""),
                className="dcx-export-preview",
            ),
            html.Div("", id="dcx-export-size", role="status", style={"fontSize": 12}),
        ],
        gap=4,
        style={"flex": 1, "minWidth": 0},
    )
    buttons = dmc.Group(
        [
            dmc.Button("Copy", id="dcx-export-copy", variant="default"),
            dmc.Button("Save…", id="dcx-export-save", leftSection=icon("save")),
        ],
        justify="flex-end",
        mt="sm",
    )
    storage = "memory" if native else "local"
    return [
        dcc.Store(id="dcx-export-kept", storage_type=storage, data=kept.model_dump()),
        dcc.Store(id="dcx-export-native", data=native),
        dcc.Store(id="dcx-export-drawn"),
        dcc.Store(id="dcx-export-picture"),
        dmc.Modal(
            [
                dmc.Group([controls, preview], align="flex-start", wrap="nowrap", gap="md"),
                buttons,
            ],
            id="dcx-export",
            title="Save the figure",
            size=940,
        ),
    ]


def _switch(name: str, label: str, texts: Mapping[str, str], value: str) -> Any:
    """A few choices beside each other, with a heading."""
    control = dmc.SegmentedControl(
        id=f"dcx-export-{name}",
        data=[{"value": key, "label": text} for key, text in texts.items()],
        value=value,
        size="xs",
        fullWidth=True,
        **{"aria-label": label},
    )
    return html.Div([dmc.Text(label, size="xs", fw=500, mb=2), control])


_INPUTS = [Input(f"dcx-export-{name}", prop) for name, prop in CONTROLS.items()]
_STATES = [State(f"dcx-export-{name}", prop) for name, prop in CONTROLS.items()]

shell.clientside(
    "function() { return window.dash_clientside.dcx.preview_export(...arguments); }",
    Output("dcx-export-image", "src"),
    Output("dcx-export-size", "children"),
    Output("dcx-export-width", "disabled"),
    Output("dcx-export-dpi", "disabled"),
    Output("dcx-export-words", "disabled"),
    Input("dcx-export-drawn", "data"),
    *_INPUTS,
    prevent_initial_call=True,
)
shell.clientside(
    "function() { return window.dash_clientside.dcx.save_export(...arguments); }",
    Output("dcx-export-picture", "data"),
    Output("dcx-export-kept", "data"),
    Input("dcx-export-save", "n_clicks"),
    *_STATES,
    prevent_initial_call=True,
)
shell.clientside(
    "function() { return window.dash_clientside.dcx.copy_export(...arguments); }",
    Output("dcx-export-picture", "data", allow_duplicate=True),
    Input("dcx-export-copy", "n_clicks"),
    State("dcx-export-native", "data"),
    *_STATES,
    prevent_initial_call=True,
)


@shell.callback(
    Output("dcx-export", "opened"),
    Input("dcx-export-picture", "data"),
    prevent_initial_call=True,
    long=True,
    picture=True,
)
def save_figure(ctx: Context, picture: Mapping[str, Any] | None) -> Any:
    """Save or copy what the page has drawn; the dialog closes once it is saved."""
    if not picture:
        return no_update
    if picture.get("format") != "copy":
        return False if save_picture(ctx, picture) else no_update
    data, _, _ = picture_file(picture)
    if ctx.program.host is not None and ctx.program.host.copy_picture(data):
        ctx.notify("The figure is copied as a picture.", title="Copied", colour="teal")
    return no_update


@shell.callback(Input("dcx-export-kept", "data"), prevent_initial_call=True)
def keep_export(ctx: Context, chosen: Mapping[str, Any] | None) -> None:
    """In the window: for the next start, too. What is not allowed is not kept."""
    if not ctx.program.files.native or not chosen:
        return
    try:
        wanted = FigureExport.model_validate(chosen)
    except ValidationError:
        return
    ctx.program.settings.change(figure=wanted.model_dump())
