"""Pages of several digits, each to be described by a set of labels; and a toy whose model is the true law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.problems import Digits
from glasshouse.families.conformal.risk.interface import Pages
from glasshouse.families.conformal.risk.table import Loss, entries
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

POPULATION, MOST_CALIBRATION, SHOWN = 6000, 1000, 160
MOST_DIGITS = 4

WhatCounts = Annotated[Loss, Knob(
    cost="live", group="what counts", label="loss of a page",
    help="missed-share: the share of its labels that the set leaves out; missed-any: 1 if it leaves out one, else 0")]


@dataclass(frozen=True)
class DigitPages:
    """Pages of two to four handwritten digits under noise; a page's labels are the digits that stand on it.

    6000 pages are composed of 1197 digits that the model has never seen. It reads every digit alone, p_ik, and a page shows label k with
    probability p_k = 1 - prod_i (1 - p_ik), as if digits were read independently. Calibration and test pages are drawn from the 6000 at random
    and with replacement, so what the 6000 cost on average is the true risk.
    """

    name: ClassVar[str] = "digit-pages"
    title: ClassVar[str] = "Pages of two to four noisy digits"

    loss: WhatCounts = "missed-share"
    calibration_size: Annotated[int, Ge(5), Le(MOST_CALIBRATION), Knob(
        cost="live", unit="pages", group="the data", label="calibration pages", log=True)] = 200
    noise: Annotated[float, Ge(0), Le(2), Knob(
        cost="live", group="the data", step=0.05, help="standard deviation, where white is 1 and black 0")] = 0.45
    split: Annotated[int, Ge(0), Le(9999), Knob(
        cost="live", group="the data", label="sample", help="which pages calibrate and which test: a seed")] = 0

    def open(self) -> Pages:
        """About ten milliseconds, once for each noise."""
        probs, truth, entry, images, places = _population(self.noise)
        return _sampled(self.split, self.calibration_size, MOST_CALIBRATION, SHOWN, self.loss, probs, truth, entry, images, places)


@dataclass(frozen=True)
class Tiny:
    """40 pages with up to three of four labels, each there with the very probability the model gives."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Forty pages with a perfect model"

    loss: WhatCounts = "missed-share"
    calibration_size: Annotated[int, Ge(5), Le(60), Knob(cost="live", unit="pages", group="the data")] = 30
    split: Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data")] = 0

    def open(self) -> Pages:
        """Instant."""
        rng = Seeds(0).numpy("tiny pages")
        probs = rng.beta(0.8, 0.8, (40, 4))
        truth = rng.random((40, 4)) < probs
        return _sampled(self.split, self.calibration_size, 60, 20, self.loss, probs, truth, entries(probs),
                        np.empty((0, 0, 0), np.uint8), np.full((40, 1), -1))


PROBLEMS: tuple[type, ...] = (DigitPages, Tiny)


def _sampled(split: int, n: int, most: int, shown: int, loss: Loss, probs: np.ndarray, truth: np.ndarray, entry: np.ndarray, images: np.ndarray,
             places: np.ndarray) -> Pages:
    """More calibration pages are the same ones and some more; the test pages stay."""
    seeds = Seeds(split)
    calibration = seeds.numpy("calibration pages").integers(len(probs), size=most)[:n]
    return Pages(probs, truth, entry, calibration, seeds.numpy("test pages").integers(len(probs), size=shown), images, places, loss)


@lru_cache(maxsize=4)
def _population(noise: float) -> tuple[np.ndarray, ...]:
    """probs [N, K], truth [N, K], entry [N, K], images [D, 8, 8], places [N, 4]."""
    pool = Digits(noise=noise).open()
    rng = Seeds(0).numpy("digit pages")
    many = rng.integers(2, MOST_DIGITS + 1, POPULATION)
    digit = rng.integers(len(pool.labels), size=int(many.sum()))
    start = np.concatenate(([0], np.cumsum(many)[:-1]))
    page = np.repeat(np.arange(POPULATION), many)
    with np.errstate(divide="ignore"):                  # a certain digit: log 0, and the page is certain too
        probs = -np.expm1(np.add.reduceat(np.log1p(-pool.probs[digit].clip(0, 1)), start, axis=0))
    truth = np.zeros(probs.shape, bool)
    truth[page, pool.labels[digit]] = True
    places = np.full((POPULATION, MOST_DIGITS), -1)
    places[page, np.arange(len(digit)) - start[page]] = digit
    return probs, truth, entries(probs), pool.images, places
