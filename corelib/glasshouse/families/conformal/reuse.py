"""Whether rows that are predicted were calibrated on: coverage measured on those says nothing about new points."""

from __future__ import annotations

from threading import Lock

import numpy as np
from scipy.special import bdtr

from glasshouse.families.conformal.draws import row_keys

MARKED = 20_000         # rows looked at
WINDOW = 200            # different rows that are judged together, where they come a few at a time
SURE = 1e-4             # chance of an alarm where rows are new


class Reuse:
    """Knows calibration rows again, and how often a new row is like none of them.

    A row is strange with the probability that a calibration row occurs once among them (Good 1953; Turing): about 1 where a model never
    says the same twice, about 0 for a tree with few leaves, whose rows tell nothing. The alarm is given where far fewer of the different
    rows are strange than that, less 1.5 / sqrt(n) for what the share is not known.
    """

    def __init__(self, probs: np.ndarray | None = None) -> None:
        keys, count = np.unique(row_keys(probs[:MARKED]), return_counts=True) if probs is not None else (np.empty(0), np.empty(0))
        n = max(int(count.sum()), 1)
        self._known, self._share = frozenset(keys.tolist()), max(0.0, float((count == 1).sum()) / n - 1.5 / n**0.5)
        self._window: set[int] = set()
        self._strange, self._lock = 0, Lock()

    def noticed(self, rows: np.ndarray) -> bool:
        """Takes note of ``rows`` float64 [m, K]; whether they, with the latest before, are calibration rows."""
        if not self._share:
            return False
        with self._lock:
            new = set(row_keys(rows[:MARKED]).tolist()) - self._window
            self._window |= new
            self._strange += len(new - self._known)
            alarm = bool(self._window) and bool(bdtr(self._strange, len(self._window), self._share) < SURE)
            if alarm or len(self._window) >= WINDOW:
                self._window, self._strange = set(), 0
        return alarm

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._lock = Lock()
