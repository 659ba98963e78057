"""Promises about a batch of test points: the exact laws of its ranks, one claim at a level, many redraws."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, eq=False)
class RankLaw:
    """An exact law on the whole numbers ``first, first + 1, ...``: cumulative counts of equally likely cases, the last is all of them."""

    first: int
    cumulative: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.cumulative[-1]

    def quantile(self, level: Fraction) -> int:
        """The least value that is not exceeded with probability at least ``level``, in whole numbers throughout."""
        return self.first + bisect_left(self.cumulative, ceil(level * self.total))

    def reached(self, value: int) -> Fraction:
        """P(at most ``value``)."""
        at = value - self.first
        return Fraction(0) if at < 0 else Fraction(self.cumulative[min(at, len(self.cumulative) - 1)], self.total)

    def chances(self) -> np.ndarray:
        """P(each value), float64."""
        cdf = np.array([0.0, *(c / self.total for c in self.cumulative)])
        return np.diff(cdf)


@dataclass(frozen=True, kw_only=True, eq=False)
class Batched(Event):
    """A method calibrated for batches of ``m``: any level, rank and batch is a look-up from here.

    ``scores`` float64 [n], ascending; ``upper`` what no score exceeds. ``laws``: the law of each rank 1 .. m of a batch among the
    calibration scores, or the one law of its rank sum (``statement`` "mean"). ``bounds`` float64: the bound that belongs to each value of
    a law. ``statistics`` float64 [batches, laws] is what the claim is about in every batch; ``groups`` float64 [n // m, laws], ascending, is
    the same in batches cut from the calibration points. ``batch_scores`` float64 [batches, m] in the order of the points;
    ``ranks`` int64 alike, 1 + how many calibration scores are below. ``confidence`` float64 and ``wrong`` bool [batches, m]: how sure the
    model is of what selection would claim, and whether that is false. ``spread`` float64 [3, n + batches m] are x, y and prediction of all
    points, or empty.
    """

    statement: str
    n: int
    m: int
    batches: int
    upper: float
    scores: np.ndarray
    laws: tuple[RankLaw, ...]
    bounds: np.ndarray
    statistics: np.ndarray
    groups: np.ndarray
    batch_scores: np.ndarray
    ranks: np.ndarray
    confidence: np.ndarray
    wrong: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Claim(Event):
    """One claim about one batch at one level.

    ``zeta``: the claim is about the batch's zeta-th smallest score (0 for its mean); ``rank`` and ``low_rank`` are the law's values chosen
    above and, for an interval, below (0 without); ``bound`` and ``low`` the scores that belong to them. ``chance`` is the exact probability
    of the ranks that make it true, at least 1 - alpha; ``informative`` is false where the bound is the score's own limit. ``statistic``
    is the batch's, ``held`` whether the claim is true of it, ``held_share`` of how many batches it is. ``false_claims`` and ``selected``
    count, for a selection. ``partition`` and ``bonferroni`` are two baselines' bounds, infinite where they have none.
    """

    alpha: float
    zeta: int
    rank: int
    low_rank: int
    bound: float
    low: float
    chance: float
    informative: bool
    batch: int
    statistic: float
    held: bool
    held_share: float
    selected: int
    false_claims: int
    partition: float
    bonferroni: float
    law: RankLaw
    batched: Batched


@dataclass(frozen=True, kw_only=True, eq=False)
class Redraws(Event):
    """Many draws of new calibration points and a new batch, ``done`` of ``total`` so far.

    ``needed`` int64 [done, laws]: the least value of each law whose bound holds in that draw. A claim with rank q holds where needed <= q.
    """

    done: int
    total: int
    n: int
    m: int
    needed: np.ndarray
