"""What was recognised in a table about the samples: who is in it, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence

from gui.data.samples.clinical import ClinicalTable
from gui.data.samples.joining import Join
from gui.data.samples.known_composition import KnownCompositionTable
from gui.data.samples.survival_columns import value_text
from gui.text import number, shorten, some


def clinical_facts(read: ClinicalTable, samples: Sequence[str] | None = None) -> dict[str, str]:
    """The facts on a clinical table, in the order in which they are shown.

    Parameters
    ----------
    read
        The table, read with these samples.
    samples
        Of the bulk; None where there is none to join it to.
    """
    names = [value_text(v) for v in read.frame[read.sample_column]]
    left_out = [*read.left_out, *_not_joined(read.join)]
    times = read.frame[read.time_column] if read.time_column else None
    if times is not None and times.dtype.kind == "f" and (without := int(times.isna().sum())):
        left_out.append(f"{number(without)} without a time (of survival analyses).")
    return {
        "Names of the samples": f"column {shorten(read.sample_column, 40)}",
        "Samples": _samples(names, read.join, samples),
        "Left out": " ".join(left_out) or "nothing",
        "Times": _times(read),
        "Event": _event(read),
        "Other columns": _others(read),
    }


def composition_facts(
    read: KnownCompositionTable, samples: Sequence[str] | None = None
) -> dict[str, str]:
    """The facts on a table of known compositions; parameters as of :func:`clinical_facts`."""
    names, types = map(str, read.shares.columns), list(map(str, read.shares.index))
    columns = [f"{shorten(c, 40)} ({why})" for c, why in read.left_out.items()]
    left_out = [f"{some(columns, 6)}."] * bool(columns)
    left_out += [*read.lines_left_out, *_not_joined(read.join)]
    values = {
        "fractions": "fractions",
        "percent": "percent, divided by 100",
        "amounts": "numbers of cells or amounts, divided by the sum of each sample",
    }
    sums = read.shares.drop(index=list(read.contained)).sum(axis=0)
    return {
        "Names of the samples": read.names_from,
        "Samples": _samples(list(names), read.join, samples),
        "Left out": " ".join(left_out) or "nothing",
        "Values": f"{values[read.unit]}; sums of the samples {_between(sums)}",
        "Cell types": f"{number(len(types))}, the names of the"
        f" {'columns' if read.turned else 'rows'}: {some((shorten(t, 32) for t in types), 4)}",
    }


def _samples(names: Sequence[str], joined: Join | None, samples: Sequence[str] | None) -> str:
    """How many there are, the first and the last, and how many samples of the bulk are in it."""
    first, last = (shorten(names[i], 32) for i in (0, -1))
    said = f"{number(len(names))}: {first} to {last}" if len(names) > 1 else f"1: {first}"
    if joined is None or samples is None:
        return said
    return f"{said}; {number(len(joined.rows))} of {number(len(samples))} of the bulk joined"


def _not_joined(joined: Join | None) -> list[str]:
    if joined is None:
        return []
    found = (
        (joined.unused, "of no sample of the bulk"),
        (joined.missing, "of the bulk not in this table"),
        (joined.ambiguous, "of the bulk that fit several entries"),
        (joined.normal, "of normal tissue beside the tumour"),
    )
    return [f"{number(len(which))} {what}." for which, what in found if which]


def _times(read: ClinicalTable) -> str:
    if not read.time_column:
        return "none"
    times, unit = read.frame[read.time_column], read.unit or "unit not known"
    if times.dtype.kind != "f":
        return f"column {shorten(read.time_column, 40)}, which holds text"
    return f"column {shorten(read.time_column, 40)}, {unit}; {_between(times)}"


def _event(read: ClinicalTable) -> str:
    if not read.event_column:
        return "none"
    where = f"column {shorten(read.event_column, 40)}"
    if not read.event_value:
        return f"{where}; which value is the event is not known"
    values = read.frame[read.event_column].map(value_text, na_action="ignore")
    happened = int((values == read.event_value).sum())
    asked = "" if read.coding.certain else " (to be confirmed)"
    without = int(values.isna().sum())
    missing = f"; {number(without)} without a value" if without else ""
    return (
        f"{where}: {shorten(read.event_value, 32)}{asked}; {number(happened)} of"
        f" {number(len(values))}{missing}"
    )


def _others(read: ClinicalTable) -> str:
    named = (read.sample_column, read.time_column, read.event_column)
    others = [shorten(str(c), 32) for c in read.frame.columns if c not in named]
    return f"{number(len(others))}: {some(others, 6)}" if others else "none"


def _between(values: object) -> str:
    low, high = values.min(), values.max()  # type: ignore[attr-defined]
    return f"{low:.4g}" if high - low <= 1e-3 * abs(high) else f"{low:.4g} to {high:.4g}"
