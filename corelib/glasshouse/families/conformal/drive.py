"""The family's loop, which has one step: calibrate and rank. Everything after it is a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glasshouse.families.conformal.calibration import Calibration, fit
from glasshouse.families.conformal.coverage import coverage_band
from glasshouse.families.conformal.interface import Look, Method
from glasshouse.families.conformal.ranks import Ranks, needed_points, rank, threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal import Calibrated, Sets
from glasshouse.schema.guarantee import Guarantee


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Calibrates ``method`` on the problem's pool and ranks every label of every test point. One event."""
    pool = problem.open()
    fitted = fit(method, pool.probs[pool.calibration], pool.labels[pool.calibration])
    scores = method.score(pool.probs[pool.test])
    ranked = rank(fitted.scores, scores)
    yield Calibrated(
        n=fitted.n, m=len(scores), classes=fitted.classes, scores=fitted.scores, test_scores=scores,
        ranks=ranked.ranks.astype(np.int64), labels=pool.labels[pool.test],
        images=pool.images[pool.test] if len(pool.images) else pool.images, extra=dict(method.extra(fitted.scores)))


def look(events: Sequence[Event], look: Look) -> Sets:
    """The sets at one alpha, from the ranks.

    Raises: BadValue for an image beyond the test points.
    """
    calibrated = _calibrated(events)
    if look.image >= calibrated.m:
        raise bad_value("image", look.image, f"a whole number from 0 to {calibrated.m - 1}")
    n, m, k = calibrated.n, calibrated.m, threshold_rank(calibrated.n, look.alpha)
    sets = calibrated.ranks < k
    sizes = np.count_nonzero(sets, axis=1).astype(np.int64)
    low, high = coverage_band(n, m, k)
    why = f"{n} calibration points are too few for alpha = {look.alpha:g}: {needed_points(look.alpha)} are needed"
    return Sets(
        alpha=look.alpha, k=k, threshold=float(calibrated.scores[k - 1]) if k <= n else float("inf"),
        coverage=float(sets[np.arange(m), calibrated.labels].mean()), band_low=low, band_high=high,
        mean_size=float(sizes.mean()), full_because="" if k <= n else why, sets=sets, sizes=sizes, calibrated=calibrated,
        image=look.image, p_values=Ranks(calibrated.ranks[look.image : look.image + 1], n).p_values()[0])


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes of the split and, where sets were looked at, the last sets' numbers."""
    calibrated = _calibrated(events)
    numbers: dict[str, int | float | str] = {"n": calibrated.n, "m": calibrated.m, "classes": calibrated.classes}
    seen = [event for event in events if isinstance(event, Sets)]
    if seen:
        last = seen[-1]
        numbers |= {name: value for name, value in last.row().items() if name != "image" and value != ""}
        numbers |= {"empty": float((last.sizes == 0).mean()), "singletons": float((last.sizes == 1).mean())}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """Marginal coverage, which holds for every pool here: its points are shuffled, so they are exchangeable."""
    found = [event for event in events if isinstance(event, Calibrated)]
    return Calibration(method, found[-1].scores, found[-1].classes).guarantee if found else method.guarantee


def _calibrated(events: Sequence[Event]) -> Calibrated:
    return next(event for event in reversed(events) if isinstance(event, Calibrated))
