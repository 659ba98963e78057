"""CV+. Barber, Candès, Ramdas, Tibshirani 2021."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.intervals.estimators import LeftOut, fold_by_fold, plus
from glasshouse.families.conformal.intervals.interface import Estimator, Penalty, Rule
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class CVPlus:
    """The jackknife+ with whole folds left out: K fits in place of n.

    S(i) is the fold of point i, R_i = |y_i - f_{-S(i)}(x_i)|. The interval goes from the floor(alpha (n + 1))-th smallest of
    f_{-S(i)}(x) - R_i to the ceil((1 - alpha)(n + 1))-th smallest of f_{-S(i)}(x) + R_i. With K = n it is the jackknife+.

    Folds are drawn at random and as equal as can be; there are at most as many as points.
    """

    paper: ClassVar[Paper] = Paper("Predictive inference with the jackknife+", "Barber, Candès, Ramdas, Tibshirani", 2021,
                                   arxiv="1905.02928", where="section 3; Theorem 4")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "marginal", "An interval holds the truth with probability at least 1 - 2 alpha, less a little that vanishes as points grow in number; "
        "usually it is about 1 - alpha.",
        assumptions=("labelled and test points are exchangeable", "the model treats its points alike, whatever their order",
                     "alpha and the knobs were chosen without looking at these points"),
        scope="on average over labelled sets and test points, not at each x")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "How wrong each fold's model was on it", x="fold", y="error", x_label="fold", y_label="mean residual",
             note="Each fold is judged by a model that never saw it."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Two folds", "What do two folds cost that ten do not?", {"folds": 2, "labelled": 60}, problem="curve"),
        Preset("One point a fold", "When is this the jackknife+?", {"folds": 60, "labelled": 60}, problem="curve"))

    has_threshold: ClassVar[bool] = True

    folds: Annotated[int, Ge(2), Le(400), Knob(
        cost="live", group="how it learns", help="the points are parted into so many; each part is judged by a model of the others")] = 10
    penalty: Penalty = 0.1

    def learn(self, x: np.ndarray, y: np.ndarray, model: Estimator, seeds: Seeds, shown_at: np.ndarray) -> Iterator[Progress | Rule]:
        fold = np.empty(len(y), np.int64)
        fold[seeds.numpy("folds").permutation(len(y))] = np.arange(len(y)) % self.parts(len(y))
        for item in fold_by_fold(model, x, y, fold):
            if isinstance(item, LeftOut):
                error = np.bincount(fold, np.abs(item.residuals)) / np.bincount(fold)
                yield plus(item, {"fold": np.array([str(k + 1) for k in range(len(error))]), "error": error})
            else:
                yield item

    def parts(self, n: int) -> int:
        """K: ``folds``, or one a point where there are fewer points."""
        return min(self.folds, n)

    def short_of(self, n: int) -> float:
        """By how much the proven coverage is below 1 - 2 alpha.

        Folds of one size: Theorem 4. Of several sizes (ours, and at one size the theorem's first term): within fold j of n_j points,
        p_j = (1 + #{i in it: R_i >= R of the new point}) / (n_j + 1) is a p-value, and twice a weighted mean of p-values is one too (Vovk,
        Wang 2020). Weights n_j + 1 make the mean (K + all such i) / (n + K), and a truth outside has at most alpha (n + 1) - 1 such i.
        """
        k = self.parts(n)
        whole = 2 * (k - 1) / (n + k)
        return min(whole, (1 - k / n) / (k + 1)) if n % k == 0 else whole

    def claim(self, n: int) -> tuple[int, float]:
        return 2, self.short_of(n)

    def statement(self, n: int) -> str:
        k = self.parts(n)
        unequal = ", not all of one size" if n % k else ""
        return (f"With {n} points in {k} folds{unequal}, an interval holds the truth with probability at least 1 - 2 alpha - {self.short_of(n):.3f}; "
                f"usually it is about 1 - alpha.")
