"""RNA content of the cell types, to convert fractions of RNA into fractions of cells.

The content of a type is the mean number of counts of its cells. That is only meant where counts
are molecules (a protocol with UMIs), raw, and of all genes: everything else is refused with its
reason. Cell fractions are RNA fractions divided by the contents, and made to sum to 1 (Zaitsev
2019, doi 10.1038/s41467-019-09990-5; Sosina 2021, doi 10.12688/f1000research.50858.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import Cells
from gui.engine.results import RNAContent
from gui.errors import InvalidParameter
from gui.text import number, some

FEWEST_GENES = 10_000
"""Fewer are a filtered list: the counts of a cell are then not those of all its RNA."""
MOST_COUNTS = 100_000
"""A larger median of a cell is reads, not molecules."""
FEWEST_ONES = 0.2
"""Of the counts above zero, this fraction at least is 1 where molecules are counted."""
SEEN = 200_000
"""So many values tell whether they are counts, and of what."""
READS = (
    "Few counts are 1: these are reads of a protocol without UMIs (such as Smart-seq2), not"
    " molecules."
)
IN_A_LIST = " Or they are counts of strongly expressed genes alone, which cannot be distinguished."
TOTALS = ("numi", "n_umi", "total_umis", "ncount_rna", "n_counts", "total_counts")
"""Columns of the cells that hold their counts over all genes, lower case."""
_OWN = re.compile(r"^(?P<name>.+?)[\s,;:=]+(?P<value>[-+\d.eE]+)\s*$")


def measured_content(cells: Cells | None) -> RNAContent:
    """Return the RNA content of the cell types, or why it cannot be measured.

    Taken from a column of the cells that holds their total counts, else from the counts
    themselves.
    """
    if cells is None:
        return RNAContent(reason="There are no single cells.")
    totals, source, reason = _totals(cells)
    if totals is None:
        return RNAContent(reason=reason)
    if not np.isfinite(totals).all() or (totals <= 0).any():
        return RNAContent(reason="Some cells have no counts.")
    middle = float(np.median(totals))
    if middle > MOST_COUNTS:
        return RNAContent(
            reason=(
                f"A cell has {number(round(middle))} counts in the median: these are reads of a"
                " protocol without UMIs (such as Smart-seq2), not molecules."
            )
        )
    if np.ptp(totals) <= 1e-3 * middle:
        return RNAContent(
            reason="All cells have the same total: the counts were normalised, and what differs"
            " between the cell types is lost."
        )
    means = pd.Series(totals).groupby(np.asarray(cells.labels.astype(str))).mean()
    return RNAContent(factors=means / means.mean(), source=source)


def _totals(cells: Cells) -> tuple[np.ndarray | None, str, str]:
    """Counts of every cell and where they come from, or None and why there are none."""
    matrix = cells.matrix
    filtered = matrix.n_genes < FEWEST_GENES
    for column in cells.obs.columns:
        if str(column).casefold() not in TOTALS:
            continue
        values = pd.to_numeric(cells.obs[column], errors="coerce").to_numpy(dtype=np.float64)
        if not (values == np.round(values)).all():
            continue
        source = f"column {column} of the single cells"
        some_values = _values(cells)
        if not _whole(some_values):
            return (
                values,
                f"{source}; whether it counts molecules (UMIs) or reads could not be checked,"
                " because the values of the cells are no raw counts",
                "",
            )
        if filtered and (values <= np.asarray(matrix.sums()) * (1 + 1e-6)).all():
            return (
                None,
                "",
                f"Column {column} is the sum over the {number(matrix.n_genes)} genes of the file"
                " only: in a filtered list the counts of a cell are not those of all its RNA.",
            )
        if not _molecules(some_values):
            return None, "", f"{READS}{IN_A_LIST}" if filtered else READS
        return values, source, ""
    if filtered:
        return (
            None,
            "",
            f"The single cells hold {number(matrix.n_genes)} genes only: in a filtered list the"
            " counts of a cell are not those of all its RNA.",
        )
    some_values = _values(cells)
    if not _whole(some_values):
        return (
            None,
            "",
            "The single cells are not raw counts (their values are not whole numbers): what"
            " differs between the cell types was normalised away. If their file holds raw counts"
            " as well (such as the layer counts, or raw), choose these on the Upload page, under"
            " “Expression is in”, and load it again.",
        )
    if not _molecules(some_values):
        return None, "", READS
    return (
        np.asarray(matrix.sums(), dtype=np.float64),
        f"raw counts of the single cells over {number(matrix.n_genes)} genes",
        "",
    )


def _values(cells: Cells) -> np.ndarray:
    """Values above or below zero, of all cells where they are few, else evenly spread."""
    values: Any = cells.matrix.values
    if cells.matrix.is_sparse:
        filled = values.data
        found = filled[np.linspace(0, len(filled) - 1, min(len(filled), SEEN)).astype(np.int64)]
    else:
        count = min(values.shape[1], max(20, SEEN // max(values.shape[0], 1)))
        found = values[:, np.linspace(0, values.shape[1] - 1, count).astype(np.int64)].ravel()
    return np.asarray(found[found != 0])


def _whole(values: np.ndarray) -> bool:
    return bool(len(values)) and bool((values == np.round(values)).all())


def _molecules(values: np.ndarray) -> bool:
    """Whether whole numbers are counts of molecules: many of them are 1."""
    return float((values == 1).mean()) >= FEWEST_ONES


def given_content(text: str, types: list[str]) -> pd.Series:
    """Return the user's RNA contents: a line per cell type, its name and a number.

    Name and number are apart by a tab, comma, semicolon, colon or blank; only ratios matter.

    Raises
    ------
    InvalidParameter
        Names the line, or the types that are missing.
    """
    found: dict[str, float] = {}
    for line in filter(str.strip, text.splitlines()):
        match = _OWN.match(line.strip()[:500])
        name = match["name"].strip().strip('"') if match else ""
        try:
            value = float(match["value"]) if match else float("nan")
        except ValueError:
            value = float("nan")
        if name.casefold() in ("cell type", "cell_type", "type") and not np.isfinite(value):
            continue
        if match is None or not np.isfinite(value) or value <= 0:
            if not found and not any(c.isdigit() for c in line):
                continue  # the header of a table
            raise InvalidParameter(
                f"“{line.strip()[:60]}” is not a cell type and its RNA content.",
                advice="Write one line per cell type, such as: Monocytes 1.8",
            )
        if name not in types:
            raise InvalidParameter(
                f"There is no cell type “{name[:60]}”.", advice=f"There are {some(types, 6)}."
            )
        found[name] = value
    missing = [t for t in types if t not in found]
    if missing:
        raise InvalidParameter(
            f"The RNA content of {some(missing)} is missing.", advice="Add a line for each."
        )
    contents = pd.Series(found)[types]
    return contents / contents.mean()


def as_cells(composition: pd.DataFrame, contents: Mapping[str, float] | pd.Series) -> pd.DataFrame:
    """Fractions of cells: RNA fractions over RNA contents, made to sum to 1 by sample.

    Parameters
    ----------
    composition
        Cell types (and ``hidden``, which is left out: its content is unknown) x samples.
    contents
        By cell type, all of them.
    """
    from gui.data.dataset import HIDDEN

    known = composition.drop(index=HIDDEN, errors="ignore")
    factor = pd.Series(contents, dtype=float).reindex(known.index.astype(str)).to_numpy()
    converted = known / factor[:, None]
    total = converted.sum(axis=0)
    return converted / total.where(total > 0)
