"""Full conformal prediction for any estimator: a fit for every candidate target. Chen, Chun, Barber 2018, arXiv 1709.06233."""

from __future__ import annotations

import numpy as np

from glasshouse.families.conformal.intervals.estimators import fitted, forecast
from glasshouse.families.conformal.intervals.interface import Estimator, Rule
from glasshouse.families.conformal.intervals.ladders import Ordered


def by_refits(model: Estimator, x: np.ndarray, y: np.ndarray, candidates: np.ndarray) -> Rule:
    """Models learn targets rounded to the nearest of ``candidates`` [G], ascending; residuals are of the targets as they are.

    A target y that is rounded to candidate c is kept where |y - f_c(x)| is at most the k-th smallest |y_i - f_c(x_i)|, f_c fitted to all
    points with the new one at c. The fit with the true target's candidate treats all n + 1 points alike, so coverage is at least 1 - alpha
    whatever the candidates, between them and beyond too; many give short intervals. An interval is the hull of what is kept. G fits a point.
    """
    between = (candidates[1:] + candidates[:-1]) / 2
    first, last = np.append(-np.inf, between), np.append(between, np.inf)       # what is rounded to each
    rounded = candidates[np.searchsorted(between, y)]

    def at(new: np.ndarray) -> Ordered:
        lower, upper = np.full((len(new), len(y)), np.inf), np.full((len(new), len(y)), -np.inf)
        for j, point in enumerate(new):
            both = np.vstack((x, point))
            for candidate, start, end in zip(candidates, first, last, strict=True):
                f = forecast(fitted(model, both, np.append(rounded, candidate)), both)
                error = np.sort(np.abs(y - f[:-1]))
                low, high = np.maximum(f[-1] - error, start), np.minimum(f[-1] + error, end)
                some = low <= high
                lower[j, some], upper[j, some] = np.minimum(lower[j, some], low[some]), np.maximum(upper[j, some], high[some])
        return Ordered(lower[:, ::-1], upper)

    own = fitted(model, x, rounded)
    return Rule(np.sort(np.abs(y - forecast(own, x))), at, lambda new: forecast(own, new), {})


def statement(n: int, candidates: int) -> str:
    """What this promises, in one sentence."""
    return (f"With {n} points and a fit for each of {candidates} candidates, an interval holds the truth with probability at least 1 - alpha, "
            "also where the truth lies between or beyond the candidates.")
