"""Numbers, names and sizes as they are written in sentences for the user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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
