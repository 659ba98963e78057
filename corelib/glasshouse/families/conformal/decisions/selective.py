"""Selective answering: what is risked when only the surest points are answered, and a bound on a risk that was counted.

Chow 1970; risk-coverage curve and its area as in Geifman and El-Yaniv 2017; the bound is Clopper and Pearson's, 1934.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaincinv

from glasshouse.schema.errors import bad_value


def risk_curve(confidence: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Share of wrong answers among the k surest points, k = 1 .. m: float64 [m]. Equal confidences stay in the order given.

    ``confidence`` float [m], ``right`` bool [m].

    >>> risk_curve(np.array([0.9, 0.2, 0.6, 0.5]), np.array([True, False, False, True])).tolist()
    [0.0, 0.5, 0.3333333333333333, 0.5]
    """
    order = np.argsort(-confidence, kind="stable")
    risk: np.ndarray = np.cumsum(~right[order]) / np.arange(1, len(right) + 1)
    return risk


def area(risk: np.ndarray) -> float:
    """AURC: the mean of a risk curve over the coverages 1/m .. 1; NaN without points."""
    return float(risk.mean()) if len(risk) else math.nan


def at_coverage(risk: np.ndarray, coverage: float) -> float:
    """The curve's risk where a share ``coverage`` is answered, rounded to whole points; NaN where that is none."""
    k = round(coverage * len(risk))
    return float(risk[k - 1]) if k else math.nan


def risk_bound(errors: int, answered: int, delta: float) -> float:
    """The largest risk that ``errors`` wrong among ``answered`` independent answers leave plausible at level ``delta``.

    The least R with P(Binomial(answered, R) <= errors) <= delta: whatever the true risk is, the bound is below it with probability at
    most delta. 1 where nothing was answered, or all of it wrongly.

    Raises: BadValue for a delta outside (0, 1), or more errors than answers.
    """
    if not 0 < delta < 1:
        raise bad_value("delta", delta, "a number above 0 and below 1")
    if not 0 <= errors <= answered:
        raise bad_value("errors", errors, f"a whole number from 0 to {answered}, the answers given")
    return 1.0 if errors == answered else float(betaincinv(errors + 1, answered - errors, 1 - delta))
