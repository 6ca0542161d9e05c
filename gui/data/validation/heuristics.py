"""What values and names look like: logarithms, centred values, genes in the place of columns."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix
from gui.data.validation.log_base import has_floor, stored_values, zero_is_minus_infinity
from gui.data.validation.repairs_genes import ENSEMBL
from gui.knowledge.gene_names import recognise

Scale = Literal["linear", "log", "negative log", "scaled", "negative"]
_SAMPLE = 400
_KNOWN = """
ACTB GAPDH B2M CD74 MALAT1 TMSB4X TMSB10 RPLP0 RPLP1 RPS12 RPS18 RPS27 RPL13 RPL41 EEF1A1 TPT1
FTL FTH1 UBC UBB HSP90AA1 HSPA8 CD3D CD3E CD4 CD8A CD8B CD79A MS4A1 NKG7 GNLY LYZ
S100A8 S100A9 CD14 FCGR3A CST3 PPBP HLA-A HLA-B HLA-C HLA-DRA HLA-DRB1 VIM ACTG1 TUBA1B TUBB COL1A1
COL1A2 COL3A1 PECAM1 VWF EPCAM KRT8 KRT18 KRT19 TP53 EGFR MYC BRCA1 BRCA2 CHAF1A
"""
KNOWN = frozenset(_KNOWN.split())
"""Genes that nearly every human data set has."""


def scale_of(matrix: Matrix) -> Scale:
    """What kind of values these are."""
    values = stored_values(matrix)
    if not values.size:
        return "linear"
    low, top = float(values.min()), float(values.max())
    if zero_is_minus_infinity(matrix):
        if low < 0 and _below_zero(matrix, low, top) == "scaled":
            return "scaled"  # ratios to the mean of a gene, of which some are 0
        return "log" if top < 50 else "negative"
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
    if has_floor(matrix, usual=True):
        return "negative log"
    # one lowest value of many genes in all samples, but no highest one: no scaling leaves that
    at_floor = float((np.abs(some - low) < 1e-4).mean())
    at_top = int((np.abs(stored_values(matrix) - top) < 1e-4).sum())
    if at_floor > 0.05 and at_top < 3 and has_floor(matrix):
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
    if has_floor(matrix):
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
