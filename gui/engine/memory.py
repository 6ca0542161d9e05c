"""How much memory a step needs and whether it is there: a sentence instead of a process killed by the system."""

from __future__ import annotations

import contextlib
from pathlib import Path

from gui.errors import InvalidParameter

GB = 1e9


def available_memory() -> int | None:
    """Bytes that can be taken without swapping, or None where this cannot be known. A container's limit counts too."""
    import psutil

    found: list[int] = []
    with contextlib.suppress(OSError, psutil.Error):
        found.append(int(psutil.virtual_memory().available))
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        group = Path("/sys/fs/cgroup")
        found.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return max(0, min(found)) if found else None


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
