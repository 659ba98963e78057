"""The 1797 digits, in the one split that every bundled digits model keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glasshouse import assets


@dataclass(frozen=True, eq=False)
class Digits:
    """``x`` float32 [1797, 64] in 0..1 (black to white), ``labels`` int64 [1797]; ``train`` int64 [600] and ``pool`` int64 [1197] number those
    that the bundled models were trained on and those that none has seen."""

    x: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    pool: np.ndarray


@lru_cache(maxsize=1)
def load_digits() -> Digits:
    """Reads the digits and their split once. The arrays are not to be written to.

    Raises: Unsupported where the data is absent.
    """
    with np.load(assets.path("datasets", "digits", "digits.npz")) as data, \
         np.load(assets.path("models", "digits-logistic", "weights.npz")) as split:
        found = Digits((data["images"].reshape(-1, 64) / 16).astype(np.float32), data["labels"].astype(np.int64),
                       split["train"].astype(np.int64), split["pool"].astype(np.int64))
    for array in (found.x, found.labels, found.train, found.pool):
        array.setflags(write=False)
    return found


@lru_cache(maxsize=1)
def load_logistic() -> tuple[np.ndarray, np.ndarray]:
    """The bundled logistic regression of noisy digits: weight float64 [10, 64] and bias [10], for levels in 0..1. Not to be written to.

    Raises: Unsupported where the data is absent.
    """
    with np.load(assets.path("models", "digits-logistic", "weights.npz")) as model:
        weight, bias = model["weight"], model["bias"]
    weight.setflags(write=False)
    bias.setflags(write=False)
    return weight, bias
