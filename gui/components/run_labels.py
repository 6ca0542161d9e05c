"""Naming, starring, annotating and deleting the runs of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc
from dash.exceptions import PreventUpdate

from gui.answers.run_names import run_title
from gui.components.common import clicked, icon
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.plugin import Context, Page
from gui.sessions.deleted_runs import UNDO_SECONDS
from gui.sessions.rules import MAX_NAME, MAX_NOTES
from gui.text import some


class RunLabels:
    """The buttons beside each run of a list, and the two dialogs that they open.

    Deleting a run deletes what rests on it too; then it asks first. List and shell offer Undo.

    Parameters
    ----------
    name
        Distinguishes two lists on one page.
    """

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    def each(self, part: str, index: Any) -> dict[str, Any]:
        return self.page.id.each(f"{self.name}-{part}", index)

    def buttons(self, run: Run) -> Any:
        """Star, edit and delete of one run."""
        title = run_title(run)
        star = (
            ("starred", f"Take the star off {title}") if run.starred else ("star", f"Star {title}")
        )
        return dmc.Group(
            [
                self._button("star", run, *star),
                self._button("edit", run, "pencil", f"Name and notes of {title}"),
                self._button("delete", run, "trash", f"Delete {title}"),
            ],
            gap=2,
            wrap="nowrap",
        )

    def _button(self, part: str, run: Run, picture: str, label: str) -> Any:
        return dmc.ActionIcon(
            icon(picture, 16),
            id=self.each(part, run.id),
            variant="subtle",
            color="gray",
            size="sm",
            **{"aria-label": label},
        )

    def layout(self) -> list[Any]:
        """The dialogs."""
        edit = dmc.Stack(
            [
                dmc.TextInput(
                    id=self.id("name"),
                    label="Name",
                    attributes={"input": {"maxLength": MAX_NAME}},
                    value="",
                    **{"data-autofocus": "true"},
                ),
                dmc.Textarea(
                    id=self.id("notes"),
                    label="Notes",
                    attributes={"input": {"maxLength": MAX_NOTES}},
                    value="",
                    autosize=True,
                    minRows=3,
                    maxRows=10,
                ),
                _end(
                    dmc.Button("Cancel", id=self.id("edit_cancel"), variant="default"),
                    dmc.Button("Save", id=self.id("edit_save")),
                ),
            ],
            gap="sm",
        )
        ask = dmc.Stack(
            [
                dmc.Text(id=self.id("question"), size="sm", style={"overflowWrap": "anywhere"}),
                _end(
                    dmc.Button(
                        "Cancel",
                        id=self.id("delete_cancel"),
                        variant="default",
                        **{"data-autofocus": "true"},
                    ),
                    dmc.Button("Delete", id=self.id("delete_sure"), color="red"),
                ),
            ],
            gap="sm",
        )
        return [
            dcc.Store(id=self.id("chosen")),
            dmc.Modal(
                edit,
                id=self.id("edit_dialog"),
                title="Name and notes of the run",
                centered=True,
                keepMounted=True,
            ),
            dmc.Modal(
                ask, id=self.id("ask_dialog"), title="Delete", centered=True, keepMounted=True
            ),
        ]

    def bind(self) -> None:
        """Record the callbacks."""
        self._bind_labels()
        self._bind_deletion()

    def _bind_labels(self) -> None:
        page, this = self.page, self

        @page.callback(Input(this.each("star", ALL), "n_clicks"), prevent_initial_call=True)
        def star(ctx: Context, _clicks: Any) -> None:
            run = _run(ctx, clicked())
            ctx.session.label_run(run.id, starred=not run.starred)
            ctx.refresh()

        @page.callback(
            output={
                "chosen": Output(this.id("chosen"), "data"),
                "opened": Output(this.id("edit_dialog"), "opened"),
                "name": Output(this.id("name"), "value"),
                "notes": Output(this.id("notes"), "value"),
            },
            inputs={"_clicks": Input(this.each("edit", ALL), "n_clicks")},
            prevent_initial_call=True,
        )
        def edit(ctx: Context, *, _clicks: Any) -> dict[str, Any]:
            run = _run(ctx, clicked())
            return {"chosen": run.id, "opened": True, "name": run.name, "notes": run.notes}

        @page.callback(
            Output(this.id("edit_dialog"), "opened", allow_duplicate=True),
            inputs={
                "clicks": Input(this.id("edit_save"), "n_clicks"),
                "_enter": Input(this.id("name"), "n_submit"),
            },
            state={
                "chosen": State(this.id("chosen"), "data"),
                "name": State(this.id("name"), "value"),
                "notes": State(this.id("notes"), "value"),
            },
            prevent_initial_call=True,
        )
        def save(
            ctx: Context,
            *,
            clicks: Any,
            _enter: Any,
            chosen: str | None,
            name: str | None,
            notes: str | None,
        ) -> bool:
            if not chosen:
                raise PreventUpdate
            ctx.session.label_run(chosen, name=name or "", notes=notes or "")
            ctx.refresh()
            return False

        @page.callback(
            Output(this.id("edit_dialog"), "opened", allow_duplicate=True),
            Input(this.id("edit_cancel"), "n_clicks"),
            prevent_initial_call=True,
        )
        def leave(ctx: Context, _clicks: Any) -> bool:
            return False

        self._rename(star, edit, save, leave)

    def _bind_deletion(self) -> None:
        page, this = self.page, self

        @page.callback(
            output={
                "chosen": Output(this.id("chosen"), "data", allow_duplicate=True),
                "opened": Output(this.id("ask_dialog"), "opened"),
                "question": Output(this.id("question"), "children"),
            },
            inputs={"_clicks": Input(this.each("delete", ALL), "n_clicks")},
            prevent_initial_call=True,
        )
        def delete(ctx: Context, *, _clicks: Any) -> dict[str, Any]:
            run = _run(ctx, clicked())
            resting = ctx.session.computed_from(run.id)
            if not resting:
                _delete(ctx, run.id)
                return {"opened": False}
            return {"chosen": run.id, "opened": True, "question": question(run, resting)}

        @page.callback(
            Output(this.id("ask_dialog"), "opened", allow_duplicate=True),
            Input(this.id("delete_sure"), "n_clicks"),
            State(this.id("chosen"), "data"),
            prevent_initial_call=True,
        )
        def delete_all(ctx: Context, clicks: int | None, chosen: str | None) -> bool:
            if not clicks or not chosen:
                raise PreventUpdate
            _delete(ctx, chosen)
            return False

        @page.callback(
            Output(this.id("ask_dialog"), "opened", allow_duplicate=True),
            Input(this.id("delete_cancel"), "n_clicks"),
            prevent_initial_call=True,
        )
        def keep(ctx: Context, _clicks: Any) -> bool:
            return False

        @page.callback(Input(this.each("undo-runs", ALL), "n_clicks"), prevent_initial_call=True)
        def undo(ctx: Context, _clicks: Any) -> None:
            undo_runs(ctx, clicked())

        self._rename(delete, delete_all, keep, undo)

    def _rename(self, *functions: Any) -> None:
        """Two lists of a page have functions of different names."""
        for function in functions:
            function.__name__ = f"{self.name}_{function.__name__}"


def undo_bar(deleted: Sequence[Run], each: Callable[[str, str], dict[str, Any]]) -> Any:
    """What was deleted last, with Undo; None if nothing was.

    Parameters
    ----------
    each
        ``each("undo-runs", run id)``: the id of the button, whose callback is :func:`undo_runs`.
    """
    if not deleted:
        return None
    more = len(deleted) - 1
    rest = f" and {more} that rest{'s' * (more == 1)} on it" if more else ""
    were = "were" if more else "was"
    return dmc.Alert(
        dmc.Group(
            [
                dmc.Text(f"{run_title(deleted[0])}{rest} {were} deleted.", size="sm"),
                dmc.Button(
                    "Undo", id=each("undo-runs", deleted[0].id), size="compact-sm", variant="light"
                ),
            ],
            justify="space-between",
        ),
        color="gray",
        variant="light",
        p="xs",
        mb="xs",
    )


def undo_runs(ctx: Context, run_id: str | None) -> None:
    """Bring back a run and what rested on it; PreventUpdate if the button merely appeared."""
    if run_id is None:
        raise PreventUpdate
    ctx.session.undo_delete(run_id)
    ctx.refresh()


def question(run: Run, resting: Sequence[Run]) -> str:
    """What else is deleted with a run."""
    what = (
        f"{len(resting)} runs rest on it and are deleted too"
        if len(resting) > 1
        else "One run rests on it and is deleted too"
    )
    return (
        f"Delete {run_title(run)}? {what}: {some([run_title(one) for one in resting], 6)}. Undo"
        f" brings them back for {UNDO_SECONDS:.0f} seconds."
    )


def _delete(ctx: Context, run_id: str) -> None:
    ctx.session.delete_runs(run_id)
    ctx.refresh()


def _run(ctx: Context, run_id: str | None) -> Run:
    """The run of the button that was clicked; PreventUpdate if one merely appeared."""
    if run_id is None:
        raise PreventUpdate
    run = ctx.session.run(run_id)
    if run is None:
        raise MissingPart("This run is no longer in the session.")
    return run


def _end(*buttons: Any) -> Any:
    return dmc.Group(list(buttons), justify="flex-end", gap="xs")
