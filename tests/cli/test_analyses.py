"""``analyze --groups``: what it writes is what the page shows; what it refuses, before computing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from gui.analyses import registry
from gui.answers import analyses as answers
from gui.answers.analyses import AnalysisText
from gui.cli import analyze
from gui.cli.analyses import Analysed, analyse
from gui.data.dataset import HIDDEN
from gui.engine import tasks
from gui.engine.params import DTDParams
from gui.engine.results import SecondOpinion

QUICK = ["--genes", "150", "--mixtures", "80", "--cells", "20", "--iterations", "60"]
EXAMPLE = ["--example", "--model", "deconomix+h", *QUICK]


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, index_col=0)


def test_the_groups_of_the_example_differ_as_they_were_made(tmp_path: Path, capsys) -> None:
    """Treated samples were made with more monocytes and more of the hidden type."""
    out = tmp_path / "out"
    arguments = [*EXAMPLE, "--groups", "group", "--out", str(out)]
    assert analyze.analyze(arguments) == 0
    told = capsys.readouterr().err
    table = read(out / "groups.csv")
    up = table.loc[["Monocytes", HIDDEN]]
    assert (up["called"] & (up["effect_low"] > 0.5) & (up["points_low"] > 0)).all()
    assert table["called"].loc["T cells"]
    assert table["points_high"].loc["T cells"] < 0
    record = json.loads((out / "run.json").read_text("utf-8"))["groups"]
    assert record["parameters"]["column"] == "group"
    assert record["summary"][0] in told
    assert "between control (10) and treated (10)" in record["summary"][0]
    assert any("Fractions of a sample sum to 1" in note for note in record["notes"])
    assert any("Benjamini" in cited for cited in record["citations"])
    groups = read(out / "groups_samples.csv")
    assert groups["group"].value_counts().to_dict() == {"control": 10, "treated": 10}
    assert not (out / "groups_pairs.csv").exists()
    # without --groups into the same folder, the tables of before are gone
    assert analyze.analyze([*EXAMPLE, "--out", str(out)]) == 0
    assert not (out / "groups.csv").exists()


def test_gene_regulation_of_the_groups_is_compared_with_the_settings_of_the_run(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    arguments = ["--example", "--model", "deconomix+h,r", *QUICK, "--lambda2", "1e-6"]
    arguments += ["--genes", "60", "--mixtures", "40"]
    arguments += ["--groups", "group", "--group-regulation", "19", "--seed", "3"]
    assert analyze.analyze([*arguments, "--out", str(out)]) == 0
    table = read(out / "groups_regulation.csv")
    assert {"log2_control", "log2_treated", "difference", "p_adjusted"} <= set(table.columns)
    assert table["p_adjusted"].min() >= 1 / 20
    used = json.loads((out / "run.json").read_text("utf-8"))["group_regulation"]["parameters"]
    assert (used["lambda2"], used["permutations"], used["seed"]) == (1e-6, 19, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--group-regulation", "19"], "no effect without --groups"),
        (["--groups", "group", "--group-regulation", "19"], "--model deconomix+h,r"),
    ],
    ids=["alone", "model"],
)
def test_regulation_of_groups_is_refused_where_it_cannot_be(
    arguments: list[str], words: str, tmp_path: Path, capsys
) -> None:
    assert analyze.analyze([*EXAMPLE, *arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err


def test_regulation_of_groups_takes_no_order_pairs_or_covariates(tmp_path: Path, capsys) -> None:
    base = ["--example", "--model", "deconomix+h,r", "--groups", "group", "--group-regulation"]
    for more, words in (
        (["--covariate", "batch"], "without order, pairs or covariates"),
        (["--compare", "trend"], "without order, pairs or covariates"),
        (["3"], "Permutations"),
    ):
        arguments = [*base, *more] if more[0] == "3" else [*base, "19", *more]
        assert analyze.analyze([*arguments, "--out", str(tmp_path / "out")]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "said"), [("groups", True), ("genes", False)])
def test_the_record_says_that_fractions_rest_on_contradicted_types(
    kind: str, said: bool, monkeypatch
) -> None:
    texts = AnalysisText(*[lambda *_: []] * 5)
    monkeypatch.setitem(answers.TEXTS, kind, texts)
    monkeypatch.setattr(Analysed, "sentence", lambda _: "")
    result = SimpleNamespace(notes=(), citations=tuple)
    params = DTDParams()
    names = ("CD4 T cells",)
    found = Analysed(kind, params, result, names, "ADTD").record()["warnings"]  # type: ignore[arg-type]
    words = "Rests on contradicted cell types: CD4 T cells"
    assert any(text.startswith(words) and "ADTD run" in text for text in found) is said


def test_contradicted_types_reach_the_analyses_of_the_command_line(monkeypatch) -> None:
    spec = SimpleNamespace(task=lambda *_a, **_k: "result")
    monkeypatch.setitem(registry.ANALYSES, "groups", spec)
    mine = pd.DataFrame({"s": [0.1, 0.9]}, index=["a", "b"])
    other = pd.DataFrame({"s": [0.5, 0.5]}, index=["a", "b"])
    dtd = SimpleNamespace(second_opinion=SecondOpinion(mine, other, other))
    (one,) = analyse(
        None,  # type: ignore[arg-type]
        {"groups": DTDParams()},
        progress=lambda *_: None,
        dtd=dtd,  # type: ignore[arg-type]
        adtd=None,
        bootstrap=None,
    )
    assert one.contradicted == ("a", "b")
    assert one.method == "DTD"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--groups", "stage"], "no column stage"),
        (["--groups", "group", "--compare", "number"], "holds text, not numbers"),
        (["--groups", "group", "--group-order", "control,placebo"], "in the group placebo"),
        (["--groups", "group", "--cut", "5,a"], "--cut is “5,a”"),
        (["--groups", "group", "--covariate", "group"], "compared and a covariate"),
        (["--paired-by", "donor"], "--paired-by has no effect without --groups"),
    ],
    ids=["column", "text", "order", "cut", "covariate", "alone"],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_computed(
    arguments: list[str], words: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(tasks, "run_dtd", lambda *_a, **_k: pytest.fail("it was computed"))
    out = tmp_path / "out"
    assert analyze.analyze([*EXAMPLE, *arguments, "--out", str(out)]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()
