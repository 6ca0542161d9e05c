"""Clinical tables with several rows per patient, dates, bounds, or inside a series matrix of GEO."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.data.samples.clinical import ClinicalChoice, joined_clinical, read_clinical
from gui.data.samples.clinical_findings import examine_clinical
from gui.data.samples.joining import join
from gui.data.validation.findings import outcome

SAMPLES = ["K1", "K2", "K3", "K4"]


def test_rows_of_treatments_are_put_together(tmp_path: Path) -> None:
    """GDC's clinical.tsv has a row for each treatment of a patient."""
    rows = ["case_id\tcase_submitter_id\tdays_to_death\tdays_to_last_follow_up\tvital_status\tdrug"]
    for i, name in enumerate(SAMPLES):
        for drug in ("A", "B"):
            dead = i % 2
            rows.append(
                f"u{i}\t{name}\t{100 + i if dead else chr(39) + '--'}"
                f"\t{chr(39) + '--' if dead else 200 + i}\t{'Dead' if dead else 'Alive'}\t{drug}"
            )
    path = tmp_path / "clinical.tsv"
    path.write_text("\n".join(rows) + "\n")
    read = read_clinical(ClinicalChoice(path=path), SAMPLES)
    assert read.sample_column == "case_submitter_id"
    table = joined_clinical(read, SAMPLES)
    assert list(table.table[table.time]) == [
        (100 + i) if i % 2 else (200 + i) for i in range(len(SAMPLES))
    ]
    assert any("drug" in note for note in read.notes)


def test_follow_ups_of_a_patient_give_the_latest_and_the_death(tmp_path: Path) -> None:
    rows = ["case_submitter_id,days_to_follow_up,days_to_death,vital_status"]
    for i, name in enumerate(SAMPLES):
        rows += [f"{name},{50 + i},,", f"{name},{90 + i},,Alive"]
        rows += [f"{name},,{120 + i},Dead"] if i == 1 else []
    path = tmp_path / "follow_up.csv"
    path.write_text("\n".join(rows) + "\n")
    table = joined_clinical(read_clinical(ClinicalChoice(path=path), SAMPLES), SAMPLES)
    assert list(table.table[table.time]) == [121 if i == 1 else 90 + i for i in range(len(SAMPLES))]
    assert (table.event, table.event_value) == ("vital_status", "Dead")


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    rows = ["id,OS.time,OS"] + [f"{n},{t},1" for n in SAMPLES for t in (100, 200)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(rows) + "\n")
    found = examine_clinical(path, samples=SAMPLES)
    assert outcome(found) == "refuse"
    assert "contradict" in found[0].message


def test_of_several_endpoints_overall_survival_is_taken(tmp_path: Path) -> None:
    rows = ["USUBJID,PARAMCD,AVAL,CNSR"]
    rows += [f"{n},{p},{t},0" for n in SAMPLES for p, t in (("PFS", 50), ("OS", 150))]
    path = tmp_path / "adtte.csv"
    path.write_text("\n".join(rows) + "\n")
    table = joined_clinical(read_clinical(ClinicalChoice(path=path), SAMPLES), SAMPLES)
    assert set(table.table[table.time]) == {150}


@pytest.mark.parametrize("bound", ["<1", "> 60", "≥60"])
def test_a_bound_among_times_is_taken_and_said(bound: str, tmp_path: Path) -> None:
    rows = ["id,OS_MONTHS,OS"] + [
        f"{n},{bound if i == 1 else 10 + i},{i % 2}" for i, n in enumerate(SAMPLES)
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    read = read_clinical(ClinicalChoice(path=path), SAMPLES)
    assert read.time_column == "OS_MONTHS"
    assert read.frame["OS_MONTHS"][1] == float(bound.strip("<>≥ "))
    assert any("bounds" in note for note in read.notes)


def test_excels_numbers_of_days_are_dates_and_no_times(tmp_path: Path) -> None:
    rows = ["id,date_of_surgery,date_last_followup,dead"]
    rows += [f"{n},{42000 + i},{42100 + 3 * i},{i % 2}" for i, n in enumerate(SAMPLES)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(rows) + "\n")
    read = read_clinical(ClinicalChoice(path=path), SAMPLES)
    assert read.time_column == ""
    computed = read.frame["days from date_of_surgery to date_last_followup"]
    assert list(computed) == [100 + 2 * i for i in range(len(SAMPLES))]


def test_the_day_of_a_date_is_told_by_the_other_dates_or_asked(tmp_path: Path) -> None:
    def read(first: list[str]) -> list[str]:
        path = tmp_path / "t.csv"
        rows = ["id,diagnosis,last follow-up,dead"]
        rows += [f"{n},{first[i]},0{i + 1}/03/2018,1" for i, n in enumerate(SAMPLES)]
        path.write_text("\n".join(rows) + "\n")
        found = examine_clinical(path, samples=SAMPLES)
        return [x.message + x.advice for x in found if x.code == "times-from-dates"]

    (told,) = read([f"{14 + i}/11/2015" for i in range(len(SAMPLES))])
    assert "days from diagnosis to last follow-up" in told
    (asked,) = read([f"0{1 + i}/11/2015" for i in range(len(SAMPLES))])
    assert "cannot be told" in asked


def test_the_characteristics_of_a_series_matrix_are_a_clinical_table(tmp_path: Path) -> None:
    def line(what: str, values: list[str]) -> str:
        return f"!Sample_{what}\t" + "\t".join(f'"{v}"' for v in values)

    lines = ['!Series_title\t"x"', line("geo_accession", SAMPLES)]
    lines += [line("characteristics_ch1", [f"os days: {100 + i}" for i in range(len(SAMPLES))])]
    lines += [line("characteristics_ch1", [f"death: {i % 2}" for i in range(len(SAMPLES))])]
    path = tmp_path / "GSE1_series_matrix.txt"
    path.write_text("\n".join([*lines, "!series_matrix_table_begin", '"ID_REF"', ""]))
    read = read_clinical(ClinicalChoice(path=path), SAMPLES)
    assert (read.time_column, read.event_column) == ("os days", "death")
    assert read.unit == "days"


@pytest.mark.parametrize(("sample", "row"), [("PT01", "PT-01"), ("pt 1a", "PT1-A")])
def test_marks_between_letters_and_numbers_are_no_difference(sample: str, row: str) -> None:
    assert join([sample, "other"], ["x", row]).rows == {sample: 1}


def test_numbers_with_marks_are_not_run_together() -> None:
    assert not join(["1-12"], ["11-2", "112"]).rows


DAYS = [300, 800, 12, 500]


def test_times_of_icgc_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "donor.tsv"
    header = (
        "icgc_donor_id\tdonor_vital_status\tdonor_survival_time\tdonor_interval_of_last_followup"
    )
    rows = [
        f"{s}\tdeceased\t{d}\t" if i % 2 else f"{s}\talive\t\t{d}"
        for i, (s, d) in enumerate(zip(SAMPLES, DAYS, strict=True))
    ]
    path.write_text("\n".join([header, *rows]) + "\n")
    table = read_clinical(ClinicalChoice(path=path), SAMPLES)
    assert table.frame[table.time_column].tolist() == DAYS
    assert (table.event_column, table.event_value) == ("donor_vital_status", "deceased")


@pytest.mark.parametrize(
    ("header", "yes", "no", "unit"),
    [
        ("Patient;Überlebenszeit (Monate);Status", "verstorben", "lebend", "months"),
        ("Patient;Survie (jours);Statut", "décédé", "vivant", "days"),
        ("id;Followup (mo);Deceased?", "Yes", "No", "months"),
        ("id;duration_days;observed", "1", "0", "days"),
        ("id;Follow-up (yrs);Befund", "DOD", "NED", "years"),
        ("id;Overall survival, weeks;Death (1) or Alive (0)", "1", "0", "weeks"),
    ],
)
def test_names_of_times_and_events_in_other_words(
    header: str, yes: str, no: str, unit: str, tmp_path: Path
) -> None:
    rows = [
        f"{s};{d},5;{yes if i % 2 else no}"
        for i, (s, d) in enumerate(zip(SAMPLES, DAYS, strict=True))
    ]
    path = tmp_path / "clinical.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    table = read_clinical(ClinicalChoice(path=path), SAMPLES)
    _, time, event = header.split(";")
    assert (table.time_column, table.event_column) == (time, event)
    assert (table.event_value, table.unit) == (yes, unit)


def test_a_column_of_other_words_is_no_event(tmp_path: Path) -> None:
    path = tmp_path / "clinical.csv"
    path.write_text("id,time,smoker,grade\nK1,5,yes,I\nK2,6,no,II\nK3,7,no,I\nK4,8,yes,II\n")
    assert read_clinical(ClinicalChoice(path=path), SAMPLES).event_column == ""


@pytest.mark.parametrize("vial", ["01", "01A", "06B"])
def test_barcodes_with_and_without_the_vial_are_of_one_sample(vial: str) -> None:
    """Xena's clinical matrix ends barcodes at the kind of sample, GDC's bulk goes on."""
    samples = [f"TCGA-A{i}-40{i}0-{vial[:2]}{vial[2:] or 'A'}-11R-A1-07" for i in range(3)]
    rows = [f"TCGA-A{i}-40{i}0-{vial[:2]}" for i in range(3)]
    assert join(samples, rows).rows == dict(zip(samples, range(3), strict=True))
    other = [row[:-2] + "11" for row in rows]
    assert not join(samples, other).rows


@pytest.mark.parametrize("corner", ['"id" ', ""])
def test_a_table_separated_by_blanks_as_r_writes_it(corner: str, tmp_path: Path) -> None:
    path = tmp_path / "ovarian.txt"
    rows = [f'"{s}" {d} {i % 2}' for i, (s, d) in enumerate(zip(SAMPLES, DAYS, strict=True))]
    path.write_text("\n".join([f'{corner}"futime" "fustat"', *rows]) + "\n")
    table = read_clinical(ClinicalChoice(path=path), SAMPLES)
    assert (table.time_column, table.event_column) == ("futime", "fustat")
    assert table.join is not None
    assert len(table.join.rows) == 4


def test_names_of_several_words_are_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("old names\nT cells\nB cells\n")
    assert [x.severity for x in examine_clinical(path, "names.txt", samples=["B cells"])] == [
        "refusal"
    ]
