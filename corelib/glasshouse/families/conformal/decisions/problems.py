"""What is decided on: noisy digits seen once or several times, and a toy whose model is the true law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from scipy.special import softmax

from glasshouse.families.conformal.decisions.interface import Pool
from glasshouse.models.digits import load_digits, load_logistic
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

PART = 250          # digits in each of the three parts beside the test points
TINY_PART = 80


@dataclass(frozen=True)
class DigitLooks:
    """8x8 handwritten digits under Gaussian noise, read by a logistic regression that was trained at noise 0.45.

    Simulated: the cheap model reads one noisy look at a digit; the dear one averages the probabilities over that look and
    ``further_looks`` others, each with noise of its own, and costs as much more. 1197 digits that the model has never seen are shuffled
    by ``split``: 250 each to learn a policy's thresholds, to reward it and to calibrate, 447 to test.
    """

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Noisy handwritten digits, one look or several"

    noise: Annotated[float, Ge(0), Le(2), Knob(
        cost="job", group="the data", step=0.05, help="standard deviation, where white is 1 and black 0")] = 0.45
    further_looks: Annotated[int, Ge(1), Le(8), Knob(
        cost="job", group="the data", unit="looks", help="what the dear model sees beside the first look; each costs as much as the first")] = 3
    split: Annotated[int, Ge(0), Le(9999), Knob(
        cost="job", group="the data", more=True, help="which digits are in which part: a seed")] = 0

    def open(self) -> Pool:
        """A few milliseconds."""
        x, labels, draws, weight, bias = _digits()
        looks = x + self.noise * draws[: self.further_looks + 1]
        each = softmax(looks @ weight.T + bias, axis=-1)
        images = (looks[0].clip(0, 1) * 255).round().astype(np.uint8).reshape(-1, 8, 8)
        order = Seeds(self.split).numpy("parts of the digits").permutation(len(labels))
        train, policy, calibration, test = np.split(order, (PART, 2 * PART, 3 * PART))
        return Pool(each[0], each.mean(axis=0), (1.0, float(self.further_looks)), labels, images, train, policy, calibration, test)


@dataclass(frozen=True)
class Tiny:
    """400 points of 3 classes whose labels are drawn from the dear model's probabilities; the cheap model sees them blurred."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Four hundred points with a perfect dear model"

    split: Annotated[int, Ge(0), Le(9999), Knob(cost="job", group="the data", help="which points are in which part: a seed")] = 0

    def open(self) -> Pool:
        """Instant."""
        rng = Seeds(0).numpy("tiny decisions")
        dear = rng.dirichlet(np.full(3, 0.4), 400)
        labels = (rng.random((400, 1)) > dear.cumsum(axis=1)[:, :2]).sum(axis=1)
        cheap = 0.5 * dear + 0.5 * rng.dirichlet(np.ones(3), 400)
        order = Seeds(self.split).numpy("tiny parts").permutation(400)
        train, policy, calibration, test = np.split(order, (TINY_PART, 2 * TINY_PART, 3 * TINY_PART))
        return Pool(cheap, dear, (1.0, 2.0), labels, np.empty((0, 0, 0), np.uint8), train, policy, calibration, test)


PROBLEMS: tuple[type, ...] = (DigitLooks, Tiny)


@lru_cache(maxsize=1)
def _digits() -> tuple[np.ndarray, ...]:
    """x [N, 64] in 0..1, labels int64 [N], standard normal draws [9, N, 64], weight [10, 64], bias [10]: the pool and the model."""
    digits = load_digits()
    x = digits.x[digits.pool].astype(np.float64)
    draws = np.stack([Seeds(0).numpy("digit looks", i).standard_normal(x.shape) for i in range(9)])
    return x, digits.labels[digits.pool], draws, *load_logistic()
