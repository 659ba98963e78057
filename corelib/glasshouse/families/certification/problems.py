"""What is learned: small handwritten digits. Pixels are between 0 (black) and 1 (white)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Le

from glasshouse.families.certification.interface import Task
from glasshouse.models.digits import load_digits
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

TEST = 256              # images every network is judged on, never trained on
MOST = 1200


@dataclass(frozen=True)
class Digits:
    """8x8 handwritten digits, levels / 16: up to 1200 to learn from, 256 others to be judged on, the same for every method."""

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Handwritten digits, 8 x 8"

    train_size: Annotated[int, Ge(100), Le(MOST), Knob(
        cost="job", unit="images", group="the data", label="training images", more=True)] = MOST
    steps: Annotated[int, Ge(20), Le(2000), Knob(cost="job", unit="steps", group="the data", label="training steps", more=True,
                                                 help="each on 200 images")] = 600

    def open(self) -> Task:
        x, y = _digits()
        train, test = slice(0, self.train_size), slice(MOST, MOST + TEST)
        return Task(x[train].float(), y[train], x[test], y[test], classes=10, side=8, steps=self.steps, batch=200)


@dataclass(frozen=True)
class Tiny:
    """The digits 0, 1 and 2: 200 to learn from, 40 others to be judged on."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Three digits, few steps"

    steps: Annotated[int, Ge(20), Le(400), Knob(cost="job", unit="steps", group="the data", label="training steps")] = 100

    def open(self) -> Task:
        x, y = _digits()
        few = y < 3
        x, y = x[few], y[few]
        return Task(x[:200].float(), y[:200], x[200:240], y[200:240], classes=3, side=8, steps=self.steps, batch=100)


PROBLEMS: tuple[type, ...] = (Digits, Tiny)


@lru_cache(maxsize=1)
def _digits() -> tuple[torch.Tensor, torch.Tensor]:
    """float64 [1797, 64] and int64 [1797], shuffled once and for all."""
    digits = load_digits()
    order = Seeds(0).numpy("certification digits").permutation(len(digits.labels))
    return torch.from_numpy(digits.x[order].astype(np.float64)), torch.from_numpy(digits.labels[order])
