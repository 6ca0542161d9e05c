"""Known compositions as cytometry, pathology and other tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gui.data.samples.known_composition import (
    KnownCompositionChoice,
    KnownCompositionTable,
    join_known_composition,
    known_composition_findings,
    pair_types,
    read_known_composition,
)
from gui.data.samples.sample_tables import preview_known_composition
from gui.data.validation.findings import Finding
from gui.errors import BadValues

SAMPLES = ["P1", "P2", "P3"]
TYPES = ["B cells", "T cells CD4", "NK cells", "Monocytes"]
FRACTIONS = np.array([[0.1, 0.5, 0.15, 0.25], [0.2, 0.3, 0.05, 0.45], [0.05, 0.65, 0.1, 0.2]])


def read(path: Path, text: str, types: list[str] | None = None) -> KnownCompositionTable:
    path.write_text(text, encoding="utf-8")
    return read_known_composition(KnownCompositionChoice(path=path), SAMPLES, types or TYPES)


def codes(table: KnownCompositionTable) -> dict[str, Finding]:
    return {x.code: x for x in known_composition_findings(table, SAMPLES, TYPES, None)}


def wide(values: np.ndarray, form: str = "{:g}", **more: list[object]) -> str:
    lines = [",".join(["sample", *TYPES, *more])]
    for k, sample in enumerate(SAMPLES):
        beside = [str(column[k]) for column in more.values()]
        lines.append(",".join([sample, *(form.format(v) for v in values[k]), *beside]))
    return "\n".join(lines) + "\n"


def assert_fractions(table: KnownCompositionTable) -> None:
    found = table.shares.loc[TYPES, SAMPLES]
    np.testing.assert_allclose(found.to_numpy(), FRACTIONS.T, atol=1e-9)
    assert list(table.shares.index) == TYPES


@pytest.mark.parametrize("form", ["{:g}%", "{:g} %", '"{:g} %"'])
def test_percent_signs_say_the_unit(form: str, tmp_path: Path) -> None:
    assert_fractions(read(tmp_path / "t.csv", wide(100 * FRACTIONS, form)))


def test_small_numbers_with_percent_signs_are_percent(tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", wide(FRACTIONS, "{:g}%"))
    np.testing.assert_allclose(table.shares.loc[TYPES].to_numpy(), FRACTIONS.T / 100)


@pytest.mark.parametrize("sizes", [[1000, 4000, 20000], [200, 400, 220]])
def test_counts_of_cells_are_divided_by_their_sum(sizes: list[int], tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", wide(FRACTIONS * np.array(sizes)[:, None]))
    assert_fractions(table)
    assert "composition-read" in codes(table)
    assert "odd-sums" not in codes(table)


def test_cells_per_litre_are_amounts(tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", wide(FRACTIONS * np.array([[4.4], [7.9], [6.1]])))
    assert_fractions(table)


@pytest.mark.parametrize("name", ["Total", "Sum", "CD45+", "all", "Total cells"])
@pytest.mark.parametrize("factor", [100, 3000])
def test_a_total_is_left_out_whatever_it_is_called(name: str, factor: int, tmp_path: Path) -> None:
    values = FRACTIONS * factor
    table = read(tmp_path / "t.csv", wide(values, **{name: [factor] * 3}))
    assert_fractions(table)
    assert name in codes(table)["columns-left-out"].message


def test_dates_donors_and_quality_beside_the_types_are_left_out(tmp_path: Path) -> None:
    more = {
        "date": ["2020-01-02", "2020-01-09", "2020-02-01"],
        "panel": ["a", "b", "a"],
        "P-value": [0, 0.01, 0],
        "Correlation": [0.9, 0.8, 0.85],
        "RMSE": [0.4, 0.6, 0.5],
    }
    table = read(tmp_path / "CIBERSORTx_Results.csv", wide(FRACTIONS, **more))
    assert_fractions(table)
    assert set(table.left_out) == set(more)


def test_the_absolute_mode_of_cibersort_is_brought_to_fractions(tmp_path: Path) -> None:
    scale = np.array([[1.7], [2.9], [0.9]])
    more = {"Absolute score (sig.score)": scale[:, 0].tolist()}
    assert_fractions(read(tmp_path / "t.csv", wide(FRACTIONS * scale * 2, **more)))


@pytest.mark.parametrize(
    "extra", [{"ImmuneScore": [0.4, 0.3, 0.2], "StromaScore": [0.1, 0.1, 0.2]}, {"T": [-0.2, 0, 1]}]
)
def test_scores_are_refused(extra: dict[str, list[object]], tmp_path: Path) -> None:
    with pytest.raises(BadValues, match="no fractions"):
        read(tmp_path / "t.csv", wide(FRACTIONS, **extra))


@pytest.mark.parametrize("header", ["sample,cell_type,fraction", "Patient ID,Population,percent"])
def test_one_row_per_sample_and_type(header: str, tmp_path: Path) -> None:
    factor = 100 if "percent" in header else 1
    lines = [
        f"{s},{t},{FRACTIONS[i, j] * factor:g}"
        for i, s in enumerate(SAMPLES)
        for j, t in enumerate(TYPES)
    ]
    table = read(tmp_path / "t.csv", "\n".join([header, *lines]))
    assert_fractions(table)
    assert "one row per sample and cell type" in codes(table)["composition-read"].message


def test_counts_of_a_long_table_lack_the_types_that_were_not_seen(tmp_path: Path) -> None:
    text = "sample,cluster,n\nP1,B cells,30\nP1,NK cells,70\nP2,B cells,50\nP3,NK cells,9\nP3,B cells,1\n"
    table = read(tmp_path / "t.csv", text, ["B cells", "NK cells"])
    np.testing.assert_allclose(table.shares.loc["NK cells"], [0.7, 0, 0.9])


def test_overlapping_levels_are_said_and_counted_once(tmp_path: Path) -> None:
    header = "sample,T cells,CD4 T cells,CD8 T cells,B cells,Monocytes\n"
    table = read(
        tmp_path / "t.csv", header + "P1,50,30,15,20,30\nP2,60,35,20,10,30\nP3,40,25,10,30,30\n"
    )
    assert dict(table.contained) == {"CD4 T cells": "T cells", "CD8 T cells": "T cells"}
    assert table.unit == "percent"
    np.testing.assert_allclose(table.shares.loc["T cells"], [0.5, 0.6, 0.4])
    found = codes(table)
    assert "overlapping-types" in found
    assert "odd-sums" not in found
    # counts: divided by what is counted once
    table = read(
        tmp_path / "t.csv",
        header + "P1,500,300,150,200,300\nP2,600,350,200,100,300\nP3,4000,2500,1000,3000,3000\n",
    )
    np.testing.assert_allclose(table.shares.loc["T cells"], [0.5, 0.6, 0.4])


def test_types_without_overlap_are_not_said_to_overlap(tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", wide(FRACTIONS))
    assert dict(table.contained) == {}
    assert pair_types(list(table.shares.index), TYPES) == {t: t for t in TYPES}


def test_row_numbers_of_r_in_front(tmp_path: Path) -> None:
    lines = wide(FRACTIONS).splitlines()
    text = "\n".join([f",{lines[0]}", *(f"{k + 1},{line}" for k, line in enumerate(lines[1:]))])
    assert_fractions(read(tmp_path / "t.csv", text))


def test_percent_signs_of_another_column_do_not_divide_fractions(tmp_path: Path) -> None:
    text = wide(FRACTIONS, viability=["95%", "90%", "88%"])
    assert_fractions(read(tmp_path / "t.csv", text))


@pytest.mark.parametrize("cell", ["0.5", "0.15"])
def test_values_with_and_without_a_percent_sign_are_refused(cell: str, tmp_path: Path) -> None:
    text = wide(100 * FRACTIONS, "{:g}%")
    assert f",{100 * float(cell):g}%" in text
    with pytest.raises(BadValues, match="percent"):
        read(tmp_path / "t.csv", text.replace(f",{100 * float(cell):g}%", f",{cell}"))


def test_missing_rows_of_a_long_table_are_said_and_empty_values_stay_empty(tmp_path: Path) -> None:
    lines = ["sample,cell_type,fraction", "P1,B cells,0.2", "P1,NK cells,0.8", "P2,B cells,NA"]
    lines += ["P2,NK cells,0.5", "P2,Monocytes,0.5", "P3,B cells,1"]
    table = read(tmp_path / "t.csv", "\n".join(lines) + "\n")
    assert np.isnan(table.shares.loc["B cells", "P2"])
    assert table.shares.loc["Monocytes", "P1"] == 0
    assert any("3 pairs" in note for note in table.notes)


@pytest.mark.parametrize("end", ["_SD", " (SEM)", ".std"])
def test_spreads_beside_the_types_are_no_types(end: str, tmp_path: Path) -> None:
    more: dict[str, list[object]] = {f"{t}{end}": [0.01, 0.02, 0.01] for t in TYPES}
    table = read(tmp_path / "t.csv", wide(FRACTIONS, **more))
    assert_fractions(table)
    assert set(table.left_out) == set(more)


def test_the_absolute_mode_is_told_by_its_score_where_sums_are_near_one(tmp_path: Path) -> None:
    scale = np.array([[1.1], [1.3], [0.9]])
    more: dict[str, list[object]] = {"Absolute score (sig.score)": [1.1, 1.3, 0.9]}
    assert_fractions(read(tmp_path / "t.csv", wide(FRACTIONS * scale, **more)))


@pytest.mark.parametrize(
    "names",
    [
        [f"{t} (% of CD45+)" for t in TYPES],
        [f"{t} [cells/µL]" for t in TYPES],
        ["B", "CD4T", "NK", "Mono"],
        ["% Bcells", "% TCD4", "% NKcells", "% Monocytes"],
        ["B cells CD19+", "CD3+CD4+ T cells", "CD3-CD56+ NK", "CD14+ Monocytes"],
        ["B lymphocytes", "T helper (CD4)", "Natural killer", "Monocytes"],
    ],
)
def test_names_with_a_parent_a_unit_or_run_together_are_paired(names: list[str]) -> None:
    assert pair_types(names, TYPES) == dict(zip(names, TYPES, strict=True))


def test_other_markers_are_still_other_types() -> None:
    assert pair_types(["CD8T", "CD3+CD8+ T cells"], ["T cells CD4"]) == {}


@pytest.mark.parametrize(("factor", "known"), [(1, 3), (3000, 0)])
def test_a_missing_value_is_said_and_makes_no_sum(factor: int, known: int, tmp_path: Path) -> None:
    """Counts of cells without those of one type say nothing of the fractions of the others."""
    values = FRACTIONS * factor
    values[1, 2] = np.nan
    table = read(tmp_path / "t.csv", wide(values, "{:.6g}"))
    assert table.shares["P2"].notna().sum() == known
    np.testing.assert_allclose(table.shares["P1"], FRACTIONS[0], atol=1e-3)
    (said,) = [
        x.message
        for x in known_composition_findings(table, SAMPLES, TYPES, None)
        if "no value" in x.message
    ]
    assert "NK cells in P2" in said


def sums_said(folder: Path, values: np.ndarray) -> str:
    """What is said of the sums of a table of types without telling names; samples x types."""
    samples = [f"S{i}" for i in range(len(values))]
    header = ",".join(
        [
            "sample",
            *(f"subset {chr(97 + k // 26)}{chr(97 + k % 26)}" for k in range(values.shape[1])),
        ]
    )
    lines = [
        ",".join([s, *map("{:.5g}".format, row)]) for s, row in zip(samples, values, strict=True)
    ]
    path = folder / "known.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    table = read_known_composition(KnownCompositionChoice(path=path), samples, TYPES)
    found = known_composition_findings(table, samples, TYPES, None)
    return " ".join(f"{x.message} {x.advice}" for x in found if x.code in ("odd-sums", "scores"))


SCORES = {
    "64 types, below one": lambda r: r.gamma(0.3, 0.03, (12, 64)) * r.lognormal(0, 0.5, (12, 1)),
    "64 types": lambda r: np.minimum(
        r.gamma(0.3, 0.15, (10, 64)) * r.lognormal(0, 0.4, (10, 1)), 1
    ),
    "15 of the types": lambda r: np.minimum(
        r.gamma(0.8, 0.12, (8, 15)) * r.lognormal(0, 0.5, (8, 1)), 1
    ),
    "8 types that a study took": lambda r: np.minimum(
        r.gamma(1, 0.2, (9, 8)) * r.lognormal(0, 0.4, (9, 1)), 1
    ),
}


@pytest.mark.parametrize("kind", SCORES)
@pytest.mark.parametrize("seed", range(5))
def test_scores_without_telling_names_are_said_to_be_none(
    kind: str, seed: int, tmp_path: Path
) -> None:
    assert "Scores (xCell" in sums_said(tmp_path, SCORES[kind](np.random.default_rng(seed)))


def part_of_a_panel(r: np.random.Generator, types: int) -> np.ndarray:
    """Some of the types of a sample, the rest being debris and others: 20 to 95 % in all."""
    return r.dirichlet(np.ones(types), 12) * r.uniform(0.2, 0.95, (12, 1))


SHARES = {
    "fractions": lambda r: r.dirichlet(np.ones(22), 12),
    "fractions of 64 types": lambda r: r.dirichlet(np.full(64, 0.3), 12),
    "types left out": lambda r: r.dirichlet(np.ones(25), 12)[:, :22],
    "a partial panel": lambda r: part_of_a_panel(r, 6),
    "a partial panel in percent": lambda r: 100 * part_of_a_panel(r, 9),
    "percent": lambda r: 100 * r.dirichlet(np.ones(12), 12),
    "counts": lambda r: r.poisson(r.dirichlet(np.ones(12), 12) * r.lognormal(8, 1, (12, 1))),
    "rounded fractions": lambda r: r.dirichlet(np.ones(8), 12).round(2),
}


@pytest.mark.parametrize("kind", SHARES)
@pytest.mark.parametrize("seed", range(5))
def test_shares_are_never_said_to_be_scores(kind: str, seed: int, tmp_path: Path) -> None:
    assert sums_said(tmp_path, SHARES[kind](np.random.default_rng(seed))) == ""


@pytest.mark.parametrize("kind", ["15 of the types", "8 types that a study took"])
def test_scores_above_one_are_refused_and_never_compared(kind: str, tmp_path: Path) -> None:
    values = SCORES[kind](np.random.default_rng(2))
    samples = [f"S{i}" for i in range(len(values))]
    frame = pd.DataFrame(values, samples, [f"subset {chr(97 + k)}" for k in range(values.shape[1])])
    frame.to_csv(tmp_path / "known.csv", index_label="sample")
    table = read_known_composition(KnownCompositionChoice(path=tmp_path / "known.csv"), samples)
    found = known_composition_findings(table, samples, TYPES, None)
    assert [x.code for x in found if x.severity == "refusal"] == ["scores"]
    with pytest.raises(BadValues, match="same sum in every sample"):
        join_known_composition(table, samples, TYPES, None)
    seen = preview_known_composition(
        KnownCompositionChoice(path=tmp_path / "known.csv"), samples, TYPES
    )
    assert seen.kept is None


def test_scores_of_the_absolute_mode_are_called_what_they_are(tmp_path: Path) -> None:
    more: dict[str, list[object]] = {"Absolute score (sig.score)": [3.1, 5.3, 1.9]}
    scale = np.array([[3.1], [5.3], [1.9]])
    table = read(tmp_path / "t.csv", wide(FRACTIONS * scale, **more))
    said = " ".join(x.message for x in known_composition_findings(table, None, TYPES, None))
    assert "CIBERSORT's absolute mode" in said
    assert "numbers of cells" not in said


@pytest.mark.parametrize("mark", [" ± ", "±", " +/- ", " +- "])
@pytest.mark.parametrize("sign", ["", "%"])
def test_of_a_mean_with_its_spread_the_mean_is_taken(mark: str, sign: str, tmp_path: Path) -> None:
    form = "{:g}" + sign + mark + "0.4" + sign
    table = read(tmp_path / "t.csv", wide(FRACTIONS * 100, form))
    assert_fractions(table)
    assert any("written with ±" in note for note in table.notes)


@pytest.mark.parametrize("name", ["WBC", "Total", "Total cells", "Events"])
@pytest.mark.parametrize("value", [6.1, 0.9, 52000])
def test_a_total_in_another_unit_is_no_type(name: str, value: float, tmp_path: Path) -> None:
    more: dict[str, list[object]] = {name: [value, value * 1.4, value * 0.8]}
    table = read(tmp_path / "t.csv", wide(FRACTIONS * 100, **more))
    assert_fractions(table)
    assert table.left_out == {name: "the sum of the others"}


def test_a_row_of_merged_cells_above_the_header_is_no_header(tmp_path: Path) -> None:
    for above in (",Lymphocytes,,,Myeloid", "Panel,Lymphocytes,Lymphocytes,Lymphocytes,Myeloid"):
        table = read(tmp_path / "t.csv", f"{above}\n{wide(FRACTIONS)}")
        assert_fractions(table)
        assert any("above the names of the columns" in said for said in table.lines_left_out)
    book = openpyxl.Workbook()
    page: Any = book.active
    page.append(["Flow cytometry, % of CD45+"])
    page.append(["", "Lymphocytes", None, None, "Myeloid"])
    page.merge_cells("B2:D2")
    page.append(["Sample", *TYPES])
    for sample, row in zip(SAMPLES, FRACTIONS, strict=True):
        page.append([sample, *(float(v) for v in row)])
    book.save(tmp_path / "t.xlsx")
    choice = KnownCompositionChoice(path=tmp_path / "t.xlsx")
    assert_fractions(read_known_composition(choice, SAMPLES, TYPES))


@pytest.mark.parametrize("title", ["Timepoint", "Visit", "Replicate no"])
def test_several_rows_of_a_sample_are_no_long_table(title: str, tmp_path: Path) -> None:
    """A column of time points repeats as one of cell types does."""
    head = ",".join(["sample", title, *TYPES])
    lines = [
        ",".join([sample, when, *(f"{v:g}" for v in row)])
        for when in ("d0", "d7")
        for sample, row in zip(SAMPLES, FRACTIONS, strict=True)
    ]
    table = read(tmp_path / "t.csv", "\n".join([head, *lines]) + "\n")
    assert set(table.shares.index) == set(TYPES)
    found = codes(table)
    assert "in several rows" in found["samples-not-joined"].message
    one = read(tmp_path / "t.csv", "\n".join([head, *lines[:3]]) + "\n")
    assert_fractions(one)
