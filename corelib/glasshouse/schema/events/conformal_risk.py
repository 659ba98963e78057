"""Risk control: the loss of every threshold counted once, then the threshold that a promise allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Losses(Event):
    """What every lambda of the grid costs on the calibration pages, and what it would cost on all pages there are.

    Losses are whole numbers of 1 / ``unit``, so that sums are exact. ``grid`` float64 [J + 1] holds the lambdas, ascending from 0 to 1; ``total``
    int64 [J + 1] the calibration pages' summed losses; ``true_risk`` float64 [J + 1] the mean loss of the whole population, which only a
    simulation knows; ``mean_labels`` float64 [J + 1] the labels a page, over the population. ``binary``: every loss is 0 or 1.

    Of the m test pages: ``probs`` float64 [m, K], the model's probability that a label stands on the page; ``truth`` bool [m, K];
    ``entry`` int64 [m, K], the place in the grid from which on a label is in the set; ``pictures`` uint8 [m, places, h, w] (0-255), or
    empty, and ``used`` int64 [m], how many of the places have one.

    ``method`` is the frozen dataclass of the run's knobs, which chooses for any alpha, ``table`` what it chooses from.
    """

    n: int
    m: int
    classes: int
    unit: int
    binary: bool
    loss: str
    grid: np.ndarray
    total: np.ndarray
    true_risk: np.ndarray
    mean_labels: np.ndarray
    probs: np.ndarray
    truth: np.ndarray
    entry: np.ndarray
    pictures: np.ndarray
    used: np.ndarray
    method: Any
    table: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen(Event):
    """The label sets at one alpha.

    ``certified``: the method vouches for a lambda; without one every label is shown, ``index`` is the last of the grid and ``why_not`` says
    what is missing. ``evidence`` float64 [J + 1] is what the method computes for every lambda, ``limit`` what it must not pass;
    ``p_values`` says whether it is a p-value (else a corrected risk). ``calibration_risk`` is that of the n calibration pages, ``risk`` the
    population's, ``test_risk`` that of the m pages on the screen. ``sets`` bool [m, K]; ``missed`` bool [m, K] true labels left out;
    ``page`` is the chosen page.
    """

    alpha: float
    index: int
    lambda_hat: float
    certified: bool
    why_not: str
    calibration_risk: float
    risk: float
    test_risk: float
    mean_size: float
    evidence: np.ndarray
    limit: np.ndarray
    p_values: bool
    sets: np.ndarray
    missed: np.ndarray
    losses: Losses
    page: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskResplits(Event):
    """Many other calibration samples of the same size, ``done`` of ``total`` so far.

    ``alphas`` float64 [A]; ``risk`` float64 [done, A], the true risk of the lambda that each sample chose at each alpha; ``certified`` bool
    [done, A] says where it chose one (elsewhere every label is shown and the risk is 0).
    """

    done: int
    total: int
    n: int
    alphas: np.ndarray
    risk: np.ndarray
    certified: np.ndarray
