"""Window-based early-exit cascades. Xia and Bouganis 2023."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from glasshouse.families.conformal.decisions import cascade
from glasshouse.families.conformal.decisions.confidence import Doubt, sureness
from glasshouse.families.conformal.decisions.interface import Look, Pool, tested
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_decisions import Stages
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

TARGETS = {"a share answered": float("nan"), "5 % risk": 0.05, "10 % risk": 0.1}


@dataclass(frozen=True)
class WindowExit:
    """Only the doubtful go to the dearer model: those whose confidence lies in a window around the threshold between answer and silence.

    tau is the threshold on the first model's confidence that meets the aim on validation points, pi the share of them below it. A point is
    passed on if its confidence lies in [Q(pi - w), Q(pi + w)], w the half width and Q the validation quantile; those surely answered
    and those surely refused leave at once. Mean cost: C1 + share passed on x C2. Passing on the least confident, as cascades built
    for accuracy do, spends as much on points that stay refused.

    ``aim``: hold a share of answers, or answer as much as a risk allows. ``doubt``: what confidence is read from.
    """

    paper: ClassVar[Paper] = Paper(
        "Window-Based Early-Exit Cascades for Uncertainty Estimation: When Deep Ensembles are More Efficient than Single Models",
        "Xia and Bouganis", 2023, arxiv="2303.08010", where="Alg. 2; single-threshold cascade, its rival: Alg. 1")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "heuristic", "Thresholds meet the aim on the validation points; nothing is promised for others.", scope="points like the validation points")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "Who is passed on", x="confidence", y="images", series=("leaves at once", "passed on"), x_label="confidence of the first look",
             y_label="test images"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Half of them", "Where should the window lie if only half are answered?", {"coverage": 0.5, "half_width": 0.1}, problem="digits"),
        Preset("Nothing to refuse", "And if every image must be answered?", {"coverage": 1.0, "half_width": 0.2}, problem="digits"),
        Preset("One in twenty", "How many answers does a risk of 5 % allow?", {"aim": "5 % risk", "half_width": 0.15}, problem="digits"))

    aim: Annotated[Literal["a share answered", "5 % risk", "10 % risk"], Knob(
        cost="live", group="what is held", label="hold",
        help="a share of answers, or a risk that as many as possible are answered at")] = "a share answered"
    doubt: Doubt = "largest p"

    def states(self, pool: Pool, seeds: Seeds) -> Iterator[Event]:
        """One Stages event: validation points are all but the test points."""
        known = np.concatenate((pool.train, pool.policy, pool.calibration))
        first, second = ((tested(pool, probs, known), tested(pool, probs, pool.test)) for probs in (pool.first, pool.second))
        seen = [replace(one, confidence=sureness(one.probs, self.doubt)) for one in (*first, *second)]
        stages = Stages(
            n=len(known), m=len(pool.test), first_cost=pool.costs[0], second_cost=pool.costs[1], target_risk=TARGETS[self.aim],
            known_first=seen[0].confidence, known_second=seen[2].confidence, known_right_first=seen[0].right,
            known_right_second=seen[2].right, first=seen[1], second=seen[3])
        usual = Look()
        yield replace(stages, extra=cascade.histogram(stages, *cascade.window(stages, cascade.boundary(stages, usual.coverage)[0], usual.half_width)))

    def promise(self, events: Sequence[Event]) -> Guarantee:
        return self.guarantee
