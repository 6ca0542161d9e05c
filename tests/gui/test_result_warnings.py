"""Warnings that cost nothing: each where it is true, none where it is not, the same everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.summary import summarise, summary_of
from gui.answers.warnings import (
    dtd_warnings,
    missing_sentences,
    opinion_warnings,
    similar_warning,
    zero_warning,
)
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import DTDResult, Provenance, Run
from gui.engine.tasks import run_adtd, run_dtd
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.kinds import check_run

PARAMS = DTDParams(genes=100, iterations=10, train_mixtures=40, test_mixtures=30)


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def result() -> DTDResult:
    return run_dtd(make_example().dataset, PARAMS, progress=quiet)


def with_correlations(result: DTDResult, train: float, test: float, naive: float) -> DTDResult:
    metrics = result.metrics.copy()
    for part, method, value in (
        ("train", "dtd", train),
        ("test", "dtd", test),
        ("test", "naive", naive),
    ):
        metrics.loc[(metrics["part"] == part) & (metrics["method"] == method), "pearson"] = value
    return replace(result, metrics=metrics)


@pytest.mark.parametrize(
    ("train", "test", "naive", "expected"),
    [
        (0.9, 0.85, 0.7, []),
        (0.9, 0.85, 0.852, []),
        (0.9, 0.85, 0.88, ["Naive is better"]),
        (0.95, 0.7, 0.6, ["fitted to the training cells"]),
        (0.95, 0.6, 0.7, ["Naive is better", "fitted to the training cells"]),
    ],
)
def test_learning_that_does_not_carry_over_is_said(
    result: DTDResult, train: float, test: float, naive: float, expected: list[str]
) -> None:
    found = list(dtd_warnings(with_correlations(result, train, test, naive)))
    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))


def test_few_common_genes_are_said_and_few_chosen_ones_are_not(result: DTDResult) -> None:
    fine = with_correlations(result, 0.9, 0.9, 0.5)
    assert list(dtd_warnings(fine)) == [], "100 genes were asked for"
    wanted = replace(fine, params=PARAMS.model_copy(update={"genes": 1000}))
    (said,) = dtd_warnings(wanted)
    assert "only 100 genes in common" in said


def test_types_at_zero_in_most_samples_are_named() -> None:
    frame = pd.DataFrame(
        {"s1": [0.0, 0.4, 0.0], "s2": [0.0, 0.3, 0.2], "s3": [0.1, 0.3, 0.0]},
        index=["Tregs", "B cells", "hidden"],
    )
    assert zero_warning(frame).startswith("Tregs is 0 in more than half of the samples")
    assert zero_warning(frame[["s2", "s3"]]) == "", "in one of two"
    assert zero_warning(frame.drop(index="Tregs")) == "", "no hidden background is good news"
    assert zero_warning(None) == ""


def test_missing_types_and_another_protocol_reach_page_report_and_record(
    result: DTDResult,
) -> None:
    opinion = result.second_opinion
    assert opinion is not None
    assert list(opinion_warnings(opinion)) == []
    missing = pd.DataFrame({"fold": [6.1], "genes": ["S100A8, CSF3R"]}, index=["Neutrophil"])
    changed = replace(opinion, missing=missing, offset=2.4)
    (said,) = missing_sentences(changed)
    assert said.startswith("Neutrophil: its markers S100A8 and CSF3R are 6.1 times what the")
    assert len(list(opinion_warnings(changed))) == 2
    session = DCXCache("x", "missing")
    data = make_example().dataset
    session.set_dataset(data, keep_runs=False)
    made = Provenance(data.training_id, data.bulk_id)
    run = Run(
        "dtd",
        "dtd",
        "dtd",
        datetime.now(UTC),
        PARAMS,
        replace(result, second_opinion=changed),
        made,
    )
    check_run(run)
    session.add_run(run)
    assert said in summary_of(session, run).warnings
    assert said in report(session, "dtd").decode()
    assert any("another protocol" in text for text in summary_of(session, run).warnings)


def halved(result: DTDResult) -> DTDResult:
    """The same with a cell type twice in the reference, the second time a little changed."""
    reference = result.reference.copy()
    noise = np.random.default_rng(3).uniform(0.9, 1.1, len(reference))
    return replace(
        result, reference=reference.assign(**{"T cells again": noise * reference["T cells"]})
    )


def test_two_types_too_alike_are_named_with_the_numbers_and_others_are_not(
    result: DTDResult,
) -> None:
    assert similar_warning(result.reference, result.gene_weights) == ""
    doubled = halved(result)
    said = similar_warning(doubled.reference, doubled.gene_weights)
    assert said.startswith("Too alike to be distinguished: T cells and T cells again (0.9")
    assert "condition number" in said
    assert similar_warning(doubled.reference, None) == "", "the weights are not known"
    same = result.reference.assign(again=result.reference["T cells"])
    assert "condition number above" in similar_warning(same, result.gene_weights)


def test_genes_without_weight_do_not_tell_types_apart(result: DTDResult) -> None:
    apart = result.reference.copy()
    apart["T cells again"] = apart["T cells"]
    apart.loc[apart.index[:5], "T cells again"] += 5 * apart.to_numpy().max()
    equal = pd.Series(1.0, index=apart.index)
    assert similar_warning(apart, equal) == ""
    assert "T cells again" in similar_warning(
        apart, equal.where(~equal.index.isin(apart.index[:5]), 0.0)
    )


def test_similar_types_are_among_the_warnings_of_both_kinds_of_runs(result: DTDResult) -> None:
    doubled = halved(result)
    found = summarise(doubled).warnings
    assert any(text.startswith("Too alike") for text in found)
    adtd = run_adtd(make_example().dataset, ADTDParams(), progress=quiet, dtd=result)
    alike = replace(adtd, reference=doubled.reference)
    assert any(text.startswith("Too alike") for text in summarise(result, adtd=alike).warnings)
    assert not any(text.startswith("Too alike") for text in summarise(result, adtd=adtd).warnings)
