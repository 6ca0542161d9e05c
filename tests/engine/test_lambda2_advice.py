"""The recommendation of lambda2: on curves with a known answer, by ridge, and on the example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.adtd import advice_sentence, regulated, search_sentence, search_warnings
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.lambda2_advice import advise
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import SearchResult

GRID = np.logspace(-8, 0, 9)


def quiet(*_: Any, **__: Any) -> None: ...


def losses(mean: Any, noise: float = 0.0, folds: int = 5) -> pd.DataFrame:
    """A curve with folds of very different difficulty."""
    random = np.random.default_rng(0)
    values = np.asarray(mean, dtype=float) + 5.0 * np.arange(folds)[:, None]
    return pd.DataFrame(values + noise * random.standard_normal(values.shape), columns=GRID)


def test_the_largest_within_one_standard_error_is_recommended() -> None:
    found = advise(losses([3, 2, 1.5, 1, 1.02, 1.01, 2, 3, 4], noise=0.05), samples=40)
    assert found.value == GRID[5]
    assert "within one standard error" in found.reason


@pytest.mark.parametrize(
    ("mean", "noise", "samples", "said", "unregulated"),
    [
        (np.linspace(9, 1, 9), 0.01, 40, "smallest without regulation", True),
        (np.linspace(1, 9, 9), 0.01, 40, "lower edge", False),
        ([3, 2, 1, 1, 1, 1, 2, 3, 4], 0.01, 6, "6 samples are too few", False),
    ],
)
def test_no_choice_is_supported_at_edges_on_flat_curves_and_with_few_samples(
    mean: Any, noise: float, samples: int, said: str, unregulated: bool
) -> None:
    found = advise(losses(mean, noise), samples)
    assert found.value is None
    assert said in found.reason
    assert found.unregulated is unregulated


def test_a_flat_curve_is_rarely_taken_for_a_choice() -> None:
    random = np.random.default_rng(2)
    chosen = 0
    for _ in range(300):
        noisy = 5.0 * np.arange(5)[:, None] + 0.5 * random.standard_normal((5, 9))
        chosen += advise(pd.DataFrame(noisy, columns=GRID), 40).value is not None
    assert chosen / 300 < 0.08


def test_one_fold_or_one_solved_value_supports_nothing() -> None:
    assert advise(losses(np.ones(9), folds=1)).value is None
    few = losses([3, 2, 1, 1, 1, 1, 2, 3, 4])
    few.iloc[0, 1:] = np.nan
    assert "fewer than two" in advise(few).reason


def test_ridge_on_a_diagonal_design_gets_its_closed_form_optimum() -> None:
    """y = b + e, ridge b = y / (1 + lambda): the risk is smallest at lambda = sigma² / mean(b²)."""
    random = np.random.default_rng(1)
    size, sigma = 4000, 1.0
    grid = np.logspace(-3, 3, 25)
    truth = random.normal(0, 1.0, size)
    table = np.empty((5, len(grid)))
    for fold in range(5):
        seen = truth + sigma * random.standard_normal(size)
        new = truth + sigma * random.standard_normal(size)
        table[fold] = [np.mean((new - seen / (1 + value)) ** 2) for value in grid]
    found = advise(pd.DataFrame(table, columns=grid), samples=50)
    best = sigma**2 / np.mean(truth**2)
    assert found.value is not None
    assert best / 2 < found.value < best * 4


def test_the_words_say_the_recommendation_or_that_there_is_none() -> None:
    good = losses([3, 2, 1.5, 1, 1.02, 1.01, 2, 3, 4], noise=0.05)
    choices = {"min": GRID[3], "one_se": GRID[6], "drop": None}
    assert "Recommended: λ₂" in search_sentence(SearchResult(good, choices))
    # what the program took by itself is not taken for what it recommends
    advised = advise(good).value
    assert advised is not None
    assert "Used" not in advice_sentence(SearchResult(good, choices), used=advised)
    assert "Used: λ₂ 1," in advice_sentence(SearchResult(good, choices), used=1.0)
    unregulated = {"min": GRID[3], "one_se": 1.0, "drop": None}
    (warning,) = search_warnings(SearchResult(good, unregulated), 20)
    assert "predicts samples better" in warning
    assert "show no regulation" not in warning
    edge = losses(np.linspace(1, 9, 9), 0.01)
    assert "No choice is supported: the loss is smallest at the lower edge" in search_sentence(
        SearchResult(edge, choices)
    )
    none = losses(np.linspace(9, 1, 9), 0.01)
    assert "The data show no regulation" in search_sentence(SearchResult(none, choices))


def test_in_the_example_the_recommended_value_finds_the_regulated_genes() -> None:
    example = make_example()
    params = DTDParams(iterations=100, train_mixtures=200, test_mixtures=5)
    dtd = tasks.run_dtd(example.dataset, params, progress=quiet)
    grid = SearchParams(smallest=1e-12, largest=1.0, points=13)
    search = tasks.run_search(example.dataset, grid, progress=quiet, dtd=dtd)
    found = advise(search.losses, 20, search.path)
    assert found.value is not None, found.reason
    assert found.supported is not None
    assert found.supported >= 12
    assert found.stability == 1.0
    model = ADTDParams(model="h,r", lambda2=found.value)
    strong = regulated(tasks.run_adtd(example.dataset, model, progress=quiet, dtd=dtd))
    assert strong is not None
    called = set(strong.index[strong[example.regulated_type]])
    assert len(example.regulated) == 14
    assert len(called & set(example.regulated)) >= 12
    # so large a penalty allows none
    none = ADTDParams(model="h,r", lambda2=1e6)
    delta = tasks.run_adtd(example.dataset, none, progress=quiet, dtd=dtd).gene_regulation
    assert delta is not None
    assert np.abs(delta.to_numpy() - 1.0).max() < 1e-3
