"""One fold of the search: what does not depend on lambda2 once, then from lambda2 to lambda2.

Imports neither torch nor deconomix.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from gui.engine.fast.adtd_solver import ADTDSolver
from gui.engine.numeric_context import QPError, no_background


class LambdaPath(ADTDSolver):
    """Stock's ``ADTD.run`` with static C in two parts, for many values of lambda2.

    :meth:`begin` does what does not depend on lambda2, :meth:`solve_for_lambda` the rest.
    """

    def __init__(
        self,
        X_mat: pd.DataFrame,
        Y_mat: pd.DataFrame,
        gamma: pd.DataFrame,
        *,
        max_iterations: int = 1000,
        check: Callable[[], None],
    ) -> None:
        super().__init__(X_mat, Y_mat, gamma, max_iterations=max_iterations, C_static=True)
        self._check = check
        self._converged = False
        self._first_loss = np.inf

    def check(self) -> None:
        self._check()

    def begin(self) -> None:
        """Compositions and hidden profile with the reference as it is.

        Raises
        ------
        EngineFailed
        """
        try:
            self.setup()
            if not np.isfinite(self.x).all():  # a residual of exactly zero
                raise no_background()
            self.update_C0()
            self._first_loss = self.Loss_ADTD()[0]
            self._converged = self._fit_background()
            self.update_C()
            self.update_x()
        except QPError as error:
            raise no_background() from error
        self._x = self.x

    def solve_for_lambda(self, lambda2: float) -> np.ndarray:
        """Gene regulation at this lambda2, genes x types, as stock's ``run`` would end with.

        Raises
        ------
        EngineFailed
        """
        self.lambda2, self.x, self.Delta = lambda2, self._x, np.ones((self.p, self.q))
        if self._converged:
            self.update_Delta()
            old = self._first_loss
        else:  # stock begins its second iteration without having been here
            old = np.inf
        for _ in range(1, self.max_iterations):
            new = self.Loss_ADTD()[0]
            if old - new <= self.eps:
                break
            old = new
            self.update_x()
            self.update_Delta()
        return self.Delta
