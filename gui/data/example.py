"""The built-in example: simulated single cells and bulk samples with known truth, made by the
project, offline.

Five cell types are in the reference. A sixth, the hidden one, is in the cells and in the bulk but
not in the reference, and in the bulk some genes of one type are regulated. What the analysis should
find is therefore known. A few strongly expressed genes come in bursts and tell nothing about the
type: a fit that trusts all genes alike follows them, gene weights learn to leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.dataset import HIDDEN, Bulk, Cells, Dataset, KnownComposition, Matrix, Source

TYPES = ("B cells", "Dendritic cells", "Monocytes", "NK cells", "T cells")
HIDDEN_TYPE = "Neutrophils"
REGULATED_TYPE = "Monocytes"
UP, DOWN = 3.0, 0.2
"""Factors by which the regulated genes are changed in the bulk; their numbers are such that the RNA
of the type hardly changes in sum.
"""
_SEED = 22
_HOUSEKEEPING, _MARKERS, _SHARED, _UP, _DOWN = 110, 25, 40, 4, 10
_BURSTING = 8
"""The first housekeeping genes: strongly expressed, in bursts, in all types alike (less in the
hidden one).
"""
_CELLS, _HIDDEN_CELLS, _DEPTH = 70, 30, 10_000.0
_SAMPLES = 20

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Example:
    """dataset : ready for the analysis; truth : types and ``hidden`` x samples, fractions of RNA
    that sum to 1

    regulated : genes changed in ``regulated_type`` in the bulk, the raised ones first; regulation :
        their true factors
    hidden_type : the type the reference lacks
    """

    dataset: Dataset
    truth: pd.DataFrame
    regulated: list[str]
    regulation: pd.Series
    regulated_type: str
    hidden_type: str


def make_example() -> Example:
    """The same example every time; takes about 0.1 s.

    Counts of a cell are gamma-Poisson around the profile of its type; bulk samples are Poisson
    around a mixture of profiles.
    """
    random = np.random.default_rng(_SEED)
    types = (*TYPES, HIDDEN_TYPE)
    genes, profiles = _profiles(random, types)
    train, test = (_cells(random, profiles, types, genes, part) for part in ("train", "test"))
    reference = _reference(train, genes)
    truth, group = _composition(random)
    own = _own_markers(types.index(REGULATED_TYPE))
    changed, factors = own[: _UP + _DOWN], np.repeat([UP, DOWN], [_UP, _DOWN])
    in_bulk = profiles.copy()
    in_bulk[changed, types.index(REGULATED_TYPE)] *= factors
    expected = in_bulk @ truth.to_numpy()
    expected[:_BURSTING] *= np.random.default_rng(7).lognormal(0.0, 0.02, (_BURSTING, _SAMPLES))
    values = random.poisson(
        expected
        * random.gamma(1600.0, 1 / 1600.0, expected.shape)
        * random.uniform(0.7, 1.3, _SAMPLES)
        * 2e6
    ).astype(np.float64)
    samples = pd.Index(truth.columns, dtype=object)
    bulk = Bulk(Matrix(values, genes, samples), pd.DataFrame({"group": group}, index=samples))
    name = "the built-in example"
    sources = (
        Source(
            "train",
            name,
            "example",
            notes=(
                (
                    f"{train.matrix.n_columns} simulated cells of {len(types)} types, {len(genes)}"
                    " genes."
                ),
            ),
        ),
        Source(
            "test", name, "example", notes=(f"{test.matrix.n_columns} further simulated cells.",)
        ),
        Source(
            "reference",
            name,
            "example",
            notes=(
                (
                    f"{len(TYPES)} of the {len(types)} types: {HIDDEN_TYPE} are left out, so they"
                    " are hidden."
                ),
            ),
        ),
        Source(
            "bulk",
            name,
            "example",
            notes=(
                (
                    f"{_SAMPLES} simulated samples in two groups; {_UP + _DOWN} genes of the"
                    f" {REGULATED_TYPE} are regulated."
                ),
            ),
        ),
    )
    dataset = Dataset(
        train,
        test,
        reference,
        bulk,
        name="Example",
        description=(
            f"Simulated data with known truth: {HIDDEN_TYPE} are missing from the reference,"
            f" {_UP + _DOWN} genes are regulated in {REGULATED_TYPE}."
        ),
        author="DeconomiX GUI",
        sources=sources,
        truth=KnownComposition(truth, name, {str(t): str(t) for t in truth.index}),
    )
    regulated = [str(genes[i]) for i in changed]
    return Example(
        dataset,
        truth,
        regulated,
        pd.Series(factors, index=regulated, name=REGULATED_TYPE),
        REGULATED_TYPE,
        HIDDEN_TYPE,
    )


def _own_markers(at: int) -> npt.NDArray[np.int64]:
    start = _HOUSEKEEPING + at * _MARKERS
    return np.arange(start, start + _MARKERS)


def _profiles(random: np.random.Generator, types: tuple[str, ...]) -> tuple[pd.Index, Values]:
    """Genes x types, each column sums to 1: housekeeping genes, markers of one type, genes shared
    by two types.
    """
    n = _HOUSEKEEPING + len(types) * _MARKERS + _SHARED
    base = random.lognormal(0.0, 0.8, n)
    base[:_BURSTING] = np.linspace(24.0, 36.0, _BURSTING)
    values = np.repeat(base[:, None], len(types), axis=1) * random.lognormal(
        0.0, 0.15, (n, len(types))
    )
    for k in range(len(types)):
        own = _own_markers(k)
        values[own] *= random.uniform(0.01, 0.06, (len(own), 1))
        values[own, k] = base[own] * random.uniform(3.0, 8.0, len(own))
    for row in range(n - _SHARED, n):
        pair = random.choice(len(types), 2, replace=False)
        values[row] *= 0.1
        values[row, pair] = base[row] * random.uniform(2.0, 4.0, 2)
    values[:_BURSTING, -1] *= 0.3
    names = [f"HK{i + 1:03d}" for i in range(_HOUSEKEEPING)]
    names += [
        f"{kind.split()[0].upper()[:4]}{i + 1:02d}" for kind in types for i in range(_MARKERS)
    ]
    names += [f"SH{i + 1:03d}" for i in range(_SHARED)]
    return pd.Index(names, dtype=object), values / values.sum(axis=0)


def _cells(
    random: np.random.Generator,
    profiles: Values,
    types: tuple[str, ...],
    genes: pd.Index,
    part: str,
) -> Cells:
    numbers = [_HIDDEN_CELLS if kind == HIDDEN_TYPE else _CELLS for kind in types]
    labels = np.repeat(np.array(types, dtype=object), numbers)
    means = np.repeat(profiles, numbers, axis=1) * random.lognormal(
        np.log(_DEPTH), 0.25, len(labels)
    )
    noise = random.gamma(3.0, 1 / 3.0, means.shape)
    noise[:_BURSTING] = np.random.default_rng([8, len(part)]).gamma(
        0.4, 1 / 0.4, (_BURSTING, len(labels))
    )
    counts = random.poisson(means * noise).astype(np.float64)
    order = random.permutation(len(labels))
    names = pd.Index([f"{part}_{i + 1:03d}" for i in range(len(labels))], dtype=object)
    return Cells(
        Matrix(np.ascontiguousarray(counts[:, order]), genes, names),
        labels[order],
        pd.DataFrame(index=names),
    )


def _reference(train: Cells, genes: pd.Index) -> Matrix:
    values = train.matrix.values / train.matrix.sums() * 10_000
    means = np.column_stack([values[:, train.labels == kind].mean(axis=1) for kind in TYPES])
    return Matrix(means, genes, pd.Index(TYPES, dtype=object))


def _composition(random: np.random.Generator) -> tuple[pd.DataFrame, list[str]]:
    """Types and hidden x samples; in the group "treated" there are more monocytes and more of the
    hidden type.
    """
    half = _SAMPLES // 2
    control, treated = (
        np.array([3.0, 1.2, 3.0, 2.0, 5.0, 1.2]),
        np.array([2.0, 1.2, 5.0, 1.6, 2.5, 3.5]),
    )
    shares = np.vstack(
        [random.dirichlet(control * 1.6, half), random.dirichlet(treated * 1.6, _SAMPLES - half)]
    )
    samples = [f"Sample {i + 1:02d}" for i in range(_SAMPLES)]
    return pd.DataFrame(shares.T, index=[*TYPES, HIDDEN], columns=samples), ["control"] * half + [
        "treated"
    ] * (_SAMPLES - half)
