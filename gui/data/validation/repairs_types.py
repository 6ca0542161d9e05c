"""Repairs of cell types: rename, merge, leave out, by hand or by a table; types of too few
cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from gui.data.dataset import PART_NAMES, Matrix
from gui.data.readers.labels import cells_by_label
from gui.data.readers.part import Part
from gui.data.readers.text_table import read_pairs
from gui.data.validation.repairs import ROWS, Repair, Target, keep_columns
from gui.errors import MissingPart
from gui.text import number, some


class MapTypes(Repair):
    """Cell types renamed, merged (several to one name) or left out (to ""), in every part that has
    types.

    names : old -> new, types that are not in it stay as they are; why : in a word, for the button
    ("merge", "spelling", "rename")
    """

    kind: Literal["map_types"] = "map_types"
    role: Target = "types"
    names: Mapping[str, str]
    why: Literal["rename", "merge", "spelling", "exclude", "table"] = "rename"

    def title(self) -> str:
        return {
            "rename": "Rename cell types",
            "merge": "Merge the cell types that look the same",
            "spelling": "Treat labels that differ in spelling as one",
            "exclude": "Leave out cell types",
            "table": "Take the cell types from a table",
        }[self.why]

    def apply(self, part: Part) -> tuple[Part, str]:
        old = _types(part)
        new = np.array([None if o is None else self.names.get(o, o) for o in old], dtype=object)
        keep = np.array([o is None or n != "" for o, n in zip(old, new, strict=True)], dtype=bool)
        pairs = {o: n for o, n in zip(old, new, strict=True) if o is not None and o != n}
        said = (
            [f"{some([f'{o} to {n}' for o, n in pairs.items() if n])}"]
            if any(pairs.values())
            else []
        )
        said += (
            [f"left out {some([o for o, n in pairs.items() if not n])}"]
            if "" in pairs.values()
            else []
        )
        done = (
            f"Cell types of {PART_NAMES[part.source.role]}:"
            f" {'; '.join(said) or 'nothing to change'}."
        )
        part = keep_columns(part, keep)
        if part.source.role == "reference":
            return _averaged(part, new[keep]), done
        return replace(part, labels=new[keep]), done

    def preview(self, part: Part) -> pd.DataFrame:
        counts = pd.Series([o for o in _types(part) if o is not None], dtype=object).value_counts(
            sort=False
        )
        changed = [
            (o, self.names[o] or "left out", int(n))
            for o, n in counts.items()
            if self.names.get(o, o) != o
        ][:ROWS]
        return pd.DataFrame(changed, columns=["before", "after", "cells"])


class MapTypesByTable(Repair):
    """A coarse mapping by a table of two columns, fine -> coarse; types that are not in it stay as
    they are.
    """

    what: ClassVar[str] = "Take the cell types from a table"
    kind: Literal["map_types_by_table"] = "map_types_by_table"
    role: Target = "types"
    table: Path | None = Field(default=None, exclude=True)
    table_name: str = ""

    def names(self, part: Part) -> MapTypes:
        """The mapping as read."""
        if self.table is None:
            raise MissingPart(
                "No table of cell types was chosen.",
                advice=(
                    "Choose a table with the fine types in one column and the coarse ones in"
                    " another."
                ),
            )
        found = read_pairs(
            self.table,
            self.table_name or self.table.name,
            {o for o in _types(part) if o is not None},
        )
        return MapTypes(role=self.role, names=found, why="table")

    def record(self) -> dict[str, Any]:
        return super().record() | {
            "table_name": self.table_name or (self.table.name if self.table else "")
        }

    def apply(self, part: Part) -> tuple[Part, str]:
        return self.names(part).apply(part)

    def preview(self, part: Part) -> pd.DataFrame:
        return self.names(part).preview(part)


class DropTypes(Repair):
    """Leave out the cells of types with fewer than ``min_cells`` cells in this part."""

    kind: Literal["drop_types"] = "drop_types"
    role: Literal["train", "test"] = "train"
    min_cells: int = Field(2, ge=2)

    def title(self) -> str:
        return f"Leave out types of fewer than {self.min_cells} cells"

    def _few(self, part: Part) -> dict[str, int]:
        counts = pd.Series([o for o in _types(part) if o is not None], dtype=object).value_counts()
        return {str(t): int(n) for t, n in counts.items() if n < self.min_cells}

    def apply(self, part: Part) -> tuple[Part, str]:
        few, labels = self._few(part), _types(part)
        keep = np.array([o not in few for o in labels], dtype=bool)
        return (
            keep_columns(part, keep),
            f"Types of fewer than {number(self.min_cells)} cells left out: {some(few) or 'none'}.",
        )

    def preview(self, part: Part) -> pd.DataFrame:
        return pd.DataFrame(
            [(t, "left out", n) for t, n in list(self._few(part).items())[:ROWS]],
            columns=["before", "after", "cells"],
        )


def _types(part: Part) -> list[str | None]:
    """The type of every column."""
    found = (
        part.matrix.columns
        if part.source.role == "reference" or part.labels is None
        else part.labels
    )
    return [None if v is None or pd.isna(v) else str(v) for v in found]


def _averaged(part: Part, types: np.ndarray) -> Part:
    """A reference whose columns of the same type are averaged, each weighing the same."""
    names = list(dict.fromkeys(map(str, types)))
    stored: Any = part.matrix.values
    dense = np.asarray(stored.toarray() if part.matrix.is_sparse else stored, dtype=np.float64)
    labels = np.array([str(t) for t in types], dtype=object)
    if len(names) < len(labels):
        groups = cells_by_label(labels)
        dense = np.column_stack([dense[:, groups[n]].mean(axis=1) for n in names])
    first = np.flatnonzero(~pd.Index(labels).duplicated())
    matrix = Matrix(dense, part.matrix.genes, pd.Index(names, dtype=object))
    return replace(
        part, matrix=matrix, labels=None, obs=part.obs.iloc[first].set_axis(matrix.columns)
    )


_SPACERS = re.compile(r"(?<=\w)[-_./](?=\w)|[_\s]+")


def plain_label(label: str) -> str:
    """What two spellings of one type have in common: no case, no doubled blanks, no dashes within,
    no plural.

    CD4+ and CD4- stay apart.
    """
    words = _SPACERS.sub(" ", label.strip()).casefold().split()
    return " ".join(
        w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith(("ss", "us", "is")) else w
        for w in words
    )


def same_labels(labels: Iterable[str], preferred: Iterable[str] = ()) -> dict[str, str]:
    """Old -> new for labels that differ in spelling only; the new one is among ``preferred`` or the
    most frequent.
    """
    counts = pd.Series(list(labels), dtype=object).value_counts()
    liked, groups = set(preferred), dict[str, list[str]]()
    for label in counts.index:
        groups.setdefault(plain_label(label), []).append(label)
    made: dict[str, str] = {}
    for group in groups.values():
        if len(group) > 1 and plain_label(group[0]):
            new = next((g for g in group if g in liked), group[0])
            made |= {g: new for g in group if g != new}
    return made


def is_unclear(label: str) -> bool:
    """Whether a label says that the type is not known, or that it is no single cell."""
    bare = "".join(c for c in label.lower() if c.isalpha())
    return bare in _UNCLEAR or (not bare and not any(c.isdigit() for c in label))


_UNCLEAR_TEXT = """
nan na none null unknown unknowns unassigned unclassified unidentified undetermined undefined
unannotated unlabelled unlabeled notassigned notannotated doublet doublets multiplet multiplets
lowquality lowqualitycells ambiguous debris unclear notavailable ambient empty emptydroplets
unknowncells unknowncell doubletcells unassignedcells
"""
_UNCLEAR = frozenset(_UNCLEAR_TEXT.split())
