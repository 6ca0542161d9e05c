"""Layers of cell types: which coarser type each fine one belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.data.dataset import Cells
from gui.errors import InvalidParameter
from gui.text import some

FINEST = "cell types"
"""The name of the finest layer."""
MOST = 3
"""Coarser layers."""
ADVICE = (
    "Name columns of the training cells, or write groups such as “T cells = CD4, CD8; Others = B”."
)


@dataclass(frozen=True)
class Layer:
    """One coarser layer.

    Attributes
    ----------
    parents
        Fine type -> its type in this layer.
    """

    name: str
    parents: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The types of the layer, in the order of the fine ones."""
        return tuple(dict.fromkeys(self.parents.values()))

    def matrix(self, types: Sequence[str]) -> np.ndarray:
        """1 where a fine type belongs to one of the layer: types of the layer x fine types."""
        return np.array([[float(self.parents[t] == name) for t in types] for name in self.names])


def layers_of(text: str, cells: Cells, reference: pd.DataFrame) -> tuple[list[Layer], list[str]]:
    """The coarser layers, finest of them first, and notes for the user.

    Parameters
    ----------
    text
        Names of columns of the cells, coarsest first, or groups; "" for groups by similarity.
    reference
        genes x fine types.

    Raises
    ------
    InvalidParameter
        A column is not there or divides a type; groups that lack or repeat a type; a layer that is
        no coarser.
    """
    types = [str(t) for t in reference.columns]
    said = text.strip()
    notes: list[str] = []
    if not said:
        found = [Layer("groups by similarity", by_similarity(reference))]
        groups = "; ".join(found[0].names)
        notes.append(
            f"No layers were given, so cell types were grouped by the similarity of their profiles:"
            f" {groups}."
        )
    elif "=" in said:
        found = [Layer("groups", _written(said, types))]
    else:
        names = list(dict.fromkeys(n.strip() for n in said.split(",") if n.strip()))
        if len(names) > MOST:
            raise InvalidParameter(f"There are {len(names)} layers; at most {MOST} can be used.")
        found = [Layer(_title(name), _column(name, cells, types)) for name in reversed(names)]
    for layer in found:
        if not 1 < len(layer.names) < len(types):
            raise InvalidParameter(
                f"The layer “{layer.name}” has {len(layer.names)} types for {len(types)} fine"
                " types; it must have fewer, and at least two.",
                advice=ADVICE,
            )
    return found, notes


def _title(column: str) -> str:
    """The column's name, unless it is that of the finest layer."""
    return f"{column} (column)" if column == FINEST else column


def _column(name: str, cells: Cells, types: Sequence[str]) -> dict[str, str]:
    if name not in cells.obs.columns:
        there = [str(c) for c in cells.obs.columns]
        raise InvalidParameter(
            f"The training cells have no column “{name}”"
            + (f"; they have {some(there)}." if there else ", and no other."),
            advice=ADVICE,
        )
    values = pd.Series(cells.obs[name].astype(object).to_numpy()).where(lambda v: v.notna(), "")
    pairs = pd.DataFrame({"fine": cells.labels.astype(str), "coarse": values.astype(str)})
    found = {}
    for fine in types:
        own = pairs.loc[pairs["fine"] == fine, "coarse"].unique()
        if len(own) != 1 or not own[0]:
            what = "none" if not len(own) or not own[0] else some([str(v) for v in own])
            raise InvalidParameter(
                f"Cell type “{fine}” belongs to one type of the layer “{name}” only, but has"
                f" {what}.",
                advice="Choose another column, or write groups.",
            )
        found[fine] = str(own[0])
    return found


def _written(text: str, types: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for group in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, members = group.partition("=")
        if not sign or not name.strip():
            raise InvalidParameter(f"“{group[:60]}” is no group.", advice=ADVICE)
        for member in filter(None, (part.strip() for part in members.split(","))):
            if member not in types:
                raise InvalidParameter(
                    f"There is no cell type “{member[:60]}”.", advice=f"There are {some(types)}."
                )
            if member in found:
                raise InvalidParameter(f"“{member}” is in two groups.", advice=ADVICE)
            found[member] = name.strip()
    lacking = [t for t in types if t not in found]
    if lacking:
        raise InvalidParameter(f"{some(lacking)} is in no group.", advice=ADVICE)
    return {t: found[t] for t in types}


def by_similarity(reference: pd.DataFrame) -> dict[str, str]:
    """Fine type -> group: average linkage of correlations, as many groups as fit best.

    Between a third and two thirds of the number of types, the number of groups is that with the
    largest mean silhouette (Rousseeuw 1987, doi 10.1016/0377-0427(87)90125-7): without these ends
    one odd type against all others would often be the answer. A group is named by its members.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    types = [str(t) for t in reference.columns]
    if len(types) < 4:
        raise InvalidParameter(
            f"{len(types)} cell types are too few to be grouped by similarity.", advice=ADVICE
        )
    distance = 1.0 - np.corrcoef(np.log1p(reference.to_numpy(dtype=np.float64)).T)
    np.fill_diagonal(distance, 0.0)
    distance = np.maximum((distance + distance.T) / 2, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    counts = range(-(-len(types) // 3), 2 * len(types) // 3 + 1)
    divided = [fcluster(tree, count, "maxclust") for count in counts]
    # ties are not divided: there may be fewer groups than asked for
    divided = [own for own in divided if len(set(own)) > 1]
    if not divided:
        raise InvalidParameter(
            "The cell types are too alike to be grouped by similarity.", advice=ADVICE
        )
    labels = max(divided, key=lambda own: _silhouette(distance, own))
    groups = {n: [t for t, own in zip(types, labels, strict=True) if own == n] for n in set(labels)}
    return {t: " + ".join(groups[own]) for t, own in zip(types, labels, strict=True)}


def _silhouette(distance: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the types; of a type alone in its group 0."""
    values = []
    for i, own in enumerate(labels):
        same = labels == own
        if same.sum() == 1:
            values.append(0.0)
            continue
        inside = distance[i, same].sum() / (same.sum() - 1)
        outside = min(distance[i, labels == n].mean() for n in set(labels) if n != own)
        values.append((outside - inside) / max(inside, outside, 1e-300))
    return float(np.mean(values))
