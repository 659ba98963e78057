"""Side studies of the family: what one split cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.interface import Celled, Method, Pool
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported, bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal import Resplits

AT_ONCE = 5  # about 20 ms of work between partial pictures


def resplits(method: Method, problem: Any, seeds: Seeds, total: int = 100) -> Iterator[Event | Progress]:
    """Splits the problem's pool at random ``total`` times into as many calibration and test points as it has now.

    With a fixed model and no ties, the covered counts follow the BetaBinomial law of `coverage.covered_law` exactly.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000.
    """
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, "a whole number from 1 to 10000")
    if not 1 <= total <= 10_000:
        raise bad_value("total", total, "a whole number from 1 to 10000")
    return _resplits(method, problem.open(), seeds, total)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"resplits": resplits}


def _resplits(method: Method, pool: Pool, seeds: Seeds, total: int) -> Iterator[Event | Progress]:
    if isinstance(method, Celled):
        raise Unsupported("Splitting again is shown where one threshold serves all points; this method has one for each cell.", "resplits")
    n, m = len(pool.calibration), len(pool.test)
    scores = method.score(pool.probs, seeds.numpy("u").random(len(pool.labels)))
    true = np.take_along_axis(scores, pool.labels[:, None], axis=1)[:, 0]
    coverage, mean_size = np.empty((total, n + 2)), np.empty((total, n + 2))
    for i in range(total):
        order = seeds.numpy("resplit", i).permutation(len(true))
        calibration, test = np.sort(true[order[:n]]), order[n : n + m]
        coverage[i] = _below(calibration, true[test]) / m
        mean_size[i] = _below(calibration, scores[test].ravel()) / m
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield Resplits(done=i + 1, total=total, n=n, m=m, coverage=coverage[: i + 1].copy(), mean_size=mean_size[: i + 1].copy())


def _below(calibration: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For k = 0 .. n + 1, how many of ``scores`` have a rank below k: [n + 2]."""
    ranks = np.searchsorted(calibration, scores, side="left")
    counts = np.bincount(ranks, minlength=len(calibration) + 1)
    return np.concatenate(([0], np.cumsum(counts)))
