"""Conformalized quantile regression. Romano, Patterson, Candès 2019."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal._papers import INTERVAL_MARGINAL
from glasshouse.families.conformal.intervals.interface import Estimator, FitShare, Penalty
from glasshouse.families.conformal.intervals.quantiles import LinearQuantile
from glasshouse.families.conformal.intervals.rules import split_statement
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class CQR:
    """Two models learn a low and a high quantile of y at each x; calibration then moves both by one and the same amount.

    E_i = max{q_lo(x_i) - y_i, y_i - q_hi(x_i)} is how far y_i lies outside the raw band, negative inside; Q is the
    ceil((n + 1)(1 - alpha))-th smallest E_i and the interval is [q_lo(x) - Q, q_hi(x) + Q]. Q may be negative: a raw band that was too wide
    shrinks, and where it was narrower than -2 Q the interval is empty. Ends are never swapped, nor where the two quantiles cross.

    The quantile levels are knobs, so alpha moves without learning anew: the promise holds for any levels, the width is best near
    ``aim`` = alpha. The models here are linear in the features, by linear programming with a small L1 penalty (ours).
    """

    paper: ClassVar[Paper] = Paper("Conformalized Quantile Regression", "Romano, Patterson, Candès", 2019, arxiv="1905.03222",
                                   where="Algorithm 1")
    guarantee: ClassVar[Guarantee] = INTERVAL_MARGINAL
    views: ClassVar[tuple[View, ...]] = (
        View("scatter", "How far outside the raw band", x="at", y="outside", x_label="x (first measurement) of the point", y_label="score",
             note="Below 0: inside the band of the two quantile models."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Raw band too wide", "Can calibration also shrink a band?", {"aim": 0.02, "alpha": 0.3}, problem="curve"),
        Preset("Aiming at the middle", "Do poor quantiles break the promise, or only the width?", {"aim": 0.9, "alpha": 0.1}, problem="curve"))

    has_threshold: ClassVar[bool] = True
    columns: ClassVar[int] = 2

    aim: Annotated[float, Ge(0.02), Le(0.9), Knob(
        cost="live", group="how it learns", label="quantiles aim to miss", step=0.02,
        help="the two models learn the quantiles aim/2 and 1 - aim/2 of y at each x")] = 0.1
    fit_share: FitShare = 0.5
    penalty: Penalty = 0.1

    def train(self, x: np.ndarray, y: np.ndarray, model: Estimator) -> Callable[[np.ndarray], np.ndarray]:
        """``model`` is a mean regressor and not used."""
        both = [LinearQuantile(level, self.penalty).fit(x, y) for level in (self.aim / 2, 1 - self.aim / 2)]
        return lambda new: np.stack([q.predict(new) for q in both], axis=1)

    def scores(self, forecasts: np.ndarray, y: np.ndarray) -> np.ndarray:
        """max{q_lo - y, y - q_hi}: negative inside the raw band."""
        outside: np.ndarray = np.maximum(forecasts[:, 0] - y, y - forecasts[:, 1])
        return outside

    def base(self, forecasts: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        return forecasts[:, 0], forecasts[:, 1], 1.0

    def extra(self, forecasts: np.ndarray, y: np.ndarray, shown_at: np.ndarray) -> Mapping[str, np.ndarray]:
        return {"at": shown_at, "outside": self.scores(forecasts, y)}

    def claim(self, n: int) -> tuple[int, float]:
        return 1, 0.0

    def statement(self, n: int) -> str:
        return split_statement(n)
