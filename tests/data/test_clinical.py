"""Clinical tables are read as people write them, and joined to the samples without guessing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.data.readers.text_table import read_text_table
from gui.data.samples.clinical import ClinicalChoice, load_clinical, read_clinical
from gui.data.samples.clinical_findings import clinical_findings, examine_clinical
from gui.data.samples.clinical_values import typed
from gui.data.samples.joining import join, plain
from gui.data.samples.survival_columns import event_value, unit_in
from gui.errors import DataError, MissingPart

SAMPLES = ["TCGA-BR-6455-01A", "TCGA-BR-7196-01A", "TCGA-BR-8371-11A"]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_names_are_joined_by_the_surest_way_first() -> None:
    found = join(["A-1", "A.2", "7"], ["A-1", "a_2", "7.0"])
    assert dict(found.rows) == {"A-1": 0, "A.2": 1, "7": 2}
    assert dict(found.ways) == {"exact": 1, "number": 1, "spelling": 1}
    assert (found.missing, found.unused, dict(found.ambiguous)) == ((), (), {})


def test_long_barcodes_are_joined_by_their_beginning_only_at_a_border() -> None:
    found = join(SAMPLES, ["TCGA-BR-6455", "TCGA-BR-71", "TCGA-BR-8371"])
    assert dict(found.rows) == {SAMPLES[0]: 0, SAMPLES[2]: 2}
    assert found.missing == (SAMPLES[1],)
    assert found.unused == (1,)
    assert dict(found.ways) == {"prefix": 2}


def test_what_fits_several_rows_is_said_and_not_joined() -> None:
    found = join(["P.1", "TCGA-BR-6455"], ["P-1", "p_1", "TCGA-BR-6455-01", "TCGA-BR-6455-11"])
    assert dict(found.rows) == {}
    assert dict(found.ambiguous) == {"P.1": (0, 1), "TCGA-BR-6455": (2, 3)}
    shared = join(["TCGA-BR-6455-01", "TCGA-BR-6455-11"], ["TCGA-BR-6455"])
    assert shared.shared == (0,)


@pytest.mark.parametrize(
    ("samples", "names"),
    [
        (["IMM_Pat007_PBMC", "IMM_Pat012_PBMC"], ["Pat. 12", "pat 7"]),
        (["S1_123-BL", "S2_113-BL", "S3_152-BL"], ["113", "152", "123"]),
        (["P1", "P2", "P3"], ["Study A P02 (m)", "Study A P03 (f)", "Study A P01 (f)"]),
    ],
)
def test_a_patient_is_found_as_the_same_section_of_all_names(
    samples: list[str], names: list[str]
) -> None:
    def numbers(text: str) -> set[str]:
        return {part.lstrip("0") for part in re.findall(r"\d+", text)}

    found = join(samples, names)
    assert dict(found.ways) == {"section": len(samples)}
    assert all(numbers(s) & numbers(names[row]) for s, row in found.rows.items())
    assert sorted(found.rows.values()) == list(range(len(samples)))


@pytest.mark.parametrize(
    ("samples", "names"),
    [
        (["S1_30-BL", "S2_14-BL", "S3_2-BL"], ["14", "2", "1"]),  # the patient, or the run?
        (["S7_PBMC", "S8_PBMC"], ["Patient 7", "Patient 8"]),  # another word before the number
        (["A_01_x", "A_02_x"], ["1", "2"]),  # may only count the rows
        (["A_01_x", "A_02_x"], ["2", "02"]),  # two rows of one name
        (["A_61_x", "A_02_x", "A_03_x", "A_04_x"], ["61", "35"]),  # an age, perhaps
    ],
)
def test_what_may_be_another_number_is_not_taken_for_a_patient(
    samples: list[str], names: list[str]
) -> None:
    assert "section" not in join(samples, names).ways


def test_the_column_of_patients_is_found_beside_a_number_of_the_row_and_said(
    tmp_path: Path,
) -> None:
    table = "No,Patient,Responder\n9,Pat. 7,yes\n7,Pat. 12,no\n12,Pat. 9,no\n"
    path = written(tmp_path / "c.csv", table)
    samples = ["X_Pat007_PBMC", "X_Pat009_PBMC", "X_Pat012_PBMC"]
    read = read_clinical(ClinicalChoice(path=path), samples)
    assert read.sample_column == "Patient"
    assert list(load_clinical(ClinicalChoice(path=path), samples).table["Responder"]) == [
        "yes",
        "no",
        "no",
    ]
    (said,) = [
        one for one in clinical_findings(read, samples) if one.code == "samples-joined-by-help"
    ]
    assert "(X_Pat007_PBMC is Pat. 7)" in said.message


@given(
    names=st.lists(st.text("ab1.-_ ", min_size=1, max_size=5), min_size=1, max_size=6),
    samples=st.lists(st.text("AB1.-_ ", min_size=1, max_size=5), max_size=6, unique=True),
)
def test_every_sample_is_joined_ambiguous_or_missing_and_never_two_of_them(
    names: list[str], samples: list[str]
) -> None:
    found = join(samples, names)
    assert sorted([*found.rows, *found.ambiguous, *found.missing]) == sorted(samples)
    assert all(0 <= row < len(names) for row in found.rows.values())
    assert set(found.unused).isdisjoint(found.rows.values())


def test_numbers_as_text_decimal_commas_and_spellings_of_missing_values_are_read(
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path / "c.csv", "id;a;b;c;d\nP1;1,5;NA;x;1\nP2;2;3;[Not Available];unknown\n"
    )
    frame, commas = typed(read_text_table(path, "c.csv")[0])
    assert commas == ("a",)
    assert frame["a"].tolist() == [1.5, 2.0]
    np.testing.assert_array_equal(frame["b"].to_numpy(), [np.nan, 3.0])
    assert frame["c"].tolist() == ["x", None]
    np.testing.assert_array_equal(frame["d"].to_numpy(), [1.0, np.nan])


def test_columns_of_the_real_tables_are_proposed(shared_data: Path) -> None:
    folder = shared_data / "clinical_only"
    found = read_clinical(ClinicalChoice(path=folder / "imvigor210_348.csv"))
    assert (
        found.sample_column,
        found.time_column,
        found.event_column,
        found.event_value,
        found.unit,
    ) == ("ID", "OS_days", "OS_status", "1", "days")
    assert found.frame["Mutation_Load"].dtype == np.float64
    found = read_clinical(ClinicalChoice(path=folder / "tcga_stad_350.csv"))
    assert (found.sample_column, found.time_column, found.event_column, found.unit) == (
        "ID",
        "time",
        "OS_status",
        None,
    )
    found = read_clinical(
        ClinicalChoice(path=shared_data / "awkward_files" / "clinical_control.csv")
    )
    assert (found.time_column, found.event_column) == ("OS.time", "OS")


def test_event_values_and_units_are_told_or_left_open() -> None:
    assert event_value(pd.Series([0.0, 1.0])) == "1"
    assert event_value(pd.Series([1.0, 2.0])) == "2"
    assert event_value(pd.Series(["Alive", "Dead"])) == "Dead"
    assert event_value(pd.Series(["A", "B"])) == ""
    assert unit_in("OS_days") == "days"
    assert unit_in("time (months)") == "months"
    assert unit_in("OS.time") is None
    assert unit_in("holidays") is None


def test_times_that_cannot_be_used_are_named_and_zero_is_said_to_be_kept(tmp_path: Path) -> None:
    text = "id,OS_months,OS\nA,-1,1\nB,,0\nC,0,1\nD,5,0\n"
    found = {
        f.code: f
        for f in examine_clinical(written(tmp_path / "c.csv", text), samples=["A", "B", "C", "D"])
    }
    assert found["negative-time"].place.columns == ("A",)
    assert found["missing-time"].place.columns == ("B",)
    assert found["zero-time"].place.columns == ("C",)
    assert "kept" in found["zero-time"].advice
    assert "time-unit" not in found
    clean = "id,OS_months,OS\n" + "".join(f"{s},{i + 1},{i % 2}\n" for i, s in enumerate("ABCD"))
    assert [
        f
        for f in examine_clinical(written(tmp_path / "d.csv", clean), samples=list("ABCD"))
        if f.severity != "info"
    ] == []


def test_a_loaded_table_has_one_row_per_sample_in_the_order_of_the_bulk(tmp_path: Path) -> None:
    path = written(tmp_path / "c.csv", "patient,OS.time,OS\nP-2,20,0\nP-1,10,1\n")
    got = load_clinical(ClinicalChoice(path=path, unit="days"), ["P.1", "P.2", "P.3"])
    assert list(got.table.index) == ["P.1", "P.2", "P.3"]
    np.testing.assert_array_equal(got.table["OS.time"].to_numpy(), [10, 20, np.nan])
    assert (got.time, got.event, got.event_value, got.unit) == ("OS.time", "OS", "1", "days")
    with pytest.raises(MissingPart, match="None of the 1 samples"):
        load_clinical(ClinicalChoice(path=path), ["Z9"])
    with pytest.raises(MissingPart, match="no column nothing"):
        load_clinical(ClinicalChoice(path=path, time_column="nothing"), ["P.1"])


@pytest.mark.parametrize(
    "content", ["", "\n\n", "a\n", "a,b\n1,2\n1,2,3\n", "\x89HDF\r\n", "a,a\n1,2\n"]
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(content.encode("latin-1"))
    found = examine_clinical(path)
    assert [f.severity for f in found] == ["refusal"]
    with pytest.raises(DataError):
        read_clinical(ClinicalChoice(path=path))


def test_plain_names_know_no_case_and_one_separator() -> None:
    assert plain(" TCGA.br_6455 ") == plain("tcga-BR-6455")
