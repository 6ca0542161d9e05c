"""Clinical tables as registries, portals and trials write them, with their own ways to say who died."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gui.data.samples.clinical import ClinicalChoice, ClinicalTable, read_clinical
from gui.data.samples.clinical_findings import clinical_findings
from gui.data.samples.clinical_values import typed
from gui.data.samples.dates import dates_of
from gui.data.samples.joining import join
from gui.data.samples.survival_columns import COMBINED, event_coding, propose_time
from gui.data.validation.findings import Finding

SAMPLES = ["K1", "K2", "K3", "K4"]


def read(path: Path, text: str, samples: list[str] = SAMPLES, **choice: str) -> ClinicalTable:
    path.write_text(text, encoding="utf-8")
    return read_clinical(ClinicalChoice(path=path, **choice), samples)


def codes(table: ClinicalTable, samples: list[str] = SAMPLES) -> dict[str, Finding]:
    return {finding.code: finding for finding in clinical_findings(table, samples)}


GDC = "case_submitter_id\tproject\tvital_status\tdays_to_death\tdays_to_last_follow_up\n"


@pytest.mark.parametrize("missing", ["'--", "--", "[Not Available]", "", "Not Reported"])
def test_death_and_last_follow_up_are_put_together(missing: str, tmp_path: Path) -> None:
    table = read(
        tmp_path / "clinical.tsv",
        GDC
        + f"K1\tA\tDead\t300\t120\nK2\tA\tAlive\t{missing}\t800\nK3\tA\tDead\t12\t{missing}\n"
        + f"K4\tA\tAlive\t{missing}\t{missing}\n",
    )
    assert (table.time_column, table.event_column, table.event_value, table.unit) == (
        *(COMBINED, "vital_status", "Dead"),
        "days",
    )
    np.testing.assert_array_equal(table.frame[COMBINED], [300, 800, 12, np.nan])
    found = codes(table)
    assert {"times-combined", "event-value", "time-missing"} <= set(found) | {"time-missing"}
    assert "2 of 4 rows" in found["note"].message
    assert "1 has no time" in found["note"].message


def test_names_of_a_gdc_export_with_their_tables_and_without_a_vital_status(tmp_path: Path) -> None:
    table = read(
        tmp_path / "c.tsv",
        "cases.submitter_id\tdemographic.days_to_death\tdiagnoses.days_to_last_follow_up\n"
        "K1\t300\t'--\nK2\t'--\t800\nK3\t12\t'--\nK4\t'--\t5\n",
    )
    assert table.time_column == COMBINED
    np.testing.assert_array_equal(table.frame[COMBINED], [300, 800, 12, 5])


def test_a_time_that_the_file_has_itself_is_preferred(tmp_path: Path) -> None:
    table = read(
        tmp_path / "c.csv",
        "id,OS.time,OS,days_to_death,days_to_last_followup\nK1,9,1,9,\nK2,8,0,,8\nK3,7,1,7,\n",
    )
    assert (table.time_column, table.event_column) == ("OS.time", "OS")
    assert "times-combined" not in codes(table)


PORTAL = (
    "#Patient Identifier\tStatus\tMonths\n#Identifier\tStatus.\tMonths.\n#STRING\tSTRING\tNUMBER\n"
    "#1\t1\t1\n"
)


@pytest.mark.parametrize("lines", [4, 5])
@pytest.mark.parametrize(
    ("no", "yes", "stem"),
    [
        ("0:LIVING", "1:DECEASED", "OS"),
        ("0:DiseaseFree", "1:Recurred/Progressed", "DFS"),
        ("0:CENSORED", "1:PROGRESSION", "PFS"),
        ("0:ALIVE OR DEAD TUMOR FREE", "1:DEAD WITH TUMOR", "DSS"),
    ],
)
def test_lines_of_cbioportal_are_skipped_and_its_codes_read(
    lines: int, no: str, yes: str, stem: str, tmp_path: Path
) -> None:
    above = PORTAL if lines == 4 else "#x\ty\tz\n" + PORTAL
    body = f"PATIENT_ID\t{stem}_STATUS\t{stem}_MONTHS\nK1\t{yes}\t3.5\nK2\t{no}\t60\nK3\t{yes}\t8\n"
    table = read(tmp_path / "data_clinical_patient.txt", above + body)
    assert (table.sample_column, table.time_column, table.event_column) == (
        *("PATIENT_ID", f"{stem}_MONTHS"),
        f"{stem}_STATUS",
    )
    assert (table.event_value, table.unit) == (yes, "months")


def test_a_header_that_begins_with_a_mark_of_comments(tmp_path: Path) -> None:
    table = read(tmp_path / "c.tsv", "# from the registry\n#sample\tage\nK1\t50\nK2\t61\n")
    assert list(table.frame.columns) == ["sample", "age"]


@pytest.mark.parametrize(
    ("column", "values", "event", "certain"),
    [
        ("Censored", [0, 1], "0", False),
        ("CNSR", [1, 0], "0", False),
        ("censorship", [1, 0], "0", False),
        ("is_censored", ["yes", "no"], "no", False),
        ("cens", [1, 0], "", False),
        ("alive", ["yes", "no"], "no", False),
        ("Alive", [1, 0], "0", False),
        ("status", [1, 2], "2", False),
        ("status", ["censored", "dead"], "dead", True),
        ("OS", [0, 1], "1", True),
        ("event", ["TRUE", "FALSE"], "TRUE", True),
        ("vital_status", ["Alive", "Deceased"], "Deceased", True),
        ("state", ["I", "II"], "", False),
        ("outcome", ["ALIVE", "LOST"], "LOST", False),
        ("OS_STATUS", ["0:LIVING"], "", True),
        ("Alive", ["1"], "0", False),
        ("Censor (alive=0; dead=1)", [0, 1], "1", True),
        ("Survival status (0=dead, 1=alive)", [0, 1], "0", True),
        ("Status (1=alive; 2=dead)", [1, 2], "2", True),
        ("Survival_status (1, dead; 0, alive)", [1, 0], "1", True),
        ("Death (1) or Alive (0)", [1, 0], "1", True),
        ("os event (0=alive; 1=death):ch1", [1, 0], "1", True),
        ("uncensored", [0, 1], "1", True),
        ("alive_at_last_follow_up", ["yes", "no"], "no", False),
        ("os_status", ["A", "D"], "D", False),
        ("Status", ["verstorben", "lebend"], "verstorben", True),
        ("Statut", ["vivant", "décédé"], "décédé", True),
        ("last status", ["DOD", "NED", "AWD"], "DOD", True),
    ],
)
def test_what_the_values_of_an_event_say(
    column: str, values: list[object], event: str, certain: bool
) -> None:
    coding = event_coding(pd.Series(values, dtype=object), column)
    assert (coding.value, coding.certain) == (event, certain)


@pytest.mark.parametrize(("column", "event"), [("Censored", 3), ("CNSR", 3), ("dead", 1)])
def test_the_number_of_events_is_said_with_the_proposal(
    column: str, event: int, tmp_path: Path
) -> None:
    text = f"id,time,{column}\nK1,5,0\nK2,6,0\nK3,7,0\nK4,8,1\n"
    table = read(tmp_path / "c.csv", text)
    found = codes(table)
    assert table.event_column == column
    assert f"{event} of 4 rows" in found["note"].message
    assert ("event-value" in found) is (column != "dead")
    chosen = read(tmp_path / "c.csv", text, event_value=table.event_value)
    assert "event-value" not in codes(chosen)


def test_the_status_of_something_else_is_no_event(tmp_path: Path) -> None:
    table = read(
        tmp_path / "c.csv",
        "id,smoking_status,MSI_status,time,fustat\nK1,1,0,5,1\nK2,0,1,6,0\nK3,1,1,7,1\n",
    )
    assert table.event_column == "fustat"


def test_times_of_two_dates_are_offered_and_not_taken(tmp_path: Path) -> None:
    text = (
        "id;date of diagnosis;date of last contact;dead\n"
        "K1;03.02.2015;03.03.2015;1\nK2;28.12.2016;28.12.2017;0\nK3;01.01.2018;;1\n"
    )
    table = read(tmp_path / "c.csv", text)
    name = "days from date of diagnosis to date of last contact"
    assert table.time_column == ""
    assert name in codes(table)["times-from-dates"].advice
    chosen = read(tmp_path / "c.csv", text, time_column=name)
    np.testing.assert_array_equal(chosen.frame[name], [28, 365, np.nan])
    assert chosen.unit == "days"


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["2020-01-31", "2020-02-02 00:00:00"], [0, 2]),
        (["1/31/2020", "2/2/2020"], [0, 2]),
        (["31/1/2020", "2/2/2020"], [0, 2]),
        (["1/2/2020", "3/4/2020"], None),
        (["2020-02-30", "2020-02-01"], None),
        (["1.5", "2.5"], None),
    ],
)
def test_dates_are_read_where_day_and_month_are_certain(
    values: list[str], days: list[int] | None
) -> None:
    found = dates_of(pd.Series(values, dtype=object))
    assert (None if found is None else (found - found[0]).tolist()) == days


def test_numbers_with_units_and_thousands() -> None:
    text = pd.DataFrame({"a": ["812", "1,533"], "b": ["1,533", "2,111"], "c": ["0,5", "1,533"]})
    frame, commas = typed(text)
    assert frame["a"].tolist() == [812, 1533]
    assert frame["b"].dtype == object  # it cannot be told
    assert frame["c"].tolist() == [0.5, 1.533]
    assert commas == ("c",)


def test_values_that_carry_their_unit(tmp_path: Path) -> None:
    table = read(tmp_path / "c.csv", "id,survival time,dead\nK1,5 months,1\nK2,7.5 months,0\n")
    assert (table.time_column, table.unit) == ("survival time", "months")
    assert table.frame["survival time"].tolist() == [5, 7.5]


def test_rows_of_data_elements_below_the_header_are_skipped(tmp_path: Path) -> None:
    text = "bcr_patient_barcode\tvital_status\tdeath_days_to\tlast_contact_days_to\n"
    text += text + "CDE_ID:2003301\tCDE_ID:5\tCDE_ID:3165475\tCDE_ID:3008273\n"
    text += "K1\tDead\t50\t[Not Applicable]\nK2\tAlive\t[Not Applicable]\t90\n"
    table = read(tmp_path / "clinical_patient.txt", text)
    assert table.frame[COMBINED].tolist() == [50, 90]


def test_patients_in_columns_are_turned(tmp_path: Path) -> None:
    text = "attribute\tK1\tK2\tK3\nOS.time\t5\t6\t7\nOS\t1\t0\t1\n"
    table = read(tmp_path / "c.tsv", text)
    assert table.frame["OS.time"].tolist() == [5, 6, 7]
    assert table.join is not None
    assert len(table.join.rows) == 3


def test_a_packed_table_and_a_sheet_with_a_title(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("clinical.csv", "id,OS.time,OS\nK1,5,1\nK2,6,0\n")
    assert read_clinical(ClinicalChoice(path=tmp_path / "c.zip"), SAMPLES).time_column == "OS.time"
    book = openpyxl.Workbook()
    for row in (["Table S1", None], [], ["id", "OS.time", "OS"], ["K1", 5, 1], ["K2", 6]):
        book.active.append(row)
    book.save(tmp_path / "c.xlsx")
    table = read_clinical(ClinicalChoice(path=tmp_path / "c.xlsx"), SAMPLES)
    assert table.frame["OS"].tolist()[0] == 1


# -- joining
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sample", "row"),
    [("X101.T", "101-T"), ("X5", "5"), ("101-T", "X101.T"), ("X2020_A", "2020 a")],
)
def test_the_x_that_r_puts_before_digits_is_no_difference(sample: str, row: str) -> None:
    found = join([sample], [row, "other"])
    assert dict(found.rows) == {sample: 0}
    assert set(found.ways) == {"r-name"}


def test_an_x_before_letters_belongs_to_the_name() -> None:
    assert dict(join(["XA1"], ["A1"]).rows) == {}
    assert dict(join(["X1", "1"], ["1"]).rows) == {"1": 0, "X1": 0}


@pytest.mark.parametrize("mark", ["-", "."])
def test_normal_tissue_of_a_patient_is_not_joined_beside_the_tumour(
    mark: str, tmp_path: Path
) -> None:
    samples = [
        s.replace("-", mark)
        for s in ("TCGA-A1-0001-01A", "TCGA-A1-0001-11A", "TCGA-A1-0002-11A", "TCGA-A1-0003-06B")
    ]
    text = "patient,OS.time,OS\nTCGA-A1-0001,5,1\nTCGA-A1-0002,6,0\nTCGA-A1-0003,7,1\n"
    table = read(tmp_path / "c.csv", text, samples)
    assert table.join is not None
    assert table.join.normal == (samples[1],)
    assert set(table.join.rows) == {samples[0], samples[2], samples[3]}
    assert samples[1] in codes(table, samples)["normal-tissue"].message


def test_overall_survival_comes_before_other_times() -> None:
    columns = ["DFS_MONTHS", "age", "OS_MONTHS", "time_to_sampling", "days_to_death"]
    assert propose_time(columns) == "OS_MONTHS"
    assert propose_time(["age", "sample_collection_time"]) == ""
    assert propose_time(["AVAL", "age"]) == "AVAL"


@pytest.mark.parametrize(
    "name", ["overall_survival", "survival_status", "vital", "relapse_free", "event free (y/n)"]
)
@pytest.mark.parametrize("values", [["0", "1"], ["no", "yes"]])
def test_the_direction_is_asked_where_one_may_mean_alive(name: str, values: list[str]) -> None:
    """METABRIC's overall_survival is 1 for who lives."""
    coding = event_coding(pd.Series([*values, values[0]]), name)
    assert (coding.value, coding.certain) == ("", False)


@pytest.mark.parametrize("name", ["relapse_free", "Disease-free", "recurrence", "progressed"])
def test_a_column_of_relapses_is_found_beside_its_time(name: str, tmp_path: Path) -> None:
    text = f"ID,{name},rfs_months\nA,yes,10\nB,no,20\nC,yes,30.5\n"
    table = read(tmp_path / "c.csv", text, ["A", "B", "C"])
    assert (table.time_column, table.event_column) == ("rfs_months", name)
    asked = name.casefold().endswith("free")  # yes means that nothing happened, for most
    assert (table.coding.certain, table.event_value) == ((False, "") if asked else (True, "yes"))


def test_a_number_that_contradicts_its_word_is_asked() -> None:
    coding = event_coding(pd.Series(["0:DECEASED", "1:LIVING"]), "OS_STATUS")
    assert (coding.value, coding.certain) == ("", False)
    assert event_coding(pd.Series(["0:LIVING", "1:DECEASED"]), "OS_STATUS").certain


def test_thousands_beside_units_are_no_decimals(tmp_path: Path) -> None:
    days = ["1,533 days", "812 days", "1,100 days", "90 days"]
    text = "id\ttime\n" + "".join(f"{s}\t{d}\n" for s, d in zip(SAMPLES, days, strict=True))
    table = read(tmp_path / "t.tsv", text, time_column="time")
    assert table.frame["time"].tolist() == [1533, 812, 1100, 90]
    assert table.unit == "days"


def test_times_follow_the_value_that_the_user_says_is_the_event(tmp_path: Path) -> None:
    rows = ["K1\tx\t1\t70\t", "K2\tx\t2\t\t50", "K3\tx\t2\t\t40", "K4\tx\t1\t20\t30"]
    path = tmp_path / "t.tsv"
    table = read(path, GDC + "\n".join(rows) + "\n", event_column="vital_status", event_value="1")
    assert table.frame[COMBINED].tolist() == [70, 50, 40, 20]


@pytest.mark.parametrize(("dead", "alive"), [("1", "0"), ("0", "1"), ("2", "1"), ("A", "B")])
@pytest.mark.parametrize("name", ["vital_status", "patient.vital_status", "os_status"])
def test_times_of_death_tell_which_value_means_death(
    dead: str, alive: str, name: str, tmp_path: Path
) -> None:
    """Firehose writes 0 and 1 for LIVING and DECEASED, others the other way round."""
    head = f"sample\t{name}\tdays_to_death\tdays_to_last_followup\n"
    rows = f"K1\t{dead}\t300\tNA\nK2\t{alive}\tNA\t800\nK3\t{dead}\t12\tNA\nK4\t{alive}\tNA\t70\n"
    table = read(tmp_path / "picked.txt", head + rows)
    assert (table.event_column, table.event_value) == (name, dead)
    assert table.coding.certain == (name != "os_status" or dead != "0")  # 1 is usual there
    np.testing.assert_array_equal(table.frame[table.time_column], [300, 800, 12, 70])


def test_times_of_death_that_fit_no_value_leave_the_question(tmp_path: Path) -> None:
    head = "sample\tvital_status\tdays_to_death\tdays_to_last_followup\n"
    for rows in (
        "K1\t1\t300\tNA\nK2\t0\t50\t800\nK3\t1\t12\tNA\nK4\t0\tNA\t70\n",
        "K1\t1\t300\tNA\nK2\t0\tNA\t800\nK3\t1\tNA\t12\nK4\t0\tNA\t70\n",
    ):
        table = read(tmp_path / "picked.txt", head + rows)
        assert not table.coding.certain
        assert table.event_value == ""


@pytest.mark.parametrize(
    ("title", "unit"),
    [("time_unit", "weeks"), ("Unit of time", "months"), ("os_time units", "days")],
)
def test_the_unit_may_stand_in_a_column_of_its_own(title: str, unit: str, tmp_path: Path) -> None:
    rows = "".join(f"{s},{9 + i},1,{unit}\n" for i, s in enumerate(SAMPLES))
    table = read(tmp_path / "t.csv", f"sample,os_time,os,{title}\n{rows}")
    assert table.unit == unit
    mixed = rows.replace(unit, "years", 1)
    assert read(tmp_path / "t.csv", f"sample,os_time,os,{title}\n{mixed}").unit is None


TARGET = (
    "USI\tFirst Event\tEvent Free Survival Time in Days\tVital Status\tOverall Survival Time in Days\n"
    "K1\tRelapse\t100\tAlive\t900\nK2\tCensored\t700\tAlive\t700\n"
    "K3\tRelapse\t50\tDead\t80\nK4\tProgression\t60\tDead\t90\n"
)


@pytest.mark.parametrize(
    ("text", "time", "event"),
    [
        (TARGET, "Overall Survival Time in Days", "Vital Status"),
        (
            TARGET.replace("Overall Survival Time", "Other"),
            "Event Free Survival Time in Days",
            "First Event",
        ),
        (
            "id\tprogressed\tdied\tos_months\nK1\tyes\tno\t9\nK2\tno\tno\t8\n"
            "K3\tyes\tyes\t7\nK4\tyes\tno\t6\n",
            "os_months",
            "died",
        ),
        (
            "id\tdeath\trelapse\tRFS (months)\nK1\t0\t1\t9\nK2\t0\t0\t8\n"
            "K3\t1\t1\t7\nK4\t0\t1\t6\n",
            "RFS (months)",
            "relapse",
        ),
    ],
    ids=["TARGET", "TARGET without OS", "yes and no", "RFS"],
)
def test_the_event_is_of_the_same_end_as_the_time(
    text: str, time: str, event: str, tmp_path: Path
) -> None:
    table = read(tmp_path / "t.tsv", text)
    assert (table.time_column, table.event_column) == (time, event)
