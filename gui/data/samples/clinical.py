"""Clinical tables: one row per patient or sample, joined to the bulk samples by name; time and
event columns chosen, their unit asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gui.data.dataset import Clinical
from gui.data.readers.read import Frozen
from gui.data.readers.text_table import read_text_table
from gui.data.samples.joining import WAYS, Join, join
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding, Place
from gui.errors import DataError, MissingPart
from gui.text import number, shorten, some

Unit = Literal["days", "weeks", "months", "years"]
MISSING = frozenset(
    {
        "",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "#n/a",
        "-",
        ".",
        "?",
        "unknown",
        "not available",
        "[not available]",
        "<na>",
        "not reported",
    }
)
"""Spellings of a missing value, without case."""
_PREFIX = r"(?:os|pfi|pfs|dss|dfi|dfs|rfs|efs|ttp|survival|overall[ ._]?survival)"
_TIME = re.compile(
    rf"^{_PREFIX}?[ ._-]?(time|days|weeks|months|years|duration)$|time|follow.?up|^{_PREFIX}["
    r" ._-](days|weeks|months|years)",
    re.I,
)
_EVENT = re.compile(
    rf"^{_PREFIX}([ ._-]?(status|event|censor(ed|ing)?))?$|status|event|^dead$|^death$|censor", re.I
)
_HAPPENED = frozenset(
    {
        "1",
        "dead",
        "deceased",
        "died",
        "death",
        "yes",
        "true",
        "event",
        "progressed",
        "progression",
        "recurred",
        "relapse",
        "1:deceased",
    }
)
_NUMBER = re.compile(r"^[-+]?(\d+([.]\d*)?|[.]\d+)([eE][-+]?\d+)?$")
_COMMA = re.compile(r"^[-+]?\d+,\d+([eE][-+]?\d+)?$")


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
    what the name of the time column says
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


def read_clinical(choice: ClinicalChoice, samples: Sequence[str] | None = None) -> ClinicalTable:
    """Read and make proposals. samples : of the bulk.

    Raises UnreadableFile, or MissingPart for a column that is not there.
    """
    name = choice.shown
    text, _ = read_text_table(choice.path, name)
    frame, commas = typed(text)
    for column in (choice.sample_column, choice.time_column, choice.event_column):
        if column and column not in frame.columns:
            raise MissingPart(
                f"{name} has no column {column[:60]}.", advice=f"It has {some(frame.columns, 8)}."
            )
    key = choice.sample_column or _sample_column(text, samples)
    times = [
        c
        for c in frame.columns
        if c != key and frame[c].dtype.kind == "f" and frame[c].notna().any()
    ]
    time = choice.time_column if choice.time_column is not None else _proposed_time(times)
    event = (
        choice.event_column
        if choice.event_column is not None
        else _proposed_event(frame, key, time)
    )
    value = (
        choice.event_value
        if choice.event_value is not None
        else event_value(frame[event])
        if event
        else ""
    )
    joined = join([str(s) for s in samples], list(text[key])) if samples is not None else None
    return ClinicalTable(
        name, frame, commas, key, time, event, value, choice.unit or unit_in(time), joined
    )


def typed(text: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns of text as numbers where all are, missing values marked; and the columns that had a
    decimal comma.
    """
    made: dict[str, pd.Series] = {}
    commas = []
    for column in text.columns:
        values = text[column].where(~text[column].str.casefold().isin(MISSING), None)
        there = values.dropna()
        with_comma = there.map(lambda v: bool(_COMMA.match(v))).astype(bool)
        if (
            len(there)
            and (with_comma | there.map(lambda v: bool(_NUMBER.match(v))).astype(bool)).all()
        ):
            commas += [str(column)] if with_comma.any() else []
            made[column] = values.map(
                lambda v: float(v.replace(",", ".")), na_action="ignore"
            ).astype(np.float64)
        else:
            made[column] = values.astype(object)
    return pd.DataFrame(made, index=text.index, columns=text.columns), tuple(commas)


def load_clinical(choice: ClinicalChoice, samples: Sequence[str]) -> Clinical:
    """The table with one row per bulk sample, in their order.

    Raises UnreadableFile, MissingPart (no sample could be joined).
    """
    return joined_clinical(read_clinical(choice, samples), samples)


def joined_clinical(read: ClinicalTable, samples: Sequence[str]) -> Clinical:
    """A table read with these samples, one row for each. MissingPart if none could be joined."""
    assert read.join is not None
    if not read.join.rows:
        raise _nothing_joined(read, samples).as_error()
    at = [read.join.rows.get(str(s), -1) for s in samples]
    table = read.frame.drop(columns=[read.sample_column]).reset_index(drop=True).reindex(at)
    table.index = pd.Index([str(s) for s in samples], dtype=object)
    return Clinical(
        table, read.name, read.time_column, read.event_column, read.event_value, read.unit or ""
    )


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
    return found + list(_times(read)) + list(_events(read)) + list(_columns(read))


# -- proposals
# --------------------------------------------------------------------------------------------------


def _sample_column(text: pd.DataFrame, samples: Sequence[str] | None) -> str:
    """The one that joins most samples; without samples, or where none does, the first of different
    values.
    """
    if samples is not None:
        hits = {
            str(c): len(join([str(s) for s in samples], list(text[c])).rows) for c in text.columns
        }
        best = max(hits, key=lambda c: hits[c])
        if hits[best]:
            return best
    return next((str(c) for c in text.columns if text[c].is_unique), str(text.columns[0]))


def _proposed_time(numeric: Sequence[str]) -> str:
    fits = [str(c) for c in numeric if _TIME.search(str(c))]
    return next(
        (c for c in fits if c.lower().startswith(("os", "overall"))), fits[0] if fits else ""
    )


def _proposed_event(frame: pd.DataFrame, key: str, time: str) -> str:
    """The column of few values that belongs to the time: OS to OS.time."""
    fits = [
        str(c)
        for c in frame.columns
        if c not in (key, time) and _EVENT.search(str(c)) and 1 <= frame[c].nunique() <= 4
    ]
    stem = _before_unit(time.lower())
    own = [c for c in fits if stem and c.lower().startswith(stem)]
    found = own or fits
    binary = [c for c in found if {value_text(v) for v in frame[c].dropna()} <= {"0", "1"}]
    return (binary or found or [""])[0] if not own else own[0]


def _before_unit(time: str) -> str:
    """os of os.time; all of it where no unit or time is named."""
    first = min(
        (
            at
            for word in ("time", "days", "weeks", "months", "years")
            if (at := time.find(word)) >= 0
        ),
        default=len(time),
    )
    return (
        time[: first - 1] if 0 < first < len(time) and time[first - 1] in " ._-" else time[:first]
    )


def event_value(column: pd.Series) -> str:
    """The value that says that the event happened, as text: 1 of 0 and 1, 2 of 1 and 2, Dead of
    Alive and Dead; "" if it cannot be told.
    """
    values = [value_text(v) for v in column.dropna().unique()]
    if set(values) == {"1", "2"}:
        return "2"
    return next((v for v in values if v.casefold() in _HAPPENED), "")


def value_text(value: object) -> str:
    """A value as text, whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def unit_in(name: str) -> Unit | None:
    """The unit that a column's name tells."""
    units: tuple[Unit, ...] = ("days", "weeks", "months", "years")
    return next(
        (
            u
            for u in units
            if re.search(rf"(?<![a-z]){u[:-1]}s?(?![a-z])", name.replace("_", " "), re.I)
        ),
        None,
    )


# -- findings
# --------------------------------------------------------------------------------------------------


def _nothing_joined(read: ClinicalTable, samples: Sequence[str]) -> Finding:
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


def _joined(read: ClinicalTable, samples: Sequence[str]) -> Iterator[Finding]:
    name, joined = read.name, read.join
    assert joined is not None
    names = [value_text(v) for v in read.frame[read.sample_column]]
    if not joined.rows and not joined.ambiguous:
        yield _nothing_joined(read, samples)
        return
    exact, total = joined.ways.get("exact", 0), len(samples)
    for way, count in joined.ways.items():
        if way != "exact":
            message = (
                f"{number(exact)} of {number(total)} samples match {name} by name; {number(count)}"
                f" match {WAYS[way]}."
            )
            yield f.JoinedByHelp(
                Place.at(name, "clinical", columns=joined.rows),
                message,
                "Check that these are the same samples.",
            )
    if joined.ambiguous:
        first = next(iter(joined.ambiguous))
        rows = some([names[i] for i in joined.ambiguous[first]])
        message = (
            f"{number(len(joined.ambiguous))} of {number(total)} samples fit several rows of"
            f" {name}: {shorten(first)} fits {rows}. They are not joined."
        )
        yield f.AmbiguousJoin(
            Place.at(name, "clinical", columns=joined.ambiguous),
            message,
            "Give every sample one row.",
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
            f"{number(len(joined.unused))} rows of {name} belong to no sample of the bulk.",
        )


def _times(read: ClinicalTable) -> Iterator[Finding]:
    name, names = read.name, [value_text(v) for v in read.frame[read.sample_column]]
    if not read.time_column:
        yield f.Noted(Place(name, "clinical"), f"{name} has no column of survival times.")
        return
    times = read.frame[read.time_column]
    if times.dtype.kind != "f":
        odd = next((v for v in times.dropna() if not _NUMBER.match(str(v))), "")
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
    column = read.frame[read.event_column]
    values = sorted({value_text(v) for v in column.dropna()})
    place = Place.at(read.name, "clinical", columns=[read.event_column])
    if set(values) > {"0", "1"} or not set(values) <= {"0", "1"}:
        asked = f"; {read.event_value} is proposed" if read.event_value else ""
        message = (
            f"The event column {read.event_column} of {read.name} holds {some(values, 4)}: which"
            f" value is the event must be said{asked}."
        )
        yield f.EventValue(place, message, "Choose the value that stands for the event.")


def _columns(read: ClinicalTable) -> Iterator[Finding]:
    if read.commas:
        yield f.Noted(
            Place.at(read.name, "clinical", columns=read.commas),
            f"Numbers of {read.name} have a decimal comma ({some(read.commas)}); read as such.",
        )
