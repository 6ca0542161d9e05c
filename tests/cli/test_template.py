"""``analyze --template``: the parameters of a template, below the options that are given."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from gui.cli import analyze
from gui.engine.params import ADTDParams, DTDParams
from gui.sessions.templates import ParameterTemplate, make_template

QUICK = DTDParams(genes=60, iterations=3, train_mixtures=30, test_mixtures=20, train_cells=12)


def run(folder: Path, template: ParameterTemplate, *options: str) -> int:
    path = folder / "template.json"
    path.write_bytes(template.packed())
    out = str(folder / "out")
    return analyze.analyze(["--example", "--template", str(path), "--out", out, *options])


def test_the_numbers_are_those_of_the_template(tmp_path: Path) -> None:
    adtd = ADTDParams(model="h", max_iterations=20)
    assert run(tmp_path, make_template("Blood", QUICK, adtd), "--model", "deconomix+h") == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    parameters = record["parameters"]
    assert (parameters["genes"], parameters["iterations"]) == (60, 3)
    assert parameters["template"]["name"] == "Blood"
    assert parameters["template"]["dtd"]["train_mixtures"] == 30
    assert parameters["template"]["dtd"]["test_mixtures"] == 20
    assert parameters["template"]["adtd"]["max_iterations"] == 20
    assert len(pd.read_csv(tmp_path / "out" / "gene_weights.csv")) == 60


def test_an_option_counts_before_the_template(tmp_path: Path) -> None:
    asked = ("--model", "deconomix", "--genes", "40")
    assert run(tmp_path, make_template("Blood", QUICK), *asked) == 0
    assert len(pd.read_csv(tmp_path / "out" / "gene_weights.csv")) == 40


@pytest.mark.parametrize(
    ("template", "options", "said"),
    [
        (make_template("x", QUICK, ADTDParams(model="custom")), (), "custom model"),
        (make_template("x", QUICK, ADTDParams(part="test")), (), "pseudobulks"),
        (make_template("x", QUICK), ("--recommended",), "has no effect here"),
    ],
    ids=["custom", "pseudobulks", "recommended"],
)
def test_what_analyze_cannot_do_is_refused(
    tmp_path: Path,
    template: ParameterTemplate,
    options: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(tmp_path, template, *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_template_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    out = str(tmp_path / "out")
    assert analyze.analyze(["--example", "--template", str(path), "--out", out]) == 2
    assert "not a template of parameters" in capsys.readouterr().err


def test_the_example_too_takes_the_model_of_the_template(tmp_path: Path) -> None:
    assert run(tmp_path, make_template("x", QUICK, ADTDParams(model="h", max_iterations=7))) == 0
    parameters = json.loads((tmp_path / "out" / "run.json").read_text())["parameters"]
    assert parameters["model"] == "deconomix+h"
    assert parameters["template"]["adtd"]["max_iterations"] == 7
    assert not (tmp_path / "out" / "gene_regulation.csv").exists()


def test_samples_are_estimated_whatever_the_template_says(tmp_path: Path) -> None:
    template = make_template("x", QUICK.model_copy(update={"run_on_bulk": False}))
    assert run(tmp_path, template, "--model", "deconomix") == 0
    assert len(pd.read_csv(tmp_path / "out" / "composition_bulk.csv").columns) == 21
    parameters = json.loads((tmp_path / "out" / "run.json").read_text())["parameters"]
    assert parameters["template"]["dtd"]["run_on_bulk"] is True


def test_naive_takes_a_template_that_stops_early(tmp_path: Path) -> None:
    template = make_template("x", QUICK.model_copy(update={"stop_early": True}))
    assert run(tmp_path, template, "--model", "naive") == 0
    parameters = json.loads((tmp_path / "out" / "run.json").read_text())["parameters"]
    assert parameters["template"]["dtd"]["stop_early"] is False
