"""Adaptive prediction sets. Romano, Sesia, Candès 2020."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glasshouse.families.conformal import scores
from glasshouse.families.conformal._papers import MARGINAL
from glasshouse.families.conformal.cells import Cells
from glasshouse.families.conformal.interface import Randomized, Temperature
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class APS:
    """A label is as strange as the probability of all labels ranked before it, and of a random share u of its own.

    s(x, y) = rho(x, y) + u p(y | x), rho the mass of the labels with larger p, u ~ Unif(0, 1), one for all labels of a row. When p is the
    true law, s of the true label is Unif(0, 1) at every x: the sets adapt, large where the model is unsure. Without randomness
    u = 1: a label counts its own mass, sets get larger, and the most probable label is left out where its p alone passes the threshold.

    ``temperature`` T reads the model as softmax(logits / T).
    """

    paper: ClassVar[Paper] = Paper("Classification with Valid and Adaptive Coverage", "Romano, Sesia, Candès", 2020, arxiv="2006.02544",
                                   where="section 2; calibrated by split conformal")
    guarantee: ClassVar[Guarantee] = MARGINAL
    views: ClassVar[tuple[View, ...]] = (
        View("line", "The mass a set collects", x="alpha", y="threshold", x_label="alpha", y_label="threshold",
             note="A model that knows its own law would draw the diagonal 1 - alpha."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Half a label", "What does the random share save?", {"randomized": False, "alpha": 0.1}, problem="digits"),
        Preset("Sure of itself", "If the model is made too sure, what happens to the sets?", {"temperature": 0.3, "alpha": 0.1}, problem="digits"))

    randomized: Randomized = True
    temperature: Temperature = 1.0

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """rho + u p of every label."""
        return scores.aps(scores.tempered(probs, self.temperature), u if self.randomized else None, labels)

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]:
        return cells.curve()
