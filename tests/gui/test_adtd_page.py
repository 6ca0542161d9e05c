"""The ADTD page: through the door, with the real worker; tabs and sizes on made results."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.adtd import true_hidden
from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import Bulk, Dataset
from gui.data.example import HIDDEN_TYPE, make_example
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import ADTDResult, Run
from gui.engine.tasks import run_adtd, run_dtd, run_search
from gui.figures.fractions import hidden_fraction
from gui.figures.text import percent
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.kept_files import Kept

LIMIT = 3_000_000
DTD = DTDParams(
    genes=120,
    iterations=15,
    train_mixtures=30,
    train_cells=20,
    test_mixtures=25,
    test_cells=20,
    seed=5,
)
TABS = ("composition", "hidden", "regulation", "search")
Opened = Callable[[], Any]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("adtd")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def example() -> Dataset:
    return make_example().dataset


@pytest.fixture(scope="module")
def runs(program: Application, example: Dataset) -> dict[str, Run]:
    """Real runs on the example: dtd, h, hr, test (mixtures), search."""
    session = program.sessions.create_session("computed", actor=LOCAL)
    session.set_dataset(example, keep_runs=False)
    found: dict[str, Run] = {}

    def made(name: str, task: Any, params: Any, kind: str) -> None:
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
        assert program.runner.wait(job, 180).state == "done"
        found[name] = session.run(job)  # type: ignore[assignment]

    made("dtd", run_dtd, DTD, "dtd")
    made("h", run_adtd, ADTDParams(max_iterations=50), "adtd")
    made("hr", run_adtd, ADTDParams(model="h,r", lambda2=1e-8, max_iterations=20), "adtd")
    made("test", run_adtd, ADTDParams(part="test", max_iterations=20), "adtd")
    made(
        "search",
        run_search,
        SearchParams(smallest=1e-10, largest=1e-2, points=3, folds=2),
        "search",
    )
    return found


@pytest.fixture
def session(program: Application, example: Dataset, runs: dict[str, Run]) -> DCXCache:
    """A new session with the example and its DTD run."""
    made = program.sessions.create_session(
        program.sessions.free_name("test", actor=LOCAL), actor=LOCAL
    )
    made.set_dataset(example, keep_runs=False)
    made.add_run(runs["dtd"])
    return made


@pytest.fixture
def page(program: Application, session: DCXCache, open_tab: Callable[[Application], Any]) -> Opened:
    """Opens the ADTD page of the session in a new tab."""

    def opened() -> Any:
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go("adtd")
        # dash also calls callbacks of which only the outputs are new
        tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
        return tab

    return opened


def gone(tab: Any, name: str) -> bool:
    return (tab.get(name, "style") or {}).get("display") == "none"


def drawn(tab: Any, name: str) -> bool:
    return bool((tab.get(f"adtd-{name}", "figure") or {}).get("data"))


def each(part: str, index: str) -> dict[str, str]:
    return {"page": "adtd", "part": part, "index": index}


def read(data: bytes, **options: Any) -> pd.DataFrame:
    """A saved CSV table under its first line, to the bit."""
    return pd.read_csv(
        io.BytesIO(data), skiprows=1, index_col=0, float_precision="round_trip", **options
    )


# -- form
# --------------------------------------------------------------------------------------------------
def test_the_page_needs_a_dtd_run(
    program: Application, example: Dataset, open_tab: Callable[[Application], Any]
) -> None:
    empty = program.sessions.create_session("without dtd", actor=LOCAL)
    empty.set_dataset(example, keep_runs=False)
    tab = open_tab(program)
    tab.set({("dcx-session", "data"): empty.session_id})
    tab.go("adtd")
    assert "needs a DTD run" in tab.text("dcx-outlet")


def test_only_the_fields_of_the_model_are_shown(page: Opened) -> None:
    tab = page()
    shown = {}
    for model in ("h", "h,r", "custom"):
        tab.set({("adtd-model", "value"): model})
        fields = {n for n in ("custom", "lambda1", "lambda2") if not gone(tab, f"adtd-for-{n}")}
        shown[model] = (tab.get("adtd-run", "children"), fields, tab.get("adtd-run", "disabled"))
    assert shown == {
        "h": ("Run ADTD", set(), False),
        "h,r": ("Run ADTD", {"lambda2"}, False),
        "custom": ("Run ADTD", {"custom", "lambda2"}, False),
    }
    tab.set({("adtd-c-static", "checked"): False, ("adtd-delta-static", "checked"): True})
    assert not gone(tab, "adtd-for-lambda1")
    assert gone(tab, "adtd-for-lambda2")


def test_the_sizes_of_the_datasets_stand_in_their_choice(page: Opened) -> None:
    labels = [option["label"] for option in page().get("adtd-part", "data")]
    assert labels == ["Bulk samples (20)", "Test pseudobulks (25)", "Training pseudobulks (30)"]


def test_lambda2_is_shown_in_e_notation_and_a_wrong_one_disables_the_button_with_its_reason(
    program: Application, session: DCXCache, page: Opened
) -> None:
    tab = page()
    assert tab.get("adtd-lambda2", "value") == "1e-9"
    tab.set({("adtd-model", "value"): "h,r", ("adtd-lambda2", "value"): "a lot"})
    assert tab.get("adtd-run", "disabled") is True
    assert tab.get("adtd-reason", "children") == "λ₂ is “a lot”; allowed: a number above 0."
    tab.click("adtd-run")  # as if the click had been faster than the answer
    assert program.runner.status(session.session_id) == []


def test_without_bulk_the_button_says_where_to_get_one(session: DCXCache, page: Opened) -> None:
    session.set_dataset(replace(session.need_dataset(), bulk=None), keep_runs=True)
    tab = page()
    assert tab.get("adtd-run", "disabled") is True
    assert "Load one on the Upload page" in tab.get("adtd-reason", "children")
    assert tab.get("adtd-search", "disabled") is True
    tab.set({("adtd-part", "value"): "test"})
    assert tab.get("adtd-run", "disabled") is False


def test_a_bulk_that_lacks_genes_of_the_dtd_run_is_refused_with_their_number(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    bulk = session.need_dataset().bulk
    assert bulk is not None
    kept = bulk.matrix.take(bulk.matrix.genes.difference(runs["dtd"].result.genes[:7], sort=False))
    session.set_dataset(replace(session.need_dataset(), bulk=Bulk(kept, bulk.obs)), keep_runs=True)
    assert "lacks 7 of the 120 genes" in page().get("adtd-reason", "children")


def test_a_loaded_model_has_no_simulated_mixtures(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(
        replace(runs["dtd"], id="model", result=replace(runs["dtd"].result, params=None))
    )
    tab = page()
    assert [o["disabled"] for o in tab.get("adtd-part", "data")] == [False, True, True]
    assert tab.get("adtd-run", "disabled") is False
    tab.set({("adtd-part", "value"): "test"})
    assert "without pseudobulks" in tab.get("adtd-reason", "children")


def test_more_folds_than_samples_disable_the_search_with_the_reason(page: Opened) -> None:
    tab = page()
    tab.set({("adtd-search-folds", "value"): 21})
    assert (tab.get("adtd-search", "disabled"), tab.get("adtd-search-reason", "children")) == (
        True,
        "Folds is 21, but there are only 20 samples.",
    )
    tab.set({("adtd-search-folds", "value"): 5, ("adtd-search-largest", "value"): "1e-30"})
    assert "must be below the largest" in tab.get("adtd-search-reason", "children")


# -- running
# --------------------------------------------------------------------------------------------------
def test_a_run_is_submitted_with_the_form_and_lands_on_its_composition(
    program: Application, session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    tab = page()
    assert not gone(tab, "adtd-composition-empty")
    assert gone(tab, "adtd-run-head")
    tab.set({("adtd-tabs", "value"): "search"})
    tab.set(
        {
            ("adtd-model", "value"): "h,r",
            ("adtd-lambda2", "value"): "1e-7",
            ("adtd-max-iterations", "value"): 5,
            ("adtd-gene-weights", "value"): "inverse",
        }
    )
    tab.click("adtd-run")
    (job,) = program.runner.status(session.session_id)
    assert (job.title, job.kind, dict(job.inputs)) == (
        "Hidden background + gene regulation on bulk",
        "adtd",
        {"dtd": runs["dtd"].id},
    )
    assert job.params == ADTDParams(
        model="h,r", lambda2=1e-7, max_iterations=5, gene_weights="inverse"
    )
    assert program.runner.wait(job.id, 120).state == "done"
    tab.tick()
    assert tab.get("adtd-tabs", "value") == "composition"
    assert not gone(tab, "adtd-run-head")
    assert "Median hidden fraction " in tab.text("adtd-run-answer")
    assert [badge["props"]["children"] for badge in tab.get("adtd-run-badges", "children")] == [
        "Hidden background + gene regulation",
        "λ₂ 1e-7",
        "bulk (20)",
        "120 genes",
        "gene weights 1 / mean(Y)²",
    ]
    assert [
        t["name"]
        for t in tab.get("adtd-composition-figure", "figure")["data"]
        if t.get("type") == "bar"
    ][-1] == "hidden"
    assert "Hidden background + gene regulation" in tab.text("dcx-nav")


def test_a_search_lands_on_its_curve_and_a_choice_becomes_lambda2_with_one_click(
    program: Application, session: DCXCache, page: Opened
) -> None:
    tab = page()
    for name, value in (("smallest", "1e-10"), ("largest", "1e-4"), ("points", 3), ("folds", 2)):
        tab.set({(f"adtd-search-{name}", "value"): value})
    assert tab.get("adtd-search-reason", "children") == "3 values × 2 folds = 6 fits"
    tab.click("adtd-search")
    (job,) = program.runner.status(session.session_id)
    assert (job.title, job.kind, job.params) == (
        "Search λ₂ on bulk",
        "search",
        SearchParams(smallest=1e-10, largest=1e-4, points=3, folds=2),
    )
    assert program.runner.wait(job.id, 120).state == "done"
    tab.tick()
    assert tab.get("adtd-tabs", "value") == "search"
    assert drawn(tab, "search-curve")
    assert "λ₂: minimum at " in tab.text("adtd-search-answer")
    chosen = session.current("search").result.choices["min"]  # type: ignore[union-attr]
    tab.click(each("choice", "min"))
    assert float(tab.get("adtd-lambda2", "value")) == chosen
    assert tab.get("adtd-model", "value") == "h,r"  # without gene regulation there is no λ₂
    assert "is λ₂" in tab.text("adtd-search-choices")
    tab.set({("adtd-lambda2", "value"): "5"})
    tab.click(each("choice", "min"))  # again, after it was edited
    assert float(tab.get("adtd-lambda2", "value")) == chosen


def test_the_same_run_is_not_queued_twice(
    program: Application, session: DCXCache, page: Opened
) -> None:
    tab = page()
    tab.set({("adtd-search-points", "value"): 200})
    tab.click("adtd-search")
    tab.click("adtd-search")
    (job,) = program.runner.status(session.session_id)
    assert any("already waiting or running" in n for n in tab.notices)
    assert program.runner.cancel(job.id)
    program.runner.wait(job.id, 60)
    assert session.current("search") is None


@pytest.mark.parametrize(
    ("tab_name", "button"),
    [("composition", each("start", "composition")), ("hidden", each("start", "hidden"))],
)
def test_empty_states_start_what_fills_them(
    program: Application, session: DCXCache, page: Opened, tab_name: str, button: dict[str, str]
) -> None:
    tab = page()
    tab.set({("adtd-tabs", "value"): tab_name, ("adtd-max-iterations", "value"): 3})
    assert not gone(tab, f"adtd-{tab_name}-empty")
    tab.click(button)
    (job,) = program.runner.status(session.session_id)
    assert job.params == ADTDParams(max_iterations=3)
    program.runner.cancel(job.id)
    program.runner.wait(job.id, 60)


# -- results
# --------------------------------------------------------------------------------------------------
def test_only_the_tab_on_screen_is_computed(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["hr"])
    session.add_run(runs["search"])
    tab = page()
    figures = {
        "composition": "composition-figure",
        "hidden": "hidden",
        "regulation": "regulation",
        "search": "search-curve",
    }
    for number_shown, name in enumerate(TABS, start=1):
        tab.set({("adtd-tabs", "value"): name})
        assert [drawn(tab, f) for f in figures.values()] == [True] * number_shown + [False] * (
            4 - number_shown
        )
    assert all(code in (200, 204) for code in tab.statuses)
    assert not tab.notices


def test_deconomix_h_has_no_regulation_and_the_tab_leads_to_the_model_that_has(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["h"])
    tab = page()
    tab.set({("adtd-tabs", "value"): "regulation"})
    assert not gone(tab, "adtd-regulation-empty")
    assert "“Hidden background” estimates no gene regulation" in tab.text("adtd-regulation-empty")
    tab.click(each("model", "h,r"))
    assert tab.get("adtd-model", "value") == "h,r"


def test_a_previous_run_comes_back_with_its_parameters(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["hr"])
    session.add_run(runs["test"])
    tab = page()
    assert tab.get("adtd-runs-open", "children") == "Previous runs (2)"
    tab.click(each("runs-choose", runs["hr"].id))
    assert session.current("adtd") is not None
    assert session.current("adtd").id == runs["hr"].id  # type: ignore[union-attr]
    shown = {
        n: tab.get(f"adtd-{n}", "value") for n in ("model", "part", "lambda2", "max-iterations")
    }
    assert shown == {"model": "h,r", "part": "bulk", "lambda2": "1e-8", "max-iterations": 20}
    assert "λ₂ 1e-8" in tab.text("adtd-run-badges")


def test_the_l_curve_stands_beside_the_loss_with_genes_and_directions(
    page: Opened, session: DCXCache, runs: dict[str, Run]
) -> None:
    session.add_run(runs["search"])
    tab = page()
    tab.set({("adtd-tabs", "value"): "search"})
    for view in ("path", "figure", "path"):
        tab.set({("adtd-search-view", "value"): view})
        names = [trace.get("name") for trace in tab.get("adtd-search-curve", "figure")["data"]]
        assert ("L-curve" in names) is (view == "path")
    assert {"genes regulated with support", "same direction in both halves"} <= set(names)
    assert "L-curve" in tab.text("adtd-search-answer") or "regulate" in tab.text(
        "adtd-search-answer"
    )
    # a search of an earlier version holds none, and says so
    session.add_run(
        replace(runs["search"], id="old", result=replace(runs["search"].result, path=None))
    )
    tab.set({("dcx-revision", "data"): session.revision})
    fig = tab.get("adtd-search-curve", "figure")
    assert "Search again" in fig["layout"]["annotations"][0]["text"]
    tab.set({("adtd-search-view", "value"): "table"})
    assert len(tab.get("adtd-search-table", "rowData")) == 3


def test_a_previous_search_comes_back_with_its_dataset(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    earlier = replace(
        runs["search"], id="earlier", params=SearchParams(part="test", smallest=1e-6, points=4)
    )
    session.add_run(earlier)
    session.add_run(runs["search"])
    tab = page()
    tab.click(each("searches-choose", "earlier"))
    assert (
        tab.get("adtd-search-smallest", "value"),
        tab.get("adtd-search-points", "value"),
        tab.get("adtd-part", "value"),
    ) == ("1e-6", 4, "test")


def test_results_of_another_dtd_run_are_said_to_be_outdated_and_can_be_run_again(
    program: Application, session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["hr"])
    tab = page()
    assert tab.get("adtd-run-bar", "children") is None
    session.add_run(replace(runs["dtd"], id="newer"))
    tab.tick()
    assert "another DTD run" in tab.text("adtd-run-bar")
    tab.click(each("again", runs["hr"].id))
    (job,) = program.runner.status(session.session_id)
    assert (job.params, dict(job.inputs)) == (runs["hr"].params, {"dtd": "newer"})
    program.runner.cancel(job.id)
    program.runner.wait(job.id, 60)


def test_simulated_mixtures_show_the_truth_beside(
    session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["test"])
    tab = page()
    truth = true_hidden(runs["test"].result)
    assert truth is not None
    np.testing.assert_allclose(truth, runs["test"].result.truth.loc[HIDDEN_TYPE])
    assert f"true fraction {percent(float(truth.median()))}" in tab.text("adtd-run-answer")
    assert "mean correlation with the truth" in tab.text("adtd-run-badges")
    tab.set({("adtd-tabs", "value"): "hidden", ("adtd-hidden-of", "value"): "samples"})
    assert "true fraction" in [t.get("name") for t in tab.get("adtd-hidden", "figure")["data"]]


def test_the_interval_stands_beside_each_hidden_share(
    program: Application, session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["hr"])
    tab = page()
    tab.set(
        {
            ("adtd-tabs", "value"): "hidden",
            ("adtd-hidden-of", "value"): "samples",
            ("adtd-hidden-view", "value"): "table",
        }
    )
    assert [c["headerName"] for c in tab.get("adtd-hidden-table", "columnDefs")] == [
        "Sample",
        "hidden",
        "low",
        "high",
    ]
    tab.click("adtd-hidden-table-csv")
    saved = read(program.files.saved["hidden-fraction"])  # type: ignore[attr-defined]
    result: ADTDResult = runs["hr"].result
    assert result.hidden_interval is not None
    assert saved.index.name == "Sample"
    np.testing.assert_allclose(
        saved["high"], 100 * result.hidden_interval["high"], rtol=1e-14, atol=1e-7
    )
    tab.click("adtd-hidden-table-engine-csv")
    np.testing.assert_array_equal(
        read(program.files.saved["hidden-fraction-engine"])["high"],  # type: ignore[attr-defined]
        result.hidden_interval["high"],
    )
    assert (saved["low"] <= saved["hidden"] + 1e-12).all()
    error = hidden_fraction(result.hidden, result.hidden_interval).data[0].error_y
    np.testing.assert_allclose(
        np.asarray(error.array) + 100 * result.hidden,
        100 * result.hidden_interval["high"],
        atol=1e-3,
    )


def test_saved_tables_are_those_on_screen_in_full_precision(
    program: Application, session: DCXCache, runs: dict[str, Run], page: Opened
) -> None:
    session.add_run(runs["hr"])
    session.add_run(runs["search"])
    tab = page()
    result: ADTDResult = runs["hr"].result
    saved = program.files.saved  # type: ignore[attr-defined]
    tab.set({("adtd-tabs", "value"): "regulation", ("adtd-regulation-view", "value"): "table"})
    assert 0 < len(tab.get("adtd-regulation-table", "rowData")) < len(result.reference)
    shown = [row["c0"] for row in tab.get("adtd-regulation-table", "rowData")]
    tab.click("adtd-regulation-table-csv")
    pd.testing.assert_frame_equal(
        read(saved["gene-regulation"]),
        result.gene_regulation.loc[shown],
        check_names=False,
        atol=1e-9,
    )
    assert (
        f"The {len(shown)} genes shown of {len(result.reference)}"
        in saved["gene-regulation"].decode("utf-8-sig").splitlines()[0]
    )
    tab.click("adtd-regulation-table-engine-csv")
    pd.testing.assert_frame_equal(
        read(saved["gene-regulation-engine"]),
        result.gene_regulation,
        check_names=False,
        check_exact=True,
    )
    tab.click("adtd-regulation-table-tidy-csv")
    tidy = read(saved["gene-regulation-tidy"]).reset_index()
    assert len(tidy) == result.gene_regulation.size
    assert tidy["run"].nunique() == 1
    wide = tidy.pivot(index="gene", columns="cell_type", values="factor")
    pd.testing.assert_frame_equal(
        wide.loc[result.gene_regulation.index, list(result.gene_regulation.columns)],
        result.gene_regulation,
        check_names=False,
        check_exact=True,
    )
    supported = tidy.pivot(index="gene", columns="cell_type", values="supported")
    assert 0 < supported.to_numpy().sum() < supported.size
    tab.click("adtd-regulation-table-book")
    book = pd.read_excel(io.BytesIO(saved["gene-regulation-workbook"]), sheet_name=None)
    assert {"Factor", "Support", "Tidy", "What the numbers are", "Run"} <= set(book)
    assert set(book["Tidy"].columns) == set(book["What the numbers are"]["Column"])
    tab.set({("adtd-regulation-view", "value"): "support"})
    tab.click("adtd-regulation-table-csv2")
    support = read(saved["gene-regulation-support"], sep=";", decimal=",")
    pd.testing.assert_frame_equal(support, result.support.loc[shown], check_names=False, atol=1e-9)
    tab.set({("adtd-tabs", "value"): "search"})
    tab.click("adtd-search-table-csv")
    losses = read(saved["lambda2-search"])
    np.testing.assert_array_equal(
        losses[["fold 1", "fold 2"]].to_numpy().T, runs["search"].result.losses.to_numpy()
    )
    np.testing.assert_allclose(losses.index, runs["search"].result.losses.columns)
    tab.set({("adtd-tabs", "value"): "hidden"})
    tab.click("adtd-hidden-table-xlsx")
    profile = pd.read_excel(io.BytesIO(saved["hidden-profile"]), index_col=0)
    kept = result.hidden_profile.reindex(profile.index)
    np.testing.assert_allclose(profile["hidden background"], 100 * kept, rtol=1e-13, atol=1e-7)
    # the engine's own, as exact as its solver after a few iterations
    np.testing.assert_allclose(kept.sum(), 1.0, atol=1e-3)
