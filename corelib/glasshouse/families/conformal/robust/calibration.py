"""Sets that withstand an attack, from a model's probabilities of noisy copies, in two calls. NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from glasshouse.families.conformal.draws import Draws
from glasshouse.families.conformal.inputs import array_of, class_labels, probabilities, shares, whole
from glasshouse.families.conformal.methods.robust.rscp_plus import RSCPPlus
from glasshouse.families.conformal.ranks import kth, share
from glasshouse.families.conformal.robust.smoothing import smoothed
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadType, BadValue, bad_type, bad_value
from glasshouse.schema.guarantee import Guarantee

LEAST_COPIES = 16


@dataclass(frozen=True, eq=False)
class RobustCalibration:
    """A smoothed score and its means on the calibration points, float64 [n], ascending."""

    method: RSCPPlus
    means: np.ndarray
    holdout: np.ndarray
    classes: int
    draws: Draws = field(repr=False)

    @property
    def guarantee(self) -> Guarantee:
        """The promise for any alpha, beta and radius chosen without looking at these points."""
        best = self.method.promise()
        if best.kind != "adversarial":
            return best
        return replace(best, statement=(
            f"With {len(self.means)} calibration points, a set made for a radius holds the true label with probability at least 1 - alpha, "
            "whatever an attacker does within that l2 radius."))

    def sets(self, copies: Any, radius: float, alpha: float = 0.1, beta: float = 0.001, u: Any = None) -> np.ndarray:
        """bool [m, K]: the label sets of points, perhaps attacked, from ``copies`` [m, n_mc, K], the probabilities of noisy copies of each.

        ``radius``: the l2 norm of the attack that sets are made for, in the units of the noise. ``beta``: the chance that a mean is bounded
        wrongly; twice this is taken from alpha. ``u`` [m] in [0, 1] is the share of a label's own mass for the base score APS; fresh by default.

        Raises: BadType, BadValue naming the argument.
        """
        if isinstance(radius, bool) or not isinstance(radius, (int, float)):
            raise bad_type("radius", radius, "a number of at least 0")
        if not 0 <= radius < np.inf:
            raise bad_value("radius", radius, "a finite number of at least 0")
        share("alpha", alpha)
        share("beta", beta)
        probs = _copies("copies", copies, self.classes, self.method.n_mc)
        chosen = self.draws.take(probs.reshape(len(probs), -1)) if u is None else shares("u", u, len(probs))
        means, variances = _means(self.method, probs, chosen, self.holdout)
        certificate = self.method.certificate
        limit = certificate.limit(kth(self.means, certificate.rank(len(self.means), alpha, beta)), radius, beta)
        found: np.ndarray = certificate.least(means, variances, beta) <= limit
        return found


def calibrate_robust(copies: Any, labels: Any, sigma: float, holdout: Any = None, holdout_labels: Any = None, seed: int = 0,
                     **knobs: Any) -> RobustCalibration:
    """Calibrates RSCP+ on what a model says of noisy copies of points that it was not trained on.

    ``copies`` [n, n_mc, K]: probabilities of n_mc copies of each point, every input with Gaussian noise of standard deviation ``sigma``
    of its own; ``labels`` [n]. ``holdout`` [h, K] and ``holdout_labels`` [h], disjoint from the others: probabilities of one noisy copy
    each, by which PTT ranks scores; without them, ``transform="none"``. ``knobs`` are those of `conformal.rscp-plus` (``base``, ``variant``,
    ``bound``, ``steepness``, ``center``).

    Raises: BadType, BadValue naming the argument.
    """
    knobs = {"transform": "none" if holdout is None else "ptt", **knobs}
    for name in ("training", "n_mc"):
        if name in knobs:
            raise BadValue(f"{name} is not allowed here: it is what copies already holds", name)
    if (knobs["transform"] == "ptt") != (holdout is not None):
        raise bad_value("transform", knobs["transform"], "'ptt' with a holdout, 'none' without one")
    probs = _copies("copies", copies, None, None)
    classes = probs.shape[2]
    method: RSCPPlus = build(RSCPPlus, {**knobs, "sigma": sigma, "n_mc": probs.shape[1]})
    known = class_labels("labels", labels, len(probs), classes)
    seeds = Seeds(whole("seed", seed, 0))
    ranked = np.empty(0)
    if holdout is not None:
        of_holdout = probabilities("holdout", holdout, classes)
        if holdout_labels is None:
            raise BadValue("holdout_labels = None is not allowed beside a holdout: name each point's label", "holdout_labels")
        own = class_labels("holdout_labels", holdout_labels, len(of_holdout), classes)
        u = seeds.numpy("u of holdout points").random(len(of_holdout))
        ranked = np.sort(method.score(of_holdout, u)[np.arange(len(own)), own])
    means, _ = _means(method, probs, seeds.numpy("u of calibration points").random(len(probs)), ranked)
    return RobustCalibration(method, np.sort(means[np.arange(len(known)), known]), ranked, classes, Draws.of(seeds, known))


def _means(method: RSCPPlus, probs: np.ndarray, u: np.ndarray, holdout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, unbiased variance) of every label's score over the copies, both float64 [n, K]."""
    steps = smoothed(method, probs, u, holdout, "")
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: tuple[np.ndarray, np.ndarray] = end.value
            return found


def _copies(argument: str, given: Any, classes: int | None, count: int | None) -> np.ndarray:
    """Checked probabilities float64 [n, n_mc, K]."""
    array = array_of(given)
    if array.ndim != 3:
        raise BadType(f"{argument} has shape {list(array.shape)}: it must be [n, copies, K], the probabilities of noisy copies of each "
                      "point", argument)
    if count is not None and array.shape[1] != count:
        raise BadValue(f"{argument} has {array.shape[1]} copies of a point: it must have the {count} of calibration", argument)
    if array.shape[1] < LEAST_COPIES:
        raise BadValue(f"{argument} has {array.shape[1]} copies of a point: at least {LEAST_COPIES} are needed", argument)
    return probabilities(argument, array.reshape(-1, array.shape[2]), classes).reshape(array.shape)
