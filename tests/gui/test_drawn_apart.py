"""One part of the screen that cannot be drawn says so and leaves the others: lines of the
navigation, the header, pages, tabs, rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.components import sessions as table
from gui.config import Config
from gui.pages.dtd import tabs
from gui.sessions.manager import LOCAL
from gui.sessions.store import SessionInfo
from gui.shell import navigation, refresh, session_menu
from tests.sessions.samples import rich

Tab = Any
PLUGIN = """
from gui.plugin import Page

page = Page("odd", "Odd", "says odd things")


@page.layout
def layout(ctx):
    raise_later = ctx.session.runs("odd")
    return [run.result["not there"] for run in raise_later]


@page.summary
def summary(ctx):
    found = ctx.session.current("odd")
    return None if found is None else {GIVEN}
"""


def fails(*_: Any, **__: Any) -> Any:
    raise KeyError("a name of a sample")


def lines(tab: Tab) -> dict[str, str]:
    """Title of each page in the navigation -> what it says."""
    found = {}
    for node in tab.get("dcx-nav", "children") or []:
        about = node["props"]["description"]
        found[node["props"]["label"]] = (
            about["props"]["children"] if about["props"].get("title") else str(about)
        )
    return found


def filled(application: Application) -> str:
    session = application.sessions.create_session("mine", actor=LOCAL)
    data = rich().dataset
    assert data is not None
    session.set_dataset(data, keep_runs=False)
    return session.session_id


@pytest.mark.parametrize("apart", [True, False], ids=["apart", "control"])
def test_a_summary_that_fails_costs_its_line_only(
    application: Application,
    open_tab: Callable[..., Tab],
    apart: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: where nothing is drawn apart, the tab has no navigation at all."""
    page = application.registry.page("upload")
    assert page is not None
    monkeypatch.setattr(page, "summary_function", fails)
    if not apart:
        monkeypatch.setattr(navigation, "drawn", lambda what, make, otherwise: make())
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): filled(application)})
    found = lines(tab)
    if apart:
        assert found["Upload"] == navigation.NO_SUMMARY
        assert {"Upload", "DTD", "ADTD", "Sessions"} <= set(found)
        assert set(tab.statuses) <= {200, 204}
    else:
        assert "DTD" not in found


@pytest.mark.parametrize(
    "given", ["found.result.missing", "{1, 2}", "found.result", "'<b>' + 'x' * 5000", "7"]
)
def test_a_plug_in_that_says_something_odd_costs_its_line_only(
    tmp_path: Path, open_tab: Callable[..., Tab], given: str
) -> None:
    config = Config.for_tests(tmp_path)
    config.plugins_folder.mkdir(parents=True, exist_ok=True)
    (config.plugins_folder / "odd.py").write_text(PLUGIN.replace("{GIVEN}", given))
    application = create_app(config)
    try:
        key = filled(application)
        run = next(run for run in rich().runs if run.kind == "cells")
        object.__setattr__(run, "kind", "odd")
        application.sessions.add_run(key, run, actor=LOCAL)
        tab = open_tab(application)
        tab.set({("dcx-session", "data"): key})
        found = lines(tab)
        assert len(found["Odd"]) <= 200
        assert "DTD" in found
        tab.go("odd")
        assert "Odd cannot be shown" in tab.text("dcx-outlet")
        tab.go("sessions")
        assert "Odd cannot be shown" not in tab.text("dcx-outlet")
        assert set(tab.statuses) <= {200, 204}
    finally:
        application.stop()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (refresh, "session_name"),
        (refresh, "session_menu"),
        (refresh, "ticker"),
        (refresh, "job_list"),
        (session_menu, "_menu_item"),
    ],
)
def test_a_part_of_the_header_that_fails_leaves_the_rest(
    application: Application,
    open_tab: Callable[..., Tab],
    module: Any,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, name, fails)
    tab = open_tab(application)
    assert "DTD" in lines(tab)
    tab.go("help")
    assert tab.get("dcx-outlet", "children")


def test_a_tab_of_a_page_that_fails_says_so_beside_the_others(
    application: Application, open_tab: Callable[..., Tab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabs, "markers_panel", fails)
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): filled(application)})
    tab.go("dtd")
    assert "Markers cannot be shown" in tab.text("dcx-outlet")
    assert "Run DTD" in tab.text("dcx-outlet")


def test_a_row_that_fails_is_listed_as_damaged(
    monkeypatch: pytest.MonkeyPatch, application: Application
) -> None:
    keys = [
        application.sessions.create_session(name, actor=LOCAL).session_id for name in ("a", "b")
    ]
    row = table._row

    def odd(info: SessionInfo, current: str | None) -> dict[str, Any]:
        return fails() if info.session_id == keys[0] else row(info, current)

    monkeypatch.setattr(table, "_row", odd)
    shown = table.rows([i for i in application.sessions.list_sessions(actor=LOCAL) if i.holds_data])
    assert [(r["id"], r["problem"]) for r in shown] == [(keys[0], True), (keys[1], False)]
    assert shown[0].keys() == shown[1].keys()


def test_a_session_of_which_nothing_can_be_said_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, application: Application
) -> None:
    keys = [
        application.sessions.create_session(name, actor=LOCAL).session_id for name in ("a", "b")
    ]
    describe = application.sessions._catalog._describe
    first = application.sessions._table.entry(keys[0])
    monkeypatch.setattr(
        application.sessions._catalog,
        "_describe",
        lambda entry, *a, **k: fails() if entry is first else describe(entry, *a, **k),
    )
    found = {i.session_id: i.problem for i in application.sessions.list_sessions(actor=LOCAL)}
    assert found[keys[0]] is not None
    assert found[keys[1]] is None
