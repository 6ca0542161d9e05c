"""The Groups page: through the door, with the real worker, on a composition that was made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gui.analyses.groups import GroupsResult
from gui.app import Application, create_app
from gui.config import Config
from gui.engine import compute_settings
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, Run
from gui.pages.groups.regulation import KIND
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.analyses.test_group_regulation import compared, made
from tests.gui.groups_session import clinical_of, filled
from tests.gui.kept_files import Kept
from tests.gui.steps import show
from tests.waiting import until

GONE = {"display": "none"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("groups")), Kept())
    app.start()
    yield app
    app.stop()


@pytest.fixture
def opened(program: Application, open_tab: Callable[..., Any]) -> Callable[..., Any]:
    """``opened(count, …)``: a tab on the page Groups of a new session, and that session."""

    def make(count: int = 24, **options: Any) -> tuple[Any, DCXCache]:
        session = filled(program, count, **options)
        tab = open_tab(program)
        show(tab, session.session_id)
        tab.go("groups")
        return tab, session

    return make


@pytest.fixture
def one_core() -> Iterator[None]:
    before = compute_settings.get_compute_settings()
    compute_settings.set_compute_settings(replace(before, cores=1))
    yield
    compute_settings.set_compute_settings(before)


def choose(tab: Any, **values: Any) -> None:
    """Fill fields of the page by name."""
    for name, value in values.items():
        prop = "checked" if isinstance(value, bool) else "value"
        tab.set({(f"groups-{name}", prop): value})


def compare(tab: Any, session: DCXCache) -> GroupsResult:
    """Press Compare and wait for the result."""
    before = {run.id for run in session.runs("groups")}
    assert tab.get("groups-run", "disabled") is False, tab.text("groups-reason")
    tab.click("groups-run")
    until(lambda: len(session.runs("groups")) > len(before))
    tab.tick()
    (result,) = [run.result for run in session.runs("groups") if run.id not in before]
    assert isinstance(result, GroupsResult)
    return result


def test_two_groups_are_compared_and_the_answer_names_who_differs(opened: Any) -> None:
    tab, session = opened()
    assert tab.get("groups-run", "disabled") is True
    assert "No column is chosen" in tab.text("groups-reason")
    choose(tab, column="arm")
    words = tab.text("groups-reason")
    assert "control (12) and treated (11): Brunner-Munzel test" in words
    assert "1 sample is not compared: 1 no value of arm" in words
    result = compare(tab, session)
    assert result.called[0] == "T cells"
    assert result.family == 6
    answer = tab.text("groups-head-answer")
    assert "T cells are higher in treated" in answer
    answer = tab.text("groups-head-whole")
    kept = int(result.table.loc["T cells", "kept"])
    assert re.search(
        r"T cells: \+[0-9.]+ percentage points \([0-9.]+ to [0-9.]+\), adjusted p"
        rf" [<=] [0-9.]+, holds in {kept} of 40 bootstrap draws",
        answer,
    ), answer
    assert "95 % intervals in brackets. Adjusted over 6 cell types" in answer
    assert "ADTD run (Hidden background)" in answer
    assert result.table.loc["Rare cells", "scale"] == "rank"
    assert result.table.loc["T cells", "scale"] == "log-ratio"
    # again, with the same: a second run, and both are in the list
    compare(tab, session)
    assert "(2)" in tab.text("groups-runs-open")
    listed = tab.text("groups-runs-list")
    assert listed.count("Computed from the ADTD run (Hidden background) of ") == 2, listed


def test_every_view_shows_the_result_twice(opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="stage")
    result = compare(tab, session)
    rows = {"table": 6, "pairs": 18, "samples": 24}
    looks = ("effects", "table", "all", "pairs", "one", "samples", "map")
    for look in looks * 2:
        choose(tab, look=look)
        if look in rows:
            assert len(tab.get("groups-table", "rowData")) == rows[look], look
            assert tab.get("groups-view-tabular", "style") == {}, look
        else:
            assert tab.get("groups-figure", "figure")["data"], look
            assert tab.get("groups-view-drawing", "style") == {}, look
    assert result.levels == ("I", "II", "III")
    assert set(tab.statuses) <= {200, 204}


def test_every_sample_is_a_dot_of_the_figure_of_one_type(opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="arm", subject="donor")
    # the donor whose treated sample has no arm is left out with its other sample
    assert "Wilcoxon signed-rank test" in tab.text("groups-reason")
    compare(tab, session)
    choose(tab, look="one", type="type:B cells")
    assert "B cells: -6.4 percentage points" in tab.text("groups-type-answer")
    figure = tab.get("groups-figure", "figure")
    dots = next(t for t in figure["data"] if t.get("mode") == "markers" and t.get("text"))
    assert len(dots["text"]) == 22
    assert "B cells" in json.dumps(figure["layout"]["yaxis"])
    assert any(t.get("mode") == "lines" for t in figure["data"]), "pairs are joined"


def test_any_column_is_compared_as_asked(opened: Any) -> None:
    tab, session = opened()
    nothing: dict[str, Any] = {"groups": [], "cuts": "", "covariates": []}
    cases: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
        ({"column": "age"}, "Spearman's rank correlation", ()),
        (
            {"column": "age", "cuts": "50, 65", "compare": "groups"},
            "Kruskal-Wallis test, then Dunn's test of each pair",
            ("<50", "50 to <65", "≥65"),
        ),
        ({"column": "stage", "groups": ["III", "I"]}, "exact Mann-Whitney test", ("III", "I")),
        (
            {"column": "stage", "compare": "trend"},
            "Jonckheere-Terpstra trend test",
            ("I", "II", "III"),
        ),
        (
            {"column": "batch", "compare": "groups", "covariates": ["age"]},
            "linear model with HC3 standard errors",
            ("x", "y"),
        ),
    ]
    for fields, test, levels in cases:
        choose(tab, **nothing)
        choose(tab, **fields)
        result = compare(tab, session)
        assert (result.test, result.levels) == (test, levels)
        assert tab.text("groups-head-answer")


def test_too_few_samples_get_no_p_value_but_are_shown(opened: Any) -> None:
    tab, session = opened(6)
    choose(tab, column="arm")
    result = compare(tab, session)
    assert not result.tested
    assert result.table["p"].isna().all()
    assert "Too few samples for p-values (control (3) and treated (2)" in tab.text(
        "groups-head-answer"
    )
    choose(tab, look="one")
    assert tab.get("groups-figure", "figure")["data"]


def test_one_sample_is_refused_with_the_reason(opened: Any) -> None:
    tab, _ = opened(1, obs=False)
    assert "Load a clinical table" in tab.text("groups-head-empty")


def test_without_columns_or_a_composition_the_page_says_what_to_do(opened: Any) -> None:
    tab, session = opened(clinical=False, obs=False)
    assert "Load a clinical table" in tab.text("groups-head-empty")
    assert "/upload" in json.dumps(tab.get("groups-head-empty", "children"))
    # loaded meanwhile: the page goes on from there
    data = session.need_dataset()
    from gui.data.dataset import Clinical

    session.set_dataset(replace(data, clinical=Clinical(clinical_of())), keep_runs=True)
    tab.tick()
    assert "Choose at the left" in tab.text("groups-head-empty")
    choose(tab, column="arm")
    compare(tab, session)


def test_a_result_is_outdated_when_the_clinical_table_changes(opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="arm")
    compare(tab, session)
    run = session.current("groups")
    assert run is not None
    assert session.outdated(run) is None
    data = session.need_dataset()
    assert data.clinical is not None
    table = data.clinical.table.assign(arm=["control", "treated"] * 12)
    session.set_dataset(replace(data, clinical=replace(data.clinical, table=table)), keep_runs=True)
    tab.tick()
    assert "have changed since" in tab.text("groups-head-bar")


def test_an_earlier_run_comes_back_with_its_fields(opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="stage", groups=["II", "III"])
    compare(tab, session)
    first = session.current("groups")
    assert first is not None
    choose(tab, column="age", cuts="60", compare="groups")
    compare(tab, session)
    tab.click({"page": "groups", "part": "runs-choose", "index": first.id})
    assert tab.get("groups-column", "value") == "stage"
    assert tab.get("groups-groups", "value") == ["II", "III"]
    assert tab.get("groups-cuts", "value") == ""
    assert session.current("groups") is first


def test_the_table_is_saved_as_shown_and_with_all_digits(program: Any, opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="arm", look="table")
    result = compare(tab, session)
    tab.click("groups-table-csv")
    tab.click("groups-table-engine-csv")
    shown = program.files.saved["groups"].decode("utf-8-sig")
    assert "Adjusted p" in shown
    assert "Log-ratios compare each type" in shown
    assert repr(float(result.table["p"].iloc[0])) in program.files.saved["groups-engine"].decode()


def test_the_report_holds_answer_figures_methods_and_every_table(program: Any, opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="arm")
    result = compare(tab, session)
    tab.click("groups-report")
    text = program.files.saved[f"{session.name} Groups report"].decode()
    for words in (
        "higher in treated",
        "10.1111/j.2517-6161.1995.tb02031.x",
        "Brunner-Munzel test",
        "Log-ratios compare each type",
        "no value of arm",
        'id="figure-4"',
    ):
        assert words in text, words
    assert result.called
    # a session that was read again writes the same
    again = session.snapshot()
    assert [run.kind for run in again.runs][-1] == "groups"


def test_a_run_is_kept_over_a_restart(program: Application, opened: Any) -> None:
    from tests.sessions.samples import same

    tab, session = opened()
    choose(tab, column="arm")
    compare(tab, session)
    run = session.current("groups")
    assert run is not None
    until(lambda: program.sessions.save_state(session.session_id, actor=LOCAL)[0] == "saved")
    from gui.sessions.file import file_name, load

    found = load(program.config.sessions_folder / file_name(session.session_id))
    (kept,) = [r for r in found.runs if r.kind == "groups"]
    same(kept.result, run.result)
    assert kept.params == run.params
    boot = next(r for r in found.runs if r.kind == "bootstrap")
    assert boot.result.draws.shape == (40, 6, 24)


def test_gene_regulation_is_compared_between_groups_where_a_run_has_it(
    program: Application, opened: Any, one_core: None
) -> None:
    tab, session = opened()
    choose(tab, column="arm")
    assert "DTD estimates no gene regulation" in tab.text("groups-regulation-reason")
    inputs = made(changed=True)
    session.set_dataset(inputs["dataset"], keep_runs=False)
    data = session.need_dataset()
    origin = Provenance(data.training_id, data.bulk_id)
    now = datetime.now(UTC)
    session.add_run(Run("d", "dtd", "DTD", now, DTDParams(), inputs["dtd"], origin))
    of_dtd = replace(origin, inputs={"dtd": "d"})
    session.add_run(Run("a", "adtd", "ADTD", now, ADTDParams(model="h,r"), inputs["adtd"], of_dtd))
    tab.tick()
    choose(tab, column="arm", **{"regulation-permutations": 19})
    assert tab.get("groups-regulation-run", "disabled") is False, tab.text(
        "groups-regulation-reason"
    )
    # pressed twice it is one job, which can be cancelled
    for _ in range(2):
        tab.click("groups-regulation-run")
    (job,) = [j for j in program.runner.status(session.session_id) if j.active]
    assert (job.kind, job.params.permutations, job.params.lambda2) == (KIND, 19, 1e-9)
    assert dict(job.inputs) == {"adtd": "a", "dtd": "d"}
    program.runner.cancel(job.id)
    until(lambda: not any(j.active for j in program.runner.status(session.session_id)))
    made_of = replace(origin, inputs=dict(job.inputs), samples_id=data.samples_id)
    found = compared(inputs)
    session.add_run(Run("r", KIND, "Regulation", now, job.params, found, made_of))
    tab.tick()
    words = tab.text("groups-regulation-words")
    assert "14 genes are regulated differently between control (10) and treated (10)" in words
    for look in ("table", "figure") * 2:
        tab.set({("groups-regulation-look", "value"): look})
    assert tab.get("groups-regulation-table", "rowData")[0]["c4"] == "yes"
    assert tab.get("groups-regulation-figure", "figure")["data"]
    # it stands in the report of the comparison of fractions
    compare(tab, session)
    text = report(session, "groups").decode()
    assert "14 genes are regulated differently" in text
    assert "10.2307/2532216" in text


def test_number_stays_chosen_while_the_column_holds_numbers(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = filled(program, 8)
    data = session.need_dataset()
    assert data.clinical is not None
    table = data.clinical.table.assign(grade=[1, 2, 3, 1, 2, 3, 1, 2])
    session.set_dataset(replace(data, clinical=replace(data.clinical, table=table)), keep_runs=True)
    tab = open_tab(program)
    show(tab, session.session_id)
    tab.go("groups")
    chosen = []
    # as many values as samples; a few that repeat; text
    for name in ("age", "grade", "age", "arm", "grade"):
        choose(tab, column=name)
        chosen.append(tab.get("groups-compare", "value"))
    assert chosen == ["number", "number", "number", "groups", "groups"]


def test_a_result_of_an_older_run_says_so_in_the_open_and_runs_again(opened: Any) -> None:
    tab, session = opened()
    choose(tab, column="arm")
    compare(tab, session)
    assert "Run again" not in tab.text("groups-head-bar")
    first = session.current("adtd")
    assert first is not None
    session.add_run(replace(first, id="adtd1", created=datetime.now(UTC)))
    tab.tick()
    assert tab.get("groups-source", "value") == "adtd1", "a run that has just come is chosen"
    tab.set({("groups-source", "value"): first.id})
    tab.tick()
    assert tab.get("groups-source", "value") == first.id, "what the user chose stays"
    tab.set({("groups-source", "value"): "adtd1"})
    bar = tab.get("groups-head-bar", "children")
    assert "which is not the ADTD run shown on its page" in json.dumps(bar, default=str)
    groups = session.current("groups")
    assert groups is not None
    tab.click({"page": "groups", "part": "head-again", "index": groups.id})
    until(lambda: len(session.runs("groups")) == 2)
    tab.tick()
    again = session.current("groups")
    assert again is not None
    assert again.provenance.inputs["adtd"] == "adtd1"
    assert again.params == groups.params
    assert "Run again" not in tab.text("groups-head-bar")
