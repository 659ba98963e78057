"""Exact ranks: the threshold's place among the scores, and every test label's place, so that any alpha is a comparison of
whole numbers. Vovk, Gammerman, Shafer 2005; Lei et al. 2018.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.schema.errors import bad_type, bad_value


def miscoverage(alpha: Any) -> Fraction:
    """``alpha`` as the decimal that was written: 0.1 is 1/10, not its binary neighbour.

    Raises: BadValue outside (0, 1) and for NaN; BadType for what is no number.
    """
    return share("alpha", alpha)


def share(argument: str, given: Any) -> Fraction:
    """``given`` as the decimal that was written. Raises: BadType, BadValue outside (0, 1), naming ``argument``."""
    allowed = "a number above 0 and below 1, such as 0.1"
    if isinstance(given, bool) or not isinstance(given, (numbers.Real, Decimal)):
        raise bad_type(argument, given, allowed)
    if not (given.is_finite() if isinstance(given, Decimal) else math.isfinite(given)):
        raise bad_value(argument, given, allowed)
    exact = Fraction(given) if isinstance(given, (numbers.Rational, Decimal)) else Fraction(str(given))     # a float32 has its own decimal
    if not 0 < exact < 1:
        raise bad_value(argument, given, allowed)
    return exact


def threshold_rank(n: int, alpha: Any) -> int:
    """k = ceil((n + 1)(1 - alpha)) in rational arithmetic, from 1 to n + 1; n + 1 stands for an infinite threshold.

    >>> threshold_rank(9, 0.7), threshold_rank(8, 0.1)
    (3, 9)
    """
    return math.ceil((n + 1) * (1 - miscoverage(alpha)))


def threshold_ranks(n: np.ndarray, alpha: Any) -> np.ndarray:
    """`threshold_rank` of each of ``n`` int64 [cells], int64."""
    a, b = (1 - miscoverage(alpha)).as_integer_ratio()
    if (int(n.max(initial=0)) + 1) * b < 2**63:
        found: np.ndarray = -(-(n + 1) * a // b)
        return found
    return np.array([-(-(count + 1) * a // b) for count in n.tolist()], np.int64)


def kth(ascending: np.ndarray, k: int) -> float:
    """S_(k) of ``ascending`` scores [n]; infinite for k > n."""
    return float(ascending[k - 1]) if k <= len(ascending) else math.inf


def needed_points(alpha: Any) -> int:
    """The least n with a finite threshold: ceil(1 / alpha) - 1."""
    return math.ceil(1 / miscoverage(alpha)) - 1


@dataclass(frozen=True, eq=False)
class Ranks:
    """Test labels ranked once; sets for any alpha follow without touching a score.

    ``ranks`` [m, K] of the smallest unsigned type: R = #{calibration scores strictly below}. With S_(k) the threshold,
    s <= S_(k) is R <= k - 1 exactly, also with ties. ``n`` is the number of calibration points, int64 [cells] where there are several
    cells; ``cell`` then says which a label is ranked in, int64 [m, 1] or [1, K].
    """

    ranks: np.ndarray
    n: int | np.ndarray
    cell: np.ndarray | None = None

    def sets(self, alpha: float, out: np.ndarray | None = None) -> np.ndarray:
        """bool [m, K]: the labels in each set. ``out`` bool [m, K] is filled and returned where given.

        Raises: BadType for an ``out`` of another shape or dtype.
        """
        if out is not None and (not isinstance(out, np.ndarray) or out.shape != self.ranks.shape or out.dtype != np.bool_):
            raise bad_type("out", out, f"a bool array of shape {list(self.ranks.shape)}")
        inside: np.ndarray = np.less(self.ranks, self._limit(alpha), out=out)
        return inside

    def sizes(self, alpha: float) -> np.ndarray:
        """int64 [m]: how many labels each set holds."""
        sizes: np.ndarray = np.count_nonzero(self.sets(alpha), axis=1)
        return sizes

    def p_values(self) -> np.ndarray:
        """float64 [m, K]: p = (1 + #{s_i >= s}) / (n + 1); a label is in the set at alpha exactly where p > alpha."""
        total = self._each(self.n) + 1.0
        at_least: np.ndarray = total - self.ranks
        at_least /= total
        return at_least

    def _limit(self, alpha: float) -> Any:
        """k of every label's cell, in the type of the ranks."""
        return self._each(threshold_ranks(np.atleast_1d(self.n), alpha).astype(self.ranks.dtype))

    def _each(self, by_cell: Any) -> Any:
        """What a cell has, for every label: broadcasts with the ranks."""
        return np.atleast_1d(by_cell)[0 if self.cell is None else self.cell]


def rank(sorted_scores: np.ndarray, scores: np.ndarray) -> Ranks:
    """Ranks ``scores`` [m, K] among ``sorted_scores`` [n], both float64. NaN has rank 0: what cannot be scored stays in the set."""
    n, flat = len(sorted_scores), scores.ravel()
    found = np.empty(len(flat), np.min_scalar_type(n + 1))
    look_up = _LookUp(sorted_scores) if n > 1 and len(flat) > MANY else None
    for start in range(0, len(flat), MANY):
        part = flat[start:start + MANY]
        bad = np.isnan(part)
        if bad.any():
            part = np.where(bad, -np.inf, part)
        places = np.searchsorted(sorted_scores, part, side="left") if look_up is None else look_up(part)
        if bad.any():
            places[bad] = 0
        found[start:start + MANY] = places
    return Ranks(found.reshape(scores.shape), n)


MANY = 1 << 16          # scores ranked at a time: what is needed for them stays in the cache
BUCKETS = 1 << 16


class _LookUp:
    """Ranks by a table over equal intervals of the range that most scores lie in, several times as fast as bisection, and as exact.

    The interval of a score is a monotone function of it, rounding included: calibration scores in lower intervals are below it, those
    in higher ones are not, and only those in its own are compared.
    """

    def __init__(self, known: np.ndarray) -> None:
        self.known = known
        finite = known[np.isfinite(known)]
        self.low, high = (float(finite[0]), float(finite[-1])) if len(finite) else (0.0, 0.0)
        if len(finite):         # a long tail would leave most scores a few intervals: what lies in it is bisected
            a, b = (float(finite[len(finite) * i // 4]) for i in (1, 3))
            self.low, high = max(self.low, a - 3 * (b - a)), min(high, b + 3 * (b - a))
        self.scale = (BUCKETS - 1) / (high - self.low) if high > self.low else 0.0
        if not np.isfinite(self.scale):
            self.scale = 0.0
        place = self._place(known)
        self.below = np.searchsorted(place, np.arange(BUCKETS)).astype(np.int32)
        self.several = np.bincount(place, minlength=BUCKETS) > 1
        self.next = np.append(known, np.inf)

    def _place(self, scores: np.ndarray) -> np.ndarray:
        if not self.scale:
            return np.zeros(len(scores), np.int32)
        with np.errstate(over="ignore"):        # an infinite score lies at an end; NaN is dealt with by the caller
            place = (scores - self.low) * self.scale
        return np.clip(place, 0, BUCKETS - 1, out=place).astype(np.int32)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        place = self._place(scores)
        found: np.ndarray = self.below[place]
        found += self.next[found] < scores
        crowded = np.flatnonzero(self.several[place])
        found[crowded] = np.searchsorted(self.known, scores[crowded], side="left")
        return found
