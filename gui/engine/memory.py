"""Memory that a step needs, by engine, and whether it is free."""

from __future__ import annotations

from gui.data.memory import available_memory
from gui.engine.compute_settings import EngineName, get_compute_settings
from gui.errors import InvalidParameter

GB = 1e9
DOUBLE, FLOAT, PLACE = 8.0, 4.0, 4.0
CHUNK = 16e6
"""Bytes of cells that the fast engine gathers at a time for the mixtures."""
FILLED = 10.0
"""What the solver of the gene regulation keeps (copies, factors) in units of its quadratic
programme.
"""


def simulation_bytes(genes: int, mixtures: int, cells: int, engine: EngineName) -> float:
    """Return the bytes for simulating mixtures.

    Stock gathers all cells at once; the fast engine only draws their numbers.
    """
    gathered = (
        DOUBLE * genes * mixtures * cells
        if engine == "stock"
        else 2 * CHUNK + 3 * DOUBLE * mixtures * cells
    )
    return gathered + DOUBLE * genes * mixtures * 2


def dtd_bytes(genes: int, mixtures: int, engine: EngineName) -> float:
    """Return the bytes for learning gene weights and estimating with them.

    Stock holds three genes x genes matrices of floats, or two of doubles.
    """
    return max(3 * FLOAT, 2 * DOUBLE) * genes**2 if engine == "stock" else DOUBLE * genes * mixtures


def adtd_bytes(
    genes: int,
    samples: int,
    types: int,
    engine: EngineName,
    *,
    regulated: bool,
    search: bool = False,
) -> float:
    """Return the bytes for ADTD.

    Stock holds four genes x genes matrices of doubles, the search one set more."""
    programme = 0.0
    if regulated or search:
        programme = (
            (DOUBLE + PLACE) * genes * types * (types + 1) / 2 * FILLED
            if engine == "fast"
            else 4 * DOUBLE * genes * types**2
        )
    dense = 4 * DOUBLE * genes**2 * (2 if search else 1) if engine == "stock" else 0.0
    return dense + programme + 6 * DOUBLE * genes * (samples + types)


def need_memory(needed: float, doing: str, advice: str) -> None:
    """InvalidParameter, with the gigabytes and what to lower, if ``needed`` bytes are not free."""
    free = available_memory()
    if free is not None and needed > free:
        raise InvalidParameter(
            f"{doing} needs about {needed / GB:.1f} GB of memory, but only {free / GB:.1f} GB are"
            " free.",
            advice=advice,
        )


def check_simulation(genes: int, mixtures: int, cells: int) -> None:
    """Before ``mixtures`` mixtures of ``cells`` cells are drawn."""
    need_memory(
        simulation_bytes(genes, mixtures, cells, get_compute_settings().engine),
        f"Simulating {mixtures} mixtures of {cells} cells with {genes} genes",
        "Lower the number of genes, of mixtures or of cells per mixture.",
    )


def check_dtd(genes: int, mixtures: int) -> None:
    """Before gene weights are learned."""
    need_memory(
        dtd_bytes(genes, mixtures, get_compute_settings().engine),
        f"Learning the weights of {genes} genes",
        "Lower the number of genes.",
    )


def check_estimate(genes: int, samples: int) -> None:
    """Before compositions are estimated."""
    need_memory(
        dtd_bytes(genes, samples, get_compute_settings().engine),
        f"Estimating compositions with {genes} genes",
        "Lower the number of genes.",
    )


def check_adtd(bulk: tuple[int, ...], types: int, *, regulated: bool, search: bool = False) -> None:
    """Before ADTD or the search.

    Parameters
    ----------
    bulk
        (genes, samples).
    """
    genes, samples = bulk
    doing = f"{'The search' if search else 'ADTD'} with {genes} genes"
    need_memory(
        adtd_bytes(
            genes, samples, types, get_compute_settings().engine, regulated=regulated, search=search
        ),
        doing,
        "Lower the number of genes of the DTD run.",
    )
