"""The tab Uncertainty on the pages: started with a click, shown as whiskers and tables, kept in the session
file, greying regulation of unsure direction.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers import confidence_intervals as words
from gui.answers.adtd import sentence
from gui.answers.confidence_intervals import (
    bootstrap_of,
    fit_sentence,
    poor_fit_message,
    with_stable_support,
)
from gui.app import Application, create_app
from gui.components.composition_content import (
    Chosen,
    Composition,
    composition_figure,
    sample_figure,
)
from gui.config import Config
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams
from gui.engine.reconstruction import VERDICT
from gui.engine.results import BootstrapResult, Provenance, Run
from gui.figures import adtd as figures
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.file import load, save
from gui.sessions.manager import LOCAL
from gui.sessions.rules import new_id
from gui.sessions.snapshot import Snapshot

DTD = DTDParams(iterations=10, train_mixtures=30, test_mixtures=20, genes=80)


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(scope="module")
def computed() -> dict[str, Run]:
    """On the example: dtd, adtd (+h,r), and the intervals of both."""
    data = make_example().dataset
    made = Provenance(data.training_id, data.bulk_id)
    dtd = tasks.run_dtd(data, DTD, progress=quiet)
    found = {"dtd": Run("dtd", "dtd", "DTD", datetime.now(UTC), DTD, dtd, made)}
    params = ADTDParams(model="h,r", lambda2=1e-8, max_iterations=5)
    adtd = tasks.run_adtd(data, params, progress=quiet, dtd=dtd)
    found["adtd"] = Run(
        "adtd",
        "adtd",
        "ADTD",
        datetime.now(UTC),
        params,
        adtd,
        replace(made, inputs={"dtd": "dtd"}),
    )
    wanted = BootstrapParams(replicates=20, lambda2=1e-8, max_iterations=5)
    for of, inputs in (("dtd", {"dtd": "dtd"}), ("adtd", {"dtd": "dtd", "adtd": "adtd"})):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tasks, "CHECK_ADTD", 20)
            result = tasks.run_bootstrap(
                data, wanted, progress=quiet, dtd=dtd, adtd=adtd if of == "adtd" else None
            )
        found[f"sure-{of}"] = Run(
            f"sure-{of}",
            "bootstrap",
            "Uncertainty",
            datetime.now(UTC),
            wanted,
            result,
            replace(made, inputs=inputs),
        )
    return found


def session_with(
    computed: dict[str, Run], *names: str, session: DCXCache | None = None
) -> DCXCache:
    session = session or DCXCache("x", "Melanoma")
    session.set_dataset(make_example().dataset, keep_runs=False)
    for name in ("dtd", "adtd", *names):
        session.add_run(computed[name])
    return session


# -- which intervals belong to which run
# ----------------------------------------------------------------------------------------
def test_intervals_belong_to_their_run_and_go_with_the_data(computed: dict[str, Run]) -> None:
    session = session_with(computed, "sure-dtd")
    assert bootstrap_of(session, session.current("dtd")).id == "sure-dtd"  # type: ignore[union-attr]
    assert bootstrap_of(session, session.current("adtd")) is None
    session.add_run(computed["sure-adtd"])
    assert bootstrap_of(session, session.current("adtd")).id == "sure-adtd"  # type: ignore[union-attr]
    assert bootstrap_of(session, session.current("dtd")).id == "sure-dtd"  # type: ignore[union-attr]
    data = session.dataset
    assert data is not None
    assert data.bulk is not None
    kept = data.bulk.matrix
    other = replace(
        data,
        bulk=replace(
            data.bulk, matrix=type(kept)(np.asarray(kept.values) + 1.0, kept.genes, kept.columns)
        ),
    )
    session.set_dataset(other, keep_runs=True)
    assert bootstrap_of(session, session.current("adtd")) is None


# -- figures
# --------------------------------------------------------------------------------------------------
def test_one_sample_has_a_whisker_for_every_type_and_bars_tell_on_hover(
    computed: dict[str, Run],
) -> None:
    result, sure = computed["adtd"].result, computed["sure-adtd"].result
    full = result.full()
    found = Composition(full, None, None, result.hidden_interval, (sure.low, sure.high))
    name = str(full.columns[0])
    bars = [t for t in sample_figure(found, name, {}, normalise=False).data if t.type == "bar"]  # type: ignore[union-attr]
    assert len(bars) == len(full)
    for bar in bars[:-1]:
        low, high = (100 * float(e.loc[bar.meta, name]) for e in (sure.low, sure.high))
        assert bar.x[0] - bar.error_x.arrayminus[0] == pytest.approx(low, abs=0.01)
        assert bar.x[0] + bar.error_x.array[0] == pytest.approx(high, abs=0.01)
        assert "95 % interval" in bar.hovertemplate
    assert "at equal fit" in bars[-1].hovertemplate
    plain = [
        t
        for t in sample_figure(Composition(full), name, {}, normalise=False).data
        if t.type == "bar"
    ]  # type: ignore[union-attr]
    assert all(bar.error_x.array is None for bar in plain)
    stacked = composition_figure(found, {}, Chosen(normalise=False)).data[0]
    np.testing.assert_allclose(
        stacked.customdata[0],
        [100 * sure.low.loc[stacked.meta, name], 100 * sure.high.loc[stacked.meta, name]],
        rtol=1e-3,
    )


def test_regulation_of_unsure_direction_is_grey_says_why_and_does_not_count(
    computed: dict[str, Run],
) -> None:
    result = computed["adtd"].result
    delta = result.gene_regulation
    genes = figures.most_regulated(delta, result.support, 6)
    kind = str(
        figures.logs(delta.loc[[genes[0]]])
        .abs()
        .where(result.support.loc[[genes[0]]] >= figures.LOW_SUPPORT)
        .iloc[0]
        .idxmax()
    )
    steady = pd.DataFrame(1.0, index=delta.index, columns=delta.columns)
    steady.loc[genes[0]] = 0.6
    sure = replace(computed["sure-adtd"].result, sign_stability=steady)
    believed = with_stable_support(result, sure)
    assert genes[0] not in figures.most_regulated(delta, believed.support, 6)
    assert result.support.loc[genes[0], kind] > 0, "the run itself stays as it is"
    fig = figures.gene_regulation(
        delta, result.support, genes=genes, stability=steady, cluster=False
    )
    row = [str(t) for t in delta.columns].index(kind)
    assert "direction is uncertain" in fig.data[0].text[row][0]
    assert fig.data[1].z[row][0] == 1, "covered in grey"
    free = figures.gene_regulation(delta, result.support, genes=genes, cluster=False)
    assert np.isnan(free.data[1].z[row][0]), "without the draws it is not"


# -- words
# --------------------------------------------------------------------------------------------------
def test_sentence_gives_both_figures_and_says_what_is_not_covered(computed: dict[str, Run]) -> None:
    sure: BootstrapResult = computed["sure-adtd"].result
    said = words.sentence(sure)
    assert f"in {round(100 * sure.check['widened'].mean())} of 100 cases" in said  # type: ignore[index]
    assert f"resampling alone: {round(100 * sure.check['genes'].mean())}" in said  # type: ignore[index]
    assert "do not cover other differences" in said
    assert "not calibrated" in words.sentence(replace(sure, check=None))


def test_samples_that_fit_poorly_are_counted_in_the_answer(computed: dict[str, Run]) -> None:
    result = computed["adtd"].result
    fit = result.fit.copy()
    fit[VERDICT] = "well"
    assert fit_sentence(fit) == "All 20 samples fit well."
    assert fit_sentence(fit.assign(**{VERDICT: "fairly"})) == "All 20 samples fit fairly."
    fit.iloc[[2, 5], fit.columns.get_loc(VERDICT)] = "poorly"
    assert poor_fit_message(fit) == "2 of 20 samples fit poorly"
    assert sentence(replace(result, fit=fit)).endswith("; 2 of 20 samples fit poorly.")
    assert "fit poorly" not in sentence(replace(result, fit=None))
    assert poor_fit_message(None) == ""


# -- session file and report
# --------------------------------------------------------------------------------------------------
def test_session_file_keeps_intervals_and_fit(computed: dict[str, Run], tmp_path: Path) -> None:
    data = make_example().dataset
    snapshot = Snapshot(
        new_id(),
        "Melanoma",
        datetime.now(UTC),
        datetime.now(UTC),
        1,
        data,
        runs=tuple(computed.values()),
    )
    path = tmp_path / "x.dcxsession"
    save(path, snapshot, expected_generation=None)
    back = {run.id: run for run in load(path).runs}
    for name in ("sure-dtd", "sure-adtd"):
        before, after = computed[name], back[name]
        assert after.params == before.params
        assert dict(after.provenance.inputs) == dict(before.provenance.inputs)
        for part in (
            "estimate",
            "low",
            "high",
            "genes_low",
            "genes_high",
            "check",
            "sign_stability",
        ):
            one, other = getattr(before.result, part), getattr(after.result, part)
            assert (one is None) == (other is None)
            if one is not None:
                pd.testing.assert_frame_equal(one, other, check_exact=True)
    pd.testing.assert_frame_equal(back["adtd"].result.fit, computed["adtd"].result.fit)
    assert set(back["dtd"].result.fit) == {"train", "test", "bulk"}


def test_report_holds_intervals_check_and_fit(computed: dict[str, Run]) -> None:
    session = session_with(computed, "sure-dtd", "sure-adtd")
    for kind in ("dtd", "adtd"):
        text = report(session, kind).decode()
        assert "95 % intervals from 20 bootstrap replicates" in text
        assert "RNA fraction as estimated with its 95 % interval" in text
        assert "reconstruct" in text
    without = report(session_with(computed), "adtd").decode()
    assert "95 % intervals from" not in without


# -- pages
# --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("sure")))
    app.start()
    yield app
    app.stop()


@pytest.fixture
def opened(
    program: Application, computed: dict[str, Run], open_tab: Callable[[Application], Any]
) -> Callable[..., Any]:
    def show(page: str, *names: str, look: str = "figure") -> tuple[Any, DCXCache]:
        session = session_with(
            computed,
            *names,
            session=program.sessions.create_session(
                program.sessions.free_name("test", actor=LOCAL), actor=LOCAL
            ),
        )
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go(page)
        tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
        tab.set({(f"{page}-tabs", "value"): "sure"})
        tab.set({(f"{page}-sure-look", "value"): look})
        return tab, session

    return show


@pytest.mark.parametrize("page", ["dtd", "adtd"])
def test_the_button_computes_intervals_of_the_run_on_screen(
    program: Application, opened: Callable[..., Any], page: str
) -> None:
    tab, session = opened(page)
    assert "Press “Compute intervals”" in tab.text(f"{page}-sure-words")
    assert tab.get(f"{page}-sure-start", "disabled") is False
    tab.set({(f"{page}-sure-replicates", "value"): 20})
    assert tab.get(f"{page}-sure-fold", "value") == "x"
    tab.click(f"{page}-sure-start")
    assert tab.get(f"{page}-sure-fold", "value") is None, (
        "folded, or the figure would stand below a small screen"
    )
    (job,) = [j for j in program.runner.status(session.session_id) if j.kind == "bootstrap"]
    assert dict(job.inputs) == ({"dtd": "dtd"} if page == "dtd" else {"dtd": "dtd", "adtd": "adtd"})
    assert job.params.replicates == 20
    assert job.params.part == "bulk"
    tab.click(f"{page}-sure-start")
    assert "already being computed" in " ".join(tab.notices)
    assert len([j for j in program.runner.status(session.session_id) if j.kind == "bootstrap"]) == 1
    assert program.runner.wait(job.id, 180).state == "done"
    tab.tick()
    assert "95 % intervals from 20 bootstrap replicates" in tab.text(f"{page}-sure-words")
    (run,) = session.runs("bootstrap")
    bars = next(t for t in tab.get(f"{page}-sure-figure", "figure")["data"] if t["type"] == "bar")
    assert bars["error_y"]["type"] == "data"
    assert dict(run.provenance.inputs) == dict(job.inputs)
    if page == "adtd":
        assert run.params.lambda2 == 1e-8
        assert run.result.sign_stability is not None
    assert all(code in (200, 204) for code in tab.statuses)


@pytest.mark.parametrize("page", ["dtd", "adtd"])
def test_the_tables_are_shown_and_saved_whole(
    computed: dict[str, Run], opened: Callable[..., Any], page: str
) -> None:
    tab, _ = opened(page, "sure-dtd", "sure-adtd", look="table")
    sure = computed[f"sure-{page}"].result
    rows = tab.get(f"{page}-sure-table", "rowData")
    assert len(rows) == sure.estimate.size
    assert words.AS_ESTIMATED in tab.text(f"{page}-sure-words")
    tab.click(f"{page}-sure-table-csv")
    ((name, data),) = tab.downloaded()
    assert name == f"{page}-intervals.csv"
    assert b"# RNA fraction (%) as estimated with" in data
    table = pd.read_csv(io.BytesIO(data), skiprows=1, index_col=0, float_precision="round_trip")
    assert [table.index.name, *table.columns] == [
        c["headerName"] for c in tab.get(f"{page}-sure-table", "columnDefs")
    ]
    np.testing.assert_allclose(
        table["Low (%)"].to_numpy(), 100 * sure.low.to_numpy().ravel(order="F"), atol=1e-7
    )
    tab.click(f"{page}-sure-table-engine-csv")
    ((name, data),) = tab.downloaded()
    assert name == f"{page}-intervals-engine.csv"
    table = pd.read_csv(io.BytesIO(data), skiprows=1, index_col=0, float_precision="round_trip")
    np.testing.assert_array_equal(table["low"].to_numpy(), sure.low.to_numpy().ravel(order="F"))
    tab.set({(f"{page}-sure-look", "value"): "fit"})
    rows = tab.get(f"{page}-sure-table", "rowData")
    assert len(rows) == 20
    assert "fits" in str(rows[0]["c1"])
    tab.click(f"{page}-sure-table-csv")
    ((name, data),) = tab.downloaded()
    assert name == f"{page}-fit.csv"
    assert len(pd.read_csv(io.BytesIO(data), skiprows=1)) == 20


def test_what_cannot_be_computed_disables_the_button_with_its_reason(
    opened: Callable[..., Any], computed: dict[str, Run]
) -> None:
    tab, session = opened("adtd")
    run = computed["adtd"]
    free = replace(run, id="free", params=ADTDParams(model="custom", c_static=False))
    session.add_run(free)
    tab.tick()
    tab.set({("adtd-tabs", "value"): "sure"})
    assert tab.get("adtd-sure-start", "disabled") is True
    assert "C static is off" in tab.text("adtd-sure-reason")
    session.choose_run("adtd")
    tab.set({("adtd-tabs", "value"): "sure"})  # a new run shows its composition
    assert tab.get("adtd-sure-start", "disabled") is False
    tab.set({("adtd-sure-replicates", "value"): 5})
    assert tab.get("adtd-sure-start", "disabled") is True
    assert "from 20 to 1000" in tab.text("adtd-sure-reason")


def test_an_outdated_run_says_so_instead(opened: Callable[..., Any]) -> None:
    tab, session = opened("adtd", "sure-adtd")
    data = session.dataset
    assert data is not None
    session.set_dataset(replace(data, bulk=None), keep_runs=True)
    tab.tick()
    assert tab.get("adtd-sure-start", "disabled") is True
    assert "another bulk" in tab.text("adtd-sure-reason")
    assert "Press “Compute intervals”" in tab.text("adtd-sure-words")
