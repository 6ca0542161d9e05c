"""Controls of a view whose values persist in the session, also over a restart."""

from __future__ import annotations

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
        page, names = self.page, list(self.begin)

        def keep(ctx: Context, *values: Any) -> None:
            ctx.session.keep_form(
                page.key,
                {f"shown_{name}": value for name, value in zip(names, values, strict=True)},
            )

        keep.__name__ = f"keep_{names[0]}"
        inputs = [
            Input(
                getattr(page.id, name), "checked" if isinstance(self.begin[name], bool) else "value"
            )
            for name in names
        ]
        page.callback(*inputs, prevent_initial_call=True)(keep)
