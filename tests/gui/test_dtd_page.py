"""The DTD page, the composition view and Previous runs: through the door, with the real worker."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.dtd import bulk_shown, loss_hint, quality, sentence
from gui.app import Application, create_app
from gui.components.composition_content import (
    Chosen,
    Composition,
    arranged,
    composition_table,
    group_options,
)
from gui.components.runs import describe_params, differing
from gui.config import Config
from gui.data.dataset import Bulk, Dataset, Matrix
from gui.data.example import HIDDEN_TYPE, make_example
from gui.engine.metrics import COLUMNS, compare
from gui.engine.model import model_bytes, read_model
from gui.engine.params import DTDParams
from gui.engine.results import DTDResult, Provenance, Run
from gui.pages import dtd
from gui.pages.dtd.correlation import clicked_dot, correlation_figure
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.kept_files import Kept

LIMIT = 3_000_000
FORM = {
    "genes": 120,
    "iterations": 15,
    "train_mixtures": 40,
    "train_cells": 20,
    "test_mixtures": 30,
    "test_cells": 20,
    "seed": 5,
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("dtd")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def example() -> Dataset:
    return make_example().dataset


@pytest.fixture(scope="module")
def computed(program: Application, example: Dataset) -> Run:
    """One real run, on the example."""
    from gui.engine.tasks import run_dtd

    session = program.sessions.create_session("computed", actor=LOCAL)
    session.set_dataset(example, keep_runs=False)
    job = program.submit(
        run_dtd,
        session.session_id,
        DTDParams(**FORM),
        kind="dtd",
        title="DTD",
        actor=LOCAL,
    )
    assert program.runner.wait(job, 120).state == "done"
    run = session.current("dtd")
    assert run is not None
    return run


@pytest.fixture
def session(program: Application, example: Dataset) -> DCXCache:
    """A new session with the example."""
    made = program.sessions.create_session(
        program.sessions.free_name("test", actor=LOCAL), actor=LOCAL
    )
    made.set_dataset(example, keep_runs=False)
    return made


@pytest.fixture
def page(
    program: Application, session: DCXCache, open_tab: Callable[[Application], Any]
) -> Callable[[], Any]:
    """Opens the DTD page of the session in a new tab."""

    def opened() -> Any:
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        go_to(tab, "dtd")
        return tab

    return opened


def go_to(tab: Any, key: str) -> None:
    """Open a page.

    Dash also calls callbacks of which only the outputs are new: they all listen to the revision.
    """
    tab.go(key)
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})


def other_bulk(data: Dataset, *, genes: int | None = None) -> Dataset:
    """The same cells, half of the samples as a new bulk."""
    assert data.bulk is not None
    matrix = data.bulk.matrix.frame().iloc[:genes, :10] * 2
    names = pd.Index([f"new {i}" for i in range(10)])
    return replace(
        data, bulk=Bulk(Matrix(matrix.to_numpy(), matrix.index, names), pd.DataFrame(index=names))
    )


def hidden(tab: Any, name: str) -> bool:
    return (tab.get(name, "style") or {}).get("display") == "none"


# -- form and run
# --------------------------------------------------------------------------------------------------
def test_without_a_run_the_page_says_what_to_do_next(page: Callable[[], Any]) -> None:
    tab = page()
    assert not hidden(tab, "dtd-empty")
    assert hidden(tab, "dtd-shown")
    assert "Press Run DTD" in tab.text("dcx-outlet")
    assert tab.get("dtd-run", "disabled") is False


def test_the_forms_defaults_are_those_of_the_issue(page: Callable[[], Any]) -> None:
    tab = page()
    assert [
        tab.get(f"dtd-{n}", "value")
        for n in (
            "train-mixtures",
            "train-cells",
            "test-mixtures",
            "test-cells",
            "iterations",
            "genes",
        )
    ] == [
        1000,
        100,
        1000,
        100,
        1000,
        1000,
    ]
    assert tab.get("dtd-run-on-bulk", "checked") is True
    for name, field in DTDParams.model_fields.items():
        assert field.description, name
        assert field.description in tab.text("dcx-outlet"), name  # its tooltip


def test_a_run_lands_on_the_bulks_composition_with_the_answer_first(
    program: Application, session: DCXCache, page: Callable[[], Any]
) -> None:
    tab = page()
    tab.set({(f"dtd-{n.replace('_', '-')}", "value"): v for n, v in FORM.items()})
    tab.click("dtd-run")
    (job,) = program.runner.status(session.session_id)
    assert job.params == DTDParams(**FORM)
    assert program.runner.wait(job.id, 120).state == "done"
    tab.tick()
    assert hidden(tab, "dtd-empty")
    assert not hidden(tab, "dtd-shown")
    headline = tab.get("dtd-answer", "children")["props"]
    assert json.dumps(headline["children"], default=str).count("Mean correlation") == 1
    assert headline["title"].startswith("Mean correlation"), "whole on hover"
    assert "120 genes" in tab.text("dtd-badges")
    assert "seed 5" in tab.text("dtd-badges")
    assert HIDDEN_TYPE in tab.text("dtd-badges")
    assert tab.get("dtd-tabs", "value") == "composition"
    assert tab.get("dtd-composition-part", "value") == "bulk"
    assert len(tab.get("dtd-composition-figure", "figure")["data"]) >= 5
    assert "mean correlation on test" in tab.text("dcx-nav")


def test_without_bulk_a_run_lands_on_the_correlation(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    tab = page()
    session.add_run(
        replace(
            computed,
            result=replace(
                computed.result,
                composition={k: v for k, v in computed.result.composition.items() if k != "bulk"},
            ),
        )
    )
    session.set_dataset(replace(session.need_dataset(), bulk=None), keep_runs=True)
    tab.tick()
    assert tab.get("dtd-tabs", "value") == "correlation"
    assert tab.get("dtd-correlation", "figure")["data"]
    assert hidden(tab, "dtd-stale")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("iterations", "", "Iterations is empty"),
        ("genes", 1, "from 2"),
        ("train-mixtures", 2, "Training pseudobulks is 2"),
    ],
)
def test_a_wrong_parameter_disables_the_button_with_its_reason(
    program: Application,
    session: DCXCache,
    page: Callable[[], Any],
    field: str,
    value: Any,
    words: str,
) -> None:
    tab = page()
    tab.set({(f"dtd-{field}", "value"): value})
    assert tab.get("dtd-run", "disabled") is True
    assert words in tab.get("dtd-reason", "children")
    tab.click("dtd-run")  # as if the click had been faster than the answer
    assert program.runner.status(session.session_id) == []
    assert any(words in n for n in tab.notices)


def test_with_a_loaded_model_dtd_cannot_be_run_and_the_page_says_why(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    model = read_model(model_bytes(computed.result))
    reference = Matrix(model.reference.to_numpy(), model.reference.index, model.reference.columns)
    session.set_dataset(
        Dataset(None, None, reference=reference, bulk=session.need_dataset().bulk), keep_runs=False
    )
    made = Provenance(session.need_dataset().training_id, "")
    session.add_run(
        Run("model", "dtd", "Trained model", datetime.now(UTC), DTDParams(), model, made)
    )
    tab = page()
    assert tab.get("dtd-run", "disabled") is True
    assert "no single cells to train on" in tab.get("dtd-reason", "children")
    assert "Trained model with 120 genes and 5 cell types" in tab.text("dtd-answer")
    assert tab.get("dtd-apply", "children") == "Compute for the bulk"
    for name, missing in (("correlation", "dtd-correlation-missing"), ("loss", "dtd-loss-missing")):
        tab.set({("dtd-tabs", "value"): name})
        assert not hidden(tab, missing)
    assert not tab.notices


def test_the_same_run_is_not_queued_twice(
    program: Application, session: DCXCache, page: Callable[[], Any]
) -> None:
    tab = page()
    tab.set({("dtd-iterations", "value"): 100_000})
    tab.click("dtd-run")
    tab.click("dtd-run")
    (job,) = program.runner.status(session.session_id)
    assert "DTD is already running with these parameters." in tab.notices
    assert program.runner.cancel(job.id)
    program.runner.wait(job.id, 30)
    assert session.current("dtd") is None


# -- bulk
# --------------------------------------------------------------------------------------------------
def test_a_replaced_bulk_is_said_to_be_outdated_and_is_recomputed_on_click(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    session.set_dataset(other_bulk(session.need_dataset()), keep_runs=True)
    tab = page()
    assert not hidden(tab, "dtd-stale")
    assert "outdated" in tab.get("dtd-stale-text", "children")
    assert tab.get("dtd-apply", "children") == "Recompute for the new bulk"
    tab.click("dtd-apply")
    job = program.runner.status(session.session_id)[-1]
    assert (job.kind, dict(job.inputs)) == ("apply", {"dtd": computed.id})
    assert program.runner.wait(job.id, 60).state == "done"
    tab.tick()
    assert hidden(tab, "dtd-stale")
    assert list(bulk_shown(session, computed).composition.columns) == [
        f"new {i}" for i in range(10)
    ]  # type: ignore[union-attr]
    assert "new 3" in json.dumps(tab.get("dtd-composition-sample", "data"))
    pd.testing.assert_frame_equal(
        session.current("dtd").result.composition["bulk"], computed.result.composition["bulk"]
    )  # type: ignore[union-attr]


def test_a_bulk_without_some_genes_of_the_run_is_told_with_their_number_and_offers_no_button(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    session.set_dataset(other_bulk(session.need_dataset(), genes=150), keep_runs=True)
    lacking = len(set(computed.result.genes) - set(session.need_dataset().bulk.matrix.genes))  # type: ignore[union-attr]
    assert lacking > 1
    tab = page()
    assert f"lacks {lacking} genes" in tab.get("dtd-stale-text", "children")
    assert hidden(tab, "dtd-apply")


def test_results_of_an_earlier_bulk_take_no_groups_from_the_present_one(
    session: DCXCache, computed: Run
) -> None:
    session.add_run(computed)
    fitting = bulk_shown(session, computed)
    assert fitting.fits
    assert not fitting.words
    session.set_dataset(replace(session.need_dataset(), bulk=None), keep_runs=True)
    assert "removed" in bulk_shown(session, computed).words


# -- the answer
# --------------------------------------------------------------------------------------------------
def metrics(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame([(p, m, t, r, r, 0.1, r) for p, m, t, r in rows], columns=COLUMNS)


def test_the_sentence_names_the_mean_naive_and_the_lowest_type(computed: Run) -> None:
    found = metrics(
        ("test", "dtd", "B", 0.9),
        ("test", "dtd", "mDC", 0.42),
        ("test", "naive", "B", 0.7),
        ("test", "naive", "mDC", 0.5),
        ("train", "dtd", "B", 1.0),
    )
    assert (
        sentence(replace(computed.result, metrics=found))
        == "Mean correlation 0.66 on test pseudobulks (Naive 0.60); lowest: mDC 0.42."
    )


def test_without_test_mixtures_the_sentence_says_training(computed: Run) -> None:
    found = metrics(("train", "dtd", "B", 0.9), ("train", "naive", "B", 0.7))
    assert "on training pseudobulks" in sentence(replace(computed.result, metrics=found))


def test_types_without_a_correlation_are_left_out_of_the_mean(computed: Run) -> None:
    found = quality(
        replace(
            computed.result,
            metrics=metrics(("test", "dtd", "B", 0.5), ("test", "dtd", "T", float("nan"))),
        )
    )
    assert found is not None
    assert (found.mean, found.lowest) == (0.5, "B")


# -- tabs
# --------------------------------------------------------------------------------------------------
def test_only_the_tab_on_screen_is_computed(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    drawn = {
        n: bool((tab.get(f"dtd-{n}", "figure") or {}).get("data"))
        for n in ("composition-figure", "correlation", "markers", "loss")
    }
    assert drawn == {
        "composition-figure": True,
        "correlation": False,
        "markers": False,
        "loss": False,
    }
    tab.set({("dtd-tabs", "value"): "loss"})
    assert tab.get("dtd-loss", "figure")["data"]
    assert not tab.get("dtd-markers", "figure")["data"]


def test_a_click_on_a_dot_shows_the_scatter_of_that_type_part_and_method(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-tabs", "value"): "correlation"})
    traces = tab.get("dtd-correlation", "figure")["data"]
    curve = next(i for i, t in enumerate(traces) if t.get("name") == "Naive, training")
    tab.set(
        {("dtd-correlation", "clickData"): {"points": [{"curveNumber": curve, "x": 0.9, "y": 2.1}]}}
    )
    assert tab.get("dtd-scatter-dialog", "opened") is True
    assert (
        tab.get("dtd-scatter-type", "value"),
        tab.get("dtd-scatter-part", "value"),
        tab.get("dtd-scatter-method", "value"),
    ) == (
        "Monocytes",
        "train",
        "naive",
    )
    assert len(tab.get("dtd-scatter", "figure")["data"]) >= 2
    assert tab.get("dtd-correlation", "clickData") is None  # the same dot can be clicked again


def test_every_dot_leads_to_its_own_part_and_method(computed: Run) -> None:
    for number, trace in enumerate(correlation_figure(computed.result, "pearson").data):
        if trace.name is None:
            continue
        found = clicked_dot(
            computed.result, "pearson", {"points": [{"curveNumber": number, "y": 0}]}
        )
        assert found is not None
        method, part = str(trace.name).split(", ")
        assert found[1:] == ({"training": "train", "test": "test"}[part], method.lower())


def test_saved_gene_weights_are_the_engines(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.click("dtd-weights-csv")
    saved = saved_table(program, "dtd_gene_weights")[1]
    assert len(saved) == len(computed.result.genes)
    weights = saved["Gene weight"].reindex(computed.result.genes).to_numpy(dtype=np.float32)
    np.testing.assert_array_equal(weights, computed.result.gene_weights.to_numpy())


def test_the_saved_model_reads_back_as_the_run(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.click("dtd-save")
    model = read_model(program.files.saved["Example-dtd.dcxmodel"])  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(model.reference, computed.result.reference, check_names=False)
    np.testing.assert_array_equal(
        model.gene_weights.to_numpy(), computed.result.gene_weights.to_numpy()
    )


# -- composition
# --------------------------------------------------------------------------------------------------
def test_the_saved_composition_is_the_one_on_screen_and_the_engines_beside_it(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-composition-view", "value"): "table"})
    assert tab.get("dtd-composition-shares", "checked") is True
    types = [
        c["field"]
        for c in tab.get("dtd-composition-table", "columnDefs")
        if c["headerName"] in computed.result.reference.columns
    ]
    assert all(
        abs(sum(row[t] for t in types) - 100) < 0.2
        for row in tab.get("dtd-composition-table", "rowData")
    )
    tab.click("dtd-composition-table-csv")
    line, saved = saved_table(program, "dtd_composition_bulk")
    assert line.startswith("# RNA fraction (%) of the estimated total")
    assert saved.index.name == "Sample"
    assert_as_on_screen(tab, "dtd-composition-table", saved)
    tab.set(
        {
            ("dtd-composition-shares", "checked"): False,
            ("dtd-composition-sort", "value"): "type:B cells",
        }
    )
    tab.click("dtd-composition-table-csv")
    line, saved = saved_table(program, "dtd_composition_bulk")
    assert "as estimated" in line
    assert "sorted by B cells" in line
    assert list(saved["B cells"]) == sorted(saved["B cells"], reverse=True)
    assert_as_on_screen(tab, "dtd-composition-table", saved)
    tab.click("dtd-composition-table-engine-csv")
    line, saved = saved_table(program, "dtd_composition_bulk-engine")
    assert "with full precision: 1 is 100 %" in line
    assert saved.index.name == "cell type"
    pd.testing.assert_frame_equal(saved, computed.result.composition["bulk"], check_names=False)
    assert abs(saved.sum() - 1).max() > 1e-3  # not normalised
    tab.click("dtd-composition-table-engine-xlsx")
    book = pd.read_excel(
        io.BytesIO(program.files.saved["dtd_composition_bulk-engine"]),  # type: ignore[attr-defined]
        sheet_name=None,
        index_col=0,
        header=0,
    )
    pd.testing.assert_frame_equal(
        book["Table"], computed.result.composition["bulk"], check_names=False
    )
    assert "full precision" in book["About"].index.name


def test_a_composition_is_saved_tidy_and_as_a_workbook_and_copied(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-composition-view", "value"): "table"})
    whole = computed.result.composition["bulk"]
    for _ in range(2):  # every control twice
        tab.click("dtd-composition-table-tidy-csv")
        line, tidy = saved_table(program, "dtd_composition_bulk-tidy")
        assert "One row per sample and cell type" in line
        wide = tidy.reset_index().pivot(index="cell_type", columns="sample", values="fraction")
        expected = whole / whole.sum()
        pd.testing.assert_frame_equal(
            wide.loc[whole.index, whole.columns], expected, check_names=False
        )
        assert set(tidy["run"].str[:7]) == {"DTD run"}
        tab.click("dtd-composition-table-book")
        book = pd.read_excel(
            io.BytesIO(program.files.saved["dtd_composition_bulk-workbook"]),  # type: ignore[attr-defined]
            sheet_name=None,
            index_col=0,
        )
        assert list(book) == ["Composition", "Tidy", "What the numbers are", "Run", "About"]
        assert book["Run"].at["DeconomiX GUI", "Value"]
        tab.click("dtd-composition-table-copy")
        copied = tab.get("dcx-clipboard", "data")["text"].splitlines()
        assert len(copied) == 1 + whole.shape[1]
        tab.click("dtd-composition-table-code")
        assert tab.get("dcx-code", "opened") is True
        assert "dtd_composition_bulk-tidy.csv" in tab.get("dcx-code-r", "children")
        tab.set({("dcx-code", "opened"): False})


def saved_table(program: Application, name: str, **options: Any) -> tuple[str, pd.DataFrame]:
    """The line that says what the file holds, and the table as pandas reads it."""
    data = program.files.saved[name]  # type: ignore[attr-defined]
    line = data.decode("utf-8-sig").splitlines()[0]
    return line, pd.read_csv(
        io.BytesIO(data), skiprows=1, index_col=0, float_precision="round_trip", **options
    )


def assert_as_on_screen(tab: Any, grid: str, saved: pd.DataFrame) -> None:
    """Headers, rows and their order, and the numbers to the four digits of the screen."""
    columns, rows = tab.get(grid, "columnDefs"), tab.get(grid, "rowData")
    assert [saved.index.name, *saved.columns] == [c["headerName"] for c in columns]
    assert [str(v) for v in saved.index] == [row["c0"] for row in rows]
    for at, name in enumerate(saved.columns, start=1):
        shown = [row[f"c{at}"] for row in rows]
        if pd.api.types.is_numeric_dtype(saved[name]):
            np.testing.assert_allclose(
                saved[name].to_numpy(), np.array(shown, dtype=float), rtol=1e-3
            )
        else:
            assert [None if pd.isna(v) else str(v) for v in saved[name]] == shown


def test_the_saved_table_follows_sorting_filtering_and_moved_columns_of_the_grid(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-composition-view", "value"): "table"})
    shown = [row["c0"] for row in tab.get("dtd-composition-table", "rowData")]
    fields = [c["field"] for c in tab.get("dtd-composition-table", "columnDefs")][1:]
    tab.set(
        {("dtd-composition-table-screen", "data"): {"rows": [4, 2, 7], "columns": fields[::-1]}}
    )
    tab.click("dtd-composition-table-csv")
    line, saved = saved_table(program, "dtd_composition_bulk")
    assert list(saved.index) == [shown[i] for i in (4, 2, 7)]
    assert "3 of 20 rows" in line
    names = [c["headerName"] for c in tab.get("dtd-composition-table", "columnDefs")][1:]
    assert list(saved.columns) == names[::-1]
    for wrong in (
        {"rows": [99], "columns": ["c1"]},
        {"rows": "all", "columns": None},
        {"rows": [True]},
        ["rows"],
    ):
        tab.set({("dtd-composition-table-screen", "data"): wrong})
        tab.click("dtd-composition-table-csv")
        assert len(saved_table(program, "dtd_composition_bulk")[1]) == len(shown)


def test_every_table_of_the_page_is_saved_as_shown(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-tabs", "value"): "correlation", ("dtd-correlation-view", "value"): "table"})
    assert "RMSE (percentage points)" in [
        c["headerName"] for c in tab.get("dtd-metrics", "columnDefs")
    ]
    (field,) = [
        c["field"]
        for c in tab.get("dtd-metrics", "columnDefs")
        if c["headerName"] == "RMSE (percentage points)"
    ]
    shown = sorted(row[field] for row in tab.get("dtd-metrics", "rowData"))
    np.testing.assert_allclose(shown, sorted(computed.result.metrics["rmse"] * 100), rtol=1e-3)
    tab.click("dtd-metrics-csv")
    assert_as_on_screen(tab, "dtd-metrics", saved_table(program, "dtd_metrics")[1])
    tab.click("dtd-metrics-engine-csv")
    raw = saved_table(program, "dtd_metrics-engine")[1]
    np.testing.assert_array_equal(raw["rmse"], computed.result.metrics["rmse"])
    tab.set({("dtd-tabs", "value"): "markers", ("dtd-markers-view", "value"): "table"})
    tab.click("dtd-weights-csv")
    assert_as_on_screen(tab, "dtd-weights", saved_table(program, "dtd_gene_weights")[1])


def test_what_rounding_leaves_is_shown_and_saved_as_nothing(
    program: Application, session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    frame = computed.result.composition["bulk"].copy()
    frame.iloc[0, 0], frame.iloc[1, 0], frame.iloc[0, 1] = 4.06e-17, 3e-5, -2e-18
    session.add_run(
        replace(
            computed,
            id="tiny",
            result=replace(
                computed.result, composition={**computed.result.composition, "bulk": frame}
            ),
        )
    )
    tab = page()
    tab.set(
        {("dtd-composition-view", "value"): "table", ("dtd-composition-shares", "checked"): False}
    )
    rows = tab.get("dtd-composition-table", "rowData")
    assert [rows[0]["c1"], rows[1]["c1"]] == [0, 0]
    assert rows[0]["c2"] == pytest.approx(0.003)
    assert "< 0.01" in str(tab.get("dtd-composition-table", "columnDefs")[2]["valueFormatter"])
    tab.click("dtd-composition-table-csv")
    assert saved_table(program, "dtd_composition_bulk")[1].iloc[0, 0] == 0
    tab.click("dtd-composition-table-engine-csv")
    assert saved_table(program, "dtd_composition_bulk-engine")[1].iloc[0, 0] == 4.06e-17
    tab.set({("dtd-composition-view", "value"): "bars"})
    bars = [t for t in tab.get("dtd-composition-figure", "figure")["data"] if t["type"] == "bar"]
    assert "%{y:.2f}" in bars[1]["hovertemplate"]  # 0.00, not 0.003


def test_the_axis_says_rna_fraction_and_which_of_the_two(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    title = lambda: tab.get("dtd-composition-figure", "figure")["layout"]["yaxis"]["title"]["text"]  # noqa: E731
    assert "RNA fraction" in title()
    assert "of the estimated total" in title()
    tab.set({("dtd-composition-shares", "checked"): False})
    assert "as estimated" in title()
    assert "not calibrated" in tab.text("dcx-outlet")


def test_a_click_on_a_bar_shows_that_sample_whatever_the_order(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set(
        {
            ("dtd-composition-sort", "value"): "type:T cells",
            ("dtd-composition-group", "value"): "column:group",
        }
    )
    found = Composition(computed.result.composition["bulk"], groups=session.need_dataset().bulk.obs)  # type: ignore[union-attr]
    order = arranged(found, Chosen("bars", "type:T cells", "column:group", True))
    assert order.samples != list(map(str, found.frame.columns))
    tab.set(
        {
            ("dtd-composition-figure", "clickData"): {
                "points": [{"x": int(order.positions[13]), "y": 10}]
            }
        }
    )
    assert tab.get("dtd-composition-dialog", "opened") is True
    assert tab.get("dtd-composition-sample", "value") == order.samples[13]
    assert tab.get("dtd-composition-single", "figure")["data"]


def test_the_choices_survive_leaving_the_page_and_another_part_has_its_own_orders(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-composition-sort", "value"): "type:T cells"})
    tab.set({("dtd-composition-part", "value"): "test"})
    tab.go("upload")
    go_to(tab, "dtd")
    assert tab.get("dtd-composition-part", "value") == "test"
    assert tab.get("dtd-composition-sort", "value") == "type:T cells"
    assert hidden(tab, "dtd-composition-groups")  # mixtures have no groups


def test_columns_that_do_not_group_are_not_offered() -> None:
    samples = [f"s{i}" for i in range(6)]
    groups = pd.DataFrame(
        {"arm": list("aabbab"), "name": samples, "same": ["x"] * 6}, index=samples
    )
    found = Composition(
        pd.DataFrame(np.ones((2, 6)), index=["B", "T"], columns=samples), groups=groups
    )
    assert [o["value"] for o in group_options(found)] == ["none", "column:arm"]


def test_the_table_follows_the_order_of_the_figure() -> None:
    frame = pd.DataFrame(
        [[0.1, 0.3, 0.2], [0.9, 0.7, 0.8]], index=["B", "T"], columns=["x", "y", "z"]
    )
    table = composition_table(Composition(frame), Chosen("table", "type:B"))
    assert [row["c0"] for row in table.rows] == ["y", "z", "x"]


# -- previous runs
# --------------------------------------------------------------------------------------------------
def test_a_click_brings_a_run_back_with_its_parameters_in_the_form(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    session.add_run(
        replace(computed, id="later", params=DTDParams(**{**FORM, "genes": None, "iterations": 99}))
    )
    tab = page()
    assert tab.get("dtd-runs-open", "children") == "Previous runs (2)"
    listed = tab.text("dtd-runs-list")
    assert "Number of genes all · Iterations 99" in listed
    assert "Number of genes 120 · Iterations 15" in listed
    assert "Seed" not in listed  # does not differ
    tab.click({"page": "dtd", "part": "runs-choose", "index": computed.id})
    assert session.current("dtd") is computed
    assert [tab.get(f"dtd-{n.replace('_', '-')}", "value") for n in FORM] == list(FORM.values())
    assert session.form("dtd")["iterations"] == 15
    tab.click({"page": "dtd", "part": "runs-choose", "index": "later"})
    assert tab.get("dtd-genes", "value") == ""


def test_a_run_brought_back_refills_a_form_edited_since(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    session.add_run(computed)
    tab = page()
    choose = {"page": "dtd", "part": "runs-choose", "index": computed.id}
    tab.click(choose)
    first = tab.get("dtd-fill", "data")
    tab.set({("dtd-iterations", "value"): 77})
    tab.click(choose)
    assert tab.get("dtd-iterations", "value") == 15
    assert tab.get("dtd-fill", "data") != first  # an unchanged Store would not fire in a browser


def test_parameters_that_differ_are_named_and_all_of_them_when_none_does() -> None:
    one, two = DTDParams(), DTDParams(seed=2, run_on_bulk=False)
    assert differing([one, two]) == ["run_on_bulk", "seed"]
    assert describe_params(two, ["run_on_bulk", "seed"]) == "Run on bulk no · Seed 2"
    assert differing([one]) == list(DTDParams.model_fields)


def test_a_view_chosen_at_once_after_coming_back_to_the_tab_stays(
    session: DCXCache, computed: Run, page: Callable[[], Any]
) -> None:
    """The click comes before the answer that offers the tab's controls, and the session does not
    know of it yet.
    """
    session.add_run(computed)
    tab = page()
    tab.set({("dtd-tabs", "value"): "loss"})
    tab.values["dtd-composition-view", "value"] = "table"
    tab.set({("dtd-tabs", "value"): "composition"})
    assert tab.get("dtd-composition-view", "value") == "table"


# -- size
# --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def large() -> DTDResult:
    """1000 mixtures of each part and 1000 bulk samples, 30 cell types, 3000 genes."""
    random = np.random.default_rng(0)
    types = [f"Cell type with a long name {i:02}" for i in range(30)]
    genes = pd.Index([f"ENSG{i:011}" for i in range(3000)])
    names = {
        "train": [str(i) for i in range(1000)],
        "test": [str(i) for i in range(1000)],
        "bulk": [f"TCGA-{i:04}-sample-with-a-name" for i in range(1000)],
    }
    frames = {
        p: pd.DataFrame(random.dirichlet(np.ones(30), 1000).T, index=types, columns=n)
        for p, n in names.items()
    }
    truth = {p: frames[p] for p in ("train", "test")}
    rows = [compare(p, m, truth[p], frames[p]) for p in truth for m in ("dtd", "naive")]
    return DTDResult(
        reference=pd.DataFrame(random.lognormal(size=(3000, 30)), index=genes, columns=types),
        gene_weights=pd.Series(random.random(3000).astype(np.float32), index=genes),
        loss=random.random(1000),
        correlation=pd.DataFrame(random.random((1000, 30)), columns=types),
        composition=frames,
        naive=frames,
        truth=truth,
        metrics=pd.concat(rows, ignore_index=True)[COLUMNS],
        params=DTDParams(),
    )


def test_no_tab_sends_more_than_3_mb_for_1000_samples_and_30_types(
    session: DCXCache, computed: Run, large: DTDResult, page: Callable[[], Any]
) -> None:
    session.add_run(replace(computed, result=large))
    tab = page()
    sent: list[int] = []
    post = tab.client.post

    def counted(*args: Any, **kwargs: Any) -> Any:
        answer = post(*args, **kwargs)
        sent.append(len(answer.data))
        return answer

    tab.client.post = counted

    def size(*changes: tuple[str, str, Any]) -> int:
        sent.clear()
        tab.set({(i, p): v for i, p, v in changes})
        return sum(sent)

    assert tab.get("dtd-composition-view", "value") == "heatmap"  # many samples
    sizes = {}
    for part in ("test", "train", "bulk"):
        sizes[part] = size(("dtd-composition-part", "value", part))
        for look in ("bars", "heatmap", "table"):
            sizes[f"{part} {look}"] = size(("dtd-composition-view", "value", look))
    for name in ("correlation", "loss", "markers"):
        sizes[name] = size(("dtd-tabs", "value", name))
    sizes["markers 500"] = size(("dtd-markers-n", "value", 500))
    sizes["gene weights"] = size(("dtd-markers-view", "value", "table"))
    assert {k: s for k, s in sizes.items() if not 1_000 < s < LIMIT} == {}


def test_the_page_is_found_between_upload_and_adtd(program: Application) -> None:
    keys = [p.key for p in program.registry.pages]
    assert keys.index("upload") < keys.index("dtd") < keys.index("adtd")
    assert dtd.page.requires == ("dataset",)


def test_the_loss_tab_asks_for_more_iterations_only_while_the_mean_still_rises() -> None:
    steps = np.arange(1000)
    curves = {"level": 0.998 - 0.04 * np.exp(-steps / 30), "rising": 0.2 + 0.0005 * steps}
    assert "Level at the end" in loss_hint(
        pd.DataFrame({"a": curves["level"], "b": curves["level"] - 0.01})
    )
    assert "Still rising" in loss_hint(pd.DataFrame({"a": curves["rising"]}))
    for frame in (pd.DataFrame({"a": [0.1, 0.9]}), pd.DataFrame({"a": np.full(100, np.nan)})):
        assert loss_hint(frame) == "On the training pseudobulks."


def test_a_long_cell_type_is_cut_in_the_answer() -> None:
    name = "CD8+ effector memory, exhausted-like, annotated by hand (version 2)"
    rows = [
        {"part": "test", "method": m, "cell_type": name, "pearson": 0.5} for m in ("dtd", "naive")
    ]
    result = SimpleNamespace(metrics=pd.DataFrame(rows))
    assert name not in sentence(result)
    assert name[:20] in sentence(result)
