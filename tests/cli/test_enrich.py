"""``analyze --enrich`` on the built-in example: the same tables as the page, or a refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from gui.cli.analyze import analyze
from gui.data.example import HIDDEN_TYPE, REGULATED_TYPE, make_example

QUICK = ["--iterations", "30", "--mixtures", "40", "--cells", "30", "--lambda2", "1e-9"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A GMT file with the lowered genes as a set, and a table with a marker of each type."""
    example = make_example()
    down = list(example.regulation[example.regulation < 1].index)
    others = [f"HK{i + 1:03d}" for i in range(20)]
    sets = tmp_path / "mine.gmt"
    sets.write_text(
        "\n".join("\t".join(row) for row in (["LOWERED", "", *down], ["HOUSE", "", *others])),
        encoding="utf-8",
    )
    markers = tmp_path / "markers.csv"
    rows = [("Monocytes", gene) for gene in example.regulated]
    rows += [(HIDDEN_TYPE, f"NEUT{i + 1:02d}") for i in range(20)]
    pd.DataFrame(rows, columns=["cell type", "gene"]).to_csv(markers, index=False)
    return sets, markers


def test_the_tables_of_genes_are_written_and_recorded(
    files: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sets, markers = files
    out = tmp_path / "results"
    options = ["--enrich", f"hallmark,{sets}", "--markers", str(markers), "--fold", "1.5"]
    code = analyze(["--example", *QUICK, *options, "--out", str(out)])
    said = capfd.readouterr().err
    assert code == 0, said
    over = pd.read_csv(out / "enrichment.csv")
    best = over.iloc[over["p"].argmin()]
    assert (best["cell_type"], best["direction"], best["set"]) == (
        REGULATED_TYPE,
        "down",
        "LOWERED",
    )
    assert pd.read_csv(out / "hidden_profiles.csv")["cell_type"].iloc[0] == HIDDEN_TYPE
    assert pd.read_csv(out / "hidden_markers.csv")["cell_type"].iloc[0] == HIDDEN_TYPE
    collections = pd.read_csv(out / "gene_sets.csv")
    # the example's genes are no human ones
    assert list(collections["name"]) == ["mine.gmt", collections["name"].iloc[1]]
    assert collections["name"].iloc[1].startswith("markers.csv (added ")
    assert list(collections["kind"]) == ["gene sets", "markers"]
    marked = pd.read_csv(out / "markers.csv")
    assert set(marked["gene"]) <= set(make_example().regulated)
    record = json.loads((out / "run.json").read_text("utf-8"))["genes"]
    assert HIDDEN_TYPE in record["summary"][0]
    assert record["parameters"]["fold"] == 1.5
    assert "folder" not in record["parameters"]
    assert any("known human genes" in text for text in record["warnings"])
    assert "hidden profile: most like" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--enrich", "hallmark", "--model", "deconomix"], "hidden background"),
        (["--enrich", "nowhere.gmt"], "no file nowhere.gmt"),
        (["--markers", "x.csv"], "no effect without --enrich"),
        (["--fold", "3"], "no effect without --enrich"),
        (["--enrich", "none", "--fold", "0.5"], "Regulated from"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    options: list[str], says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = analyze(["--example", *QUICK, *options, "--out", str(tmp_path / "out")])
    assert code == 2
    assert says in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
