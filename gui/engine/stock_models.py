"""Stock's DTD and ADTD with progress and cancel; the numbers are stock's.

Heavy (torch): only where the stock engine computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gui.engine.adtd_progress import Watched
from gui.engine.stock import methods


class WatchedDTD(methods.DTD):  # type: ignore[misc]
    """Stock's DTD; calls ``watch(iteration, loss)`` after each evaluation of the loss.

    The numbers are stock's.
    """

    def __init__(self, *args: Any, watch: Callable[[int, float], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._watch = watch
        self._done = 0

    def get_loss_function(self, func: str) -> Callable[..., Any]:
        stock = super().get_loss_function(func)

        def watched(truth: Any, estimate: Any) -> Any:
            loss, correlations = stock(truth, estimate)
            self._done += 1
            self._watch(self._done, float(loss.detach()))
            return loss, correlations

        return watched


class WatchedADTD(Watched, methods.ADTD):  # type: ignore[misc]
    """Stock's ADTD; the numbers are stock's."""
