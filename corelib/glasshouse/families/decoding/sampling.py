"""Logits to the distribution that is sampled from: temperature first, then top-p."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from glasshouse.families.decoding.interface import Sampling
from glasshouse.schema.errors import BadValue

COLDEST = 1e-300
"""Below this temperature every law is its arg-max, and dividing by it would overflow."""


def checked(logits: np.ndarray, role: str, forward: int, position: Callable[[int], int]) -> np.ndarray:
    """``logits`` [n, V] that can be decided on: each row has a largest number, and it is finite (-inf rules single tokens out).

    Else BadValue, with the ``forward`` and the ``position`` in the text of the token that the row predicts. The arg-max of NaN is a
    token like any other, and a text of it would go on for ever.
    """
    best = logits.max(-1)
    if not math.isfinite(best.sum()) and (wrong := ~np.isfinite(best)).any():
        row = int(wrong.argmax())
        given = {np.inf: "infinite", -np.inf: "-inf for every token"}.get(float(best[row]), "NaN")
        raise BadValue(f"{role} gives logits that are {given} in its forward {forward}, for position {position(row)} of the text: "
                       "they decide nothing. Its weights or its number format are at fault", role)
    return logits


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """float64 [..., V] from logits [..., V]."""
    x = logits.astype(np.float64)
    if temperature != 1.0:
        x -= x.max(-1, keepdims=True)       # before the division, which may overflow
        x /= max(temperature, COLDEST)
    return torch.from_numpy(x).softmax(-1).numpy()      # four times as fast as NumPy's exponentials


def nucleus(p: np.ndarray, top_p: float) -> np.ndarray:
    """Keep the most likely tokens until their mass reaches ``top_p`` (the one that crosses it stays), renormalised."""
    if top_p >= 1.0:
        return p
    order = np.argsort(-p, axis=-1, kind="stable")
    mass = np.take_along_axis(p, order, -1)
    before = mass.cumsum(-1) - mass
    kept = np.zeros_like(p)
    np.put_along_axis(kept, order, np.where(before < top_p, mass, 0.0), -1)
    kept /= kept.sum(-1, keepdims=True)
    return kept


def distribution(logits: np.ndarray, sampling: Sampling) -> np.ndarray:
    """The processed law, float64 [..., V]. At temperature 0 the law is a point mass: here it is shown at temperature 1."""
    return nucleus(softmax(logits, sampling.temperature or 1.0), sampling.top_p)


def inverse_cdf(p: np.ndarray, u: float) -> int:
    """The token in whose share of the cumulated p the uniform u falls; never one of probability 0."""
    mass = p.cumsum()
    token = int(mass.searchsorted(u * mass[-1], side="right"))
    return token if token < len(p) else int(p.nonzero()[0][-1])
