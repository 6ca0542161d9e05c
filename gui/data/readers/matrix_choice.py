"""Which of the matrices of a file is proposed, by what a sample of each looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gui.data.readers.cell_file import CellFile, matrix_words
from gui.data.readers.hdf5_matrix import likely, sample
from gui.text import number

_COUNT_LAYERS = ("counts", "count", "raw_counts", "raw", "umi", "umis", "tpm")
_RANK = {"counts": 0, "linear": 1, "log": 2, "scaled": 3, "detected": 4, "nothing": 5}
_FAULT = {
    "scaled": "holds negative values, as scaled data do",
    "log": "holds no whole numbers and no large ones, as log-transformed data do",
    "detected": "only says whether a gene was detected",
    "nothing": "holds only zeros",
}


def looks_of(file: CellFile) -> dict[str, str]:
    """Of every matrix: "counts", "linear", "log", "scaled", "detected" or "nothing"."""
    return {
        name: "detected" if values.dtype.kind == "b" else likely(sample(values))
        for name, values in file.matrices.items()
    }


def proposed_matrix(file: CellFile, looks: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The main matrix if it is linear; else counts before linear values before logs before scaled
    values. With it what is to be said: trait -> sentence.

    Where X holds a subset of the genes of raw, raw is proposed if it is as linear.
    """
    matrices, main = list(file.matrices), file.main
    genes = {m: values.shape[1] for m, values in file.matrices.items()}
    subset = (
        genes.get("raw", 0) >= 1.5 * genes.get(main, 1)
        and main in genes
        and len(file.var.index()) == genes[main]  # else X contradicts its own names
    )
    named = [m for layer in _COUNT_LAYERS for m in matrices if m.lower() == f"layer:{layer}"]
    order = list(
        dict.fromkeys(
            [
                *(m for m in matrices if m == main),
                *named,
                *(m for m in matrices if m == "raw"),
                *matrices,
            ]
        )
    )
    if main in matrices and looks[main] in ("counts", "linear"):
        if subset and looks["raw"] == looks[main]:
            said = f"{main} holds only {number(genes[main])} genes; raw, with"
            said += f" {number(genes['raw'])}, is proposed instead."
            return "raw", {"matrix-proposed": said}
        return main, {}
    best = min(order, key=lambda m: _RANK[looks[m]])
    if main not in matrices:
        return best, {"no-x": f"The file has no {main}."}
    if best == main:
        return best, {}
    said = f"{main} {_FAULT[looks[main]]}; {matrix_words(best)} is proposed instead."
    return best, {"matrix-proposed": said}
