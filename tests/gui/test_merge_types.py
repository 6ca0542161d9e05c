"""“Merge and run again”: in a new session, with the same parameters, from DTD and ADTD."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from gui.app import Application, create_app
from gui.components.merge_types import MergeTypesButton
from gui.config import Config
from gui.data.dataset import Cells, Dataset
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_adtd, run_dtd, versions
from gui.errors import SessionLocked
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.sessions_page import protected
from tests.gui.steps import show
from tests.waiting import until

PARAMS = DTDParams(genes=80, iterations=5, train_mixtures=40, test_mixtures=40, seed=3)
IDS = {"dtd": f"{1:016x}", "adtd": f"{2:016x}"}


def halved(cells: Cells | None, of: str) -> Cells:
    """Every other cell of a type under another name: nothing can tell the two apart."""
    assert cells is not None
    labels = cells.labels.copy()
    there = np.flatnonzero(labels == of)
    labels[there[::2]] = f"{of} two"
    return Cells(cells.matrix, labels, cells.obs)


@pytest.fixture(scope="module")
def alike() -> tuple[Dataset, str, list[Run]]:
    """The example with one type halved, that type, and a DTD and an ADTD run."""
    data = make_example().dataset
    assert data.train is not None
    of = str(data.train.counts().idxmax())
    data = replace(data, train=halved(data.train, of), test=halved(data.test, of), reference=None)

    def quiet(*_: Any, **__: Any) -> None:
        """A progress that nobody watches."""

    dtd = run_dtd(data, PARAMS, progress=quiet)
    params = ADTDParams(model="h", max_iterations=20)
    adtd = run_adtd(data, params, progress=quiet, dtd=dtd)
    made = [("dtd", PARAMS, dtd, {}), ("adtd", params, adtd, {"dtd": IDS["dtd"]})]
    return (
        data,
        of,
        [
            Run(
                IDS[kind],
                kind,
                kind.upper(),
                datetime.now(UTC),
                values,
                result,
                Provenance(data.training_id, data.bulk_id, inputs, versions=versions(), seconds=1),
            )
            for kind, values, result, inputs in made
        ],
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("merge")))
    app.start()
    yield app
    app.stop()


def button(page: str, kind: str) -> str:
    parts = {"index": IDS[kind], "page": page, "part": "merge_types"}
    return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def filled(program: Application, name: str, alike: tuple[Dataset, str, list[Run]]) -> DCXCache:
    session = program.sessions.create_session(name, actor=LOCAL)
    session.set_dataset(alike[0], keep_runs=False)
    for run in alike[2]:
        session.add_run(run)
    return session


@pytest.mark.parametrize("page", ["dtd", "adtd"])
def test_merges_in_a_session_of_its_own(
    program: Application,
    open_tab: Callable[..., Any],
    alike: tuple[Dataset, str, list[Run]],
    page: str,
) -> None:
    session, of = filled(program, f"Study {page}", alike), alike[1]
    tab = open_tab(program)
    show(tab, session.session_id)
    tab.go(page)
    assert tab.get(button(page, page), "children") == "Merge and run DTD again"
    tab.click(button(page, page))
    assert tab.get("dcx-session", "data") != session.session_id
    assert tab.get("dcx-location", "pathname") == "/dtd"
    copy = program.sessions.get_session(tab.get("dcx-session", "data"), actor=LOCAL)
    merged = f"{of} + {of} two"
    assert copy.name == f"Study {page}, {merged}"
    assert merged in copy.need_dataset().types
    until(lambda: copy.current("dtd") is not None)
    (run,) = copy.runs()
    assert run.params == PARAMS
    assert merged in run.result.reference.columns
    assert len(session.runs()) == 2  # as it was
    assert of in session.need_dataset().types
    tab.tick()
    assert not any("merge_types" in key for key, _ in tab.values if run.id in key)


def test_a_second_click_makes_no_second_session(
    program: Application,
    open_tab: Callable[..., Any],
    alike: tuple[Dataset, str, list[Run]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a double click: both requests name the session in which the button was."""
    session = filled(program, "Twice", alike)
    slow = PARAMS.model_copy(update={"iterations": 100_000})
    monkeypatch.setattr(MergeTypesButton, "_params", staticmethod(lambda _ctx, _run: slow))
    tab = open_tab(program)
    for _ in range(2):
        show(tab, session.session_id)
        tab.go("dtd")
        tab.click(button("dtd", "dtd"))
    made = [s for s in program.sessions.list_sessions(actor=LOCAL) if s.name.startswith("Twice,")]
    assert len(made) == 1
    assert "already running" in " ".join(tab.notices)
    for job in program.runner.status():
        program.runner.cancel(job.id)


def test_is_not_offered_where_nothing_is_alike(
    program: Application, open_tab: Callable[..., Any], alike: tuple[Dataset, str, list[Run]]
) -> None:
    """Nor where the data are others now."""
    session = filled(program, "Other data", alike)
    session.set_dataset(make_example().dataset, keep_runs=True)
    tab = open_tab(program)
    show(tab, session.session_id)
    tab.go("dtd")
    assert tab.get(button("dtd", "dtd"), "children") is None


def test_of_a_protected_session_the_copy_is_protected(
    program: Application,
    open_tab: Callable[..., Any],
    alike: tuple[Dataset, str, list[Run]],
    quick_passwords: None,
) -> None:
    session = filled(program, "Patients", alike)
    tab = open_tab(program)
    show(tab, session.session_id)
    tab.go("sessions")
    protected(tab, "Patients")
    tab.go("dtd")
    tab.click(button("dtd", "dtd"))
    copy = tab.get("dcx-session", "data")
    assert copy != session.session_id
    with pytest.raises(SessionLocked):
        program.sessions.get_session(copy, actor=LOCAL)
