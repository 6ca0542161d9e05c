"""What was recognised in a file: genes, samples, what was left out, values, cell types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import COLUMN_NAMES, Matrix, Role
from gui.data.readers.part import Part
from gui.data.validation.heuristics import scale_of
from gui.data.validation.log_base import Base, log_floor, log_form, stored_values
from gui.data.validation.repairs import UndoLog
from gui.data.validation.repairs_matching import MatchGenes
from gui.text import number, shorten, some

FACTS = ("Gene names", "Columns", "Left out", "Values", "Cell types")
_LEFT_OUT = frozenset(
    {
        *("columns-left-out", "text-columns", "measure", "blank-names", "summary-rows", "remarks"),
        *("features-left-out", "genes-lacking", "title", "comment-lines", "samples-in-rows"),
        "matrix-proposed",
    }
)
"""What a reader says of the columns, rows and features that it did not take."""
_NOT_CERTAIN = "; the base is not certain"
_LOG = {"2": "log2", "e": "ln", "10": "log10"}


def recognised(part: Part) -> dict[str, str]:
    """What was recognised in a part, by the names of ``FACTS``."""
    return dict(
        zip(
            FACTS,
            (
                _genes(part),
                _columns(part.matrix, part.source.role),
                _left_out(part),
                _values(part),
                _types(part),
            ),
            strict=True,
        )
    )


def facts_text(facts: Mapping[str, str]) -> str:
    """The facts in one line, without those that say nothing."""
    named = {"Gene names": "genes", "Columns": "columns", "Left out": "left out"}
    return "; ".join(
        f"{named.get(fact, fact.lower())}: {said.rstrip('.')}"
        for fact, said in facts.items()
        if said not in ("nothing", "none (bulk)")
    )


def _genes(part: Part) -> str:
    genes, where = part.matrix.genes, _genes_column(part)
    example = f", such as {shorten(str(genes[0]), 24)}" if len(genes) else ""
    return f"{number(len(genes))} from the {shorten(where, 48)}{example}"


def _genes_column(part: Part) -> str:
    """Where the names of the genes are from, in words."""
    for repair in part.source.options.get("repairs", ()):
        if repair.get("kind") == MatchGenes.model_fields["kind"].default and repair.get("column"):
            return f"column {repair['column']}"
    return part.genes_from or "names of the rows"


def _columns(matrix: Matrix, role: Role) -> str:
    one, many = COLUMN_NAMES[role]
    count, names = matrix.n_columns, [shorten(str(c), 32) for c in matrix.columns[[0, -1]]]
    if count == 1:
        return f"1 {one}: {names[0]}"
    return f"{number(count)} {many}: {names[0]} to {names[1]}"


def _left_out(part: Part) -> str:
    said = [
        note.removeprefix("Left out, as no samples: ")
        for trait, note in part.traits.items()
        if trait in _LEFT_OUT
    ]
    if beside := _text_beside_genes(part, " ".join(said)):
        said.append(f"{some((shorten(c, 40) for c in beside), 6)} (text beside the gene names).")
    if part.labels is not None and part.source.role in ("train", "test"):
        without = int((pd.isna(part.labels) | (part.labels == "")).sum())
        if without:
            said.append(f"{number(without)} cells without a label.")
    return " ".join(dict.fromkeys(said)) or "nothing"


def _text_beside_genes(part: Part, said: str) -> list[str]:
    """The columns of a table that are neither samples nor gene names, and of which nothing is
    said yet.
    """
    if part.source.kind != "csv" or part.var is None:
        return []
    names, genes_from = map(str, part.var.columns), _genes_column(part)
    return [c for c in names if f"column {c}" != genes_from and shorten(c, 40) not in said]


def _values(part: Part) -> str:
    """Which matrix of the file, and what its values are."""
    said = describe_values(part.matrix, part.source.role, part.source.name)
    if measure := part.traits.get("measure", "").partition(" is taken")[0]:
        said = f"{measure}: {said}"
    matrix = part.source.options.get("matrix")
    if len(part.matrices) < 2 or not matrix:
        return said
    others = [matrix_name(m) for m in part.matrices if m != matrix]
    return f"from {matrix_name(str(matrix))} (not from {some(others, 3)}); {said}"


def matrix_name(matrix: str) -> str:
    """How a matrix of an .h5ad file is called: layer counts for layer:counts."""
    return matrix.replace("layer:", "layer ")


def describe_values(matrix: Matrix, role: Role, name: str = "") -> str:
    """The scale of the values, and the unit that their sums tell."""
    scale = scale_of(matrix)
    if scale == "log":
        form = log_form(matrix, role, name)
        said = f"logarithms, {_LOG[form.base]}({f'x + {form.offset:g}' if form.offset else 'x'})"
        said += _unit_below(matrix, role, form.base, form.offset)
        return said if form.certain else f"{said}{_NOT_CERTAIN}"
    if scale == "negative log":
        floor = log_floor(matrix, name)
        if floor is None:
            return "logarithms below zero"
        said = f"logarithms, {_LOG[floor.base]}(x + {floor.offset:g})"
        said += _unit_below(matrix, role, floor.base, floor.offset)
        return said if floor.certain else f"{said}{_NOT_CERTAIN}"
    if scale != "linear":
        return "scaled values (centred on zero)" if scale == "scaled" else "values below zero"
    values = stored_values(matrix)
    if not values.size:
        return "nothing but zeros"
    few = values[:: max(1, values.size // 1_000_000)]
    sums = np.asarray(matrix.sums(), dtype=np.float64)
    sums = sums[np.isfinite(sums)]
    low, high = (float(sums.min()), float(sums.max())) if len(sums) else (0.0, 0.0)
    if np.array_equal(few, np.rint(few)):
        kind = "counts (whole numbers)"
    elif low > 0.98e6 and high < 1.02e6:
        kind = "linear, TPM or CPM"
    elif len(sums) > 1 and high - low < 1e-3 * high:
        kind = "linear, scaled to one sum"
    else:
        kind = "linear, not whole numbers"
    between = f"{low:.4g}" if high - low < 1e-3 * abs(high) else f"{low:.4g} to {high:.4g}"
    return f"{kind}; column sums {between}"


def _unit_below(matrix: Matrix, role: Role, base: Base, offset: float) -> str:
    """The unit under a logarithm, where whole numbers or the sums of the columns tell it."""
    at = np.unique(np.linspace(0, matrix.n_columns - 1, min(matrix.n_columns, 20)).astype(int))
    stored: Any = matrix.values[:, at]
    table = np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64)
    linear = UndoLog(role=role, base=base, offset=offset).linear(table)
    linear = linear[np.isfinite(linear).all(axis=1)]
    sums = linear.sum(axis=0)
    small = linear[linear < 500]  # of larger ones the logarithm has lost the decimals
    if small.any() and (np.abs(small - np.rint(small)) < 1e-3 * np.maximum(1, small)).mean() > 0.99:
        return " of counts"
    return " of TPM or CPM" if np.abs(sums - 1e6).max() < 0.02e6 else ""


def _types(part: Part) -> str:
    role = part.source.role
    if role == "bulk":
        return "none (bulk)"
    if role == "reference":
        return f"{number(part.matrix.n_columns)}, the names of the columns"
    if part.labels is None:
        return "not known"
    types = {str(v) for v in part.labels if v is not None and v == v and v != ""}
    column = part.source.options.get("label_column")
    labelled = part.choice is not None and part.choice.labels is not None
    where = (
        f"column {shorten(str(column), 40)}"
        if column
        else "the table of cell types"
        if labelled
        else "the names of the columns"
    )
    others = part.traits.get("label-column", "").partition("; ")[2].rstrip(".")
    return f"{number(len(types))} from {where}{f' ({others})' if others else ''}"
