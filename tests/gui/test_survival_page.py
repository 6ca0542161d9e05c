"""The page Survival: through the door, with the real worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.conftest import Tab
from tests.gui.steps import press, show
from tests.gui.survival_cases import filled, made_dataset, made_fractions, made_table
from tests.gui.test_dtd_page import Kept


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("survival")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture
def session(program: Application) -> DCXCache:
    name = program.sessions.free_name("survival", actor=LOCAL)
    return program.sessions.create_session(name, actor=LOCAL)


def opened(program: Application, session: DCXCache) -> Tab:
    tab = Tab(program)
    show(tab, session.session_id)
    tab.go("survival")
    return tab


def ran(tab: Tab, session: DCXCache) -> Any:
    """Press Run Survival, wait for the job; its result."""
    before = {job.id for job in tab.application.runner.status()}
    assert not tab.get("survival-run", "disabled"), tab.text("survival-reason")
    press(tab, "survival-run")
    (job,) = {job.id for job in tab.application.runner.status()} - before
    ended = tab.application.runner.wait(job, 60)
    assert ended.state == "done", ended.error
    tab.tick()
    run = session.run(job)
    assert run is not None
    return run.result


def test_who_has_more_of_a_type_dies_earlier(program, session) -> None:
    fractions = made_fractions(160)
    filled(session, made_dataset(fractions, made_table(fractions)), fractions)
    tab = opened(program, session)
    assert tab.get("survival-run", "disabled")
    assert "time zero" in tab.text("survival-reason").lower()
    tab.set({("survival-time-zero", "value"): "diagnosis"})
    result = ran(tab, session)
    table = result.forest_of("alone")
    assert table.loc["B cells", "sd_low"] > 1
    assert "B cells" in tab.text("survival-head-answer")
