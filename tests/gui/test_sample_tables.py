"""Clinical data and known compositions on the Upload page, and the comparison on DTD and ADTD,
through the door.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder
from scipy import stats

from gui.app import Application
from gui.data.dataset import Clinical
from gui.data.example import make_example
from gui.data.samples.survival_columns import COMBINED
from gui.engine.params import DTDParams
from gui.pages.upload.clinical import preview
from gui.sessions.cache import DCXCache
from gui.sessions.file import load, to_bytes
from tests.gui.steps import run_dtd, session_with, show
from tests.gui.upload_page import choose, one
from tests.waiting import until

QUICK = DTDParams(iterations=20, train_mixtures=60, test_mixtures=60)
COLUMN = "column:"


@pytest.fixture
def session(application: Application, tab: Any) -> DCXCache:
    """The example's data without their known composition, on the Upload page."""
    made = session_with(application, "Study")
    made.set_dataset(replace(make_example().dataset, truth=None), keep_runs=False)
    show(tab, made.session_id)
    tab.go("upload")
    return made


def clinical_csv(folder: Path, **more: str) -> Path:
    """17 of the 20 samples, spelled otherwise; a row that belongs to none."""
    rows = [
        f"sample-{i:02d};{30 + i};{100 * i};{'Dead' if i % 3 else 'Alive'};{i % 2}"
        for i in range(1, 18)
    ]
    path = folder / more.get("name", "patients.csv")
    path.write_text(
        "\n".join(["Patient;Age;OS.time;OS;Relapse", *rows, "other;1;2;Alive;1"]) + "\n", "utf-8"
    )
    return path


def truth_csv(folder: Path, *, rename: dict[str, str] | None = None) -> tuple[Path, pd.DataFrame]:
    shares = make_example().truth.rename(index=rename or {})
    path = folder / "flow.csv"
    (shares.T * 100).rename_axis("sample").to_csv(path)
    return path, shares


def test_a_clinical_table_is_looked_at_kept_changed_and_removed(
    tab: Any, session: DCXCache, tmp_path: Path
) -> None:
    before = session.dataset
    choose(tab, "clinical", clinical_csv(tmp_path))
    assert session.dataset is before, "nothing is kept before the user says so"
    sentence = "17 of 20 samples have clinical data, from “patients.csv”."
    assert f'"Not kept yet: {sentence}"' in tab.text("upload-clinical-head")
    assert "The first 6 of 17 samples." in tab.text("upload-clinical-box")
    said = tab.text("upload-clinical-box")
    for words in (
        "match when",
        "are not in patients.csv",
        "1 row of patients.csv belongs to no sample",
        "unit of OS.time",
        "which value is the event",
    ):
        assert words in said, words
    assert [tab.get(f"upload-clinical-{name}", "value") for name in ("sample", "time", "event", "value", "unit")] == [
        f"{COLUMN}Patient", f"{COLUMN}OS.time", f"{COLUMN}OS", f"{COLUMN}Dead", "none",
    ]  # fmt: skip
    tab.set({("upload-clinical-unit", "value"): "days"})
    assert "unit of OS.time" not in tab.text("upload-clinical-box")
    tab.set({("upload-clinical-event", "value"): f"{COLUMN}Relapse"})
    assert tab.get("upload-clinical-value", "value") == f"{COLUMN}1", (
        "proposed anew for another column"
    )
    tab.set({("upload-clinical-event", "value"): f"{COLUMN}OS"})
    tab.click("upload-clinical-keep")
    kept = session.dataset.clinical
    assert (kept.time, kept.event, kept.event_value, kept.unit) == ("OS.time", "OS", "Dead", "days")
    assert list(kept.table.index) == session.dataset.bulk.samples
    assert kept.table.loc["Sample 05", "Age"] == 35
    assert kept.table.loc["Sample 20"].isna().all()
    assert f'"{sentence}"' in tab.text("upload-clinical-head")
    assert tab.get("upload-clinical-token", "data") is None
    assert tab.get("upload-clinical-choosing", "style") == {"display": "none"}
    # changed later, without the file
    tab.set({("upload-clinical-unit", "value"): "months"})
    assert session.dataset.clinical.unit == "months"
    assert "OS.time, months" in tab.text("upload-clinical-head")
    tab.set({("upload-clinical-event", "value"): "none"})
    assert (session.dataset.clinical.event, session.dataset.clinical.event_value) == ("", "")
    assert tab.get("upload-clinical-value-box", "style") == {"display": "none"}
    tab.click("upload-clinical-remove")
    assert session.dataset.clinical is None
    assert tab.get("upload-clinical-choosing", "style") == {}
    assert tab.get("upload-clinical-panel", "style") == {"display": "none"}


def test_what_was_recognised_in_a_table_is_shown_before_it_is_kept(
    tab: Any, session: DCXCache, tmp_path: Path
) -> None:
    choose(tab, "clinical", clinical_csv(tmp_path))
    said = tab.text("upload-clinical-recognised").replace("\u00a0", " ")
    for words in (
        "Names of the samples",
        "column Patient",
        "18: sample-01 to other; 17 of 20 of the bulk joined",
        "1 of no sample of the bulk. 3 of the bulk not in this table.",
        "column OS.time, unit not known; 2 to 1700",
        "column OS: Dead",
    ):
        assert words in said
    tab.set({("upload-clinical-unit", "value"): "weeks"})
    assert "column OS.time, weeks" in tab.text("upload-clinical-recognised")
    tab.click("upload-clinical-cancel")
    choose(tab, "known", truth_csv(tmp_path)[0])
    said = tab.text("upload-known-recognised").replace("\u00a0", " ")
    for words in ("column sample", "20 of 20 of the bulk joined", "percent, divided by 100"):
        assert words in said
    assert "the names of the columns" in said


def test_times_put_together_follow_the_event_also_when_the_table_is_kept(
    tab: Any, session: DCXCache, tmp_path: Path
) -> None:
    rows = [f"Sample {i:02d},{1 + i % 2},{100 * i},{10 * i}" for i in range(1, 21)]
    path = tmp_path / "gdc.csv"
    header = "sample,vital_status,days_to_death,days_to_last_follow_up"
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    choose(tab, "clinical", path)
    tab.set({("upload-clinical-value", "value"): f"{COLUMN}2"})
    tab.click("upload-clinical-keep")
    kept = session.dataset.clinical
    assert (kept.time, kept.event, kept.event_value) == (COMBINED, "vital_status", "2")
    assert kept.table[COMBINED].tolist()[:2] == [100, 20]
    tab.set({("upload-clinical-value", "value"): f"{COLUMN}1"})
    kept = session.dataset.clinical
    assert kept.event_value == "1"
    assert kept.table[COMBINED].tolist()[:2] == [10, 200]


def test_a_table_that_cannot_be_read_or_joined_changes_nothing(
    tab: Any, session: DCXCache, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"\x00\x01\x02" * 50)
    before = session.dataset
    choose(tab, "clinical", broken)
    assert tab.notices, "said in a sentence"
    assert "Traceback" not in " ".join(tab.notices)
    assert tab.get("upload-clinical-token", "data") is None
    strange = tmp_path / "others.csv"
    strange.write_text("id,age\nA1,3\nA2,4\n", "utf-8")
    choose(tab, "clinical", strange)
    assert "No sample of the bulk is in this table." in tab.text("upload-clinical-head")
    assert "None of the 20 samples" in tab.text("upload-clinical-box")
    assert tab.get("upload-clinical-sample-box", "style") == {}, "another column can be chosen"
    assert tab.get("upload-clinical-keep", "disabled") is True
    tab.click("upload-clinical-cancel")
    assert tab.get("upload-clinical-token", "data") is None
    assert session.dataset is before


def test_a_clinical_table_that_does_not_join_asks_for_nothing_that_it_does_not_offer(
    tab: Any, session: DCXCache, tmp_path: Path
) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(
        "id;name;OS.time;OS\n"
        + "\n".join(f"P{i};Patient {i};{100 * i};{i % 2 + 1}" for i in range(1, 9))
        + "\n",
        "utf-8",
    )
    boxes = {
        name: f"upload-clinical-{name}-box" for name in ("sample", "time", "event", "value", "unit")
    }
    choose(tab, "clinical", path)
    said = tab.text("upload-clinical-box")
    assert "Choose the column that holds the names of the samples, or another table." in said
    assert "unit" not in said
    assert "which value is the event" not in said
    assert [name for name, box in boxes.items() if tab.get(box, "style") == {}] == ["sample"], (
        "what can be chosen, and no more"
    )
    assert [o["label"] for o in tab.get("upload-clinical-sample", "data")] == [
        "id",
        "name",
        "OS.time",
        "OS",
    ]
    assert tab.get("upload-clinical-deciding", "style") == {}, "another table can be chosen"
    path.write_text(
        "id;name;OS.time;OS\n"
        + "\n".join(f"P{i};Sample {i:02d};{100 * i};{i % 2 + 1}" for i in range(1, 9))
        + "\n",
        "utf-8",
    )
    tab.click("upload-clinical-cancel")
    choose(tab, "clinical", path)
    assert "unit of OS.time" in tab.text("upload-clinical-box")
    assert [name for name, box in boxes.items() if tab.get(box, "style") == {}] == [
        "sample",
        "time",
        "event",
        "value",
        "unit",
    ]
    tab.set({("upload-clinical-sample", "value"): f"{COLUMN}id"})
    assert [name for name, box in boxes.items() if tab.get(box, "style") == {}] == ["sample"]
    tab.set({("upload-clinical-sample", "value"): f"{COLUMN}name"})
    assert "8 of 20 samples have clinical data" in tab.text("upload-clinical-head")


def test_known_types_are_paired_and_compared_with_the_estimate(
    application: Application, tab: Any, session: DCXCache, tmp_path: Path
) -> None:
    application.start()
    run_dtd(tab, QUICK)
    until(lambda: session.current("dtd") is not None)
    tab.set({("dtd-tabs", "value"): "known"})
    assert "Add a table of them on the Upload page" in tab.text("dtd-known-missing")
    assert tab.get("dtd-known-there", "style") == {"display": "none"}
    tab.go("upload")
    path, shares = truth_csv(
        tmp_path, rename={"B cells": "Lymphocytes, B", "hidden": "Granulocytes"}
    )
    choose(tab, "known", path)
    sentence = "nown composition of all 20 bulk samples, from “flow.csv”."
    assert f'"Not kept yet: k{sentence}"' in tab.text("upload-known-head")
    assert "divided by 100" in tab.text("upload-known-box")
    types = session.dataset.types
    assert tab.get(one("known_pair", "Lymphocytes, B"), "value") == ["B cells"], "proposed"
    assert tab.get(one("known_pair", types[1]), "value") == [types[1]]
    assert tab.get(one("known_pair", "Granulocytes"), "value") == []
    tab.set({(one("known_pair", "Granulocytes"), "value"): ["hidden"]})
    tab.click("upload-known-keep")
    assert f'"K{sentence}"' in tab.text("upload-known-head")
    truth = session.dataset.truth
    np.testing.assert_allclose(truth.shares.to_numpy(), shares.to_numpy(), atol=1e-12)
    assert truth.pairs["Granulocytes"] == "hidden"
    # a pair is changed later
    tab.set({(one("known_pair", types[1]), "value"): []})
    assert types[1] not in session.dataset.truth.pairs
    assert f"not compared: {types[1]}" in tab.text("upload-known-head")
    tab.set({(one("known_pair", types[1]), "value"): [types[1]]})
    tab.go("dtd")
    tab.set({("dtd-tabs", "value"): "known"})
    estimate = session.current("dtd").result.composition["bulk"]
    pairs = {k: v for k, v in session.dataset.truth.pairs.items() if v in estimate.index}
    x = np.concatenate([truth.shares.loc[k].to_numpy() for k in pairs])
    y = np.concatenate([estimate.loc[v].to_numpy() for v in pairs.values()])
    assert (
        f"Pearson r = {stats.pearsonr(x, y)[0]:.3f} with the known composition over {len(pairs)}"
        " cell types and 20 samples." in tab.text("dtd-known-words")
    )
    assert "not compared: Granulocytes" in tab.text("dtd-known-words"), (
        "DTD estimates no hidden background"
    )
    dots = [t for t in tab.get("dtd-known-figure", "figure")["data"] if t["mode"] == "markers"]
    assert len(dots) == len(pairs)
    tab.set({("dtd-known-type", "value"): f"type:{types[1]}"})
    r = stats.pearsonr(
        truth.shares.loc[next(k for k, v in pairs.items() if v == types[1])], estimate.loc[types[1]]
    )[0]
    assert f"{r:.3f}"[:5] in tab.text("dtd-known-words")
    tab.set({("dtd-known-look", "value"): "table"})
    rows = tab.get("dtd-known-table", "rowData")
    assert [row["c0"] for row in rows][-1] == "all types"
    assert len(rows) == len(pairs) + 1
    error = np.sqrt(np.mean((x - y) ** 2)) * 100
    assert rows[-1]["c5"] == pytest.approx(error, rel=1e-3)
    tab.click("dtd-known-table-csv")
    ((name, content),) = tab.downloaded()
    assert name == "dtd_known.csv"
    # what it holds, and the header
    assert len(content.decode("utf-8-sig").splitlines()) == len(rows) + 2


def test_tables_stay_with_the_samples_when_the_session_is_saved_and_opened_again(
    session: DCXCache, tab: Any, tmp_path: Path
) -> None:
    choose(tab, "clinical", clinical_csv(tmp_path))
    tab.click("upload-clinical-keep")
    path, _ = truth_csv(tmp_path)
    choose(tab, "known", path)
    tab.click("upload-known-keep")
    written = tmp_path / "study.dcxsession"
    written.write_bytes(to_bytes(session.snapshot()))
    again, here = load(written).dataset, session.dataset
    pd.testing.assert_frame_equal(again.clinical.table, here.clinical.table)
    pd.testing.assert_frame_equal(again.truth.shares, here.truth.shares)
    assert dict(again.truth.pairs) == dict(here.truth.pairs) != {}


def test_the_first_samples_show_six_digits_of_a_number() -> None:
    table = pd.DataFrame(
        {"age": [32.17391304347826, 40.0, np.nan], "arm": ["a", "b", "a"]}, index=["P1", "P2", "P3"]
    )
    shown = json.dumps(preview(Clinical(table, "c.csv")), cls=PlotlyJSONEncoder)
    assert "32.1739" in shown
    assert "32.17391" not in shown
    assert '"40"' in shown
