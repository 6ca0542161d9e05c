"""“Previous runs”: all runs of one kind, with the parameters in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

import dash_mantine_components as dmc
from dash import ALL, Input, Output, html, set_props
from dash.exceptions import PreventUpdate

from gui.answers.run_names import run_title
from gui.components.common import clicked, icon, shorten
from gui.components.form import ParamsForm
from gui.components.run_labels import RunLabels, undo_bar
from gui.engine.params import Params
from gui.engine.results import Run
from gui.plugin import REVISION, Context, Page
from gui.text import decimal_text


class PreviousRuns:
    """Button “Previous runs (3)” of one page, and the dialog that it opens.

    Parameters
    ----------
    kind
        Of the runs.
    form
        Its Store is filled with the parameters of the run that is brought back.
    describe
        What a run gave, in a few words ("mean correlation 0.79").
    basis
        ``basis(ctx, run)``: the run that it was computed from, in words, or "".
    name
        Distinguishes two lists on one page In the layout :meth:`layout`, at module level
        :meth:`bind`. Which run is on screen is ``ctx.session.current(kind)``.
    """

    def __init__(
        self,
        page: Page,
        kind: str,
        form: ParamsForm[Any] | None = None,
        *,
        describe: Callable[[Run], str] | None = None,
        basis: Callable[[Context, Run], str] | None = None,
        name: str = "runs",
        title: str = "Previous runs",
    ) -> None:
        self.page, self.kind, self.form, self.describe, self.name, self.title = (
            page,
            kind,
            form,
            describe,
            name,
            title,
        )
        self.basis = basis
        self.labels = RunLabels(page, name)

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    def layout(self) -> Any:
        """The button (not shown while there is no run) and its dialog."""
        return html.Div(
            [
                dmc.Button(
                    self.title,
                    id=self.id("open"),
                    variant="subtle",
                    size="xs",
                    px="xs",
                    leftSection=icon("history", 14),
                    style={"display": "none"},
                ),
                dmc.Modal(
                    html.Div(id=self.id("list")), id=self.id("dialog"), title=self.title, size="lg"
                ),
                *self.labels.layout(),
            ]
        )

    def rows(self, ctx: Context) -> Any:
        """The runs, starred ones first, each newest first; the current one is marked."""
        runs = ctx.session.runs(self.kind)
        current = ctx.session.current(self.kind)
        different = differing([run.params for run in runs])
        return dmc.Stack(
            [
                undo_bar(ctx.session.deleted_runs, self.labels.each),
                *(
                    self._row(
                        ctx, run, different, shown=current is not None and run.id == current.id
                    )
                    for run in starred_first(runs)
                ),
            ],
            gap="xs",
        )

    def bind(self) -> None:
        """Record the callbacks that list the runs and bring one back."""
        page, this = self.page, self
        self.labels.bind()

        @page.callback(
            Output(this.id("list"), "children"),
            Output(this.id("open"), "children"),
            Output(this.id("open"), "style"),
            REVISION,
        )
        def show(ctx: Context, _revision: str | None) -> Any:
            count = len(ctx.session.runs(this.kind))
            return this.rows(ctx), f"{this.title} ({count})", {} if count else {"display": "none"}

        @page.callback(
            Output(this.id("dialog"), "opened"),
            Input(this.id("open"), "n_clicks"),
            prevent_initial_call=True,
        )
        def opened(ctx: Context, clicks: int | None) -> bool:
            return bool(clicks)

        @page.callback(
            Output(this.id("dialog"), "opened", allow_duplicate=True),
            Input(page.id.each(f"{this.name}-choose", ALL), "n_clicks"),
            prevent_initial_call=True,
        )
        def choose(ctx: Context, _clicks: list[int | None]) -> bool:
            run_id = clicked()
            if run_id is None:
                raise PreventUpdate
            run = ctx.session.choose_run(run_id)
            if this.form is not None:
                # the revision makes the same run fill the form again after it was edited
                set_props(
                    this.form.fill_id,
                    {"data": {**run.params.model_dump(), "": ctx.session.revision}},
                )
            ctx.refresh()
            return False

        for function in (show, opened, choose):
            function.__name__ = f"{this.name}_{function.__name__}"

    def _row(self, ctx: Context, run: Run, different: Sequence[str], *, shown: bool) -> Any:
        outdated = ctx.session.outdated(run)
        words = describe_params(run.params, different, self.form)
        gave = self.describe(run) if self.describe else ""
        basis = self.basis(ctx, run) if self.basis else ""
        when = f"{run.created.astimezone():%d %b %Y, %H:%M:%S}"
        lines = [
            dmc.Group(
                [
                    dmc.Text(shorten(run.name, 60), size="sm", fw=600) if run.name else None,
                    dmc.Text(when, size="sm", **({"c": "dimmed"} if run.name else {"fw": 600})),
                    dmc.Badge("shown", variant="light", radius="sm", tt="none") if shown else None,
                    dmc.Badge("outdated", color="orange", variant="light", radius="sm", tt="none")
                    if outdated
                    else None,
                ],
                gap="xs",
            ),
            dmc.Text(shorten(run.notes, 300), size="sm", className="dcx-notes")
            if run.notes
            else None,
            dmc.Text(gave, size="sm") if gave else None,
            dmc.Text(words, size="xs", c="dimmed"),
            dmc.Text(f"Computed from the {basis}.", size="xs", c="dimmed") if basis else None,
            dmc.Text(outdated, size="xs", c="dimmed") if outdated else None,
        ]
        choose = dmc.UnstyledButton(
            dmc.Stack(lines, gap=2),
            id=self.page.id.each(f"{self.name}-choose", run.id),
            style={"flex": 1, "minWidth": 0},
            **{"aria-label": f"Show {run_title(run)}"},
        )
        return dmc.Paper(
            dmc.Group(
                [choose, self.labels.buttons(run)], wrap="nowrap", align="flex-start", gap="xs"
            ),
            withBorder=True,
            p="xs",
            radius="md",
            className="dcx-run",
        )


def starred_first(runs: Sequence[Run]) -> list[Run]:
    """Return the starred runs, then the others, each newest first; ``runs`` are oldest first."""
    newest = list(reversed(runs))
    return [run for run in newest if run.starred] + [run for run in newest if not run.starred]


def differing(params: Sequence[Params]) -> list[str]:
    """Return the fields in which the parameters differ, or all fields in use of a single run.

    A field that a run does not use is ignored.

    A field that a run does not use is none of its.
    """
    names = list(dict.fromkeys(name for p in params for name in p.used()))
    found = [
        n for n in names if len({repr(getattr(p, n)) if n in p.used() else "" for p in params}) > 1
    ]
    return found or names


def describe_params(
    params: Params, names: Sequence[str], form: ParamsForm[Any] | None = None
) -> str:
    """Return the parameters in words: “Number of genes 1000 · Iterations 500”."""
    used, fields = params.used(), type(params).model_fields
    return " · ".join(
        f"{fields[name].title or name} {shown_value(params, name, form)}"
        for name in names
        if name in used
    )


def shown_value(params: Params, name: str, form: ParamsForm[Any] | None = None) -> str:
    """One parameter as a person reads it; an empty optional number is “all”."""
    value = getattr(params, name)
    if value is None:
        return "all" if int in get_args(type(params).model_fields[name].annotation) else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, tuple):
        return shorten(", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value), 60)
    text = form.choices.get(name, {}).get(str(value), str(value)) if form else str(value)
    return shorten(text, 40)
