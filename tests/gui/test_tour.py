"""The welcome of the first start is shown until it is answered; the tour goes on the example and
never replaces data.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gui.app import Application, create_app
from gui.config import Config, Sessions
from gui.sessions.manager import LOCAL
from gui.settings import FILE_NAME, Settings, SettingsStore
from gui.shell import tour
from tests.gui.steps import press, session_with, show

GONE = {"display": "none"}
Start = Callable[..., Application]


@pytest.fixture
def first_start(tmp_path: Path) -> Iterator[Start]:
    """Start the program in a folder where it never ran."""
    started: list[Application] = []

    def start(**changed: Any) -> Application:
        started.append(
            create_app(Config.for_tests(tmp_path, first_run=True).model_copy(update=changed))
        )
        return started[-1]

    yield start
    for application in started:
        application.stop()


@pytest.mark.parametrize("answer", ["dcx-welcome-skip", "dcx-welcome-tour"])
def test_the_welcome_says_what_the_program_is_for_and_is_gone_for_good_once_answered(
    first_start: Start, open_tab: Callable[..., Any], answer: str
) -> None:
    application = first_start()
    tab = open_tab(application)
    assert tab.get("dcx-welcome", "style") == {}
    assert "For research use only" in tab.text("dcx-welcome")
    press(tab, answer)
    assert tab.get("dcx-welcome", "style") == GONE
    assert open_tab(application).get("dcx-welcome", "style") == GONE
    application.stop()
    assert open_tab(first_start()).get("dcx-welcome", "style") == GONE


def test_a_welcome_that_nobody_answered_is_there_again(
    first_start: Start, open_tab: Callable[..., Any]
) -> None:
    assert open_tab(first_start()).get("dcx-welcome", "style") == {}
    assert open_tab(first_start()).get("dcx-welcome", "style") == {}


def test_skip_loads_nothing_and_begins_no_tour(
    first_start: Start, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(first_start())
    press(tab, "dcx-welcome-skip")
    assert tab.get("dcx-tour", "data") is None
    assert [s.name for s in tab.application.sessions.list_sessions(actor=LOCAL)] == ["Default"]


def test_the_tour_begins_on_the_example_and_finds_it_again(tab: Any) -> None:
    tab.go("sessions")
    press(tab, "dcx-help-tour")
    first = tab.get("dcx-tour", "data")
    assert first["step"] == 0
    assert tab.get("dcx-location", "pathname") == "/upload"
    assert "Example" in tab.text("dcx-session-button")
    press(tab, "dcx-help-tour")
    assert tab.get("dcx-tour", "data")["step"] == 0
    assert tab.get("dcx-tour", "data") != first  # the page gives it the focus again
    assert [s.name for s in tab.application.sessions.list_sessions(actor=LOCAL)].count(
        "Example"
    ) == 1
    assert len(tab.application.sessions.list_sessions(actor=LOCAL)) == 2


def test_the_tour_leaves_a_session_with_other_data_as_it_is(tab: Any) -> None:
    from dataclasses import replace

    mine = session_with(tab.application, "Mine")
    assert mine.dataset is not None
    mine.set_dataset(
        replace(
            mine.dataset,
            train=replace(mine.dataset.train, labels=mine.dataset.train.labels[::-1].copy()),
        ),
        keep_runs=False,
    )  # type: ignore[type-var]
    before = mine.dataset.training_id
    show(tab, mine.session_id)
    press(tab, "dcx-help-tour")
    assert "Example" in tab.text("dcx-session-button")
    assert mine.dataset.training_id == before


def test_with_a_single_session_the_tour_goes_on_with_the_data_that_are_there(
    first_start: Start, open_tab: Callable[..., Any]
) -> None:
    from dataclasses import replace

    application = first_start(sessions=Sessions(enabled=False))
    tab = open_tab(application)
    press(tab, "upload-example")
    only = application.sessions.get_session(application.sessions.default_id, actor=LOCAL)
    assert only.dataset is not None
    only.set_dataset(
        replace(
            only.dataset,
            train=replace(only.dataset.train, labels=only.dataset.train.labels[::-1].copy()),
        ),
        keep_runs=False,
    )  # type: ignore[type-var]
    before = only.dataset.training_id
    press(tab, "dcx-welcome-tour")
    assert only.dataset.training_id == before
    assert any("goes on with the data that are loaded" in n for n in tab.notices)
    assert tab.get("dcx-tour", "data")["step"] == 0


def test_what_the_tour_points_at_is_there(application: Application) -> None:
    layout = json.dumps(
        application.dash.validation_layout.to_plotly_json(), default=lambda c: c.to_plotly_json()
    )
    keys = {page.key for page in application.registry.pages}
    assert 5 <= len(tour.STEPS) <= 7
    for step in tour.STEPS:
        assert step.page in keys
        for selector in step.target:
            assert f'"id": "{selector.removeprefix("#")}"' in layout, selector
        assert len(step.text) < 300, step.title


def test_next_waits_for_what_the_next_step_speaks_of(tab: Any) -> None:
    from gui.engine.params import ADTDParams
    from tests.gui.steps import SHORT, run_dtd

    needed = [step.needs for step in tour.STEPS]
    assert needed == ["", "", "dataset", "dtd", "dtd", "regulation", ""]
    assert all(bool(step.needs) == bool(step.until) for step in tour.STEPS)
    tab.application.start()
    press(tab, "dcx-help-tour")
    tab.tick()
    assert tab.get("dcx-tour-held", "data") == ["dataset"]
    job = run_dtd(tab, SHORT)
    assert tab.get("dcx-tour-held", "data") == ["dataset"], "the run goes on"
    assert tab.application.runner.wait(job, 120).state == "done"
    tab.tick()
    assert tab.get("dcx-tour-held", "data") == ["dataset", "dtd"]
    session_id = tab.get("dcx-session", "data")
    session = tab.application.sessions.get_session(session_id, actor=LOCAL)
    from gui.engine import tasks
    from gui.engine.results import Provenance, Run

    for model, held in (("h", ["dataset", "dtd"]), ("h,r", ["dataset", "dtd", "regulation"])):
        params = ADTDParams(model=model, max_iterations=5)  # type: ignore[arg-type]
        result = tasks.run_adtd(
            session.need_dataset(),
            params,
            progress=lambda *_, **__: None,
            dtd=session.current("dtd").result,
        )  # type: ignore[union-attr]
        made = Provenance(
            session.need_dataset().training_id, session.need_dataset().bulk_id, {"dtd": job}
        )
        session.add_run(
            Run(model, "adtd", model, session.current("dtd").created, params, result, made)
        )  # type: ignore[union-attr]
        tab.tick()
        assert tab.get("dcx-tour-held", "data") == held


# -- settings
# --------------------------------------------------------------------------------------------------


def test_settings_are_there_after_a_restart_and_the_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / FILE_NAME
    store = SettingsStore(path)
    assert store.get() == Settings()
    assert not path.exists()
    assert store.change(tour_seen=True).tour_seen is True
    assert SettingsStore(path).get().tour_seen is True
    assert [p.name for p in path.parent.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"tour_seen": "perhaps"}', b"x" * 2_000_000]
)
def test_a_damaged_settings_file_means_the_defaults_and_can_be_written_anew(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    store = SettingsStore(path)
    assert store.get() == Settings()
    store.change(tour_seen=True)
    assert SettingsStore(path).get().tour_seen is True


def test_a_newer_versions_settings_are_read_as_far_as_they_are_known(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"tour_seen": true, "something_new": 3}', "utf-8")
    assert SettingsStore(tmp_path / FILE_NAME).get().tour_seen is True


def test_settings_that_cannot_be_written_count_until_the_program_ends(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    store = SettingsStore(tmp_path / "file" / FILE_NAME)
    store.change(tour_seen=True)
    assert store.get().tour_seen is True
    with pytest.raises(ValidationError):
        store.change(tour_seen="perhaps")
    assert store.get().tour_seen is True


def test_settings_changed_by_many_at_once_are_whole(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / FILE_NAME)
    threads = [
        threading.Thread(target=store.change, kwargs={"tour_seen": i % 2 == 0}) for i in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SettingsStore(tmp_path / FILE_NAME).get() == store.get()
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]
