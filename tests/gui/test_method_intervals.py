"""Intervals of a method that brings none, from the page Methods to Groups, report and a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.app import Application, create_app
from gui.cli import analyze
from gui.config import Config
from gui.data.dataset import HIDDEN
from gui.report import report
from gui.sessions.manager import LOCAL
from tests.gui.steps import press, session_with, show
from tests.waiting import until

PLUGIN = """
import pandas as pd
from gui.engine.params import Params, param
from gui.engine.second_opinion import mean_profiles, normalised, relative_estimate, scaled_columns
from gui.plugin import Capability, Method, method_result

class SharesParams(Params):
    hidden: float = param(0.2, "Hidden", "The same in every sample.", ge=0, le=1)

def outside(dataset, params, *, progress):
    progress("Estimating")
    bulk = dataset.bulk.matrix.frame()
    profiles = mean_profiles(dataset.train, bulk.index)
    known = normalised(relative_estimate(profiles, scaled_columns(bulk)))
    hidden = pd.Series(params.hidden, index=bulk.columns)
    return method_result(
        dataset, "outside", "Outside", known * (1 - params.hidden), profiles, hidden=hidden
    )

def sure_of_it(dataset, params, *, progress):
    found = outside(dataset, SharesParams(hidden=0.0), progress=progress)
    return method_result(
        dataset, "own", "Own intervals", found.composition, found.reference,
        low=0.9 * found.composition, high=1.1 * found.composition,
        gene_weights=pd.DataFrame({"weight": 1.0}, index=found.reference.index),
    )

method = Method("outside", "Outside", "Relative errors and a hidden fraction.", outside,
                SharesParams, capabilities=frozenset({Capability.HIDDEN}))
own = Method("own", "Own intervals", "Brings its intervals.", sure_of_it,
             capabilities=frozenset({Capability.INTERVALS}))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    config = Config.for_tests(tmp_path_factory.mktemp("intervals"))
    (config.plugins_folder / "outside.py").write_text(PLUGIN, "utf-8")
    app = create_app(config)
    assert app.registry.errors == ()
    app.start()
    yield app
    app.stop()


def run_method(tab: Any, session: Any, key: str) -> Any:
    before = len(session.runs("method"))
    tab.go("method")
    tab.set({("method-choice", "value"): key})
    assert tab.get("method-run", "disabled") is False, tab.get("method-reason", "children")
    press(tab, "method-run")
    until(lambda: len(session.runs("method")) == before + 1)
    tab.go("method")
    tab.set({("method-tabs", "value"): "sure"})
    return session.current("method")


def compute(tab: Any, session: Any) -> Any:
    before = len(session.runs("bootstrap"))
    assert tab.get("method-sure-start", "disabled") is False, tab.text("method-sure-reason")
    tab.set({("method-sure-replicates", "value"): 20})
    press(tab, "method-sure-start")
    until(lambda: len(session.runs("bootstrap")) == before + 1)
    tab.go("method")
    tab.set({("method-tabs", "value"): "sure"})
    return session.runs("bootstrap")[-1]


def test_intervals_of_a_built_in_and_of_an_outside_method_are_used_everywhere(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(program, "Intervals")
    tab = open_tab(program)
    show(tab, session.session_id)
    for key in ("nnls", "outside"):
        run = run_method(tab, session, key)
        assert "Press “Compute intervals”" in tab.text("method-sure-words")
        drawn = compute(tab, session)
        assert dict(drawn.provenance.inputs) == {"method": run.id}
        sure = drawn.result
        pd.testing.assert_frame_equal(sure.estimate, run.result.full(), check_names=False)
        assert (HIDDEN in sure.low.index) is (key == "outside")
        assert "20 bootstrap replicates" in tab.text("method-sure-words")
        assert "contain the true fraction in" in tab.text("method-sure-words")
        html = report(session, "method").decode()
        assert "95 % interval" in html
        tab.go("groups")
        tab.set({("groups-source", "value"): run.id})
        column = tab.get("groups-column", "data")[0]
        tab.set(
            {("groups-column", "value"): column if isinstance(column, str) else column["value"]}
        )
        before = len(session.runs("groups"))
        press(tab, "groups-run")
        until(lambda before=before: len(session.runs("groups")) == before + 1)
        compared = session.current("groups")
        assert dict(compared.provenance.inputs) == {"method": run.id, "bootstrap": drawn.id}
        assert compared.result.draws == 20
    tab.go("method")
    tab.set({("method-choice", "value"): "nnls"})
    run_method(tab, session, "nnls")
    assert "Press “Compute intervals”" in tab.text("method-sure-words"), "those of another run"


def test_a_method_with_intervals_of_its_own_gets_no_others(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(program, "Own")
    tab = open_tab(program)
    show(tab, session.session_id)
    run_method(tab, session, "own")
    assert tab.get("method-sure-start", "disabled") is True
    assert "intervals of its own" in tab.text("method-sure-reason")


def test_views_come_with_what_a_run_holds_whichever_method_it_is_of(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(program, "Views")
    tab = open_tab(program)
    show(tab, session.session_id)

    def shown() -> dict[str, bool]:
        tab.go("method")
        tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
        names = ("hidden", "weights")
        return {n: tab.get(f"method-tab-{n}", "style") != {"display": "none"} for n in names}

    def may_be_hidden() -> bool:
        tab.go("survival")
        return HIDDEN in str(tab.get("survival-types", "data"))

    run_method(tab, session, "nnls")
    assert shown() == {"hidden": False, "weights": False}
    assert not may_be_hidden()
    run_method(tab, session, "outside")
    assert shown() == {"hidden": True, "weights": False}
    assert may_be_hidden()
    tab.go("method")
    tab.set({("method-tabs", "value"): "hidden"})
    drawn = tab.get("method-hidden", "figure")["data"][0]["y"]
    values = np.frombuffer(base64.b64decode(drawn["bdata"]), dtype=drawn["dtype"])
    np.testing.assert_allclose(values, 20.0)
    assert len(values) == len(session.current("method").result.hidden)
    assert "Fraction of the hidden background" in report(session, "method").decode()
    run_method(tab, session, "own")
    assert shown() == {"hidden": False, "weights": True}
    tab.set({("method-tabs", "value"): "weights"})
    rows = tab.get("method-weights", "rowData")
    assert len(rows) == len(session.current("method").result.reference)
    assert "Gene weights, 1 on average" in report(session, "method").decode()


def test_without_its_plug_in_a_run_keeps_its_intervals_and_gets_no_new_ones(
    program: Application, open_tab: Callable[..., Any], tmp_path: Path
) -> None:
    session = session_with(program, "Removed")
    tab = open_tab(program)
    show(tab, session.session_id)
    run_method(tab, session, "outside")
    compute(tab, session)
    methods = program.methods
    program.methods = tuple(m for m in methods if m.key != "outside")
    try:
        tab.go("method")
        tab.set({("method-tabs", "value"): "sure"})
        assert "20 bootstrap replicates" in tab.text("method-sure-words")
        assert tab.get("method-sure-start", "disabled") is True
        assert "plug-in was removed" in tab.text("method-sure-reason")
    finally:
        program.methods = methods
    path = tmp_path / "kept.dcxsession"
    exported = program.sessions.export_session(session.session_id, actor=LOCAL)
    path.write_bytes(exported.data)
    made = program.sessions.import_session(path, actor=LOCAL, as_copy=True)
    again = program.sessions.get_session(made.session_id, actor=LOCAL)
    assert again.current("bootstrap").result.draws.shape[0] == 20  # type: ignore[union-attr]


def test_analyze_writes_intervals_of_a_method(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["--example", "--method", "nnls", "--bootstrap", "20", "--out", str(out)]
    assert analyze.analyze(asked) == 0
    table = pd.read_csv(out / "composition_intervals.csv")
    assert {"low", "high"} <= set(table.columns)
    assert np.isfinite(table["low"]).all()
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert record["parameters"]["bootstrap"] == 20
    assert any("bootstrap replicates" in text for text in record["warnings"])
