"""Problems for the exact tier, another solver for them, and their frames."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from gui.engine.refinement import RegulationProblem
from gui.engine.separable_qp import Stuck


@dataclass(frozen=True, eq=False)
class Made:
    """What ``refine`` needs of a fit."""

    composition: pd.DataFrame
    hidden: pd.Series
    profile: pd.Series
    regulation: pd.DataFrame


def make(
    p: int,
    q: int,
    *,
    n: int = 30,
    seed: int = 0,
    lambda2: float = 1e-8,
    rare: float = 1.0,
    noise: float = 0.2,
) -> RegulationProblem:
    """Samples of regulated types and a hidden background, with noise; the last type's share is
    ``rare`` times an ordinary one.
    """
    random = np.random.default_rng(seed)
    X = random.gamma(0.5, 1, (p, q)) + 1e-3
    X /= X.sum(axis=0)
    shares = random.dirichlet(np.full(q + 1, 2.0), n).T
    shares[q - 1] *= rare
    shares /= shares.sum(axis=0)
    hidden = random.gamma(0.5, 1, p)
    factors = np.exp(random.normal(0, 0.5, (p, q)))
    Y = ((X * factors) @ shares[:q] + np.outer(hidden / hidden.sum(), shares[q])) * np.exp(
        random.normal(0, noise, (p, n))
    )
    weights = random.gamma(0.5, 1, p) + 1 / p
    return RegulationProblem(
        X, Y / Y.sum(axis=0), weights / weights.sum(), shares[:q], shares[q], lambda2
    )


def reference(
    setting: RegulationProblem, given: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Delta, x and the loss by Clarabel with tight tolerances, of the problem written down as least
    squares; x is held at ``given`` where that is there.
    """
    import clarabel

    X, C, c, w = setting.reference, setting.composition, setting.hidden, setting.weights
    p, q = X.shape
    n = C.shape[1]
    root = np.sqrt(w)
    blocks = [
        sparse.vstack([sparse.diags(root * X[:, k] * C[k, j]) for j in range(n)]) for k in range(q)
    ]
    fit = sparse.hstack(
        blocks
        + ([sparse.vstack([sparse.diags(root * c[j]) for j in range(n)])] if given is None else []),
        format="csc",
    )
    target = (
        root[:, None] * (setting.bulk - (0 if given is None else np.outer(given, c)))
    ).T.ravel()
    ridge = sparse.hstack(
        [
            np.sqrt(setting.lambda2) * sparse.identity(p * q),
            sparse.csc_matrix((p * q, fit.shape[1] - p * q)),
        ]
    )
    A = sparse.vstack([fit, ridge], format="csc")
    b = np.concatenate([target, np.full(p * q, np.sqrt(setting.lambda2))])
    size = np.sqrt(np.asarray(A.multiply(A).sum(axis=0)).ravel())
    scale = np.linalg.norm(b)
    A = A @ sparse.diags(1 / size)
    sums = sparse.block_diag(
        [X[:, [k]].T for k in range(q)] + ([np.ones((1, p))] if given is None else []), format="csc"
    ) @ sparse.diags(scale / size)
    many = A.shape[1]
    options = clarabel.DefaultSettings()
    options.verbose, options.max_iter = False, 300
    options.tol_gap_abs = options.tol_gap_rel = options.tol_feas = 1e-13
    cones = [clarabel.ZeroConeT(sums.shape[0]), clarabel.NonnegativeConeT(many)]
    rows = sparse.vstack([sums, -sparse.identity(many)], format="csc")
    right = np.concatenate([np.ones(sums.shape[0]), np.zeros(many)])
    found = clarabel.DefaultSolver(
        sparse.triu(A.T @ A, format="csc"), -(A.T @ (b / scale)), rows, right, cones, options
    ).solve()
    u = np.clip(np.array(found.x), 0, None) * scale / size
    delta = u[: p * q].reshape((p, q), order="F")
    x = given if given is not None else u[p * q :]
    return delta, x, setting.loss(delta, x)


def fitted(
    setting: RegulationProblem, x: np.ndarray, delta: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, Made]:
    """The setting as frames, and a fit with this x and Delta."""
    p, q = setting.reference.shape
    genes, types = [f"G{i}" for i in range(p)], [f"T{k}" for k in range(q)]
    samples = [f"s{j}" for j in range(setting.bulk.shape[1])]
    fit = Made(
        pd.DataFrame(setting.composition, types, samples),
        pd.Series(setting.hidden, samples),
        pd.Series(x, genes, name="hidden"),
        pd.DataFrame(delta, genes, types),
    )
    weights = pd.Series(setting.weights * p, genes)
    return (
        pd.DataFrame(setting.reference, genes, types),
        pd.DataFrame(setting.bulk, genes, samples),
        weights,
        fit,
    )


def degenerate(name: str) -> RegulationProblem:
    if name == "rare type":
        return make(200, 6, rare=1e-9)
    if name == "absent type":
        return make(200, 6, rare=0.0)
    if name == "fewer samples than types":
        return make(200, 8, n=3)
    if name == "one sample":
        return make(100, 4, n=1)
    setting = make(200, 6)
    X, Y, w = setting.reference.copy(), setting.bulk.copy(), setting.weights.copy()
    if name == "gene of nearly no weight":
        w[:5] = 1e-10
    elif name == "gene without expression":
        X[3], Y[7], X[9, 2], Y[11], X[11] = 0, 0, 0, 0, 0
    elif name == "gene expressed in one type only":
        X[:40, 1:] = 0
    elif name == "duplicate genes":
        X[100:], Y[100:], w[100:] = X[:100], Y[:100], w[:100]
    elif name == "nearly the same types":
        X[:, 1] = X[:, 0] * (1 + 1e-9)
    elif name == "no noise":
        return make(200, 6, noise=0.0, lambda2=1e-12)
    return replace(
        setting, reference=X / X.sum(axis=0), bulk=Y / Y.sum(axis=0), weights=w / w.sum()
    )


DEGENERATE = (
    "rare type",
    "absent type",
    "fewer samples than types",
    "one sample",
    "gene of nearly no weight",
    "gene without expression",
    "gene expressed in one type only",
    "duplicate genes",
    "nearly the same types",
    "no noise",
)


def fail(*_args, **_options):
    """A solver that gets nowhere."""
    raise Stuck
