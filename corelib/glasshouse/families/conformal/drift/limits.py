"""Limits for scores of your own: along a stream by adaptive conformal inference, or weighted by likelihood ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np

from glasshouse.families.conformal.drift.interface import Path
from glasshouse.families.conformal.inputs import array_of
from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.schema.errors import BadType, BadValue, bad_type, bad_value
from glasshouse.schema.guarantee import Guarantee


@dataclass(frozen=True, eq=False)
class Limits:
    """``limit`` float64, one a step or test point: +inf holds everything, -inf nothing. ``level`` alike: the miscoverage that it aims at."""

    limit: np.ndarray
    level: np.ndarray
    guarantee: Guarantee


def adaptive_limits(calibration: Any, scores: Any, alpha: float = 0.1, gamma: float = 0.02, recent: bool = False) -> Limits:
    """Adaptive conformal inference over a stream: the limit of every step, each from the scores before it.

    ``calibration`` [n] and ``scores`` [T], of either sign, large is strange, in the order of time; a step is missed where its score is above
    its limit, and where the limit is -inf, which holds nothing. ``gamma`` in [0, 1] is the step size. ``recent`` ranks among the last n scores
    instead of the calibration's.

    Raises: BadType, BadValue naming the argument.
    """
    exact = miscoverage(alpha)
    if isinstance(gamma, bool) or not isinstance(gamma, (int, float)):
        raise bad_type("gamma", gamma, "a number from 0 to 1")
    if not 0 <= gamma <= 1:
        raise bad_value("gamma", gamma, "a number from 0 to 1")
    aci = import_module("glasshouse.families.conformal.methods.drift.aci")          # methods stand above the room
    stream = _scores("scores", scores)
    path: Path = aci.track(_scores("calibration", calibration), stream, exact, Fraction(repr(float(gamma))), recent)
    return Limits(path.limit, path.level, aci.promised_after(len(stream), float(gamma)))


def weighted_limits(calibration: Any, weights: Any, own: Any, alpha: float = 0.1) -> Limits:
    """Weighted conformal prediction under covariate shift: the limit of every test point, +inf where nothing can be ruled out.

    ``calibration`` [n] scores, of either sign, and ``weights`` [n], their likelihood ratios w(x_i) = dP_test(x_i) / dP_calibration(x_i) up to a
    constant; ``own`` [m] is w at the test points, of the same scale. With equal weights this is split conformal prediction. A weight of 0: no
    test point is like that one. An infinite ``own``: no calibration point is like that test point, so its limit is +inf.

    Raises: BadType, BadValue naming the argument.
    """
    exact = miscoverage(alpha)
    scores, w, at = _scores("calibration", calibration), _weights("weights", weights), _weights("own", own)
    if len(w) != len(scores):
        raise BadValue(f"weights has {len(w)} entries: it must have {len(scores)}, one a calibration score", "weights")
    if np.isinf(w).any():
        at_fault = int(np.argmax(np.isinf(w)))
        raise BadValue(f"weights[{at_fault}] = inf is not allowed: a calibration point was drawn, so its ratio is finite", "weights")
    power = -int(np.frexp(w.max(initial=0.0))[1])           # the largest becomes about 1, so no sum overflows; by a power of two, so exactly
    with np.errstate(over="ignore"):                        # a test weight beyond all floats: nothing can be ruled out
        w, at = np.ldexp(w, power), np.ldexp(at, power)
    order = np.argsort(scores, kind="stable")
    cumulative = np.cumsum(w[order])
    total = cumulative[-1] if len(w) else 0.0
    limit = reached(scores[order], cumulative[None, :], total + at, exact)
    best: Guarantee = import_module("glasshouse.families.conformal.methods.drift.weighted").Weighted.guarantee
    return Limits(limit, np.full(len(limit), float(exact)), replace(best, level=1 - float(exact)))


def reached(scores: np.ndarray, cumulative: np.ndarray, whole: np.ndarray, alpha: Fraction) -> np.ndarray:
    """The first of ascending ``scores`` [n] at which ``cumulative`` [T or 1, n] reaches its share 1 - alpha of ``whole`` [T]; +inf where none does.

    Both sides are taken times alpha's denominator, so whole weights stay exact; a share that is missed by rounding alone counts as reached.
    """
    a, d = alpha.numerator, alpha.denominator
    if not len(scores):
        return np.full(len(whole), math.inf)
    most, least = (d, d - a) if d < 1 << 53 else (1.0, float(1 - alpha))                # beyond, floats have no whole numbers
    there = cumulative * most >= least * whole[:, None] * (1 - 1e-12)                  # sums of weights such as 0.1 are rounded
    limit: np.ndarray = np.where(there[:, -1] & (whole > 0), scores[there.argmax(axis=1)], math.inf)
    return limit


def _weights(argument: str, given: Any) -> np.ndarray:
    """float64 [n], each at least 0."""
    checked = _scores(argument, given)
    if (checked < 0).any():
        at = int(np.argmax(checked < 0))
        raise BadValue(f"{argument}[{at}] = {checked[at]:g} is not allowed: it must be at least 0", argument)
    return checked


def _scores(argument: str, given: Any) -> np.ndarray:
    """float64 [n], none NaN."""
    array = array_of(given)
    if array.ndim != 1 or (array.dtype.kind not in "bfiu" and array.size):
        raise BadType(f"{argument} has shape {list(array.shape)} and dtype {array.dtype}: it must hold numbers [n]", argument)
    checked = array.astype(np.float64)
    if np.isnan(checked).any():
        raise BadValue(f"{argument}[{int(np.argmax(np.isnan(checked)))}] = nan is not allowed: it must be a number", argument)
    return checked
