"""A page may name the outputs and inputs of its callbacks, or count them as dash always did."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from gui.app import create_app
from gui.config import Config
from gui.sessions.manager import LOCAL
from tests.gui.conftest import Tab

PLUGIN = """
from dash import Input, Output, State, dcc, html

from gui.errors import DeconomixError
from gui.plugin import Page

page = Page("echo", "Echo", "says what it was told")


@page.layout
def layout(ctx):
    names = ("named", "counted", "listed", "other", "kept")
    shown = [html.Div("as before", id=getattr(page.id, name)) for name in names]
    return html.Div([dcc.Input(id=page.id.text, value=""), dcc.Input(id=page.id.by, value="Eva"), *shown])


@page.callback(
    output={"named": Output(page.id.named, "children"), "rest": [Output(page.id.kept, "children")]},
    inputs={"text": Input(page.id.text, "value")},
    state={"about": {"by": State(page.id.by, "value")}},
    prevent_initial_call=True,
)
def named(ctx, *, text, about):
    if text == "bad":
        raise DeconomixError("This was refused.")
    return {"named": f"{text} by {about['by']} in {ctx.session.name}"}


@page.callback(
    Output(page.id.counted, "children"),
    Output(page.id.other, "children"),
    Input(page.id.text, "value"),
    State(page.id.by, "value"),
    prevent_initial_call=True,
)
def counted(ctx, text, by):
    return f"{text} by {by} in {ctx.session.name}", "changed"


@page.callback(
    output=Output(page.id.listed, "children"),
    inputs=[Input(page.id.text, "value")],
    state=[State(page.id.by, "value")],
    prevent_initial_call=True,
)
def listed(ctx, text, by):
    return f"{text} by {by} in {ctx.session.name}"


@page.callback(Input(page.id.text, "value"), prevent_initial_call=True, when=lambda program: False)
def never(ctx, text):
    ctx.notify("This is not bound.")
"""


def test_named_counted_and_listed_signatures_get_the_same(
    tmp_path: Path, open_tab: Callable[..., Tab]
) -> None:
    config = Config.for_tests(tmp_path)
    config.plugins_folder.mkdir(parents=True, exist_ok=True)
    (config.plugins_folder / "echo.py").write_text(textwrap.dedent(PLUGIN), encoding="utf-8")
    application = create_app(config)
    try:
        tab = open_tab(application)
        tab.go("echo")
        tab.set({("echo-text", "value"): "Hello"})
        session = application.sessions.get_session(
            application.sessions.default_id, actor=LOCAL
        ).name
        for name in ("named", "counted", "listed"):
            assert tab.get(f"echo-{name}", "children") == f"Hello by Eva in {session}"
        assert tab.get("echo-kept", "children") == "as before"  # it was left out
        assert tab.get("echo-other", "children") == "changed"
        tab.set({("echo-text", "value"): "bad"})
        assert tab.get("echo-named", "children") == f"Hello by Eva in {session}"
        assert any("This was refused." in notice for notice in tab.notices)
        assert not any("not bound" in notice for notice in tab.notices)
    finally:
        application.stop()
