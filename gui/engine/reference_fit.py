"""How well a reference fits bulk samples: common genes, and a quick reconstruction error."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gui.data.dataset import Bulk, Dataset
from gui.data.normalize import common_genes, prepare
from gui.engine.reconstruction import RESIDUAL, reconstruction
from gui.errors import DataError

GENES = 1000
"""Genes of the quick estimate, as many as DTD uses by default."""
FEW = 0.5
"""Below this fraction of common genes a small error says little."""


@dataclass(frozen=True)
class ReferenceFit:
    """How well a reference fits the bulk at hand.

    Attributes
    ----------
    common, genes
        How many genes of the reference the bulk has, and how many the reference has.
    error
        Median over the samples of the variance that a mixture of its types leaves unexplained;
        None where it cannot be computed.
    obstacle
        Why not, a sentence.
    """

    common: int
    genes: int
    error: float | None = None
    obstacle: str = ""

    @property
    def fraction(self) -> float:
        """Of the reference's genes, those that the bulk has."""
        return self.common / self.genes if self.genes else 0.0

    @property
    def order(self) -> tuple[bool, bool, float, float]:
        """Sorts the best first: an error, enough genes, a small error, many genes."""
        known = self.error is not None
        return (not known, self.fraction < FEW, self.error or 0.0, -self.fraction)


def reference_fit(reference: Dataset, bulk: Bulk) -> ReferenceFit:
    """Estimate the samples with all gene weights 1, and see what is left over.

    Parameters
    ----------
    reference
        Cells or profiles; a bulk of its own is not looked at.
    """
    from gui.engine.dtd import equal_weights, estimate  # solvers: not when the window starts

    both = replace(reference, test=None, bulk=bulk, clinical=None, truth=None)
    genes = next(iter(replace(both, bulk=None).parts().values())).n_genes
    common = common_genes(both)
    if not len(common):
        return ReferenceFit(0, genes, obstacle="No gene name in common.")
    try:
        # profiles alone: all common genes, there are no cells to choose them by
        prepared = prepare(both, n_genes=GENES, genes=common if both.train is None else None)
        profiles, samples = prepared.reference, prepared.bulk
        weights = equal_weights(profiles.index)
        assert samples is not None
        found = estimate(profiles, samples, weights)
    except DataError as error:
        return ReferenceFit(len(common), genes, obstacle=str(error))
    left = reconstruction(profiles, samples, weights, found)[RESIDUAL]
    median = float(left.median())
    return ReferenceFit(len(common), genes, median if median == median else None)
