"""What loading a file will take, said before it is loaded, and refused in words where it cannot go
well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gui.data.memory import available_memory
from gui.data.readers.options import CellChoice
from gui.errors import TooLarge

BASE = 100e6
"""Bytes of buffers, names and annotation beside the values."""
CHECKED = 3.0
"""How many times the values are in memory at most while they are checked and put together
(measured: tests/bench/bench_open.py).
"""
MANY = 20_000
"""Cells from which on a choice is proposed: single types of more than ENOUGH cells gain nothing on
training.
"""
ENOUGH = 500
_RATE = 400e6


@dataclass(frozen=True)
class Forecast:
    """bytes, seconds : for all of the file; cells : the proposed choice (None: all), with its own
    bytes and seconds; free : bytes of free memory.

    refusal : a sentence if all of it does not fit into the free memory, else ""
    """

    bytes: float
    seconds: float
    cells: CellChoice | None = None
    cells_bytes: float = 0.0
    cells_seconds: float = 0.0
    free: int | None = None
    refusal: str = ""


def needed(values: float) -> float:
    """Bytes for loading values of so many bytes."""
    return BASE + CHECKED * values


def forecast(
    bytes_of: Callable[[int], float], cells: int, counts: np.ndarray | None, on_disk: float
) -> Forecast:
    """bytes_of : number of cells -> bytes of their values; counts : cells of each proposed type;
    on_disk : bytes to be read, compressed ones weigh more.
    """
    free, whole = available_memory(), needed(bytes_of(cells))
    said = _refusal(whole, free, "Loading all of it")
    chosen, few, share = None, whole, 1.0
    if counts is not None and (cells > MANY or said):
        each = ENOUGH
        while (
            each > 10
            and free is not None
            and needed(bytes_of(int(np.minimum(counts, each).sum()))) > free / 2
        ):
            each //= 2
        number = int(np.minimum(counts, each).sum())
        if number < cells:
            chosen, few, share = (
                CellChoice(per_label=each),
                needed(bytes_of(number)),
                min(1.0, 4.0 * number / cells),
            )
    return Forecast(
        whole, _seconds(on_disk, whole), chosen, few, _seconds(share * on_disk, few), free, said
    )


def _seconds(on_disk: float, in_memory: float) -> float:
    return round(0.3 + (on_disk + in_memory) / _RATE, 1)


def _refusal(need: float, free: int | None, what: str) -> str:
    if free is None or need <= free:
        return ""
    return (
        f"{what} needs about {need / 1e9:.1f} GB of memory, but only {free / 1e9:.1f} GB are free."
    )


def check_room(values: float, name: str) -> None:
    """TooLarge, in a sentence, before values of so many bytes are loaded that do not fit into the
    free memory.
    """
    said = _refusal(needed(values), available_memory(), f"Loading what was chosen of {name}")
    if said:
        raise TooLarge(said)
