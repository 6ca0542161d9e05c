"""Names and numbers as they stand in figures: cut, inert, three significant digits."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

LONGEST = 28


def inert(name: object) -> str:
    """The name as plain text: plotly reads ``<b>``, ``<a href>``, ``<br>`` and entities in any text."""
    text = re.sub(r"\s+", " ", str(name))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(name: object, longest: int = LONGEST, *, middle: bool = False) -> str:
    """The name cut to ``longest`` characters, an ellipsis at its end or in its middle (samples differ at their end); not yet inert."""
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
    """Three significant digits, without an exponent where that stays short: 0.0123, 12.3, 1230, 1.23e-9."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        rounded = float(f"{value:.3g}")
        digits = max(0, 2 - math.floor(math.log10(abs(rounded))))
        return f"{rounded:.{digits}f}"
    return exponent(value)


def exponent(value: float) -> str:
    """e-notation with three significant digits and no padding: 1e-9, 3.16e-12."""
    mantissa, power = f"{value:.2e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(power)}" if int(power) else mantissa


def natural(name: object) -> list[tuple[int, int, str]]:
    """Sort key that puts pbmc_2 before pbmc_10."""
    parts = re.findall(r"\d+|\D+", str(name))
    return [(0, int(p), "") if p.isdecimal() and len(p) < 19 else (1, 0, p.casefold()) for p in parts]
