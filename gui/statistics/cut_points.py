"""Groups made of a number: at stated points, at the median, in tertiles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from gui.errors import DataError, InvalidParameter


def cut_at(numbers: pd.Series, points: Sequence[float], unit: str = "") -> pd.Series:
    """Ordered groups of a number cut at stated points; a value on a point goes to the upper group.

    Parameters
    ----------
    numbers : by sample; gaps stay gaps
    points : at least one, each once, in any order
    unit : written behind the numbers in the names of the groups

    Raises
    ------
    InvalidParameter : no point, a point twice, or a point that is no number
    DataError : all samples fall into one group

    Source: Altman & Royston 2006, BMJ 332:1080 (what cutting a number costs).
    """
    cuts = sorted(float(point) for point in points)
    if not cuts or not np.isfinite(cuts).all() or len(set(cuts)) < len(cuts):
        raise InvalidParameter("Give at least one cut point, each once.")
    values = numbers.astype(np.float64)
    suffix = f" {unit}" if unit else ""
    texts = _texts(cuts)
    between = [f"{a} to <{b}{suffix}" for a, b in pairwise(texts)]
    names = [f"<{texts[0]}{suffix}", *between, f"≥{texts[-1]}{suffix}"]
    codes = np.searchsorted(cuts, values.to_numpy(), side="right")
    codes = np.where(values.isna(), -1, codes)
    if np.unique(codes[codes >= 0]).size < 2:
        raise DataError(
            "All samples fall on the same side of the cut points.",
            advice=f"The values run from {values.min():g} to {values.max():g}.",
        )
    made = pd.Categorical.from_codes(codes, categories=names, ordered=True)
    return pd.Series(made.remove_unused_categories(), index=numbers.index, name=numbers.name)


def _texts(cuts: list[float]) -> list[str]:
    """The points as short as they still differ."""
    for digits in (4, 6, 9, 17):
        texts = [f"{cut:.{digits}g}" for cut in cuts]
        if len(set(texts)) == len(texts):
            break
    return texts


def quantile_points(numbers: pd.Series, groups: int) -> list[float]:
    """Cut points for ``groups`` groups of equal size: 2 is the median, 3 are tertiles.

    Raises
    ------
    DataError : ties leave no such points

    Source: Hyndman & Fan 1996, Am Stat 50:361, definition 7 (R's and NumPy's default).
    """
    values = numbers.dropna().to_numpy(dtype=np.float64)
    if values.size < groups:
        raise DataError(f"{values.size} values are too few for {groups} groups.")
    points = np.quantile(values, np.arange(1, groups) / groups)
    points = np.unique(points)
    if points.size < groups - 1 or points[0] <= values.min():
        raise DataError(
            f"Too many samples have the same value for {groups} groups of equal size.",
            advice="State the cut points.",
        )
    return [float(point) for point in points]
