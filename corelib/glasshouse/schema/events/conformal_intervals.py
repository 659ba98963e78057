"""Prediction intervals: learnt once, then read off for any alpha."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt(Event):
    """Intervals of every test point at every rank.

    ``lower`` and ``upper`` float64 [m, n + 1]: column k - 1 holds the intervals of the threshold's rank k from 1 to n + 1, nested in k, the
    last infinite; lower above upper is an empty interval. ``grid_lower`` and ``grid_upper`` [g, n + 1] are the same over ``grid`` [g], for
    pictures, empty where there are many inputs; ``grid_center`` [g] and ``center`` [m] the forecasts. ``scores`` float64 [n], ascending.
    ``y`` [m] are the test targets, ``at`` [m] their place in pictures: the input, or the forecast where there are many inputs.
    Theory promises a coverage of at least 1 - ``claim_times`` alpha - ``claim_less``. ``has_threshold``: whether a threshold on the scores
    says something. ``band_law``: the law of the coverage's band, "beta-binomial" (exact) where the scores are those of points that the
    model has not seen, else "binomial", that of independent tosses.
    """

    n: int
    m: int
    labelled: int
    scores: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    center: np.ndarray
    y: np.ndarray
    at: np.ndarray
    grid: np.ndarray
    grid_lower: np.ndarray
    grid_upper: np.ndarray
    grid_center: np.ndarray
    input_name: str
    target_name: str
    claim_times: int
    claim_less: float
    has_threshold: bool
    band_law: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals(Event):
    """The intervals at one alpha.

    ``lower`` and ``upper`` float64 [m]; ``covered`` bool [m]; ``k`` the rank; ``threshold`` S_(k) of the scores, +inf for k = n + 1, NaN where
    the method has none; ``claimed`` the coverage that theory promises; ``band_low`` and ``band_high`` the 1-99 % interval of the coverage;
    ``mean_width`` counts empty intervals as 0; ``empty`` is their share. ``infinite_because`` says why all are infinite, empty where none
    need be. ``candidates`` and ``p_values`` float64 [2 n]: corners of the p-value of every y at test point ``point``.
    """

    alpha: float
    k: int
    threshold: float
    coverage: float
    claimed: float
    band_low: float
    band_high: float
    mean_width: float
    empty: float
    infinite_because: str
    point: int
    lower: np.ndarray
    upper: np.ndarray
    covered: np.ndarray
    learnt: Learnt
    candidates: np.ndarray = field(default_factory=lambda: np.empty(0))
    p_values: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Redraws(Event):
    """Many samples drawn anew, each learnt from and tested, ``done`` of ``total`` so far.

    ``coverage`` and ``mean_width`` float64 [done, n + 1]: column k - 1 is what rank k gives, so any alpha is a look-up.
    """

    done: int
    total: int
    n: int
    m: int
    coverage: np.ndarray
    mean_width: np.ndarray
