"""Rules that correct a classifier's probabilities, and sets of the corrected ones, in two calls. NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from glasshouse.families.conformal.draws import Draws
from glasshouse.families.conformal.inputs import class_labels, numbers, whole, yes_or_no
from glasshouse.families.conformal.methods.rules.colep import COLEP
from glasshouse.families.conformal.ranks import kth, threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadValue
from glasshouse.schema.guarantee import Guarantee


@dataclass(frozen=True, eq=False)
class RuleCalibration:
    """Rules, and the scores of the corrected true classes on the calibration points, float64 ascending, a cell each."""

    method: COLEP
    implies: np.ndarray
    scores: tuple[np.ndarray, ...]
    cell: np.ndarray
    draws: Draws = field(repr=False)

    @property
    def guarantee(self) -> Guarantee:
        """The promise without attack, which needs no votes: for any alpha chosen without looking at these points."""
        k, n = self.implies.shape[1], [len(s) for s in self.scores]
        scope = "on average over calibration sets and test points"
        kept = tuple(a for a in self.method.guarantee.assumptions if "attack" not in a)
        best = replace(self.method.guarantee, kind="marginal", scope=scope,
                       assumptions=("calibration and test points are exchangeable", *kept))
        if self.method.calibration == "as published":
            return replace(best, statement=f"A set holds the true label with probability at least 1 - {k} alpha, for {k} questions are asked.")
        if self.method.calibration == "one a class":
            return replace(best, kind="class", statement=(
                f"With {min(n)} to {max(n)} calibration points a class, a set holds the true label with probability at least 1 - alpha "
                "whatever the true class."))
        return replace(best, statement=f"With {n[0]} calibration points, a set holds the true label with probability at least 1 - alpha.")

    def corrected(self, probs: Any, properties: Any) -> np.ndarray:
        """float64 [m, K + L]: probabilities of classes and properties after the rules; they need not sum to 1."""
        return self.method.corrected(_detected(probs, properties, self.implies), self.implies)

    def sets(self, probs: Any, properties: Any, alpha: float = 0.1) -> np.ndarray:
        """bool [m, K]: the labels whose corrected score is within the threshold.

        Raises: BadType, BadValue naming the argument.
        """
        limits = np.array([kth(s, threshold_rank(len(s), alpha)) for s in self.scores])[self.cell]
        mine = self.corrected(probs, properties)[:, :self.implies.shape[1]]
        found: np.ndarray = self.method.score(mine, self.draws.take(mine)) <= limits
        return found


def calibrate_rules(probs: Any, properties: Any, labels: Any, implies: Any, seed: int = 0, **knobs: Any) -> RuleCalibration:
    """Corrects a classifier by soft rules "class k has property l, or has it not" (COLEP), and calibrates sets of the corrected classes.

    ``probs`` [n, K]: each detector's probability that its class is the one, rows need not sum to 1; ``properties`` [n, L]: that a point has
    each property; ``labels`` [n]; ``implies`` bool [L, K]: whether class k has property l. ``knobs`` are those of `conformal.colep` that
    need no attack: ``weight`` of a rule, ``blend``, ``calibration``.

    Raises: BadType, BadValue naming the argument.
    """
    for name in ("bound", "counted"):
        if name in knobs:
            raise BadValue(f"{name} is not allowed here: it is about attacks, which need votes under noise", name)
    method: COLEP = build(COLEP, knobs)
    rules = yes_or_no("implies", implies, "[L, K]")
    given = _detected(probs, properties, rules)
    known = class_labels("labels", labels, len(given), rules.shape[1])
    seeds = Seeds(whole("seed", seed, 0))
    after = method.corrected(given, rules)[:, :rules.shape[1]]
    scores, cell = method.cells(after, known, seeds.numpy("u of calibration points").random(len(after)))
    return RuleCalibration(method, rules, scores, cell, Draws.of(seeds, known))


def _detected(probs: Any, properties: Any, implies: np.ndarray) -> np.ndarray:
    """float64 [n, K + L]: what the detectors of classes and of properties say."""
    count, k = implies.shape
    classes, others = numbers("probs", probs, "[n, K]", 0.0, 1.0), numbers("properties", properties, "[n, L]", 0.0, 1.0)
    for argument, array, size, what in (("probs", classes, k, "classes"), ("properties", others, count, "properties")):
        if array.shape[1] != size:
            raise BadValue(f"{argument} has {array.shape[1]} columns: it must have {size}, the {what} of implies", argument)
    if len(others) != len(classes):
        raise BadValue(f"properties has {len(others)} rows: it must have {len(classes)}, one a row of probs", "properties")
    return np.concatenate((classes, others), axis=1)
