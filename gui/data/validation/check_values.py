"""Finds what is wrong with the values of one part: missing, negative, logarithms, ranks, zeros.

The conditions for refusing are those of :mod:`gui.data.validation.checks`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gui.data.dataset import COLUMN_NAMES, PART_NAMES, Matrix, Role
from gui.data.readers.part import Part
from gui.data.validation import findings as f
from gui.data.validation.checks import (
    caught,
    check_finite,
    check_not_negative,
    check_not_zero,
)
from gui.data.validation.findings import Finding, Place
from gui.data.validation.heuristics import looks_like_lengths, looks_ranked, only_value, scale_of
from gui.data.validation.log_base import (
    LARGE_OFFSETS,
    Base,
    LogForm,
    base_in_name,
    log_floor,
    log_form,
    stored_values,
    told_base,
    zero_is_minus_infinity,
)
from gui.data.validation.repairs import (
    BASES,
    ChooseMatrix,
    DropEmpty,
    DropGaps,
    KeepValues,
    Repair,
    UndoLog,
    detected,
    filled_rows,
    finite_rows,
)
from gui.text import number, shorten, some

_COUNTS = (
    "counts",
    "layer:counts",
    "layer:count",
    "layer:raw_counts",
    "layer:umi",
    "layer:umis",
    "raw",
)


def check_values(part: Part) -> Iterator[Finding]:
    role, name, matrix = part.source.role, part.source.name, part.matrix
    without_offset = zero_is_minus_infinity(matrix) and scale_of(matrix) == "log"
    filled = _with_zeros(matrix) if without_offset else matrix
    if error := caught(lambda: check_finite(filled, role, name)):
        gone = filled.genes[~finite_rows(filled)]
        advice = (
            f"Leave out the {number(len(gone))} gene{'s' if len(gone) != 1 else ''} with missing"
            f" values: {some(gone)}."
        )
        keeps = len(gone) < matrix.n_genes
        yield f.MissingValues(
            Place.at(name, role, genes=gone),
            str(error),
            advice,
            DropGaps(role=role) if keeps else None,
        )
    if without_offset:
        yield from _scale(part)  # what is zero is seen once the logarithm is undone
        return
    if error := caught(lambda: check_not_zero(matrix, role, name)):
        yield f.AllZero.of(error, Place(name, role))
        return
    if (few := _few_values(part)) is not None:
        yield few
    yield from _scale(part)
    clean = matrix.genes[~filled_rows(matrix)]
    if len(clean):
        many = (
            f"{number(len(clean))} of {number(matrix.n_genes)} genes are"
            if len(clean) > 1
            else f"The gene {shorten(clean[0])} is"
        )
        cls = f.EmptyGenes if role in ("train", "reference") else f.Noted
        place = Place.at(name, role, genes=clean)
        yield cls(
            place,
            f"{many} zero throughout {PART_NAMES[role]}.",
            "They tell nothing about the types and can be left out.",
            DropEmpty(role=role),
        )
    empty = matrix.columns[detected(matrix) == 0]
    if len(empty) and role in ("train", "test"):
        many = (
            f"{number(len(empty))} cells of {name} are"
            if len(empty) > 1
            else f"The cell {shorten(empty[0])} of {name} is"
        )
        place = Place.at(name, role, columns=empty)
        yield f.EmptyCells(
            place,
            f"{many} zero in all genes.",
            "They are of no use and can be left out.",
            DropEmpty(role=role, of="columns"),
        )
    elif len(empty):
        yield empty_columns(matrix, role, name, empty, "in all genes")


def _with_zeros(matrix: Matrix) -> Matrix:
    """With 0 in the place of minus infinity."""
    values = np.asarray(matrix.values)
    return Matrix(np.where(np.isneginf(values), 0.0, values), matrix.genes, matrix.columns)


def _few_values(part: Part) -> Finding | None:
    """Values that do not measure anything: true and false, zero and one other, the same
    everywhere.
    """
    role, name, matrix = part.source.role, part.source.name, part.matrix
    other = _matrices(part)
    repair, rest = (other[0] if other else None), tuple(other[1:])
    advice = "Choose the matrix or the file that holds the counts."
    if "boolean" in part.traits:
        return f.BooleanValues(Place(name, role), part.traits["boolean"], advice, repair, rest)
    value = only_value(matrix)
    if value is None:
        return _coded(part)
    if value == 0:
        message = (
            f"In each of the {COLUMN_NAMES[role][1]} of {name} all values above zero are the same:"
            " they say whether a gene was detected, not how much."
        )
        return f.DetectedOnly(Place(name, role), message, advice, repair, rest)
    return f.ConstantValues(
        Place(name, role),
        f"In {name} all values are {value:.4g}, so they tell nothing.",
        advice,
        repair,
        rest,
    )


def _coded(part: Part) -> Finding | None:
    """Whole numbers of which hardly any are different, in many cells: bins, not counts."""
    role, name, matrix = part.source.role, part.source.name, part.matrix
    if role not in ("train", "test") or matrix.n_genes < 200 or matrix.n_columns < 50:
        return None
    values = stored_values(matrix)
    top = float(values.max(initial=0))
    if not 1 < top < 8 or float(values.min(initial=0)) < 0 or (values != np.rint(values)).any():
        return None
    other = _matrices(part)
    return f.CodedValues(
        Place(name, role),
        f"The values of {name} are whole numbers from 0 to {top:.0f} in all"
        f" {number(matrix.n_columns)} cells: these may be bins or classes and no counts.",
        "Check how the file was written, and choose the matrix of counts.",
        other[0] if other else None,
        tuple(other[1:]),
    )


def empty_columns(matrix: Matrix, role: Role, name: str, empty: pd.Index, where: str) -> Finding:
    """Samples or types of zeros.

    Leaving one out is never proposed: it decides something about the study.
    """
    one, many = COLUMN_NAMES[role]
    what, verb, it = (one, "is", "it") if len(empty) == 1 else (many, "are", "them")
    return f.EmptyColumns(
        Place.at(name, role, columns=empty),
        f"In {name} the {what} {some(empty)} {verb} zero {where}.",
        f"Look into where {it} came from; {it} can be left out, but this is for you to decide.",
        None,
        (DropEmpty(role=role, of="columns"),),
    )


def _scale(part: Part) -> Iterator[Finding]:
    role, name, matrix = part.source.role, part.source.name, part.matrix
    scale = scale_of(matrix)
    other = _matrices(part)
    if _is_ranking(matrix, name):
        yield f.ScaledValues(
            Place(name, role),
            f"{name} ranks the genes by a statistic, as GSEA asks for; it holds no expression.",
            "Choose the table of counts or TPM of the samples.",
        )
    elif scale == "log" and not _kept(part):
        form = log_form(matrix, role, name)
        undo = UndoLog(role=role, base=form.base, offset=form.offset)
        # an offset above 1 is known in one base only
        offset = min(form.offset, 1.0)
        others = [UndoLog(role=role, base=b, offset=offset) for b in _others(form.base)]
        signs = ", not whole numbers"
        if form.offset == 0:
            signs = "; minus infinity is the logarithm of 0"
        else:
            other = [*other, KeepValues(role=role)]
        top = float(
            np.nanmax(matrix.values.max() if matrix.is_sparse else np.asarray(matrix.values))
        )
        yield f.LogValues(
            Place(name, role),
            f"The values of {PART_NAMES[role]} ({name}) look log-transformed (largest"
            f" {top:.3g}{signs}); deconvolution needs a linear scale.",
            _undo_advice(form) + _approximate(matrix, form),
            *_chosen(form, undo, others, other),
        )
    elif scale == "linear" and looks_ranked(matrix):
        yield f.ScaledValues(
            Place(name, role),
            f"The values of {name} are ranks or percentiles: they are spread evenly in every column"
            " and cannot be turned back into expression.",
            "Choose the table of counts, TPM or FPKM.",
            other[0] if other else None,
            tuple(other[1:]),
        )
    elif scale == "linear" and role == "bulk" and looks_like_lengths(matrix):
        yield f.GeneLengths(
            Place(name, role),
            f"The values of {name} look like the lengths of the genes, not like expression: every"
            " gene has one, and it is nearly the same in all samples.",
            "Choose the table of counts or TPM that the same program wrote.",
        )
    elif scale == "negative log":
        yield _negative_log(part, other)
    elif scale != "linear" and (error := caught(lambda: check_not_negative(matrix, role, name))):
        if scale == "scaled":
            message = (
                f"The values of {name} are centred on zero, as z-scores and log-ratios are;"
                f" they cannot be turned back into expression. {error}"
            )
            yield f.ScaledValues(
                Place(name, role),
                message,
                "Choose the counts.",
                other[0] if other else None,
                tuple(other[1:]),
            )
        else:
            yield f.NegativeValues.of(
                error, Place(name, role), other[0] if other else None, tuple(other[1:])
            )


def _is_ranking(matrix: Matrix, name: str) -> bool:
    """Whether a single column is that of a .rnk file, by its name, or sorted from above zero to
    below: a sample may be sorted too, but then by counts or their logarithms.
    """
    if matrix.n_columns != 1 or matrix.is_sparse:
        return False
    values = np.asarray(matrix.values)[:, 0]
    steps = np.diff(values)
    ordered = bool((steps <= 0).all() or (steps >= 0).all())
    named = name.lower().removesuffix(".gz").endswith((".rnk", ".rnk.txt"))
    return named or (ordered and bool(values.min() < -1 and values.max() > 1))


def _kept(part: Part) -> bool:
    """Whether the user chose to take the values as they are."""
    return any(r["kind"] == "keep_values" for r in part.source.options.get("repairs", ()))


def _chosen(
    form: LogForm, undo: UndoLog, others: list[UndoLog], other: list[Repair]
) -> tuple[Repair | None, tuple[Repair, ...]]:
    """The proposed repair and its alternatives: none is proposed where the base is a guess."""
    if form.certain or form.usual:
        return undo, (*others, *other)
    return None, (undo, *others, *other)


def _undo_advice(form: LogForm) -> str:
    of = f" of x + {form.offset:g}" if form.offset not in (0, 1) else ""
    if form.by_name:
        return f"Undo the logarithm{of}; its base is {form.base} by the name of the file.{NOT_TOLD}"
    if form.certain:
        return f"Undo the logarithm{of}; its base seems to be {form.base}."
    if form.usual:
        return f"Undo the logarithm{of}; base {form.base} is usual for such values.{NOT_TOLD}"
    return f"Undo the logarithm{of}.{ASK_BASE}"


NOT_TOLD = " The values do not tell the base for certain; a wrong one gives wrong fractions."
ASK_BASE = (
    f"{NOT_TOLD} Choose the base that the file was made with: 2 is usual for bulk, e for tables of"
    " Scanpy and Seurat."
)


def _approximate(matrix: Matrix, form: LogForm) -> str:
    """What is to be said where the lowest logarithm is not that of 1, "" mostly."""
    low = float(stored_values(matrix).min())
    if (
        matrix.is_sparse
        or low < 0.3
        or form.offset == 0
        or (form.offset in LARGE_OFFSETS and form.certain)
    ):
        return ""
    return (
        f" This is approximate: the lowest value is {low:.3g} and not 0, as of variance-stabilised"
        " counts (VST, rlog) and of arrays. Counts or TPM are better."
    )


def _negative_log(part: Part, other: list[Repair]) -> Finding:
    """Logarithms below zero: of what was added to it, or without an offset."""
    role, name, matrix = part.source.role, part.source.name, part.matrix
    low = float(np.nanmin(matrix.values.min() if matrix.is_sparse else np.asarray(matrix.values)))
    found = log_floor(matrix, name)
    if found is None:
        told = told_base(matrix) or base_in_name(name)
        base = told or "2"
        return f.NegativeLog(
            Place(name, role),
            f"The negative values of {name} (down to {low:.3g}) look like {_LOG[base]}-CPM, where"
            " they stand for low expression; deconvolution needs a linear scale.",
            f"Undo the logarithm ({base}ˣ)." + ("" if told else NOT_TOLD),
            UndoLog(role=role, base=base, offset=0),
            (*(UndoLog(role=role, base=b, offset=0) for b in _others(base)), *other),
        )
    base, offset = found.base, found.offset
    return f.NegativeLog(
        Place(name, role),
        f"The values of {name} look like the {_LOG[base]} of x + {offset:g}: the lowest one,"
        f" {low:.5g}, stands for 0; deconvolution needs a linear scale.",
        f"Undo the logarithm ({base}ˣ - {offset:g})." + _told(found),
        *_chosen(
            found,
            UndoLog(role=role, base=base, offset=offset),
            [
                *(
                    UndoLog(role=role, base=b, offset=float(f"{BASES[b] ** low:.4g}"))
                    for b in _others(base)
                ),
                UndoLog(role=role, base=base, offset=0),
            ],
            other,
        ),
    )


def _told(form: LogForm) -> str:
    """What is to be said of the base, "" where the values tell it."""
    if form.by_name:
        return f" The name of the file says the base.{NOT_TOLD}"
    return "" if form.certain else NOT_TOLD if form.usual else ASK_BASE


_BASES: tuple[Base, ...] = ("2", "e", "10")
_LOG: dict[Base, str] = {"2": "log2", "e": "ln", "10": "log10"}


def _matrices(part: Part) -> list[Repair]:
    """Other matrices of the file that are usually counts."""
    return [
        ChooseMatrix(role=part.source.role, matrix=m)
        for m in _COUNTS
        if m in part.matrices and m != part.source.options.get("matrix")
    ]


def _others(base: Base) -> list[Base]:
    return [b for b in _BASES if b != base]
