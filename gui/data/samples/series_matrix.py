"""What a series matrix file of GEO says of its samples, as a table: one row per sample."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gui.data.readers.sniff import first_bytes, unzipped_head
from gui.data.readers.textfile import decoded

_TABLE = "!series_matrix_table_begin"
_NAMES = ("geo_accession", "title", "source_name_ch1", "description")


def is_series_matrix(path: Path, name: str) -> bool:
    """Whether the file begins as GEO's do."""
    head = unzipped_head(path, first_bytes(path, name))
    return head.lstrip(b"\xef\xbb\xbf").startswith((b"!Series_", b"!Sample_"))


def read_series_samples(path: Path, name: str) -> pd.DataFrame:
    """Text: accession, title and every characteristic (``os days: 812``) of the samples.

    Raises UnreadableFile.
    """
    text, _ = decoded(path, name)
    end = text.find(_TABLE)
    lines = text[: end if end >= 0 else len(text)].splitlines()
    columns: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("!Sample_"):
            continue
        first, *fields = line.split("\t")
        what, values = (
            first.removeprefix("!Sample_"),
            [v.strip().strip('"').strip() for v in fields],
        )
        if what.startswith("characteristics"):
            for at, value in enumerate(values):
                key, mark, found = value.partition(":")
                if mark and key.strip():
                    column = columns.setdefault(key.strip(), [""] * len(values))
                    if at < len(column):
                        column[at] = found.strip()
        elif what in _NAMES and what not in columns:
            columns[what] = values
    longest = max((len(v) for v in columns.values()), default=0)
    order = [c for c in _NAMES if c in columns] + [c for c in columns if c not in _NAMES]
    return pd.DataFrame(
        {c: columns[c] + [""] * (longest - len(columns[c])) for c in order}, dtype=object
    )
