"""Stop early: off it changes nothing, on it keeps the best iteration on held-back cells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.dtd import badges
from gui.answers.warnings import dtd_warnings, outside_training
from gui.data.example import make_example
from gui.data.normalize import prepare
from gui.engine import compute_settings, tasks
from gui.engine.dtd import learn
from gui.engine.early_stopping import divide_cells, iterations_to_check
from gui.engine.params import BootstrapParams, DTDParams
from gui.engine.results import DTDResult, Provenance, Run
from gui.report.origin import dtd_methods

SMALL = DTDParams(genes=100, iterations=60, train_mixtures=60, test_mixtures=30)


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(scope="module")
def plain() -> DTDResult:
    return tasks.run_dtd(make_example().dataset, SMALL, progress=quiet)


@pytest.fixture(scope="module")
def early() -> DTDResult:
    params = SMALL.model_copy(update={"stop_early": True})
    return tasks.run_dtd(make_example().dataset, params, progress=quiet)


def test_checked_iterations_end_at_the_last_one() -> None:
    for count in (1, 2, 7, 100, 1000, 100_000):
        found = iterations_to_check(count)
        assert found[-1] == count
        assert found == sorted(set(found))
        assert found[0] >= 1


def test_a_fifth_of_every_type_is_held_back_and_rare_types_stay() -> None:
    labels = ["a"] * 50 + ["b"] * 11 + ["c"] * 4
    cells = pd.DataFrame(np.arange(65.0)[None], index=["g"], columns=labels)
    kept, back = divide_cells(cells, seed=3)
    assert back.columns.value_counts().to_dict() == {"a": 10, "b": 2}
    assert sorted([*kept.iloc[0], *back.iloc[0]]) == sorted(cells.iloc[0])
    assert divide_cells(cells, seed=3)[1].equals(back)
    assert not divide_cells(cells, seed=4)[1].equals(back)


def test_off_it_keeps_the_weights_of_the_last_iteration(plain: DTDResult) -> None:
    assert plain.stopped_at is None
    assert plain.checked is not None
    assert list(plain.checked.columns) == ["test"]
    last = plain.metrics.query("part == 'test' and method == 'dtd'")["pearson"].mean()
    assert plain.checked["test"].iloc[-1] == pytest.approx(last, abs=1e-6)
    data = make_example().dataset
    prepared = prepare(data, n_genes=SMALL.genes)
    drawn = tasks.draw(prepared, SMALL, "train")
    alone = learn(prepared.reference, drawn.bulk, drawn.truth, iterations=60, progress=quiet)
    assert np.array_equal(alone.weights, plain.gene_weights), "watching it changes no number"


def test_on_it_keeps_the_best_iteration_of_held_back_cells(early: DTDResult) -> None:
    assert early.checked is not None
    assert set(early.checked.columns) == {"test", "held_back"}
    assert early.stopped_at == early.checked["held_back"].idxmax()
    assert any("Stopped early" in note for note in early.notes)
    assert early.stopped_at is not None
    shorter = early.params.model_copy(update={"iterations": early.stopped_at})  # type: ignore[union-attr]
    again = tasks.run_dtd(make_example().dataset, shorter, progress=quiet)
    best = again.checked["held_back"].iloc[-1]  # type: ignore[index]
    assert best == pytest.approx(early.checked["held_back"].max())


def test_the_weights_are_those_after_the_iteration_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def peak(_reference: Any, _mixtures: Any, checkpoints: Any) -> pd.Series:
        return pd.Series({k: -abs(k - 21) for k in checkpoints}, dtype=float)

    monkeypatch.setattr("gui.engine.early_stopping.mean_correlations", peak)
    params = SMALL.model_copy(update={"stop_early": True})
    data = make_example().dataset
    found = tasks.run_dtd(data, params, progress=quiet)
    assert found.stopped_at == min(iterations_to_check(60), key=lambda k: abs(k - 21))
    prepared = prepare(data, n_genes=SMALL.genes)
    drawn = tasks.draw(prepared, params, "train")
    alone = learn(
        prepared.reference,
        drawn.bulk,
        drawn.truth,
        iterations=found.stopped_at,
        progress=quiet,
    )
    assert np.array_equal(alone.weights, found.gene_weights)


def test_the_pseudobulks_it_learned_from_are_drawn_again(early: DTDResult) -> None:
    """ADTD on them needs the same ones: without the held-back cells."""
    prepared = prepare(make_example().dataset, n_genes=SMALL.genes)
    assert early.params is not None
    drawn = tasks.draw(prepared, early.params, "train")
    pd.testing.assert_frame_equal(drawn.truth, early.truth["train"])
    assert not drawn.truth.equals(tasks.draw(prepared, SMALL, "train").truth)


def test_intervals_relearn_from_the_cells_that_were_not_held_back(
    early: DTDResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("gui.engine.bootstrap.bootstrap", lambda *_, **more: seen.append(more))
    data = make_example().dataset
    tasks.run_bootstrap(data, BootstrapParams(seeds=True), progress=quiet, dtd=early)
    kept, back = divide_cells(prepare(data, n_genes=SMALL.genes).train, SMALL.seed)
    assert seen[0]["learning"].values.shape == (len(early.genes), kept.shape[1])
    assert back.shape[1] > 0
    assert seen[0]["learning"].iterations == early.stopped_at


def test_report_and_badges_say_what_was_used(early: DTDResult) -> None:
    made = Provenance("t", "b", {})
    found = replace(early, stopped_at=21)
    run = Run("dtd", "dtd", "DTD", datetime.now(UTC), early.params, found, made)
    said = " ".join(dtd_methods(run, lambda key: key))
    assert "The weights after 21 iterations were used" in said
    assert "A fifth of the training cells of each type was held back" in said
    assert ("stopped at 21 of 60 iterations", "gray") in badges(run)


def test_the_stock_engine_is_not_left_out_in_silence(early: DTDResult) -> None:
    before = compute_settings.get_compute_settings()
    try:
        compute_settings.set_compute_settings(replace(before, engine="stock"))
        params = SMALL.model_copy(update={"stop_early": True})
        found = tasks.run_dtd(make_example().dataset, params, progress=quiet)
    finally:
        compute_settings.set_compute_settings(before)
    assert any("learns with the fast engine" in note for note in found.notes)
    assert not any("fast engine" in note for note in early.notes)


def test_it_is_said_where_stopping_would_have_mattered(plain: DTDResult, early: DTDResult) -> None:
    worse = pd.DataFrame({"test": [0.4, 0.65, 0.5, 0.42]}, index=[5, 100, 500, 1000])
    said = [t for t in dtd_warnings(replace(plain, checked=worse)) if "Stop early" in t]
    assert said == [
        "The mean correlation on the test pseudobulks was 0.65 after 100 iterations and is 0.42"
        " after 1\u00a0000: “Stop early” (Advanced) would have mattered."
    ]
    better = worse.sort_values("test").set_axis(worse.index)
    assert not any("Stop early" in t for t in dtd_warnings(replace(plain, checked=better)))
    stopped = replace(early, checked=worse.assign(held_back=worse["test"]))
    assert not any("Stop early" in t for t in dtd_warnings(stopped))


def test_fractions_beyond_all_training_pseudobulks_are_named(plain: DTDResult) -> None:
    train = plain.truth["train"]
    types = [str(t) for t in plain.reference.columns]
    inside = pd.DataFrame({f"s{i}": train.iloc[: len(types), i] for i in range(4)}).loc[types]
    assert outside_training(plain, inside) == []
    beyond = pd.DataFrame(0.0, index=types, columns=list("wxyz"))
    beyond.loc[types[0]] = [1.0, 1.0, 0.0, 0.0]
    beyond.loc[types[1]] = [0.0, 0.0, 0.1, 0.1]
    (said,) = outside_training(plain, beyond * 7)  # not normalised: as estimated
    assert said.startswith(
        f"More than in any training pseudobulk: {types[0]} (2 of 4 samples, in training at most "
    )
    one = beyond.copy()
    one.loc[types[0], "x"], one.loc[types[1]] = 0.0, 0.0
    assert outside_training(plain, one.fillna(0.0)) == [], "in one of four samples"
    nothing_learned = replace(plain, loss=np.empty(0))
    assert outside_training(nothing_learned, beyond) == []
    assert outside_training(plain, None) == []
