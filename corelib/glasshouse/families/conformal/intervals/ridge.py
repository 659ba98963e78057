"""Ridge regression with closed forms for everything that conformal prediction would refit: one point left out, one point added."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glasshouse.schema.errors import bad_value


class Ridge:
    """Least squares with ``penalty`` times the sum of squared coefficients; the constant is not held back.

    Deterministic, on ``numpy.linalg`` alone. ``penalty`` is above 0, so the system of equations is regular.
    """

    def __init__(self, penalty: float = 1.0) -> None:
        """Raises: BadValue for a penalty that is not above 0."""
        if not (math.isfinite(penalty) and penalty > 0):
            raise bad_value("penalty", penalty, "a number above 0")
        self.penalty = penalty
        self.coefficients = np.zeros(0)

    def fit(self, x: np.ndarray, y: np.ndarray) -> Ridge:
        """``x`` float64 [n, p], ``y`` float64 [n]."""
        self.coefficients = self._solved(x, y).coefficients
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """float64 [m] for ``x`` [m, p]."""
        forecast: np.ndarray = _with_constant(x) @ self.coefficients
        return forecast

    def left_out(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(coefficients [n, p + 1], residuals [n]) of the n fits that each leave one point out, at the cost of one.

        beta_{-i} = beta - M z_i r_i / (1 - h_i) and y_i - z_i' beta_{-i} = r_i / (1 - h_i), h_i = z_i' M z_i (Sherman and Morrison).
        """
        s = self._solved(x, y)
        leverage = np.einsum("ij,ij->i", s.z @ s.m, s.z)
        residuals = (y - s.z @ s.coefficients) / (1 - leverage)
        return s.coefficients - (s.z @ s.m) * residuals[:, None], residuals

    def with_one_more(self, x: np.ndarray, y: np.ndarray, new: np.ndarray) -> OneMore:
        """How all residuals move with the target of a point that is added, for each of ``new`` [m, p]."""
        s, z = self._solved(x, y), _with_constant(new)
        pull = z @ s.m @ s.z.T
        own = np.einsum("ij,ij->i", z @ s.m, z)
        return OneMore(np.broadcast_to(y - s.z @ s.coefficients, pull.shape), pull, z @ s.coefficients, 1 + own)

    def _solved(self, x: np.ndarray, y: np.ndarray) -> _Solved:
        z = _with_constant(np.asarray(x, np.float64))
        held_back = np.full(z.shape[1], float(self.penalty))
        held_back[0] = 0.0
        m = np.linalg.inv(z.T @ z + np.diag(held_back))
        return _Solved(z, m, m @ (z.T @ y))


@dataclass(frozen=True, eq=False)
class OneMore:
    """Residuals of the n points and of the added one, as its target y moves: straight lines.

    With t = (y - ``centre``) / ``stretch``, the residual of point i is ``residuals``[:, i] - ``pull``[:, i] t and the added point's own is
    t. ``residuals`` and ``pull`` [m, n], ``centre`` and ``stretch`` [m].
    """

    residuals: np.ndarray
    pull: np.ndarray
    centre: np.ndarray
    stretch: np.ndarray


@dataclass(frozen=True, eq=False)
class _Solved:
    """z: features after a column of ones; m = (Z'Z + penalty)^-1; the coefficients."""

    z: np.ndarray
    m: np.ndarray
    coefficients: np.ndarray


def _with_constant(x: np.ndarray) -> np.ndarray:
    return np.hstack((np.ones((len(x), 1)), x))
