"""What the tabs of clinical data and of known compositions share: a file is chosen, looked at, then
kept or discarded; a kept table can be removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import cut, tip_label
from gui.components.file_field import FileField
from gui.data.dataset import Dataset
from gui.data.validation.findings import Finding
from gui.errors import DeconomixError
from gui.files import Upload
from gui.pages.upload.base import GONE, TABLE, page
from gui.pages.upload.facts import facts_table
from gui.pages.upload.findings import SEVERITIES, badge
from gui.plugin import REVISION, Context

S = TypeVar("S")


class SampleTable:
    """One tab.

    ``name`` begins its ids; ``there(dataset)`` tells whether the session keeps such a table;
    ``without(dataset)`` is one that keeps none.

    ``<name>_box`` (children) and ``<name>_head`` are the page's to fill, ``<name>_chosen`` (data)
    holds what the user changed about the file.
    """

    def __init__(
        self,
        name: str,
        title: str,
        tip: str,
        *,
        there: Callable[[Dataset], bool],
        without: Callable[[Dataset], Dataset],
    ) -> None:
        self.name, self.title, self.tip, self.there, self.without = name, title, tip, there, without
        self.field = FileField(page, name, (TABLE,), title=title)

    def id(self, part: str) -> str:
        return str(getattr(page.id, f"{self.name}_{part}"))

    def layout(self, ctx: Context, words: str, controls: Any) -> Any:
        """words : what such a table looks like, beside the place to choose it; controls : shown
        under what was found.
        """
        token = ctx.session.form(page.key).get(f"{self.name}_token")
        choose = dmc.Stack(
            [
                dmc.Text(words, size="sm", c="dimmed", maw=620),
                html.Div(
                    [
                        dmc.Text(tip_label(self.title, self.tip), size="sm", fw=500, mb=4),
                        self.field.layout(ctx, token=token),
                    ],
                    style={"maxWidth": 340},
                ),
            ],
            gap="sm",
        )
        buttons = dmc.Group(
            [
                dmc.Button("Keep with these data", id=self.id("keep"), disabled=True),
                dmc.Button("Cancel", id=self.id("cancel"), variant="default"),
            ],
            gap="xs",
            id=self.id("deciding"),
        )
        remove = dmc.Button(
            "Remove",
            id=self.id("remove"),
            variant="subtle",
            color="red",
            size="compact-sm",
            w="fit-content",
        )
        return html.Div(
            [
                dcc.Store(id=self.id("chosen"), data={}),
                dmc.Text(
                    "This belongs to bulk samples, and there are none yet: choose them on the left"
                    " first.",
                    size="sm",
                    id=self.id("no_bulk"),
                    style=GONE,
                ),
                html.Div(choose, id=self.id("choosing"), style=GONE),
                html.Div(
                    dmc.Stack(
                        [
                            html.Div(id=self.id("head"), role="status"),
                            buttons,
                            html.Div(controls),
                            html.Div(id=self.id("box")),
                            html.Div(remove, id=self.id("removing")),
                        ],
                        gap="md",
                    ),
                    id=self.id("panel"),
                    style=GONE,
                ),
            ]
        )

    def bind(self) -> None:
        """Record the callbacks that are the same for both."""
        self.field.bind()
        token, table = self.field.token_id, self

        @page.callback(
            Output(self.id("no_bulk"), "style"),
            Output(self.id("choosing"), "style"),
            Output(self.id("panel"), "style"),
            Output(self.id("deciding"), "style"),
            Output(self.id("removing"), "style"),
            Input(token, "data"),
            REVISION,
        )
        def show_parts(ctx: Context, token: str | None, _revision: str | None) -> Any:
            data = ctx.session.dataset
            ctx.session.keep_form(page.key, {f"{table.name}_token": token})
            kept = data is not None and table.there(data)
            usable = data is not None and data.bulk is not None
            there = (
                not usable,
                usable and not token and not kept,
                token or kept,
                token,
                kept and not token,
            )
            return [{} if shown else GONE for shown in there]

        @page.callback(
            Output(token, "data", allow_duplicate=True),
            Output(self.id("chosen"), "data", allow_duplicate=True),
            Input(self.id("cancel"), "n_clicks"),
            State(token, "data"),
            prevent_initial_call=True,
        )
        def cancel(ctx: Context, clicks: int | None, token: str | None) -> Any:
            if not clicks:
                raise PreventUpdate
            table.forget(ctx, token)
            return None, {}

        @page.callback(Input(self.id("remove"), "n_clicks"), prevent_initial_call=True)
        def remove(ctx: Context, clicks: int | None) -> None:
            if not clicks:
                raise PreventUpdate
            ctx.session.set_dataset(table.without(ctx.session.need_dataset()), keep_runs=True)
            ctx.refresh()
            ctx.notify(f"{table.title}: removed from this session.", colour="green")

        for function in (show_parts, cancel, remove):
            function.__name__ = f"{self.name}_{function.__name__}"

    def seen(self, ctx: Context, token: str, look: Callable[[Upload], S]) -> S | None:
        """What ``look`` finds in the chosen file; None, and said, if it cannot be read: then it is
        not taken.
        """
        try:
            found = look(ctx.uploads.get(token))
        except DeconomixError as error:
            ctx.notify_error(error, f"{self.name} content")
            self.forget(ctx, token)
            return None
        ctx.mended(f"{self.name} content")
        return found

    def recognised(self, facts: Mapping[str, str], name: str) -> Any:
        """What was recognised in a chosen file, before it is kept."""
        return facts_table([(self.title, name, facts)], tuple(facts), self.id("recognised"))

    def looked(self, token: str | None) -> bool:
        """In a callback on the token, what was chosen and REVISION: whether only something else of
        the session changed.

        Then a file that is on screen is not read again, and what the user has set beside it stays.
        """
        return bool(token) and set(call.triggered_prop_ids) == {
            f"{REVISION.component_id}.{REVISION.component_property}"
        }

    def forget(self, ctx: Context, token: str | None) -> None:
        ctx.session.keep_form(page.key, {f"{self.name}_token": None})
        if token:
            ctx.uploads.forget(token)


def not_kept_yet(sentence: str) -> str:
    """What a chosen file holds, until the user keeps it."""
    return f"Not kept yet: {sentence[:1].lower()}{sentence[1:]}"


def findings_list(findings: Sequence[Finding]) -> Any:
    """What is to be known about such a table; nothing of it is mended."""
    return html.Div([_one(x) for x in findings])


def _one(one: Finding) -> Any:
    words, colour = SEVERITIES[one.severity]
    return html.Div(
        [
            html.Div(
                [
                    badge(words, colour),
                    *[dmc.Text(one.title, fw=600, size="sm")] * (one.code != "note"),
                ],
                className="dcx-finding-head",
            ),
            dmc.Text(
                [
                    cut(one.message, 600),
                    dmc.Text(f" {one.advice}", span=True, c="dimmed", inherit=True),
                ],
                size="sm",
                className="dcx-finding-text",
            ),
        ],
        className="dcx-finding",
    )
