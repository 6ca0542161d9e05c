"""Columns that are the same in all files of one sample each: they are of the genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gui.data.readers.columns_by_content import RUNS_WITH, likeness
from gui.data.readers.expression_table import Table
from gui.text import some


@dataclass(frozen=True, eq=False)
class OneColumn:
    """Which of several columns of numbers is the sample: the others are the same in all files.

    Parameters
    ----------
    at
        Its position.
    same
        The values of the others, genes x columns.
    """

    at: int
    same: npt.NDArray[np.float64]

    def of(self, table: Table) -> Table | None:
        """A file with this column alone; None where another one is not as in the first file."""
        others = [k for k in range(len(table.columns)) if k != self.at]
        if not np.array_equal(table.values[:, others], self.same, equal_nan=True):
            return None
        said = f"Left out, as the same in all files: {some([table.columns[k] for k in others])}."
        return replace(
            table,
            values=table.values[:, [self.at]],
            columns=[table.columns[self.at]],
            traits={**table.traits, "columns-left-out": said},
        )


def one_that_varies(tables: Sequence[Table]) -> OneColumn | None:
    """What two files tell about columns that neither their names nor their values told; None where
    there is nothing to be told, or more than one column differs.
    """
    if len(tables) < 2 or any(len(t.columns) < 2 or t.samples_in_rows for t in tables):
        return None
    first, second = (t.values for t in tables[:2])
    if tables[0].genes != tables[1].genes or first.shape != second.shape:
        return None
    equal = [np.array_equal(a, b, equal_nan=True) for a, b in zip(first.T, second.T, strict=True)]
    if equal.count(False) != 1:
        return None
    at = equal.index(False)
    others = np.delete(first, at, axis=1)
    whole = np.column_stack([first[:, at], others])
    whole = whole[np.isfinite(whole).all(axis=1)]
    if len(whole) < 20 or likeness(whole)[0, 1:].max() > RUNS_WITH:
        return None  # one sample, a control, may be in all files
    return OneColumn(at, others)
