"""How much of the spread of fractions is noise of their estimation, and what that does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

POOR = 0.80
"""Reliability below which the weakening of effects is worth a sentence (Nunnally 1978)."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Which part of each cell type's variance between samples is not noise.

    table : by cell type: sd (between samples), noise (root mean square over the samples of the
        standard deviation over the draws), reliability (0 to 1)
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def reliability(fractions: pd.DataFrame, draws: np.ndarray) -> Reliability:
    """Reliability of fractions: 1 - variance over the draws / variance between the samples.

    A slope (log hazard ratio, difference per unit) on a fraction measured with noise is about
    reliability times the true one; with noise of .8 standard deviations it falls to .61 or less.

    Parameters
    ----------
    fractions : cell types x samples; draws : draws x cell types x samples

    Source: Carroll, Ruppert, Stefanski & Crainiceanu 2006, section 3.2 (attenuation); Hughes 1993,
    Biometrics 49:1056 (Cox models).
    """
    values = fractions.to_numpy(dtype=np.float64)
    noise = np.sqrt(np.var(draws, axis=0, ddof=1).mean(axis=1))
    sd = values.std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.clip(1.0 - (noise / sd) ** 2, 0.0, 1.0)
    table = pd.DataFrame(
        {"sd": sd, "noise": noise, "reliability": ratio}, index=fractions.index.astype(str)
    )
    poor = table.index[table["reliability"] < POOR]
    notes = []
    if len(poor):
        worst = table.loc[poor].sort_values("reliability")["reliability"]
        listed = ", ".join(f"{name} {value:.0%}" for name, value in worst.head(5).items())
        more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
        notes.append(
            "Noise of the estimated fractions weakens effects: a log hazard ratio keeps about "
            f"this part of its size: {listed}{more}."
        )
    return Reliability(table, tuple(notes))
