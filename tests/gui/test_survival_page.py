"""The page Survival: through the door, one run with the real worker, the others computed here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest

from gui.analyses.survival import SurvivalParams, SurvivalResult, run_survival
from gui.answers.analyses import composition_runs, inputs_of
from gui.app import Application, create_app
from gui.config import Config
from gui.engine.params import ADTDParams
from gui.engine.results import Provenance, Run
from gui.pages.survival.columns import offers
from gui.report import report
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.groups_session import adtd_result
from tests.gui.kept_files import Kept
from tests.gui.steps import press, show
from tests.gui.survival_cases import TYPES, filled, made_dataset, made_fractions, made_table
from tests.sessions.samples import same

GONE = {"display": "none"}
FULL = {
    "time_zero": "diagnosis",
    "cut": "median",
    "compare": ("stage",),
    "covariates": ("age",),
    "types": ("B cells",),
}
"""Parameters that fill every tab."""


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, kept: Kept) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("survival")), kept)
    yield app
    app.stop()


@pytest.fixture
def session(program: Application) -> DCXCache:
    """With 60 patients and a DTD run."""
    made = program.sessions.create_session(f"survival {uuid4().hex}", actor=LOCAL)
    fractions = made_fractions(60)
    filled(made, made_dataset(fractions, made_table(fractions)), fractions, noise=0.01)
    return made


@pytest.fixture
def tab(program: Application, session: DCXCache, open_tab: Callable[..., Any]) -> Any:
    found = open_tab(program)
    show(found, session.session_id)
    found.go("survival")
    return found


def choose(tab: Any, **values: Any) -> None:
    """Fill controls of the page by name."""
    for name, value in values.items():
        prop = "checked" if isinstance(value, bool) else "value"
        tab.set({(f"survival-{name.replace('_', '-')}", prop): value})


RESULTS: dict[tuple[SurvivalParams, str], SurvivalResult] = {}
"""What was computed here, by parameters and clinical table."""


def computed(session: DCXCache, **params: Any) -> SurvivalResult:
    """A run on the page's session, computed in this process, once."""
    data = session.need_dataset()
    chosen = SurvivalParams.parse(**params)
    inputs = inputs_of(session, composition_runs(session)[0])
    results = {name: session.run(i).result for name, i in inputs.items()}  # type: ignore[union-attr]
    key = chosen, data.samples_id
    if key not in RESULTS:
        RESULTS[key] = run_survival(data, chosen, progress=lambda *_, **__: None, **results)
    result = RESULTS[key]
    origin = Provenance(data.training_id, data.bulk_id, inputs, samples_id=data.samples_id)
    session.add_run(
        Run(uuid4().hex, "survival", "Survival", datetime.now(UTC), chosen, result, origin)
    )
    return result


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("forest", ("figure", "table")),
        ("curves", ("figure", "table", "tests")),
        ("together", ("figure", "table")),
        ("hazards", ("figure", "table")),
    ],
)
def test_every_tab_shows_figure_and_table_twice(
    tab: Any, session: DCXCache, name: str, looks: tuple[str, ...]
) -> None:
    computed(session, **FULL)
    tab.tick()
    for _ in range(2):
        choose(tab, tabs="patients")
        choose(tab, tabs=name)
        for look in looks:
            choose(tab, **{f"{name}_look": look})
            assert tab.get(f"survival-{name}-missing", "style") == GONE
            assert tab.text(f"survival-{name}-words") != '""'
            if look == "figure":
                assert tab.get(f"survival-{name}-figure", "figure")["data"]
                assert tab.get(f"survival-{name}-tabular", "style") == GONE
            else:
                assert tab.get(f"survival-{name}-table", "rowData")
                assert tab.get(f"survival-{name}-drawing", "style") == GONE


def test_curves_and_models_are_chosen_and_remembered(tab: Any, session: DCXCache) -> None:
    computed(session, **FULL)
    tab.tick()
    choose(tab, tabs="curves", curves_look="figure")
    offered = [o["value"] for o in tab.get("survival-curves-of", "data")]
    assert offered == [
        "all:all samples",
        *[f"type:{t}" for t in ("B cells", "T cells", "Monocytes", "NK cells")],
        "column:stage",
    ]
    assert tab.get("survival-curves-of", "value") == "type:B cells"  # the first with groups
    for of, lines in (("column:stage", 3), ("all:all samples", 1), ("column:stage", 3)):
        choose(tab, curves_of=of)
        figure = tab.get("survival-curves-figure", "figure")
        named = [t for t in figure["data"] if t.get("mode") == "lines" and t.get("name")]
        assert len(named) == lines
        under = [t for t in figure["data"] if t.get("mode") == "text"]
        assert len(under) == lines
        assert re.fullmatch(r"\d+ / 0 / 0", under[0]["text"][0])
    choose(tab, tabs="forest", forest_model="alone", forest_per="points")
    assert "without covariates" in tab.text("survival-forest-words")
    tab.go("dtd")
    tab.go("survival")
    assert tab.get("survival-tabs", "value") == "forest"
    assert tab.get("survival-forest-model", "value") == "alone"
    assert tab.get("survival-curves-of", "value") == "column:stage"


def test_who_is_left_out_and_remark_are_shown_and_saved(
    tab: Any, session: DCXCache, kept: Kept
) -> None:
    data = session.need_dataset()
    assert data.clinical is not None
    table = data.clinical.table.copy()
    table.iloc[0, 0] = float("nan")
    session.set_dataset(replace(data, clinical=replace(data.clinical, table=table)), keep_runs=True)
    computed(session, **FULL)
    tab.tick()
    choose(tab, tabs="patients", patients_look="excluded")
    assert "no time" in json.dumps(tab.get("survival-patients-table", "rowData"))
    choose(tab, patients_look="remark")
    rows = json.dumps(tab.get("survival-patients-table", "rowData"))
    assert "For the authors to describe" in rows
    assert "1 no time" in rows
    for _ in range(2):
        press(tab, "survival-patients-table-csv")
        assert b"REMARK" in kept.saved.pop("survival_remark")
    for name in ("forest", "curves", "together", "hazards"):
        press(tab, f"survival-{name}-table-csv")
        assert kept.saved[f"survival_{name}"]


def test_too_few_events_offer_the_ridge_fit_which_is_then_run(
    tab: Any, program: Application, session: DCXCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = session.need_dataset()
    assert data.clinical is not None
    table = data.clinical.table.copy()
    dead = table.index[table["OS_status"] == "Dead"]
    table.loc[dead[9:], "OS_status"] = "Alive"
    session.set_dataset(replace(data, clinical=replace(data.clinical, table=table)), keep_runs=True)
    computed(session, **FULL)
    tab.tick()
    assert tab.get("survival-ridge-offer", "style") == {}
    choose(tab, tabs="together")
    assert "idge" in tab.text("survival-together-missing")
    press(tab, "survival-use-ridge")
    (job,) = program.runner.status(session.session_id)
    assert job.params.ridge is True
    press(tab, "survival-use-ridge")  # it waits or runs already
    again = program.runner.status(session.session_id)
    assert len(again) == 1 or not again[0].active
    computed(session, **FULL, ridge=True)
    tab.tick()
    assert tab.get("survival-ridge-offer", "style") == {"display": "none"}


def test_an_earlier_run_fills_the_form_again(tab: Any, session: DCXCache) -> None:
    computed(session, **FULL, later=("age",), known_at=0, tau=12.5)
    first = session.current("survival")
    computed(session, time_zero="surgery")
    tab.tick()
    assert first is not None
    for _ in range(2):
        press(tab, {"page": "survival", "part": "runs-choose", "index": first.id})
        assert tab.get("survival-time-zero", "value") == "diagnosis"
        assert tab.get("survival-cut", "value") == "median"
        assert tab.get("survival-compare", "value") == ["stage"]
        assert tab.get("survival-later", "value") == ["age"]
        assert str(tab.get("survival-tau", "value")) == "12.5"
        assert tab.get("survival-of", "value") == "dtd1"
        choose(tab, time_zero="surgery", compare=[], cut="none")


def test_the_columns_follow_each_other(tab: Any, session: DCXCache) -> None:
    assert tab.get("survival-time", "value") == "OS_months"
    assert tab.get("survival-event-value", "value") == "Dead"
    choose(tab, event="response", time_zero="diagnosis")
    assert tab.get("survival-event-value", "value") is None
    assert "not known which value" in tab.text("survival-reason")
    choose(tab, event_value="PD")
    assert tab.get("survival-run", "disabled") is False
    choose(tab, event="OS_status")
    assert tab.get("survival-event-value", "value") == "Dead"
    choose(tab, time="age")
    assert tab.get("survival-unit", "value") is None
    choose(tab, time="OS_months")
    assert tab.get("survival-unit", "value") == "months"
    choose(tab, cut="stated")
    assert tab.get("survival-cut-points-box", "style") == {}
    assert "State where" in tab.text("survival-reason")
    choose(tab, cut_points="5; 20 %")
    assert tab.get("survival-run", "disabled") is False
    choose(tab, cut_points="five")
    assert "is not a number" in tab.text("survival-reason")


def test_the_order_of_groups_is_offered_where_there_are_three(tab: Any) -> None:
    assert tab.get("survival-order-box", "style") == GONE
    for _ in range(2):
        choose(tab, compare=["centre"])
        assert tab.get("survival-order-box", "style") == GONE
        choose(tab, compare=["centre", "stage"])
        assert tab.get("survival-order-box", "style") == {}
        offered = [option["value"] for option in tab.get("survival-order", "data")]
        assert offered == ["I", "II", "III"]
        choose(tab, order=["III", "I", "II"])
        tab.go("dtd")
        tab.go("survival")
        assert tab.get("survival-order-box", "style") == {}
        assert tab.get("survival-order", "value") == ["III", "I", "II"]
        choose(tab, compare=[])
        assert tab.get("survival-order", "value") == []


def test_the_value_of_an_event_is_derived_anew(tab: Any, session: DCXCache) -> None:
    data = session.need_dataset()
    assert data.clinical is not None
    dead = data.clinical.table["OS_status"] == "Dead"
    table = data.clinical.table.assign(OS=dead.astype(int), CNSR=(~dead).astype(int))
    table["status"] = dead.astype(int) + 1  # as in R's survival
    session.set_dataset(replace(data, clinical=replace(data.clinical, table=table)), keep_runs=True)
    tab.tick()
    for event, value in (("OS", "1"), ("CNSR", None), ("status", None), ("OS", "1")):
        choose(tab, event=event)
        assert tab.get("survival-event-value", "value") == value
    choose(tab, event="status", event_value="2", time_zero="diagnosis")
    assert tab.get("survival-run", "disabled") is False
    computed(session, event="status", event_value="2", time_zero="diagnosis", unit="years")
    run = session.current("survival")
    computed(session, time_zero="surgery")
    assert run is not None
    tab.tick()
    choose(tab, event="OS_status")
    press(tab, {"page": "survival", "part": "runs-choose", "index": run.id})
    assert tab.get("survival-event-value", "value") == "2"  # as it was analysed
    assert tab.get("survival-unit", "value") == "years"


def test_another_clinical_table_brings_its_own_times_and_events(
    tab: Any, session: DCXCache, program: Application, open_tab: Callable[..., Any]
) -> None:
    choose(tab, unit="months", event_value="Dead", time_zero="diagnosis", compare=["stage"])
    choose(tab, known_at=6, landmark=6, tau=24)
    data = session.need_dataset()
    assert data.clinical is not None
    new = replace(data.clinical, event_value="Alive", unit="days")
    session.set_dataset(replace(data, clinical=new), keep_runs=True)
    tab.tick()
    later = open_tab(program)
    show(later, session.session_id)
    later.go("survival")
    for shown in (tab, later):
        assert shown.get("survival-event-value", "value") == "Alive"
        assert shown.get("survival-unit", "value") == "days"
        assert shown.get("survival-compare", "value") == ["stage"]
        assert shown.get("survival-time-zero", "value") == "diagnosis"
        for name in ("known-at", "landmark", "tau"):  # 6 months are not 6 days
            assert shown.get(f"survival-{name}", "value") in (None, "")
    choose(tab, unit="weeks")  # the user's own choice stays
    tab.go("dtd")
    tab.go("survival")
    assert tab.get("survival-unit", "value") == "weeks"


def test_a_run_that_is_gone_is_not_replaced_in_silence(tab: Any, session: DCXCache) -> None:
    choose(tab, time_zero="diagnosis", cut_points="5,20", cut="stated")
    assert "one number or two" in tab.text("survival-reason")
    choose(tab, cut="none", cut_points="")
    assert tab.get("survival-run", "disabled") is False, tab.text("survival-reason")
    first = session.run("dtd1")
    assert first is not None
    session.add_run(replace(first, id="dtd2"))
    tab.tick()
    assert tab.get("survival-of", "value") == "dtd2", "a run that has just come is chosen"
    choose(tab, of="dtd1")
    tab.tick()
    assert tab.get("survival-of", "value") == "dtd1", "what the user chose stays"
    choose(tab, of="gone")
    assert "no longer there" in tab.text("survival-reason")
    session.remove_run("dtd1")
    tab.tick()
    assert tab.get("survival-of", "value") == "dtd2"
    choose(tab, compare=["response"])
    assert "landmark" in tab.text("survival-reason")


def test_the_hidden_fraction_may_be_among_several_types(session: DCXCache) -> None:
    ctx: Any = SimpleNamespace(session=session)
    assert "hidden" not in [option["value"] for option in offers(ctx)["types"]]
    dtd = session.run("dtd1")
    assert dtd is not None
    full = made_fractions(60, types=(*TYPES, "hidden"))
    session.add_run(
        replace(
            dtd,
            id="adtd1",
            kind="adtd",
            params=ADTDParams(),
            result=adtd_result(full, dtd.result),
            provenance=replace(dtd.provenance, inputs={"dtd": "dtd1"}),
        )
    )
    assert "hidden" in [option["value"] for option in offers(ctx)["types"]]
    result = computed(session, time_zero="diagnosis", types=("hidden",))
    assert list(result.together.index) == ["hidden (per 10 percentage points)"]


def test_whatever_a_session_file_holds_of_the_form_the_page_opens(
    program: Application, session: DCXCache, open_tab: Callable[..., Any]
) -> None:
    odd: Any
    for odd in ({"a": 1}, [["x"]], 7, "no such column", [None, "stage"]):
        names = ("of", "time", "event", "event_value", "unit", "patient", "compare", "later")
        session.keep_form(
            "survival", dict.fromkeys((*names, "time_zero", "cut_points", "tab"), odd)
        )
        tab = open_tab(program)
        show(tab, session.session_id)
        tab.go("survival")
        assert tab.get("survival-time", "value") == "OS_months"
        assert tab.get("survival-compare", "value") in ([], ["stage"])
        assert tab.get("survival-tabs", "value") == "forest"


def test_without_table_or_columns_the_page_says_what_to_do(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    fractions = made_fractions(12)
    tab = open_tab(program)
    for table, loaded, words in (
        (None, True, "needs a clinical table"),
        (made_table(fractions), False, "Which columns hold times"),
    ):
        session = program.sessions.create_session(f"empty {uuid4().hex}", actor=LOCAL)
        filled(session, made_dataset(fractions, table, loaded=loaded), fractions)
        show(tab, session.session_id)
        tab.go("survival")
        assert words in tab.text("survival-head-empty")
        assert "/upload" in tab.text("survival-head-empty")
        assert tab.get("survival-run", "disabled") is True
        tab.go("dtd")
    fresh = program.sessions.create_session(f"bare {uuid4().hex}", actor=LOCAL)
    show(tab, fresh.session_id)
    tab.go("survival")
    assert "Survival needs" in tab.text("dcx-outlet")


def test_the_report_has_its_chapter_with_figures_and_remark(session: DCXCache) -> None:
    result = computed(session, **FULL)
    page = report(session, "survival").decode()
    for text in (
        "Hazard ratio",
        "REMARK",
        "log-rank",
        "diagnosis",
        "Cox",
        "For the authors to describe",
    ):
        assert text in page, text
    assert page.count("<figure>") >= 7
    assert len(result.variables()) == 6


def test_a_saved_session_gives_the_result_back_to_the_bit(
    session: DCXCache, tmp_path: Path
) -> None:
    computed(session, **FULL, ridge=True)
    snapshot = session.snapshot()
    path = tmp_path / file.file_name(snapshot.session_id)
    file.save(path, snapshot, expected_generation=None)
    back = file.load(path)
    found = next(run for run in back.runs if run.kind == "survival")
    made = next(run for run in snapshot.runs if run.kind == "survival")
    same(made, found)
    assert isinstance(found.result, SurvivalResult)
    assert isinstance(found.result.curves, pd.DataFrame)


def test_who_has_more_of_a_type_has_the_event_earlier(
    tab: Any, program: Application, session: DCXCache
) -> None:
    program.start()
    assert tab.get("survival-run", "disabled") is True
    assert "time zero" in tab.text("survival-reason").lower()
    choose(tab, time_zero="diagnosis", cut="tertiles", compare=["stage"])
    assert tab.get("survival-run", "disabled") is False, tab.text("survival-reason")
    press(tab, "survival-run")
    job = program.runner.status(session.session_id)[-1]
    ended = program.runner.wait(job.id, 60)
    assert ended.state == "done", ended.error
    tab.tick()
    run = session.run(job.id)
    assert run is not None
    assert run.params.compare == ("stage",)
    assert run.result.facts["draws"] == 40
    answer = tab.text("survival-head-answer")
    assert "More B cells, higher hazard" in answer
    answer = tab.text("survival-head-whole")
    assert "60 samples" in answer
    assert "months since diagnosis" in answer
    assert session.outdated(run) is None
    data = session.need_dataset()
    assert data.clinical is not None
    table = data.clinical.table.assign(age=0.0)
    session.set_dataset(replace(data, clinical=replace(data.clinical, table=table)), keep_runs=True)
    assert session.outdated(run) is not None
