"""Scores of softmax output, large = strange: s(x, y) for every label y of every row, float64 [n, K].

``probs`` float64 [n, K]. Labels are ranked by descending probability, r = 1 first, ties in label order everywhere alike. ``u`` float64 [n]
in [0, 1) is the row's share of a label's own mass: one number a row, so that sets are prefixes of its ranking; None takes all of it.
``labels`` int64 [n]: only these labels' scores, float64 [n], the very same numbers at a fraction of the price.

Masses are summed exactly: every row is normalised, rounded to multiples of 2^-52, and what is then missing from 1 goes to its first label.
Sums of such numbers up to 2 do not round, so they are the same in any order, ascend with the rank, and end at exactly 1.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Named = Literal["lac", "aps", "raps", "saps", "margin"]
RANDOMISED: tuple[Named, ...] = ("aps", "raps", "saps")
ROUNDED = 1e-12         # a row that misses 1 by less was normalised in float64


def named(name: Named, probs: np.ndarray, u: np.ndarray | None, labels: np.ndarray | None = None) -> np.ndarray:
    """The score of that name at its usual constants; ``u`` where it can be randomised."""
    if name == "lac":
        return lac(probs, labels)
    if name == "margin":
        return margin(probs, labels)
    if name == "aps":
        return aps(probs, u, labels)
    return raps(probs, u, 0.1, 2, labels) if name == "raps" else saps(probs, u, 0.2, labels)


def lac(probs: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """s = 1 - p."""
    return 1.0 - (probs if labels is None else _own(probs, labels))


def margin(probs: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """s = (largest p among the other labels) - p."""
    if probs.shape[1] == 1:
        return -(probs if labels is None else _own(probs, labels))
    if labels is not None:
        others = probs.copy()
        others[np.arange(len(probs)), labels] = -np.inf
        return np.asarray(others.max(axis=1) - _own(probs, labels))
    second, first = np.partition(probs, -2, axis=1)[:, -2:].T
    best = np.repeat(first[:, None], probs.shape[1], axis=1)
    best[np.arange(len(probs)), probs.argmax(axis=1)] = second
    best -= probs
    return best


def aps(probs: np.ndarray, u: np.ndarray | None = None, labels: np.ndarray | None = None) -> np.ndarray:
    """s = rho + u p, with rho the mass of the labels ranked before."""
    return raps(probs, u, labels=labels)


def raps(probs: np.ndarray, u: np.ndarray | None = None, penalty: float = 0.0, free: int = 0, labels: np.ndarray | None = None) -> np.ndarray:
    """s = rho + u p + penalty max(0, r - free)."""
    mass, missing = _grid(probs)
    if labels is not None:
        ahead, rank = _ahead(probs, labels)
        before, own = np.where(ahead, mass, 0.0).sum(axis=1), _own(mass, labels)
        before += np.where(rank > 1, missing, 0.0)
        own += np.where(rank > 1, 0.0, missing)
        filled = before + (own if u is None else u * own)
        return np.asarray(filled + penalty * np.maximum(0, rank - free)) if penalty else filled
    order = _order(probs)
    mass = np.take_along_axis(mass, order, axis=1)
    mass[:, 0] += missing
    filled = np.cumsum(mass, axis=1)
    if u is not None:
        share = u[:, None] * mass
        share[:, 1:] += filled[:, :-1]
        filled = share
    if penalty:
        filled += penalty * np.maximum(0, np.arange(1, probs.shape[1] + 1) - free)
    return _to_labels(filled, order)


def saps(probs: np.ndarray, u: np.ndarray | None = None, step: float = 0.0, labels: np.ndarray | None = None) -> np.ndarray:
    """s = u p_max for the first label, p_max + (r - 2 + u) step for the others."""
    first = probs.max(axis=1)
    share = np.ones(len(probs)) if u is None else u
    if labels is not None:
        rank = _ahead(probs, labels)[1]
        return np.asarray(np.where(rank > 1, first + ((rank - 2) + share) * step, share * first))
    s = first[:, None] + (np.arange(-1, probs.shape[1] - 1) + share[:, None]) * step
    s[:, 0] = share * first
    return _to_labels(s, _order(probs))


def tempered(probs: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(logits / T) from softmax(logits): p^(1/T), normalised."""
    if temperature == 1.0:
        return probs
    cooled: np.ndarray = (probs / probs.max(axis=1, keepdims=True)) ** (1.0 / temperature)
    cooled /= cooled.sum(axis=1, keepdims=True)
    return cooled


def _grid(probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(``probs`` on the grid of 2^-52 [n, K], what each row misses 1 by [n]); rows of float32 and the like are normalised first."""
    mass = probs + 1.0          # from 1 to 2 floats are multiples of 2^-52: the sum rounds p to the grid, and the difference is exact
    mass -= 1.0
    missing: np.ndarray = 1.0 - mass.sum(axis=1)
    coarse = np.flatnonzero(np.abs(missing) > ROUNDED)
    if len(coarse):
        mass[coarse] = (probs[coarse] / (1.0 - missing[coarse, None]) + 1.0) - 1.0
        missing[coarse] = 1.0 - mass[coarse].sum(axis=1)
    return mass, missing


def rank_of(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rank of each row's label, from 1: int64 [n]."""
    return _ahead(probs, labels)[1]


def _ahead(probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(labels ranked before the row's own, bool [n, K]; its rank from 1, int64 [n])."""
    own = _own(probs, labels)[:, None]
    ahead = probs > own
    before = np.count_nonzero(ahead, axis=1)
    for row in np.flatnonzero(np.count_nonzero(probs >= own, axis=1) - before > 1):
        ahead[row, :labels[row]] |= probs[row, :labels[row]] == own[row]
        before[row] = np.count_nonzero(ahead[row])
    return ahead, before + 1


def _own(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    found: np.ndarray = values[np.arange(len(values)), labels]
    return found


def _order(probs: np.ndarray) -> np.ndarray:
    return np.argsort(-probs, axis=1, kind="stable")


def _to_labels(ranked: np.ndarray, order: np.ndarray) -> np.ndarray:
    found = np.empty_like(ranked)
    np.put_along_axis(found, order, ranked, axis=1)
    return found
