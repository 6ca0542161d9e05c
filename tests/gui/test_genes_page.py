"""The page Genes: through the door, with the real worker, on the example and its hidden type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from gui.analyses.gene_params import GenesParams
from gui.analyses.genes import run_genes
from gui.analyses.group_regulation import GroupRegulationParams, GroupRegulationResult
from gui.answers.analyses import missing_types_of, with_missing
from gui.answers.genes import sentence
from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import Dataset
from gui.data.example import HIDDEN_TYPE, REGULATED_TYPE, Example, make_example
from gui.data.load import LoadRequest, load_dataset
from gui.data.readers.options import FileChoice
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_adtd, run_dtd
from gui.knowledge.common_names import GenesInUse
from gui.pages.genes.beside import by_title
from gui.pages.genes.calls import HEATMAP, words_for
from gui.pages.genes.lookup import known_of
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.kept_files import Kept

DTD = DTDParams(
    genes=None, iterations=60, train_mixtures=60, train_cells=40, test_mixtures=25, test_cells=20
)
TABS = ("regulation", "gene", "enrichment", "markers", "hidden")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("genes")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def example() -> Example:
    return make_example()


def computed(
    program: Application, dataset: Dataset, steps: dict[str, tuple[Any, Any, str]]
) -> dict[str, Run]:
    """Runs by name, the first one DTD."""
    session = program.sessions.create_session(
        program.sessions.free_name("computed", actor=LOCAL), actor=LOCAL
    )
    session.set_dataset(dataset, keep_runs=False)
    found: dict[str, Run] = {}
    for name, (task, params, kind) in steps.items():
        inputs = {} if kind == "dtd" else {"dtd": found["dtd"].id}
        job = program.submit(
            task,
            session.session_id,
            params,
            inputs=inputs,
            kind=kind,
            title=name,
            actor=LOCAL,
        )
        ended = program.runner.wait(job, 180)
        assert ended.state == "done", ended.error
        found[name] = session.run(job)  # type: ignore[assignment]
    return found


@pytest.fixture(scope="module")
def runs(program: Application, example: Example) -> dict[str, Run]:
    """Real runs on the example: dtd, h and hr."""
    return computed(
        program,
        example.dataset,
        {
            "dtd": (run_dtd, DTD, "dtd"),
            "h": (run_adtd, ADTDParams(max_iterations=50), "adtd"),
            "hr": (run_adtd, ADTDParams(model="h,r", lambda2=1e-9, max_iterations=60), "adtd"),
        },
    )


@pytest.fixture
def session(program: Application, example: Example, runs: dict[str, Run]) -> DCXCache:
    """A new session with the example and its runs, the one with regulation shown."""
    made = program.sessions.create_session(
        program.sessions.free_name("test", actor=LOCAL), actor=LOCAL
    )
    made.set_dataset(example.dataset, keep_runs=False)
    for name in ("dtd", "h", "hr"):
        made.add_run(runs[name])
    return made


@pytest.fixture
def page(
    program: Application, session: DCXCache, open_tab: Callable[[Application], Any]
) -> Callable[[], Any]:
    """Opens the page of the session in a new tab."""

    def opened() -> Any:
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go("genes")
        redraw(tab)
        return tab

    return opened


def redraw(tab: Any) -> None:
    """Dash also calls callbacks of which only the outputs are new."""
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})


def gone(tab: Any, name: str) -> bool:
    return (tab.get(name, "style") or {}).get("display") == "none"


def drawn(tab: Any, name: str) -> bool:
    return bool((tab.get(f"genes-{name}", "figure") or {}).get("data"))


def ended(program: Application, tab: Any, session: DCXCache) -> Run:
    """The analysis that was started, once it is done."""
    job = program.runner.status(session.session_id)[-1]
    assert job.kind == "genes"
    assert program.runner.wait(job.id, 120).state == "done"
    tab.tick()
    redraw(tab)
    run = session.current("genes")
    assert run is not None
    return run


def open_tab_of(tab: Any, name: str) -> None:
    tab.set({("genes-tabs", "value"): name})


def add(tab: Any, path: Path) -> None:
    """Type the path of a file of one's own and press Enter."""
    tab.set({("genes-own-path", "value"): str(path)})
    tab.set({("genes-own-path", "n_submit"): (tab.get("genes-own-path", "n_submit") or 0) + 1})


@pytest.fixture
def sets_of_example(tmp_path: Path, example: Example) -> Path:
    """A GMT file in which one set holds the genes that are regulated, and others that are not."""
    genes = list(map(str, example.dataset.reference.genes))  # type: ignore[union-attr]
    down = example.regulation[example.regulation < 1].index
    others = [g for g in genes if g.startswith("HK")]
    lines = ["\t".join(["LOWERED", "", *down])]
    lines += ["\t".join([f"HOUSE{i}", "", *others[i * 12 : i * 12 + 12]]) for i in range(8)]
    path = tmp_path / "mine.gmt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


# -- without an analysis
# --------------------------------------------------------------------------------------------------
def test_the_page_needs_an_adtd_run(
    program: Application, example: Example, open_tab: Callable[[Application], Any]
) -> None:
    empty = program.sessions.create_session("without adtd", actor=LOCAL)
    empty.set_dataset(example.dataset, keep_runs=False)
    tab = open_tab(program)
    tab.set({("dcx-session", "data"): empty.session_id})
    tab.go("genes")
    assert "needs an ADTD run" in tab.text("dcx-outlet")


def test_every_view_of_regulation_is_drawn_and_can_be_saved(
    program: Application, page: Callable[[], Any]
) -> None:
    tab = page()
    assert tab.get("genes-regulation-type", "value") == REGULATED_TYPE
    for view in ("volcano", "heatmap", "top", "overlap", "venn", "volcano"):
        tab.set({("genes-regulation-view", "value"): view})
        assert drawn(tab, "regulation"), view
        assert not gone(tab, "genes-regulation-drawing")
    tab.set({("genes-regulation-view", "value"): "table"})
    rows = tab.get("genes-regulation-table", "rowData")
    assert rows
    assert gone(tab, "genes-regulation-drawing")
    tab.click("genes-regulation-table-csv")
    saved = program.files.saved[f"gene-regulation-{REGULATED_TYPE}"]  # type: ignore[attr-defined]
    assert REGULATED_TYPE.encode() in saved or b"log2" in saved


def test_two_runs_stand_side_by_side(
    program: Application, session: DCXCache, runs: dict[str, Run], page: Callable[[], Any]
) -> None:
    second = replace(runs["hr"], id="second", title="Second")
    session.add_run(second)
    tab = page()
    tab.set({("genes-regulation-view", "value"): "top"})
    assert not gone(tab, "genes-regulation-beside")
    tab.set({("genes-regulation-beside", "value"): runs["hr"].id})
    figure = tab.get("genes-regulation", "figure")
    titles = [a["text"] for a in figure["layout"]["annotations"]]
    assert len(titles) == 2
    assert titles[0].startswith("Second")
    tab.set({("genes-regulation-beside", "value"): ""})
    assert len(tab.get("genes-regulation", "figure")["layout"]["annotations"]) == 1


def test_unsupported_genes_are_left_out_until_they_are_asked_for(page: Callable[[], Any]) -> None:
    tab = page()

    def names() -> list[str]:
        return [t["name"] for t in tab.get("genes-regulation", "figure")["data"]]

    for _ in range(2):
        assert not any(name.startswith("little support") for name in names())
        tab.set({("genes-supported", "checked"): False})
        assert any(name.startswith("little support") for name in names())
        tab.set({("genes-supported", "checked"): True})


def test_one_gene_is_looked_up_over_types_and_runs(
    example: Example, session: DCXCache, runs: dict[str, Run], page: Callable[[], Any]
) -> None:
    session.add_run(replace(runs["hr"], id="again", title="Again"))
    tab = page()
    open_tab_of(tab, "gene")
    gene = example.regulated[0]
    tab.set({("genes-gene-name", "value"): gene})
    traces = tab.get("genes-gene", "figure")["data"]
    assert [t["name"].split(",")[0] for t in traces[:2]] == ["Again", "hr"]
    tab.set({("genes-gene-view", "value"): "table"})
    assert len(tab.get("genes-gene-table", "rowData")) == 2 * len(example.dataset.types)


def with_groups(session: DCXCache, run: Run, gene: str, cell_type: str) -> Run:
    """A comparison of two groups: one gene is lowered in one type in the second group."""
    delta = run.result.gene_regulation
    logs = pd.DataFrame(0.0, delta.index, delta.columns)
    lowered = logs.copy()
    lowered.loc[gene, cell_type] = -2.0
    result = GroupRegulationResult(
        regulation={"before": logs, "after": lowered},
        difference=lowered - logs,
        support=logs + 1.0,
        p_adjusted=logs + 1.0,
        levels=("before", "after"),
        sizes={"before": 9, "after": 7},
        variable="visit",
        permutations=99,
        family=logs.size,
        level=0.05,
    )
    data = session.need_dataset()
    made = Provenance(data.training_id, data.bulk_id, {"adtd": run.id})
    params = GroupRegulationParams(column="visit")
    added = Run("groups1", "group_regulation", "Visit", run.created, params, result, made)
    session.add_run(added)
    return added


def test_groups_of_other_data_are_offered_as_outdated(
    example: Example, session: DCXCache, runs: dict[str, Run], page: Callable[[], Any]
) -> None:
    compared = with_groups(session, runs["hr"], example.regulated[0], REGULATED_TYPE)
    older = replace(compared.provenance, training_id="other")
    session.add_run(replace(compared, id="groups2", provenance=older))
    offered = page().get("genes-regulation-beside", "data")
    marked = {one["value"]: one["label"].endswith("(outdated)") for one in offered}
    assert (marked["groups1"], marked["groups2"]) == (False, True)


def test_tables_of_one_title_are_numbered() -> None:
    table = pd.DataFrame()
    assert list(by_title([("AB", table), ("A", table), ("A", table)])) == ["AB", "A", "A (2)"]


def test_regulation_of_groups_is_shown_side_by_side_and_overlapping(
    example: Example, session: DCXCache, runs: dict[str, Run], page: Callable[[], Any]
) -> None:
    gene = example.regulated[0]
    compared = with_groups(session, runs["hr"], gene, REGULATED_TYPE)
    tab = page()
    tab.set({("genes-regulation-view", "value"): "top"})
    offered = tab.get("genes-regulation-beside", "data")
    assert [o["value"] for o in offered][-1] == compared.id
    assert "groups of visit" in offered[-1]["label"]
    for _ in range(2):
        tab.set(
            {
                ("genes-regulation-type", "value"): REGULATED_TYPE,
                ("genes-regulation-beside", "value"): compared.id,
            }
        )
        figure = tab.get("genes-regulation", "figure")
        titles = [a["text"] for a in figure["layout"]["annotations"]]
        assert [title.split(" ")[0] for title in titles] == ["before", "after"]
        tab.set({("genes-regulation-view", "value"): "overlap"})
        assert not gone(tab, "genes-regulation-beside")
        assert "in common" in tab.get("genes-regulation-words", "children")
        tab.set({("genes-regulation-view", "value"): "venn"})
        assert not gone(tab, "genes-regulation-beside")
        assert "not to scale" in tab.get("genes-regulation-words", "children")
        assert tab.get("genes-regulation", "figure")["layout"]["shapes"]
        tab.set({("genes-regulation-view", "value"): "top"})
    open_tab_of(tab, "gene")
    tab.set({("genes-gene-name", "value"): gene, ("genes-gene-view", "value"): "table"})
    rows = tab.get("genes-gene-table", "rowData")
    assert len(rows) == 3 * len(example.dataset.types)
    after = [row for row in rows if str(row["c0"]).startswith("after")]
    assert any(REGULATED_TYPE in row.values() and -2.0 in row.values() for row in after)
    # what is beside is gone once its run is deleted
    session.delete_runs(compared.id)
    tab.tick()
    assert compared.id not in [o["value"] for o in tab.get("genes-regulation-beside", "data")]


def test_a_run_without_regulation_says_so_and_leads_to_adtd(
    session: DCXCache, runs: dict[str, Run], page: Callable[[], Any]
) -> None:
    session.choose_run(runs["h"].id)
    tab = page()
    assert tab.get("genes-tabs", "value") == "hidden"
    open_tab_of(tab, "regulation")
    assert "estimates no gene regulation" in tab.text("genes-regulation-empty")
    tab.click({"page": "genes", "part": "go", "index": "adtd"})
    assert tab.get("dcx-location", "pathname") == "/adtd"


def test_gene_sets_of_an_analysed_run_without_regulation_say_that_too(
    program: Application,
    session: DCXCache,
    runs: dict[str, Run],
    page: Callable[[], Any],
    sets_of_example: Path,
) -> None:
    session.choose_run(runs["h"].id)
    tab = page()
    add(tab, sets_of_example)
    tab.click("genes-run")
    assert len(ended(program, tab, session).result.collections)
    open_tab_of(tab, "enrichment")
    assert "estimates no gene regulation" in tab.text("genes-enrichment-empty")


# -- the analysis
# --------------------------------------------------------------------------------------------------
def test_the_missing_type_of_the_example_comes_first(
    program: Application, session: DCXCache, page: Callable[[], Any]
) -> None:
    tab = page()
    open_tab_of(tab, "hidden")
    assert "Run with these parameters" in tab.text("genes-looks-empty")
    tab.click({"page": "genes", "part": "start", "index": "comparison of the hidden profile"})
    run = ended(program, tab, session)
    likeness = run.result.likeness
    assert likeness.profiles.index[0] == HIDDEN_TYPE
    assert bool(likeness.profiles.iloc[0]["fits"])
    assert HIDDEN_TYPE in tab.text("genes-answer")
    assert HIDDEN_TYPE in tab.get("genes-looks-words", "children")
    assert drawn(tab, "looks")
    # its gene names are made up, so nothing known from elsewhere is compared, and that is said
    assert likeness.markers.empty
    assert "known human genes" in tab.text("genes-remarks")
    tab.set({("genes-looks-view", "value"): "table"})
    assert [row["c0"] for row in tab.get("genes-looks-table", "rowData")] == [HIDDEN_TYPE]


def test_a_gmt_file_of_ones_own_is_read_kept_tested_and_removed(
    program: Application,
    example: Example,
    session: DCXCache,
    page: Callable[[], Any],
    sets_of_example: Path,
) -> None:
    tab = page()
    for _ in range(2):  # a file of the same content is kept once
        add(tab, sets_of_example)
    assert tab.text("genes-own-list").count("mine.gmt") >= 1
    key = tab.get("genes-sets", "value")[-1]
    assert key.startswith("own:")
    assert len([o for o in tab.get("genes-sets", "data") if o["label"] == "mine.gmt"]) == 1
    tab.set({("genes-sets", "value"): [key], ("genes-smallest", "value"): 5})
    tab.click("genes-run")
    run = ended(program, tab, session)
    best = run.result.over.iloc[run.result.over["p"].argmin()]
    assert (best["cell_type"], best["direction"], best["set"]) == (
        REGULATED_TYPE,
        "down",
        "LOWERED",
    )
    assert best["p_adjusted"] < 0.05
    assert set(best["genes"].split(", ")) <= set(example.regulated)
    ranked = run.result.ranked
    lowered = ranked[(ranked["cell_type"] == REGULATED_TYPE) & (ranked["set"] == "LOWERED")]
    assert float(lowered["nes"].iloc[0]) < 0
    assert "folder" not in run.params.model_dump()
    open_tab_of(tab, "enrichment")
    assert drawn(tab, "enrichment")
    shown = tab.text("genes-enrichment-sources")
    assert "mine.gmt" in shown
    assert "never the genome" in shown
    for test in ("ranked", "over", "ranked"):
        tab.set({("genes-enrichment-test", "value"): test})
        for view in ("table", "figure"):
            tab.set({("genes-enrichment-view", "value"): view})
        assert drawn(tab, "enrichment")
    tab.click("genes-report")
    saved = program.files.saved  # type: ignore[attr-defined]
    (report,) = [data for name, data in saved.items() if "Genes report" in name]
    assert b"LOWERED" in report
    assert HIDDEN_TYPE.encode() in report
    tab.click({"page": "genes", "part": "own-remove", "index": key})
    assert tab.get("genes-sets", "value") == []
    assert "mine.gmt" not in tab.text("genes-own-list")
    assert session.current("genes") is not None


def test_markers_of_ones_own_find_the_missing_type_without_its_cells(
    program: Application,
    example: Example,
    runs: dict[str, Run],
    open_tab: Callable[[Application], Any],
    tmp_path: Path,
) -> None:
    """The cells of the hidden type are not in the session: only a table of markers knows it."""
    data = example.dataset

    def without(cells: Any) -> Any:
        keep = cells.labels != HIDDEN_TYPE
        return replace(
            cells, matrix=cells.matrix.where(keep), labels=cells.labels[keep], obs=cells.obs[keep]
        )

    bare = replace(data, train=without(data.train), test=without(data.test))
    made = computed(
        program,
        bare,
        {
            "dtd": (run_dtd, DTD, "dtd"),
            "h": (run_adtd, ADTDParams(max_iterations=50), "adtd"),
        },
    )
    session = program.sessions.create_session("no hidden cells", actor=LOCAL)
    session.set_dataset(bare, keep_runs=False)
    for run in made.values():
        session.add_run(run)
    genes = list(map(str, data.reference.genes))  # type: ignore[union-attr]
    starts = {HIDDEN_TYPE: "NEUT", "Monocytes": "MONO", "T cells": "T"}
    rows = [
        (name, gene)
        for name, start in starts.items()
        for gene in genes
        if gene.startswith(start) and gene[len(start) :].isdecimal()
    ]
    table = tmp_path / "my markers.csv"
    pd.DataFrame(rows, columns=["Cell type", "Gene"]).to_csv(table, index=False)
    tab = open_tab(program)
    tab.set({("dcx-session", "data"): session.session_id})
    tab.go("genes")
    redraw(tab)
    add(tab, table)
    key = tab.get("genes-marker-lists", "value")[-1]
    assert key.startswith("own:")
    tab.set({("genes-marker-lists", "value"): [key], ("genes-sets", "value"): []})
    tab.click("genes-run")
    run = ended(program, tab, session)
    likeness = run.result.likeness
    assert likeness.profiles.empty
    assert likeness.markers.index[0] == HIDDEN_TYPE
    assert list(likeness.markers.index[likeness.markers["fits"]]) == [HIDDEN_TYPE]
    assert HIDDEN_TYPE in tab.text("genes-answer")
    tab.set({("genes-looks-by", "value"): "markers"})
    assert drawn(tab, "looks")


@pytest.mark.parametrize("left_out", ["Malignant", "Oligodendrocyte", "Microglia/Macrophage"])
def test_a_type_left_out_of_the_glioma_reference_comes_first(
    program: Application, shared_data: Path, left_out: str
) -> None:
    folder = shared_data / "glioma_tirosh"
    files = {role: FileChoice(path=folder / f"{role}.h5ad") for role in ("train", "test")}
    files["reference"] = FileChoice(path=folder / "reference.h5ad")
    data = load_dataset(LoadRequest(files=files))
    assert data.reference is not None
    without = replace(data, reference=data.reference.where(data.reference.columns != left_out))
    made = computed(
        program,
        without,
        {
            "dtd": (run_dtd, DTD.model_copy(update={"genes": 1000, "test_mixtures": 100}), "dtd"),
            "h": (run_adtd, ADTDParams(part="test", max_iterations=200), "adtd"),
        },
    )
    found = run_genes(
        without, GenesParams(sets=()), progress=lambda *_, **__: None, adtd=made["h"].result
    )
    best = found.likeness.profiles.iloc[0]
    assert found.likeness.profiles.index[0] == left_out
    assert bool(best["fits"])
    assert f"most like {left_out}" in sentence(found)


def test_what_is_known_of_a_gene_is_told_or_nothing() -> None:
    used = GenesInUse.of(["ACTB", "CD79A", "CD8A", "LYZ", "CD3E"])
    assert known_of("ACTB", used) == ""
    assert known_of("CD79A", used).startswith("Known marker of ")
    assert "negative marker of" in known_of("CD8A", used)
    assert "BSD-3-Clause" in known_of("CD79A", used)


def test_counts_say_whether_pairs_or_genes_are_counted_and_whether_with_support() -> None:
    calls = pd.DataFrame(
        {
            "cell_type": ["A", "A", "B"],
            "call": [1, -1, 1],
            "supported": True,
            "stability": 1.0,
        }
    )
    assert words_for(calls, HEATMAP, "", GenesParams()) == (
        "Pairs of gene and cell type with support: 2 up and 1 down by 2 fold or more."
    )
    assert words_for(calls, "table", "A", GenesParams(supported=False)) == (
        "Genes: 1 up and 1 down by 2 fold or more in A."
    )


def test_the_headline_names_types_that_the_warnings_take_for_missing() -> None:
    said = "Hidden profile: most like Naive CD4 T cell."
    assert with_missing(said, []) == said
    assert with_missing(said, ["Neutrophil"]) == (
        "Hidden profile: most like Naive CD4 T cell; by the markers in the bulk, probably missing"
        " from the reference: Neutrophil."
    )


def test_missing_types_come_from_the_second_opinion_on_the_adtd_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session, opinion = DCXCache("x", "genes"), SimpleNamespace(missing=None)
    made = Provenance("t", "b")
    adtd = Run(
        "a",
        "adtd",
        "ADTD",
        datetime.now(UTC),
        ADTDParams(),
        SimpleNamespace(second_opinion=opinion),
        made,
    )
    genes = replace(adtd, id="g", kind="genes", provenance=replace(made, inputs={"adtd": "a"}))
    monkeypatch.setattr(session, "run", {"a": adtd}.get)
    assert missing_types_of(session, genes) == []
    opinion.missing = pd.DataFrame({"fold": [2.7]}, index=["Neutrophil"])
    assert missing_types_of(session, genes) == ["Neutrophil"]
    assert missing_types_of(session, replace(genes, kind="groups")) == []
