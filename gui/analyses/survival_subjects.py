"""Who is followed and for how long, and which covariates may be used: before any statistic."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gui.analyses.patients import patients
from gui.analyses.samples import as_groups, as_numbers, cleaned, is_number, sample_table
from gui.analyses.survival_params import SAMPLES, SurvivalParams
from gui.data.dataset import Clinical, Dataset
from gui.data.samples.clinical_values import MISSING
from gui.data.samples.survival_columns import event_coding, unit_in, value_text
from gui.errors import DataError, InvalidParameter, MissingPart
from gui.statistics.survival_data import (
    Survival,
    landmark,
    refuse_later_covariates,
    survival_data,
)
from gui.text import number, shorten, some

MOST_LEVELS = 12
"""A column of text with more values makes no groups: curves have so many different looks."""
FEW_VALUES = 6
"""Numbers of at most so many different values are groups for curves."""
_LATER = re.compile(
    r"respon[sd]|(^|[ ._-])bor([ ._-]|$)|best.?overall|recist|recur|relaps|progress|remission|"
    r"treatment.?outcome|follow.?up|new.?tumou?r.?event|adverse|toxicit|last.?contact|vital|"
    r"cause.?of.?death|days.to.death|^(death|died|dead|deceased|alive|status)$|"
    r"^(os|pfs|pfi|dss|dfi|dfs|rfs|efs|ttp|css|mfs|dmfs)([ ._-]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Subjects:
    """Followed patients, and the table about their samples.

    survival : times from time zero (or from the landmark); table : all samples x columns
    outcome : what the event is, as text; censored : which values count as not having had it, with
        how many samples; unit : of the times, "" if it is not known
    excluded : by sample, columns reason and analysis; notes : what was assumed
    """

    survival: Survival
    table: pd.DataFrame
    outcome: str
    censored: str
    unit: str
    excluded: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Endpoint:
    """Columns of the times and events: the user's choice, or what was loaded."""

    time: str
    event: str
    event_value: str
    unit: str


def endpoint(dataset: Dataset, params: SurvivalParams) -> Endpoint:
    """Which columns are meant.

    Raises
    ------
    MissingPart
        There is no clinical table, no times or no events are named.
    InvalidParameter
        It is not known which value means the event.
    """
    clinical = dataset.clinical or Clinical(pd.DataFrame())
    table = sample_table(dataset)
    if not len(table.columns):
        raise MissingPart(
            "There is no clinical table with survival times.",
            advice="Load one on the page Upload, tab Clinical data.",
        )
    time, event = params.time or clinical.time, params.event or clinical.event
    for column, what in ((time, "survival times"), (event, "events")):
        if not column or column not in table.columns:
            raise MissingPart(
                f"The clinical table has no column {column[:60]}."
                if column
                else f"No column of {what} is chosen.",
                advice="Choose it here or on the page Upload, tab Clinical data.",
            )
    value = params.event_value or (clinical.event_value if event == clinical.event else "")
    if not value:
        coding = event_coding(table[event], event)
        value = coding.value if coding.certain else ""
    if not value:
        held = sorted({value_text(v) for v in table[event].dropna()})
        raise InvalidParameter(
            f"It is not known which value of {shorten(event)} means that the event happened"
            f" ({some(held, 4)}).",
            advice="Choose the value.",
        )
    unit = params.unit or (clinical.unit if time == clinical.time else "") or unit_in(time) or ""
    return Endpoint(time, event, value, unit)


def subjects(dataset: Dataset, params: SurvivalParams, samples: Sequence[str]) -> Subjects:
    """The patients that can be followed, and why others cannot.

    Parameters
    ----------
    samples
        Of the run.

    Raises
    ------
    MissingPart, InvalidParameter, BadValues, DataError
        As of :func:`endpoint` and :func:`gui.statistics.survival_data.survival_data`; several
        samples of a patient; something known only later without a landmark.
    """
    named, table = endpoint(dataset, params), sample_table(dataset)
    _refuse_later(params, [SAMPLES] if SAMPLES in params.later else [])
    notes: list[str] = []
    status = cleaned(table[named.event]).map(value_text, na_action="ignore")
    unknown = status.str.casefold().isin(MISSING - {"none", named.event_value.casefold()})
    status = status.mask(unknown.fillna(False).astype(bool), None)
    event = (status == named.event_value).astype(float).where(status.notna())
    patient, how = patients(dataset, samples, params.patient, time=named.time)
    try:
        found = survival_data(
            _times(table[named.time]),
            event,
            samples=samples,
            patient=patient,
            duplicates=params.duplicates,
        )
    except DataError as error:
        if patient is None or "more than one sample" not in str(error):
            raise
        raise DataError(f"{error} {how}".strip(), advice=error.advice) from None
    if patient is not None and params.duplicates != "refuse" and how:
        notes.append(how)
    if params.landmark:
        found = landmark(found, params.landmark)
    if not named.unit:
        notes.append(f"The unit of the times ({shorten(named.time)}) is not known.")
    if not params.time_zero:
        notes.append(
            "It was not said what time zero is: it has to be the same for all patients, and what is"
            " compared has to be known by then."
        )
    excluded = found.excluded.set_index("sample").assign(analysis="everything")
    counts = status.reindex(found.samples).value_counts().drop(named.event_value, errors="ignore")
    censored = some([f"{shorten(value)} ({number(n)})" for value, n in counts.items()], 6)
    if len(counts) > 1:
        notes.append(
            f"All values of {shorten(named.event)} other than {shorten(named.event_value)} count as"
            f" not having had the event: {censored}."
        )
    return Subjects(
        found,
        table,
        f"{named.event} = {named.event_value}",
        censored,
        named.unit,
        excluded,
        (*found.notes, *notes),
    )


def _times(column: pd.Series) -> pd.Series:
    values = cleaned(column)
    if is_number(values):
        return as_numbers(values)
    return values.astype(object).where(values.notna())


# -- covariates
# --------------------------------------------------------------------------------------------------
def covariates(
    found: Subjects, names: Sequence[str], params: SurvivalParams, named: Endpoint
) -> pd.DataFrame:
    """Columns for a model, all followed samples; numbers as they are, text as groups, gaps kept.

    Raises
    ------
    MissingPart
        There is no such column.
    DataError
        The outcome itself, something known only later, or a text of too many values.
    """
    made: dict[str, pd.Series] = {}
    for name in names:
        if name not in found.table.columns:
            raise MissingPart(f"The clinical table has no column {name[:60]}.")
    check_columns(found.table, names, params, named)
    for name in names:
        column = cleaned(found.table[name]).reindex(found.survival.samples)
        if is_number(column):
            made[name] = as_numbers(column)
            continue
        groups = as_groups(column)
        if groups.nunique() > MOST_LEVELS:
            raise DataError(
                f"{shorten(name)} has {number(groups.nunique())} different values: too many groups"
                " for a model.",
                advice="Choose another column.",
            )
        made[name] = groups
    return pd.DataFrame(made, index=found.survival.time.index)


def check_columns(
    table: pd.DataFrame, names: Sequence[str], params: SurvivalParams, named: Endpoint
) -> None:
    """Whether columns may be compared or adjusted for; a missing one is not looked at.

    Raises
    ------
    DataError
        The outcome itself, or something known only later.
    """
    there = [name for name in names if name in table.columns]
    for name in there:
        if name in (named.time, named.event):
            raise DataError(
                f"{shorten(name)} is the outcome itself.", advice="Choose another column."
            )
    _refuse_later(params, there)


def sounds_later(name: str) -> bool:
    """Whether a column's name says that it is known only after time zero, such as a response."""
    return bool(_LATER.search(name))


def _refuse_later(params: SurvivalParams, names: Sequence[str]) -> None:
    """DataError for what is known only after time zero (or after the landmark)."""
    start = params.landmark or 0.0
    for name in names:
        known = params.known_at if name in params.later else None
        if name in params.later and known is None:
            raise DataError(
                f"{shorten(name)} is known only after time zero, so only those who lived until then"
                " have it.",
                advice="Say when it is known, and use a landmark analysis from then on; or leave it"
                " out.",
            )
        if known is not None and known > start:
            refuse_later_covariates({shorten(name): known})
        if known is None and sounds_later(name):
            raise DataError(
                f"{shorten(name)} sounds like something that is known only after time zero; those"
                " who have it lived until then.",
                advice="Say under “Known only later” when it is known (0: at time zero), and use a"
                " landmark analysis from then on; or leave it out.",
            )


def complete(frame: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Samples without a gap; and of the others which column they lack (columns reason)."""
    lacking = frame.isna()
    bad = lacking.any(axis=1)
    reasons = [
        f"no value of {', '.join(str(c) for c in frame.columns[row])}"
        for row in lacking[bad].to_numpy(dtype=bool)
    ]
    return list(frame.index[~bad]), pd.DataFrame({"reason": reasons}, index=frame.index[bad])


def same_reasons(found: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names with the same reason together: (names, reason). found : name -> sentence"""
    by_reason: dict[str, list[str]] = {}
    for name, reason in found.items():
        bare = reason.replace(name, "", 1) if reason.startswith(name) else reason
        by_reason.setdefault(bare.strip(), []).append(name)
    return [(some(names, 12), reason) for reason, names in by_reason.items()]


def groups_of_column(column: pd.Series) -> pd.Series | None:
    """A clinical column as groups for curves; None for numbers of many values."""
    values = cleaned(column)
    if is_number(values) and values.nunique() > FEW_VALUES:
        return None
    groups = as_groups(column)
    if groups.nunique() > MOST_LEVELS:
        raise DataError(
            f"{column.name} has {number(groups.nunique())} different values: too many groups.",
            advice="Choose another column.",
        )
    return groups
