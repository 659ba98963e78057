"""Regularised adaptive prediction sets. Angelopoulos, Bates, Malik, Jordan 2021."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal import scores
from glasshouse.families.conformal._papers import MARGINAL
from glasshouse.families.conformal.cells import Cells
from glasshouse.families.conformal.interface import Randomized, Temperature
from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.families.conformal.tuning import smallest_sets
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class RAPS:
    """APS with a price on rank: each label beyond the first ``free`` costs ``penalty`` more, so that long tails stay out.

    s(x, y) = rho(x, y) + u p(y | x) + penalty max(0, r - free), r the rank of y. With penalty 0 it is APS. Penalty and free rank are to be
    chosen on points of their own: chosen on the calibration points they void the promise. `calibrate(..., tune=alpha)` does as the authors'
    code: on 30 % of the points, ``free`` is the 1 - alpha quantile of the true label's rank, and ``penalty`` the one of five that gives the
    smallest sets. The defaults here are ours.
    """

    paper: ClassVar[Paper] = Paper("Uncertainty Sets for Image Classifiers using Conformal Prediction",
                                   "Angelopoulos, Bates, Malik, Jordan", 2021, arxiv="2009.14193", where="Alg. 2 and 3")
    guarantee: ClassVar[Guarantee] = MARGINAL
    views: ClassVar[tuple[View, ...]] = (
        View("line", "The score a set goes up to", x="alpha", y="threshold", x_label="alpha", y_label="threshold"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("No price", "What is RAPS without its price?", {"penalty": 0.0, "alpha": 0.1}, problem="digits"),
        Preset("A high price", "Who pays when no set may be large?", {"penalty": 1.0, "free": 1, "alpha": 0.1}, problem="digits"))

    tuning_share: ClassVar[float] = 0.3
    tuned_knobs: ClassVar[tuple[str, ...]] = ("penalty", "free")
    penalties: ClassVar[tuple[float, ...]] = (0.001, 0.01, 0.1, 0.2, 0.5)

    penalty: Annotated[float, Ge(0), Le(2), Knob(cost="live", group="how it scores", step=0.01,
                                                 help="added for each rank beyond the free ones")] = 0.1
    free: Annotated[int, Ge(0), Le(50), Knob(cost="live", group="how it scores", unit="labels", label="free ranks")] = 2
    randomized: Randomized = True
    temperature: Temperature = 1.0

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """rho + u p + penalty max(0, r - free) of every label."""
        return scores.raps(scores.tempered(probs, self.temperature), u if self.randomized else None, self.penalty, self.free, labels)

    def tuned(self, probs: np.ndarray, labels: np.ndarray, u: np.ndarray, alpha: Any) -> Self:
        """``free``: the higher 1 - alpha quantile of the true labels' ranks; ``penalty``: that of the smallest sets."""
        ranks = np.sort(scores.rank_of(probs, labels))
        free = int(ranks[ceil((len(ranks) - 1) * (1 - miscoverage(alpha)))])
        return smallest_sets([replace(self, free=free, penalty=p) for p in self.penalties], probs, labels, u, alpha)

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]:
        return cells.curve()
