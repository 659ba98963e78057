"""The law of coverage on a test set: what a good calibration shows, and how far from 1 - alpha it may stray by chance."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import betaln, gammaln


def covered_law(n: int, m: int, k: int) -> np.ndarray:
    """P(c of m test points are covered), float64 [m + 1], for the threshold of rank k among n calibration points.

    BetaBinomial(m, k, n + 1 - k): exact for exchangeable points without ties; with ties coverage is stochastically larger.
    k = n + 1 covers all.
    """
    if k > n:
        return np.append(np.zeros(m), 1.0)
    c = np.arange(m + 1)
    choose = gammaln(m + 1) - gammaln(c + 1) - gammaln(m - c + 1)
    law: np.ndarray = np.exp(choose + betaln(c + k, m - c + n + 1 - k) - betaln(k, n + 1 - k))
    law /= law.sum()
    return law


@lru_cache(maxsize=4096)
def coverage_band(n: int, m: int, k: int, tail: float = 0.01) -> tuple[float, float]:
    """The interval of coverage, in shares of m, that leaves at most ``tail`` of the law below and above it."""
    cdf = np.cumsum(covered_law(n, m, k))
    low, high = np.searchsorted(cdf, (tail, 1 - tail)).clip(0, m)
    return float(low / m), float(high / m)
