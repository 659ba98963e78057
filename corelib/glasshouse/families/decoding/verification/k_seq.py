"""V5: k-SEQ, the sequential selection of k independent guesses. SpecTr, 2310.15141 (Alg. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.residual import normalized, ratio
from glasshouse.families.decoding.verification.rule import Tests


def beta(p: np.ndarray, q: np.ndarray, rho: float) -> float:
    """beta(rho) = sum_x min(q(x), p(x)/rho): the chance that one guess passes."""
    return float(np.minimum(q, p / rho).sum())


def excess(p: np.ndarray, q: np.ndarray, k: int, rho: float) -> float:
    """1 - (1 - beta)^k - rho beta: falling in rho; its root is the smallest rho at which the residual is non-negative."""
    b = beta(p, q, rho)
    return 1.0 - (1.0 - b) ** k - rho * b


def division_factor(p: np.ndarray, q: np.ndarray, k: int) -> float:
    """rho* in [1, k] with 1 - (1 - beta(rho))^k = rho beta(rho), by bisection; from above, so that no residual is negative."""
    low, high = 1.0, float(k)
    if excess(p, q, k, low) <= 0.0:
        return low
    while high - low > 1e-15 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if excess(p, q, k, middle) > 0.0:
            low = middle
        else:
            high = middle
    return high


def k_seq(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept x_i with min(1, p(x_i) / (rho q(x_i))); only after all k fail, draw from norm(p - min(q, p/rho) p_acc/beta).

    ``q`` names the same row for every child; k is their number. p_acc = 1 - (1 - beta)^k.
    """
    k = len(tokens)
    if k == 0:
        return p
    row = q[0]
    rho = division_factor(p, row, k)
    for c in tokens:
        yield ratio(p[c], rho * row[c]), p
    b = beta(p, row, rho)
    if b <= 0.0:
        return p
    accepted = (1.0 - (1.0 - b) ** k) / b
    return normalized(np.maximum(p - np.minimum(row, p / rho) * accepted, 0.0), p)
