"""“As cell fractions”: off by default, refused with its reason, labelled everywhere once it is on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.cell_fractions import FORM, ON
from gui.app import Application
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, RNAContent, Run
from gui.engine.tasks import run_adtd, run_dtd
from gui.pages.dtd.current_result import composition_of
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

SMALL = DTDParams(
    genes=100, iterations=5, train_mixtures=30, test_mixtures=20, train_cells=20, test_cells=20
)


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def results() -> tuple[Any, Any]:
    data = make_example().dataset
    dtd = run_dtd(data, SMALL, progress=quiet)
    return dtd, run_adtd(data, ADTDParams(max_iterations=3), progress=quiet, dtd=dtd)


@pytest.fixture
def session(application: Application, results: tuple[Any, Any]) -> DCXCache:
    made = application.sessions.create_session("cells", actor=LOCAL)
    made.set_dataset(make_example().dataset, keep_runs=False)
    data = made.need_dataset()
    for kind, params, result in zip(
        ("dtd", "adtd"), (SMALL, ADTDParams(max_iterations=3)), results, strict=True
    ):
        inputs = {"dtd": "dtd"} if kind == "adtd" else {}
        made_of = Provenance(data.training_id, data.bulk_id, inputs)
        made.add_run(Run(kind, kind, kind, datetime.now(UTC), params, result, made_of))
    return made


def measured(session: DCXCache) -> pd.Series:
    """Puts a run with a measured RNA content into the session."""
    run = session.current("dtd")
    assert run is not None
    types = [str(t) for t in run.result.reference.columns]
    factors = pd.Series(np.linspace(0.5, 1.5, len(types)), index=types)
    result = replace(run.result, rna_content=RNAContent(factors, "raw counts of a test"))
    session.add_run(replace(run, id="dtd2", result=result))
    return factors


@pytest.fixture
def opened(tab: Any, session: DCXCache) -> Callable[[str], Any]:
    def on(kind: str) -> Any:
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go(kind)
        tab.set({(f"{kind}-tabs", "value"): "composition"})
        tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
        return tab

    return on


def axis(tab: Any, kind: str) -> str:
    figure = tab.get(f"{kind}-composition-figure", "figure")
    return str(figure["layout"]["yaxis"]["title"]["text"])


@pytest.mark.parametrize("kind", ["dtd", "adtd"])
def test_where_it_cannot_be_measured_the_switch_goes_back_and_says_why(
    session: DCXCache, opened: Callable[[str], Any], kind: str
) -> None:
    tab = opened(kind)
    assert tab.get(f"{kind}-cells-on", "checked") is False
    for _ in range(2):
        tab.set({(f"{kind}-cells-on", "checked"): True})
        assert tab.get(f"{kind}-cells-on", "checked") is False
        assert tab.get(f"{kind}-cells-dialog", "opened") is True
        assert "filtered list" in tab.text(f"{kind}-cells-contents")
        assert axis(tab, kind).startswith("RNA fraction")
        tab.set({(f"{kind}-cells-dialog", "opened"): False})


def test_measured_contents_convert_the_bulk_and_its_labels_and_back(
    session: DCXCache, opened: Callable[[str], Any]
) -> None:
    factors = measured(session)
    rna = session.current("dtd").result.composition["bulk"]  # type: ignore[union-attr]
    expected = rna / factors.to_numpy()[:, None]
    expected = expected / expected.sum()
    tab = opened("dtd")
    for _ in range(2):
        tab.set({("dtd-cells-on", "checked"): True})
        assert axis(tab, "dtd") == "Cell fraction (%)<br>converted"
        shown = composition_of(session, "bulk")
        assert shown is not None
        np.testing.assert_allclose(shown.frame, expected)
        assert "raw counts of a test" in tab.text("dtd-composition-about")
        tab.set({("dtd-composition-view", "value"): "table"})
        assert "Cell fraction (%), converted" in tab.text("dtd-composition-unit")
        tab.set({("dtd-composition-view", "value"): "bars"})
        test = composition_of(session, "test")
        assert test is not None
        assert test.quantity == "", "simulated mixtures are of cells of one size"
        tab.set({("dtd-cells-on", "checked"): False})
        assert axis(tab, "dtd").startswith("RNA fraction")
    tab.click("dtd-cells-open")
    for name, value in factors.items():
        assert str(name) in tab.text("dtd-cells-contents"), value


def test_contradictions_stay_in_cell_fractions_and_say_of_what_they_are(session: DCXCache) -> None:
    measured(session)
    rna = composition_of(session, "bulk")
    session.keep_form(FORM, {ON: True})
    try:
        cells = composition_of(session, "bulk")
    finally:
        session.keep_form(FORM, {ON: False})
    assert rna is not None
    assert cells is not None
    assert rna.opinion is not None
    assert cells.opinion is not None
    assert (rna.frame - cells.frame).abs().to_numpy().max() > 0.01
    assert cells.opinion.types == rna.opinion.types
    assert (rna.opinion.what, cells.opinion.what) == ("of 100 %", "RNA fractions, of 100 %")


def test_using_none_where_none_are_known_says_what_to_do_each_time(
    session: DCXCache, opened: Callable[[str], Any]
) -> None:
    tab = opened("adtd")
    tab.click("adtd-cells-open")
    for number in (1, 2):
        tab.click("adtd-cells-use")
        said = [notice for notice in tab.notices if "Give one for each cell type" in notice]
        assert len(said) == number
        assert tab.get("adtd-cells-on", "checked") is False


def test_contents_of_the_users_own_are_checked_kept_and_shared_by_both_pages(
    session: DCXCache, opened: Callable[[str], Any]
) -> None:
    types = [str(t) for t in session.current("dtd").result.reference.columns]  # type: ignore[union-attr]
    tab = opened("adtd")
    tab.set({("adtd-cells-own", "value"): "Unknown cells 3"})
    tab.click("adtd-cells-use")
    assert "no cell type “Unknown cells”" in tab.text("adtd-cells-wrong")
    assert axis(tab, "adtd").startswith("RNA fraction")
    tab.set({("adtd-cells-own", "value"): "\n".join(f"{t}\t{i + 1}" for i, t in enumerate(types))})
    for _ in range(2):
        tab.click("adtd-cells-use")
        assert tab.get("adtd-cells-on", "checked") is True
        assert axis(tab, "adtd") == "Cell fraction (%)<br>converted"
        assert "hidden background is left out" in tab.text("adtd-composition-about")
    html = report(session, "adtd").decode()
    assert "As cell fractions, converted" in html
    assert "RNA contents given by you" in html
    tab = opened("dtd")
    assert tab.get("dtd-cells-on", "checked") is True
    assert axis(tab, "dtd") == "Cell fraction (%)<br>converted"
    tab.set({("dtd-cells-on", "checked"): False})
    assert "As cell fractions" not in report(session, "dtd").decode()
