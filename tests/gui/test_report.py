"""The report of a run: one HTML file, with the run's numbers, in which names are inert."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui import __version__
from gui.app import Application
from gui.citations import CITATIONS, RESEARCH_USE
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import Provenance, Run
from gui.errors import MissingPart
from gui.figures.text import three
from gui.report import report, report_name
from gui.report.document import Document, plotly_js
from gui.report.origin import option_texts
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
MOST = 6_000_000
"""Bytes: plotly.js is 4.8 MB."""


def add(session: DCXCache, kind: str, params: Any, result: Any, **inputs: str) -> None:
    data = session.need_dataset()
    made = Provenance(
        data.training_id, data.bulk_id, inputs, versions=tasks.versions(), seconds=1.5
    )
    session.add_run(Run(kind, kind, kind, datetime.now(UTC), params, result, made))


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def computed() -> tuple[Any, ...]:
    """The example with a DTD run, a search and an ADTD run that took its lambda2."""
    data = make_example().dataset
    dtd_params, searching = (
        DTDParams(iterations=20, train_mixtures=40, test_mixtures=40, genes=200, seed=7),
        SearchParams(points=4, folds=2),
    )
    dtd = tasks.run_dtd(data, dtd_params, progress=quiet)
    search = tasks.run_search(data, searching, progress=quiet, dtd=dtd)
    params = ADTDParams(model="h,r", lambda2=search.choices["min"], max_iterations=30)
    return (
        data,
        dtd_params,
        dtd,
        searching,
        search,
        params,
        tasks.run_adtd(data, params, progress=quiet, dtd=dtd),
    )


@pytest.fixture
def session(computed: tuple[Any, ...]) -> DCXCache:
    data, dtd_params, dtd, searching, search, params, adtd = computed
    found = DCXCache("x", "Melanoma & co")
    found.set_dataset(data, keep_runs=False)
    add(found, "dtd", dtd_params, dtd)
    add(found, "search", searching, search, dtd="dtd")
    add(found, "adtd", params, adtd, dtd="dtd")
    return found


def body(html: bytes) -> str:
    """What is read: without scripts."""
    return re.sub(r"<script.*?</script>", "", html.decode(), flags=re.DOTALL)


def cells(html: bytes, first: str) -> list[list[str]]:
    """Rows of tables that begin with this name."""
    rows = re.findall(r"<tr>(.*?)</tr>", body(html))
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    return [row for row in found if row and row[0] == first]


def test_report_of_dtd_says_what_was_done_with_the_numbers_of_the_run(session: DCXCache) -> None:
    html = report(session, "dtd")
    text, result = body(html), session.current("dtd").result
    assert "Melanoma &amp; co" in text
    assert text.count(RESEARCH_USE) == 2
    assert "the 200 genes whose mean expression differs most" in text
    assert "seeds: training pseudobulks 7, test pseudobulks 8" in text
    assert f"deconomix {tasks.versions()['deconomix']}" in text
    assert f"DeconomiX GUI {__version__}" in text
    assert CITATIONS["dtd"][1] in text
    assert CITATIONS["adtd"][1] not in text
    assert "not calibrated" in text
    bulk = result.composition["bulk"]
    shares = bulk / bulk.sum(axis=0) * 100
    for sample in bulk.columns:
        assert [sample, *map(three, shares[sample])] in cells(html, sample)
    row = result.metrics.iloc[0]
    assert any(three(row["pearson"]) in found for found in cells(html, row["cell_type"]))
    assert "RMSE (percentage points)" in text
    assert any(three(row["rmse"] * 100) in found for found in cells(html, row["cell_type"])), (
        "as on the page"
    )
    top = (result.gene_weights * result.reference.var(axis=1)).idxmax()
    assert cells(html, top)[0][1] == three(float(result.gene_weights[top]))
    assert len(html) < MOST


def test_report_of_adtd_holds_its_dtd_run_and_the_search_it_took_lambda2_from(
    session: DCXCache,
) -> None:
    html = report(session, "adtd")
    text, result = body(html), session.current("adtd").result
    for title in (
        "ADTD: Hidden background + gene regulation on bulk",
        "Hidden background",
        "Gene regulation",
        "Search of λ₂",
        "DTD: gene weights",
        "Methods",
        "Provenance",
    ):
        assert title in text
    assert "chosen by 2-fold cross-validation over 4 values" in text
    assert all(doi in text for _, doi in CITATIONS.values())
    full = result.full()
    sample = full.columns[0]
    assert [sample, *map(three, full[sample] * 100)] in cells(html, sample)
    ends = result.hidden_interval.loc[sample, ["low", "high"]] * 100
    assert [sample, three(result.hidden[sample] * 100), *map(three, ends)] in cells(html, sample)
    assert len(html) < MOST


def test_lambda2_that_no_search_chose_is_said_to_be_the_users(session: DCXCache) -> None:
    run = session.current("adtd")
    session.add_run(
        dataclasses.replace(run, id="own", params=run.params.model_copy(update={"lambda2": 0.123}))
    )
    text = body(report(session, "adtd"))
    assert "was 1.23e-1, chosen by the user" in text
    assert "Search of λ₂" not in text


def test_report_without_a_run_is_refused() -> None:
    with pytest.raises(MissingPart, match="no ADTD run"):
        report(DCXCache("x", "empty"), "adtd")


def test_outdated_run_says_so(session: DCXCache) -> None:
    assert "outdated" not in body(report(session, "dtd"))
    data = session.need_dataset()
    turned = data.bulk.matrix.take(data.bulk.matrix.genes[::-1])
    session.set_dataset(
        dataclasses.replace(data, bulk=dataclasses.replace(data.bulk, matrix=turned)),
        keep_runs=True,
    )
    assert "The bulk results are outdated: the bulk was replaced." in body(report(session, "dtd"))
    assert "ADTD: Computed from another bulk." in body(report(session, "adtd"))


def test_values_of_cells_and_samples_are_not_read(
    session: DCXCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrices = list(session.need_dataset().parts().values())
    # the ids are known, as they are in a session that was opened
    assert session.outdated(session.current("adtd")) is None
    for matrix in matrices:
        monkeypatch.delitem(matrix.__dict__, "values")
    with pytest.raises(AttributeError):
        _ = matrices[0].values
    assert b"Provenance" in report(session, "adtd")


def renamed(frame: Any, types: dict[str, str], samples: dict[str, str]) -> Any:
    return None if frame is None else frame.rename(index=types, columns={**types, **samples})


def test_script_in_names_is_inert(session: DCXCache) -> None:
    run = session.current("dtd")
    result, bulk = run.result, run.result.composition["bulk"]
    types, samples = {str(bulk.index[0]): HOSTILE}, {str(bulk.columns[0]): HOSTILE + "S"}
    parts = {
        name: {k: renamed(v, types, samples) for k, v in getattr(result, name).items()}
        for name in ("composition", "naive", "truth")
    }
    metrics = result.metrics.assign(cell_type=result.metrics["cell_type"].replace(types))
    changed = dataclasses.replace(
        result,
        **parts,
        metrics=metrics,
        reference=renamed(result.reference, types, {}),
        correlation=renamed(result.correlation, types, {}),
        notes=(HOSTILE,),
    )
    hostile = DCXCache("y", HOSTILE)
    hostile.set_dataset(session.need_dataset(), keep_runs=False)
    hostile.add_run(dataclasses.replace(run, result=changed))
    text = report(hostile, "dtd").decode()
    assert "onerror=alert(2)&gt;" in text, "the names are there"
    assert HOSTILE not in text
    assert "<img" not in text.replace(plotly_js(), "")
    assert text.replace(plotly_js(), "").count("</script>") == 3
    figures = json.loads(re.search(r'id="dcx-figures">(.*?)</script>', text, re.DOTALL)[1])
    assert all(
        "<img" not in json.dumps(figure, ensure_ascii=False) for figure in figures.values()
    ), "plotly would read it as HTML"


def test_policy_lets_only_the_scripts_of_the_file_run(session: DCXCache) -> None:
    text = report(session, "dtd").decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    }
    assert set(re.search(r"script-src ([^;]+);", policy)[1].split()) == hashes
    assert text.index("Content-Security-Policy") < text.index("<title>")


def test_document_without_figures_holds_no_script() -> None:
    doc = Document("t")
    doc.table(pd.DataFrame({"a": np.arange(50.0)}), first="n", whole="Look elsewhere.")
    html = doc.html()
    assert b"<script" not in html
    assert b"script-src 'none'" in html
    assert "The first 40 of 50 rows are shown. Look elsewhere." in html.decode()


def test_button_of_the_page_gives_the_report(
    application: Application, tab: Any, computed: tuple[Any, ...]
) -> None:
    data, dtd_params, dtd, _searching, _search, params, adtd = computed
    made = application.sessions.create_session("Melanoma", actor=LOCAL)
    made.set_dataset(data, keep_runs=False)
    add(made, "dtd", dtd_params, dtd)
    add(made, "adtd", params, adtd, dtd="dtd")
    tab.set({("dcx-session", "data"): made.session_id})
    for page, step in (("dtd", "DTD"), ("adtd", "ADTD")):
        tab.go(page)
        tab.click(f"{page}-report")
        ((name, content),) = tab.downloaded()
        assert name == f"{report_name(made, page)}.html" == f"Melanoma {step} report.html"
        assert b"<h1>Melanoma</h1>" in content
    assert all(status in (200, 204) for status in tab.statuses)


def test_save_all_gives_the_figures_and_tables_of_page_and_session(
    application: Application, tab: Any, computed: tuple[Any, ...]
) -> None:
    data, dtd_params, dtd, _searching, _search, params, adtd = computed
    made = application.sessions.create_session("Trial", actor=LOCAL)
    made.set_dataset(data, keep_runs=False)
    add(made, "dtd", dtd_params, dtd)
    add(made, "adtd", params, adtd, dtd="dtd")
    tab.set({("dcx-session", "data"): made.session_id})
    tab.go("dtd")
    drawing = "data:image/svg+xml,%3Csvg%20width='4'%20height='2'%3E%3C/svg%3E"
    counts = []
    for button, title, kinds in (
        ("dtd-all-page", "DTD", ["dtd"]),
        ("dtd-all-session", "all results", ["dtd", "adtd"]),
        ("dtd-all-page", "DTD", ["dtd"]),
    ):
        tab.click(button)
        wanted = tab.get("dcx-save-all", "data")
        assert wanted["kinds"] == kinds
        names = [one["name"] for one in wanted["figures"]]
        assert len(set(names)) == len(names) > 2
        pictures = [{"name": n, "format": "svg", "url": drawing, "mm": [85, 40]} for n in names]
        tab.set({("dcx-save-all-drawn", "data"): {"kinds": kinds, "pictures": pictures}})
        ((name, content),) = tab.downloaded()
        assert name == f"Trial {title}.zip"
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = archive.namelist()
        assert [f"figures/{n}.svg" for n in names] == inside[: len(names)]
        assert sum(one.startswith("tables/") for one in inside) > 2
        counts.append(len(inside))
    assert counts[0] == counts[2] < counts[1]
    before = tab.get("dcx-download", "data")
    tab.set({("dcx-save-all-drawn", "data"): {"kinds": ["dtd"], "pictures": []}})
    assert tab.get("dcx-download", "data") == before


def test_headers_and_names_of_a_reports_tables_are_whole() -> None:
    names = [
        "regulatory T cells of the second germinal centre",
        "Plasmacytoid_dendritic_cells",
        "<b>B</b> cells",
    ]
    doc = Document("x")
    doc.table(pd.DataFrame(0.005, index=names, columns=names * 3), first="Sample", percent=True)
    text = doc.html().decode()
    plain = text.replace("<wbr>", "")
    assert "…" not in text
    assert plain.count("regulatory T cells of the second germinal centre") >= 4
    assert "Plasmacytoid_<wbr>dendritic_<wbr>cells" in text
    assert "&lt;b&gt;B&lt;/<wbr>b&gt; cells" in text
    assert plain.count("<td>&lt; 0.01</td>") == 27


def test_how_a_file_was_read_is_told_in_words_and_long_lists_are_cut() -> None:
    options = {
        "label_column": "cell_type",
        "leave_out": ("Length",),
        "keep": [f"g{i}" for i in range(94)],
        "repairs": [{"kind": "drop_empty", "role": "bulk"}],
        "cells": {"groups": ["a"]},
        "nothing": (),
    }
    assert option_texts(options) == [
        "label column cell_type",
        "leave out Length",
        "keep g0, g1, g2, g3, g4 and 89 more",
    ]
