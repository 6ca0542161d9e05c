"""What stands along the axes of a figure."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go


def axis_names(fig: go.Figure, which: Literal["x", "y"]) -> list[str]:
    """The whole (inert) names along an axis made by ``gui.figures.axes.name_axis``, in order."""
    alias = fig.layout[f"{which}axis"].labelalias
    return [alias[k] for k in sorted(alias, key=int) if alias[k]]
