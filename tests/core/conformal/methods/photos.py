"""Many classes and an overconfident tail, as image classifiers have it: where RAPS and SAPS claim to help."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import softmax

from glasshouse.families.conformal import calibrate


@lru_cache(maxsize=8)
def photos(seed: int, n: int = 3000, classes: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [n, K] and labels [n]: the most probable label is right four times in five, the tail is noise."""
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(classes, size=n), rng.normal(size=(n, classes))
    logits[np.arange(n), labels] += rng.normal(4.5, 2.0, n)
    return softmax(logits, axis=1), labels


@lru_cache(maxsize=32)
def tried(score: str, seed: int, tune: bool) -> tuple[float, float]:
    """(mean size, coverage) of half of the points at alpha .1, calibrated on the other half."""
    probs, labels = photos(seed)
    half = len(labels) // 2
    chosen: dict[str, Any] = {"tune": 0.1} if tune else {}
    sets = calibrate(probs[:half], labels[:half], score, randomized=True, seed=seed, **chosen).predict(probs[half:], 0.1)
    return float(sets.sum(axis=1).mean()), float(sets[np.arange(half), labels[half:]].mean())
