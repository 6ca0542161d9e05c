"""Data sets of published examples (tests/fixtures/statistics/SOURCE.md) and small ones by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "statistics"


@pytest.fixture
def published() -> Callable[[str], pd.DataFrame]:
    return lambda name: pd.read_csv(FIXTURES / f"{name}.csv")


@pytest.fixture
def freireich() -> pd.DataFrame:
    """Freireich et al. 1963, Blood 21:699: weeks of remission, 6-MP and placebo."""
    drug = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    return pd.DataFrame(
        {
            "time": drug + placebo,
            "event": relapsed + [1] * 21,
            "group": ["6-MP"] * 21 + ["placebo"] * 21,
        }
    )


@pytest.fixture
def aml() -> pd.DataFrame:
    """Miller 1981, Survival Analysis, p. 49: maintained chemotherapy or not."""
    maintained = [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161]
    events = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]
    others = [5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45]
    return pd.DataFrame(
        {
            "time": maintained + others,
            "event": [*events, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
            "x": ["Maintained"] * 11 + ["Nonmaintained"] * 12,
        }
    )


@pytest.fixture
def insect_sprays() -> tuple[np.ndarray, np.ndarray]:
    """R's InsectSprays (Beall 1942, Biometrika 32:243): counts and codes of the sprays."""
    counts = [
        [10, 7, 20, 14, 14, 12, 10, 23, 17, 20, 14, 13],
        [11, 17, 21, 11, 16, 14, 17, 17, 19, 21, 7, 13],
        [0, 1, 7, 2, 3, 1, 2, 1, 3, 0, 1, 4],
        [3, 5, 12, 6, 4, 3, 5, 5, 5, 5, 2, 4],
        [3, 5, 3, 5, 3, 6, 1, 1, 3, 2, 6, 4],
        [11, 9, 15, 22, 15, 16, 13, 10, 26, 26, 24, 13],
    ]
    return np.ravel(counts).astype(float), np.repeat(np.arange(6), 12)


@pytest.fixture
def plant_growth() -> tuple[np.ndarray, np.ndarray]:
    """R's PlantGrowth (Dobson 1983, p. 28): dried weight and codes of ctrl, trt1, trt2."""
    weights = [
        *(4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14),
        *(4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69),
        *(6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26),
    ]
    return np.array(weights), np.repeat(np.arange(3), 10)
