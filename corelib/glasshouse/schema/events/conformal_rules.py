"""Detectors, logic rules between them, and sets that hold under attack: probabilities before and after the rules, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Reasoned(Event):
    """A method calibrated, every test label scored, and every score bounded for each radius of attack.

    n calibration points, m test points, K classes, L properties, D radii; axis 0 of what has length 2 is without rules, then with them.
    ``radii`` float64 [D], ascending from 0. ``implies`` bool [L, K]: whether a class has a property, ``properties`` their names.
    ``known[r][c]`` are the calibration scores of cell c, ascending; ``cell`` int64 [K] says each class's. ``labels_known`` int64 [n] and
    ``worst`` float64 [2, D, n]: label and largest score of the true label that an attack can bring about, of the calibration points.
    ``scores`` float64 [2, m, K]; ``best`` float64 [2, D, m, K], the least score that an attack can have started from. ``labels`` int64 [m];
    ``images`` uint8 [m, h, w] or empty. ``before`` and ``after`` float64 [m, K + L]: probabilities of classes, then properties;
    ``before_box``, ``after_box`` float64 [2, D, m, K + L] their low and high ends. ``counted``: whether these allow for the error of
    finitely many votes, ``reading`` the probability that they fail for that.
    """

    n: int
    m: int
    classes: int
    weight: float
    blend: float
    calibration: str
    counted: bool
    reading: float
    radii: np.ndarray
    implies: np.ndarray
    properties: tuple[str, ...]
    known: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]
    cell: np.ndarray
    labels_known: np.ndarray
    worst: np.ndarray
    scores: np.ndarray
    best: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    before: np.ndarray
    after: np.ndarray
    before_box: np.ndarray
    after_box: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustSets(Event):
    """Sets at one alpha and one radius of attack. Axis 0 of length 2: without rules, then with them.

    ``thresholds`` float64 [2, cells] and ``robust_thresholds`` alike, the latter at the alpha that is left after the votes' error.
    ``sets`` and ``robust`` bool [2, m, K]; ``sizes`` float64 [2] are means, ``robust_sizes`` float64 [2, D] alike for every radius, ``covered``
    and ``robust_covered`` float64 [2] the shares of test points whose truth they hold, unattacked. ``certified`` float64 [2, D]: what the
    ordinary sets cover at least under any attack of each radius, with probability 0.95 over the calibration points; ``fraction`` alike is
    the same on the calibration points themselves. ``band_low``, ``band_high``: chance's 1-99 % interval of ``covered``, where all
    points share one threshold. ``at``: the place in ``radii`` of the radius looked at, rounded up.
    """

    alpha: float
    radius: float
    at: int
    image: int
    coverage: float
    mean_size: float
    robust_size: float
    certified_coverage: float
    band_low: float
    band_high: float
    thresholds: np.ndarray
    robust_thresholds: np.ndarray
    sets: np.ndarray
    robust: np.ndarray
    sizes: np.ndarray
    robust_sizes: np.ndarray
    covered: np.ndarray
    robust_covered: np.ndarray
    fraction: np.ndarray
    certified: np.ndarray
    reasoned: Reasoned


@dataclass(frozen=True, kw_only=True, eq=False)
class Attacked(Event):
    """Test points attacked at each radius so far. ``scores`` float64 [2, done, attacks, m]: of the true label, without rules and with.

    Row d belongs to ``radii[d]``. An attack succeeds where the score passes the threshold of the label's cell.
    """

    done: int
    total: int
    radii: np.ndarray
    scores: np.ndarray
