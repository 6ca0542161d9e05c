"""What the commands share: an argument parser that raises our errors, and talking to a terminal.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any, NoReturn

from gui.errors import InvalidParameter
from gui.text import parse_number


class Parser(argparse.ArgumentParser):
    """Wrong options raise InvalidParameter in a sentence; ``--help`` exits."""

    def error(self, message: str) -> NoReturn:
        raise InvalidParameter(
            f"{message[:1].upper()}{message[1:]}.", advice=f"See {self.prog} --help."
        )


def decimal(text: str) -> float:
    """Type of an option that takes any number: 0.5, 0,5 or 1e-9."""
    try:
        return parse_number(text)
    except InvalidParameter as error:
        raise argparse.ArgumentTypeError(error.full_text.removesuffix(".")) from None


def say(text: str, stream: Any) -> None:
    """One line; what the terminal's encoding lacks is replaced.

    Parameters
    ----------
    stream
        May be None (a window program has none).
    """
    if stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            "λ₂".encode(encoding)
        except UnicodeEncodeError:
            text = text.replace("λ₂", "lambda2").replace("λ₁", "lambda1")
        stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()


def one_blas_thread() -> None:
    """Limit numerical libraries loaded from here on to one thread.

    The numbers depend on it in the 5th digit.
    """
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ):
        os.environ[name] = "1"


class ConsoleProgress:
    """Progress as lines on stderr: at every new stage, and then every few seconds.

    Preparing goes unsaid: it ends in a blink or in an error.
    """

    def __init__(self, every: float = 3.0) -> None:
        self._stage, self._every, self._next = "", every, 0.0

    def __call__(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None:
        now = time.monotonic()
        family = "Running ADTD" if count is not None and fraction is None else stage
        if stage == "Preparing" or (family == self._stage and now < self._next):
            return
        fresh = family != self._stage
        details = []
        if not fresh:
            if fraction is not None:
                details.append(f"{fraction:.0%}")
            elif count is not None:
                details.append(f"iteration {count} of at most {limit}")
            if loss is not None:
                details.append(f"loss {loss:.6g}")
        if fresh or details:
            self._stage, self._next = family, now + self._every
            say(f"{family}{': ' if details else ''}{', '.join(details)}", sys.stderr)
