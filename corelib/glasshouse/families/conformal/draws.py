"""The random share u of a prediction: fresh for every row, however a caller groups or repeats rows."""

from __future__ import annotations

from threading import Lock
from zlib import crc32

import numpy as np

from glasshouse.numerics.seeds import Seeds

COLUMNS = 16                                    # of a row, by which it is told from others
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ODD = np.random.Generator(np.random.PCG64(0)).integers(1 << 63, size=COLUMNS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def row_keys(rows: np.ndarray) -> np.ndarray:
    """uint64 [m] of ``rows`` float64 [m, K]: equal for equal rows, and different but by chance for rows that differ in the columns read,
    all of them up to sixteen, else sixteen that are spread evenly."""
    k = rows.shape[1]
    some = rows if k <= COLUMNS else rows[:, np.arange(COLUMNS) * k // COLUMNS]
    bits = np.ascontiguousarray(some).view(np.uint64)
    found: np.ndarray = ((bits ^ (bits >> np.uint64(32))) * _ODD[:bits.shape[1]]).sum(axis=1, dtype=np.uint64)
    return found


class Draws:
    """u ~ Unif(0, 1), one a predicted row, from ``key``, how many rows came before, and the row's own numbers.

    The count makes u fresh for every row, equal ones included, whether rows come singly, in batches or from several threads. The numbers
    in the row keep u fresh where the count starts again: in a copy, a new process, a calibration made anew for every request. Given the
    key, the same rows in the same order get the same u. A pickle goes on from the count that it was made at.

    The bits are SplitMix64's (Steele, Lea, Flood 2014).
    """

    def __init__(self, key: int = 0, count: int = 0) -> None:
        self._key, self._count, self._lock = key, count, Lock()

    @classmethod
    def of(cls, seeds: Seeds, labels: np.ndarray) -> Draws:
        """The stream of a calibration on points with these ``labels`` int64 [n]: windows that move through a series each have their own."""
        return cls(seeds.key("u of new points", len(labels), crc32(np.ascontiguousarray(labels).tobytes())))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """float64 [m] in [0, 1), for ``rows`` float64 [m, K]."""
        with self._lock:
            first = self._count
            self._count += len(rows)
        place = np.arange(first, first + len(rows), dtype=np.uint64) * _GOLDEN + np.uint64(self._key)
        bits = _mixed(_mixed(place) ^ row_keys(rows)) >> np.uint64(11)
        return np.asarray(bits * 2.0**-53)

    def __reduce__(self) -> tuple[type[Draws], tuple[int, int]]:
        return Draws, (self._key, self._count)


def _mixed(x: np.ndarray) -> np.ndarray:
    x = x + _GOLDEN
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(x ^ (x >> np.uint64(31)))
