"""What stands in the columns of a clinical table: numbers, missing values, dates."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pandas as pd

MISSING = frozenset(
    {
        *(
            "",
            "na",
            "n/a",
            "nan",
            "null",
            "none",
            "#n/a",
            "#na",
            "-",
            "--",
            "'--",
            ".",
            "?",
            "<na>",
        ),
        *("unknown", "not available", "[not available]", "not reported", "[not reported]", "nd"),
        *("not applicable", "[not applicable]", "[unknown]", "[discrepancy]", "[not evaluated]"),
        *("[pending]", "[completed]", "not evaluated", "not allowed to collect", "missing", "n.a."),
        *("unavailable", "#value!", "#div/0!", "nat", "not recorded", "k.a.", "'-", "—", "–"),
    }
)
"""Spellings of a missing value, without case. '-- is GDC's, [Not Available] TCGA's."""
UNITS = ("days", "weeks", "months", "years")
_NUMBER = re.compile(r"[-+]?(\d+([.]\d*)?|[.]\d+)([eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_WITH_UNIT = re.compile(
    r"([-+]?\d+(?:[.,]\d+)*) ?(d|days?|w|wks?|weeks?|m|mo|mos|months?|y|yrs?|years?)\.?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})(?:[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_LONGEST = 60
_START = re.compile(
    r"diagnos|surg|operation|enrol|baseline|random|start|birth|inclusion|entry|treat"
)
_END = re.compile(r"death|died|last|follow|censor|end|progress|relapse|recur|event|contact")
MAX_PAIRS = 4


def typed(text: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns of text as numbers where all are, missing values marked; and the columns that had a
    decimal comma.
    """
    made: dict[str, pd.Series] = {}
    commas = []
    for column in text.columns:
        values = text[column].where(~text[column].str.casefold().isin(MISSING), None)
        numbers, comma = numbers_of(values)
        commas += [str(column)] if comma else []
        made[column] = values.astype(object) if numbers is None else numbers
    return pd.DataFrame(made, index=text.index, columns=text.columns), tuple(commas)


def numbers_of(values: pd.Series) -> tuple[pd.Series | None, bool]:
    """Texts as numbers if all are some (None if not), and whether they have a decimal comma.

    1,533 beside numbers without a comma is one thousand and more: it is read so only where no
    other comma can be meant.
    """
    there = values.dropna().map(lambda v: str(v)[:_LONGEST])
    if not len(there):
        return None, False
    commas = there.map(lambda v: bool(_COMMA.fullmatch(v))).astype(bool)
    plain = there.map(lambda v: bool(_NUMBER.fullmatch(v))).astype(bool)
    grouped = there.map(lambda v: bool(_THOUSANDS.fullmatch(v))).astype(bool)
    if (commas | plain).all() and not (commas.any() and grouped[commas].all()):
        return _made(values, lambda v: v.replace(",", ".")), bool(commas.any())
    if (grouped | plain).all() and grouped.any() and _is_thousands(there, grouped, plain):
        return _made(values, lambda v: v.replace(",", "")), False
    return None, False


def is_number(value: object) -> bool:
    """Whether a text is a plain number."""
    return bool(_NUMBER.fullmatch(str(value)[:_LONGEST]))


def _is_thousands(there: pd.Series, grouped: pd.Series, plain: pd.Series) -> bool:
    """Whether the commas group thousands for certain: one has a decimal point or two groups."""
    sure = there[grouped].map(lambda v: "." in v or v.count(",") > 1).any()
    # 812 and 1,533: as decimals the numbers with a comma would be the smallest by far
    whole = there[plain]
    large = bool((whole.map(float) >= 100).any()) and not any("." in v for v in whole)
    return bool(sure or (len(whole) and large))


def _made(values: pd.Series, change: object) -> pd.Series:
    return values.map(
        lambda v: float(change(v)),  # type: ignore[operator]
        na_action="ignore",
    ).astype(np.float64)


def without_units(values: pd.Series) -> tuple[pd.Series, str] | None:
    """Numbers of texts like 12 months, and the unit; None if not all are so, with one unit."""
    there = values.dropna().map(lambda v: str(v).strip()[:_LONGEST])
    found = [_WITH_UNIT.fullmatch(v) for v in there]
    if not found or any(f is None for f in found):
        return None
    units = {_unit_of(f[2]) for f in found if f is not None}
    if len(units) != 1:
        return None
    bare = pd.Series([f[1] for f in found if f is not None], index=there.index, dtype=object)
    numbers, _ = numbers_of(bare)
    if numbers is None:  # 1,533 days may be one day and a half
        return None
    return numbers.reindex(values.index), units.pop()


def _unit_of(text: str) -> str:
    return next(unit for unit in UNITS if unit.startswith(text[0].lower()))


# -- dates
# --------------------------------------------------------------------------------------------------


def dates_of(values: pd.Series) -> pd.Series | None:
    """Texts as dates; None if not all are some, or if day and month cannot be told apart."""
    there = values.dropna().map(lambda v: str(v).strip()[:_LONGEST])
    found = [_DATE.fullmatch(v) for v in there]
    if len(found) < 2 or any(f is None for f in found):
        return None
    parts = [(f[1], f[3], f[4], f[2]) for f in found if f is not None]
    if all(len(a) == 4 for a, _, _, _ in parts):
        order = "ymd"
    elif all(len(c) == 4 for _, _, c, _ in parts):
        first, second = (max(int(p[i]) for p in parts) for i in (0, 1))
        if parts[0][3] == ".":
            order = "dmy"
        elif first > 12 >= second or second > 12 >= first:
            order = "dmy" if first > 12 else "mdy"
        else:
            return None
    else:
        return None
    made = pd.Series(np.nan, index=values.index)
    try:
        days = [datetime.date(*(int(p[order.index(k)]) for k in "ymd")).toordinal() for p in parts]
    except ValueError:
        return None
    made.loc[there.index] = days
    return made


def times_between(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Days between two columns of dates: name of the new column -> times. Of many columns only
    those whose names say that one begins and the other ends the observation.
    """
    dates = {
        str(c): days
        for c in frame.columns
        if frame[c].dtype == object and (days := dates_of(frame[c])) is not None
    }
    made: dict[str, pd.Series] = {}
    for start, end in permutations(dates, 2):
        named = bool(_START.search(start.lower())) and bool(_END.search(end.lower()))
        if (named or len(dates) == 2) and len(made) < MAX_PAIRS:
            times = dates[end] - dates[start]
            if (times.dropna() >= 0).all() and (times.dropna() > 0).any():
                made[f"days from {start} to {end}"] = times
    return made


def columns_of_dates(frame: pd.DataFrame) -> Sequence[str]:
    """The columns that hold dates."""
    return [
        str(c) for c in frame.columns if frame[c].dtype == object and dates_of(frame[c]) is not None
    ]
