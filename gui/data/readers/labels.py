"""Labels of single cells: how their column is usually called, labels as text, and a table of
barcodes and cell types beside the counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.readers.sniff import first_bytes, looks_like
from gui.data.readers.textfile import UNSEEN, rows_of_text
from gui.errors import NoLabels, UnreadableFile
from gui.text import shorten, some

LABEL_NAMES = (
    *(
        "celltype",
        "celltypes",
        "bulklabels",
        "celltypeannotation",
        "celltypelabel",
        "cellannotation",
        "celllabel",
        "celllabels",
        "majorcelltype",
    ),
    *("annotation", "annotations", "celltypeontologyterm", "celltypemajor", "celltypeminor"),
)
"""Usual spellings of the label column, without case, blanks, dots, dashes and underscores; the
first that occurs is proposed.
"""
_EXACT = {
    **{name: rank for rank, name in enumerate(LABEL_NAMES)},
    "predictedid": 50,  # Seurat's transferred labels
    **dict.fromkeys(("labels", "label", "type", "population", "subset"), 60),
    "ident": 71,  # Seurat's clusters, until they are renamed
}
_PARTS: tuple[tuple[int, str], ...] = (
    (20, r"^celltype.*final"),
    (30, r"^celltype"),
    (
        40,
        r"celltype|cellontologyclass|celllabel|annotation|^annot|^majorityvoting|^cellclass|^cellidentity|^subclass|^celltypist"
        r"|^cell(subtype|subset|population|lineage|category|group|state)",
    ),
    (50, r"^predict|^singler|^azimuth"),
    (70, r"cluster|louvain|leiden|snnres|activeident"),
)
"""Rank of a name that matches, where it is none of the exact ones: the first that does."""
_CLUSTERING = 70
_ABOUT = (
    "score",
    "prob",
    "confidence",
    "color",
    "colour",
    "doublet",
    "phase",
    "sex",
    "gender",
    "count",
    "method",
    "version",
    "status",
    "date",
    "source",
    "max",
)
"""Words with which a column says something about the labels or the cells and is not the labels."""
_ABOUT_WHOLE = ("id", "ids", "by", "size", "order", "n", "orig")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_CLUSTER = re.compile(r"(clusters?|clust?|c|group|k)?[ _.:#-]*\d+(\.\d+)?", re.IGNORECASE)
_CONDITION_TEXT = """
tumor tumour normal healthy control ctrl controls case cases disease diseased treated untreated
treatment vehicle stim stimulated unstim unstimulated pre post before after baseline responder
nonresponder primary metastasis metastatic recurrent relapse adjacent male female yes no true false
wt ko wildtype knockout young old adult fetal
"""
_CONDITIONS = frozenset(_CONDITION_TEXT.split())
"""Of what a cell is or was, but no type of cell; unless other names are beside these."""
_MOST = 1000
"""Different values from which on a column holds no types."""

Look = Literal["names", "numbers", "conditions", "one", "many"]
"""What the values of a column look like: names that repeat, numbers of clusters, tumour and normal
or the like, one and the same everywhere, or hardly a value that repeats.
"""


@dataclass(frozen=True)
class LabelColumn:
    """The proposed column of cell types. said : a sentence where another column could have been
    meant, else "".
    """

    name: str
    said: str = ""


def name_rank(column: str) -> int | None:
    """How surely a column of this name holds cell types, 0 the most; None if the name does not
    tell.

    Clusterings come last.
    """
    text = plain(column)
    if text in _EXACT:
        return _EXACT[text]
    words = [word.lower() for word in _WORD.findall(column)]
    if any(word in _ABOUT_WHOLE or word.startswith(_ABOUT) for word in words):
        return None
    return next((rank for rank, part in _PARTS if re.search(part, text)), None)


def look_of(distinct: Collection[object], cells: int) -> Look:
    """What the values look like. distinct : each value once; cells : how many there are of all."""
    if len(distinct) < 2:
        return "one"
    if len(distinct) > _MOST:
        return "many"
    if numbered(map(str, distinct)):
        return "numbers"
    if {plain(str(value)) for value in distinct} <= _CONDITIONS:
        return "conditions"
    return "names" if len(distinct) <= max(2, cells // 2) else "many"


def numbered(labels: Iterable[str]) -> bool:
    """Whether all labels are numbers, as clusterings give them: 0 and 1, 1.0 and 2.0, cluster 3 and
    cluster 4.
    """
    return all(map(_CLUSTER.fullmatch, (label.strip() for label in labels)))


def bare_numbers(labels: Iterable[str]) -> list[str]:
    """Those that are nothing but a number."""
    return [label for label in labels if _NUMBER.fullmatch(label.strip())]


def propose_column(columns: Mapping[str, Look], texts: Collection[str] = ()) -> LabelColumn | None:
    """The column of cell types, by its values first and then by its name. columns : name -> look;
    texts : the columns of text.

    A column that is called like cell types but holds numbers, or tumour and normal, comes behind
    one that holds names.
    Where no name tells, a single column of text that repeats is proposed.
    """
    ranks = {c: rank for c in columns if (rank := name_rank(c)) is not None}
    if not ranks:
        found = [c for c in texts if columns.get(c) in ("names", "numbers", "conditions")]
        return (
            LabelColumn(
                found[0],
                f"The cell types were taken from the column {shorten(found[0], 40)}, the only one"
                " whose text repeats.",
            )
            if len(found) == 1
            else None
        )
    best = min(ranks, key=lambda c: (columns[c] != "names", ranks[c], _level(c)))
    usual = plain(best) in LABEL_NAMES
    named = [
        c
        for c in ranks
        if c != best and ranks[c] < _CLUSTERING and columns[c] == "names" and not usual
    ]
    numbers = [
        c
        for c in ranks
        if c != best
        and columns[c] == "numbers"
        and (ranks[c] < ranks[best] or plain(best) not in _EXACT)
    ]
    if columns[best] != "names" or not (named or numbers):
        return LabelColumn(best)
    others = [
        f"{some(shorten(c, 40) for c in group)} hold{'s' if len(group) == 1 else ''} {what}"
        for group, what in ((named, "names too"), (numbers, "numbers"))
        if group
    ]
    return LabelColumn(
        best,
        f"The cell types were taken from the column {shorten(best, 40)}; {', and '.join(others)}.",
    )


def _level(column: str) -> int:
    """Of several levels of one annotation the middle one comes first (celltype.l2), then the coarse
    one, then the fine ones.
    """
    found = re.search(r"(?:l|level)[ _.-]?(\d+)$", column, re.IGNORECASE)
    return (1, 0, 2)[min(max(int(found.group(1)), 1), 3) - 1] if found else 0


@dataclass(frozen=True, eq=False)
class LabelTable:
    """columns : column -> (barcode -> text); proposed : the column of cell types; notes :
    sentences; in_order : the types of a table without barcodes, as Scaden's celltypes.txt.
    """

    columns: dict[str, dict[str, str]]
    proposed: str
    notes: tuple[str, ...] = ()
    in_order: tuple[str, ...] = ()

    def of(self, barcodes: pd.Index, column: str | None, name: str) -> np.ndarray:
        """One label or None per barcode.

        Raises NoLabels if there is no such column or no barcode is known.
        """
        chosen = column or self.proposed
        if chosen not in self.columns:
            raise NoLabels(
                f"{name} has no column {chosen}.",
                advice=f"Choose one of these: {', '.join(list(self.columns)[:8])}.",
            )
        if self.in_order:
            if len(self.in_order) != len(barcodes):
                raise NoLabels(
                    f"{name} has {len(self.in_order)} cell types without names of cells, but there"
                    f" are {len(barcodes)} cells, so it cannot be told which is whose.",
                    advice="Give a table of barcodes and cell types.",
                )
            return np.array([v or None for v in self.in_order], dtype=object)
        table = self.columns[chosen]
        for form in _FORMS:
            by_form = _unambiguous({b: form(b) for b in table})
            mine = _unambiguous({str(b): form(str(b)) for b in barcodes})
            known = {spelled: table[b] for b, spelled in by_form.items()}
            found = np.array([known.get(mine.get(str(b), "")) for b in barcodes], dtype=object)
            if any(v is not None for v in found):
                break
        if not any(v is not None for v in found):
            example, own = next(iter(table), ""), barcodes[0] if len(barcodes) else ""
            raise NoLabels(
                f"{name} knows none of the cells: it has names like {example[:40]}, the counts have"
                f" {str(own)[:40]}.",
                advice="Choose the table whose first column holds the barcodes of these cells.",
            )
        return found


def _unambiguous(spelled: dict[str, str]) -> dict[str, str]:
    """Names with their spellings; those without one, or with that of another name, left out."""
    counts = Counter(spelled.values())
    return {name: form for name, form in spelled.items() if form and counts[form] == 1}


def _without_lane(barcode: str) -> str:
    """10x barcodes end in -1, which many tables leave out."""
    return barcode.rsplit("-", 1)[0]


def _as_in_r(barcode: str) -> str:
    """AAAC.1 for AAAC-1: R's make.names; X in front of a digit."""
    return re.sub(r"^X(?=\d)", "", re.sub(r"[^A-Za-z0-9]", ".", barcode))


def _bases_alone(barcode: str) -> str:
    """AAACCTGA of PT1_AAACCTGA-1, PT1:AAACCTGAx and AAACCTGA.1; "" without bases."""
    found = re.findall(r"[ACGT]{8,}", barcode)
    return found[0] if len(found) == 1 else ""


_FORMS: tuple[Callable[[str], str], ...] = (str, _without_lane, _as_in_r, _bases_alone)
"""Spellings in which names of cells are compared, one after another until some are found."""


def read_labels(path: Path, name: str) -> LabelTable:
    """A table with the barcodes in the first column; with or without a header.

    Raises UnreadableFile, NoLabels.
    """
    notes: list[str] = []
    if looks_like(first_bytes(path, name)) == "a ZIP or Excel file":
        from gui.data.readers.excel import read_excel

        rows = [
            ["" if v is None else str(v) for v in row]
            for row in read_excel(path, name, table=False).rows
        ]
    else:
        rows, notes = rows_of_text(path, name)
    width = max((len(row) for row in rows), default=0)
    column = rows[0][0].strip() if rows and len(rows[0]) == 1 else ""
    firsts = {row[0] for row in rows[1:]}
    if name_rank(column) is not None and 2 * len(firsts) <= len(rows):
        types = tuple(" ".join(v.strip() for v in row if v) for row in rows[1:])
        notes.append("The cell types are in the order of the cells; there are no names of cells.")
        return LabelTable({column: {}}, column, tuple(notes), types)
    if width < 2:
        raise NoLabels(
            f"{name} has a single column, so it cannot tell the cell type of each barcode.",
            advice="Give a table of barcodes and cell types.",
        )
    rows = [
        row + [""] * (width - len(row)) if len(row) == width or row is not rows[0] else ["", *row]
        for row in rows
    ]
    rows[0] += [""] * (width - len(rows[0]))
    header = [v.strip() for v in rows[0]]
    known = [i for i in range(1, width) if name_rank(header[i]) is not None]
    barcode = (
        "",
        "barcode",
        "barcodes",
        "cell",
        "cells",
        "cellid",
        "cellname",
        "cellbarcode",
        "id",
        "name",
        "index",
        "sample",
        "x",
        "unnamed0",
    )
    if known or plain(header[0]) in barcode:
        body, names = rows[1:], [h or f"column {i + 1}" for i, h in enumerate(header)]
    else:
        body, names = rows, [f"column {i + 1}" for i in range(width)]
    if not body:
        raise UnreadableFile(f"{name} holds no cells.")
    columns = {
        names[i]: {row[0].strip(): row[i].strip() for row in body if row[i].strip()}
        for i in range(1, width)
    }
    looks = {column: look_of(set(values.values()), len(body)) for column, values in columns.items()}
    best = propose_column({names[i]: looks[names[i]] for i in known})
    if best is not None and best.said:
        notes.append(best.said)
    return LabelTable(columns, best.name if best is not None else names[1], tuple(notes))


def label_values(column: pd.Series) -> np.ndarray:
    """Labels as text, None where missing; unused categories play no part."""
    found = np.asarray(column.astype(object), dtype=object)
    empty = pd.isna(found) | np.array(
        [isinstance(v, str) and not v.strip() for v in found], dtype=bool
    )
    return np.array(
        [None if e else _as_text(v) for v, e in zip(found, empty, strict=True)], dtype=object
    )


def cells_by_label(labels: np.ndarray) -> dict[str, npt.NDArray[np.intp]]:
    """Each label, sorted, with the ascending positions of its cells; cells without one (None) are
    in none.

    All in one pass over the cells.
    """
    codes, names = pd.factorize(labels, sort=True)
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.searchsorted(codes[order], np.arange(len(names) + 1)))
    return dict(zip(names, groups[1:], strict=False))


def _as_text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text if text.isascii() else text.translate(UNSEEN)


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
