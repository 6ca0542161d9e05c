"""Layouts of clinical tables that are brought to one column for each variable.

Characteristics of GEO, a row of units below the header, codes for missing values, and times that
are marked with + where the patient was still alive.
"""

from __future__ import annotations

import re

import pandas as pd

from gui.data.samples.clinical_values import numbers_of
from gui.text import number, shorten, some

_CHARACTERISTICS = re.compile(r"characteristics(?:[_ ]ch1)?(?:[._]\d+)?", re.I)
_UNIT_WORDS = re.compile(
    r"\(?\[?(days?|weeks?|months?|years?|d|mo|mos|y|yrs?|tage|monate|jahre|jours|mois|ans|meses|"
    r"0/1|yes/no|y/n|%|n|m/f|text|number|string|boolean|date|unit|units)\]?\)?",
    re.I,
)
_CODES = {"9", "99", "999", "8", "88", "-1", "-8", "-9", "-88", "-99", "-999"}
_PLUS = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s?\+")
_NINES = re.compile(r"9{3,6}")
_LONGEST = 60
CENSORED_BY_MARK = "event (times without +)"


def with_characteristics(text: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """GEO's columns of ``key: value`` as one column for each key, and a sentence ("" without any).

    The keys may stand in another order in every sample. GEOquery's ``age:ch1`` becomes ``age``.
    """
    named = {c: str(c).removesuffix(":ch1") for c in text.columns if str(c).endswith(":ch1")}
    if len(set(named.values()) - set(text.columns)) == len(named):
        text = text.rename(columns=named)
    columns = [c for c in text.columns if _CHARACTERISTICS.fullmatch(str(c))]
    pairs = [
        [str(v).partition(":") for v in row if ":" in str(v)]
        for row in text[columns].itertuples(index=False)
    ]
    if not columns or not all(pairs):
        return text, ""
    rows = [{k.strip(): v.strip() for k, _, v in row} for row in pairs]
    keys = [k for k in dict.fromkeys(k for row in rows for k in row) if k not in text.columns]
    made = {k: [row.get(k, "") for row in rows] for k in keys}
    more = pd.DataFrame(made, index=text.index, columns=pd.Index(keys, dtype=object), dtype=object)
    said = f"The characteristics of the samples were read: {some(keys, 4)}."
    return pd.concat([text.drop(columns=columns), more], axis=1), said


def without_unit_row(text: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str], str]:
    """Without a first row of units, the units by column, and a sentence ("" without such a row)."""
    if len(text) < 3:
        return text, {}, ""
    row = {str(c): str(text[c].iloc[0]).strip() for c in text.columns}
    filled = {c: v for c, v in row.items() if v}
    if (
        not filled
        or str(text.iloc[0, 0]).strip()
        or not all(_UNIT_WORDS.fullmatch(v[:_LONGEST]) for v in filled.values())
    ):
        return text, {}, ""
    units = {c: v.strip("()[]").lower() for c, v in filled.items()}
    return text.iloc[1:].reset_index(drop=True), units, "1 row of units left out."


def without_codes(column: pd.Series, values: frozenset[str]) -> tuple[pd.Series, str]:
    """Events without the codes that stand for missing values beside 0 and 1 (9, 99, -1), and
    which; values : those of the column, as text.
    """
    events = next((e for e in ({"0", "1"}, {"1", "2"}) if e <= values), None)
    if events is None or not values - events or not values - events <= _CODES:
        return column, ""
    codes = sorted(values - events)
    missing = column.map(lambda v: f"{float(v):g}" in codes, na_action="ignore").fillna(False)
    return column.mask(missing.astype(bool)), some(codes)


def without_nines(times: pd.Series) -> tuple[pd.Series, str]:
    """Times without 999, 9999 and the like where these are far beyond all others; and which."""
    top = times.max()
    if not _NINES.fullmatch(f"{top:.10g}"):
        return times, ""
    others = times[times < top]
    if len(others) < 3 or 2 * others.max() > top:
        return times, ""
    return times.mask(times == top), f"{top:.10g}"


def with_marked_times(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Times such as 12.3+ as numbers, with a column that says who had the event; and the columns.

    R prints the times of those without an event so.
    """
    made, found = frame, []
    for column in frame.columns:
        if frame[column].dtype != object or CENSORED_BY_MARK in made.columns:
            continue
        there = frame[column].dropna().map(lambda v: str(v).strip()[:_LONGEST])
        marked = there.map(lambda v: bool(_PLUS.fullmatch(v))).astype(bool)
        if not marked.any():
            continue
        numbers, _ = numbers_of(there.map(lambda v: v.rstrip("+ ")))
        if numbers is None:
            continue
        made = made.copy() if made is frame else made
        made[column] = numbers.reindex(frame.index)
        made[CENSORED_BY_MARK] = marked.map({True: "no", False: "yes"}).reindex(frame.index)
        found.append(str(column))
    return made, found


def said_of_codes(column: str, codes: str, count: int) -> str:
    """The sentence on codes that were taken for missing values."""
    return (
        f"{codes} in {shorten(column, 40)} {'is' if ',' not in codes else 'are'} taken for a"
        f" missing value ({number(count)} row{'s' if count != 1 else ''})."
    )
