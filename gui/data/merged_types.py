"""Cell types of a dataset merged into one: where an estimate cannot tell them apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from gui.data.dataset import Cells, Dataset, KnownComposition, Matrix, Source
from gui.errors import InvalidParameter
from gui.text import some


def connected(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the groups that the pairs form: A with B and B with C are one group of three."""
    groups: list[list[str]] = []
    for pair in pairs:
        touched = [group for group in groups if set(group) & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(list(dict.fromkeys([*(t for group in touched for t in group), *pair])))
    return [tuple(group) for group in groups]


def merge_types(data: Dataset, groups: Iterable[Sequence[str]]) -> Dataset:
    """Return the dataset with each group of cell types as one type, named ``A + B``.

    The cells get the new label, columns of a reference are averaged, each weighing the same. Known
    fractions of the members are added up where all of them are known, else not compared any more.

    Parameters
    ----------
    groups
        Cell types of ``data.types``, each in at most one group.

    Raises
    ------
    InvalidParameter
        A group names fewer than two types, one that is not there, or one of another group; or a
        single type would be left.
    """
    types = data.types
    groups = [tuple(group) for group in groups]
    members = [t for group in groups for t in group]
    if (
        any(len(set(group)) < 2 for group in groups)
        or len(set(members)) < len(members)
        or not set(members) <= set(types)
    ):
        raise InvalidParameter("These cell types cannot be merged: they are not in the data.")
    if len(types) - len(members) + len(groups) < 2:
        raise InvalidParameter(
            "Merged, all cell types would be one, and there would be nothing to estimate."
        )
    names: dict[str, str] = {}
    for group in groups:
        ordered = [t for t in types if t in group]
        name = " + ".join(ordered)
        while name in types:
            name += " (merged)"
        names |= dict.fromkeys(ordered, name)
    return dataclasses.replace(
        data,
        train=_cells(data.train, names),
        test=_cells(data.test, names),
        reference=_reference(data.reference, names),
        sources=tuple(_noted(source, names) for source in data.sources),
        truth=_known(data.truth, types, names),
    )


def _cells(cells: Cells | None, names: Mapping[str, str]) -> Cells | None:
    if cells is None:
        return None
    labels = np.array([names.get(label, label) for label in cells.labels.tolist()], dtype=object)
    return Cells(cells.matrix, labels, cells.obs)


def _reference(reference: Matrix | None, names: Mapping[str, str]) -> Matrix | None:
    """Columns of one name averaged; the others as they are, in their order."""
    if reference is None:
        return None
    frame = reference.frame()
    new = [names.get(str(t), str(t)) for t in frame.columns]
    wanted = list(dict.fromkeys(new))
    merged = frame.set_axis(new, axis=1).T.groupby(level=0, sort=False).mean().T[wanted]
    return Matrix(merged.to_numpy(), reference.genes, pd.Index(wanted, dtype=object))


def _noted(source: Source, names: Mapping[str, str]) -> Source:
    if source.role == "bulk":
        return source
    said = [
        f"{some([t for t in names if names[t] == new])} to {new}"
        for new in dict.fromkeys(names.values())
    ]
    note = f"Cell types merged, as they are too alike: {'; '.join(said)}."
    return dataclasses.replace(source, notes=(*source.notes, note))


def _known(
    known: KnownComposition | None, types: Sequence[str], names: Mapping[str, str]
) -> KnownComposition | None:
    """The known fractions, paired with the new types.

    A merged type is compared with the sum of its members' known fractions; where one of them is not
    known, that sum is not either.
    """
    if known is None:
        return None
    partners = {
        name: frozenset([partner] if partner in types else filter(None, partner.split("|")))
        for name, partner in known.pairs.items()
    }
    for new in dict.fromkeys(names.values()):
        group = {t for t in names if names[t] == new}
        touching = [name for name, of in partners.items() if of & group]
        distinct = {partners[name] for name in touching}
        together = frozenset().union(*distinct)
        whole = group <= together and sum(map(len, distinct)) == len(together)
        for name in touching:
            if whole:
                partners[name] = together
            else:
                del partners[name]
    pairs = {
        name: "|".join(dict.fromkeys(names.get(t, t) for t in types if t in of))
        for name, of in partners.items()
    }
    return dataclasses.replace(known, pairs=pairs)
