"""While something is computed, the place of its result says so; when it was cancelled, nothing says
that it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gui.app import Application
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_dtd
from gui.jobs.status import JobStatus
from gui.sessions.cache import DCXCache
from tests.gui.steps import session_with, show

STARTED = "you can go on working"


@pytest.fixture
def jobs(application: Application, monkeypatch: pytest.MonkeyPatch) -> list[JobStatus]:
    """What the queue says it does."""
    found: list[JobStatus] = []
    monkeypatch.setattr(
        application.runner,
        "status",
        lambda session_id=None: [j for j in found if session_id in (None, j.session_id)],
    )
    return found


@pytest.fixture
def session(application: Application, tab: Any) -> DCXCache:
    made = session_with(application, "Study")
    show(tab, made.session_id)
    return made


def with_dtd(session: DCXCache) -> Run:
    params = DTDParams(genes=60, iterations=3, train_mixtures=20, test_mixtures=20)
    data = session.need_dataset()
    run = Run(
        "d",
        "dtd",
        "DTD",
        session.created,
        params,
        run_dtd(data, params, progress=lambda *_, **__: None),
        Provenance(data.training_id, data.bulk_id),
    )
    session.add_run(run)
    return run


def buttons(node: Any) -> list[dict[str, Any]]:
    """Properties of the buttons in a component."""
    if isinstance(node, dict):
        own = [node["props"]] if node.get("type") == "Button" else []
        return own + [found for value in node.values() for found in buttons(value)]
    return [found for child in node for found in buttons(child)] if isinstance(node, list) else []


def go_to(tab: Any, key: str) -> None:
    tab.go(key)
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})


def test_dtd(tab: Any, session: DCXCache, jobs: list[JobStatus]) -> None:
    go_to(tab, "dtd")
    assert "No DTD run yet" in tab.text("dtd-empty")
    jobs.append(JobStatus("1", session.session_id, "dtd", "DTD", "running"))
    tab.tick()
    assert "DTD is running" in tab.text("dtd-empty")
    assert "No DTD run yet" not in tab.text("dtd-empty")
    assert STARTED in tab.get("dtd-reason", "children").lower()
    assert "DTD" in tab.text("dtd-job-progress"), "where it was started, not only in the header"
    assert [b["children"] for b in buttons(tab.get("dtd-job-progress", "children"))] == ["Cancel"]
    jobs[:] = [JobStatus("1", session.session_id, "dtd", "DTD", "cancelled")]
    tab.tick()
    assert tab.get("dtd-job-progress", "children") is None
    assert "No DTD run yet" in tab.text("dtd-empty")
    assert STARTED not in tab.get("dtd-reason", "children")


def test_a_step_of_another_session_is_not_this_ones(
    tab: Any, session: DCXCache, jobs: list[JobStatus], application: Application
) -> None:
    jobs.append(
        JobStatus("1", session_with(application, "Other").session_id, "dtd", "DTD", "running")
    )
    go_to(tab, "dtd")
    tab.tick()
    assert "No DTD run yet" in tab.text("dtd-empty")
    assert STARTED not in tab.get("dtd-reason", "children")


TABS: list[tuple[str, str, Callable[[], Any], str]] = [
    ("composition", "adtd-composition-empty", ADTDParams, "adtd"),
    ("hidden", "adtd-hidden-empty", ADTDParams, "adtd"),
    ("regulation", "adtd-regulation-empty", ADTDParams, "adtd"),
    ("search", "adtd-search-empty", SearchParams, "search"),
]


@pytest.mark.parametrize(("name", "empty", "params", "kind"), TABS)
def test_adtd(
    tab: Any,
    session: DCXCache,
    jobs: list[JobStatus],
    name: str,
    empty: str,
    params: Callable[[], Any],
    kind: str,
) -> None:
    run = with_dtd(session)
    tab.tick()
    go_to(tab, "adtd")
    tab.set({("adtd-tabs", "value"): name})
    before = tab.text(empty)
    assert buttons(tab.get(empty, "children"))
    jobs.append(
        JobStatus(
            "1",
            session.session_id,
            kind,
            "Something",
            "queued",
            params=params(),
            inputs={"dtd": run.id},
        )
    )
    tab.tick()
    assert "Something is waiting" in tab.text(empty)
    assert buttons(tab.get(empty, "children")) == [], "nothing to press that is going on already"
    assert tab.get("adtd-run" if kind == "adtd" else "adtd-search", "disabled") is True
    jobs[:] = [JobStatus("1", session.session_id, kind, "Something", "cancelled")]
    tab.tick()
    assert tab.text(empty) == before
    assert tab.get("adtd-run" if kind == "adtd" else "adtd-search", "disabled") is False


def test_the_empty_page_names_the_model_that_is_chosen(tab: Any, session: DCXCache) -> None:
    with_dtd(session)
    tab.tick()
    go_to(tab, "adtd")
    for model, name in (
        ("h", "“Hidden background”"),
        ("h,r", "“Hidden background + gene regulation”"),
        ("h", "“Hidden background”"),
    ):
        tab.set({("adtd-model", "value"): model})
        for empty in ("adtd-composition-empty", "adtd-hidden-empty"):
            assert name in tab.text(empty), model
            assert not all(b["disabled"] for b in buttons(tab.get(empty, "children")))
    tab.set({("adtd-lambda2", "value"): "nothing"})
    tab.set({("adtd-model", "value"): "h,r"})
    assert all(b["disabled"] for b in buttons(tab.get("adtd-composition-empty", "children"))), (
        "what cannot be run cannot be pressed"
    )


def test_how_sure(tab: Any, session: DCXCache, jobs: list[JobStatus]) -> None:
    run = with_dtd(session)
    tab.tick()
    go_to(tab, "dtd")
    tab.set({("dtd-tabs", "value"): "sure"})
    assert "No intervals yet" in tab.text("dtd-sure-words")
    jobs.append(
        JobStatus(
            "1", session.session_id, "bootstrap", "Intervals", "running", inputs={"dtd": run.id}
        )
    )
    tab.tick()
    assert "being computed" in tab.text("dtd-sure-words")
    assert tab.get("dtd-sure-start", "disabled") is True
    jobs.clear()
    tab.tick()
    assert "No intervals yet" in tab.text("dtd-sure-words")
    assert tab.get("dtd-sure-start", "disabled") is False
    assert STARTED not in str(tab.get("dtd-sure-reason", "children"))
