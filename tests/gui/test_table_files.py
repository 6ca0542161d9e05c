"""Tidy tables, the workbook of a composition, and the code that reads them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gui.components.composition_content import (
    Chosen,
    Composition,
    composition_file,
    composition_frame,
    composition_table,
)
from gui.components.composition_files import COLUMNS, tidy_about, tidy_frame, workbook
from gui.components.table_files import TableFile, copied_text, menu_entries, table_file
from gui.data.export import workbook_bytes
from gui.data.reading_code import python_code, r_code

FRAME = pd.DataFrame(
    {"s1": [0.5, 0.2, 0.1], "=s2": [0.3, 0.3, 0.6]}, index=["B cells", "T cells", "hidden"]
)
LOW, HIGH = FRAME.iloc[:2] - 0.05, FRAME.iloc[:2] + 0.1
FOUND = Composition(
    FRAME,
    truth=pd.DataFrame(
        {"s1": [0.4, 0.2, 0.3, 0.1], "=s2": [0.25] * 4}, index=["B cells", "T cells", "Mono", "NK"]
    ),
    groups=pd.DataFrame({"arm": ["a", "b"], "fraction": [1, 2]}, index=["s1", "=s2"]),
    interval=pd.DataFrame({"low": [0.0, 0.1], "high": [0.2, 0.7]}, index=["s1", "=s2"]),
    ends=(LOW, HIGH),
)


@pytest.mark.parametrize("normalise", [False, True])
def test_a_tidy_table_has_a_row_per_sample_and_type_with_interval_and_unit(normalise: bool) -> None:
    tidy = tidy_frame(FOUND, Chosen(normalise=normalise))
    assert len(tidy) == FRAME.size
    total = FRAME.sum() if normalise else pd.Series(1.0, index=FRAME.columns)
    for (sample, row), kind in zip(tidy.iterrows(), list(FRAME.index) * 2, strict=True):
        assert row["cell_type"] == kind
        assert row["fraction"] == pytest.approx(FRAME.at[kind, sample] / total[sample])
        if kind == "hidden":
            assert np.isnan(row["low"])
            assert row["interval"] == ""
            low = FOUND.interval.at[sample, "low"]  # type: ignore[union-attr]
            assert row["equal_fit_low"] == pytest.approx(low / total[sample])
        else:
            assert row["high"] == pytest.approx(HIGH.at[kind, sample] / total[sample])
            assert row["interval"] == "95 % interval"
            assert np.isnan(row["equal_fit_high"])
    # what the reference lacks is hidden, as in the figures
    assert list(tidy["known"]) == pytest.approx([0.4, 0.2, 0.4, 0.25, 0.25, 0.5])
    word = "of the estimated total" if normalise else "as estimated"
    assert all(word in text and "1 is 100 %" in text for text in tidy["unit"])
    # columns of the samples follow, none takes the place of another
    assert list(tidy["arm"]) == ["a"] * 3 + ["b"] * 3
    assert list(tidy["fraction (of the sample)"]) == [1] * 3 + [2] * 3


def test_a_column_of_the_samples_is_never_taken_for_one_of_the_table() -> None:
    groups = pd.DataFrame({"low": ["x", "y"], "known": [1, 2]}, index=FRAME.columns)
    found = Composition(FRAME, groups=groups)
    assert {"low (of the sample)", "known (of the sample)"} <= set(tidy_frame(found, Chosen()))
    sheet = workbook(found, Chosen())["What the numbers are"].loc["Tidy"].set_index("Column")
    assert sheet.at["low (of the sample)", "What it is"] == "Column of the samples, as loaded."


def test_a_composition_of_cells_says_so_in_its_unit() -> None:
    found = Composition(FRAME, quantity="Cell fraction (%)<br>converted", note="By X.")
    assert set(tidy_frame(found, Chosen())["unit"]) == {"Cell fraction, converted, 1 is 100 %"}
    assert tidy_about(found, False).endswith("By X.")
    assert "low" not in tidy_frame(found, Chosen())


def test_the_workbook_holds_wide_and_tidy_and_says_what_every_column_is() -> None:
    sheets = workbook(FOUND, Chosen())
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(sheets, about="About.")))
    assert book.sheetnames == ["Composition", "Tidy", "What the numbers are", "About"]
    said = {(row[0].value, row[1].value): row[2].value for row in book["What the numbers are"]}
    for name in ("Composition", "Tidy"):
        for cell in book[name][1]:
            assert said[(name, cell.value)]
    assert "RNA fraction" in said[("Composition", "B cells")]
    assert "no cell type" in said[("Composition", "hidden")]
    assert set(sheets["Tidy"].columns) - {"arm", "fraction (of the sample)"} <= set(COLUMNS)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert not str(cell.value).startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("normalise", [False, True])
def test_the_table_has_the_ends_of_intervals_on_demand(normalise: bool) -> None:
    plain = composition_frame(FOUND, Chosen("table", normalise=normalise))
    assert not [name for name in plain.columns if "low" in str(name)]
    chosen = Chosen("table", normalise=normalise, intervals=True)
    shown = composition_frame(FOUND, chosen)
    assert list(shown.columns) == [
        *("B cells", "B cells, low", "B cells, high"),
        *("T cells", "T cells, low", "T cells, high"),
        *("hidden", "arm", "fraction"),  # there is no interval of the hidden background
    ]
    pd.testing.assert_frame_equal(shown[plain.columns], plain)
    total = FRAME.sum() if normalise else pd.Series(1.0, index=FRAME.columns)
    for sample in FRAME.columns:
        assert shown.at[sample, "T cells, low"] == pytest.approx(
            100 * LOW.at["T cells", sample] / total[sample]
        )
        assert shown.at[sample, "B cells, high"] == pytest.approx(
            100 * HIGH.at["B cells", sample] / total[sample]
        )
    view = composition_table(FOUND, chosen)
    assert [c["headerName"] for c in view.columns] == ["Sample", *shown.columns]
    about = composition_file("x", FOUND, chosen).about
    assert "ends of the 95 % interval" in about
    assert "ends" not in composition_file("x", FOUND, Chosen("table")).about
    said = workbook(FOUND, chosen)["What the numbers are"].loc["Composition"].set_index("Column")
    assert said.at["B cells, low", "What it is"] == "The lower end of its 95 % interval."
    assert set(workbook(FOUND, chosen)["Composition"].columns) <= set(said.index)


def test_intervals_are_found_where_a_sample_is_a_number_here_and_a_text_there() -> None:
    frame = FRAME.set_axis([7, 8], axis=1)
    ends = (LOW.set_axis(["7", "8"], axis=1), HIGH.set_axis(["7", "8"], axis=1))
    shown = composition_frame(Composition(frame, ends=ends), Chosen("table", intervals=True))
    assert list(shown["B cells, low"]) == pytest.approx([45, 25])
    tidy = tidy_frame(Composition(frame, ends=ends), Chosen())
    assert tidy["high"].notna().sum() == 4


def test_without_intervals_the_table_stays_as_it_is() -> None:
    found = Composition(FRAME)
    for intervals in (False, True):
        shown = composition_frame(found, Chosen("table", intervals=intervals))
        assert list(shown.columns) == list(FRAME.index)


def _file() -> TableFile:
    chosen = Chosen()
    return composition_file("dtd_composition_bulk", FOUND, chosen)._replace(
        tidy=tidy_frame(FOUND, chosen),
        tidy_about=tidy_about(FOUND, False),
        book=lambda: workbook(FOUND, chosen),
    )


def test_every_entry_of_the_menu_gives_a_file_of_its_kind_that_pandas_reads() -> None:
    seen = set()
    for part in menu_entries(engine=True, tidy=True):
        if part in ("copy", "code"):
            continue
        name, data, kind = table_file(_file(), part, None)
        seen.add((name, kind.suffixes[0]))
        if kind.suffixes == (".xlsx",):
            read = pd.read_excel(io.BytesIO(data))
        else:
            between = {"tsv": "\t", "csv2": ";"}.get(part.rpartition("_")[2], ",")
            read = pd.read_csv(
                io.BytesIO(data),
                sep=between,
                skiprows=1,
                decimal="," if part == "csv2" else ".",
            )
        assert len(read) == (6 if "tidy" in part else 3 if "engine" in part else 2)
        assert pd.api.types.is_numeric_dtype(read.iloc[:, 2])
    assert len(seen) == 9  # of 10: both kinds of CSV have one name


def test_what_is_copied_is_what_is_on_screen_and_no_formula() -> None:
    text = copied_text(_file(), {"rows": [1], "columns": None})
    lines = text.splitlines()
    assert len(lines) == 2
    assert lines[0].split("\t")[:2] == ["Sample", "B cells"]
    assert lines[1].startswith("'=s2\t30")


def test_the_python_code_reads_the_saved_files(tmp_path: Path) -> None:
    found = _file()
    for part in ("csv", "tidy_csv", "xlsx"):
        name, data, kind = table_file(found, part, None)
        (tmp_path / f"{name}{kind.suffixes[0]}").write_bytes(data)
    code = python_code(found.name, tidy=True, about=True)
    before, read = os.getcwd(), {}
    os.chdir(tmp_path)
    try:
        exec(code, read)
        excel = next(line for line in code.splitlines() if "read_excel" in line)
        read["excel"] = eval(excel.partition(": ")[2], read)  # noqa: S307
    finally:
        os.chdir(before)
    assert list(read["table"]["B cells"]) == [50.0, 30.0]
    assert list(read["excel"]["B cells"]) == [50.0, 30.0]
    assert read["wide"].at["s1", "T cells"] == pytest.approx(0.2)
    text = r_code('a "b"', tidy=True, about=True)
    assert r'read.csv("a \"b\".csv", skip = 1' in text
    assert "skip" not in r_code("a", tidy=False, about=False)
