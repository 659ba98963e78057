"""The room's loop: learn, and give every test point its interval at every rank. Everything after that is a look."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import bdtr

from glasshouse.families.conformal.coverage import coverage_band
from glasshouse.families.conformal.intervals.interface import Inductive, Look, Method, Rule, Sample
from glasshouse.families.conformal.intervals.ladders import p_values
from glasshouse.families.conformal.intervals.ridge import Ridge
from glasshouse.families.conformal.intervals.rules import learn, promise, why_infinite
from glasshouse.families.conformal.ranks import kth, threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_intervals import Intervals, Learnt
from glasshouse.schema.guarantee import Guarantee

BINOMIAL, BETA = "binomial", "beta-binomial"


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Learns from the problem's labelled points by ridge regression on its features. Progress, then one event."""
    sample: Sample = problem.open()
    for item in learn(method, sample.x, sample.y, Ridge(method.penalty), seeds, sample.at):
        yield item if isinstance(item, Progress) else _learnt(method, sample, item)


def _learnt(method: Method, sample: Sample, rule: Rule) -> Learnt:
    lower, upper = rule.at(sample.test_x).all()
    grid_lower, grid_upper = rule.at(sample.grid_x).all()
    inductive, center = isinstance(method, Inductive), rule.center(sample.test_x)
    one_input, (times, less) = len(sample.grid) > 0, method.claim(len(rule.scores))
    return Learnt(
        n=len(rule.scores), m=len(sample.test_y), labelled=len(sample.y), scores=rule.scores, lower=lower, upper=upper, center=center,
        y=sample.test_y, at=sample.test_at if one_input else center, grid=sample.grid, grid_lower=grid_lower, grid_upper=grid_upper,
        grid_center=rule.center(sample.grid_x), input_name=sample.input_name,
        target_name=sample.target_name, claim_times=times, claim_less=less,
        has_threshold=method.has_threshold, band_law=BETA if inductive else BINOMIAL, extra=dict(rule.extra))


def look(events: Sequence[Event], look: Look) -> Intervals:
    """The intervals at one alpha: a column of what is there.

    Raises: BadValue for a point beyond the test points.
    """
    learnt = _last(events)
    if look.point >= learnt.m:
        raise bad_value("point", look.point, f"a whole number from 0 to {learnt.m - 1}")
    k = threshold_rank(learnt.n, look.alpha)
    lower, upper = learnt.lower[:, k - 1], learnt.upper[:, k - 1]
    covered = (lower <= learnt.y) & (learnt.y <= upper)
    low, high = _band(learnt, k, look.alpha)
    candidates, p = p_values(learnt.lower[look.point], learnt.upper[look.point])
    held = kth(learnt.scores, k)
    return Intervals(
        alpha=look.alpha, k=k, threshold=held if learnt.has_threshold else math.nan, coverage=float(covered.mean()),
        claimed=max(0.0, 1 - learnt.claim_times * look.alpha - learnt.claim_less), band_low=low, band_high=high,
        mean_width=float(np.maximum(upper - lower, 0).mean()), empty=float((lower > upper).mean()),
        infinite_because=why_infinite(learnt.n, k, look.alpha), point=look.point, lower=lower, upper=upper, covered=covered, learnt=learnt,
        candidates=candidates, p_values=p, extra=learnt.extra)


def _band(learnt: Learnt, k: int, alpha: float) -> tuple[float, float]:
    """The 1-99 % interval of coverage on m test points.

    Exact for one threshold on unseen points. Methods that reuse their points have no such law: the band is that of m independent tosses at
    1 - alpha, narrower than the truth, since the labelled points are drawn at random too.
    """
    if learnt.band_law == BETA or k > learnt.n:
        return coverage_band(learnt.n, learnt.m, k)
    return _tosses(learnt.m, 1 - alpha)


@lru_cache(maxsize=4096)
def _tosses(m: int, chance: float, tail: float = 0.01) -> tuple[float, float]:
    low, high = np.searchsorted(bdtr(np.arange(m + 1.0), m, chance), (tail, 1 - tail)).clip(0, m)
    return float(low / m), float(high / m)


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes and, where intervals were looked at, the last ones' numbers."""
    learnt = _last(events)
    numbers: dict[str, int | float | str] = {"n": learnt.n, "m": learnt.m, "labelled": learnt.labelled}
    seen = [event for event in events if isinstance(event, Intervals)]
    if seen:
        numbers |= {name: value for name, value in seen[-1].row().items() if name != "point" and value != "" and value == value}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The promise of the method with as many points as it has."""
    found = [event for event in events if isinstance(event, Learnt)]
    return promise(method, found[-1].n) if found else method.guarantee


def _last(events: Sequence[Event]) -> Learnt:
    return next(event for event in reversed(events) if isinstance(event, Learnt))
