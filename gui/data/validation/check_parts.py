"""Finds what is wrong between the parts: genes in common, types that the one has and the other
lacks, types that cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from gui.data.dataset import PART_NAMES, ROLES, Cells, Dataset, Matrix, Role, Source
from gui.data.profiles import similarity, type_profiles
from gui.data.readers.part import Part
from gui.data.validation import findings as f
from gui.data.validation.check_values import empty_columns
from gui.data.validation.checks import (
    ALIKE,
    caught,
    check_common,
    check_reference,
    check_trainable,
)
from gui.data.validation.duplicates import cells_in_both
from gui.data.validation.findings import Finding, Place
from gui.data.validation.repairs import Repair
from gui.data.validation.repairs_types import MapTypes, same_labels
from gui.errors import (
    CollinearTypes,
    DeconomixError,
    EmptyColumn,
    MissingPart,
    NoCommonGenes,
    TooFewGenes,
    TooFewTypes,
)
from gui.text import number, shorten, some

FEW = 0.75
"""Share of the training genes below which a part is said to lack many."""
SAME = 0.9995
"""Cosine similarity from which merging is proposed."""
_CLASSES: dict[type[DeconomixError], type[Finding]] = {
    NoCommonGenes: f.NothingCommon,
    CollinearTypes: f.Collinear,
    TooFewGenes: f.FewGenes,
    TooFewTypes: f.OneType,
    MissingPart: f.Untrained,
    EmptyColumn: f.EmptyColumns,
}


def shared_genes(parts: Mapping[Role, Matrix]) -> pd.Index:
    """Genes of all parts, in the order of the first."""
    matrices = [parts[role] for role in ROLES if role in parts]
    keep = np.ones(matrices[0].n_genes, dtype=bool)
    for other in matrices[1:]:
        keep &= matrices[0].genes.isin(other.genes)
    return pd.Index(matrices[0].genes[keep], name=None)


def labelled(part: Part) -> Cells | None:
    """The cells that have a label; None if none has."""
    if part.labels is None:
        return None
    there = ~pd.isna(part.labels) & (part.labels != "")
    if not there.any():
        return None
    return Cells(
        part.matrix.where(there),
        np.array([str(v) for v in part.labels[there]], dtype=object),
        part.obs[there],
    )


def parts_of(dataset: Dataset) -> dict[Role, Part]:
    """The parts of a dataset as if they had just been read."""
    cells = {"train": dataset.train, "test": dataset.test}
    made: dict[Role, Part] = {}
    for role, matrix in dataset.parts().items():
        of = cells.get(role)
        labels = np.asarray(of.labels, dtype=object) if of is not None else None
        made[role] = Part(
            matrix,
            labels,
            pd.DataFrame(index=matrix.columns),
            dataset.source(role) or Source(role, dataset.name, "session"),
        )
    return made


def of_error(
    error: DeconomixError,
    place: Place,
    repair: Repair | None = None,
    alternatives: tuple[Repair, ...] = (),
) -> Finding:
    """The finding an error of the checks amounts to."""
    return _CLASSES.get(type(error), f.Other).of(error, place, repair, alternatives)


def compare_parts(parts: Mapping[Role, Part]) -> list[Finding]:
    """All findings between parts that are sound on their own."""
    ordered: dict[Role, Matrix] = {role: parts[role].matrix for role in ROLES if role in parts}
    if not ordered:
        return []
    genes = shared_genes(ordered)
    error = caught(lambda: check_common(ordered, genes))
    if error is not None:
        return [_nothing_common(error, parts)]
    found = list(_few_common(parts))
    train = labelled(parts["train"]) if "train" in parts else None
    test = labelled(parts["test"]) if "test" in parts else None
    for role in ("reference", "bulk"):
        if role in ordered:
            matrix = ordered[role].take(genes)
            empty = matrix.columns[(matrix.sums() == 0) & (ordered[role].sums() > 0)]
            if len(empty):
                where = f"over the {number(len(genes))} common genes"
                found.append(empty_columns(matrix, role, parts[role].source.name, empty, where))
    profiles = _profiles(parts, train, genes)
    if profiles is not None:
        found += list(_types_alike(profiles, parts))
    types = list(map(str, profiles.columns)) if profiles is not None else []
    if train is not None and test is not None and parts["test"].source.kind != "split":
        found += list(_trained_on(train.matrix, test.matrix, parts["test"].source.name))
    if (train is not None and test is not None) or "reference" in parts:
        found += list(_types_between(types, train, test, parts))
    return found


def _profiles(
    parts: Mapping[Role, Part], train: Cells | None, genes: pd.Index
) -> pd.DataFrame | None:
    if "reference" in parts:
        return parts["reference"].matrix.take(genes).frame()
    return (
        type_profiles(Cells(train.matrix.take(genes), train.labels, train.obs))
        if train is not None
        else None
    )


def _nothing_common(error: DeconomixError, parts: Mapping[Role, Part]) -> Finding:
    """Noted at the part whose names are not those of the first one."""
    first, *others = (role for role in ROLES if role in parts)
    genes = parts[first].matrix.genes
    apart = (role for role in others if not genes.isin(parts[role].matrix.genes).any())
    role = next(apart, others[-1] if others else first)
    names = parts[role].matrix.genes
    place = Place.at(parts[role].source.name, role, genes=names[:3], count=len(names))
    return of_error(error, place)


def _few_common(parts: Mapping[Role, Part]) -> Iterator[Finding]:
    if "train" not in parts:
        return
    train = parts["train"].matrix.genes
    for role in ("test", "reference", "bulk"):
        part = parts.get(role)
        if part is None or part.source.kind == "split":
            continue
        there = train.isin(part.matrix.genes)
        share = float(there.mean())
        message = (
            f"{number(int(there.sum()))} of {number(len(train))} training genes found in"
            f" {PART_NAMES[role]}, {part.source.name} ({share:.0%})"
        )
        place = Place.at(part.source.name, role, genes=train[~there])
        if share < FEW:
            yield f.FewCommon(
                place,
                f"{message}.",
                "The analysis uses the common genes only; check whether the names are of the same"
                " kind.",
            )
        else:
            yield f.Noted(place, f"{message}.")


def _types_alike(profiles: pd.DataFrame, parts: Mapping[Role, Part]) -> Iterator[Finding]:
    role: Role = "reference" if "reference" in parts else "train"
    name = parts[role].source.name
    sums = profiles.sum(axis=0)
    lost = profiles.columns[sums == 0]
    if len(lost) and role == "train":
        message = (
            f"In the training cells all cells of {some(lost)} are zero over the"
            f" {number(len(profiles))} common genes."
        )
        advice = "Leave the type out, or use files with more genes in common."
        yield f.EmptyColumns(
            Place.at(name, role, columns=lost),
            message,
            advice,
            None,
            (MapTypes(names=dict.fromkeys(map(str, lost), ""), why="exclude"),),
        )
    if len(lost):
        return
    groups = _groups(profiles, SAME)
    # few genes in common make types look the same that are not
    if len(profiles) < parts[role].matrix.n_genes:
        own = _profiles(
            parts, labelled(parts["train"]) if role == "train" else None, parts[role].matrix.genes
        )
        same = [set(group) for group in _groups(own, SAME)] if own is not None else []
        groups = [group for group in groups if any(set(group) <= whole for whole in same)]
    merge = (
        MapTypes(names={t: group[0] for group in groups for t in group[1:]}, why="merge")
        if groups
        else None
    )
    if error := caught(lambda: check_reference(profiles / sums.where(sums > 0, 1.0))):
        alike = [t for group in _groups(profiles, SAME) for t in group]
        yield of_error(
            error,
            Place.at(name, role, columns=alike),
            merge if isinstance(error, CollinearTypes) else None,
        )
        return
    table = similarity(profiles).to_numpy()
    pairs = np.argwhere(np.triu(table, k=1) > ALIKE)
    if len(pairs):
        types = [str(t) for t in profiles.columns]
        said = [
            f"{shorten(types[i], 30)} and {shorten(types[j], 30)} ({table[i, j]:.4f})"
            for i, j in pairs
        ]
        involved = dict.fromkeys(types[k] for pair in pairs for k in pair)
        message = (
            f"Nearly the same profile (cosine similarity): {some(said, longest=None)}; their"
            " fractions are hard to tell apart."
        )
        wider = _groups(profiles, ALIKE)
        other = MapTypes(names={t: group[0] for group in wider for t in group[1:]}, why="merge")
        advice = "Consider merging them, or use files with more genes in common."
        yield f.AlikeTypes(
            Place.at(name, role, columns=involved),
            message,
            advice,
            merge,
            () if merge == other else (other,),
        )


def _groups(profiles: pd.DataFrame, limit: float) -> list[list[str]]:
    """Types linked by a similarity above the limit, in groups of at least two."""
    close = similarity(profiles).to_numpy() > limit
    types, seen, made = [str(t) for t in profiles.columns], set[int](), []
    for start in range(len(types)):
        group, queue = [], [start]
        while queue:
            at = queue.pop()
            if at not in seen:
                seen.add(at)
                group.append(at)
                queue += list(map(int, np.flatnonzero(close[at])))
        if len(group) > 1:
            made.append([types[i] for i in sorted(group)])
    return made


def _trained_on(train: Matrix, test: Matrix, name: str) -> Iterator[Finding]:
    both, compared = cells_in_both(train, test)
    if both:
        message = (
            f"{number(both)} of {number(compared)} test cells of {name}"
            f" {'is a training cell' if both == 1 else 'are training cells'} too, by the values."
        )
        yield f.CellsInBoth(
            Place(name, "test", count=both),
            message,
            "Test with other cells, of other donors if possible: the test looks better than it is.",
        )


def _types_between(
    types: list[str], train: Cells | None, test: Cells | None, parts: Mapping[Role, Part]
) -> Iterator[Finding]:
    """Types that one part has and another lacks; spelling comes first, as it explains the rest."""
    known = train.types if train is not None else types
    trained = set(known) if train is not None else set()
    others = [t for t in types if t not in known] + (
        [t for t in test.types if t not in known] if test is not None else []
    )
    spelled = same_labels([*known, *others], known)
    if spelled := {o: n for o, n in spelled.items() if o in others}:
        said = [f"{shorten(o, 30)} and {shorten(n, 30)}" for o, n in spelled.items()]
        role: Role = (
            "reference" if any(t in types for t in spelled) and "reference" in parts else "test"
        )
        place = Place.at(parts[role].source.name, role, columns=spelled)
        message = f"Cell types are spelled differently in the files: {some(said)}."
        yield f.AlikeLabels(
            place, message, "Treat them as one type.", MapTypes(names=spelled, why="spelling")
        )
        types = [spelled.get(t, t) for t in types]
    if "reference" in parts and train is not None:
        name = parts["reference"].source.name
        if error := caught(lambda: check_trainable(types, train)):
            missing = [t for t in types if t not in trained]
            exclude = MapTypes(role="reference", names=dict.fromkeys(missing, ""), why="exclude")
            yield of_error(error, Place.at(name, "reference", columns=missing), None, (exclude,))
        if hidden := [t for t in known if t not in types]:
            message = (
                f"The reference lacks {some(hidden)}: not trained on; their test cells stay in the"
                " test pseudobulks as hidden."
            )
            yield f.HiddenType(Place.at(name, "reference", columns=hidden), message)
    if test is not None:
        name = parts["test"].source.name
        there = [spelled.get(t, t) for t in test.types]
        if unseen := [t for t in types if t not in there]:
            where = "" if parts["test"].source.kind == "split" else f" (not in {name})"
            message = f"Without test cells, so no correlation can be given: {some(unseen)}{where}."
            yield f.NotInTest(Place.at(name, "test", columns=unseen), message)
        foreign = [t for t in there if t not in types and train is not None and t not in trained]
        if foreign:
            message = (
                f"{some(foreign)} occur{'s' if len(foreign) == 1 else ''} only in the test cells"
                " and will be hidden in the test pseudobulks."
            )
            yield f.ForeignTest(Place.at(name, "test", columns=foreign), message)
