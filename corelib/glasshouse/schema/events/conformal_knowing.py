"""What a model knows: its probabilities beside the true ones, and how far off it says it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glasshouse.schema.events.base import Event

Phase = Literal["untrained", "learning", "soft targets", "outcomes", "counting", "kept"]


@dataclass(frozen=True, eq=False)
class World:
    """The test inputs as only a simulation knows them; a method never sees ``truth``.

    ``truth`` float64 [m, K] the true probability of every answer; ``labels`` int64 [m, 2] two answers drawn from it, one after the other;
    ``best`` float64 [m, K] what is left of the truth where some of the input is hidden, its mean given the rest, and ``spread``
    float64 [m, K] its variance given the rest: no training on what can be seen makes that smaller. Both NaN where unknown.
    """

    answers: tuple[str, ...]
    truth: np.ndarray
    labels: np.ndarray
    best: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Epoch(Event):
    """One state of the model. ``mu`` float64 [m, K] are its probabilities on the test inputs; ``cheat`` float64 [m, K, K] those of a second
    answer (last axis) once a first one is seen, or an empty array where a method does not predict pairs.

    Scalars are means over test inputs and answers: ``error`` of (mu - truth)^2, MSE_p; ``brier`` of (mu - outcome)^2; ``ece`` the expected
    calibration error in 15 equally full bins; ``kl`` the divergence of mu from the truth in nats; ``claimed`` of the squared error that the
    model itself expects, NaN without pairs. ``valid_loss`` is the mean log loss of validation answers (of pairs, where pairs are predicted).
    """

    epoch: int
    phase: Phase
    valid_loss: float
    error: float
    brier: float
    ece: float
    kl: float
    claimed: float
    mu: np.ndarray
    cheat: np.ndarray
    world: World


@dataclass(frozen=True, kw_only=True, eq=False)
class Known(Event):
    """One epoch looked at through one answer, a number of bins and beta.

    The bins hold equally many test inputs, float64 [bins], NaN where ties leave one empty: ``count``, ``predicted`` the mean probability,
    ``observed`` the share of first answers, ``true`` the mean true probability. ``variance`` float64 [m] is the squared error that the model
    expects, ``radius`` float64 [m] = sqrt(variance / beta), NaN without pairs; ``inside`` the share of test inputs whose true probability is
    within the radius. ``spread_bins`` float64 [3, bins], of bins by expected error: that, the actual squared error, and its estimate from
    two answers alone. ``covariance`` float64 [K, K] is p(second | first) - p(second) at input ``point``, empty without pairs. ``confidence`` is
    mu / p(answer | answer) there: the chance that the answer is impossible is at most 1 - confidence, if the pair model is calibrated.
    ``history`` float64 [3, epochs] has error, Brier score and ECE, epoch by epoch, ``agreement`` and ``agreement_ece``
    Spearman's rank correlation of the last two with the first.
    """

    index: int
    epochs: int
    answer: int
    bins: int
    beta: float
    point: int
    ece: float
    mce: float
    inside: float
    confidence: float
    agreement: float
    agreement_ece: float
    count: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    true: np.ndarray
    variance: np.ndarray
    radius: np.ndarray
    spread_bins: np.ndarray
    covariance: np.ndarray
    history: np.ndarray
    state: Epoch
