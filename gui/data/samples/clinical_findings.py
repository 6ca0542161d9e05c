"""What is to be said of a clinical table: how its rows join the samples, its times, its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gui.data.samples.clinical import ClinicalChoice, ClinicalTable, nothing_joined, read_clinical
from gui.data.samples.clinical_values import is_number
from gui.data.samples.dates import columns_of_dates, unclear_dates
from gui.data.samples.joining import WAYS
from gui.data.samples.survival_columns import value_text
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding, Place
from gui.errors import DataError
from gui.text import number, shorten, some


def examine_clinical(
    path: Path,
    name: str = "",
    *,
    samples: Sequence[str] | None = None,
    choice: ClinicalChoice | None = None,
) -> list[Finding]:
    """All findings on a clinical table. samples : of the bulk. Never raises for bad data."""
    choice = choice or ClinicalChoice(path=path, name=name)
    try:
        read = read_clinical(choice, samples)
    except DataError as error:
        return [f.Unreadable.of(error, Place(choice.shown, "clinical"))]
    return clinical_findings(read, samples)


def clinical_findings(read: ClinicalTable, samples: Sequence[str] | None) -> list[Finding]:
    """All findings on a table that could be read; samples : those it was read with."""
    found = list(_joined(read, samples)) if samples is not None else []
    found += [f.TimesCombined(Place(read.name, "clinical"), said) for said in read.notes]
    return found + list(_times(read)) + list(_events(read)) + list(_columns(read))


def _joined(read: ClinicalTable, samples: Sequence[str]) -> Iterator[Finding]:
    name, joined = read.name, read.join
    assert joined is not None
    names = [value_text(v) for v in read.frame[read.sample_column]]
    if not joined.rows:
        yield nothing_joined(read, samples)
        return
    exact, total = joined.ways.get("exact", 0), len(samples)
    for way, count in joined.ways.items():
        if way != "exact":
            like = ""
            if way == "section":
                who, row = next(iter(joined.rows.items()))
                like = f" ({shorten(who)} is {shorten(names[row])})"
            message = (
                f"{number(exact)} of {number(total)} samples match {name} by name; {number(count)}"
                f" match {WAYS[way]}{like}."
            )
            yield f.JoinedByHelp(
                Place.at(name, "clinical", columns=joined.rows),
                message,
                "Check that these are the same samples.",
            )
    if joined.ambiguous:
        first = next(iter(joined.ambiguous))
        rows = [names[i] for i in joined.ambiguous[first]]
        fits = (
            f"{number(len(rows))} rows are called {shorten(rows[0])}"
            if len(set(rows)) == 1
            else f"{shorten(first)} fits {some(rows)}"
        )
        one = len(joined.ambiguous) == 1
        message = (
            f"{number(len(joined.ambiguous))} of {number(total)} samples"
            f" {'fits' if one else 'fit'} several rows of {name}: {fits}."
            f" {'It is' if one else 'They are'} not joined."
        )
        yield f.AmbiguousJoin(
            Place.at(name, "clinical", columns=joined.ambiguous),
            message,
            "Give every sample one row.",
        )
    if joined.normal:
        message = (
            f"{number(len(joined.normal))} samples are normal tissue of patients whose tumour is in"
            f" the bulk as well ({some(joined.normal)}): only the tumours are joined to {name}."
        )
        yield f.NormalTissue(
            Place.at(name, "clinical", columns=joined.normal),
            message,
            "A patient counts once. Leave the normal samples out of the bulk if they are not"
            " wanted.",
        )
    if joined.shared:
        several = some([names[i] for i in joined.shared])
        yield f.AmbiguousJoin(
            Place.at(name, "clinical", columns=[names[i] for i in joined.shared]),
            f"Several samples share one row of {name}: {several}.",
        )
    if joined.missing:
        message = (
            f"{number(len(joined.missing))} of {number(total)} samples are not in {name}:"
            f" {some(joined.missing)}."
        )
        yield f.SamplesWithoutRow(
            Place.at(name, "clinical", columns=joined.missing),
            message,
            "They have no clinical data.",
        )
    if joined.unused:
        yield f.Noted(
            Place(name, "clinical", count=len(joined.unused)),
            f"{number(len(joined.unused))} row{'s' if len(joined.unused) > 1 else ''} of {name}"
            f" belong{'s' if len(joined.unused) == 1 else ''} to no sample of the bulk.",
        )


def _times(read: ClinicalTable) -> Iterator[Finding]:
    name, names = read.name, [value_text(v) for v in read.frame[read.sample_column]]
    if not read.time_column:
        dates = [*columns_of_dates(read.frame), *unclear_dates(read.frame)]
        if len(dates) > 1:
            computed = [str(c) for c in read.frame.columns if str(c).startswith("days from ")]
            message = f"{name} has no column of survival times, but dates ({some(dates, 4)})."
            advice = f"Choose the time {some(computed, 2)}, which is computed from them."
            if unclear := unclear_dates(read.frame):
                message = (
                    f"{name} has no column of survival times, but dates, and in {some(unclear, 4)}"
                    " it cannot be told which number is the day and which the month."
                )
                advice = "Write the dates as 2019-03-31."
                computed = [advice]
            place = Place.at(name, "clinical", columns=dates)
            yield f.TimesFromDates(place, message, advice if computed else "")
            return
        yield f.Noted(Place(name, "clinical"), f"{name} has no column of survival times.")
        return
    times = read.frame[read.time_column]
    if times.dtype.kind != "f":
        odd = next((v for v in times.dropna() if not is_number(v)), "")
        message = (
            f"The column {read.time_column} of {name} holds text ({shorten(odd)}) where times"
            " should be."
        )
        yield f.TimesAreText(
            Place.at(name, "clinical", columns=[read.time_column]),
            message,
            "Choose another column for the times.",
        )
        return
    for cls, bad, what in (
        (f.NegativeTime, times < 0, "a negative time"),
        (f.MissingTime, times.isna(), "no time"),
    ):
        who = [n for n, b in zip(names, bad, strict=True) if b]
        if who:
            message = (
                f"In {name} {some(who)} {'has' if len(who) == 1 else 'have'} {what}"
                f" ({read.time_column})."
            )
            yield cls(
                Place.at(name, "clinical", columns=who), message, "Left out of survival analyses."
            )
    if zero := [n for n, t in zip(names, times, strict=True) if t == 0]:
        message = (
            f"In {name} {some(zero)} {'has' if len(zero) == 1 else 'have'} the time 0"
            f" ({read.time_column})."
        )
        yield f.ZeroTime(
            Place.at(name, "clinical", columns=zero),
            message,
            "It is kept: counted at the start, and gone from those at risk right after it.",
        )
    if read.unit is None:
        top = float(times.max())
        likely = "months or years" if top < 400 else "days"
        message = (
            f"The unit of {read.time_column} in {name} cannot be known (largest value {top:.4g};"
            f" {likely} are likely)."
        )
        yield f.TimeUnit(
            Place.at(name, "clinical", columns=[read.time_column]),
            message,
            "Say whether these are days, months or years.",
        )


def _events(read: ClinicalTable) -> Iterator[Finding]:
    if not read.event_column:
        if read.time_column:
            yield f.Noted(
                Place(read.name, "clinical"),
                f"{read.name} has no column that says whether the event happened.",
            )
        return
    column = read.frame[read.event_column].map(value_text, na_action="ignore")
    values = sorted(set(column.dropna()))
    place = Place.at(read.name, "clinical", columns=[read.event_column])
    events = int((column == read.event_value).sum())
    asked = (
        f"; {read.event_value} is proposed ({number(events)} events)" if read.event_value else ""
    )
    if not read.coding.certain or not set(values) <= {"0", "1"}:
        why = f" ({read.coding.why})" if read.coding.why else ""
        message = (
            f"The event column {read.event_column} of {read.name} holds {some(values, 4)}{why}:"
            f" which value is the event must be said{asked}."
        )
        yield f.EventValue(place, message, "Choose the value that means the event.")
    if read.event_value and read.time_column:
        untimed = int(read.frame[read.time_column].isna().sum())
        yield f.Noted(
            place,
            f"{number(events)} of {number(len(column))} rows of {read.name} have the event"
            f" ({read.event_column} = {shorten(read.event_value)});"
            f" {number(untimed)} {'has' if untimed == 1 else 'have'} no time.",
        )


def _columns(read: ClinicalTable) -> Iterator[Finding]:
    if read.commas:
        yield f.Noted(
            Place.at(read.name, "clinical", columns=read.commas),
            f"Numbers of {read.name} have a decimal comma ({some(read.commas)}); read as such.",
        )
