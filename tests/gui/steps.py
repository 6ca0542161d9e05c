"""Steps that several tests of the program take: a session with data, a job, waiting."""

from __future__ import annotations

from typing import Any

from gui.app import Application
from gui.data.example import make_example
from gui.engine.params import DTDParams
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

LONG = DTDParams(iterations=100_000, train_mixtures=50, test_mixtures=50, run_on_bulk=False)
SHORT = DTDParams(iterations=5, train_mixtures=30, test_mixtures=30)
PASSWORD = "correct horse battery"


def session_with(application: Application, name: str) -> DCXCache:
    """A session that holds the example's data."""
    session = application.sessions.create_session(name, actor=LOCAL)
    session.set_dataset(make_example().dataset, keep_runs=False)
    return session


def press(tab: Any, component_id: Any) -> None:
    """Click a button that is there."""
    assert tab.get(component_id, "id") is not None, f"there is no {component_id}"
    tab.click(component_id)


def show(tab: Any, session_id: str) -> None:
    tab.set({("dcx-session", "data"): session_id})


def run_dtd(tab: Any, params: DTDParams) -> str:
    """Start DTD on its page; the job's id."""
    tab.go("dtd")
    before = {job.id for job in tab.application.runner.status()}
    tab.set(
        {
            (
                f"dtd-{name.replace('_', '-')}",
                "checked" if isinstance(value, bool) else "value",
            ): value
            for name, value in params.model_dump().items()
        }
    )
    press(tab, "dtd-run")
    (job,) = {job.id for job in tab.application.runner.status()} - before
    return job


def computing(application: Application, job_id: str) -> bool:
    """Whether the job is in the middle of its work."""
    return any(
        j.id == job_id and j.state == "running" and j.count for j in application.runner.status()
    )


def saved(application: Application, session_id: str) -> bool:
    return application.sessions.save_state(session_id, actor=LOCAL)[0] == "saved"
