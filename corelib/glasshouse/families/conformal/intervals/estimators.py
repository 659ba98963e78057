"""Fitting estimators that are only known to fit and predict: without some points, and with one more."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from glasshouse.families.conformal.intervals.interface import Estimator, Rule
from glasshouse.families.conformal.intervals.ladders import Ladder, Unordered
from glasshouse.families.conformal.intervals.ridge import OneMore, Ridge
from glasshouse.schema.errors import BadValue, Unsupported
from glasshouse.schema.events.base import Progress


def fitted(model: Estimator, x: np.ndarray, y: np.ndarray) -> Estimator:
    """A copy of ``model``, fitted; the original stays as it was.

    The points come in an order that depends on nothing but themselves. So every estimator treats them alike, as the theorems about refits
    assume, also one that goes by their places (a forest whose ``random_state`` fixes which rows each tree draws, a descent in given order).
    """
    own = copy.deepcopy(model)
    order = slice(None) if type(model) is Ridge else _own_order(x, y)           # ridge asks for no order, and its closed forms keep it
    own.fit(x[order], y[order])
    return own


def _own_order(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Scrambled by a hash of the features, ties by the target: a sorted order would spoil folds and batches that an estimator cuts itself."""
    key = np.full(len(x), 0x9E3779B97F4A7C15, np.uint64)
    for column in (x + 0.0).T:                                                      # -0.0 is 0.0
        key = (key ^ np.ascontiguousarray(column, np.float64).view(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        key ^= key >> np.uint64(29)
    return np.lexsort((y, key))


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
    if type(model) is not Ridge:
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
        return Unordered(found - r, found + r)

    return Rule(np.sort(r), at, lambda new: np.median(out.forecasts(new), axis=1), extra)


def one_more(model: Estimator, x: np.ndarray, y: np.ndarray, new: np.ndarray) -> OneMore:
    """How residuals move with the target of an added point: in closed form for `Ridge`, else from two fits a point and a third that checks them.

    Raises: Unsupported for an estimator that is not linear in its targets, or that goes through every point.
    """
    if type(model) is Ridge:
        return model.with_one_more(x, y, new)
    lines = np.empty((2, len(new), len(y) + 1))
    for j, point in enumerate(new):
        lines[:, j] = _line(model, np.vstack((x, point)), np.append(y, y[0]), len(y), TRIED[j % len(TRIED):][:1])
    at_zero, slope = lines
    centre = -at_zero[:, -1] / slope[:, -1]
    pull = -slope[:, :-1] / slope[:, -1:]
    return OneMore(at_zero[:, :-1] + slope[:, :-1] * centre[:, None], pull, centre, 1 / slope[:, -1])


TRIED = (25.0, 0.4, -0.7, 0.75, -25.0, 1.8)         # targets at which a line through those at 0 and 1 is checked, in ranges of y
ROWS = 5


def require_linear(model: Estimator, x: np.ndarray, y: np.ndarray) -> None:
    """Moves the targets of a few points, from the innermost to the outermost, far and near: do all residuals follow on straight lines?

    Ridge and kernel ridge do, nearest neighbours, splines with a fixed penalty. Trees and forests do not, nor does anything that chooses
    features, penalties or points by the targets: lasso, cross-validated ridge, a pipeline with univariate selection.

    Raises: Unsupported for an estimator that is not linear in its targets, that goes through every point, or that fits differently each time.
    """
    if type(model) is Ridge:
        return
    spread = np.std(x, axis=0)
    far = np.argsort(np.linalg.norm((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0), axis=1), kind="stable")
    for i in np.unique(far[np.linspace(0, len(x) - 1, ROWS).round().astype(int)]):
        _line(model, x, y, int(i), TRIED)


def _line(model: Estimator, x: np.ndarray, y: np.ndarray, i: int, tried: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(residuals of all points where the target of point i is 0, their slope in it), checked at the targets ``tried``."""
    others = np.delete(y, i)
    low, width = float(others.min()), float(np.ptp(others)) or 1.0      # near the data, so that a test of equality has a scale
    first, second = (_residuals(model, x, y, i, low + step * width) for step in (0.0, 1.0))
    for step in tried:
        if not np.allclose(_residuals(model, x, y, i, low + step * width), first + step * (second - first), rtol=1e-6,
                           atol=1e-6 * width * (1 + abs(step))):
            raise Unsupported(_why_no_line(model, x, y), "fit")
    slope = (second - first) / width
    if slope[i] <= 1e-9:
        raise Unsupported("fit: the estimator goes through the points it learns from, so every candidate looks perfect; "
                          "use one that smooths, or jackknife-plus", "fit")
    return first - slope * low, slope


def _why_no_line(model: Estimator, x: np.ndarray, y: np.ndarray) -> str:
    instead = "use jackknife-plus or cv-plus, or give candidates=[...], for a fit with each"
    if (forecast(fitted(model, x, y), x) != forecast(fitted(model, x, y), x)).any():
        return f"fit: the estimator forecasts differently each time it is fitted to the same points, so no line follows; fix its seed, or {instead}"
    return f"fit: the estimator's forecasts are not linear in its targets, so full conformal needs a fit for every candidate; {instead}"


def _residuals(model: Estimator, x: np.ndarray, y: np.ndarray, i: int, target: float) -> np.ndarray:
    """All residuals of a fit in which point i has this target."""
    targets = y.copy()
    targets[i] = target
    residuals: np.ndarray = targets - forecast(fitted(model, x, targets), x)
    return residuals
