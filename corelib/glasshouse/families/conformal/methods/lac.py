"""Least ambiguous set-valued classifiers. Sadinle, Lei, Wasserman 2019."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class LAC:
    """A label is as strange as it is improbable: s(x, y) = 1 - p(y | x).

    Thresholding the probability gives the smallest sets on average among all of the same total coverage, when p is the true
    law. Among conformal scores it is also called THR or HPS. The price: hard points get small or empty sets, easy ones large.

    ``temperature`` T reads the model as p^(1/T), normalised: softmax(logits / T). It is chosen before calibration, so the
    promise holds at any T.
    """

    paper: ClassVar[Paper] = Paper("Least Ambiguous Set-Valued Classifiers with Bounded Error Levels",
                                   "Sadinle, Lei, Wasserman", 2019, arxiv="1609.00451", doi="10.1080/01621459.2017.1395341",
                                   where="section 2, total coverage; calibrated by split conformal")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "marginal", "A set holds the true label with probability at least 1 - alpha.",
        assumptions=("calibration and test points are exchangeable", "the model was not trained on them",
                     "alpha and the knobs were chosen without looking at the calibration points"),
        scope="on average over calibration sets and test points, not for each image or class")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "The probability a label needs to enter", x="alpha", y="needed", x_label="alpha", y_label="1 - threshold",
             note="The lower it is, the more labels enter."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Nine points", "What does a promise of 95 % cost when only nine images calibrate it?",
               {"calibration_size": 9, "alpha": 0.05}, problem="digits"),
        Preset("Hot model", "If the model is made far less sure, do the sets grow?", {"temperature": 4.0, "alpha": 0.1}, problem="digits"),
        Preset("Nothing to see", "When noise hides the digits, what does the promise still hold?",
               {"noise": 1.5, "alpha": 0.1}, problem="digits"))

    temperature: Annotated[float, Ge(0.05), Le(20), Knob(
        cost="live", group="how it scores", step=0.05, log=True, help="above 1 the model is made less sure, below 1 more")] = 1.0

    def score(self, probs: np.ndarray) -> np.ndarray:
        """``probs`` float64 [n, K] -> 1 - p of every label, float64 [n, K]."""
        if self.temperature == 1.0:
            return 1.0 - probs
        cooled = (probs / probs.max(axis=1, keepdims=True)) ** (1.0 / self.temperature)
        result: np.ndarray = 1.0 - cooled / cooled.sum(axis=1, keepdims=True)
        return result

    def extra(self, scores: np.ndarray) -> Mapping[str, np.ndarray]:
        """The curve alpha -> 1 - S_(k) at its steps, alpha = 1 - k / (n + 1), alpha ascending."""
        n = len(scores)
        return {"alpha": 1.0 - np.arange(n, 0, -1) / (n + 1), "needed": 1.0 - scores[::-1]}
