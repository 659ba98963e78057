"""What is attacked: digits read by small networks that were trained with and without noise, and a toy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.robust.interface import Pool
from glasshouse.models.digits import Name, Network, load_digits, load_network
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

HOLDOUT, MOST_CALIBRATION = 200, 400
RADII = (0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
COPIES = 8


@dataclass(frozen=True)
class Digits:
    """8x8 handwritten digits, read by one of eight small networks that were trained on other digits, and attacked in the l2 norm.

    1197 digits that no network has seen are shuffled by ``split``: 200 are the holdout, the next 400 are for calibration, of which
    ``calibration_size`` are used, and the other 597 are the test points, whatever the size.
    """

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Handwritten digits under attack"

    network: Annotated[Name, Knob(cost="job", group="the data", help="how it was trained: on clean digits, under noise of sigma 0.25 or 0.5, "
                                  "or on the worst case that interval bounds allow; conv: a convolutional one")] = "noise50"
    calibration_size: Annotated[int, Ge(9), Le(MOST_CALIBRATION), Knob(
        cost="job", unit="images", group="the data", label="calibration images", more=True)] = MOST_CALIBRATION
    attack_steps: Annotated[int, Ge(1), Le(50), Knob(cost="job", group="the data", unit="steps", label="steps of the attack", more=True)] = 20
    split: Annotated[int, Ge(0), Le(9999), Knob(
        cost="job", group="the data", more=True, help="which digits are held out, calibrate and test: a seed")] = 0

    def open(self) -> Pool:
        """Instant but for reading two files once."""
        digits = load_digits()
        order = digits.pool[Seeds(self.split).numpy("digits split").permutation(len(digits.pool))]
        start = HOLDOUT + MOST_CALIBRATION
        return Pool(load_network(self.network), digits.x, digits.labels, digits.train, order[:HOLDOUT],
                    order[HOLDOUT:HOLDOUT + self.calibration_size], order[start:], (8, 8), RADII,
                    self.attack_steps, COPIES, (self.name, self.network, self.split, self.attack_steps))


@dataclass(frozen=True)
class Tiny:
    """160 points of the 16-dimensional unit cube in three classes, whose labels are drawn from the very probabilities that a linear model gives."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Points in a cube with a perfect model"

    calibration_size: Annotated[int, Ge(9), Le(60), Knob(cost="job", unit="points", group="the data")] = 60
    split: Annotated[int, Ge(0), Le(9999), Knob(cost="job", group="the data", more=True)] = 0

    def open(self) -> Pool:
        """Instant."""
        x, labels, network = _cube()
        order = Seeds(self.split).numpy("tiny split").permutation(160)
        return Pool(network, x, labels, np.arange(160, 240), order[:40], order[40:40 + self.calibration_size], order[100:], (0, 0), (0.1, 0.2), 8, 8,
                    (self.name, self.split))


PROBLEMS: tuple[type, ...] = (Digits, Tiny)


@lru_cache(maxsize=1)
def _cube() -> tuple[np.ndarray, np.ndarray, Network]:
    rng = Seeds(0).numpy("cube")
    centres = rng.choice([0.2, 0.8], (3, 16))
    x = (centres[rng.integers(3, size=240)] + 0.25 * rng.standard_normal((240, 16))).clip(0, 1).astype(np.float32)
    network = Network(((4 * centres).astype(np.float32),), ((-2 * (centres**2).sum(axis=1)).astype(np.float32),))
    probs = network.probabilities(x)
    labels = (rng.random((240, 1)) > probs.cumsum(axis=1)[:, :2]).sum(axis=1)
    return x, labels.astype(np.int64), network
