"""Common genes, selection and scale, in exactly the order of ``reference_pipeline.py``.

Common genes of all parts, in the order of the training data -> selection by the variance of the
per-type means of the aligned, scaled training cells -> every matrix scaled to one column sum over
the SELECTED genes. The order matters: another one moves bulk shares by up to 0.08.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from gui.data.column_pieces import column_pieces
from gui.data.dataset import COLUMN_NAMES, PART_NAMES, Bulk, Cells, Dataset, Matrix, Role
from gui.data.readers.labels import cells_by_label
from gui.data.validation.checks import (
    COMMON_GENES_ADVICE,
    check_columns,
    check_common,
    check_reference,
    check_trainable,
)
from gui.errors import BadValues, EmptyColumn, MissingGenes, MissingPart, NoCommonGenes
from gui.text import number, some

_CHUNK = 4_000_000
"""Values made dense at a time while genes are selected (32 MB)."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the engine works on: float64 frames over the same genes, columns scaled to one sum
    (unless the dataset's scale is None).

    reference : genes x types; train : genes x cells, columns = type labels, only types of the
    reference (no column where the dataset has no training cells); test : genes x cells, columns =
    type labels, also types the reference lacks; bulk : genes x samples
    """

    reference: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame | None
    bulk: pd.DataFrame | None
    genes: pd.Index
    notes: tuple[str, ...] = ()


def check_prepared(prepared: Prepared) -> None:
    """Everything the engine relies on, on the matrices as it gets them.

    Raises the errors of trap 6.
    """
    if not len(prepared.genes):
        raise NoCommonGenes("The parts have no gene in common.", advice=COMMON_GENES_ADVICE)
    if prepared.reference.shape[1]:
        check_reference(prepared.reference)
    for role, frame in (
        ("train", prepared.train),
        ("test", prepared.test),
        ("bulk", prepared.bulk),
    ):
        if frame is not None and not np.isfinite(frame.to_numpy()).all():
            raise BadValues(
                f"{PART_NAMES[role].capitalize()} hold missing or infinite values over the genes in"  # type: ignore[index]
                " use."
            )
    if prepared.train.shape[1] and prepared.reference.shape[1]:
        missing = prepared.reference.columns[
            ~prepared.reference.columns.isin(prepared.train.columns.unique())
        ]
        if len(missing):
            raise MissingPart(
                f"The reference holds {some(missing)}, but no training cell bears this label."
            )


def common_genes(dataset: Dataset) -> pd.Index:
    """Genes of all parts, in the order of the training cells (of the first part without them)."""
    parts = list(dataset.parts().values())
    if not parts:
        return pd.Index([], dtype=object)
    keep = np.ones(parts[0].n_genes, dtype=bool)
    for other in parts[1:]:
        keep &= parts[0].genes.isin(other.genes)
    return pd.Index(parts[0].genes[keep], name=None)


def prepare(
    dataset: Dataset, *, n_genes: int | None = None, genes: pd.Index | list[str] | None = None
) -> Prepared:
    """Align, select, scale; all checks of trap 6 are made on the result.

    n_genes : how many genes are selected, None for all; genes : use exactly these (of a trained
        model)
    Raises MissingPart, MissingGenes, NoCommonGenes, TooFewGenes, TooFewTypes, BadValues,
    EmptyColumn, CollinearTypes.
    """
    parts = dataset.parts()
    if genes is None and dataset.train is None:
        raise MissingPart("There are no training cells.")
    if not parts:
        raise MissingPart("There is no data.")
    notes: list[str] = []
    if genes is not None:
        chosen = pd.Index(genes, name=None)
        for role, matrix in parts.items():
            _need(
                chosen,
                matrix,
                f"{PART_NAMES[role].capitalize()}"
                f" {'lacks' if role in ('reference', 'bulk') else 'lack'}",
            )
        shared = chosen
    else:
        shared = common_genes(dataset)
        check_common(parts, shared)
        chosen = shared
    train, test = dataset.train, dataset.test
    if train is not None:
        train = _filled(_aligned(train, shared), "train", dataset, notes)
        if genes is None and n_genes and n_genes < len(shared):
            chosen = select_genes(train, n_genes, dataset.scale)
            train = _filled(_aligned(train, chosen), "train", dataset, notes)
    if test is not None:
        test = _filled(_aligned(test, chosen), "test", dataset, notes)
    train_frame = _frame(train, dataset.scale) if train is not None else pd.DataFrame(index=chosen)
    if dataset.reference is not None:
        given = dataset.reference.take(chosen)
        check_columns(given, "reference")
        reference = scaled(given.frame(), dataset.scale)
    else:
        reference = type_means(train_frame) if train is not None else pd.DataFrame(index=chosen)
    bulk = prepare_bulk(dataset.bulk, chosen, dataset.scale) if dataset.bulk is not None else None
    if train is not None:
        check_trainable(map(str, reference.columns), train)
        train_frame = train_frame.loc[:, train_frame.columns.isin(reference.columns)]
    prepared = Prepared(
        reference,
        train_frame,
        _frame(test, dataset.scale) if test is not None else None,
        bulk,
        chosen,
        tuple(notes),
    )
    check_prepared(prepared)
    return prepared


def prepare_bulk(bulk: Bulk, genes: pd.Index, scale: float | None) -> pd.DataFrame:
    """Bulk samples over exactly ``genes``, genes x samples, scaled: what a trained model is applied
    to.

    Raises MissingGenes, EmptyColumn.
    """
    _need(genes, bulk.matrix, "The bulk lacks")
    matrix = bulk.matrix.take(genes)
    check_columns(matrix, "bulk")
    return scaled(matrix.frame(), scale)


def scaled(matrix: pd.DataFrame, scale: float | None) -> pd.DataFrame:
    """Every column multiplied to the sum ``scale``; unchanged for None."""
    return matrix if scale is None else matrix * (scale / matrix.sum(axis=0).to_numpy())


def type_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Genes x cells (columns = labels) -> genes x types, sorted by type."""
    return cells.T.groupby(level=0).mean().T


def sums_by_type(cells: Cells, weight: np.ndarray) -> pd.DataFrame:
    """Genes x types, sorted by type: the sums of the cells of each type, every cell times its
    weight (cells,); in pieces, as a product of matrices would make float64 of all values.
    """
    from scipy import sparse

    types, stored = cells.types, cast(Any, cells.matrix.values)
    group = np.searchsorted(types, cells.labels.astype(str))
    if not cells.matrix.is_sparse:
        weights = sparse.csc_matrix(
            (weight, (np.arange(len(group)), group)), shape=(len(group), len(types))
        )
        sums = np.asarray(stored @ weights, dtype=np.float64)
        return pd.DataFrame(sums, cells.matrix.genes, pd.Index(types, dtype=object))
    total = np.zeros((len(types), cells.matrix.n_genes))
    flat, counts = total.reshape(-1), np.diff(stored.indptr)
    for begin, end in column_pieces(stored):
        low, high = int(stored.indptr[begin]), int(stored.indptr[end])
        repeats = counts[begin:end]
        at = np.repeat(group[begin:end] * total.shape[1], repeats) + stored.indices[low:high]
        np.add.at(flat, at, np.repeat(weight[begin:end], repeats) * stored.data[low:high])
    sums = np.ascontiguousarray(total.T)
    return pd.DataFrame(sums, cells.matrix.genes, pd.Index(types, dtype=object))


def select_genes(train: Cells, n_genes: int, scale: float | None) -> pd.Index:
    """The ``n_genes`` genes whose mean over the cells of a type varies most between types, most
    variable first.

    Same numbers as ``type_means(scaled(train)).var(axis=1).nlargest(n)``, but in chunks: the whole
    matrix is never made dense.
    """
    values: Any = train.matrix.values
    cells, rows = train.matrix.n_columns, train.matrix.n_genes
    if train.matrix.is_sparse:
        factor = np.empty(cells)
        step = max(1, _CHUNK // max(1, rows))
        # sums over a dense row: the order of summation is the reference's, hence the same last
        # digit
        for at in range(0, cells, step):
            factor[at : at + step] = np.asarray(
                values[:, at : at + step].T.toarray(order="C"), dtype=np.float64
            ).sum(axis=1)
        by_gene = values.tocsr()
    else:
        factor, by_gene = np.ascontiguousarray(values.T, dtype=np.float64).sum(axis=1), values
    factor = np.ones(cells) if scale is None else scale / factor
    step = max(1, _CHUNK // max(1, cells))
    means = []
    for at in range(0, rows, step):
        chunk = by_gene[at : at + step]
        dense = (
            np.asarray(chunk.toarray() if train.matrix.is_sparse else chunk, dtype=np.float64)
            * factor
        )
        means.append(pd.DataFrame(dense.T, index=train.labels).groupby(level=0).mean())
    table = pd.DataFrame(np.hstack([m.to_numpy() for m in means]), columns=train.matrix.genes).T
    return pd.Index(table.var(axis=1).nlargest(n_genes).index, name=None)


def split_cells(cells: Cells, share: float, seed: int) -> tuple[Cells, Cells]:
    """Training and test cells, stratified by type.

    share : of each type that goes to the test; a type of two or more cells keeps at least one in
        each part, a single cell is trained on
    The order of the cells is kept; the same seed gives the same split.
    """
    random = np.random.RandomState(seed)
    test = np.zeros(len(cells.labels), dtype=bool)
    for members in cells_by_label(cells.labels).values():
        if len(members) < 2:
            continue
        count = min(len(members) - 1, max(1, round(share * len(members))))
        test[random.permutation(members)[:count]] = True
    return cells.where(~test), cells.where(test)


def bulk_keeps(genes: pd.Index, bulk: Matrix) -> list[str]:
    """The genes of a trained model that a bulk lacks; empty: the DTD run can be kept."""
    return [str(g) for g in genes[~pd.Index(genes).isin(bulk.genes)]]


def _need(genes: pd.Index, matrix: Matrix, who: str) -> None:
    missing = bulk_keeps(genes, matrix)
    if missing:
        raise MissingGenes(
            f"{who} {number(len(missing))} of the {number(len(genes))} genes in use:"
            f" {some(missing)}.",
            advice="Train again on the common genes, or use data with these genes.",
        )


def _aligned(cells: Cells, genes: pd.Index) -> Cells:
    return Cells(cells.matrix.take(genes), cells.labels, cells.obs)


def _filled(cells: Cells, role: Role, dataset: Dataset, notes: list[str]) -> Cells:
    """Without cells that are zero over the genes in use: scaling them would give NaN.

    Raises EmptyColumn if a type loses all its cells.
    """
    full = cells.matrix.sums() > 0
    if full.all():
        return cells
    kept = cells.where(full)
    lost = sorted(set(cells.types) - set(kept.types))
    if lost:
        raise EmptyColumn(
            f"In {PART_NAMES[role]} all cells of {some(lost)} are zero over the genes in use.",
            advice="Use more genes, or leave the type out.",
        )
    count = int((~full).sum())
    what = COLUMN_NAMES[role][0 if count == 1 else 1]
    notes.append(
        f"{number(count)} {what} of {PART_NAMES[role]} left out: zero over the"
        f" {number(cells.matrix.n_genes)} genes in use."
    )
    return kept


def _frame(cells: Cells, scale: float | None) -> pd.DataFrame:
    frame = cells.matrix.frame()
    frame.columns = pd.Index(cells.labels, dtype=object)
    return scaled(frame, scale)
