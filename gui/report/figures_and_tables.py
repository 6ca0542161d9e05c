"""Everything that reports show, as files: figures to be drawn by the page, tables as CSV."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from gui.data.export import NOTICE, csv_bytes
from gui.errors import MissingPart
from gui.files import safe_name
from gui.report import STEPS, report_document
from gui.sessions.cache import DCXCache

LONGEST = 70
"""Characters of a file name."""


class Contents(NamedTuple):
    """What reports show.

    Attributes
    ----------
    figures, tables
        File name without suffix -> what it is, and its caption; in the order of the reports.
    """

    figures: Mapping[str, tuple[go.Figure, str]]
    tables: Mapping[str, tuple[pd.DataFrame, str]]


def reported_kinds(session: DCXCache) -> list[str]:
    """The kinds of runs in the session that have a report."""
    return [kind for kind in STEPS if session.current(kind) is not None]


def contents(session: DCXCache, kinds: Sequence[str]) -> Contents:
    """Figures and whole tables of the reports of these runs; what two reports show only once.

    Raises
    ------
    MissingPart
        There is no such run.
    """
    if not kinds:
        raise MissingPart("There is no result to save yet.", advice="Run DTD first.")
    figures: dict[str, tuple[go.Figure, str]] = {}
    tables: dict[str, tuple[pd.DataFrame, str]] = {}
    seen: set[str] = set()
    for kind in kinds:
        document = report_document(session, kind)
        for figure, caption in document.figures:
            # two runs can have figures of one caption
            content = f"{caption}\n{figure.to_json()}"
            if content not in seen:
                seen.add(content)
                name = _name(len(figures) + 1, STEPS[kind], caption)
                figures[name] = (figure, caption)
        for frame, caption in document.tables:
            content = f"{caption}\n{frame.to_csv()}"
            if content not in seen:
                seen.add(content)
                tables[_name(len(tables) + 1, STEPS[kind], caption)] = (frame, caption)
    return Contents(figures, tables)


def zipped(found: Contents, drawn: Mapping[str, bytes]) -> bytes:
    """One archive: the drawn figures, the tables, and a list that says what each file is.

    Parameters
    ----------
    drawn
        Name with suffix -> content.
    """
    out = io.BytesIO()
    lines = [NOTICE, ""]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in drawn.items():
            archive.writestr(f"figures/{name}", data)
            lines.append(f"figures/{name}: {found.figures[name.rpartition('.')[0]][1]}")
        for name, (frame, caption) in found.tables.items():
            archive.writestr(f"tables/{name}.csv", csv_bytes(frame, about=caption))
            lines.append(f"tables/{name}.csv: {caption}")
        archive.writestr("contents.txt", "\r\n".join(lines).encode("utf-8-sig", "replace"))
    return out.getvalue()


def _name(number: int, step: str, caption: str) -> str:
    """“03 DTD Estimated against true composition”: what the caption's first words say."""
    words = re.split(r"[.:;(]", caption, maxsplit=1)[0].strip()
    while len(words) > LONGEST:
        words = words.rpartition(" ")[0] or words[:LONGEST]
    return safe_name(f"{number:02} {step} {words}")
