"""What can be done about a finding: small frozen orders, kept in the request and in the provenance,
applied to a part as it was read.

Nothing is changed that the user did not choose. A repair knows everything it needs (which date
becomes which symbol), so that it does the same wherever it is applied. Repairs of the cell types
are in :mod:`gui.data.validation.repairs_types`, those of gene names in
:mod:`gui.data.validation.repairs_genes`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from gui.data import column_pieces
from gui.data.dataset import COLUMN_NAMES, Matrix, Role
from gui.data.readers.options import Frozen
from gui.data.readers.part import Part
from gui.errors import BadValues
from gui.text import number, some

Target = Role | Literal["types"]
"""A part, or "types": every part that has cell types (training cells, test cells, reference)."""
ROWS = 8
"""Rows of a preview."""


class Repair(Frozen):
    """Base. role : the part it is for; ``kind`` names it in the request and in the provenance."""

    what: ClassVar[str] = ""
    """What it does, as on a button."""
    kind: str
    role: Target

    def __hash__(self) -> int:  # mappings among the fields are not hashable
        return hash(self.model_dump_json())

    def title(self) -> str:
        return self.what

    def fits(self, role: Role) -> bool:
        """Whether it is for this part."""
        return self.role == role or (self.role == "types" and role != "bulk")

    def apply(self, part: Part) -> tuple[Part, str]:
        """The repaired part, and in a sentence what was done.

        DataError where it cannot be applied.
        """
        raise NotImplementedError

    def preview(self, part: Part) -> pd.DataFrame:
        """A few values before and after: at most 8 rows, columns "before" and "after"."""
        return compare_values(part, self.apply(part)[0])

    def record(self) -> dict[str, Any]:
        """For the provenance: plain values, no path."""
        return self.model_dump(mode="json")


def repaired(part: Part, matrix: Matrix, said: str, **changes: Any) -> tuple[Part, str]:
    """The part with another matrix and what belongs to it."""
    return replace(part, matrix=matrix, **changes), said


def keep_columns(part: Part, keep: np.ndarray) -> Part:
    """Only the columns where the mask is true."""
    return replace(
        part,
        matrix=part.matrix.where(keep),
        labels=None if part.labels is None else part.labels[keep],
        obs=part.obs[keep],
    )


def keep_genes(part: Part, keep: np.ndarray) -> Part:
    """Only the genes where the mask is true."""
    matrix, rows = part.matrix, np.flatnonzero(keep)
    stored: Any = matrix.values
    values = stored.tocsr()[rows].tocsc() if matrix.is_sparse else stored[rows]
    return replace(
        part,
        matrix=Matrix(values, matrix.genes[rows], matrix.columns),
        var=None if part.var is None else part.var.iloc[rows],
    )


def named(part: Part, genes: Any) -> Part:
    """The same rows under other gene names."""
    return replace(
        part, matrix=Matrix(part.matrix.values, pd.Index(genes, dtype=object), part.matrix.columns)
    )


def gene_means(matrix: Matrix) -> np.ndarray:
    """Mean of every gene over the columns, float64."""
    return np.asarray(matrix.values.mean(axis=1, dtype=np.float64)).ravel()


def finite_rows(matrix: Matrix) -> np.ndarray:
    """Which genes have a finite value everywhere."""
    stored: Any = matrix.values
    if not matrix.is_sparse:
        return np.asarray(np.isfinite(stored).all(axis=1))
    good = np.ones(matrix.n_genes, dtype=bool)
    good[stored.indices[~np.isfinite(stored.data)]] = False
    return good


def filled_rows(matrix: Matrix) -> np.ndarray:
    """Which genes have a value other than zero anywhere."""
    stored: Any = matrix.values
    if not matrix.is_sparse:
        return np.asarray(stored.any(axis=1))
    return column_pieces.filled_rows(stored)


def detected(matrix: Matrix) -> np.ndarray:
    """Genes with a value other than zero, of every column."""
    stored: Any = matrix.values
    if matrix.is_sparse:
        return column_pieces.filled_by_column(stored)
    return np.asarray(np.count_nonzero(stored, axis=0))


def compare_values(before: Part, after: Part) -> pd.DataFrame:
    """The values of a few genes in the first column, before and after; where the names differ,
    both.
    """
    rows = min(ROWS, before.matrix.n_genes)
    old, new = before.matrix, after.matrix
    table = pd.DataFrame({"gene": [str(g) for g in old.genes[:rows]], "before": _first(old, rows)})
    at = (
        new.genes.get_indexer_for(old.genes[:rows])[: rows * 4]
        if new.genes.is_unique
        else np.arange(min(rows, new.n_genes))
    )
    values = _first(new, new.n_genes)
    table["after"] = [
        values[i] if 0 <= i < len(values) else np.nan
        for i in list(at[:rows]) + [-1] * (rows - len(at[:rows]))
    ]
    return table


def _first(matrix: Matrix, rows: int) -> np.ndarray:
    if not matrix.n_columns:
        return np.full(rows, np.nan)
    stored: Any = matrix.values[:, :1]
    return np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64).ravel()[
        :rows
    ]


# -- values
# --------------------------------------------------------------------------------------------------

BASES: dict[str, float] = {"2": 2.0, "e": math.e, "10": 10.0}


class KeepValues(Repair):
    """Values that look logarithmic are taken for linear ones."""

    what: ClassVar[str] = "Keep the values: they are linear"
    kind: Literal["keep_values"] = "keep_values"
    role: Role

    def apply(self, part: Part) -> tuple[Part, str]:
        return part, (
            f"The values of {part.source.name} look log-transformed; they were taken for linear"
            " ones, as chosen."
        )


class UndoLog(Repair):
    """base : of the logarithm; offset : what was added before it, 1 as in log(x+1), 0 as in
    log2-CPM, 0.001 as in Xena's tables of TOIL, 5 as in log2(x + 5).
    """

    what: ClassVar[str] = "Undo the logarithm"
    kind: Literal["undo_log"] = "undo_log"
    role: Role
    base: Literal["2", "e", "10"]
    offset: float = Field(1, ge=0, le=10_000)

    def title(self) -> str:
        return f"Undo the logarithm ({self.base}ˣ{f' - {self.offset:g}' if self.offset else ''})"

    def apply(self, part: Part) -> tuple[Part, str]:
        values = self.linear(part.matrix.values)
        data = values if isinstance(values, np.ndarray) else values.data
        if not np.isfinite(data[~np.isnan(data)]).all():
            raise BadValues(
                f"The values of {part.source.name} are too large for logarithms to the base"
                f" {self.base}.",
                advice="Choose another base, or leave them as they are.",
            )
        top = float(np.nanmax(data)) if data.size else 0.0
        said = (
            f"The logarithm to the base {self.base}"
            f"{f' of x + {self.offset:g}' if self.offset else ''} was undone;"
            f" the largest value is now {top:.4g}."
        )
        return repaired(part, Matrix(values, part.matrix.genes, part.matrix.columns), said)

    def linear(self, values: Any) -> Any:
        """Logarithms -> linear values, never below zero; sparse stays sparse with the offset 1."""
        power = np.log(BASES[self.base])
        with np.errstate(over="ignore"):
            if self.offset == 1:
                if isinstance(values, np.ndarray):
                    return np.maximum(np.expm1(values.astype(np.float64) * power), 0.0)
                made = values.astype(np.float64)
                made.data = np.maximum(np.expm1(made.data * power), 0.0)
                return made
            dense = values if isinstance(values, np.ndarray) else values.toarray()
            made = np.exp(dense.astype(np.float64) * power)
            if self.offset:
                made = np.maximum(made - self.offset, 0.0)
                # what the file rounded: 2 to the -9.9658 is 0.00099999
                made[made < 1e-3 * self.offset] = 0.0
            return made


class DropGaps(Repair):
    """Leave out the genes that have a missing or infinite value."""

    what: ClassVar[str] = "Leave out the genes with missing values"
    kind: Literal["drop_gaps"] = "drop_gaps"
    role: Role

    def apply(self, part: Part) -> tuple[Part, str]:
        good = finite_rows(part.matrix)
        gone = part.matrix.genes[~good]
        return (
            keep_genes(part, good),
            (
                f"{number(len(gone))} gene{'s' if len(gone) != 1 else ''} with missing values left"
                f" out: {some(gone) or 'none'}."
            ),
        )

    def preview(self, part: Part) -> pd.DataFrame:
        return _gone(part.matrix.genes[~finite_rows(part.matrix)], "gene")


class DropEmpty(Repair):
    """Leave out genes or columns that are zero everywhere."""

    kind: Literal["drop_empty"] = "drop_empty"
    role: Role
    of: Literal["genes", "columns"] = "genes"

    def title(self) -> str:
        return (
            f"Leave out {'genes' if self.of == 'genes' else COLUMN_NAMES[self.role][1]} that are"
            " zero everywhere"
        )

    def _keep(self, part: Part) -> np.ndarray:
        return filled_rows(part.matrix) if self.of == "genes" else detected(part.matrix) > 0

    def apply(self, part: Part) -> tuple[Part, str]:
        keep = self._keep(part)
        one, many = ("gene", "genes") if self.of == "genes" else COLUMN_NAMES[self.role]
        count = int((~keep).sum())
        # samples and cells not by their names: these are in no dataset then, and no export with
        # pseudonyms would replace them
        which = f": {some(part.matrix.genes[~keep])}" if self.of == "genes" and count else ""
        said = f"{number(count)} {one if count == 1 else many} left out, zero everywhere{which}."
        return (keep_genes if self.of == "genes" else keep_columns)(part, keep), said

    def preview(self, part: Part) -> pd.DataFrame:
        names = part.matrix.genes if self.of == "genes" else part.matrix.columns
        return _gone(
            names[~self._keep(part)], "gene" if self.of == "genes" else COLUMN_NAMES[self.role][0]
        )


class FilterColumns(Repair):
    """Leave out cells or samples outside of the limits: sum of the values, and number of genes with
    a value above zero.
    """

    kind: Literal["filter_columns"] = "filter_columns"
    role: Role
    min_sum: float = 0
    max_sum: float | None = None
    min_genes: int = 0

    def title(self) -> str:
        return f"Leave out {COLUMN_NAMES[self.role][1]} outside of the limits"

    def keep(self, part: Part) -> np.ndarray:
        sums = part.matrix.sums()
        good = (sums >= self.min_sum) & (detected(part.matrix) >= self.min_genes)
        return good if self.max_sum is None else good & (sums <= self.max_sum)

    def apply(self, part: Part) -> tuple[Part, str]:
        good = self.keep(part)
        count, (one, many) = int((~good).sum()), COLUMN_NAMES[self.role]
        limits = [f"a sum below {self.min_sum:g}"] if self.min_sum else []
        limits += [f"a sum above {self.max_sum:g}"] if self.max_sum is not None else []
        limits += [f"fewer than {self.min_genes} genes"] if self.min_genes else []
        return (
            keep_columns(part, good),
            (
                f"{number(count)} {one if count == 1 else many} left out with"
                f" {' or '.join(limits) or 'no limit set'}."
            ),
        )

    def preview(self, part: Part) -> pd.DataFrame:
        return _gone(part.matrix.columns[~self.keep(part)], COLUMN_NAMES[self.role][0])


def _gone(names: pd.Index, what: str) -> pd.DataFrame:
    shown = [str(n) for n in names[:ROWS]]
    return pd.DataFrame(
        {"before": shown, "after": ["left out"] * len(shown)},
        index=pd.RangeIndex(len(shown), name=what),
    )


# -- layout
# --------------------------------------------------------------------------------------------------


class Transpose(Repair):
    """Exchange genes and columns. label_column : of var, where the cell types of a single-cell file
    are then; None: the row names of a table.
    """

    what: ClassVar[str] = "Exchange genes and columns"
    kind: Literal["transpose"] = "transpose"
    role: Role
    label_column: str | None = None

    def apply(self, part: Part) -> tuple[Part, str]:
        old = part.matrix
        stored: Any = old.values
        values = stored.T.tocsc() if old.is_sparse else np.ascontiguousarray(stored.T)
        matrix = Matrix(
            values,
            pd.Index(old.columns.astype(str), dtype=object),
            pd.Index(old.genes.astype(str), dtype=object),
        )
        var = part.var if part.var is not None else pd.DataFrame(index=old.genes)
        labels: np.ndarray | None = None
        if self.role in ("train", "test"):
            labels = text_or_none(
                var[self.label_column] if self.label_column in var.columns else pd.Series(old.genes)
            )
        said = (
            f"Genes and {COLUMN_NAMES[self.role][1]} were exchanged: {number(matrix.n_genes)} genes"
            f" x {number(matrix.n_columns)} {COLUMN_NAMES[self.role][1]}."
        )
        return repaired(
            part,
            matrix,
            said,
            labels=labels,
            obs=pd.DataFrame(index=matrix.columns),
            var=part.obs.set_axis(matrix.genes),
            unlabelled=None,
        )

    def preview(self, part: Part) -> pd.DataFrame:
        made = self.apply(part)[0].matrix
        corner: Any = made.values[:ROWS, :4]
        return pd.DataFrame(
            np.asarray(corner.toarray() if made.is_sparse else corner),
            index=made.genes[:ROWS],
            columns=made.columns[:4],
        )


def text_or_none(values: pd.Series) -> np.ndarray:
    """Text, None where nothing stands."""
    found = np.asarray(values.astype(object), dtype=object)
    return np.array(
        [None if pd.isna(v) or not str(v).strip() else str(v) for v in found], dtype=object
    )


class ChooseMatrix(Repair):
    """Read another matrix of the .h5ad file. It takes effect when the file is read."""

    kind: Literal["choose_matrix"] = "choose_matrix"
    role: Role
    matrix: str

    def title(self) -> str:
        return f"Take the values from {self.matrix.removeprefix('layer:')} instead"

    def apply(self, part: Part) -> tuple[Part, str]:
        return part, f"The values were taken from {self.matrix.removeprefix('layer:')}, as chosen."

    def preview(self, part: Part) -> pd.DataFrame:
        from gui.data.readers.h5ad import preview_h5ad

        if part.choice is None:
            return compare_values(part, part)
        return preview_h5ad(
            part.choice.path, part.choice.shown, matrix=self.matrix, rows=ROWS, columns=4
        )


class RenameSamples(Repair):
    """Number the columns that bear the same name: P1, P1_2, P1_3."""

    kind: Literal["rename_samples"] = "rename_samples"
    role: Role

    def title(self) -> str:
        return f"Number the {COLUMN_NAMES[self.role][1]} of the same name"

    @staticmethod
    def names(columns: pd.Index) -> list[str]:
        taken, seen, made = set(map(str, columns)), dict[str, int](), []
        for name in map(str, columns):
            count = seen.get(name, 0) + 1
            fresh = name
            if count > 1:
                while (fresh := f"{name}_{count}") in taken:
                    count += 1
                taken.add(fresh)
            seen[name] = count
            made.append(fresh)
        return made

    def apply(self, part: Part) -> tuple[Part, str]:
        made = self.names(part.matrix.columns)
        new = [m for m, old in zip(made, part.matrix.columns, strict=True) if m != str(old)]
        matrix = Matrix(part.matrix.values, part.matrix.genes, pd.Index(made, dtype=object))
        said = (
            f"{number(len(new))} {COLUMN_NAMES[self.role][0 if len(new) == 1 else 1]} of a repeated"
            f" name renamed: {some(new) or 'none'}."
        )
        return repaired(part, matrix, said, obs=part.obs.set_axis(matrix.columns))

    def preview(self, part: Part) -> pd.DataFrame:
        made = self.names(part.matrix.columns)
        return changes([str(c) for c in part.matrix.columns], made)


def changes(before: list[str], after: list[str]) -> pd.DataFrame:
    """The first names that change."""
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if a != b][:ROWS]
    return pd.DataFrame(pairs, columns=["before", "after"])
