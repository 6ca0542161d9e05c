"""The ADTD page in words and sizes: what its pure functions say and choose, and how much its tabs
send.

The page itself: test_adtd_page.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.adtd import (
    hidden_range,
    regulated,
    search_sentence,
    sentence,
    span,
    unsupported_types,
)
from gui.app import Application
from gui.components.runs import describe_params, differing
from gui.data.dataset import HIDDEN, Bulk, Dataset, Matrix
from gui.engine.metrics import COLUMNS
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import ADTDResult, DTDResult, Provenance, Run, SearchResult
from gui.figures.text import coefficient, percent, percentage
from gui.pages.adtd.base import applies
from gui.pages.adtd.regulation import EACH, TYPE, Wanted, chosen_genes
from gui.pages.adtd.search import losses_table
from gui.sessions.manager import LOCAL
from gui.text import decimal_text as number
from gui.text import exact

LIMIT = 3_000_000


# -- words and choices: pure
# --------------------------------------------------------------------------------------------------
def made(
    delta: Sequence[Sequence[float]], support: Sequence[Sequence[float]] | None = None
) -> ADTDResult:
    """Two types, as many genes as given, two samples."""
    genes, types, samples = [f"g{i}" for i in range(len(delta))], ["A", "rare"], ["s1", "s2"]
    trust = None if support is None else pd.DataFrame(support, genes, types, dtype=float)
    return ADTDResult(
        composition=pd.DataFrame(0.38, types, samples),
        hidden=pd.Series([0.24, 0.24], samples),
        hidden_profile=pd.Series(1 / len(genes), genes),
        gene_regulation=pd.DataFrame(delta, genes, types, dtype=float),
        gene_weights=pd.Series(1.0, genes),
        reference=pd.DataFrame(1.0, genes, types),
        loss=np.array([1.0]),
        support=trust,
        hidden_interval=pd.DataFrame({"low": 0.09, "high": 0.31}, samples),
    )


def test_the_sentence_says_share_interval_and_regulation() -> None:
    result = made([[4, 1], [0.2, 5], [1, 1]], [[1, 1], [1, 1], [1, 1]])
    assert (
        sentence(result)
        == "Median hidden fraction 24 % (quote 9.0 to 31 %: all of it fits equally well); 2 genes"
        " regulated more than twofold with support, 2 of them in A."
    )
    assert (
        sentence(replace(result, gene_regulation=None, support=None))
        == "Median hidden fraction 24 % (quote 9.0 to 31 %: all of it fits equally well)."
    )


def test_regulation_without_support_is_not_counted_nor_chosen_and_its_types_are_named() -> None:
    result = made([[4, 9], [1.5, 8], [1.2, 7]], [[0.9, 0.01], [0.5, 0.02], [0.5, 0.05]])
    strong = regulated(result)
    assert strong is not None
    assert strong.to_numpy().sum() == 1
    assert unsupported_types(result) == ["rare"]
    assert chosen_genes(result, Wanted(of=f"{TYPE}rare")) == []
    assert chosen_genes(result, Wanted(of=f"{TYPE}rare", supported=False)) == ["g0", "g1", "g2"]


def test_genes_are_the_most_regulated_of_each_type_or_those_chosen_by_name() -> None:
    result = made([[4, 1.1], [1.5, 8], [1.2, 0.01]], [[1, 1]] * 3)
    assert chosen_genes(result, Wanted(n=1, of=EACH)) == ["g0", "g2"]
    assert chosen_genes(result, Wanted(n=2, of=f"{TYPE}A")) == ["g0", "g1"]
    assert chosen_genes(result, Wanted(genes=("g1", "unknown"))) == ["g1"]


def test_percentages_read_as_a_person_writes_them() -> None:
    assert [percent(v) for v in (0.24, 0.034, 0.0004, 0.0, 1.0, float("nan"))] == [
        "24 %",
        "3.4 %",
        "0.04 %",
        "0 %",
        "100 %",
        "unknown",
    ]
    assert [percent(v) for v in (4.06e-17, -2e-18, 5e-5, -5e-5, 0.00095, 0.0995, 1e-4)] == [
        "0 %",
        "0 %",
        "< 0.01 %",
        "> -0.01 %",
        "0.1 %",
        "10 %",
        "0.01 %",
    ]
    assert [percentage(v) for v in (4.06e-17, 5e-5, 0.0571, 1.0, float("nan"))] == [
        "0",
        "< 0.01",
        "5.71",
        "100",
        "–",
    ]
    assert [coefficient(v) for v in (4e-17, -4.6e-8, -0.123456, 0.00123, float("nan"))] == [
        *("0", "0", "-0.123", "0.00123", "–")
    ]
    assert span(0.3, 0.51) == "30 to 51 %"


def test_a_search_without_choices_says_so_and_its_table_has_every_fold() -> None:
    losses = pd.DataFrame(
        [[3.0, 2.0], [5.0, 4.0]], columns=pd.Index([1e-9, 3.1622776601683795e-07])
    )
    result = SearchResult(losses, {"min": None, "one_se": None, "drop": None})
    assert "no λ₂" in search_sentence(result)
    table = losses_table(result)
    assert list(table.columns) == ["mean", "standard deviation", "fold 1", "fold 2"]
    assert list(table["mean"]) == [4.0, 3.0]
    assert [float(v) for v in table.index] == list(losses.columns)


def test_fields_of_a_free_composition_show_lambda1() -> None:
    free = {"model": "custom", "c_static": False, "delta_static": True}
    assert applies(free) == {"lambda2": False, "custom": True, "lambda1": True}


def test_a_parameter_that_the_model_does_not_use_is_not_shown_of_a_run() -> None:
    plain, regulating = ADTDParams(), ADTDParams(model="h,r", lambda2=1e-7)
    assert "lambda2" not in describe_params(plain, differing([plain]))
    assert not {"lambda1", "lambda2", "c_static", "delta_static"} & set(plain.used())
    assert differing([plain, regulating]) == ["model", "lambda2"]
    assert describe_params(plain, ["model", "lambda2"]) == "Model h"
    assert describe_params(regulating, ["model", "lambda2"]) == "Model h,r · λ₂ 1e-7"
    assert differing([plain, ADTDParams(lambda2=5.0, lambda1=3.0)]) == plain.used(), (
        "what is not used makes no difference"
    )
    assert "lambda1" in ADTDParams(model="custom", c_static=False).used()


@pytest.mark.parametrize(
    "value", [1e-9, 1e-3, 3.1622776601683795e-07, 0.05, 1.0, 1e-20, 123456.789]
)
def test_a_number_in_a_form_comes_back_as_it_was(value: float) -> None:
    assert float(exact(value)) == value
    assert float(number(value)) == pytest.approx(value, rel=1e-5)


def test_numbers_below_a_hundredth_are_in_e_notation() -> None:
    assert [number(v) for v in (1e-9, 0.001, 0.05, 1.0, 2.5e-4, 0.0)] == [
        "1e-9",
        "1e-3",
        "0.05",
        "1",
        "2.5e-4",
        "0",
    ]


# -- sizes
# --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def large() -> tuple[DTDResult, ADTDResult, SearchResult, Dataset]:
    """1000 samples, 30 types, 5000 genes, long names."""
    random = np.random.default_rng(0)
    genes = pd.Index([f"ENSG{i:011d}" for i in range(5000)])
    types = pd.Index([f"Type {i} with a long name" for i in range(30)])
    samples = pd.Index([f"patient_{i:04d}_biopsy" for i in range(1000)])
    reference = pd.DataFrame(random.gamma(0.3, 1, (5000, 30)), genes, types)
    hidden = pd.Series(random.beta(2, 8, 1000), samples)
    composition = pd.DataFrame(
        random.dirichlet(np.ones(30), 1000).T * (1 - hidden.to_numpy()), types, samples
    )
    weights = pd.Series(1.0, genes)
    delta = pd.DataFrame(np.exp(random.normal(0, 0.5, (5000, 30))), genes, types)
    result = ADTDResult(
        composition=composition,
        hidden=hidden,
        hidden_profile=pd.Series(random.dirichlet(np.full(5000, 0.1)), genes),
        gene_regulation=delta,
        gene_weights=weights,
        reference=reference,
        loss=np.linspace(1, 0.1, 30),
        support=pd.DataFrame(random.beta(0.5, 1, (5000, 30)), genes, types),
        hidden_interval=pd.DataFrame({"low": hidden * 0.3, "high": np.minimum(1, hidden * 1.5)}),
    )
    shares, metrics = {"bulk": composition}, pd.DataFrame(columns=COLUMNS)
    trained = DTDResult(
        reference,
        weights,
        np.zeros(3),
        pd.DataFrame(np.zeros((3, 30)), columns=types),
        shares,
        shares,
        {},
        metrics,
        params=DTDParams(),
    )
    search = SearchResult(
        pd.DataFrame(random.random((50, 201)), columns=np.logspace(-20, 0, 201)),
        {"min": 1e-20, "one_se": 1.0, "drop": 1e-10},
    )
    bulk = Bulk(
        Matrix(random.random((5000, 1000)), genes, samples),
        pd.DataFrame({"group": ["a", "b"] * 500}, index=samples),
    )
    return (
        trained,
        result,
        search,
        Dataset(None, None, reference=Matrix(reference.to_numpy(), genes, types), bulk=bulk),
    )


def test_no_tab_sends_more_than_3_mb_for_1000_samples_and_30_types(
    application: Application,
    large: tuple[DTDResult, ADTDResult, SearchResult, Dataset],
    open_tab: Callable[[Application], Any],
) -> None:
    trained, result, search, data = large
    session = application.sessions.create_session("large", actor=LOCAL)
    session.set_dataset(data, keep_runs=False)
    origin = Provenance(data.training_id, data.bulk_id)
    for name, kind, params, found in (
        ("d", "dtd", DTDParams(), trained),
        ("a", "adtd", ADTDParams(model="h,r"), result),
        ("s", "search", SearchParams(), search),
    ):
        session.add_run(
            Run(
                name,
                kind,
                name,
                datetime.now(UTC),
                params,
                found,
                origin if kind == "dtd" else replace(origin, inputs={"dtd": "d"}),
            )
        )
    tab = open_tab(application)
    sizes: list[int] = []
    post = tab.client.post

    def measured(*args: Any, **options: Any) -> Any:
        answer = post(*args, **options)
        sizes.append(len(answer.data))
        return answer

    tab.client.post = measured
    tab.set({("dcx-session", "data"): session.session_id})
    tab.go("adtd")
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
    views = [
        {("adtd-tabs", "value"): "composition"},
        *({("adtd-composition-view", "value"): v} for v in ("bars", "heatmap", "table")),
        {("adtd-tabs", "value"): "hidden"},
        {("adtd-hidden-view", "value"): "table"},
        {("adtd-hidden-of", "value"): "samples"},
        {("adtd-hidden-view", "value"): "figure"},
        {("adtd-tabs", "value"): "regulation"},
        {("adtd-genes-n", "value"): 200, ("adtd-supported", "checked"): False},
        *({("adtd-regulation-view", "value"): v} for v in ("table", "support")),
        {("adtd-tabs", "value"): "search"},
        *({("adtd-search-view", "value"): v} for v in ("path", "table")),
    ]
    for change in views:
        sizes.clear()
        tab.set(change)
        assert 0 < sum(sizes) < LIMIT, (change, sizes)
    assert json.dumps(tab.notices) == "[]"


def test_the_range_to_quote_holds_equal_fit_and_sampling_and_says_which_is_which() -> None:
    result = made([[4, 1], [0.2, 5], [1, 1]], [[1, 1], [1, 1], [1, 1]])
    samples = result.hidden.index
    low, high = (pd.DataFrame(v, [HIDDEN], samples) for v in (0.05, 0.28))
    sure = SimpleNamespace(low=low, high=high)
    assert (
        hidden_range(result, sure)  # type: ignore[arg-type]
        == "quote 5.0 to 31 %: equal fit 9.0 to 31 %, sampling 5.0 to 28 %"
    )
    by_genes = pd.DataFrame({"low": 0.12, "high": 0.6}, samples)
    robust = SimpleNamespace(hidden_range=lambda: by_genes)
    assert hidden_range(result, sure, robust) == (  # type: ignore[arg-type]
        "quote 5.0 to 60 %: equal fit 9.0 to 31 %, sampling 5.0 to 28 %, gene counts 12 to 60 %"
    )
    assert hidden_range(replace(result, hidden_interval=None), sure) == ""  # type: ignore[arg-type]
