"""Clinical tables as registries, trials and hospitals write them: GEO, REDCap, ADaM, SPSS, German
and French sheets, each brought to the same times and events, or asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.data.samples.clinical import ClinicalChoice, ClinicalTable, joined_clinical, read_clinical
from gui.data.samples.clinical_findings import clinical_findings
from gui.data.samples.survival_columns import event_coding, value_text

IDS = [f"GSM{100 + i}" for i in range(9)]
DAYS = np.array([45.0, 1533, 812, 2100, 33, 640, 1999, 310, 1204])
DEAD = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0])
TEXT = np.where(DEAD, "dead", "alive")


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"id": IDS, **columns})


def read(
    folder: Path, frame: pd.DataFrame | str, separator: str = ",", samples: Sequence[str] = IDS
) -> tuple[ClinicalTable, str]:
    """The table, and the codes and sentences of what is said of it."""
    text = frame if isinstance(frame, str) else frame.to_csv(index=False, sep=separator)
    path = folder / "t.csv"
    path.write_text(text, "utf-8")
    found = read_clinical(ClinicalChoice(path=path), samples)
    said = " ".join(f"{x.code} {x.message}" for x in clinical_findings(found, samples))
    return found, said


def outcome(
    found: ClinicalTable, samples: Sequence[str] = IDS
) -> tuple[list[float], list[float | None]]:
    """Times and events (1, 0, None) of the samples in order."""
    kept = joined_clinical(found, samples)
    events = kept.table[kept.event].map(value_text, na_action="ignore")
    happened = [None if pd.isna(v) else float(v == kept.event_value) for v in events]
    return [float(t) for t in kept.table[kept.time]], happened


SAME: dict[str, Callable[[], pd.DataFrame]] = {
    "GEOquery names": lambda: table(**{"os (days):ch1": DAYS, "death:ch1": DEAD}),
    "GEO e and t": lambda: table(
        **{"t.rfs": DAYS / 2, "e.rfs": 1 - DEAD, "t.os": DAYS, "e.os": DEAD}
    ),
    "event_x and t_x": lambda: table(event_death=DEAD, t_death=DAYS),
    "endpoint first": lambda: table(os_t=DAYS, os_e=DEAD),
    "a unit in brackets": lambda: table(**{"OS [d]": DAYS, "OS_event": DEAD}),
    "French": lambda: table(**{"SG (jours)": DAYS, "Décès": np.where(DEAD, "oui", "non")}),
    "French follow-up": lambda: table(
        **{"Délai de suivi (jours)": DAYS, "Statut vital": np.where(DEAD, "décédé", "vivant")}
    ),
    "German": lambda: table(
        **{"OS in Tagen": DAYS, "Vitalstatus": np.where(DEAD, "verstorben", "lebend")}
    ),
    "German until death": lambda: table(
        **{"Tage bis Tod/letzter Kontakt": DAYS, "Todesfall": DEAD}
    ),
    "value labels of SPSS": lambda: table(
        os_days=DAYS, osstat=np.where(DEAD, "1 = dead", "0 = alive")
    ),
    "value labels in brackets": lambda: table(
        os_days=DAYS, osstat=np.where(DEAD, "(1) dead", "(0) alive")
    ),
    "half a legend": lambda: table(os_days=DAYS, **{"vital status (1=dead)": DEAD}),
    "an indicator": lambda: table(os_days=DAYS, deceased_indicator=DEAD),
    "mortality": lambda: table(os_days=DAYS, mortality=DEAD),
    "survivors": lambda: table(os_days=DAYS, outcome=np.where(DEAD, "non-survivor", "survivor")),
    "a plus behind the time": lambda: table(
        os_days=[f"{d:g}{'' if e else '+'}" for d, e in zip(DAYS, DEAD, strict=True)]
    ),
    "characteristics": lambda: table(
        characteristics_ch1=[f"os (days): {d:g}" for d in DAYS],
        **{"characteristics_ch1.1": [f"death: {e}" for e in DEAD]},
    ),
    "characteristics in any order": lambda: table(
        characteristics_ch1=[
            f"os (days): {d:g}" if i % 2 else f"death: {e}"
            for i, (d, e) in enumerate(zip(DAYS, DEAD, strict=True))
        ],
        **{
            "characteristics_ch1.1": [
                f"death: {e}" if i % 2 else f"os (days): {d:g}"
                for i, (d, e) in enumerate(zip(DAYS, DEAD, strict=True))
            ]
        },
    ),
}


@pytest.mark.parametrize("layout", SAME)
def test_every_layout_gives_the_same_times_and_events(layout: str, tmp_path: Path) -> None:
    found, said = read(tmp_path, SAME[layout]())
    times, events = outcome(found)
    assert times == pytest.approx(DAYS)
    assert events == list(DEAD)
    assert found.unit == "days" or "time-unit" in said


ASKED: dict[str, tuple[str, list[object], str]] = {
    "alive in German": ("lebt", ["nein" if e else "ja" for e in DEAD], "nein"),
    "alive in Spanish": ("vivo", ["no" if e else "sí" for e in DEAD], "no"),
    "alive in French": ("vivant", ["non" if e else "oui" for e in DEAD], "non"),
    "reasons of censoring": ("CNSR", [0 if e else 1 + i % 2 for i, e in enumerate(DEAD)], "0"),
}


@pytest.mark.parametrize("case", ASKED)
def test_who_is_alive_or_censored_is_never_taken_for_the_event(case: str, tmp_path: Path) -> None:
    name, values, event = ASKED[case]
    coding = event_coding(pd.Series(values), name)
    assert (coding.value, coding.certain) == (event, False)
    found, said = read(tmp_path, table(os_days=DAYS, **{name: values}))
    assert outcome(found)[1] == list(DEAD)
    assert "event-value" in said


def test_visits_and_forms_of_a_patient_are_put_together(tmp_path: Path) -> None:
    rows = []
    for i, days, dead in zip(IDS, DAYS, DEAD, strict=True):
        rows += [(i, days / 3, "Alive"), (i, days, "Dead" if dead else "Alive")]
    names = ["id", "follow_ups.days_to_follow_up", "follow_ups.vital_status"]
    found, said = read(tmp_path, pd.DataFrame(rows, columns=names))
    times, events = outcome(found)
    assert times == pytest.approx(DAYS)
    assert events == list(DEAD)
    assert "the latest follow-up, and the death, of each" in said
    forms: list[tuple[object, ...]] = []
    for i, days, dead in zip(IDS, DAYS, DEAD, strict=True):
        forms += [(i, "baseline_arm_1", 60, "", ""), (i, "end_arm_1", "", int(days), int(dead))]
    names = ["record_id", "redcap_event_name", "age", "os_days", "os_event"]
    found, said = read(tmp_path, pd.DataFrame(forms, columns=names))
    times, events = outcome(found)
    assert times == pytest.approx(DAYS)
    assert events == list(DEAD)
    assert found.frame["age"].tolist() == [60] * 9


def test_the_unit_of_cdisc_is_that_of_its_own_column(tmp_path: Path) -> None:
    found, _ = read(tmp_path, table(AVAL=DAYS / 30, AVALU="MONTHS", CNSR=1 - DEAD))
    assert (found.time_column, found.unit, found.event_value) == ("AVAL", "months", "0")


def test_a_row_of_units_is_read_as_such(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{d:g},{e}" for i, d, e in zip(IDS, DAYS, DEAD, strict=True))
    found, _ = read(tmp_path, f"id,OS,dead\n,weeks,0/1\n{rows}\n")
    assert outcome(found) == (list(DAYS), list(DEAD))
    assert found.unit == "weeks"
    assert "1 row of units left out." in found.left_out


@pytest.mark.parametrize("title", ["Table S1. Patients,,", "Table S1. Patients"])
def test_a_title_above_the_header_is_left_out_and_said(title: str, tmp_path: Path) -> None:
    rows = table(os_days=DAYS, dead=DEAD).to_csv(index=False)
    found, _ = read(tmp_path, f"{title}\n{rows}")
    assert outcome(found) == (list(DAYS), list(DEAD))
    assert "Table S1. Patients" in found.left_out[0]


def test_repeated_names_of_columns_are_numbered_and_said(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},x,{d:g},{e},y" for i, d, e in zip(IDS, DAYS, DEAD, strict=True))
    found, _ = read(tmp_path, f"id,note,os_days,dead,note\n{rows}\n")
    assert outcome(found) == (list(DAYS), list(DEAD))
    assert "note names several columns; they were numbered." in found.left_out
    assert "note (2)" in found.frame


def test_codes_of_missing_values_are_no_events_and_no_times(tmp_path: Path) -> None:
    status = [9, *DEAD[1:]]
    found, said = read(tmp_path, table(os_days=[*DAYS[:-1], 9999], os_event=status))
    times, events = outcome(found)
    assert times[:-1] == list(DAYS[:-1])
    assert np.isnan(times[-1])
    assert events == [None, *DEAD[1:]]
    assert "9 in os_event is taken for a missing value" in said
    assert "9999 in os_days is taken for a missing value" in said
    # a time like this beside others of its size is one
    found, said = read(tmp_path, table(os_days=[*DAYS[:-2], 5200, 9999], os_event=DEAD))
    assert outcome(found)[0][-1] == 9999


def test_hours_of_sampling_are_no_survival(tmp_path: Path) -> None:
    hours = [0, 24, 0, 24, 0, 24, 0, 24, 0]
    assert read(tmp_path, table(time=hours, dose=hours[::-1]))[0].time_column == ""
    found, _ = read(tmp_path, table(time=hours, status=DEAD))
    assert (found.time_column, found.event_column) == ("time", "status")


def test_other_words_with_death_or_event_are_no_events(tmp_path: Path) -> None:
    found, _ = read(
        tmp_path,
        table(
            cause_of_death=np.where(DEAD, "tumour", ""),
            redcap_event_name="baseline",
            os_days=DAYS,
            dead=DEAD,
        ),
    )
    assert found.event_column == "dead"
