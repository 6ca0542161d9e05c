"""One session for everybody: as configured, or because the Session Manager page is not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui import registry
from gui.answers.dtd import short_answer
from gui.app import Application, create_app
from gui.config import Config, Sessions
from gui.data.example import make_example
from gui.errors import SessionError
from gui.sessions import file
from gui.sessions.manager import LOCAL
from gui.sessions.parsing import ProcessParser
from tests.gui.conftest import ORIGIN
from tests.gui.steps import LONG, SHORT, computing, press, run_dtd, saved
from tests.gui.test_upload_page import bulk_csv, cells_csv, choose
from tests.waiting import until

Start = Callable[[], Application]
Open = Callable[..., Any]


@pytest.fixture(params=["configured", "page missing"])
def start(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """The program with one session, on one folder, as a restart gives it."""
    made: list[Application] = []
    config = Config.for_tests(tmp_path)
    if request.param == "configured":
        config = config.model_copy(update={"sessions": Sessions(enabled=False)})
    else:
        pages = [page for page in registry.built_in() if page.key != "sessions"]
        monkeypatch.setattr("gui.registry.built_in", lambda: pages)

    def begin() -> Application:
        made.append(create_app(config))
        return made[-1]

    yield begin
    for application in made:
        application.stop()


def hidden(layout: Any, component_id: str, above: bool = False) -> bool:
    """Whether the component, or something it stands in, is not displayed."""
    if isinstance(layout, list):
        return any(hidden(child, component_id, above) for child in layout)
    if not isinstance(layout, dict) or "props" not in layout:
        return isinstance(layout, dict) and any(
            hidden(child, component_id, above) for child in layout.values()
        )
    gone = above or (layout["props"].get("style") or {}).get("display") == "none"
    if layout["props"].get("id") == component_id:
        return gone
    return any(
        hidden(child, component_id, gone)
        for child in layout["props"].values()
        if isinstance(child, dict | list)
    )


CONTROLS = ("dcx-session-button", "dcx-new", "dcx-session-menu")


def layout_of(tab: Any) -> Any:
    return tab.client.get("/_dash-layout", base_url=ORIGIN).json


def test_the_session_controls_are_gone(start: Start, open_tab: Open) -> None:
    tab = open_tab(start())
    assert all(hidden(layout_of(tab), control) for control in (*CONTROLS, "dcx-lock"))
    assert "/sessions" not in tab.text("dcx-nav")
    tab.go("sessions")
    assert "There is no such page" in tab.text("dcx-outlet")
    assert tab.notices == []


def test_its_data_and_results_are_one_file_and_there_again_after_a_restart(
    start: Start, open_tab: Open, tmp_path: Path
) -> None:
    first = start()
    first.start()
    tab = open_tab(first)
    press(tab, "upload-example")
    assert "training cells" in tab.text("upload-answer")
    job = run_dtd(tab, SHORT)
    assert first.runner.wait(job, 90).state == "done"
    assert first.stop() is None
    kept = [
        p.relative_to(tmp_path / "data").as_posix()
        for p in (tmp_path / "data").rglob("*")
        if p.is_file()
    ]
    assert sorted(kept) == ["settings.json", "single.dcxsession"]
    second = start()
    tab = open_tab(second)
    assert "training cells" in tab.text("upload-answer")
    tab.go("dtd")
    assert tab.get("dtd-iterations", "value") == SHORT.iterations
    run = second.sessions.get_session(second.sessions.default_id, actor=LOCAL).current("dtd")
    assert run is not None
    assert run.id == job
    assert short_answer(run.result) in tab.text("dcx-nav")
    assert tab.notices == []
    until(lambda: saved(second, second.sessions.default_id))
    tab.tick()
    assert "Saved" in tab.text("dcx-saved")


def test_two_tabs_and_two_browsers_see_the_same_data(start: Start, open_tab: Open) -> None:
    application = start()
    one, two = open_tab(application), open_tab(application)
    press(one, "upload-example")
    two.tick()
    assert "training cells" in two.text("upload-answer")
    # an id of other days leads to it as well
    two.set({("dcx-session", "data"): "20200101#000000#deadbeef"})
    assert "training cells" in two.text("upload-answer")


def test_loading_into_data_asks_to_replace_them_and_offers_nothing_else(
    start: Start, open_tab: Open, tmp_path: Path
) -> None:
    data = make_example().dataset
    assert data.train is not None
    assert data.bulk is not None
    application = start()
    tab = open_tab(application)
    choose(tab, "train", cells_csv(tmp_path / "cells.csv", data.train))
    choose(tab, "bulk", bulk_csv(tmp_path / "bulk.csv", data.bulk))
    press(tab, "upload-load")
    session = application.sessions.get_session(application.sessions.default_id, actor=LOCAL)
    assert session.dataset is not None
    assert session.dataset.name == "cells"
    press(tab, "upload-example")  # in another tab it may still be offered
    assert tab.get("upload-confirm", "opened") is True
    assert "cells is loaded" in tab.text("upload-ask")
    assert "Default" not in tab.text("upload-ask")
    assert hidden(tab.get("dcx-outlet", "children"), "upload-fresh")
    press(tab, "upload-no")
    assert session.dataset.name == "cells"
    press(tab, "upload-example")
    press(tab, "upload-replace")
    assert session.dataset.name != "cells"
    choose(tab, "train", cells_csv(tmp_path / "again.csv", data.train))
    press(tab, "upload-load")
    assert tab.get("upload-confirm", "opened") is True
    press(tab, "upload-replace")
    assert session.dataset.name == "again"
    with pytest.raises(SessionError, match="one session for everybody"):
        application.sessions.create_session("Another", actor=LOCAL)


def test_with_several_sessions_all_that_is_there(application: Application, open_tab: Open) -> None:
    """The control of the tests above."""
    tab = open_tab(application)
    assert not any(hidden(layout_of(tab), control) for control in CONTROLS)
    assert "/sessions" in tab.text("dcx-nav")
    assert not hidden(tab.get("dcx-outlet", "children"), "upload-fresh")


def test_an_interrupted_job_is_shown_here_too(start: Start, open_tab: Open) -> None:
    first = start()
    first.start()
    tab = open_tab(first)
    press(tab, "upload-example")
    job = run_dtd(tab, LONG)
    until(lambda: computing(first, job))
    first.stop()
    assert "DTD was interrupted" in open_tab(start()).text("dcx-interrupted")


def test_after_damage_the_last_backup_is_there(
    start: Start, open_tab: Open, tmp_path: Path
) -> None:
    first = start()
    press(open_tab(first), "upload-example")
    first.stop()
    second = start()
    second.sessions.get_session(second.sessions.default_id, actor=LOCAL).notes = "later"
    second.stop()
    path = tmp_path / "data" / "single.dcxsession"
    path.write_bytes(b"PK nothing")
    third = start()
    tab = open_tab(third)
    assert any(
        "was renamed" in n and "You continue with its last backup, of " in n for n in tab.notices
    )
    assert "training cells" in tab.text("upload-answer")
    assert third.sessions.get_session(third.sessions.default_id, actor=LOCAL).notes == ""
    assert len(list((tmp_path / "data").glob("*.damaged"))) == 1


def test_a_damaged_file_is_put_aside_and_said_once(
    start: Start, open_tab: Open, tmp_path: Path
) -> None:
    first = start()
    press(open_tab(first), "upload-example")
    first.stop()
    path = tmp_path / "data" / "single.dcxsession"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    second = start()
    tab = open_tab(second)
    said = [n for n in tab.notices if "was renamed" in n]
    assert len(said) == 1
    (aside,) = (tmp_path / "data").glob("single.dcxsession.*.damaged")
    assert aside.name in said[0]
    assert aside.read_bytes() == whole[: len(whole) // 2]
    tab.tick()
    assert len([n for n in tab.notices if "was renamed" in n]) == 1
    press(tab, "upload-example")
    second.stop()
    assert file.read_header(path).id
    third = open_tab(start())
    assert "training cells" in third.text("upload-answer")
    assert not [n for n in third.notices if "was renamed" in n]
    assert json.dumps(third.notices) == "[]"


def test_a_session_that_cannot_be_read_just_now_is_said_and_there_at_the_next_start(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is not damaged, and the program can be used."""

    def fails(self: ProcessParser, path: Path, session_key: Any, *, whole: bool) -> None:
        raise SessionError("There is too little memory.", advice="Close other programs.")

    first = start()
    first.sessions.get_session(first.sessions.default_id, actor=LOCAL).notes = "kept"
    first.stop()
    path = tmp_path / "data" / "single.dcxsession"
    before = path.read_bytes()
    with monkeypatch.context() as short:
        short.setattr(ProcessParser, "check", fails)
        second = start()
    assert "There is too little memory" in str(second.sessions.trouble)
    second.stop()
    assert path.read_bytes() == before
    third = start()
    assert third.sessions.get_session(third.sessions.default_id, actor=LOCAL).notes == "kept"
