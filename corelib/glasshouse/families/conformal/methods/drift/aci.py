"""Adaptive conformal inference. Gibbs, Candès 2021."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.drift.interface import Path, Series
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class ACI:
    """After every miss the next interval is made wider, after every hit a little narrower.

    alpha_{t+1} = alpha_t + gamma (alpha - err_t), alpha_1 = alpha, with err_t = 1 for a miss. The limit of step t is the score of rank
    ceil((n + 1)(1 - alpha_t)); alpha_t <= 0 gives the full and alpha_t >= 1 the empty interval. Nothing is assumed about the stream: even
    against an adversary, |mean err - alpha| <= (max(alpha_1, 1 - alpha_1) + gamma) / (gamma T).

    alpha_t is kept as alpha + gamma (t alpha - misses so far) in whole numbers, so no rounding moves a rank. ``memory``: ranks are taken among
    the *calibration* scores for ever, or among the n most *recent* ones, the stream's own included.
    """

    paper: ClassVar[Paper] = Paper("Adaptive Conformal Inference Under Distribution Shift", "Gibbs, Candès", 2021, arxiv="2106.00170",
                                   where="the update of alpha_t; Proposition 4.1, the long-run bound")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "adversarial", "Over a long run the share of misses goes to alpha, whatever the stream does.",
        assumptions=("the truth of a step is seen before the next interval is made", "gamma is above 0"),
        scope="on average over time, not at every time: just after a change more is missed")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "The level that is aimed at, alpha_t", x="step", y="level", x_label="step", y_label="alpha_t",
             note="At 0 and below, the interval holds everything."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Noise jumps", "How long does it take to notice?", {"alpha": 0.1, "gamma": 0.02}, problem="noisy-period"),
        Preset("Frozen", "What happens if it never learns?", {"alpha": 0.1, "gamma": 0.0}, problem="noisy-period"),
        Preset("Nervous", "What does it cost to react at once?", {"alpha": 0.1, "gamma": 0.2}, problem="noisy-period"),
        Preset("Short memory", "What if only recent errors count?", {"alpha": 0.1, "memory": "recent", "calibration_size": 100},
               problem="noisy-period"))

    gamma: Annotated[float, Ge(0), Le(0.3), Knob(cost="live", group="how it adapts", step=0.005, label="step size (gamma)",
                                                 help="how much one miss moves the level; 0 never adapts")] = 0.02
    memory: Annotated[Literal["calibration", "recent"], Knob(
        cost="live", group="how it adapts", label="compares with", help="the calibration scores, or the most recent ones")] = "calibration"

    def begin(self, series: Series) -> Mapping[str, np.ndarray]:
        return {}

    def follow(self, series: Series, state: Mapping[str, np.ndarray], alpha: Fraction) -> Path:
        """The whole path, step by step: each depends on the misses before it."""
        by_time = series.calibration_scores[series.arrival]
        return track(by_time, series.scores, alpha, Fraction(repr(float(self.gamma))), self.memory == "recent")

    def weights(self, series: Series, state: Mapping[str, np.ndarray], t: int) -> np.ndarray:
        return np.ones(len(series.calibration_scores))

    def bound(self, alpha: float, steps: int) -> float:
        """(max(alpha, 1 - alpha) + gamma) / (gamma T), the paper's, where gamma > 0."""
        return (max(alpha, 1 - alpha) + self.gamma) / (self.gamma * steps) if self.gamma > 0 else math.nan

    def promised(self, series: Series) -> Guarantee:
        return promised_after(len(series.x), self.gamma)

    def extra(self, series: Series, state: Mapping[str, np.ndarray], path: Path) -> Mapping[str, np.ndarray]:
        return {"step": np.arange(1.0, len(path.level) + 1), "level": path.level}


def promised_after(steps: int, gamma: float) -> Guarantee:
    """What holds of a stream of so many ``steps``, whatever it does; without steps, of any."""
    best = ACI.guarantee
    if gamma == 0:
        return best.downgraded("none", "With gamma = 0 nothing adapts: the promise holds only while nothing changes.")
    if steps == 0:
        return best
    most = (1 + gamma) / (gamma * steps)
    return replace(best, statement=(
        f"After {steps} steps, the share of misses is within {min(most, 1.0):.3f} of alpha, whatever the stream does; longer runs come closer."))


def track(calibration: np.ndarray, scores: np.ndarray, alpha: Fraction, gamma: Fraction, recent: bool = False) -> Path:
    """Adaptive conformal inference over ``scores`` [T], ranked among ``calibration`` [n], which is in order of time. A limit of -inf misses
    whatever comes.

    With ``recent``, each score pushes the oldest out once it has been seen.
    """
    known, queue, n = sorted(calibration.tolist()), calibration.tolist() + scores.tolist(), len(calibration)
    a, d, g, h = alpha.numerator, alpha.denominator, gamma.numerator, gamma.denominator
    one, errors = d * h, 0
    limit, level = np.empty(len(scores)), np.empty(len(scores))
    for t, score in enumerate(scores.tolist()):
        aim = a * h + g * (t * a - errors * d)                              # alpha_t d h = alpha + gamma (t alpha - errors), in whole numbers
        k = -((n + 1) * (aim - one) // one)                                 # ceil((n + 1)(1 - alpha_t)), above n where alpha_t <= 0
        q = math.inf if k > n else -math.inf if aim >= one else known[k - 1]
        limit[t], level[t] = q, aim / one
        errors += score > q or q == -math.inf
        if recent:
            insort(known, score)
            del known[bisect_left(known, queue[t])]
    return Path(limit, level)
