"""Batch predictive inference. Lee, Tchetgen Tchetgen, Dobriban 2024."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import comb
from typing import Annotated, ClassVar

import numpy as np

from glasshouse.families.conformal.batch.interface import Batches, Statement
from glasshouse.schema.events.conformal_batch import RankLaw
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class BatchPI:
    """The sorted ranks of m test scores among n calibration scores are uniform on the sequences 1 <= r_1 <= ... <= r_m <= n + 1.

    There are C(n + m, m) of them, all equally likely under exchangeability without ties (with ties the claims hold more often). So the law of
    any function of the ranks can be counted: of one rank R_zeta, which bounds the zeta-th smallest score of the batch, or of their sum,
    which bounds the mean. Counts are whole numbers and levels are fractions: nothing is rounded before it is drawn.

    Statements: ``most``, at least a share of the batch is within the bound; ``quantile``, the batch's quantile is at most the bound;
    ``interval``, it lies between two bounds, alpha / 2 for each; ``select``, points above the bound are claimed, and at most so many of
    the claims are false; ``mean``, the mean score is at most the bound.

    The authors' public code draws the m ranks of the mean independently and uniformly instead, which is another law: with n = 40, m = 10,
    alpha = 0.1 its rank sum 258 is kept with probability 0.878 only. The law used here is exact.
    """

    paper: ClassVar[Paper] = Paper("Batch Predictive Inference", "Lee, Tchetgen Tchetgen, Dobriban", 2024, arxiv="2409.13990",
                                   where="section 2 and the use cases of section 3; the law of a rank sum as Mann and Whitney's is ours")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "marginal", "The claim about the batch holds with probability at least 1 - alpha.",
        assumptions=("calibration points and the batch are exchangeable", "the model was not trained on them",
                     "the claim and alpha were chosen without looking at the calibration points"),
        scope="on average over calibration points and batches; one claim a batch, not one a point")
    views: ClassVar[tuple[View, ...]] = (
        View("matrix", "Where the sorted batch lands", z="chance", x_label="calibration points below", y_label="points of the batch below",
             note="A row a point, smallest on top: its chance of each place."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Nine in ten", "How far out must the bound be for 18 of 20 points?", {"statement": "most", "share": 0.9, "alpha": 0.1}),
        Preset("All of them", "What does it cost to promise all twenty?", {"statement": "most", "share": 1.0, "alpha": 0.1}),
        Preset("Few points", "What can 30 calibration points say where cutting them up says nothing?",
               {"statement": "quantile", "share": 0.5, "calibration_size": 30, "alpha": 0.1}),
        Preset("Safe picks", "How many points can be claimed with two mistakes allowed?", {"statement": "select", "allowed": 2, "alpha": 0.1}),
        Preset("The average", "Is a bound on the mean tighter than one on most points?", {"statement": "mean", "alpha": 0.1}))

    statement: Annotated[Statement, Knob(cost="live", group="what is promised", label="claim about the batch",
                                         help="most, quantile, interval and mean are about errors; select picks points")] = "most"

    def score(self, pool: Batches) -> np.ndarray:
        """The error, or for a selection the confidence of what would be claimed falsely, and 0 where the claim is true."""
        return np.where(pool.wrong, pool.confidence, 0.0) if self.statement == "select" else pool.error

    def laws(self, n: int, m: int) -> tuple[RankLaw, ...]:
        return (rank_sum(n, m),) if self.statement == "mean" else tuple(one_rank(n, m, zeta) for zeta in range(1, m + 1))

    def bounds(self, scores: np.ndarray, upper: float, m: int) -> np.ndarray:
        """S_(1), ..., S_(n+1), or for the mean the largest mean that each rank sum m, m + 1, ... allows."""
        known = np.append(scores, upper)
        return largest_sums(known, m) / m if self.statement == "mean" else known

    def statistics(self, scores: np.ndarray) -> np.ndarray:
        return scores.mean(axis=1, keepdims=True) if self.statement == "mean" else scores

    def extra(self, n: int, m: int) -> Mapping[str, np.ndarray]:
        """How likely the j-th smallest of the batch (row) is above k calibration points (column): float64 [m, n + 1]."""
        return {"chance": np.stack([one_rank(n, m, zeta).chances() for zeta in range(1, m + 1)])}


@lru_cache(maxsize=256)
def one_rank(n: int, m: int, zeta: int) -> RankLaw:
    """The law of R_zeta: C(k + zeta - 2, zeta - 1) C(n + m - k - zeta + 1, m - zeta) of C(n + m, m) sequences have R_zeta = k.

    >>> law = one_rank(6, 3, 3)
    >>> law.total, law.cumulative
    (84, (1, 4, 10, 20, 35, 56, 84))
    """
    counts = (comb(k + zeta - 2, zeta - 1) * comb(n + m - k - zeta + 1, m - zeta) for k in range(1, n + 2))
    return RankLaw(1, tuple(accumulate(counts)))


@lru_cache(maxsize=32)
def rank_sum(n: int, m: int) -> RankLaw:
    """The law of h = R_1 + ... + R_m, from m to m (n + 1).

    h - m is the Mann-Whitney statistic: its counts are the coefficients of the Gaussian binomial [n + m choose m], the product over
    i = 1 .. m of (1 - x^(n+i)) / (1 - x^i).
    """
    small, large = sorted((n, m))                      # [n + m choose m] = [n + m choose n]
    counts = [1] + [0] * (n * m)
    for i in range(1, small + 1):
        top = large * i
        for j in range(top, large + i - 1, -1):
            counts[j] -= counts[j - large - i]
        for j in range(i, top + 1):
            counts[j] += counts[j - i]
    return RankLaw(m, tuple(accumulate(counts)))


def largest_sums(known: np.ndarray, m: int) -> np.ndarray:
    """max of S_(r_1) + ... + S_(r_m) over ranks with r_1 + ... + r_m <= h, for h = m .. m (n + 1): float64 [m n + 1].

    ``known`` float64 [n + 1] ascending, the upper limit last. Dynamic programme over (how many ranks, their sum): O(m^2 n^2) additions.
    """
    size = len(known)
    best = np.zeros(1)                                 # by sum, from the least possible: i ranks sum to i .. i size
    for i in range(1, m + 1):
        longer = np.full(i * (size - 1) + 1, -np.inf)
        for r in range(size):
            part = longer[r : r + len(best)]
            np.maximum(part, best + known[r], out=part)
        best = longer
    found: np.ndarray = np.maximum.accumulate(best)
    return found
