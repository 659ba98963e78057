"""From a method and labelled points to intervals: the one place that knows which methods part the points and which reuse them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from glasshouse.families.conformal.intervals.interface import Estimator, Inductive, Method, Resampling, Rule
from glasshouse.families.conformal.intervals.ladders import Widening
from glasshouse.families.conformal.ranks import needed_points
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee


def learn(method: Method, x: np.ndarray, y: np.ndarray, model: Estimator, seeds: Seeds, shown_at: np.ndarray) -> Iterator[Progress | Rule]:
    """Yields Progress, then the rule that gives intervals for features [m, p].

    ``x`` [n, p], ``y`` [n]; ``shown_at`` [n] is where the points stand in pictures. An inductive method learns from a random share of them,
    at least two and at most n - 1.
    """
    if isinstance(method, Resampling):
        yield from method.learn(x, y, model, seeds, shown_at)
        return
    assert isinstance(method, Inductive)
    order = seeds.numpy("which points to learn from").permutation(len(y))
    cut = min(max(2, round(method.fit_share * len(y))), len(y) - 1)
    first, rest = order[:cut], order[cut:]
    forecast = method.train(x[first], y[first], model)
    rule = from_forecasts(method, forecast(x[rest]), y[rest])
    yield Rule(rule.scores, lambda new: rule.at(forecast(new)), lambda new: rule.center(forecast(new)),
               method.extra(forecast(x[rest]), y[rest], shown_at[rest]))


def from_forecasts(method: Inductive, forecasts: np.ndarray, y: np.ndarray) -> Rule:
    """The rule of forecasts that somebody else's model made: it reads forecasts [m, columns] where others read features."""
    scores = np.sort(method.scores(forecasts, y))

    def center(new: np.ndarray) -> np.ndarray:
        low, high, _ = method.base(new)
        middle: np.ndarray = (low + high) / 2
        return middle

    return Rule(scores, lambda new: Widening(scores, *method.base(new)), center, {})


def threshold(method: Method, scores: np.ndarray, k: int) -> float:
    """S_(k), +inf for k = n + 1.

    For the methods that reuse all points it is the k-th smallest residual: a guide, since their ends are order statistics of their own.

    Raises: Unsupported for full conformal, which has no single threshold.
    """
    if not method.has_threshold:
        raise Unsupported("full conformal has no threshold: it compares every candidate with residuals of its own fit", "alpha")
    return float(scores[k - 1]) if k <= len(scores) else float("inf")


def why_infinite(n: int, k: int, alpha: float) -> str:
    """Why every interval is the whole line; empty where none need be."""
    return "" if k <= n else f"{n} calibration points are too few for alpha = {alpha:g}: {needed_points(alpha)} are needed"


def split_statement(n: int) -> str:
    """What one threshold on ``n`` unseen points promises, in one sentence."""
    return (f"With {n} calibration points, an interval holds the truth with probability at least 1 - alpha and, where scores do not "
            f"tie, at most 1 - alpha + {1 / (n + 1):.3g}.")


def promise(method: Method, n: int) -> Guarantee:
    """What the method promises with ``n`` calibrating points."""
    return replace(method.guarantee, statement=method.statement(n))
