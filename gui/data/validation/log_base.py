"""Which logarithm was taken: its base, what was added before, and whether the values tell it.

Between 2 and e the size of the values tells little: ln(FPKM-UQ + 1) goes up to 20 and more, as
log2(TPM + 1) does. What tells the base are steps (counts, and all that is made of counts by one
factor per sample, and what was rounded, lie on a grid in the linear scale only) and sums of the
columns that are equal in the linear scale only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gui.data.dataset import Matrix, Role
from gui.data.validation.checks import all_finite
from gui.data.validation.repairs import BASES

Base = Literal["2", "e", "10"]
_BASES: tuple[Base, ...] = ("10", "2", "e")
USUAL_OFFSETS: tuple[float, ...] = (
    *(10.0**-k for k in range(1, 10)),
    0.5,
    0.25,
    *(5 * 10.0**-k for k in range(2, 10)),
)
"""What is added before a logarithm is taken, beside 1; the usual ones first."""
LARGE_OFFSETS = (2.0, 5.0, 10.0)
"""What is added above 1."""
_COLUMNS, _VALUES = 60, 600_000
"""Columns and values that are looked at, at most."""
_LARGEST = 7e10
"""No measure of a gene is larger: FPKM-UQ of short genes reaches 1e10."""


@dataclass(frozen=True)
class LogForm:
    """log_base(x + offset).

    certain : whether the values, or the name of the file, tell the base; usual : whether such
    values are nearly always in this base, though they do not tell it; by_name : whether the name of
    the file alone tells it
    """

    base: Base
    offset: float
    certain: bool
    usual: bool = False
    by_name: bool = False


def stored_values(matrix: Matrix) -> np.ndarray:
    """The values, or of a sparse matrix those that are stored; without missing and infinite
    ones.
    """
    stored: Any = matrix.values
    values = np.asarray(stored.data if matrix.is_sparse else stored)
    return values if all_finite(values) else values[np.isfinite(values)]


def zero_is_minus_infinity(matrix: Matrix) -> bool:
    """Whether minus infinity is among the values, as the logarithm of 0 without an offset is.

    Where plus infinity is as well, something was divided by 0.
    """
    if matrix.is_sparse:
        return False
    values = np.asarray(matrix.values)
    if all_finite(values):
        return False
    return bool(np.isneginf(values).any() and not np.isposinf(values).any())


def log_form(matrix: Matrix, role: Role, name: str = "") -> LogForm:
    """Base and offset of logarithms that are not below zero.

    Many values at a lowest one above zero are those of what is zero: log2(x + 5) begins at 2.32.
    Without an offset zero is minus infinity.
    name : of the file, which may say the base.
    """
    values = stored_values(matrix)
    low, top = float(values.min()), float(values.max())
    told = told_base(matrix)
    by_name = told is None and (told := base_in_name(name)) is not None
    likely = told or likely_base(top, role)
    if zero_is_minus_infinity(matrix):
        return LogForm(likely, 0.0, told is not None, by_name=by_name)
    at_lowest = int((np.abs(values - low) < 1e-4).sum())
    if not matrix.is_sparse and low >= 0.25 and at_lowest > max(20, 0.02 * values.size):
        if fits := _offsets_at(low, top, LARGE_OFFSETS):
            found = min(fits, key=lambda fit: (fit[0] != likely, fit[1]))
            alone = len(fits) == 1
            certain = alone or told == found[0]
            return LogForm(*found, certain, by_name=by_name and certain and not alone)
        # nobody adds 15.03: DESeq2's vst gives such a value to what is zero, and is in base 2;
        # 3 may have been added in base e
        added = {b: BASES[b] ** low for b in _BASES}
        whole = [b for b, x in added.items() if x < 100 and abs(x - round(x)) < 2e-4 * x]
        stabilised = told is None and role == "bulk" and top > 11.5 and whole in ([], ["2"])
        offset = float(f"{BASES['2' if stabilised else likely] ** low:.4g}")
        if stabilised:
            return LogForm("2", offset, certain=False, usual=True)
        if offset <= 100:
            return LogForm(likely, offset, told is not None, by_name=by_name)
    # DESeq2's vst and rlog and RMA of arrays are in base 2 and go up to 13 and more; expressed
    # genes alone, as ln(TPM + 1), are above 1.5 as well, but seldom above 11
    stabilised = role == "bulk" and not matrix.is_sparse and low > 1.5 and top > 11.5
    if told is None and stabilised:
        return LogForm("2", 1.0, certain=False, usual=True)
    return LogForm(likely, 1.0, told is not None, by_name=by_name)


def has_floor(matrix: Matrix, *, usual: bool = False) -> bool:
    """Whether logarithms below zero have a lowest value that stands for zero.

    usual : only that of an offset that is usual; else any that many values have.
    """
    values = stored_values(matrix)
    low, top = float(values.min()), float(values.max())
    lowest = int((np.abs(values - low) < 1e-4).sum())
    if low >= 0 or top > 50 or lowest < max(3, 0.002 * values.size):
        return False
    if _offsets_at(low, top, USUAL_OFFSETS):
        return True
    return not usual and low > -25 and lowest > max(20, 0.02 * values.size)


def log_floor(matrix: Matrix, name: str = "") -> LogForm | None:
    """Logarithms below zero whose lowest value stands for zero: base 2 and offset 0.001 of -9.9658.

    None where the lowest value is above zero or stands alone. name : of the file.
    """
    if not has_floor(matrix):
        return None
    values = stored_values(matrix)
    low, top = float(values.min()), float(values.max())
    fits, told = _offsets_at(low, top, USUAL_OFFSETS), told_base(matrix)
    if told is not None:
        fits = [fit for fit in fits if fit[0] == told]
    named = told or base_in_name(name)
    likely = named or likely_base(top, "bulk")
    if fits:
        # of log10(0.01) and log2(0.25), both -2, the one with plausible values; of ln(0.1) and
        # log10(0.005) the rounder one
        found = min(fits, key=lambda fit: (fit[0] != likely, USUAL_OFFSETS.index(fit[1])))
        alone = len(fits) == 1
        certain = alone or named == found[0]
        by_name = certain and not alone and told is None
        return LogForm(*found, certain, usual=found[0] == likely, by_name=by_name)
    offset, by_name = float(f"{BASES[likely] ** low:.4g}"), told is None and named is not None
    return LogForm(likely, offset, certain=named is not None, by_name=by_name)


def _offsets_at(low: float, top: float, offsets: Collection[float]) -> list[tuple[Base, float]]:
    """Bases and offsets whose logarithm is the lowest value."""
    kept = next((k for k in range(2, 5) if abs(low - round(low, k)) < 1e-9), 5)
    near = max(1e-4, 0.6 * 10.0**-kept)
    return [
        (base, offset)
        for base in _BASES
        for offset in offsets
        if abs(np.log(offset) / np.log(BASES[base]) - low) < near
        and top * np.log(BASES[base]) < np.log(_LARGEST)
    ]


def likely_base(top: float, role: Role) -> Base:
    """The base that is usual for logarithms with this largest value; it tells nothing for certain.

    The most expressed gene mostly has hundreds to millions: 4.8 is the log10 of 63 000, and as a
    log2 it would be 28. Single cells are mostly in base e.
    """
    if role == "bulk":
        return "10" if top < 7 else "2"
    return "2" if top > 9.5 else "e"


def told_base(matrix: Matrix) -> Base | None:
    """The base that the values tell; None if they do not."""
    most = max(8, min(_COLUMNS, _VALUES // max(1, matrix.n_genes)))
    columns = np.unique(np.linspace(0, matrix.n_columns - 1, most).astype(int))
    stored: Any = matrix.values[:, columns]
    table = np.asarray(stored.toarray() if matrix.is_sparse else stored, dtype=np.float64)
    table = table[~(np.isnan(table) | np.isposinf(table)).any(axis=1)]  # -inf is the log of 0
    top = float(table.max(initial=0.0))
    possible = [b for b in _BASES if top * np.log(BASES[b]) < np.log(_LARGEST)]
    if len(possible) == 1:
        return possible[0]
    if not table.size:
        return None
    error = _rounding(table)
    columns_of = [np.unique(column)[:200] for column in table.T]
    lowest = np.unique(table)[:20_000]
    for found in (
        [b for b in possible if _steps_of_all(lowest, b, error)],
        [b for b in possible if _steps_of_columns(columns_of, b, error)],
    ):
        if len(found) == 1:
            return found[0]
    return _equal_sums(table, possible, error)


_SAID: tuple[tuple[Base, str], ...] = (
    (
        # counts tell it themselves: where they do not, something else was done to them
        "2",
        r"log_?2|hiseqv2|logp1|omicsexpression|(htseq|star)[_-](fpkm|tpm)|rsem_gene_(tpm|fpkm|expected)",
    ),
    ("10", r"log_?10"),
    ("e", r"log1p|log_?e(?![a-z])|(?<![a-z])ln(?![a-z])"),
)


def base_in_name(name: str) -> Base | None:
    """The base in the name of a file, or that of the tables of Xena and DepMap so named."""
    found: list[Base] = [b for b, said in _SAID if re.search(said, name.lower()[:200])]
    return found[0] if len(found) == 1 else None


def _rounding(table: np.ndarray) -> float:
    """Half of the last decimal that is kept, or the precision of float32 numbers."""
    few = table.ravel()[:: max(1, table.size // 20_000)]
    few = few[np.isfinite(few)]
    if not few.size:
        return 1e-12
    for decimals in range(1, 12):
        if np.abs(few - few.round(decimals)).max() < 1e-14 * max(1.0, np.abs(few).max()):
            return float(0.51 * 10.0**-decimals)
    return 1e-6 if np.array_equal(few, few.astype(np.float32)) else 1e-12


def _on_grid(ordered: np.ndarray, step: float, error: float) -> tuple[int, int]:
    """How many of different values are whole steps from the smallest, and of how many that are
    precise enough. error : of a value of size 1.
    """
    seen = ordered[(ordered * error < 0.02 * step) & (ordered > ordered[0] + 0.5 * step)]
    seen = seen[seen < ordered[0] + 1e6 * step]
    parts = (seen - ordered[0]) / step
    return int((np.abs(parts - np.rint(parts)) < 0.1).sum()), len(seen)


def _steps_of_all(lowest: np.ndarray, base: Base, error: float) -> bool:
    """Whether the lowest values of all columns lie on one grid when linear: counts, or rounded
    numbers.
    """
    power = np.log(BASES[base])
    linear = np.exp(lowest * power)
    for decimals in range(5):
        hits, tried = _on_grid(linear, 10.0**-decimals, error * power)
        if tried >= 15 and hits > 0.97 * tried:
            return True
    return False


def _steps_of_columns(columns: list[np.ndarray], base: Base, error: float) -> bool:
    """Whether those of each column lie on a grid of its own: CPM, size factors, normalised cells.

    columns : the lowest values of each, sorted. The step is the smallest difference among the
    smallest of them.
    """
    power = np.log(BASES[base])
    hits = tried = 0
    for column in columns:
        linear = np.exp(column * power)
        apart = np.diff(linear) > 4 * error * power * linear[1:] + 1e-12
        linear = linear[np.concatenate([[True], apart])][:60]
        if len(linear) < 4:
            continue
        step = float(np.diff(linear[:25]).min())
        near = linear[linear < linear[0] + 10.5 * step] - linear[0]
        counts = np.rint(near / step)
        if not counts.any():
            continue
        # the step has an error of its own, which grows with the distance
        step = float(near @ counts / (counts @ counts))
        more, of = _on_grid(linear, step, error * power)
        hits, tried = hits + max(0, more - 1), tried + max(0, of - 1)
    return tried >= 30 and hits > 0.9 * tried


def _equal_sums(table: np.ndarray, possible: Collection[Base], error: float) -> Base | None:
    """The base after which, and after which alone, all columns have one sum: TPM, CPM."""
    spread: dict[Base, float] = {}
    for base in possible:
        linear = np.exp(table * np.log(BASES[base]))
        sums = linear.sum(axis=0)
        spread[base] = float(sums.std() / sums.mean()) if len(sums) > 2 else np.inf
    best = min(spread, key=lambda b: spread[b])
    close = spread[best] < 2e-3 + error and all(
        spread[b] > 8 * spread[best] + 2e-3 for b in spread if b != best
    )
    return best if close else None
