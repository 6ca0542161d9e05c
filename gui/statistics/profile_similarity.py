"""What an expression profile looks like beyond a reference: known profiles and marker genes.

The hidden profile of ADTD is determined only up to mixtures of the reference (any multiple of a
reference profile, times its gene regulation where a run estimates one, may be added without
changing the fit). So everything here is computed on the part outside of the span of the reference
given, which is the same for all solutions but for its length.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial

import numpy as np
import pandas as pd

from gui.errors import BadValues, DataError
from gui.statistics.distributions import normal_p
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.ranks import rank

FLOOR_OF_WEIGHTS = 0.1
"""Of the mean expression, added to a gene's expression where its variance is estimated."""
FLOOR_OF_RATIOS = 0.05
"""Of the mean expression, added to a gene's expression where it divides."""
FEWEST_MARKERS = 3
"""Markers among the genes in use, for a type to be tested."""
EXACT_UP_TO = 20
"""So many uniform ranks are summed exactly; more are nearly normal."""


@dataclass(frozen=True, eq=False)
class Outside:
    """A profile, and the part of it that no mixture of the reference gives.

    Attributes
    ----------
    part
        By gene, in the unit of the profile (which sums to 1); negative where the mixtures of the
        reference that come nearest have more.
    fraction
        Length of that part relative to the profile's, both weighted; 0 to 1.
    """

    part: pd.Series
    fraction: float


@dataclass(frozen=True, eq=False)
class ProfileSimilarity:
    """Known profiles by how much of the outside part each explains.

    Attributes
    ----------
    table
        By cell type, best first: explained (part of the sum of squares that it explains alone, 0
        where it points the other way), cosine, weight (in the best non-negative mixture of all).
    mixture
        Part that this mixture explains.
    """

    table: pd.DataFrame
    mixture: float


def _weights(reference: pd.DataFrame) -> np.ndarray:
    mean = reference.mean(axis=1).to_numpy(dtype=np.float64)
    return np.asarray(1.0 / np.sqrt(mean + FLOOR_OF_WEIGHTS * mean.mean()))


def _unit_sums(frame: pd.DataFrame) -> pd.DataFrame:
    values = frame.astype(np.float64)
    if not np.isfinite(values.to_numpy()).all() or (values.to_numpy() < 0).any():
        raise BadValues("A profile has gaps or negative values.", advice="Use linear expression.")
    return values / values.sum(axis=0).where(values.sum(axis=0) > 0, 1.0)


def outside_span(profile: pd.Series, reference: pd.DataFrame) -> Outside:
    """The part of a profile outside of the span of the reference.

    Weighted least squares: a gene's variance is taken as proportional to its mean expression, as
    for counts, so that a few strong genes do not decide.

    Parameters
    ----------
    reference : genes x cell types, the genes of ``profile`` in the same order

    Source: Frisch & Waugh 1933, Econometrica 1:387 (regressing other variables out); Carroll &
    Ruppert 1988, Transformation and Weighting in Regression, ch. 2 (weights).
    """
    if not profile.index.equals(reference.index):
        raise DataError("The profile and the reference have different genes.")
    known = _unit_sums(reference)
    weights = _weights(known)
    values = _unit_sums(profile.to_frame()).iloc[:, 0].to_numpy()
    rest = _without(values[:, None] * weights[:, None], known.to_numpy() * weights[:, None])[:, 0]
    length = float(np.linalg.norm(values * weights))
    return Outside(
        pd.Series(rest / weights, index=profile.index),
        float(np.linalg.norm(rest)) / length if length > 0 else 0.0,
    )


def _without(values: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Columns of ``values`` less their projection onto the span of ``directions``."""
    left, singular, _ = np.linalg.svd(directions, full_matrices=False)
    basis = left[:, singular > 1e-10 * singular.max(initial=0.0)]
    return np.asarray(values - basis @ (basis.T @ values))


def profile_similarity(
    profile: pd.Series, reference: pd.DataFrame, library: pd.DataFrame
) -> ProfileSimilarity:
    """How much of the part outside of the reference known profiles explain.

    Profile and library are regressed on the reference and on a flat profile (the same expression of
    every gene, as from background or another technology); then each is compared alone and all
    together, by non-negative least squares, so that the reference may enter with any coefficient
    and the library with positive ones only.

    Parameters
    ----------
    library : genes x cell types; of other genes nothing is used, genes without a value count as not
        expressed

    Raises
    ------
    DataError : the library is empty
    BadValues : gaps or negative values

    Source: Lawson & Hanson 1974, Solving Least Squares Problems, ch. 23 (non-negative least
    squares); Frisch & Waugh 1933, Econometrica 1:387.
    """
    from scipy.optimize import nnls

    if not library.shape[1]:
        raise DataError("There is no known profile to compare with.")
    known = _unit_sums(reference)
    weights = _weights(known)[:, None]
    shared = library.loc[library.index.isin(profile.index)]
    candidates = _unit_sums(_unit_sums(shared).reindex(profile.index, fill_value=0.0)).to_numpy()
    flat = np.full((len(known), 1), 1.0 / len(known))
    directions = np.hstack([known.to_numpy(), flat]) * weights
    both = np.hstack([_unit_sums(profile.to_frame()).to_numpy(), candidates]) * weights
    rest = _without(both, directions)
    # what lies within the span but for rounding has no direction of its own
    lengths = np.linalg.norm(rest, axis=0)
    rest[:, lengths <= 1e-9 * np.linalg.norm(both, axis=0)] = 0.0
    target, others = rest[:, 0], rest[:, 1:]
    lengths = np.linalg.norm(others, axis=0) * np.linalg.norm(target)
    cosine = np.divide(others.T @ target, lengths, out=np.zeros(others.shape[1]), where=lengths > 0)
    coefficients, left = nnls(others, target)
    total = float(target @ target)
    table = pd.DataFrame(
        {"explained": np.maximum(cosine, 0.0) ** 2, "cosine": cosine, "weight": coefficients},
        index=library.columns.astype(str),
    )
    return ProfileSimilarity(
        table.sort_values(["explained", "cosine"], ascending=False, kind="stable"),
        float(max(0.0, 1.0 - left**2 / total)) if total > 0 else 0.0,
    )


def rank_sum_p(ranks: np.ndarray) -> float:
    """Probability that ranks drawn at random have so high a sum; ``ranks`` lie between 0 and 1.

    Source: Irwin 1927, Biometrika 19:225; Hall 1927, Biometrika 19:240 (sum of uniform numbers);
    Wilcoxon 1945, Biometrics Bulletin 1:80 (test by the sum of ranks).
    """
    n = ranks.size
    below = float(np.sum(1.0 - ranks))
    if n > EXACT_UP_TO:
        return float(normal_p((n / 2.0 - below) / np.sqrt(n / 12.0), "greater"))
    exact = Fraction(below)
    terms = ((-1) ** j * comb(n, j) * (exact - j) ** n for j in range(n + 1) if exact > j)
    return float(min(max(sum(terms, Fraction(0)) / factorial(n), Fraction(0)), Fraction(1)))


def marker_similarity(
    outside: pd.Series, reference: pd.DataFrame, markers: Mapping[str, Collection[str]]
) -> pd.DataFrame:
    """Which types' marker genes stand high in a part outside of the reference.

    Genes are ranked by that part relative to their mean expression in the reference; a type's
    markers are tested against all other genes in use.

    Parameters
    ----------
    outside : by gene, of :func:`outside_span`
    markers : cell type -> genes; types with fewer than 3 genes in use are left out

    Returns
    -------
    By cell type, best first: markers (in use), auc (probability that a marker ranks above another
    gene), p, p_adjusted (over all types tested), genes (in use, highest first, a tuple)

    Source: Wilcoxon 1945, Biometrics Bulletin 1:80; Aibar et al. 2017, Nat Methods 14:1083 (the
    area under the ranking as a score of a gene set).
    """
    mean = _unit_sums(reference).mean(axis=1)
    ratio = (outside / (mean + FLOOR_OF_RATIOS * mean.mean())).to_numpy(dtype=np.float64)
    n = ratio.size
    place = pd.Series((rank(ratio).values - 0.5) / max(n, 1), index=outside.index)
    rows = []
    for name, genes in markers.items():
        found = place[place.index.isin(list(genes))].sort_values(ascending=False, kind="stable")
        k = len(found)
        if k < FEWEST_MARKERS or k >= n:
            continue
        ranks = found.to_numpy()
        auc = (float(ranks.sum()) * n - k * k / 2.0) / (k * (n - k))
        rows.append((name, k, auc, rank_sum_p(ranks), tuple(map(str, found.index))))
    table = pd.DataFrame(rows, columns=["cell_type", "markers", "auc", "p", "genes"])
    table.insert(4, "p_adjusted", benjamini_hochberg(table["p"].to_numpy(dtype=np.float64)))
    order = table.sort_values(["p", "auc"], ascending=[True, False], kind="stable")
    return order.set_index("cell_type")
