"""The tasks on small data: what they give, that they can be cancelled anywhere, and that they leave
no trace.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Bulk, Matrix
from gui.data.normalize import prepare
from gui.engine import tasks
from gui.engine.compute_settings import ComputeSettings, set_compute_settings
from gui.engine.params import ADTDParams, ApplyParams, DTDParams, SearchParams
from gui.engine.search import SEARCHING
from gui.errors import EngineFailed, InvalidParameter, JobCancelled, MissingGenes, MissingPart


@pytest.fixture(params=["fast", "stock"], autouse=True)
def engine(request):
    """Every promise holds with either engine."""
    set_compute_settings(ComputeSettings(request.param))
    return request.param


only_stock = pytest.mark.parametrize("engine", ["stock"], indirect=True)
"""For tests that reach into stock; test_fast_adtd.py has them for the fast engine."""


# ---------------------------------------------------------------------------------------------- DTD
def test_dtd_reports_its_stages_and_a_true_fraction(dataset, quick, recorder):
    seen = recorder()
    result = tasks.run_dtd(dataset, quick, progress=seen)
    assert seen.stages == [
        "Preparing",
        "Simulating pseudobulks",
        "Learning gene weights",
        "Estimating compositions",
    ]
    learning = [r for r in seen.reports if r[0] == "Learning gene weights"]
    assert [r[2] for r in learning] == list(range(1, 21))
    assert all(r[3] == 20 for r in learning)
    assert [r[1] for r in learning] == sorted(r[1] for r in learning)
    np.testing.assert_allclose([r[4] for r in learning], result.loss)


def test_dtd_result_holds_every_part_with_names(dataset, trained):
    assert list(trained.composition) == list(trained.naive) == ["train", "test", "bulk"]
    assert list(trained.composition["bulk"].columns) == dataset.bulk.samples
    assert list(trained.truth["train"].index) == ["T0", "T1", "T2", "T3"]
    assert list(trained.truth["test"].index) == [
        "T0",
        "T1",
        "T2",
        "T3",
        "T4",
    ], "the type the reference lacks stays in the test pseudobulks"
    assert trained.correlation.shape == (20, 4)
    np.testing.assert_allclose(-trained.correlation.sum(axis=1), trained.loss, rtol=1e-5)
    assert trained.gene_weights.dtype == np.float32
    assert trained.gene_weights.sum() == pytest.approx(50, rel=1e-4)
    assert len(trained.metrics) == 2 * 2 * 4
    assert trained.params.genes == 50


def test_bulk_is_left_out_when_not_asked_for(dataset, quick, recorder):
    result = tasks.run_dtd(
        dataset, quick.model_copy(update={"run_on_bulk": False}), progress=recorder()
    )
    assert set(result.composition) == {"train", "test"}


def test_without_test_cells_only_the_training_mixtures_are_judged(dataset, quick, recorder):
    result = tasks.run_dtd(replace(dataset, test=None), quick, progress=recorder())
    assert set(result.composition) == {"train", "bulk"}
    assert set(result.metrics["part"]) == {"train"}


def test_naive_learns_nothing(dataset, quick, recorder):
    seen = recorder()
    result = tasks.run_naive(dataset, quick, progress=seen)
    assert "Learning gene weights" not in seen.stages
    assert (result.gene_weights == 1).all()
    assert len(result.loss) == 0
    assert set(result.metrics["method"]) == {"naive"}


def test_without_training_cells_dtd_says_so(dataset, quick, recorder):
    with pytest.raises(MissingPart, match="train"):
        tasks.run_dtd(replace(dataset, train=None), quick, progress=recorder())


def test_types_with_few_cells_are_named(dataset, quick, recorder):
    train = dataset.train
    keep = np.ones(len(train.labels), dtype=bool)
    keep[np.flatnonzero(train.labels == "T2")[3:]] = False
    result = tasks.run_dtd(replace(dataset, train=train.where(keep)), quick, progress=recorder())
    assert any("T2" in note and "training cells" in note for note in result.notes)


def test_type_that_never_varies_in_the_mixtures_is_refused_with_its_name(dataset, quick, recorder):
    train = dataset.train
    keep = np.ones(len(train.labels), dtype=bool)
    keep[np.flatnonzero(train.labels == "T2")[1:]] = False
    with pytest.raises(InvalidParameter, match="T2"):
        tasks.run_dtd(
            replace(dataset, train=train.where(keep)),
            quick.model_copy(update={"train_mixtures": 3, "train_cells": 1}),
            progress=recorder(),
        )


def test_simulation_beyond_the_memory_is_refused_in_gigabytes(dataset, quick, recorder):
    with pytest.raises(InvalidParameter, match=r"\d GB of memory") as refused:
        tasks.run_dtd(
            dataset,
            quick.model_copy(update={"train_mixtures": 100_000, "train_cells": 100_000}),
            progress=recorder(),
        )
    assert "Lower" in refused.value.advice


# --------------------------------------------------------------------------------------------- ADTD
@pytest.mark.parametrize("part", ["train", "test", "bulk"])
@pytest.mark.parametrize("model", ["h", "h,r", "custom"])
def test_adtd_gives_shares_with_sample_names(dataset, trained, recorder, part, model):
    seen = recorder()
    params = ADTDParams(model=model, part=part, c_static=False, lambda1=1e-6, max_iterations=5)
    result = tasks.run_adtd(dataset, params, progress=seen, dtd=trained)
    names = (
        dataset.bulk.samples
        if part == "bulk"
        else [str(i) for i in range(40 if part == "train" else 30)]
    )
    assert list(result.full().columns) == names
    assert list(result.hidden_interval.index) == names
    np.testing.assert_allclose(result.full().sum(), 1, atol=1e-6)
    assert result.hidden_profile.sum() == pytest.approx(1, abs=1e-3)
    assert (result.gene_regulation is None) == (model == "h")
    assert (result.support is None) == (model == "h")
    assert (result.truth is None) == (part == "bulk")
    assert len(result.loss) >= 2
    assert {r[3] for r in seen.reports} <= {
        None,
        5,
        1000,
    }, "the limit is the run's or that of the first step"
    assert all(r[1] is None for r in seen.reports), "the end is not known, so no fraction"


@pytest.mark.parametrize("engine", ["fast"], indirect=True)  # as the run it is compared with
@pytest.mark.parametrize("part", ["train", "test"])
def test_mixtures_drawn_again_are_the_same_to_the_bit(dataset, trained, recorder, part):
    from gui.engine.dtd import estimate

    again = tasks.draw(prepare(dataset, genes=trained.genes), trained.params, part)
    assert again.truth.equals(trained.truth[part])
    assert estimate(trained.reference, again.bulk, trained.gene_weights).equals(
        trained.composition[part]
    )


def test_custom_with_everything_static_equals_h(dataset, trained, recorder):
    h = tasks.run_adtd(dataset, ADTDParams(model="h"), progress=recorder(), dtd=trained)
    custom = tasks.run_adtd(
        dataset,
        ADTDParams(model="custom", c_static=True, delta_static=True),
        progress=recorder(),
        dtd=trained,
    )
    assert custom.full().equals(h.full())
    assert custom.gene_regulation is None


def test_adtd_without_a_dtd_run_says_what_is_missing(dataset, recorder):
    with pytest.raises(MissingPart, match="DTD run"):
        tasks.run_adtd(dataset, ADTDParams(), progress=recorder())
    with pytest.raises(MissingPart, match="bulk"):
        tasks.run_adtd(
            replace(dataset, bulk=None),
            ADTDParams(),
            progress=recorder(),
            dtd=object.__new__(_Bare),
        )


class _Bare:
    scale = 10_000.0


def test_simulated_parts_do_not_care_about_the_bulk(dataset, trained, recorder):
    without = tasks.run_adtd(
        replace(dataset, bulk=None), ADTDParams(part="test"), progress=recorder(), dtd=trained
    )
    assert without.full().equals(
        tasks.run_adtd(dataset, ADTDParams(part="test"), progress=recorder(), dtd=trained).full()
    )


def test_bulk_without_the_models_genes_is_refused(dataset, trained, recorder):
    lacking = dataset.bulk.matrix.take(dataset.bulk.matrix.genes.difference([trained.genes[0]]))
    poorer = replace(dataset, bulk=Bulk(lacking, dataset.bulk.obs))
    for task, params in (
        (tasks.run_adtd, ADTDParams()),
        (tasks.run_search, SearchParams()),
        (tasks.run_apply, ApplyParams()),
    ):
        with pytest.raises(MissingGenes, match=str(trained.genes[0])):
            task(poorer, params, progress=recorder(), dtd=trained)


def test_one_sample_can_be_deconvolved(dataset, trained, recorder):
    bulk = Bulk(dataset.bulk.matrix.where(np.arange(8) == 3), pd.DataFrame(index=range(1)))
    result = tasks.run_adtd(
        replace(dataset, bulk=bulk), ADTDParams(model="h,r"), progress=recorder(), dtd=trained
    )
    assert list(result.full().columns) == ["sample D"]


def test_reaching_the_iteration_limit_is_said(dataset, trained, recorder):
    short = tasks.run_adtd(
        dataset,
        ADTDParams(model="custom", c_static=False, lambda1=0.0, max_iterations=1),
        progress=recorder(),
        dtd=trained,
    )
    assert any("still falling after 1 iterations" in note for note in short.notes)


def test_bulk_that_the_reference_explains_completely_is_refused_in_words(recorder):
    from gui.engine.adtd import deconvolve

    reference = pd.DataFrame([[1.0, 0], [0, 1], [1, 0], [0, 1]], columns=["a", "b"])
    bulk = pd.DataFrame({"s": [1.0, 1, 1, 1]})
    weights = pd.Series(1.0, index=reference.index)
    with pytest.raises(EngineFailed, match="no hidden background"):
        deconvolve(
            reference,
            bulk,
            weights,
            lambda1=None,
            lambda2=1e-9,
            max_iterations=9,
            c_static=True,
            delta_static=True,
            progress=recorder(),
        )


@only_stock
def test_solver_without_a_solution_becomes_a_sentence(dataset, trained, recorder, monkeypatch):
    from gui.engine import stock

    real = stock.methods.solve_qp
    monkeypatch.setattr(
        stock.methods,
        "solve_qp",
        lambda *a, solver, **k: None if solver == "clarabel" else real(*a, solver=solver, **k),
    )
    with pytest.raises(EngineFailed, match="gene regulation"):
        tasks.run_adtd(dataset, ADTDParams(model="h,r"), progress=recorder(), dtd=trained)
    # the control: h does not ask Clarabel
    tasks.run_adtd(dataset, ADTDParams(model="h"), progress=recorder(), dtd=trained)


@pytest.mark.parametrize(
    "error",
    [np.linalg.LinAlgError("Singular matrix"), RuntimeError("nnls gave up"), ValueError("NaN")],
)
def test_failures_of_the_engine_are_plain(error):
    from gui.engine.stock import stock_engine

    with pytest.raises(EngineFailed) as failed, stock_engine():
        raise error
    assert str(error) not in str(failed.value)
    assert failed.value.__cause__ is error
    assert failed.value.advice


# ------------------------------------------------------------------------------------------ weights
def test_inverse_weights_are_those_of_the_search(dataset, trained, recorder):
    from gui.engine.stock import hps, stock_engine

    result = tasks.run_adtd(
        dataset, ADTDParams(gene_weights="inverse"), progress=recorder(), dtd=trained
    )
    bulk = prepare(dataset, genes=trained.genes).bulk
    with stock_engine():
        search = hps.HPS(trained.reference, bulk, k_folds=2, lambdas=[1e-8])
    np.testing.assert_allclose(result.gene_weights, search.gamma.iloc[:, 0], rtol=1e-12)


def test_genes_of_mean_zero_are_dropped_and_named(make, quick, recorder):
    data = make(zero_genes=(3, 7))
    dtd = tasks.run_dtd(data, quick.model_copy(update={"genes": None}), progress=recorder())
    search = tasks.run_search(data, SearchParams(points=2, folds=2), progress=recorder(), dtd=dtd)
    assert search.dropped_genes == ("G3", "G7")
    assert any("G3 and G7" in note for note in search.notes)
    assert search.losses.notna().all(axis=None)
    adtd = tasks.run_adtd(data, ADTDParams(gene_weights="inverse"), progress=recorder(), dtd=dtd)
    assert "G3" not in adtd.hidden_profile.index
    assert any("G3 and G7" in note for note in adtd.notes)
    kept = tasks.run_adtd(data, ADTDParams(gene_weights="dtd"), progress=recorder(), dtd=dtd)
    assert "G3" in kept.hidden_profile.index


# ------------------------------------------------------------------------------------------- search
def test_search_equals_stocks_jobs(dataset, trained, recorder):
    from gui.engine.stock import hps, stock_engine

    params = SearchParams(smallest=1e-12, largest=1e-2, points=3, folds=3)
    seen = recorder()
    found = tasks.run_search(dataset, params, progress=seen, dtd=trained)
    with stock_engine():
        stock = hps.HPS(
            trained.reference,
            prepare(dataset, genes=trained.genes).bulk,
            k_folds=3,
            lambdas=params.lambdas(),
        )
        expected = pd.DataFrame([stock._run_job(job) for job in stock.jobs]).pivot(
            index="fold", columns="lambda", values="loss"
        )
    np.testing.assert_allclose(found.losses, expected, rtol=1e-9)
    assert list(found.losses.columns) == params.lambdas()
    for stage in {r[0] for r in seen.reports}:
        fractions = [r[1] for r in seen.reports if r[0] == stage]
        assert fractions == sorted(fractions), stage
    searching = [r for r in seen.reports if r[0] == SEARCHING]
    assert {r[2] for r in searching if r[2] is not None} - {9} == set(range(9))
    assert all(r[3] in (None, 9) for r in searching)


def test_search_does_not_depend_on_the_unit(make, quick, recorder):
    as_is = make(scale=None)
    dtd = tasks.run_dtd(as_is, quick.model_copy(update={"genes": None}), progress=recorder())
    larger = replace(
        as_is,
        bulk=Bulk(
            Matrix(
                as_is.bulk.matrix.values * 1e3, as_is.bulk.matrix.genes, as_is.bulk.matrix.columns
            ),
            as_is.bulk.obs,
        ),
    )
    params = SearchParams(points=3, folds=2)
    one, other = (
        tasks.run_search(d, params, progress=recorder(), dtd=dtd) for d in (as_is, larger)
    )
    np.testing.assert_allclose(one.losses, other.losses, rtol=1e-6)


@pytest.mark.parametrize("samples", [1, 4])
def test_more_folds_than_samples_are_refused_in_words(make, trained, recorder, samples):
    with pytest.raises(InvalidParameter, match=f"only {samples} samples") as refused:
        tasks.run_search(
            make(samples=samples), SearchParams(folds=5), progress=recorder(), dtd=trained
        )
    assert ("two samples" if samples == 1 else "4 folds or fewer") in refused.value.advice


@only_stock
def test_one_unsolvable_lambda_does_not_spoil_the_search(dataset, trained, recorder, monkeypatch):
    from gui.engine import stock

    real = stock.methods.solve_qp

    def solve(matrix, *args, solver, **options):
        # the diagonal of Clarabel's matrix is 2 lambda2 and a little more
        if solver == "clarabel" and matrix.diagonal().min() >= 2:
            return None
        return real(matrix, *args, solver=solver, **options)

    monkeypatch.setattr(stock.methods, "solve_qp", solve)
    found = tasks.run_search(
        dataset,
        SearchParams(smallest=1e-20, largest=1.0, points=3, folds=2),
        progress=recorder(),
        dtd=trained,
    )
    assert found.losses.iloc[:, -1].isna().all()
    assert found.losses.iloc[:, :-1].notna().all(axis=None)
    assert None not in (found.choices["min"], found.choices["one_se"])
    assert any("λ₂ = 1;" in note for note in found.notes)
    monkeypatch.setattr(
        stock.methods,
        "solve_qp",
        lambda *a, solver, **k: None if solver == "clarabel" else real(*a, solver=solver, **k),
    )
    with pytest.raises(EngineFailed):
        tasks.run_search(dataset, SearchParams(points=2, folds=2), progress=recorder(), dtd=trained)


# ----------------------------------------------------------------------------- cancel, side effects
CANCELS = [
    ("dtd", "Simulating pseudobulks", 1),
    ("dtd", "Learning gene weights", 7),
    ("dtd", "Estimating compositions", 2),
    ("h,r", "Estimating compositions", 1),
    ("h,r", "Estimating compositions", 5),
    ("h,r", "Estimating the hidden profile", 1),
    ("h,r", "Estimating gene regulation", 1),
    ("custom", "Estimating compositions", 9),
    ("search", "Searching λ₂", 3),
    ("search", "Searching λ₂", 60),
]


@pytest.mark.parametrize(("what", "stage", "at"), CANCELS)
def test_cancel_is_heard_in_every_loop_and_leaves_no_trace(
    dataset, trained, quick, recorder, what, stage, at
):
    from gui.engine import stock

    before = (
        np.random.get_state()[1].tolist(),
        stock.methods.solve_qp,
        stock.methods.tqdm,
        stock.hps.ADTD,
    )
    seen = recorder(stage, at)
    with pytest.raises(JobCancelled):
        _run(what, dataset, trained, quick, seen)
    assert seen.reports[-1][0] == stage
    assert before == (
        np.random.get_state()[1].tolist(),
        stock.methods.solve_qp,
        stock.methods.tqdm,
        stock.hps.ADTD,
    )
    _run("h", dataset, trained, quick, recorder())  # and the next job runs


def _run(what, dataset, trained, quick, progress):
    if what == "dtd":
        return tasks.run_dtd(dataset, quick, progress=progress)
    if what == "search":
        return tasks.run_search(
            dataset, SearchParams(points=2, folds=2), progress=progress, dtd=trained
        )
    return tasks.run_adtd(
        dataset, ADTDParams(model=what, c_static=False), progress=progress, dtd=trained
    )


@pytest.mark.parametrize("what", ["dtd", "h,r", "search"])
def test_global_random_states_are_untouched_and_do_not_matter(
    dataset, trained, quick, recorder, what
):
    import torch

    np.random.seed(123)
    torch.manual_seed(123)
    states = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    first = _run(what, dataset, trained, quick, recorder())
    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == states
    np.random.seed(9)
    torch.manual_seed(9)
    again = _run(what, dataset, trained, quick, recorder())
    pick = {
        "dtd": lambda r: r.composition["bulk"],
        "h,r": lambda r: r.full(),
        "search": lambda r: r.losses,
    }[what]
    assert pick(first).equals(pick(again))


def test_nothing_is_printed_nothing_is_written_and_streams_may_be_missing(
    dataset, trained, quick, recorder, capfd, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as windowed:
        windowed.setattr("sys.stderr", None)
        windowed.setattr("sys.stdout", None)
        for what in ("dtd", "h,r", "search"):
            _run(what, dataset, trained, quick, recorder())
    for what in ("dtd", "h,r", "search"):
        _run(what, dataset, trained, quick, recorder())
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_apply_gives_the_runs_own_bulk_composition(dataset, trained, recorder):
    applied = tasks.run_apply(
        replace(dataset, train=None, test=None, reference=None),
        ApplyParams(),
        progress=recorder(),
        dtd=trained,
    )
    pd.testing.assert_frame_equal(applied.composition, trained.composition["bulk"], rtol=1e-12)
    pd.testing.assert_frame_equal(applied.naive, trained.naive["bulk"], rtol=1e-12)


def test_warm_up_and_versions():
    tasks.warm_up()
    found = tasks.versions()
    assert found["deconomix"] == "1.0.2"
    assert "unknown" not in found.values()


def test_importing_the_tasks_imports_no_engine():
    import subprocess
    import sys

    heavy = ("torch", "deconomix", "scipy", "anndata", "dash")
    code = (
        f"import sys, gui.engine.tasks, gui.engine.model, gui.cli.analyze; print([m for m in {heavy}"
        " if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_default_parameters_are_the_articles():
    params = DTDParams()
    assert (params.train_mixtures, params.train_cells, params.iterations, params.seed) == (
        1000,
        100,
        1000,
        1,
    )
