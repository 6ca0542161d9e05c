"""Warnings that cost nothing and are true: what else speaks against a result, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN
from gui.engine.results import DTDResult, SecondOpinion
from gui.engine.similar_types import similar_pairs
from gui.figures.text import percent
from gui.text import number, some

BETTER, OVERFIT = 0.005, 0.15
"""Mean correlation by which Naive is better; by which training exceeds test."""
EARLIER = 0.02
"""Mean correlation by which an earlier iteration is better on the test pseudobulks."""
FEW_GENES = 500
OFFSET = 2**0.75
"""Simulated mixtures of three references reach 1.4; bulk of another protocol 1.9 and more."""
ZERO = 1e-9
MOST_CONDITION = 1_000_000


def dtd_warnings(result: DTDResult) -> Iterator[str]:
    """Of the learning: Naive does better, it overfits the training cells, few genes."""
    means = {
        (part, method): _mean(result.metrics, part, method)
        for part in ("train", "test")
        for method in ("dtd", "naive")
    }
    learned, naive = means["test", "dtd"], means["test", "naive"]
    if naive > learned + BETTER:
        yield (
            f"Naive is better than DTD on the test pseudobulks (mean correlation {naive:.2f}"
            f" against {learned:.2f}): the gene weights do not carry over to other cells."
        )
    if means["train", "dtd"] > learned + OVERFIT:
        yield (
            f"The mean correlation is {means['train', 'dtd']:.2f} on the training pseudobulks and"
            f" {learned:.2f} on the test pseudobulks: the weights are fitted to the training cells."
            " Fewer iterations or more cells may do better."
        )
    if result.stopped_at is None and result.checked is not None and "test" in result.checked:
        on_test = result.checked["test"].dropna()
        if len(on_test) and float(on_test.max()) > float(on_test.iloc[-1]) + EARLIER:
            yield (
                f"The mean correlation on the test pseudobulks was {float(on_test.max()):.2f} after"
                f" {number(int(on_test.idxmax()))} iterations and is"
                f" {float(on_test.iloc[-1]):.2f} after {number(int(on_test.index[-1]))}: “Stop"
                " early” (Advanced) would have mattered."
            )
    wanted = None if result.params is None else result.params.genes
    count = len(result.genes)
    if result.params is not None and count < FEW_GENES and (wanted is None or count < wanted):
        yield (
            f"Single cells and bulk have only {number(count)} genes in common: similar cell types"
            " can hardly be distinguished."
        )


def _mean(metrics: pd.DataFrame, part: str, method: str) -> float:
    """Mean over the cell types of Pearson's correlation; NaN, which is never larger, without."""
    rows = metrics[(metrics["part"] == part) & (metrics["method"] == method)]
    values = rows["pearson"].to_numpy(dtype=np.float64)
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")


def zero_warning(composition: pd.DataFrame | None) -> str:
    """Name the cell types that are 0 in more than half of the bulk samples; "" if none is."""
    if composition is None or not composition.shape[1]:
        return ""
    known = composition.drop(index=HIDDEN, errors="ignore")
    often = (known <= ZERO).sum(axis=1)
    names = [str(t) for t in known.index if 2 * often[t] > known.shape[1]]
    if not names:
        return ""
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{some(names, 6)} {verb} 0 in more than half of the samples: this says that the estimate"
        " cannot see them, not that they are absent."
    )


def similar_warning(reference: pd.DataFrame, weights: pd.Series | None) -> str:
    """Name the pairs of cell types that cannot be told apart; "" if there is none.

    Parameters
    ----------
    reference
        genes x cell types.
    weights
        By gene, those of the fit; None where they are not known.
    """
    pairs = [] if weights is None else similar_pairs(reference, weights)
    if not pairs:
        return ""
    condition = pairs[0].condition
    size = f"{condition:.0f}" if condition < MOST_CONDITION else f"above {number(MOST_CONDITION)}"
    named = [f"{p.first} and {p.second} ({p.similarity:.3f})" for p in pairs]
    return (
        f"Too alike to be distinguished: {some(named, 3)}, by the similarity of their profiles with"
        f" the gene weights in use (condition number {size}). Rely on the sum of"
        " the two, or merge them and run again."
    )


def outside_training(result: DTDResult, composition: pd.DataFrame | None) -> list[str]:
    """Cell types whose fraction is above that of every training pseudobulk in half of the samples.

    There the gene weights were never tried. A sentence, or none.

    Parameters
    ----------
    composition
        Of the bulk, as estimated (with or without ``hidden``); made to sum to 1 without it.
    """
    train = result.truth.get("train")
    if composition is None or train is None or not len(result.loss) or not composition.shape[1]:
        return []
    known = composition.drop(index=HIDDEN, errors="ignore")
    total = known.sum(axis=0)
    fractions = known / total.where(total > 0)
    most = train.max(axis=1).reindex(fractions.index)
    beyond = fractions.gt(most, axis=0)
    often = beyond.sum(axis=1)
    names = [t for t in fractions.index if 2 * often[t] >= fractions.shape[1]]
    if not names:
        return []
    named = [
        f"{t} ({number(int(often[t]))} of {number(fractions.shape[1])} samples, in training at most"
        f" {percent(float(most[t]))})"
        for t in names
    ]
    return [
        f"More than in any training pseudobulk: {some(named, 4)}. The gene weights were never tried"
        " on such fractions."
    ]


def opinion_warnings(opinion: SecondOpinion) -> Iterator[str]:
    """Cell types that are missing from the reference; another protocol."""
    yield from missing_sentences(opinion)
    if opinion.offset is not None and opinion.offset > OFFSET:
        yield (
            f"A gene of the bulk typically differs by a factor of {opinion.offset:.1f} from what"
            " the mixture explains: the bulk was measured by another protocol than the single"
            " cells (UMI, full length, array), or much in it is unknown."
        )


def missing_sentences(opinion: SecondOpinion) -> list[str]:
    """“Neutrophil: its markers A, B and C are 2.7 times what the mixture explains: …”."""
    if opinion.missing is None:
        return []
    return [
        f"{name}: its markers {some(str(row['genes']).split(', '), 4)} are"
        f" {float(row['fold']):.1f} times what the estimated mixture explains. Such cells, or cells"
        " like them, are probably missing from the reference."
        for name, row in opinion.missing.iterrows()
    ]
