"""What a DTD run says: its sentence, its badges, and what is shown for the bulk.

Sessions and frames in, words and frames out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.answers.confidence_intervals import poor_fit_message
from gui.answers.second_opinion import contradiction_message
from gui.data.normalize import bulk_keeps
from gui.engine.results import DTDResult, Run, SecondOpinion
from gui.figures.text import shorten
from gui.sessions.cache import DCXCache
from gui.text import number, some

TRAP = (
    "RNA fractions rank samples well but are not calibrated: never read them as absolute fractions"
    " of cells."
)
BULK_SAMPLE = "bulk sample"
RECOMPUTE, COMPUTE = "Recompute for the new bulk", "Compute for the bulk"
RISING = 0.002
"""What the mean correlation must gain in the last tenth of the iterations to count as still rising.
"""


@dataclass(frozen=True)
class BulkShown:
    """What is shown for the bulk of a DTD run.

    Attributes
    ----------
    composition
        Cell types x samples, or None.
    fits
        Whether it belongs to the current bulk.
    words
        What is wrong with it, "" if nothing.
    button
        What to do about it, "" if nothing can be done here.
    fit
        How well every sample is reconstructed, where it fits the current bulk and was checked.
    notes
        Of the run that was applied to it.
    opinion
        The second opinion, where the composition fits the current bulk.
    """

    composition: pd.DataFrame | None = None
    fits: bool = True
    words: str = ""
    button: str = ""
    fit: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    opinion: SecondOpinion | None = None


def bulk_shown(session: DCXCache, run: Run) -> BulkShown:
    """Return the bulk results of ``run``: its own, or those of applying it to a newer bulk."""
    own, data = run.result.composition.get("bulk"), session.dataset
    applied = [
        r for r in reversed(session.runs("apply")) if r.provenance.inputs.get("dtd") == run.id
    ]
    last = next((r.result.composition for r in applied), own)
    if data is None or data.bulk is None:
        return (
            BulkShown()
            if last is None
            else BulkShown(
                last,
                False,
                "The bulk was removed; these results belong to the removed one.",
            )
        )
    if own is not None and not session.bulk_outdated(run):
        return BulkShown(own, fit=run.result.fit.get("bulk"), opinion=run.result.second_opinion)
    fitting = next((r for r in applied if r.provenance.bulk_id == data.bulk_id), None)
    if fitting is not None:
        return BulkShown(
            fitting.result.composition,
            fit=fitting.result.fit,
            notes=fitting.result.notes,
            opinion=fitting.result.second_opinion,
        )
    words = (
        "The bulk results are outdated: the bulk was replaced."
        if last is not None
        else "The composition of the bulk has not been computed with this run yet."
    )
    lacking = bulk_keeps(run.result.genes, data.bulk.matrix)
    if lacking:
        genes = f"{len(lacking)} genes" if len(lacking) > 1 else "1 gene"
        return BulkShown(last, False, f"{words} It lacks {genes} of this run; run DTD again.")
    return BulkShown(last, False, words, COMPUTE if last is None else RECOMPUTE)


@dataclass(frozen=True)
class Quality:
    """How well a run does on simulated mixtures.

    Attributes
    ----------
    part
        "test", or "train" where there are no test cells.
    """

    part: str
    mean: float
    naive: float
    lowest: str
    lowest_value: float


def quality(result: DTDResult) -> Quality | None:
    """Mean over the cell types of Pearson's correlation, and the type that does worst.

    None for a loaded model.
    """
    rows = result.metrics
    for part in ("test", "train"):
        dtd = _pearson(rows, part, "dtd")
        if not dtd.empty:
            return Quality(
                part,
                float(dtd.mean()),
                float(_pearson(rows, part, "naive").mean()),
                str(dtd.idxmin()),
                float(dtd.min()),
            )
    return None


def _pearson(rows: pd.DataFrame, part: str, method: str) -> pd.Series:
    found = rows[(rows["part"] == part) & (rows["method"].astype(str).str.lower() == method)]
    values = pd.Series(
        found["pearson"].to_numpy(dtype=np.float64), index=found["cell_type"].astype(str)
    )
    return values[np.isfinite(values)]


def sentence(
    result: DTDResult,
    bulk_fit: pd.DataFrame | None = None,
    opinion: SecondOpinion | None = None,
) -> str:
    """Return the answer in a sentence.

    “Mean correlation 0.79 on test pseudobulks (Naive 0.61); lowest: mDC 0.42; 3 of 8 samples fit
    poorly; 1 of 10 cell types is contradicted by two other estimates: CD4 T cells.”
    """
    parts = [
        _quality_text(result),
        poor_fit_message(bulk_fit, BULK_SAMPLE),
        contradiction_message(opinion),
    ]
    said = "; ".join(filter(None, parts))
    return said if said.endswith("…") else f"{said}."


def _quality_text(result: DTDResult) -> str:
    found = quality(result)
    if found is None:
        return (
            f"Trained model with {number(len(result.genes))} genes and {result.reference.shape[1]}"
            " cell types"
        )
    mixtures = "test pseudobulks" if found.part == "test" else "training pseudobulks"
    beside = f" (Naive {found.naive:.2f})" if np.isfinite(found.naive) else ""
    return (
        f"Mean correlation {found.mean:.2f} on {mixtures}{beside}; lowest: {shorten(found.lowest)}"
        f" {found.lowest_value:.2f}"
    )


def short_answer(result: DTDResult) -> str:
    """A few words for the navigation and the list of runs."""
    found = quality(result)
    if found is None:
        return f"trained model, {number(len(result.genes))} genes"
    return f"{found.mean:.2f} mean correlation on {'test' if found.part == 'test' else 'training'}"


def badges(run: Run) -> list[tuple[str, str]]:
    """(text, colour): what the run was computed with, and what to know about it."""
    result: DTDResult = run.result
    found = [(f"{number(len(result.genes))} genes", "gray")]
    if result.params is not None:
        stopped = "" if result.stopped_at is None else f"stopped at {number(result.stopped_at)} of "
        found += [
            (f"{stopped}{number(result.params.iterations)} iterations", "gray"),
            (f"seed {result.params.seed}", "gray"),
        ]
    hidden = hidden_types(result)
    if hidden:
        found.append(
            (
                f"not in the reference: {some(hidden, longest=28)}",
                "gray",
            )
        )
    if not result.metrics.empty and "test" not in result.composition:
        found.append(("no test cells", "orange"))
    return found


def hidden_types(result: DTDResult) -> list[str]:
    """Types of the test pseudobulks that the reference lacks."""
    test = result.truth.get("test")
    return [] if test is None else [str(t) for t in test.index if t not in result.reference.columns]


def loss_hint(correlation: pd.DataFrame) -> str:
    """Return whether more iterations would help, from the gain in the last tenth of them."""
    mean = correlation.mean(axis=1).to_numpy(dtype=np.float64)
    last = len(mean) // 10
    if not last or not np.isfinite(mean[[-1, -1 - last]]).all():
        return "On the training pseudobulks."
    rising = mean[-1] - mean[-1 - last] > RISING
    end = (
        "Still rising at the end: more iterations may help."
        if rising
        else "Level at the end: more iterations would change little."
    )
    return f"On the training pseudobulks. {end}"
