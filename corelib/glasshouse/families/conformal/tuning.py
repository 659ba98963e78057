"""Choosing a score's constants on points of their own, which then do not calibrate: the promise of calibration stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from glasshouse.families.conformal.interface import Method
from glasshouse.families.conformal.ranks import kth, miscoverage, needed_points, threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue, bad_value

ENTRIES = 1_000_000     # scores at a time
M = TypeVar("M", bound=Method)


@runtime_checkable
class Tunable(Protocol):
    """A score whose paper chooses constants on a part of the calibration points: ``tuning_share`` of them, for the fields ``tuned_knobs``."""

    tuning_share: ClassVar[float]
    tuned_knobs: ClassVar[tuple[str, ...]]

    def tuned(self, probs: np.ndarray, labels: np.ndarray, u: np.ndarray, alpha: Any) -> Self: ...


def split(method: Any, name: str, probs: np.ndarray, labels: np.ndarray, alpha: Any, given: Iterable[str], seeds: Seeds) -> tuple[Any, np.ndarray]:
    """(the tuned method, which rows are left to calibrate, ascending): the others were drawn for tuning.

    Raises: BadValue where there is nothing to tune, where a constant is ``given``, and for too few points.
    """
    miscoverage(alpha)
    if not isinstance(method, Tunable):
        raise bad_value("tune", alpha, f"None: the paper of {name} tunes nothing")
    for knob in given:
        if knob in method.tuned_knobs:
            raise BadValue(f"{knob} is not allowed beside tune, which chooses it", knob)
    count, needed = ceil(len(probs) * method.tuning_share), needed_points(alpha)
    if count < needed:
        raise BadValue(f"tune = {alpha} needs {needed} points to tune on: {100 * method.tuning_share:g} % of {len(probs)} are {count}", "tune")
    order = seeds.numpy("tuning part").permutation(len(probs))
    at = np.sort(order[:count])
    u = seeds.numpy("u of tuning points").random(count)
    return method.tuned(probs[at], labels[at], u, alpha), np.sort(order[count:])


def smallest_sets(candidates: Iterable[M], probs: np.ndarray, labels: np.ndarray, u: np.ndarray, alpha: Any) -> M:
    """The first of ``candidates`` whose sets are smallest on average, calibrated and counted on the same points, as the papers do."""
    k, rows = threshold_rank(len(probs), alpha), max(1, ENTRIES // probs.shape[1])

    def size(method: M) -> int:
        limit = kth(np.sort(method.score(probs, u, labels)), k)
        return sum(int(np.count_nonzero(method.score(probs[i:i + rows], u[i:i + rows]) <= limit)) for i in range(0, len(probs), rows))

    return min(candidates, key=size)
