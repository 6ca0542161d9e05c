"""The page Compare: two runs of one session or two, through the door, on made runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.groups import GroupsParams, run_groups
from gui.analyses.survival import run_survival
from gui.analyses.survival_params import SurvivalParams
from gui.answers.comparison import Side, compare, sentence, shown_table
from gui.answers.conclusions import conclusions, shown_conclusions
from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import Clinical, Matrix
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import ADTDResult, BootstrapResult, Provenance, Run
from gui.errors import DataError
from gui.report.comparison import comparison_report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.kept_files import Kept

WHEN = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
EXAMPLE = make_example()
DATA = EXAMPLE.dataset


def adtd(composition: pd.DataFrame) -> ADTDResult:
    """A result with these fractions, the row ``hidden`` among them."""
    reference = DATA.reference.frame()  # type: ignore[union-attr]
    return ADTDResult(
        composition=composition.drop(index="hidden"),
        hidden=composition.loc["hidden"],
        hidden_profile=reference.mean(axis=1) / reference.mean(axis=1).sum(),
        gene_regulation=None,
        gene_weights=pd.Series(1.0, index=reference.index),
        reference=reference,
        loss=np.array([1.0]),
    )


def run(name: str, composition: pd.DataFrame, minutes: int = 0, **more: Any) -> Run:
    made = Provenance(DATA.training_id, DATA.bulk_id, {}, "fast", {"numpy": "2.0"})
    params = ADTDParams(**more)
    return Run(
        name, "adtd", name, WHEN + timedelta(minutes=minutes), params, adtd(composition), made
    )


def noisy(seed: int, spread: float = 0.05) -> pd.DataFrame:
    truth = EXAMPLE.truth
    values = truth * np.random.default_rng(seed).lognormal(0, spread, truth.shape)
    return values / values.sum()


def session_of(*runs: Run) -> DCXCache:
    session = DCXCache("s" * 32, "One")
    session.set_dataset(DATA, keep_runs=False)
    for one in runs:
        session.add_run(one)
    return session


# -- what is compared
# --------------------------------------------------------------------------------------------------
def test_what_a_solver_leaves_of_an_absent_type_is_no_difference() -> None:
    first, second = noisy(1), noisy(1)
    name = first.index[0]
    for frame, left in ((first, 3e-15), (second, 8e-15)):
        frame.loc[name] = left * np.arange(1.0, frame.shape[1] + 1)
    session = session_of(run("first", first), run("second", second, 1))
    found = compare(Side(session, session.run("first")), Side(session, session.run("second")))
    row = shown_table(found).loc[name]
    assert row["RMSE (percentage points)"] == 0
    assert np.isnan(row["Spearman"])


def test_only_what_differs_is_listed_and_what_is_identical_is_named() -> None:
    first, second = run("a", noisy(1)), run("b", noisy(2), max_iterations=7)
    second = replace(
        second, provenance=replace(second.provenance, versions={"numpy": "2.1", "scipy": "1"})
    )
    session = session_of(first, second)
    found = compare(Side(session, first), Side(session, second))
    listed = found.differences.set_index("what")
    assert set(listed.index) == {
        "Maximum iterations",
        "Version of numpy",
        "Version of scipy",
    }
    assert list(listed.loc["Version of scipy"]) == ["unknown", "1"]
    assert {"Method", "Genes in use", "Bulk (hash)", "Samples", "Session"} <= set(found.same)
    assert "differ in 3 points" in sentence(found)


def test_the_same_run_twice_is_identical() -> None:
    first = run("a", noisy(1))
    session = session_of(first)
    found = compare(Side(session, first), Side(session, replace(first, id="b")))
    assert found.differences.empty
    assert "identical" in sentence(found)
    assert "do not differ" in sentence(found)


def test_names_are_aligned_and_what_only_one_has_is_listed() -> None:
    first = run("a", noisy(1))
    fewer = noisy(1).drop(index="NK cells").iloc[:, ::-1].iloc[:, :-3]
    second = run("b", fewer)
    session = session_of(first, second)
    found = compare(Side(session, first), Side(session, second))
    listed = found.differences.set_index("what")
    assert "NK cells" in listed.loc["Cell types", "first"]
    assert "Sample 01" in listed.loc["Samples", "first"]
    assert "only here" not in listed.loc["Samples", "second"]
    assert (found.agreement.table["ccc"] > 1 - 1e-12).all()
    assert "NK cells" not in found.agreement.table.index


def test_the_intervals_of_the_first_run_are_used() -> None:
    first, second = run("a", noisy(1)), run("b", noisy(2, 0.5))
    session = session_of(first, second)
    full = first.result.full()
    sure = BootstrapResult(full, full * 0.99, full * 1.01, full, full, 20)
    made = Provenance(DATA.training_id, DATA.bulk_id, {"adtd": "a"})
    session.choose_run("a")
    session.add_run(Run("boot", "bootstrap", "Intervals", WHEN, bootstrap_params(), sure, made))
    found = compare(Side(session, first), Side(session, second))
    assert found.agreement.table["outside"].mean() > 0.8
    same = compare(Side(session, first), Side(session, first))
    assert (same.agreement.table["outside"] == 0).all()


def bootstrap_params() -> Any:
    from gui.engine.params import BootstrapParams

    return BootstrapParams(replicates=20)


def test_whether_the_groups_would_be_called_alike_is_said() -> None:
    first = run("a", noisy(1))
    shuffled = noisy(1)
    shuffled = pd.DataFrame(
        np.random.default_rng(0).permuted(shuffled.to_numpy(), axis=1),
        index=shuffled.index,
        columns=shuffled.columns,
    )
    second, third = run("b", noisy(3, 0.01)), run("c", shuffled / shuffled.sum())
    session = session_of(first, second, third)
    params = GroupsParams(column="group")
    groups = run_groups(DATA, params, progress=lambda *_, **__: None, adtd=first.result)
    assert groups.called
    made = Provenance(DATA.training_id, DATA.bulk_id, {"adtd": "a"})
    session.add_run(Run("g", "groups", "Groups: group", WHEN, params, groups, made))
    alike = compare(Side(session, first), Side(session, replace(first, id="b"))).conclusion
    assert "would not change" in alike
    other = compare(Side(session, first), Side(session, third)).conclusion
    assert "would change" in other
    assert "only in the first" in other


def test_groups_are_compared_once_for_two_runs_whatever_is_clicked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = run("a", noisy(1)), run("b", noisy(3, 0.01))
    session = session_of(first, second)
    params = GroupsParams(column="group")
    groups = run_groups(DATA, params, progress=lambda *_, **__: None, adtd=first.result)
    made = Provenance(DATA.training_id, DATA.bulk_id, {"adtd": "a"})
    session.add_run(Run("g", "groups", "Groups: group", WHEN, params, groups, made))
    calls: list[Any] = []

    def counted(*given: Any, **more: Any) -> Any:
        calls.append(given)
        return run_groups(*given, **more)

    monkeypatch.setattr("gui.answers.conclusions.run_groups", counted)
    sides = Side(session, first), Side(session, second)
    said = compare(*sides).conclusion
    assert [compare(*sides).conclusion for _ in range(3)] == [said] * 3
    assert len(calls) == 2
    compare(sides[0], Side(session, run("c", noisy(4))))
    again = run_groups(DATA, params, progress=lambda *_, **__: None, adtd=second.result)
    session.add_run(Run("g2", "groups", "Groups: again", WHEN, params, again, made))
    assert "Groups: again" in compare(*sides).conclusion
    assert len(calls) == 6


def with_survival(session: DCXCache, of: Run) -> None:
    """Survival in the session: more of the first type, earlier events."""
    data = session.need_dataset()
    full = of.result.full()
    hazard = np.exp(
        3 * (full.loc["T cells"] - full.loc["T cells"].mean()) / full.loc["T cells"].std()
    )
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"time": (rng.exponential(20, len(hazard)) / hazard).round(3), "dead": "yes"},
        index=full.columns,
    )
    table.iloc[0, 1] = "no"
    clinical = Clinical(table, "patients.csv", "time", "dead", "yes", "months")
    session.set_dataset(replace(data, clinical=clinical), keep_runs=True)
    params = SurvivalParams(time_zero="diagnosis")
    found = run_survival(
        session.need_dataset(), params, progress=lambda *_, **__: None, adtd=of.result
    )
    made = Provenance(DATA.training_id, DATA.bulk_id, {"adtd": of.id})
    session.add_run(Run("v", "survival", "Survival", WHEN, params, found, made))


def test_survival_is_repeated_on_both_and_who_changed_side_is_listed() -> None:
    first = run("a", noisy(1))
    turned = noisy(1)
    turned.loc["T cells"] = turned.loc["T cells"].to_numpy()[::-1]
    second = run("b", turned / turned.sum())
    session = session_of(first, second)
    with_survival(session, first)
    same = compare(Side(session, first), Side(session, replace(first, id="c"))).conclusions
    assert [one.title for one in same] == ["Survival"]
    assert same[0].changed == []
    assert same[0].calls.loc["T cells", "first"] == "higher hazard"
    other = compare(Side(session, first), Side(session, second)).conclusions[0]
    assert "T cells" in other.changed
    assert "would change" in other.sentence
    shown = shown_conclusions((other,))
    assert shown["Changed"].iloc[0] == "yes"
    assert set(shown.columns) == {"Analysis", "First", "Second", "Changed"}


def test_a_run_of_other_samples_is_analysed_with_its_own_table() -> None:
    first = run("a", noisy(1))
    session = session_of(first)
    with_survival(session, first)
    renamed = noisy(1).rename(columns=lambda name: f"{name} again")
    second = run("b", renamed)
    other = DCXCache("t" * 32, "Two")
    assert DATA.bulk is not None
    bulk = replace(
        DATA.bulk,
        matrix=replace_columns(DATA.bulk.matrix, renamed.columns),
    )
    other.set_dataset(replace(DATA, bulk=bulk), keep_runs=False)
    other.add_run(second)
    with pytest.raises(DataError):  # no sample in common: there is nothing to compare
        compare(Side(session, first), Side(other, second))
    found = conclusions(Side(session, first), Side(other, second))[0]
    assert "On the second" in found.trouble  # its session has no clinical table
    with_survival(other, second)
    assert not conclusions(Side(session, first), Side(other, second))[0].trouble


def replace_columns(matrix: Matrix, columns: pd.Index) -> Matrix:
    return Matrix(matrix.values, matrix.genes, columns)


def test_the_report_has_differences_agreement_and_conclusions() -> None:
    first, second = run("a", noisy(1)), run("b", noisy(2), max_iterations=7)
    session = session_of(replace(first, name="Before", notes="raw counts"), second)
    with_survival(session, first)
    before = session.run("a")
    assert before is not None
    text = comparison_report(Side(session, before), Side(session, second)).decode()
    for expected in ("“Before”", "raw counts", "Maximum iterations", "Survival", "Identical:"):
        assert expected in text
    assert text.count("Plotly.newPlot") + text.count("<figure") >= 2


# -- the page
# --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("compare")), Kept())
    yield app
    app.stop()


def dtd_of(example: Any) -> Run:
    from gui.engine.results import DTDResult

    reference = DATA.reference.frame()  # type: ignore[union-attr]
    types = example.truth.drop(index="hidden") * 3
    result = DTDResult(
        reference,
        pd.Series(1.0, index=reference.index, dtype="float32"),
        np.array([1.0, 0.5]),
        pd.DataFrame(0.9, index=range(2), columns=reference.columns),
        {"bulk": types},
        {"bulk": types},
        {},
        pd.DataFrame(columns=["part", "method", "cell_type", "pearson", "spearman", "rmse", "ccc"]),
    )
    made = Provenance(DATA.training_id, DATA.bulk_id)
    return Run("d", "dtd", "DTD", WHEN - timedelta(minutes=5), DTDParams(), result, made)


def test_runs_of_this_session_and_another_are_compared_on_the_page(
    program: Application, open_tab: Callable[[Application], Any], tmp_path: Path
) -> None:
    sessions = []
    for name in ("One", "Two"):
        session = program.sessions.create_session(name, actor=LOCAL)
        session.set_dataset(DATA, keep_runs=False)
        session.add_run(dtd_of(EXAMPLE))
        sessions.append(session)
    tab = open_tab(program)
    tab.set({("dcx-session", "data"): sessions[0].session_id})
    tab.go("compare")
    redraw(tab)
    assert "only one run" in tab.text("compare-empty")
    sessions[0].add_run(run("a", noisy(1)))
    sessions[0].add_run(run("b", noisy(2), 1, max_iterations=7))
    sessions[1].add_run(run("c", noisy(1), 2))
    redraw(tab)
    assert (tab.get("compare-first", "value"), tab.get("compare-second", "value")) == ("d", "b")
    tab.set({("compare-first", "value"): "a"})
    # what was chosen stays until a run comes; that is then compared with it
    redraw(tab)
    assert (tab.get("compare-first", "value"), tab.get("compare-second", "value")) == ("a", "b")
    for new, at in (("e", 3), ("f", 4)):
        sessions[0].add_run(run(new, noisy(at), at, max_iterations=7))
        redraw(tab)
        pair = (tab.get("compare-first", "value"), tab.get("compare-second", "value"))
        assert pair == ("a", new)
        assert new in {option["value"] for option in tab.get("compare-second", "data")}
    tab.go("dtd")
    tab.go("compare")  # opened anew: the two newest, the older one first
    assert (tab.get("compare-first", "value"), tab.get("compare-second", "value")) == ("e", "f")
    tab.set({("compare-first", "value"): "a", ("compare-second", "value"): "b"})
    assert "median concordance" in tab.text("compare-answer")
    for look in ("what", "scatter", "bland", "types", "conclusions", "scatter", "what"):
        tab.set({("compare-look", "value"): look})
        assert tab.get("compare-words", "children")
    assert [row["c0"] for row in tab.get("compare-compared-table", "rowData")] == [
        "Maximum iterations"
    ]
    assert tab.get("compare-compared", "figure")["data"]
    for _ in range(2):
        tab.click("compare-report")
    saved = program.files.saved["One comparison report"]  # type: ignore[attr-defined]
    assert b"Maximum iterations" in saved
    tab.set({("compare-session", "value"): sessions[1].session_id})
    tab.set({("compare-first", "value"): "a", ("compare-second", "value"): "c"})
    assert "identical" in tab.text("compare-answer")
    rows = tab.get("compare-compared-table", "rowData")
    assert [row["c0"] for row in rows] == ["Session"]
    # DTD is brought to sum 1 and has no hidden row
    tab.set({("compare-second", "value"): "d"})
    assert "B cells" in tab.get("compare-cell-type", "data")
    assert "hidden" not in tab.get("compare-cell-type", "data")


def redraw(tab: Any) -> None:
    """As if the session had changed."""
    tab.tick()
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
