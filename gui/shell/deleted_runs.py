"""The line above every page that brings back runs that were just deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ALL, Input

from gui.components.common import clicked
from gui.components.run_labels import undo_bar, undo_runs
from gui.engine.results import Run
from gui.plugin import Context
from gui.shell.page import shell, shell_id


def deleted_bar(deleted: Sequence[Run]) -> Any:
    """What was deleted last in the tab's session, with Undo."""
    return undo_bar(deleted, shell_id)


@shell.callback(Input(shell_id("undo-runs", ALL), "n_clicks"), prevent_initial_call=True)
def undo(ctx: Context, _clicks: Any) -> None:
    undo_runs(ctx, clicked())
