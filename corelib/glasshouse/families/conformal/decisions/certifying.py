"""Finding the threshold that answers most within a limit on the risk, by tests on calibration points.

Geifman and El-Yaniv 2017 (bisection); Angelopoulos et al. 2021, Learn then Test (fixed sequence).
"""

from __future__ import annotations

import math

import numpy as np

from glasshouse.families.conformal.decisions.selective import risk_bound
from glasshouse.schema.events.conformal_decisions import Certificates

LIMITS = np.round(np.linspace(0.01, 0.5, 50), 2)


def sharing(search: str, n: int) -> int:
    """How many tests share delta: ceil(log2 n) of a bisection; one of a fixed sequence, which stops at its first failure."""
    return max(math.ceil(math.log2(n)), 1) if search == "bisection" and n > 1 else 1


def bounds(confidence: np.ndarray, right: np.ndarray, delta: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(thresholds, answered, errors, bounds), each [n], surest point first. Points that tie with the threshold are answered with it."""
    order = np.argsort(-confidence, kind="stable")
    thresholds = confidence[order]
    answered = np.searchsorted(-thresholds, -thresholds, side="right")
    errors = np.cumsum(~right[order])[answered - 1]
    found = np.array([risk_bound(int(e), int(k), delta) for e, k in zip(errors, answered, strict=True)])
    return thresholds, answered, errors, found


def needed(limit: float, delta: float) -> int:
    """The fewest answers whose risk can be certified at all: (1 - limit)^k <= delta without an error."""
    return math.ceil(math.log(delta) / math.log1p(-limit) - 1e-9)


def tried(seen: Certificates, limit: float) -> list[int]:
    """The ranks that a person's look at ``limit`` goes through."""
    return path(seen.search, seen.sharing, seen.delta, seen.bounds, limit)


def path(search: str, tests: int, delta: float, bounds: np.ndarray, limit: float) -> list[int]:
    """The ranks k that are tested in turn, each passed where its bound is below ``limit``. (Bisection: Alg. 1, whose z is n + 1 - k.)"""
    n = len(bounds)
    if search == "fixed sequence":
        ranks = list(range(min(max(needed(limit, delta), 1), n), n + 1))
        failed = next((i for i, k in enumerate(ranks) if bounds[k - 1] >= limit), len(ranks) - 1)
        return ranks[:failed + 1]
    low, high = 1, n
    found: list[int] = []
    for _ in range(tests):
        found.append((low + high) // 2)
        low, high = (found[-1], high) if bounds[found[-1] - 1] < limit else (low, found[-1])
    return found


def standing(bounds: np.ndarray, limit: float, ranks: list[int]) -> int:
    """The largest rank among those tested whose bound is below ``limit``; 0 where none is."""
    return max((k for k in ranks if bounds[k - 1] < limit), default=0)


def shares(seen: Certificates) -> np.ndarray:
    """The share of calibration points answered at each of ``LIMITS``."""
    ranks = [standing(seen.bounds, limit, tried(seen, limit)) for limit in LIMITS.tolist()]
    return np.array([int(seen.answered[k - 1]) if k else 0 for k in ranks]) / seen.n
