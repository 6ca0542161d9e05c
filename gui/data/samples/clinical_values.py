"""What stands in the columns of a clinical table: numbers, missing values, dates."""

from __future__ import annotations

import re

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
        *(
            "[pending]",
            "[completed]",
            "not evaluated",
            "not allowed to collect",
            "missing",
            "n.a.",
            "n.d.",
        ),
        *("fehlt", "fehlend", "unbekannt", "nicht bekannt", "inconnu", "nd.", "desconocido"),
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
_LONGEST = 60


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


_BOUND = re.compile(r"[<>≤≥]=?\s*([-+]?\d+(?:[.]\d+)?)")


def with_bounds(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Columns of numbers of which some are bounds (<1, >60) as numbers, and their first bounds."""
    found: dict[str, str] = {}
    made = frame.copy()
    for column in frame.columns:
        if frame[column].dtype != object:
            continue
        there = frame[column].dropna().map(lambda v: str(v).strip()[:_LONGEST])
        bounds = there[there.str.match(_BOUND)]
        if not len(bounds) or 2 * len(bounds) > len(there):
            continue
        bare = frame[column].map(
            lambda v: _BOUND.sub(r"\1", str(v).strip()[:_LONGEST]), na_action="ignore"
        )
        numbers, _ = numbers_of(bare)
        if numbers is not None:
            made[column] = numbers
            found[str(column)] = str(bounds.iloc[0])
    return made, found
