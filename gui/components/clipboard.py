"""Copies text to the clipboard: through the native window if there is one, else in the browser."""

from __future__ import annotations

import time

from dash import set_props

from gui.errors import DeconomixError
from gui.plugin import Context
from gui.text import number

MOST = 5_000_000
"""Characters."""


def copy_text(ctx: Context, text: str, what: str) -> None:
    """Copy ``text``, and say so. DeconomixError if it is too long.

    Parameters
    ----------
    what
        "The table", as in "The table is copied."
    """
    if len(text) > MOST:
        raise DeconomixError(
            f"{what} has {number(len(text))} characters, too many for the clipboard.",
            advice="Save it as a file instead.",
        )
    if ctx.program.host is not None and ctx.program.host.copy_text(text):
        ctx.notify(f"{what} is copied.", title="Copied", colour="teal")
        return
    set_props("dcx-clipboard", {"data": {"text": text, "what": what, "at": time.time()}})
