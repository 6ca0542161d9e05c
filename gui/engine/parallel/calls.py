"""Parts of all ways to run tasks: caller, results, and errors between processes."""

from __future__ import annotations

import contextlib
import importlib
import pickle
from collections.abc import Callable
from typing import Any

from gui.errors import DeconomixError, EngineFailed, JobCancelled
from gui.jobs.failure import Failure, to_error, to_failure

POLL = 0.1
"""Seconds between two looks at whether the caller has cancelled."""
TRIES = 3
"""Processes that a task may lose."""


class Caller:
    """on_step, check : of :func:`gui.engine.parallel.spread`."""

    def __init__(
        self, on_step: Callable[[int, Any], None] | None, check: Callable[[], None] | None
    ) -> None:
        self._on_step, self._check = on_step, check

    def check(self) -> None:
        if self._check is not None:
            self._check()

    def step(self, index: int, value: Any) -> None:
        self.check()
        if self._on_step is not None:
            self._on_step(index, value)


class ResultCollector:
    """Results and errors by item; after an error only the items before it are wanted."""

    def __init__(self, count: int, *, keep_errors: bool) -> None:
        self._count, self._keep_errors = count, keep_errors
        self._found: dict[int, Any] = {}
        self._errors: dict[int, BaseException] = {}
        self._wanted = set(range(count))

    def put(self, index: int, result: Any) -> None:
        self._found[index] = result
        self._wanted.discard(index)

    def fail(self, index: int, error: BaseException) -> None:
        self.put(index, error)
        # A cancel is never a result, whoever raised it.
        if not self._keep_errors or isinstance(error, JobCancelled):
            self._errors[index] = error
            self._wanted = {other for other in self._wanted if other < index}

    def wants(self, index: int) -> bool:
        """Whether this item has still to be computed."""
        return index in self._wanted

    @property
    def complete(self) -> bool:
        return not self._wanted

    def results(self) -> list[Any]:
        """In the order of the items; raises the first error."""
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._found[index] for index in range(self._count)]


def process_lost() -> EngineFailed:
    """A task lost as many processes as it may."""
    return EngineFailed(
        "A process of this step ended unexpectedly several times.",
        advice=(
            "Memory may be short: use fewer genes or mixtures, or fewer cores ([compute] cores)."
        ),
    )


EncodedError = tuple[Failure, bytes | None]
"""An error as plain values; of one that is not ours also itself."""


def encode_error(error: BaseException) -> EncodedError:
    """An error on its way to the caller."""
    itself: bytes | None = None
    if not isinstance(error, DeconomixError):
        with contextlib.suppress(Exception):  # what cannot be sent becomes a JobError
            itself = pickle.dumps(error)
    return to_failure(error), itself


def decode_error(crossed: EncodedError) -> BaseException:
    """The error again, as itself if that can be.

    The log of who catches it names the places in the code of the other process.
    """
    failure, itself = crossed
    error: BaseException | None = None
    if itself is not None:
        with contextlib.suppress(Exception):
            found = pickle.loads(itself)  # noqa: S301 - from our own other process
            error = found if isinstance(found, Exception) else None
    if error is None:
        error = to_error(failure)
    error.places_elsewhere = failure[3].splitlines()[1:]  # type: ignore[attr-defined]
    return error


def one_blas_thread() -> Any:
    """A context with one BLAS thread; it also stays that way where it is not left.

    Loads NumPy and SciPy: only what is loaded can be limited.
    """
    importlib.import_module("scipy.linalg")
    control = importlib.import_module("threadpoolctl")
    limited = control.threadpool_limits(1)
    if any(library["num_threads"] != 1 for library in control.threadpool_info()):
        # threadpoolctl leaves OpenBLAS to the Python thread that set it first, and says nothing:
        # here one of Dask's, or of a plug-in
        control.OpenBLASController.clear_controlling_thread(force=True)
        limited = control.threadpool_limits(1)
    return limited
