"""Names and numbers as they stand in figures: cut, inert, three significant digits."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

LONGEST = 28
RESIDUE = 1e-10
"""Fractions, correlations and other quantities of order one that are nearer to 0 than this are 0:
what rounding leaves (4.06e-17), not a result.
"""
RMSE = "RMSE (percentage points)"
"""Header of every column of root mean square errors on screen, in reports and in the files of
tables.
"""
LEAST_COEFFICIENT = 0.0005
"""Correlations nearer to 0 than this are 0: in three decimals nobody could tell them apart."""
LEAST_PERCENT = 0.01
"""Percentages of a composition nearer to 0 than this are shown as "< 0.01": none is known that
well.

(A gene's fraction of an expression is.)
"""


def inert(name: object) -> str:
    """Return the name as plain text: plotly interprets tags and entities in any text."""
    text = re.sub(r"\s+", " ", str(name))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(name: object, longest: int = LONGEST, *, middle: bool = False) -> str:
    """Cut the name to ``longest`` characters, with an ellipsis at its end or in the middle.

    Sample names differ at their end. The result is not yet inert.
    """
    text = re.sub(r"\s+", " ", str(name))
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2 if middle else 0
    return text[: longest - 1 - tail].rstrip() + "…" + (text[-tail:].lstrip() if tail else "")


def shorten(text: str, length: int = 28) -> str:
    """A long name in a sentence of a page, cut; not made inert. Show the whole on hover."""
    return text if len(text) <= length else text[: length - 1].rstrip(" .") + "…"


def labels(names: Sequence[object], longest: int = LONGEST) -> list[str]:
    """Cut and inert."""
    return [inert(short(n, longest)) for n in names]


def three(value: float) -> str:
    """Format three significant digits: 0.0123, 12.3, 1230, 1.23e-9."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        rounded = float(f"{value:.3g}")
        digits = max(0, 2 - math.floor(math.log10(abs(rounded))))
        return f"{rounded:.{digits}f}"
    return exponent(value)


def p_text(p: float) -> str:
    """A p-value as it is written: 0.0123, < 0.0001; "–" if unknown."""
    if not math.isfinite(p):
        return "–"
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"


def settled(values: Any) -> Any:
    """Return a copy with 0 in place of rounding errors (``RESIDUE``), of the same type.

    For quantities of order one: an array, a Series or a frame.
    """
    small = abs(values) < RESIDUE  # False for what is not a number
    return (
        np.where(small, 0.0, values) if isinstance(values, np.ndarray) else values.mask(small, 0.0)
    )


def coefficient(value: float) -> str:
    """A correlation or the like: three significant digits, 0 for what is 0 in three decimals."""
    return three(0.0 if abs(value) < LEAST_COEFFICIENT else value)


def percentage(fraction: float) -> str:
    """Format a fraction as percent without the sign: "5.71", "0", "< 0.01"; "–" if unknown."""
    if not math.isfinite(fraction):
        return "–"
    value = 100 * fraction
    if abs(fraction) < RESIDUE:
        return "0"
    if abs(value) < LEAST_PERCENT:
        return f"< {LEAST_PERCENT}" if value > 0 else f"> -{LEAST_PERCENT}"
    return three(value)


def percent(fraction: float) -> str:
    """Format a fraction in a sentence: "24 %", "3.4 %", "< 0.01 %"; "unknown" if unknown."""
    if not math.isfinite(fraction):
        return "unknown"
    value = 100 * fraction
    if abs(value) < LEAST_PERCENT:
        return f"{percentage(fraction)} %"
    digits = 2 if abs(value) < 0.095 else 1 if abs(value) < 9.95 else 0
    return f"{value:.{digits}f} %"


def exponent(value: float) -> str:
    """e-notation with three significant digits and no padding: 1e-9, 3.16e-12."""
    mantissa, power = f"{value:.2e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(power)}" if int(power) else mantissa


def natural(name: object) -> list[tuple[int, int, str]]:
    """Sort key that puts pbmc_2 before pbmc_10."""
    parts = re.findall(r"\d+|\D+", str(name))
    return [
        (0, int(p), "") if p.isdecimal() and len(p) < 19 else (1, 0, p.casefold()) for p in parts
    ]
