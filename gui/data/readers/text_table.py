"""Reads a table of text: any columns, any separator.

And tables of pairs: old name -> new name, for genes and for cell types.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from gui.data.readers.sniff import first_bytes, looks_like, unzipped_head
from gui.data.readers.textfile import decoded
from gui.errors import UnreadableFile

_SEPARATORS = ("\t", ";", ",", "|")
_WANTED = (
    "Give a table whose first line holds the column names, separated by commas, semicolons or tabs."
)


def read_text_table(path: Path, name: str) -> tuple[pd.DataFrame, str]:
    """All columns as text (blanks around values removed, empty where nothing stands), and the
    separator ("" for Excel).

    Raises UnreadableFile.
    """
    head = first_bytes(path, name)
    kind = looks_like(unzipped_head(path, head))
    if kind == "a ZIP or Excel file":
        from gui.data.readers.excel import read_excel

        rows = [
            ["" if v is None else str(v).strip() for v in row]
            for row in read_excel(path, name, table=False).rows
        ]
        separator = ""
    elif kind == "text":
        text = decoded(path, name)[0]
        separator = _separator(text, name)
        rows = [
            [v.strip() for v in row]
            for row in csv.reader(text.splitlines(), delimiter=separator)
            if any(v.strip() for v in row)
        ]
    else:
        raise UnreadableFile(f"{name} is not a table; it looks like {kind}.", advice=_WANTED)
    if len(rows) < 2:
        raise UnreadableFile(f"{name} is not a table: it has fewer than two lines.", advice=_WANTED)
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
        h or ("sample" if i == 0 else f"column {i + 1}")
        for i, h in enumerate(rows[0] + [""] * (width - len(rows[0])))
    ]
    double = [h for h, count in Counter(header).items() if count > 1]
    if double:
        raise UnreadableFile(
            f"{name} has the column {double[0][:60]} more than once.",
            advice="Give every column a name of its own.",
        )
    return pd.DataFrame(rows[1:], columns=pd.Index(header, dtype=object), dtype=object), separator


def _separator(text: str, name: str) -> str:
    """The one that divides most lines into the same number of columns, at least two."""
    lines = [line for line in text.splitlines()[:60] if line.strip()]
    best, most = "", 1
    for separator in _SEPARATORS:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        if (
            len(set(widths[1:])) == 1
            and widths[0] in (widths[-1], widths[-1] - 1)
            and widths[-1] > most
        ):
            best, most = separator, widths[-1]
    if not best:
        raise UnreadableFile(
            f"{name} is not a table: its lines have different numbers of columns.", advice=_WANTED
        )
    return best


def read_pairs(path: Path, name: str, known: Collection[str]) -> dict[str, str]:
    """Old -> new from a table: the column that holds most of ``known`` is the old one, the next one
    that differs the new one.

    Raises UnreadableFile if no column holds any of the names.
    """
    table, _ = read_text_table(path, name)
    wanted = set(known)
    # the header may be a pair itself
    table.loc[-1] = table.columns
    table = table.sort_index()
    hits = {c: int(table[c].isin(wanted).sum()) for c in table.columns}
    old = max(hits, key=lambda c: hits[c])
    if not hits[old]:
        raise UnreadableFile(
            f"No column of {name} holds any of the names.",
            advice="Choose a table with the old names in one column and the new ones in another.",
        )
    others = [c for c in table.columns if c != old]
    likely = [
        c
        for c in others
        if any(
            word in str(c).lower()
            for word in ("symbol", "gene_name", "gene name", "hgnc", "coarse", "new", "to")
        )
    ]
    new = (likely or others)[0]
    rows = table[table[old].isin(wanted) & (table[old] != "")]
    return dict(zip(rows[old], rows[new], strict=True))
