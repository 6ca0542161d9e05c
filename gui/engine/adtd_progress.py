"""ADTD with progress and cancel: what stands before stock's steps and before the fast ones.

Imports neither torch nor deconomix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gui.engine.fast.adtd_solver import FIRST_STEPS
from gui.engine.numeric_context import QPError, no_background
from gui.errors import EngineFailed

COMPOSITION, PROFILE, REGULATION = (
    "Estimating compositions",
    "Estimating the hidden profile",
    "Estimating gene regulation",
)
Watch = Callable[[str, int, int, float | None], None]
"""``watch(stage, iteration, limit, loss)``: reports, and raises JobCancelled to stop."""


class Watched:
    """Before ADTD in a class: every step reports before it runs.

    losses : every value of the loss that ``run`` looked at, in order
    """

    C_static: bool
    Delta_static: bool
    max_iterations: int
    x: Any

    def __init__(self, *args: Any, watch: Watch, **options: Any) -> None:
        super().__init__(*args, **options)
        self.losses: list[float] = []
        self._watch = watch
        self._first_steps = 0
        self._last: tuple[str, int, int, float | None] = (COMPOSITION, 0, self.max_iterations, None)

    @property
    def iterations(self) -> int:
        """Number of outer iterations begun.

        Stock evaluates the loss once in each, three times where C is free.
        """
        return len(self.losses) if self.C_static else (len(self.losses) + 2) // 3

    def _report(self, stage: str) -> None:
        loss = self.losses[-1] if self.losses else None
        self._last = (stage, self.iterations, self.max_iterations, loss)
        self._watch(*self._last)

    def check(self) -> None:
        """Report again, so that a cancel is noticed between the samples of one step."""
        self._watch(*self._last)

    def setup(self) -> None:
        self._report(COMPOSITION)
        super().setup()  # type: ignore[misc]
        if not np.isfinite(self.x).all():  # a residual of exactly zero
            raise no_background()

    def update_C0(self) -> None:
        # called once more per step of the inner loop; its iterations have a limit of their own
        loss = self.losses[-1] if self.losses else None
        self._last = (COMPOSITION, self._first_steps, FIRST_STEPS, loss)
        self._watch(*self._last)
        self._first_steps += 1
        try:
            super().update_C0()  # type: ignore[misc]
        # the cell types can be distinguished (checked before), so it is the background that cannot
        except QPError as error:
            raise no_background() from error

    def update_C(self) -> None:
        self._report(COMPOSITION)
        try:
            super().update_C()  # type: ignore[misc]
        except QPError as error:
            raise no_background() from error

    def update_x(self) -> Any:
        self._report(PROFILE)
        return super().update_x()  # type: ignore[misc]

    def update_Delta(self) -> None:
        if not self.Delta_static:
            self._report(REGULATION)
        super().update_Delta()  # type: ignore[misc]

    def Loss_ADTD(self) -> tuple[float, float, float]:
        values: tuple[float, float, float] = super().Loss_ADTD()  # type: ignore[misc]
        if not np.isfinite(values[0]):
            raise EngineFailed(
                "The loss is not a finite number.",
                advice="Check the data for empty samples, or use a larger λ₂.",
            )
        self.losses.append(float(values[0]))
        return values
