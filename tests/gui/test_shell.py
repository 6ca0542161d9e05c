"""Tabs, sessions and jobs, through the server."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.engine.params import DTDParams
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.processes import worker_pids
from tests.waiting import until

LONG = DTDParams(iterations=100_000, train_mixtures=50, test_mixtures=50, run_on_bulk=False)
SHORT = DTDParams(iterations=5, train_mixtures=30, test_mixtures=30)


@pytest.fixture(scope="module")
def example() -> Any:
    return make_example()


def session_with(application: Application, name: str, example: Any) -> DCXCache:
    session = application.sessions.create_session(name, actor=LOCAL)
    session.set_dataset(example.dataset, keep_runs=False)
    return session


def submit(application: Application, session: DCXCache, params: DTDParams, title: str) -> str:
    from gui.engine.tasks import run_dtd

    return application.submit(
        run_dtd,
        session.session_id,
        params,
        kind="dtd",
        title=title,
        actor=LOCAL,
    )


def running(application: Application, job_id: str) -> bool:
    return any(
        j.id == job_id and j.state == "running" and j.count for j in application.runner.status()
    )


def test_every_id_is_used_once_over_all_pages(application: Application) -> None:
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "props" in node and "id" in node["props"]:
                found.append(json.dumps(node["props"]["id"], sort_keys=True))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(
        json.loads(
            json.dumps(
                application.dash.validation_layout.to_plotly_json(),
                default=lambda c: c.to_plotly_json(),
            )
        )
    )
    assert len(found) > 100
    assert sorted(found) == sorted(set(found))


def test_callbacks_name_only_ids_that_a_page_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = Config.for_tests(tmp_path)
    application = create_app(config)
    application.stop()
    assert "on no page" not in caplog.text
    (config.plugins_folder / "odd.py").write_text(ODD, encoding="utf-8")
    application = create_app(config)
    application.stop()
    assert [f"odd-{name} of" in caplog.text for name in ("go", "out", "missing", "nowhere")] == [
        False,
        False,
        True,
        True,
    ]


ODD = """
from dash import Input, Output, State, html
from gui.plugin import Page

page = Page("odd", "Odd", "names what it does not have")

@page.layout
def layout(ctx):
    return html.Div([html.Button("Go", id=page.id.go), html.Div(id=page.id.out)])

@page.callback(Output(page.id.out, "children"), Output(page.id.nowhere, "children"), Input(page.id.go, "n_clicks"), State(page.id.missing, "value"))
def go(ctx, clicks, value):
    return "", ""
"""


def test_a_tab_without_or_with_an_unknown_session_lands_in_the_default_one(tab: Any) -> None:
    assert "Default" in tab.text("dcx-session-button")
    assert tab.notices == []
    tab.set({("dcx-session", "data"): "20200101#000000#deadbeef"})
    assert "Default" in tab.text("dcx-session-button")
    assert any("does not exist any more" in n for n in tab.notices)
    assert tab.get("dcx-session", "data") == tab.application.sessions.default_id


def test_pages_say_what_is_missing_and_open_when_it_is_there(tab: Any, example: Any) -> None:
    tab.go("dtd")
    assert "DTD needs data" in tab.text("dcx-outlet")
    tab.go("adtd")
    assert "ADTD needs a DTD run" in tab.text("dcx-outlet")
    tab.go("nowhere")
    assert "There is no such page" in tab.text("dcx-outlet")
    tab.go("dtd")
    session = session_with(tab.application, "Mine", example)
    tab.set({("dcx-session", "data"): session.session_id})
    assert "DTD needs data" not in tab.text("dcx-outlet")
    assert tab.get("dtd-run", "id") is not None


def test_an_idle_tab_gets_nothing_new(tab: Any) -> None:
    tab.tick()
    tab.statuses.clear()
    tab.tick()
    assert tab.statuses == [204]


def test_a_new_session_is_created_and_shown_and_names_do_not_clash(tab: Any) -> None:
    tab.click("dcx-new")
    tab.set({("dcx-new-name", "value"): "Melanoma"})
    tab.click("dcx-new-create")
    assert "Melanoma" in tab.text("dcx-session-button")
    tab.set({("dcx-new-name", "value"): " melanoma "})
    tab.click("dcx-new-create")
    assert any("Another session is called" in n and "is free" in n for n in tab.notices)
    assert len(tab.application.sessions.list_sessions(actor=LOCAL)) == 2


def test_the_example_goes_into_a_session_of_its_own(tab: Any) -> None:
    tab.click("upload-example")
    assert "Example" in tab.text("dcx-session-button")
    default = tab.application.sessions.get_session(tab.application.sessions.default_id, actor=LOCAL)
    assert default.dataset is None
    assert "training cells" in tab.text("upload-answer")


def test_two_tabs_on_two_sessions_do_not_mix(
    application: Application, open_tab: Callable[..., Any], example: Any
) -> None:
    """Jobs of both sessions, running and queued; each result lands where it was started from, also
    after switching.
    """
    application.start()
    one, two = session_with(application, "One", example), session_with(application, "Two", example)
    first, second = open_tab(application), open_tab(application)
    first.set({("dcx-session", "data"): one.session_id})
    second.set({("dcx-session", "data"): two.session_id})
    long = submit(application, one, LONG, "DTD long")
    queued = submit(application, one, SHORT, "DTD one")
    other = submit(application, two, SHORT.model_copy(update={"seed": 7}), "DTD two")
    until(lambda: running(application, long))
    first.tick()
    second.tick()
    assert "DTD long" in second.text("dcx-ticker")
    assert "DTD two" in first.text("dcx-jobs")
    first.set({("dcx-session", "data"): two.session_id})  # switching disturbs nothing
    first.click({"page": "dcx", "part": "cancel", "index": long})
    assert application.runner.wait(other, 90).state == "done"
    assert application.runner.wait(queued, 90).state == "done"
    assert application.runner.wait(long, 90).state == "cancelled"
    until(lambda: one.current("dtd") and two.current("dtd"))
    assert [run.id for run in one.runs()] == [queued]
    assert [run.id for run in two.runs()] == [other]
    second.tick()
    assert any("DTD two is done" in n for n in second.notices)
    assert not any("DTD one" in n for n in second.notices)


def test_cancelling_leaves_the_session_as_it_was(
    application: Application, open_tab: Callable[..., Any], example: Any
) -> None:
    application.start()
    session = session_with(application, "Mine", example)
    before = session.revision
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): session.session_id})
    job = submit(application, session, LONG, "DTD")
    until(lambda: running(application, job))
    tab.tick()
    tab.click({"page": "dcx", "part": "cancel", "index": job})
    assert application.runner.wait(job, 60).state == "cancelled"
    assert session.runs() == []
    assert session.revision == before
    tab.tick()
    assert any("was cancelled; the session is unchanged" in n for n in tab.notices)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
def test_a_killed_worker_is_said_and_the_next_job_runs(
    application: Application, open_tab: Callable[..., Any], example: Any
) -> None:
    application.start()
    session = session_with(application, "Mine", example)
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): session.session_id})
    job = submit(application, session, LONG, "DTD")
    until(lambda: running(application, job))
    tab.tick()
    for pid in worker_pids(application.runner):
        os.kill(pid, signal.SIGKILL)
    assert application.runner.wait(job, 60).state == "failed"
    tab.tick()
    assert any("The worker process ended unexpectedly" in n for n in tab.notices)
    assert session.runs() == []
    assert (
        application.runner.wait(submit(application, session, SHORT, "DTD again"), 90).state
        == "done"
    )
    until(lambda: session.current("dtd"))


def test_a_session_deleted_while_its_job_runs_takes_no_result(
    application: Application, example: Any
) -> None:
    application.start()
    session = session_with(application, "Gone", example)
    job = submit(application, session, SHORT, "DTD")
    application.sessions.delete_session(session.session_id, actor=LOCAL)
    ended = application.runner.wait(job, 90)
    assert ended.state in ("done", "failed")
    assert ended.run_id is None
    assert session.runs() == []


def test_an_unexpected_error_in_a_callback_shows_no_traceback(
    application: Application, open_tab: Callable[..., Any], example: Any
) -> None:
    session = session_with(application, "Mine", example)
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): session.session_id})
    object.__setattr__(session.dataset, "train", "not cells at all")  # a fault of ours
    tab.set({("dcx-dark", "data"): True})
    tab.set({("upload-tabs", "value"): "types"})
    assert any("unexpected error" in n for n in tab.notices)
    assert not any(
        "Traceback" in n or "AttributeError" in n or "not cells" in n for n in tab.notices
    )


def test_what_went_well_passes_beside_the_page_and_an_error_stays_until_it_is_read(
    tab: Any,
) -> None:
    tab.click("upload-example")
    # the navigation's column: covers neither figure nor button
    assert tab.shown[-1]["position"] == "bottom-left"
    assert 0 < tab.shown[-1]["autoClose"] < 6000
    for _ in range(2):
        tab.set({("dcx-new-name", "value"): ""})
        tab.click("dcx-new-create")
    first, second = tab.shown[-2:]
    assert first["autoClose"] is False
    assert "position" not in first
    assert first["id"] == second["id"]  # met twice, shown once


def test_enter_sends_what_was_typed_with_it(tab: Any) -> None:
    """A field that sends its value a moment later would answer a fast Enter with the value before
    it, or with nothing.
    """
    fields = {i["id"] for d in tab.dependencies for i in d["inputs"] if i["property"] == "n_submit"}
    shown = set()
    for page in ("upload", "sessions"):
        tab.go(page)
        here = {field for field in fields if tab.get(field, "id") is not None}
        assert all(tab.get(field, "debounce") is True for field in here), here
        shown |= here
    assert {
        "dcx-new-name",
        "sessions-new-name",
        "sessions-folder",
        "sessions-unlock-password",
    } <= shown
