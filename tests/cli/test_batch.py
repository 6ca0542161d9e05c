"""``analyze --batch``: every file of a folder on its own, one table, and what was refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.cli import analyze
from gui.errors import InvalidParameter

RANDOM = np.random.default_rng(4)
GENES = [f"G{i}" for i in range(40)]
TYPES = ["B cells", "T cells"]
PROFILES = RANDOM.lognormal(2, 1.2, (len(GENES), len(TYPES)))


def write(path: Path, columns: list[str], values: np.ndarray) -> Path:
    lines = [",".join(["gene", *columns])]
    lines += [",".join([g, *map(str, r)]) for g, r in zip(GENES, values.tolist(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    cells = RANDOM.poisson(np.repeat(PROFILES, 12, axis=1)) + 1
    train = write(tmp_path / "cells.csv", [t for t in TYPES for _ in range(12)], cells)
    folder = tmp_path / "bulks"
    folder.mkdir()
    for name, samples in (("a.csv", ["P1", "P2"]), ("c.csv", ["P1", "P3", "P4"])):
        fractions = RANDOM.dirichlet([2, 2], len(samples)).T
        write(folder / name, samples, (PROFILES @ fractions).round(3))
    quick = ["--model", "naive", "--genes", "0", "--mixtures", "20", "--cells", "10"]
    return ["--train", str(train), "--batch", str(folder), "--out", str(tmp_path / "out"), *quick]


def test_all_files_are_in_one_table_as_in_their_own(command: list[str], tmp_path: Path) -> None:
    assert analyze.analyze(command) == 0
    table = pd.read_csv(tmp_path / "out" / "composition_batch.csv")
    assert list(table) == ["file", "sample", "cell_type", "fraction", "low", "high", "unit"]
    assert set(table["unit"]) == {"fraction of RNA"}
    assert len(table) == 5 * len(TYPES)
    for name, rows in table.groupby("file"):
        own = pd.read_csv(tmp_path / "out" / str(name) / "composition_bulk.csv", index_col=0)
        wide = rows.pivot(index="cell_type", columns="sample", values="fraction")
        pd.testing.assert_frame_equal(wide.loc[own.index, own.columns], own, check_names=False)


def test_intervals_stand_beside_their_fractions(command: list[str], tmp_path: Path) -> None:
    assert analyze.analyze([*command, "--bootstrap", "20"]) == 0
    table = pd.read_csv(tmp_path / "out" / "composition_batch.csv")
    for name, rows in table.groupby("file"):
        own = pd.read_csv(tmp_path / "out" / str(name) / "composition_intervals.csv")
        keys = ["sample", "cell_type"]
        both = rows.merge(own, on=keys, suffixes=("", "_own"), validate="one_to_one")
        assert len(both) == len(rows) == len(own)
        assert both["low"].equals(both["low_own"])
        assert both["high"].equals(both["high_own"])


def test_a_refused_file_is_named_and_the_others_are_analysed(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bulks" / "b.csv").write_text("not a table\n")
    assert analyze.analyze(command) == 2
    said = capsys.readouterr().err
    assert "2 of 3 files were analysed" in said
    assert "Not analysed: b.csv: " in said
    table = pd.read_csv(tmp_path / "out" / "composition_batch.csv")
    assert set(table["file"]) == {"a.csv", "c.csv"}
    assert not (tmp_path / "out" / "b.csv").exists()


@pytest.mark.parametrize("more", [["--bulk", "x.csv"], ["--example"], ["--out", "bulks"]])
def test_what_contradicts_batch_is_refused(
    command: list[str],
    more: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert analyze.analyze([*command, *more]) == 2
    assert "--batch" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_reference_alone_is_enough_for_a_method_that_needs_no_cells(
    command: list[str], tmp_path: Path
) -> None:
    reference = write(tmp_path / "reference.csv", TYPES, PROFILES)
    options = ["--reference", str(reference), "--method", "nnls", *command[2:6]]
    assert analyze.analyze(options) == 0
    table = pd.read_csv(tmp_path / "out" / "composition_batch.csv")
    assert set(table["file"]) == {"a.csv", "c.csv"}
    assert np.allclose(table.groupby(["file", "sample"])["fraction"].sum(), 1.0)


def test_an_interrupted_batch_keeps_what_is_done(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = analyze._analyze

    def interrupted(options: Any, output: Any) -> None:
        if options.bulk.name == "c.csv":
            raise KeyboardInterrupt
        whole(options, output)

    monkeypatch.setattr(analyze, "_analyze", interrupted)
    assert analyze.analyze(command) == 130
    assert "Interrupted. 1 of 2 files were analysed." in capsys.readouterr().err
    table = pd.read_csv(tmp_path / "out" / "composition_batch.csv")
    assert set(table["file"]) == {"a.csv"}


def test_a_file_whose_further_analysis_failed_is_in_the_table(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = analyze._analyze

    def failing(options: Any, output: Any) -> None:
        whole(options, output)
        if options.bulk.name == "c.csv":  # as where an analysis fails after the composition
            raise InvalidParameter("The groups are too small.", advice="Give larger ones.")

    monkeypatch.setattr(analyze, "_analyze", failing)
    assert analyze.analyze(command) == 2
    said = capsys.readouterr().err
    assert "2 of 2 files were analysed" in said
    assert "Analysed in part: c.csv: The groups are too small. Give larger ones." in said
    table = pd.read_csv(tmp_path / "out" / "composition_batch.csv")
    assert set(table["file"]) == {"a.csv", "c.csv"}


def test_a_fault_of_the_program_leaves_the_table_of_what_is_done(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = analyze._analyze

    def faulty(options: Any, output: Any) -> None:
        if options.bulk.name == "c.csv":
            raise ZeroDivisionError
        whole(options, output)

    monkeypatch.setattr(analyze, "_analyze", faulty)
    with pytest.raises(ZeroDivisionError):
        analyze.analyze(command)
    assert set(pd.read_csv(tmp_path / "out" / "composition_batch.csv")["file"]) == {"a.csv"}
