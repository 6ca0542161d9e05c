"""Digital Tissue Deconvolution in closed form, in NumPy and float64.

The loss of ``deconomix.methods.DTD``, its gradient and torch's Adam.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
"""As stock calls torch.optim.Adam."""

LOWEST, HIGHEST, SEED = 0.001, 0.1, 42
"""Between which stock draws the roots of the first gene weights, and the seed it sets."""


def stock_start(genes: int) -> np.ndarray:
    """Return the roots of the gene weights that stock begins with, float32.

    torch draws uniform float32 from the lower 24 bits of a Mersenne Twister (at::CPUGeneratorImpl),
    which NumPy has too.
    """
    words = np.random.RandomState(SEED).randint(0, 2**32, size=genes, dtype=np.uint32)
    bits = words & np.uint32(2**24 - 1)
    drawn = bits.astype(np.float32) * np.float32(2.0**-24)
    low, high = np.float32(LOWEST), np.float32(HIGHEST)
    return np.asarray(low + drawn * (high - low), dtype=np.float32)


def optimise(
    reference: np.ndarray,
    bulk: np.ndarray,
    truth: np.ndarray,
    start: np.ndarray,
    iterations: int,
    watch: Callable[[int, float], None],
    after: Callable[[int, np.ndarray], None] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the roots of the gene weights, the losses and the correlations.

    The roots are those after ``iterations`` steps (genes); the losses are by iteration, the
    correlations iterations x types.

    With w the roots, g = w^2, A = X'gX, B = X'gY: C = max(A^-1 B, 0), loss = - sum over types of
    the correlation r of C with the truth (doi 10.1089/cmb.2019.0469). With E = C - mean C and D = E
    r/|E|^2 - T/(|E||T|) (T the centred truth; 0 where C was cut), W = A^-T D: d loss/d w = 2 w
    sum_q X o (Y W' - X (A^-1 B W')).

    Parameters
    ----------
    reference
        genes x types.
    bulk
        genes x mixtures.
    truth
        Types x mixtures.
    start
        Genes. All float64.
    watch
        Called with (iteration, loss) after every evaluation of the loss, before its step.
    after
        Called with (iteration, roots) after every step; it must copy what it keeps.
    """
    # types x genes and types x mixtures, row by row throughout: the two products with the mixtures
    # are then the fastest that BLAS has for these shapes
    X = np.ascontiguousarray(reference.T)
    Y = np.ascontiguousarray(bulk)
    T = np.ascontiguousarray(truth)
    T = T - T.mean(axis=1, keepdims=True)
    squares = np.vecdot(T, T)
    w = np.array(start, dtype=np.float64)
    first, second = np.zeros_like(w), np.zeros_like(w)
    weighted, slope, gradient, root = (
        np.empty_like(X),
        np.empty_like(X),
        np.empty_like(w),
        np.empty_like(w),
    )
    losses, correlations = np.empty(iterations), np.empty((iterations, len(X)))
    B, C, raw, W, part = (np.empty_like(T) for _ in range(5))
    for i in range(iterations):
        np.multiply(X, w * w, out=weighted)
        np.matmul(weighted, Y, out=B)
        inverse = np.linalg.inv(weighted @ X.T)
        np.matmul(inverse, B, out=raw)
        np.maximum(raw, 0.0, out=C)
        C -= C.mean(axis=1, keepdims=True)
        spread = np.vecdot(C, C)
        size = np.sqrt(squares * spread)
        r = np.vecdot(T, C) / size
        losses[i], correlations[i] = -r.sum(), r
        watch(i + 1, losses[i])
        C *= (r / spread)[:, None]
        np.divide(T, size[:, None], out=part)
        C -= part
        C[raw < 0] = 0.0
        np.matmul(inverse.T, C, out=W)
        np.matmul(W, Y.T, out=slope)
        np.matmul(W @ raw.T, X, out=weighted)
        slope -= weighted
        np.einsum("qp,qp->p", slope, X, out=gradient)
        gradient *= w
        gradient *= 2.0
        first += (1.0 - BETA1) * (gradient - first)
        second *= BETA2
        gradient *= gradient
        second += (1.0 - BETA2) * gradient
        np.sqrt(second, out=root)
        root /= np.sqrt(1.0 - BETA2 ** (i + 1))
        root += EPSILON
        w -= (RATE / (1.0 - BETA1 ** (i + 1))) * first / root
        if after is not None:
            after(i + 1, w)
    return w, losses, correlations


def normalised(roots: np.ndarray) -> np.ndarray:
    """Gene weights with mean 1 from their square roots."""
    squared = roots**2
    return np.asarray(len(squared) * squared / squared.sum())


def composition(reference: np.ndarray, bulk: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(X'gX)^-1 X'gY with negative values cut to 0: types x samples.

    Parameters
    ----------
    reference
        genes x types.
    bulk
        genes x samples.
    weights
        Genes.
    """
    weighted = (reference * weights[:, None]).T
    found = np.linalg.inv(weighted @ reference) @ (weighted @ bulk)
    found[found < 0] = 0
    return np.asarray(found)
