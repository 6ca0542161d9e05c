"""The Robustness page through the door, its report, its command line, and the three ranges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from gui.analyses.robustness import RobustnessParams, RobustnessResult
from gui.answers import robustness as words
from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import HIDDEN
from gui.data.example import make_example
from gui.engine import compute_settings, tasks
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, Run
from gui.engine.variants import GENES
from gui.pages.robustness.base import form, page
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.groups_session import (
    adtd_result,
    bootstrap_result,
    dtd_result,
    fractions_of,
)
from tests.gui.steps import show
from tests.gui.test_adtd_page import Kept
from tests.waiting import until

QUICK = DTDParams(genes=60, iterations=10, train_mixtures=30, test_mixtures=5)


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(autouse=True, scope="module")
def one_core() -> Iterator[None]:
    before = compute_settings.get_compute_settings()
    compute_settings.set_compute_settings(replace(before, cores=1))
    yield
    compute_settings.set_compute_settings(before)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("robustness")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def session(program: Application) -> DCXCache:
    """The example with a DTD and an ADTD run that took a moment."""
    found = program.sessions.create_session(f"Robust {uuid4().hex}", actor=LOCAL)
    data = make_example().dataset
    found.set_dataset(data, keep_runs=False)
    dtd = tasks.run_dtd(data, QUICK, progress=quiet)
    adtd = tasks.run_adtd(data, ADTDParams(), progress=quiet, dtd=dtd)
    made = Provenance(data.training_id, data.bulk_id)
    now = pd.Timestamp("2026-11-30", tz="UTC").to_pydatetime()
    found.add_run(Run("dtd0", "dtd", "DTD", now, QUICK, dtd, made))
    of_dtd = replace(made, inputs={"dtd": "dtd0"})
    found.add_run(Run("adtd0", "adtd", "ADTD", now, ADTDParams(), adtd, of_dtd))
    return found


def test_a_run_is_recomputed_twice_and_every_view_shows_it(
    program: Application, session: DCXCache, open_tab: Any
) -> None:
    tab = open_tab(program)
    show(tab, session.session_id)
    tab.go("robustness")
    assert tab.get("robustness-run", "disabled") is False, tab.text("robustness-reason")
    tab.set(
        {
            ("robustness-genes", "checked"): False,
            ("robustness-left-out", "checked"): False,
            ("robustness-donors", "checked"): False,
            ("robustness-seeds", "value"): 0,
        }
    )
    assert tab.get("robustness-run", "disabled") is True
    assert "Nothing is changed" in tab.text("robustness-reason")
    tab.set(
        {
            ("robustness-genes", "checked"): True,
            ("robustness-left-out", "checked"): True,
            ("robustness-seeds", "value"): 1,
        }
    )
    for count in (1, 2):
        tab.click("robustness-run")
        until(lambda count=count: len(session.runs("robustness")) == count)
        tab.tick()
    run = session.current("robustness")
    assert run is not None
    result: RobustnessResult = run.result
    assert len(result.variants) == 5 + 1 + 5
    assert run.provenance.inputs == {"adtd": "adtd0", "dtd": "dtd0"}
    assert "The fractions move most with" in tab.text("robustness-head-answer")
    assert "ADTD run (Hidden background)" in tab.text("robustness-head-whole")
    for look in ("genes", "by_genes", "seed", "leakage", "table", "leaks", "counts") * 2:
        tab.set({("robustness-look", "value"): look})
        if look in ("table", "leaks", "counts"):
            assert tab.get("robustness-view-tabular", "style") == {}, look
            assert tab.get("robustness-table", "rowData"), look
        else:
            assert tab.get("robustness-view-drawing", "style") == {}, look
            assert tab.get("robustness-figure", "figure")["data"], look
    tab.set({("robustness-look", "value"): "donors"})
    assert "was not computed in this run" in tab.text("robustness-note")
    # the ADTD page names the widest range
    tab.go("adtd")
    tab.set({("adtd-tabs", "value"): "hidden", ("adtd-hidden-of", "value"): "samples"})
    said = tab.text("adtd-hidden-words")
    assert "gene counts" in said
    assert "page Robustness" not in said
    # it is in the range to quote, on every page
    answer = tab.text("adtd-run-answer")
    assert ", gene counts " in answer
    tab.go("genes")
    genes = tab.text("genes-answer")
    assert genes.partition(";")[0] in answer
    assert ", gene counts " in genes
    assert set(tab.statuses) <= {200, 204}
    # the reports
    page = report(session, "robustness").decode()
    assert "Robustness report" in page
    assert words.sentence(result).split(",")[0] in page
    assert words.hidden_range_sentence(session.runs("adtd")[0].result, None, result) in report(
        session, "adtd"
    ).decode().replace("&#x27;", "'")


def robust(span: float) -> RobustnessResult:
    base = fractions_of(6)
    values = np.stack([base.to_numpy(), base.to_numpy()])
    row = base.index.get_loc(HIDDEN)
    values[0, row] += span
    variants = pd.DataFrame(
        {"kind": [GENES] * 2, "name": ["a", "b"], "genes": [5, 20], "left_out": ["", ""]}
    )
    return RobustnessResult(base, values, variants, 10)


def test_the_sentence_names_the_widest_of_three_ranges() -> None:
    fractions = fractions_of(6)
    hidden = fractions.loc[HIDDEN]
    run = replace(
        adtd_result(fractions, dtd_result(fractions)),
        hidden_interval=pd.DataFrame({"low": hidden - 0.05, "high": hidden + 0.05}),
    )
    sure = bootstrap_result(fractions)
    for span, first in ((0.01, "equal fit"), (0.3, "gene counts")):
        table = words.hidden_ranges(run, sure, robust(span))
        assert set(table.index) == {"equal fit", "bootstrap", "gene counts"}
        assert table.index[0] == first
        text = words.hidden_range_sentence(run, sure, robust(span))
        assert text.startswith(f"The widest range of the median hidden fraction is {first} ")
    assert words.hidden_ranges(run).loc["equal fit", "width"] == pytest.approx(0.1)
    assert words.hidden_range_sentence(run).startswith("Range of the median hidden fraction: equal")
    assert words.hidden_range_sentence(replace(run, hidden_interval=None)) == ""
    assert words.unstable_message(robust(0.19)) == ""
    assert "unstable in 6 of 6 samples" in words.unstable_message(robust(0.3))
    assert words.ranges_record(run, sure, robust(0.3))["unstable_samples"] == list(fractions)


def test_the_command_line_writes_ranges_and_tables(tmp_path: Path) -> None:
    from gui.cli.analyze import analyze

    common = ["--example", "--model", "deconomix+h", "--genes", "60", "--mixtures", "30"]
    more = ["--iterations", "5", "--robustness", "genes,left-out", "--out", str(tmp_path / "out")]
    assert analyze([*common, *more]) == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    ranges = record["hidden_fraction_ranges"]["ranges"]
    assert {"equal fit", "gene counts"} <= set(ranges)
    assert ranges["gene counts"]["high"] >= ranges["gene counts"]["low"]
    assert record["robustness"]["parameters"]["seeds"] == 0
    table = pd.read_csv(tmp_path / "out" / "robustness_gene_counts.csv", index_col=0)
    assert len(table) == 6
    leaks = pd.read_csv(tmp_path / "out" / "robustness_leakage.csv", index_col=0)
    assert np.allclose(leaks.dropna(how="all").sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--robustness", "weather"], "allowed: all, or some of"),
        (["--donors", "x"], "no effect without --robustness"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_computed(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    from gui.cli.analyze import analyze

    assert analyze(["--example", *options]) == 2
    assert said in capsys.readouterr().err


def test_parameters_that_play_no_part_are_not_told() -> None:
    assert "donor_column" not in RobustnessParams().used()
    assert "donor_column" in RobustnessParams(donor_column="x").used()


def test_a_parameter_that_is_a_text_has_a_field_for_text() -> None:
    """A column of donors cannot be typed into a field for numbers."""
    session = DCXCache("x", "x")
    session.keep_form(page.key, {"donor_column": "patient"})
    fields = form.fields(SimpleNamespace(session=session), "donor_column", "seeds").children
    assert [type(field).__name__ for field in fields] == ["TextInput", "NumberInput"]
    assert fields[0].value == "patient"
    session.keep_form(page.key, {"donor_column": 3})
    assert form.fields(SimpleNamespace(session=session), "donor_column").children[0].value == ""


def test_what_a_solver_leaves_of_an_absent_type_is_zero_and_has_no_rank() -> None:
    random = np.random.default_rng(1)
    base = pd.DataFrame(
        [random.uniform(0.4, 0.6, 6), random.uniform(1, 9, 6) * 1e-15],
        index=["Present", "Absent"],
        columns=[f"s{i}" for i in range(6)],
    )
    values = np.stack([base.to_numpy() * random.uniform(0.9, 1.1, 6) for _ in range(3)])
    variants = pd.DataFrame(
        {"kind": GENES, "name": ["a", "b", "c"], "genes": [10, 20, 30], "left_out": ""}
    )
    result = RobustnessResult(base, values, variants, 15)
    row = result.summary().set_index("cell_type").loc["Absent"]
    assert (row[["fraction", "median", "iqr", "range"]] == 0).all()
    assert row[["rank", "rank_lowest"]].isna().all()
    assert (result.gene_count_table()["Absent"] == 0).all()
    kept = result.summary().set_index("cell_type").loc["Present"]
    assert kept["rank"] > 0
    assert kept["fraction"] > 0.4
