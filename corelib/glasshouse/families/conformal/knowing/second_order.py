"""What a pair of answers tells about a model's own error. ``joint`` float64 [n, K, K] holds p(y1, y2 | x) of two independent answers.

If the truth p(. | X) is random to somebody who sees only some of X, two answers to the same X are exchangeable and
p(y1, y2 | x) = E[p(y1 | X) p(y2 | X)]: what the first tells about the second is what is not known about p. "Cheating" is to look at it.
"""

from __future__ import annotations

import numpy as np


def symmetrised(joint: np.ndarray) -> np.ndarray:
    """The mean of p(y1, y2) and p(y2, y1), which answers without an order have in common."""
    mean: np.ndarray = (joint + np.swapaxes(joint, 1, 2)) / 2
    return mean


def marginal(joint: np.ndarray) -> np.ndarray:
    """mu = p(y | x), float64 [n, K]."""
    mu: np.ndarray = joint.sum(axis=2)
    return mu


def cheating(joint: np.ndarray) -> np.ndarray:
    """p(y2 | y1, x) with the seen answer on the middle axis; after an answer of probability 0 it is mu. float64 [n, K, K]."""
    mu = marginal(joint)
    seen = mu[:, :, None]
    cheat: np.ndarray = np.where(seen > 0, joint / np.where(seen > 0, seen, 1.0), mu[:, None, :])
    return cheat


def variance(mu: np.ndarray, cheat: np.ndarray) -> np.ndarray:
    """V(y | x) = mu (p(y | y, x) - mu), the variance of the truth p(y | X) given x; a model's V below 0 is 0. float64 [n, K]."""
    again = np.diagonal(cheat, axis1=1, axis2=2)
    clipped: np.ndarray = np.maximum(mu * (again - mu), 0.0)
    return clipped


def confidence(mu: np.ndarray, cheat: np.ndarray) -> np.ndarray:
    """C = mu / p(y | y, x) in 0..1. By Cantelli's inequality P(p(y | X) = 0) <= V / (V + mu^2) = 1 - C. An impossible answer has C = 0."""
    again = np.maximum(np.diagonal(cheat, axis1=1, axis2=2), mu)
    ratio: np.ndarray = np.where(again > 0, mu / np.where(again > 0, again, 1.0), 0.0)
    return ratio


def radius(spread: np.ndarray, beta: float) -> np.ndarray:
    """sqrt(V / beta): by Chebyshev's inequality |p(y | X) - mu| is at most that with probability at least 1 - beta."""
    found: np.ndarray = np.sqrt(spread / beta)
    return found
