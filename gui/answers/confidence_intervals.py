"""Confidence intervals and fit in words and tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from gui.engine.reconstruction import FAIRLY, POORLY, VERDICT, WELL
from gui.engine.regulation import GeneEffects
from gui.engine.results import ADTDResult, BootstrapResult, Run
from gui.figures.adtd import STABLE
from gui.figures.text import settled
from gui.sessions.cache import DCXCache
from gui.text import number

VERDICTS = {
    WELL: "fits well",
    FAIRLY: "fits fairly",
    POORLY: "fits poorly: treat its fractions with care",
}
FIT_NAMES = {
    "pearson": "Pearson r",
    "pearson_log": "Pearson r (log)",
    "residual": "Unexplained variance (%)",
}
LIMITS = (
    "They do not cover other differences between your samples and these mixtures, such as unknown"
    " cell types or another sequencing protocol."
)

AS_ESTIMATED = (
    "Fractions as estimated: those of a sample need not sum to 100 %, so they differ from the tab"
    " Composition where “Fractions sum to 1” is on."
)


def bootstrap_of(session: DCXCache, run: Run | None) -> Run | None:
    """The newest intervals of this run that still belong to the present data, or None."""
    if run is None:
        return None
    for found in reversed(session.runs("bootstrap")):
        inputs = found.provenance.inputs
        # those of ADTD name its DTD run, too
        same = inputs.get(run.kind) == run.id and (run.kind != "dtd" or "adtd" not in inputs)
        if same and session.outdated(found) is None:
            return found
    return None


def stability(sure: BootstrapResult | None, result: GeneEffects) -> pd.DataFrame | None:
    """Return how often each regulation kept its direction (genes x cell types), or None."""
    if sure is None or sure.sign_stability is None or result.gene_regulation is None:
        return None
    return sure.sign_stability.reindex_like(result.gene_regulation)


def with_stable_support(result: ADTDResult, sure: BootstrapResult | None) -> ADTDResult:
    """Return the result without support where the direction of the regulation is uncertain."""
    steady = stability(sure, result)
    if steady is None or result.support is None:
        return result
    return replace(result, support=result.support.where(steady >= STABLE, 0.0))


# -- intervals
# --------------------------------------------------------------------------------------------------
def sentence(sure: BootstrapResult) -> str:
    """What the intervals are, and how often they hold the truth."""
    words = f"95 % intervals from {number(sure.replicates)} bootstrap replicates of the genes."
    if sure.check is None:
        return (
            f"{words} They were not calibrated on mixtures of known composition: they show the"
            " sampling of genes only, not the error of the method."
        )
    held, alone = (round(100 * float(sure.check[name].mean())) for name in ("widened", "genes"))
    most = 100 * float(sure.check["wider"].max())
    checked = (
        f"On {number(sure.mixtures)} held-out pseudobulks they contain the true fraction"
        f" in {held} of 100 cases"
    )
    moved = (
        f" (resampling alone: {alone}; each end was moved outwards by up to {most:.1f} percentage"
        " points)"
        if most > 0.05
        else ""
    )
    return f"{words} {checked}{moved}. {LIMITS}"


def interval_table(sure: BootstrapResult) -> pd.DataFrame:
    """Return one row per sample and cell type: fraction, interval, uncalibrated interval.

    All are fractions; the index is the sample.

    Index: sample.
    """
    frames = {
        "fraction": sure.estimate,
        "low": sure.low,
        "high": sure.high,
        "low_genes_only": sure.genes_low,
        "high_genes_only": sure.genes_high,
    }
    samples, types = sure.estimate.columns, sure.estimate.index
    columns: dict[str, np.ndarray] = {
        "cell_type": np.tile(types.astype(str).to_numpy(dtype=object), len(samples))
    }
    columns |= {
        name: frame.to_numpy(dtype=np.float64).ravel(order="F") for name, frame in frames.items()
    }
    return pd.DataFrame(
        columns,
        index=pd.Index(
            np.repeat(samples.astype(str).to_numpy(dtype=object), len(types)), name="sample"
        ),
    )


def shown_intervals(sure: BootstrapResult) -> pd.DataFrame:
    """The same for the screen: in percent, with headers."""
    found = interval_table(sure)
    found.iloc[:, 1:] = settled(found.iloc[:, 1:]) * 100
    return found.set_axis(
        [
            "Cell type",
            "Fraction (%)",
            "Low (%)",
            "High (%)",
            "Low, resampling only (%)",
            "High, resampling only (%)",
        ],
        axis=1,
    )


def check_table(sure: BootstrapResult) -> pd.DataFrame | None:
    """Return by cell type how far the ends were widened, and the coverage; None if unchecked."""
    if sure.check is None:
        return None
    return pd.DataFrame(
        {
            "Widened by (percentage points)": sure.check["wider"] * 100,
            "Coverage (%)": sure.check["widened"] * 100,
            "Coverage, resampling only (%)": sure.check["genes"] * 100,
        }
    )


# -- fit
# --------------------------------------------------------------------------------------------------
def fit_sentence(fit: pd.DataFrame | None, what: str = "sample") -> str:
    """How many samples the result gives back, in a sentence; "" where it was not checked."""
    if fit is None or fit.empty:
        return ""
    counts = {v: int((fit[VERDICT] == v).sum()) for v in VERDICTS}
    if counts[POORLY]:
        return f"{poor_fit_message(fit, what)}: treat the fractions there with care."
    if not counts[FAIRLY]:
        return (
            f"All {number(len(fit))} {what}s fit well."
            if len(fit) > 1
            else f"The {what} fits well."
        )
    if not counts[WELL]:
        return (
            f"All {number(len(fit))} {what}s fit fairly."
            if len(fit) > 1
            else f"The {what} fits fairly."
        )
    return (
        f"{number(counts[WELL])} of {number(len(fit))} {what}s fit well, {number(counts[FAIRLY])}"
        " fairly."
    )


def poor_fit_message(fit: pd.DataFrame | None, what: str = "sample") -> str:
    """“2 of 8 samples fit poorly”, or "" if none does."""
    count = 0 if fit is None else int((fit[VERDICT] == POORLY).sum())
    if fit is None or not count:
        return ""
    return f"{number(count)} of {number(len(fit))} {what}s fit{'s' if count == 1 else ''} poorly"


def shown_fit(fit: pd.DataFrame) -> pd.DataFrame:
    """Return the fit by sample: verdict, correlations and unexplained variance (%)."""
    found = pd.DataFrame(
        {"Verdict": [VERDICTS.get(str(v), str(v)) for v in fit[VERDICT]]}, index=fit.index
    )
    for name, title in FIT_NAMES.items():
        found[title] = settled(fit[name].to_numpy(dtype=np.float64)) * (
            100 if name == "residual" else 1
        )
    found.index.name = "sample"
    return found
