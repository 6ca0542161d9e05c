"""Opening a page is one request: what its callbacks answer when it appears comes with its layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from gui.shell import navigation
from gui.shell.opening import OpeningAnswers
from tests.gui.steps import session_with, show
from tests.sessions import samples

Tab = Any
MAX_REQUESTS = 6
PLUGIN = """
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate
from gui.errors import DataError
from gui.plugin import REVISION, Page

page = Page("odd", "Odd", "answers in every way")


@page.layout
def layout(ctx):
    names = ("one", "two", "still", "failed", "told", "later", "echo")
    return html.Div([*[html.Div(id=getattr(page.id, n)) for n in names],
                     dcc.Input(id=page.id.word, value="word"), dcc.Store(id=page.id.count)])


@page.callback(Output(page.id.one, "children"), REVISION)
def one(ctx, revision):
    return html.B(revision)


@page.callback(Output(page.id.two, "children"), Input(page.id.one, "children"))
def two(ctx, one):
    return str(type(one).__name__)


@page.callback(Output(page.id.still, "children"), REVISION)
def still(ctx, revision):
    raise PreventUpdate


@page.callback(Output(page.id.failed, "children"), REVISION)
def failed(ctx, revision):
    raise DataError("This cannot be shown.")


@page.callback(Output(page.id.told, "children"), REVISION)
def told(ctx, revision):
    ctx.notify("For your information.")
    return "told"


@page.callback(Output(page.id.count, "data"), Input(page.id.word, "value"))
def count(ctx, word):
    return len(word)


@page.callback(Output(page.id.later, "children"), Input(page.id.count, "data"), prevent_initial_call=True)
def later(ctx, count):
    return f"{count} letters"


@page.callback(Output(page.id.echo, "children"), Input(page.id.later, "children"))
def echo(ctx, later):
    return f"echo of {later}"
"""


def with_results(application: Application) -> DCXCache:
    """A session with every kind of data and of run."""
    return samples.filled(application.sessions)


@pytest.mark.parametrize("make", [None, session_with, with_results], ids=["empty", "data", "runs"])
def test_a_page_opens_with_few_requests_and_the_same_answers(
    application: Application, tab: Tab, make: Callable[..., DCXCache] | None
) -> None:
    if make is not None:
        show(tab, make(application, *(["mine"] if make is session_with else [])).session_id)
        tab.tick()
    for page in [p.key for p in application.registry.pages if p.listed]:
        del tab.asked[:]
        tab.go(page)
        assert tab.get(f"{page}-page", "id") or make is not with_results
        assert len(tab.asked) <= MAX_REQUESTS, (page, tab.asked)
    tab.go("dtd")
    del tab.asked[:]
    tab.tick()
    assert len(tab.asked) <= 1, tab.asked


def test_without_them_a_page_needs_many_requests(
    application: Application, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpeningAnswers, "write_into", lambda *_: [])
    show(tab, with_results(application).session_id)
    tab.tick()
    del tab.asked[:]
    tab.go("adtd")
    assert len(tab.asked) > 2 * MAX_REQUESTS


@pytest.mark.parametrize(
    "page",
    ["upload", "dtd", "adtd", "groups", "survival", "genes", "compare", "robustness", "sessions"],
)
def test_a_page_shows_the_same_as_when_each_callback_is_asked(
    application: Application,
    open_tab: Callable[[Application], Tab],
    page: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = with_results(application)
    shown = []
    for ahead in (True, False):
        if not ahead:
            monkeypatch.setattr(OpeningAnswers, "write_into", lambda *_: [])
        tab = open_tab(application)
        show(tab, session.session_id)
        tab.tick()
        tab.go("help")
        # its row says whether it is saved, and the program saves on its own
        application.sessions.save_session(session.session_id, actor=LOCAL)
        tab.go(page)
        shown.append({k: v for k, v in tab.values.items() if k[0].startswith(f"{page}-")})
    ahead_of_it, asked = shown
    assert len(asked) > 20

    passing = ("used", "used_text", "size", "size_text")  # when it was used last, and saved

    def given(values: dict[Any, Any]) -> dict[Any, Any]:
        return {
            k: [{name: row[name] for name in row if name not in passing} for row in v]
            if k[1] == "rowData" and v and isinstance(v[0], dict)
            else v
            for k, v in values.items()
            if v is not None and k[1] != "children" and k != ("sessions-seen", "data")
        }

    assert given(ahead_of_it) == given(asked)


def test_every_way_to_answer(tmp_path: Path, open_tab: Callable[[Application], Tab]) -> None:
    config = Config.for_tests(tmp_path)
    config.plugins_folder.mkdir(parents=True, exist_ok=True)
    (config.plugins_folder / "odd.py").write_text(PLUGIN, encoding="utf-8")
    application = create_app(config)
    try:
        assert not application.plugin_errors
        tab = open_tab(application)
        del tab.asked[:]
        tab.go("odd")
        assert tab.text("odd-one").count(tab.get("dcx-revision", "data")) == 1
        assert tab.get("odd-two", "children") == "dict"
        assert tab.get("odd-still", "children") is None
        assert tab.get("odd-failed", "children") is None
        assert tab.get("odd-told", "children") == "told"
        told = sorted(tab.notices[-2:])
        assert told[0] == "For your information."
        assert told[1].startswith("This cannot be shown.")
        # what waits for a change is called by it, and then what follows
        assert tab.get("odd-later", "children") == "4 letters"
        assert tab.get("odd-echo", "children") == "echo of 4 letters"
        assert [name for name in tab.asked if name.startswith("odd-")] == [
            "odd-later.children",
            "odd-echo.children",
        ]
        del tab.asked[:]
        tab.set({("odd-word", "value"): "longer"})
        assert tab.get("odd-echo", "children") == "echo of 6 letters"
    finally:
        application.stop()


FOLLOWED = """
from dash import Input, Output, html
from gui.plugin import REVISION, Page

page = Page("follow", "Follow", "one callback after the other")


@page.layout
def layout(ctx):
    return html.Div([html.Div(id=page.id.first), html.Div(id=page.id.alone), html.Div(id=page.id.then)])


@page.callback(Output(page.id.first, "children"), REVISION)
def first(ctx, revision):
    return "first"


@page.callback(Output(page.id.alone, "children"), REVISION)
def alone(ctx, revision):
    return "alone"


@page.callback(Output(page.id.then, "children"), Input(page.id.first, "children"), long=True)
def then(ctx, first):
    return f"then {first}"
"""


def test_an_answer_that_a_callback_left_to_the_tab_waits_for_arrives_as_a_change(
    tmp_path: Path, open_tab: Callable[[Application], Tab]
) -> None:
    """Dash calls no callback that waits for another one which then changes nothing."""
    config = Config.for_tests(tmp_path)
    config.plugins_folder.mkdir(parents=True, exist_ok=True)
    (config.plugins_folder / "follow.py").write_text(FOLLOWED, encoding="utf-8")
    application = create_app(config)
    try:
        tab = open_tab(application)
        told: dict[str, Any] = {}
        received = tab._receive

        def receive(data: dict[str, Any]) -> Any:
            for one in ((data.get("response") or {}).get("dcx-answered") or {"data": []})["data"]:
                told[one["output"]] = one
            return received(data)

        tab._receive = receive
        tab.go("follow")
        assert tab.get("follow-then", "children") == "then first"
        assert told["follow-first.children"]["answer"]["response"] == {
            "follow-first": {"children": "first"}
        }
        assert "answer" not in told["follow-alone.children"]
        assert "follow-then.children" not in told
    finally:
        application.stop()


def test_another_value_than_the_one_answered_on_is_asked(
    application: Application, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(tab, with_results(application).session_id)
    tab.tick()
    known = dict.fromkeys(navigation.AROUND.values())
    answers: OpeningAnswers = application.server.extensions["dcx-opening"]
    real = answers.write_into
    # the page is made in the light, and dark when it appears
    monkeypatch.setattr(
        OpeningAnswers,
        "write_into",
        lambda _self, layout, around: real(layout, {**known, **around, ("dcx-dark", "data"): "?"}),
    )
    del tab.asked[:]
    tab.go("dtd")
    assert any("dtd-correlation.figure" in name for name in tab.asked)
    assert not any(name.startswith("dtd-empty.children") for name in tab.asked)


def test_sessions_page_after_the_program_was_asked_twice(
    application: Application, tab: Tab
) -> None:
    """An answer holds once: what is asked again reaches the server."""
    session = with_results(application)
    show(tab, session.session_id)
    tab.go("sessions")
    before = len(tab.get("sessions-active", "rowData"))
    application.sessions.create_session("another", actor=LOCAL)
    tab.by_itself({("sessions-again", "n_intervals"): 1})
    assert len(tab.get("sessions-active", "rowData")) == before + 1
