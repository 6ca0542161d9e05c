"""Joins samples by name where the names are spelled differently: case, dots against dashes, numbers as text, long barcodes by prefix. Ambiguity is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WAYS: dict[str, str] = {
    "exact": "as they are",
    "number": "when numbers written as text are compared as numbers",
    "spelling": "when “.”, “-”, “_” and blanks count as the same, and case as none",
    "prefix": "when longer names are compared by their beginning",
}
"""How names were found to be the same, from the surest way to the boldest."""


@dataclass(frozen=True)
class Join:
    """rows : sample -> position of its row; ways : way -> number of samples joined by it; ambiguous : sample -> positions that fit equally well

    shared : row positions that several samples were joined to; missing : samples without a row; unused : positions of rows without a sample
    """

    rows: Mapping[str, int]
    ways: Mapping[str, int] = field(default_factory=dict)
    ambiguous: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    shared: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[int, ...] = ()


def join(samples: Sequence[str], names: Sequence[str]) -> Join:
    """Every sample with its row among ``names``. A way is used for what the surer ways left over."""
    rows: dict[str, int] = {}
    ways: dict[str, int] = {}
    ambiguous: dict[str, tuple[int, ...]] = {}
    ladder: tuple[tuple[str, Callable[[str], str]], ...] = (("exact", str.strip), ("number", _number), ("spelling", plain))
    for way, same in ladder:
        known = _positions(names, same)
        left = [s for s in samples if s not in rows and s not in ambiguous]
        _take(way, {s: known.get(same(s), ()) for s in left}, rows, ways, ambiguous)
    spelled = [plain(n) for n in names]
    left = [s for s in samples if s not in rows and s not in ambiguous]
    if left:
        _take("prefix", {s: tuple(i for i, n in enumerate(spelled) if _begins(plain(s), n)) for s in left}, rows, ways, ambiguous)
    used = list(rows.values())
    return Join(
        rows,
        ways,
        ambiguous,
        tuple(sorted({r for r in used if used.count(r) > 1})),
        tuple(s for s in samples if s not in rows and s not in ambiguous),
        tuple(i for i in range(len(names)) if i not in set(used) and not any(i in found for found in ambiguous.values())),
    )


def plain(name: str) -> str:
    """Without case, and with one dash for every run of dots, dashes, underscores and blanks."""
    return re.sub(r"[\s._\-/]+", "-", name.strip()).casefold().strip("-")


def _number(name: str) -> str:
    text = name.strip()
    try:
        return f"{float(text):.15g}" if re.fullmatch(r"[-+]?\d+(\.0*)?", text) else text
    except ValueError:
        return text


def _begins(one: str, other: str) -> bool:
    """Whether the longer begins with the shorter and a new section follows; never for names of less than 4 characters."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and long.startswith(f"{short}-")


def _positions(names: Iterable[str], same: Callable[[str], str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for i, name in enumerate(names):
        found[same(name)] = (*found.get(same(name), ()), i)
    return found


def _take(way: str, candidates: Mapping[str, tuple[int, ...]], rows: dict[str, int], ways: dict[str, int], ambiguous: dict[str, tuple[int, ...]]) -> None:
    for sample, found in candidates.items():
        if len(found) == 1:
            rows[sample] = found[0]
            ways[way] = ways.get(way, 0) + 1
        elif found:
            ambiguous[sample] = found
