"""Dataset: what a session analyses.

Immutable; a change makes a new one.

Orientation is always genes x columns (cells, cell types, samples). Values are linear expression,
unscaled, as read; aligning, selecting and scaling is :mod:`gui.data.normalize`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from scipy import sparse

Role = Literal["train", "test", "reference", "bulk"]
ROLES: tuple[Role, ...] = ("train", "test", "reference", "bulk")
PART_NAMES: dict[Role, str] = {
    "train": "the training cells",
    "test": "the test cells",
    "reference": "the reference",
    "bulk": "the bulk",
}
COLUMN_NAMES: dict[Role, tuple[str, str]] = {
    "train": ("cell", "cells"),
    "test": ("cell", "cells"),
    "reference": ("cell type", "cell types"),
    "bulk": ("sample", "samples"),
}
HIDDEN = "hidden"
"""The row name of the hidden background in a composition."""


class Kept(Protocol):
    """Where the values of a matrix lie until they are needed: a session's file."""

    @property
    def is_sparse(self) -> bool: ...

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while they are read: once, whoever asks."""
        ...

    def read(self, matrix: Matrix) -> np.ndarray | sparse.csc_matrix:
        """The values, checked against the matrix's fingerprint where that is known.

        SessionError.
        """
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Matrix:
    """Expression, genes x columns.

    values : dense float array or scipy CSC matrix, genes x columns, any float dtype (computed with
        in float64); of a session that was opened they may still lie in its file and are read on
        first use (SessionError if that fails)
    genes : unique gene names; columns : cell, type or sample names (cells may repeat, types and
        samples are unique)
    """

    values: np.ndarray | sparse.csc_matrix
    genes: pd.Index
    columns: pd.Index

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.genes), len(self.columns)):
            raise ValueError(
                f"values {self.values.shape} do not fit {len(self.genes)} genes x"
                f" {len(self.columns)} columns"
            )

    @classmethod
    def kept(
        cls, where: Kept, genes: pd.Index, columns: pd.Index, fingerprint: str | None
    ) -> Matrix:
        """A matrix whose values are read on first use. fingerprint : as it was when they were kept,
        None: found out by reading them.
        """
        matrix = cls.__new__(cls)
        matrix.__dict__.update(genes=genes, columns=columns, _where=where)
        return matrix.known_as(fingerprint)

    def known_as(self, fingerprint: str | None) -> Matrix:
        """Take over a fingerprint that was kept with the values; who reads these checks it."""
        if fingerprint is not None:
            self.__dict__["fingerprint"] = fingerprint
        return self

    @property
    def known_fingerprint(self) -> str | None:
        """The fingerprint if it is known already."""
        return self.__dict__.get("fingerprint")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            where = self.__dict__.get("_where")
            if name != "values" or where is None:
                raise AttributeError(name)
            with where.lock:
                if "values" not in self.__dict__:
                    self.__dict__["values"] = where.read(self)
            return self.__dict__["values"]

    def keep(self, where: Kept) -> None:
        """Remember where the values lie on disk."""
        self.__dict__["_where"] = where

    @property
    def where_kept(self) -> Kept | None:
        """Where the values lie on disk, if anywhere."""
        return cast("Kept | None", self.__dict__.get("_where"))

    @property
    def loaded(self) -> bool:
        """Whether the values are in memory."""
        return "values" in self.__dict__

    @property
    def nbytes(self) -> int:
        """Bytes of the values in memory; 0 while they are not."""
        if not self.loaded:
            return 0
        stored: Any = self.values
        return int(
            stored.nbytes
            if isinstance(stored, np.ndarray)
            else stored.data.nbytes + stored.indices.nbytes + stored.indptr.nbytes
        )

    def __getstate__(self) -> dict[str, Any]:
        """For another process: with the values, which cannot be read there."""
        found = {"values": self.values, "genes": self.genes, "columns": self.columns}
        return found | (
            {} if self.known_fingerprint is None else {"fingerprint": self.known_fingerprint}
        )

    def __repr__(self) -> str:
        return (
            f"Matrix({self.n_genes} genes x {self.n_columns}"
            f" columns{'' if self.loaded else ', not loaded'})"
        )

    @property
    def is_sparse(self) -> bool:
        where = self.where_kept
        return (
            where.is_sparse
            if where is not None and not self.loaded
            else not isinstance(self.values, np.ndarray)
        )

    @property
    def n_genes(self) -> int:
        return len(self.genes)

    @property
    def n_columns(self) -> int:
        return len(self.columns)

    def take(self, genes: pd.Index) -> Matrix:
        """The same columns, only ``genes``, in that order.

        KeyError names a gene that is not there. Where these are all genes, the values are shared.
        """
        rows = self.genes.get_indexer(genes)
        if (rows < 0).any():
            raise KeyError(genes[int(np.flatnonzero(rows < 0)[0])])
        stored: Any = self.values
        whole = len(rows) == self.n_genes and np.array_equal(rows, np.arange(self.n_genes))
        if whole and (not self.is_sparse or stored.has_sorted_indices):
            return Matrix(stored, pd.Index(genes), self.columns)
        values = stored[rows]
        if self.is_sparse:
            values.sort_indices()  # equal matrices have equal fingerprints
        return Matrix(values, pd.Index(genes), self.columns)

    def where(self, keep: np.ndarray) -> Matrix:
        """The same genes, only the columns where the boolean mask ``keep`` (columns) is true.

        Where that are all, the values are shared.
        """
        if np.all(keep):
            return self
        return Matrix(self.values[:, np.flatnonzero(keep)], self.genes, self.columns[keep])

    def sums(self) -> np.ndarray:
        """Column sums in float64 (columns,)."""
        return np.asarray(self.values.sum(axis=0, dtype=np.float64)).ravel()

    def frame(self) -> pd.DataFrame:
        """Dense float64 frame, genes x columns."""
        stored: Any = self.values
        values = stored.toarray() if self.is_sparse else stored
        return pd.DataFrame(
            np.asarray(values, dtype=np.float64), index=self.genes, columns=self.columns
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over values and names: equal matrices have equal fingerprints, dense or sparse of
        the same layout.
        """
        return self.fingerprint_with(self.values)

    def fingerprint_with(self, values: Any) -> str:
        """The fingerprint if these were the values."""
        digest = hashlib.sha256()
        for names in (self.genes, self.columns):
            digest.update("\x00".join(map(str, names)).encode("utf-8", "surrogatepass") + b"\x01")
        if isinstance(values, np.ndarray):
            digest.update(np.ascontiguousarray(values).data)
        else:
            for array in (values.indptr, values.indices, values.data):
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Cells:
    """Labelled single cells.

    matrix : genes x cells; labels : cell type of each cell (cells,), str
    obs : further columns the user ticked, one row per cell (may have no column)
    """

    matrix: Matrix
    labels: np.ndarray
    obs: pd.DataFrame

    def __post_init__(self) -> None:
        if len(self.labels) != self.matrix.n_columns or len(self.obs) != self.matrix.n_columns:
            raise ValueError("labels and obs need one entry per cell")

    @property
    def types(self) -> list[str]:
        """Cell types, sorted."""
        return list(self._types)

    @cached_property
    def _types(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.labels.tolist())))

    def counts(self) -> pd.Series:
        """Cells per type, sorted by type."""
        return pd.Series(self.labels).value_counts().sort_index()

    def where(self, keep: np.ndarray) -> Cells:
        """Only the cells where the boolean mask ``keep`` (cells,) is true."""
        return Cells(self.matrix.where(keep), self.labels[keep], self.obs[keep])

    @cached_property
    def fingerprint(self) -> str:
        return self.fingerprint_of(self.matrix.fingerprint, self.labels)

    @staticmethod
    def fingerprint_of(matrix: str, labels: np.ndarray) -> str:
        """From the fingerprint of the matrix and the labels."""
        return hashlib.sha256(
            (matrix + "\x00".join(labels.tolist())).encode("utf-8", "surrogatepass")
        ).hexdigest()


@dataclass(frozen=True, eq=False)
class Bulk:
    """Bulk mixtures: matrix genes x samples; obs one row per sample (group columns to sort and
    colour by; may have no column).
    """

    matrix: Matrix
    obs: pd.DataFrame

    @property
    def samples(self) -> list[str]:
        return [str(s) for s in self.matrix.columns]

    @property
    def fingerprint(self) -> str:
        return self.matrix.fingerprint


@dataclass(frozen=True, eq=False)
class Clinical:
    """What is known of the patients.

    table : one row per bulk sample, in their order (missing values where a sample has no row); name
        : of the file
    time, event : its columns of survival times and of the event, "" if there are none; event_value
        : as text, what says that it happened;
    unit : of the times, "" if it is not known
    """

    table: pd.DataFrame
    name: str = ""
    time: str = ""
    event: str = ""
    event_value: str = ""
    unit: str = ""


@dataclass(frozen=True, eq=False)
class KnownComposition:
    """Known shares. shares : cell types x bulk samples, fractions; name : of the file; pairs : its
    types -> estimated ones ("A|B": their sum).
    """

    shares: pd.DataFrame
    name: str = ""
    pairs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Where a part came from, for the page and the provenance.

    name : file name as shown (never a path); kind : "h5ad", "loom", "h5seurat", "zarr", "rds",
        "csv", "dcx", "10x", "example", "split", "mean"
    sha256 : of the file, "" if there is none; options : what was chosen on reading (label column,
        layer, ...)
    notes : sentences, what was done on the way in; warnings : those that the user should act on
        (sessions saved earlier have all of them as notes)
    """

    role: Role
    name: str
    kind: str
    sha256: str = ""
    description: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Dataset:
    """What one session analyses.

    train, test : labelled cells (None only where a trained model was loaded instead of training
        data)
    reference : genes x cell types as the user gave it, or None: then the mean of the training cells
        per type
    bulk : application data, or None
    scale : the common column sum every matrix is scaled to over the genes in use; None leaves the
        values as they are
    clinical, truth : what is known of the bulk samples, or None
    aliases : an id as found out from the content -> the id it stands for: that of the same data
        before cells were taken out or names replaced, so that what was computed from those is not
        taken for outdated. Other content has other ids, for which nothing stands here.
    """

    train: Cells | None
    test: Cells | None
    reference: Matrix | None = None
    bulk: Bulk | None = None
    scale: float | None = 10_000.0
    name: str = "data"
    description: str = ""
    author: str = ""
    sources: tuple[Source, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    clinical: Clinical | None = None
    truth: KnownComposition | None = None

    @property
    def types(self) -> list[str]:
        """The reference's cell types: what can be estimated."""
        if self.reference is not None:
            return [str(t) for t in self.reference.columns]
        return self.train.types if self.train is not None else []

    def parts(self) -> dict[Role, Matrix]:
        """Every part that is there, by role, in the order train, test, reference, bulk."""
        found: dict[Role, Matrix | None] = {
            "train": self.train.matrix if self.train else None,
            "test": self.test.matrix if self.test else None,
            "reference": self.reference,
            "bulk": self.bulk.matrix if self.bulk else None,
        }
        return {role: matrix for role, matrix in found.items() if matrix is not None}

    def source(self, role: Role) -> Source | None:
        return next((s for s in self.sources if s.role == role), None)

    @cached_property
    def training_id(self) -> str:
        """Identifies everything a DTD run depends on: training and test cells, reference and scale
        (not the bulk).
        """
        parts: dict[Role, Cells | Matrix | None] = {
            "train": self.train,
            "test": self.test,
            "reference": self.reference,
        }
        return self.training_id_of(
            {role: part.fingerprint if part is not None else "" for role, part in parts.items()}
        )

    @cached_property
    def bulk_id(self) -> str:
        """Identifies the bulk and its scale; "" without a bulk."""
        return self.bulk_id_of({"bulk": self.bulk.fingerprint}) if self.bulk else ""

    @cached_property
    def samples_id(self) -> str:
        """Identifies what is known of the bulk samples: clinical table and annotations; "" if
        nothing is.
        """
        texts = []
        if self.clinical is not None:
            of = self.clinical
            meaning = (of.time, of.event, of.event_value, of.unit)
            texts += [of.table.to_csv(), "|".join(meaning)]
        if self.bulk is not None and self.bulk.obs.shape[1]:
            texts.append(self.bulk.obs.to_csv())
        return self._known_as("\0".join(texts)) if texts else ""

    def training_id_of(self, prints: Mapping[Role, str]) -> str:
        """:attr:`training_id` if the parts had these fingerprints ("" for one that is not
        there).
        """
        return self._known_as(
            "|".join([*(prints[role] or "-" for role in ROLES[:3]), repr(self.scale)])
        )

    def bulk_id_of(self, prints: Mapping[Role, str]) -> str:
        """:attr:`bulk_id` if the bulk had this fingerprint."""
        return self._known_as(f"{prints['bulk']}|{self.scale!r}") if prints["bulk"] else ""

    def _known_as(self, content: str) -> str:
        found = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return self.aliases.get(found, found)

    def standing_for(self, other: Dataset) -> Dataset:
        """This dataset, known under the ids of ``other``, of which it was made."""
        pairs = (
            (self.training_id, other.training_id),
            (self.bulk_id, other.bulk_id),
            (self.samples_id, other.samples_id),
        )
        return dataclasses.replace(
            self, aliases={own: known for own, known in pairs if own != known}
        )

    @cached_property
    def dataset_id(self) -> str:
        """Identifies the whole content."""
        return f"{self.training_id}-{self.bulk_id or 'nobulk'}"
