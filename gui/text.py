"""Numbers, names and sizes as users read them, and numbers as users type them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from gui.errors import InvalidParameter

GERMAN_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]*")
ENGLISH_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*")
ONE_OR_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
"""“1,000” is one to a German and a thousand to an American."""


def parse_number(text: str) -> float:
    """The number that a person typed: “0.5”, “0,5”, “1e-9”, “1,5e-9”, “1.234,5”, “1,234.5”.

    The one place where a typed number is read; a point alone is always the decimal point.

    Raises
    ------
    InvalidParameter
        It is no number, it is not finite, or “1,000” may be 1 or 1000.
    """
    typed = text.strip().replace("\u2212", "-")[:100]
    if ONE_OR_THOUSANDS.fullmatch(typed):
        plain = typed.replace(",", "")
        several = typed.count(",") > 1
        point = "" if several else typed.replace(",", ".")
        raise InvalidParameter(
            f"“{shorten(typed, 20)}” may be one number or another.",
            advice=f"Write {plain} or {point}: the comma may mean either."
            if point
            else f"Write {plain}.",
        )
    if GERMAN_THOUSANDS.fullmatch(typed):
        plain = typed.replace(".", "").replace(",", ".")
    elif ENGLISH_THOUSANDS.fullmatch(typed):
        plain = typed.replace(",", "")
    else:
        plain = typed.replace(",", ".")
    try:
        # Python would also take 1_000, and digits of other scripts
        value = float(plain) if plain.isascii() and "_" not in plain else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidParameter(
            f"“{shorten(typed, 20)}” is not a number.", advice="Write it like 0.5, 0,5 or 1e-9."
        )
    return value


def decimal_text(value: float) -> str:
    """A float as a person reads it, six digits: 1e-9, 1e-3, 0.05, 1."""
    return _plain(f"{value:.6g}" if value == 0 or 0.01 <= abs(value) < 1e5 else f"{value:.5e}")


def exact(value: float) -> str:
    """Return the number with every digit needed to get the same number back."""
    shown = decimal_text(value)
    return shown if float(shown) == value else _plain(repr(float(value)))


def _plain(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    if exponent and "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if exponent and int(exponent) else mantissa


def number(n: int) -> str:
    """4245 -> "4 245", with a blank that does not break."""
    return f"{n:,}".replace(",", "\u00a0")


def shorten(name: object, limit: int = 60) -> str:
    """A name fit for a sentence: short, on one line."""
    text = "".join(c if c.isprintable() else " " for c in str(name))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def some(
    names: Iterable[object], limit: int = 3, *, longest: int | None = 60, total: int = 0
) -> str:
    """The first ``limit`` names, then "and N more".

    longest : letters of each name; None: they are cut already
    total : how many there are, where ``names`` are only some of them
    """
    found = list(names)
    shown = [str(n) if longest is None else shorten(n, longest) for n in found[:limit]]
    more = max(total, len(found)) - len(shown)
    if more > 0:
        return f"{', '.join(shown)} and {number(more)} more"
    return (
        shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""
    )


def size_words(size: int) -> str:
    """12 kB, 3.4 MB, 1.2 GB (decimal, as file managers show them)."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            scaled = size / factor
            return f"{scaled:.2g} {unit}" if scaled < 10 else f"{scaled:.0f} {unit}"
    return f"{size} bytes"


def numbered(names: Sequence[str]) -> list[str]:
    """Names without repetition: "my.gmt", "my.gmt (2)"."""
    found: list[str] = []
    for name in names:
        title, n = name, 1
        while title in found:
            n += 1
            title = f"{name} ({n})"
        found.append(title)
    return found
