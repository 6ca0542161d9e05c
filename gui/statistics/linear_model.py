"""Ordinary least squares with heteroscedasticity-consistent (HC3) intervals. Row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import BadValues, DataError
from gui.statistics.distributions import f_p, t_p, t_quantile
from gui.statistics.two_samples import Effect

INTERCEPT = "intercept"
SPREAD = 1e-9
"""Of the size of a row's values: a standard error below that is rounding, and gives no test."""


@dataclass(frozen=True, eq=False)
class Design:
    """The design matrix of a model.

    matrix : samples x terms, the first is the intercept
    terms : variable -> its columns of ``matrix``
    reference : variable -> the level its others are compared with, for variables of groups
    """

    matrix: pd.DataFrame
    terms: dict[str, list[str]]
    reference: dict[str, str]


def design(variables: pd.DataFrame, *, intercept: bool = True) -> Design:
    """Design matrix: numbers as they are, groups as differences from their first level.

    The first level is the first category of a categorical column, else the first in sorted order.

    Raises
    ------
    BadValues : gaps, infinite values
    DataError : a variable is constant, or is determined by the others

    Source: Draper & Smith 1998, ch. 14 (dummy variables with a reference level).
    """
    if variables.isna().any(axis=None):
        raise BadValues("The covariates have gaps.", advice="Leave these samples out.")
    numbers = variables.select_dtypes("number").to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise BadValues("A covariate has infinite values.", advice="Leave these samples out.")
    columns: dict[str, np.ndarray] = {}
    terms: dict[str, list[str]] = {}
    reference: dict[str, str] = {}
    if intercept:
        columns[INTERCEPT] = np.ones(len(variables))
        terms[INTERCEPT] = [INTERCEPT]
    for name in variables.columns:
        column = variables[name]
        if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
            levels = pd.Categorical(column).remove_unused_categories()
            reference[str(name)] = str(levels.categories[0])
            made = {
                f"{name}: {level}": (levels.codes == code).astype(np.float64)
                for code, level in enumerate(levels.categories)
                if code
            }
        else:
            made = {str(name): column.to_numpy(dtype=np.float64)}
        if not made or any(np.ptp(values) == 0 for values in made.values()):
            raise DataError(
                f"{name} has the same value in all samples.", advice="Leave this variable out."
            )
        if twice := columns.keys() & made.keys():
            raise DataError(
                f"Two variables are called {min(twice)}.", advice="Rename or leave out one of them."
            )
        columns |= made
        terms[str(name)] = list(made)
    matrix = pd.DataFrame(columns, index=variables.index)
    _check_rank(matrix)
    return Design(matrix, terms, reference)


def _check_rank(matrix: pd.DataFrame) -> None:
    """DataError naming the first column that is a linear combination of those before it."""
    if len(matrix) < matrix.shape[1]:
        raise DataError(
            f"{len(matrix)} samples are too few for {matrix.shape[1]} coefficients.",
            advice="Use fewer covariates.",
        )
    basis = np.empty((len(matrix), 0))
    for name in matrix.columns:
        column = matrix[name].to_numpy()
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size <= 1e-8 * float(np.linalg.norm(column)):
            raise DataError(
                f"{name} is determined by the other variables, so its effect cannot be separated.",
                advice="Leave one of them out.",
            )
        basis = np.column_stack([basis, rest / size])


@dataclass(frozen=True, eq=False)
class Contrast:
    """A coefficient, or the difference of two, of every row, with its t test."""

    effect: Effect
    t: np.ndarray
    p: np.ndarray


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Coefficients of every row with HC3 standard errors, t tests and intervals.

    coefficients, errors, p, low, high : rows x terms; df : residual degrees of freedom
    covariance : rows x terms x terms; confidence : of the intervals
    unscaled : terms x terms, the covariance of values with a variance of 1; size : by row, the
        largest absolute value
    """

    coefficients: pd.DataFrame
    errors: pd.DataFrame
    p: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    df: int
    covariance: np.ndarray
    confidence: float
    unscaled: np.ndarray
    size: np.ndarray

    def contrast(self, column: str | None, less: str | None = None) -> Contrast:
        """A coefficient less another; None is the level that the others are compared with."""
        weights = np.zeros(self.coefficients.shape[1])
        for name, sign in ((column, 1.0), (less, -1.0)):
            if name is not None:
                weights[self.coefficients.columns.get_loc(name)] += sign
        estimate = self.coefficients.to_numpy() @ weights
        error = np.sqrt(np.einsum("t,gtu,u->g", weights, self.covariance, weights))
        error = _spread(error, self.size * np.sqrt(weights @ self.unscaled @ weights))
        t = estimate / error
        half = float(t_quantile(self.confidence, self.df)) * error
        effect = Effect(estimate, estimate - half, estimate + half)
        return Contrast(effect, t, t_p(t, self.df))

    def joint_test(self, columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Wald F and p-value, by row, of several coefficients at once (Greene 2012, 5.4)."""
        at = [self.coefficients.columns.get_loc(name) for name in columns]
        b = self.coefficients.to_numpy()[:, at]
        v = self.covariance[:, at][:, :, at]
        usable = np.isfinite(v).all(axis=(1, 2))
        turn = np.linalg.inv(np.linalg.cholesky(self.unscaled[np.ix_(at, at)]))
        least = np.linalg.eigvalsh(turn @ v[usable] @ turn.T)[:, 0]
        usable[usable] = least > (SPREAD * self.size[usable]) ** 2
        f = np.full(len(b), np.nan)
        if usable.any():
            solved = np.linalg.solve(v[usable], b[usable][..., None])[..., 0]
            f[usable] = (b[usable] * solved).sum(axis=-1) / len(at)
        return f, np.where(np.isnan(f), np.nan, f_p(np.nan_to_num(f), len(at), self.df))


def least_squares_hc3(values: pd.DataFrame, model: Design, confidence: float = 0.95) -> LinearModel:
    """Least squares of each row on the design, with HC3 standard errors.

    Where a sample alone fixes a coefficient (leverage 1), in rows of equal values, and for the
    difference of groups that hold one value each, HC3 does not exist: NaN.

    Parameters
    ----------
    values : rows x samples, the samples of ``model``

    Raises
    ------
    DataError : not more samples than coefficients

    Source: MacKinnon & White 1985, J Econometrics 29:305 (HC3); Long & Ervin 2000, Am Stat 54:217
    (why HC3, with t of n - p degrees of freedom).
    """
    x = model.matrix.to_numpy(dtype=np.float64)
    y = values[model.matrix.index].to_numpy(dtype=np.float64)
    n, terms = x.shape
    if n <= terms:
        raise DataError(
            f"{n} samples are too few for {terms} coefficients.", advice="Use fewer covariates."
        )
    q, r = np.linalg.qr(x)
    inverse = np.linalg.inv(r)
    solver = inverse @ q.T  # terms x samples
    b = y @ solver.T
    residuals = y - b @ x.T
    leverage = (q**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(leverage < 1 - 1e-10, residuals / (1.0 - leverage), np.nan)
    # residuals of a row without spread are rounding: no test
    flat = np.ptp(y, axis=1) <= 1e-12 * np.abs(y).max(axis=1, initial=0.0)
    scaled[flat] = np.nan
    covariance = np.einsum("ti,gi,ui->gtu", solver, scaled**2, solver, optimize=True)
    unscaled, size = inverse @ inverse.T, np.abs(y).max(axis=1, initial=0.0)
    errors = np.sqrt(np.einsum("gtt->gt", covariance))
    errors = _spread(errors, size[:, None] * np.sqrt(np.diag(unscaled)))
    p = t_p(b / errors, n - terms)
    half = float(t_quantile(confidence, n - terms)) * errors
    frame = {"index": values.index, "columns": model.matrix.columns}
    return LinearModel(
        pd.DataFrame(b, **frame),
        pd.DataFrame(errors, **frame),
        pd.DataFrame(p, **frame),
        pd.DataFrame(b - half, **frame),
        pd.DataFrame(b + half, **frame),
        n - terms,
        covariance,
        confidence,
        unscaled,
        size,
    )


def _spread(errors: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The errors, NaN where they are rounding alone."""
    return np.where(errors > SPREAD * unit, errors, np.nan)
