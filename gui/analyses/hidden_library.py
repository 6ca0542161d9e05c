"""How much of a hidden profile the types of saved references explain: second to the markers.

Profiles of other laboratories differ by more than cell types do: with the malignant cells left out
of a glioma reference, regulatory T cells of a blood reference explain 22 % of the hidden profile.
So a library type never decides: it either supports what the markers say, or nothing in the library
is said to fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gui.errors import DeconomixError
from gui.jobs.taskref import TaskRef
from gui.knowledge.cell_types import are_related
from gui.statistics.profile_similarity import profile_similarity
from gui.text import number

LIBRARY = ["explained", "cosine", "weight", "agrees", "origin"]
"""Columns of its table."""
AGREES_FROM = 0.15
"""Part of what lies outside of the reference that a type has to explain to agree."""
AHEAD = 0.8
"""A type that is not related to it explains at most this much of what the best one explains."""
COMMON = 0.25
"""Fraction of the genes in use that a reference has to have."""
FEWEST = 100
"""Genes in common, at least."""
MOST_BYTES = 200_000_000
"""Of a reference's file; larger ones are left out."""
MOST = 40
"""References that are read, those of the user first."""


@dataclass(frozen=True)
class Library:
    """The saved references on their way to the worker.

    Attributes
    ----------
    reader
        ``reader(path)`` gives genes x types of a reference.
    files
        Name and file of each.
    """

    reader: TaskRef
    files: tuple[tuple[str, Path], ...]

    def profiles(self) -> tuple[list[tuple[str, pd.DataFrame]], list[str]]:
        """Name and profiles of every reference, and sentences on those that were left out."""
        read = self.reader.load()
        found, notes = [], []
        for name, path in self.files[:MOST]:
            try:
                if path.stat().st_size > MOST_BYTES:
                    notes.append(f"The reference “{name}” is too large to be compared.")
                    continue
                found.append((name, read(path)))
            except (DeconomixError, OSError):
                notes.append(f"The reference “{name}” cannot be read, so it is not compared.")
        if len(self.files) > MOST:
            notes.append(f"Only the first {MOST} references of the library are compared.")
        return found, notes


def empty_library() -> pd.DataFrame:
    """The table of a run that was compared with no reference."""
    return pd.DataFrame(columns=LIBRARY)


def library_likeness(
    profile: pd.Series,
    reference: pd.DataFrame,
    references: Sequence[tuple[str, pd.DataFrame]],
    marked: Iterable[str],
) -> tuple[pd.DataFrame, list[str]]:
    """By type of the library how much it explains, best first, and whether the markers agree.

    Types that the run's reference has, or kinds of them, are left out. Each saved reference is
    compared over the genes that it has.

    Parameters
    ----------
    profile
        By gene, the hidden profile.
    reference
        genes x types, what the samples are explained with.
    references
        Name and genes x types of each saved reference.
    marked
        Types that the markers name, best first.

    Returns
    -------
    Columns :data:`LIBRARY` by cell type (of one name twice where two references have it), and
    notes. ``weight`` is the coefficient in the best non-negative mixture of the reference's types.
    """
    parts, notes = [], []
    for name, library in references:
        shared = reference.index[reference.index.isin(library.index)]
        if len(shared) < max(FEWEST, COMMON * len(reference)):
            notes.append(
                f"The reference “{name}” has {number(len(shared))} of {number(len(reference))}"
                " genes in use, too few to be compared with the hidden profile."
            )
            continue
        known = list(map(str, reference.columns))
        other = [t for t in library.columns if not any(are_related(str(t), k) for k in known)]
        some = library.loc[shared, other]
        some = some.loc[:, (some.sum(axis=0) > 0).to_numpy()]
        if not some.shape[1] or not profile.loc[shared].sum() > 0:
            continue
        table = profile_similarity(profile.loc[shared], reference.loc[shared], some).table
        parts.append(table.assign(origin=name))
    if not parts:
        return empty_library(), notes
    every = pd.concat(parts).sort_values(["explained", "cosine"], ascending=False, kind="stable")
    agrees = pd.Series(False, index=range(len(every)))
    agrees[0] = _agrees(every, next(iter(marked), None))
    return every.assign(agrees=agrees.to_numpy(dtype=bool))[LIBRARY], notes


def runner_up(table: pd.DataFrame) -> int | None:
    """The row of the best type that is not related to the first one; None where there is none."""
    first = str(table.index[0])
    return next(
        (at for at in range(1, len(table)) if not are_related(first, str(table.index[at]))), None
    )


def _agrees(table: pd.DataFrame, marker: str | None) -> bool:
    if marker is None or not are_related(str(table.index[0]), marker):
        return False
    most, second = float(table["explained"].iloc[0]), runner_up(table)
    ahead = second is None or float(table["explained"].iloc[second]) <= AHEAD * most
    return most >= AGREES_FROM and ahead
