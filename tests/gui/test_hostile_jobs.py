"""A session file names the functions of its interrupted jobs: none but a task can be started by it,
whatever the file says.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.engine.params import DTDParams, Params
from gui.errors import JobError
from gui.sessions import file
from gui.sessions.manager import LOCAL
from gui.sessions.snapshot import PendingJob, Snapshot

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "20260301#120000#00c0ffee"
PLUGIN = """
    import subprocess
    from os import system

    from dash import html

    from gui.plugin import Page

    page = Page("census", "Census", "Cells of each type", order=50)
    CALLED = []


    def count(dataset, params, *, progress):
        return {"cells": dataset.train.counts()}


    def clean_up(folder, params=None):
        CALLED.append(folder)


    class Tool:
        def __call__(self, dataset, params, *, progress):
            CALLED.append(dataset)

        def task(self, params, *, progress):
            CALLED.append(self)


    tool = Tool()


    @page.layout
    def layout(ctx):
        return html.Div()
"""
FOREIGN = [
    ("os", "system"),
    ("posix", "system"),
    ("subprocess", "call"),
    ("builtins", "exec"),
    ("shutil", "rmtree"),
    ("gui.app", "create_app"),
    ("gui.jobs.worker", "main"),
    ("gui.jobs.wire", "unpack"),
    ("gui.registry", "load_file"),
    ("gui.data.load", "load_task"),
    ("gui.engine.tasks", "warm_up"),
    ("gui.engine.tasks", "versions"),
    ("gui.engine.tasks", "_train"),
    ("gui.engine.tasks", "metadata.version"),
    ("gui.pages.dtd", "run"),
    ("gui.pages.dtd", "run_dtd"),
    ("dcx_plugin_census", "system"),
    ("dcx_plugin_census", "subprocess.call"),
    ("dcx_plugin_census", "clean_up"),
    ("dcx_plugin_census", "layout"),
    ("dcx_plugin_census", "Tool"),
    ("dcx_plugin_census", "Tool.task"),
    ("dcx_plugin_census", "tool"),
    ("dcx_plugin_census", "page"),
    ("dcx_plugin_other", "count"),
    ("not.imported.yet", "run_it"),
    ("", ""),
]
OURS = [("gui.engine.tasks", "run_dtd"), ("dcx_plugin_census", "count")]


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """With a plug-in, and a session whose file names a hostile function for each of its interrupted
    jobs.
    """
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "census.py").write_text(textwrap.dedent(PLUGIN), encoding="utf-8")
    jobs = tuple(
        PendingJob(f"job{n}", "dtd", f"Job {n}", task, DTDParams(iterations=2), {}, NOW)
        for n, task in enumerate(FOREIGN)
    )
    folder = tmp_path / "data" / "sessions"
    folder.mkdir(parents=True)
    hostile = Snapshot(KEY, "Hostile", NOW, NOW, 1, make_example().dataset, jobs=jobs)
    file.save(folder / file.file_name(KEY), hostile, expected_generation=None)
    app = create_app(config)
    yield app
    app.stop()


def test_no_function_but_a_task_is_found_by_the_names_in_a_file(application: Application) -> None:
    before = set(sys.modules)
    for module, name in FOREIGN:
        with pytest.raises(JobError, match="is not there any more"):
            application.known_task(module, name)
    assert set(sys.modules) == before  # nothing was imported for it
    for module, name in OURS:
        assert application.known_task(module, name).__name__ == name


def test_a_hostile_session_starts_nothing_when_its_jobs_are_started_again(
    application: Application, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): KEY})
    tab.tick()
    assert "Job 0 was interrupted" in tab.text("dcx-interrupted")
    for n in range(len(FOREIGN)):
        tab.click({"page": "dcx", "part": "again", "index": f"job{n}"})
    assert application.runner.status() == []
    assert sum("is not there any more" in notice for notice in tab.notices) == len(FOREIGN)
    assert sys.modules["dcx_plugin_census"].CALLED == []
    # they can be looked at and dismissed
    assert len(application.sessions.get_session(KEY, actor=LOCAL).pending_jobs()) == len(FOREIGN)


def test_a_task_of_ours_and_of_a_plug_in_is_queued_again(
    application: Application, open_tab: Callable[..., Any]
) -> None:
    """The positive control of the test above."""
    session = application.sessions.get_session(KEY, actor=LOCAL)
    for n, task in enumerate(OURS):
        session.job_submitted(
            PendingJob(
                f"ours{n}",
                "dtd",
                f"Ours {n}",
                task,
                DTDParams(iterations=2) if n == 0 else Params(),
                {},
                NOW,
            )
        )
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): KEY})
    tab.tick()
    for n in range(len(OURS)):
        tab.click({"page": "dcx", "part": "again", "index": f"ours{n}"})
    assert [job.title for job in application.runner.status()] == ["Ours 0", "Ours 1"]
