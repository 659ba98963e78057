"""The jackknife+. Barber, Candès, Ramdas, Tibshirani 2021."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glasshouse.families.conformal.intervals.estimators import LeftOut, fitted, forecast, one_by_one, plus
from glasshouse.families.conformal.intervals.interface import Estimator, Penalty, Rule
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class JackknifePlus:
    """Every point is judged by a model that never saw it, and every such model forecasts the new point.

    R_i = |y_i - f_{-i}(x_i)|. The interval goes from the floor(alpha (n + 1))-th smallest of f_{-i}(x) - R_i to the
    ceil((1 - alpha)(n + 1))-th smallest of f_{-i}(x) + R_i. All points train and all points calibrate; the proven coverage is 1 - 2 alpha,
    the usual one about 1 - alpha. With ridge regression all n models come from one fit.
    """

    paper: ClassVar[Paper] = Paper("Predictive inference with the jackknife+", "Barber, Candès, Ramdas, Tibshirani", 2021,
                                   arxiv="1905.02928", where="section 1.2; Theorem 1")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "marginal", "An interval holds the truth with probability at least 1 - 2 alpha; usually it is about 1 - alpha.",
        assumptions=("labelled and test points are exchangeable", "the model treats its points alike, whatever their order",
                     "alpha and the knobs were chosen without looking at these points"),
        scope="on average over labelled sets and test points, not at each x")
    views: ClassVar[tuple[View, ...]] = (
        View("scatter", "Errors on seen and on unseen points", x="seen", y="unseen", x_label="residual when learnt from",
             y_label="residual when left out", note="Above the diagonal: the model flatters itself on points it knows."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Few points", "What is gained by not giving half of the points away?", {"labelled": 40, "alpha": 0.1}, problem="curve"),
        Preset("Bends too easily", "How much does a model flatter itself on points it has seen?",
               {"labelled": 40, "bumps": 20, "penalty": 0.001}, problem="curve"))

    has_threshold: ClassVar[bool] = True

    penalty: Penalty = 0.1

    def learn(self, x: np.ndarray, y: np.ndarray, model: Estimator, seeds: Seeds, shown_at: np.ndarray) -> Iterator[Progress | Rule]:
        for item in one_by_one(model, x, y):
            if isinstance(item, LeftOut):
                seen = np.abs(y - forecast(fitted(model, x, y), x))
                yield plus(item, {"seen": seen, "unseen": np.abs(item.residuals)})
            else:
                yield item

    def claim(self, n: int) -> tuple[int, float]:
        return 2, 0.0

    def statement(self, n: int) -> str:
        return f"With {n} points, an interval holds the truth with probability at least 1 - 2 alpha; usually it is about 1 - alpha."
