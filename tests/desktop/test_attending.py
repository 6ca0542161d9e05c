"""Keeping the machine awake, and notices of the desktop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.job_watcher import JobWatcher, keep_awake, notification_text


class Jobs:
    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}

    def status(self) -> list[Any]:
        return [
            SimpleNamespace(
                id=key, state=state, title=key.upper(), active=state in ("queued", "running")
            )
            for key, state in self.jobs.items()
        ]


@pytest.fixture
def scene() -> Any:
    log: list[str] = []

    @contextlib.contextmanager
    def awake() -> Iterator[None]:
        log.append("awake")
        yield
        log.append("may sleep")

    jobs, host = Jobs(), SimpleNamespace(active=False)
    host.is_active = lambda: host.active
    application: Any = SimpleNamespace(runner=jobs)
    attendant = JobWatcher(application, host, awake=awake, notify=log.append)
    return SimpleNamespace(jobs=jobs.jobs, host=host, log=log, look=attendant.look)


def test_the_machine_is_kept_awake_from_the_first_job_to_the_last(scene: Any) -> None:
    scene.look()
    assert scene.log == []
    scene.jobs |= {"dtd": "running", "adtd": "queued"}
    scene.look()
    scene.look()
    assert scene.log == ["awake"]
    scene.jobs |= {"dtd": "cancelled", "adtd": "running"}
    scene.look()
    assert scene.log == ["awake"]
    scene.jobs["adtd"] = "done"
    scene.look()
    assert scene.log == ["awake", "may sleep", "ADTD is done."]


def test_a_user_who_looks_at_the_window_needs_no_notice(scene: Any) -> None:
    scene.host.active = True
    scene.jobs["dtd"] = "running"
    scene.look()
    scene.jobs["dtd"] = "done"
    scene.look()
    assert scene.log == ["awake", "may sleep"]


def test_a_window_of_which_it_is_not_known_gets_its_notice(scene: Any) -> None:
    scene.host.active = None
    scene.jobs["dtd"] = "running"
    scene.look()
    scene.jobs["dtd"] = "failed"
    scene.look()
    assert scene.log[-1] == "DTD failed."


def test_a_notice_names_no_session_and_a_cancelled_job_needs_none() -> None:
    job = SimpleNamespace(title="DTD", state="done", session_id="secret", stage="Anna K.")
    assert notification_text(job) == "DTD is done."
    job.state = "cancelled"
    assert notification_text(job) == ""


def test_where_the_system_does_not_allow_it_the_work_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    with keep_awake():
        done = True
    assert done
