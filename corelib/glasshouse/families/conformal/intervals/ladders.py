"""Intervals of test points at every rank of the threshold, so that any alpha is a choice of a rank and nothing is computed again.

k runs from 1 (the strictest) to n + 1 (the whole line), k = ceil((n + 1)(1 - alpha)). Intervals are nested in k. An interval whose lower
end lies above its upper end is empty; ends are never swapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from glasshouse.families.conformal.ranks import kth


class Ladder(Protocol):
    """Nested intervals of m points, one for each rank."""

    @property
    def n(self) -> int: ...

    def ends(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(lower, upper), each float64 [m], at rank ``k`` from 1 to n + 1; infinite at n + 1."""
        ...

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        """(lower, upper), each float64 [m, n + 1]: column k - 1 is `ends(k)`."""
        ...


@dataclass(frozen=True, eq=False)
class Widening:
    """[low - q scale, high + q scale] with q = S_(k), the k-th smallest of ``scores`` [n] (ascending); low, high [m]; scale [m], or 1 for all."""

    scores: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray | float

    @property
    def n(self) -> int:
        return len(self.scores)

    def ends(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        wide = kth(self.scores, k) * self.scale
        return self.low - wide, self.high + wide

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        wide = np.reshape(self.scale, (-1, 1)) * np.append(self.scores, np.inf)
        return self.low[:, None] - wide, self.high[:, None] + wide


@dataclass(frozen=True, eq=False)
class Ordered:
    """From the l-th smallest of n lower ends to the k-th smallest of n upper ends, l = n + 1 - k = floor(alpha (n + 1)).

    ``lower`` and ``upper`` float64 [m, n] are ascending along each row.
    """

    lower: np.ndarray
    upper: np.ndarray

    @property
    def n(self) -> int:
        return int(self.lower.shape[1])

    def ends(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        if k > self.n:
            return np.full(len(self.lower), -np.inf), np.full(len(self.upper), np.inf)
        return self.lower[:, self.n - k], self.upper[:, k - 1]

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        end = np.full((len(self.lower), 1), np.inf)
        return np.hstack((self.lower[:, ::-1], -end)), np.hstack((self.upper, end))


@dataclass(frozen=True, eq=False)
class Unordered:
    """`Ordered` before its rows, ``lower`` and ``upper`` float64 [m, n], are sorted: one rank needs no more than a partition."""

    lower: np.ndarray
    upper: np.ndarray

    @property
    def n(self) -> int:
        return int(self.lower.shape[1])

    def ends(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        if k > self.n:
            return np.full(len(self.lower), -np.inf), np.full(len(self.upper), np.inf)
        low, high = np.partition(self.lower, self.n - k, axis=1), np.partition(self.upper, k - 1, axis=1)
        return low[:, self.n - k], high[:, k - 1]

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        return self.in_order().all()

    def in_order(self) -> Ordered:
        return Ordered(np.sort(self.lower, axis=1), np.sort(self.upper, axis=1))


def p_values(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(candidates, p): the p-value of every candidate y of one point, as corners of a step curve, float64 [at most 2 n] each.

    ``lower`` and ``upper`` [n + 1] are its intervals by rank. p(y) = (n + 2 - k) / (n + 1) with k the first rank whose interval holds y: y is
    in the interval at alpha exactly where p > alpha. Empty intervals hold no candidate and give no corner.
    """
    n = len(lower) - 1
    p = (n + 1 - np.arange(n)) / (n + 1.0)
    some = lower[:n] <= upper[:n]
    lower, upper, p = lower[:n][some], upper[:n][some], p[some]
    return np.concatenate((lower[::-1], upper)), np.concatenate((p[::-1], p))
