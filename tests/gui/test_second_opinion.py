"""The second opinion on the pages DTD and ADTD, in the report and in session files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.answers.second_opinion import (
    contradiction_details,
    contradiction_message,
    detail_sentence,
    opinion_hover,
    opinion_sentence,
    opinion_table,
)
from gui.answers.summary import contradicted, opinion_of
from gui.app import Application, create_app
from gui.components.composition_content import about_text
from gui.components.second_opinion import CONSENSUS_PART
from gui.config import Config
from gui.data.dataset import Dataset, Matrix
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, Run, SecondOpinion
from gui.engine.second_opinion import consensus, contradicted_types, contradictions
from gui.engine.tasks import run_adtd, run_dtd
from gui.figures.second_opinion import opinions
from gui.pages.dtd.current_result import composition_of
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.kinds import check_run
from gui.sessions.manager import LOCAL

QUICK = DTDParams(
    genes=120, iterations=15, train_mixtures=40, train_cells=20, test_mixtures=30, test_cells=20
)
TYPES, SAMPLES = ["A", "B cells", "<b>C</b>", "D"], [f"s{i}" for i in range(6)]


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


def made_up(own: float = 0.05) -> SecondOpinion:
    """A is contradicted in four of six samples, both others higher; in the other two it agrees."""
    a = np.array([own] * 4 + [0.4, 0.4])
    mine = pd.DataFrame([a, *[(1 - a) / 3] * 3], index=TYPES, columns=SAMPLES)
    b = np.full(6, 0.4)
    other = pd.DataFrame([b, *[(1 - b) / 3] * 3], index=TYPES, columns=SAMPLES)
    return SecondOpinion(mine, other, other * 1.0, dict.fromkeys(TYPES, ("G1",)))


# -- words and figures
# --------------------------------------------------------------------------------------------------
def test_the_numbers_of_a_sentence_are_those_of_the_samples_it_speaks_of() -> None:
    opinion = made_up()
    assert contradicted_types(opinion) == ["A"]
    assert (
        contradiction_message(opinion)
        == "1 of 4 cell types is contradicted by two other estimates: A"
    )
    (found,) = contradiction_details(opinion)
    assert (found.samples, found.alike, found.direction) == (4, 4, "higher")
    assert found.estimate == pytest.approx(0.05)  # over all samples the median would be .05 to .4
    assert detail_sentence(found, opinion, "DTD") == (
        "A: in 4 of 6 samples both are higher (medians there: DTD 5.0 %, markers 40 %, relative"
        " errors 40 %)."
    )
    agreed = made_up(0.4)
    assert contradiction_message(agreed) == ""
    assert opinion_sentence(agreed).startswith("No cell type is contradicted")


def test_samples_on_both_sides_never_make_medians_that_deny_the_sentence() -> None:
    opinion = made_up()
    opinion.estimate.loc["A"] = [0.05, 0.05, 0.9, 0.9, 0.9, 0.4]
    (found,) = contradiction_details(opinion)
    assert (found.samples, found.alike, found.direction) == (5, 3, "lower")
    assert found.markers < found.estimate
    assert found.relative < found.estimate
    assert "; 2 more are contradicted in the other direction." in detail_sentence(
        found, opinion, "DTD"
    )


def test_hover_tells_the_three_estimates_in_the_samples_concerned_alone() -> None:
    hover = opinion_hover(made_up(), "ADTD", hidden=True)
    assert hover is not None
    assert hover.types == ("A",)
    assert hover.text("A", "s0") == (
        "<br>contradicted (without hidden, of 100 %):"
        " ADTD 5.00 %, Markers 40.0 %, Relative errors 40.0 %"
    )
    plain = opinion_hover(made_up(), "DTD")
    assert plain is not None
    assert plain.text("A", "s0").startswith("<br>contradicted (of 100 %): DTD 5.00 %")
    assert hover.text("A", "s5") == ""
    assert hover.text("hidden", "s0") == ""
    assert hover.text("A", "elsewhere") == ""


def test_the_figure_has_all_estimates_contradicted_types_first_and_inert_names() -> None:
    opinion = made_up()
    estimates = {"DTD": opinion.estimate, "Markers": opinion.markers, "Relative": opinion.relative}
    fig = opinions(estimates, contradictions(opinion), ["A"], {})
    assert [t.name for t in fig.data if t.showlegend is not False and t.name] == list(estimates)
    dots = [t for t in fig.data if t.customdata is not None]
    assert [len(t.x) for t in dots] == [24, 24, 24]
    assert sorted(set(dots[0].marker.line.width)) == [0, 2]
    assert sum(dots[0].marker.line.width) == 8
    assert fig.layout.annotations[0].text == "contradicted in 4 of 6"
    assert "<b>C" not in fig.to_json()
    many = pd.concat([opinion.estimate] * 1000, axis=1)
    many.columns = pd.Index([f"s{i}" for i in range(6000)])
    drawn = opinions(dict.fromkeys(estimates, many), many > 2, [], {})
    assert sum(len(t.x) for t in drawn.data if t.customdata is not None) <= 4500


# -- the pages
# --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("opinion")))
    app.start()
    yield app
    app.stop()


def mislabelled() -> Dataset:
    """The example with a reference in which two columns bear each other's names."""
    data = make_example().dataset
    assert data.reference is not None
    swapped = {"Monocytes": "Dendritic cells", "Dendritic cells": "Monocytes"}
    names = pd.Index([swapped.get(str(t), str(t)) for t in data.reference.columns])
    return replace(data, reference=Matrix(data.reference.values, data.reference.genes, names))


@pytest.fixture(scope="module")
def session(program: Application) -> DCXCache:
    """With a DTD and an ADTD run, by the real worker."""
    made = program.sessions.create_session("opinion", actor=LOCAL)
    made.set_dataset(mislabelled(), keep_runs=False)
    for kind, task, params in (
        ("dtd", run_dtd, QUICK),
        ("adtd", run_adtd, ADTDParams(max_iterations=5)),
    ):
        inputs = {"dtd": made.current("dtd").id} if kind == "adtd" else {}  # type: ignore[union-attr]
        job = program.submit(
            task, made.session_id, params, kind=kind, title=kind, actor=LOCAL, inputs=inputs
        )
        assert program.runner.wait(job, 120).state == "done"
    return made


@pytest.fixture
def opened(
    program: Application, session: DCXCache, open_tab: Callable[[Application], Any]
) -> Callable[[str], Any]:
    def on(key: str) -> Any:
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go(key)
        tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
        return tab

    return on


@pytest.mark.parametrize("kind", ["dtd", "adtd"])
def test_the_page_names_contradicted_types_and_shows_the_three_estimates(
    session: DCXCache, opened: Callable[[str], Any], kind: str
) -> None:
    run = session.current(kind)
    opinion = opinion_of(session, run)
    assert opinion is not None
    names = contradicted(session, run)
    assert set(names) == {"Monocytes", "Dendritic cells"}, "what the labels of the cells say"
    tab = opened(kind)
    answer = tab.text("dtd-answer" if kind == "dtd" else "adtd-run-answer")
    assert contradiction_message(opinion) in answer
    for _ in range(2):
        tab.set({(f"{kind}-tabs", "value"): "opinion"})
        assert names[0] in tab.text(f"{kind}-opinion-words")
        traces = tab.get(f"{kind}-opinion-figure", "figure")["data"]
        assert {"Markers", "Relative errors"} < {t.get("name") for t in traces}
        tab.set({(f"{kind}-opinion-look", "value"): "table"})
        rows = tab.get(f"{kind}-opinion-table", "rowData")
        assert [next(iter(r.values())) for r in rows[: len(names)]] == names
        tab.set({(f"{kind}-opinion-look", "value"): "figure"})
        tab.set({(f"{kind}-tabs", "value"): "composition"})


@pytest.mark.parametrize("kind", ["dtd", "adtd"])
def test_contradicted_types_are_hatched_and_tell_why(
    session: DCXCache, opened: Callable[[str], Any], kind: str
) -> None:
    names = contradicted(session, session.current(kind))
    tab = opened(kind)
    tab.set({(f"{kind}-tabs", "value"): "composition"})
    bars = {t["meta"]: t for t in tab.get(f"{kind}-composition-figure", "figure")["data"]}
    hatched = [n for n, t in bars.items() if (t["marker"].get("pattern") or {}).get("shape") == "x"]
    assert sorted(hatched) == sorted(names)
    texts = bars[names[0]]["hovertext"]
    concerned = contradictions(opinion_of(session, session.current(kind))).loc[names[0]]  # type: ignore[arg-type]
    assert [bool(t) for t in texts] == list(concerned)
    assert "Hatched: contradicted by two other estimates" in tab.text(f"{kind}-composition-about")


@pytest.mark.parametrize("kind", ["dtd", "adtd"])
def test_the_consensus_is_a_click_away_labelled_and_never_what_opens(
    session: DCXCache, opened: Callable[[str], Any], kind: str
) -> None:
    tab = opened(kind)
    tab.set({(f"{kind}-tabs", "value"): "composition"})
    part = (f"{kind}-composition-part", "value")
    assert tab.get(*part) == "bulk"
    offered = [o["label"] for o in tab.get(f"{kind}-composition-part", "data")]
    assert offered[:2] == ["Bulk", "Consensus"]
    for _ in range(2):
        tab.set({part: CONSENSUS_PART})
        said = tab.text(f"{kind}-composition-about")
        assert "Consensus" in said
        assert "Not a result of DTD, ADTD or deconomix" in said
        expected = consensus(opinion_of(session, session.current(kind)))  # type: ignore[arg-type]
        for trace in tab.get(f"{kind}-composition-figure", "figure")["data"]:
            if trace["type"] == "bar":
                assert (trace["marker"].get("pattern") or {}).get("shape") != "x"
        assert expected.sum().round(9).eq(1).all()
        tab.set({part: "bulk"})
        assert "Consensus" not in tab.text(f"{kind}-composition-about")
    tab.set({part: CONSENSUS_PART})
    assert opened(kind).get(*part) == "bulk", "another tab, or the next day"


@pytest.mark.parametrize("kind", ["dtd", "adtd"])
def test_the_report_tells_it_too(session: DCXCache, kind: str) -> None:
    text = report(session, kind).decode()
    opinion = opinion_of(session, session.current(kind))
    assert opinion is not None
    assert "Second opinion" in text
    assert opinion_sentence(opinion) in text
    assert "Not a result of DTD, ADTD or deconomix" in text
    for found in contradiction_details(opinion):
        assert f"{found.cell_type}: in " in text


def test_a_run_of_an_earlier_version_says_run_it_again(
    program: Application, session: DCXCache, open_tab: Callable[[Application], Any]
) -> None:
    old = program.sessions.create_session("old", actor=LOCAL)
    data = session.need_dataset()
    old.set_dataset(data, keep_runs=False)
    for kind in ("dtd", "adtd"):
        run = session.current(kind)
        assert run is not None
        made = Provenance(data.training_id, data.bulk_id, {} if kind == "dtd" else {"dtd": "dtd"})
        result = replace(run.result, second_opinion=None)
        old.add_run(Run(kind, kind, kind, datetime.now(UTC), run.params, result, made))
    for kind in ("dtd", "adtd"):
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): old.session_id})
        tab.go(kind)
        tab.set({(f"{kind}-tabs", "value"): "opinion"})
        assert "Run it again" in tab.text(f"{kind}-opinion-missing")
        assert "contradicted" not in tab.text("dcx-outlet")
        tab.set({(f"{kind}-tabs", "value"): "composition"})
        parts = [o["value"] for o in tab.get(f"{kind}-composition-part", "data")]
        assert CONSENSUS_PART not in parts
        assert "Run it again" in report(old, kind).decode()
    assert contradicted(old, old.current("dtd")) == []


def test_another_bulk_has_the_opinion_that_was_computed_for_it_or_none(
    session: DCXCache, program: Application
) -> None:
    from tests.gui.test_dtd_page import other_bulk

    run = session.current("dtd")
    assert run is not None
    later = DCXCache("x", "later")
    data = session.need_dataset()
    later.set_dataset(data, keep_runs=False)
    made = Provenance(data.training_id, data.bulk_id)
    later.add_run(Run("dtd", "dtd", "dtd", datetime.now(UTC), run.params, run.result, made))
    assert composition_of(later, CONSENSUS_PART) is not None
    later.set_dataset(other_bulk(data), keep_runs=True)
    assert opinion_of(later, later.current("dtd")) is None
    assert composition_of(later, CONSENSUS_PART) is None


def test_the_opinion_comes_back_from_a_file_and_has_pseudonyms_there(
    session: DCXCache, program: Application, tmp_path: Path
) -> None:
    opinion = session.current("dtd").result.second_opinion  # type: ignore[union-attr]
    for pseudonyms in (False, True):
        exported = program.sessions.export_session(
            session.session_id, actor=LOCAL, pseudonyms=pseudonyms
        )
        path = tmp_path / f"{pseudonyms}.dcxsession"
        path.write_bytes(exported.data)
        made = program.sessions.import_session(path, actor=LOCAL, as_copy=True)
        found = program.sessions.get_session(made.session_id, actor=LOCAL)
        again = found.current("dtd").result.second_opinion  # type: ignore[union-attr]
        samples = again.estimate.columns.equals(opinion.estimate.columns)
        assert samples is not pseudonyms
        for name in ("estimate", "markers", "relative"):
            frames = getattr(again, name), getattr(opinion, name)
            np.testing.assert_array_equal(*[f.to_numpy() for f in frames])
            assert getattr(again, name).columns.equals(again.estimate.columns)
        assert again.marker_genes == opinion.marker_genes


def test_a_result_whose_opinion_is_of_other_samples_is_refused(session: DCXCache) -> None:
    run = session.current("dtd")
    assert run is not None
    other = replace(run.result, second_opinion=made_up())
    with pytest.raises(ValueError, match="does not fit together"):
        check_run(replace(run, result=other))


def test_groups_say_that_they_rest_on_contradicted_types(session: DCXCache) -> None:
    from gui.analyses.groups import GroupsParams, run_groups
    from gui.answers.analyses import analysis_summary

    run = session.current("dtd")
    assert run is not None
    data = session.need_dataset()
    assert data.bulk is not None
    arms = pd.DataFrame({"arm": ["a", "b"] * 10}, index=data.bulk.samples)
    data = replace(data, bulk=replace(data.bulk, obs=arms))
    params = GroupsParams(column="arm")
    found = run_groups(data, params, progress=quiet, dtd=run.result)
    for result, names in (
        (run.result, contradicted(session, run)),
        (replace(run.result, second_opinion=None), []),
    ):
        other = DCXCache("x", "groups")
        other.set_dataset(data, keep_runs=False)
        made = Provenance(data.training_id, data.bulk_id)
        other.add_run(Run("dtd", "dtd", "dtd", datetime.now(UTC), run.params, result, made))
        made = replace(made, inputs={"dtd": "dtd"})
        kept = Run("groups", "groups", "Groups", datetime.now(UTC), params, found, made)
        other.add_run(kept)
        said = [t for t in analysis_summary(other, kept).warnings if "Rests on" in t]
        assert len(said) == bool(names)
        assert all(name in said[0] for name in names)


def test_the_table_for_programs_has_a_row_per_sample_and_type() -> None:
    opinion = made_up()
    table = opinion_table(opinion)
    assert len(table) == 24
    assert table["contradicted"].sum() == 4
    assert table.loc["s0", "cell_type"].tolist() == TYPES
    assert about_text(composition_view(opinion), "table") == ""


def composition_view(opinion: SecondOpinion) -> Any:
    from gui.components.composition_content import Composition

    return Composition(opinion.estimate, opinion=opinion_hover(opinion, "DTD"))
