"""The guided path: every page says the next step, and one click goes from data to composition."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from gui.answers.next_step import next_step
from gui.app import Application, create_app
from gui.components import next_step as view
from gui.config import Config
from gui.engine import recommended
from gui.engine.recommended import RECOMMENDED, RecommendedParams
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_dtd
from gui.errors import EngineFailed
from gui.jobs.status import JobStatus
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.engine.test_recommended import PARAMS
from tests.gui.kept_files import Kept
from tests.gui.steps import session_with, show
from tests.waiting import until

START = json.dumps(
    {"index": "start", "page": "upload", "part": "recommended"}, separators=(",", ":")
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("path")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "RecommendedParams", lambda: PARAMS)


def label(session: DCXCache, page: str) -> str:
    step = next_step(session, page)
    return "" if step is None else step.label


def without_groups(session: DCXCache) -> None:
    data = session.need_dataset()
    bulk = replace(data.bulk, obs=pd.DataFrame(index=data.bulk.obs.index))
    session.set_dataset(replace(data, bulk=bulk, clinical=None), keep_runs=True)


def test_one_click_from_data_to_composition_and_then_the_groups(
    program: Application, open_tab: Callable[..., Any], quick: None
) -> None:
    session = session_with(program, "Study")
    tab = open_tab(program)
    show(tab, session.session_id)
    tab.go("upload")
    assert view.START in tab.text("upload-next-step")
    assert "Learn gene weights" in tab.text("upload-next-step")
    tab.click(START)
    tab.tick()
    tab.click(START)  # twice: once is enough
    until(lambda: session.current("bootstrap") is not None)
    until(lambda: not any(job.active for job in program.runner.status()))
    tab.tick()
    assert [run.kind for run in session.runs()] == ["dtd", "adtd", "bootstrap"]
    dtd, adtd, sure = session.runs()
    assert dtd.params == PARAMS.dtd()
    assert adtd.provenance.inputs == {"dtd": dtd.id}
    assert sure.provenance.inputs == {"dtd": dtd.id, "adtd": adtd.id}
    assert not any(session.outdated(run) for run in session.runs())
    assert not session.pending_jobs()
    assert "See the composition" in tab.text("upload-next-step")
    tab.go("adtd")
    assert "Compare groups" in tab.text("adtd-next-step")  # the example's bulk has groups
    tab.click({"part": "go_on", "page": "adtd", "index": "groups"})
    assert tab.get("dcx-location", "pathname") == "/groups"
    tab.go("adtd")
    assert "5 iterations" in tab.text("adtd-next-step")  # what was decided
    assert b"5 iterations" in report(session, "adtd")
    without_groups(session)
    tab.tick()
    assert "Add clinical data" in tab.text("adtd-next-step")


def test_the_steps_one_by_one(application: Application) -> None:
    session = session_with(application, "Study")
    data = session.need_dataset()
    assert next_step(session, "upload").recommended
    assert label(session, "dtd") == ""
    result = run_dtd(data, PARAMS.dtd(), progress=lambda *_, **__: None)
    session.add_run(
        Run(
            "d",
            "dtd",
            "DTD",
            session.created,
            PARAMS.dtd(),
            result,
            Provenance(data.training_id, data.bulk_id),
        )
    )
    assert label(session, "upload") == "See the composition"
    assert label(session, "dtd") == "Look for hidden cells"
    session.set_dataset(replace(data, bulk=None), keep_runs=True)
    assert label(session, "upload") == label(session, "dtd") == "Add bulk samples"
    session.set_dataset(replace(data, bulk=None), keep_runs=False)
    assert label(session, "upload") == "Learn gene weights"
    assert not next_step(session, "upload").recommended  # without a bulk there is no composition


def test_another_bulk_asks_for_its_composition(application: Application) -> None:
    session = session_with(application, "Study")
    data = session.need_dataset()
    result = run_dtd(data, PARAMS.dtd(), progress=lambda *_, **__: None)
    session.add_run(
        Run(
            "d",
            "dtd",
            "DTD",
            session.created,
            PARAMS.dtd(),
            result,
            Provenance(data.training_id, "another"),
        )
    )
    assert label(session, "upload") == "Estimate the composition"


def test_pages_say_that_a_recommended_analysis_runs(
    application: Application, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with(application, "Study")
    show(tab, session.session_id)
    job = JobStatus("1", session.session_id, RECOMMENDED, recommended.TITLE, "running")
    monkeypatch.setattr(application.runner, "status", lambda session_id=None: [job])
    tab.go("dtd")
    tab.tick()
    assert "Recommended analysis is running" in tab.text("dtd-empty")
    tab.go("upload")
    assert "is being computed" in tab.text("upload-next-step")


@pytest.mark.parametrize("page", ["upload", "dtd", "adtd"])
def test_its_progress_and_cancel_are_on_the_page(
    application: Application, tab: Any, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with(application, "Study")
    show(tab, session.session_id)
    job = JobStatus("1", session.session_id, RECOMMENDED, recommended.TITLE, "running")
    cancelled: list[str] = []
    monkeypatch.setattr(application.runner, "status", lambda session_id=None: [job])
    monkeypatch.setattr(application.runner, "cancel", lambda job_id: cancelled.append(job_id))
    tab.go(page)
    tab.tick()
    assert recommended.TITLE in tab.text(f"{page}-job-progress")
    stop = json.dumps({"index": "1", "page": page, "part": "stop"}, separators=(",", ":"))
    tab.click(stop)
    tab.click(stop)
    assert cancelled == ["1", "1"]
    monkeypatch.setattr(application.runner, "status", lambda session_id=None: [])
    tab.tick()
    assert tab.get(f"{page}-job-progress", "children") is None


def test_what_succeeded_is_kept_when_a_later_step_fails(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(program, "Failing")
    job_id = program.submit(
        failing_task, session.session_id, PARAMS, kind=RECOMMENDED, title="Both", actor=LOCAL
    )
    until(lambda: program.runner.wait(job_id, 1).state == "failed")
    (run,) = session.runs()
    assert run.kind == "dtd"
    assert run.id != job_id
    assert "no background" in str(program.runner.wait(job_id).error)
    until(lambda: not session.pending_jobs())


def failing_task(dataset: Any, params: RecommendedParams, *, progress: Any) -> Any:
    """The recommended analysis with a second step that fails."""

    def failing(*_: Any, **__: Any) -> None:
        raise EngineFailed("There is no background.", advice="Use more genes.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recommended, "run_adtd", failing)
        return recommended.run_recommended(dataset, params, progress=progress)
