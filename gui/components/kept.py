"""Controls of a view that look as they were left, also after a restart: their values are kept in
the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input

from gui.plugin import Context, Page


class Kept:
    """``Kept(page, metric="pearson", markers_n=50)``: names of the page's ids with the values they
    begin with; yes/no: a switch.

    In the layout :meth:`value`, at module level :meth:`bind`.
    """

    def __init__(self, page: Page, **begin: Any) -> None:
        self.page, self.begin = page, begin

    def value(self, ctx: Context, name: str) -> Any:
        """What the control shows when the page opens: as it was left, if it can show that (a
        session file may hold anything).
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
