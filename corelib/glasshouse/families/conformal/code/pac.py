"""How many errors a calibration may show and still promise: the exact binomial test, which is Clopper and Pearson's bound read backwards.

Wilks 1941; Clopper and Pearson 1934; Park, Bastani, Matni, Lee 2020 for prediction sets.
"""

from __future__ import annotations

import math
import numbers
from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy.special import bdtr

from glasshouse.families.conformal.ranks import share
from glasshouse.schema.errors import bad_type, bad_value

CLOSE = 1e-9        # relative: nearer to delta than this, floating point does not decide


def most_errors(n: int, eps: float, delta: float) -> int | None:
    """k = max{h : P(Binomial(n, eps) <= h) <= delta}; None where not even 0 errors prove anything.

    A rule with an error rate above ``eps`` shows at most k errors in ``n`` independent cases with probability at most ``delta``. Numbers are
    read as the decimals that were written, as in `ranks.threshold_rank`, and ties are decided in rational arithmetic.

    >>> most_errors(100, 0.1, 0.1), most_errors(45, 0.1, 0.05), most_errors(21, 0.1, 0.1)
    (5, 0, None)

    Raises: BadType, BadValue naming the argument: n a whole number of at least 0, eps and delta above 0 and below 1.
    """
    if isinstance(n, bool) or not isinstance(n, numbers.Integral):
        raise bad_type("n", n, "a whole number, at least 0")
    if n < 0:
        raise bad_value("n", n, "a whole number, at least 0")
    return _most_errors(int(n), share("eps", eps), share("delta", delta))


def needed_points(eps: float, delta: float) -> int:
    """The least n with a finite promise: (1 - eps)^n <= delta.

    >>> needed_points(0.1, 0.1), needed_points(0.01, 0.01)
    (22, 459)
    """
    e, d = share("eps", eps), share("delta", delta)
    n = max(1, math.floor(math.log(d) / math.log1p(-float(e))) - 1)
    while (1 - e) ** n > d:
        n += 1
    return n


@lru_cache(maxsize=8192)
def _most_errors(n: int, eps: Fraction, delta: Fraction) -> int | None:
    h = np.arange(n + 1)
    below = bdtr(h, n, float(eps)) / float(delta)
    k = int(np.count_nonzero(below <= 1)) - 1
    for doubtful in h[np.abs(below - 1) < CLOSE].tolist():
        k = max(k, doubtful) if _cdf(n, doubtful, eps) <= delta else min(k, doubtful - 1)
    return k if k >= 0 else None


def _cdf(n: int, h: int, eps: Fraction) -> Fraction:
    """P(Binomial(n, eps) <= h), exactly."""
    return sum((math.comb(n, i) * eps**i * (1 - eps) ** (n - i) for i in range(h + 1)), Fraction(0))
