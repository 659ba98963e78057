"""The room's loop, which has one step: draw the stream. The intervals at an alpha are a look, computed from stored scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.families.conformal.drift.interface import BLOCK, Look, Method, Series, missed
from glasshouse.families.conformal.ranks import kth, miscoverage, threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_drift import Stream, Tracked
from glasshouse.schema.guarantee import Guarantee

FIRST = 10              # steps before a rolling coverage is worth showing


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Draws the problem's stream and lets the method prepare what does not depend on alpha. One event; its extra is at alpha 0.1."""
    series: Series = problem.open()
    state = method.begin(series)
    path = method.follow(series, state, Fraction(1, 10))
    yield Stream(
        n=len(series.calibration_scores), steps=len(series.x), changes=_changes(series), scores=series.calibration_scores, x=series.x, y=series.y,
        forecast=series.forecast, errors=series.y - series.forecast, shift=series.shift, scale=series.scale, method=method, series=series,
        state=state, extra=dict(method.extra(series, state, path)))


def _changes(series: Series) -> str:
    if not series.same_given_x:
        return "the noise"
    return "the inputs" if series.shift.any() else "nothing"


def look(events: Sequence[Event], look: Look) -> Tracked:
    """The intervals of the whole stream at one alpha, and what had become of them at one time.

    Raises: BadValue for a time beyond the stream.
    """
    stream = _stream(events)
    blocks = -(-stream.steps // BLOCK)
    if look.time >= blocks:
        raise bad_value("time", look.time, f"a whole number from 0 to {blocks - 1}, or -1")
    block = look.time if look.time >= 0 else blocks - 1
    now = min((block + 1) * BLOCK, stream.steps)
    alpha, method, series = miscoverage(look.alpha), stream.method, stream.series
    path = method.follow(series, stream.state, alpha)
    scores, fixed = np.abs(stream.errors), split_limit(stream.scores, alpha)
    out, fixed_out = missed(scores, path.limit), missed(scores, np.full(len(scores), fixed))
    weights = method.weights(series, stream.state, now - 1)
    finite = np.isfinite(path.limit[:now])
    return Tracked(
        alpha=look.alpha, block=block, blocks=blocks, now=now, window=look.window, limit=path.limit, level=path.level, missed=out,
        fixed_limit=fixed, fixed_missed=fixed_out, rolling=rolling(~out, look.window), fixed_rolling=rolling(~fixed_out, look.window),
        coverage=1 - float(out[:now].mean()), fixed_coverage=1 - float(fixed_out[:now].mean()),
        width=float(2 * path.limit[:now][finite].mean()) if finite.any() else math.nan, fixed_width=2 * fixed,
        infinite=float(np.isposinf(path.limit[:now]).mean()), weights=weights, effective=effective(weights),
        bound=method.bound(look.alpha, now), stream=stream, extra=dict(method.extra(series, stream.state, path)))


def split_limit(scores: np.ndarray, alpha: Fraction) -> float:
    """S_(k) of ascending ``scores``, k = ceil((n + 1)(1 - alpha)); +inf where k > n."""
    return kth(scores, threshold_rank(len(scores), alpha))


def rolling(held: np.ndarray, window: int) -> np.ndarray:
    """The share held among the last ``window`` steps, of those there are; NaN before there are ten. float64 [T]."""
    total = np.concatenate(([0], np.cumsum(held)))
    end = np.arange(1, len(held) + 1)
    start = np.maximum(end - window, 0)
    share = (total[end] - total[start]) / (end - start)
    return np.where(end >= FIRST, share, np.nan)


def effective(weights: np.ndarray) -> float:
    """(sum w)^2 / sum w^2: so many equally weighted points would be worth as much. 0 where nothing weighs anything."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes and, where intervals were looked at, the last look's numbers."""
    stream = _stream(events)
    numbers: dict[str, int | float | str] = {"n": stream.n, "steps": stream.steps, "changes": stream.changes}
    seen = [event for event in events if isinstance(event, Tracked)]
    if seen:
        last = seen[-1]
        numbers |= {name: getattr(last, name) for name in ("alpha", "now", "coverage", "fixed_coverage", "width", "fixed_width", "infinite",
                                                          "effective")}
        if not math.isnan(last.bound):
            numbers["bound"] = last.bound
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The promise of the method on this stream, of which a simulation knows what changes."""
    found = [event for event in events if isinstance(event, Stream)]
    return method.promised(found[-1].series) if found else method.guarantee


def _stream(events: Sequence[Event]) -> Stream:
    return next(event for event in reversed(events) if isinstance(event, Stream))
