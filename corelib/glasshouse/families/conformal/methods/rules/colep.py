"""COLEP: learning and reasoning with certified conformal sets. Kang, Gürel, Li, Li 2024."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.rules.circuit import decoupled_bounds, exact_bounds, marginals
from glasshouse.families.conformal.rules.interface import Calibrated
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class COLEP:
    """Detectors of classes and of properties are corrected by soft rules "class implies property", and the corrected probabilities scored.

    Each property has a circuit with all classes; a class's corrected probability is the average of its marginals over the circuits, and
    (1 - rho) pi + rho pi-hat is used. A rule can only lower a class's probability: what helps is that it lowers the wrong ones more.
    An attack moves every detector within an interval, the circuit turns intervals into intervals, and a score's worst case gives two
    certificates: sets that hold under attack, and what ordinary sets cover at least.

    ``calibration``: "one threshold" for the scores 1 - pi-hat of the true classes, or "one a class"; both cover as promised. "as published"
    asks for each class whether it is the one, scores both answers as APS does, and calibrates on all points: each of the K questions
    is answered right with 1 - alpha, so a set is sure to hold the truth with 1 - K alpha only.
    ``bound``: "exact" takes the one corner of the box that is worst (ours), "decoupled" bounds numerator and denominator apart, as published.
    """

    paper: ClassVar[Paper] = Paper("COLEP: Certifiably Robust Learning-Reasoning Conformal Prediction via Probabilistic Circuits",
                                   "Kang, Gürel, Li, Li", 2024, arxiv="2403.11348",
                                   where="sections 4 and 5; one threshold, the exact bound and the votes' error are ours")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "adversarial", "A robust set holds the true label with probability at least 1 - alpha under any attack within the radius.",
        assumptions=("calibration and unattacked test points are exchangeable", "an attack changes the image by at most the radius (L2)",
                     "attacks do not see the noise of the votes", "alpha and the knobs were chosen without looking at the calibration points"),
        scope="on average over calibration sets, test points and votes")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "What the rules do to wrong digits", x="digit", y="wrong", series=("detectors alone", "after the rules"),
             x_label="true digit", y_label="sum of wrong", note="Probability that all wrong digits together get, on average."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Rules that help", "How much smaller do rules make the sets?", {"weight": 2.0, "blend": 1.0, "radius": 0.1}, problem="digits"),
        Preset("Sure properties", "And if the properties were known almost for sure?", {"properties": "told", "radius": 0.1}, problem="digits"),
        Preset("Guessed properties", "What do rules do when the properties are guessed?", {"properties": "guessed"}, problem="digits"),
        Preset("As published", "Is the truth in nine of ten sets if each digit has a question of its own?", {"calibration": "as published"},
               problem="digits"),
        Preset("A loose bound", "What does a looser bound on the rules cost?", {"bound": "decoupled", "radius": 0.1}, problem="digits"))

    weight: Annotated[float, Ge(0), Le(10), Knob(cost="live", group="how it reasons", step=0.1, label="rule weight w",
                                                 help="0: rules say nothing; 10: a broken rule is all but impossible")] = 2.0
    blend: Annotated[float, Ge(0), Le(1), Knob(cost="live", group="how it reasons", step=0.05, label="trust in the rules",
                                               help="rho: 0 keeps the detectors' probabilities, 1 takes the corrected ones")] = 1.0
    bound: Annotated[Literal["exact", "decoupled"], Knob(cost="live", group="how it is certified",
                                                         help="how intervals pass through the circuit")] = "exact"
    counted: Annotated[bool, Knob(cost="live", group="how it is certified", label="allow for the votes' error", more=True,
                                  help="without it the certificate takes counted shares for true ones, as the authors' script does")] = True
    calibration: Annotated[Calibrated, Knob(cost="live", group="what is promised")] = "one threshold"

    def corrected(self, probs: np.ndarray, implies: np.ndarray) -> np.ndarray:
        """(1 - rho) pi + rho pi-hat."""
        return (1 - self.blend) * probs + self.blend * marginals(probs, implies, self.weight)

    def bounds(self, low: np.ndarray, high: np.ndarray, implies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        passed = (exact_bounds if self.bound == "exact" else decoupled_bounds)(low, high, implies, self.weight)
        return (1 - self.blend) * low + self.blend * passed[0], (1 - self.blend) * high + self.blend * passed[1]

    def score(self, probs: np.ndarray, u: np.ndarray) -> np.ndarray:
        """1 - pi-hat; as published, the APS score of "yes" among yes and no."""
        return _yes(probs, u[:, None]) if self.calibration == "as published" else 1.0 - probs

    def extremes(self, low: np.ndarray, high: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The score falls with the probability; as published it falls up to 1/2, drops there, and grows again from u / 2 to u."""
        if self.calibration != "as published":
            return 1.0 - high, 1.0 - low
        row = u[:, None]
        least = np.where(high <= 0.5, _yes(high, row), row * np.maximum(low, 0.5))
        return least, np.where(low <= 0.5, _yes(low, row), row * high)

    def cells(self, probs: np.ndarray, labels: np.ndarray, u: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Calibration scores by cell, ascending, and each class's cell."""
        each = np.arange(probs.shape[1])
        score, true = self.score(probs, u), labels[:, None] == each
        if self.calibration == "one threshold":
            return (np.sort(score[true]),), np.zeros_like(each)
        if self.calibration == "one a class":
            return tuple(np.sort(score[true[:, k], k]) for k in each), each
        answered = np.where(true, score, _yes(1.0 - probs, u[:, None]))
        return tuple(np.sort(answered[:, k]) for k in each), each

    def extra(self, before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> Mapping[str, np.ndarray]:
        """Mean sum of the wrong classes' probabilities by true class: float64 [2, K], before and after the rules."""
        k = before.shape[1]
        true = labels[:, None] == np.arange(k)
        wrong = [true.T @ np.where(true, 0.0, p).sum(axis=1) / np.maximum(true.sum(axis=0), 1) for p in (before, after)]
        return {"digit": np.array([str(i) for i in range(k)]), "wrong": np.stack(wrong)}


def _yes(p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The randomised APS score of the answer with probability p of two: u p if it is the likelier, else 1 - p + u p."""
    score: np.ndarray = np.where(p > 0.5, u * p, 1.0 - p + u * p)
    return score
