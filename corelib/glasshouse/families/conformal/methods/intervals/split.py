"""Split conformal prediction for regression. Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from glasshouse.families.conformal._papers import INTERVAL_MARGINAL
from glasshouse.families.conformal.intervals.estimators import fitted, forecast
from glasshouse.families.conformal.intervals.interface import Estimator, FitShare, Penalty
from glasshouse.families.conformal.intervals.rules import split_statement
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

LEAST_SPREAD = 0.1      # of the mean absolute residual: below it a forecast of the spread is not believed


@dataclass(frozen=True)
class Split:
    """One half of the points trains the model, the other half measures how wrong it is.

    R_i = |y_i - f(x_i)| on the second half; the interval is f(x) -+ d, d the ceil((n + 1)(1 - alpha))-th smallest R_i. It is equally wide at
    every x. The normalised variant divides R_i by a forecast sigma(x_i) > 0 of the spread and gives f(x) -+ d sigma(x).

    sigma is learnt here by the same kind of model from the absolute residuals of the first half, and kept above a tenth of their mean (ours).
    """

    paper: ClassVar[Paper] = Paper(
        "Distribution-Free Predictive Inference for Regression", "Lei, G'Sell, Rinaldo, Tibshirani, Wasserman", 2018, arxiv="1604.04173",
        where="split conformal prediction; the normalised variant is its locally weighted one")
    guarantee: ClassVar[Guarantee] = INTERVAL_MARGINAL
    views: ClassVar[tuple[View, ...]] = (
        View("scatter", "How wrong the model was, and where", x="at", y="score", x_label="x (first measurement) of the point", y_label="score",
             note="One score for all x: it suits none where they fan out."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Same width everywhere", "Where does an equally wide band miss most?", {"residual": "absolute", "uneven": 1.0}, problem="curve"),
        Preset("Width that follows", "What changes once the spread is learnt too?", {"residual": "normalised", "uneven": 1.0}, problem="curve"),
        Preset("A bad model", "Does the promise break when the model is poor?", {"bumps": 2, "alpha": 0.1}, problem="curve"))

    has_threshold: ClassVar[bool] = True

    residual: Annotated[Literal["absolute", "normalised"], Knob(
        cost="live", group="how it learns", help="normalised: in units of the spread expected at that x")] = "absolute"
    fit_share: FitShare = 0.5
    penalty: Penalty = 0.1

    @property
    def columns(self) -> int:
        """One column of forecasts, or the forecast and the spread expected around it."""
        return 1 if self.residual == "absolute" else 2

    def train(self, x: np.ndarray, y: np.ndarray, model: Estimator) -> Callable[[np.ndarray], np.ndarray]:
        f = fitted(model, x, y)
        if self.residual == "absolute":
            return lambda new: forecast(f, new)[:, None]
        error = np.abs(y - forecast(f, x))
        sigma, least = fitted(model, x, error), max(LEAST_SPREAD * float(error.mean()), 1e-12)
        return lambda new: np.stack((forecast(f, new), np.maximum(forecast(sigma, new), least)), axis=1)

    def scores(self, forecasts: np.ndarray, y: np.ndarray) -> np.ndarray:
        """|y - f|, over sigma in the normalised variant."""
        error: np.ndarray = np.abs(y - forecasts[:, 0])
        return error if self.residual == "absolute" else error / forecasts[:, 1]

    def base(self, forecasts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | float]:
        f = forecasts[:, 0]
        return f, f, 1.0 if self.residual == "absolute" else forecasts[:, 1]

    def extra(self, forecasts: np.ndarray, y: np.ndarray, shown_at: np.ndarray) -> Mapping[str, np.ndarray]:
        return {"at": shown_at, "score": self.scores(forecasts, y)}

    def claim(self, n: int) -> tuple[int, float]:
        return 1, 0.0

    def statement(self, n: int) -> str:
        return split_statement(n)
