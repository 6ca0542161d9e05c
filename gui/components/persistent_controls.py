"""Controls of a view whose values persist in the session, also over a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input

from gui.plugin import Context, Page


class PersistentControls:
    """Names of controls of a page with their initial values; a bool stands for a switch.

    ``PersistentControls(page, metric="pearson", markers_n=50)``. Call :meth:`value` in the layout
    and :meth:`bind` at module level.
    """

    def __init__(self, page: Page, **begin: Any) -> None:
        self.page, self.begin = page, begin

    def value(self, ctx: Context, name: str) -> Any:
        """Return the stored value, or the initial one if the stored one has another type.

        A session file may hold anything, so the type is checked.
        """
        kept, begin = ctx.session.form(self.page.key).get(f"shown_{name}"), self.begin[name]
        if isinstance(begin, list):
            return (
                kept
                if isinstance(kept, list) and all(isinstance(one, str) for one in kept)
                else begin
            )
        return (
            kept
            if isinstance(kept, bool if isinstance(begin, bool) else int | float | str)
            else begin
        )

    def bind(self) -> None:
        """Record the callback that keeps the values."""
        page = self.page

        def keep(ctx: Context, *, values: Mapping[str, Any]) -> None:
            ctx.session.keep_form(page.key, {f"shown_{n}": value for n, value in values.items()})

        keep.__name__ = f"keep_{next(iter(self.begin))}"
        inputs = {
            name: Input(getattr(page.id, name), "checked" if isinstance(begin, bool) else "value")
            for name, begin in self.begin.items()
        }
        page.callback(inputs={"values": inputs}, prevent_initial_call=True)(keep)
