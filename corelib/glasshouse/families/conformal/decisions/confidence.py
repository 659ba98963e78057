"""How sure a model is of its first choice, from its probabilities alone."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from glasshouse.schema.knob import Knob

Doubt = Annotated[Literal["largest p", "margin", "entropy"], Knob(
    cost="live", group="what is held", label="confidence from", help="margin: largest p minus the next; entropy: 1 - its share of the most")]


def sureness(probs: np.ndarray, by: str) -> np.ndarray:
    """Of each row of ``probs`` [n, K]: float64 [n] in [0, 1], large = sure."""
    if by == "largest p":
        return np.asarray(probs.max(axis=1))
    if by == "margin":
        second, first = np.partition(probs, -2, axis=1)[:, -2:].T
        return np.asarray(first - second)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(probs > 0, -probs * np.log(probs), 0.0).sum(axis=1)
    return np.asarray(1.0 - surprise / np.log(probs.shape[1]))
