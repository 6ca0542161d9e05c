"""An error stays on screen until what it is about succeeds, or is left; then it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application
from gui.data.example import make_example
from gui.error_notices import MOST, ErrorNotices
from gui.errors import JobError
from gui.jobs.status import JobStatus
from tests.gui.sessions_page import PASSWORD, edit, made, protected
from tests.gui.steps import session_with, show
from tests.gui.upload_page import choose


def test_they_are_of_one_browser_and_do_not_grow() -> None:
    errors = ErrorNotices()
    errors.shown("a", "upload", "load", "1")
    errors.shown("a", "upload", "train file", "2")
    errors.shown("b", "upload", "load", "3")
    assert errors.of("a", "upload", "load") == ["1"]
    assert errors.of("a", "upload") == ["1", "2"]
    assert errors.of("a", "dtd") == []
    for number in range(2 * MOST):
        errors.shown("c", "upload", "load", str(number))
    assert len(errors.of("c", "upload")) == MOST


def broken(folder: Path, name: str = "broken.h5ad") -> Path:
    (folder / name).write_bytes(b"\x00\x01\x02" * 50)
    return folder / name


def good(folder: Path) -> Path:
    frame = make_example().dataset.bulk.matrix.frame()  # type: ignore[union-attr]
    frame.to_csv(folder / "bulk.csv")
    return folder / "bulk.csv"


@pytest.mark.parametrize("wrong", ["content", "path"])
def test_a_file_that_cannot_be_read(tab: Any, tmp_path: Path, wrong: str) -> None:
    choose(tab, "bulk", broken(tmp_path) if wrong == "content" else tmp_path / "nowhere.csv")
    assert len(tab.errors) == 1
    tab.tick()
    tab.set({("upload-seed", "value"): 7})
    assert len(tab.errors) == 1, "nothing of it is mended"
    choose(tab, "bulk", good(tmp_path))
    assert tab.errors == {}


def test_a_file_of_another_place_mends_nothing(tab: Any, tmp_path: Path) -> None:
    choose(tab, "train", broken(tmp_path))
    choose(tab, "bulk", good(tmp_path))
    assert len(tab.errors) == 1
    tab.click("upload-next")
    assert tab.errors == {}, "the step of the wizard is left"


def test_a_table_of_samples_that_cannot_be_read(
    application: Application, tab: Any, tmp_path: Path
) -> None:
    session = session_with(application, "Study")
    session.set_dataset(replace(make_example().dataset, truth=None), keep_runs=False)
    show(tab, session.session_id)
    tab.go("upload")
    choose(tab, "clinical", broken(tmp_path, "patients.csv"))
    assert len(tab.errors) == 1
    tab.tick()
    assert len(tab.errors) == 1
    (tmp_path / "right.csv").write_text("id,age\nSample 01,3\nSample 02,4\n", "utf-8")
    choose(tab, "clinical", tmp_path / "right.csv")
    assert tab.errors == {}


def test_the_page_is_left(tab: Any, tmp_path: Path) -> None:
    choose(tab, "bulk", broken(tmp_path))
    assert len(tab.errors) == 1
    tab.go("help")
    assert tab.errors == {}


@pytest.mark.usefixtures("quick_passwords")
def test_a_wrong_password(tab: Any) -> None:
    session = made(tab.application, "A", make_example())
    tab.go("sessions")
    protected(tab, "A")
    tab.application.sessions.lock_session(session.session_id, actor=tab_actor(tab))
    from tests.gui.test_sessions_protection import unlock

    unlock(tab, "A", "a wrong password")
    assert any("password is wrong" in text for text in tab.errors.values())
    tab.tick()
    assert tab.errors, "it stays until the right one is given"
    unlock(tab, "A", PASSWORD)
    assert tab.errors == {}


def tab_actor(tab: Any) -> Any:
    from gui.sessions.manager import LOCAL

    return LOCAL


def test_a_name_that_is_taken(tab: Any) -> None:
    made(tab.application, "A")
    made(tab.application, "B")
    tab.go("sessions")
    edit(tab, "A", "name", "B")
    edit(tab, "B", "name", "A")
    assert len(tab.errors) == 1, "the one before went as the name was tried again"
    edit(tab, "B", "name", "C")
    assert tab.errors == {}


def test_a_step_that_failed_and_then_succeeds(
    application: Application, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tab.get("dcx-session", "data") or application.sessions.default_id
    jobs: list[JobStatus] = []
    monkeypatch.setattr(application.runner, "status", lambda session_id=None: list(jobs))
    tab.tick()
    jobs.append(JobStatus("1", here, "dtd", "DTD", "failed", error=JobError("It broke.")))
    tab.tick()
    assert any("It broke" in text for text in tab.errors.values())
    assert any("DTD" in str(notice.get("title")) for notice in tab.shown)
    jobs.append(JobStatus("2", here, "adtd", "ADTD", "done"))
    tab.tick()
    assert tab.errors, "another step"
    jobs.append(JobStatus("3", here, "dtd", "DTD", "done"))
    tab.tick()
    assert tab.errors == {}
