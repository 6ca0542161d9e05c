"""The stock engine, imported once and kept quiet.

Heavy (torch): only the worker process and the command line import it.

deconomix prints, draws progress bars, changes the global random states and answers failures with
None or LinAlgError.
Everything of it runs inside :func:`stock_engine`, which undoes all of that.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

os.environ.setdefault("MPLBACKEND", "Agg")  # deconomix imports pyplot; no window toolkit wanted

import numpy as np

with warnings.catch_warnings():
    # SyntaxWarning of its docstrings, deprecations of its imports: not ours to act on
    warnings.simplefilter("ignore")
    import torch
    from deconomix import hps, methods, utils

from gui.engine.numeric_context import ambiguous, no_solution, numeric_context

__all__ = ["hps", "methods", "stock_engine", "torch", "utils"]

torch.set_num_threads(1)  # stock differs in the 5th digit between one and two threads

_one_at_a_time = threading.RLock()


class _SilentBar:
    """Stands in for tqdm: writes nothing, so a missing stderr (windowed builds) does not matter."""

    def __init__(self, iterable: Any = None, **_: Any) -> None:
        self._iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def __enter__(self) -> _SilentBar:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, _: float = 1) -> None: ...

    def set_description(self, *_: object) -> None: ...


@contextlib.contextmanager
def _own_random_state() -> Iterator[None]:
    """Run with fixed seeds; restore NumPy's and torch's global random states afterwards."""
    before = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            np.random.seed(0)
            torch.manual_seed(0)
            yield
        finally:
            np.random.set_state(before)


@contextlib.contextmanager
def stock_engine(check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Run stock code: silent, one BLAS thread, global random states untouched.

    Its failures are raised as EngineFailed.

    Parameters
    ----------
    check
        Called before every quadratic programme; raises JobCancelled to stop in the middle of an
        iteration.
    """
    solve = methods.solve_qp

    def solve_qp(*args: Any, **options: Any) -> Any:
        check()
        solution = solve(*args, **options)
        # stock would crash on None (Clarabel, SCS) or quietly turn it into NaN (quadprog)
        if solution is None or not np.isfinite(solution).all():
            raise no_solution(str(options.get("solver")))
        return solution

    with contextlib.ExitStack() as stack:
        stack.enter_context(_one_at_a_time)
        stack.enter_context(numeric_context())
        stack.enter_context(_own_random_state())
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        for module, name, stand_in in (
            (methods, "tqdm", _SilentBar),
            (hps, "tqdm", _SilentBar),
            (methods, "solve_qp", solve_qp),
        ):
            stack.enter_context(patch.object(module, name, stand_in))
        try:
            yield
        except torch.linalg.LinAlgError as error:
            raise ambiguous() from error
