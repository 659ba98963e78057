"""Probabilistic circuits of one property each: K class bits and a property bit, with a soft rule from each class to the property.

Joint of the bits a: prod_j pi_j^a_j (1 - pi_j)^(1 - a_j) exp(w #{rules kept}). The rule of class k, "k implies property = v_k", is broken
by a_k = 1 with the property at 1 - v_k. Up to a constant the weight is t = exp(-w) for each broken rule. Given the property z the classes
are independent and the sum over class bit k is B_k(z) = 1 where z = v_k, else 1 - pi_k (1 - t): sums over 2^(K+1) states become products.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

CERTAIN = 1e-12                 # probabilities are kept this far from 0 and 1: their logits stay finite


def marginals(probs: np.ndarray, implies: np.ndarray, weight: float) -> np.ndarray:
    """Class and property probabilities after the rules: classes averaged over the L circuits, each property in its own.

    ``probs`` float64 [N, K + L], ``implies`` bool [L, K]; float64 [N, K + L].
    """
    return _pushed(probs, probs, implies, weight)


def exact_bounds(low: np.ndarray, high: np.ndarray, implies: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """The least and largest marginals over the box [low, high], exact in each circuit (ours).

    Every marginal is a ratio of functions linear in each pi_j, so its extremes are at corners. In a circuit of one property it is monotone in
    each: class i, whose rule says property = v, grows with pi_i, with the probability of v, with classes of the same rule and falls with those of
    the opposite one. So one corner gives each end. The average over circuits is bounded by the average of bounds.
    """
    return _pushed(low, high, implies, weight), _pushed(high, low, implies, weight)


def _pushed(toward: np.ndarray, away: np.ndarray, implies: np.ndarray, weight: float) -> np.ndarray:
    """Marginals where what favours a bit is taken from ``toward`` and what speaks against it from ``away``."""
    k = implies.shape[1]
    mine, theirs = toward.clip(CERTAIN, 1 - CERTAIN), away.clip(CERTAIN, 1 - CERTAIN)
    t = np.exp(-weight)
    friend, foe = -np.log1p(-mine[:, :k] * (1 - t)), -np.log1p(-theirs[:, :k] * (1 - t))
    found = np.zeros(toward.shape)
    for number, has in enumerate(implies):
        yes, no = logit(mine[:, k + number]), -logit(theirs[:, k + number])     # for the property, and for its absence
        up = friend[:, has].sum(axis=1) - foe[:, ~has].sum(axis=1)
        down = friend[:, ~has].sum(axis=1) - foe[:, has].sum(axis=1)
        found[:, k + number] = expit(yes + up)
        kept = expit(np.where(has, (yes + up)[:, None], (no + down)[:, None]) - friend)     # P(property = v_i), without class i's own rule
        found[:, :k] += _weighed(mine[:, :k], kept + (1 - kept) * t)
    found[:, :k] /= max(len(implies), 1)
    return found if len(implies) else toward.copy()


def _weighed(p: np.ndarray, r: np.ndarray) -> np.ndarray:
    """p r / (p r + 1 - p), with r = Z_1 / Z_0 the ratio of the sums over the other bits."""
    product = p * r
    weighed: np.ndarray = product / (product + 1 - p)
    return weighed


def decoupled_bounds(low: np.ndarray, high: np.ndarray, implies: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """As `exact_bounds` for properties; for classes the sums Z_1 and Z_0 are bounded one without the other, at opposite corners.

    Looser, because no one point of the box brings both about.
    """
    k, t = implies.shape[1], np.exp(-weight)
    least, most = exact_bounds(low, high, implies, weight)
    ends = (np.zeros((len(low), k)), np.zeros((len(low), k)))
    heavy, light = (np.log1p(-p[:, :k] * (1 - t)) for p in (low, high))        # sums fall as class probabilities grow
    for number, has in enumerate(implies):
        q = low[:, k + number], high[:, k + number]
        largest, smallest = (_sums(logs, q, has, t) for logs in (heavy, light))
        ends[0][:] += _weighed(low[:, :k], smallest[1].min(axis=0) / largest[0].max(axis=0))
        ends[1][:] += _weighed(high[:, :k], largest[1].max(axis=0) / smallest[0].min(axis=0))
    if len(implies):
        least[:, :k], most[:, :k] = (total / len(implies) for total in ends)
    return least, np.minimum(most, 1.0)


def _sums(logs: np.ndarray, q: tuple[np.ndarray, np.ndarray], has: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """(Z_0, Z_1) of every class, each float64 [2, N, K], at both ends of the property's probability. ``logs``: log B_k where the rule is broken."""
    with_it = np.where(has, 0.0, logs)                 # log B_k(z = 1)
    without = np.where(has, logs, 0.0)
    others = [np.exp(part.sum(axis=1, keepdims=True) - part) for part in (without, with_it)]
    broken = [np.where(has, t, 1.0), np.where(has, 1.0, t)]            # of class i's own rule, at z = 0 and z = 1
    z0 = np.stack([(1 - p)[:, None] * others[0] + p[:, None] * others[1] for p in q])
    z1 = np.stack([(1 - p)[:, None] * others[0] * broken[0] + p[:, None] * others[1] * broken[1] for p in q])
    return z0, z1
