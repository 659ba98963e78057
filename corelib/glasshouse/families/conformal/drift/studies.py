"""Side studies of the room: what one stream cannot show."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.drift.drive import split_limit
from glasshouse.families.conformal.drift.interface import Method, Series, missed
from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_drift import Streams

AT_ONCE = 4             # streams between partial pictures


def streams(method: Method, problem: Any, seeds: Seeds, total: int = 100, alpha: float = 0.1) -> Iterator[Event | Progress]:
    """Draws ``total`` other streams of the same kind, each with calibration points of its own, and counts how often each step is covered.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000 or an ``alpha`` outside (0, 1).
    """
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, "a whole number from 1 to 10000")
    if not 1 <= total <= 10_000:
        raise bad_value("total", total, "a whole number from 1 to 10000")
    miscoverage(alpha)
    return _streams(method, problem, seeds, total, alpha)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"streams": streams}


def _streams(method: Method, problem: Any, seeds: Seeds, total: int, alpha: float) -> Iterator[Event | Progress]:
    exact = miscoverage(alpha)
    held = fixed_held = np.zeros(0)
    for i in range(total):
        series: Series = dataclasses.replace(problem, draw=seeds.key("stream", i) % 2**31).open()
        limit = method.follow(series, method.begin(series), exact).limit
        fixed = np.full(len(limit), split_limit(series.calibration_scores, exact))
        mine, theirs = (1.0 - missed(series.scores, q) for q in (limit, fixed))
        held, fixed_held = (mine, theirs) if i == 0 else (held + mine, fixed_held + theirs)
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield Streams(done=i + 1, total=total, alpha=alpha, coverage=held / (i + 1), fixed_coverage=fixed_held / (i + 1))
