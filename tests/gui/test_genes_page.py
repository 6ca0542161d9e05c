"""The page Genes: through the door, with the real worker, on the example and its hidden type."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import Dataset
from gui.data.example import HIDDEN_TYPE, REGULATED_TYPE, Example, make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Run
from gui.engine.tasks import run_adtd, run_dtd
from gui.files import FileKind
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

DTD = DTDParams(
    genes=None, iterations=60, train_mixtures=60, train_cells=40, test_mixtures=25, test_cells=20
)
TABS = ("regulation", "gene", "enrichment", "markers", "hidden")


class Kept:
    """Saves into memory."""

    native = True

    def __init__(self) -> None:
        self.saved: dict[str, bytes] = {}

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        return []

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        self.saved[name] = data
        return f"{name} is saved."


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("genes")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def example() -> Example:
    return make_example()


def computed(
    program: Application, dataset: Dataset, steps: dict[str, tuple[Any, Any, str]]
) -> dict[str, Run]:
    """Runs by name, the first one DTD."""
    session = program.sessions.create_session(
        program.sessions.free_name("computed", actor=LOCAL), actor=LOCAL
    )
    session.set_dataset(dataset, keep_runs=False)
    found: dict[str, Run] = {}
    for name, (task, params, kind) in steps.items():
        inputs = {} if kind == "dtd" else {"dtd": found["dtd"].id}
        job = program.submit(
            task,
            session.session_id,
            params,
            inputs=inputs,
            kind=kind,
            title=name,
            actor=LOCAL,
        )
        ended = program.runner.wait(job, 180)
        assert ended.state == "done", ended.error
        found[name] = session.run(job)  # type: ignore[assignment]
    return found


@pytest.fixture(scope="module")
def runs(program: Application, example: Example) -> dict[str, Run]:
    """Real runs on the example: dtd, h and hr."""
    return computed(
        program,
        example.dataset,
        {
            "dtd": (run_dtd, DTD, "dtd"),
            "h": (run_adtd, ADTDParams(max_iterations=50), "adtd"),
            "hr": (run_adtd, ADTDParams(model="h,r", lambda2=1e-9, max_iterations=60), "adtd"),
        },
    )


@pytest.fixture
def session(program: Application, example: Example, runs: dict[str, Run]) -> DCXCache:
    """A new session with the example and its runs, the one with regulation shown."""
    made = program.sessions.create_session(
        program.sessions.free_name("test", actor=LOCAL), actor=LOCAL
    )
    made.set_dataset(example.dataset, keep_runs=False)
    for name in ("dtd", "h", "hr"):
        made.add_run(runs[name])
    return made


@pytest.fixture
def page(
    program: Application, session: DCXCache, open_tab: Callable[[Application], Any]
) -> Callable[[], Any]:
    """Opens the page of the session in a new tab."""

    def opened() -> Any:
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go("genes")
        redraw(tab)
        return tab

    return opened


def redraw(tab: Any) -> None:
    """Dash also calls callbacks of which only the outputs are new."""
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})


def gone(tab: Any, name: str) -> bool:
    return (tab.get(name, "style") or {}).get("display") == "none"


def drawn(tab: Any, name: str) -> bool:
    return bool((tab.get(f"genes-{name}", "figure") or {}).get("data"))


def ended(program: Application, tab: Any, session: DCXCache) -> Run:
    """The analysis that was started, once it is done."""
    job = program.runner.status(session.session_id)[-1]
    assert job.kind == "genes"
    assert program.runner.wait(job.id, 120).state == "done"
    tab.tick()
    redraw(tab)
    run = session.current("genes")
    assert run is not None
    return run


def open_tab_of(tab: Any, name: str) -> None:
    tab.set({("genes-tabs", "value"): name})


def add(tab: Any, path: Path) -> None:
    """Type the path of a file of one's own and press Enter."""
    tab.set({("genes-own-path", "value"): str(path)})
    tab.set({("genes-own-path", "n_submit"): (tab.get("genes-own-path", "n_submit") or 0) + 1})


@pytest.fixture
def sets_of_example(tmp_path: Path, example: Example) -> Path:
    """A GMT file in which one set holds the genes that are regulated, and others that are not."""
    genes = list(map(str, example.dataset.reference.genes))  # type: ignore[union-attr]
    down = example.regulation[example.regulation < 1].index
    others = [g for g in genes if g.startswith("HK")]
    lines = ["\t".join(["LOWERED", "", *down, *others[:2]])]
    lines += ["\t".join([f"HOUSE{i}", "", *others[i * 12 : i * 12 + 12]]) for i in range(8)]
    path = tmp_path / "mine.gmt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


# -- without an analysis
# --------------------------------------------------------------------------------------------------
def test_the_page_needs_an_adtd_run(
    program: Application, example: Example, open_tab: Callable[[Application], Any]
) -> None:
    empty = program.sessions.create_session("without adtd", actor=LOCAL)
    empty.set_dataset(example.dataset, keep_runs=False)
    tab = open_tab(program)
    tab.set({("dcx-session", "data"): empty.session_id})
    tab.go("genes")
    assert "needs an ADTD run" in tab.text("dcx-outlet")


def test_every_view_of_regulation_is_drawn_and_can_be_saved(
    program: Application, page: Callable[[], Any]
) -> None:
    tab = page()
    assert tab.get("genes-regulation-type", "value") == REGULATED_TYPE
    for view in ("volcano", "heatmap", "top", "overlap", "volcano"):
        tab.set({("genes-regulation-view", "value"): view})
        assert drawn(tab, "regulation"), view
        assert not gone(tab, "genes-regulation-drawing")
    tab.set({("genes-regulation-view", "value"): "table"})
    rows = tab.get("genes-regulation-table", "rowData")
    assert rows
    assert gone(tab, "genes-regulation-drawing")
    tab.click("genes-regulation-table-csv")
    saved = program.files.saved[f"gene-regulation-{REGULATED_TYPE}"]  # type: ignore[attr-defined]
    assert REGULATED_TYPE.encode() in saved or b"log2" in saved
