"""Gene regulation as files for further analysis: tidy, and as a workbook that explains itself."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gui.answers.run_names import source_name
from gui.components.composition_files import run_frame
from gui.engine.regulation import LOW_SUPPORT, PER, STABLE, regulation_table
from gui.engine.results import ADTDResult, BootstrapResult, Run
from gui.text import number

COLUMNS: Mapping[str, tuple[str, str]] = {
    "gene": ("Name of the gene, as in the reference.", ""),
    "cell_type": ("Cell type of the reference.", ""),
    "log2": ("log2 of the factor; -10 for all below 2^-10.", "log2"),
    "factor": (
        "Factor by which the expression differs from the reference; 1: not regulated.",
        "",
    ),
    "support": ("How well the data support the regulation; empty where it is not known.", "0 to 1"),
    "stability": (
        "Fraction of the bootstrap draws in which the direction is the same; empty without a"
        " bootstrap.",
        "0 to 1",
    ),
    "expression": (
        f"In the profile of the cell type in the reference, per {number(PER)} in all.",
        "",
    ),
    "supported": (
        f"Whether the support is {LOW_SUPPORT:g} or more and, where there is a bootstrap, the"
        f" stability {STABLE:g} or more.",
        "true or false",
    ),
    "run": ("The run that estimated it.", ""),
}
"""Column of the tidy table -> what it is, its unit."""
ABOUT = "One row per gene and cell type, all genes of the run with full precision."


def tidy_frame(run: Run, sure: BootstrapResult | None) -> pd.DataFrame:
    """One row per gene and cell type, with the run. Index: gene.

    Parameters
    ----------
    run
        An ADTD run with gene regulation.
    sure
        Its intervals, for the stability of the direction.
    """
    table = regulation_table(run.result, sure).set_index("gene")
    return table.assign(run=source_name(run))


def workbook(run: Run, sure: BootstrapResult | None) -> dict[str, pd.DataFrame]:
    """Sheets by name: factor and support wide, both tidy, what each number is, and the run."""
    result: ADTDResult = run.result
    sheets: dict[str, pd.DataFrame] = {}
    if result.gene_regulation is not None:
        sheets["Factor"] = result.gene_regulation.rename_axis("gene")
    if result.support is not None:
        sheets["Support"] = result.support.rename_axis("gene")
    rows = [(name, *what) for name, what in COLUMNS.items()]
    legend = pd.DataFrame(rows, columns=["Column", "What it is", "Unit"]).set_index("Column")
    return sheets | {
        "Tidy": tidy_frame(run, sure),
        "What the numbers are": legend,
        "Run": run_frame(run),
    }
