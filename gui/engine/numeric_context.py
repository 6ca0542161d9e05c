"""Context of numerical work: no warnings, one BLAS thread, errors as EngineFailed.

Imports neither torch nor deconomix.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from qpsolvers.exceptions import QPError
from threadpoolctl import threadpool_limits

from gui.errors import EngineFailed

__all__ = [
    "QPError",
    "ambiguous",
    "as_contiguous",
    "no_background",
    "no_solution",
    "no_weights",
    "numeric_context",
]

_SOLVED = {"quadprog": "composition", "clarabel": "gene regulation", "scs": "hidden profile"}


def no_solution(solver: str) -> EngineFailed:
    """Return the error for a quadratic programme that its solver could not solve.

    The solvers: "quadprog" (composition), "clarabel" (gene regulation), "scs" (hidden profile).
    """
    return EngineFailed(
        f"The solver found no solution for the {_SOLVED.get(solver, 'result')}.",
        advice=(
            "A larger λ₂, fewer genes, or leaving out the samples that look least like the"
            " reference may help."
        ),
    )


def no_background() -> EngineFailed:
    """The hidden profile is a mixture of the cell types."""
    return EngineFailed(
        "The samples hold no hidden background that can be distinguished from the cell types.",
        advice="Use more genes, or the composition of the DTD run, which has no hidden background.",
    )


def no_weights(iteration: int) -> EngineFailed:
    """The loss of DTD is no finite number: from here on everything would be NaN."""
    return EngineFailed(
        f"Learning the gene weights failed in iteration {iteration}: a cell type is estimated as"
        " zero in every mixture.",
        advice=(
            "Use more mixtures or more genes, or leave out or merge cell types that are hard to"
            " tell apart."
        ),
    )


def ambiguous() -> EngineFailed:
    """Two cell types are alike."""
    return EngineFailed(
        "The cell types cannot be distinguished over the genes in use, so there is no single"
        " solution.",
        advice="Use more genes, or merge cell types that are alike.",
    )


@contextlib.contextmanager
def numeric_context() -> Iterator[None]:
    """Run numerical work silently with one BLAS thread; raise EngineFailed for its errors."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(threadpool_limits(1))
        try:
            yield
        except MemoryError as error:
            raise EngineFailed(
                "There is not enough memory for this analysis.",
                advice="Use fewer genes or fewer mixtures.",
            ) from error
        except (np.linalg.LinAlgError, QPError) as error:
            raise ambiguous() from error
        except (ArithmeticError, RuntimeError, ValueError) as error:
            raise EngineFailed(
                "The engine could not compute with these values.",
                advice="Check the values and the scale of the data.",
            ) from error


def as_contiguous(frame: pd.DataFrame, order: Literal["C", "F"]) -> pd.DataFrame:
    """The same frame, float64, in this memory order ("C": rows contiguous).

    The order decides in which order BLAS adds, and with it the last digit; DTD in float32 turns
    that into the third (gene weights differ by 9e-3 after 100 iterations). So it is always said.
    """
    return pd.DataFrame(
        np.asarray(frame.to_numpy(dtype=np.float64), order=order),
        index=frame.index,
        columns=frame.columns,
        copy=False,
    )
