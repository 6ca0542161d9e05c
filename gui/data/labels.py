"""Labels of single cells: how their column is usually called, labels as text, and a table of barcodes and cell types beside the counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.data.sniff import first_bytes, looks_like
from gui.data.textfile import rows_of_text
from gui.errors import NoLabels, UnreadableFile

LABEL_NAMES = (
    *("celltype", "celltypes", "bulklabels", "celltypeannotation", "celltypelabel", "cellannotation", "celllabel", "celllabels", "majorcelltype"),
    *("annotation", "annotations", "celltypeontologyterm", "celltypemajor", "celltypeminor", "labels", "label", "type"),
    *("cluster", "clusters", "louvain", "leiden"),
)
"""Usual spellings of the label column, without case, blanks, dots, dashes and underscores; the first that occurs is proposed."""


@dataclass(frozen=True, eq=False)
class LabelTable:
    """columns : column -> (barcode -> text); proposed : the column of cell types; notes : sentences."""

    columns: dict[str, dict[str, str]]
    proposed: str
    notes: tuple[str, ...] = ()

    def of(self, barcodes: pd.Index, column: str | None, name: str) -> np.ndarray:
        """One label or None per barcode. Raises NoLabels if there is no such column or no barcode is known."""
        chosen = column or self.proposed
        if chosen not in self.columns:
            raise NoLabels(f"{name} has no column {chosen}.", advice=f"Choose one of these: {', '.join(list(self.columns)[:8])}.")
        table = self.columns[chosen]
        found = np.array([table.get(b) for b in barcodes], dtype=object)
        if not any(v is not None for v in found):  # 10x barcodes end in -1, which many tables leave out
            short = {b.rsplit("-", 1)[0]: v for b, v in table.items()}
            found = np.array([short.get(str(b).rsplit("-", 1)[0]) for b in barcodes], dtype=object)
        if not any(v is not None for v in found):
            example, own = next(iter(table), ""), barcodes[0] if len(barcodes) else ""
            raise NoLabels(
                f"{name} knows none of the cells: it has names like {example[:40]}, the counts have {str(own)[:40]}.",
                advice="Choose the table whose first column holds the barcodes of these cells.",
            )
        return found


def read_labels(path: Path, name: str) -> LabelTable:
    """A table with the barcodes in the first column; with or without a header. Raises UnreadableFile, NoLabels."""
    notes: list[str] = []
    if looks_like(first_bytes(path, name)) == "a ZIP or Excel file":
        from gui.data.excel import read_excel

        rows = [["" if v is None else str(v) for v in row] for row in read_excel(path, name, table=False).rows]
    else:
        rows, notes = rows_of_text(path, name)
    width = max((len(row) for row in rows), default=0)
    if width < 2:
        raise NoLabels(f"{name} has a single column, so it cannot tell the cell type of each barcode.", advice="Give a table of barcodes and cell types.")
    rows = [row + [""] * (width - len(row)) if len(row) == width or row is not rows[0] else ["", *row] for row in rows]
    header = [v.strip() for v in rows[0]]
    known = [i for i in range(1, width) if plain(header[i]) in LABEL_NAMES]
    barcode = ("", "barcode", "barcodes", "cell", "cells", "cellid", "cellname", "cellbarcode", "id", "name", "index", "sample", "x", "unnamed0")
    if known or plain(header[0]) in barcode:
        body, names = rows[1:], [h or f"column {i + 1}" for i, h in enumerate(header)]
    else:
        body, names = rows, [f"column {i + 1}" for i in range(width)]
    if not body:
        raise UnreadableFile(f"{name} holds no cells.")
    columns = {names[i]: {row[0].strip(): row[i].strip() for row in body if row[i].strip()} for i in range(1, width)}
    best = min(known, key=lambda i: LABEL_NAMES.index(plain(header[i])), default=1)
    return LabelTable(columns, names[best], tuple(notes))


def label_values(column: pd.Series) -> np.ndarray:
    """Labels as text, None where missing; unused categories play no part."""
    found = np.asarray(column.astype(object), dtype=object)
    empty = pd.isna(found) | np.array([isinstance(v, str) and not v.strip() for v in found], dtype=bool)
    return np.array([None if e else _as_text(v) for v, e in zip(found, empty, strict=True)], dtype=object)


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
