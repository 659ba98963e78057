"""How far a mean over Gaussian noise can be trusted, and how far an attacker can move it: what turns scores into robust sets.

With s in [0, 1] and S(x) = Phi^-1(E s(x + e)), e ~ N(0, sigma^2 I), S is 1 / sigma-Lipschitz in l2 (Salman et al. 2019, after Cohen,
Rosenfeld, Kolter 2019): an attacker of radius delta moves it by at most delta / sigma.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from scipy.special import ndtri

from glasshouse.families.conformal.ranks import miscoverage, threshold_rank

Error = Literal["ignored", "hoeffding", "bernstein"]


def hoeffding(n: int, beta: float) -> float:
    """b_H = sqrt(ln(1 / beta) / (2 n)): the mean of n draws in [0, 1] misses its expectation to one side by more with probability <= beta."""
    return math.sqrt(math.log(1 / beta) / (2 * n))


def bernstein(variances: np.ndarray, n: int, beta: float) -> np.ndarray:
    """b_B = sqrt(2 V ln(2 / beta) / n) + 7 ln(2 / beta) / (3 (n - 1)), V the unbiased variance of the draws (Maurer, Pontil 2009)."""
    likely = math.log(2 / beta)
    bound: np.ndarray = np.sqrt(2 * likely / n * variances)
    bound += 7 * likely / (3 * (n - 1))
    return bound


@dataclass(frozen=True)
class Certificate:
    """``sigma`` of the noise, ``n_mc`` draws a mean, and how their error is bounded at the point seen; "ignored" treats means as exact."""

    sigma: float
    n_mc: int
    error: Error

    def rank(self, n: int, alpha: float, beta: float) -> int:
        """k of the threshold among n calibration means, 1 to n + 1: at level alpha, less 2 beta where errors of the means are paid for.

        Nothing left of alpha stands for an infinite threshold.
        """
        level = miscoverage(alpha)
        if self.error != "ignored":
            level -= 2 * Fraction(repr(float(beta)))
        return threshold_rank(n, level) if level > 0 else n + 1

    def unseen(self, beta: float) -> float:
        """By how much the expectation at the clean point, which nobody sees, may pass its mean: its variance is unknown, so Hoeffding."""
        return 0.0 if self.error == "ignored" else hoeffding(self.n_mc, beta)

    def least(self, means: np.ndarray, variances: np.ndarray, beta: float) -> np.ndarray:
        """Phi^-1 of what the expectation at the point seen is at least: max(mean - b, 0)."""
        if self.error == "ignored":
            known = means
        elif self.error == "hoeffding":
            known = np.maximum(means - hoeffding(self.n_mc, beta), 0.0)
        else:
            known = np.maximum(means - bernstein(variances, self.n_mc, beta), 0.0)
        found: np.ndarray = ndtri(known)
        return found

    def limit(self, threshold: float, radius: float, beta: float) -> float:
        """Phi^-1(min(threshold + b_H, 1)) + delta / sigma: as far as a label of the clean set can have been moved."""
        return float(ndtri(min(threshold + self.unseen(beta), 1.0))) + radius / self.sigma

    def withstood(self, means: np.ndarray, limit: float, beta: float) -> np.ndarray:
        """The l2 radius within which no attack drives the label out of a set with this ``limit``, from ``means`` at the clean point.

        Each holds with probability at least 1 - 2 beta. -inf where the label is out already, +inf where nothing drives it out.
        """
        if limit == math.inf:
            return np.full(means.shape, math.inf)
        found: np.ndarray = self.sigma * (limit - ndtri(np.minimum(means + self.unseen(beta), 1.0)))
        return np.where(found < 0, -math.inf, found)
