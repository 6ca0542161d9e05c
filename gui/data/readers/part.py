"""One part of the data as it was read: matrix, labels, annotation, origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix, Source
from gui.data.readers.options import FileChoice
from gui.errors import NoLabels


@dataclass(frozen=True, eq=False)
class Part:
    """One part as read, unchecked.

    labels : text or None per column, for cells and where a reference's types come from a column;
        None for cells without any: unlabelled says why
    var : what an .h5ad file says about its genes, one row per gene; label_in_var : its column that
        is called like cell types
    matrices : of an .h5ad file, to choose from; choice : what it was read from; traits : what was
        unusual -> its sentence among the notes (findings.TRAITS); genes_from : where the names of
        the genes were
    """

    matrix: Matrix
    labels: np.ndarray | None
    obs: pd.DataFrame
    source: Source
    var: pd.DataFrame | None = None
    unlabelled: NoLabels | None = None
    label_in_var: str | None = None
    matrices: tuple[str, ...] = ()
    choice: FileChoice | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    genes_from: str = ""


def no_obs(matrix: Matrix) -> pd.DataFrame:
    return pd.DataFrame(index=matrix.columns)
