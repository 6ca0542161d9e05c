"""A page that lacks something leads to the first step that is missing, plug-ins too."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.engine.params import DTDParams
from gui.engine.results import Provenance, Run
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

PAGE = """
    from dash import html
    from gui.plugin import Page

    page = Page({key!r}, {title!r}, "", order={order}, requires={requires!r})

    @page.layout
    def layout(ctx):
        return html.Div("here")
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """With plug-in pages that need each other, an ADTD run, bulk, a search, or what no page
    makes.
    """
    config = Config.for_tests(tmp_path_factory.mktemp("program"))
    plugins = {
        "earlier": (40, ("adtd",)),
        "later": (50, ("earlier",)),
        "loose": (60, ("nobody",)),
        "both": (70, ("adtd", "bulk")),
        "ring": (80, ("gnir",)),
        "gnir": (81, ("ring",)),
        "searched": (82, ("search",)),
    }
    for key, (order, requires) in plugins.items():
        text = PAGE.format(key=key, title=key.capitalize(), order=order, requires=requires)
        (config.plugins_folder / f"{key}.py").write_text(textwrap.dedent(text), "utf-8")
    app = create_app(config)
    yield app
    app.stop()


def session(application: Application, *held: str) -> DCXCache:
    """A session that holds these: "dataset", "nobulk" (a dataset without one), kinds of runs."""
    made = application.sessions.create_session(
        application.sessions.free_name("S", actor=LOCAL), actor=LOCAL
    )
    data = make_example().dataset
    if held:
        made.set_dataset(replace(data, bulk=None) if "nobulk" in held else data, keep_runs=False)
    for kind in held:
        if kind not in ("dataset", "nobulk"):
            made.add_run(
                Run(kind, kind, kind, made.created, DTDParams(), {"nothing": 1}, Provenance("", ""))
            )
    return made


def links(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["props"]["href"]] if node.get("type") == "Anchor" and "props" in node else []
        return own + [href for value in node.values() for href in links(value)]
    return [href for child in node for href in links(child)] if isinstance(node, list) else []


@pytest.mark.parametrize(
    ("page", "held", "way"),
    [
        ("dtd", (), "/upload"),
        ("adtd", (), "/upload"),
        ("adtd", ("dataset",), "/dtd"),
        ("earlier", (), "/upload"),
        ("earlier", ("dataset",), "/dtd"),
        ("later", ("dataset",), "/dtd"),
        ("both", ("nobulk",), "/upload"),
        ("searched", ("dataset",), "/dtd"),
        ("loose", ("dataset",), None),
        ("ring", ("dataset",), None),
    ],
)
def test_the_way_out_is_the_first_missing_step(
    application: Application,
    open_tab: Callable[[Application], Any],
    page: str,
    held: tuple[str, ...],
    way: str | None,
) -> None:
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): session(application, *held).session_id})
    tab.go(page)
    shown = tab.get("dcx-outlet", "children")
    assert " needs " in json.dumps(shown)
    assert links(shown) == ([way] if way else [])
