"""What sets are predicted for: noisy digits by a small fixed model, and a toy whose model is the true law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from scipy.special import softmax

from glasshouse.families.conformal.interface import Pool
from glasshouse.families.conformal.own import Own
from glasshouse.models.digits import load_digits, load_logistic
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

MOST_CALIBRATION = 500


@dataclass(frozen=True)
class Digits:
    """8x8 handwritten digits under Gaussian noise, read by a logistic regression that was trained at noise 0.45.

    1197 digits it has never seen are shuffled by ``split``: the first 500 are for calibration, of which ``calibration_size``
    are used; the other 697 are the test points, whatever the size. Groups: a third each of thin, medium and bold writing.
    """

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Noisy handwritten digits"

    calibration_size: Annotated[int, Ge(9), Le(MOST_CALIBRATION), Knob(
        cost="live", unit="images", group="the data", label="calibration images")] = MOST_CALIBRATION
    noise: Annotated[float, Ge(0), Le(2), Knob(
        cost="live", group="the data", step=0.05, help="standard deviation, where white is 1 and black 0")] = 0.45
    split: Annotated[int, Ge(0), Le(9999), Knob(
        cost="live", group="the data", help="which digits calibrate and which test: a seed")] = 0

    def open(self) -> Pool:
        """The model's probabilities on the whole pool: about a millisecond."""
        x, labels, draws, weight, bias = _digits()
        noisy = x + self.noise * draws
        order = Seeds(self.split).numpy("digits split").permutation(len(labels))
        images = (noisy.clip(0, 1) * 255).round().astype(np.uint8).reshape(-1, 8, 8)
        ink = x.mean(axis=1)
        return Pool(softmax(noisy @ weight.T + bias, axis=1), labels, images, order[: self.calibration_size], order[MOST_CALIBRATION:],
                    np.searchsorted(np.quantile(ink, (1 / 3, 2 / 3)), ink), ("thin", "medium", "bold"))


@dataclass(frozen=True)
class Tiny:
    """60 points of 3 classes whose labels are drawn from the very probabilities the model gives."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Sixty points with a perfect model"

    calibration_size: Annotated[int, Ge(9), Le(30), Knob(cost="live", unit="points", group="the data")] = 30
    split: Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data")] = 0

    def open(self) -> Pool:
        """Instant."""
        rng = Seeds(0).numpy("tiny pool")
        probs = rng.dirichlet(np.full(3, 0.7), 60)
        labels = (rng.random((60, 1)) > probs.cumsum(axis=1)[:, :2]).sum(axis=1)
        order = Seeds(self.split).numpy("tiny split").permutation(60)
        return Pool(probs, labels, np.empty((0, 0, 0), np.uint8), order[: self.calibration_size], order[30:],
                    (probs.max(axis=1) > 0.7).astype(np.int64), ("unsure", "sure"))


PROBLEMS: tuple[type, ...] = (Digits, Tiny, Own)


@lru_cache(maxsize=1)
def _digits() -> tuple[np.ndarray, ...]:
    """x [N, 64] in 0..1, labels int64 [N], standard normal draws [N, 64], weight [10, 64], bias [10]: the pool and the model."""
    digits = load_digits()
    x = digits.x[digits.pool].astype(np.float64)
    return x, digits.labels[digits.pool], Seeds(0).numpy("digits noise").standard_normal(x.shape), *load_logistic()
