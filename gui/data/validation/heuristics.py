"""What values and names look like: logarithms and their base, centred values, genes in the place of
columns.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix, Role
from gui.data.validation.repairs import BASES, UndoLog
from gui.data.validation.repairs_genes import ENSEMBL
from gui.knowledge.gene_names import recognise

Base = Literal["2", "e", "10"]
Scale = Literal["linear", "log", "negative log", "scaled", "negative"]
_BASES: tuple[Base, ...] = ("10", "2", "e")
_SAMPLE = 400
_KNOWN = """
ACTB GAPDH B2M CD74 MALAT1 TMSB4X TMSB10 RPLP0 RPLP1 RPS12 RPS18 RPS27 RPL13 RPL41 EEF1A1 TPT1
FTL FTH1 UBC UBB HSP90AA1 HSPA8 CD3D CD3E CD4 CD8A CD8B CD79A MS4A1 NKG7 GNLY LYZ
S100A8 S100A9 CD14 FCGR3A CST3 PPBP HLA-A HLA-B HLA-C HLA-DRA HLA-DRB1 VIM ACTG1 TUBA1B TUBB COL1A1
COL1A2 COL3A1 PECAM1 VWF EPCAM KRT8 KRT18 KRT19 TP53 EGFR MYC BRCA1 BRCA2 CHAF1A
"""
KNOWN = frozenset(_KNOWN.split())
"""Genes that nearly every human data set has."""


def stored_values(matrix: Matrix) -> np.ndarray:
    """The values, or of a sparse matrix those that are stored; without missing and infinite
    ones.
    """
    stored: Any = matrix.values
    values = np.asarray(stored.data if matrix.is_sparse else stored)
    return values if np.isfinite(values.sum(dtype=np.float64)) else values[np.isfinite(values)]


def scale_of(matrix: Matrix) -> Scale:
    """What kind of values these are."""
    values = stored_values(matrix)
    if not values.size:
        return "linear"
    low, top = float(values.min()), float(values.max())
    if low < 0:
        return _below_zero(matrix, low, top)
    few = values[:: max(1, values.size // 1_000_000)]
    whole = np.array_equal(few, np.rint(few))
    if whole or not 2 < top < 50 or matrix.n_genes <= 50:
        return "linear"
    # most linear values are far below the largest one; log2(FPKM-UQ + 1) goes up to 30 and more
    typical = float(np.median(few[few > 0])) / top
    if typical < (0.02 if top < 25 else 0.15):
        return "linear"
    sums = matrix.sums()
    # which logarithms never are
    scaled_to_one_sum = len(sums) > 1 and float(np.ptp(sums)) < 1e-4 * abs(float(sums.mean()))
    return "linear" if scaled_to_one_sum and not _same_quantiles(matrix) else "log"


def _same_quantiles(matrix: Matrix) -> bool:
    """Whether all columns hold the same values in another order, as after quantile normalisation:
    their sums are equal then, whatever the scale.
    """
    stored: Any = matrix.values[:, [0, matrix.n_columns // 2, matrix.n_columns - 1]]
    table = np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64)
    ordered = np.sort(table, axis=0)
    return bool(np.abs(ordered - ordered[:, :1]).mean() < 0.01 * np.abs(ordered).mean())


def _below_zero(matrix: Matrix, low: float, top: float) -> Scale:
    rows = np.linspace(0, matrix.n_genes - 1, min(matrix.n_genes, _SAMPLE)).astype(int)
    stored: Any = matrix.values
    some = np.asarray(
        stored.tocsr()[rows].toarray() if matrix.is_sparse else stored[rows], dtype=np.float64
    )
    some = some[np.isfinite(some).all(axis=1)]
    if not some.size or np.array_equal(some, np.rint(some)):
        return "negative"
    if log_floor(matrix, usual=True) is not None:
        return "negative log"
    # one lowest value of many genes in all samples, but no highest one: no scaling leaves that
    at_floor = float((np.abs(some - low) < 1e-4).mean())
    at_top = int((np.abs(stored_values(matrix) - top) < 1e-4).sum())
    if at_floor > 0.05 and at_top < 3 and log_floor(matrix) is not None:
        return "negative log"
    share = float((some < 0).mean())
    spread = some.std(axis=1)
    centred = np.abs(some.mean(axis=1)) < 0.1 * np.where(spread > 0, spread, 1.0)
    # ratios to other samples: nearly every gene is above zero here and below there, or the genes
    # lie around zero and differ no more than the samples do
    both = float(((some.min(axis=1) < 0) & (some.max(axis=1) > 0)).mean())
    within = float(np.median(spread))
    ratios = abs(float(np.median(some))) < within and some.mean(axis=1).std() < 1.5 * within
    ratios = ratios and matrix.n_columns > 3
    relative = matrix.n_columns > 1 and (centred.mean() > 0.8 or both > 0.8 or ratios)
    if share > 0.2 and (relative or _scaled_columns(matrix)):
        return "scaled"
    if log_floor(matrix) is not None:
        return "negative log"
    return "negative log" if low > -25 and top < 50 and 0.001 < share < 0.6 else "negative"


def _scaled_columns(matrix: Matrix) -> bool:
    """Whether every column has the mean 0 and the standard deviation 1."""
    stored: Any = matrix.values[:, : min(matrix.n_columns, 50)]
    table = np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    return bool(
        len(table) > 20
        and (np.abs(table.mean(axis=0)) < 0.02).all()
        and (np.abs(table.std(axis=0) - 1) < 0.02).all()
    )


def log_floor(matrix: Matrix, *, usual: bool = False) -> tuple[Base, float] | None:
    """Base and offset of logarithms whose lowest value stands for zero: (2, 0.001) for -9.9658.

    usual : only offsets that are usual; else one of base 2 is taken where many values are the
    lowest. None where the lowest value is above zero or stands alone.
    """
    values = stored_values(matrix)
    low, top = float(values.min()), float(values.max())
    lowest = int((np.abs(values - low) < 1e-4).sum())
    if low >= 0 or top > 50 or lowest < max(3, 0.002 * values.size):
        return None
    if fits := _offsets_at(low, top, USUAL_OFFSETS):
        likely = _base(matrix, "bulk", low)[0] if len(fits) > 1 else fits[0][0]
        # of log10(0.01) and log2(0.25), both -2, the one with plausible values; of ln(0.1) and
        # log10(0.005) the rounder one
        return min(fits, key=lambda fit: (fit[0] != likely, USUAL_OFFSETS.index(fit[1])))
    if not usual and low > -25 and lowest > max(20, 0.02 * values.size):
        base = _base(matrix, "bulk", low)[0]
        return base, float(f"{BASES[base] ** low:.4g}")
    return None


def _offsets_at(low: float, top: float, offsets: Collection[float]) -> list[tuple[Base, float]]:
    """Bases and offsets whose logarithm is the lowest value."""
    return [
        (base, offset)
        for base in _BASES
        for offset in offsets
        if abs(np.log(offset) / np.log(BASES[base]) - low) < 2e-3
        and top * np.log(BASES[base]) < np.log(1e8)
    ]


USUAL_OFFSETS: tuple[float, ...] = (
    *(10.0**-k for k in range(1, 10)),
    0.5,
    0.25,
    *(5 * 10.0**-k for k in range(2, 10)),
)
"""What is added before a logarithm is taken, beside 1; the usual ones first."""
_ABOVE_ONE = (2.0, 5.0, 10.0)


@dataclass(frozen=True)
class LogForm:
    """log_base(x + offset). certain : whether the values tell the base."""

    base: Base
    offset: float
    certain: bool


def log_form(matrix: Matrix, role: Role) -> LogForm:
    """Base and offset of logarithms that are not below zero.

    Many values at a lowest one above zero are those of what is zero: log2(x + 5) begins at 2.32.
    """
    values = stored_values(matrix)
    low, top = float(values.min()), float(values.max())
    lowest = int((np.abs(values - low) < 1e-4).sum())
    base, certain = _base(matrix, role)
    if matrix.is_sparse or low < 0.25 or lowest <= max(20, 0.02 * values.size):
        return LogForm(base, 1.0, certain)
    told, sure = _base(matrix, role, low)
    if fits := _offsets_at(low, top, _ABOVE_ONE):
        found = min(fits, key=lambda fit: (fit[0] != told, fit[1]))
        return LogForm(found[0], found[1], True)
    offset = float(f"{BASES[told] ** low:.4g}")
    return LogForm(told, offset, sure) if offset <= 100 else LogForm(base, 1.0, certain)


def base_of_range(top: float) -> tuple[Base, bool]:
    """The likely base of bulk logarithms by their largest value, and whether others are absurd.

    The most expressed gene has hundreds to millions: 4.8 is the log10 of 63 000, and as a log2
    it would be 28. Between 7 and 16 neither 2 nor e is absurd, and 2 is usual.
    """
    if top < 7:
        return "10", top < 5.5
    return "2", top * math.log10(math.e) > 7


def looks_ranked(matrix: Matrix) -> bool:
    """Whether the values of each column are ranks or percentiles: as many in every tenth of their
    range, apart from the lowest, which genes without expression share.
    """
    if matrix.n_genes < 100:
        return False
    columns = np.unique(np.linspace(0, matrix.n_columns - 1, 10).astype(int))
    stored: Any = matrix.values[:, columns]
    table = np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64)
    for column in table.T:
        above = np.sort(column[column > np.nanmin(column)])
        if len(np.unique(above)) < max(50, 0.5 * len(above)):
            return False
        even = np.linspace(above[0], above[-1], len(above))
        if np.abs(above - even).max() > 0.02 * (above[-1] - above[0]):
            return False
    return True


def looks_like_lengths(matrix: Matrix) -> bool:
    """Whether the values are lengths of genes or transcripts, as salmon, RSEM and tximport write
    beside the expression: of every gene, hardly different between samples, and not high for the
    genes that every cell expresses.
    """
    if matrix.is_sparse or matrix.n_genes < 100 or matrix.n_columns < 2:
        return False
    values = np.asarray(matrix.values, dtype=np.float64)
    middle = np.median(values, axis=1)
    if not (values.min() >= 1 and 200 < np.median(middle) < 20_000 and middle.max() < 500_000):
        return False
    alike = np.abs(values - middle[:, None]).max(axis=1) < 0.25 * middle
    if alike.mean() < 0.9:
        return False
    if np.quantile(middle, 0.95) > 10 * np.median(middle):  # expression has a longer tail
        return False
    ranks = np.argsort(np.argsort(middle)) / len(middle)
    known = [rank for name, rank in zip(matrix.genes, ranks, strict=True) if str(name) in KNOWN]
    return len(known) < 5 or float(np.median(known)) < 0.7


def only_value(matrix: Matrix) -> float | None:
    """The value that all of the matrix has, or 0 if every column has one value beside zero; None
    for what varies, and for less than 100 values.

    Of many columns an even selection is looked at.
    """
    columns = np.linspace(0, matrix.n_columns - 1, min(matrix.n_columns, _SAMPLE // 2)).astype(int)
    stored: Any = matrix.values[:, np.unique(columns)]
    seen, values, gaps = 0, set[float](), False
    for at in range(stored.shape[1]):
        column = stored[:, [at]].data if matrix.is_sparse else stored[:, at]
        filled = column[column != 0]
        gaps |= len(filled) < matrix.n_genes
        if not len(filled):
            continue
        low, top = float(filled.min()), float(filled.max())
        if not top - low <= 1e-6 * abs(top):
            return None
        seen += len(filled)
        values.add(top)
    if seen < 100 or min(values) <= 0:
        return None
    return 0.0 if gaps or max(values) - min(values) > 1e-6 * max(values) else max(values)


def log_base(matrix: Matrix, role: Role) -> Base:
    """The likely base of log(x + 1), see :func:`log_form`."""
    return _base(matrix, role)[0]


def _base(matrix: Matrix, role: Role, low: float = 0.0) -> tuple[Base, bool]:
    """The likely base, and whether the values tell it; low : the logarithm of what was added.

    The base after which the values are whole numbers, or after which the columns have the same sum;
    else what is usual: 2 for bulk and for values that would be absurd otherwise, e for single
    cells.
    """
    columns = np.linspace(0, matrix.n_columns - 1, min(matrix.n_columns, 60)).astype(int)
    stored: Any = matrix.values[:, columns]
    some = np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64)
    some = some[np.isfinite(some).all(axis=1)]
    top = float(some.max()) if some.size else 0.0
    possible: list[Base] = [b for b in ("2", "e", "10") if top * np.log(BASES[b]) < np.log(1e7)]
    spread: dict[Base, float] = {}
    for base in ("2", "e", "10"):
        if top * np.log(BASES[base]) > np.log(1e9):
            continue
        offset = min(100.0, BASES[base] ** low)
        linear = UndoLog(role=role, base=base, offset=offset).linear(some)
        seen = linear[(linear > 0.5) & (linear < 1000)]
        if (
            seen.size > 20
            and float((np.abs(seen - np.rint(seen)) < 1e-3 * np.maximum(1.0, seen)).mean()) > 0.99
        ):
            return base, True
        if base not in possible:
            continue
        sums = linear.sum(axis=0)
        spread[base] = (
            float(sums.std() / sums.mean()) if sums.size > 2 and sums.mean() > 0 else np.inf
        )
    by_range, certain = base_of_range(top)
    usual: Base = by_range if role == "bulk" else "2" if top > 9.5 else "e"
    if spread:
        best = min(spread, key=lambda b: spread[b])
        if spread[best] < 0.02 and all(spread[b] > 3 * spread[best] for b in spread if b != best):
            return best, True
    if usual in possible or not possible:
        return usual, certain if role == "bulk" else usual == "e"
    return possible[0], False


def share_known(names: pd.Index, genes: Collection[str]) -> int:
    """How many of the names are genes: of ``genes``, or without these widely known ones and Ensembl
    IDs.
    """
    found = set(map(str, names[:50_000]))
    return (
        len(found & set(genes))
        if genes
        else sum(n.upper() in KNOWN or bool(ENSEMBL.match(n)) for n in found)
    )


def looks_transposed(matrix: Matrix, genes: Collection[str] = ()) -> bool:
    """Whether the columns and not the rows bear gene names. genes : of the other parts."""
    columns, rows = share_known(matrix.columns, genes), share_known(matrix.genes, genes)
    enough = max(3, 0.2 * min(len(genes), matrix.n_columns)) if genes else 3
    if columns >= enough and columns > 5 * rows:
        # sorted populations may be called CD4, CD8A, CD19
        return bool(genes) or recognise(matrix.genes).known < 0.5
    if rows or matrix.n_columns < 20:
        return False
    # names of another kind than those of the other parts
    return recognise(matrix.columns).known > 0.5 and recognise(matrix.genes).known < 0.1


def symbol_column(var: pd.DataFrame | None, genes: pd.Index) -> str | None:
    """The column of var that holds gene symbols: text, nearly all different, not the index
    itself.
    """
    if var is None:
        return None
    usual = (
        "gene_symbol",
        "feature_name",
        "gene_symbols",
        "symbol",
        "gene_name",
        "gene_names",
        "hgnc_symbol",
        "genename",
        "genesymbol",
        "name",
        "gene",
    )
    rank = {name: i for i, name in enumerate(usual)}
    candidates = []
    for column in var.columns:
        values = [str(v).strip() for v in var[column] if not pd.isna(v)]
        texts = [
            v for v in values if v and not v.replace(".", "", 1).isdigit() and not ENSEMBL.match(v)
        ]
        if (
            len(texts) < 0.8 * len(var)
            or len(set(texts)) < 0.8 * len(texts)
            or values == list(map(str, genes))
        ):
            continue
        candidates.append((rank.get(str(column).lower(), 99), str(column)))
    known = [c for c in candidates if c[0] < 99]
    return min(known or candidates)[1] if candidates else None
