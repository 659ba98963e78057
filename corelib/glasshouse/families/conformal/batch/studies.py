"""What one set of calibration points cannot show: how often a claim holds over many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.batch.interface import Method
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_batch import Redraws

AT_ONCE = 10


def redraws(method: Method, problem: Any, seeds: Seeds, total: int = 300) -> Iterator[Event | Progress]:
    """Draws n calibration points and a batch of m from the problem's points at random, ``total`` times, without replacement in a draw.

    Given the points, ranks follow their exact law where scores do not tie.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000.
    """
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, "a whole number from 1 to 10000")
    if not 1 <= total <= 10_000:
        raise bad_value("total", total, "a whole number from 1 to 10000")
    return _redraws(method, problem, seeds, total)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"redraws": redraws}


def _redraws(method: Method, problem: Any, seeds: Seeds, total: int) -> Iterator[Event | Progress]:
    pool = problem.open()
    scores, n, m = method.score(pool), len(pool.calibration), pool.batches.shape[1]
    needed = np.empty((total, 1 if method.statement == "mean" else m), np.int64)
    first = m if method.statement == "mean" else 1
    for i in range(total):
        order = seeds.numpy("redraw", i).permutation(len(scores))
        bounds = method.bounds(np.sort(scores[order[:n]]), pool.upper, m)
        found = method.statistics(np.sort(scores[order[n : n + m]])[None])[0]
        needed[i] = first + np.searchsorted(bounds, found, side="left")
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield Redraws(done=i + 1, total=total, n=n, m=m, needed=needed[: i + 1].copy())
