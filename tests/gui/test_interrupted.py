"""The program ends in the middle of a job: the session knows what was asked for, and one click
starts it again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.engine.params import ADTDParams
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from gui.sessions.snapshot import PendingJob
from tests.gui.steps import LONG, SHORT, computing, press, run_dtd, session_with, show
from tests.gui.test_registry import PLUGIN, write
from tests.waiting import until

Start = Callable[[], Application]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """The program on one folder, as a restart gives it."""
    made: list[Application] = []

    def begin() -> Application:
        made.append(create_app(Config.for_tests(tmp_path)))
        return made[-1]

    yield begin
    for application in made:
        application.stop()


def reopened(application: Application, session_id: str) -> DCXCache:
    return application.sessions.get_session(session_id, actor=LOCAL)


def part(name: str, job_id: str) -> dict[str, Any]:
    return {"page": "dcx", "part": name, "index": job_id}


def test_a_stopped_job_is_shown_as_interrupted_and_one_click_starts_it_again(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    first = start()
    first.start()
    session = session_with(first, "Mine")
    tab = open_tab(first)
    show(tab, session.session_id)
    params = SHORT.model_copy(update={"iterations": 100_000, "seed": 7})
    job = run_dtd(tab, params)
    until(lambda: computing(first, job))
    tab.tick()
    assert not tab.get("dcx-interrupted", "children")  # it runs
    assert first.stop() is None

    second = start()
    (pending,) = reopened(second, session.session_id).pending_jobs()
    assert (pending.id, pending.title, pending.params) == (job, "DTD", params)
    second.start()
    tab = open_tab(second)
    assert not tab.get("dcx-interrupted", "children")  # of another session
    show(tab, session.session_id)
    assert "DTD was interrupted" in tab.text("dcx-interrupted")
    press(tab, part("again", job))
    assert not tab.get("dcx-interrupted", "children")
    (again,) = second.runner.status(session.session_id)
    assert again.params == params
    assert (again.kind, again.title, again.active) == ("dtd", "DTD", True)
    second.runner.cancel(again.id)
    assert second.runner.wait(again.id, 60).state == "cancelled"
    tab.tick()
    assert not tab.get("dcx-interrupted", "children")
    until(lambda: reopened(second, session.session_id).pending_jobs() == [])


def test_the_result_of_a_job_started_again_arrives_like_any_other(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    first = start()
    session = session_with(first, "Mine")
    tab = open_tab(first)
    show(tab, session.session_id)
    # the worker never began
    queued = [run_dtd(tab, SHORT), run_dtd(tab, SHORT.model_copy(update={"seed": 9}))]
    first.stop()
    second = start()
    second.start()
    tab = open_tab(second)
    show(tab, session.session_id)
    assert tab.text("dcx-interrupted").count("was interrupted") == 2
    press(tab, part("again", queued[1]))
    (again,) = second.runner.status(session.session_id)
    assert second.runner.wait(again.id, 90).state == "done"
    until(lambda: reopened(second, session.session_id).current("dtd"))
    run = reopened(second, session.session_id).current("dtd")
    assert run is not None
    assert run.params == SHORT.model_copy(update={"seed": 9})
    tab.tick()
    assert tab.text("dcx-interrupted").count("was interrupted") == 1
    press(tab, part("dismiss", queued[0]))
    assert not tab.get("dcx-interrupted", "children")
    second.stop()
    assert reopened(start(), session.session_id).pending_jobs() == []


def test_a_job_that_came_to_its_end_is_not_shown(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    """Done, failed and cancelled (running and queued)."""
    first = start()
    first.start()
    session = session_with(first, "Mine")
    tab = open_tab(first)
    show(tab, session.session_id)
    done = run_dtd(tab, SHORT)
    assert first.runner.wait(done, 90).state == "done"
    # fewer genes than cell types
    broken = run_dtd(tab, SHORT.model_copy(update={"train_mixtures": 100_000, "genes": 2}))
    assert first.runner.wait(broken, 90).state == "failed"
    long = run_dtd(tab, LONG)
    waiting = run_dtd(tab, LONG.model_copy(update={"seed": 2}))
    until(lambda: computing(first, long))
    for job in (waiting, long):
        tab.tick()
        tab.click(part("cancel", job))
        assert first.runner.wait(job, 60).state == "cancelled"
    until(lambda: session.pending_jobs() == [])
    tab.tick()
    assert not tab.get("dcx-interrupted", "children")
    first.stop()
    second = start()
    again = open_tab(second)
    show(again, session.session_id)
    assert not again.get("dcx-interrupted", "children")
    assert [run.id for run in reopened(second, session.session_id).runs()] == [done]


def test_the_task_of_a_plug_in_is_started_again_and_refused_when_the_plug_in_is_gone(
    start: Start, open_tab: Callable[..., Any], tmp_path: Path
) -> None:
    plugins = Config.for_tests(tmp_path).plugins_folder
    write(plugins, "census.py", PLUGIN)
    first = start()
    session = session_with(first, "Mine")
    tab = open_tab(first)
    show(tab, session.session_id)
    tab.go("census")
    for _ in range(2):
        press(tab, "census-go")
    jobs = [job.id for job in session.pending_jobs()]
    assert len(jobs) == 2
    first.stop()

    second = start()
    second.start()
    tab = open_tab(second)
    show(tab, session.session_id)
    press(tab, part("again", jobs[0]))
    until(lambda: reopened(second, session.session_id).current("census"))
    second.stop()

    (plugins / "census.py").unlink()
    sys.modules.pop("dcx_plugin_census", None)
    third = start()
    tab = open_tab(third)
    show(tab, session.session_id)
    press(tab, part("again", jobs[1]))
    assert any(
        "The page that computed this is not there any more. Start the step from a page." in n
        for n in tab.notices
    )
    assert third.runner.status() == []
    assert "was interrupted" in tab.text("dcx-interrupted")  # until it is dismissed
    press(tab, part("dismiss", jobs[1]))
    assert not tab.get("dcx-interrupted", "children")


def test_a_step_whose_run_is_gone_is_refused_in_a_sentence(
    start: Start, open_tab: Callable[..., Any]
) -> None:
    first = start()
    session = session_with(first, "Mine")
    from datetime import UTC, datetime

    session.job_submitted(
        PendingJob(
            "a1",
            "adtd",
            "ADTD",
            ("gui.engine.tasks", "run_adtd"),
            ADTDParams(),
            {"dtd": "gone"},
            datetime.now(UTC),
        )
    )
    session.job_submitted(
        PendingJob("a2", "adtd", "Bad", ("os", "system"), ADTDParams(), {}, datetime.now(UTC))
    )
    tab = open_tab(first)
    show(tab, session.session_id)
    press(tab, part("again", "a1"))
    assert any("The DTD run this step needs is no longer there" in n for n in tab.notices)
    press(tab, part("again", "a2"))  # a session file names no function of its own choice
    assert any("The page that computed this is not there any more" in n for n in tab.notices)
    assert first.runner.status() == []


VICTIM = """
    import sys, time
    from pathlib import Path
    from gui.app import create_app
    from gui.config import Config
    from gui.sessions.manager import LOCAL
    from tests.gui.conftest import Tab
    from tests.gui.steps import LONG, computing, run_dtd, saved, session_with, show
    from tests.waiting import until

    def main():
        application = create_app(Config.for_tests(Path(sys.argv[1])))
        application.start()
        session = session_with(application, "Mine")
        tab = Tab(application)
        show(tab, session.session_id)
        job = run_dtd(tab, LONG)
        until(lambda: computing(application, job) and saved(application, session.session_id))
        print(session.session_id, job, flush=True)
        time.sleep(600)

    if __name__ == "__main__":
        main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
def test_after_a_kill_the_job_is_there_to_be_started_again(
    start: Start, open_tab: Callable[..., Any], tmp_path: Path
) -> None:
    script = tmp_path / "victim.py"
    script.write_text(textwrap.dedent(VICTIM), encoding="utf-8")
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    victim = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        assert victim.stdout is not None
        session_id, job = victim.stdout.readline().split()
        victim.send_signal(signal.SIGKILL)
    finally:
        victim.kill()
        victim.communicate()
    application = start()
    tab = open_tab(application)
    show(tab, session_id)
    assert "DTD was interrupted" in tab.text("dcx-interrupted")
    (pending,) = reopened(application, session_id).pending_jobs()
    assert (pending.id, pending.params) == (job, LONG)
    press(tab, part("again", job))
    (again,) = application.runner.status()
    assert again.params == LONG
