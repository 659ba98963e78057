"""Full conformal prediction with ridge regression. Vovk, Gammerman, Shafer 2005."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glasshouse.families.conformal.intervals.estimators import fitted, forecast, one_more, require_linear
from glasshouse.families.conformal.intervals.interface import Estimator, Penalty, Rule
from glasshouse.families.conformal.intervals.ladders import Ladder, Ordered
from glasshouse.families.conformal.intervals.ridge import OneMore, Ridge
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class Full:
    """Every candidate y joins the data, the model is fitted anew, and y stays if its residual is not among the largest.

    p(y) = (1 + #{i: |r_i(y)| >= |r_{n+1}(y)|}) / (n + 1), the interval holds all y with p(y) > alpha. Ridge residuals are straight lines in
    y, so each point i has two values of y at which it ties with the candidate: the exact set follows from sorting them, with no grid
    of candidates. Where the set has gaps, which takes a test point of great leverage, the interval is its hull.
    """

    paper: ClassVar[Paper] = Paper("Algorithmic Learning in a Random World", "Vovk, Gammerman, Shafer", 2005, doi="10.1007/b106715",
                                   where="section 2.3, ridge regression confidence machine")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "marginal", "An interval holds the truth with probability at least 1 - alpha.",
        assumptions=("labelled and test points are exchangeable", "the model treats its points alike, whatever their order",
                     "alpha and the knobs were chosen without looking at these points"),
        scope="on average over labelled sets and test points, not at each x")
    views: ClassVar[tuple[View, ...]] = (
        View("scatter", "How far one candidate bends the model", x="at", y="stretch", x_label="x (first measurement) of the point", y_label="stretch",
             note="2: a candidate 1 away leaves a residual of 1/2 only, so it needs twice the distance to look strange."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("All points, full promise", "What does it give that splitting cannot?", {"labelled": 40, "alpha": 0.1}, problem="curve"),
        Preset("A model that follows anything", "Where are intervals widest when one point bends the curve?",
               {"labelled": 40, "bumps": 20, "penalty": 0.001}, problem="curve"))
    has_threshold: ClassVar[bool] = False

    penalty: Penalty = 0.1

    def learn(self, x: np.ndarray, y: np.ndarray, model: Estimator, seeds: Seeds, shown_at: np.ndarray) -> Iterator[Progress | Rule]:
        def at(new: np.ndarray) -> Ladder:
            return ties(one_more(model, x, y, new))

        require_linear(model, x, y)
        own = fitted(model, x, y)
        extra = {"at": shown_at, "stretch": model.with_one_more(x, y, x).stretch} if type(model) is Ridge else {}
        yield Rule(np.sort(np.abs(y - forecast(own, x))), at, lambda new: forecast(own, new), extra)

    def claim(self, n: int) -> tuple[int, float]:
        return 1, 0.0

    def statement(self, n: int) -> str:
        return (f"With {n} points, an interval holds the truth with probability at least 1 - alpha and, where residuals do not tie and the set "
                f"has no gaps, at most 1 - alpha + {1 / (n + 1):.3g}.")


def ties(lines: OneMore) -> Ordered:
    """The hulls of {y: at least l points are as strange as the candidate}, for every l.

    Point i is so where |r_i - g_i t| >= |t|: for |g_i| < 1 between t = r_i / (1 + g_i) and t = -r_i / (1 - g_i), which lie around t = 0. If
    all are, the sets are nested intervals around 0 and their ends the sorted ties. Otherwise some are two half-lines: counted.
    """
    r, g = lines.residuals, lines.pull
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = r / (1 + g), -r / (1 - g)
    low, high = np.fmin(one, other), np.fmax(one, other)
    lower, upper = np.sort(low, axis=1), np.sort(high, axis=1)
    for j in np.flatnonzero((np.abs(g) >= 1).any(axis=1)):
        lower[j], upper[j] = _counted(low[j], high[j], (np.abs(g[j]) > 1) & (r[j] != 0), (np.abs(g[j]) >= 1) & (r[j] == 0))
    centre, stretch = lines.centre[:, None], lines.stretch[:, None]
    return Ordered(centre + stretch * lower, centre + stretch * upper)


def _counted(low: np.ndarray, high: np.ndarray, outside: np.ndarray, everywhere: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper) [n], ascending: first and last t that lie in at least l of the closed sets, l from 1 for lower and from n for upper.

    A set is [low, high], where ``outside`` the half-lines up to low and from high, where ``everywhere`` the whole line.
    """
    low, high = np.where(everywhere, -np.inf, low), np.where(everywhere, np.inf, high)
    starts = np.sort(np.concatenate((np.where(outside, -np.inf, low), high[outside])))
    ends = np.sort(np.concatenate((np.where(outside, np.inf, high), low[outside])))
    count_at_start = np.searchsorted(starts, starts, side="right") - np.searchsorted(ends, starts, side="left")
    count_at_end = np.searchsorted(starts, ends, side="right") - np.searchsorted(ends, ends, side="left")
    from_left = np.maximum.accumulate(count_at_start)
    from_right = np.maximum.accumulate(count_at_end[::-1])
    at_least = np.arange(1, len(low) + 1)
    return starts[np.searchsorted(from_left, at_least)], ends[::-1][np.searchsorted(from_right, at_least)][::-1]
