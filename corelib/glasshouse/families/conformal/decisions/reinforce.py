"""REINFORCE for a tiny Gaussian policy, in NumPy: Linear(2, 64), ReLU, a head for the means and one for log standard deviations.

Williams 1992; Adam: Kingma and Ba 2015. Layers start as torch's do: uniform within 1 / sqrt(inputs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glasshouse.numerics.seeds import Seeds

HIDDEN = 64
LOG_STD = (-5.0, 2.0)           # ours: keeps exp finite however long one learns; not reached at the published constants
B1, B2, EPS = 0.9, 0.999, 1e-8
Weights = tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Learner:
    """``weights``: W [64, 2], b [64], mean head [2, 64] and [2], log-std head [2, 64] and [2]; Adam's two moments; steps taken."""

    weights: Weights
    first: Weights
    second: Weights
    taken: int = 0


def untrained(seeds: Seeds) -> Learner:
    rng = seeds.numpy("policy network")
    shapes = ((2, (HIDDEN, 2)), (2, (HIDDEN,)), (HIDDEN, (2, HIDDEN)), (HIDDEN, (2,)), (HIDDEN, (2, HIDDEN)), (HIDDEN, (2,)))
    weights = tuple(rng.uniform(-1, 1, shape) / np.sqrt(inputs) for inputs, shape in shapes)
    nothing = tuple(np.zeros_like(w) for w in weights)
    return Learner(weights, nothing, nothing)


def policy(learner: Learner, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) of the action at ``state`` float64 [2]: both float64 [2]."""
    w, b, wm, bm, ws, bs = learner.weights
    hidden = np.maximum(w @ state + b, 0.0)
    return wm @ hidden + bm, np.exp(np.clip(ws @ hidden + bs, *LOG_STD))


def updated(learner: Learner, state: np.ndarray, action: np.ndarray, reward: float, rate: float) -> Learner:
    """One Adam step on the loss -log pi(action | state) * reward."""
    w, b, wm, _, ws, _ = learner.weights
    before = w @ state + b
    hidden = np.maximum(before, 0.0)
    mean, std = policy(learner, state)
    z = (action - mean) / std
    to_mean, to_log_std = -reward * z / std, -reward * (z**2 - 1.0)
    to_hidden = (wm.T @ to_mean + ws.T @ to_log_std) * (before > 0)
    return _adam(learner, (np.outer(to_hidden, state), to_hidden, np.outer(to_mean, hidden), to_mean,
                           np.outer(to_log_std, hidden), to_log_std), rate)


def _adam(learner: Learner, gradient: Weights, rate: float) -> Learner:
    t = learner.taken + 1
    first = tuple(B1 * m + (1 - B1) * g for m, g in zip(learner.first, gradient, strict=True))
    second = tuple(B2 * v + (1 - B2) * g**2 for v, g in zip(learner.second, gradient, strict=True))
    weights = tuple(w - rate * (m / (1 - B1**t)) / (np.sqrt(v / (1 - B2**t)) + EPS)
                    for w, m, v in zip(learner.weights, first, second, strict=True))
    return Learner(weights, first, second, t)
