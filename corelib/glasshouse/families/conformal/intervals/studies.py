"""Side studies of the room: what one sample cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from glasshouse.families.conformal.intervals.interface import Method, Rule, Sample
from glasshouse.families.conformal.intervals.ridge import Ridge
from glasshouse.families.conformal.intervals.rules import learn
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_intervals import Redraws

AT_ONCE = 4             # at most 60 ms of work between partial pictures
DRAWS = 10_000


def redraws(method: Method, problem: Any, seeds: Seeds, total: int = 100) -> Iterator[Event | Progress]:
    """Draws all points of the problem anew ``total`` times, learns and tests each time.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000.
    """
    allowed = f"a whole number from 1 to {DRAWS}"
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, allowed)
    if not 1 <= total <= DRAWS:
        raise bad_value("total", total, allowed)
    return _redraws(method, problem, seeds, total)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"redraws": redraws}


def _redraws(method: Method, problem: Any, seeds: Seeds, total: int) -> Iterator[Event | Progress]:
    draws = seeds.numpy("redraws").permutation(DRAWS)[:total].tolist()
    coverage: list[np.ndarray] = []
    width: list[np.ndarray] = []
    for i, draw in enumerate(draws):
        sample: Sample = replace(problem, draw=draw).open()
        *_, rule = learn(method, sample.x, sample.y, Ridge(method.penalty), Seeds(seeds.key("redraw", i)), sample.at)
        assert isinstance(rule, Rule)
        lower, upper = rule.at(sample.test_x).all()
        y = sample.test_y[:, None]
        coverage.append(((lower <= y) & (y <= upper)).mean(axis=0))
        width.append(np.maximum(upper - lower, 0).mean(axis=0))
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield Redraws(done=i + 1, total=total, n=len(rule.scores), m=len(y), coverage=np.array(coverage), mean_width=np.array(width))
