"""Refinement of ADTD: hidden profile and gene regulation at a certified optimum.

No torch, no deconomix.

Stock alternates between solvers of limited precision and stops when the loss falls by less than
1e-8, at losses of 1e-6, so it ends near the optimum and not on it. What is solved here, with X, Y
(columns summing to 1), gamma (summing to 1) and the loss as stock has them:

* Deconomix+h: given the composition C and the hidden fractions c of the run, x minimises the loss
  over x >= 0, sum x = 1. Closed form.
* Deconomix+h,r: given C and c, (Delta, x) together minimise the loss over Delta >= 0, sum_g X_gk
  Delta_gk = 1 for every type k, x >= 0,
  sum x = 1. One convex programme; what stock's alternation between x and Delta tends to.

C and c stay as the run has them. The step that finds them (stock's first loop: C and c given x, x
given C and c, and so on) has no single optimum that could be certified: x' = (x + X b)/(1 + sum b),
c' = c (1 + sum b), C' = C - b c leave the loss as it is for a whole range of b (see
``hidden_interval``), so where that loop ends depends on where it begins and when it stops. Where C
is free in every iteration (Custom) the same holds of the whole fit, and nothing is refined.

The numbers differ from those of deconomix, and from what was published with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pandas as pd

from gui.engine import separable_qp
from gui.engine.separable_qp import Answer, Check, SeparableQP, Stuck
from gui.errors import EngineFailed

TOLERANCE = 1e-7
"""What a residual and a gap may be at most to count as the optimum."""
NEGLIGIBLE_FRACTION = 1e-9
"""Hidden fractions up to here in every sample are none: what the solver of the composition leaves
where there is no hidden background (1e-16), with room.

The hidden profile then stays as it is: the loss hardly knows it (the certificate's gap still counts
it).
"""
CHUNK = 4_000_000
"""Numbers in one piece of genes x samples: 32 MB."""

Way = Literal["closed form", "Newton", "Clarabel", "kept"]
"""How the optimum was found; "kept": not at all, the engine's own values stand."""


@dataclass(frozen=True)
class Certificate:
    """Upper bounds of how far (Delta, x) is from the optimum.

    Computed from the data and the solver's multipliers only.

    Attributes
    ----------
    residual
        The largest of (a) what a sum misses 1 by, (b) the most negative value, (c) how far an
        entry of Delta (relative to itself where it is above 1), or all entries of x together,
        would still move if each were optimised alone. Without unit.
    gap
        Upper bound of (loss - smallest loss possible), relative to the loss.
    """

    residual: float
    gap: float

    @property
    def holds(self) -> bool:
        return bool(self.residual <= TOLERANCE and self.gap <= TOLERANCE)


@dataclass(frozen=True, eq=False)
class RegulationProblem:
    """ADTD's problem with C and c given.

    reference X : (p, q), bulk Y : (p, n), columns summing to 1; weights gamma : (p,), above 0;
    composition C : (q, n); hidden c : (n,); lambda2 above 0.
    """

    reference: np.ndarray
    bulk: np.ndarray
    weights: np.ndarray
    composition: np.ndarray
    hidden: np.ndarray
    lambda2: float

    @property
    def has_hidden(self) -> bool:
        """Whether any sample holds hidden background; otherwise x stays as it is."""
        return bool((self.hidden > NEGLIGIBLE_FRACTION).any())

    def pieces(self) -> Iterator[slice]:
        genes, samples = self.bulk.shape
        size = max(1, CHUNK // max(1, samples))
        return (slice(start, min(start + size, genes)) for start in range(0, genes, size))

    def residual(self, genes: slice, regulation: np.ndarray, profile: np.ndarray) -> np.ndarray:
        """Y - (Delta X) C - x c of some genes."""
        explained = (regulation[genes] * self.reference[genes]) @ self.composition
        return np.asarray(self.bulk[genes] - explained - np.outer(profile[genes], self.hidden))

    def loss(self, regulation: np.ndarray, profile: np.ndarray) -> float:
        """Sum_g gamma_g residual_g² + lambda2 sum (Delta - 1)².

        Parameters
        ----------
        regulation
            (p, q).
        profile
            (p,).
        """
        fit = sum(
            float(
                self.weights[genes] @ (self.residual(genes, regulation, profile) ** 2).sum(axis=1)
            )
            for genes in self.pieces()
        )
        return fit + self.lambda2 * float(((regulation - 1) ** 2).sum())

    def size(self) -> float:
        """The loss of explaining nothing: what losses are measured against."""
        return float(
            sum(
                float(self.weights[genes] @ (self.bulk[genes] ** 2).sum(axis=1))
                for genes in self.pieces()
            )
        )


@dataclass(frozen=True, eq=False)
class Optimum:
    """regulation : (p, q); profile : (p,); certificate and how it was found."""

    regulation: np.ndarray
    profile: np.ndarray
    certificate: Certificate
    way: Way


# -- x alone
# --------------------------------------------------------------------------------------------------
def profile(target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The x that minimises sum_g w_g (x_g - t_g)² over x >= 0, sum x = 1, in closed form.

    Parameters
    ----------
    target
        (p,), any sign.
    weight
        (p,), at or above 0. Returns (p,). x = max(t - nu/w, 0): a gene takes part if w t > nu,
        so sort by w t and find nu by running sums. Genes of weight 0 cost nothing: they share
        equally what the others, at their targets, leave of 1; if that is nothing they get
        nothing. ValueError where weights are negative or something is not finite.
    """
    t, w = np.asarray(target, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    if (
        t.shape != w.shape
        or t.ndim != 1
        or not len(t)
        or not (np.isfinite(t).all() and np.isfinite(w).all() and (w >= 0).all())
    ):
        raise ValueError(
            "target and weight must be finite, of one length, the weights at or above 0"
        )
    x, counts = np.zeros_like(t), w > 0
    rest = 1.0 - float(np.clip(t[counts], 0.0, None).sum())
    if rest >= 0 and not counts.all():
        x[counts] = np.clip(t[counts], 0.0, None)
        x[~counts] = rest / (~counts).sum()
        return x
    t, w = t[counts], w[counts] / w[counts].max()
    order = np.argsort(-(w * t), kind="stable")
    height = (w * t)[order]
    nu = (np.cumsum(t[order]) - 1.0) / np.cumsum(1.0 / w[order])
    # the condition holds for the first ones and for no later one
    last = max(1, int(np.count_nonzero(height > nu)))
    inside = order[:last]
    threshold = (t[inside].sum() - 1.0) / (1.0 / w[inside]).sum()
    found = np.zeros_like(t)
    found[inside] = np.clip(t[inside] - threshold / w[inside], 0.0, None)
    x[counts] = found / found.sum()
    return x


def profile_given(problem: RegulationProblem, regulation: np.ndarray) -> np.ndarray:
    """x given everything else: (p,). Requires hidden background somewhere."""
    power = float(problem.hidden @ problem.hidden)
    target = (
        np.concatenate(
            [
                problem.residual(g, regulation, np.zeros(len(regulation))) @ problem.hidden
                for g in problem.pieces()
            ]
        )
        / power
    )
    return profile(target, problem.weights)


# -- Delta, and Delta with x
# --------------------------------------------------------------------------------------------------
def regulation(
    problem: RegulationProblem, given: np.ndarray, *, check: Check = lambda: None
) -> Optimum:
    """Delta given x (p,). EngineFailed if no answer can be certified; what ``check`` raises."""
    targets = np.concatenate(
        [
            (problem.bulk[g] - np.outer(given[g], problem.hidden)) @ problem.composition.T
            for g in problem.pieces()
        ]
    )
    moments = problem.composition @ problem.composition.T
    qp = SeparableQP(
        problem.weights, problem.reference, moments, targets, np.full(len(moments), problem.lambda2)
    )
    return _solved(qp, lambda found: _pack(problem, found, given), check)


def joint(problem: RegulationProblem, *, check: Check = lambda: None) -> Optimum:
    """Delta and x together: x is one more column, of factors 1 and without ridge.

    EngineFailed if no answer can be certified; what ``check`` raises.

    Requires hidden background somewhere.
    """
    fractions = np.vstack([problem.composition, problem.hidden])
    targets = np.concatenate([problem.bulk[g] @ fractions.T for g in problem.pieces()])
    factors = np.column_stack([problem.reference, np.ones(len(problem.reference))])
    ridge = np.append(np.full(len(problem.composition), problem.lambda2), 0.0)
    qp = SeparableQP(problem.weights, factors, fractions @ fractions.T, targets, ridge)
    return _solved(qp, lambda found: _pack(problem, found, None), check)


def _pack(
    problem: RegulationProblem, found: Answer, given: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, Certificate]:
    types = problem.reference.shape[1]
    delta, x = (found.u, given) if given is not None else (found.u[:, :types], found.u[:, types])
    return (
        delta,
        x,
        certify(
            problem,
            delta,
            x,
            found.multipliers[:types],
            fixed_profile=given is not None and problem.has_hidden,
        ),
    )


def _solved(
    qp: SeparableQP,
    pack: Callable[[Answer], tuple[np.ndarray, np.ndarray, Certificate]],
    check: Check,
) -> Optimum:
    """Newton, else Clarabel: the first answer whose certificate holds."""

    def newton() -> list[Answer]:
        return [separable_qp.by_newton(qp, check)]

    ways: tuple[tuple[Way, Callable[[], list[Answer]]], ...] = (
        ("Newton", newton),
        ("Clarabel", lambda: separable_qp.by_clarabel(qp, check)),
    )
    for way, solve in ways:
        try:
            with np.errstate(all="ignore"):
                answers = solve()
        except (Stuck, np.linalg.LinAlgError):
            continue
        for answer in answers:
            delta, x, certificate = pack(answer)
            if certificate.holds:
                return Optimum(delta, x, certificate, way)
    raise EngineFailed(
        "No optimum could be found whose certificate holds.",
        advice="A larger λ₂ or fewer genes may help.",
    )


def certify(
    problem: RegulationProblem,
    delta: np.ndarray,
    x: np.ndarray,
    multipliers: np.ndarray | None,
    *,
    fixed_profile: bool = False,
) -> Certificate:
    """How good (delta, x) is.

    For the gap: the loss is convex, and in Delta at least as curved as lambda2 (Delta - 1)². With G
    the derivatives and r = G - nu X, no admissible (Delta', x') lies lower than the loss plus the
    minimum of r v + lambda2 v² over v >= -Delta (entry by entry), plus the minimum of
    G_x (x' - x) over the simplex, plus nu times what the sums miss.

    Parameters
    ----------
    multipliers
        (q,), of the sums over X Delta, None where Delta is held at 1; any values give a valid,
        if wide, bound.
    """
    types = problem.reference.shape[1]
    power, own = float(problem.hidden @ problem.hidden), (problem.composition**2).sum(axis=1)
    nu = np.zeros(types) if multipliers is None else multipliers
    slope_x, move, gap = np.zeros(len(x)), 0.0, 0.0
    for genes in problem.pieces():
        pull = problem.residual(genes, delta, x) * (-2 * problem.weights[genes, None])
        slope_x[genes] = pull @ problem.hidden
        if multipliers is None:
            continue
        a, d = problem.reference[genes], delta[genes]
        slope = a * (pull @ problem.composition.T) + 2 * problem.lambda2 * (d - 1) - nu * a
        stiff = 2 * (problem.weights[genes, None] * a**2 * own + problem.lambda2)
        move = max(
            move,
            float(
                (np.abs(d - np.maximum(d - slope / stiff, 0.0)) / np.maximum(1.0, d)).max(
                    initial=0.0
                )
            ),
        )
        inside = slope <= 2 * problem.lambda2 * d
        gap += float(
            np.where(
                inside, slope**2 / (4 * problem.lambda2), slope * d - problem.lambda2 * d**2
            ).sum()
        )
    missing, lowest = 0.0, 0.0
    if multipliers is not None:
        lacking = 1 - (problem.reference * delta).sum(axis=0)
        missing, lowest = float(np.abs(lacking).max()), float(-min(0.0, delta.min()))
        gap += float(np.abs(nu) @ np.abs(lacking))
    if not fixed_profile:
        lacking_x = 1 - float(x.sum())
        missing, lowest = max(missing, abs(lacking_x)), max(lowest, float(-min(0.0, x.min())))
        least = float(slope_x.min())
        gap += float((slope_x - least) @ np.maximum(x, 0.0)) + abs(least * lacking_x)
        if problem.has_hidden:
            stiff_x = 2 * problem.weights * power
            move = max(
                move,
                float(
                    np.abs(x - np.maximum(x - (slope_x - _level(slope_x, x)) / stiff_x, 0.0)).sum()
                ),
            )
    against = problem.loss(delta, x) + 1e-12 * problem.size()
    return Certificate(max(missing, lowest, move), gap / against if against > 0 else gap)


def _level(slope: np.ndarray, x: np.ndarray) -> float:
    """The derivative that all genes which take part in x share."""
    present = np.maximum(x, 0.0)
    return float((slope @ present) / present.sum()) if present.sum() > 0 else float(slope.min())


# -- a run refined
# --------------------------------------------------------------------------------------------------
class Fitted(Protocol):
    """Protocol of a fit.

    composition (cell types x samples), hidden (by sample), profile (by gene), regulation (genes x
    cell types).
    """

    @property
    def composition(self) -> pd.DataFrame: ...
    @property
    def hidden(self) -> pd.Series: ...
    @property
    def profile(self) -> pd.Series: ...
    @property
    def regulation(self) -> pd.DataFrame: ...


@dataclass(frozen=True, eq=False)
class Refined:
    """A fit at the optimum.

    Attributes
    ----------
    profile
        By gene, sums to 1.
    regulation
        genes x cell types, 1 where it is not estimated.
    loss_before
        Of the fit as it was, its x and Delta brought to sums of exactly 1 first (stock's
        solvers keep them to about 1e-4).
    loss_after
        At the optimum, never above it but for rounding. certificate of what is given; None if
        ``way`` is "kept": profile and regulation are the fit's then.
    """

    profile: pd.Series
    regulation: pd.DataFrame
    loss_before: float
    loss_after: float
    certificate: Certificate | None
    way: Way


def problem_of(
    reference: pd.DataFrame, bulk: pd.DataFrame, weights: pd.Series, fit: Fitted, lambda2: float
) -> RegulationProblem:
    """Normalised as stock does it, gamma_offset included. ValueError if lambda2 is not above 0."""
    if not lambda2 > 0:
        raise ValueError("λ₂ must be above 0")
    profiles, mixtures = reference.to_numpy(dtype=np.float64), bulk.to_numpy(dtype=np.float64)
    gamma = weights.to_numpy().flatten() + 1.0 / len(weights)  # float32 stays float32, as in stock
    gamma = gamma / np.sum(gamma)
    return RegulationProblem(
        reference=profiles / profiles.sum(axis=0),
        bulk=mixtures / mixtures.sum(axis=0),
        weights=np.sqrt(gamma).astype(np.float64) ** 2,  # stock's loss is that of the root's square
        composition=fit.composition.to_numpy(dtype=np.float64),
        hidden=fit.hidden.to_numpy(dtype=np.float64),
        lambda2=float(lambda2),
    )


def refine(
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    weights: pd.Series,
    fit: Fitted,
    *,
    lambda2: float,
    regulated: bool,
    check: Check = lambda: None,
) -> Refined:
    """Return hidden profile and gene regulation at the optimum for the composition of ``fit``.

    The gene regulation only if ``regulated``.

    Parameters
    ----------
    reference
        genes x cell types.
    bulk
        genes x samples.
    weights
        By gene, as handed to ADTD; the same genes in the same order.
    check
        Called often (some hundredths of a second apart, a quarter of a second at 20 000 genes
        and 30 types); what it raises ends the work. If no answer can be certified, the fit's
        own values come back ("kept"). ValueError if lambda2 is not above 0.
    """
    check()
    problem = problem_of(reference, bulk, weights, fit, lambda2)
    x, delta = _admissible(problem, fit, regulated)
    before = problem.loss(delta, x)
    try:
        found = _best(problem, x, delta, regulated, check)
    except EngineFailed:
        return Refined(fit.profile, fit.regulation, before, before, None, "kept")
    return Refined(
        profile=pd.Series(found.profile, index=fit.profile.index, name=fit.profile.name),
        regulation=pd.DataFrame(
            found.regulation, index=fit.regulation.index, columns=fit.regulation.columns
        ),
        loss_before=before,
        loss_after=problem.loss(found.regulation, found.profile),
        certificate=found.certificate,
        way=found.way,
    )


def _admissible(
    problem: RegulationProblem, fit: Fitted, regulated: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The fit's x and Delta, at or above 0 and with sums of exactly 1."""
    x = np.clip(fit.profile.to_numpy(dtype=np.float64), 0.0, None)
    delta = (
        np.clip(fit.regulation.to_numpy(dtype=np.float64), 0.0, None)
        if regulated
        else np.ones_like(problem.reference)
    )
    sums = (problem.reference * delta).sum(axis=0)
    return x / x.sum(), delta / np.where(sums > 0, sums, 1.0) if regulated else delta


def _best(
    problem: RegulationProblem, x: np.ndarray, delta: np.ndarray, regulated: bool, check: Check
) -> Optimum:
    if regulated:
        return (
            joint(problem, check=check)
            if problem.has_hidden
            else regulation(problem, x, check=check)
        )
    found = profile_given(problem, delta) if problem.has_hidden else x
    certificate = certify(problem, delta, found, None)
    if not certificate.holds:
        raise EngineFailed("No optimum could be found whose certificate holds.")
    return Optimum(delta, found, certificate, "closed form")
