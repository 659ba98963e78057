"""What detectors vote on: digits by spoiled class detectors and better property detectors, and a simulated toy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from scipy.special import ndtr

from glasshouse.families.conformal.rules.interface import Evidence
from glasshouse.families.conformal.rules.smoothing import true_share
from glasshouse.models.digits import load_digits
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

MOST_CALIBRATION = 500
READING = 0.005                 # probability that an image's intervals miss, for the finite number of votes
HAS = np.array([[k % 2 == 0 for k in range(10)], [k in (0, 6, 8, 9) for k in range(10)], [k >= 5 for k in range(10)]])
NAMES = ("even", "has a loop", "5 or more")
TRAINING_NOISE, COPIES, STEPS, RIDGE = 0.25, 2, 8, 1.0
TOLD = 2.5                      # normal quantile of a property detector's share when the property is told: 0.6 % wrong votes

Properties = Literal["trained", "told", "guessed"]


@dataclass(frozen=True)
class Digits:
    """8x8 handwritten digits. Ten class detectors, spoiled by noise on their weights, and three property detectors vote on each.

    A detector says yes where its logistic regression, trained on 600 digits, is above 1/2; it votes ``draws`` times, each time with fresh noise of
    standard deviation ``sigma`` on the image (white is 1, black 0). For a linear detector the count is exactly binomial, so it is drawn as
    such. ``properties``: votes of trained detectors, nearly always right ones ("told"), or ones that have nothing to do with the digit
    ("guessed"); the last two are simulated.
    """

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Digits with spoiled detectors"

    properties: Annotated[Properties, Knob(cost="live", group="the data", help="where the votes on even, loop and 5 or more come from")] = "trained"
    spoil: Annotated[float, Ge(0), Le(2), Knob(cost="live", group="the data", step=0.1, label="spoiled class detectors",
                                               help="length of the noise on a class detector's weights, as a share of their length")] = 1.2
    sigma: Annotated[float, Ge(0.1), Le(2), Knob(cost="live", group="the data", step=0.05, label="noise of a vote",
                                                 help="standard deviation; more noise hides attacks better, and digits too")] = 0.25
    draws: Annotated[int, Ge(100), Le(1_000_000), Knob(cost="live", unit="votes", group="the data", log=True, label="votes of a detector",
                                                            more=True)] = 100_000
    calibration_size: Annotated[int, Ge(9), Le(MOST_CALIBRATION), Knob(
        cost="live", unit="images", group="the data", label="calibration images", more=True)] = MOST_CALIBRATION
    split: Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data", more=True,
                                                help="which digits calibrate, which test, and how detectors are spoiled: a seed")] = 0

    def open(self) -> Evidence:
        """The votes on 1197 digits that no detector was trained on; kept for the last few settings."""
        return _digits(self)


@dataclass(frozen=True)
class Tiny:
    """Sixty points of three classes with two properties: margins of the detectors are normal, all simulated."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Sixty points with three classes"

    draws: Annotated[int, Ge(100), Le(1_000_000), Knob(cost="live", unit="votes", group="the data", log=True)] = 10_000
    split: Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data")] = 0

    def open(self) -> Evidence:
        """Instant."""
        rng, has = Seeds(0).numpy("tiny rules"), np.array([[True, True, False], [True, False, False]])
        labels = rng.integers(3, size=60)
        truth = np.concatenate((labels[:, None] == np.arange(3), has[:, labels].T), axis=1)
        margins = np.where(truth, 1.0, -1.0) * (0.6, 0.6, 0.6, 1.5, 1.5) + rng.normal(size=(60, 5)) * 0.7
        own = np.where(np.arange(5) == labels[:, None], -2.0, 0.0)[None]
        return _voted(margins, own, self.draws, 0.5, labels, np.empty((0, 0, 0), np.uint8),
                      Seeds(self.split).numpy("tiny rules order").permutation(60), 30, 30, has, ("first or second", "first"))


PROBLEMS: tuple[type, ...] = (Digits, Tiny)


@lru_cache(maxsize=8)
def _digits(spec: Digits) -> Evidence:
    x, labels, weight, bias = _detectors()
    heads = weight.copy()
    heads[:10] += spec.spoil * np.linalg.norm(weight[:10], axis=1, keepdims=True) / 8.0 * Seeds(spec.split).numpy("spoil").standard_normal((10, 64))
    length = np.linalg.norm(heads, axis=1)
    unit = heads / length[:, None]
    margins = (x @ heads.T + bias) / (spec.sigma * length)
    pushes = _attacks(unit, labels) @ unit.T / spec.sigma
    if spec.properties != "trained":
        guessed = Seeds(0).numpy("guessed").standard_normal((len(labels), len(HAS)))
        margins[:, 10:] = guessed if spec.properties == "guessed" else np.where(HAS[:, labels].T, TOLD, -TOLD)
        pushes[:, :, 10:] = 0.0
    order = Seeds(spec.split).numpy("digits split").permutation(len(labels))
    images = (x * 255).round().astype(np.uint8).reshape(-1, 8, 8)
    return _voted(margins, pushes, spec.draws, spec.sigma, labels, images, order, spec.calibration_size, MOST_CALIBRATION, HAS, NAMES)


def _attacks(unit: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Directions of length 1, [3, N, 64]: away from the true digit's detector; also from its properties; also towards the other digits'."""
    own = -unit[labels]
    properties = np.where(HAS[:, labels, None], -unit[10:, None, :], unit[10:, None, :]).sum(axis=0)
    others = unit[:10].sum(axis=0) - unit[labels]
    each = np.stack((own, 2 * own + properties, 3 * own + others))
    directions: np.ndarray = each / np.linalg.norm(each, axis=2, keepdims=True)
    return directions


def _voted(margins: np.ndarray, pushes: np.ndarray, draws: int, sigma: float, labels: np.ndarray, images: np.ndarray, order: np.ndarray,
           n: int, first: int, implies: np.ndarray, names: tuple[str, ...]) -> Evidence:
    """Counts drawn and bounded; half of READING is for these ends, the other half for those of a second count."""
    votes = Seeds(0).numpy("votes").binomial(draws, ndtr(margins)) / draws
    low, high = true_share(votes, draws, READING / (4 * margins.shape[1]))
    return Evidence(votes, draws, sigma, READING, low, high, labels, images, order[:n], order[first:], implies, names, margins, pushes)


@lru_cache(maxsize=1)
def _detectors() -> tuple[np.ndarray, ...]:
    """x [N, 64] in 0..1 and labels int64 [N] of the pool; weight [13, 64] and bias [13] of the detectors, unspoiled."""
    digits = load_digits()
    images, labels, train, pool = digits.x.astype(np.float64), digits.labels, digits.train, digits.pool
    noise = Seeds(0).numpy("detectors").standard_normal((COPIES, len(train), 64))
    x = (images[train] + TRAINING_NOISE * noise).reshape(-1, 64)
    known = np.tile(labels[train], COPIES)
    targets = np.concatenate((known == np.arange(10)[:, None], HAS[:, known])).astype(np.float64)
    fitted = np.stack([_logistic(x, target) for target in targets])
    return images[pool], labels[pool], fitted[:, :-1], fitted[:, -1]


def _logistic(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Ridge logistic regression by Newton's method, float64 [65], the bias last and free."""
    z = np.concatenate((x, np.ones((len(x), 1))), axis=1)
    ridge = RIDGE * np.eye(z.shape[1])
    ridge[-1, -1] = 1e-6
    w = np.zeros(z.shape[1])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-z @ w))
        w -= np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + ridge, z.T @ (p - target) + ridge @ w)
    return w
