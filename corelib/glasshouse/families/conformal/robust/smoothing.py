"""Reading a point under noise: many noisy copies through the network, and what a score is on average over them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Hashable
from threading import Lock

import numpy as np

from glasshouse.families.conformal.robust.interface import Classifier, Method
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress

ROWS = 4096         # noisy copies at a time: some ten milliseconds


class Memory:
    """Arrays that another knob may ask for again, the latest used kept up to ``room`` bytes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> np.ndarray | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, array: np.ndarray) -> None:
        array.setflags(write=False)
        with self._lock:
            self._kept[key] = array
            while sum(a.nbytes for a in self._kept.values()) > self._room:
                self._kept.popitem(last=False)


def copies(classifier: Classifier, x: np.ndarray, sigma: float, count: int, seeds: Seeds, purpose: str, told: str,
           ) -> Generator[Progress, None, np.ndarray]:
    """The probabilities of ``count`` noisy copies of each row of ``x`` float32 [n, inputs]: float32 [n, count, K].

    The noise is that of (``purpose``, row): standard draws that sigma only scales, the same for a point and for its attacked version.
    """
    block = max(1, ROWS // count)
    found: list[np.ndarray] = []
    for first in range(0, len(x), block):
        some = x[first:first + block]
        noise = np.stack([seeds.numpy(purpose, row).standard_normal((count, x.shape[1]), np.float32) for row in range(first, first + len(some))])
        noise *= np.float32(sigma)
        noise += some[:, None]
        found.append(classifier.probabilities(noise.reshape(-1, x.shape[1])).reshape(len(some), count, -1))
        yield Progress(done=first + len(some), total=len(x), message=told)
    return np.concatenate(found)


def smoothed(method: Method, probs: np.ndarray, u: np.ndarray, holdout: np.ndarray, told: str,
             ) -> Generator[Progress, None, tuple[np.ndarray, np.ndarray]]:
    """(mean, unbiased variance) over the copies of every label's score, both float64 [n, K], from ``probs`` [n, count, K].

    ``u`` float64 [n]: one a point, shared by its copies.
    """
    n, count, classes = probs.shape
    means, variances = np.empty((n, classes)), np.empty((n, classes))
    block = max(1, ROWS // count)
    for first in range(0, n, block):
        part = slice(first, first + block)
        flat = probs[part].reshape(-1, classes).astype(np.float64)
        scores = method.transformed(method.score(flat, np.repeat(u[part], count)), holdout).reshape(-1, count, classes)
        means[part] = scores.mean(axis=1)
        variances[part] = scores.var(axis=1, ddof=1)
        yield Progress(done=min(first + block, n), total=n, message=told)
    return means, variances
