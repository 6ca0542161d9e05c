"""Runs are named, starred, annotated and deleted in their list, with Undo, through the door."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.engine.params import ADTDParams
from gui.engine.results import Run
from gui.errors import JobError
from gui.report import report
from gui.sessions import deleted_runs
from gui.sessions.cache import DCXCache
from gui.sessions.exchange import pseudonymised
from gui.sessions.manager import LOCAL
from gui.sessions.snapshot import PendingJob
from tests.gui.groups_session import filled


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("labels")))
    yield app
    app.stop()


@pytest.fixture
def opened(
    program: Application, open_tab: Callable[[Application], Any]
) -> Callable[..., tuple[Any, DCXCache]]:
    def go(page: str) -> tuple[Any, DCXCache]:
        session = filled(program)
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go(page)
        return tab, session

    return go


def button(page: str, part: str, run_id: str) -> dict[str, str]:
    return {"page": page, "part": f"runs-{part}", "index": run_id}


def test_a_run_gets_name_notes_and_star_which_every_list_shows(opened: Any) -> None:
    tab, session = opened("adtd")
    tab.click(button("adtd", "edit", "adtd0"))
    assert tab.get("adtd-runs-edit-dialog", "opened") is True
    tab.set({("adtd-runs-name", "value"): " First\ttry "})
    tab.set({("adtd-runs-notes", "value"): "Before the outlier was left out.\nKeep."})
    tab.click("adtd-runs-edit-save")
    assert tab.get("adtd-runs-edit-dialog", "opened") is False
    tab.click(button("adtd", "star", "adtd0"))
    run = session.run("adtd0")
    assert run is not None
    assert (run.name, run.starred) == ("First try", True)
    tab.tick()
    assert "First try" in tab.text("adtd-runs-list")
    assert "outlier" in tab.text("adtd-runs-list")
    for page, field in (("groups", "groups-source"), ("compare", "compare-first")):
        tab.go(page)
        assert any("★ First try" in option["label"] for option in tab.get(field, "data"))
    tab.go("adtd")
    tab.click(button("adtd", "edit", "adtd0"))
    assert tab.get("adtd-runs-name", "value") == "First try"
    tab.set({("adtd-runs-name", "value"): ""})
    tab.click("adtd-runs-edit-save")
    tab.click(button("adtd", "star", "adtd0"))
    run = session.run("adtd0")
    assert run is not None
    assert (run.name, run.starred) == ("", False)


def test_starred_runs_come_first(opened: Any) -> None:
    tab, session = opened("adtd")
    old = session.run("adtd0")
    newer = replace(old, id="adtd1", params=ADTDParams(max_iterations=7))
    session.add_run(newer)
    tab.tick()
    assert order(tab) == ["adtd1", "adtd0"]
    tab.click(button("adtd", "star", "adtd0"))
    tab.tick()
    assert order(tab) == ["adtd0", "adtd1"]


def order(tab: Any) -> list[str]:
    """Ids of the runs in the list, from top to bottom."""
    text = json.dumps(tab.get("adtd-runs-list", "children"), sort_keys=True)
    return re.findall(r'"index": "(\w+)", "page": "adtd", "part": "runs-choose"', text)


def test_a_deleted_run_takes_along_what_rests_on_it_and_comes_back(opened: Any) -> None:
    tab, session = opened("dtd")
    before = [run.id for run in session.runs()]
    tab.click(button("dtd", "delete", "dtd0"))
    assert tab.get("dtd-runs-ask-dialog", "opened") is True
    assert "2 runs rest on it" in tab.text("dtd-runs-question")
    tab.click("dtd-runs-delete-cancel")
    assert session.runs()
    tab.click(button("dtd", "delete", "dtd0"))
    tab.click("dtd-runs-delete-sure")
    assert session.runs() == []
    tab.tick()
    assert "2 that rest on it were deleted" in tab.text("dcx-deleted-runs")
    tab.click({"page": "dcx", "part": "undo-runs", "index": "dtd0"})
    assert [run.id for run in session.runs()] == before
    assert all(session.current(kind) is not None for kind in ("dtd", "adtd", "bootstrap"))
    tab.tick()
    assert not tab.get("dcx-deleted-runs", "children")


def test_a_run_that_nothing_rests_on_goes_without_a_question(opened: Any) -> None:
    tab, session = opened("adtd")
    session.remove_run("boot0")
    tab.tick()
    tab.click(button("adtd", "delete", "adtd0"))
    assert not tab.get("adtd-runs-ask-dialog", "opened")
    assert [run.id for run in session.runs()] == ["dtd0"]
    tab.tick()
    tab.click(button("adtd", "undo-runs", "adtd0"))
    assert [run.id for run in session.runs()] == ["dtd0", "adtd0"]


def test_undo_brings_back_the_run_of_its_button_or_says_that_it_cannot(opened: Any) -> None:
    tab, session = opened("adtd")
    shell = {"page": "dcx", "part": "undo-runs"}
    session.add_run(replace(session.run("adtd0"), id="adtd1"))
    session.delete_runs("adtd1")
    tab.tick()
    session.delete_runs("boot0")  # in another tab; this one has not heard of it
    tab.click({**shell, "index": "adtd1"})
    assert session.run("boot0") is None
    assert any("can no longer be brought back" in text for text in tab.notices)
    tab.tick()
    tab.click({**shell, "index": "boot0"})
    assert session.run("boot0") is not None


def test_what_was_deleted_is_let_go_of_after_a_while(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, session = opened("adtd")
    monkeypatch.setattr(deleted_runs, "UNDO_SECONDS", -1.0)
    session.delete_runs("dtd0")
    assert session.deleted_runs == ()
    tab.tick()
    assert not tab.get("dcx-deleted-runs", "children")


def test_a_run_that_a_waiting_step_uses_is_kept(opened: Any) -> None:
    _, session = opened("adtd")
    now = datetime.now(UTC)
    job = PendingJob("j", "adtd", "ADTD", ("m", "f"), ADTDParams(), {"dtd": "dtd0"}, now)
    session.job_submitted(job)
    with pytest.raises(JobError, match="has not ended"):
        session.delete_runs("dtd0")
    session.job_ended("j")
    assert len(session.delete_runs("dtd0")) == 3


def test_name_and_deletion_are_in_the_session_file(tmp_path: Path) -> None:
    for again in (False, True):
        app = create_app(Config.for_tests(tmp_path))
        try:
            if not again:
                session = filled(app)
                session.label_run("adtd0", name="Kept", starred=True, notes="two\nlines")
                session.delete_runs("boot0")
                session_id = session.session_id
            session = app.sessions.get_session(session_id, actor=LOCAL)
            run = session.run("adtd0")
            assert isinstance(run, Run)
            assert (run.name, run.starred, run.notes) == ("Kept", True, "two\nlines")
            assert session.run("boot0") is None
        finally:
            app.stop()


def test_report_and_pseudonyms_follow_the_name(program: Application) -> None:
    session = filled(program)
    data = session.need_dataset()
    assert data.bulk is not None
    sample = str(data.bulk.matrix.columns[0])
    session.label_run("adtd0", name=f"Without {sample}", notes=f"{sample} was <odd>")
    text = report(session, "adtd").decode()
    assert f"Without {sample}" in text
    assert "was &lt;odd&gt;" in text
    made, _ = pseudonymised(session.snapshot())
    run = next(run for run in made.runs if run.id == "adtd0")
    assert sample not in run.name + run.notes
    assert "Without S" in run.name
