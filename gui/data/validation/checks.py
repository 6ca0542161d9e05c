"""What must hold before the engine sees the data.

Each refusal is one sentence that names what is wrong, where, and what to do.

The engine itself answers such data with NaN, ``LinAlgError`` or silence (ENGINE.md, trap 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from gui.data.dataset import COLUMN_NAMES, PART_NAMES, Cells, Matrix, Role
from gui.errors import (
    BadNames,
    BadValues,
    CollinearTypes,
    DataError,
    EmptyColumn,
    MissingPart,
    NoCommonGenes,
    TooFewGenes,
    TooFewTypes,
    UnreadableFile,
)
from gui.knowledge.gene_names import recognise
from gui.knowledge.identifiers import Kind
from gui.text import number, shorten, some

SINGULAR = 1e-6
"""Smallest allowed ratio of the singular values of the reference (columns of length 1).

Measured: real references reach 1e-2, copies 1e-9.
"""
ALIKE = 0.998
"""Cosine similarity of two types from which on a note is given."""


def caught(check: Callable[[], object]) -> DataError | None:
    """What a check raises."""
    try:
        check()
    except DataError as error:
        return error
    return None


def check_matrix(matrix: Matrix, role: Role, name: str) -> None:
    """One part on its own: size, gene and column names, values.

    name : the file as shown. Raises UnreadableFile, BadNames, BadValues.
    """
    for check in (
        check_size,
        check_genes,
        check_column_names,
        check_finite,
        check_not_negative,
        check_not_zero,
    ):
        check(matrix, role, name)


def check_size(matrix: Matrix, role: Role, name: str) -> None:
    """There must be genes and columns. Raises UnreadableFile."""
    if not matrix.n_genes or not matrix.n_columns:
        raise UnreadableFile(
            f"{name} holds no {'genes' if not matrix.n_genes else COLUMN_NAMES[role][1]}."
        )


def check_genes(matrix: Matrix, role: Role, name: str) -> None:
    """Gene names must be there and unique. Raises BadNames."""
    check_names(
        matrix.genes,
        "gene name",
        name,
        "Sum up or rename the repeated genes in the file, then choose it again.",
    )


def check_column_names(matrix: Matrix, role: Role, name: str) -> None:
    """Samples and types must have unique names; cells may repeat. Raises BadNames."""
    one = COLUMN_NAMES[role][0]
    if role in ("reference", "bulk"):
        check_names(
            matrix.columns,
            f"{one} name",
            name,
            f"Give every {one} a name of its own in the file, then choose it again.",
        )


def all_finite(values: np.ndarray) -> bool:
    """Whether no value is missing or infinite; without an array as large where all are finite."""
    with np.errstate(invalid="ignore"):  # of plus and minus infinity
        total = values.sum(dtype=np.float64)
    return bool(np.isfinite(total) or np.isfinite(values).all())


def check_finite(matrix: Matrix, role: Role, name: str) -> None:
    """No value may be missing or infinite. Raises BadValues."""
    values = _stored(matrix)
    if not all_finite(values):
        _refuse_values(matrix, ~np.isfinite(values), role, name)


def check_not_negative(matrix: Matrix, role: Role, name: str) -> None:
    """Expression is zero or more. Raises BadValues."""
    values = _stored(matrix)
    if values.size and np.nanmin(values) < 0:
        _refuse_values(matrix, values < 0, role, name)


def check_not_zero(matrix: Matrix, role: Role, name: str) -> None:
    """Some value must be other than zero. Raises BadValues."""
    values = _stored(matrix)
    if not values.size or not values.any():
        raise BadValues(
            f"In {name} all values are zero.",
            advice="Choose the matrix that holds the expression values.",
        )


def _stored(matrix: Matrix) -> np.ndarray:
    stored: Any = matrix.values
    return cast(np.ndarray, stored.data if matrix.is_sparse else stored)


def _refuse_values(matrix: Matrix, bad: np.ndarray, role: Role, name: str) -> None:
    count, stored = int(bad.sum()), cast(Any, matrix.values)
    if matrix.is_sparse:
        at = int(np.flatnonzero(bad)[0])
        row, column = (
            int(stored.indices[at]),
            int(np.searchsorted(stored.indptr, at, side="right")) - 1,
        )
        value = float(stored.data[at])
    else:
        row, column = (int(i[0]) for i in np.nonzero(bad))
        value = float(stored[row, column])
    where = (
        f"gene {shorten(matrix.genes[row])} in {COLUMN_NAMES[role][0]}"
        f" {shorten(matrix.columns[column])}"
    )
    many = f", one of {number(count)} such values" if count > 1 else ""
    if np.isnan(value):
        raise BadValues(
            f"{name} has no value for {where}{many}.",
            advice="Remove the genes with missing values from the file, or fill them in.",
        )
    if np.isinf(value):
        raise BadValues(
            f"{name} has an infinite value for {where}{many}.",
            advice="Correct the value or remove the gene.",
        )
    advice = (
        "Expression must be zero or more, on a linear scale. Choose another matrix of the file, or"
        " undo the log or the scaling."
    )
    raise BadValues(f"{name} has the negative value {value:.3g} for {where}{many}.", advice=advice)


def check_names(names: pd.Index, what: str, name: str, advice: str) -> None:
    """Names must be there and unique. Raises BadNames."""
    if names.isna().any() or (names == "").any():
        raise BadNames(f"{name} has a {what} that is empty.", advice=advice)
    if not names.is_unique:
        double = names[names.duplicated()].unique()
        whose = (
            f"{what} {some(double)} occurs" if len(double) == 1 else f"{what}s {some(double)} occur"
        )
        raise BadNames(f"In {name} the {whose} more than once.", advice=advice)


def check_types(cells: Cells, name: str) -> None:
    """Training cells need two types. Raises TooFewTypes."""
    if len(cells.types) < 2:
        raise TooFewTypes(
            f"{name} holds only one cell type ({some(cells.types)}); at least two are needed.",
            advice="Check whether the right label column was chosen.",
        )


def check_common(parts: Mapping[Role, Matrix], genes: pd.Index) -> None:
    """The parts must share genes. Raises NoCommonGenes with the likely cause."""
    if len(genes):
        return
    first = next(iter(parts))
    for role, matrix in parts.items():
        if role == first or parts[first].genes.isin(matrix.genes).any():
            continue
        both = f"{PART_NAMES[role].capitalize()} and {PART_NAMES[first]}"
        why, advice = _why(parts[first], matrix, first, role)
        raise NoCommonGenes(f"{both} have no gene in common{why}.", advice=advice)
    raise NoCommonGenes(
        f"No gene occurs in all of {some(PART_NAMES[r] for r in parts)}.",
        advice=COMMON_GENES_ADVICE,
    )


COMMON_GENES_ADVICE = (
    "Use the same kind of gene names in all files, with genes in the first column of tables and in"
    " var of .h5ad files."
)


def _why(first: Matrix, other: Matrix, first_role: Role, role: Role) -> tuple[str, str]:
    """What the genes are called on either side, and what to do."""
    if other.columns.isin(first.genes).any():
        many = COLUMN_NAMES[role][1]
        return (
            f"; the {many} bear gene names, so the file seems to be transposed",
            COMMON_GENES_ADVICE,
        )
    kinds = recognise(first.genes), recognise(other.genes)
    for kind, whose in zip(kinds, (first_role, role), strict=True):
        if kind.kind not in _GENES and kind.kind is not Kind.UNKNOWN:
            return f": the names of {PART_NAMES[whose]} are {kind}", kind.advice
    species = [kind.species for kind in kinds]
    if species[0] != species[1] and all(species) and set(species) != {"human", "another species"}:
        odd = next(i for i, name in enumerate(species) if name != "human")
        return (
            f": names like {shorten(kinds[odd].example)} look like {species[odd]} genes, the others"
            f" like {species[1 - odd]} ones",
            "Use data of one species, or a table of gene names from the one to the other.",
        )
    ids = [Kind.ENSEMBL in kind.holds for kind in kinds]
    if ids[0] != ids[1]:
        one, two = (other, first) if ids[1] else (first, other)
        beside = Kind.SYMBOL in kinds[ids.index(True)].holds
        sign = " in front of another name (ID|SYMBOL)" if beside else ""
        return (
            f": one uses Ensembl IDs ({shorten(one.genes[0])}){sign}, the other gene symbols"
            f" ({shorten(two.genes[0])})",
            _TABLE_ADVICE,
        )
    return f" ({shorten(first.genes[0])} against {shorten(other.genes[0])})", COMMON_GENES_ADVICE


_GENES = (Kind.SYMBOL, Kind.ENSEMBL, Kind.ENTREZ)
_TABLE_ADVICE = (
    "Use the same kind of gene names in all files, or take them from a table of these IDs and gene"
    " symbols."
)


def check_trainable(reference: Iterable[str], train: Cells) -> None:
    """Every type of the reference needs training cells, or its gene weights are undefined.

    Raises MissingPart, TooFewTypes.
    """
    types = [str(t) for t in reference]
    trained = set(train.types)
    missing = [t for t in types if t not in trained]
    if len(types) < 2:
        raise TooFewTypes(
            f"The reference holds only one cell type ({some(types)}); at least two are needed."
        )
    if missing:
        raise MissingPart(
            f"The reference holds {some(missing)}, but no training cell bears"
            f" {'this label' if len(missing) == 1 else 'these labels'}.",
            advice=(
                f"Use the same names in both (the training cells have {some(train.types, 6)}), or"
                " leave these types out of the reference."
            ),
        )


def check_columns(matrix: Matrix, role: Role, what: str = "over the genes in use") -> None:
    """No column of the reference or the bulk may be zero. Raises EmptyColumn."""
    empty = matrix.columns[matrix.sums() == 0]
    if len(empty):
        one, many = COLUMN_NAMES[role]
        raise EmptyColumn(
            f"In {PART_NAMES[role]} the {one if len(empty) == 1 else many} {some(empty)}"
            f" {'is' if len(empty) == 1 else 'are'} zero {what}.",
            advice=(
                f"Remove {'it' if len(empty) == 1 else 'them'} from the file, or use more genes."
            ),
        )


def check_reference(reference: pd.DataFrame) -> None:
    """X, genes x types: more genes than types, finite, no type a mixture of the others.

    Raises TooFewTypes, TooFewGenes, BadValues, EmptyColumn, CollinearTypes.
    """
    genes, types = reference.shape
    if types < 2:
        raise TooFewTypes(
            f"Only one cell type ({some(reference.columns)}) is left; at least two are needed."
        )
    if genes < types:
        few = f"{number(genes)} gene{'s' if genes != 1 else ''}"
        raise TooFewGenes(
            f"{few} cannot tell {types} cell types apart; at least as many genes as types are"
            " needed.",
            advice="Use more genes.",
        )
    values = reference.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise BadValues("The reference holds missing or infinite values.")
    length = np.sqrt((values**2).sum(axis=0))
    if (length == 0).any():
        empty = some(reference.columns[length == 0])
        raise EmptyColumn(
            f"In the reference the cell type {empty} is zero over the genes in use.",
            advice="Use more genes or leave the type out.",
        )
    unit = values / length
    _, strength, directions = np.linalg.svd(unit, full_matrices=False)
    if strength[-1] > SINGULAR * strength[0]:
        return
    weight = np.abs(directions[-1])
    involved = reference.columns[weight > 0.05 * weight.max()]
    how = "the same" if len(involved) == 2 else "the same or mixtures of each other"
    raise CollinearTypes(
        f"The cell types {some(involved)} cannot be distinguished: over the {number(genes)} genes"
        f" in use their profiles are {how}.",
        advice="Merge these types or leave one of them out; more genes may help too.",
    )
