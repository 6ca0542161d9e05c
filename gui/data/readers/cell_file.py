"""What an open file of single cells or samples holds, whatever its format: the readers of AnnData,
loom, h5Seurat and zarr each make one of these, and the rest reads from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gui.data.readers.h5ad_frames import Frame
from gui.data.readers.hdf5_matrix import Stored

Format = Literal["h5ad", "loom", "h5seurat", "zarr", "rds"]
AXES: dict[str, tuple[str, str]] = {
    "h5ad": ("obs", "var"),
    "zarr": ("obs", "var"),
    "loom": ("col_attrs", "row_attrs"),
    "h5seurat": ("meta.data", "meta.features"),
    "rds": ("columns", "rows"),
}
"""What the tables of the cells and of the genes are called in each format."""
NAMED_BY: dict[str, str] = {
    "loom": "names in row_attrs",
    "h5seurat": "feature names of the assay",
    "rds": "row names",
}
"""Where the names of the genes are, in words; in the index of var in other formats."""


@dataclass(frozen=True, eq=False)
class CellFile:
    """An open file.

    matrices : name ("X", "raw", "layer:NAME"; "matrix" of loom; "counts", "data" of h5Seurat) ->
        cells x genes; main : the one that the format gives first
    obs, var : tables of the cells and the genes; raw_var : of the genes of raw, where they are
        others
    traits : what is unusual -> a sentence
    """

    format: Format
    matrices: Mapping[str, Stored]
    obs: Frame
    var: Frame
    raw_var: Frame | None = None
    main: str = "X"
    traits: Mapping[str, str] = field(default_factory=dict)

    @property
    def obs_name(self) -> str:
        return AXES[self.format][0]

    @property
    def var_name(self) -> str:
        return AXES[self.format][1]

    def var_of(self, matrix: str) -> Frame:
        """The table of the genes of a matrix."""
        return self.raw_var if matrix == "raw" and self.raw_var is not None else self.var

    @property
    def first(self) -> str:
        """The main matrix, or what there is instead."""
        return next(
            (m for m in (self.main, "raw") if m in self.matrices), next(iter(self.matrices))
        )


def matrix_words(matrix: str) -> str:
    """The name of a matrix in a sentence."""
    return f"the layer {matrix.removeprefix('layer:')}" if matrix.startswith("layer:") else matrix
