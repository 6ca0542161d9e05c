"""Known compositions as FlowJo, cell tables and score tools write them: one whole, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.data.samples.known_composition import (
    KnownCompositionChoice,
    KnownCompositionTable,
    join_known_composition,
    known_composition_findings,
    read_known_composition,
)
from gui.errors import BadValues

SAMPLES = [f"S{i}" for i in range(1, 7)]
TYPES = ["B cells", "T cells CD4", "T cells CD8", "NK cells"]
TRUE = pd.DataFrame(np.random.default_rng(2).dirichlet([2, 6, 4, 3], 6), SAMPLES, TYPES)
OF_T = TRUE["T cells CD4"] + TRUE["T cells CD8"]


def read(folder: Path, frame: pd.DataFrame | str, label: str = "sample") -> KnownCompositionTable:
    path = folder / "t.csv"
    text = frame if isinstance(frame, str) else frame.to_csv(index_label=label)
    path.write_text(text, "utf-8")
    return read_known_composition(KnownCompositionChoice(path=path), SAMPLES, TYPES)


def compared(table: KnownCompositionTable) -> pd.DataFrame:
    """What the estimated types are compared with, samples × types."""
    kept = join_known_composition(table, SAMPLES, TYPES, None)
    return pd.DataFrame({e: kept.shares.loc[k] for k, e in kept.pairs.items()})


def said(table: KnownCompositionTable) -> str:
    return " ".join(x.message for x in known_composition_findings(table, SAMPLES, TYPES, None))


def assert_true(table: KnownCompositionTable) -> None:
    found = compared(table)
    assert sorted(found) == sorted(TYPES)
    np.testing.assert_allclose(found[TYPES], TRUE, atol=2e-4)


PATHS = {
    "B cells": "Lymphocytes/Single Cells/CD45+/CD19+ B cells",
    "T cells CD4": "Lymphocytes/Single Cells/CD45+/CD3+/CD4+ T cells",
    "T cells CD8": "Lymphocytes/Single Cells/CD45+/CD3+/CD8+ T cells",
    "NK cells": "Lymphocytes/Single Cells/CD45+/NK cells",
}


@pytest.mark.parametrize(
    ("statistic", "factor"),
    [("Freq. of CD45+ (%)", 100), ("Count", 30_000), ("Freq. of Total", 60)],
)
def test_paths_of_flowjo_are_read_by_their_last_gate(
    statistic: str, factor: int, tmp_path: Path
) -> None:
    table = (TRUE * factor).round(2 if factor == 100 else 3)
    table = table.round(0) if statistic == "Count" else table
    table.index = [f"{s}.fcs" for s in SAMPLES]
    found = compared(
        read(tmp_path, table.rename(columns=lambda t: f"{PATHS[t]} | {statistic}"), "")
    )
    whole = found.div(found.sum(axis=1), axis=0)
    assert sorted(found) == sorted(TYPES)
    np.testing.assert_allclose(whole[TYPES].to_numpy(), TRUE.to_numpy(), atol=2e-3)


def test_percentages_of_gates_that_are_not_there_are_refused(tmp_path: Path) -> None:
    table = (TRUE * 100).rename(columns=lambda t: f"{PATHS[t]} | Freq. of Parent (%)")
    with pytest.raises(BadValues, match=r"different gates.* no fractions of one whole"):
        read(tmp_path, table, "")


@pytest.mark.parametrize("form", ["{} (% of {})", "{} [% of {}]", "{} | Freq. of {}"])
def test_percentages_of_a_type_of_the_table_are_multiplied(form: str, tmp_path: Path) -> None:
    columns = {
        form.format("B cells", "CD45+"): TRUE["B cells"],
        form.format("T cells", "CD45+"): OF_T,
        form.format("NK cells", "CD45+"): TRUE["NK cells"],
        form.format("CD4", "T cells"): TRUE["T cells CD4"] / OF_T,
        form.format("CD8", "T cells"): TRUE["T cells CD8"] / OF_T,
    }
    table = read(tmp_path, (pd.DataFrame(columns) * 100).round(4))
    assert_true(table)
    assert "CD4 of T cells and CD8 of T cells" in said(table)
    assert "multiplied" in said(table)


def test_types_that_sum_up_to_a_whole_within_a_type_are_percentages_of_it(tmp_path: Path) -> None:
    frame = TRUE.assign(
        **{
            "T cells": OF_T,
            "T cells CD4": TRUE["T cells CD4"] / OF_T,
            "T cells CD8": TRUE["T cells CD8"] / OF_T,
        }
    )
    table = read(tmp_path, (frame * 100).round(4))
    assert_true(table)
    assert "multiplied" in said(table)
    # levels of one whole stay as they are
    table = read(tmp_path, (TRUE.assign(**{"T cells": OF_T}) * 100).round(4))
    assert_true(table)
    assert "multiplied" not in said(table)


def test_percentages_come_before_numbers_of_the_same_types(tmp_path: Path) -> None:
    percent = (TRUE * 100).round(3).add_suffix(" [%]")
    numbers = (TRUE * 2500).round(0).add_suffix(" [cells/µl]")
    table = read(tmp_path, pd.concat([percent, numbers], axis=1))
    assert_true(table)
    assert set(table.left_out) == set(numbers)


def test_rows_of_cells_are_counted(tmp_path: Path) -> None:
    rows = [
        (f"c{i}", s, t)
        for i, (s, t, n) in enumerate(
            (s, t, round(400 * TRUE.loc[s, t])) for s in SAMPLES for t in TYPES
        )
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["barcode", "orig.ident", "cell_type"])
    table = read(tmp_path, frame.to_csv(index=False))
    np.testing.assert_allclose(compared(table)[TYPES], TRUE, atol=4e-3)
    assert "Every row of t.csv is a cell" in said(table)


def test_a_row_of_percent_signs_says_the_unit(tmp_path: Path) -> None:
    text = (TRUE * 100).round(4).to_csv(index_label="sample")
    header, _, rest = text.partition("\n")
    table = read(tmp_path, f"{header}\n,%,%,%,%\n{rest}")
    assert_true(table)
    assert table.unit == "percent"


def test_one_type_is_never_divided_by_itself(tmp_path: Path) -> None:
    table = read(tmp_path, (TRUE[["NK cells"]] * 9).round(3))
    np.testing.assert_allclose(table.shares.to_numpy()[0], TRUE["NK cells"] * 0.09, atol=1e-4)
    with pytest.raises(BadValues, match="one type only"):
        read(tmp_path, (TRUE[["NK cells"]] * 9000).round(0))


@pytest.mark.parametrize(
    ("names", "tool"),
    [
        (["B lineage", "Monocytic lineage", "T cells", "NK cells"], "MCP-counter"),
        (["HSC", "CLP", "GMP", "NK cells"], "xCell"),
        (["StromalScore", "ImmuneScore", "ESTIMATEScore", "NK cells"], "ESTIMATE"),
    ],
)
def test_scores_are_refused_by_the_names_of_their_tool(
    names: list[str], tool: str, tmp_path: Path
) -> None:
    for frame, label in (
        (TRUE.set_axis(names, axis=1), "sample"),
        (TRUE.set_axis(names, axis=1).T, ""),
    ):
        with pytest.raises(BadValues, match=f"scores of {tool}, which are no fractions"):
            read(tmp_path, frame, label)
