"""A table of expression in its role: which way round it is, and where its cell types are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gui.data.dataset import COLUMN_NAMES, Role
from gui.data.readers.expression_table import Table
from gui.data.readers.labels import look_of, name_rank, propose_column
from gui.data.readers.options import FileChoice
from gui.errors import NoLabels
from gui.text import number, shorten, some

_NUMBERED = re.compile(r"(.+)\.(\d{1,7})")
_MANY = 5
"""Numbers behind a name that show it to be a repeated one although others of them are lacking."""
_COUNTED = re.compile(r"(.*[A-Za-z+)].*?)[._ ](\d{1,7})")
"""T_1, T_2: every cell of a type has a number."""


@dataclass(frozen=True, eq=False)
class RoleTable:
    """table : genes in rows, unless the user is to be asked whether they are; labels : cell type or
    None per column, None where the columns are called after them; label_column : that they are from
    """

    table: Table
    labels: np.ndarray | None = None
    label_column: str = ""


def as_role(table: Table, role: Role, choice: FileChoice, name: str) -> RoleTable:
    """The table as ``role`` needs it.

    Raises NoLabels where its rows are cells and their types can be nowhere.
    """
    many = COLUMN_NAMES[role][1]
    if table.samples_in_rows:
        if role in ("train", "test"):
            return _cells_in_rows(table, choice, name, many)
        left = list(table.texts)
        said = f"The rows are {many} and the columns genes; they were exchanged."
        if left:
            shown = some((shorten(c, 40) for c in left), 4)
            said += f" The columns of text ({shown}) are no genes and were left out."
        return RoleTable(_with_note(table.transposed(), "samples-in-rows", said))
    if role not in ("train", "test"):
        return RoleTable(table)
    if table.above and (found := _labels_above(table, choice)):
        column, labels = found
        said = f"The cell types were taken from the row {shorten(column, 40)} above the values."
        return RoleTable(_with_note(table, "label-column", said), labels, column)
    types = without_numbers(table.columns)
    if types is None:
        return RoleTable(table)
    changed = sum(a != b for a, b in zip(types, table.columns, strict=True))
    example = next(c for t, c in zip(types, table.columns, strict=True) if t != c)
    said = (
        f"{number(changed)} columns have a number at the end that R or pandas gives to repeated"
        f" names ({shorten(example, 40)}); the cell types are the names before it"
        f" ({number(len(set(types)))} types)."
    )
    table = _with_note(table, "numbered-types", said)
    return RoleTable(table, np.array(types, dtype=object))


def without_numbers(names: Sequence[str]) -> list[str] | None:
    """Names that R (make.unique) or pandas numbered, without the numbers; None if they are not.

    T, T.1, T.2: the name without a number is there once, and the numbers go on from 1. Where there
    are many of a name, some may be lacking, because cells were left out since.
    """
    of: dict[str, set[int]] = defaultdict(set)
    for text in names:
        if found := _NUMBERED.fullmatch(text[:400]):
            of[found[1]].add(int(found[2]))
    if (counted := _without_counts(names)) is not None:
        return counted
    there = set(names)
    many = {b for b, k in of.items() if len(k) >= _MANY}
    bases = {
        b for b, k in of.items() if b in there and (k == set(range(1, len(k) + 1)) or b in many)
    }
    bases |= many if bases else set()
    if sum(len(of[b]) for b in bases) < 0.5 * len(names):
        return None
    return [
        found[1] if (found := _NUMBERED.fullmatch(text[:400])) and found[1] in bases else text
        for text in names
    ]


def _without_counts(names: Sequence[str]) -> list[str] | None:
    """Names that all are counted by type, without the counts; None if they are not.

    B_1, B_2, T_1: each name goes on from 0 or 1, and there are several types of several cells.
    """
    of: dict[str, list[int]] = defaultdict(list)
    bases = []
    for text in names:
        found = _COUNTED.fullmatch(text[:400])
        if found is None:
            return None
        of[found[1]].append(int(found[2]))
        bases.append(found[1])
    whole = all(
        sorted(k) in (list(range(len(k))), [i + 1 for i in range(len(k))]) for k in of.values()
    )
    return bases if whole and len(of) > 1 and len(names) >= 5 * len(of) else None


def _cells_in_rows(table: Table, choice: FileChoice, name: str, many: str) -> RoleTable:
    said = f"The rows are {many} and the columns genes; they were exchanged."
    if choice.labels is not None:
        return RoleTable(_with_note(table.transposed(), "samples-in-rows", said))
    column = _label_column(table, choice)
    if column:
        labels = np.array([v.strip() or None for v in table.texts[column]], dtype=object)
        turned = _with_note(table.transposed(), "samples-in-rows", said)
        said = f"The cell types were taken from the column {shorten(column, 40)}."
        return RoleTable(_with_note(turned, "label-column", said), labels, column)
    if len(set(table.genes)) == len(table.genes) and all(g.isdigit() for g in table.genes):
        raise NoLabels(
            f"In {name} the rows are cells (numbered, {table.genes[0]} to {table.genes[-1]}) and"
            " the columns genes, and the types of the cells are in another table, as in Scaden's"
            " format (counts.txt and celltypes.txt).",
            advice=(
                "Put the types into a column beside the counts (cell_type), or name the cells in"
                " both tables and choose the table of cell types beside this file."
            ),
        )
    return RoleTable(table)


def _label_column(table: Table, choice: FileChoice) -> str:
    if choice.label_column in table.texts:
        return str(choice.label_column)
    looks = {c: look_of({v for v in t if v.strip()}, len(t)) for c, t in table.texts.items()}
    named = {c: look for c, look in looks.items() if name_rank(c) is not None}
    found = propose_column(named) or propose_column(looks, list(looks))
    if found is not None and looks[found.name] in ("names", "numbers", "conditions", "one"):
        return found.name
    return ""


def _labels_above(table: Table, choice: FileChoice) -> tuple[str, np.ndarray] | None:
    looks = {c: look_of({v for v in t if v.strip()}, len(t)) for c, t in table.above.items()}
    column = choice.label_column if choice.label_column in looks else None
    if column is None:
        found = propose_column(looks, list(looks))
        column = found.name if found is not None else None
    if column is None:
        return None
    return column, np.array([v.strip() or None for v in table.above[column]], dtype=object)


def _with_note(table: Table, trait: str, said: str) -> Table:
    return replace(table, notes=(*table.notes, said), traits={**table.traits, trait: said})
