"""Weighted conformal prediction under covariate shift. Tibshirani, Barber, Candès, Ramdas 2019."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.drift.interface import Path, Series
from glasshouse.families.conformal.drift.limits import reached
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class Weighted:
    """Calibration points count as much as they resemble today's inputs, by the likelihood ratio w(x) = dP_test(x) / dP_calibration(x).

    The limit at x is the smallest score S_(j) with w_(1) + ... + w_(j) >= (1 - alpha)(sum_i w_i + w(x)), and infinite if even all of them do not
    reach it: where hardly any calibration point resembles the new one, nothing can be ruled out. With all weights equal this is split
    conformal prediction. The effective sample size (sum w)^2 / sum w^2 says how many equally weighted points they are worth.

    ``believed`` is the share of the true shift that the weights are made for: 0 ignores it, 1 knows it, 2 takes it for twice as large.
    """

    paper: ClassVar[Paper] = Paper("Conformal Prediction Under Covariate Shift", "Tibshirani, Barber, Candès, Ramdas", 2019,
                                   arxiv="1904.06019", where="section 2, Corollary 1; in its split form")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "marginal", "At every step, the interval holds the truth with probability at least 1 - alpha.",
        assumptions=("only the law of x changes, never that of y given x", "the likelihood ratio is known",
                     "calibration points are independent draws", "the forecast was not fitted to them"),
        scope="on average over calibration samples and points of that step")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What the calibration points are still worth", x="step", y="effective", x_label="step", y_label="effective points",
             note="Equally weighted points that would be worth as much."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Too far", "What is left when the inputs leave all calibration points behind?", {"strength": 3.0, "alpha": 0.1},
               problem="drifting-covariate"),
        Preset("Blind", "What if the weights ignore the drift?", {"believed": 0.0, "alpha": 0.1}, problem="drifting-covariate"),
        Preset("Overcorrected", "And if they believe in twice the drift?", {"believed": 2.0, "alpha": 0.1}, problem="drifting-covariate"),
        Preset("The wrong cure", "Can weights help when the noise changes?", {"factor": 3.0, "alpha": 0.1}, problem="noisy-period"))

    believed: Annotated[float, Ge(0), Le(2), Knob(cost="live", group="how it adapts", step=0.1, label="shift that is believed",
                                                  help="as a share of the true one: 1 knows it exactly, 0 ignores it")] = 1.0

    def begin(self, series: Series) -> Mapping[str, np.ndarray]:
        """Cumulative weights of the sorted calibration points for every step [T, n], what they must reach [T], their effective number [T]."""
        shift = self.believed * series.shift
        w = np.exp(shift[:, None] * series.calibration_x[None, :] - (shift**2)[:, None] / 2)
        own = np.exp(shift * series.x - shift**2 / 2)
        cumulative = np.cumsum(w, axis=1)
        square = (w**2).sum(axis=1)
        worth = np.divide(cumulative[:, -1] ** 2, square, out=np.zeros(len(shift)), where=square > 0)
        return {"cumulative": cumulative, "whole": cumulative[:, -1] + own, "effective": worth}

    def follow(self, series: Series, state: Mapping[str, np.ndarray], alpha: Fraction) -> Path:
        """The score at the first place at which the cumulative weight reaches its share."""
        limit = reached(series.calibration_scores, state["cumulative"], state["whole"], alpha)
        return Path(limit, np.full(len(limit), float(alpha)))

    def weights(self, series: Series, state: Mapping[str, np.ndarray], t: int) -> np.ndarray:
        """Each calibration point's weight at step t, by ascending score, their mean 1."""
        w: np.ndarray = np.diff(state["cumulative"][t], prepend=0.0)
        mean = float(w.mean())
        return w / mean if mean > 0 else w

    def bound(self, alpha: float, steps: int) -> float:
        return math.nan

    def promised(self, series: Series) -> Guarantee:
        if not series.same_given_x:
            return self.guarantee.downgraded("none", "What changes here is the law of y given x: weights for x promise nothing.")
        if self.believed != 1.0 and series.shift.any():
            return self.guarantee.downgraded("heuristic", "The weights are made for another shift than the true one: nothing is promised.")
        return self.guarantee

    def extra(self, series: Series, state: Mapping[str, np.ndarray], path: Path) -> Mapping[str, np.ndarray]:
        return {"step": np.arange(1.0, len(path.limit) + 1), "effective": state["effective"]}
