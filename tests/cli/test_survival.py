"""``analyze --survival``: the same tables as the page, or refused before anything is computed."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.groups import GroupsParams
from gui.analyses.registry import ANALYSES
from gui.analyses.survival import SurvivalParams
from gui.cli import analyses, analyze
from gui.cli.survival import columns_of
from gui.errors import DataError, InvalidParameter

GENES, TYPES, PATIENTS = [f"G{i}" for i in range(40)], ["B cells", "T cells", "NK cells"], 60


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Cells, bulk and patients: the more B cells, the earlier the event; as little work as can be."""
    folder, random = tmp_path_factory.mktemp("cli"), np.random.default_rng(8)
    profiles = random.lognormal(2, 1.2, (len(GENES), len(TYPES)))
    fractions = random.dirichlet([2, 2, 2], PATIENTS).T
    names = [f"P{i:02d}" for i in range(PATIENTS)]
    cells = random.poisson(np.repeat(profiles, 10, axis=1)) + 1
    pd.DataFrame(cells, GENES, [t for t in TYPES for _ in range(10)]).to_csv(folder / "cells.csv")
    pd.DataFrame(profiles @ fractions, GENES, names).round(3).to_csv(folder / "bulk.csv")
    event = random.exponential(20 / np.exp(7 * (fractions[0] - 0.33)))
    seen = random.uniform(5, 60, PATIENTS)
    pd.DataFrame(
        {
            "patient": names,
            "OS.months": np.minimum(event, seen).round(2),
            "OS": (event <= seen).astype(int),
            "stage": random.choice(["I", "II"], PATIENTS),
            "response": random.choice(["CR", "PD"], PATIENTS),
        }
    ).to_csv(folder / "patients.csv", index=False)
    given = ["--train", folder / "cells.csv", "--bulk", folder / "bulk.csv", "--model", "naive"]
    given += ["--genes", 0, "--mixtures", 20, "--cells", 10, "--clinical", folder / "patients.csv"]
    return list(map(str, given))


def run(options: list[str], out: Path, *more: object) -> int:
    return analyze.analyze([*options, *map(str, more), "--out", str(out)])


def test_the_tables_are_written_recorded_and_taken_away_again(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["--survival", "OS.months,OS", "--time-zero", "diagnosis", "--survival-cut", "median"]
    asked += ["--survival-by", "stage", "--adjust", "stage", "--together", "B cells"]
    for _ in range(2):
        assert run(options, out, *asked) == 0
    ratios = pd.read_csv(out / "survival_hazard_ratios.csv", index_col=0)
    assert set(ratios["model"]) == {"alone", "adjusted"}
    assert (ratios.loc["B cells", "sd_low"] > 1).all()
    tests = pd.read_csv(out / "survival_log_rank.csv")
    assert set(tests["variable"]) == {*TYPES, "stage"}
    assert (out / "survival_remark.csv").exists()
    assert len(pd.read_csv(out / "survival_together.csv")) == 2
    record: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    assert record["survival"]["parameters"]["time_zero"] == "diagnosis"
    assert "B cells" in record["survival"]["summary"][0]
    assert record["clinical"]["time_column"] == "OS.months"
    said = capsys.readouterr().err
    assert "More B cells, higher hazard" in said
    assert "no bootstrap draws" in said
    assert run(options, out) == 0  # of the analysis before nothing is left
    assert not list(out.glob("survival_*"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--survival", "OS.months"), "with a comma"),
        (("--survival", "OS.months,death"), "no column death"),
        (("--survival", "OS.months,OS", "--adjust", "response"), "landmark"),
        (("--survival", "OS.months,OS", "--survival-by", "response"), "landmark"),
        (("--survival", "OS.months,OS", "--survival-by", "OS"), "outcome itself"),
        (("--permutations", "999"), "without --survival"),
        (("--fdr", "0.1"), "without --groups"),
        (("--survival", "OS.months,OS", "--adjust", "weight"), "no column weight"),
        (("--survival", "OS.months,OS", "--survival-cut", "middle"), "percentages"),
        (("--adjust", "stage"), "without --survival"),
        (("--survival", "OS.months,OS", "--survival-order", "I,II"), "without --survival-by"),
        (
            ("--survival", "OS.months,OS", *["--survival-by", "stage", "--survival-order", "I,3"]),
            "names 3, and stage has no such group. There are I and II.",
        ),
        (("--landmark", "6"), "without --survival"),
    ],
)
def test_what_cannot_be_done_is_refused_unwritten(
    options: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    words: str,
) -> None:
    assert run(options, tmp_path / "out", *more) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_failing_analysis_does_not_take_the_composition_along(
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing(*_about: Any, **_more: Any) -> Any:
        raise DataError("This analysis fails.", advice="Leave it out.")

    failed = replace(ANALYSES["survival"], task=failing)
    monkeypatch.setattr("gui.analyses.registry.ANALYSES", {**ANALYSES, "survival": failed})
    out = tmp_path / "out"
    asked = ("--groups", "stage", "--survival", "OS.months,OS", "--time-zero", "diagnosis")
    assert run(options, out, *asked) == 2
    assert "This analysis fails." in capsys.readouterr().err
    assert (out / "run.json").exists()
    assert (out / "groups.csv").exists()  # the one before
    assert list(out.glob("composition*"))
    assert not list(out.glob("survival_*"))


def test_options_say_what_the_pages_say() -> None:
    cli = argparse.ArgumentParser()
    analyses.add_options(cli)
    cli.add_argument("--seed", type=int, default=1)
    text = (
        "--groups arm --without-hidden --group-scale fraction --fdr 0.1 --cut 5,20"
        " --survival time,event --mean-up-to 12 --band-transform log --hazards-scale rank"
        " --permutations 199 --survival-cut 5,20 --survival-by grade --survival-order low,high"
    )
    found = analyses.requested(cli.parse_args(text.split()))
    groups, survival = found["groups"].model_dump(), found["survival"].model_dump()
    assert (groups["hidden"], groups["scale"], groups["level"]) == (False, "fraction", 0.1)
    assert groups["cuts"] == survival["cut_points"] == (5, 20)
    assert (survival["compare"], survival["order"]) == (("grade",), ("low", "high"))
    assert (survival["tau"], survival["transform"]) == (12, "log")
    assert (survival["scale"], survival["permutations"]) == ("rank", 199)
    plain = analyses.requested(cli.parse_args(["--groups", "arm", "--survival", "t,e"]))
    assert plain == {"groups": GroupsParams(column="arm"), "survival": SurvivalParams()}


def test_survival_needs_a_clinical_table(options: list[str], tmp_path: Path) -> None:
    without = options[: options.index("--clinical")]
    assert run(without, tmp_path / "out", "--survival", "OS.months,OS") == 2


def test_names_with_a_comma_stand_in_quotes() -> None:
    assert columns_of('"time, months", status') == ("time, months", "status")
    for text in ("a", "a,b,c", "a,", ""):
        with pytest.raises(InvalidParameter):
            columns_of(text)
