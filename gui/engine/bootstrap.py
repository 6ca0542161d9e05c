"""Bootstrap over genes: 95 % confidence intervals of a composition.

What an interval says, and what not. Drawing genes shows how much the estimate depends on which
genes happened to be measured how well. It does not show the bias of the method: cells that differ
from those of the reference shift all draws alike. So the intervals are checked on simulated
mixtures of the test cells, whose composition is known, and widened until they hold the truth in 95
% of one half of them; how often they hold it in the other half is reported. Where there are no test
cells the intervals are those of the genes alone. Imports neither torch nor deconomix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.engine.draw_intervals import RESAMPLING, Drawn, Known, intervals_of
from gui.engine.fast import pseudobulk
from gui.engine.fast.lambda_path import LambdaPath
from gui.engine.fast.weights import normalised, optimise
from gui.engine.memory import adtd_bytes, simulation_bytes
from gui.engine.numeric_context import no_weights
from gui.engine.parallel import parallel_map
from gui.engine.results import BootstrapResult
from gui.errors import TooFewGenes

if TYPE_CHECKING:
    from gui.jobs.status import Progress

NO_SIGN = 1e-9
"""Regulation as near to 1 as this has no direction."""
TRIES = 5
"""Draws of genes that may leave fewer different ones than cell types."""


@dataclass(frozen=True, eq=False)
class Learning:
    """What the gene weights are relearned from.

    Attributes
    ----------
    values
        genes x cells.
    labels
        Number of the type of every cell, those the reference lacks last.
    """

    values: np.ndarray
    labels: np.ndarray
    mixtures: int
    cells: int
    iterations: int


@dataclass(frozen=True, eq=False)
class Task:
    """What every draw needs.

    Attributes
    ----------
    reference
        genes x types.
    bulk
        genes x samples.
    known
        genes x mixtures of known composition, or None.
    weights
        By gene.
    together
        How many of the known mixtures are fitted together.
    hidden
        With a hidden background (ADTD).
    signs
        genes x types, the direction of the gene regulation found (-1, 0, 1), or None.
    learning
        None, or the gene weights are relearned in every draw.
    """

    reference: np.ndarray
    bulk: np.ndarray
    known: np.ndarray | None
    weights: np.ndarray
    hidden: bool
    together: int = 1
    lambda2: float = 1.0
    max_iterations: int = 1000
    signs: np.ndarray | None = None
    learning: Learning | None = None


@dataclass(frozen=True, eq=False)
class Draw:
    """Of one draw.

    Attributes
    ----------
    bulk
        Types (and hidden, last) x samples, not cut at zero.
    known
        The same of the known mixtures.
    same
        Packed bits, genes x types.
    """

    bulk: np.ndarray
    known: np.ndarray | None
    same: np.ndarray | None


class ResampledLambdaPath(LambdaPath):
    """ADTD on drawn genes, then gene regulation on drawn samples."""

    def redraw(self, samples: np.ndarray) -> None:
        """Continue with these columns of the bulk: regulation varies over samples, not genes."""
        self.Y, self.C, self.c = self.Y[:, samples], self.C[:, samples], self.c[:, samples]
        self.n = len(samples)
        self._first_loss = np.inf  # that of the other samples


def draw(task: Task, item: tuple[int, int] | None, *, step: Callable[..., None]) -> Draw:
    """Return one replicate; ``item`` is (seed, number), or None for the estimate itself.

    The same item always gives the same. Calls step(True) at the end.

    Parameters
    ----------
    item
        (seed, number), or None for the estimate itself: all genes once.
    """
    random = None if item is None else np.random.default_rng(item)
    weights = task.weights
    if random is not None and task.learning is not None:
        weights = _learned(task.learning, task.reference, random, step)
    one = _adtd if task.hidden else _dtd
    found = one(task, weights, random, step)
    step(True)
    return found


def _learned(
    learning: Learning,
    reference: np.ndarray,
    random: np.random.Generator,
    step: Callable[..., None],
) -> np.ndarray:
    """Gene weights from other training pseudobulks, begun elsewhere."""
    drawn = pseudobulk.draw(
        learning.values.shape[1], learning.mixtures, learning.cells, int(random.integers(2**31))
    )
    types = reference.shape[1]
    truth = pseudobulk.count(learning.labels, max(types, int(learning.labels.max()) + 1), drawn)[
        :types
    ]
    start = random.uniform(0.001, 0.1, len(reference))

    def watch(iteration: int, loss: float) -> None:
        if not np.isfinite(loss):
            raise no_weights(iteration)
        step()

    return normalised(
        optimise(
            reference,
            pseudobulk.mix(learning.values, drawn),
            truth,
            start,
            learning.iterations,
            watch,
        )[0]
    )


def _dtd(
    task: Task, weights: np.ndarray, random: np.random.Generator | None, step: Callable[..., None]
) -> Draw:
    """Deconomix: every gene counts as often as it is drawn."""
    genes = len(weights)
    for _ in range(TRIES):
        step()
        times = (
            np.ones(genes)
            if random is None
            else np.bincount(random.integers(genes, size=genes), minlength=genes)
        )
        weighted = (task.reference * (weights * times)[:, None]).T
        square = weighted @ task.reference
        if np.linalg.matrix_rank(square, hermitian=True) < len(square):
            continue
        known = None if task.known is None else np.linalg.solve(square, weighted @ task.known)
        return Draw(np.linalg.solve(square, weighted @ task.bulk), known, None)
    raise TooFewGenes(
        f"With {genes} genes the intervals cannot be computed: resampling often leaves fewer genes"
        " than there are cell types."
    )


def _adtd(
    task: Task, weights: np.ndarray, random: np.random.Generator | None, step: Callable[..., None]
) -> Draw:
    """Deconomix+h and +h,r.

    Genes get random weights (exponential, mean 1) instead of multiplicities: the same spread, but
    none is left out, for the fraction of a gene in the hidden profile is known from that gene only.
    """
    genes = len(weights)
    times = np.ones(genes) if random is None else random.exponential(size=genes)
    offset = 1.0 / genes
    gamma = pd.DataFrame((weights + offset) * times - offset)  # Steps adds the offset again

    def fitted(bulk: np.ndarray) -> ResampledLambdaPath:
        found = ResampledLambdaPath(
            pd.DataFrame(task.reference),
            pd.DataFrame(bulk),
            gamma,
            max_iterations=task.max_iterations,
            check=step,
        )
        found.begin()
        return found

    fit = fitted(task.bulk)
    fractions = np.vstack([fit.C, fit.c])
    same = None
    if task.signs is not None and random is not None:
        fit.redraw(random.integers(fit.n, size=fit.n))
        same = np.packbits(_signs(fit.solve_for_lambda(task.lambda2)) == task.signs)
    known = None
    if task.known is not None:
        fits = [
            fitted(task.known[:, at : at + task.together])
            for at in range(0, task.known.shape[1], task.together)
        ]
        known = np.hstack([np.vstack([other.C, other.c]) for other in fits])
    return Draw(fractions, known, same)


def _signs(regulation: np.ndarray) -> np.ndarray:
    return np.where(np.abs(regulation - 1.0) <= NO_SIGN, 0, np.sign(regulation - 1.0)).astype(
        np.int8
    )


def _each(
    shared: Task, items: Sequence[tuple[int, int] | None], on_step: Callable[[int, Any], None]
) -> list[Draw]:
    """Every draw, in the order of the items.

    One of DTD takes milliseconds: no process is worth starting for it.
    """
    if shared.hidden or shared.learning is not None:
        samples = shared.bulk.shape[1] + (0 if shared.known is None else shared.known.shape[1])
        each = adtd_bytes(
            len(shared.weights),
            samples,
            shared.reference.shape[1],
            "fast",
            regulated=shared.signs is not None,
        )
        each += (
            0.0
            if shared.learning is None
            else simulation_bytes(
                len(shared.weights), shared.learning.mixtures, shared.learning.cells, "fast"
            )
        )
        return parallel_map(draw, items, shared=shared, on_step=on_step, memory=each)
    return [
        draw(shared, item, step=lambda value=None, at=at: on_step(at, value))
        for at, item in enumerate(items)
    ]


def bootstrap(
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    weights: pd.Series,
    *,
    replicates: int,
    seed: int,
    progress: Progress,
    hidden: bool = False,
    regulation: pd.DataFrame | None = None,
    lambda2: float = 1.0,
    max_iterations: int = 1000,
    known: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    together: int = 1,
    learning: Learning | None = None,
    notes: tuple[str, ...] = (),
) -> BootstrapResult:
    """Return 95 % intervals of every fraction, and the stability of the gene regulation.

    Parameters
    ----------
    reference
        genes x types.
    bulk
        genes x samples.
    weights
        By gene; the same genes in the same order.
    regulation
        genes x types, as the run found it.
    known
        Mixtures (genes x mixtures) and their composition (types x mixtures), for the check.
    together
        So many of them are one fit (with ``hidden``).

    Raises
    ------
    TooFewGenes
    EngineFailed
    JobCancelled
    """
    signs = None if regulation is None else _signs(regulation.to_numpy(dtype=np.float64))
    task = Task(
        reference.to_numpy(dtype=np.float64),
        bulk.to_numpy(dtype=np.float64),
        None if known is None else known[0].to_numpy(dtype=np.float64),
        weights.to_numpy(dtype=np.float64),
        hidden,
        min(together, 1 if known is None else known[0].shape[1] // 2),
        lambda2,
        max_iterations,
        signs,
        learning,
    )
    done = 0

    def on_step(_index: int, ended: Any) -> None:
        nonlocal done
        done += bool(ended)
        progress(RESAMPLING, done / (replicates + 1), count=done, limit=replicates + 1)

    items = [None, *((seed, number) for number in range(replicates))]
    itself, *draws = _each(task, items, on_step)
    stable = None
    if regulation is not None:
        counts = np.zeros(regulation.size, dtype=np.int32)
        for one in draws:
            assert one.same is not None
            counts += np.unpackbits(one.same, count=regulation.size)
        stable = pd.DataFrame(
            counts.reshape(regulation.shape) / replicates,
            index=regulation.index,
            columns=regulation.columns,
        )
    checked = None
    if known is not None:
        assert itself.known is not None
        drawn_known = np.stack([d.known for d in draws if d.known is not None])
        checked = Known(Drawn(itself.known, drawn_known), known[1], task.together)
    return intervals_of(
        Drawn(itself.bulk, np.stack([d.bulk for d in draws])),
        reference.columns,
        bulk.columns,
        hidden=hidden,
        known=checked,
        replicates=replicates,
        stable=stable,
        notes=notes,
    )
