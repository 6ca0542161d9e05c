"""Joins samples by name where the names are spelled differently: case, dots against dashes, numbers
as text, long barcodes by prefix, a patient's number within a sample's name.

Ambiguity is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gui.data.readers.textfile import UNSEEN

_LONGEST = 200
"""Characters of a beginning that is compared: no name of a patient is longer, and a name of
thousands of dashes would take its square in memory.
"""
_VIAL = re.compile(r"^((?:tcga|target|cptac)(?:-[a-z0-9]{1,10}){2}-\d\d)[a-z](?=-|$)")
WAYS: dict[str, str] = {
    "exact": "as they are",
    "number": "when numbers written as text are compared as numbers",
    "spelling": "when “.”, “-”, “_” and blanks count as the same, and case as none",
    "r-name": "without the X that R puts before names that begin with a digit",
    "marks": "when marks between letters and numbers are left out (PT-01 is PT01)",
    "prefix": "when longer names are compared by their beginning",
    "section": "when one name is a part of the other, and zeros before a number do not count",
}
"""How names were found to be the same, from the surest way to the boldest."""


@dataclass(frozen=True)
class Join:
    """rows : sample -> position of its row; ways : way -> number of samples joined by it; ambiguous
    : sample -> positions that fit equally well

    shared : row positions that several samples were joined to; missing : samples without a row;
    unused : positions of rows without a sample; normal : samples
    of normal tissue that are not joined because the patient's tumour is
    """

    rows: Mapping[str, int]
    ways: Mapping[str, int] = field(default_factory=dict)
    ambiguous: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    shared: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[int, ...] = ()
    normal: tuple[str, ...] = ()


def join(samples: Sequence[str], names: Sequence[str]) -> Join:
    """Every sample with its row among ``names``.

    A way is used for what the surer ways left over.
    """
    rows: dict[str, int] = {}
    ways: dict[str, int] = {}
    ambiguous: dict[str, tuple[int, ...]] = {}
    ladder: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("exact", str.strip),
        ("number", _number),
        ("spelling", plain),
        ("r-name", _without_x),
        ("marks", _tokens),
    )
    for way, same in ladder:
        known = _positions(names, same)
        left = [s for s in samples if s not in rows and s not in ambiguous]
        _take(way, {s: tuple(known.get(same(s), ())) for s in left}, rows, ways, ambiguous)
    left = [s for s in samples if s not in rows and s not in ambiguous]
    if left:
        _take("prefix", _by_beginning(left, names), rows, ways, ambiguous)
    left = [s for s in left if s not in rows and s not in ambiguous]
    if left:
        whole = {s: _without_vial(s) for s in left}
        found = _by_beginning(list(whole.values()), [_without_vial(n) for n in names])
        _take("prefix", {s: found[whole[s]] for s in left}, rows, ways, ambiguous)
    if not rows and not ambiguous:
        _take("section", _by_section(samples, names), rows, ways, ambiguous)
    used = Counter(rows.values())
    unclear = {i for found in ambiguous.values() for i in found}
    return Join(
        rows,
        ways,
        ambiguous,
        tuple(sorted(r for r, count in used.items() if count > 1)),
        tuple(s for s in samples if s not in rows and s not in ambiguous),
        tuple(i for i in range(len(names)) if i not in used and i not in unclear),
    )


def plain(name: str) -> str:
    """Without case, quotes and invisible characters, and with one dash for every run of dots,
    dashes, underscores and blanks; é is the same in one character and in two.
    """
    text = name if name.isascii() else unicodedata.normalize("NFC", name).translate(UNSEEN)
    return re.sub(r"[\s._\-/]+", "-", text.strip("\"'“”‘’ \t\n\r\u00a0")).casefold().strip("-")


def _without_x(name: str) -> str:
    """plain, and X101-T as 101-T."""
    text = plain(name)
    return text[1:].lstrip("-") if text[:1] == "x" and text[1:].lstrip("-")[:1].isdigit() else text


def _without_vial(name: str) -> str:
    """plain, and TCGA's TCGA-A1-4000-01A-11R as tcga-a1-4000-01-11r: Xena cuts the vial off."""
    return _VIAL.sub(r"\1", plain(name))


def _tokens(name: str) -> str:
    """The runs of letters and of digits: pt|01 for PT01, PT-01 and pt 01."""
    text = unicodedata.normalize("NFC", name[:_LONGEST]).casefold()
    return "|".join(re.findall(r"[^\W\d_]+|\d+", text)) or plain(name)


def _parts(name: str) -> tuple[str, ...]:
    """The runs of letters and of digits, without zeros before a number."""
    return tuple(
        part.lstrip("0") or "0" if part.isdigit() else part for part in _tokens(name).split("|")
    )


def _by_section(samples: Sequence[str], names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The positions of the names that are the same section of all samples, or the other way round:
    Pat. 7 for IMM_Pat007_PBMC.

    Nothing where it is not clear: sections at several places, one name for several rows, fewer than
    half of the samples, or numbers that only count the rows.
    """
    if all(name.strip() == str(i) for i, name in enumerate(names, 1)):
        return {}
    of_samples, of_names = [_parts(s) for s in samples], [_parts(n) for n in names]
    within = _sections(of_samples, of_names)
    if not within:
        within = [(name, sample) for sample, name in _sections(of_names, of_samples)]
    made: dict[str, tuple[int, ...]] = dict.fromkeys(samples, ())
    for at, position in within:
        made[samples[at]] = (*made[samples[at]], position)
    found = [rows for rows in made.values() if rows]
    clear = all(len(rows) == 1 for rows in found) and 2 * len(found) >= len(samples)
    return made if clear and len(found) > 1 else {}


def _sections(
    long: Sequence[tuple[str, ...]], short: Sequence[tuple[str, ...]]
) -> list[tuple[int, int]]:
    """(long, short) for every short one that is a section of a long one, if all of these begin at
    the same place and no two short ones are equal.
    """
    known = defaultdict[str, list[int]](list)
    for j, parts in enumerate(short):
        known["|".join(parts)].append(j)
    lengths = sorted({len(parts) for parts in short})
    starts, pairs = set[int](), list[tuple[int, int]]()
    for i, parts in enumerate(long):
        for start in range(len(parts)):
            for length in (n for n in lengths if start + n <= len(parts)):
                found = known.get("|".join(parts[start : start + length]), [])
                if len(found) > 1 or (found and starts - {start}):
                    return []
                starts.update([start] * len(found))
                pairs.extend((i, j) for j in found)
    return pairs


def without_normals(joined: Join, samples: Sequence[str]) -> Join:
    """Without the normal samples of patients whose tumour is joined to the same row.

    By TCGA's barcodes: 01 to 09 in the fourth section is a tumour, 10 to 19 normal tissue.
    """
    shared = set(joined.shared)
    of = {str(s): joined.rows.get(str(s), -1) for s in samples}
    tumours = {row for s, row in of.items() if row in shared and _sample_type(s) == "tumour"}
    normal = tuple(s for s, row in of.items() if row in tumours and _sample_type(s) == "normal")
    if not normal:
        return joined
    rows = {s: row for s, row in joined.rows.items() if s not in normal}
    used = Counter(rows.values())
    still = tuple(sorted(r for r, count in used.items() if count > 1))
    return replace(joined, rows=rows, shared=still, normal=normal)


def _sample_type(name: str) -> str:
    sections = plain(name).split("-")
    if len(sections) < 4 or sections[0] not in ("tcga", "target", "cptac"):
        return ""
    code = sections[3][:2]
    if not (code.isascii() and code.isdigit()):
        return ""
    return "tumour" if 1 <= int(code) <= 9 else "normal" if 10 <= int(code) <= 19 else ""


def _number(name: str) -> str:
    text = name.strip()
    try:
        return f"{float(text):.15g}" if re.fullmatch(r"[-+]?\d+(\.0*)?", text) else text
    except ValueError:
        return text


def _by_beginning(samples: Sequence[str], names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The positions of the names that begin with a sample, or with which it begins, where a new
    section follows; never with less than 4 characters.
    """
    spelled = [plain(n) for n in names]
    whole, begun = _positions(spelled, str), defaultdict[str, list[int]](list)
    for i, name in enumerate(spelled):
        for start in _beginnings(name):
            begun[start].append(i)
    made = {}
    for sample in samples:
        text = plain(sample)
        shorter = [i for start in _beginnings(text) for i in whole.get(start, ())]
        made[sample] = tuple(sorted([*shorter, *begun.get(text, ())]))
    return made


def _beginnings(name: str) -> list[str]:
    """What comes before each dash, from 4 to ``_LONGEST`` characters."""
    return [
        name[:at] for at, letter in enumerate(name[: _LONGEST + 1]) if letter == "-" and at >= 4
    ]


def _positions(names: Iterable[str], same: Callable[[str], str]) -> dict[str, list[int]]:
    found = defaultdict[str, list[int]](list)
    for i, name in enumerate(names):
        found[same(name)].append(i)
    return dict(found)


def _take(
    way: str,
    candidates: Mapping[str, tuple[int, ...]],
    rows: dict[str, int],
    ways: dict[str, int],
    ambiguous: dict[str, tuple[int, ...]],
) -> None:
    for sample, found in candidates.items():
        if len(found) == 1:
            rows[sample] = found[0]
            ways[way] = ways.get(way, 0) + 1
        elif found:
            ambiguous[sample] = found
