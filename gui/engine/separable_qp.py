"""Small non-negative quadratic programmes, one per gene, coupled by a few sums.

minimise sum_g w_g (s_g' M s_g - 2 s_g' t_g) + sum_k r_k (u_gk - 1)^2 with s_gk = a_gk u_gk so that
u >= 0 and sum_g a_gk u_gk = 1 for every column k

p genes, m columns. Given the multipliers nu of the m sums, the genes fall apart into programmes of
m unknowns, which are solved many at a time; the dual function of nu is concave, once differentiable
and quadratic in pieces, so that Newton ends after a few steps.
NumPy and SciPy only, apart from Clarabel. Nothing here says whether an answer is right: see the
certificate in :mod:`gui.engine.refinement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

Check = Callable[[], None]
"""Called between two pieces of work; raises JobCancelled to stop."""

CHUNK = 2_000_000
"""Numbers in one matrix of a piece of genes (genes x m x m): 16 MB, and a few hundredths of a
second between two checks.
"""
NEWTON_STEPS, HALVINGS, PATIENCE = 60, 30, 3


class Stuck(ArithmeticError):
    """The solver did not get to an end; says nothing about whether there is a solution."""


@dataclass(frozen=True, eq=False)
class SeparableQP:
    """The programme above, by its arrays.

    weights w : (p,), above 0; factors a, targets t : (p, m); moments M : (m, m), positive
    semidefinite; ridge r : (m,).

    For every gene and column, ridge or weight times moment must be above 0, or the column would
    have no curvature.
    """

    weights: np.ndarray
    factors: np.ndarray
    moments: np.ndarray
    targets: np.ndarray
    ridge: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        genes, columns = self.factors.shape
        return genes, columns

    def pieces(self) -> Iterator[slice]:
        """The genes in pieces of bounded memory."""
        genes, columns = self.shape
        size = max(1, CHUNK // columns**2)
        return (slice(start, min(start + size, genes)) for start in range(0, genes, size))

    def part(self, genes: slice) -> Part:
        """Return the programmes of some genes, scaled to a unit diagonal (z = d u)."""
        w, a = self.weights[genes, None], self.factors[genes]
        d = np.sqrt(2 * (w * a**2 * np.diag(self.moments) + self.ridge))
        scaled = np.sqrt(2 * w) * a / d
        curvature = scaled[:, :, None] * scaled[:, None, :] * self.moments
        each = np.arange(len(self.moments))
        curvature[:, each, each] = 1.0
        return Part(curvature, 2 * (w * a * self.targets[genes] + self.ridge) / d, a / d, d)


@dataclass(frozen=True, eq=False)
class Part:
    """Minimise z'Kz/2 - b'z over z >= 0, for some genes.

    curvature K : (n, m, m); linear b, coupling a/d, scale d : (n, m).
    """

    curvature: np.ndarray
    linear: np.ndarray
    coupling: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class Answer:
    """Solution of the programme.

    Attributes
    ----------
    u
        (p, m); multipliers nu : (m,), of the sums: at the optimum the loss's derivative by u is
        nu a, or more where u is 0.
    """

    u: np.ndarray
    multipliers: np.ndarray


# -- many small programmes at once
# ----------------------------------------------------------------------------------------------
def inverses(curvature: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The inverse of K over the free unknowns of each gene, zero elsewhere.

    (n, m, m); (n, m) of bool.
    """
    both = free[:, :, None] & free[:, None, :]
    masked = np.where(both, curvature, 0.0)
    each = np.arange(curvature.shape[1])
    masked[:, each, each] = 1.0
    found = np.linalg.inv(masked)
    return np.where(both, found, 0.0)


def times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """One matrix times one vector for each gene."""
    return np.asarray(np.matmul(matrices, vectors[:, :, None])[:, :, 0])


def nonnegative(
    curvature: np.ndarray, linear: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The minimisers z (n, m), the inverses over what is free (n, m, m), and what is free (n, m).

    Block principal pivoting (Kim and Park 2011): all unknowns of the wrong sign change sides at
    once, and when that has not led on for a while only the last of them does (Murty), which always
    ends.

    Parameters
    ----------
    free
        Where to begin.

    Raises
    ------
    Stuck
        If it would take too long, LinAlgError.
    """
    count, columns = linear.shape
    free, z, found = free.copy(), np.zeros_like(linear), np.zeros_like(curvature)
    left, fewest, patience = np.arange(count), np.full(count, columns + 1), np.full(count, PATIENCE)
    for _ in range(50 + 20 * columns):
        k, b, inside = curvature[left], linear[left], free[left]
        inverse = inverses(k, inside)
        solution = times(inverse, b)
        # refined once: the smallest unknowns count as well
        solution += times(inverse, b - times(k, solution))
        slope = times(k, solution) - b
        noise = 4e-15 * columns * (np.abs(b) + times(np.abs(k), np.abs(solution)))
        # rounding may not call an unknown in that has just been sent out, or the two would go on
        # for ever
        wrong = np.where(inside, solution < 0, slope < -noise)
        many = wrong.sum(axis=1)
        done = many == 0
        z[left[done]], found[left[done]] = solution[done], inverse[done]
        if done.all():
            return z, found, free
        better = many < fewest[left]
        patience[left] = np.where(better, PATIENCE, patience[left] - 1)
        fewest[left] = np.minimum(many, fewest[left])
        last = np.arange(columns) == (columns - 1 - np.argmax(wrong[:, ::-1], axis=1))[:, None]
        free[left] ^= np.where((patience[left] >= 0)[:, None], wrong, wrong & last)
        left = left[~done]
    raise Stuck


# -- Newton on the multipliers
# --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class _State:
    """State at some multipliers.

    u and what is free (p, m), lacking = 1 - the sums (m,), the value of the dual function, the size
    of its terms, and minus its second derivatives (m, m).
    """

    multipliers: np.ndarray
    u: np.ndarray
    free: np.ndarray
    lacking: np.ndarray
    value: float
    size: float
    curvature: np.ndarray

    @property
    def error(self) -> float:
        """How far the worst sum is from 1."""
        return float(np.abs(self.lacking).max())


def at(problem: SeparableQP, multipliers: np.ndarray, free: np.ndarray, check: Check) -> _State:
    """Solve every gene's programme at these multipliers, beginning with what is ``free``.

    Stuck, LinAlgError.
    """
    _, columns = problem.shape
    u, now_free, curvature, terms = (
        np.empty(problem.shape),
        np.empty_like(free),
        np.zeros((columns, columns)),
        0.0,
    )
    for genes in problem.pieces():
        check()
        part = problem.part(genes)
        linear = part.linear + multipliers * part.coupling
        z, inverse, now_free[genes] = nonnegative(part.curvature, linear, free[genes])
        u[genes] = z / part.scale
        curvature += (inverse * part.coupling[:, :, None] * part.coupling[:, None, :]).sum(axis=0)
        terms += 0.5 * float((z * linear).sum())
    total = float(multipliers.sum())
    return _State(
        multipliers,
        u,
        now_free,
        1 - (problem.factors * u).sum(axis=0),
        total - terms,
        float(np.abs(multipliers).sum()) + abs(terms),
        curvature,
    )


def _step(curvature: np.ndarray, lacking: np.ndarray, loose: np.ndarray) -> np.ndarray:
    """Newton's step for the multipliers.

    Parameters
    ----------
    loose
        What the diagonal would be if every unknown were free and alone.
    """
    from scipy.linalg import cho_factor, cho_solve

    diagonal = np.diag(curvature)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, loose))
    scaled = curvature / scale[:, None] / scale
    each = np.arange(len(scale))
    scaled[each, each] = 1.0
    for shift in (0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6):
        try:
            return np.asarray(
                cho_solve(cho_factor(scaled + shift * np.eye(len(scale))), lacking / scale) / scale
            )
        except np.linalg.LinAlgError:
            continue
    raise Stuck


def by_newton(problem: SeparableQP, check: Check = lambda: None) -> Answer:
    """The answer by Newton's method with a line search on the dual function.

    Raises
    ------
    Stuck
    LinAlgError
    """
    _, columns = problem.shape
    loose = np.zeros(columns)
    for genes in problem.pieces():
        loose += (problem.part(genes).coupling ** 2).sum(axis=0)
    state = best = at(problem, np.zeros(columns), np.ones(problem.shape, dtype=bool), check)
    stale = 0
    for _ in range(NEWTON_STEPS):
        # or rounding is all that is left
        if best.error <= 1e-13 or (best.error <= 1e-6 and stale >= PATIENCE):
            return settled(problem, best, loose, check)
        step = _step(state.curvature, state.lacking, loose)
        slope, noise = float(state.lacking @ step), 1e-14 * state.size
        for halving in range(HALVINGS):
            fraction = 0.5**halving
            trial = at(problem, state.multipliers + fraction * step, state.free, check)
            if trial.value >= state.value + 1e-4 * fraction * slope - noise:
                break
        else:
            raise Stuck
        state = trial
        best, stale = (trial, 0) if trial.error < 0.5 * best.error else (best, stale + 1)
    raise Stuck


def settled(problem: SeparableQP, state: _State, loose: np.ndarray, check: Check) -> Answer:
    """Take Newton's last steps with the free set fixed.

    u itself is moved, so that the sums are exact to the last digit even where the programme of a
    gene is nearly singular (fewer samples than cell types, tiny ridge).
    """
    u, multipliers, lacking = state.u, state.multipliers, state.lacking
    for _ in range(2):
        step = _step(state.curvature, lacking, loose)
        for genes in problem.pieces():
            check()
            part = problem.part(genes)
            u[genes] += (
                times(inverses(part.curvature, state.free[genes]), step * part.coupling)
                / part.scale
            )
        multipliers = multipliers + step
        lacking = 1 - (problem.factors * u).sum(axis=0)
    return Answer(np.maximum(u, 0.0), multipliers)


# -- Clarabel
# --------------------------------------------------------------------------------------------------
def by_clarabel(problem: SeparableQP, check: Check = lambda: None) -> list[Answer]:
    """Return Clarabel's answer, and where possible that answer polished gene by gene.

    An interior point method leaves small unknowns less exact. Checks once per iteration.

    Checks once in each of its iterations.

    Raises
    ------
    Stuck
    """
    import clarabel
    from scipy import sparse

    check()
    genes, columns = problem.shape
    part = problem.part(slice(0, genes))
    unit = float(np.sqrt(np.mean(part.linear**2))) or 1.0
    rows, cols = np.triu_indices(columns)
    order = np.lexsort((rows, cols))
    rows, cols = rows[order], cols[order]
    data = part.curvature[:, rows, cols].ravel()
    first = (np.arange(genes) * columns)[:, None]
    starts = np.concatenate([[0], np.cumsum(np.tile(np.arange(1, columns + 1), genes))])
    size = genes * columns
    quadratic = sparse.csc_matrix((data, (first + rows).ravel(), starts), shape=(size, size))
    sums = sparse.csc_matrix(
        ((part.coupling * unit).ravel(), (np.tile(np.arange(columns), genes), np.arange(size))),
        shape=(columns, size),
    )
    constraints = sparse.vstack([sums, -sparse.identity(size)], format="csc")
    right = np.concatenate([np.ones(columns), np.zeros(size)])
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_iter = False, 500
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-13
    cones = [clarabel.ZeroConeT(columns), clarabel.NonnegativeConeT(size)]
    stopped: list[BaseException] = []

    def stop(_info: object) -> bool:
        try:
            check()
        except BaseException as error:  # noqa: BLE001  an exception must not run through foreign code: raised again below
            stopped.append(error)
        return bool(stopped)

    try:
        solver = clarabel.DefaultSolver(
            quadratic, -(part.linear / unit).ravel(), constraints, right, cones, settings
        )
        solver.set_termination_callback(stop)
        found = solver.solve()
    except BaseException as error:  # a panic of the solver is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise Stuck from error
    if stopped:
        raise stopped[0]
    z, dual = np.array(found.x), np.array(found.z)
    if len(z) != size or not (np.isfinite(z).all() and np.isfinite(dual).all()):
        raise Stuck
    u = np.maximum(z.reshape(genes, columns) * unit, 0.0) / part.scale
    multipliers = -dual[:columns] * unit**2
    check()
    answers = [Answer(u, multipliers)]
    try:
        state = at(problem, multipliers, z.reshape(genes, columns) > 1e-9, check)
        answers.append(settled(problem, state, (part.coupling**2).sum(axis=0), check))
    except (Stuck, np.linalg.LinAlgError):
        pass
    return answers
