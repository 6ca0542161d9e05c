"""What the user asks for when files are read: plain, frozen, checked objects that can be kept with
a session.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gui.data.readers.labels import cells_by_label
from gui.errors import InvalidParameter


class Frozen(BaseModel):
    """Base of what is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """The object, or InvalidParameter in one sentence."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidParameter(
                f"{'.'.join(map(str, first['loc'])) or 'The request'}: {first['msg']}."
            ) from None


class CellChoice(Frozen):
    """Which cells of a large file are read.

    per_label : at most so many of each cell type, drawn at random; None: all; seed : of the draw;
    keep : only these types; empty: all
    """

    per_label: int | None = Field(None, ge=1)
    seed: int = Field(1, ge=0, le=2**32 - 1)
    keep: tuple[str, ...] = ()

    def positions(self, labels: np.ndarray) -> np.ndarray:
        """Ascending positions of the chosen cells. labels : text or None per cell; cells without
        one are not chosen.
        """
        random = np.random.default_rng(self.seed)
        chosen: list[np.ndarray] = []
        for label, found in cells_by_label(labels).items():
            if self.keep and label not in self.keep:
                continue
            few = self.per_label is None or len(found) <= self.per_label
            chosen.append(found if few else random.choice(found, self.per_label, replace=False))
        return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


class FileChoice(Frozen):
    """One file and what to take from it.

    Parameters
    ----------
    path
        Where it is; for 10x and for files of one sample each also the folder.
    name
        As shown: an upload has another name on disk.
    more, more_names
        Further files of one sample each, and their names as shown.
    label_column
        Of obs, or of the table of labels; None takes the proposed one.
    matrix
        "X", "raw", "layer:NAME" ("matrix" of loom, "counts" and "data" of h5Seurat, a genome of an
        old 10x .h5); None takes the proposed one.
    keep_obs
        Further columns.
    sheet
        Of a workbook; None takes the first with a table.
    samples
        The columns of a table that are samples; empty: as recognised.
    leave_out
        The columns of numbers of a table that are no samples; None: as recognised.
    labels, labels_name
        A table of barcodes and cell types (10x, and an .h5ad without labels), and its name as
        shown.
    genes_column
        Column of var, or of text in a table, that holds the gene names; None: the index, or as
        recognised. For 10x None means the symbols, "id" the Ensembl IDs.
    cells
        None reads all.
    only_common
        Only the genes that the other files have too (.h5ad and 10x).
    """

    path: Path
    name: str = ""
    more: tuple[Path, ...] = ()
    more_names: tuple[str, ...] = ()
    label_column: str | None = None
    matrix: str | None = None
    keep_obs: tuple[str, ...] = ()
    sheet: str | None = None
    samples: tuple[str, ...] = ()
    leave_out: tuple[str, ...] | None = None
    labels: Path | None = None
    labels_name: str = ""
    genes_column: str | None = None
    cells: CellChoice | None = None
    only_common: bool = False

    @property
    def shown(self) -> str:
        name = self.name or self.path.name
        return f"{name} and {len(self.more)} more" if self.more else name

    @property
    def all_files(self) -> list[tuple[Path, str]]:
        """The file and those chosen with it, each with its name as shown."""
        names = [*self.more_names, *(path.name for path in self.more[len(self.more_names) :])]
        first = self.name or self.path.name
        return [(self.path, first), *zip(self.more, names, strict=False)]
