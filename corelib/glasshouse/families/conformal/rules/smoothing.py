"""How far an attack and finitely many votes can move a detector's share of yes.

A detector that is read under noise N(0, sigma^2 I) says yes with probability pi(x); its normal quantile is 1/sigma-Lipschitz in the input
(Cohen, Rosenfeld, Kolter 2019; Salman et al. 2019): an attack of length delta moves it by at most delta / sigma.
"""

from __future__ import annotations

import math

import numpy as np


def true_share(share: np.ndarray, draws: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends that each miss the true share behind a counted one, of ``draws`` votes, with probability at most ``tail``.

    Bernstein's inequality solved for the mean p: |share - p| <= sqrt(c p (1 - p)) + a with a = l / (3 draws), c = 2 l / draws, l = ln(1 / tail).
    It contains the interval of Clopper and Pearson, which inverts the exact tails at many times the cost.
    """
    log = math.log(1 / tail)
    a, c = log / (3 * draws), 2 * log / draws
    ends = []
    for x, sign in ((share - a, -1.0), (share + a, 1.0)):
        half = x + c / 2                                # (1 + c) p^2 - 2 half p + x^2 = 0
        root = np.sqrt(np.maximum(half * half - (1 + c) * x * x, 0.0))
        ends.append((half + sign * root) / (1 + c))
    return np.where(share <= a, 0.0, ends[0]), np.where(share >= 1 - a, 1.0, ends[1])


def counted(low: np.ndarray, high: np.ndarray, draws: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Where a new count of ``draws`` votes may be when the true share is in [low, high]; each end fails with at most ``tail``.

    Bernstein: a count's share exceeds its mean p by more than sqrt(2 p (1 - p) l / draws) + l / (3 draws), l = ln(1 / tail), with probability
    at most ``tail``. The bound is concave in p and above 1 where it falls, so its value at the end, cut at 1, is the largest.
    """
    log = math.log(1 / tail)
    reach = [np.sqrt(2 * p * (1 - p) * log / draws) + log / (3 * draws) for p in (low, high)]
    return np.maximum(low - reach[0], 0.0), np.minimum(high + reach[1], 1.0)
