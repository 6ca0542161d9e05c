"""A protected session, and browsers that have and have not given its password."""

from __future__ import annotations

import gc
import json
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dash import Input, Output, html

from gui import registry
from gui.app import Application, create_app
from gui.clock import elapsed
from gui.config import Config, Sessions
from gui.data.example import make_example
from gui.guard import GESTURE_HEADER, SIGN_OUT, _digest
from gui.plugin import Page
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL, Actor
from tests.gui.conftest import ORIGIN
from tests.gui.steps import (
    LONG,
    PASSWORD,
    SHORT,
    computing,
    press,
    run_dtd,
    saved,
    session_with,
    show,
)
from tests.gui.test_upload_page import cells_csv
from tests.processes import worker_pids
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("quick_passwords")
NAME = "Patientin Müller 4711"
Open = Callable[..., Any]


def protected(application: Application, *, hide_name: bool = True) -> DCXCache:
    """A protected session that nobody has unlocked."""
    session = session_with(application, NAME)
    application.sessions.protect_session(
        session.session_id, PASSWORD, hide_name=hide_name, actor=LOCAL
    )
    application.sessions.lock_session(session.session_id, actor=LOCAL)
    return session


def unlock(tab: Any, session: DCXCache | str, password: str = PASSWORD) -> None:
    show(tab, session if isinstance(session, str) else session.session_id)
    tab.set({("dcx-unlock-password", "value"): password})
    press(tab, "dcx-unlock")


def locked(tab: Any) -> bool:
    """Whether the page is the lock screen, and nothing but it."""
    shown = tab.text("dcx-outlet")
    return "protected by a password" in shown and "-page" not in json.dumps(
        [props["id"] for props in _props(tab.get("dcx-outlet", "children")) if "id" in props]
    )


def _props(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [p for child in node for p in _props(child)]
    if isinstance(node, dict):
        return [
            *([node["props"]] if "props" in node and "type" in node else []),
            *[p for child in node.values() for p in _props(child)],
        ]
    return []


def everything(tab: Any) -> str:
    """All that was ever sent to the tab and stands in it, as text."""
    return json.dumps(
        [[key[0], value] for key, value in tab.values.items()], ensure_ascii=False, default=str
    ) + json.dumps(tab.shown, ensure_ascii=False)


def test_another_browser_sees_nothing_but_the_lock(
    application: Application, open_tab: Open
) -> None:
    application.start()
    session = protected(application)
    data = names_in_the_data()
    mine, other = open_tab(application), open_tab(application)
    unlock(mine, session)
    assert NAME in mine.text("dcx-session-button")
    assert not locked(mine)
    mine.go("upload")
    mine.set({("upload-tabs", "value"): "rows"})  # names of samples are on this one's screen
    job = run_dtd(mine, LONG)
    until(lambda: computing(application, job))
    application.sessions.get_session(
        mine.get("dcx-session", "data"), actor=actor_of(application, mine)
    ).notes = NAME
    for page in ("upload", "dtd", "adtd", "sessions"):
        other.go(page)
        show(other, session.session_id)
        other.tick()
        if page != "sessions":
            assert locked(other), page
    assert "Protected session" in other.text("dcx-session-button")
    assert "Protected session" in other.text("dcx-session-menu")
    assert "Protected session" in other.text("dcx-jobs")
    known, seen = everything(mine), everything(other)
    assert NAME in known
    assert data[0] in known
    for secret in (NAME, *data):
        assert secret not in seen, secret
    assert " types" not in other.text("dcx-nav")
    # there is nothing to lock in this browser
    assert other.get("dcx-lock-box", "style") == {"display": "none"}
    assert mine.get("dcx-lock-box", "style") == {}
    application.runner.cancel(job)
    application.runner.wait(job, 60)


def names_in_the_data() -> list[str]:
    """Samples and cell types."""
    data = make_example().dataset
    assert data.bulk is not None
    return [*map(str, data.bulk.samples[:3]), *data.types[:2]]


def actor_of(application: Application, tab: Any) -> Actor:
    """Who the tab's browser is for the program."""
    cookie = next(iter(tab.client._cookies.values())).value
    return Actor(browser=application.guard._browsers[_digest(cookie)])


def test_unlocking_in_one_browser_leaves_the_other_locked(
    application: Application, open_tab: Open
) -> None:
    session = protected(application)
    mine, other = open_tab(application), open_tab(application)
    for tab in (mine, other):
        show(tab, session.session_id)
        assert locked(tab)
    unlock(mine, session)
    assert not locked(mine)
    assert "training cells" in mine.text("upload-answer")
    other.tick()
    other.go("dtd")
    other.go("upload")
    assert locked(other)
    unlock(other, session)  # with the password, and only with it
    assert not locked(other)


def test_choosing_a_locked_session_in_the_header_leads_to_its_lock_screen(
    application: Application, tab: Any
) -> None:
    session = protected(application, hide_name=False)
    tab.tick()
    press(tab, {"page": "dcx", "part": "switch", "index": session.session_id})
    assert locked(tab)
    assert tab.notices == []
    assert NAME in tab.text("dcx-session-button")  # it is not hidden


def test_a_wrong_password_is_said_at_the_field_and_the_field_is_emptied(
    application: Application, tab: Any
) -> None:
    session = protected(application)
    unlock(tab, session, "wrong horse battery")
    assert tab.get("dcx-unlock-password", "error") == "The password is wrong."
    assert tab.get("dcx-unlock-password", "value") == ""
    assert locked(tab)
    unlock(tab, session)
    assert not locked(tab)


def test_lock_now_locks_every_tab_stops_the_job_and_renews_the_worker(
    application: Application, open_tab: Open
) -> None:
    application.start()
    session = protected(application)
    mine, other = open_tab(application), open_tab(application)
    for tab in (mine, other):
        unlock(tab, session)
    job = run_dtd(mine, LONG)
    until(lambda: computing(application, job))
    before = worker_pids(application.runner)
    other.go("dtd")
    press(mine, "dcx-lock")
    assert locked(mine)
    assert any("is locked. 1 job was stopped" in notice for notice in mine.notices)
    other.tick()
    assert locked(other)
    assert NAME not in other.text("dcx-session-button")
    assert application.runner.status(session.session_id) == []
    until(
        lambda: (
            worker_pids(application.runner)
            and not set(before) & set(worker_pids(application.runner))
        )
    )
    unlock(mine, session)
    assert "DTD was interrupted" in mine.text("dcx-interrupted")
    assert not any("cancelled" in notice or "failed" in notice for notice in mine.notices)
    other.tick()
    assert locked(other)
    assert mine.get("dcx-interrupted", "children")
    assert not other.get("dcx-interrupted", "children")


def test_an_idle_session_locks_itself_and_a_running_job_defers_that(
    tmp_path: Path, open_tab: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.for_tests(tmp_path).model_copy(
        update={"sessions": Sessions(lock_after_minutes=1)}
    )
    application = create_app(config)
    try:
        chore = next(c for c in application.housekeeping._chores if c.name == "locking")
        application.runner.start()
        session = protected(application)
        tab = open_tab(application)
        unlock(tab, session)
        job = run_dtd(tab, LONG)
        until(lambda: computing(application, job))
        late = elapsed() + 61
        monkeypatch.setattr("gui.sessions.protection.elapsed", lambda: late)
        chore.run()
        assert not application.sessions.is_locked(
            session.session_id, actor=actor_of(application, tab)
        )
        application.runner.cancel(job)
        application.runner.wait(job, 60)
        chore.run()
        assert application.sessions.is_locked(session.session_id, actor=actor_of(application, tab))
        tab.tick()
        assert locked(tab)
    finally:
        application.stop()


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``wait(seconds)``: so much time passes for the idle lock."""
    passed = [0.0]
    for module in ("protection", "entry"):
        monkeypatch.setattr(f"gui.sessions.{module}.elapsed", lambda: elapsed() + passed[0])

    def more(seconds: float) -> None:
        passed[0] += seconds

    return more


def test_no_page_keeps_a_session_unlocked_by_itself_and_a_gesture_does(
    application: Application, tab: Any, wait: Any
) -> None:
    session = protected(application)
    unlock(tab, session)
    wait(50)
    tab.set({("dcx-interval", "n_intervals"): 1_000})  # the pointer was moved since the one before
    wait(50)
    assert application.sessions.lock_idle(60, actor=LOCAL) == []
    tab.touched = False
    asked = set()
    for page in ("upload", "dtd", "adtd", "sessions", "help"):
        tab.go(page)
        tab.tick()
        # whatever a page asks without its user: changed values, selections, rows that were drawn,
        # stores
        for dependency in tab.dependencies:
            started = json.dumps(dependency["inputs"])
            if tab._present(dependency) and not any(
                word in started
                for word in ("dcx-command", "n_clicks", "n_submit", "dcx-session", "confirm")
            ):
                tab._call(
                    dependency,
                    [
                        (item["id"], item["property"])
                        for item in dependency["inputs"]
                        if not item["id"].startswith("{")
                    ],
                )
                asked.add(dependency["output"])
    assert len(asked) > 20
    wait(11)
    assert application.sessions.lock_idle(60, actor=LOCAL) == [session.session_id]


def test_an_entry_of_the_windows_own_menu_is_a_gesture(
    application: Application, tab: Any, wait: Any
) -> None:
    session = protected(application)
    unlock(tab, session)
    wait(50)
    tab.by_itself({("dcx-command", "data"): {"action": "shortcuts", "at": 1}})
    wait(50)
    assert application.sessions.lock_idle(60, actor=LOCAL) == []


def test_a_gesture_counts_from_when_it_was_not_from_when_it_is_told(
    application: Application, tab: Any, wait: Any
) -> None:
    """The computer slept between the two: the page tells with its first question after waking
    up.
    """
    session = protected(application)
    unlock(tab, session)
    wait(3600)
    tell = [{"id": "dcx-interval", "property": "n_intervals"}]
    dependency = next(d for d in tab.dependencies if tell[0] in d["inputs"])
    real, said = tab.client.post, []

    def post(*args: Any, headers: dict[str, str], **more: Any) -> Any:
        said.append(1)
        return real(*args, headers={**headers, GESTURE_HEADER: age[0]}, **more)

    tab.client.post = post
    age = ["3600.0"]
    # what is no number of seconds is no gesture
    for value in ("3600.0", "-5", "nan", "inf", "", "x", "1e999", "\u00e9"):
        age[0] = value
        tab._call(dependency, [("dcx-interval", "n_intervals")])
    assert said
    assert application.sessions.lock_idle(60, actor=LOCAL) == [session.session_id]
    unlock(tab, session)
    wait(50)
    age[0] = "1.5"
    tab._call(dependency, [("dcx-interval", "n_intervals")])
    wait(50)
    assert application.sessions.lock_idle(60, actor=LOCAL) == []


def test_the_clock_of_the_idle_lock_is_not_the_time_of_day(
    application: Application, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = protected(application)
    unlock(tab, session)
    boot = elapsed()
    monkeypatch.setattr(time, "time", lambda: 0.0)  # the clock on the wall is set back by decades
    monkeypatch.setattr(
        time,
        "clock_gettime",
        lambda clock: (
            boot + 61 if clock == getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC) else 0.0
        ),
    )
    if sys.platform == "win32":
        monkeypatch.setattr(time, "monotonic", lambda: boot + 61)
    assert application.sessions.lock_idle(60, actor=LOCAL) == [session.session_id]


def test_a_callback_of_a_page_does_nothing_while_the_session_is_locked(
    application: Application, tab: Any
) -> None:
    session = protected(application)
    unlock(tab, session)
    tab.go("dtd")
    application.sessions.lock_session(session.session_id, actor=LOCAL)
    tab.statuses.clear()
    tab.notices.clear()
    tab.set({("dtd-iterations", "value"): 77})
    tab.click("dtd-run")
    assert set(tab.statuses) == {204}  # nothing came back, of any of them
    assert tab.notices == []
    assert application.runner.status() == []
    unlock(tab, session)
    assert "iterations" not in application.sessions.get_session(
        session.session_id, actor=actor_of(application, tab)
    ).form("dtd")


def test_a_callback_that_meets_the_lock_while_it_runs_returns_nothing(
    tmp_path: Path, open_tab: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, during = Page("slow", "Slow", "for tests", order=50), []

    @page.layout
    def layout(ctx: Any) -> Any:
        return html.Div([html.Button("Go", id=page.id.go), html.Div("nothing", id=page.id.out)])

    @page.callback(
        Output(page.id.out, "children"), Input(page.id.go, "n_clicks"), prevent_initial_call=True
    )
    def go(ctx: Any, clicks: int) -> str:
        for step in during:
            step(ctx)
        return str(ctx.session.dataset)

    pages = [*registry.built_in(), page]
    monkeypatch.setattr("gui.registry.built_in", lambda: pages)
    application = create_app(Config.for_tests(tmp_path))
    try:
        session = protected(application)
        tab = open_tab(application)
        unlock(tab, session)
        tab.go("slow")
        tab.click("slow-go")
        assert tab.get("slow-out", "children") != "nothing"
        tab.set({("slow-out", "children"): "nothing"})
        during.append(lambda ctx: application.sessions.lock_session(ctx.session_id, actor=LOCAL))
        tab.click("slow-go")
        assert tab.get("slow-out", "children") in (None, "nothing")
        assert not any("unexpected" in notice for notice in tab.notices)
    finally:
        application.stop()


def test_another_browser_cannot_cancel_the_job_of_a_locked_session(
    application: Application, open_tab: Open
) -> None:
    application.start()
    session = protected(application)
    mine, other = open_tab(application), open_tab(application)
    unlock(mine, session)
    job = run_dtd(mine, LONG)
    until(lambda: computing(application, job))
    other.tick()
    assert "Protected session" in other.text("dcx-jobs") + other.text("dcx-ticker")
    assert "DTD" not in other.text("dcx-jobs") + other.text("dcx-ticker")
    other.set(
        {
            (
                json.dumps(
                    {"page": "dcx", "part": "cancel", "index": job},
                    sort_keys=True,
                    separators=(",", ":"),
                ),
                "n_clicks",
            ): 1
        }
    )
    assert computing(application, job)
    mine.tick()
    mine.click({"page": "dcx", "part": "cancel", "index": job})
    assert application.runner.wait(job, 60).state == "cancelled"


def test_after_a_restart_it_is_listed_and_locked(tmp_path: Path, open_tab: Open) -> None:
    first = create_app(Config.for_tests(tmp_path))
    session = protected(first)
    tab = open_tab(first)
    unlock(tab, session)
    tab.set({("dtd-iterations", "value"): 33})
    first.stop()
    again = create_app(Config.for_tests(tmp_path))
    try:
        (info,) = [i for i in again.sessions.list_sessions(actor=LOCAL) if i.holds_data]
        assert (info.session_id, info.name, info.protected, info.locked, info.loaded) == (
            session.session_id,
            "Protected session",
            True,
            True,
            False,
        )
        tab = open_tab(again)
        show(tab, session.session_id)
        assert locked(tab)
        assert NAME not in everything(tab)
        unlock(tab, session)
        assert "training cells" in tab.text("upload-answer")
        assert NAME in tab.text("dcx-session-button")
    finally:
        again.stop()


# -- nothing is left
# --------------------------------------------------------------------------------------------------


def watch(session: DCXCache, ofs: dict[str, weakref.ref[Any]]) -> None:
    """Remember, weakly, the dataset, its matrices and labels, and every table of every run."""
    data = session.dataset
    assert data is not None
    ofs["dataset"] = weakref.ref(data)
    for role, matrix in data.parts().items():
        ofs[f"matrix {role}"] = weakref.ref(matrix)
        ofs[f"values {role}"] = weakref.ref(matrix.values)
    for run in session.runs():
        ofs[f"run {run.kind}"] = weakref.ref(run)
        for name, value in vars(run.result).items():
            frames = (
                {name: value}
                if isinstance(value, pd.DataFrame | pd.Series)
                else value
                if isinstance(value, dict)
                else {}
            )
            ofs |= {
                f"{run.kind} {name} {k}": weakref.ref(v)
                for k, v in frames.items()
                if isinstance(v, pd.DataFrame | pd.Series)
            }


def alive(found: dict[str, weakref.ref[Any]]) -> list[str]:
    gc.collect()
    return [name for name, ref in found.items() if ref() is not None]


def test_nothing_lets_go_by_itself(application: Application, tab: Any) -> None:
    """The control of the test below: with a job in the queue, and nobody told of the lock, the data
    stay.
    """
    session = protected(application)
    unlock(tab, session)
    run_dtd(tab, LONG)
    application.sessions.save_session(session.session_id, actor=actor_of(application, tab))
    refs: dict[str, weakref.ref[Any]] = {}
    watch(session, refs)
    told, application.sessions.before_lock = application.sessions.before_lock, lambda session: None
    application.sessions.lock_session(session.session_id, actor=LOCAL)
    assert "matrix train" in alive(refs)
    told(session)
    assert alive(refs) == []


def test_files_chosen_for_a_session_are_gone_when_it_is_locked_or_they_are_loaded(
    application: Application, tab: Any, tmp_path: Path
) -> None:
    session = protected(application)
    unlock(tab, session)
    data = make_example().dataset
    assert data.train is not None
    content = cells_csv(tmp_path / "cells.csv", data.train).read_bytes()

    def upload() -> Path:
        answer = tab.client.post(
            "/_dcx/upload?name=cells.csv", data=content, headers={"Origin": ORIGIN}, base_url=ORIGIN
        ).json
        tab.set({("upload-train-token", "data"): answer["token"]})
        found: Path = application.uploads.get(answer["token"]).path
        return found

    chosen = upload()
    assert chosen.read_bytes() == content
    press(tab, "dcx-lock")
    assert not chosen.exists()
    unlock(tab, session)
    loaded = upload()
    press(tab, "upload-load")
    press(tab, "upload-replace")
    assert session.dataset is not None
    assert session.dataset.name == "cells"
    assert not loaded.exists()


def test_no_live_object_of_a_locked_session_is_reachable(
    application: Application, open_tab: Open
) -> None:
    application.start()
    session = protected(application)
    mine, other = open_tab(application), open_tab(application)
    for tab in (mine, other):
        unlock(tab, session)
    job = run_dtd(mine, SHORT)
    assert application.runner.wait(job, 90).state == "done"
    until(lambda: session.current("dtd"))
    for tab in (mine, other):
        tab.tick()
        for page in ("upload", "dtd", "adtd", "sessions", "dtd"):
            tab.go(page)
        for shown in ("composition", "correlation", "markers", "loss"):
            tab.set({("dtd-tabs", "value"): shown})
    press(mine, "dtd-save")
    mine.downloaded()
    again = run_dtd(mine, LONG)
    until(lambda: computing(application, again))
    until(
        lambda: (
            saved(application, session.session_id)
            or application.sessions.save_session(
                session.session_id, actor=actor_of(application, mine)
            )
            is None
        )
    )
    refs: dict[str, weakref.ref[Any]] = {}
    watch(session, refs)
    assert len(refs) > 12
    assert len(alive(refs)) == len(refs)  # the control: they are there until it is locked
    press(mine, "dcx-lock")
    assert not session.loaded
    until(lambda: not alive(refs), 20) if alive(refs) else None
    assert alive(refs) == []
    assert locked(mine)


def test_signing_out_forgets_what_the_browser_has_unlocked(
    application: Application, open_tab: Open
) -> None:
    session = protected(application)
    mine, other = open_tab(application), open_tab(application)
    for tab in (mine, other):
        unlock(tab, session)
    actors = [actor_of(application, tab) for tab in (mine, other)]

    def sign_out(tab: Any) -> int:
        return int(
            tab.client.post(SIGN_OUT, headers={"Origin": ORIGIN}, base_url=ORIGIN).status_code
        )

    assert sign_out(mine) == 204
    assert [
        application.sessions.is_locked(session.session_id, actor=actor) for actor in actors
    ] == [True, False]
    assert application.sessions._table.entry(session.session_id).session_key is not None
    # a job computes in it: the key goes when that has ended
    application.sessions.busy = lambda: {session.session_id}
    assert sign_out(other) == 204
    assert application.sessions.is_locked(session.session_id, actor=actors[1])
    assert application.sessions._table.entry(session.session_id).session_key is not None
    application.sessions.busy = tuple
    next(chore for chore in application.housekeeping._chores if chore.name == "locking").run()
    assert application.sessions._table.entry(session.session_id).session_key is None


def test_the_window_has_no_sign_out(tmp_path: Path) -> None:
    from types import SimpleNamespace

    application = create_app(Config.for_tests(tmp_path), SimpleNamespace(native=True))  # type: ignore[arg-type]
    application.stop()
    assert "dcx-sign-out" not in str(application.dash.validation_layout)
