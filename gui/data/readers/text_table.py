"""Reads a table of text: any columns, any separator.

And tables of pairs: old name -> new name, for genes and for cell types.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from gui.data.readers.archive import is_archive, read_members, table_names
from gui.data.readers.layout import is_number
from gui.data.readers.sniff import first_bytes, looks_like, unzipped_head, way_out
from gui.data.readers.textfile import decoded, text_limit, text_of
from gui.errors import UnreadableFile
from gui.knowledge.identifiers import holds_transcripts, without_version
from gui.text import shorten, some

_SEPARATORS = ("\t", ";", ",", "|", " ")
_TITLES = 5
"""Lines above the header that are looked at."""
_MARKS = ",;|\t "
_WANTED = (
    "Give a table whose first line holds the column names, separated by commas, semicolons or tabs."
)


def read_text_table(
    path: Path, name: str, said: list[str] | None = None
) -> tuple[pd.DataFrame, str]:
    """All columns as text (blanks around values removed, empty where nothing stands), and the
    separator ("" for Excel).

    said : gets a sentence on every line that was left out. Raises UnreadableFile.
    """
    said = said if said is not None else []
    head = first_bytes(path, name)
    kind = looks_like(unzipped_head(path, head))
    archived = is_archive(path, name)
    if kind == "a ZIP or Excel file" and not archived:
        from gui.data.readers.excel import read_excel

        rows = [
            ["" if v is None else str(v).strip() for v in row]
            for row in read_excel(path, name, table=False).rows
        ]
        separator = ""
        longest = max(map(len, rows), default=0)
        rows = [row + [""] * (longest - len(row)) for row in rows]
        while len(rows) > 2 and longest > 1 and not any(rows[0][1:]):
            said.append(f"The title ({shorten(rows.pop(0)[0], 40)}) was left out.")
    elif kind == "text" or archived:
        text = _only_text(path, name) if archived else decoded(path, name)[0]
        whole, text = text, _without_comments(text)
        comments = sum(bool(line.strip("# \t")) for line in whole[: -len(text)].splitlines())
        if text and comments:
            said.append(_of_lines(comments, "of comments above the table"))
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise UnreadableFile(
                f"{name} is not a table: it has fewer than two lines.", advice=_WANTED
            )
        title, separator = 0, _separator(lines)
        if not separator or len([v for v in _cells(lines[0], separator) if v.strip()]) < 2:
            title, below = _title(lines)
            separator = below or separator
        if not separator:
            raise UnreadableFile(
                f"{name} is not a table: its lines have different numbers of columns.",
                advice=_WANTED,
            )
        if title:
            said.append(f"The title ({shorten(lines[0].strip(_MARKS), 40)}) was left out.")
        rows = [
            [v.strip() for v in row]
            for row in csv.reader(lines[title:], delimiter=separator)
            if any(v.strip() for v in row)
        ]
    else:
        raise UnreadableFile(
            f"{name} is not a table; it looks like {kind}.",
            advice=way_out(kind, name) or _WANTED,
        )
    if len(rows) < 2:
        raise UnreadableFile(f"{name} is not a table: it has fewer than two lines.", advice=_WANTED)
    if _is_row_of_groups(rows):
        groups = dict.fromkeys(shorten(v, 40) for v in rows[0] if v)
        said.append(f"The row above the names of the columns ({some(groups, 4)}) was left out.")
        rows = rows[1:]
    before = len(rows)
    rows = _without_cde_rows(rows)
    if len(rows) < before:
        said.append(_of_lines(before - len(rows), "of headers below the first"))
    width = max(map(len, rows))
    if len(rows[0]) == width - 1:  # R's write.table leaves the corner cell out
        rows[0] = ["", *rows[0]]
    for i, row in enumerate(rows[1:], start=2):
        if len(row) != width:
            raise UnreadableFile(
                f"{name} is not a table: line {i} has {len(row)} columns, others {width}.",
                advice=_WANTED,
            )
    header = [
        h or ("sample" if i == 0 and "sample" not in rows[0] else f"column {i + 1}")
        for i, h in enumerate(rows[0] + [""] * (width - len(rows[0])))
    ]
    if header[0] in header[1:]:
        raise UnreadableFile(
            f"{name} has the column {header[0][:60]} more than once.",
            advice="Give every column a name of its own.",
        )
    header = _numbered(header, said)
    return pd.DataFrame(rows[1:], columns=pd.Index(header, dtype=object), dtype=object), separator


def _numbered(header: list[str], said: list[str]) -> list[str]:
    """The names of the columns; those that a name occurs in again get a number."""
    seen = Counter[str]()
    made = []
    for title in header:
        seen[title] += 1
        made.append(title if seen[title] == 1 else f"{title} ({seen[title]})")
    double = [title for title, count in seen.items() if count > 1]
    if double and len(set(made)) == len(made):
        said.append(f"{shorten(double[0], 40)} names several columns; they were numbered.")
    return made if len(set(made)) == len(made) else [f"{t} [{i}]" for i, t in enumerate(made, 1)]


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _title(lines: list[str]) -> tuple[int, str]:
    """How many lines above the header hold a single text, and the separator of what follows; 0 and
    "" mostly.
    """
    count = 0
    for line in lines[:_TITLES]:
        count += 1
        for separator in _SEPARATORS[:-1]:
            below = list(csv.reader(lines[count : count + 60], delimiter=separator))
            widths = {len(row) for row in below}
            above = _cells(line, separator)
            if len(widths) != 1 or widths == {1} or len(below) < 3:
                continue
            if sum(bool(v.strip()) for v in above) == 1 and all(v.strip() for v in below[0][1:]):
                return count, separator
    return 0, ""


def _of_lines(count: int, what: str) -> str:
    return f"{count} line{'s' if count > 1 else ''} {what} left out."


def _only_text(path: Path, name: str) -> str:
    """Of an archive with one table. Raises UnreadableFile."""
    names = table_names(path, name)
    if len(names) != 1:
        raise UnreadableFile(
            f"{name} holds {len(names)} files that may be tables.",
            advice="Unpack it and choose one of them.",
        )
    member = next(iter(read_members(path, name, names, text_limit())))
    return text_of(member.data, member.name)[0]


def _without_comments(text: str) -> str:
    """Without the lines above the header that begin with # (cBioPortal has four or five).

    A header may begin so as well: it has as many names as the next line has values, and that one
    holds a number.
    """
    at = 0
    while text.startswith("#", at) or text.startswith("\n", at):
        end = text.find("\n", at)
        if end < 0:
            break
        line, after = text[at:end], text[end + 1 : end + 20_000].partition("\n")[0]
        for separator in _SEPARATORS[:-1]:
            names, values = line.split(separator), after.split(separator)
            if (
                len(names) == len(values) > 1
                and not after.startswith("#")
                and any(is_number(v) for v in values)
            ):
                return text[at + 1 :]
        at = end + 1
    return text[at:]


def _is_row_of_groups(rows: list[list[str]]) -> bool:
    """Whether the first row names groups of columns, as merged cells above the header do."""
    if len(rows) < 4 or len(rows[0]) > len(rows[1]) or len(rows[1]) < 3:
        return False
    above = [*rows[0], *[""] * (len(rows[1]) - len(rows[0]))][1:]
    names = rows[1][1:]
    told = [v for v in above if v]
    if not told or len(set(told)) > 0.7 * len(names) or any(map(is_number, told)):
        return False
    numbers = sum(is_number(v) for row in rows[2:20] for v in row[1:] if v)
    return (
        all(names)
        and len(set(names)) == len(names)
        and not any(map(is_number, names))
        and numbers > 0.3 * sum(bool(v) for row in rows[2:20] for v in row[1:])
    )


def _without_cde_rows(rows: list[list[str]]) -> list[list[str]]:
    """Without the second and third header of TCGA's clinical files, which names common data
    elements (CDE_ID:2004061).
    """
    for i, row in enumerate(rows[1:3], start=1):
        if sum(v.startswith("CDE_ID:") for v in row) > len(row) // 4:
            return [rows[0], *rows[i + 1 :]]
    return rows


def _separator(lines: list[str]) -> str:
    """The one that divides most lines into the same number of columns, at least two; "" if none
    does.
    """
    lines = lines[:60]
    best, most = "", 1
    for separator in _SEPARATORS:
        if separator == " " and best:
            break
        rows = list(csv.reader(lines, delimiter=separator))
        widths = [len(row) for row in rows]
        if separator == " " and not any(
            all(map(is_number, c)) for c in zip(*rows[1:], strict=False)
        ):
            break  # names of several words
        if (
            len(set(widths[1:])) == 1
            and widths[0] in (widths[-1], widths[-1] - 1)
            and widths[-1] > most
        ):
            best, most = separator, widths[-1]
    return best


def read_pairs(path: Path, name: str, known: Collection[str]) -> dict[str, str]:
    """Old -> new from a table: the column that holds most of ``known`` is the old one, the next one
    that differs the new one. Transcripts are no new names: a tx2gene table leads to genes.

    IDs are compared without their versions; the old names are returned both with and without.

    Raises UnreadableFile if no column holds any of the names, or there is none beside it.
    """
    table, _ = read_text_table(path, name)
    wanted = {without_version(text) for text in known}
    # the header may be a pair itself
    table.loc[-1] = table.columns
    table = table.sort_index()
    plain = table.map(without_version)
    hits = {c: int(plain[c].isin(wanted).sum()) for c in table.columns}
    old = max(hits, key=lambda c: hits[c])
    others = [c for c in table.columns if c != old and not holds_transcripts(table[c])]
    if not hits[old] or not others:
        what = "any of the names" if not hits[old] else "other names beside these"
        raise UnreadableFile(
            f"No column of {name} holds {what}.",
            advice="Choose a table with the old names in one column and the new ones in another.",
        )
    likely = [
        c
        for c in others
        if any(
            word in str(c).lower()
            for word in ("symbol", "gene_name", "gene name", "hgnc", "coarse", "new", "to")
        )
    ]
    new = (likely or others)[0]
    there = plain[old].isin(wanted) & (table[old] != "")
    rows = table[there]
    return dict(zip(plain.loc[there, old], rows[new], strict=True)) | dict(
        zip(rows[old], rows[new], strict=True)
    )
