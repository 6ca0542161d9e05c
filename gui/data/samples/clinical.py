"""Clinical tables: one row per patient or sample, joined to the bulk samples by name; time and
event columns chosen, their unit asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pandas as pd

from gui.data.dataset import Clinical
from gui.data.readers.options import Frozen
from gui.data.readers.text_table import read_text_table
from gui.data.samples.clinical_layout import (
    CENSORED_BY_MARK,
    said_of_codes,
    with_characteristics,
    with_marked_times,
    without_codes,
    without_nines,
    without_unit_row,
)
from gui.data.samples.clinical_values import typed, with_bounds, without_units
from gui.data.samples.dates import times_between, with_dates
from gui.data.samples.joining import Join, join, without_normals
from gui.data.samples.patient_rows import one_row_each
from gui.data.samples.series_matrix import is_series_matrix, read_series_samples
from gui.data.samples.survival_columns import (
    COMBINED,
    DIED,
    EventCoding,
    Unit,
    coding_by_deaths,
    combine_times,
    event_coding,
    plain,
    propose_event,
    propose_time,
    unit_in,
    value_text,
)
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding, Place
from gui.errors import MissingPart
from gui.text import number, shorten, some


class ClinicalChoice(Frozen):
    """A clinical table and what its columns mean; None takes what is proposed, "" none.

    event_value : the value of the event column that says that the event happened; unit : of the
    times
    """

    path: Path
    name: str = ""
    sample_column: str | None = None
    time_column: str | None = None
    event_column: str | None = None
    event_value: str | None = None
    unit: Unit | None = None

    @property
    def shown(self) -> str:
        return self.name or self.path.name


@dataclass(frozen=True, eq=False)
class ClinicalTable:
    """As read: every column as numbers where all that stands there are numbers, else as text; what
    is missing is NaN or None.

    commas : columns with a decimal comma; proposals for the columns, "" where none fits; units :
    what the name of the time column says; coding : what the values of the event column say; notes :
    on what was put together; left_out : on lines and rows that were not taken
    """

    name: str
    frame: pd.DataFrame
    commas: tuple[str, ...]
    sample_column: str
    time_column: str
    event_column: str
    event_value: str
    unit: Unit | None
    join: Join | None
    coding: EventCoding = field(default_factory=lambda: EventCoding("", True))
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def read_clinical(choice: ClinicalChoice, samples: Sequence[str] | None = None) -> ClinicalTable:
    """Read and make proposals. samples : of the bulk.

    Raises UnreadableFile, or MissingPart for a column that is not there.
    """
    name = choice.shown
    left_out: list[str] = []
    text, of_series = _read_text(choice.path, name, left_out)
    text, characteristics = with_characteristics(text)
    text, unit_row, said = without_unit_row(text)
    left_out += [said] * bool(said)
    text, turned = _patients_in_rows(text, samples)
    frame, commas = typed(text)
    notes: list[tuple[str, str]] = []
    if of_series:
        notes.append(("turned", f"The characteristics of the samples in {name} were read."))
    if characteristics:
        notes.append(("turned", characteristics))
    if turned:
        notes.append(("turned", f"The rows and columns of {name} were exchanged."))
    units: dict[str, str] = {c: unit_in(word) or "" for c, word in unit_row.items()}
    for column in frame.columns:
        if frame[column].dtype == object and (found := without_units(frame[column])):
            frame[column], units[str(column)] = found
    key = choice.sample_column or _sample_column(text, samples)
    frame, bounds = with_bounds(frame)
    frame, marked = with_marked_times(frame)
    if marked:
        notes.append(
            ("turned", f"Times of {some(marked)} with + are of patients without the event.")
        )
    frame, serial = with_dates(frame)
    if serial:
        notes.append(("turned", f"{some(serial, 3)} hold Excel's numbers of days; read as dates."))
    frame, merged = one_row_each(frame, list(text[key]))
    text = text.loc[frame.index].reset_index(drop=True)
    frame = frame.reset_index(drop=True)
    if merged:
        notes.append(("turned", f"{name}: {merged}"))
        left_out.append(merged)
    combined = combine_times(frame, (choice.event_column, choice.event_value))
    if combined is not None and COMBINED not in frame.columns:
        frame[COMBINED], death, last = combined
        notes.append(
            (
                COMBINED,
                f"The times of {name} were put together: {death} for the dead, {last} for the"
                " others.",
            )
        )
        if not any("vital" in str(c).lower() for c in frame.columns):
            there = frame[death].notna() | frame[last].notna()
            frame[DIED] = frame[death].notna().map({True: "yes", False: "no"}).where(there, None)
    for column, times in times_between(frame).items():
        frame[column] = times
    for column in (choice.sample_column, choice.time_column, choice.event_column):
        if column and column not in frame.columns:
            raise MissingPart(
                f"{name} has no column {column[:60]}.", advice=f"It has {some(frame.columns, 8)}."
            )
    times = [
        str(c)
        for c in frame.columns
        if c != key and frame[c].dtype.kind == "f" and frame[c].notna().any()
    ]
    varied = [c for c in times if frame[c].nunique() > 4]
    time = choice.time_column if choice.time_column is not None else propose_time(times, varied)
    event = (
        choice.event_column if choice.event_column is not None else propose_event(frame, key, time)
    )
    if choice.event_column is None and not event:
        told = COMBINED if time == COMBINED else ""
        by = (DIED, told), (CENSORED_BY_MARK, time if time in marked else "")
        event = next((c for c, of in by if of and c in frame.columns), "")
    if choice.time_column is None and not event and not _is_varied(frame, time):
        time = ""  # times of sampling or treatment
    for column, clean in ((time, without_nines), (event, _without_codes)):
        if column and choice.time_column is None:
            frame[column], codes = clean(frame[column])
            if codes:
                count = int(frame[column].isna().sum())
                notes.append(("turned", said_of_codes(column, codes, count)))
    coding = event_coding(frame[event], event) if event else EventCoding("", True)
    by_deaths = coding_by_deaths(frame, event) if event and time in ("", COMBINED) else None
    if by_deaths is not None and by_deaths.value != coding.value:
        # where the name of a value says the contrary, it is asked
        contrary = bool(coding.value) and coding.certain
        coding = replace(by_deaths, certain=not contrary)
    elif by_deaths is not None:
        coding = by_deaths
    value = choice.event_value if choice.event_value is not None else coding.value
    joined = join([str(s) for s in samples], list(text[key])) if samples is not None else None
    if joined is not None and samples is not None:
        joined = without_normals(joined, samples)
    unit = choice.unit or unit_in(time) or units.get(time) or _unit_beside(frame, time)
    return ClinicalTable(
        name=name,
        frame=frame,
        commas=commas,
        sample_column=key,
        time_column=time,
        event_column=event,
        event_value=value,
        unit=cast("Unit | None", unit),
        join=joined,
        coding=replace(coding, certain=coding.certain or choice.event_value is not None),
        notes=(
            *(said for what, said in notes if what in ("turned", time)),
            *(
                (f"{time} holds bounds ({bounds[time]}): the number itself is taken.",)
                if time in bounds
                else ()
            ),
        ),
        left_out=tuple(left_out),
    )


def _is_varied(frame: pd.DataFrame, time: str) -> bool:
    return not time or len(frame) < 8 or frame[time].nunique() > 4


def _without_codes(column: pd.Series) -> tuple[pd.Series, str]:
    if column.dtype.kind != "f":
        return column, ""
    return without_codes(column, frozenset(map(value_text, column.dropna().unique())))


def _unit_beside(frame: pd.DataFrame, time: str) -> str | None:
    """The unit that another column has for all rows: CDISC's AVALU beside AVAL, time_unit."""
    own = plain(time)
    named = (f"{own}u", f"{own}unit", f"{own}units", "timeunit", "timeunits", "unitoftime")
    beside = next((str(c) for c in frame.columns if time and plain(str(c)) in named), "")
    values = set(frame[beside].dropna()) if beside else set()
    return unit_in(str(values.pop())) if len(values) == 1 else None


def _read_text(path: Path, name: str, said: list[str]) -> tuple[pd.DataFrame, bool]:
    """The table as text, and whether it is of the samples of a series matrix file."""
    if is_series_matrix(path, name):
        text = read_series_samples(path, name)
        if len(text) and text.shape[1] > 1:
            return text, True
    return read_text_table(path, name, said)[0], False


def _patients_in_rows(
    text: pd.DataFrame, samples: Sequence[str] | None
) -> tuple[pd.DataFrame, bool]:
    """The table with patients in rows, as the names of the samples tell; and whether it was
    turned.
    """
    if samples is None or text.shape[1] < 3:
        return text, False
    wanted = [str(s) for s in samples]
    inside = max(len(join(wanted, list(text[c])).rows) for c in list(text.columns)[:20])
    if inside or not join(wanted, [str(c) for c in text.columns[1:]]).rows:
        return text, False
    first = text.columns[0]
    turned = text.set_index(first).T
    names = [str(c) for c in turned.columns]
    turned.columns = pd.Index(names, dtype=object)
    turned = turned.loc[:, ~turned.columns.duplicated()]
    turned.insert(0, str(first) or "sample", list(turned.index))
    return turned.reset_index(drop=True), True


def load_clinical(choice: ClinicalChoice, samples: Sequence[str]) -> Clinical:
    """The table with one row per bulk sample, in their order.

    Raises UnreadableFile, MissingPart (no sample could be joined).
    """
    return joined_clinical(read_clinical(choice, samples), samples)


def joined_clinical(read: ClinicalTable, samples: Sequence[str]) -> Clinical:
    """A table read with these samples, one row for each. MissingPart if none could be joined."""
    assert read.join is not None
    if not read.join.rows:
        raise nothing_joined(read, samples).as_error()
    at = [read.join.rows.get(str(s), -1) for s in samples]
    table = read.frame.drop(columns=[read.sample_column]).reset_index(drop=True).reindex(at)
    table.index = pd.Index([str(s) for s in samples], dtype=object)
    return Clinical(
        table, read.name, read.time_column, read.event_column, read.event_value, read.unit or ""
    )


def _sample_column(text: pd.DataFrame, samples: Sequence[str] | None) -> str:
    """The one that joins most samples; without samples, or where none does, the first of different
    values.
    """
    if samples is not None:
        wanted = [str(s) for s in samples]
        found = {str(c): join(wanted, list(text[c])) for c in text.columns}
        # a patient may have several rows, which are put together
        hits = {c: len(j.rows) + len(j.ambiguous) for c, j in found.items()}
        # any number may be a section of a name, so that a longer name is the surer one
        letters = {c: sum(len(str(text[c].iloc[i])) for i in found[c].rows.values()) for c in found}
        sure = [c for c in hits if hits[c] and "section" not in found[c].ways] or list(hits)
        best = max(sure, key=lambda c: (hits[c], letters[c] if "section" in found[c].ways else 0))
        if hits[best]:
            return best
    return next((str(c) for c in text.columns if text[c].is_unique), str(text.columns[0]))


def nothing_joined(read: ClinicalTable, samples: Sequence[str]) -> Finding:
    """That no sample is in the table."""
    assert read.join is not None
    if read.join.ambiguous:
        who = next(iter(read.join.ambiguous))
        return f.NotJoined(
            Place.at(read.name, "clinical", columns=samples),
            f"In {read.name} the rows of one patient contradict each other in time or event: none"
            f" of the {number(len(samples))} samples can be joined, {shorten(who)} among them.",
            "Give every patient one row.",
        )
    example = read.frame[read.sample_column].iloc[0]
    message = (
        f"None of the {number(len(samples))} samples of the bulk is in {read.name}"
        f" ({shorten(samples[0])} against {shorten(value_text(example))})."
    )
    return f.NotJoined(
        Place.at(read.name, "clinical", columns=samples),
        message,
        "Choose the column that holds the names of the samples, or another table.",
    )
