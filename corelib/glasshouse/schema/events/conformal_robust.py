"""Robust prediction sets: scores averaged over noise, the same under attacks, and the sets they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Attacked(Event):
    """All test points after an attack of one radius; radius 0 are the clean ones.

    ``means`` and ``variances`` float64 [m, K] of every label's score over the noisy copies; ``plain`` float64 [m, K] without noise or
    transformation; ``images`` uint8 [m, h, w] (0-255), or empty. ``accuracy`` is that of the noise-averaged network; ``used`` the mean share
    of the shift radius / sigma by which the true label's Phi^-1 mean was really moved, 0 at radius 0.
    """

    radius: float
    accuracy: float
    used: float
    means: np.ndarray
    variances: np.ndarray
    plain: np.ndarray
    images: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Smoothed(Event):
    """Calibration and clean test points are scored.

    ``calibration`` float64 [n]: the true labels' mean scores, ascending; ``plain_calibration`` float64 [n] the same without noise or
    transformation, ascending. ``labels`` int64 [m]; ``sigma`` of the noise, ``n_mc`` copies a mean, ``error`` how its error is bounded
    ("ignored", "hoeffding", "bernstein"). ``clean`` are the test points before any attack, ``radii`` the attacks that follow.
    """

    n: int
    m: int
    classes: int
    holdout: int
    sigma: float
    n_mc: int
    error: str
    calibration: np.ndarray
    plain_calibration: np.ndarray
    labels: np.ndarray
    radii: tuple[float, ...]
    clean: Attacked


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustSets(Event):
    """The sets made for one radius, under one attack.

    ``attack`` is the radius of the attack shown, one of ``radii`` [r], those computed so far. ``coverage`` is that of the robust sets under
    it, ``certified`` the least that any attack of that radius could leave of it, each image's part with probability at least 1 - 2 beta;
    ``clean`` is the robust sets' coverage without attack. ``plain_*`` are the same for ordinary sets, made from the network without noise.
    ``withstood`` float64 [m] is the radius within which nothing drives the true label out (-inf: it is out already).
    ``coverages`` and ``plain_coverages`` float64 [r], ``mean_sizes`` and ``plain_mean_sizes`` float64 [r] are by attack.
    ``sets``, ``plain_sets`` bool [m, K] and ``sizes``, ``plain_sizes`` int64 [m] are those under the attack shown.
    ``least`` float64 [K]: Phi^-1 of what each label's score is at least, for test image ``image`` under the attack; it is in the set where
    ``least`` <= ``limit``. ``measured`` float64 [K] is Phi^-1 of the mean itself; ``reach`` = radius / sigma is part of ``limit``.
    ``band`` is the 1-99 % interval of the coverage of m clean points at rank ``k``; ``full_because`` says why every set is full.
    """

    alpha: float
    beta: float
    radius: float
    attack: float
    coverage: float
    certified: float
    clean: float
    plain_coverage: float
    plain_clean: float
    mean_size: float
    plain_mean_size: float
    k: int
    threshold: float
    limit: float
    reach: float
    band_low: float
    band_high: float
    full_because: str
    image: int
    sets: np.ndarray
    plain_sets: np.ndarray
    sizes: np.ndarray
    plain_sizes: np.ndarray
    withstood: np.ndarray
    radii: np.ndarray
    coverages: np.ndarray
    plain_coverages: np.ndarray
    mean_sizes: np.ndarray
    plain_mean_sizes: np.ndarray
    least: np.ndarray
    measured: np.ndarray
    smoothed: Smoothed
    under: Attacked


@dataclass(frozen=True, kw_only=True, eq=False)
class ProvedResplits(Event):
    """Many random splits of one pool of scored points into n for calibration and m for testing, ``done`` of ``total`` so far.

    ``proved`` float64 [done, n + 2]: column k is the coverage that the threshold of rank k certifies at the radius the sets are made for
    (k = 0 nothing, k = n + 1 all), so any alpha is a look-up.
    """

    done: int
    total: int
    n: int
    m: int
    proved: np.ndarray
