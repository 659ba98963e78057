"""Fitting estimators that are only known to fit and predict: without some points, and with one more."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from glasshouse.families.conformal.intervals.interface import Estimator, Rule
from glasshouse.families.conformal.intervals.ladders import Ladder, Ordered
from glasshouse.families.conformal.intervals.ridge import OneMore, Ridge
from glasshouse.schema.errors import BadValue, Unsupported
from glasshouse.schema.events.base import Progress


def fitted(model: Estimator, x: np.ndarray, y: np.ndarray) -> Estimator:
    """A copy of ``model``, fitted; the original stays as it was."""
    own = copy.deepcopy(model)
    own.fit(x, y)
    return own


def forecast(model: Estimator, x: np.ndarray) -> np.ndarray:
    """float64 [m].

    Raises: BadValue where the estimator gives another number of values, or NaN.
    """
    found = np.asarray(model.predict(x), np.float64)
    if found.size != len(x):
        raise BadValue(f"estimator.predict gave shape {list(found.shape)} for {len(x)} points: it must give one number a point", "fit")
    if not np.isfinite(found).all():
        raise BadValue("estimator.predict gave NaN or infinity: it must give one finite number a point", "fit")
    return found.reshape(len(x))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """``forecasts`` takes [m, p] to [m, n]: column i by a model that never saw point i. ``residuals`` [n], y_i minus that model's forecast."""

    forecasts: Callable[[np.ndarray], np.ndarray]
    residuals: np.ndarray


def one_by_one(model: Estimator, x: np.ndarray, y: np.ndarray) -> Iterator[Progress | LeftOut]:
    """Leaves each point out in turn: in closed form for `Ridge`, by n fits for others."""
    if not isinstance(model, Ridge):
        yield from fold_by_fold(model, x, y, np.arange(len(y)))
        return
    coefficients, residuals = model.left_out(x, y)
    yield LeftOut(lambda new: new @ coefficients[:, 1:].T + coefficients[:, 0], residuals)


def fold_by_fold(model: Estimator, x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> Iterator[Progress | LeftOut]:
    """Leaves each fold out in turn; ``fold`` int64 [n] numbers the points' folds from 0 without gaps."""
    total = int(fold.max()) + 1
    models, residuals = [], np.empty(len(y))
    for k in range(total):
        out = fold == k
        models.append(fitted(model, x[~out], y[~out]))
        residuals[out] = y[out] - forecast(models[-1], x[out])
        yield Progress(done=k + 1, total=total, message="fits without some points")
    yield LeftOut(lambda new: np.stack([forecast(one, new) for one in models], axis=1)[:, fold], residuals)


def plus(out: LeftOut, extra: dict[str, np.ndarray]) -> Rule:
    """Intervals from the left-out models' forecasts at the new point and their residuals. Barber et al. 2021.

    R_i = |residual i|; lower is the floor(alpha (n + 1))-th smallest of the forecasts minus R_i, upper the ceil((1 - alpha)(n + 1))-th
    smallest of the forecasts plus R_i.
    """
    r = np.abs(out.residuals)

    def at(new: np.ndarray) -> Ladder:
        found = out.forecasts(new)
        return Ordered(np.sort(found - r, axis=1), np.sort(found + r, axis=1))

    return Rule(np.sort(r), at, lambda new: np.median(out.forecasts(new), axis=1), extra)


def one_more(model: Estimator, x: np.ndarray, y: np.ndarray, new: np.ndarray) -> OneMore:
    """How residuals move with the target of an added point: in closed form for `Ridge`, else from two fits a point.

    Two are enough where forecasts are linear in the targets (ridge, kernel ridge, nearest neighbours, splines with a fixed penalty); at the
    first point a third one tells whether they are.

    Raises: Unsupported for an estimator that is not linear in the targets, or that goes through every point.
    """
    if isinstance(model, Ridge):
        return model.with_one_more(x, y, new)
    m, n = len(new), len(y)
    at_zero, slope = np.empty((m, n + 1)), np.empty((m, n + 1))
    low, width = float(y.min()), float(np.ptp(y)) or 1.0        # near the data, so that a test of equality has a scale
    for j in range(m):
        first, second = (_residuals(model, x, y, new[j], low + step * width) for step in (0.0, 1.0))
        slope[j] = (second - first) / width
        at_zero[j] = first - slope[j] * low
        if j == 0 and not np.allclose(_residuals(model, x, y, new[j], low + 2 * width), 2 * second - first, rtol=1e-6, atol=1e-6 * width):
            raise Unsupported("fit: the estimator's forecasts are not linear in its targets, so full conformal would need a fit for every "
                              "candidate; use jackknife-plus or cv-plus", "fit")
    own = slope[:, -1]
    if (own <= 1e-9).any():
        raise Unsupported("fit: the estimator goes through the points it learns from, so every candidate looks perfect; "
                          "use one that smooths, or jackknife-plus", "fit")
    centre = -at_zero[:, -1] / own
    pull = -slope[:, :-1] / own[:, None]
    return OneMore(at_zero[:, :-1] + slope[:, :-1] * centre[:, None], pull, centre, 1 / own)


def _residuals(model: Estimator, x: np.ndarray, y: np.ndarray, new: np.ndarray, target: float) -> np.ndarray:
    """All n + 1 residuals of a fit that includes ``new`` with this target."""
    both, targets = np.vstack((x, new)), np.append(y, target)
    residuals: np.ndarray = targets - forecast(fitted(model, both, targets), both)
    return residuals
