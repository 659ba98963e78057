"""Quantile regression by linear programming. Koenker, Bassett 1978."""

from __future__ import annotations

import numpy as np


class LinearQuantile:
    """The hyperplane of least pinball loss: under-forecasts cost ``level``, over-forecasts 1 - ``level``, coefficients ``penalty`` each.

    minimise sum_i level u_i + (1 - level) v_i + penalty |beta|_1 with y = b + x beta + u - v, u and v at least 0. The constant is not held
    back. Deterministic (HiGHS).
    """

    def __init__(self, level: float, penalty: float) -> None:
        self.level, self.penalty = level, penalty
        self.constant, self.coefficients = 0.0, np.zeros(0)

    def fit(self, x: np.ndarray, y: np.ndarray) -> LinearQuantile:
        """``x`` float64 [n, p], ``y`` float64 [n]."""
        from scipy.optimize import linprog  # a quarter of a second to import: only where quantiles are learnt

        n, p = x.shape
        cost = np.concatenate(([0.0], np.full(2 * p, self.penalty), np.full(n, self.level), np.full(n, 1 - self.level)))
        equal = np.hstack((np.ones((n, 1)), x, -x, np.eye(n), -np.eye(n)))
        found = linprog(cost, A_eq=equal, b_eq=y, bounds=[(None, None)] + [(0, None)] * (2 * p + 2 * n), method="highs").x
        self.constant, self.coefficients = float(found[0]), found[1:p + 1] - found[p + 1:2 * p + 1]
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """float64 [m] for ``x`` [m, p]."""
        forecast: np.ndarray = self.constant + x @ self.coefficients
        return forecast
