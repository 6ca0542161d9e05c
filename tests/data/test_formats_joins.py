"""Clinical tables whose names of samples are spelled as other programs spell them, and codings that
no other test has in a file: joined to the bulk samples, with their times and events.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.data.samples.clinical import ClinicalChoice, ClinicalTable, joined_clinical, read_clinical
from gui.data.samples.clinical_findings import clinical_findings

DAYS = [310, 45, 1204, 812, 77]
DEAD = [1, 0, 1, 0, 1]
PATIENTS = [f"TCGA-A{i}-40{i}0" for i in range(5)]
ALIQUOTS = [f"{p}-01A-11R-A1{i}-07" for i, p in enumerate(PATIENTS)]


def read(folder: Path, names: list[str], samples: list[str], separator: str = ",") -> ClinicalTable:
    """A table of these names, with the same times and events."""
    rows = [["sample", "OS.time", "OS"]]
    rows += [[n, str(d), str(e)] for n, d, e in zip(names, DAYS, DEAD, strict=True)]
    path = folder / "clinical.txt"
    path.write_text("".join(separator.join(row) + "\n" for row in rows))
    return read_clinical(ClinicalChoice(path=path), samples)


NAMES: dict[str, tuple[list[str], list[str]]] = {
    # names of the bulk samples, names in the table
    "R's X in the bulk": ([f"X10{i}.T" for i in range(5)], [f"10{i}-T" for i in range(5)]),
    "R's X in the table": ([f"{i}01_pre" for i in range(5)], [f"X{i}01_pre" for i in range(5)]),
    "R's X before dates": ([f"X2020.0{i}.A" for i in range(5)], [f"2020-0{i}-A" for i in range(5)]),
    "dots for dashes": ([f"PT.0{i}.B" for i in range(5)], [f"PT-0{i}-B" for i in range(5)]),
    "dashes for underscores": ([f"pt-{i}-b" for i in range(5)], [f"PT_{i}_B" for i in range(5)]),
    "patients of aliquots": (ALIQUOTS, PATIENTS),
    "patients of samples": ([f"{p}-01A" for p in PATIENTS], PATIENTS),
    "patients of aliquots through R": ([a.replace("-", ".") for a in ALIQUOTS], PATIENTS),
    "samples of aliquots": (ALIQUOTS, [f"{p}-01A" for p in PATIENTS]),
    "samples without the vial": (ALIQUOTS, [f"{p}-01" for p in PATIENTS]),
    "aliquots of both": (ALIQUOTS, [a.lower() for a in ALIQUOTS]),
    "aliquots of samples": ([f"{p}-01A" for p in PATIENTS], ALIQUOTS),
    "numbers as text": ([f"{i}" for i in range(101, 106)], [f"{i}.0" for i in range(101, 106)]),
}


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize("separator", [",", "\t"])
def test_every_sample_finds_its_row(case: str, separator: str, tmp_path: Path) -> None:
    samples, names = NAMES[case]
    order = [3, 0, 4, 2, 1]
    found = read(tmp_path, names, [samples[i] for i in order], separator)
    kept = joined_clinical(found, [samples[i] for i in order])
    assert list(kept.table.index) == [samples[i] for i in order]
    assert list(kept.table[kept.time]) == [DAYS[i] for i in order]
    assert list(kept.table[kept.event]) == [DEAD[i] for i in order]


@pytest.mark.parametrize("normal", ["11A", "10B"])
def test_tumour_and_normal_of_one_patient(normal: str, tmp_path: Path) -> None:
    samples = [*ALIQUOTS, f"{PATIENTS[0]}-{normal}-11R-A1-07"]
    found = read(tmp_path, PATIENTS, samples)
    kept = joined_clinical(found, samples)
    assert list(kept.table[kept.time].dropna()) == DAYS
    said = {x.code: x.message for x in clinical_findings(found, samples)}
    assert samples[-1] in said["normal-tissue"]


@pytest.mark.parametrize("again", [False, True])
def test_a_patient_in_two_rows_is_read_once_or_not_joined(again: bool, tmp_path: Path) -> None:
    names = [f"P{i}" for i in range(5)]
    path = tmp_path / "c.csv"
    rows = [f"{n},{d},{e}" for n, d, e in zip(names, DAYS, DEAD, strict=True)]
    more = rows[2] if again else "P2,9,0"
    path.write_text("\n".join(["id,OS.time,OS", *rows, more]) + "\n")
    found = read_clinical(ClinicalChoice(path=path), names)
    kept = joined_clinical(found, names)
    said = {x.code: x.message for x in clinical_findings(found, names)}
    assert ("ambiguous-join" in said) is not again
    assert again or "2 rows are called P2. It is not joined." in said["ambiguous-join"]
    wanted = DAYS if again else [*DAYS[:2], *DAYS[3:]]
    assert list(kept.table[kept.time].dropna()) == wanted


def coded(folder: Path, header: str, rows: list[str]) -> tuple[ClinicalTable, list[float]]:
    path = folder / "c.tsv"
    path.write_text("\n".join([header, *rows]).replace(",", "\t") + "\n")
    samples = [f"K{i}" for i in range(5)]
    found = read_clinical(ClinicalChoice(path=path), samples)
    kept = joined_clinical(found, samples)
    return found, list(kept.table[kept.time])


@pytest.mark.parametrize(
    ("title", "event", "rest"),
    [
        ("alive", "no", "yes"),
        ("Alive", "N", "Y"),
        ("Patient alive", "No", "Yes"),
        ("is_alive", "FALSE", "TRUE"),
        ("status", "2", "1"),
        ("death.status", "2", "1"),
        ("Censored", "0", "1"),
        ("censored", "no", "yes"),
        ("CNSR", "0", "1"),
    ],
)
def test_codings_are_proposed_and_asked(title: str, event: str, rest: str, tmp_path: Path) -> None:
    rows = [
        f"K{i},{d},{event if e else rest}" for i, (d, e) in enumerate(zip(DAYS, DEAD, strict=True))
    ]
    found, times = coded(tmp_path, f"id,os_days,{title}", rows)
    assert times == DAYS
    assert (found.event_column, found.event_value) == (title, event)
    assert not found.coding.certain
    said = {x.code: x.message for x in clinical_findings(found, [f"K{i}" for i in range(5)])}
    assert "event-value" in said


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("OS_DAYS", "days"),
        ("Overall survival (days)", "days"),
        ("os_weeks", "weeks"),
        ("Survival [weeks]", "weeks"),
        ("OS_MONTHS", "months"),
        ("OS (mo)", "months"),
        ("os_years", "years"),
        ("Overall Survival (Years)", "years"),
        ("survival_yr", "years"),
    ],
)
def test_units_of_the_times(title: str, unit: str, tmp_path: Path) -> None:
    rows = [f"K{i},{d / 8},{e}" for i, (d, e) in enumerate(zip(DAYS, DEAD, strict=True))]
    found, times = coded(tmp_path, f"id,{title},dead", rows)
    assert (found.time_column, found.unit) == (title, unit)
    assert times == [d / 8 for d in DAYS]


@pytest.mark.parametrize("missing", ["[Not Available]", "[Not Applicable]", "[Unknown]", "'--"])
def test_tcgas_words_for_what_is_missing(missing: str, tmp_path: Path) -> None:
    header = "bcr_patient_barcode,vital_status,days_to_death,days_to_last_followup,age"
    rows = [
        f"K{i},{'Dead' if e else 'Alive'},{d if e else missing},{missing if e else d},{missing}"
        for i, (d, e) in enumerate(zip(DAYS, DEAD, strict=True))
    ]
    found, times = coded(tmp_path, header, rows)
    assert times == DAYS
    assert (found.event_column, found.event_value) == ("vital_status", "Dead")
    assert found.frame["age"].isna().all()
