"""Least ambiguous set-valued classifiers. Sadinle, Lei, Wasserman 2019."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glasshouse.families.conformal import scores
from glasshouse.families.conformal._papers import MARGINAL
from glasshouse.families.conformal.cells import Cells
from glasshouse.families.conformal.interface import Temperature
from glasshouse.schema.guarantee import Guarantee
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
    guarantee: ClassVar[Guarantee] = MARGINAL
    views: ClassVar[tuple[View, ...]] = (
        View("line", "The probability a label needs to enter", x="alpha", y="needed", x_label="alpha", y_label="1 - threshold",
             note="The lower it is, the more labels enter."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Nine points", "What does a promise of 95 % cost when only nine images calibrate it?",
               {"calibration_size": 9, "alpha": 0.05}, problem="digits"),
        Preset("Hot model", "If the model is made far less sure, do the sets grow?", {"temperature": 4.0, "alpha": 0.1}, problem="digits"),
        Preset("Nothing to see", "When noise hides the digits, what does the promise still hold?",
               {"noise": 1.5, "alpha": 0.1}, problem="digits"))

    temperature: Temperature = 1.0

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """1 - p of every label."""
        return scores.lac(scores.tempered(probs, self.temperature), labels)

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]:
        curve = cells.curve()
        return {"alpha": curve["alpha"], "needed": 1.0 - curve["threshold"]}
