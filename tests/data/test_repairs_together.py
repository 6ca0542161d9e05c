"""Two repairs that are proposed together always work together, in any order of choosing."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.read import read_all
from gui.data.validation.examine import examine
from gui.data.validation.registry import repair_part
from gui.errors import DataError
from gui.knowledge.human_genes import human_genes
from tests.data.repairing import repaired

GENES = [s for s in sorted(set(human_genes().by_ensembl.values())) if s.isalnum()][500:580]
IDS = {symbol: gene for gene, symbol in sorted(human_genes().by_ensembl.items(), reverse=True)}
RANDOM = np.random.default_rng(2)
VALUES = RANDOM.lognormal(4, 1.5, (len(GENES), 5)).round(2)
FAULTS = ("versions", "pipe", "dates", "double", "log", "gap", "quotes", "zero row", "same names")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "cells.tsv"
    values = RANDOM.poisson(30, (len(GENES), 12)) + 1
    pd.DataFrame(values, index=GENES, columns=["B", "T", "NK"] * 4).to_csv(path, sep="\t")
    return path


def write_bulk(path: Path, faults: set[str]) -> Path:
    genes, values = list(GENES), VALUES.copy()
    samples = [f"P{i}" for i in range(5)]
    if "versions" in faults:
        genes = [f"{IDS[g]}.{i % 7 + 1}" for i, g in enumerate(genes)]
    elif "pipe" in faults:
        genes = [f"{g}|{1000 + i}" for i, g in enumerate(genes)]
    if "quotes" in faults:
        genes = [f"b'{g}'" for g in genes]
    if "dates" in faults:
        genes[:2] = ["1-Sep", "5-Mar"]
    if "double" in faults:
        genes[10] = genes[11]
    if "zero row" in faults:
        values[20] = 0
    if "log" in faults:
        values = np.log2(values + 1)
    if "same names" in faults:
        samples[1] = samples[0]
    frame = pd.DataFrame(values, index=genes, columns=samples)
    text = frame.to_csv(sep="\t")
    if "gap" in faults:
        lines = text.splitlines()
        lines[31] = lines[31].rsplit("\t", 1)[0] + "\t"
        text = "\n".join(lines) + "\n"
    path.write_text(text)
    return path


@given(st.sets(st.sampled_from(FAULTS), min_size=1))
@example({"log", "double", "versions"})
@example({"versions", "dates", "same names"})
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_two_proposed_repairs_work_together(
    tmp_path: Path, cells: Path, faults: set[str]
) -> None:
    bulk = write_bulk(tmp_path / "bulk.tsv", faults)
    request = LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)})
    proposed = examine(request).proposed
    part = read_all({"bulk": FileChoice(path=bulk)})[0]["bulk"]
    for pair in [*combinations(proposed, 2), tuple(proposed)]:
        try:
            one, _ = repair_part(part, pair)
            other, _ = repair_part(part, pair[::-1])
        except DataError as error:  # pragma: no cover
            raise AssertionError(f"{[r.kind for r in pair]}: {error}") from error
        pd.testing.assert_frame_equal(one.matrix.frame(), other.matrix.frame())
    # whatever is chosen first, the rest is proposed until nothing has to be settled
    for first in [(), proposed[:1], proposed[-1:]]:
        begun = request.model_copy(update={"repairs": first})
        assert examine(repaired(begun)).outcome != "refuse"
    made = load_dataset(repaired(request)).bulk
    assert made is not None
    assert_mended(made.matrix.frame(), faults)


def assert_mended(found: pd.DataFrame, faults: set[str]) -> None:
    """The values are those before the faults; rows of one gene are added up as linear values."""
    wanted = pd.DataFrame(VALUES, index=GENES)
    if "double" in faults:
        wanted.loc[GENES[11]] += wanted.loc[GENES[10]]
        wanted = wanted.drop(GENES[10])
    if "zero row" in faults:
        wanted.loc[GENES[20]] = 0
    if "gap" in faults:
        wanted = wanted.drop(GENES[30])
    if "dates" in faults:
        wanted = wanted.drop(GENES[:2])
        assert {"SEPTIN1", "MARCHF5"} & set(found.index)
    there = [gene for gene in wanted.index if gene in set(found.index)]
    lost = set(wanted.index) - set(there)
    assert lost <= ({GENES[20]} if "zero row" in faults else set())
    assert found.shape == (found.index.nunique(), 5)
    np.testing.assert_allclose(found.loc[there], wanted.loc[there], rtol=1e-6, atol=1e-6)
