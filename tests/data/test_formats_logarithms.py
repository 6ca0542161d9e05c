"""Logarithms to any base with any offset are undone as they were taken, or said to be uncertain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.data.load import FileChoice, LoadRequest
from gui.data.validation.examine import examine
from gui.data.validation.findings import Finding
from gui.data.validation.heuristics import base_of_range
from gui.data.validation.repairs import UndoLog

LOGS = {"2": np.log2, "e": np.log, "10": np.log10}
RNG = np.random.default_rng(11)
EXPRESSED = np.exp(RNG.normal(3, 2.4, (700, 1)) + RNG.normal(0, 0.4, (700, 8)))
EXPRESSED[RNG.random((700, 8)) < 0.15] = 0
TPM = (EXPRESSED / EXPRESSED.sum(axis=0) * 1e6).round(2)
COUNTS = RNG.poisson(EXPRESSED * 40).astype(float)
FPKM = TPM * RNG.uniform(0.1, 0.4, 8)  # of no one sum, and not whole
VALUES = {"tpm": TPM, "counts": COUNTS, "fpkm": FPKM}


def found(folder: Path, values: np.ndarray) -> Finding:
    frame = pd.DataFrame(
        values.round(5), [f"G{i}" for i in range(700)], [f"S{i}" for i in range(8)]
    )
    frame.to_csv(folder / "b.tsv", sep="\t", index_label="gene")
    request = LoadRequest(files={"bulk": FileChoice(path=folder / "b.tsv")})
    codes = ("log-values", "negative-log-values")
    (one,) = [x for x in examine(request).findings if x.code in codes]
    return one


def undone(finding: Finding, values: np.ndarray) -> np.ndarray:
    assert isinstance(finding.repair, UndoLog)
    return np.asarray(finding.repair.linear(values.round(5)))


@pytest.mark.parametrize("offset", [0.001, 0.01, 0.1, 0.5, 1, 5, "half"])
@pytest.mark.parametrize("base", LOGS)
@pytest.mark.parametrize("kind", VALUES)
def test_the_values_come_back_or_the_base_is_said_to_be_uncertain(
    kind: str, base: str, offset: float | str, tmp_path: Path
) -> None:
    linear = VALUES[kind]
    added = linear[linear > 0].min() / 2 if offset == "half" else float(offset)
    values = LOGS[base](linear + added)
    one = found(tmp_path, values)
    back = undone(one, values)
    exact = np.abs(back - linear).max() < 0.01 * linear.max()
    said = f"{one.message} {one.advice}"
    assert exact or "do not tell the base for certain" in said
    if base != "e" or kind == "tpm" or offset in (0.001, 0.01, 0.1, 5):
        assert exact


def test_a_largest_value_that_is_absurd_for_one_base_tells_the_other() -> None:
    assert base_of_range(4.8) == ("10", True)
    assert base_of_range(6.5) == ("10", False)
    assert base_of_range(12) == ("2", False)
    assert base_of_range(17) == ("2", True)


def test_a_base_that_is_not_certain_is_said_with_the_others_to_choose(tmp_path: Path) -> None:
    values = np.log(FPKM + 1)
    one = found(tmp_path, values)
    assert "do not tell the base for certain" in one.advice
    others = {r.base for r in one.alternatives if isinstance(r, UndoLog)}
    assert others == {"e", "10"}
    values = np.log10(FPKM + 1)
    one = found(tmp_path, values)
    assert "for certain" not in one.advice
    assert np.abs(undone(one, values) - FPKM).max() < 0.01 * FPKM.max()
