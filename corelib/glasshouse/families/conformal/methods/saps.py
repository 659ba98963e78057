"""Sorted adaptive prediction sets. Huang, Xi, Zhang, Yao, Qiu, Wei 2024."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal import scores
from glasshouse.families.conformal._papers import MARGINAL
from glasshouse.families.conformal.cells import Cells
from glasshouse.families.conformal.interface import Randomized, Temperature
from glasshouse.families.conformal.tuning import smallest_sets
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class SAPS:
    """Only the largest probability is believed; below it, ranks alone count.

    s(x, y) = u p_max for the most probable label, p_max + (r - 2 + u) step for the label of rank r >= 2: the small probabilities of a
    miscalibrated tail no longer decide what enters. The step is to be chosen on points of its own: `calibrate(..., tune=alpha)` does as the
    authors' code, and takes from thirteen the one of the smallest sets on 20 % of the points. The default here is ours.
    """

    paper: ClassVar[Paper] = Paper("Conformal Prediction for Deep Classifier via Label Ranking", "Huang, Xi, Zhang, Yao, Qiu, Wei", 2024,
                                   arxiv="2310.06430", where="section 3.2, the score of sorted adaptive prediction sets")
    guarantee: ClassVar[Guarantee] = MARGINAL
    views: ClassVar[tuple[View, ...]] = (
        View("line", "The score a set goes up to", x="alpha", y="threshold", x_label="alpha", y_label="threshold"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Small steps", "What if a rank costs almost nothing?", {"step": 0.02, "alpha": 0.1}, problem="digits"),
        Preset("Nothing to see", "When noise hides the digits, does the ranking still help?", {"noise": 1.5, "alpha": 0.1}, problem="digits"))

    tuning_share: ClassVar[float] = 0.2
    tuned_knobs: ClassVar[tuple[str, ...]] = ("step",)
    steps: ClassVar[tuple[float, ...]] = (0.02, *(round(0.05 * i, 2) for i in range(1, 13)))

    step: Annotated[float, Ge(0.001), Le(2), Knob(cost="live", group="how it scores", step=0.001, help="what each further rank costs")] = 0.2
    randomized: Randomized = True
    temperature: Temperature = 1.0

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """u p_max, then p_max + (r - 2 + u) step."""
        return scores.saps(scores.tempered(probs, self.temperature), u if self.randomized else None, self.step, labels)

    def tuned(self, probs: np.ndarray, labels: np.ndarray, u: np.ndarray, alpha: Any) -> Self:
        """``step``: that of the smallest sets."""
        return smallest_sets([replace(self, step=s) for s in self.steps], probs, labels, u, alpha)

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]:
        return cells.curve()
