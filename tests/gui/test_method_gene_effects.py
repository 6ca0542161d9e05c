"""An outside method with gene regulation and a hidden profile, through the pages Genes and Robustness.

The method is made up: non-negative least squares, what they leave over as hidden profile, and the
ratio of bulk to fit as regulation of one cell type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.gene_params import GenesParams
from gui.analyses.genes import run_genes
from gui.analyses.method_variants import estimate_method_variant, method_task
from gui.analyses.robustness import RobustnessParams, run_robustness
from gui.app import Application, create_app
from gui.cli import analyze
from gui.config import Config
from gui.data.dataset import HIDDEN, Dataset, Matrix
from gui.data.example import HIDDEN_TYPE, make_example
from gui.engine.variants import LEFT_OUT, Variant
from gui.errors import EngineFailed, MissingPart
from gui.methods.intervals import Estimator
from gui.methods.least_squares import LeastSquaresParams, profiles_and_bulk
from gui.methods.method import Capability, method_result
from gui.methods.registry import BUILT_IN, capabilities_of
from gui.report import report
from gui.sessions import file
from tests.gui.kept_files import Kept
from tests.gui.steps import press, session_with, show
from tests.waiting import until

PLUGIN = """
import numpy as np
import pandas as pd
from gui.engine.params import Params, param
from gui.methods.least_squares import plain_estimate, profiles_and_bulk
from gui.plugin import Capability, Method, method_result

class RestParams(Params):
    genes: int | None = param(200, "Number of genes", "Used.", unit="genes", ge=2)
    seed: int = param(3, "Seed", "Not used.", ge=0)

def rest(dataset, params, *, progress):
    profiles, bulk, notes = profiles_and_bulk(dataset, params.genes)
    found = plain_estimate(profiles, bulk)
    fit = profiles @ found
    left = (bulk - fit).clip(lower=0.0).mean(axis=1)
    hidden = ((bulk - fit).clip(lower=0.0).sum() / bulk.sum()).rename(None)
    ratio = (bulk.mean(axis=1) / fit.mean(axis=1).clip(lower=1e-9)).clip(0.1, 10.0)
    delta = pd.DataFrame(1.0, index=profiles.index, columns=profiles.columns)
    delta.iloc[:, 0] = ratio
    return method_result(
        dataset, "rest", "Rest", found / found.sum() * (1 - hidden), profiles, notes=notes,
        hidden=hidden, hidden_profile=left / left.sum(), gene_regulation=delta,
    )

method = Method("rest", "Rest", "What least squares leave over.", rest, RestParams,
                frozenset({Capability.HIDDEN, Capability.REGULATION}), needs="reference")
"""


GENES = GenesParams(permutations=100)


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    config = Config.for_tests(tmp_path_factory.mktemp("effects"))
    (config.plugins_folder / "rest.py").write_text(PLUGIN, "utf-8")
    app = create_app(config, Kept())
    assert app.registry.errors == ()
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def rest(program: Application) -> Any:
    return {method.key: method for method in program.methods}["rest"]


def run_method(tab: Any, key: str) -> None:
    tab.go("method")
    tab.set({("method-choice", "value"): key})
    press(tab, "method-run")


def test_its_regulation_and_hidden_profile_reach_genes_report_and_a_saved_file(
    program: Application, open_tab: Callable[..., Any], tmp_path: Path
) -> None:
    session = session_with(program, "Effects")
    tab = open_tab(program)
    show(tab, session.session_id)
    run_method(tab, "nnls")
    until(lambda: len(session.runs("method")) == 1)
    assert not session.has("gene effects"), "NNLS says nothing of genes"
    tab.go("genes")
    assert "needs an ADTD run, or another method" in tab.text("dcx-outlet")
    run_method(tab, "rest")
    until(lambda: len(session.runs("method")) == 2)
    run = session.current("method")
    assert run is not None
    assert {Capability.HIDDEN, Capability.REGULATION} <= capabilities_of(run)
    tab.go("genes")
    assert "Rest" in tab.text("genes-answer")
    name = str(run.result.reference.columns[0])
    assert tab.get("genes-regulation-type", "value") == name
    for view in ("volcano", "heatmap", "top", "overlap"):
        tab.set({("genes-regulation-view", "value"): view})
        assert tab.get("genes-regulation", "figure")["data"], view
    tab.set({("genes-regulation-view", "value"): "table"})
    assert len(tab.get("genes-regulation-table", "rowData")) == len(run.result.reference)
    for count in (1, 2):
        press(tab, "genes-run")
        until(lambda count=count: len(session.runs("genes")) == count)
    result = session.current("genes").result
    assert session.current("genes").provenance.inputs == {"method": run.id}
    assert result.regulated.loc[name, "up"] > 0
    tab.go("genes")
    tab.set({("genes-tabs", "value"): "hidden"})
    assert "hidden profile" in tab.text("genes-looks-words").casefold()
    html = report(session, "genes").decode()
    assert "Computed from the Rest run" in html
    assert "gene regulation" in report(session, "method").decode()
    path = tmp_path / "kept.dcxsession"
    file.save(path, session.snapshot(), expected_generation=None)
    again = next(one for one in file.load(path).runs if one.id == run.id)
    pd.testing.assert_frame_equal(again.result.gene_regulation, run.result.gene_regulation)
    pd.testing.assert_series_equal(again.result.hidden_profile, run.result.hidden_profile)
    assert again.result.fits()


def test_what_is_hidden_is_compared_as_that_of_adtd_is(rest: Any) -> None:
    example = make_example()
    run = rest.task(example.dataset, rest.params(), progress=quiet)
    found = run_genes(example.dataset, GENES, progress=quiet, method=run)
    assert found.likeness.profiles.index[0] == HIDDEN_TYPE
    without = replace(run, gene_regulation=None)
    found = run_genes(example.dataset, GENES, progress=quiet, method=without)
    assert found.regulated.empty
    neither = replace(without, hidden_profile=None)
    with pytest.raises(MissingPart, match="no run with gene regulation or a hidden profile"):
        run_genes(example.dataset, GENES, progress=quiet, method=neither)


def test_without_a_hidden_profile_nothing_is_said_of_one(rest: Any) -> None:
    from gui.answers.genes import details, methods, sentence

    example = make_example()
    run = rest.task(example.dataset, rest.params(), progress=quiet)
    found = run_genes(
        example.dataset, GENES, progress=quiet, method=replace(run, hidden_profile=None)
    )
    said = " ".join([sentence(found), *details(found), methods(GENES, found)])
    assert "idden profile" not in said
    assert any("estimates no hidden profile" in note for note in found.notes)


@pytest.mark.parametrize("part", ["hidden_profile", "gene_regulation", "support"])
def test_regulation_of_other_genes_is_refused(part: str) -> None:
    data = make_example().dataset
    profiles, _, _ = profiles_and_bulk(data, None)
    nnls = BUILT_IN["nnls"].task(data, LeastSquaresParams(genes=None), progress=quiet)
    good = {
        "hidden_profile": profiles.iloc[:, 0],
        "gene_regulation": profiles * 0 + 1.0,
        "support": profiles * 0 + 1.0,
    }

    def made(**parts: Any) -> Any:
        return method_result(
            data, "x", "X", nnls.composition, nnls.reference, opinion=False, **parts
        )

    assert made(**good).fits()
    wrong = {
        "other genes": good[part].iloc[1:],
        "gaps": good[part].where(np.arange(len(profiles)) > 0)
        if part == "hidden_profile"
        else good[part].mask(profiles > -1),
        "negative": -good[part] - 1.0,
    }
    for name, value in wrong.items():
        with pytest.raises(EngineFailed, match="other genes or cell types"):
            made(**good | {part: value})
        assert name


# -- robustness
# --------------------------------------------------------------------------------------------------
def test_a_type_is_left_out_through_any_method(rest: Any) -> None:
    data = make_example().dataset
    params = rest.params()
    run = rest.task(data, params, progress=quiet)
    asked = RobustnessParams(genes=True, seeds=2, left_out=True, donors=False)
    found = run_robustness(
        data, asked, progress=quiet, method=run, estimator=Estimator.of(rest, params)
    )
    assert found.kinds == ("genes", "seed", "left_out")
    assert list(found.base.index) == [*map(str, run.reference.columns), HIDDEN]
    assert found.citations() == ()
    np.testing.assert_allclose(found.of("seed"), [found.base, found.base], atol=1e-12)
    leakage = found.leakage()
    assert list(leakage.index) == list(map(str, data.types))
    # by hand: the first type is taken out of the reference and of the cells
    lost = str(data.types[0])
    assert data.train is not None
    assert data.reference is not None
    genes = run.reference.index
    kept = data.train.where(data.train.labels != lost)
    profiles = data.reference.where(data.reference.columns.astype(str).to_numpy() != lost)
    less = replace(data, train=kept, reference=profiles)
    task, _, _ = method_task(data, run, Estimator.of(rest, params), lambda: None)
    assert set(task.dataset.bulk.matrix.genes) == set(genes)
    by_hand = rest.task(over(less, genes), params, progress=quiet).full()
    mine = estimate_method_variant(
        task, Variant(LEFT_OUT, "", 0, left_out=lost), step=lambda *_: None
    )
    np.testing.assert_allclose(mine, (by_hand / by_hand.sum()).loc[mine.index], atol=1e-9)


def over(data: Dataset, genes: pd.Index) -> Dataset:
    from gui.methods.intervals import over_genes

    return over_genes(data, genes)


def test_a_reference_alone_is_enough_and_what_cannot_be_changed_is_said() -> None:
    data = make_example().dataset
    profiles, _, _ = profiles_and_bulk(data, None)
    reference = Matrix(profiles.to_numpy(), profiles.index, profiles.columns)
    alone = replace(data, train=None, test=None, reference=reference)
    params = LeastSquaresParams()
    nnls = BUILT_IN["nnls"]
    run = nnls.task(alone, params, progress=quiet)
    found = run_robustness(
        alone,
        RobustnessParams(),
        progress=quiet,
        method=run,
        estimator=Estimator.of(nnls, params),
    )
    assert set(found.kinds) == {"genes", "left_out"}
    assert "NNLS takes no seed." in found.notes
    assert any("no column that names their donors" in note for note in found.notes)


def test_the_page_recomputes_a_method_and_the_report_says_which(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(program, "Robust")
    tab = open_tab(program)
    show(tab, session.session_id)
    run_method(tab, "rest")
    until(lambda: len(session.runs("method")) == 1)
    tab.go("robustness")
    labels = [option["label"] for option in tab.get("robustness-source", "data")]
    assert len(labels) == 1
    assert "Rest" in labels[0]
    for count in (1, 2):
        press(tab, "robustness-run")
        until(lambda count=count: len(session.runs("robustness")) == count)
    run = session.current("robustness")
    assert run is not None
    assert run.provenance.inputs == {"method": session.current("method").id}
    assert run.result.method == "Rest"
    html = report(session, "robustness").decode()
    assert "Computed from the Rest run" in html


def test_analyze_asks_a_method_what_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_example().dataset
    assert data.bulk is not None
    assert data.reference is not None
    data.reference.frame().to_csv(tmp_path / "reference.csv")
    data.bulk.matrix.frame().to_csv(tmp_path / "bulk.csv")
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "rest.py").write_text(PLUGIN, "utf-8")
    config = tmp_path / "config.toml"
    config.write_text(f"[folders]\nplugins = '{folder}'\n", "utf-8")
    roles = ["--reference", str(tmp_path / "reference.csv"), "--bulk", str(tmp_path / "bulk.csv")]

    def run(name: str, method: str, *more: str) -> int:
        out = ["--config", str(config), "--out", str(tmp_path / name)]
        return analyze.analyze([*roles, "--method", method, *more, *out])

    assert run("rest", "rest", "--enrich", "hallmark", "--robustness", "left-out") == 0
    out = tmp_path / "rest"
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert "genes" in record
    assert "robustness" in record
    for name in ("hidden_profile", "gene_regulation", "genes_regulated", "robustness_leakage"):
        assert (out / f"{name}.csv").exists(), name
    assert run("nnls", "nnls", "--enrich", "hallmark") == 2
    assert "--enrich needs a hidden background or gene regulation" in capsys.readouterr().err
