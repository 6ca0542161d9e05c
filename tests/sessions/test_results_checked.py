"""A run is taken from a file only if its tables are those that the pages and the report read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from gui.engine.params import ApplyParams
from gui.engine.results import ApplyResult, Run, SecondOpinion
from gui.sessions.kinds import check_run
from gui.sessions.snapshot import checked
from tests.sessions.samples import rich

FIT = pd.DataFrame(
    {"pearson": [0.9], "pearson_log": [0.8], "residual": [0.1], "verdict": ["well"]}, index=["s1"]
)
ODD = {
    "empty": pd.DataFrame(),
    "no verdict": FIT.drop(columns="verdict"),
    "transposed": FIT.T,
    "words for numbers": FIT.astype(object).assign(pearson="high"),
    "other names": FIT.rename(columns=str.upper),
}


def runs_with(fit: Any) -> list[Run]:
    """One of each kind that has such a table."""
    found = {run.kind: run for run in rich().runs}
    dtd, adtd = found["dtd"], found["adtd"]
    apply = ApplyResult(dtd.result.composition["bulk"], dtd.result.naive["bulk"], fit=fit)
    return [
        replace(dtd, result=replace(dtd.result, fit={"bulk": fit})),
        replace(adtd, result=replace(adtd.result, fit=fit)),
        replace(dtd, kind="apply", params=ApplyParams(), result=apply),
    ]


@pytest.mark.parametrize("odd", ODD)
def test_a_table_of_fits_without_what_is_read_of_it_is_refused(odd: str) -> None:
    for run in runs_with(ODD[odd]):
        with pytest.raises(ValueError, match="does not fit together"):
            check_run(run)


def opinion_with(**change: Any) -> Run:
    """A DTD run of which the second opinion is changed."""
    dtd = next(run for run in rich().runs if run.kind == "dtd")
    bulk = dtd.result.composition["bulk"]
    missing = pd.DataFrame({"fold": [6.0], "genes": ["S100A8, CSF3R"]}, index=["Neutrophil"])
    opinion = SecondOpinion(bulk, bulk, bulk, missing=missing, offset=1.5)
    return replace(dtd, result=replace(dtd.result, second_opinion=replace(opinion, **change)))


@pytest.mark.parametrize(
    "change",
    [
        {"missing": pd.DataFrame({"fold": ["six"], "genes": ["A"]}, index=["N"])},
        {"missing": pd.DataFrame({"fold": [6.0], "genes": [3]}, index=["N"])},
        {"missing": pd.DataFrame({"fold": [6.0]}, index=["N"])},
        {"offset": "much"},
        {"offset": True},
    ],
    ids=["fold", "genes", "column", "offset", "truth"],
)
def test_an_odd_second_opinion_is_refused(change: dict[str, Any]) -> None:
    check_run(opinion_with())
    check_run(opinion_with(missing=None, offset=None))
    with pytest.raises(ValueError, match="does not fit together"):
        check_run(opinion_with(**change))


def test_control_the_tables_of_the_program_are_taken() -> None:
    for run in (*runs_with(FIT), *runs_with(FIT.iloc[:0])):
        check_run(run)
    for run in rich().runs:
        check_run(run)


def test_a_run_that_was_computed_from_one_of_another_kind_is_refused() -> None:
    snapshot = rich()
    assert checked(snapshot).runs == snapshot.runs  # the control
    # what it was computed from may be gone
    assert checked(replace(snapshot, runs=snapshot.runs[1:])).runs == snapshot.runs[1:]
    (dtd, *others) = snapshot.runs
    with pytest.raises(ValueError, match="of another kind"):
        checked(replace(snapshot, runs=(replace(dtd, kind="plug"), *others)))


def test_hidden_shares_are_of_the_samples_of_the_composition() -> None:
    run = next(run for run in rich().runs if run.kind == "adtd")
    hidden = run.result.hidden
    for odd in (hidden.set_axis(["same"] * len(hidden)), hidden.iloc[:-1], hidden.iloc[::-1]):
        with pytest.raises(ValueError, match="does not fit together"):
            check_run(replace(run, result=replace(run.result, hidden=odd)))
