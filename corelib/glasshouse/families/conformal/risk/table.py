"""The losses of every threshold, counted once in whole numbers.

A label enters a set {k : p_k >= 1 - lambda} at one place of the grid of lambdas, and stays. So a sample of pages is a table of places, and
the loss of every lambda a running sum over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

Loss = Literal["missed-share", "missed-any"]
STEPS = 200
GRID = np.arange(STEPS + 1) / STEPS


@dataclass(frozen=True, eq=False)
class Table:
    """Losses of n pages at every lambda of an ascending grid, as whole numbers of 1 / ``unit``.

    ``total`` int64 [J + 1] is the sum over pages, nonincreasing; the largest possible loss B is 1, ``unit`` units. ``labels`` int64 [J + 1] is the
    summed size of their sets. ``binary``: each loss is 0 or 1.
    """

    n: int
    unit: int
    total: np.ndarray
    labels: np.ndarray
    binary: bool

    @property
    def risk(self) -> np.ndarray:
        """R-hat, the mean loss at every lambda, float64 [J + 1]; 1 without pages."""
        return self.total / (self.unit * self.n) if self.n else np.ones(len(self.total))

    @property
    def last(self) -> int:
        """J, the place of the largest lambda, whose sets hold every label."""
        return len(self.total) - 1


def entries(probs: np.ndarray) -> np.ndarray:
    """The place in the grid from which on a label is in the set: the least j with lambda_j >= 1 - p. ``probs`` [m, K]; int64 [m, K]."""
    return np.searchsorted(GRID, 1.0 - probs).clip(0, STEPS).astype(np.int64)


def units(truth: np.ndarray) -> int:
    """A whole number that makes every share of ``truth`` bool [m, K] missed a whole number of units."""
    return math.lcm(*(int(s) for s in np.unique(truth.sum(axis=1)) if s))


def tabled(entry: np.ndarray, truth: np.ndarray, loss: Loss, unit: int) -> Table:
    """Counts ``entry`` int64 [n, K] and ``truth`` bool [n, K]. A page without labels has nothing to miss."""
    places = entry.ravel()
    labels = np.cumsum(np.bincount(places, minlength=STEPS + 1))
    if loss == "missed-any":
        last_in = np.where(truth, entry, 0).max(axis=1, initial=0)
        gone = np.bincount(last_in, minlength=STEPS + 1)
        return Table(len(entry), 1, len(entry) - np.cumsum(gone), labels, True)
    worth = np.where(truth, unit // np.maximum(truth.sum(axis=1, keepdims=True), 1), 0)
    gone = np.bincount(places, worth.ravel(), STEPS + 1).astype(np.int64)           # whole numbers below 2^53: exact
    return Table(len(entry), unit, int(worth.sum()) - np.cumsum(gone), labels, False)


PRICES = np.arange(1, 51) / 100


def price(table: Table, choose: Callable[[Table, Fraction], int]) -> Mapping[str, np.ndarray]:
    """For alpha from 0.01 to 0.50, the labels a page that the choice costs on the calibration pages; NaN where nothing can be chosen."""
    chosen = [choose(table, Fraction(i, 100)) for i in range(1, 51)]
    with np.errstate(invalid="ignore"):
        labels = np.array([table.labels[j] / max(table.n, 1) if j >= 0 else math.nan for j in chosen])
    return {"alpha": PRICES, "labels": labels}
