"""How much memory a step needs and whether it is there: a sentence instead of a process killed by the system."""

from __future__ import annotations

from gui.data.memory import available_memory
from gui.errors import InvalidParameter

GB = 1e9


def need_memory(needed: float, doing: str, advice: str) -> None:
    """InvalidParameter, with the gigabytes and what to lower, if ``needed`` bytes are not free."""
    free = available_memory()
    if free is not None and needed > free:
        raise InvalidParameter(f"{doing} needs about {needed / GB:.1f} GB of memory, but only {free / GB:.1f} GB are free.", advice=advice)


def check_simulation(genes: int, mixtures: int, cells: int) -> None:
    """Before ``mixtures`` mixtures of ``cells`` cells are drawn: stock gathers genes x mixtures x cells doubles at once."""
    need_memory(
        8.0 * genes * mixtures * cells,
        f"Simulating {mixtures} mixtures of {cells} cells with {genes} genes",
        "Lower the number of genes, of mixtures or of cells per mixture.",
    )


def check_dtd(genes: int) -> None:
    """Before gene weights are learned: stock holds three dense genes x genes matrices of floats, or two of doubles on estimating."""
    need_memory(8.0 * 2 * genes**2, f"Learning the weights of {genes} genes", "Lower the number of genes.")


def check_adtd(genes: int, *, search: bool = False) -> None:
    """Before ADTD: stock holds four dense genes x genes matrices of doubles; the search one set more."""
    doing = f"{'The search' if search else 'ADTD'} with {genes} genes"
    need_memory(8.0 * 4 * genes**2 * (2 if search else 1), doing, "Lower the number of genes of the DTD run.")
