"""The attacker: projected gradient descent against the network as it reads noisy copies. Madry et al. 2018; Salman et al. 2019."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from scipy.special import softmax

from glasshouse.families.conformal.robust.interface import Classifier, Pool
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress

BLOCK = 32          # points attacked at a time: about ten milliseconds


def attacked(pool: Pool, sigma: float, radius: float, start: np.ndarray, seeds: Seeds, told: str) -> Generator[Progress, None, np.ndarray]:
    """The test points moved by at most ``radius`` so that the noisy network believes in their true labels as little as possible.

    ``start`` float32 [m, inputs]: where a weaker attack has led; the step goes on from there. Pixels stay in 0..1. Noise is drawn anew at
    every step from addresses of its own: the copies that sets are later made from stay unseen, as a real attacker's would.
    """
    found = np.empty_like(start)
    step = 2.5 * radius / pool.steps
    for first in range(0, len(start), BLOCK):
        at = pool.test[first:first + BLOCK]
        clean, x = pool.x[at], start[first:first + BLOCK]
        draws = seeds.numpy("attack", round(radius * 1e6), first)
        for _ in range(pool.steps):
            noise = draws.standard_normal((pool.copies, *x.shape), np.float32)
            x = _within(x + step * _uphill(pool.classifier, x, pool.labels[at], sigma * noise), clean, radius)
        found[first:first + BLOCK] = x
        yield Progress(done=first + len(at), total=len(start), message=told)
    return found


def _uphill(classifier: Classifier, x: np.ndarray, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The direction that lowers the mean over noisy copies of p(true label) fastest, one unit vector a point [n, inputs]."""
    copies, n, inputs = noise.shape
    logits, back = classifier.pullback((x + noise).reshape(-1, inputs))
    p = softmax(logits, axis=1)
    own = np.tile(labels, copies)
    rows = np.arange(len(p))
    true = p[rows, own]
    slope = p * true[:, None]           # d(-p_y) / d logits = p_y p, less p_y at y itself
    slope[rows, own] -= true
    # Dividing by the mean keeps the slope of a point that is almost lost from vanishing in float32.
    slope /= (true.reshape(copies, n).mean(axis=0) + 1e-30)[None].repeat(copies, axis=0).reshape(-1, 1)
    gradient = back(slope).reshape(copies, n, inputs).mean(axis=0)
    unit: np.ndarray = gradient / (np.linalg.norm(gradient, axis=1, keepdims=True) + 1e-12)
    return unit


def _within(x: np.ndarray, clean: np.ndarray, radius: float) -> np.ndarray:
    """The nearest point of the ball, then of the pixels' range; the second never leads out of the first, whose centre lies in both."""
    moved = x - clean
    moved *= np.minimum(1.0, radius / (np.linalg.norm(moved, axis=1, keepdims=True) + 1e-12))
    kept: np.ndarray = np.clip(clean + moved, 0.0, 1.0)
    return kept
