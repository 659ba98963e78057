"""Three ways to treat a point: one label, a set of labels, or silence. Their chances, what they cost, and the cost of all levels.

Tayebati et al. 2025, as in the authors' code: smin = 1 - max p is a point's doubt; q_single and q_silent are quantiles of the
calibration scores 1 - p(true label).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import entr, expit

from glasshouse.families.conformal.ranks import threshold_rank

FLOOR = 1e-6            # no way is ever quite impossible, before the chances are made to sum to 1
SINGLE, SET, SILENT = 0, 1, 2
CROWDED = 0.8           # a share of single labels beyond this is charged


@dataclass(frozen=True)
class Prices:
    """Weights of the cost: lambda_1 .. lambda_5 of the authors' configuration, in this order."""

    set_size: float = 0.3
    silence: float = 0.3
    answering: float = 0.4
    variety: float = 0.2
    crowding: float = 0.5


@dataclass(frozen=True, eq=False)
class Points:
    """Labelled points: ``probs`` float64 [m, K], ``labels`` int64 [m]."""

    probs: np.ndarray
    labels: np.ndarray

    @cached_property
    def doubt(self) -> np.ndarray:
        """smin = 1 - max p, float64 [m]."""
        return np.asarray(1.0 - self.probs.max(axis=1))

    @cached_property
    def single_right(self) -> np.ndarray:
        return np.asarray(self.probs.argmax(axis=1) == self.labels)

    @cached_property
    def scores(self) -> np.ndarray:
        """1 - p(true label), ascending, float64 [m]."""
        return np.sort(1.0 - np.take_along_axis(self.probs, self.labels[:, None], axis=1)[:, 0])

    def sets(self, q_silent: float) -> np.ndarray:
        """{y : 1 - p_y <= q_silent}, or the most probable label where that is empty: bool [m, K]. Compared as scores: 1 - q would round."""
        inside = 1.0 - self.probs <= q_silent
        none = ~inside.any(axis=1)
        inside[none, self.probs[none].argmax(axis=1)] = True
        return inside

    def answers(self, decision: np.ndarray, q_silent: float) -> np.ndarray:
        """What is said under ``decision`` int64 [m]: bool [m, K], a row empty where that is nothing."""
        said = self.sets(q_silent)
        said[decision == SILENT] = False
        single = np.flatnonzero(decision == SINGLE)
        said[single] = False
        said[single, self.probs[single].argmax(axis=1)] = True
        return said


@dataclass(frozen=True, eq=False)
class Tally:
    """What a policy does on points. ``shares`` [3] of the three ways; ``error`` among those answered, 1 if none is;
    ``set_size`` the mean size of the sets alone, 0 without any."""

    shares: np.ndarray
    error: float
    set_size: float

    def cost(self, prices: Prices) -> float:
        """error + l1 set size + l2 silent - l3 (1 - silent) - l4 entropy(shares) + l5 max(0, single - 0.8)."""
        single, _, silent = self.shares.tolist()
        crowd = max(0.0, single - CROWDED)
        return float(self.error + prices.set_size * self.set_size + prices.silence * silent - prices.answering * (1 - silent)
                     - prices.variety * entropy(self.shares) + prices.crowding * crowd)


def entropy(shares: np.ndarray) -> float:
    """In nats: ln 3 at equal shares of three. (The authors' code adds 1e-8 inside the logarithm.)"""
    return float(entr(shares).sum())


def exact_threshold(scores: np.ndarray, level: float) -> float:
    """S_(k), k = ceil((n + 1)(1 - level)) of ascending ``scores`` [n]; +inf where k > n: split conformal prediction."""
    k = threshold_rank(len(scores), level)
    return float(scores[k - 1]) if k <= len(scores) else float("inf")


def published_threshold(scores: np.ndarray, level: float) -> float:
    """As in the authors' code: the "higher" quantile at ceil((n + 1)(1 - level)) / n, at most 1. Its rank is k or k + 1, never above n."""
    n = len(scores)
    return float(np.quantile(scores, min(max(float(np.ceil((n + 1) * (1 - level))) / n, 0.0), 1.0), method="higher"))


def chances(doubt: np.ndarray, q_single: float, q_silent: float, slope: float) -> np.ndarray:
    """Probability of each way at each doubt: float64 [3, m], columns sum to 1.

    single: sigmoid(-slope (smin - q_single)); silent: sigmoid(slope (smin - q_silent)); a set gets what is left, if anything. An infinite
    slope is the hard rule: one label below q_single, silence above q_silent, a set between.
    """
    single, silent = (expit(np.multiply(sign * slope, away, out=np.zeros_like(away), where=away != 0))       # 0 x inf at a threshold is 0
                      for sign, away in ((-1.0, doubt - q_single), (1.0, doubt - q_silent)))
    ways: np.ndarray = np.maximum(np.stack((single, 1.0 - single - silent, silent)), FLOOR)
    ways /= ways.sum(axis=0)
    return ways


def draw(ways: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The way each point takes, int64 [m], from its own uniform number ``u`` float64 [m]."""
    return np.asarray((u > np.cumsum(ways, axis=0)[:2]).sum(axis=0))


def tally(points: Points, weights: np.ndarray, q_silent: float) -> Tally:
    """Counts under ``weights`` [3, m]: chances for what is expected, zeros and ones for what was drawn."""
    said = points.sets(q_silent)
    inside = np.take_along_axis(said, points.labels[:, None], axis=1)[:, 0]
    total = weights.sum(axis=1)
    right = float(weights[SINGLE] @ points.single_right + weights[SET] @ inside)
    answered = float(total[SINGLE] + total[SET])
    size = float(weights[SET] @ said.sum(axis=1)) / float(total[SET]) if total[SET] > 0 else 0.0
    return Tally(total / len(points.labels), 1.0 - right / answered if answered > 0 else 1.0, size)


def cost_surface(points: Points, scores: np.ndarray, alphas: np.ndarray, betas: np.ndarray, slope: float, prices: Prices,
                 published: bool = False) -> np.ndarray:
    """The expected cost of every pair of levels on ``points``, thresholds from ``scores``: float64 [A, B]."""
    threshold = published_threshold if published else exact_threshold
    q_single = [threshold(scores, a) for a in alphas.tolist()]
    q_silent = [threshold(scores, b) for b in betas.tolist()]
    return np.array([[tally(points, chances(points.doubt, s, q, slope), q).cost(prices) for q in q_silent] for s in q_single])
