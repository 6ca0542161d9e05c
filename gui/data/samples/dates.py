"""Dates in clinical tables: which column holds some, and the times between two of them.

Of 03/04/2019 the day is known only where another date of the table tells the order.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pandas as pd

_LONGEST = 60
_DATE = re.compile(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})(?:[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_START = re.compile(
    r"diagnos|surg|operation|enrol|baseline|random|start|birth|inclusion|entry|treat"
)
_END = re.compile(r"death|died|last|follow|censor|end|progress|relapse|recur|event|contact")
_NO_DATE = re.compile(r"days|weeks|months|years|time|age|status|score", re.I)
_SERIALS = (10_000, 80_000)
"""Excel's numbers of days: 1927 to 2119."""
MAX_PAIRS = 4


def with_dates(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with Excel's numbers of days as dates, and the columns that held some."""
    made, found = frame, []
    for column in frame.columns:
        name = str(column)
        told = bool(re.search(r"date|datum|(?:^|_)dt(?:$|_)", name, re.I))
        both = bool(_START.search(name.lower()) or _END.search(name.lower()))
        if frame[column].dtype.kind != "f" or not (told or both) or _NO_DATE.search(name):
            continue
        there = frame[column].dropna()
        if len(there) > 1 and there.between(*_SERIALS).all() and (there % 1 == 0).all():
            made = made.copy() if made is frame else made
            made[column] = frame[column].map(_of_serial, na_action="ignore").astype(object)
            found.append(name)
    return made, found


def _of_serial(days: float) -> str:
    return (datetime.date(1899, 12, 30) + datetime.timedelta(days=int(days))).isoformat()


def _parts(values: pd.Series) -> list[tuple[str, str, str, str]]:
    """First, second and third number of every date, and the mark; empty if not all are dates."""
    there = values.dropna().map(lambda v: str(v).strip()[:_LONGEST])
    found = [_DATE.fullmatch(v) for v in there]
    if len(found) < 2 or any(f is None for f in found):
        return []
    return [(f[1], f[3], f[4], f[2]) for f in found if f is not None]


def _order(parts: Sequence[tuple[str, str, str, str]]) -> str:
    """ "ymd", "dmy" or "mdy" as the dates themselves tell; "" where they do not."""
    if not parts:
        return ""
    if all(len(a) == 4 for a, _, _, _ in parts):
        return "ymd"
    if not all(len(c) == 4 for _, _, c, _ in parts):
        return ""
    first, second = (max(int(p[i]) for p in parts) for i in (0, 1))
    if parts[0][3] == ".":
        return "dmy"
    if first > 12 >= second or second > 12 >= first:
        return "dmy" if first > 12 else "mdy"
    return ""


def dates_of(values: pd.Series, usual: str = "") -> pd.Series | None:
    """Texts as dates (ordinal days); None if not all are some, or if day and month cannot be told
    apart.

    usual : the order of the other dates of the table
    """
    parts = _parts(values)
    order = _order(parts)
    if parts and not order and all(len(c) == 4 for _, _, c, _ in parts):
        order = usual
    if not order:
        return None
    made = pd.Series(np.nan, index=values.index)
    try:
        days = [datetime.date(*(int(p[order.index(k)]) for k in "ymd")).toordinal() for p in parts]
    except ValueError:
        return None
    made.loc[values.dropna().index] = days
    return made


def _usual(frame: pd.DataFrame) -> str:
    """The order that all dates of the table have which tell one; "" where they differ."""
    orders = {
        order
        for c in frame.columns
        if frame[c].dtype == object and (order := _order(_parts(frame[c]))) in ("dmy", "mdy")
    }
    return orders.pop() if len(orders) == 1 else ""


def _all_dates(frame: pd.DataFrame) -> dict[str, pd.Series]:
    usual = _usual(frame)
    return {
        str(c): days
        for c in frame.columns
        if frame[c].dtype == object and (days := dates_of(frame[c], usual)) is not None
    }


def times_between(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Days between two columns of dates: name of the new column -> times. Of many columns only
    those whose names say that one begins and the other ends the observation.
    """
    dates = _all_dates(frame)
    made: dict[str, pd.Series] = {}
    for start, end in permutations(dates, 2):
        named = bool(_START.search(start.lower())) and bool(_END.search(end.lower()))
        if (named or len(dates) == 2) and len(made) < MAX_PAIRS:
            times = dates[end] - dates[start]
            if (times.dropna() >= 0).all() and (times.dropna() > 0).any():
                made[f"days from {start} to {end}"] = times
    return made


def columns_of_dates(frame: pd.DataFrame) -> list[str]:
    """The columns that hold dates."""
    return list(_all_dates(frame))


def unclear_dates(frame: pd.DataFrame) -> list[str]:
    """The columns of dates of which it cannot be told what is the day and what the month."""
    known = _all_dates(frame)
    return [
        str(c)
        for c in frame.columns
        if str(c) not in known and frame[c].dtype == object and _parts(frame[c])
    ]
