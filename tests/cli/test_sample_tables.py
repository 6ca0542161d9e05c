"""``analyze --clinical`` and ``--truth``: joined by name, said, recorded, or refused unwritten."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.cli import analyze

RANDOM = np.random.default_rng(21)
GENES = [f"G{i}" for i in range(60)]
TYPES = ["B cells", "CD4 T cells", "CD8 T cells"]
SAMPLES = [f"PT-0{i}.A" for i in range(1, 7)]
PROFILES = RANDOM.lognormal(2, 1.2, (len(GENES), len(TYPES)))
FRACTIONS = RANDOM.dirichlet([2, 2, 2], len(SAMPLES)).T


def write(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in [header, *rows]))
    return path


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    """The options for cells and bulk samples, and for as little computing as possible."""
    cells = RANDOM.poisson(np.repeat(PROFILES, 12, axis=1)) + 1
    labels = [name for name in TYPES for _ in range(12)]
    bulk = (PROFILES @ FRACTIONS).round(3)
    paths = [
        write(
            tmp_path / name,
            ["gene", *columns],
            [[g, *r] for g, r in zip(GENES, values.tolist(), strict=True)],
        )
        for name, columns, values in (("cells.csv", labels, cells), ("bulk.csv", SAMPLES, bulk))
    ]
    quick = ["--genes", "0", "--mixtures", "20", "--cells", "10"]
    return ["--train", str(paths[0]), "--bulk", str(paths[1]), "--model", "naive", *quick]


def clinical(tmp_path: Path, events: list[Any], header: str = "OS", time: str = "OS.time") -> Path:
    """Other spelling of the samples, one of them missing, one row too many."""
    names = ["PT_01_A", "pt_02_a", "PT-03-A", "PT.04.A", "PT-05.A", "PT-99.A"]
    rows = [
        [n, 50 + i, 100 * i + 30, e] for i, (n, e) in enumerate(zip(names, events, strict=True))
    ]
    return write(tmp_path / "patients.csv", ["sample", "age", time, header], rows)


def run(data: list[str], out: Path, *more: object) -> int:
    return analyze.analyze([*data, *map(str, more), "--out", str(out)])


def record_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    return found


def test_clinical_data_are_joined_written_and_recorded(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = clinical(tmp_path, [1, 0, 1, 0, 0, 1]), tmp_path / "out"
    assert run(data, out, "--clinical", path, "--time-unit", "days") == 0
    table = pd.read_csv(out / "clinical.csv", index_col=0)
    assert list(table.index) == SAMPLES
    assert list(table["age"][:5]) == [50, 51, 52, 53, 54]
    assert table.loc["PT-06.A"].isna().all()
    record = record_of(out)["clinical"]
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (record["joined"], record["samples"]) == (5, 6)
    assert record["not_joined"] == ["PT-06.A"]
    assert record["rows_without_sample"] == 1
    assert record["time_column"] == "OS.time"
    assert record["time_unit"] == "days"
    assert (record["event_column"], record["event_value"], record["events"]) == ("OS", "1", 2)
    said = capsys.readouterr().err
    assert "5 of 6 bulk samples are in patients.csv" in said
    assert "PT-06.A" in said
    assert "1 row of patients.csv belongs to no sample" in said
    assert "Survival times are taken from OS.time (days)" in said


def test_columns_can_be_named_and_a_unit_that_is_not_known_is_said(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = clinical(tmp_path, ["a", "b", "a", "b", "b", "a"], "arm=2", "t"), tmp_path / "out"
    assert run(data, out, "--clinical", path, "--time", "t", "--event", "arm=2=a") == 0
    record = record_of(out)["clinical"]
    assert (record["event_column"], record["event_value"]) == ("arm=2", "a")
    assert (record["time_column"], record["time_unit"], record["events"]) == ("t", None, 2)
    assert "--time-unit" in capsys.readouterr().err
    assert run(data, out, "--clinical", path, "--time", "none") == 0
    record = record_of(out)["clinical"]
    assert record["time_column"] is record["event_column"] is record["events"] is None


UNCERTAIN: dict[str, tuple[str, list[Any]]] = {
    "censored": ("Censored", [1, 0, 1, 0, 0, 1]),
    "cens": ("cens", [1, 0, 1, 0, 0, 1]),
    "one-and-two": ("status", [1, 2, 1, 2, 2, 1]),
    "alive": ("alive", ["yes", "no", "yes", "no", "no", "yes"]),
}


@pytest.mark.parametrize("case", UNCERTAIN)
def test_an_event_of_uncertain_direction_is_refused_until_it_is_given(
    case: str, data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, events = UNCERTAIN[case]
    path, out = clinical(tmp_path, events, header), tmp_path / "out"
    before = sorted(tmp_path.iterdir())
    assert run(data, out, "--clinical", path) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"which value of {header} in patients.csv is the event" in said
    assert f'--event "{header}=' in said
    assert sorted(tmp_path.iterdir()) == before
    value = sorted({str(e) for e in events})[0]
    assert run(data, out, "--clinical", path, "--event", f"{header}={value}") == 0
    assert record_of(out)["clinical"]["event_value"] == value
    assert run(data, out, "--clinical", path, "--event", "none") == 0
    assert record_of(out)["clinical"]["event_value"] is None


def test_a_study_without_events_can_be_analysed(data: list[str], tmp_path: Path) -> None:
    path, out = clinical(tmp_path, [0] * 6), tmp_path / "out"
    assert run(data, out, "--clinical", path) == 2
    assert run(data, out, "--clinical", path, "--event", "OS=1") == 0
    assert record_of(out)["clinical"]["events"] == 0


def test_known_compositions_are_compared_with_the_estimate(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    percent = (100 * FRACTIONS[:, :4]).round(3)
    rows = [[t, *v] for t, v in zip(TYPES, percent.tolist(), strict=True)]
    path, out = write(tmp_path / "flow.csv", ["type", *SAMPLES[:4]], rows), tmp_path / "out"
    assert run(data, out, "--truth", path) == 0
    table = pd.read_csv(out / "agreement_bulk.csv", index_col=0)
    assert list(table.index) == [*TYPES, "all types"]
    assert list(table["samples"]) == [4, 4, 4, 12]
    estimated = pd.read_csv(out / "composition_bulk.csv", index_col=0)
    wanted = np.corrcoef(estimated.loc["B cells"][SAMPLES[:4]], percent[0])[0, 1]
    assert table.loc["B cells", "pearson"] == pytest.approx(wanted)
    record = record_of(out)["truth"]
    assert record["unit"] == "percent"
    assert record["pairs"] == {t: t for t in TYPES}
    assert record["not_joined"] == SAMPLES[4:]
    assert record["agreement"][0]["pearson"] == pytest.approx(wanted)
    assert record["agreement"][-1]["cell_type"] == "all types"
    said = capsys.readouterr().err
    assert "divided by 100" in said
    assert "Agreement with flow.csv over 3 cell types, 12 values: Pearson r" in said
    assert run(data, out) == 0
    assert not (out / "agreement_bulk.csv").exists(), "of the earlier analysis"


def test_types_are_paired_as_given_and_sums_are_compared(data: list[str], tmp_path: Path) -> None:
    known = [["lymphoid", *(FRACTIONS[1] + FRACTIONS[2])], ["other", *FRACTIONS[0]]]
    path, out = write(tmp_path / "flow.csv", ["type", *SAMPLES], known), tmp_path / "out"
    pairs = ("--pair", "lymphoid=CD4 T cells|CD8 T cells")
    assert run(data, out, "--truth", path, *pairs) == 0
    record = record_of(out)["truth"]
    assert record["left_out"] == ["other"]
    table = pd.read_csv(out / "agreement_bulk.csv", index_col=0)
    assert list(table["known_as"].fillna("")) == ["lymphoid", ""]
    both = pd.read_csv(out / "composition_bulk.csv", index_col=0).loc[TYPES[1:]].sum()
    wanted = np.sqrt(np.mean((both.to_numpy() - (FRACTIONS[1] + FRACTIONS[2])) ** 2))
    assert table["rmse"].iloc[0] == pytest.approx(wanted)


REFUSED = {
    "no-file": (["--clinical", "{tmp}/none.csv"], "There is no file"),
    "no-file-of-truth": (["--truth", "{tmp}/none.csv"], "--truth"),
    "time-alone": (["--time", "OS.time"], "--time has no effect without --clinical"),
    "pair-alone": (["--pair", "a=b"], "--pair has no effect without --truth"),
    "no-column": (["--clinical", "{ok}", "--event", "dead=1"], "no column dead"),
    "no-time-column": (["--clinical", "{ok}", "--time", "months"], "no column months"),
    "no-value": (["--clinical", "{ok}", "--event", "OS=2"], "holds no value 2, but 0 and 1"),
    "other-patients": (["--clinical", "{other}"], "None of the 6 bulk samples"),
    "other-samples": (["--truth", "{unjoined}"], "None of the 6 bulk samples"),
    "other-types": (["--truth", "{foreign}"], "--pair"),
    "no-such-type": (["--truth", "{foreign}", "--pair", "x=B cells"], "no such cell type"),
    "no-estimate": (["--truth", "{foreign}", "--pair", "iron=hidden"], "is not estimated"),
    "scores": (["--truth", "{scores}"], "no fractions"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_one_line_and_leaves_nothing(
    case: str, data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, named = REFUSED[case]
    rows = [["x1", 3, 1], ["x2", 4, 0]]
    tables = {
        "tmp": tmp_path,
        "other": write(tmp_path / "other.csv", ["id", "OS.time", "OS"], rows),
        "unjoined": write(tmp_path / "u.csv", ["t", "s1", "s2"], [[t, 0.3, 0.3] for t in TYPES]),
        "foreign": write(
            tmp_path / "f.csv",
            ["t", *SAMPLES],
            [["iron", *[0.4] * 6], ["zinc", *[0.6] * 6]],
        ),
        "scores": write(
            tmp_path / "s.csv", ["t", *SAMPLES], [[t, -0.2, *[0.4] * 5] for t in TYPES]
        ),
        "ok": clinical(tmp_path, [1, 0, 1, 0, 0, 1]),
    }
    before = sorted(tmp_path.iterdir())
    given = [text.format(**tables) for text in arguments]
    assert run(data, tmp_path / "out", *given) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert named in said
    assert sorted(tmp_path.iterdir()) == before


def test_tables_about_samples_need_bulk_samples_and_the_example_takes_none(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clinical(tmp_path, [1, 0, 1, 0, 0, 1])
    assert run([*data[:2], *data[4:]], tmp_path / "out", "--clinical", path) == 2
    assert "--bulk" in capsys.readouterr().err
    assert analyze.analyze(["--example", "--truth", str(path)]) == 2
    assert "--example brings its own data" in capsys.readouterr().err
