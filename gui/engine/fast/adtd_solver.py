"""Steps of ``deconomix.methods.ADTD`` without a genes x genes matrix.

Adaptive Digital Tissue Deconvolution, doi 10.1093/bioinformatics/btae263. The same quadratic
programmes go to the same solvers; only their assembly differs.

Imports neither torch nor deconomix.
"""

from __future__ import annotations

from typing import Any

import clarabel
import numpy as np
import pandas as pd
import quadprog
import scipy.sparse as sp
import scs
from qpsolvers.exceptions import ProblemError
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from gui.engine.numeric_context import no_solution

FIRST_STEPS = 1000
"""Stock's limit of the loop that fits the hidden profile before anything else."""
CANCEL_CHECK_INTERVAL = 32
"""Samples between two looks at whether the user has cancelled."""
TIGHT = {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 200_000}
"""SCS where Clarabel gives up (stock means to do this, but its test never fires)."""


class Regulation:
    """Quadratic programme of Delta for one reference; constant parts are built once.

    Unknowns are ordered as stock orders them: all genes of the first type, then of the second. P
    holds q x q blocks of diagonals, of which the solver wants those on and above the diagonal;
    entries that are zero because a gene is silent in a type are left out, as stock's are.
    """

    def __init__(self, X: np.ndarray) -> None:
        p, q = X.shape
        self._shape = p, q
        # column (k, g) has the rows (j, g) for j <= k; blocks are genes x (k + 1)
        products = [X[:, : k + 1] * X[:, [k]] for k in range(q)]
        kept = [block != 0 for block in products]
        for k, block in enumerate(kept):
            block[:, k] = True  # lambda2 stands on the diagonal
        self._kept = [block.ravel() for block in kept]
        self._products = [
            block.ravel()[keep] for block, keep in zip(products, self._kept, strict=True)
        ]
        rows = [
            (np.arange(p)[:, None] + p * np.arange(k + 1)).ravel()[keep]
            for k, keep in enumerate(self._kept)
        ]
        lengths = np.concatenate([block.sum(axis=1) for block in kept])
        self._indices = np.concatenate(rows).astype(np.int32)
        self._indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        self._diagonal = self._indptr[1:] - 1  # the last entry of a column of the upper triangle
        flat = X.ravel(order="F")
        types, one = np.repeat(np.arange(q), p), np.arange(p * q)
        sums = sp.csc_matrix((flat, (types, one)), shape=(q, p * q))
        sums.eliminate_zeros()
        self._constraints = sp.vstack([sums, -sp.eye(p * q, format="csc")], format="csc")
        self._bounds = np.concatenate([np.ones(q), np.zeros(p * q)])

    def solve(
        self, gamma: np.ndarray, moments: np.ndarray, linear: np.ndarray, lambda2: float
    ) -> np.ndarray:
        """Delta, genes x types.

        Parameters
        ----------
        gamma
            Genes.
        moments
            C C', types x types.
        linear
            The data's part of the linear term, genes x types.

        Raises
        ------
        EngineFailed
            If neither Clarabel nor SCS finds a solution.
        """
        p, q = self._shape
        weighted = [
            (gamma[:, None] * moments[: k + 1, k]).ravel()[keep] * self._products[k]
            for k, keep in enumerate(self._kept)
        ]
        data = np.concatenate(weighted)
        data[self._diagonal] += lambda2
        data *= 2.0
        P = sp.csc_matrix((data, self._indices, self._indptr), shape=(p * q, p * q))
        target = -2.0 * (linear.ravel(order="F") + lambda2)
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        cones = [clarabel.ZeroConeT(q), clarabel.NonnegativeConeT(p * q)]
        found = clarabel.DefaultSolver(
            P, target, self._constraints, self._bounds, cones, settings
        ).solve()
        solved = found.status == clarabel.SolverStatus.Solved
        solution = (
            np.array(found.x)
            if solved
            else solve_qp_scs(P, target, self._constraints, self._bounds, q, **TIGHT)
        )
        if not np.isfinite(solution).all():
            raise no_solution("clarabel")
        return solution.reshape((p, q), order="F")


def solve_qp_scs(
    P: Any, linear: np.ndarray, constraints: Any, bounds: np.ndarray, equal: int, **options: Any
) -> np.ndarray:
    """Minimise 1/2 x'Px + linear'x by SCS; NaN where it finds no solution.

    Constraints: A x = b for the first ``equal`` rows, A x <= b for the others.

    Parameters
    ----------
    P
        Csc, on and above its diagonal.
    options
        Of SCS, its own where there are none.
    """
    found = scs.solve(
        {"P": P, "c": linear, "A": constraints, "b": bounds},
        {"z": equal, "l": len(bounds) - equal},
        verbose=False,
        **options,
    )
    return (
        np.asarray(found["x"]) if found["info"]["status_val"] == 1 else np.full(len(linear), np.nan)
    )


class ADTDSolver:
    """State, steps and ``run`` of stock's ADTD.

    Attributes
    ----------
    X, Y
        genes x types, genes x samples; columns summing to 1.
    gamma
        By gene, sums to 1.
    C, c
        types x samples, 1 x samples (hidden).
    x
        Hidden profile, genes x 1.
    Delta
        Gene regulation, genes x types.
    """

    C_est: pd.DataFrame
    c_est: pd.DataFrame
    x_est: pd.DataFrame
    Delta_est: pd.DataFrame

    def __init__(
        self,
        X_mat: pd.DataFrame,
        Y_mat: pd.DataFrame,
        gamma: pd.DataFrame,
        lambda1: float = 1.0,
        lambda2: float = 1.0,
        max_iterations: int = 200,
        eps: float = 1e-8,
        C_static: bool = False,
        Delta_static: bool = False,
        gamma_offset: bool = True,
        delta_stepsize: int = 1,
    ) -> None:
        """As stock's.

        Raises
        ------
        ValueError
            If the genes of the three are not the same in the same order.
        """
        if not (X_mat.index.equals(Y_mat.index) and X_mat.index.equals(gamma.index)):
            raise ValueError("Genes must be the same in X_mat, Y_mat and gamma.")
        self.celltypes, self.genes = X_mat.columns, X_mat.index
        self.X, self.Y = X_mat.to_numpy(), Y_mat.to_numpy()
        self.p, self.q = self.X.shape
        self.n = self.Y.shape[1]
        weights = gamma.to_numpy().flatten()
        self.gamma = weights + 1.0 / self.p if gamma_offset else weights
        self.gamma = self.gamma / np.sum(self.gamma)
        self.X = self.X / np.sum(self.X, 0)
        self.Y = self.Y / np.sum(self.Y, 0)
        # of float32 weights stock takes the root in float32, so its square is not gamma
        self.root = np.sqrt(self.gamma).astype(np.float64)[:, None]
        self._square = self.root**2
        self.lambda1, self.lambda2 = lambda1, lambda2
        self.max_iterations, self.eps = max_iterations, eps
        self.C_static, self.Delta_static, self.delta_stepsize = (
            C_static,
            Delta_static,
            delta_stepsize,
        )
        self.Delta = np.ones((self.p, self.q))
        self.C0_init: Any = None
        self.x: Any = None
        self.C = np.zeros((self.q, self.n))
        self.c = np.zeros((1, self.n))  # stock draws it, and overwrites it before it is read
        self._XY = (self._square * self.X).T @ self.Y
        self._regulation: Regulation | None = None
        self._hidden: tuple[Any, Any, Any] | None = None

    def check(self) -> None:
        """Called often; raises JobCancelled to stop."""

    def setup(self) -> None:
        """Start: composition by non-negative least squares, hidden profile from its residual."""
        # what lies outside of the profiles' span changes no solution
        turned, triangle = np.linalg.qr(self.root * self.X)
        targets = (self.root * turned).T @ self.Y
        self.C0_init = np.empty((self.q, self.n))
        for i in range(self.n):
            if i % CANCEL_CHECK_INTERVAL == 0:
                self.check()
            self.C0_init[:, i] = nnls(triangle, targets[:, i])[0]
        base = np.maximum(np.mean(self.Y - self.X @ self.C0_init, 1).reshape((self.p, 1)), 0)
        self.x = base / np.sum(base, 0)

    def _solve_fractions(self, P: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minimise 1/2 s'Ps + Q's over s >= 0 with sum 1, for every column of Q.

        Returns types x samples and 1 x samples (hidden).

        Raises
        ------
        ProblemError
            Of qpsolvers, as stock does, if P is not positive definite.
        """
        size = self.q + 1
        try:
            lower = np.linalg.cholesky(P)
        except np.linalg.LinAlgError as error:
            raise ProblemError("matrix P is not positive definite") from error
        inverse = np.ascontiguousarray(solve_triangular(lower, np.identity(size), lower=True).T)
        constraints = np.ascontiguousarray(np.c_[-np.ones(size), np.identity(size)])
        bounds = np.r_[-1.0, np.zeros(size)]
        found = np.empty((size, self.n))
        for i in range(self.n):
            if i % CANCEL_CHECK_INTERVAL == 0:
                self.check()
            try:
                found[:, i] = quadprog.solve_qp(inverse, -Q[:, i], constraints, bounds, 1, True)[0]
            except ValueError as error:  # "constraints are inconsistent, no solution"
                raise no_solution("quadprog") from error
        if not np.isfinite(found).all():
            raise no_solution("quadprog")
        found[found < 0] = 0
        return found[: self.q], found[self.q :]

    def update_C0(self) -> None:
        """Compute the first compositions, with the reference as it is."""
        B = np.c_[self.X, self.x]
        weighted = self._square * B
        P = 2.0 * (B.T @ weighted)
        Q = -2.0 * np.r_[self._XY, weighted[:, self.q :].T @ self.Y]
        self.C0_init, self.c = self._solve_fractions(P, Q)

    def update_C(self) -> None:
        """Update the compositions with the regulated reference and the penalty lambda1.

        Where C is static they are the first ones.
        """
        if self.C_static:
            self.C = self.C0_init
            self.c = np.ones((1, self.n)) - np.sum(self.C, 0)
            self.c[self.c < 0] = 0
            return
        B = np.c_[self.Delta * self.X, self.x]
        weighted = self._square * B
        P, Q = B.T @ weighted, weighted.T @ self.Y
        held = np.arange(self.q)
        P[held, held] += self.lambda1
        Q[: self.q] += self.lambda1 * self.C0_init
        self.C, self.c = self._solve_fractions(2.0 * P, -2.0 * Q)

    def update_x(self) -> Any:
        """Update the hidden profile, by the solver and from the start that stock uses."""
        if np.all(self.c == 0):
            return np.ones((self.p, 1)) / self.p
        self.check()
        rest = self.Y - (self.Delta * self.X) @ self.C
        diagonal = 2.0 * self.gamma * np.sum(self.c**2)
        linear = (-2.0 * ((self.c @ rest.T) * self.gamma)).flatten()
        if self._hidden is None:
            A = sp.vstack(
                [sp.csc_matrix(np.ones((1, self.p))), -sp.identity(self.p, format="csc")],
                format="csc",
            )
            # only the values of P change from step to step, so it is assembled once
            P = sp.identity(self.p, format="csc")
            self._hidden = P, A, np.r_[1.0, np.zeros(self.p)]
        P, A, bounds = self._hidden
        P.data = diagonal.astype(np.float64)
        found = solve_qp_scs(P, linear, A, bounds, 1)
        if not np.isfinite(found).all():
            raise no_solution("scs")
        self.x = found.reshape((self.p, 1))
        self.x[self.x < 0] = 0
        return None

    def update_Delta(self) -> None:
        """Update the gene regulation."""
        if self.Delta_static:
            return
        self.check()
        if self._regulation is None:
            self._regulation = Regulation(self.X)
        data = (self._square * self.X) * ((self.Y - self.x @ self.c) @ self.C.T)
        self.Delta = self._regulation.solve(
            self.gamma.astype(np.float64), self.C @ self.C.T, data, self.lambda2
        )

    def _misfit(self, Delta: np.ndarray | float) -> float:
        rest = np.c_[Delta * self.X, self.x] @ np.r_[self.C, self.c]
        rest -= self.Y
        rest *= self.root
        return float(np.vdot(rest, rest))

    def Loss_ADTD(self) -> tuple[float, float, float]:
        """Return (whole loss, misfit, penalties)."""
        misfit = self._misfit(self.Delta)
        held = self.lambda1 * np.sum((self.C - self.C0_init) ** 2)
        regulated = self.lambda2 * np.sum((1.0 - self.Delta) ** 2)
        return misfit + held + regulated, misfit, held + regulated

    def Loss_static(self) -> float:
        """Return the misfit without gene regulation."""
        return self._misfit(1.0)

    def run(self, verbose: bool = False) -> None:
        """Fit as stock's ``run``: the same steps in the same order, and the same looks at the loss.

        Parameters
        ----------
        verbose
            Not used; stock draws a progress bar.
        """
        self.setup()
        self.update_C0()
        if self.C_static:
            self._fit_static()
        else:
            self._fit_free()
        self.C_est = pd.DataFrame(self.C, index=self.celltypes)
        self.c_est = pd.DataFrame(self.c, index=["hidden"])
        self.x_est = pd.DataFrame(self.x, index=self.genes)
        self.Delta_est = pd.DataFrame(self.Delta, index=self.genes, columns=self.celltypes)

    def _fit_static(self) -> None:
        """With the first compositions: the hidden profile until it converges, then Delta and x."""
        before = np.inf
        for i in range(self.max_iterations):
            now = self.Loss_ADTD()[0]
            if before - now <= self.eps:
                return
            if i > 0 or self._fit_background():
                before = now
                self._update_all()

    def _fit_background(self) -> bool:
        """Fit composition and hidden profile in turn; whether they converged."""
        before, now = np.inf, 0.0
        for _ in range(FIRST_STEPS):
            if before - now <= self.eps:
                return True
            before = self.Loss_static()
            self.update_C0()
            self.C = self.C0_init
            self.update_x()
            now = self.Loss_static()
        return False

    def _fit_free(self) -> None:
        """Update everything in turn; of a last step that makes it worse, nothing is kept."""
        for i in range(self.max_iterations):
            held = self.C.copy(), self.c.copy(), self.x.copy(), self.Delta.copy()
            before = self.Loss_ADTD()[0]
            self._update_all()
            now = self.Loss_ADTD()[0]
            self.Loss_ADTD()  # for stock's progress bar; whoever watches counts three looks
            if i > 1 and before - now < self.eps:
                if before < now:
                    self.C, self.c, self.x, self.Delta = held
                return

    def _update_all(self) -> None:
        self.update_C()
        self.update_x()
        self.update_Delta()
