"""Gene regulation per group by an outside method: task, page, report and command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.group_regulation import (
    GroupRegulationParams,
    GroupRegulationResult,
    run_group_regulation,
)
from gui.answers.group_regulation import details, methods, sentence
from gui.app import Application, create_app
from gui.cli import analyze
from gui.config import Config
from gui.data.example import make_example
from gui.engine import compute_settings
from gui.errors import EngineFailed, JobCancelled, MissingPart
from gui.methods.intervals import Estimator
from gui.methods.least_squares import LeastSquaresParams
from gui.methods.method import KIND
from gui.methods.registry import BUILT_IN
from gui.report import report
from gui.sessions import file
from tests.analyses.test_group_regulation import made
from tests.gui.kept_files import Kept
from tests.gui.steps import press, session_with, show
from tests.gui.test_method_gene_effects import PLUGIN, run_method
from tests.waiting import until


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(autouse=True, scope="module")
def one_core() -> Iterator[None]:
    """Starting processes takes longer than the fits."""
    before = compute_settings.get_compute_settings()
    compute_settings.set_compute_settings(replace(before, cores=1))
    yield
    compute_settings.set_compute_settings(before)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    config = Config.for_tests(tmp_path_factory.mktemp("regulation"))
    (config.plugins_folder / "rest.py").write_text(PLUGIN, "utf-8")
    app = create_app(config, Kept())
    assert app.registry.errors == ()
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def rest(program: Application) -> Any:
    return {method.key: method for method in program.methods}["rest"]


def compared(
    rest: Any, inputs: dict[str, Any], progress: Any = quiet, **options: Any
) -> GroupRegulationResult:
    """A run of the method on all samples, and the comparison of its groups."""
    data, params = inputs["dataset"], rest.params(genes=None)
    run = rest.task(data, params, progress=quiet)
    asked = GroupRegulationParams(**{"column": "arm", "permutations": 19, **options})
    return run_group_regulation(
        data, asked, progress=progress, method=run, estimator=Estimator.of(rest, params)
    )


def test_regulation_in_one_group_is_found_by_a_method_run_on_each_group_alone(
    rest: Any,
) -> None:
    inputs = made(changed=True)
    found = compared(rest, inputs)
    first = found.difference.columns[0]
    regulated = list(inputs["regulated"])
    assert found.called.loc[regulated, first].all()
    assert np.sign(found.difference.loc[regulated, first]).tolist() == [1.0] * 4 + [-1.0] * 10
    assert not found.called.drop(columns=first).to_numpy().any()
    assert found.fits()
    assert (found.method, found.citations()) == ("Rest", ("westfall-young",))
    # by hand: the method on the samples of each group
    data = inputs["dataset"]
    arms = data.bulk.obs["arm"].to_numpy()
    logs = []
    for arm in ("control", "treated"):
        matrix = data.bulk.matrix.where(arms == arm)
        part = replace(data.bulk, matrix=matrix, obs=data.bulk.obs[arms == arm])
        alone = rest.task(replace(data, bulk=part), rest.params(genes=None), progress=quiet)
        logs.append(np.log2(alone.gene_regulation))
        pd.testing.assert_frame_equal(found.regulation[arm], logs[-1], check_exact=False)
    pd.testing.assert_frame_equal(found.difference, logs[1] - logs[0])
    # its support is not known: everything is compared, and that is said
    assert found.support.isna().all(axis=None)
    assert found.family == found.difference.size
    assert any("Rest does not say how much the data support" in note for note in found.notes)
    said = " ".join([sentence(found), *details(found)])
    assert f"{int(found.called[first].sum())} genes are regulated differently" in said
    assert "with support" not in said
    assert "estimated by Rest" in methods(GroupRegulationParams(column="arm"), found)
    assert len(found.tables()["groups_regulation"]) == found.difference.size


def test_nothing_is_called_where_the_groups_are_alike(rest: Any) -> None:
    assert not compared(rest, made(changed=False)).called.to_numpy().any()


def test_it_can_be_cancelled_between_permutations(rest: Any) -> None:
    seen = []

    def stop(_stage: str, fraction: float | None = None, **_: Any) -> None:
        seen.append(fraction)
        if fraction and fraction > 0.1:
            raise JobCancelled("")

    with pytest.raises(JobCancelled):
        compared(rest, made(changed=False), stop)
    assert max(filter(None, seen)) < 0.3


def test_genes_that_a_group_lacks_are_left_out_and_counted(
    rest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = made(changed=True)
    few = inputs["dataset"].bulk.matrix.n_columns
    whole = Estimator.run

    def run(self: Estimator, dataset: Any, check: Any, **changed: Any) -> Any:
        found = whole(self, dataset, check, **changed)
        if dataset.bulk.matrix.n_columns == few:
            return found
        return replace(found, gene_regulation=found.gene_regulation.iloc[3:])

    monkeypatch.setattr(Estimator, "run", run)
    found = compared(rest, inputs)
    assert any(note.startswith("3 genes are not used in every group") for note in found.notes)
    assert found.family == found.difference.size
    assert found.fits()

    def none(self: Estimator, dataset: Any, check: Any, **changed: Any) -> Any:
        found = whole(self, dataset, check, **changed)
        groups = dataset.bulk.matrix.n_columns < few
        return replace(found, gene_regulation=None) if groups else found

    monkeypatch.setattr(Estimator, "run", none)
    with pytest.raises(EngineFailed, match="no gene regulation of a group"):
        compared(rest, inputs)


def test_a_method_without_regulation_is_refused() -> None:
    data, nnls, params = made(changed=False)["dataset"], BUILT_IN["nnls"], LeastSquaresParams()
    run = nnls.task(data, params, progress=quiet)
    with pytest.raises(MissingPart, match="NNLS estimates no gene regulation"):
        run_group_regulation(
            data,
            GroupRegulationParams(column="arm"),
            progress=quiet,
            method=run,
            estimator=Estimator.of(nnls, params),
        )


def test_the_page_compares_any_method_that_can_and_says_of_others_that_they_cannot(
    program: Application, open_tab: Callable[..., Any], tmp_path: Path
) -> None:
    session = session_with(program, "Regulation")
    session.set_dataset(made(changed=True)["dataset"], keep_runs=False)
    tab = open_tab(program)
    show(tab, session.session_id)
    run_method(tab, "nnls")
    until(lambda: len(session.runs(KIND)) == 1)
    tab.go("groups")
    tab.set({("groups-column", "value"): "arm", ("groups-regulation-permutations", "value"): 19})
    assert tab.get("groups-regulation-run", "disabled") is True
    assert "NNLS estimates no gene regulation" in tab.text("groups-regulation-reason")
    run_method(tab, "rest")
    until(lambda: len(session.runs(KIND)) == 2)
    nnls, own = session.runs(KIND)
    tab.go("groups")
    tab.set({("groups-column", "value"): "arm", ("groups-regulation-permutations", "value"): 19})
    # whichever is chosen for the fractions, the run that has regulation is compared
    tab.set({("groups-source", "value"): nnls.id})
    reason = tab.text("groups-regulation-reason")
    assert "NNLS estimates no gene regulation: the Rest run" in reason
    assert tab.get("groups-regulation-run", "disabled") is False
    tab.set({("groups-source", "value"): own.id})
    assert not tab.get("groups-regulation-reason", "children")
    for count in (1, 2):
        press(tab, "groups-regulation-run")
        until(lambda count=count: len(session.runs("group_regulation")) == count)
    run = session.current("group_regulation")
    assert run is not None
    assert run.provenance.inputs == {KIND: own.id}
    assert run.params.method == "rest"
    assert "lambda2" not in run.params.used()
    assert "genes are regulated differently" in tab.text("groups-regulation-words")
    for look in ("table", "figure"):
        tab.set({("groups-regulation-look", "value"): look})
    assert tab.get("groups-regulation-table", "rowData")
    assert tab.get("groups-regulation-figure", "figure")["data"]
    # the page Genes shows the groups beside each other
    tab.go("genes")
    offered = tab.get("genes-regulation-beside", "data")
    assert any(option["value"] == run.id for option in offered)
    tab.set({("genes-regulation-beside", "value"): run.id})
    assert tab.get("genes-regulation", "figure")["data"]
    # report and session file
    tab.go("groups")
    press(tab, "groups-run")
    until(lambda: len(session.runs("groups")) == 1)
    text = report(session, "groups").decode()
    assert "Gene regulation was estimated by Rest for each group" in text
    path = tmp_path / "kept.dcxsession"
    file.save(path, session.snapshot(), expected_generation=None)
    again = next(one for one in file.load(path).runs if one.id == run.id)
    assert (again.result.method, again.params) == ("Rest", run.params)
    pd.testing.assert_frame_equal(again.result.p_adjusted, run.result.p_adjusted)


def test_analyze_compares_the_regulation_of_a_method_between_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_example().dataset
    assert data.bulk is not None
    assert data.reference is not None
    bulk = data.bulk.matrix.frame()
    data.reference.frame().to_csv(tmp_path / "reference.csv")
    bulk.to_csv(tmp_path / "bulk.csv")
    arms = ["control" if at % 2 else "treated" for at in range(bulk.shape[1])]
    pd.DataFrame({"arm": arms}, bulk.columns).to_csv(
        tmp_path / "clinical.csv", index_label="sample"
    )
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "rest.py").write_text(PLUGIN, "utf-8")
    config = tmp_path / "config.toml"
    config.write_text(f"[folders]\nplugins = '{folder}'\n", "utf-8")
    files = ("reference", "bulk", "clinical")
    roles = [part for name in files for part in (f"--{name}", str(tmp_path / f"{name}.csv"))]

    def run(method: str) -> int:
        asked = ["--groups", "arm", "--group-regulation", "19", "--method", method]
        out = ["--config", str(config), "--out", str(tmp_path / method)]
        return analyze.analyze([*roles, *asked, *out])

    assert run("rest") == 0, capsys.readouterr().err
    record = json.loads((tmp_path / "rest" / "run.json").read_text("utf-8"))["group_regulation"]
    assert record["parameters"]["method"] == "rest"
    assert record["parameters"]["permutations"] == 19
    assert "lambda2" not in record["parameters"]
    assert not any("ADTD" in cited for cited in record["citations"])
    table = pd.read_csv(tmp_path / "rest" / "groups_regulation.csv", index_col=0)
    assert {"log2_control", "log2_treated", "difference", "p_adjusted"} <= set(table.columns)
    assert run("nnls") == 2
    assert "NNLS estimates none" in capsys.readouterr().err
