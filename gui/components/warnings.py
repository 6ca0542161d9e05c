"""What weakens a result, below its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc

from gui.components.form import folded

MOST = 2
"""More are folded."""


def warning_list(texts: Sequence[str]) -> list[Any]:
    """One line each; many of them folded."""
    lines = [
        dmc.Text(text, size="xs", c="dimmed", style={"overflowWrap": "anywhere"}) for text in texts
    ]
    return lines if len(lines) <= MOST else [folded(f"{len(lines)} warnings", *lines)]
