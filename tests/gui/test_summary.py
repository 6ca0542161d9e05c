"""What a result says, and what weakens it, is the same on the page, in the report, in run.json and
on the command line.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.answers.summary import search_notes, summarise, summary_of
from gui.app import Application
from gui.cli import analyze
from gui.data.dataset import Dataset
from gui.data.example import make_example
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import Provenance, Run, SearchResult
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

SMALL = {
    "genes": 100,
    "iterations": 20,
    "train_mixtures": 40,
    "test_mixtures": 40,
    "train_cells": 50,
    "test_cells": 50,
    "seed": 1,
}
AS_OPTIONS = ["--genes", "100", "--iterations", "20", "--mixtures", "40", "--cells", "50"]


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


def add(session: DCXCache, kind: str, params: Any, result: Any, **inputs: str) -> Run:
    data = session.need_dataset()
    run = Run(
        kind,
        kind,
        kind,
        datetime.now(UTC),
        params,
        result,
        Provenance(data.training_id, data.bulk_id, inputs),
    )
    session.add_run(run)
    return run


def with_runs(application: Application, data: Dataset) -> DCXCache:
    """A session with a DTD run and a Deconomix+h run of it."""
    session = application.sessions.create_session("Mine", actor=LOCAL)
    session.set_dataset(data, keep_runs=False)
    params, more = DTDParams(**SMALL), ADTDParams(model="h")
    dtd = tasks.run_dtd(data, params, progress=quiet)
    add(session, "dtd", params, dtd)
    add(session, "adtd", more, tasks.run_adtd(data, more, progress=quiet, dtd=dtd), dtd="dtd")
    return session


def go_to(tab: Any, key: str) -> None:
    """Open a page.

    Dash also calls callbacks of which only the outputs are new: they all listen to the revision.
    """
    tab.go(key)
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})


def texts(node: Any) -> list[str]:
    """Every text of a component but the labels of buttons."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        if node.get("type") == "Button":
            return []
        return texts((node.get("props") or {}).get("children"))
    return [text for child in node for text in texts(child)] if isinstance(node, list) else []


def in_report(session: DCXCache, kind: str) -> tuple[str, list[str]]:
    """Answer and warnings of the report."""
    text = report(session, kind).decode()

    def of(name: str) -> list[str]:
        return [html.unescape(t) for t in re.findall(rf'<p class="{name}">(.*?)</p>', text)]

    return of("answer")[0], of("warn")


def same_everywhere(
    application: Application, tab: Any, data: Dataset, files: list[str], out: Path, said: str
) -> None:
    session = with_runs(application, data)
    tab.set({("dcx-session", "data"): session.session_id})
    for kind, model, answer, weak in (
        ("dtd", "deconomix", "dtd-answer", "dtd-notes"),
        ("adtd", "deconomix+h", "adtd-run-answer", "adtd-run-remarks"),
    ):
        short = summary_of(session, session.current(kind))  # type: ignore[arg-type]
        go_to(tab, kind)
        assert "".join(texts(tab.get(answer, "children"))) == short.answer
        lines = [t for t in texts(tab.get(weak, "children")) if not t.endswith(" warnings")]
        assert lines == list(short.warnings)
        assert in_report(session, kind) == (short.answer, list(short.warnings))
        assert analyze.analyze([*files, *AS_OPTIONS, "--model", model, "--out", str(out)]) == 0
        record = json.loads((out / "run.json").read_text("utf-8"))
        assert record["summary"] == [text for text in (short.answer, short.basis) if text]
        assert record["warnings"] == list(short.warnings)
        assert said in short.answer, kind
        assert any(said in text for text in short.warnings), kind


def spoiled(data: Dataset) -> Dataset:
    """The same with a bulk whose genes are shuffled: it fits poorly."""
    assert data.bulk is not None
    mixed = np.random.default_rng(0).permutation(np.asarray(data.bulk.matrix.values))
    return replace(data, bulk=replace(data.bulk, matrix=replace(data.bulk.matrix, values=mixed)))


def test_of_the_example(
    application: Application,
    tab: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = make_example()
    poor = replace(example, dataset=spoiled(example.dataset))
    monkeypatch.setattr("gui.data.example.make_example", lambda: poor)
    same_everywhere(application, tab, poor.dataset, ["--example"], tmp_path / "out", "20 of 20")
    said = capsys.readouterr().err
    assert "Note: ADTD: 20 of 20 samples fit poorly" in said
    assert re.search(
        r"^Result: Median hidden fraction .*; 20 of 20 samples fit poorly[;.]", said, re.MULTILINE
    )


def test_of_real_data(application: Application, tab: Any, tmp_path: Path, tiny_data: Path) -> None:
    """Real cells, and a bulk that fits poorly: its genes are shuffled."""
    bulk = anndata.read_h5ad(tiny_data / "application.h5ad").to_df().T
    mixed = np.random.default_rng(0).permutation(bulk.to_numpy())
    bulk[:] = mixed
    bulk.to_csv(tmp_path / "bulk.csv", index_label="gene")
    paths = {
        "train": tiny_data / "train.h5ad",
        "test": tiny_data / "test.h5ad",
        "bulk": tmp_path / "bulk.csv",
    }
    chosen = {role: FileChoice.parse(path=path, name=path.name) for role, path in paths.items()}
    data = load_dataset(LoadRequest.parse(files=chosen, split_seed=1))
    files = [part for role, path in paths.items() for part in (f"--{role}", str(path))]
    same_everywhere(application, tab, data, files, tmp_path / "out", " poorly")


def test_what_a_loaded_model_and_a_session_without_cells_lack_is_said(
    application: Application,
) -> None:
    data = make_example().dataset
    session = application.sessions.create_session("Mine", actor=LOCAL)
    session.set_dataset(replace(data, test=None), keep_runs=False)
    params = DTDParams(**SMALL)
    run = add(session, "dtd", params, tasks.run_dtd(session.need_dataset(), params, progress=quiet))
    assert any("no test cells" in text for text in summary_of(session, run).warnings)
    session.set_dataset(spoiled(data), keep_runs=True)
    (changed,) = [
        text
        for text in summary_of(session, run).warnings
        if "outdated" in text or "replaced" in text
    ][:1]
    assert changed


# -- a search
# --------------------------------------------------------------------------------------------------
def searched(means: list[float | None], **choices: float | None) -> SearchResult:
    grid = [10.0**k for k in range(-len(means), 0)]
    losses = pd.DataFrame(
        [[np.nan if m is None else m + d for m in means] for d in (0, 0.1)],
        columns=pd.Index(grid, name="lambda2"),
    )
    from gui.engine.choices import choose

    found = choose(losses)
    return SearchResult(losses, {**found.values, **choices}, (), found.notes)


@pytest.mark.parametrize(
    ("means", "says"),
    [
        ([1.0, 2.0, 3.0], "smaller"),
        ([3.0, 2.0, 1.0], "larger"),
        ([3.0, 1.0, 2.0], None),
        ([None, 1.0, 2.0], "smaller"),
        ([3.0, 1.0, None], "larger"),
    ],
)
def test_a_minimum_at_the_edge_of_the_grid_is_said(
    means: list[float | None], says: str | None
) -> None:
    found = [
        text
        for text in summarise(None, adtd=None, search=searched(means), searched=50).warnings
        if "edge of the grid" in text
    ]
    assert len(found) == (says is not None)
    assert says is None or f"may be even {says}" in found[0]


def test_a_search_that_ends_at_no_regulation_says_so() -> None:
    found = searched([3.0, 2.0, 1.0])
    losses = found.losses.set_axis([1e-6, 1e-3, 1.0], axis=1)
    strongest = replace(found, losses=losses, choices={**found.choices, "min": 1.0})
    found_words = summarise(None, search=strongest, searched=50).warnings
    assert any(text.endswith("the data show no regulation.") for text in found_words)
    assert not any("edge of the grid" in text for text in found_words)
    nearly = replace(found, losses=losses, choices={"min": 1e-3, "one_se": 1.0})
    found_words = summarise(None, search=nearly, searched=50).warnings
    assert any("within the standard error" in text for text in found_words)
    weak = replace(nearly, choices={"min": 1e-3, "one_se": 1e-3})
    assert not any("no regulation" in t for t in summarise(None, search=weak, searched=50).warnings)


def test_a_search_on_few_samples_warns_on_its_tab_in_the_report_and_in_the_record(
    application: Application, tab: Any, tmp_path: Path
) -> None:
    example = make_example().dataset
    assert example.bulk is not None
    few = example.bulk.matrix.columns[:6]
    matrix = replace(
        example.bulk.matrix, values=np.asarray(example.bulk.matrix.values)[:, :6], columns=few
    )
    data = replace(
        example, bulk=replace(example.bulk, matrix=matrix, obs=example.bulk.obs.iloc[:6])
    )
    session = with_runs(application, data)
    dtd, params = session.run("dtd"), SearchParams(points=3, folds=2)
    search = add(
        session,
        "search",
        params,
        tasks.run_search(data, params, progress=quiet, dtd=dtd.result),
        dtd="dtd",
    )  # type: ignore[union-attr]
    more = ADTDParams(model="h,r", lambda2=search.result.choices["min"])
    run = add(
        session, "adtd", more, tasks.run_adtd(data, more, progress=quiet, dtd=dtd.result), dtd="dtd"
    )  # type: ignore[union-attr]
    warned = "The search used only 6 samples"
    assert any(warned in text for text in search_notes(session, search))
    assert any(warned in text for text in summary_of(session, run).warnings)
    assert sum(warned in text for text in in_report(session, "adtd")[1]) == 2, (
        "among the warnings, and where the numbers are"
    )
    tab.set({("dcx-session", "data"): session.session_id})
    go_to(tab, "adtd")
    tab.set({("adtd-tabs", "value"): "search"})
    assert warned in tab.text("adtd-search-remarks")
    assert "fewer than 10" in tab.text("adtd-search-reason")
