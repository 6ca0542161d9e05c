"""“Refine to the optimum” in the program: switched on on the page, said above the result, in the
report, in saved files and in the session file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gui.answers.adtd import REFINED, badges, optimum_sentence
from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import Provenance, Refinement, Run
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.file import load, save
from gui.sessions.manager import LOCAL
from gui.sessions.snapshot import Snapshot

PUBLISHED = "Refined numbers differ from those published with deconomix."


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def computed() -> dict[str, Run]:
    """On the example: dtd, and of Deconomix+h,r one run as it is and one refined."""
    data = make_example().dataset
    made = Provenance(data.training_id, data.bulk_id)
    dtd_params = DTDParams(iterations=10, train_mixtures=30, test_mixtures=20, genes=80)
    dtd = tasks.run_dtd(data, dtd_params, progress=quiet)
    found = {"dtd": Run("dtd", "dtd", "DTD", datetime.now(UTC), dtd_params, dtd, made)}
    for name, refine in (("plain", False), ("refined", True)):
        params = ADTDParams(model="h,r", lambda2=1e-8, max_iterations=10, refine=refine)
        result = tasks.run_adtd(data, params, progress=quiet, dtd=dtd)
        found[name] = Run(
            name,
            "adtd",
            name,
            datetime.now(UTC),
            params,
            result,
            replace(made, inputs={"dtd": "dtd"}),
        )
    return found


def session_with(computed: dict[str, Run], name: str, session: DCXCache | None = None) -> DCXCache:
    session = session or DCXCache("x", "Melanoma")
    session.set_dataset(make_example().dataset, keep_runs=False)
    session.add_run(computed["dtd"])
    session.add_run(computed[name])
    return session


def kept(run: Run) -> Run:
    """The same run, had no optimum been certified."""
    return replace(
        run, result=replace(run.result, optimum=Refinement(2e-5, 2e-5, math.nan, math.nan, "kept"))
    )


# -- words
# --------------------------------------------------------------------------------------------------
def test_the_sentence_gives_both_losses_and_says_that_the_numbers_differ(
    computed: dict[str, Run],
) -> None:
    run = computed["refined"]
    result = replace(run.result, optimum=Refinement(2.5e-5, 2e-5, 1e-12, 1e-11, "Newton"))
    expected = (
        "deconomix stopped at a loss of 2.5e-5; the optimum shown here has 2e-5 (20 % lower)."
        f" {PUBLISHED}"
    )
    assert optimum_sentence(result) == expected
    same = replace(result, optimum=Refinement(2e-5, 2e-5, 1e-12, 1e-11, "Newton"))
    assert "(no lower)" in str(optimum_sentence(same))
    assert optimum_sentence(computed["plain"].result) is None


def test_only_refined_numbers_bear_the_label(computed: dict[str, Run]) -> None:
    assert REFINED in dict(badges(computed["refined"]))
    assert REFINED not in dict(badges(computed["plain"]))
    assert REFINED not in dict(badges(kept(computed["refined"])))
    assert "No certified optimum was found" in str(
        optimum_sentence(kept(computed["refined"]).result)
    )


# -- page
# --------------------------------------------------------------------------------------------------
@pytest.fixture
def opened(
    application: Application, computed: dict[str, Run], open_tab: Callable[[Application], Any]
) -> Callable[[str], Any]:
    def show(name: str) -> Any:
        session = application.sessions.create_session(
            application.sessions.free_name("test", actor=LOCAL), actor=LOCAL
        )
        session_with(computed, name, session)
        tab = open_tab(application)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go("adtd")
        tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
        return tab

    return show


@pytest.mark.parametrize("name", ["plain", "refined"])
def test_page_shows_sentence_and_label_and_names_saved_files(
    opened: Callable[[str], Any], computed: dict[str, Run], name: str
) -> None:
    tab, refined = opened(name), name == "refined"
    remarks = tab.text("adtd-run-remarks") if tab.get("adtd-run-remarks", "children") else ""
    assert (PUBLISHED in remarks) == refined
    assert (REFINED in tab.text("adtd-run-badges")) == refined
    tab.set({("adtd-tabs", "value"): "hidden"})
    assert tab.get("adtd-hidden-file", "data") == (
        "hidden-profile-refined" if refined else "hidden-profile"
    )
    tab.set({("adtd-tabs", "value"): "regulation"})
    assert tab.get("adtd-regulation-file", "data") == (
        "gene-regulation-refined" if refined else "gene-regulation"
    )
    names = set()
    for table, view in (("hidden", "hidden-view"), ("regulation", "regulation-view")):
        tab.set({("adtd-tabs", "value"): table})
        tab.set({(f"adtd-{view}", "value"): "table"})
        tab.click(f"adtd-{table}-table-csv")
        names |= {file for file, _ in tab.downloaded()}
    end = "-refined.csv" if refined else ".csv"
    assert {f"hidden-profile{end}", f"gene-regulation{end}"} <= names
    assert all(code in (200, 204) for code in tab.statuses)


def test_the_switch_is_off_and_is_submitted_where_it_is_on(
    tmp_path: Path, computed: dict[str, Run], open_tab: Callable[[Application], Any]
) -> None:
    program = create_app(Config.for_tests(tmp_path))
    program.start()
    try:
        session = session_with(
            computed, "plain", program.sessions.create_session("run", actor=LOCAL)
        )
        tab = open_tab(program)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.go("adtd")
        assert tab.get("adtd-refine", "checked") is False
        tab.set({("adtd-refine", "checked"): True, ("adtd-model", "value"): "h"})
        tab.click("adtd-run")
        (job,) = program.runner.status(session.session_id)
        assert job.params == ADTDParams(model="h", refine=True)
        assert program.runner.wait(job.id, 120).state == "done"
        result = session.current("adtd").result  # type: ignore[union-attr]
        assert result.optimum.way == "closed form"
        tab.tick()
        assert PUBLISHED in tab.text("adtd-run-remarks")
    finally:
        program.stop()


def test_with_a_free_composition_the_button_says_why_it_cannot_be(
    opened: Callable[[str], Any],
) -> None:
    tab = opened("plain")
    tab.set({("adtd-model", "value"): "custom", ("adtd-refine", "checked"): True})
    assert tab.get("adtd-run", "disabled") is False
    tab.set({("adtd-c-static", "checked"): False})
    assert tab.get("adtd-run", "disabled") is True
    assert "no single best fit" in tab.get("adtd-reason", "children")
    tab.set({("adtd-refine", "checked"): False})
    assert tab.get("adtd-run", "disabled") is False


# -- report and session file
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["plain", "refined"])
def test_report_labels_refined_numbers_and_gives_the_certificate(
    computed: dict[str, Run], name: str
) -> None:
    text = re.sub(
        r"<script.*?</script>",
        "",
        report(session_with(computed, name), "adtd").decode(),
        flags=re.DOTALL,
    )
    refined = name == "refined"
    assert (PUBLISHED in text) == refined
    assert text.count("Refined to the optimum: these numbers differ from those of deconomix.") == (
        3 if refined else 0
    )
    assert ("by Newton" in text) == refined
    assert ("these numbers differ from those of deconomix" in text) == refined, "in the methods"


@pytest.mark.parametrize("name", ["refined", "kept"])
def test_session_file_keeps_what_refining_brought(
    tmp_path: Path, computed: dict[str, Run], name: str
) -> None:
    run = kept(computed["refined"]) if name == "kept" else computed["refined"]
    path = tmp_path / "a.dcxsession"
    now = datetime.now(UTC)
    save(
        path,
        Snapshot("20261122#120000#07c2e7ed", "s", now, now, 1, None, (run,)),
        expected_generation=None,
    )
    (found,) = load(path).runs
    assert repr(found.result.optimum) == repr(run.result.optimum)  # NaN where kept
    assert found.params == run.params
    assert found.result.refined == (name == "refined")
