"""Split conformal prediction: calibration once, then sets for any alpha."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated(Event):
    """Calibration done and every test score ranked.

    ``scores`` float64 [n], sorted calibration scores, ``cell_scores`` the same cell by cell, ``cell_n`` int64 [cells] how many each has;
    ``cells``: one for all, a cell a group of points, a cell a class, or a cell a cluster of classes;
    ``rare``: the last cell holds all scores and serves labels with too few of their own, for which nothing is promised;
    ``cell`` int64 [m, K] says which cell a label is ranked in; ``group`` int64 [m] and ``group_names`` are those of the test points;
    ``deterministic``: the score could take a random share of a label's own mass, and does not;
    ``test_scores`` float64 [m, K]; ``ranks`` int64 [m, K], the number of
    calibration scores strictly below; ``labels`` int64 [m]; ``images`` uint8 [m, h, w] (0-255) or an empty array.
    """

    n: int
    m: int
    classes: int
    scores: np.ndarray
    test_scores: np.ndarray
    ranks: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    cells: Literal["all", "group", "class", "cluster"]
    rare: bool = False
    cell_n: np.ndarray
    cell: np.ndarray
    cell_names: tuple[str, ...]
    cell_scores: tuple[np.ndarray, ...]
    group: np.ndarray
    group_names: tuple[str, ...]
    deterministic: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Sets(Event):
    """Prediction sets at one alpha.

    ``sets`` bool [m, K]; ``sizes`` int64 [m]; ``thresholds`` float64 [cells] may be +inf, ``threshold`` is the first
    cell's; ``coverage`` on the m test points;
    ``band`` the 1-99 % interval of that coverage under the BetaBinomial law; ``k`` the rank of the threshold;
    ``full_because`` says what is full and why, empty where nothing need be, ``full_advice`` what to do.
    ``p_values`` float64 [K] are those of test image
    ``image``: labels leave its set in this order as alpha grows. ``cell_coverage`` float64 [cells] is that of the test points whose true
    label lies in a cell, NaN without any, ``cell_band`` float64 [cells, 2] its 1-99 % interval, NaN where no law holds.
    """

    alpha: float
    k: int
    threshold: float
    coverage: float
    band_low: float
    band_high: float
    mean_size: float
    full_because: str
    sets: np.ndarray
    sizes: np.ndarray
    calibrated: Calibrated
    full_advice: str = ""
    image: int = 0
    p_values: np.ndarray = field(default_factory=lambda: np.empty(0))
    thresholds: np.ndarray = field(default_factory=lambda: np.empty(0))
    cell_coverage: np.ndarray = field(default_factory=lambda: np.empty(0))
    cell_band: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Resplits(Event):
    """Many random splits of one pool into n calibration and m test points, ``done`` of ``total`` so far.

    ``coverage`` and ``mean_size`` float64 [done, n + 2]: column k is what the threshold of rank k gives (k = 0 the empty sets,
    k = n + 1 the full ones), so any alpha is a look-up of ``k = ceil((n + 1)(1 - alpha))``.
    """

    done: int
    total: int
    n: int
    m: int
    coverage: np.ndarray
    mean_size: np.ndarray
