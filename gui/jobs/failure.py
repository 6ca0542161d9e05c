"""How an error crosses from the worker to the server: as text, rebuilt as the same class there."""

from __future__ import annotations

import logging
import sys
from typing import Any

from gui.errors import DeconomixError, JobError, WorkerDied
from gui.logs import safe_traceback

Failure = tuple[list[tuple[str, str]], str, str | None, str]
"""Classes from the most special to DeconomixError as (module, qualname); sentence; advice; what the
log may hold.
"""


def to_failure(error: BaseException) -> Failure:
    """Plain values for the head of a message.

    An error that is not ours becomes a JobError without its text: that may hold data.
    """
    if isinstance(error, DeconomixError):
        advice = getattr(error, "advice", None)
        return (
            _classes(type(error)),
            str(error),
            None if advice is None else str(advice),
            type(error).__name__,
        )
    if isinstance(error, MemoryError):
        ours = JobError(
            "The computer ran out of memory in this step.",
            advice="Use fewer genes or mixtures, or close other programs.",
        )
    else:
        ours = JobError(
            f"The step stopped with an unexpected error ({type(error).__name__}); the log has"
            " details."
        )
    return (_classes(JobError), str(ours), ours.advice, safe_traceback(error))


def to_error(failure: Failure) -> DeconomixError:
    """Return the error in its own class, or in the nearest base known to this process."""
    classes, sentence, advice, _ = failure
    for module, name in classes:
        found: Any = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and issubclass(found, DeconomixError):
            # not __init__: a plug-in's error may want other arguments
            error = found.__new__(found, sentence)
            error.args, error.advice = (sentence,), advice
            return error
    return JobError(sentence, advice=advice)


def not_sendable(error: Exception) -> Failure:
    """The parameters or inputs of a job cannot be sent to the worker."""
    if isinstance(error, MemoryError):
        return to_failure(error)
    sentence = f"The step cannot be handed to the worker ({type(error).__name__})."
    return to_failure(
        JobError(
            sentence,
            advice=(
                "Parameters and inputs of a task must be data: no functions, files or connections."
            ),
        )
    )


def not_returnable(error: Exception) -> JobError:
    """The result of a task cannot be sent to the server, or not be read there."""
    advice = (
        "A task must return data: a dataclass of its module or a dict of frames, series, arrays,"
        " numbers and text."
    )
    return JobError(
        f"The result of this step cannot be handed over ({type(error).__name__}).", advice=advice
    )


def worker_died(title: str, *, started: bool, exit_code: int | None = None) -> WorkerDied:
    """The worker ended in the middle of a job, or twice before it had begun.

    exit_code : of its process; negative: the number of the signal that ended it.
    """
    when = f"while “{title}” was running" if started else f"before “{title}” could start"
    error = WorkerDied(
        f"The worker process ended unexpectedly {when}.",
        advice=(
            "Start the step again. If it happens again, memory may be short: use fewer genes or"
            " mixtures."
        ),
    )
    error.exit_code = exit_code
    return error


def _classes(kind: type[DeconomixError]) -> list[tuple[str, str]]:
    return [
        (base.__module__, base.__qualname__)
        for base in kind.__mro__
        if issubclass(base, DeconomixError)
    ]


def log_trouble(log: logging.Logger, what: str, trouble: str) -> None:
    """Class names and places in the code, one line each."""
    for line in [what, *trouble.splitlines()]:
        log.warning("%s", line)
