"""Exact ranks: the threshold's place among the scores, and every test label's place, so that any alpha is a comparison of
whole numbers. Vovk, Gammerman, Shafer 2005; Lei et al. 2018.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.schema.errors import bad_type, bad_value


def miscoverage(alpha: Any) -> Fraction:
    """``alpha`` as the decimal that was written: 0.1 is 1/10, not its binary neighbour.

    Raises: BadValue outside (0, 1) and for NaN; BadType for what is no number.
    """
    allowed = "a number above 0 and below 1, such as 0.1"
    if isinstance(alpha, bool) or not isinstance(alpha, numbers.Real):
        raise bad_type("alpha", alpha, allowed)
    if not 0 < float(alpha) < 1:
        raise bad_value("alpha", alpha, allowed)
    return Fraction(alpha) if isinstance(alpha, numbers.Rational) else Fraction(repr(float(alpha)))


def threshold_rank(n: int, alpha: Any) -> int:
    """k = ceil((n + 1)(1 - alpha)) in rational arithmetic, from 1 to n + 1; n + 1 stands for an infinite threshold.

    >>> threshold_rank(9, 0.7), threshold_rank(8, 0.1)
    (3, 9)
    """
    return math.ceil((n + 1) * (1 - miscoverage(alpha)))


def needed_points(alpha: Any) -> int:
    """The least n with a finite threshold: ceil(1 / alpha) - 1."""
    return math.ceil(1 / miscoverage(alpha)) - 1


@dataclass(frozen=True, eq=False)
class Ranks:
    """Test labels ranked once; sets for any alpha follow without touching a score.

    ``ranks`` [m, K] of the smallest unsigned type: R = #{calibration scores strictly below}. With S_(k) the threshold,
    s <= S_(k) is R <= k - 1 exactly, also with ties.
    """

    ranks: np.ndarray
    n: int

    def sets(self, alpha: float, out: np.ndarray | None = None) -> np.ndarray:
        """bool [m, K]: the labels in each set. ``out`` bool [m, K] is filled and returned where given.

        Raises: BadType for an ``out`` of another shape or dtype.
        """
        if out is not None and (not isinstance(out, np.ndarray) or out.shape != self.ranks.shape or out.dtype != np.bool_):
            raise bad_type("out", out, f"a bool array of shape {list(self.ranks.shape)}")
        inside: np.ndarray = np.less(self.ranks, self.ranks.dtype.type(threshold_rank(self.n, alpha)), out=out)
        return inside

    def sizes(self, alpha: float) -> np.ndarray:
        """int64 [m]: how many labels each set holds."""
        sizes: np.ndarray = np.count_nonzero(self.sets(alpha), axis=1)
        return sizes

    def p_values(self) -> np.ndarray:
        """float64 [m, K]: p = (1 + #{s_i >= s}) / (n + 1); a label is in the set at alpha exactly where p > alpha."""
        at_least: np.ndarray = self.n + 1.0 - self.ranks
        at_least /= self.n + 1.0
        return at_least


def rank(sorted_scores: np.ndarray, scores: np.ndarray) -> Ranks:
    """Ranks ``scores`` [m, K] among ``sorted_scores`` [n]."""
    n = len(sorted_scores)
    found = np.searchsorted(sorted_scores, scores.ravel(), side="left").reshape(scores.shape)
    return Ranks(found.astype(np.min_scalar_type(n + 1)), n)
