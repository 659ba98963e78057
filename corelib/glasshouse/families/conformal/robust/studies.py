"""Side studies of the room: what one split cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.robust.drive import drive
from glasshouse.families.conformal.robust.interface import Method
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_robust import ProvedResplits, Smoothed

AT_ONCE = 10


def resplits(method: Method, problem: Any, seeds: Seeds, total: int = 100) -> Iterator[Event | Progress]:
    """Splits calibration and test points anew ``total`` times: what is certified at the radius that sets are made for, each time.

    There the certificate is the coverage of clean means, whose law is that of `coverage.covered_law`. Points are scored once and not attacked.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000.
    """
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, "a whole number from 1 to 10000")
    if not 1 <= total <= 10_000:
        raise bad_value("total", total, "a whole number from 1 to 10000")
    return _resplits(method, problem, seeds, total)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"resplits": resplits}


def _resplits(method: Method, problem: Any, seeds: Seeds, total: int) -> Iterator[Event | Progress]:
    scored: Smoothed | None = None
    for item in drive(method, problem, seeds):
        if isinstance(item, Smoothed):
            scored = item
            break
        yield item
    assert scored is not None, "a run scores before it attacks"
    n, m = scored.n, scored.m
    means = np.concatenate((scored.calibration, scored.clean.means[np.arange(m), scored.labels]))
    proved = np.empty((total, n + 2))
    for i in range(total):
        order = seeds.numpy("resplit", i).permutation(n + m)
        ranks = np.searchsorted(np.sort(means[order[:n]]), means[order[n:]], side="left")
        proved[i] = np.concatenate(([0], np.cumsum(np.bincount(ranks, minlength=n + 1)))) / m
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield ProvedResplits(done=i + 1, total=total, n=n, m=m, proved=proved[: i + 1].copy())
