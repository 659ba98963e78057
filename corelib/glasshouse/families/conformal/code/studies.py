"""Side studies of the room: what one calibration cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.code.drive import errors, solved
from glasshouse.families.conformal.code.interface import Method
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_code import Resamples

AT_ONCE = 20


def resamples(method: Method, problem: Any, seeds: Seeds, total: int = 500) -> Iterator[Event | Progress]:
    """Draws the calibration ``total`` times anew, with replacement, from all statements of the pool.

    The pool is then the very law that is drawn from, so the error of a budget is known exactly, and the share of draws whose chosen budget errs more
    than eps is at most delta up to chance.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000.
    """
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, "a whole number from 1 to 10000")
    if not 1 <= total <= 10_000:
        raise bad_value("total", total, "a whole number from 1 to 10000")
    return _resamples(method, problem, seeds, total)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"resamples": resamples}


def _resamples(method: Method, problem: Any, seeds: Seeds, total: int) -> Iterator[Event | Progress]:
    pool = problem.open()
    kept = yield from solved(method, pool, np.arange(len(pool.statements)))
    missed = errors(pool.statements, kept).astype(np.int64)
    n, size = len(pool.calibration), len(pool.statements)
    counts = np.empty((total, *missed.shape[1:]), np.int64)
    for i in range(total):
        drawn = seeds.numpy("resample", i).integers(size, size=n)
        counts[i] = np.tensordot(np.bincount(drawn, minlength=size), missed, 1)
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield Resamples(done=i + 1, total=total, n=n, errors=counts[:i + 1].copy(), rate=missed.mean(axis=0))
