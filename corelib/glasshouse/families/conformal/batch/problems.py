"""Whose errors are bounded: a simulated curve with uneven noise, noisy digits by a small fixed model, and sixty uniform errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.batch.interface import MOST_IN_A_BATCH, Batches
from glasshouse.families.conformal.problems import Digits
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

MOST_CALIBRATION = 200
MOST_BATCHES = 60
POINTS, TRAINING, DEGREE = 1400, 60, 5
WANTED = 0.6

CalibrationSize = Annotated[int, Ge(1), Le(MOST_CALIBRATION), Knob(cost="live", unit="points", group="the data", label="calibration points")]
BatchSize = Annotated[int, Ge(1), Le(MOST_IN_A_BATCH), Knob(cost="live", unit="points", group="the data", label="points in a batch")]
Split = Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data", help="which points calibrate and which come in batches: a seed")]


@dataclass(frozen=True)
class Curve:
    """Simulated: a response between 0 and 1 along a wave, with more noise to the right, predicted by a polynomial.

    The polynomial was fitted to 60 points of its own. The error is |y - prediction|, at most 1. What selection claims of a point is that
    its response is above 0.6; the model is the surer the higher its prediction.
    """

    name: ClassVar[str] = "curve"
    title: ClassVar[str] = "A simulated curve with uneven noise"

    calibration_size: CalibrationSize = 100
    batch_size: BatchSize = 20
    split: Split = 0

    def open(self) -> Batches:
        """Instant."""
        x, y, prediction = _curve()
        calibration, batches = _cut("curve", len(x), self.calibration_size, self.batch_size, self.split)
        return Batches(np.abs(y - prediction), prediction, y <= WANTED, 1.0, calibration, batches, np.stack((x, y, prediction)))


@dataclass(frozen=True)
class DigitScores:
    """Noisy digits read by a logistic regression: the error is 1 - p(true label).

    What selection claims of an image is that its most probable label is right; the model is as sure as that probability.
    """

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Noisy handwritten digits"

    calibration_size: CalibrationSize = 100
    batch_size: BatchSize = 20
    split: Split = 0

    def open(self) -> Batches:
        """The model's errors on 1197 digits it has never seen."""
        pool = Digits().open()
        calibration, batches = _cut("digits", len(pool.labels), self.calibration_size, self.batch_size, self.split)
        return Batches(1.0 - pool.probs[np.arange(len(pool.labels)), pool.labels], pool.probs.max(axis=1),
                       pool.probs.argmax(axis=1) != pool.labels, 1.0, calibration, batches, np.empty((0, 0)))


@dataclass(frozen=True)
class Tiny:
    """Sixty uniform errors, and claims that are false for half of the points."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Sixty uniform errors"

    calibration_size: Annotated[int, Ge(1), Le(20), Knob(cost="live", unit="points", group="the data", label="calibration points")] = 12
    batch_size: Annotated[int, Ge(1), Le(10), Knob(cost="live", unit="points", group="the data", label="points in a batch")] = 4
    split: Split = 0

    def open(self) -> Batches:
        """Instant."""
        draws = Seeds(0).numpy("tiny batches").random((3, 60))
        order = Seeds(self.split).numpy("tiny order").permutation(60)
        whole = 40 // self.batch_size * self.batch_size
        return Batches(draws[0], draws[1], draws[2] < 0.5, 1.0, order[: self.calibration_size],
                       order[20 : 20 + whole].reshape(-1, self.batch_size), np.empty((0, 0)))


PROBLEMS: tuple[type, ...] = (Curve, DigitScores, Tiny)


def _cut(purpose: str, points: int, n: int, m: int, split: int) -> tuple[np.ndarray, np.ndarray]:
    """(calibration, batches), at most MOST_BATCHES: n does not move the batches."""
    order = Seeds(split).numpy(f"{purpose} order").permutation(points)
    rest = order[MOST_CALIBRATION:]
    return order[:n], rest[: len(rest) // m * m].reshape(-1, m)[:MOST_BATCHES]


@lru_cache(maxsize=1)
def _curve() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, prediction, each float64 [POINTS]. y is Beta distributed around a wave, with a concentration that falls with x."""
    rng = Seeds(0).numpy("curve")
    x = rng.random(TRAINING + POINTS)
    mean, concentration = 0.5 + 0.35 * np.sin(2.0 * np.pi * x), 4.0 + 60.0 * (1.0 - x) ** 2
    y = rng.beta(mean * concentration, (1.0 - mean) * concentration)
    fitted = np.polynomial.Polynomial.fit(x[:TRAINING], y[:TRAINING], DEGREE, domain=[0.0, 1.0])
    return x[TRAINING:], y[TRAINING:], np.clip(fitted(x[TRAINING:]), 0.0, 1.0)
